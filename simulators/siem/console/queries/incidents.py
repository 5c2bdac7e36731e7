"""Incidents as :mod:`simulators.siem.incidents` makes them of alerts and decisions, for the person who asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError, NotFoundError
from simulators.siem.console.clearance import Clearance
from simulators.siem.console.masking import OPEN
from simulators.siem.console.queries import alerts as stored
from simulators.siem.incidents import decide
from simulators.siem.incidents.model import GRAVITY, Choice, State
from simulators.siem.incidents.store import Postgres, read

if TYPE_CHECKING:
    import psycopg

    from simulators.siem.console.queries.alerts import Alert
    from simulators.siem.incidents.model import Incident

SPAN = timedelta(days=30)
"""How far back incidents are made of alerts."""
MOST = 3_000
"""Alerts that incidents are made of, the newest."""
SHOWN = 100
"""Alerts of an incident that are shown, the newest."""
WITHHELD = ""
"""Instead of a note that may tell of a patient."""
_COUNTS = Clearance(events=True)
"""To count alerts; what is read for that goes no further."""


@dataclass(frozen=True)
class Incidents:
    """Incidents; `cut` where there are more alerts than they are made of."""

    incidents: list[Incident]
    cut: bool = False

    def standing(self) -> list[Incident]:
        """Those that nobody has closed: the gravest first, then the newest."""
        left = [incident for incident in self.incidents if incident.state is not State.CLOSED]
        return sorted(left, key=lambda one: (GRAVITY[one.level], one.last, one.number), reverse=True)

    def closed(self) -> list[Incident]:
        """Those that are closed, the newest first."""
        return [incident for incident in reversed(self.incidents) if incident.state is State.CLOSED]


@dataclass(frozen=True)
class Case:
    """An incident with its newest alerts."""

    incident: Incident
    alerts: list[Alert]

    @property
    def choices(self) -> list[Choice]:
        """What may be decided about it."""
        return [choice for choice in Choice if choice in decide.ALLOWED[self.incident.state]]

    @property
    def newest(self) -> int:
        """Position of its newest alert."""
        return max(self.incident.alerts)


def recent(connection: psycopg.Connection, clearance: Clearance) -> Incidents:
    """Return the incidents of the last days, the one that was seen last at the end.

    Raises:
        DeniedError: the person may not read alerts.
    """
    clearance.needs("events")
    since, cut = _since(connection)
    private = set() if clearance.patients else _private(connection)
    return Incidents([_masked(incident, private, clearance) for incident in read(Postgres(connection), since)], cut)


def hosts_in_alert(connection: psycopg.Connection, clearance: Clearance) -> dict[str, dict[str, int]]:
    """Return for each host how many alerts of which level are of incidents that are not closed; nothing else."""
    clearance.needs("collection")
    positions = {position for incident in recent(connection, _COUNTS).standing() for position in incident.alerts}
    since, _ = _since(connection)
    found: dict[str, dict[str, int]] = {}
    for position, host, level in connection.execute(
        "SELECT position, host, level FROM siem.alerts WHERE received >= %s", [since]
    ):
        if position in positions:
            levels = found.setdefault(host, {})
            levels[level] = levels.get(level, 0) + 1
    return found


def case(connection: psycopg.Connection, clearance: Clearance, number: int) -> Case:
    """Return an incident with its newest alerts.

    Raises:
        NotFoundError: there is none of this number.
    """
    found = next((one for one in recent(connection, clearance).incidents if one.number == number), None)
    if found is None:
        raise _no_such(number)
    return Case(found, stored.at(connection, clearance, found.alerts[-SHOWN:], found.first, found.last))


def of_alert(connection: psycopg.Connection, clearance: Clearance, position: int) -> int:
    """Return the number of the incident that an alert is of.

    Raises:
        NotFoundError: there is no such alert.
    """
    for incident in recent(connection, clearance).incidents:
        if position in incident.alerts:
            return incident.number
    raise _no_such(position)


@dataclass(frozen=True)
class Said:
    """What somebody decides about an incident, of which the alerts until `seen` were in front of the person."""

    person: str
    choice: Choice
    seen: int
    note: str


def say(connection: psycopg.Connection, clearance: Clearance, number: int, said: Said) -> None:
    """Add a decision.

    Raises:
        DeniedError: the person may not.
        NotFoundError: there is no such incident.
        ArgumentError: its state does not allow it, it is not said why, or more has happened meanwhile.
    """
    clearance.needs("handles")
    known = recent(connection, clearance).incidents
    decided = decide.decide(
        known, number, said.choice, person=said.person, note=said.note.replace("\0", " "), at=datetime.now(UTC)
    )
    newest = max(next(incident for incident in known if incident.number == number).alerts)
    if newest > said.seen:
        raise ArgumentError("More has happened since you opened the incident.", remedy="Look at it again.")
    connection.execute(
        "INSERT INTO siem.decisions (incident, choice, person, note, patients) VALUES (%s, %s, %s, %s, %s)",
        [decided.incident, decided.choice, decided.person, decided.note, clearance.patients],
    )


def _since(connection: psycopg.Connection) -> tuple[datetime, bool]:
    """How far back incidents are made, and whether that is for there being so many alerts."""
    begin = datetime.now(UTC) - SPAN
    row = connection.execute(
        "SELECT received FROM siem.alerts WHERE received >= %s ORDER BY received DESC, position DESC OFFSET %s LIMIT 1",
        [begin, MOST],
    ).fetchone()
    return (begin, False) if row is None else (row[0], True)


def _private(connection: psycopg.Connection) -> set[tuple[int, datetime]]:
    """Decisions whose notes may tell of patients, by incident and time."""
    rows = connection.execute("SELECT incident, at FROM siem.decisions WHERE patients").fetchall()
    return {(incident, at) for incident, at in rows}


def _masked(incident: Incident, private: set[tuple[int, datetime]], clearance: Clearance) -> Incident:
    """An incident without the notes of those who see patients' data, and without an actor that tells of a patient."""
    if clearance.patients:
        return incident
    decisions = tuple(
        replace(one, note=WITHHELD) if (one.incident, one.at) in private else one for one in incident.decisions
    )
    name, value = incident.actor
    return replace(incident, decisions=decisions, actor=(name, value if name in OPEN else "withheld"))


def _no_such(number: int) -> NotFoundError:
    return NotFoundError(
        f"There is no incident {number} of the last {SPAN.days} days.", remedy="Look at the list of incidents."
    )
