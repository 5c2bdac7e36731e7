"""What intake and core tell each other over their socket: fixed heads and octets, which are read whoever wrote them.

Intake to core, in chunks with their length before them: a connection begins, a message, a connection ends. Core to
intake: what is stored, by connection, run and number.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = struct.Struct(">I")
"""Octets of a chunk's records."""
MOST = 1 << 24
"""Octets of a chunk; what says more is no chunk."""
_HEAD = struct.Struct(">BIQ16sII")
ANSWER = struct.Struct(">BIQ32s")
"""Kind, connection, number, and run or head."""
OF_LINES = b"lines"
"""Stands for the address where a connection is not the sender's own, but of what reads its log."""
NO_RUN = b"\0" * 16


class Kind(IntEnum):
    """What a record is."""

    OPEN = 1
    """A connection begins: the sender's name by its certificate, its address."""
    EVENT = 2
    """A message and its fields."""
    REFUSED = 3
    """A numbered message that is no audit message, and why."""
    BROKEN = 4
    """What came is no numbered message, and why; its connection has been ended."""
    CLOSE = 5
    ACKNOWLEDGED = 6
    """Everything of this run up to this number is stored."""
    CHECKPOINT = 7
    """Number and head of a batch, for senders to keep."""


class WireError(ValueError):
    """What came is not of this form."""


class Record(NamedTuple):
    """Something that the intake tells."""

    kind: int
    connection: int
    number: int
    run: bytes
    first: bytes
    """The sender's name, or the message as it came."""
    second: bytes
    """The sender's address, the fields as JSON, or the reason."""


@dataclass(frozen=True)
class Answer:
    """Something that the core tells."""

    kind: int
    connection: int
    number: int
    run: bytes


def packed(record: Record) -> bytes:
    """Return a record as it stands in a chunk."""
    kind, connection, number, run, first, second = record
    return _HEAD.pack(kind, connection, number, run, len(first), len(second)) + first + second


def records(chunk: bytes) -> Iterator[Record]:
    """Yield the records of a chunk.

    Raises:
        WireError: it is none.
    """
    place, end = 0, len(chunk)
    while place < end:
        try:
            kind, connection, number, run, first, second = _HEAD.unpack_from(chunk, place)
        except struct.error as error:
            raise WireError("a record is cut short") from error
        begin = place + _HEAD.size
        middle = begin + first
        place = middle + second
        if place > end:
            raise WireError("a record is longer than its chunk")
        yield Record(kind, connection, number, run, chunk[begin:middle], chunk[middle:place])
