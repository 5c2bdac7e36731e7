"""One change to a lab at a time: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class BusyError(UsageError):
    """Another process is changing this lab."""


@contextmanager
def locked(state: Path, lab: str) -> Iterator[None]:
    """Hold a lab.

    Raises:
        BusyError: another process holds it.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state / f".{lab}.lock"
    handle = _take(path, lab)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever waits finds another file and starts over
        os.close(handle)


def _take(path: Path, lab: str) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode() or "unknown"
            os.close(handle)
            raise BusyError(
                f"Process {holder} is working on lab {lab!r}.", remedy="Wait for it, or end it, and try again."
            ) from error
        try:
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        except FileNotFoundError:
            pass  # its holder has just let it go: take the next one
        os.close(handle)
