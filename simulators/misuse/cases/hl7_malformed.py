"""Messages that are none, or not what they seem: each is to be refused, by an answer or the connection's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.errors import UnreachableError
from simulators.misuse.case import Case
from simulators.misuse.hl7 import exchange, message, own_context, peer_of, stranger
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse
    import ssl
    from collections.abc import Callable

    from simulators.settings import Peer, Settings

KINDS: dict[str, Callable[[bytes], bytes]] = {
    "no header": lambda whole: whole.split(b"\r", 1)[1],
    "header cut short": lambda whole: whole[:24],
    "not UTF-8": lambda whole: whole.replace(b"ATTEMPT", b"\xff\xfe"),
    "header only": lambda whole: whole.split(b"\r")[0] + b"\r",
    "a second header": lambda whole: whole + whole,
}
"""What makes a good message none."""


def malformed(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Send every kind; refused when each of them is."""
    patient = stranger(arguments)
    peer, tls = peer_of(arguments, settings), own_context(settings)
    answers = {
        # A message of its own for each: with one control id for all, the second would be refused for that.
        name: _closed_or_judged(peer, tls, broken(message(arguments, settings, patient)), patient)
        for name, broken in KINDS.items()
    }
    taken = [name for name, answer in answers.items() if not answer.refused]
    words = "; ".join(f"{name}: {answer.detail}" for name, answer in answers.items())
    return Answer(refused=not taken, layer="hl7", detail=words, facts={"patient": patient, "taken": taken})


def hidden(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Register a patient whose name has a C1 control and a direction override in it."""
    patient = stranger(arguments)
    data = message(arguments, settings, patient).replace(b"ATTEMPT", "AT\x9b2J\u202eTEMPT".encode())
    return exchange(peer_of(arguments, settings), own_context(settings), data, patient)


def _closed_or_judged(peer: Peer, tls: ssl.SSLContext, data: bytes, patient: str) -> Answer:
    try:
        return exchange(peer, tls, data, patient)
    except UnreachableError as error:
        if "closed the connection" not in error.message:
            raise
        return Answer(refused=True, layer="connection", detail="connection closed")


CASES = (
    Case("hl7-hidden", "a name with characters that are not shown as they are", hidden, peer_of),
    Case("hl7-malformed", "messages that are none", malformed, peer_of),
)
