"""Access in an emergency: one patient, for a stated reason and a limited time, kept over a restart."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.gateway.denied import DeniedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulators.gateway.subject import Subject

MINUTES = 60
SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""
AT_ONCE = 5
"""Patients of one person at a time."""


@dataclass(frozen=True)
class Grant:
    """Access that somebody took: whose, to whom, why, and until when (seconds since 1970)."""

    person: str
    patient: str
    reason: str
    until: float


class Grants:
    """What is granted now."""

    def __init__(self, path: Path, *, minutes: float = MINUTES, clock: Callable[[], float] = time.time) -> None:
        """Keep grants in a file; each counts for so many minutes."""
        self._path, self._minutes, self._clock = path, minutes, clock
        self._grants: list[Grant] = []
        if path.exists():
            self._grants = [Grant(**entry) for entry in json.loads(path.read_text("utf-8"))]

    def grant(self, subject: Subject, patient: str, reason: str) -> Grant:
        """Give a person access to a patient.

        Raises:
            ArgumentError: the reason is missing, too short or too long, or the patient is not named.
            DeniedError: the person has access to too many patients this way already.
        """
        told = " ".join(reason.split())
        if not SHORTEST <= len(told) <= LONGEST or not told.isprintable():
            raise ArgumentError(
                f"a reason has {SHORTEST} to {LONGEST} characters", remedy="Say why the patient's images are needed."
            )
        if not patient or len(patient) > 64 or not patient.isprintable():  # noqa: PLR2004 # PS3.5 6.2, LO
            raise ArgumentError("no patient is named", remedy="Name the patient by identifier (Patient ID).")
        others = self.patients(subject.person) - {patient}
        if len(others) >= AT_ONCE:
            raise DeniedError(
                f"You have emergency access to {len(others)} patients already.",
                remedy="Wait until it ends, or call the privacy officer.",
                reason=reasons.TOO_MANY_EMERGENCIES,
            )
        grant = Grant(subject.person, patient, told, self._clock() + 60 * self._minutes)
        self._keep([*(one for one in self._open() if (one.person, one.patient) != (grant.person, patient)), grant])
        return grant

    def patients(self, person: str) -> frozenset[str]:
        """The patients whom a person may see this way now."""
        return frozenset(grant.patient for grant in self._open() if grant.person == person)

    def _open(self) -> list[Grant]:
        now = self._clock()
        return [grant for grant in self._grants if grant.until > now]

    def _keep(self, grants: list[Grant]) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps([asdict(grant) for grant in grants]), "utf-8")
        draft.replace(self._path)
        self._grants = grants
