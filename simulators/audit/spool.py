"""What waits for the repository: numbered messages on disk, kept until they are acknowledged.

Messages are appended to files of about a megabyte, named by the number that they begin with. A message is on disk for
good (fdatasync) before it is sent, so that a number never means two things; what a kill or a power cut leaves half
written is cut off when the spool is opened. Each message carries the place in the journal that it was made of, so that
reading goes on exactly there. The spool has a bound: when it is full nothing more is taken, and the journal keeps what
comes.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import uuid
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1 << 20
LIMIT = 64 * MEGABYTE
"""Octets of a spool: about 30,000 messages."""
SEGMENT = MEGABYTE
"""Octets after which another file is begun."""
HEAD = struct.Struct(">IIQdHB")
"""Octets of what follows, its CRC-32, number, time of arrival, octets of the place, and whether its entry ends here."""
CHECKED = 8
"""Octets before those that the CRC is of."""
LONGEST = 1 << 17
"""Octets of a record; what says more is damaged."""


class SpoolFullError(Exception):
    """The spool holds as much as it may."""


@dataclass(frozen=True)
class Kept:
    """A message in the spool."""

    number: int
    since: float
    """Seconds since 1970 when it was put here."""
    data: bytes


@dataclass(frozen=True)
class _Record:
    number: int
    since: float
    place: str
    ends: bool
    data: bytes
    after: int
    """Where in the file the next one begins."""


@dataclass
class _Segment:
    path: Path
    first: int
    size: int


class Spool:
    """A folder of messages; one thread appends, another reads and acknowledges."""

    def __init__(self, folder: Path, *, limit: int = LIMIT, segment: int = SEGMENT) -> None:
        """Open the folder, or make a spool in it.

        Raises:
            OSError: it cannot be read or written.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._limit, self._segment = folder, limit, segment
        self._lock = threading.Lock()
        self._segments: list[_Segment] = []
        self._file = -1
        self._pending: list[bytes] = []
        self._pending_number, self._pending_place = 0, ""
        self._position = (0, 0, 0)
        """The number read last, the segment (by its first number) and offset that follow it."""
        self.place = ""
        """Where in the journal the next message comes from."""
        self.run = ""
        """Names this spool to the repository; a new one begins at number 1."""
        self.acknowledged = self.last = 0
        self.damaged = False
        """Messages were lost: what stood here could not be read, and another run was begun."""
        self._open()

    @property
    def next(self) -> int:
        """The number of the message that is added next."""
        return self.last + self._pending_number + 1

    @property
    def waiting(self) -> int:
        """How many messages are not acknowledged."""
        return self.last - self.acknowledged

    def add(self, data: bytes, place: str, *, ends: bool = True) -> None:
        """Take a message as number :attr:`next`; it counts once :meth:`commit` has returned.

        Args:
            data: the message.
            place: cursor of the journal's entry that it was made of.
            ends: it is the last message of that entry.
        """
        self._pending.append(_encoded(self.next, place, ends, data))
        self._pending_number += 1
        self._pending_place = place

    def commit(self, place: str = "") -> None:
        """Bring what was added to disk, or nothing of it.

        Args:
            place: how far the journal was read, where that is further than the last message's entry.

        Raises:
            SpoolFullError: there is no room for it within the spool's bound.
            OSError: the disk is full, or cannot be written.
        """
        data, number = b"".join(self._pending), self._pending_number
        self.forget_pending()
        if data:
            with self._lock:
                self._append(data, number)
            self.place = self._pending_place
        if place:
            self._note(place)

    def forget_pending(self) -> None:
        """Forget what was added and not committed."""
        self._pending, self._pending_number = [], 0

    def after(self, number: int, octets: int) -> list[Kept]:
        """Return the messages that follow a number, as many as have `octets`, and one at least if there is one.

        Raises:
            OSError: the disk cannot be read.
        """
        with self._lock:
            found, size = [], 0
            for record in self._read_after(number):
                found.append(Kept(record.number, record.since, record.data))
                size += len(record.data)
                if size >= octets:
                    break
            return found

    def acknowledge(self, number: int) -> None:
        """Note that the repository has all messages up to this number; files with nothing else are removed."""
        with self._lock:
            if not self.acknowledged < number <= self.last:
                return
            self.acknowledged = number
            with suppress(OSError):  # it only saves sending some again
                _write_whole(self._folder / "acknowledged", f"{self.run} {number}\n", durably=False)
            while len(self._segments) > 1 and self._segments[1].first <= number + 1:
                self._segments.pop(0).path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _open(self) -> None:
        self._segments = [
            _Segment(path, int(path.stem), path.stat().st_size) for path in sorted(self._folder.glob("*.messages"))
        ]
        run = self._text("run")
        if not run or not self._recover() or not self._agrees(run):
            self.damaged = bool(run or self._segments)
            self._begin()
            return
        self.run = run

    def _recover(self) -> bool:
        """Find where messages and journal were left; what is half written at the very end is cut off."""
        place = ""
        for index, segment in enumerate(self._segments):
            if index and segment.first != self.last + 1:
                return False
            self.last, good = segment.first - 1, 0
            for record in _records(segment.path.read_bytes()):
                if record.number != self.last + 1:
                    return False
                self.last = record.number
                if record.ends:
                    good, place = record.after, record.place
            if good < segment.size:
                if index < len(self._segments) - 1:
                    return False
                self._cut(segment, good)
        noted = self._text("place").partition(" ")
        self.place = noted[2] if noted[0].isdigit() and int(noted[0]) >= self.last and noted[2] else place
        return True

    def _cut(self, segment: _Segment, size: int) -> None:
        os.truncate(segment.path, size)
        segment.size = size
        self.last = max((record.number for record in _records(segment.path.read_bytes())), default=segment.first - 1)

    def _agrees(self, run: str) -> bool:
        """Take over what was acknowledged; more than there was means that messages are gone from the disk."""
        noted, _, number = self._text("acknowledged").partition(" ")
        first = self._segments[0].first - 1 if self._segments else 0
        acknowledged = int(number) if noted == run and number.isdigit() else first
        self.acknowledged = max(first, acknowledged)
        return self.acknowledged <= self.last

    def _begin(self) -> None:
        """Begin a run; what cannot be read is of no use to anybody. The journal is read from its last known place."""
        for segment in self._segments:
            segment.path.unlink(missing_ok=True)
        self._segments, self.last, self.acknowledged = [], 0, 0
        (self._folder / "acknowledged").unlink(missing_ok=True)
        (self._folder / "place").unlink(missing_ok=True)
        self.run = str(uuid.uuid4())
        _write_whole(self._folder / "run", f"{self.run}\n", durably=True)

    def _text(self, name: str) -> str:
        try:
            return (self._folder / name).read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def _append(self, data: bytes, number: int) -> None:
        """Write at the end of the newest file, or of another one; on a failure everything is as before."""
        if sum(segment.size for segment in self._segments) + len(data) > self._limit:
            raise SpoolFullError
        segment = self._segments[-1] if self._segments else None
        if segment is None or segment.size >= self._segment:
            segment = self._other()
        elif self._file < 0:
            self._file = os.open(segment.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            _write_all(self._file, data)
            os.fdatasync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, segment.size)
            raise
        segment.size += len(data)
        self.last += number

    def _other(self) -> _Segment:
        """Begin another file."""
        path = self._folder / f"{self.last + 1:020}.messages"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _sync_folder(self._folder)
        if self._file >= 0:
            os.close(self._file)
        self._file = handle
        segment = _Segment(path, self.last + 1, 0)
        self._segments.append(segment)
        return segment

    def _note(self, place: str) -> None:
        """Note how far the journal was read; only so that a start need not read it again, so it may be lost."""
        self.place = place
        with suppress(OSError):
            _write_whole(self._folder / "place", f"{self.last} {place}\n", durably=False)

    def _read_after(self, number: int) -> Iterator[_Record]:
        last, first, offset = self._position
        for index, segment in enumerate(self._segments):
            following = self._segments[index + 1].first if index + 1 < len(self._segments) else self.last + 1
            if following <= number + 1:
                continue
            begin = offset if last == number and first == segment.first else 0
            with segment.path.open("rb") as file:
                file.seek(begin)
                data = file.read(segment.size - begin)
            for record in _records(data):
                if record.number > number:
                    self._position = (record.number, segment.first, begin + record.after)
                    yield record


