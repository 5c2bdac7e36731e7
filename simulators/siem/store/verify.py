"""Proves that what is stored is what was stored: nothing changed, removed, inserted, or cut off at the end.

Each batch is recomputed from the batch before it, its signature verified, its leaves from the records themselves. What
the store alone cannot tell, an end that was cut off and a chain that was signed again with a stolen key, is found by
checkpoints: numbers and heads of batches that others have kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from simulators.siem.store import rows
from simulators.siem.store.hashes import EVENT, NOTHING, SIZE, root_of
from simulators.siem.store.messages import MisfitError, Reading, message_of
from simulators.siem.store.reading import (
    Kept,
    KeptBatch,
    has_record,
    kept_batches,
    kept_records,
    leaf_of,
    microseconds,
    part_of,
)
from simulators.siem.store.signing import is_signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DROP = "drop-day"
"""Action of the repository's own event that a day has gone by the policy."""
DAY = "pacslab.item"
"""Its field with the day."""


@dataclass(frozen=True)
class Checkpoint:
    """What somebody else has kept of the chain."""

    number: int
    head: str
    """In hexadecimal digits."""
    holder: str = ""


@dataclass(frozen=True)
class Fault:
    """The first thing that is not as it was.

    Attributes:
        kind: ``changed``, ``removed``, ``inserted``, ``cut`` or ``replaced``.
        position: of the first record that it concerns.
        batch: the batch that tells.
        says: a sentence.
    """

    kind: str
    position: int
    batch: int
    says: str


@dataclass
class Report:
    """What was looked at."""

    records: int = 0
    batches: int = 0
    dropped: int = 0
    """Records of days that have gone by the policy."""
    last: Checkpoint | None = None
    position: int = 0
    checkpoints: int = 0
    """How many checkpoints of others fit."""
    fault: Fault | None = None


class _FaultError(Exception):
    def __init__(self, kind: str, position: int, batch: int, says: str) -> None:
        super().__init__(says)
        self.fault = Fault(kind, position, batch, says)


@dataclass
class _Walk:
    """Where the proof has come to."""

    connection: psycopg.Connection
    public: bytes
    held: Mapping[int, list[Checkpoint]]
    gone: frozenset[date]
    records: Iterator[Kept]
    messages: Reading
    report: Report
    head: bytes = NOTHING
    proven: int = 0
    """The last record up to which a checkpoint fits."""
    next: Kept | None = field(default=None)


