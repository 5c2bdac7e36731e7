"""What a case of ``pacslab-misuse`` is: one attempt at one kind of service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulators.misuse.outcome import Answer
    from simulators.settings import Peer, Settings

    Attempt = Callable[[argparse.Namespace, Settings], Answer]


@dataclass(frozen=True)
class Case:
    """One attempt, made by a host with what it holds.

    Attributes:
        name: Begins with the first word of its module's name (``hl7-duplicate`` stands in ``hl7_messages.py``), so that
            no more modules are imported than those of that word.
        summary: What is tried, for ``--help``.
        attempt: Makes it, and says what the peer answered.
        peer: Chooses whom to ask: the host that ``--peer`` names, or the first that this host may ask.
        example: The arguments of its example.
        control: Asks for what is permitted, for ``--control``; none where the case has no such thing.
    """

    name: str
    summary: str
    attempt: Attempt
    peer: Callable[[argparse.Namespace, Settings], Peer]
    example: str = ""
    control: Attempt | None = None
