"""The rules of the Modality Performed Procedure Step: what may be created, set, and never changed (PS3.4 F.7.2)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from simulators.ris.requests import (
    INVALID_VALUE,
    NO_SUCH_ATTRIBUTE,
    NOT_AUTHORISED,
    PROCESSING_FAILURE,
    RequestError,
    check_instance,
    check_values,
    need,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from pydicom.dataset import Dataset

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

FINAL_ERROR_ID = 0xA710
"""ErrorID (0000,0903) with 'may no longer be updated' (PS3.4 F.7.2.2.3)."""


def check_creation(uid: str | None, attributes: Dataset, stations: Container[str]) -> None:
    """Check an N-CREATE of a caller that performs as `stations`: its AE title, and those that the site gives it.

    Raises:
        RequestError: it may not be.
    """
    check_instance(uid)
    check_values(attributes)
    need(attributes, NEEDED_AT_CREATION)
    if attributes.PerformedProcedureStepStatus != IN_PROGRESS:
        raise RequestError(INVALID_VALUE, "PerformedProcedureStepStatus is not IN PROGRESS")
    if attributes.PerformedStationAETitle not in stations:
        raise RequestError(NOT_AUTHORISED, "PerformedStationAETitle is not the caller's")
    need(attributes.ScheduledStepAttributesSequence[0], ("StudyInstanceUID",))


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
        RequestError: it may not be.
    """
    check_values(changes)
    after = str(changes.get("PerformedProcedureStepStatus") or state)
    if (state, after) not in TRANSITIONS:
        raise RequestError(INVALID_VALUE, "PerformedProcedureStepStatus has another value")
    if not TRANSITIONS[state, after]:
        raise RequestError(
            PROCESSING_FAILURE, "Performed Procedure Step Object may no longer be updated", FINAL_ERROR_ID
        )
    fixed = [name for name in NOT_SETTABLE if name in changes and _said(changes, name) != _said(held, name)]
    if fixed:
        raise RequestError(NO_SUCH_ATTRIBUTE, f"N-SET may not change {fixed[0]}")
    if after != IN_PROGRESS:
        together = deepcopy(held)  # Dataset.copy() shares what it holds
        together.update(changes)
        need(together, NEEDED_AT_END)
        if after == COMPLETED:
            need(together, ("PerformedSeriesSequence",))
    return after


def _said(attributes: Dataset, name: str) -> Any:
    """What an attribute says, in a form that can be compared (DICOM JSON, PS3.18 F)."""
    return attributes[name].to_json_dict(None, 0) if name in attributes else None
