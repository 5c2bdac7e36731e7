"""chronyd (4.6) about the host's clock: how far it was off, whom it follows, and who does not answer."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read, port, told

DATASET = "system.time"
CLOCK, ASK = "clock", "ask-time"

_OFFSET = re.compile(
    r"System clock (?P<how>wrong|was stepped) by (?P<offset>-?\d{1,10}(?:\.\d{1,9})?) seconds(?:, adjustment started)?"
)
_JUMP = re.compile(r"(?P<how>Forward|Backward) time jump detected!")
_SELECTED = re.compile(r"Selected source (?P<peer>[0-9A-Fa-f.:]{2,45})(?: \([\w.-]{1,253}\))?")
_NO_ANSWER = re.compile(
    r"(?:Could not connect to|TLS handshake with|NTS-KE session with) (?P<peer>[0-9A-Fa-f.:]{2,45}):(?P<port>\d{1,5})"
    r" \([\w.-]{1,253}\)(?P<why>[^\n]{0,120})"
)
_NO_SOURCE = "Can't synchronise: "


def read(line: Line) -> Read | None:
    """Read a line of chronyd."""
    message = line.message
    if found := _OFFSET.match(message):
        state = "stepped" if found["how"] == "was stepped" else "wrong"
        return Read(CLOCK, "failed", {"state": state}, DATASET, {"pacslab.offset": float(found["offset"])})
    if found := _JUMP.match(message):
        return Read(CLOCK, "failed", {"state": found["how"].lower()}, DATASET)
    if found := _SELECTED.fullmatch(message):
        return Read(ASK, "success", {"target": found["peer"]}, DATASET)
    if message.startswith(_NO_SOURCE):
        return Read(CLOCK, "failed", {"state": "alone", "reason": "unreachable"}, DATASET)
    if found := _NO_ANSWER.match(message):
        refused = "TLS handshake" in message[:13]
        facts = told(target=found["peer"], port=port(found["port"]), reason="tls-error" if refused else "unreachable")
        return Read(ASK, "refused" if refused else "failed", facts, DATASET)
    return None
