"""RAD-14 Query Images: C-FIND of the Study Root Information Model (PS3.4 C.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from simulators.association import contexts
from simulators.errors import NoAnswerError, RefusedError
from simulators.events.actions import QUERY
from simulators.events.report import performing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.workstation.desk import Desk

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_SUCCESS, _PENDING = 0x0000, (0xFF00, 0xFF01)
CUT = frozenset({0xA700, 0xFE00})
"""Out of resources (PS3.4 C.4.1.1.4), and cancelled, which nobody here has asked for: not all matches came."""

RETURNED = {
    "STUDY": (
        "StudyInstanceUID",
        "AccessionNumber",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ),
    "SERIES": (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "Modality",
        "SeriesNumber",
        "SeriesDescription",
        "NumberOfSeriesRelatedInstances",
    ),
    "IMAGE": ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
}
"""Attributes asked for at each level."""

_IDS = {
    "accession": "AccessionNumber",
    "patient": "PatientID",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
}


def find(desk: Desk, level: str, keys: Mapping[str, str]) -> list[Dataset]:
    """Return what matches.

    Args:
        desk: whom to ask.
        level: STUDY, SERIES or IMAGE.
        keys: matching keys by keyword; below STUDY the UIDs of the levels above are needed.

    Raises:
        RefusedError: the archive answered with a failure.
        AssociationRejectedError, TlsRefusedError, UnreachableError: there is no association.
    """
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for name in RETURNED[level]:
        setattr(identifier, name, "")
    for name, value in keys.items():
        setattr(identifier, name, value)
    found = []
    with (
        performing(QUERY, transaction="RAD-14", **desk.actor, level=level, **ids_of(keys)) as known,
        desk.open(contexts([STUDY_ROOT_FIND])) as association,
    ):
        for status, match in association.send_c_find(identifier, STUDY_ROOT_FIND):
            code = status.get("Status")
            if code in _PENDING and match is not None:
                found.append(match)
            elif code is None:
                raise NoAnswerError(
                    f"{desk.archive.name} did not answer the query to its end.", remedy="Ask again; look at its health."
                )
            elif code in CUT:
                raise RefusedError(
                    f"{desk.archive.name} gives no more than {len(found)} answers to one query.",
                    remedy="Ask for less: name a patient, a date or a study.",
                )
            elif code != _SUCCESS:
                raise RefusedError(
                    f"{desk.archive.name} refused the query: status 0x{code:04X}",
                    remedy="Look at its log and at the site's flows.",
                )
        known["found"] = len(found)
    return found


def ids_of(keys: Mapping[str, str]) -> dict[str, str]:
    """The matching keys that may stand in the log; a name may not."""
    return {name: keys[keyword] for name, keyword in _IDS.items() if keys.get(keyword)}


def facts(match: Dataset) -> dict[str, str]:
    """A match as plain values by keyword."""
    return {
        element.keyword: "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value)
        for element in match
        if element.keyword and element.keyword not in {"QueryRetrieveLevel", "SpecificCharacterSet", "RetrieveAETitle"}
    }
