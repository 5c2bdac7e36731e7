"""What attempts at an HL7 service share: whom to ask, a message about a patient whom nobody knows, and its answer."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simulators import mllp
from simulators.errors import ArgumentError
from simulators.hl7messages import MalformedError, Party, header, join, read_answer, segment, timestamp
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


def own_context(settings: Settings) -> ssl.SSLContext:
    """TLS with the host's own certificate."""
    return client_context(settings, CERTIFICATE)


def stranger(arguments: argparse.Namespace) -> str:
    """The identifier of a patient whom nobody knows: the one that is given, or a new one."""
    return arguments.patient or f"X{secrets.token_hex(4).upper()}"


def message(
    arguments: argparse.Namespace,
    settings: Settings,
    patient: str,
    *,
    sender: str | None = None,
    control_id: str | None = None,
) -> bytes:
    """A well-formed message of type ``--event`` about a patient.

    Raises:
        ArgumentError: no message of that type is made here.
    """
    code, trigger = str(arguments.event).split("^")
    if trigger not in STRUCTURES:
        raise ArgumentError(f"no message of type {arguments.event} is made here", remedy="Use ADT^A04, A08 or A40.")
    site = settings.site.name
    authority = (None, None, site.upper(), "MR")
    kind = (code, trigger, STRUCTURES[trigger])
    who = Party.of(sender or settings.host.name, site)
    segments = [
        header(who, Party.of(peer_of(arguments, settings).name, site), kind, control_id),
        segment("EVN", {2: timestamp()}),
        segment("PID", {1: "1", 3: (patient, *authority), 5: ("MISUSE", "ATTEMPT"), 7: "19700101", 8: "O"}),
    ]
    if trigger == "A40":
        segments.append(segment("MRG", {1: (arguments.prior or f"{patient}X", *authority)}))
    else:
        segments.append(segment("PV1", {1: "1", 2: "O"}))
    return join(*segments).encode()


def exchange(peer: Peer, tls: ssl.SSLContext | None, data: bytes, patient: str) -> Answer:
    """Send one message about a patient and judge its acknowledgement."""
    received = mllp.send(peer, tls, data)
    facts = {"patient": patient}
    try:
        answer = read_answer(received)
    except MalformedError as error:
        return Answer(refused=True, layer="hl7", detail=f"no acknowledgement: {error}", facts=facts)
    words = f"{answer.acknowledgement} {answer.code or ''} {answer.text}".strip()
    return Answer(refused=not answer.accepted, layer="hl7", detail=words, facts=facts)
