"""Attempts at a DICOM service: wrong credentials, wrong names, operations that no flow permits, broken data."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import _config, build_role
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from simulators.association import associate, contexts
from simulators.errors import ArgumentError, UnreachableError
from simulators.misuse.credentials import anonymous, outdated, presenting
from simulators.misuse.outcome import Answer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    import ssl

    from pynetdicom.association import Association

    from simulators.settings import Peer, Settings

CERTIFICATE = "dicom-client"
PENDING = {0xFF00, 0xFF01}
ANSWER_SECONDS = 15.0
OUT_OF_ORDER = bytes.fromhex("0200 0200 5549 0400") + b"1.2\0"
"""An element of group 0002 (PS3.10 7.1), which has no place in a data set, after those of group 0008."""


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


def _echo(peer: Peer, calling: str, tls: ssl.SSLContext | None, called: str | None = None) -> Answer:
    with associate(peer, contexts([Verification]), calling=calling, called=called, tls=tls) as association:
        return _judged(association.send_c_echo())


def _judged(status: Dataset) -> Answer:
    """Success and pending mean that the peer did it; no status means that it aborted the association."""
    if "Status" not in status:
        return Answer(refused=True, layer="association", detail="the peer aborted the association")
    code = int(status.Status)
    words = f"status 0x{code:04X} {status.get('ErrorComment', '')}".strip()
    return Answer(refused=code != 0 and code not in PENDING, layer="dimse", detail=words)


def control(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO with the host's own certificate and AE title: what is permitted has to go on working."""
    return _echo(peer_of(arguments, settings), own_title(settings), client_context(settings, CERTIFICATE))


def no_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO without a client certificate."""
    return _echo(peer_of(arguments, settings), own_title(settings), anonymous(settings))


def other_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO with a certificate that is given: of a foreign CA, expired, or revoked."""
    tls = presenting(settings, arguments.certificate, arguments.key)
    return _echo(peer_of(arguments, settings), own_title(settings), tls)


