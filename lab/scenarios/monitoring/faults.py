"""Changes that a deed makes on a host by a command, and takes back by another, whatever happens between."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.hospital.hospital import why
from lab.scenarios.failure import StepFailure, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.scenarios.monitoring.facts import Scene

TAKEN_BACK_WITHIN = 60.0
"""Seconds in which a host has to be as before once a change was taken back."""


@contextmanager
def changed(
    stage: Scene,
    host: str,
    make: Sequence[str],
    undo: Sequence[str],
    *,
    said: str,
    restored: Callable[[], object] = lambda: True,
) -> Iterator[str]:
    """Change something on a host for a while.

    Args:
        stage: where.
        host: the host.
        make: command that changes it.
        undo: command that takes it back; run also when the change was not made, or half.
        said: what was done, in words.
        restored: asked until it is true, once it was taken back.

    Raises:
        StepFailure: it could not be made, or not be taken back.
    """
    try:
        done = stage.hospital.run(host, make)
        require(done.code == 0, f"{' '.join(make)} on {host} ended with {done.code}: {why(done)}")
        yield said
    finally:
        undone = stage.hospital.run(host, undo)
        if undone.code != 0:
            raise StepFailure(f"not taken back on {host}: {' '.join(undo)} ended with {undone.code}: {why(undone)}")
        stage.eventually(restored, timeout=TAKEN_BACK_WITHIN, otherwise=f"{host} is not as it was after {said}")
