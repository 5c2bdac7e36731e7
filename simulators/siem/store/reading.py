"""What is stored, read back: records in the order of their positions, and batches."""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulators.siem.store.hashes import ALERT, EVENT, REFUSED, Batch, Record
from simulators.siem.wire import NO_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    import psycopg

AT_ONCE = 1_000
"""Rows that are read at a time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVENTS = (
    "SELECT position, received, host, run, number, fields::text,"
    " CASE WHEN time > '0001-01-02' AND time < '9999-12-31' THEN time END, code, action, outcome, person, patient,"
    " accession, study FROM siem.events"
)
_REFUSED = "SELECT position, received, host, run, number, raw, reason FROM siem.quarantine"
_ALERTS = 'SELECT position, received, host, "of", level, rule, fields::text FROM siem.alerts'
_WITHIN = " WHERE received BETWEEN %(since)s AND %(until)s AND position BETWEEN %(first)s AND %(last)s"
_IN_ORDER = " ORDER BY received, position"
_BATCHES = (
    "SELECT number, first, count, CASE WHEN isfinite(since) THEN since ELSE 'epoch' END,"
    " CASE WHEN isfinite(until) THEN until ELSE 'epoch' END, root, previous, leaves, head, signature"
    " FROM siem.batches"
)


@dataclass(frozen=True)
class Kept:
    """A record, an event's without its message, and what stands in the columns that it is found by."""

    record: Record
    columns: Sequence[Any] = ()


@dataclass(frozen=True)
class KeptBatch:
    """A batch as it stands in the store."""

    batch: Batch
    leaves: bytes
    head: bytes
    signature: bytes


def microseconds(when: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Part:
    """Some of the records: positions from `first` to `last`, received from `since` to `until`."""

    first: int
    last: int
    since: datetime
    until: datetime


def part_of(batches: Sequence[KeptBatch]) -> Part:
    """Return the records of batches that follow each other."""
    first, last = batches[0].batch, batches[-1].batch
    since, until = (_EPOCH + timedelta(microseconds=when) for when in (first.since, last.until))
    return Part(first.first, last.first + last.count - 1, since, until)


def kept_records(connection: psycopg.Connection, part: Part | None = None) -> Iterator[Kept]:
    """Yield all records in their order, or those of a part; in a transaction of the caller's, so that none comes."""
    return heapq.merge(
        _events(connection, part),
        _refused(connection, part),
        _alerts(connection, part),
        key=lambda kept: (kept.record.received, kept.record.position),
    )


def kept_batches(connection: psycopg.Connection, numbers: range | None = None) -> Iterator[KeptBatch]:
    """Yield all batches by their numbers, or those of some numbers."""
    chosen = "" if numbers is None else " WHERE number >= %(first)s AND number < %(beyond)s"
    bounds = {} if numbers is None else {"first": numbers.start, "beyond": numbers.stop}
    for number, first, count, since, until, root, previous, leaves, head, signature in _rows(
        connection, "batches", f"{_BATCHES}{chosen} ORDER BY number", bounds
    ):
        batch = Batch(number, first, count, microseconds(since), microseconds(until), _fitted(root), _fitted(previous))
        yield KeptBatch(batch, bytes(leaves), bytes(head), bytes(signature))


def has_record(connection: psycopg.Connection, position: int) -> bool:
    """Tell whether there is a record of this position, wherever it stands."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM siem.events WHERE position = %(position)s)"
        " OR EXISTS (SELECT FROM siem.quarantine WHERE position = %(position)s)"
        " OR EXISTS (SELECT FROM siem.alerts WHERE position = %(position)s)",
        {"position": position},
    ).fetchone()
    return row is not None and bool(row[0])


def leaf_of(connection: psycopg.Connection, position: int) -> bytes | None:
    """Return the hash that a batch has of the record of this position, None where none has."""
    row = connection.execute(
        "SELECT substr(leaves, ((%(position)s - first) * 32 + 1)::integer, 32) FROM siem.batches"
        " WHERE first <= %(position)s AND %(position)s < first + count ORDER BY number LIMIT 1",
        {"position": position},
    ).fetchone()
    return None if row is None else bytes(row[0])


def _fitted(value: bytes) -> bytes:
    """A hash; of another length it is none, and none that fits."""
    return bytes(value)[:32].ljust(32, b"\0")


def _chosen(query: str, part: Part | None) -> tuple[str, dict[str, Any]]:
    return (query + _IN_ORDER, {}) if part is None else (query + _WITHIN + _IN_ORDER, asdict(part))


def _events(connection: psycopg.Connection, part: Part | None) -> Iterator[Kept]:
    rows = _rows(connection, "events", *_chosen(_EVENTS, part))
    for position, received, host, run, number, fields, *columns in rows:
        when, text = microseconds(received), fields.encode("utf-8")
        record = Record(EVENT, position, when, host, _octets(run), number, b"", text)
        yield Kept(record, columns)


def _refused(connection: psycopg.Connection, part: Part | None) -> Iterator[Kept]:
    rows = _rows(connection, "refused", *_chosen(_REFUSED, part))
    for position, received, host, run, number, raw, reason in rows:
        yield Kept(
            Record(
                REFUSED,
                position,
                microseconds(received),
                host,
                _octets(run),
                number,
                bytes(raw),
                reason.encode("utf-8"),
            )
        )


def _alerts(connection: psycopg.Connection, part: Part | None) -> Iterator[Kept]:
    rows = _rows(connection, "alerts", *_chosen(_ALERTS, part))
    for position, received, host, about, level, rule, fields in rows:
        yield Kept(
            Record(
                ALERT, position, microseconds(received), host, NO_RUN, about, b"", fields.encode("utf-8"),
                f"{level} {rule}",
            )
        )  # fmt: skip


def _octets(run: UUID | None) -> bytes:
    return run.bytes if run is not None else NO_RUN


def _rows(
    connection: psycopg.Connection, name: str, query: str, values: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name) as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(query, values)
        yield from cursor
