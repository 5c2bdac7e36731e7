"""Sabotage: a change that a check must catch, made on a clone of a lab, and undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.engine.lab import Lab


@dataclass(frozen=True)
class Mutation:
    """One change, and what has to be seen of it.

    Attributes:
        promise: The id of the result that must fail.
        host: The host that it must fail on; empty where the result is about the lab.
        subject: What it must fail about; empty where that is not foreseen.
        make: Makes the change on a lab, and returns what undoes it. If it cannot be made it is undone at once, and
            an error is raised.
        also: Patterns of the ids that may fail with it: the same change seen from elsewhere.
        judged: Patterns of what is judged while it stands.
        hosts: The hosts that are judged while it stands; empty for all.
    """

    promise: str
    host: str
    subject: str
    make: Callable[[Lab], Callable[[], None]]
    also: Sequence[str] = ()
    judged: Sequence[str] = ()
    hosts: Sequence[str] = ()
