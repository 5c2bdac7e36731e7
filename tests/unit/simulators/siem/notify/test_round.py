"""Everybody is told once of what is due, and again when it becomes graver, whatever fails and whoever begins again."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.errors import UnreachableError
from simulators.siem import notify
from simulators.siem.notify.mail import NotTakenError
from simulators.siem.notify.notices import Notices, Recipient
from simulators.siem.notify.round import FULL, LONGEST_PAUSE, Round
from simulators.siem.notify.seen import Seen
from simulators.siem.sigma.model import Level
from tests.unit.simulators.siem.console.stored import Stored
from tests.unit.simulators.siem.notify.post import Listener
from tests.unit.simulators.siem.repository import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = Path(notify.__file__).parent / "tables.sql"
ANALYST = Recipient("mail", "k.osei@imaging.internal", "mail1", "k.osei")
OFFICER = Recipient("mail", "l.tanaka@imaging.internal", "mail1", "l.tanaka")
AWAY = UnreachableError("the mail server cannot be reached", remedy="Look.")
DAY = 86400.0


@pytest.fixture(scope="module")
def database(server: str) -> Iterator[str]:
    with own_database(server, "told") as target:
        with psycopg.connect(target, autocommit=True) as connection:
            for _ in range(2):  # any number of times
                connection.execute(TABLES.read_text())  # type: ignore[arg-type] # a file of ours
        yield target


@pytest.fixture
def stored(database: str) -> Stored:
    store = Stored(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("TRUNCATE siem.notices")
        connection.execute("UPDATE siem.noticing SET since = clock_timestamp() - interval '1 day'")
    return store


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True, options="-c role=siem-notifier") as opened:
        yield opened


class Teller:
    """The service's parts, with a clock of the test's own."""

    def __init__(self, connection: psycopg.Connection, *channels: Listener, **more: Any) -> None:
        """Begin, as the service does."""
        self.now = 100.0
        self.seen = Seen(connection, datetime.now(UTC))
        self.round = Round(Notices(connection), channels, Level.MEDIUM, lambda: self.now, **more)

    def turn(self) -> None:
        """Look, and tell."""
        self.seen.refresh()
        self.round.turn(self.seen.incidents())


def alert(stored: Stored, source: str = "10.24.99.11", **more: Any) -> int:
    subject = {"source.ip": source, "patient.id": "P0000001"}
    return stored.alert({"title": "ports scanned", "subject": subject}, of=1, **more)


def decide(stored: Stored, incident: int, choice: str) -> None:
    with psycopg.connect(stored.target, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO siem.decisions (incident, choice, person, note) VALUES (%s, %s, 'k.osei', 'seen')",
            [incident, choice],
        )


def test_everybody_is_told_once(stored: Stored, connection: psycopg.Connection) -> None:
    analyst, officer = Listener(ANALYST), Listener(OFFICER)
    number = alert(stored)
    teller = Teller(connection, analyst, officer)
    for _ in range(3):
        teller.turn()
    alert(stored, ago=10)
    teller.turn()
    assert analyst.heard == officer.heard == [(number, "high")]


def test_people_are_told_again_when_it_becomes_graver(stored: Stored, connection: psycopg.Connection) -> None:
    analyst = Listener(ANALYST)
    teller = Teller(connection, analyst)
    number = alert(stored, level="medium")
    teller.turn()
    alert(stored, level="low", ago=30)
    teller.turn()
    alert(stored, level="critical", ago=20)
    teller.turn()
    assert analyst.heard == [(number, "medium"), (number, "critical")]


@pytest.mark.parametrize(("level", "decision"), [("low", ""), ("high", "close")])
def test_what_is_not_grave_or_is_closed_is_not_told(
    stored: Stored, connection: psycopg.Connection, level: str, decision: str
) -> None:
    analyst = Listener(ANALYST)
    number = alert(stored, level=level)
    if decision:
        decide(stored, number, decision)
    Teller(connection, analyst).turn()
    assert analyst.heard == []


def test_a_restart_neither_loses_nor_repeats(stored: Stored, connection: psycopg.Connection) -> None:
    analyst, officer = Listener(ANALYST), Listener(OFFICER)
    officer.error = AWAY
    number = alert(stored)
    Teller(connection, analyst, officer).turn()
    other = alert(stored, "10.24.99.12")
    officer.error = None
    Teller(connection, analyst, officer).turn()
    assert analyst.heard == [(number, "high"), (other, "high")]
    assert officer.heard == [(number, "high"), (other, "high")]


def test_what_ends_while_somebody_is_told_is_told_again(stored: Stored, connection: psycopg.Connection) -> None:
    analyst = Listener(ANALYST)
    analyst.error = KeyboardInterrupt()  # type: ignore[assignment] # as by a signal
    number = alert(stored)
    with pytest.raises(KeyboardInterrupt):
        Teller(connection, analyst).turn()
    analyst.error = None
    Teller(connection, analyst).turn()
    assert analyst.heard == [(number, "high")]


def test_who_cannot_be_told_waits_longer_each_time_and_others_are_told(
    stored: Stored, connection: psycopg.Connection
) -> None:
    analyst, officer = Listener(ANALYST), Listener(OFFICER)
    analyst.error = AWAY
    number = alert(stored)
    teller = Teller(connection, analyst, officer)
    teller.turn()
    assert officer.heard == [(number, "high")]
    assert "k.osei@imaging.internal: the mail server cannot be reached" in teller.round.trouble
    pauses = []
    for _ in range(12):
        before = analyst.tried
        begun = teller.now
        while analyst.tried == before:
            teller.now += 0.5
            teller.turn()
        pauses.append(teller.now - begun)
    assert pauses[0] < 3 < pauses[3]
    assert LONGEST_PAUSE * 0.75 < max(pauses) < LONGEST_PAUSE * 1.25 + 1
    analyst.error = None
    teller.now += 2 * LONGEST_PAUSE
    teller.turn()
    assert (analyst.heard, teller.round.trouble, teller.round.next_turn) == ([(number, "high")], "", math.inf)


def test_what_the_other_side_never_takes_is_left(stored: Stored, connection: psycopg.Connection) -> None:
    analyst = Listener(ANALYST)
    analyst.error = NotTakenError("no", remedy="Look.")
    number = alert(stored)
    teller = Teller(connection, analyst)
    teller.turn()
    analyst.error = None
    other = alert(stored, "10.24.99.12")
    teller.turn()
    Teller(connection, analyst).turn()
    assert (analyst.heard, analyst.tried) == ([(other, "high")], 2)
    assert stored.rows("SELECT incident, outcome FROM siem.notices ORDER BY 1") == [
        (number, "refused"),
        (other, "told"),
    ]


def test_a_flood_of_incidents_is_no_flood_of_mail(stored: Stored, connection: psycopg.Connection) -> None:
    analyst = Listener(ANALYST)
    for number in range(8):
        alert(stored, f"10.24.99.{number}", level="medium")
    grave = alert(stored, "10.24.99.99", level="critical")
    teller = Teller(connection, analyst, most_an_hour=3)
    for _ in range(3):
        teller.turn()
    assert (len(analyst.heard), analyst.heard[0]) == (1 + 3, (grave, "critical"))
    assert teller.round.next_turn == teller.now + FULL
    graver = alert(stored, "10.24.99.98", level="critical")
    teller.turn()
    assert analyst.heard[-1] == (graver, "critical"), "what is graver waits for nothing that is less grave"
    with psycopg.connect(stored.target, autocommit=True) as superuser:
        superuser.execute("UPDATE siem.notices SET at = at - interval '2 hours'")
    teller.turn()
    assert len(analyst.heard) == 5 + 3


def test_an_incident_has_one_number_however_long_it_lasts(stored: Stored, connection: psycopg.Connection) -> None:
    """What began before the time since which people are told is known by its first alert nevertheless."""
    first = alert(stored, ago=DAY + 3 * 3000)
    for number in range(1, 32):
        alert(stored, ago=DAY + 3 * 3000 - number * 3000)
    analyst = Listener(ANALYST)
    teller = Teller(connection, analyst)
    teller.turn()
    teller.seen.let_go(datetime.now(UTC), teller.round.is_needed)
    alert(stored, level="critical", ago=1)
    teller.turn()
    assert analyst.heard == [(first, "high"), (first, "critical")]


def test_what_was_over_before_is_not_told(stored: Stored, connection: psycopg.Connection) -> None:
    alert(stored, ago=DAY + 60)
    analyst = Listener(ANALYST)
    Teller(connection, analyst).turn()
    assert analyst.heard == []


def test_what_is_over_is_let_go_of(stored: Stored, connection: psycopg.Connection) -> None:
    analyst = Listener(ANALYST)
    alert(stored, "10.24.99.1", ago=4 * 3600)
    waiting = alert(stored, "10.24.99.2", ago=3 * 3600)
    teller = Teller(connection, analyst, most_an_hour=1)
    teller.turn()
    teller.seen.let_go(datetime.now(UTC) + timedelta(seconds=1), teller.round.is_needed)
    teller.seen.refresh()
    assert [one.number for one in teller.seen.incidents()] == [waiting]


def test_the_notifier_reads_no_event_and_changes_nothing(stored: Stored, connection: psycopg.Connection) -> None:
    alert(stored)
    for statement in (
        "SELECT fields FROM siem.events",
        "DELETE FROM siem.notices",
        "UPDATE siem.notices SET outcome = 'told'",
        "UPDATE siem.noticing SET since = now()",
        "INSERT INTO siem.decisions (incident, choice, person, note) VALUES (1, 'close', 'x', 'x')",
        "INSERT INTO siem.notices VALUES (1, 'high', 'mail', 'x', 'told', now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # type: ignore[arg-type] # of tests
