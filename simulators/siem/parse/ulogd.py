"""ulogd (2.0) about itself; a refused packet is an event already, which the collector makes of its line."""

from __future__ import annotations

import re

from simulators.siem.parse.journald import DROP
from simulators.siem.parse.reading import Line, Read

DATASET = "system.log"

_LOSES = re.compile(r"We are losing events|(?:NFLOG|nflog)[^\n]{0,120}(?:overrun|No buffer space)")
_ENDS = ("Terminal signal received, exiting", "exiting")


def read(line: Line) -> Read | None:
    """Read a line of ulogd that is no refusal."""
    if line.message.startswith(_ENDS):
        return Read("stop", "success", {}, DATASET)
    if _LOSES.match(line.message):
        return Read(DROP, "failed", {"reason": "too-fast"}, DATASET)
    return None
