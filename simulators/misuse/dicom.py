"""What attempts at a DICOM service share: whom to ask, an image that nobody made, and how answers are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
    Verification,
)

from simulators.association import associate, contexts
from simulators.errors import ArgumentError
from simulators.misuse.case import Case
from simulators.misuse.outcome import Answer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    import ssl
    from collections.abc import Iterable

    from simulators.misuse.case import Attempt
    from simulators.settings import Peer, Settings

CERTIFICATE = "dicom-client"
OTHER_CERTIFICATE = "--certificate /run/x.crt --key /run/x.key"
PENDING = {0xFF00, 0xFF01}
WARNING = 0xB000


def dicom_case(name: str, summary: str, attempt: Attempt, example: str = "") -> Case:
    """A case whose positive control is C-ECHO as permitted."""
    return Case(name, summary, attempt, peer_of, example, control)


def peer_of(arguments: argparse.Namespace, settings: Settings, permit: str = "C-ECHO") -> Peer:
    """The peer that is named, or the first one whom this host may ask ``permit``."""
    return settings.peer("dicom-tls", name=arguments.peer, permit=None if arguments.peer else permit)


def own_title(settings: Settings) -> str:
    """The AE title that is bound to this host's certificate.

    Raises:
        ArgumentError: the host has none.
    """
    if settings.host.ae_title is None:
        raise ArgumentError(f"{settings.host.name} has no AE title", remedy="Run the case on a DICOM host.")
    return settings.host.ae_title


def own_context(settings: Settings) -> ssl.SSLContext:
    """TLS with the host's own certificate."""
    return client_context(settings, CERTIFICATE)


def control(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO with the host's own certificate and AE title: what is permitted has to go on working."""
    peer = peer_of(arguments, settings)
    with associate(
        peer, contexts([Verification]), calling=own_title(settings), tls=own_context(settings)
    ) as association:
        return judged(association.send_c_echo())


def image(uid: str | None = None) -> Dataset:
    """An image of a patient whom nobody knows, which no scanner made."""
    made = Dataset()
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = uid or generate_uid()
    made.StudyInstanceUID = generate_uid()
    made.SeriesInstanceUID = generate_uid()
    made.PatientID = f"FORGED{made.SOPInstanceUID[-8:]}"
    made.PatientName = "MISUSE^ATTEMPT"
    made.Modality = "CT"
    made.StudyID = made.AccessionNumber = ""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def forge(
    peer: Peer, calling: str, tls: ssl.SSLContext | None, *, instance: str | None, called: str | None = None
) -> Answer:
    """C-ECHO, and C-STORE of an image that nobody made where the peer takes images; its UID may be given."""
    forged = image(instance)
    wanted = contexts([Verification, CTImageStorage], [ExplicitVRLittleEndian])
    facts = {"instance": str(forged.SOPInstanceUID), "study": str(forged.StudyInstanceUID)}
    with associate(peer, wanted, calling=calling, called=called, tls=tls) as association:
        answer = judged(association.send_c_echo())
        if answer.refused or CTImageStorage not in {
            context.abstract_syntax for context in association.accepted_contexts
        }:
            return answer
        stored = judged(association.send_c_store(forged))
    return Answer(stored.refused, stored.layer, f"C-ECHO {answer.detail}, C-STORE {stored.detail}", facts)


def judged(status: Dataset) -> Answer:
    """Success, pending and a warning (PS3.7 C.3) mean that the peer did it; no status means that it aborted."""
    if "Status" not in status:
        return Answer(refused=True, layer="association", detail="the peer aborted the association")
    code = int(status.Status)
    words = f"status 0x{code:04X} {status.get('ErrorComment', '')}".strip()
    done = code == 0 or code in PENDING or code & 0xF000 == WARNING
    return Answer(refused=not done, layer="dimse", detail=words)


def last(answers: Iterable[Any]) -> Answer:
    """Judge by the final response; a match on the way there was let through whatever came last."""
    found = 0
    answer = Answer(refused=True, layer="association", detail="the peer ended the association without an answer")
    for status, identifier in answers:
        answer = judged(status)
        found += identifier is not None and int(status.get("Status", 0)) in PENDING
    facts = {"matches": found}
    if found:
        return Answer(refused=False, layer="none", detail=f"{found} matches, {answer.detail}", facts=facts)
    return Answer(answer.refused, answer.layer, answer.detail, facts)


def needed(value: str | None, flag: str) -> str:
    """A value that a case cannot do without.

    Raises:
        ArgumentError: it is not given.
    """
    if not value:
        raise ArgumentError(f"this case needs {flag}", remedy="See --help.")
    return value
