"""Keeps what the repository has said of its chain, so that it cannot say something else later.

A head is a batch's number and hash (docs/siem.md). The newest is kept, and of those before it one a minute; when they
become many, every second of the older half, every fourth, and so on, so that some of all times stay. A head that is
older than one that was kept before is of another chain; it replaces nothing, and is kept beside.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEWEST, HISTORY = "head", "heads"
EVERY = 60.0
"""Seconds between two heads that stay."""
MOST = 2048
"""Heads that stay."""


class Heads:
    """Heads in a folder: the newest in one file, others in another, a line each."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        """Go on with what was kept."""
        self._newest, self._history, self._clock, self._most = folder / NEWEST, folder / HISTORY, clock, most
        self._stays = [(head, int(place)) for *told, place in _lines(self._history, 3) for head in [" ".join(told)]]
        self._last = " ".join(next(iter(_lines(self._newest, 2)), []))
        self._number = max((_number(head) for head, _ in [*self._stays, (self._last or "-1", 0)]), default=-1)
        self._stayed = self._complained = float("-inf")

    def keep(self, head: str) -> None:
        """Keep a head: number and hexadecimal digits, with a space between."""
        number = _number(head)
        with suppress(OSError):  # the next one is kept
            if number > self._number:
                _write(self._newest, f"{head}\n")
                self._number, self._last = number, head
                self._stay(head)
            elif head != self._last and head not in {stays for stays, _ in self._stays}:
                self._complain(number)
                self._stay(head)

    def _stay(self, head: str) -> None:
        if self._clock() - self._stayed < EVERY:
            return
        self._stayed = self._clock()
        self._stays.append((head, self._stays[-1][1] + 1 if self._stays else 0))
        half, stride = self._most // 2, 1
        while len(self._stays) > self._most:
            stride *= 2
            self._stays = [
                *(entry for entry in self._stays[:-half] if entry[1] % stride == 0),
                *self._stays[-half:],
            ]
        _write(self._history, "".join(f"{head} {place}\n" for head, place in self._stays))

    def _complain(self, number: int) -> None:
        if self._clock() - self._complained >= EVERY:
            self._complained = self._clock()
            sys.stderr.write(
                f"the repository tells batch {number} of another chain than before:"
                " `pacslab audit verify` says since when\n"
            )
            sys.stderr.flush()


def _number(line: str) -> int:
    return int(line.partition(" ")[0])


def _lines(path: Path, words: int) -> list[list[str]]:
    """Return the lines of a file that begin and end with a number, or begin with one where there are two words."""
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return []
    return [line for line in lines if len(line) == words and line[0].isdigit() and (words < 3 or line[2].isdigit())]  # noqa: PLR2004


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
    draft.replace(path)
