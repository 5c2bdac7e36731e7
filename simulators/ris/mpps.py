"""The rules of the Modality Performed Procedure Step: what may be created, set, and never changed (PS3.4 F.7.2)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from simulators.dicom_text import is_uid
from simulators.events import reasons
from simulators.printable import hides

if TYPE_CHECKING:
    from collections.abc import Container

    from pydicom.dataset import Dataset

    from simulators.events.vocabulary import Reason

IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"

TRANSITIONS: dict[tuple[str, str], bool] = {
    (IN_PROGRESS, IN_PROGRESS): True,
    (IN_PROGRESS, COMPLETED): True,
    (IN_PROGRESS, DISCONTINUED): True,
    (COMPLETED, IN_PROGRESS): False,
    (COMPLETED, COMPLETED): False,
    (COMPLETED, DISCONTINUED): False,
    (DISCONTINUED, IN_PROGRESS): False,
    (DISCONTINUED, COMPLETED): False,
    (DISCONTINUED, DISCONTINUED): False,
}
"""(state, state set) to whether an N-SET may do it: final states are final (PS3.4 F.7.2.2.2)."""

STEP_STATUS = {IN_PROGRESS: "in progress", COMPLETED: "completed", DISCONTINUED: "discontinued"}
"""PerformedProcedureStepStatus (0040,0252) to the status of the scheduled step and its procedure."""

NEEDED_AT_CREATION = (
    "ScheduledStepAttributesSequence",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepStatus",
    "Modality",
)
"""Type 1 at N-CREATE (table F.7.2-1)."""

NEEDED_AT_END = ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime")
"""Type 1 when the final state is set (table F.7.2-1)."""

NOT_SETTABLE = (
    "ScheduledStepAttributesSequence",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "Modality",
    "StudyID",
)
"""Not allowed in N-SET (table F.7.2-1)."""

# Status codes of PS3.7 annex C
SUCCESS = 0x0000
INVALID_VALUE = 0x0106
NO_SUCH_ATTRIBUTE = 0x0105
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
INVALID_INSTANCE = 0x0117
MISSING_ATTRIBUTE = 0x0120
MISSING_VALUE = 0x0121
NOT_AUTHORISED = 0x0124

FINAL_ERROR_ID = 0xA710
"""ErrorID (0000,0903) with 'may no longer be updated' (PS3.4 F.7.2.2.3)."""

REASONS: dict[int, Reason] = {
    INVALID_VALUE: reasons.ATTRIBUTE_VALUE,
    NO_SUCH_ATTRIBUTE: reasons.FIXED_ATTRIBUTE,
    PROCESSING_FAILURE: reasons.FINAL_STATE,
    DUPLICATE_INSTANCE: reasons.DUPLICATE_INSTANCE,
    NO_SUCH_INSTANCE: reasons.UNKNOWN_INSTANCE,
    INVALID_INSTANCE: reasons.INVALID_INSTANCE,
    MISSING_ATTRIBUTE: reasons.MISSING_ATTRIBUTE,
    MISSING_VALUE: reasons.ATTRIBUTE_VALUE,
    NOT_AUTHORISED: reasons.OTHER_STATION,
}
"""Status of a refusal to its reason in an event."""

_LINE_ENDS = str.maketrans("\r\n\f\t", "    ")
"""What texts of several lines may have (PS3.5 6.1.3)."""


class MppsError(Exception):
    """A request that fails: its DIMSE status, and ErrorComment (0000,0902), at most 64 characters."""

    def __init__(self, status: int, comment: str, error_id: int | None = None) -> None:
        """Say why."""
        super().__init__(comment)
        self.status = status
        self.comment = comment[:64]
        self.error_id = error_id
        self.reason = REASONS[status]


def check_creation(uid: str | None, attributes: Dataset, stations: Container[str]) -> None:
    """Check an N-CREATE of a caller that performs as `stations`: its AE title, and those that the site gives it.

    Raises:
        MppsError: it may not be.
    """
    if not uid or not is_uid(uid):
        raise MppsError(INVALID_INSTANCE, "AffectedSOPInstanceUID is missing or no UID")
    _check_values(attributes)
    _need(attributes, NEEDED_AT_CREATION)
    if attributes.PerformedProcedureStepStatus != IN_PROGRESS:
        raise MppsError(INVALID_VALUE, "PerformedProcedureStepStatus is not IN PROGRESS")
    if attributes.PerformedStationAETitle not in stations:
        raise MppsError(NOT_AUTHORISED, "PerformedStationAETitle is not the caller's")
    _need(attributes.ScheduledStepAttributesSequence[0], ("StudyInstanceUID",))


def is_repetition(state: str, changes: Dataset, held: Dataset) -> bool:
    """Tell whether an N-SET says again what made a step's state final: its answer was lost, and it changes nothing."""
    if state == IN_PROGRESS or "PerformedProcedureStepStatus" not in changes:
        return False
    before = held.to_json_dict()
    return bool({**before, **changes.to_json_dict()} == before)


def check_change(state: str, changes: Dataset, held: Dataset) -> str:
    """Check an N-SET against the state and what is held, and return the state after it.

    What was said at the beginning may be said again, and not changed.

    Raises:
        MppsError: it may not be.
    """
    _check_values(changes)
    after = str(changes.get("PerformedProcedureStepStatus") or state)
    if (state, after) not in TRANSITIONS:
        raise MppsError(INVALID_VALUE, "PerformedProcedureStepStatus has another value")
    if not TRANSITIONS[state, after]:
        raise MppsError(PROCESSING_FAILURE, "Performed Procedure Step Object may no longer be updated", FINAL_ERROR_ID)
    fixed = [name for name in NOT_SETTABLE if name in changes and _said(changes, name) != _said(held, name)]
    if fixed:
        raise MppsError(NO_SUCH_ATTRIBUTE, f"N-SET may not change {fixed[0]}")
    if after != IN_PROGRESS:
        together = deepcopy(held)  # Dataset.copy() shares what it holds
        together.update(changes)
        _need(together, NEEDED_AT_END)
        if after == COMPLETED:
            _need(together, ("PerformedSeriesSequence",))
    return after


def _check_values(attributes: Dataset) -> None:
    """Refuse values that hide something, or that are no UIDs: they are shown, and become messages to others.

    Raises:
        MppsError: there is one.
    """
    for element in attributes.iterall():
        if element.VR == "SQ" or element.value is None:
            continue
        for value in element.value if element.VM > 1 else [element.value]:
            text = str(value)
            if element.VR == "UI" and text and not is_uid(text):
                raise MppsError(INVALID_VALUE, f"{element.keyword or element.tag} is no UID")
            lines = text.translate(_LINE_ENDS) if element.VR in {"LT", "ST", "UT"} else text
            if hides(lines):
                raise MppsError(INVALID_VALUE, f"{element.keyword or element.tag} has a control character")


def _said(attributes: Dataset, name: str) -> Any:
    """What an attribute says, in a form that can be compared (DICOM JSON, PS3.18 F)."""
    return attributes[name].to_json_dict(None, 0) if name in attributes else None


def _need(attributes: Dataset, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in attributes:
            raise MppsError(MISSING_ATTRIBUTE, f"{name} is missing")
        value = attributes[name].value
        if value is None or value == "" or (attributes[name].VR == "SQ" and len(value) == 0):
            raise MppsError(MISSING_VALUE, f"{name} is empty")
