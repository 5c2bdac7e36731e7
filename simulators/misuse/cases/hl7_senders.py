"""Senders without a certificate that counts, in somebody else's name, with a message that is not theirs, or again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.misuse.case import Case
from simulators.misuse.credentials import anonymous, presenting
from simulators.misuse.hl7 import exchange, message, own_context, peer_of, stranger

if TYPE_CHECKING:
    import argparse

    from simulators.misuse.outcome import Answer
    from simulators.settings import Settings


def no_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A good message without a client certificate."""
    patient = stranger(arguments)
    data = message(arguments, settings, patient)
    return exchange(peer_of(arguments, settings), anonymous(settings), data, patient)


def unlisted(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A good message with a certificate of this hospital whose holder no flow lets call."""
    patient = stranger(arguments)
    tls = presenting(settings, arguments.certificate, arguments.key)
    return exchange(peer_of(arguments, settings), tls, message(arguments, settings, patient), patient)


def other_sender(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A message with the host's own certificate that names another sending application (MSH-3).

    Raises:
        ArgumentError: none is named.
    """
    if not arguments.sender:
        raise ArgumentError("this case needs --sender", remedy="See --help.")
    patient = stranger(arguments)
    data = message(arguments, settings, patient, sender=arguments.sender)
    return exchange(peer_of(arguments, settings), own_context(settings), data, patient)


def other_event(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A well-formed message of a type that no flow permits this host to send."""
    patient = stranger(arguments)
    data = message(arguments, settings, patient)
    return exchange(peer_of(arguments, settings), own_context(settings), data, patient)


def duplicate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Two messages with one control id (MSH-10) about two patients; the first has to be taken.

    Raises:
        ArgumentError: the first one was refused, so that nothing is shown.
    """
    peer, tls = peer_of(arguments, settings), own_context(settings)
    control_id = secrets.token_hex(10).upper()
    patient, following = f"X{control_id[:8]}", stranger(arguments)
    first = exchange(peer, tls, message(arguments, settings, patient, control_id=control_id), patient)
    if first.refused:
        raise ArgumentError(f"{peer.name} did not take the first one: {first.detail}", remedy="Use an event it takes.")
    return exchange(peer, tls, message(arguments, settings, following, control_id=control_id), following)


CASES = (
    Case("hl7-no-certificate", "a message without a client certificate", no_certificate, peer_of),
    Case(
        "hl7-unlisted",
        "a message with the certificate of a host that no flow lets call",
        unlisted,
        peer_of,
        "--certificate /run/x.crt --key /run/x.key",
    ),
    Case(
        "hl7-other-sender",
        "a message in another application's name (MSH-3)",
        other_sender,
        peer_of,
        "--sender EHR1",
    ),
    Case("hl7-other-event", "a message type that is not permitted", other_event, peer_of, "--event ADT^A40"),
    Case(
        "hl7-duplicate",
        "a second message with the same control id (MSH-10)",
        duplicate,
        peer_of,
        "--event ADT^A04",
    ),
)
