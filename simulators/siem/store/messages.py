"""Messages as they came: those of records that were stored together stand together, one after the other.

They are much alike and compress together to a fraction. Of each record it is kept how many octets are its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, LiteralString

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from simulators.siem.store.reading import Part

AT_ONCE = 16
"""Rows that are read at a time; one has up to 8 MB."""
_WITHIN: LiteralString = " WHERE received BETWEEN %(since)s AND %(until)s AND first BETWEEN %(first)s AND %(last)s"


@dataclass
class Messages:
    """Messages of records that follow each other and were received on one day."""

    first: int
    """Position of the first record."""
    received: int
    """When that was received, microseconds since 1970."""
    raw: list[bytes] = field(default_factory=list)
    """Of each record; empty where it is no event."""


class MisfitError(ValueError):
    """What is kept of messages fits no records."""

    def __init__(self, position: int) -> None:
        """Say from which record on."""
        super().__init__(f"the messages from record {position} on are not as they were stored")
        self.position = position


class Reading:
    """Reads messages in the order of their records."""

    def __init__(self, connection: psycopg.Connection, part: Part | None = None) -> None:
        """Read in a transaction of the caller's; of a part of the records, where one is given."""
        self._rows = _rows(connection, part)
        self._next = next(self._rows, None)
        self._first = 1
        self._raw: list[bytes] = []

    def of(self, position: int) -> bytes:
        """Return the message of a record; positions are asked for in their order.

        Raises:
            MisfitError: messages stand there twice, or more or fewer octets than their records have.
        """
        while self._next is not None and self._next[0] <= position:
            first, octets, data = self._next
            if first < self._first + len(self._raw) or sum(octets) != len(data):
                raise MisfitError(first)
            self._first, self._raw, place = first, [], 0
            for count in octets:
                self._raw.append(data[place : place + count])
                place += count
            self._next = next(self._rows, None)
        index = position - self._first
        return self._raw[index] if 0 <= index < len(self._raw) else b""

    def end(self, position: int) -> None:
        """Note that a record was the last.

        Raises:
            MisfitError: there are messages beyond it.
        """
        if self._next is not None or any(self._raw[max(0, position - self._first + 1) :]):
            raise MisfitError(position + 1 if self._next is None else self._next[0])


def message_of(connection: psycopg.Connection, position: int) -> bytes:
    """Return the message of a record, wherever that stands."""
    row = connection.execute("SELECT siem.message(%s)", [position]).fetchone()
    return bytes(row[0]) if row is not None and row[0] is not None else b""


def _rows(connection: psycopg.Connection, part: Part | None) -> Iterator[tuple[int, list[int], bytes]]:
    chosen = "" if part is None else _WITHIN
    with connection.cursor("messages", binary=True) as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(
            f"SELECT first, octets, raw FROM siem.messages{chosen} ORDER BY received, first",  # noqa: S608 - as above
            {} if part is None else asdict(part),
        )
        yield from cursor
