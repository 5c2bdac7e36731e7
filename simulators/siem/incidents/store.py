"""What keeps alerts and decisions, and incidents read from it; PostgreSQL is one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from simulators.siem.incidents.fold import incidents
from simulators.siem.incidents.model import Choice, Decision, Raised
from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import psycopg

    from simulators.siem.incidents.model import Incident


class Store(Protocol):
    """Keeps alerts and decisions, and changes neither."""

    def alerts(self, since: datetime) -> Iterable[Raised]:
        """Yield the alerts since a time, in the order of their positions."""

    def decisions(self) -> Iterable[Decision]:
        """Yield the decisions, in the order in which they were taken."""

    def add(self, decision: Decision) -> None:
        """Add a decision."""


def read(store: Store, since: datetime) -> list[Incident]:
    """Return the incidents of which something was seen since a time."""
    return incidents(store.alerts(since), store.decisions())


class Postgres:
    """The repository's database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Use a connection of an account that may read, and add decisions."""
        self._connection = connection

    def alerts(self, since: datetime) -> Iterable[Raised]:
        """Yield the alerts since a time, in the order of their positions."""
        rows = self._connection.execute(
            "SELECT position, received, host, rule, level, fields FROM siem.alerts WHERE received >= %s"
            " ORDER BY position",
            [since],
        )
        return (
            Raised(position, received, host, rule, _level(level), fields)
            for position, received, host, rule, level, fields in rows
        )

    def decisions(self) -> Iterable[Decision]:
        """Yield the decisions, in the order in which they were taken."""
        rows = self._connection.execute("SELECT incident, choice, person, note, at FROM siem.decisions ORDER BY number")
        return (Decision(incident, Choice(choice), person, note, at) for incident, choice, person, note, at in rows)

    def add(self, decision: Decision) -> None:
        """Add a decision; the database notes when."""
        self._connection.execute(
            "INSERT INTO siem.decisions (incident, choice, person, note) VALUES (%s, %s, %s, %s)",
            [decision.incident, decision.choice, decision.person, decision.note],
        )


def _level(word: Any) -> Level:
    try:
        return Level(word)
    except ValueError:
        return Level.MEDIUM
