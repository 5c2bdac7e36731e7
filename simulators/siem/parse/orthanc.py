"""Orthanc (1.12 and later): start, stop, its database, and faults by their place in the program; never their text."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read, cut

DATASET = "orthanc.log"
FAULT = "application-fault"

_LINE = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,6} {1,40}[\w-]{1,40} (?P<place>[\w./:-]{1,120}:\d{1,6})\]"
    r" (?P<text>[^\n]*)"
)
_LIFE = {"Orthanc has started": "start", "Orthanc is stopping": "stop"}
_DATABASE = ("PostgreSQL error: ", "Database is currently unavailable", "The database is not available")


def read(line: Line) -> Read | None:
    """Read a line of Orthanc."""
    if not (found := _LINE.match(line.message)):
        return None
    text = found["text"]
    if action := _LIFE.get(text):
        return Read(action, "success", {}, DATASET)
    if text.startswith(_DATABASE):
        return Read("open-database", "failed", {"reason": "unreachable", "trace": cut(found["place"])}, DATASET)
    if found["level"] in "EF":
        return Read(FAULT, "failed", {"reason": "internal-error", "trace": cut(found["place"])}, DATASET)
    return None
