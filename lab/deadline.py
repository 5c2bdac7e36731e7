"""Waiting for something, but not for longer than a time that is set when the waiting begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Deadline:
    """The moment ``seconds`` after this object was made; changes of the machine's clock do not move it.

    Example:
        >>> deadline = Deadline(8)
        >>> while not answered() and not deadline.over:
        ...     deadline.pause(0.1)
    """

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; 0 when none are."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time has passed."""
        return self.left == 0

    def pause(self, seconds: float) -> None:
        """Sleep between two looks, no longer than what is left."""
        time.sleep(min(seconds, self.left))


def wait_until(look: Callable[[], T], seconds: float, pause: float) -> T:
    """Look again and again until what is seen is true, or the time has passed; return what was seen last.

    The last look is made when the time has passed, so whatever came in time is seen.
    """
    deadline = Deadline(seconds)
    while True:
        last = deadline.over
        seen = look()
        if seen or last:
            return seen
        deadline.pause(pause)
