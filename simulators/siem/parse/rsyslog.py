"""rsyslogd (8.25): whether a host's lines reach the collector, and when it starts and ends."""

from __future__ import annotations

import re

from simulators.siem.parse.journald import DROP
from simulators.siem.parse.reading import Line, Read, port, told

DATASET = "system.log"
FORWARD = "forward-lines"

_NO_CONNECTION = re.compile(r"cannot connect to (?P<target>[\w.-]{1,120}):(?P<port>\d{1,5}) ")
_ACTION = re.compile(r"action '(?P<item>[\w-]{1,64})' (?P<state>suspended|resumed) \(")
_LIFE = re.compile(r"\[origin software=\"rsyslogd\"[^\]]{0,200}\] (?P<verb>start|exiting on signal \d+\.)")
_LOST = re.compile(
    r"(?:imjournal|imuxsock|main Q|collector queue)[^\n]{0,120} (?P<count>\d{1,9}) messages? (?:lost|dropped|discarded)"
)
_NOT_TRUSTED = ("not permitted to talk to peer", "peer name not authorized", "certificate validity check failed")
"""What rsyslog says of a collector that it does not believe."""


def read(line: Line) -> Read | None:
    """Read a line of rsyslogd."""
    message = line.message
    if found := _NO_CONNECTION.match(message):
        facts = told(target=found["target"], port=port(found["port"]), reason="unreachable")
        return Read(FORWARD, "failed", facts, DATASET)
    if found := _ACTION.match(message):
        resumed = found["state"] == "resumed"
        facts = told(item=found["item"], reason="" if resumed else "unreachable")
        return Read(FORWARD, "success" if resumed else "waiting", facts, DATASET)
    if found := _LIFE.match(message):
        return Read("start" if found["verb"] == "start" else "stop", "success", {}, DATASET)
    if any(words in message for words in _NOT_TRUSTED):
        return Read(FORWARD, "refused", {"reason": "certificate-refused"}, DATASET)
    if found := _LOST.match(message):
        return Read(DROP, "failed", {"left": int(found["count"]), "reason": "too-fast"}, DATASET)
    return None
