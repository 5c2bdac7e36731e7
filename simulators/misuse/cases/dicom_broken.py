"""What a DICOM service cannot read, inside good TLS: no PDU, far too long a PDU, an object that is none."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import _config
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
)

from simulators.association import associate, contexts
from simulators.errors import ArgumentError, UnreachableError
from simulators.misuse.dicom import dicom_case, judged, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse
    import ssl

    from simulators.settings import Peer, Settings

ANSWER_SECONDS = 15.0
OUT_OF_ORDER = bytes.fromhex("0200 0200 5549 0400") + b"1.2\0"
"""An element of group 0002 (PS3.10 7.1), which has no place in a data set, after those of group 0008."""


def garbage(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Text instead of a PDU."""
    return _raw(peer_of(arguments, settings), own_context(settings), b"GET / HTTP/1.0\r\n\r\n" * 64)


def oversized(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An association request (PS3.8 9.3.2) with good AE titles that announces almost 4 GiB."""
    peer = peer_of(arguments, settings)
    titles = f"{peer.ae_title or '':<16}{own_title(settings):<16}".encode()
    request = bytes.fromhex("0100 fffffff0 0001 0000") + titles + bytes(200)
    return _raw(peer, own_context(settings), request)


def _raw(peer: Peer, tls: ssl.SSLContext, data: bytes) -> Answer:
    """Send bytes and wait for the peer to close the connection or to send A-ABORT (PDU type 7)."""
    try:
        plain_socket = socket.create_connection((peer.address, peer.port), timeout=ANSWER_SECONDS)
    except OSError as error:
        raise UnreachableError(f"no connection to {peer.name}: {error}", remedy="Look at its health.") from error
    try:
        with tls.wrap_socket(plain_socket, server_hostname=peer.identity) as connection:
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
    broken = Dataset()
    broken.SOPClassUID = CTImageStorage
    broken.SOPInstanceUID = arguments.instance or generate_uid()
    broken.file_meta = FileMetaDataset()
    broken.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    peer = peer_of(arguments, settings, "C-STORE")
    wanted = contexts([CTImageStorage], [ExplicitVRLittleEndian])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "broken.dcm"
        dcmwrite(path, broken, enforce_file_format=True)
        with path.open("ab") as file:
            file.write(OUT_OF_ORDER)
        _config.STORE_SEND_CHUNKED_DATASET = True  # sends the file's bytes as they are
        with associate(peer, wanted, calling=own_title(settings), tls=own_context(settings)) as association:
            if not association.accepted_contexts:
                raise ArgumentError("the peer does not take CT images", remedy="Name an image archive with --peer.")
            answer = judged(association.send_c_store(path))
    return Answer(answer.refused, answer.layer, answer.detail, {"instance": str(broken.SOPInstanceUID)})


CASES = (
    dicom_case("dicom-garbage", "text instead of a PDU", garbage),
    dicom_case("dicom-oversized", "an association request of almost 4 GiB", oversized),
    dicom_case("dicom-broken-object", "C-STORE of an object that is none", broken_object),
)
