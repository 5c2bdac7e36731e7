"""When which lane of a trial switched controls off or on: services start again then, and other lanes may meet that."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_WITHIN = 60.0
"""Seconds that one lane waits at most for others, who switch or want to be alone."""


@dataclass
class Switching:
    """Told of every switching, and asked whether one fell into a span of time.

    A case that could not be judged while another lane had a service started again says nothing about its control.
    """

    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _under_way: set[int] = field(default_factory=set, repr=False)
    _ended: dict[int, float] = field(default_factory=dict, repr=False)
    _alone: int | None = field(default=None, repr=False)

    @contextmanager
    def by(self, lane: int) -> Iterator[None]:
        """A lane switches controls for as long as this is open; it waits for one that is alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._alone in {None, lane}, QUIET_WITHIN)
            self._under_way.add(lane)
        try:
            yield
        finally:
            with self._changed:
                self._under_way.discard(lane)
                self._ended[lane] = time.monotonic()
                self._changed.notify_all()

    @contextmanager
    def alone(self, lane: int) -> Iterator[None]:
        """No other lane switches for as long as this is open."""
        with self._changed:
            self._changed.wait_for(lambda: self._alone is None, QUIET_WITHIN)
            self._alone = lane
            self._changed.wait_for(lambda: not self._under_way - {lane}, QUIET_WITHIN)
        try:
            yield
        finally:
            with self._changed:
                self._alone = None
                self._changed.notify_all()

    def met(self, lane: int, began: float) -> bool:
        """Whether another lane has switched since ``began`` (monotonic seconds), or does now."""
        with self._changed:
            lately = any(ended >= began for other, ended in self._ended.items() if other != lane)
            return lately or bool(self._under_way - {lane})

    def wait_quiet(self, lane: int) -> None:
        """Wait until no other lane switches."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way - {lane}, QUIET_WITHIN)
