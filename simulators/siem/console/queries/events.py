"""Events: the newest, those that something is known of, and one alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.siem.console.masking import Masked, of_event
from simulators.siem.console.queries.place import PAGE, Place
from simulators.siem.console.queries.stored import fields_of
from simulators.siem.store.rows import LONGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import psycopg

    from simulators.siem.console.clearance import Clearance
    from simulators.siem.console.queries.place import Window

BY: dict[str, LiteralString] = {
    "patient": "patient = %s",
    "accession": "accession = %s",
    "study": "study = %s",
    "person": "person = %s",
    "host": "host = %s",
    "code": "code = %s",
    "outcome": "outcome = %s",
}
"""What events are found by: all but code and outcome with an index of the store, (column, received)."""
OF_PATIENTS = frozenset({"patient", "accession", "study"})
COLUMNS: LiteralString = "position, received, host, fields::text"


@dataclass(frozen=True)
class Event:
    """An event as a person may see it."""

    place: Place
    host: str
    masked: Masked

    def get(self, name: str) -> str:
        """Return a field as text; empty where it is not there, or withheld."""
        return self.masked.get(name)

    @property
    def time(self) -> str:
        """When it happened, as its host says; when it was received, where it does not."""
        return self.get("@timestamp") or self.place.received.isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Page:
    """Events of a page, the newest first, and where the next begins."""

    events: list[Event]
    older: Place | None = None


def find(
    connection: psycopg.Connection,
    clearance: Clearance,
    wanted: Mapping[str, str],
    window: Window,
    before: Place | None = None,
    *,
    count: int = PAGE,
) -> Page:
    """Return a page of the events with all that is wanted, the newest first.

    Raises:
        DeniedError: the person may not read events, or not find them by what names a patient.
        psycopg.Error: the database does not answer.
    """
    clearance.needs("events", *(["patients"] if OF_PATIENTS & wanted.keys() else []))
    conditions: list[LiteralString] = [BY[name] for name in wanted]
    values: list[Any] = [value[:LONGEST_KEY] for value in wanted.values()]
    conditions.append("received >= %s")
    values.append(window.since)
    if window.until is not None:
        conditions.append("received < %s")
        values.append(window.until)
    if before is not None:
        conditions.append("received <= %s AND (received, position) < (%s, %s)")
        values += [before.received, before.received, before.position]
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM siem.events WHERE {' AND '.join(conditions)}"  # noqa: S608 - of the table above
        " ORDER BY received DESC, position DESC LIMIT %s",
        [*values, count + 1],
    ).fetchall()
    events = [made(row, clearance) for row in rows[:count]]
    return Page(events, events[-1].place if len(rows) > count else None)


def newer(connection: psycopg.Connection, clearance: Clearance, after: Place, limit: int = PAGE) -> list[Event]:
    """Return the events after a place, the newest first; of more than `limit` the newest."""
    clearance.needs("events")
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM siem.events WHERE received >= %s AND (received, position) > (%s, %s)"  # noqa: S608
        " ORDER BY received DESC, position DESC LIMIT %s",
        [after.received, after.received, after.position, limit],
    ).fetchall()
    return [made(row, clearance) for row in rows]


def one(connection: psycopg.Connection, clearance: Clearance, position: int) -> Event | None:
    """Return the event of a position, None where there is none. Its batch tells when it was received."""
    clearance.needs("events")
    row = connection.execute(
        f"SELECT {COLUMNS} FROM siem.events, (SELECT since, until FROM siem.batches"  # noqa: S608
        " WHERE first <= %(position)s AND %(position)s < first + count ORDER BY first DESC LIMIT 1) AS batch"
        " WHERE received BETWEEN batch.since AND batch.until AND position = %(position)s",
        {"position": position},
    ).fetchone()
    return None if row is None else made(row, clearance)


def made(row: Iterable[Any], clearance: Clearance) -> Event:
    """Return the event of a row."""
    position, received, host, text = row
    return Event(Place(received, position), host, of_event(fields_of(text), clearance))


def last_received(connection: psycopg.Connection, since: datetime) -> Place | None:
    """Return the place of the newest event since then."""
    row = connection.execute(
        "SELECT received, position FROM siem.events WHERE received >= %s ORDER BY received DESC, position DESC LIMIT 1",
        [since],
    ).fetchone()
    return None if row is None else Place(row[0], row[1])
