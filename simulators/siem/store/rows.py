"""Records as rows of COPY in PostgreSQL's binary form (PostgreSQL 17, COPY, "Binary Format")."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.siem.store.hashes import Record
    from simulators.siem.store.messages import Messages

BEGIN = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
END = struct.pack(">h", -1)
EVENTS = (
    "position", "received", "run", "number", "time", "host", "code", "action", "outcome", "person", "patient",
    "accession", "study", "fields",
)  # fmt: skip
MESSAGES = ("first", "received", "octets", "raw")
QUARANTINE = ("position", "received", "run", "number", "host", "raw", "reason")
ALERTS = ("position", "received", "of", "host", "rule", "level", "fields")
KEYS = (
    "event.code", "event.action", "event.outcome", "user.name", "patient.id", "dicom.accession",
    "dicom.study_uid",
)  # fmt: skip
"""Fields that have a column of their own, in the order of :data:`EVENTS`; the host's is the record's."""
SEARCHED = EVENTS[6:13]
"""Their columns."""
LONGEST_KEY = 200
"""Characters of a column that is searched, as an index has room for 2,700 octets; what is longer is cut there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SINCE_2000 = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL counts from."""
_SIZE = struct.Struct(">i")
_SIZES = [_SIZE.pack(octets) for octets in range(LONGEST_KEY + 1)]
_NULL = _SIZE.pack(-1)
_EVENT = struct.Struct(">hiqiqi16siq")
_REFUSED = _EVENT
_ALERT = struct.Struct(">hiqiqiq")
_MESSAGES = struct.Struct(">hiqiq")
_INTEGER = 23
"""Object id of PostgreSQL's type ``integer``."""
_TIME = struct.Struct(">iq")


def _sized(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


def key(value: Any) -> bytes:
    """Return what stands in a column that is searched."""
    return str(value)[:LONGEST_KEY].replace("\0", " ").encode("utf-8", "replace")


def event(record: Record, fields: Mapping[str, Any]) -> bytes:
    """Return the row of an event."""
    head = _EVENT.pack(
        len(EVENTS), 8, record.position, 8, record.received - SINCE_2000, 16, record.run, 8, record.number
    )
    parts = [head, _moment(fields.get("@timestamp")), _sized(record.host.encode())]
    for value in map(fields.get, KEYS):
        if value.__class__ is str and 0 < len(value) <= LONGEST_KEY and value.isascii() and value.isprintable():
            parts += (_SIZES[len(value)], value.encode())  # as nearly all of them are, in half the time
        else:
            parts.append(_NULL if value is None or value == "" else _sized(key(value)))
    parts += (_SIZE.pack(len(record.text)), record.text)
    return b"".join(parts)


def _moment(text: Any) -> bytes:
    when = since_2000(text)
    return _NULL if when is None else _TIME.pack(8, when)


def messages(some: Messages) -> bytes:
    """Return the row of messages as they came."""
    octets = [len(raw) for raw in some.raw]
    count = len(octets)
    sized = [4] * (2 * count)  # of each number in an array its own octets stand before it
    sized[1::2] = octets
    array = struct.pack(f">iiIii{2 * count}i", 1, 0, _INTEGER, count, 1, *sized)
    head = _MESSAGES.pack(len(MESSAGES), 8, some.first, 8, some.received - SINCE_2000)
    return b"".join((head, _sized(array), _SIZE.pack(sum(octets)), *some.raw))


def refused(record: Record) -> bytes:
    """Return the row of what is kept apart."""
    head = _REFUSED.pack(
        len(QUARANTINE), 8, record.position, 8, record.received - SINCE_2000, 16, record.run, 8, record.number
    )
    return b"".join((head, _sized(record.host.encode()), _sized(record.raw), _sized(record.text)))


def alert(record: Record) -> bytes:
    """Return the row of an alert."""
    head = _ALERT.pack(len(ALERTS), 8, record.position, 8, record.received - SINCE_2000, 8, record.number)
    level, _, rule = record.rule.partition(" ")
    return b"".join((head, _sized(record.host.encode()), _sized(key(rule)), _sized(key(level)), _sized(record.text)))


def copied(rows: Iterable[bytes]) -> bytes:
    """Return what COPY takes."""
    return b"".join((BEGIN, *rows, END))


def since_2000(text: Any) -> int | None:
    """Return a time as PostgreSQL counts it: microseconds since 2000; None for what is no time."""
    if not isinstance(text, str):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND - SINCE_2000
    except (ValueError, TypeError, OverflowError):
        return None


def encoded(fields: Mapping[str, Any]) -> bytes:
    """Return fields as JSON."""
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
