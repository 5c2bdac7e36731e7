"""systemd-journald about the journal itself: where it begins, ends, is damaged, or leaves lines out."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read

DATASET = "system.log"
DROP, KEEP = "drop-lines", "keep-journal"

_SUPPRESSED = re.compile(r"Suppressed (?P<count>\d{1,9}) messages from (?P<unit>[\w@.:\\-]{1,120})")
_MISSED = re.compile(r"Missed (?P<count>\d{1,9}) (?:kernel messages|messages)")
_DAMAGED = re.compile(r"File \S{1,200} corrupted or uncleanly shut down, renaming and replacing\.")


def read(line: Line) -> Read | None:
    """Read a line of systemd-journald."""
    message = line.message
    if message == "Journal started":
        return Read(KEEP, "success", {"state": "started"}, DATASET)
    if message == "Journal stopped":
        return Read(KEEP, "success", {"state": "stopped"}, DATASET)
    if found := _SUPPRESSED.match(message):
        return Read(DROP, "failed", {"unit": found["unit"], "left": int(found["count"]), "reason": "too-fast"}, DATASET)
    if found := _MISSED.match(message):
        return Read(DROP, "failed", {"left": int(found["count"]), "reason": "too-fast"}, DATASET)
    if _DAMAGED.match(message):
        return Read(KEEP, "failed", {"state": "damaged", "reason": "damaged"}, DATASET)
    return None
