"""Records in the repository's database, as the core would have stored them, for the console to show."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from simulators.siem import console

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = Path(console.__file__).parent / "tables.sql"
RUN = "0b4ec0b1-1111-4111-8111-000000000001"
COLUMNS = {
    "code": "event.code",
    "action": "event.action",
    "outcome": "event.outcome",
    "person": "user.name",
    "patient": "patient.id",
    "accession": "dicom.accession",
    "study": "dicom.study_uid",
}


def make_tables(target: str) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(TABLES.read_text())  # type: ignore[arg-type] # a file of ours


def as_console(target: str) -> str:
    """The same database, opened as the console opens it."""
    return psycopg.conninfo.make_conninfo(target, options="-c role=siem-console")


class Stored:
    """Adds records; each a batch of its own."""

    def __init__(self, target: str) -> None:
        """Empty this database, and add to it as its superuser."""
        self.target = target
        self._position = 0
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(
                "TRUNCATE siem.events, siem.messages, siem.quarantine, siem.alerts, siem.batches, siem.progress,"
                " siem.gaps, siem.late, siem.decisions"
            )
            for back in (0, 1, 2):
                connection.execute("SELECT siem.make_day(current_date - %s::integer)", [back])

    def event(self, fields: dict[str, Any], *, host: str = "pacs-rad", ago: float = 60.0, text: str = "") -> int:
        """Add an event that came some seconds ago; return its position."""
        received = datetime.now(UTC) - timedelta(seconds=ago)
        told = {"@timestamp": _stamp(received - timedelta(seconds=1)), "host.name": host} | fields
        values = {column: told.get(name) for column, name in COLUMNS.items()}
        names = ", ".join(values)
        self._add(
            received,
            f'INSERT INTO siem.events (position, received, run, number, "time", host, {names}, fields)'  # noqa: S608
            f" VALUES (%s, %s, %s, %s, %s, %s, {', '.join(['%s'] * len(values))}, %s)",
            [RUN, self._position + 1, told["@timestamp"], host, *values.values(), text or json.dumps(told)],
        )
        return self._position

    def alert(
        self,
        fields: dict[str, Any],
        of: int,
        *,
        rule: str = "r1",
        level: str = "high",
        host: str = "pacs-rad",
        ago: float = 60.0,
    ) -> int:
        """Add an alert about an event; return its position."""
        self._add(
            datetime.now(UTC) - timedelta(seconds=ago),
            "INSERT INTO siem.alerts (position, received, host, rule, level, of, fields)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [host, rule, level, of, json.dumps(fields)],
        )
        return self._position

    def sent(self, host: str, last: int, missing: tuple[int, int] | None = None) -> None:
        """Note how far a host's run has come."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute("INSERT INTO siem.progress VALUES (%s, %s, %s, 1)", [host, RUN, last])
            if missing:
                connection.execute("INSERT INTO siem.gaps VALUES (%s, %s, %s, %s, now())", [host, RUN, *missing])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is stored, as the superuser sees it."""
        with psycopg.connect(self.target) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type] # of tests

    def _add(self, received: datetime, statement: str, values: list[Any]) -> None:
        self._position += 1
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute(statement, [self._position, received, *values])  # type: ignore[arg-type] # of tests
            connection.execute(
                "INSERT INTO siem.batches VALUES (%s, %s, 1, %s, %s, '', '', '', '', '')",
                [self._position, self._position, received, received],
            )


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


PATIENT, ACCESSION, STUDY = "P0000042", "A0000007", "1.2.840.42.7"
ABOUT = {"patient.id": PATIENT, "dicom.accession": ACCESSION, "dicom.study_uid": STUDY}


def told(action: str, outcome: str = "success", **more: Any) -> dict[str, Any]:
    """Fields of an event; names with ``__`` for a dot."""
    given = {name.replace("__", "."): value for name, value in more.items()}
    words = {"success": "success", "refused": "failure", "failed": "failure", "waiting": "unknown"}
    return {
        "event.dataset": "dicom.audit",
        "event.action": action,
        "event.outcome": words[outcome],
        "pacslab.outcome": outcome,
        "event.code": "110103",
        **given,
    }


def course() -> Iterator[tuple[str, float, dict[str, Any]]]:
    """An examination's events at each system: host, seconds ago, fields."""
    yield "ehr1", 3000, told("order", user__name="n.okafor", patient__id=PATIENT, dicom__accession=ACCESSION)
    yield "ris1", 2990, told("receive", hl7__message_type="ORM^O01", patient__id=PATIENT, dicom__accession=ACCESSION)
    yield "ris1", 2600, told("schedule", user__name="m.silva", **_about(), ihe__transaction="RAD-4")
    yield "ct1", 2400, told("query", user__name="m.silva", ihe__transaction="RAD-5", dicom__accession=ACCESSION)
    yield "ct1", 2000, told("acquire", user__name="m.silva", **_about())
    yield "pacs-rad", 1900, told("receive-images", source__domain="ct1", **_about(), dicom__instances=120)
    yield "vna1", 1800, told("receive-images", source__domain="pacs-rad", **_about(), dicom__instances=120)
    yield "web1", 1200, told("person-views", user__name="a.rivera", **_about(), ihe__transaction="WADO-RS")
    yield "ws-rad1", 900, told("report", user__name="a.rivera", **_about(), ihe__transaction="RAD-24")
    yield "web1", 600, told("person-views", "refused", user__name="j.novak", event__reason="no-relation", **_about())
    yield "pacs-rad", 500, told("retrieve", "failed", dicom__study_uid=STUDY, source__domain="ws-rad1")
    yield "ehr1", 300, told("receive", hl7__message_type="ORU^R01", patient__id=PATIENT, dicom__accession=ACCESSION)


def _about() -> dict[str, str]:
    return {name.replace(".", "__"): value for name, value in ABOUT.items()}


ALERT = {
    "rule": "e5eabfd3",
    "file": "watched-patient-off-hours",
    "title": "Somebody looks at a well-known patient off hours",
    "level": "high",
    "time": "2026-01-05T22:12:44.310Z",
    "subject": {"user.name": "n.okafor", "patient.id": PATIENT},
    "attack": ["T1213"],
    "abuse": ["A22"],
    "control": ["PR.AC-4"],
    "respond": "The privacy officer asks the person.",
    "facts": {"count": 3, "values": [STUDY]},
    "repeated": 0,
    "summary": f"Somebody looks: n.okafor, {PATIENT}",
    "events": [],
}
