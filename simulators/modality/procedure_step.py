"""RAD-6 and RAD-7 Modality Performed Procedure Step: N-CREATE and N-SET (PS3.4 F.7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from simulators.association import contexts
from simulators.errors import BusyError, NoAnswerError, RefusedError
from simulators.imaging.context import code
from simulators.imaging.frame import da, performed_step_id, tm
from simulators.modality.spool import COMPLETED, IN_PROGRESS
from simulators.modality.worklist import step_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.modality.links import Links
    from simulators.modality.spool import Instance, PerformedStep

PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"

REASONS = {
    "110500": "Doctor canceled procedure",
    "110501": "Equipment failure",
    "110502": "Incorrect procedure ordered",
    "110503": "Patient allergic to media/contrast",
    "110504": "Patient died",
    "110505": "Patient refused to continue procedure",
    "110506": "Patient taken for treatment or surgery",
    "110507": "Patient did not arrive",
    "110508": "Patient pregnant",
    "110509": "Change of procedure for correct charging",
    "110510": "Duplicate order",
    "110511": "Nursing unit cancel",
    "110512": "Incorrect side ordered",
    "110513": "Discontinued for unspecified reason",
    "110514": "Incorrect worklist entry selected",
    "110515": "Patient condition prevented continuing",
    "110516": "Equipment change",
}
"""Reasons to discontinue, by code of scheme DCM (PS3.16 CID 9300 and CID 9301)."""


def begin(links: Links, item: Dataset, uid: str, started: datetime) -> None:
    """Tell the RIS that the step of a worklist item is in progress (RAD-6).

    Raises:
        RefusedError: the RIS answered with a failure; BusyError when it may take the same later.
        NoAnswerError: it did not answer, and may have taken it; the same may be told again.
    """
    with links.open(links.ris, contexts([PERFORMED_STEP])) as association:
        status, _ = association.send_n_create(creation(links, item, uid, started), PERFORMED_STEP, uid)
    _judge(links, "N-CREATE", status)


def end(links: Links, step: PerformedStep, instances: Iterable[Instance]) -> None:
    """Tell the RIS the step's final state and what was made in it (RAD-7): the same, however often it is told.

    Raises:
        RefusedError: the RIS answered with a failure, such as that the step already has another final state;
            BusyError when it may take the same later.
        NoAnswerError: it did not answer, and may have taken it.
    """
    with links.open(links.ris, contexts([PERFORMED_STEP])) as association:
        answer, _ = association.send_n_set(conclusion(links, step, instances), PERFORMED_STEP, step.uid)
    _judge(links, "N-SET", answer)


def creation(links: Links, item: Dataset, uid: str, started: datetime) -> Dataset:
    """The attributes of N-CREATE (PS3.4 Table F.7.2-1); type 2 without a value is empty."""
    step = step_of(item)
    scheduled = Dataset()
    scheduled.StudyInstanceUID = item.StudyInstanceUID
    scheduled.ReferencedStudySequence = item.get("ReferencedStudySequence") or []
    for name in (
        "AccessionNumber",
        "PlacerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequest",
        "RequestedProcedureID",
        "RequestedProcedureDescription",
    ):
        setattr(scheduled, name, item.get(name) or "")
    scheduled.ScheduledProcedureStepID = step.get("ScheduledProcedureStepID") or ""
    scheduled.ScheduledProcedureStepDescription = step.get("ScheduledProcedureStepDescription") or ""
    scheduled.ScheduledProtocolCodeSequence = step.get("ScheduledProtocolCodeSequence") or []
    attributes = Dataset()
    attributes.SpecificCharacterSet = "ISO_IR 192"
    attributes.ScheduledStepAttributesSequence = [scheduled]
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(attributes, name, item.get(name) or "")
    if item.get("IssuerOfPatientID"):
        attributes.IssuerOfPatientID = item.IssuerOfPatientID
    attributes.ReferencedPatientSequence = []
    attributes.PerformedProcedureStepID = performed_step_id(uid)
    attributes.PerformedStationAETitle = links.ae_title
    attributes.PerformedStationName = links.ae_title
    attributes.PerformedLocation = ""
    attributes.PerformedProcedureStepStartDate = da(started)
    attributes.PerformedProcedureStepStartTime = tm(started)
    attributes.PerformedProcedureStepStatus = IN_PROGRESS
    attributes.PerformedProcedureStepDescription = scheduled.ScheduledProcedureStepDescription
    attributes.PerformedProcedureTypeDescription = ""
    attributes.ProcedureCodeSequence = item.get("RequestedProcedureCodeSequence") or []
    attributes.PerformedProcedureStepEndDate = ""
    attributes.PerformedProcedureStepEndTime = ""
    attributes.Modality = links.modality
    attributes.StudyID = scheduled.RequestedProcedureID
    attributes.PerformedProtocolCodeSequence = scheduled.ScheduledProtocolCodeSequence
    attributes.PerformedSeriesSequence = []
    return attributes


def conclusion(links: Links, step: PerformedStep, instances: Iterable[Instance]) -> Dataset:
    """The attributes of the last N-SET: every series and every object made, stored or not yet."""
    ended = datetime.fromtimestamp(step.ended, tz=UTC)
    attributes = Dataset()
    attributes.SpecificCharacterSet = "ISO_IR 192"
    attributes.PerformedProcedureStepStatus = step.status
    attributes.PerformedProcedureStepEndDate = da(ended)
    attributes.PerformedProcedureStepEndTime = tm(ended)
    if step.status != COMPLETED:
        attributes.PerformedProcedureStepDiscontinuationReasonCodeSequence = [
            code(step.reason, "DCM", REASONS[step.reason])
        ]
    series: dict[str, list[Instance]] = {}
    for instance in instances:
        series.setdefault(instance.series, []).append(instance)
    attributes.PerformedSeriesSequence = [_series(links, members) for members in series.values()]
    return attributes


def _series(links: Links, members: list[Instance]) -> Dataset:
    item = Dataset()
    item.PerformingPhysicianName = ""
    item.OperatorsName = ""
    item.ProtocolName = members[0].series_description or "UNSPECIFIED"
    item.SeriesDescription = members[0].series_description
    item.SeriesInstanceUID = members[0].series
    item.RetrieveAETitle = links.archive.ae_title
    item.ReferencedImageSequence = [reference_to(member) for member in members if member.sop_class not in _NOT_IMAGES]
    item.ReferencedNonImageCompositeSOPInstanceSequence = [
        reference_to(member) for member in members if member.sop_class in _NOT_IMAGES
    ]
    return item


BUSY = frozenset({0x0110, 0x0213})
"""Processing failure and resource limitation (PS3.7 annex C): nothing has changed, so it may be asked again."""
_FINAL = 0xA710
"""Error ID with which 0x0110 says that the step may no longer be updated (PS3.4 F.7.2.2.3)."""
_NOT_IMAGES = frozenset({"1.2.840.10008.5.1.4.1.1.104.1"})  # Encapsulated PDF


def reference_to(instance: Instance) -> Dataset:
    """A reference (PS3.3 Table 10-11) to an object in the spool."""
    item = Dataset()
    item.ReferencedSOPClassUID = instance.sop_class
    item.ReferencedSOPInstanceUID = instance.uid
    return item


def _judge(links: Links, operation: str, status: Dataset) -> None:
    answer = status.get("Status")
    if answer is None:
        raise NoAnswerError(f"{links.ris.name} did not answer {operation}.", remedy="Look at the RIS's health and log.")
    if answer != 0:
        busy = answer in BUSY and status.get("ErrorID") != _FINAL
        raise (BusyError if busy else RefusedError)(
            f"{links.ris.name} refused {operation}: status 0x{answer:04X} {status.get('ErrorComment', '')}".rstrip(),
            remedy="A step begins once and ends once; look at the RIS's log for the reason.",
        )
