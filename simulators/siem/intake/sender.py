"""A connection of a sender, as the edge hands it on: who it is, what it sends, what it is told."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from simulators.proxy_protocol import ProxyHeaderError, read_header
from simulators.siem.intake.frames import FrameError, Frames

if TYPE_CHECKING:
    import socket

MOST_WAITING = 1 << 16
"""Octets of acknowledgements that a sender has not read; with more it is ended."""
_FIXED = 16
"""Octets of a PROXY header before the rest, whose length ends them."""
_LONGEST_HEADER = 4096


class Heard(NamedTuple):
    """What has come on a connection."""

    messages: list[bytes]
    broken: bytes | None
    """What is no frame; after it the connection is of no use."""


class NobodyError(ValueError):
    """The edge does not say whose connection it is."""


class Sender:
    """One connection."""

    __slots__ = ("_frames", "_head", "_waiting", "address", "connection", "host", "number")

    def __init__(self, number: int, connection: socket.socket) -> None:
        """Listen to a connection that begins with a PROXY header."""
        self.number, self.connection = number, connection
        self.host = self.address = ""
        """Short name by its certificate; empty until the edge has said it."""
        self._head = b""
        self._frames = Frames()
        self._waiting = b""

    @property
    def waiting(self) -> bool:
        """Whether there is something that it could not be told yet."""
        return bool(self._waiting)

    def hear(self, data: bytes) -> Heard:
        """Take what has come.

        Raises:
            NobodyError: it does not begin as the edge begins.
        """
        if not self.host:
            self._head += data
            data = self._identify()
            if not self.host:
                return Heard([], None)
        try:
            return Heard(self._frames.feed(data), None)
        except FrameError as error:
            return Heard(error.before, self._frames.rest)

    def _identify(self) -> bytes:
        """Read who it is, once all of that has come; return what follows."""
        head = self._head
        size = _FIXED + int.from_bytes(head[14:_FIXED], "big") if len(head) >= _FIXED else _FIXED
        if size > _LONGEST_HEADER:
            raise NobodyError("no PROXY header")
        if len(head) < size:
            return b""
        place = 0

        def read(octets: int) -> bytes:
            nonlocal place
            place += octets
            return head[place - octets : place]

        try:
            found = read_header(read)
        except ProxyHeaderError as error:
            raise NobodyError(str(error)) from error
        if found is None or not found.name or not found.name.isascii():
            raise NobodyError("no certificate")
        self.host, self.address = found.name.partition(".")[0], found.address
        self._head = b""
        return head[size:]

    def tell(self, line: bytes) -> bool:
        """Send a line, or as much as it takes; tell whether it may go on."""
        self._waiting += line
        return self.send()

    def send(self) -> bool:
        """Send what waits, as much as it takes; tell whether it may go on."""
        try:
            sent = self.connection.send(self._waiting)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        self._waiting = self._waiting[sent:]
        return len(self._waiting) <= MOST_WAITING

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self.connection.close()