def _encoded(number: int, place: str, ends: bool, data: bytes) -> bytes:  # noqa: FBT001 - a field of the record
    rest = place.encode("ascii") + data
    size, head = HEAD.size - CHECKED + len(rest), HEAD.pack(0, 0, number, time.time(), len(place), ends)
    checked = head[CHECKED:] + rest
    return struct.pack(">II", size, zlib.crc32(checked)) + checked


def _records(data: bytes) -> Iterator[_Record]:
    """Yield the records that are whole, up to the first that is not."""
    begin = 0
    while begin + HEAD.size <= len(data):
        size, checksum, number, since, place_size, ends = HEAD.unpack_from(data, begin)
        end = begin + CHECKED + size
        if size > LONGEST or end > len(data) or zlib.crc32(data[begin + CHECKED : end]) != checksum:
            return
        body = begin + HEAD.size
        place = data[body : body + place_size].decode("ascii", "replace")
        yield _Record(number, since, place, bool(ends), data[body + place_size : end], end)
        begin = end


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _write_whole(path: Path, text: str, *, durably: bool) -> None:
    """Replace a small file in one step."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(handle, text.encode("ascii"))
        if durably:
            os.fdatasync(handle)
    finally:
        os.close(handle)
    draft.replace(path)
    if durably:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
