"""RAD-5 Query Modality Worklist: C-FIND of the Modality Worklist Information Model (PS3.4 K)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from simulators.association import contexts
from simulators.errors import ArgumentError, NoAnswerError, NotFoundError, RefusedError
from simulators.events.actions import QUERY
from simulators.events.report import performing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.modality.links import Links

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
_SUCCESS, _PENDING = 0x0000, (0xFF00, 0xFF01)
CUT = frozenset({0xA700, 0xFE00})
"""Out of resources, and cancelled, which nobody here has asked for (PS3.4 K.4.1.1.4): not all steps came."""

_RETURNED = (
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
    "StudyInstanceUID",
    "ReferencedStudySequence",
    "ReferringPhysicianName",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
)
_RETURNED_OF_STEP = (
    "ScheduledProcedureStepStartTime",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
    "ScheduledPerformingPhysicianName",
    "ScheduledStationName",
)


def query(
    links: Links,
    *,
    station: str | None = None,
    accession: str = "",
    step_id: str = "",
    patient_id: str = "",
    date: str = "",
) -> list[Dataset]:
    """Return the scheduled procedure steps that the RIS gives out.

    Args:
        links: the modality's peers.
        station: Scheduled Station AE Title to ask for; the modality's own unless given.
        accession: Accession Number to match; any when empty.
        step_id: Scheduled Procedure Step ID to match; any when empty.
        patient_id: Patient ID to match; any when empty.
        date: Scheduled Procedure Step Start Date or range (``YYYYMMDD-YYYYMMDD``); any when empty.

    Raises:
        RefusedError: the RIS answered with a failure.
        AssociationRejectedError, TlsRefusedError, UnreachableError: there is no association.
    """
    identifier = _identifier(
        links, station=station, accession=accession, step_id=step_id, patient_id=patient_id, date=date
    )
    found: list[Dataset] = []
    asked = {"accession": accession, "step": step_id, "patient": patient_id, "station": station}
    named = {name: value for name, value in asked.items() if value}
    with (
        performing(QUERY, transaction="RAD-5", ae_title=links.ae_title, peer=links.ris.name, **named) as known,
        links.open(links.ris, contexts([MODALITY_WORKLIST])) as association,
    ):
        for status, item in association.send_c_find(identifier, MODALITY_WORKLIST):
            code = status.get("Status")
            if code in _PENDING and item is not None:
                found.append(item)
            elif code is None:
                raise NoAnswerError(
                    f"{links.ris.name} did not answer the worklist query to its end.",
                    remedy="Ask again; look at the RIS's health.",
                )
            elif code in CUT:
                raise RefusedError(
                    f"{links.ris.name} gives no more than {len(found)} steps in one answer.",
                    remedy="Ask for less: --accession, --patient or --date.",
                )
            elif code != _SUCCESS:
                raise RefusedError(
                    f"{links.ris.name} refused the worklist query: "
                    f"status 0x{code:04X} {status.get('ErrorComment', '')}".rstrip(),
                    remedy="A modality may ask for its own steps only; look at the RIS's log for the reason.",
                )
        known["found"] = len(found)
    return found


def choose(items: Iterable[Dataset], wanted: str) -> Dataset:
    """The one step that was asked for.

    Raises:
        NotFoundError: there is none.
        ArgumentError: the order has several.
    """
    found = list(items)
    if not found:
        raise NotFoundError(
            f"The worklist has no step for {wanted}.", remedy="See what is scheduled with `pacslab-modality worklist`."
        )
    if len(found) > 1:
        steps = ", ".join(step_of(item).ScheduledProcedureStepID for item in found)
        raise ArgumentError(f"{wanted} has several steps: {steps}.", remedy="Choose one with --step.")
    return found[0]


def step_of(item: Dataset) -> Dataset:
    """The Scheduled Procedure Step of a worklist item."""
    step: Dataset = item.ScheduledProcedureStepSequence[0]
    return step


def summary(item: Dataset) -> dict[str, str]:
    """What a technologist reads of a worklist item."""
    step = step_of(item)
    named = {
        "accession": item.get("AccessionNumber"),
        "step": step.get("ScheduledProcedureStepID"),
        "patient_id": item.get("PatientID"),
        "patient_name": item.get("PatientName"),
        "birth_date": item.get("PatientBirthDate"),
        "sex": item.get("PatientSex"),
        "modality": step.get("Modality"),
        "station": step.get("ScheduledStationAETitle"),
        "date": step.get("ScheduledProcedureStepStartDate"),
        "time": step.get("ScheduledProcedureStepStartTime"),
        "description": step.get("ScheduledProcedureStepDescription") or item.get("RequestedProcedureDescription"),
        "requested_procedure": item.get("RequestedProcedureID"),
        "study_uid": item.get("StudyInstanceUID"),
    }
    return {name: str(value or "") for name, value in named.items()}


def _identifier(
    links: Links, *, station: str | None, accession: str, step_id: str, patient_id: str, date: str
) -> Dataset:
    step = Dataset()
    step.ScheduledStationAETitle = station or links.ae_title
    step.Modality = "" if station else links.modality
    step.ScheduledProcedureStepStartDate = date
    step.ScheduledProcedureStepID = step_id
    for name in _RETURNED_OF_STEP:
        setattr(step, name, [] if name.endswith("Sequence") else "")
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.AccessionNumber = accession
    identifier.PatientName = ""
    identifier.PatientID = patient_id
    identifier.RequestedProcedureID = ""
    for name in _RETURNED:
        setattr(identifier, name, [] if name.endswith("Sequence") else "")
    identifier.ScheduledProcedureStepSequence = [step]
    return identifier
