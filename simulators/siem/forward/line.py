"""Writes an event of the repository as syslog (RFC 5424): as JSON in ASCII, so that it is one line anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.siem.normalise.moment import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FACILITY = 13
"""Log audit (RFC 5424 6.2.1)."""
INFORMATIONAL = 6
SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
"""Of alerts, by their levels."""
PROGRAM = "pacslab-siem"
ALERT = "pacslab.alert"
LONGEST = 65_000
"""Octets of a line: collectors take 65,536, and no fewer than 8,192 (PS3.15 A.6: 32,768)."""
ENTERPRISE = "pacslab@32473"


class Event(NamedTuple):
    """An event as it is stored."""

    position: int
    received: datetime
    host: str
    fields: Mapping[str, Any]

    def line(self) -> bytes:
        """Return its line."""
        kind = str(self.fields.get("event.dataset", "event"))
        return _line(self, INFORMATIONAL, kind, {"host.name": self.host, **self.fields})


class Alert(NamedTuple):
    """An alert as it is stored."""

    position: int
    received: datetime
    host: str
    rule: str
    level: str
    about: int
    fields: Mapping[str, Any]

    def line(self) -> bytes:
        """Return its line: what the alert says stands under a name of its own."""
        told = {
            "event.kind": "alert",
            "event.dataset": ALERT,
            "host.name": self.host,
            "rule.name": self.rule,
            "log.level": self.level,
            "pacslab.of": self.about,
            "pacslab.alert": dict(self.fields),
        }
        return _line(self, SEVERITIES.get(self.level, INFORMATIONAL), ALERT, told)


def _line(stored: Event | Alert, severity: int, kind: str, fields: Mapping[str, Any]) -> bytes:
    head = (
        f"<{FACILITY * 8 + severity}>1 {text_of(stored.received.timestamp())} - {PROGRAM} - {_word(kind)}"
        f' [{ENTERPRISE} position="{stored.position}"] '
    )
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"))
    if len(head) + len(text) > LONGEST:
        short = {name: value for name, value in fields.items() if len(json.dumps(value)) < LONGEST // 64}
        text = json.dumps({**short, "pacslab.shortened": True}, ensure_ascii=True, separators=(",", ":"))[:LONGEST]
    return (head + text).encode("ascii")


def _word(text: str) -> str:
    """Return a MSGID: up to 32 printable characters of ASCII (RFC 5424 6.2.7)."""
    return "".join(character for character in text if "!" <= character <= "~")[:32] or "-"
