"""Tells who reads what of the repository: each reading is an event, and so an audit message (DICOM 110101)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from simulators.events.actions import READ_AUDIT
from simulators.events.report import write_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.access.subject import Subject

SAME = 300.0
"""Seconds for which somebody who goes on reading the same reads it once, on record."""
MOST = 4_096


class Readings:
    """Remembers what was told a moment ago, so that a page that follows what comes is told once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._told: dict[tuple[str, ...], float] = {}

    def tell(self, subject: Subject, view: str, about: Mapping[str, str] | None = None) -> None:
        """Tell that somebody reads a view: of which patient, study and accession number, as far as these are named."""
        named: dict[str, Any] = {name: value for name, value in (about or {}).items() if value}
        now = self._clock()
        key = (subject.person, subject.session, view, *(f"{name}={value}" for name, value in sorted(named.items())))
        if now - self._told.get(key, -SAME) < SAME:
            return
        write_event(READ_AUDIT, person=subject.person, peer=subject.address, view=view, **named)
        if len(self._told) >= MOST:
            self._told = {entry: at for entry, at in self._told.items() if now - at < SAME}
        if len(self._told) < MOST:
            self._told[key] = now
