"""A scanner that tells the order filler what an archive has (RAD-49): images that nobody made, at itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
    InstanceAvailabilityNotification,
)

from simulators.association import associate, contexts
from simulators.misuse.dicom import dicom_case, judged, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def false_availability(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """N-CREATE of an Instance Availability Notification by somebody who is no archive."""
    model, title = InstanceAvailabilityNotification, own_title(settings)
    invented, series, content = Dataset(), Dataset(), Dataset()
    invented.ReferencedSOPClassUID = CTImageStorage
    invented.ReferencedSOPInstanceUID = arguments.instance or generate_uid()
    invented.InstanceAvailability = "ONLINE"
    invented.RetrieveAETitle = title
    series.SeriesInstanceUID = generate_uid()
    series.ReferencedSOPSequence = [invented]
    content.ReferencedPerformedProcedureStepSequence = []
    content.StudyInstanceUID = generate_uid()
    content.ReferencedSeriesSequence = [series]
    peer = peer_of(arguments, settings, "MPPS")
    with associate(peer, contexts([model]), calling=title, tls=own_context(settings)) as association:
        status, _ = association.send_n_create(content, model, generate_uid())
    answer = judged(status)
    instance = str(invented.ReferencedSOPInstanceUID)
    return Answer(answer.refused, answer.layer, answer.detail, {"instance": instance})


CASES = (
    dicom_case(
        "dicom-false-availability",
        "N-CREATE of an availability notification by somebody who is no archive",
        false_availability,
        "--instance 1.2.3",
    ),
)
