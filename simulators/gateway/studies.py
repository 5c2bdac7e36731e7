"""Where a study is and whose it is; what of it a path names (so that no UID of another patient's slips through)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.access.remembered import Remembered
from simulators.errors import SimulatorError
from simulators.gateway.archives import INSTANCE, ISSUER, PATIENT, SERIES, STUDY, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.gateway.archives import Archive

SECONDS = 20.0
"""How long it counts what a study consists of: images that arrive later are seen so much later."""


@dataclass(frozen=True)
class Study:
    """A study as the archives have it.

    Attributes:
        uid: Study Instance UID.
        patient: whose it is; empty where the archives do not agree, or do not say.
        holders: names of the archives that have a part of it, primary ones first.
        silent: names of those that did not answer.
    """

    uid: str
    patient: str
    holders: tuple[str, ...]
    silent: tuple[str, ...]


class Studies:
    """Asks the archives, and remembers for some seconds."""

    def __init__(self, archives: Sequence[Archive], authority: str, seconds: float = SECONDS) -> None:
        """Ask these; patients' identifiers are of that authority."""
        self.archives = {archive.name: archive for archive in archives}
        self._authority = authority
        self._studies: Remembered[Study] = Remembered(seconds)
        self._series: Remembered[dict[str, str]] = Remembered(seconds)
        self._instances: Remembered[frozenset[str]] = Remembered(seconds)

    async def study(self, uid: str) -> Study:
        """Find a study."""
        return await self._studies.get(uid, lambda: self._find(uid))

    def patient_of(self, found: dict[str, object]) -> str:
        """Whose a result is; empty when it does not say, or it is of another authority."""
        issuer = value(found, ISSUER)
        return value(found, PATIENT) if issuer in {"", self._authority} else ""

    async def holder(self, study: Study, series: str | None, instance: str | None) -> Archive | None:
        """The archive that has what a path names, in this study; None where none has."""
        if series is None:
            return next((self.archives[name] for name in study.holders), None)
        held = await self._series.get(study.uid, lambda: self._series_of(study))
        if series not in held:
            return None
        archive = self.archives[held[series]]
        if instance is not None:
            known = await self._instances.get(
                (study.uid, series), lambda: self._instances_of(archive, study.uid, series)
            )
            if instance not in known:
                return None
        return archive

    async def _find(self, uid: str) -> Study:
        query = [("StudyInstanceUID", uid), ("includefield", PATIENT), ("includefield", ISSUER)]
        answers = await asyncio.gather(
            *(archive.search("/studies", query) for archive in self.archives.values()), return_exceptions=True
        )
        patients, holders, silent = set(), [], []
        for name, answer in zip(self.archives, answers, strict=True):
            if isinstance(answer, SimulatorError):
                silent.append(name)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                same = [found for found in answer if value(found, STUDY) == uid]
                patients |= {self.patient_of(found) for found in same}
                holders += [name] if same else []
        return Study(uid, patients.pop() if len(patients) == 1 else "", tuple(holders), tuple(silent))

    async def _series_of(self, study: Study) -> dict[str, str]:
        """Each series of a study with the first archive that has it."""
        held: dict[str, str] = {}
        for name in study.holders:
            for found in await self.archives[name].search(f"/studies/{study.uid}/series", [("includefield", SERIES)]):
                if value(found, STUDY) in {"", study.uid}:
                    held.setdefault(value(found, SERIES), name)
        return held

    async def _instances_of(self, archive: Archive, study: str, series: str) -> frozenset[str]:
        found = await archive.search(f"/studies/{study}/series/{series}/instances", [("includefield", INSTANCE)])
        return frozenset(value(entry, INSTANCE) for entry in found)
