"""How many: records over time, events by host, alerts by their level. Counts alone, of everything that is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, LiteralString

from simulators.siem.console.queries.alerts import LEVELS

if TYPE_CHECKING:
    import psycopg

    from simulators.siem.console.clearance import Clearance
    from simulators.siem.console.queries.place import Window

SPANS: dict[str, tuple[timedelta, timedelta]] = {
    "hour": (timedelta(hours=1), timedelta(minutes=1)),
    "day": (timedelta(days=1), timedelta(minutes=30)),
    "week": (timedelta(days=7), timedelta(hours=4)),
}
"""Times that can be looked at, each with the length of its parts."""


@dataclass(frozen=True)
class Counts:
    """Counts of a time, part by part.

    Attributes:
        parts: when each part begins.
        records: events of each part, and what was kept apart.
        alerts: alerts of each part, by level.
        hosts: events of the whole time by host, most first.
    """

    parts: list[datetime]
    records: list[int]
    alerts: dict[str, list[int]] = field(default_factory=dict)
    hosts: list[tuple[str, int]] = field(default_factory=list)


def counts(connection: psycopg.Connection, clearance: Clearance, window: Window, part: timedelta) -> Counts:
    """Count what was received; indexes alone are read."""
    clearance.needs("collection")
    begin, end = _floor(window.since, part), window.end
    parts = [begin + number * part for number in range((end - begin) // part + 1)]
    places = {when: place for place, when in enumerate(parts)}
    alerts = {level: [0] * len(parts) for level in LEVELS}
    for when, level, number in connection.execute(
        "SELECT date_bin(%s, received, %s) AS part, level, count(*) FROM siem.alerts"
        " WHERE received >= %s AND received <= %s GROUP BY part, level",
        [part, begin, begin, end],
    ):
        if level in alerts:
            alerts[level][places[when]] = number
    hosts = connection.execute(
        "SELECT host, count(*) FROM siem.events WHERE received >= %s AND received <= %s GROUP BY host"
        " ORDER BY count(*) DESC, host LIMIT 40",
        [begin, end],
    ).fetchall()
    numbered = _numbered(connection, parts, part, end)
    alerted = [sum(values[place] for values in alerts.values()) for place in range(len(parts))]
    records = [max(0, number - alert) for number, alert in zip(numbered, alerted, strict=True)]
    return Counts(parts, records, alerts, [(host, number) for host, number in hosts])


_ENDS: LiteralString = " UNION ALL".join(
    f" (SELECT position FROM siem.{table} WHERE received >= %(begin)s AND received <= %(end)s"  # noqa: S608 - as listed
    f" AND received >= part AND received < part + %(length)s ORDER BY received {way}, position {way} LIMIT 1)"
    for table in ("events", "quarantine", "alerts")
    for way in ("ASC", "DESC")
)
"""Of each kind of record the first and the last of a part."""


def _numbered(connection: psycopg.Connection, parts: list[datetime], length: timedelta, end: datetime) -> list[int]:
    """Return how many records of any kind came in each part.

    All records are numbered together in the order in which they came, so that the first and the last of a part tell it:
    a few looks into indexes, however many records there are.
    """
    rows = connection.execute(
        f"SELECT (SELECT max(position) - min(position) + 1 FROM ({_ENDS}) AS ends)"  # noqa: S608 - of the table above
        " FROM unnest(%(parts)s::timestamptz[]) WITH ORDINALITY AS parts (part, place) ORDER BY place",
        {"parts": parts, "begin": parts[0], "end": end, "length": length},
    ).fetchall()
    return [int(number or 0) for (number,) in rows]


def _floor(when: datetime, part: timedelta) -> datetime:
    """The beginning of a part, counted from midnight UTC."""
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (when - midnight) // part * part
