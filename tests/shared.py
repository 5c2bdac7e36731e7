"""What several processes of one test run use together: the first makes it, the last removes it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def shared(folder: Path, make: Callable[[], None], remove: Callable[[], None]) -> Iterator[None]:
    """Have something for as long as the block runs.

    Args:
        folder: Belongs to this thing of this run, and says who uses it.
        make: Makes it; others wait meanwhile. Where it fails, the next who needs it tries again.
        remove: Removes it, when nobody is left who uses it.
    """
    users = folder / "users"
    users.mkdir(parents=True, exist_ok=True)
    own, lock = users / str(os.getpid()), FileLock(folder / "lock")
    with lock:
        if not any(users.iterdir()):
            make()
        own.touch()
    try:
        yield
    finally:
        with lock:
            own.unlink()
            if not any(users.iterdir()):
                remove()
