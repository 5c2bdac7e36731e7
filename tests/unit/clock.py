"""A clock for tests of what waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """Have everything that asks for the time or sleeps use this clock."""
        made = cls()
        monkeypatch.setattr(time, "monotonic", lambda: made.now)
        monkeypatch.setattr(time, "sleep", made.sleep)
        return made
