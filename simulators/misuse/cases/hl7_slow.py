"""A message that is begun and never ended, octet by octet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from simulators.misuse.case import Case
from simulators.misuse.hl7 import message, own_context, peer_of, stranger
from simulators.misuse.outcome import Answer
from simulators.mllp import START, Connection

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings

PAUSE = 1.0  # seconds between two octets
HELD = 45.0
"""Seconds after which a connection counts as held: longer than any message takes."""


def slow(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Send an octet every second; refused when the peer has enough of it."""
    patient = stranger(arguments)
    octets = START + message(arguments, settings, patient)
    began = time.monotonic()
    with Connection(peer_of(arguments, settings), own_context(settings)) as connection:
        connection.socket.settimeout(PAUSE)
        for octet in octets:
            try:
                connection.socket.sendall(bytes([octet]))
                ended = not connection.socket.recv(1)
            except TimeoutError:
                ended = False
            except OSError:
                ended = True
            seconds = time.monotonic() - began
            if ended or seconds > HELD:
                break
    words = f"{'the peer closed the connection' if ended else 'it stayed open'} after {seconds:.0f} s"
    return Answer(ended, "connection", words, {"patient": patient, "seconds": seconds})


CASES = (Case("hl7-slow", "a message that never ends, an octet a second", slow, peer_of),)
