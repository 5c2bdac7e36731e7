"""What a request asks for, read so strictly that nothing else is sent on (PS3.18 10.4 to 10.6).

The path is taken as it came, before anything in it is decoded: a per cent sign, an empty segment, a dot segment or a
parameter is no resource of DICOMweb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from simulators.errors import ArgumentError
from simulators.gateway.archives import ROOT

_UID = r"[0-9]+(?:\.[0-9]+)*"
_SEARCH = re.compile(
    rf"/(?P<top>studies|series|instances)|/studies/(?P<study>{_UID})/(?P<under>series|instances)"
    rf"|/studies/(?P<study_of_series>{_UID})/series/(?P<series>{_UID})/instances",
)
_RETRIEVE = re.compile(
    rf"/studies/(?P<study>{_UID})"
    rf"(?:/series/(?P<series>{_UID})(?:/instances/(?P<instance>{_UID})(?P<part>/frames/[0-9]+(?:,[0-9]+)*|/bulk(?:/[0-9a-fA-F]+)+)?)?)?"
    r"(?P<metadata>/metadata)?",
)
_STORE = re.compile(rf"/studies(?:/(?P<study>{_UID}))?")
UID_LENGTH = 64
"""PS3.5 9.1."""
PATH_LENGTH = 1024
QUERY_LENGTH = 8192
_ATTRIBUTE = re.compile(
    r"(?:[A-Z][A-Za-z0-9]{1,63}|[0-9A-Fa-f]{8})(?:\.(?:[A-Z][A-Za-z0-9]{1,63}|[0-9A-Fa-f]{8})){0,3}"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,512}")
PATIENT_ID = ("PatientID", "00100020")


class Kind(StrEnum):
    """The transactions of DICOMweb that pass; nothing that renders does, because it decodes pixels in the archive."""

    SEARCH = "QIDO-RS"
    RETRIEVE = "WADO-RS"
    STORE = "STOW-RS"


@dataclass(frozen=True)
class Asked:
    """A request that may be sent on, if the person may have it.

    Attributes:
        kind: the transaction.
        path: the resource below ``/dicom-web``, to be sent on as it is.
        level: what a search finds: ``studies``, ``series`` or ``instances``; of a retrieval, what is retrieved.
        study: Study Instance UID of the path, or none.
        series: Series Instance UID of the path, or none.
        instance: SOP Instance UID of the path, or none.
        query: attributes to match and to include, in order; ``limit`` and ``offset`` are not among them.
        limit: how many results at most, or none.
        offset: how many results to leave out first.
    """

    kind: Kind
    path: str
    level: str
    study: str | None = None
    series: str | None = None
    instance: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def names_patient(self) -> bool:
        """Whether the search is for an identifier of a patient."""
        return any(key in PATIENT_ID for key, _ in self.query)


def read(method: str, raw_path: str) -> Asked:
    """Read a request line; ``raw_path`` is path and query as they came.

    Raises:
        ArgumentError: it is no transaction that passes.
    """
    path, _, query = raw_path.partition("?")
    if not path.startswith(f"{ROOT}/") or len(path) > PATH_LENGTH or len(query) > QUERY_LENGTH:
        raise _no_resource()
    below = path.removeprefix(ROOT)
    if method == "GET":
        found = _SEARCH.fullmatch(below)
        if found:
            return _search(below, found, query)
        found = _RETRIEVE.fullmatch(below)
        if found and not (found["part"] and found["metadata"]):
            return _retrieve(below, found, query)
    elif method == "POST" and not query:
        found = _STORE.fullmatch(below)
        if found:
            return Asked(Kind.STORE, below, "studies", study=_uid(found["study"]))
    raise _no_resource()


def _search(below: str, found: re.Match[str], query: str) -> Asked:
    level = found["top"] or found["under"] or "instances"
    kept, limit, offset = _query(query)
    study, series = _uid(found["study"] or found["study_of_series"]), _uid(found["series"])
    return Asked(Kind.SEARCH, below, level, study=study, series=series, query=kept, limit=limit, offset=offset)


def _retrieve(below: str, found: re.Match[str], query: str) -> Asked:
    if query:
        raise ArgumentError("a retrieval has no query here", remedy="Say in the Accept header what is wanted.")
    level = "instances" if found["instance"] else "series" if found["series"] else "studies"
    study, series, instance = _uid(found["study"]), _uid(found["series"]), _uid(found["instance"])
    return Asked(Kind.RETRIEVE, below, level, study=study, series=series, instance=instance)


def _query(text: str) -> tuple[tuple[tuple[str, str], ...], int | None, int]:
    """Attributes, limit and offset of a query (PS3.18 8.3.4)."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=64)
    except ValueError:
        raise ArgumentError("the query cannot be read", remedy="Write NAME=VALUE pairs, in UTF-8.") from None
    kept, numbers = [], {}
    for key, value in pairs:
        if key in {"limit", "offset"} and _NUMBER.fullmatch(value) and key not in numbers:
            numbers[key] = int(value)
        elif key == "fuzzymatching" and value in {"true", "false"}:
            continue  # an archive that does not know it answers as if it were false (PS3.18 8.3.4.2)
        elif (
            key == "includefield" and all(part == "all" or _ATTRIBUTE.fullmatch(part) for part in value.split(","))
        ) or (_ATTRIBUTE.fullmatch(key) and TEXT.fullmatch(value)):
            kept.append((key, value))
        else:
            raise ArgumentError(
                "a word of the query is none of PS3.18 8.3.4", remedy="Name attributes by keyword or tag."
            )
    return tuple(kept), numbers.get("limit"), numbers.get("offset", 0)


def _uid(text: str | None) -> str | None:
    if text is not None and len(text) > UID_LENGTH:
        raise _no_resource()
    return text


def _no_resource() -> ArgumentError:
    return ArgumentError(
        "this is no resource of DICOMweb that passes here",
        remedy="Search, retrieve or store as PS3.18 10.4 to 10.6 say.",
    )
