"""Access in an emergency: one patient, for a stated reason and a limited time; what was granted is kept for a month."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.errors import ArgumentError, NotReadyError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulators.access.subject import Subject

MINUTES = 60
KEPT_DAYS = 30
"""How long a privacy officer can read why somebody took access."""
SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""
MOST_PATIENTS = 5
"""Of one person at a time."""


@dataclass(frozen=True)
class Grant:
    """Access that somebody took: whose, to whom, why, and from when until when (seconds since 1970)."""

    person: str
    patient: str
    reason: str
    since: float
    until: float
    ended: bool = False
    """That it has ended was told."""


def read_grants(path: Path) -> list[Grant]:
    """The grants of a file, the oldest first; a file that is not there has none.

    Raises:
        NotReadyError: it cannot be read.
    """
    try:
        return [Grant(**entry) for entry in json.loads(path.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise NotReadyError(
            f"{path} has no grants that can be read: {error}", remedy="Keep it aside for the privacy officer."
        ) from error


class Grants:
    """What is granted now."""

    def __init__(self, path: Path, *, minutes: float = MINUTES, clock: Callable[[], float] = time.time) -> None:
        """Keep grants in a file; each counts for so many minutes.

        Raises:
            NotReadyError: the file cannot be read.
        """
        self._path, self._minutes, self._clock = path, minutes, clock
        self._grants = read_grants(path)

    def grant(self, subject: Subject, patient: str, reason: str) -> Grant:
        """Give a person access to a patient.

        Raises:
            ArgumentError: the reason is missing, too short or too long, or the patient is not named.
            DeniedError: the person has access to too many patients this way already.
            NotReadyError: it cannot be kept for the privacy officer, so there is none.
        """
        told = " ".join(reason.split())
        if not SHORTEST <= len(told) <= LONGEST or not told.isprintable():
            raise ArgumentError(
                f"a reason has {SHORTEST} to {LONGEST} characters", remedy="Say why the patient's images are needed."
            )
        if not patient or len(patient) > 64 or not patient.isprintable():  # noqa: PLR2004 # PS3.5 6.2, LO
            raise ArgumentError("no patient is named", remedy="Name the patient by identifier (Patient ID).")
        others = self.patients(subject.person) - {patient}
        if len(others) >= MOST_PATIENTS:
            raise DeniedError(
                f"You have emergency access to {len(others)} patients already.",
                remedy="Wait until it ends, or call the privacy officer.",
                reason=reasons.TOO_MANY_EMERGENCIES,
            )
        now = self._clock()
        grant = Grant(subject.person, patient, told, now, now + 60 * self._minutes)
        kept = [entry for entry in self._grants if entry.until > now - KEPT_DAYS * 86400]
        self._keep([*kept, grant])
        return grant

    def patients(self, person: str) -> frozenset[str]:
        """The patients whom a person may see this way now."""
        now = self._clock()
        return frozenset(grant.patient for grant in self._grants if grant.person == person and grant.until > now)

    def ended(self) -> list[Grant]:
        """Grants whose time is over and of which that was not told yet, the oldest first."""
        now = self._clock()
        return [grant for grant in self._grants if not grant.ended and grant.until <= now]

    def note_ended(self, told: list[Grant]) -> None:
        """Keep that it was told of these that they have ended.

        Raises:
            NotReadyError: it cannot be kept, so it will be told once more.
        """
        self._keep([replace(grant, ended=True) if grant in told else grant for grant in self._grants])

    def seconds_left(self) -> float | None:
        """Seconds until the next grant ends, none where none is left."""
        left = [grant.until for grant in self._grants if not grant.ended]
        return max(0.0, min(left) - self._clock()) if left else None

    def _keep(self, grants: list[Grant]) -> None:
        draft = self._path.with_suffix(".new")
        try:
            draft.write_text(json.dumps([asdict(grant) for grant in grants], indent=1), "utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise NotReadyError(
                f"{self._path}, where reasons are kept, cannot be written: {error.strerror}", remedy="Look at its disk."
            ) from error
        self._grants = grants