def old_tls(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO with nothing newer than TLS 1.1."""
    return _echo(peer_of(arguments, settings), own_title(settings), outdated(settings, CERTIFICATE))


def plain(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO without TLS on the port that speaks TLS."""
    return _echo(peer_of(arguments, settings), own_title(settings), None)


def other_title(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO with the host's own certificate and somebody else's AE title."""
    title = _needed(arguments.ae_title, "--ae-title")
    return _echo(peer_of(arguments, settings), title, client_context(settings, CERTIFICATE))


def unknown_called(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-ECHO to an AE title that the peer does not have."""
    title = _needed(arguments.ae_title, "--ae-title")
    return _echo(peer_of(arguments, settings), own_title(settings), client_context(settings, CERTIFICATE), called=title)


def find(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Study root C-FIND for every study."""
    peer = peer_of(arguments, settings, "C-STORE")
    model = StudyRootQueryRetrieveInformationModelFind
    wanted = contexts([model])
    with associate(peer, wanted, calling=own_title(settings), tls=client_context(settings, CERTIFICATE)) as association:
        if not association.accepted_contexts:
            return Answer(refused=True, layer="association", detail="the peer did not accept C-FIND")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.PatientID = ""
        query.StudyInstanceUID = ""
        return _last(association.send_c_find(query, model))


def get(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Study root C-GET of the study with ``--instance`` as its StudyInstanceUID."""
    peer = peer_of(arguments, settings, "C-STORE")
    model = StudyRootQueryRetrieveInformationModelGet
    wanted = contexts([model, CTImageStorage])
    roles = [build_role(CTImageStorage, scp_role=True)]
    tls = client_context(settings, CERTIFICATE)
    with associate(peer, wanted, calling=own_title(settings), tls=tls, roles=roles) as association:
        if model not in {context.abstract_syntax for context in association.accepted_contexts}:
            return Answer(refused=True, layer="association", detail="the peer did not accept C-GET")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.StudyInstanceUID = _needed(arguments.instance, "--instance")
        return _last(association.send_c_get(query, model))


def _last(answers: Any) -> Answer:
    """Judge by the final response; a match on the way there was let through whatever came last."""
    found = 0
    answer = Answer(refused=True, layer="association", detail="the peer ended the association without an answer")
    for status, identifier in answers:
        answer = _judged(status)
        found += identifier is not None and int(status.get("Status", 0)) in PENDING
    if found:
        return Answer(refused=False, layer="none", detail=f"{found} matches, {answer.detail}")
    return answer


def other_worklist(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Modality worklist C-FIND (PS3.4 K) for another station's scheduled procedure steps."""
    station = _needed(arguments.ae_title, "--ae-title")
    model = ModalityWorklistInformationFind
    step = Dataset()
    step.ScheduledStationAETitle = station
    step.ScheduledProcedureStepID = ""
    query = Dataset()
    query.PatientID = ""
    query.AccessionNumber = ""
    query.ScheduledProcedureStepSequence = [step]
    peer = peer_of(arguments, settings, "MWL")
    tls = client_context(settings, CERTIFICATE)
    with associate(peer, contexts([model]), calling=own_title(settings), tls=tls) as association:
        answers = [(status, item) for status, item in association.send_c_find(query, model)]
    stations = [
        step.get("ScheduledStationAETitle")
        for _, item in answers
        if item is not None
        for step in item.get("ScheduledProcedureStepSequence", [])
    ]
    leaked = stations.count(station)
    words = _judged(answers[-1][0]).detail if answers else "the peer ended the association without an answer"
    detail = f"{len(stations)} steps, {leaked} of {station}; {words}"
    return Answer(refused=leaked == 0, layer="dimse", detail=detail)


def completed_step(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """N-SET on a procedure step that is completed (PS3.4 F.7.2.2.2: its final state cannot be changed)."""
    model = ModalityPerformedProcedureStep
    change = Dataset()
    change.PerformedProcedureStepStatus = "DISCONTINUED"
    change.PerformedProcedureStepDescription = "changed afterwards"
    peer = peer_of(arguments, settings, "MPPS")
    tls = client_context(settings, CERTIFICATE)
    with associate(peer, contexts([model]), calling=own_title(settings), tls=tls) as association:
        status, _ = association.send_n_set(change, model, _needed(arguments.instance, "--instance"))
    return _judged(status)


def garbage(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Text instead of a PDU, inside good TLS."""
    return _raw(peer_of(arguments, settings), client_context(settings, CERTIFICATE), b"GET / HTTP/1.0\r\n\r\n" * 64)


def oversized(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An association request (PS3.8 9.3.2) with good AE titles that announces almost 4 GiB, inside good TLS."""
    peer = peer_of(arguments, settings)
    titles = f"{peer.ae_title or '':<16}{own_title(settings):<16}".encode()
    request = bytes.fromhex("0100 fffffff0 0001 0000") + titles + bytes(200)
    return _raw(peer, client_context(settings, CERTIFICATE), request)


def _raw(peer: Peer, tls: ssl.SSLContext, data: bytes) -> Answer:
    """Send bytes and wait for the peer to close the connection or to send A-ABORT (PDU type 7)."""
    try:
        plain_socket = socket.create_connection((peer.address, peer.port), timeout=ANSWER_SECONDS)
    except OSError as error:
        raise UnreachableError(f"no connection to {peer.name}: {error}", remedy="Look at its health.") from error
    try:
        with tls.wrap_socket(plain_socket, server_hostname=peer.fqdn) as connection:
            connection.sendall(data)
            answer = connection.recv(64)
    except TimeoutError:
        return Answer(refused=False, layer="none", detail=f"the connection stayed open for {ANSWER_SECONDS:g} s")
    except OSError as error:
        return Answer(refused=True, layer="connection", detail=f"the peer closed the connection: {error}")
    finally:
        plain_socket.close()
    kinds = {b"": "the peer closed the connection", b"\x03": "A-ASSOCIATE-RJ", b"\x07": "A-ABORT"}
    detail = kinds.get(answer[:1])
    return Answer(refused=detail is not None, layer="connection", detail=detail or f"answered {answer[:16].hex()}")


def broken_object(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-STORE of an object that names no patient, study and series, and has an element where none may be."""
    image = Dataset()
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = generate_uid()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    peer = peer_of(arguments, settings, "C-STORE")
    wanted = contexts([CTImageStorage], [ExplicitVRLittleEndian])
    tls = client_context(settings, CERTIFICATE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "broken.dcm"
        dcmwrite(path, image, enforce_file_format=True)
        with path.open("ab") as file:
            file.write(OUT_OF_ORDER)
        _config.STORE_SEND_CHUNKED_DATASET = True  # sends the file's bytes as they are
        with associate(peer, wanted, calling=own_title(settings), tls=tls) as association:
            return _stored(association, path)


def _stored(association: Association, path: Path) -> Answer:
    if not association.accepted_contexts:
        raise ArgumentError("the peer does not take CT images", remedy="Name an image archive with --peer.")
    return _judged(association.send_c_store(path))


def _needed(value: str | None, flag: str) -> str:
    if not value:
        raise ArgumentError(f"this case needs {flag}", remedy="See --help.")
    return value