def verify(connection: psycopg.Connection, public: bytes, checkpoints: Iterable[Checkpoint] = ()) -> Report:
    """Recompute everything; stop at the first fault.

    Args:
        connection: one that may read, and is not in a transaction.
        public: the repository's public key, from where nobody at the repository can change it.
        checkpoints: what others have kept.
    """
    held: dict[int, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        held.setdefault(checkpoint.number, []).append(checkpoint)
    report = Report()
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        walk = _Walk(
            connection, public, held, _dropped(connection), kept_records(connection), Reading(connection), report
        )
        try:
            walk.next = next(walk.records, None)
            for kept in kept_batches(connection):
                _one_batch(walk, kept)
            _the_end(walk)
        except _FaultError as error:
            report.fault = error.fault
        except (psycopg.DataError, ValueError) as error:
            says = f"what follows record {report.position} cannot be read: {error}"
            report.fault = Fault("changed", report.position + 1, report.batches + 1, says)
    return report


def verify_part(connection: psycopg.Connection, public: bytes, numbers: range) -> Report:
    """Recompute some batches that follow each other; what stands beside their records is not looked at.

    Args:
        connection: one that may read, and is not in a transaction.
        public: the repository's public key.
        numbers: of the batches.
    """
    report = Report()
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        before = [kept for kept in kept_batches(connection, range(numbers.start - 1, numbers.start)) if numbers.start]
        batches = list(kept_batches(connection, numbers))
        if not batches:
            return report
        try:
            report = _part(connection, public, before, batches, frozenset())
            if report.fault is not None and report.fault.kind == "removed":  # perhaps by the policy, which is rare
                report = _part(connection, public, before, batches, _dropped(connection))
        except (psycopg.DataError, ValueError) as error:
            number, first = batches[0].batch.number, batches[0].batch.first
            report.fault = Fault("changed", first, number, f"what follows record {first} cannot be read: {error}")
    return report


def _part(
    connection: psycopg.Connection,
    public: bytes,
    before: list[KeptBatch],
    batches: list[KeptBatch],
    gone: frozenset[date],
) -> Report:
    first = batches[0].batch
    report = Report(batches=first.number - 1, position=first.first - 1)
    part = part_of(batches)
    records, messages = kept_records(connection, part), Reading(connection, part)
    walk = _Walk(connection, public, {}, gone, records, messages, report, before[0].head if before else NOTHING)
    try:
        walk.next = next(walk.records, None)
        for kept in batches:
            _one_batch(walk, kept)
    except _FaultError as error:
        report.fault = error.fault
    return report


def _dropped(connection: psycopg.Connection) -> frozenset[date]:
    """Days that have gone, as the repository says; whether it was the repository that says so, the proof comes to."""
    found = connection.execute(
        "SELECT fields->>%s FROM siem.events WHERE action = %s AND run = %s::uuid", [DAY, DROP, "0" * 32]
    ).fetchall()
    days = set()
    for (text,) in found:
        try:
            days.add(date.fromisoformat(text))
        except (TypeError, ValueError):
            continue
    return frozenset(days)


def _one_batch(walk: _Walk, kept: KeptBatch) -> None:
    batch, report = kept.batch, walk.report
    first, number = report.position + 1, report.batches + 1
    if batch.number != number:
        raise _FaultError("removed", first, number, f"batch {number}, which begins with record {first}, is not there")
    last = batch.first + batch.count - 1
    wrong = [
        what
        for what, is_wrong in (
            ("it does not follow the batch before it", batch.first != first or batch.previous != walk.head),
            ("its head is not of what stands in it", batch.head != kept.head),
            ("its signature is not the repository's", not is_signed(walk.public, kept.head, kept.signature)),
            ("its hashes are not those of its head", not _fits(kept)),
        )
        if is_wrong
    ]
    if wrong:
        raise _FaultError("changed", first, number, f"batch {number} (records {first} to {last}): {'; '.join(wrong)}")
    fitted = walk.proven
    for checkpoint in walk.held.get(number, ()):
        if checkpoint.head != kept.head.hex():
            raise _FaultError(
                "replaced", walk.proven + 1, number,
                f"batch {number} is not the one that {checkpoint.holder or 'another'} has kept: what follows record"
                f" {walk.proven} was replaced, that or a part of it up to record {last}",
            )  # fmt: skip
        report.checkpoints += 1
        fitted = last
    walk.proven = fitted
    for index in range(batch.count):
        _one_record(walk, kept, batch.first + index, kept.leaves[index * SIZE : (index + 1) * SIZE])
    walk.head = kept.head
    report.batches, report.position = number, last
    report.last = Checkpoint(number, kept.head.hex())


def _fits(kept: KeptBatch) -> bool:
    leaves, count = kept.leaves, kept.batch.count
    if count < 1 or len(leaves) != count * SIZE:
        return False
    return root_of([leaves[place : place + SIZE] for place in range(0, len(leaves), SIZE)]) == kept.batch.root


def _one_record(walk: _Walk, kept: KeptBatch, position: int, leaf: bytes) -> None:
    found, number = walk.next, kept.batch.number
    if found is not None and found.record.position < position:
        raise _inserted(found, number)
    if found is None or found.record.position > position:
        if walk.gone.isdisjoint(_days(kept)):
            raise _not_in_place(walk, position, number)
        walk.report.dropped += 1
        return
    try:
        message = walk.messages.of(position)
    except MisfitError as error:
        raise _FaultError("changed", error.position, number, str(error)) from error
    if _leaf(found, message) != leaf:
        raise _FaultError("changed", position, number, f"record {position} is not as it was stored")
    if (column := _unlike(found)) is not None:
        raise _FaultError("changed", position, number, f"column {column} of record {position} is not as its event says")
    walk.report.records += 1
    walk.next = next(walk.records, None)


def _leaf(kept: Kept, message: bytes) -> bytes:
    """Return the hash of a record with its message."""
    return kept.record._replace(raw=kept.record.raw + message).leaf()


def _the_end(walk: _Walk) -> None:
    report = walk.report
    if walk.next is not None:
        raise _inserted(walk.next, report.batches)
    try:
        walk.messages.end(report.position)
    except MisfitError as error:
        raise _FaultError("changed", error.position, report.batches, str(error)) from error
    beyond = min((number for number in walk.held if number > report.batches), default=None)
    if beyond is not None:
        holder = walk.held[beyond][0].holder or "another"
        raise _FaultError(
            "cut", report.position + 1, report.batches + 1,
            f"the end is cut off after record {report.position}: {holder} has kept the head of batch {beyond}",
        )  # fmt: skip


def _not_in_place(walk: _Walk, position: int, number: int) -> _FaultError:
    """Another record, or none, stands where a record should: it was removed, or moved, or the other one is inserted."""
    if not has_record(walk.connection, position):
        return _FaultError("removed", position, number, f"record {position} is not there")
    if (found := walk.next) is not None:
        leaf = _leaf(found, message_of(walk.connection, found.record.position))
        if leaf_of(walk.connection, found.record.position) != leaf:
            return _inserted(found, number)
    return _FaultError("changed", position, number, f"record {position} is not in its place: its time was changed")


def _inserted(found: Kept, number: int) -> _FaultError:
    position = found.record.position
    return _FaultError("inserted", position, number, f"record {position} of {found.record.host} is in no batch")


def _days(kept: KeptBatch) -> set[date]:
    return {_day(kept.batch.since), _day(kept.batch.until)}


def _day(when: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=when)).date()


def _unlike(kept: Kept) -> str | None:
    """Return the column of an event that is not as its fields say."""
    if kept.record.kind != EVENT:
        return None
    fields: dict[str, Any] = json.loads(kept.record.text)
    when, *columns = kept.columns
    if rows.since_2000(fields.get("@timestamp")) != (when and microseconds(when) - rows.SINCE_2000):
        return "time"
    for column, name, value in zip(rows.SEARCHED, rows.KEYS, columns, strict=True):
        said = fields.get(name)
        if (value or "") != ("" if said in {None, ""} else rows.key(said).decode("utf-8")):
            return column
    return None
