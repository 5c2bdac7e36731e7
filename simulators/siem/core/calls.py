"""The intake's processes that have called, and what each has said so far."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from simulators.siem import wire
from simulators.siem.wire import CHUNK, WireError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

SLOW = 10.0
"""Seconds in which an intake has to take an answer."""
HIGHEST = 10**18
"""Number of a message."""
_NAME = re.compile(rb"[A-Za-z0-9-]{1,63}")


class Intake:
    """A process of the intake that has called.

    Attributes:
        number: what it is known by here.
        connection: leads to it.
        senders: the host at the other end of each of its connections.
        present: those of its connections that hosts themselves have opened.
    """

    def __init__(self, number: int, connection: socket.socket) -> None:
        """Take a call."""
        connection.settimeout(SLOW)
        self.number, self.connection = number, connection
        self.senders: dict[int, str] = {}
        self.present: set[int] = set()
        self._telling = threading.Lock()
        self._rest = bytearray()

    def tell(self, answers: bytes) -> None:
        """Send answers; what is gone needs none, since its senders send again."""
        with self._telling, suppress(OSError):
            self.connection.sendall(answers)

    def begin(self, record: wire.Record) -> bool:
        """Note whose connection begins; tell whether the host itself has opened it.

        Raises:
            WireError: the record names nobody.
        """
        if not _NAME.fullmatch(record.first):
            raise WireError("a sender without a name")
        self.senders[record.connection] = record.first.decode("ascii")
        own = record.second != wire.OF_LINES
        if own:
            self.present.add(record.connection)
        return own

    def records(self, data: bytes) -> Iterator[wire.Record]:
        """Yield the records of chunks that are whole with what has come.

        Raises:
            WireError: what comes is no chunk, or no record.
        """
        for chunk in self._chunks(data):
            yield from wire.records(chunk)

    def _chunks(self, data: bytes) -> list[bytes]:
        self._rest += data
        found, place = [], 0
        while len(self._rest) - place >= CHUNK.size:
            (size,) = CHUNK.unpack_from(self._rest, place)
            if size > wire.MOST:
                raise WireError(f"a chunk of {size} octets")
            begin = place + CHUNK.size
            if len(self._rest) < begin + size:
                break
            found.append(bytes(self._rest[begin : begin + size]))
            place = begin + size
        del self._rest[:place]
        return found
