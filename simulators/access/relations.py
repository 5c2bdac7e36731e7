"""Whom a person treats and whom a department sees, as RIS and EHR say (asked over mutual TLS, kept for seconds)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from simulators.access.policy import Scope
from simulators.access.remembered import Remembered
from simulators.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.access.subject import Subject

SECONDS = 10.0
"""How long an answer counts: so much later a relation that has ended ends access."""


class Source(Protocol):
    """A system that knows orders or admissions."""

    @property
    def name(self) -> str:
        """Its host."""

    async def patients(self, scope: Scope, who: str) -> frozenset[str]:
        """The patients of a person (treatment) or of a department.

        Raises:
            SimulatorError: it does not answer, or not as agreed.
        """


@dataclass(frozen=True)
class Reach:
    """The patients whom somebody may see.

    Attributes:
        everybody: all there are.
        patients: by identifier, where it is not everybody.
        silent: systems that did not answer; whom they know is not among the patients.
        emergency: those of the patients who are reached by breaking the glass alone.
    """

    everybody: bool = False
    patients: frozenset[str] = frozenset()
    silent: tuple[str, ...] = ()
    emergency: frozenset[str] = frozenset()

    def has(self, patient: str) -> bool:
        """Whether a patient may be seen."""
        return self.everybody or patient in self.patients


NOBODY = Reach()
EVERYBODY = Reach(everybody=True)


class Relations:
    """Asks every source, and puts their answers together."""

    def __init__(self, sources: Sequence[Source], seconds: float = SECONDS) -> None:
        """Ask these; an answer counts for so many seconds."""
        self._sources = sources
        self._known: Remembered[frozenset[str]] = Remembered(seconds)

    async def reach(self, subject: Subject, scope: Scope | None) -> Reach:
        """The patients of a person in a scope; of a source that does not answer, none."""
        if scope is None or scope is Scope.NONE:
            return NOBODY
        if scope is Scope.ALL:
            return EVERYBODY
        who = subject.department if scope is Scope.DEPARTMENT else subject.person
        if not who:
            return NOBODY
        answers = await asyncio.gather(
            *(
                self._known.get((source.name, scope, who), partial(source.patients, scope, who))
                for source in self._sources
            ),
            return_exceptions=True,
        )
        silent = []
        patients: set[str] = set()
        for source, answer in zip(self._sources, answers, strict=True):
            if isinstance(answer, SimulatorError):
                silent.append(source.name)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                patients |= answer
        return Reach(patients=frozenset(patients), silent=tuple(silent))
