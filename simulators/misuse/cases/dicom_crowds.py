"""A permitted caller that takes more than its share of a DICOM service, or puts octets into its log."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # pynetdicom makes these names at run time

from simulators.errors import UnreachableError
from simulators.misuse.dicom import dicom_case, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse
    import ssl

    from simulators.settings import Peer, Settings

ASSOCIATIONS = 16
"""Twice what a caller may have."""
ANSWER_SECONDS = 10.0
TITLE = 16
"""Octets of an AE title in an association request (PS3.8 9.3.2)."""
ACCEPTED, REJECTED = b"\x02", b"\x03"


def _request(called: bytes, calling: bytes) -> bytes:
    """An A-ASSOCIATE-RQ (PS3.8 9.3.2) for verification, whatever octets its AE titles have."""

    def item(kind: int, body: bytes) -> bytes:
        return struct.pack("!BBH", kind, 0, len(body)) + body

    context = item(0x30, Verification.encode()) + item(0x40, b"1.2.840.10008.1.2")
    user = item(0x51, struct.pack("!I", 16384)) + item(0x52, b"1.2.3.4")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, b"\x01\0\0\0" + context) + item(0x50, user)
    body = struct.pack("!HH", 1, 0) + called.ljust(TITLE) + calling.ljust(TITLE) + bytes(32) + items
    return struct.pack("!BBI", 1, 0, len(body)) + body


def _connect(peer: Peer, tls: ssl.SSLContext) -> ssl.SSLSocket:
    try:
        plain = socket.create_connection((peer.address, peer.port), timeout=ANSWER_SECONDS)
        return tls.wrap_socket(plain, server_hostname=peer.fqdn)
    except OSError as error:
        raise UnreachableError(f"no connection to {peer.name}: {error}", remedy="Look at its health.") from error


def crowd(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Open associations and do nothing in them; refused when not all of them were let in."""
    peer, tls = peer_of(arguments, settings), own_context(settings)
    request = _request((peer.ae_title or "").encode(), own_title(settings).encode())
    with ExitStack() as stack:
        held = []
        for _ in range(ASSOCIATIONS):
            connection = stack.enter_context(_connect(peer, tls))
            connection.sendall(request)
            with suppress(OSError):
                held += [connection] if connection.recv(1) == ACCEPTED else []
        count = len(held) - len(select.select(held, [], [], 0)[0] if held else [])
    words = f"{count} of {ASSOCIATIONS} associations let in"
    return Answer(count < ASSOCIATIONS, "association", words, {"held": count})


def title(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A called AE title with octets that PS3.5 6.2 does not allow: a line feed, and what is no UTF-8."""
    peer, words = peer_of(arguments, settings), arguments.text[: TITLE - 3].encode()
    with _connect(peer, own_context(settings)) as connection:
        connection.sendall(_request(b"\n" + words + b"\xff\xfe", own_title(settings).encode()))
        try:
            answer = connection.recv(10)
        except OSError as error:
            return Answer(refused=True, layer="connection", detail=f"closed: {error}", facts={"text": words.decode()})
    told = {ACCEPTED: "A-ASSOCIATE-AC", REJECTED: "A-ASSOCIATE-RJ", b"": "closed"}.get(answer[:1], answer.hex())
    return Answer(answer[:1] != ACCEPTED, "association", told, {"text": words.decode()})


CASES = (
    dicom_case("dicom-crowd", "many associations in which nothing happens", crowd),
    dicom_case("dicom-title", "a called AE title with a line feed and octets that are no text", title),
)
