"""How full the archive's storage is: what it may hold in all, and what has to stay free on the disk beside it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED_EVERY = 10.0
"""Seconds for which the archive's own count is believed; what was let in meanwhile is added."""
ALARM_FROM = 0.9
"""Part of the quota from which somebody has to act."""
TOLD_EVERY = 3600.0
"""Seconds between two alarms about the same."""


class State(Enum):
    """How full it is."""

    ROOM = "room"
    FILLING = "filling"
    FULL = "full"


@dataclass
class Storage:
    """Counts what is stored.

    Attributes:
        folder: where the archive keeps its files.
        quota: the most octets that it may hold in all; 0 for no limit.
        reserve: octets that have to stay free on the disk.
        counted: asks the archive how many octets it holds.
        clock: seconds.
    """

    folder: str
    quota: int
    reserve: int
    counted: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _used: int = field(default=0, init=False)
    _asked_at: float = field(default=float("-inf"), init=False)
    _told_at: float = field(default=float("-inf"), init=False)

    def state(self, octets: int) -> State:
        """Tell how full the storage would be with an object of so many octets."""
        free = os.statvfs(self.folder)
        left = free.f_bavail * free.f_frsize - octets
        used = self._count() + octets
        if left < self.reserve or (self.quota and used > self.quota):
            return State.FULL
        self._used += octets
        filling = left < 2 * self.reserve or (self.quota and used > ALARM_FROM * self.quota)
        return State.FILLING if filling else State.ROOM

    @property
    def used(self) -> int:
        """Octets that are stored, as far as is known."""
        return self._used

    def may_tell(self) -> bool:
        """Whether an alarm is due; it counts as told then."""
        if self.clock() < self._told_at + TOLD_EVERY:
            return False
        self._told_at = self.clock()
        return True

    def _count(self) -> int:
        if self.clock() >= self._asked_at + ASKED_EVERY:
            self._used, self._asked_at = self.counted(), self.clock()
        return self._used
