"""How records arrive: of each host the last, its delay, numbers that are missing, and what was kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from simulators.siem.console.clearance import Clearance

SPAN = timedelta(days=7)
"""How far back a host's last record is looked for."""
SILENT = timedelta(minutes=30)
"""A host that has told nothing for so long is pointed out."""
LATE = 60.0
"""Seconds of delay from which on a sender still works off what it had kept."""


@dataclass(frozen=True)
class Sender:
    """How a host's records arrive.

    Attributes:
        host: its name.
        heard: when its last record came, None where none came lately.
        delay: seconds between its last record's event and its arrival, None where it is not known.
        runs: runs of its spool that have come lately.
        numbers: highest number of a run, summed: messages that it has sent.
        missing: numbers that have not come.
        refused: messages of it that were kept apart lately.
    """

    host: str
    heard: datetime | None = None
    delay: float | None = None
    runs: int = 0
    numbers: int = 0
    missing: int = 0
    refused: int = 0

    @property
    def state(self) -> str:
        """How it stands, in a word."""
        if self.heard is None:
            return "nothing"
        if self.missing:
            return "gap"
        if datetime.now(UTC) - self.heard > SILENT:
            return "silent"
        return "late" if self.delay is not None and self.delay > LATE else "well"


@dataclass(frozen=True)
class Collected:
    """How all records arrive."""

    senders: list[Sender]
    newest: datetime | None
    batch: int


def collection(connection: psycopg.Connection, clearance: Clearance, expected: Iterable[str]) -> Collected:
    """Return how each host's records arrive: of those that have sent, and of those that are expected to."""
    clearance.needs("collection")
    since = datetime.now(UTC) - SPAN
    told = {
        host: (runs, numbers)
        for host, runs, numbers in connection.execute(
            "SELECT host, count(*), sum(last)::bigint FROM (SELECT host, run, max(last) AS last FROM siem.progress"
            " GROUP BY host, run) AS run GROUP BY host"
        )
    }
    missing: dict[str, int] = dict(
        connection.execute(
            "SELECT host, sum(last - first + 1 - come)::bigint FROM (SELECT g.host, g.first, g.last, (SELECT count(*)"
            " FROM siem.late AS l WHERE l.host = g.host AND l.run = g.run AND l.number BETWEEN g.first AND g.last)"
            " AS come FROM siem.gaps AS g) AS gap GROUP BY host"
        ).fetchall()
    )
    refused: dict[str, int] = dict(
        connection.execute(
            "SELECT host, count(*) FROM siem.quarantine WHERE received >= %s GROUP BY host", [since]
        ).fetchall()
    )
    names = sorted({*told, *missing, *refused, *expected})
    heard = {
        host: (received, time)
        for host, received, time in connection.execute(
            "SELECT name, received, happened FROM unnest(%s::text[]) AS name, LATERAL (SELECT received,"
            " CASE WHEN time > '0001-01-02' AND time < '9999-12-31' THEN time END AS happened FROM siem.events"
            " WHERE host = name AND received >= %s ORDER BY received DESC LIMIT 1) AS last",
            [names, since],
        )
    }
    newest = connection.execute("SELECT number, until FROM siem.batches ORDER BY number DESC LIMIT 1").fetchone()
    senders = []
    for name in names:
        received, delay = _heard(heard.get(name))
        runs, numbers = told.get(name, (0, 0))
        senders.append(Sender(name, received, delay, runs, numbers, missing.get(name, 0), refused.get(name, 0)))
    return Collected(senders, None if newest is None else newest[1], 0 if newest is None else newest[0])


def _heard(found: tuple[datetime, datetime | None] | None) -> tuple[datetime | None, float | None]:
    if found is None:
        return None, None
    received, time = found
    return received, None if time is None else (received - time).total_seconds()
