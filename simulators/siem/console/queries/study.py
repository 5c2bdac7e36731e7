"""Who saw a study: everything that is stored of it, of every system, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.siem.console.queries.events import COLUMNS, made
from simulators.siem.store.rows import LONGEST_KEY

if TYPE_CHECKING:
    import psycopg

    from simulators.siem.console.clearance import Clearance
    from simulators.siem.console.queries.events import Event
    from simulators.siem.console.queries.place import Window

MOST = 1_000
"""Events of a study that are shown, the newest."""


@dataclass(frozen=True)
class Person:
    """What somebody did with a study."""

    name: str
    deeds: dict[str, int]
    """How often, by action."""
    hosts: list[str]
    first: str
    last: str
    refused: int


@dataclass(frozen=True)
class History:
    """A study's history.

    Attributes:
        accessions: accession numbers that it has.
        studies: Study Instance UIDs that it has.
        patients: identifiers of its patient.
        events: the oldest first.
        cut: there are more.
    """

    accessions: list[str]
    studies: list[str]
    patients: list[str]
    events: list[Event]
    cut: bool = False

    def people(self) -> list[Person]:
        """Everybody who did something with it, who did most first."""
        by_name: dict[str, list[Event]] = {}
        for event in self.events:
            if name := event.get("user.name"):
                by_name.setdefault(name, []).append(event)
        found = [_person(name, events) for name, events in by_name.items()]
        return sorted(found, key=lambda person: (-sum(person.deeds.values()), person.name))

    def hosts(self) -> list[str]:
        """The systems that told something of it, in the order of their first word."""
        return list(dict.fromkeys(event.host for event in self.events))


def history(connection: psycopg.Connection, clearance: Clearance, window: Window, key: str) -> History:
    """Return what is stored of a study, by its accession number or its Study Instance UID.

    Events carry one of them or both: what stands together in one event is the same study.

    Raises:
        DeniedError: the person may not read what tells of patients.
    """
    clearance.needs("events", "patients")
    key = key[:LONGEST_KEY]
    pairs = connection.execute(
        "SELECT DISTINCT accession, study FROM (SELECT accession, study FROM siem.events WHERE accession = %(key)s"
        " AND received >= %(since)s AND received < %(until)s UNION ALL SELECT accession, study FROM siem.events"
        " WHERE study = %(key)s AND received >= %(since)s AND received < %(until)s) AS told",
        {"key": key, "since": window.since, "until": window.end},
    ).fetchall()
    accessions = sorted({accession for accession, _ in pairs if accession})
    studies = sorted({study for _, study in pairs if study})
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM (SELECT position, received, host, fields FROM siem.events"  # noqa: S608
        " WHERE accession = ANY(%(accessions)s) AND received >= %(since)s AND received < %(until)s UNION"
        " ALL SELECT position, received, host, fields FROM siem.events"
        " WHERE study = ANY(%(studies)s) AND (accession IS NULL OR NOT accession = ANY(%(accessions)s))"
        " AND received >= %(since)s AND received < %(until)s) AS told"
        " ORDER BY received DESC, position DESC LIMIT %(most)s",
        {
            "accessions": accessions,
            "studies": studies,
            "since": window.since,
            "until": window.end,
            "most": MOST + 1,
        },
    ).fetchall()
    events = sorted((made(row, clearance) for row in rows[:MOST]), key=lambda event: (event.time, event.place))
    patients = sorted({patient for event in events if (patient := event.get("patient.id"))})
    return History(accessions, studies, patients, events, len(rows) > MOST)


def _person(name: str, events: list[Event]) -> Person:
    deeds: dict[str, int] = {}
    for event in events:
        action = event.get("event.action")
        deeds[action] = deeds.get(action, 0) + 1
    hosts = list(dict.fromkeys(event.host for event in events))
    refused = sum(event.get("event.outcome") == "failure" for event in events)
    return Person(name, deeds, hosts, events[0].time, events[-1].time, refused)
