"""Follows alerts and decisions, so that incidents are the same whenever the service has begun.

An incident's number is the position of its first alert. So what is read begins where no incident is under way: alerts
of one are an hour apart at most.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulators.siem.incidents.fold import PAUSE, actor_of, incidents
from simulators.siem.incidents.store import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from simulators.siem.incidents.model import Decision, Incident, Raised

KEEP = timedelta(days=30)
"""How far back it looks at a start: of what nobody could be told for longer, nobody is."""
STEP = timedelta(days=1)
MOST = 50_000
"""Alerts that are held at most; beyond, an incident that goes on begins where what is held does."""
OVER = timedelta(hours=2)
"""After which an incident in which nothing happens can grow no more, and is let go of."""


class Seen:
    """The alerts and decisions that matter now."""

    def __init__(self, connection: psycopg.Connection, now: datetime) -> None:
        """Begin at the time since which people are told, no more than :data:`KEEP` ago."""
        self._connection, self._store = connection, Postgres(connection)
        row = connection.execute("SELECT since FROM siem.noticing").fetchone()
        self.since: datetime = max(row[0], now - KEEP) if row else now
        self._alerts: list[Raised] = []
        self._decisions: list[Decision] = []
        self._newest: int | None = None
        self._received, self._position = self._beginning(self.since), -1

    def refresh(self) -> bool:
        """Read what has come since; tell whether anything has."""
        fresh = [alert for alert in self._store.alerts(self._received) if alert.position > self._position]
        if fresh:
            self._alerts = (self._alerts + fresh)[-MOST:]
            self._received, self._position = fresh[-1].received, fresh[-1].position
        (newest,) = self._connection.execute("SELECT max(number) FROM siem.decisions").fetchone() or (None,)
        decided = newest != self._newest
        if decided:
            self._newest, self._decisions = newest, list(self._store.decisions())
        return bool(fresh) or decided

    def incidents(self) -> list[Incident]:
        """Return the incidents in which something happened since people are told."""
        return [one for one in incidents(self._alerts, self._decisions) if one.last >= self.since]

    def let_go(self, now: datetime, is_needed: Callable[[Incident], bool]) -> None:
        """Forget the alerts of incidents that can grow no more and that nobody is still to be told of."""
        kept: dict[tuple[str, str], datetime] = {}
        for one in incidents(self._alerts, self._decisions):
            if now - one.last < OVER or (one.last >= self.since and is_needed(one)):
                kept.setdefault(one.actor, one.first)
        self._alerts = [alert for alert in self._alerts if alert.received >= kept.get(actor_of(alert), now)]

    def _beginning(self, since: datetime) -> datetime:
        """Return a time no later than `since` before which no alert came for a while, as far back as there are some."""
        begin = since
        while self._is_under_way(begin):
            begin -= STEP
        return begin

    def _is_under_way(self, begin: datetime) -> bool:
        """Whether alerts came shortly before, and more than these."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT FROM siem.alerts WHERE received >= %s AND received < %s),"
            " (SELECT count(*) FROM siem.alerts WHERE received >= %s)",
            [begin - PAUSE, begin, begin],
        ).fetchone()
        return bool(row and row[0] and row[1] < MOST)
