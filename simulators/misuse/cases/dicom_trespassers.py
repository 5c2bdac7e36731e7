"""Callers who are who they say, and ask an archive or a RIS for what no flow permits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom import Dataset
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from simulators.association import associate, contexts
from simulators.misuse.dicom import dicom_case, judged, last, needed, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def find(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Study root C-FIND for every study."""
    peer = peer_of(arguments, settings, "C-STORE")
    model = StudyRootQueryRetrieveInformationModelFind
    with associate(peer, contexts([model]), calling=own_title(settings), tls=own_context(settings)) as association:
        if not association.accepted_contexts:
            return Answer(refused=True, layer="association", detail="the peer did not accept C-FIND")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.PatientID = ""
        query.StudyInstanceUID = ""
        return last(association.send_c_find(query, model))


def get(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Study root C-GET of the study with ``--instance`` as its StudyInstanceUID."""
    peer = peer_of(arguments, settings, "C-STORE")
    model = StudyRootQueryRetrieveInformationModelGet
    received: list[str] = []

    def take(event: Any) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    with associate(
        peer,
        contexts([model, CTImageStorage]),
        calling=own_title(settings),
        tls=own_context(settings),
        roles=[build_role(CTImageStorage, scp_role=True)],
        handlers=[(evt.EVT_C_STORE, take)],
    ) as association:
        if model not in {context.abstract_syntax for context in association.accepted_contexts}:
            return Answer(refused=True, layer="association", detail="the peer did not accept C-GET")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.StudyInstanceUID = needed(arguments.instance, "--instance")
        answer = last(association.send_c_get(query, model))
    refused = answer.refused and not received
    return Answer(refused, answer.layer, f"{len(received)} images, {answer.detail}", {"instances": received})


def move(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Study root C-MOVE of a study to the AE title ``--ae-title`` (PS3.4 C.4.2)."""
    peer = peer_of(arguments, settings, "C-STORE")
    destination = needed(arguments.ae_title, "--ae-title")
    model = StudyRootQueryRetrieveInformationModelMove
    with associate(peer, contexts([model]), calling=own_title(settings), tls=own_context(settings)) as association:
        if not association.accepted_contexts:
            return Answer(refused=True, layer="association", detail="the peer did not accept C-MOVE")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.StudyInstanceUID = arguments.instance or "1.2.3"
        return last(association.send_c_move(query, destination, model))


def other_worklist(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Modality worklist C-FIND (PS3.4 K) for another station's scheduled procedure steps."""
    station = needed(arguments.ae_title, "--ae-title")
    model = ModalityWorklistInformationFind
    step = Dataset()
    step.ScheduledStationAETitle = station
    step.ScheduledProcedureStepID = ""
    query = Dataset()
    query.PatientID = ""
    query.AccessionNumber = ""
    query.ScheduledProcedureStepSequence = [step]
    peer = peer_of(arguments, settings, "MWL")
    with associate(peer, contexts([model]), calling=own_title(settings), tls=own_context(settings)) as association:
        answers = [(status, item) for status, item in association.send_c_find(query, model)]
    items = [item for _, item in answers if item is not None]
    leaked = [
        str(item.get("PatientID", ""))
        for item in items
        for step in item.get("ScheduledProcedureStepSequence", [])
        if step.get("ScheduledStationAETitle") == station
    ]
    words = judged(answers[-1][0]).detail if answers else "the peer ended the association without an answer"
    detail = f"{len(items)} steps, {len(leaked)} of {station}; {words}"
    return Answer(refused=not leaked, layer="dimse", detail=detail, facts={"patients": leaked})


CASES = (
    dicom_case("dicom-find", "C-FIND where only storing is permitted", find),
    dicom_case("dicom-get", "C-GET where only storing is permitted", get, "--instance 1.2.3"),
    dicom_case("dicom-move", "C-MOVE to where nobody listed", move, "--ae-title NOWHERE"),
    dicom_case("dicom-other-worklist", "worklist of another modality", other_worklist, "--ae-title MR1"),
)
