"""Waiting for something, but not for longer than a time that is set when the waiting begins."""

from __future__ import annotations

import time


class Deadline:
    """The moment ``seconds`` after this object was made; changes of the host's clock do not move it."""

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
