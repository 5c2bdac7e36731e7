"""Orthanc (1.12 and later): start, stop, what it refuses, its database, and faults by their place in the program."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read, cut, told

DATASET = "orthanc.log"
FAULT = "application-fault"

_LINE = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,6} {1,40}[\w-]{1,40} (?P<place>[\w./:-]{1,120}:\d{1,6})\]"
    r" (?P<text>[^\n]*)"
)
_REFUSED = re.compile(
    r'Rejected (?P<what>[\w-]{1,40}) request from remote DICOM modality with AET "(?P<title>[^"]{0,64})" and hostname'
    r' "(?P<peer>[^"]{0,253})"'
)
_NO_SUCH_TITLE = re.compile(
    r"Rejected association, because of a bad called AET in the request \((?P<called>[^\n]{0,64})\)"
)
_REQUESTS = {"Find": "query", "FindWorklist": "query", "Get": "retrieve", "Move": "retrieve", "Store": "take-object"}
_OPERATIONS = {"Find": "C-FIND", "FindWorklist": "C-FIND", "Get": "C-GET", "Move": "C-MOVE", "Store": "C-STORE"}
_LOOPBACK = "127."
"""Where the edge before it calls from."""
_LIFE = {"Orthanc has started": "start", "Orthanc is stopping": "stop"}
_DATABASE = ("PostgreSQL error: ", "Database is currently unavailable", "The database is not available")


def read(line: Line) -> Read | None:
    """Read a line of Orthanc."""
    if not (found := _LINE.match(line.message)):
        return None
    text = found["text"]
    if action := _LIFE.get(text):
        return Read(action, "success", {}, DATASET)
    if text.startswith("Rejected "):
        return _refused(text)
    if text.startswith(_DATABASE):
        return Read("open-database", "failed", {"reason": "unreachable", "trace": cut(found["place"])}, DATASET)
    if found["level"] in "EF":
        return Read(FAULT, "failed", {"reason": "internal-error", "trace": cut(found["place"])}, DATASET)
    return None


def _refused(text: str) -> Read | None:
    """Read what Orthanc refuses by itself (CommandDispatcher.cpp)."""
    if found := _REFUSED.fullmatch(text):
        what, peer = found["what"], found["peer"]
        known = told(
            ae_title=cut(found["title"]),
            operation=_OPERATIONS.get(what, what),
            reason="not-permitted",
            peer="" if peer.startswith(_LOOPBACK) else cut(peer),
        )
        return Read(_REQUESTS.get(what, "associate"), "refused", known, DATASET)
    if found := _NO_SUCH_TITLE.fullmatch(text):
        return Read("associate", "refused", told(called=cut(found["called"]), reason="association-rejected"), DATASET)
    return None
