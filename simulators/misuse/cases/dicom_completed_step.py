"""A change to a procedure step that is completed (PS3.4 F.7.2.2.2: its final state cannot be changed)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    ModalityPerformedProcedureStep,
)

from simulators.association import associate, contexts
from simulators.errors import ArgumentError
from simulators.misuse.dicom import dicom_case, judged, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse

    from pynetdicom.association import Association

    from simulators.settings import Settings


def completed_step(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """N-SET on the step that ``--instance`` names, or on an unscheduled one that is begun and completed for it."""
    model = ModalityPerformedProcedureStep
    change = Dataset()
    change.PerformedProcedureStepStatus = "DISCONTINUED"
    change.PerformedProcedureStepDescription = "changed afterwards"
    peer = peer_of(arguments, settings, "MPPS")
    with associate(peer, contexts([model]), calling=own_title(settings), tls=own_context(settings)) as association:
        uid = arguments.instance or _completed(association, own_title(settings))
        status, _ = association.send_n_set(change, model, uid)
    answer = judged(status)
    return Answer(answer.refused, answer.layer, answer.detail, {"instance": uid})


def _completed(association: Association, station: str) -> str:
    """Begin a step that nobody scheduled, and complete it, as permitted.

    Raises:
        ArgumentError: the peer did not take it, so that nothing would be shown.
    """
    model, uid = ModalityPerformedProcedureStep, str(generate_uid())
    now = datetime.now(UTC)
    scheduled = Dataset()
    scheduled.StudyInstanceUID = generate_uid()
    begun = Dataset()
    begun.ScheduledStepAttributesSequence = [scheduled]
    begun.PerformedProcedureStepID = uid[-8:]
    begun.PerformedStationAETitle = station
    begun.PerformedProcedureStepStartDate = now.strftime("%Y%m%d")
    begun.PerformedProcedureStepStartTime = now.strftime("%H%M%S")
    begun.PerformedProcedureStepStatus = "IN PROGRESS"
    begun.Modality = "CT"
    series = Dataset()
    series.SeriesInstanceUID = generate_uid()
    ended = Dataset()
    ended.PerformedProcedureStepStatus = "COMPLETED"
    ended.PerformedProcedureStepEndDate = now.strftime("%Y%m%d")
    ended.PerformedProcedureStepEndTime = now.strftime("%H%M%S")
    ended.PerformedSeriesSequence = [series]
    for answer in (
        judged(association.send_n_create(begun, model, uid)[0]),
        judged(association.send_n_set(ended, model, uid)[0]),
    ):
        if answer.refused:
            raise ArgumentError(f"the peer did not take a step of {station}: {answer.detail}", remedy="See its log.")
    return uid


CASES = (dicom_case("dicom-completed-step", "N-SET on a completed procedure step", completed_step, "--instance 1.2.3"),)
