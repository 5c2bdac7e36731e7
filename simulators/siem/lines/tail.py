"""Follows the collector's files (docs/logs.md): each host has one, which is put aside when it is full or a day old."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".jsonl"
AT_ONCE = 1 << 18
"""Octets that are read of a file at a time."""
LONGEST = 1 << 20
"""Octets of a line; what is longer is passed over."""
HEAD = 1 << 16
"""Octets of a file's first line that tell it from others; a line has its time in it."""


@dataclass(frozen=True)
class Place:
    """How far a host's lines have been read: the file, and octets of it.

    A file system that was put back from a copy gives files other numbers: then the digest of the first line tells.
    """

    inode: int = 0
    offset: int = 0
    head: str = ""


class Tail:
    """One host's lines, from a place on and through every file that follows."""

    def __init__(self, folder: Path, host: str, place: Place | None) -> None:
        """Begin at a place; without one, at the end of what is there."""
        self._folder, self._host = folder, host
        self._handle = -1
        self._inode = 0
        self._head = ""
        self.offset = 0
        if place is None:
            self._open(self._current, at_end=True)
        elif not self._go_on(place) and (files := self._files()):
            self._open(files[0][0])

    def _go_on(self, place: Place) -> bool:
        """Open the file of a place there; tell whether it is still there."""
        for path, inode in self._files():
            if place.head or inode == place.inode:
                self._open(path)
                if self._head == place.head or not place.head:
                    self.offset = place.offset
                    return True
        return False

    @property
    def _current(self) -> Path:
        return self._folder / f"{self._host}{SUFFIX}"

    @property
    def place(self) -> Place:
        """After what has been read."""
        return Place(self._inode, self.offset, self._head)

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _open(self, path: Path, *, at_end: bool = False) -> None:
        self.close()
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        self._head = _head(self._handle)
        status = os.fstat(self._handle)
        self._inode, self.offset = status.st_ino, status.st_size if at_end else 0

    def _is_current(self) -> bool:
        """Whether the open file is the one that is written; the folder is read only where it is not."""
        try:
            return self._current.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _files(self) -> list[tuple[Path, int]]:
        """The host's files with their numbers: those that were put aside by their date, then the current one."""
        aside = sorted(self._folder.glob(f"{self._host}{SUFFIX}-*"), key=lambda path: path.name.rpartition("-")[2])
        found = []
        for path in (*aside, self._current):
            try:
                found.append((path, path.stat().st_ino))
            except FileNotFoundError:
                continue
        return found

    def lines(self) -> list[tuple[bytes, Place]]:
        """Return whole lines that have come, each with the place after it."""
        if self._handle < 0:
            self._open(self._current)
            if self._handle < 0:
                return []
        data = os.pread(self._handle, AT_ONCE, self.offset)
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._pass_over(data)
            return []
        self._head = self._head or _head(self._handle)
        found, place = [], self.offset
        for line in data[:end].splitlines(keepends=True):
            place += len(line)
            found.append((line.rstrip(b"\n"), Place(self._inode, place, self._head)))
        self.offset = place
        return found

    def _pass_over(self, data: bytes) -> None:
        """Go on with the next file at the end of one; leave a line behind that never ends."""
        if len(data) == AT_ONCE:
            self.offset += len(data)
        elif not data and not self._is_current():
            inodes = [inode for _, inode in self._files()]
            if self._inode in inodes[:-1]:
                self._open(self._files()[inodes.index(self._inode) + 1][0])
            elif self._inode not in inodes and inodes:
                self._open(self._files()[0][0])


def _head(handle: int) -> str:
    """Digest of a file's first line, or of as much as tells it from others; nothing while that is not whole."""
    data = os.pread(handle, HEAD, 0)
    end = data.find(b"\n")
    return hashlib.sha256(data[:end] if end >= 0 else data).hexdigest() if end >= 0 or len(data) == HEAD else ""


def hosts(folder: Path) -> list[str]:
    """Return the hosts that have a file."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
