"""Attempts at an HL7 service: wrong credentials, somebody else's name, replays, broken messages."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simulators import mllp
from simulators.errors import ArgumentError, UnreachableError
from simulators.hl7messages import MalformedError, Party, header, join, read_answer, segment, timestamp
from simulators.misuse.credentials import anonymous, presenting
from simulators.misuse.outcome import Answer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    import ssl

    from simulators.settings import Peer, Settings

CERTIFICATE = "hl7"
STRUCTURES = {"A04": "ADT_A01", "A08": "ADT_A01", "A40": "ADT_A39"}
"""Message structure (MSH-9.3) of each trigger event that is tried."""


def peer_of(arguments: argparse.Namespace, settings: Settings) -> Peer:
    """The peer that is named, or the first HL7 one."""
    return settings.peer("hl7-tls", name=arguments.peer)


def _message(
    arguments: argparse.Namespace, settings: Settings, *, sender: str | None = None, control_id: str | None = None
) -> bytes:
    """A well-formed message of type ``--event`` about a patient whom nobody knows."""
    code, trigger = str(arguments.event).split("^")
    if trigger not in STRUCTURES:
        raise ArgumentError(f"no message of type {arguments.event} is made here", remedy="Use ADT^A04, A08 or A40.")
    site = settings.site.name
    patient = (f"X{secrets.token_hex(4).upper()}", None, None, site.upper(), "MR")
    kind = (code, trigger, STRUCTURES[trigger])
    who = Party.of(sender or settings.host.name, site)
    segments = [
        header(who, Party.of(peer_of(arguments, settings).name, site), kind, control_id),
        segment("EVN", {2: timestamp()}),
        segment("PID", {1: "1", 3: patient, 5: ("MISUSE", "ATTEMPT"), 7: "19700101", 8: "O"}),
    ]
    if trigger == "A40":
        segments.append(segment("MRG", {1: (f"{patient[0]}X", None, None, site.upper(), "MR")}))
    else:
        segments.append(segment("PV1", {1: "1", 2: "O"}))
    return join(*segments).encode()


def _exchange(peer: Peer, tls: ssl.SSLContext | None, data: bytes) -> Answer:
    """Send one message and judge its acknowledgement."""
    received = mllp.send(peer, tls, data)
    try:
        answer = read_answer(received)
    except MalformedError as error:
        return Answer(refused=True, layer="hl7", detail=f"no acknowledgement: {error}")
    words = f"{answer.acknowledgement} {answer.code or ''} {answer.text}".strip()
    return Answer(refused=not answer.accepted, layer="hl7", detail=words)


def no_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A good message without a client certificate."""
    return _exchange(peer_of(arguments, settings), anonymous(settings), _message(arguments, settings))


def unlisted(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A good message with a certificate of this hospital whose holder no flow lets call."""
    tls = presenting(settings, arguments.certificate, arguments.key)
    return _exchange(peer_of(arguments, settings), tls, _message(arguments, settings))


def other_sender(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A message with the host's own certificate that names another sending application (MSH-3)."""
    if not arguments.sender:
        raise ArgumentError("this case needs --sender", remedy="See --help.")
    data = _message(arguments, settings, sender=arguments.sender)
    return _exchange(peer_of(arguments, settings), client_context(settings, CERTIFICATE), data)


def other_event(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A well-formed message of a type that no flow permits this host to send."""
    tls = client_context(settings, CERTIFICATE)
    return _exchange(peer_of(arguments, settings), tls, _message(arguments, settings))


def duplicate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Two messages with one control id (MSH-10); the first has to be taken.

    Raises:
        ArgumentError: the first one was refused, so that nothing is shown.
    """
    peer = peer_of(arguments, settings)
    tls = client_context(settings, CERTIFICATE)
    control_id = secrets.token_hex(10).upper()
    first = _exchange(peer, tls, _message(arguments, settings, control_id=control_id))
    if first.refused:
        raise ArgumentError(f"{peer.name} did not take the first one: {first.detail}", remedy="Use an event it takes.")
    return _exchange(peer, tls, _message(arguments, settings, control_id=control_id))


def malformed(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Messages that are none; each one is to be refused."""
    whole = _message(arguments, settings)
    attempts = {
        "no header": whole.split(b"\r", 1)[1],
        "header cut short": whole[:24],
        "not UTF-8": whole.replace(b"ATTEMPT", b"\xff\xfe"),
        "header only": whole.split(b"\r")[0] + b"\r",
        "a second header": whole + whole,
    }
    peer, tls = peer_of(arguments, settings), client_context(settings, CERTIFICATE)
    words = []
    for name, data in attempts.items():
        answer = _closed_or_judged(peer, tls, data)
        words.append(f"{name}: {answer.detail}")
        if not answer.refused:
            return Answer(refused=False, layer="none", detail="; ".join(words))
    return Answer(refused=True, layer="hl7", detail="; ".join(words))


def _closed_or_judged(peer: Peer, tls: ssl.SSLContext, data: bytes) -> Answer:
    try:
        return _exchange(peer, tls, data)
    except UnreachableError as error:
        if "closed the connection" not in error.message:
            raise
        return Answer(refused=True, layer="connection", detail="connection closed")
