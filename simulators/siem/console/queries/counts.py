"""How many: events over time and by host, alerts by their level. Counts alone, of everything that is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

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
        events: events of each part.
        alerts: alerts of each part, by level.
        hosts: events of the whole time by host, most first.
    """

    parts: list[datetime]
    events: list[int]
    alerts: dict[str, list[int]] = field(default_factory=dict)
    hosts: list[tuple[str, int]] = field(default_factory=list)


def counts(connection: psycopg.Connection, clearance: Clearance, window: Window, part: timedelta) -> Counts:
    """Count what was received; the index of time alone is read."""
    clearance.needs("collection")
    begin, end = _floor(window.since, part), window.end
    parts = [begin + number * part for number in range((end - begin) // part + 1)]
    places = {when: place for place, when in enumerate(parts)}
    events = [0] * len(parts)
    for when, number in connection.execute(
        "SELECT date_bin(%s, received, %s) AS part, count(*) FROM siem.events"
        " WHERE received >= %s AND received <= %s GROUP BY part",
        [part, begin, begin, end],
    ):
        events[places[when]] = number
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
    return Counts(parts, events, alerts, [(host, number) for host, number in hosts])


def _floor(when: datetime, part: timedelta) -> datetime:
    """The beginning of a part, counted from midnight UTC."""
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (when - midnight) // part * part
