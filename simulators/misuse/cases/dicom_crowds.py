"""A permitted caller that takes more than its share of a DICOM service, or puts octets into its log."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, BinaryIO

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
ACCEPTED, REJECTED, DATA = b"\x02", b"\x03", b"\x04"
"""Types of PDUs (PS3.8 9.3)."""
CONTEXT, WHOLE_COMMAND = 1, 3
"""Presentation context, and control header of a PDV with a whole command (PS3.8 E.2)."""
HEADER, MOST_IDS = 6, 65_535
AT_ONCE = 100
"""Requests that are sent before their answers are read."""


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


def endless(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Verification again and again in one association; refused when it ends before all were answered."""
    peer, wanted = peer_of(arguments, settings), arguments.number
    with _connect(peer, own_context(settings)) as connection:
        connection.sendall(_request((peer.ae_title or "").encode(), own_title(settings).encode()))
        answers = connection.makefile("rb")
        if _pdu(answers) != ACCEPTED:
            return Answer(
                refused=True, layer="association", detail="the association was not let in", facts={"answered": 0}
            )
        answered = echoes(connection, answers, wanted)
    words = f"{answered} of {wanted} requests answered"
    return Answer(answered < wanted, "association", words, {"answered": answered})


def echoes(connection: socket.socket, answers: BinaryIO, wanted: int) -> int:
    """Send so many requests for verification (PS3.7 9.3.5), some at a time; return how many are answered."""
    answered = 0
    with suppress(OSError):
        while answered < wanted:
            some = range(answered, min(wanted, answered + AT_ONCE))
            connection.sendall(b"".join(_echo(number % MOST_IDS + 1) for number in some))
            for _ in some:
                if _pdu(answers) != DATA:
                    return answered
                answered += 1
    return answered


def _echo(message_id: int) -> bytes:
    """A P-DATA-TF with a C-ECHO-RQ, implicit little endian (PS3.7 6.3.1)."""

    def element(number: int, value: bytes) -> bytes:
        return struct.pack("<HHI", 0, number, len(value)) + value

    uid = Verification.encode()
    words = ((0x0100, 0x0030), (0x0110, message_id), (0x0800, 0x0101))
    body = element(0x0002, uid + b"\0" * (len(uid) % 2)) + b"".join(
        element(number, struct.pack("<H", value)) for number, value in words
    )
    command = element(0x0000, struct.pack("<I", len(body))) + body
    item = struct.pack("!IBB", len(command) + 2, CONTEXT, WHOLE_COMMAND) + command
    return struct.pack("!BBI", DATA[0], 0, len(item)) + item


def _pdu(answers: BinaryIO) -> bytes:
    """The type of the next PDU; nothing where the connection ended."""
    head = answers.read(HEADER)
    if len(head) < HEADER:
        return b""
    answers.read(int.from_bytes(head[2:], "big"))
    return head[:1]


CASES = (
    dicom_case("dicom-endless", "requests without end in one association", endless, "--number 6000"),
    dicom_case("dicom-crowd", "many associations in which nothing happens", crowd),
    dicom_case("dicom-title", "a called AE title with a line feed and octets that are no text", title),
)
