"""Alerts as they were stored, and as a person may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.siem.console.masking import Masked, of_alert
from simulators.siem.console.queries.place import PAGE, Place
from simulators.siem.console.queries.stored import fields_of
from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from simulators.siem.console.clearance import Clearance
    from simulators.siem.console.queries.place import Window

LEVELS = tuple(map(str, Level))
"""In their order."""


@dataclass(frozen=True)
class Alert:
    """An alert as a person may see it.

    Attributes:
        place: where it stands.
        host: the host that told what it is about.
        rule: id of the rule.
        level: how grave it is.
        about: position of the event that raised it.
        masked: what it says.
    """

    place: Place
    host: str
    rule: str
    level: str
    about: int
    masked: Masked

    @property
    def title(self) -> str:
        """What happened, in the rule's words."""
        return self.masked.get("title") or self.masked.get("message") or self.rule

    @property
    def subject(self) -> dict[str, str]:
        """Who or what it is about, by fields, as far as the person may see it."""
        given = self.masked.fields.get("subject")
        return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}

    @property
    def facts(self) -> dict[str, Any]:
        """What else was found: how many, a baseline."""
        given = self.masked.fields.get("facts")
        return given if isinstance(given, dict) else {}


def newest(
    connection: psycopg.Connection,
    clearance: Clearance,
    window: Window,
    before: Place | None = None,
    limit: int = PAGE,
) -> list[Alert]:
    """Return alerts of a time, the newest first."""
    clearance.needs("events")
    end = before or Place(window.end, 2**62)
    rows = connection.execute(
        "SELECT position, received, host, rule, level, of, fields::text FROM siem.alerts"
        " WHERE received >= %s AND received <= %s AND (received, position) < (%s, %s)"
        " ORDER BY received DESC, position DESC LIMIT %s",
        [window.since, end.received, end.received, end.position, limit],
    ).fetchall()
    return [_made(row, clearance) for row in rows]


def newer(connection: psycopg.Connection, clearance: Clearance, after: Place, limit: int = PAGE) -> list[Alert]:
    """Return the alerts after a place, the newest first."""
    clearance.needs("events")
    rows = connection.execute(
        "SELECT position, received, host, rule, level, of, fields::text FROM siem.alerts"
        " WHERE received >= %s AND (received, position) > (%s, %s) ORDER BY received DESC, position DESC LIMIT %s",
        [after.received, after.received, after.position, limit],
    ).fetchall()
    return [_made(row, clearance) for row in rows]


def at(
    connection: psycopg.Connection, clearance: Clearance, positions: Sequence[int], first: datetime, last: datetime
) -> list[Alert]:
    """Return the alerts of these positions, which were received between two times, the newest first."""
    clearance.needs("events")
    rows = connection.execute(
        "SELECT position, received, host, rule, level, of, fields::text FROM siem.alerts"
        " WHERE received BETWEEN %s AND %s AND position = ANY(%s) ORDER BY received DESC, position DESC",
        [first, last, list(positions)],
    ).fetchall()
    return [_made(row, clearance) for row in rows]


def _made(row: tuple[Any, ...], clearance: Clearance) -> Alert:
    position, received, host, rule, level, about, text = row
    fields = fields_of(text)
    return Alert(
        Place(received, position), host, rule, level, about,
        of_alert(fields, clearance),
    )  # fmt: skip
