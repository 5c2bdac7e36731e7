"""One change to a lab at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lab.errors import UsageError
from lab.settings import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class BusyError(UsageError):
    """Another process is changing this lab."""


@contextmanager
def locked(state: Path, lab: str) -> Iterator[None]:
    """Hold a lab. The lock's file stays, with the id of the last process that held it.

    Raises:
        UsageError: the name cannot be a lab's.
        BusyError: another process holds it.
    """
    check_name(lab, "lab")
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state / f".{lab}.lock"
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = path.read_text("ascii", "replace") or "unknown"
        raise BusyError(
            f"Process {holder} is working on lab {lab!r}.", remedy="Wait for it, or end it, and try again."
        ) from error
    try:
        path.write_text(str(os.getpid()), "ascii")
        yield
    finally:
        lock.release()
