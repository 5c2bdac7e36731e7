"""A search over all archives, of which a person gets what the person may see: results, counts and pages alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.errors import SimulatorError
from simulators.gateway.archives import INSTANCE, ISSUER, PATIENT, RETRIEVE_URL, SERIES, STUDY, value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from simulators.access.relations import Reach
    from simulators.gateway.archives import Archive, Found
    from simulators.gateway.asked import Asked
    from simulators.gateway.studies import Studies

KEYS = {"studies": STUDY, "series": SERIES, "instances": INSTANCE}
PAGE = 100
"""Results that are asked of an archive at a time."""
MOST = 1000
"""Results of one answer where the caller sets no limit, or a higher one."""
NAMED = 50
"""Patients whom a search names to the archive; of more, what comes back is sorted out here alone."""
SPECIAL = frozenset("*?,\\")
"""Characters with a meaning in a query (PS3.4 C.2.2.2; a comma parts the identifiers of a list)."""
DEEPEST = 20_000
"""Results of an archive that are looked at for one answer."""


@dataclass(frozen=True)
class Answer:
    """Results that a person may see; ``more`` where there are others, ``silent`` archives that did not answer."""

    found: list[Found]
    more: bool
    silent: tuple[str, ...]


async def search(studies: Studies, asked: Asked, reach: Reach) -> Answer:
    """Search every archive.

    Whatever a query matches or includes, a result goes through only if it says whose it is, and that patient may be
    seen; results are numbered for ``limit`` and ``offset`` after that (PS3.18 8.3.4.4): no count tells of others.
    """
    if not reach.everybody and not reach.patients:
        return Answer([], more=False, silent=())
    limit = MOST if asked.limit is None else min(asked.limit, MOST)
    wanted = asked.offset + limit + 1
    sides = [_Side(archive, studies, asked, reach) for archive in studies.archives.values()]
    answers = await asyncio.gather(*(side.read(wanted) for side in sides))
    key = KEYS[asked.level]
    merged: dict[str, Found] = {}
    for found in (entry for entries in answers for entry in entries):
        merged.setdefault(value(found, key), found)
    results = list(merged.values())
    page = results[asked.offset : asked.offset + limit]
    return Answer(
        page,
        more=len(results) > asked.offset + limit or any(side.cut for side in sides),
        silent=tuple(side.archive.name for side in sides if side.silent),
    )


class _Side:
    """One archive's part of a search."""

    def __init__(self, archive: Archive, studies: Studies, asked: Asked, reach: Reach) -> None:
        self.archive, self._studies, self._asked, self._reach = archive, studies, asked, reach
        self.cut = self.silent = False

    async def read(self, wanted: int) -> list[Found]:
        """Return so many results that may be seen, or all there are."""
        results: list[Found] = []
        try:
            async for found in self._pages():
                if self._may_be_seen(found):
                    found.pop(RETRIEVE_URL, None)  # it names the archive, which nobody reaches
                    results.append(found)
                if len(results) >= wanted:
                    break
        except SimulatorError:
            self.silent = True
        return results

    async def _pages(self) -> AsyncIterator[Found]:
        query = [*self._asked.query, ("includefield", PATIENT), ("includefield", ISSUER), ("includefield", STUDY)]
        if self._may_name_patients():
            query.append(("PatientID", ",".join(sorted(self._reach.patients))))
        for offset in range(0, DEEPEST, PAGE):
            page = await self.archive.search(self._asked.path, [*query, ("limit", str(PAGE)), ("offset", str(offset))])
            for found in page:
                yield found
            if len(page) < PAGE:
                return
        self.cut = True

    def _may_name_patients(self) -> bool:
        """Whether the archive can be told whom to look for: few, by identifiers that mean nothing else in a query."""
        few = not self._reach.everybody and len(self._reach.patients) <= NAMED
        return few and not self._asked.names_patient and not any(SPECIAL & set(name) for name in self._reach.patients)

    def _may_be_seen(self, found: Found) -> bool:
        patient = self._studies.patient_of(found)
        return bool(patient and value(found, KEYS[self._asked.level])) and self._reach.has(patient)
