"""Incidents: alerts of one rule about one subject, with what people have said of them.

An incident is open until somebody closes it with a note; an alert that comes afterwards opens another of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError, NotFoundError
from simulators.siem.console.clearance import Clearance
from simulators.siem.console.queries import alerts as stored
from simulators.siem.console.queries.place import Window

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from simulators.siem.console.queries.alerts import Alert

SPAN = timedelta(days=30)
"""How far back incidents are made of alerts."""
MOST = 5_000
"""Alerts that are looked at, the newest."""
LONGEST = 2_000
"""Characters of a note."""
_COUNTS = Clearance(events=True)
"""To count alerts; what is read for that goes no further."""


class Deed(StrEnum):
    """What somebody does to an incident."""

    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    CLOSE = "close"


class State(StrEnum):
    """How an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True)
class Note:
    """What somebody said of an incident; `text` is None where it may tell of a patient and the reader may not know."""

    incident: str
    upto: int
    at: datetime
    person: str
    deed: Deed
    text: str | None


@dataclass(frozen=True)
class Said:
    """What somebody says of an incident: of its alerts until `upto`, which is the newest that the person has seen."""

    person: str
    deed: Deed
    upto: int
    text: str


@dataclass(frozen=True)
class Incident:
    """An incident.

    Attributes:
        key: what its alerts have in common.
        alerts: the newest first; of a closed incident those until it was closed.
        notes: the oldest first.
    """

    key: str
    alerts: list[Alert]
    notes: list[Note] = field(default_factory=list)

    @property
    def state(self) -> State:
        """How it stands: what was said before its alerts came does not count for them."""
        newest = self.alerts[0].place.position
        if any(note.deed is Deed.CLOSE and note.upto >= newest for note in self.notes):
            return State.CLOSED
        first = self.open_alerts[-1].place.position
        acknowledged = any(note.deed is Deed.ACKNOWLEDGE and note.upto >= first for note in self.notes)
        return State.ACKNOWLEDGED if acknowledged else State.OPEN

    @property
    def open_alerts(self) -> list[Alert]:
        """Its alerts since it was last closed; all where it is closed."""
        closed = max((note.upto for note in self.notes if note.deed is Deed.CLOSE), default=0)
        return [alert for alert in self.alerts if alert.place.position > closed] or self.alerts

    @property
    def unseen(self) -> int:
        """Alerts that came after anybody last said something."""
        seen = max((note.upto for note in self.notes), default=0)
        return sum(alert.place.position > seen for alert in self.alerts)

    @property
    def gravest(self) -> Alert:
        """Of the alerts that count the gravest, and of these the newest."""
        return max(self.open_alerts, key=lambda alert: (alert.gravity, alert.place))


@dataclass(frozen=True)
class Incidents:
    """Incidents; `cut` where there are more alerts than are looked at."""

    incidents: list[Incident]
    cut: bool = False

    def standing(self) -> list[Incident]:
        """Those that nobody has closed: the gravest first, then the newest."""
        left = [incident for incident in self.incidents if incident.state is not State.CLOSED]
        return sorted(left, key=lambda one: (one.gravest.gravity, one.alerts[0].place), reverse=True)

    def closed(self) -> list[Incident]:
        """Those that are closed, the newest first."""
        return [incident for incident in self.incidents if incident.state is State.CLOSED]


def recent(connection: psycopg.Connection, clearance: Clearance) -> Incidents:
    """Return the incidents of the last days, that of the newest alert first."""
    found = stored.newest(connection, clearance, Window.last(SPAN), limit=MOST)
    by_key: dict[str, list[Alert]] = {}
    for alert in found:
        by_key.setdefault(alert.incident, []).append(alert)
    notes = _notes(connection, clearance, list(by_key))
    return Incidents([Incident(key, of, notes.get(key, [])) for key, of in by_key.items()], len(found) == MOST)


def hosts_in_alert(connection: psycopg.Connection, clearance: Clearance) -> dict[str, dict[str, int]]:
    """Return for each host how many alerts of which level are of incidents that are not closed; nothing else."""
    clearance.needs("collection")
    found: dict[str, dict[str, int]] = {}
    for incident in recent(connection, _COUNTS).standing():
        for alert in incident.open_alerts:
            levels = found.setdefault(alert.host, {})
            levels[alert.level] = levels.get(alert.level, 0) + 1
    return found


def one(connection: psycopg.Connection, clearance: Clearance, key: str) -> Incident:
    """Return an incident.

    Raises:
        NotFoundError: there is none.
    """
    found = next((incident for incident in recent(connection, clearance).incidents if incident.key == key), None)
    if found is None:
        raise NotFoundError(
            f"There is no such incident in the last {SPAN.days} days.", remedy="Look at the list of incidents."
        )
    return found


def say(connection: psycopg.Connection, clearance: Clearance, incident: Incident, said: Said) -> None:
    """Add what somebody says of an incident.

    Raises:
        DeniedError: the person may not.
        ArgumentError: nothing is said, or too much; or of no alert of the incident.
    """
    clearance.needs("handles")
    text = said.text.strip().replace("\0", " ")
    if not text or len(text) > LONGEST:
        raise ArgumentError(
            f"A note has 1 to {LONGEST} characters.", remedy="Say in a sentence what you found, and what was done."
        )
    if said.upto not in {alert.place.position for alert in incident.alerts}:
        raise ArgumentError("That is no alert of this incident.", remedy="Open the incident again.")
    connection.execute(
        "INSERT INTO siem.notes (incident, upto, person, action, text, patients) VALUES (%s, %s, %s, %s, %s, %s)",
        [incident.key, said.upto, said.person, str(said.deed), text, clearance.patients],
    )


def _notes(connection: psycopg.Connection, clearance: Clearance, keys: list[str]) -> dict[str, list[Note]]:
    """Notes by incident; who sees patients' data may have put it into a note, so such a note is for the same eyes."""
    rows = connection.execute(
        "SELECT incident, upto, at, person, action, CASE WHEN %s OR NOT patients THEN text END"
        " FROM siem.notes WHERE incident = ANY(%s) ORDER BY number",
        [clearance.patients, keys],
    ).fetchall()
    notes: dict[str, list[Note]] = {}
    for incident, upto, at, person, action, text in rows:
        notes.setdefault(incident, []).append(Note(incident, upto, at, person, Deed(action), text))
    return notes
