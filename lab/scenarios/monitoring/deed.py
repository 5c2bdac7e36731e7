"""An abuse that has to be noticed: how it is committed, and the rule that raises the alert."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from lab.hospital.hospital import Actor
    from lab.scenarios.monitoring.facts import Scene

WITHIN = 10.0
"""Seconds in which an alert has to be there after what it is about, where a deed says nothing else."""


@dataclass(frozen=True)
class Attempt:
    """A deed that is ready to be committed, as often as it is asked for.

    Attributes:
        make: Commits it, says in words what was done, and takes back at the end what it changed.
        about: Names of who or what it is about; the alert or an event that shows it has to have one of them as a value.
    """

    make: Callable[[], AbstractContextManager[str]]
    about: frozenset[str]


@dataclass(frozen=True)
class Deed:
    """An abuse.

    Attributes:
        id: Of its step; never used again for something else.
        title: What is done, for people.
        by: Who has to be there; which host acts, the deed chooses.
        transaction: IHE, DICOM or HL7 transaction; empty where it is none.
        rule: Name of the rule that has to notice it.
        ready: Prepares it on a lab; raises :class:`~lab.scenarios.failure.NothingToJudge` or
            :class:`~lab.abuse.attempt.PartyMissingError` on a site that cannot have it.
        within: Seconds in which the alert has to be there, once the deed is done.
        lines: The rule needs what hosts tell in no audit message.
    """

    id: str
    title: str
    by: Actor
    transaction: str
    rule: str
    ready: Callable[[Scene], Attempt] = field(repr=False, compare=False)
    within: float = WITHIN
    lines: bool = False
