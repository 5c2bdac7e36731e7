"""HAProxy (3.0) about itself; its lines of connections are events, in the format of roles/haproxy."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read, told

DATASET = "edge.log"
LISTEN, REACH, FAULT = "edge-listens", "edge-reaches", "edge-fault"

_PROXY = re.compile(r"Proxy (?P<edge>[\w.-]{1,64}) (?P<state>started|stopped|paused|resumed|enabled|disabled)\b")
_SERVER = re.compile(r"(?:Health check for server|Server) (?P<item>[\w.-]{1,64}/[\w.-]{1,64}) is (?P<state>DOWN|UP)\b")
_NONE_LEFT = re.compile(r"backend (?P<item>[\w.-]{1,64}) has no server available!")
_OWN = re.compile(r"\[(?P<level>[A-Z]{4,8})\] {1,6}\(\d{1,10}\) : (?P<text>[^\n]*)")
_EXITED = re.compile(
    r"(?:Current worker|Former worker|[Ww]orker[^(]{0,40}) \(\d{1,10}\) exited with code (?P<code>\d{1,3})"
)
_ORDERLY = frozenset({"0", "130", "143"})
"""Exit codes of a worker that was told to end."""


def read(line: Line) -> Read | None:
    """Read a line that HAProxy writes about itself."""
    message = line.message
    if own := _OWN.match(message):
        return _of_master(own["level"], own["text"])
    if found := _PROXY.match(message):
        is_open = found["state"] in {"started", "resumed", "enabled"}
        return Read(LISTEN, "success", {"edge": found["edge"], "state": "open" if is_open else "closed"}, DATASET)
    if (found := _SERVER.match(message)) and found["state"] == "UP":
        return Read(REACH, "success", {"item": found["item"]}, DATASET)
    if found := found or _NONE_LEFT.match(message):
        return Read(REACH, "failed", {"item": found["item"], "reason": "unreachable"}, DATASET)
    return None


def _of_master(level: str, text: str) -> Read | None:
    """Read what the master process says of its workers and its configuration."""
    ended = _EXITED.match(text)
    if level not in {"ALERT", "EMERG"} or (ended and ended["code"] in _ORDERLY):
        return None
    return Read(FAULT, "failed", told(reason="internal-error", status=ended["code"] if ended else ""), DATASET)
