"""Wait for what another thread or process is to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 20.0


def wait_until(holds: Callable[[], object], complaint: str) -> None:
    """Return as soon as it holds; fail with the complaint when it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)
