"""Incidents are acknowledged and closed with a note by whoever may, from a page of the console alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.siem.console.queries import incidents
from tests.unit.simulators.siem.console.conftest import ORIGIN
from tests.unit.simulators.siem.console.stored import ALERT, as_console, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from tests.unit.simulators.siem.console.stored import Stored

    Opened = Callable[[str], TestClient]


@pytest.fixture
def raised(stored: Stored) -> Stored:
    """An alert, and so incident 2."""
    at = stored.event(told("person-views", user__name="n.okafor"), host="web1")
    stored.alert(ALERT, at, host="web1", ago=50)
    return stored


def numbers(client: TestClient) -> list[int]:
    return [int(number) for number in re.findall(r'href="/incidents/(\d+)"', client.get("/incidents").text)]


def form_of(client: TestClient, number: int, choice: str, note: str = "It was me.") -> dict[str, str]:
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(f"/incidents/{number}").text))
    return hidden | {"choice": choice, "note": note}


def say(client: TestClient, number: int, choice: str, note: str = "It was me.") -> int:
    form = form_of(client, number, choice, note)
    return client.post(f"/incidents/{number}", data=form, headers={"Origin": ORIGIN}).status_code


def state(client: TestClient, number: int) -> str:
    found: list[str] = re.findall(r'class="word (open|acknowledged|closed)"', client.get(f"/incidents/{number}").text)
    return found[0]


@pytest.mark.usefixtures("raised")
def test_an_incident_goes_from_open_to_closed_and_back_each_with_a_note(
    opened: Opened, events: list[dict[str, Any]]
) -> None:
    client, seen = opened("k.osei"), []
    choices = ["acknowledge", "acknowledge", "close", "reopen"]
    for choice in choices:
        seen.append(state(client, 2))
        assert say(client, 2, choice, f"I {choice} it.") == 303
    assert [*seen, state(client, 2)] == ["open", "acknowledged", "acknowledged", "closed", "open"]
    text = client.get("/incidents/2").text
    assert all(f"I {choice} it." in text for choice in choices)
    found = [
        (event["person"], event["change"], event["view"]) for event in events if event["action"] == "handle-incident"
    ]
    assert found == [("k.osei", choice, "incident-2") for choice in choices]


def test_what_an_actor_does_after_it_was_closed_is_another_incident(opened: Opened, raised: Stored) -> None:
    client = opened("k.osei")
    raised.alert(ALERT | {"subject": {"user.name": "j.novak"}}, 1, host="web1", ago=40)
    raised.alert(ALERT, 1, host="web1", rule="another", ago=30)
    assert sorted(numbers(client)) == [2, 3]
    assert say(client, 2, "close") == 303
    raised.alert(ALERT, 1, host="web1", ago=0)
    assert sorted(numbers(client)) == [2, 3, 5]
    assert client.get("/alerts/4").headers["Location"] == "/incidents/2"


def test_what_came_after_the_page_was_opened_is_not_closed_with_it(opened: Opened, raised: Stored) -> None:
    client = opened("k.osei")
    form = form_of(client, 2, "close")
    raised.alert(ALERT, 1, host="web1", ago=10)
    answer = client.post("/incidents/2", data=form, headers={"Origin": ORIGIN})
    assert (answer.status_code, "More has happened" in answer.text) == (400, True)
    assert state(client, 2) == "open"


@pytest.mark.parametrize(
    ("changed", "origin", "status"),
    [
        ({"token": ""}, ORIGIN, 403),
        ({"token": "0" * 64}, ORIGIN, 403),
        ({"token": "é"}, ORIGIN, 403),
        ({}, "https://attacker.example", 403),
        ({}, "null", 403),
        ({}, None, 403),
        ({"note": " "}, ORIGIN, 400),
        ({"note": "x" * 2001}, ORIGIN, 400),
        ({"note": "x" * 20_000}, ORIGIN, 400),
        ({"seen": "1"}, ORIGIN, 400),
        ({"seen": "one"}, ORIGIN, 400),
        ({"choice": "delete"}, ORIGIN, 400),
        ({"choice": "reopen"}, ORIGIN, 400),
    ],
)
def test_a_form_that_is_not_of_this_page_and_session_does_nothing(
    opened: Opened, raised: Stored, changed: dict[str, str], origin: str | None, status: int
) -> None:
    client = opened("k.osei")
    form = form_of(client, 2, "close") | changed
    answer = client.post("/incidents/2", data=form, headers={"Origin": origin} if origin else {})
    assert (answer.status_code, raised.rows("SELECT count(*) FROM siem.decisions")) == (status, [(0,)])


def test_a_token_of_another_session_does_nothing(opened: Opened, raised: Stored) -> None:
    form = form_of(opened("l.tanaka"), 2, "close")
    assert opened("k.osei").post("/incidents/2", data=form, headers={"Origin": ORIGIN}).status_code == 403
    assert raised.rows("SELECT count(*) FROM siem.decisions") == [(0,)]


def test_a_note_is_for_the_eyes_of_those_who_see_what_its_writer_sees(opened: Opened, raised: Stored) -> None:
    officer, analyst = opened("l.tanaka"), opened("k.osei")
    assert say(officer, 2, "acknowledge", "Anna's mother is a colleague.") == 303
    assert say(analyst, 2, "acknowledge", "The session was short.") == 303
    with psycopg.connect(raised.target, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO siem.decisions (incident, choice, person, note) VALUES (2, 'acknowledge', 'x', 'by a command')"
        )
    seen = analyst.get("/incidents/2").text
    assert "colleague" not in seen
    assert "by a command" not in seen
    assert seen.count("Withheld: it may tell of a patient.") == 2
    assert "The session was short." in seen
    assert "colleague" in officer.get("/incidents/2").text


@pytest.mark.usefixtures("raised")
def test_the_picture_shows_hosts_whose_incidents_nobody_has_closed(opened: Opened) -> None:
    analyst = opened("k.osei")
    assert re.search(r'class="host in-high"[^>]*>\s*<span class="name">web1</span>', analyst.get("/site").text)
    assert "in-high" in opened("p.adeyemi").get("/site").text
    assert say(analyst, 2, "close") == 303
    assert "in-high" not in analyst.get("/site").text


def test_a_flood_of_alerts_leaves_the_newest(opened: Opened, raised: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "MOST", 3)
    for number in range(5):
        raised.alert(ALERT | {"subject": {"user.name": f"n{number}"}}, 1, host="web1", ago=40 - number)
    client = opened("k.osei")
    assert "There are more alerts" in client.get("/incidents").text
    assert set(numbers(client)) == {4, 5, 6, 7}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM siem.events",
        "UPDATE siem.alerts SET level = 'low'",
        "DELETE FROM siem.decisions",
        "UPDATE siem.decisions SET note = 'x'",
        "SELECT raw FROM siem.messages",
        "SELECT raw FROM siem.quarantine",
        "TRUNCATE siem.decisions",
        "INSERT INTO siem.holds DEFAULT VALUES",
        "SELECT siem.drop_day(current_date)",
        "INSERT INTO siem.decisions (at) VALUES (now())",
        "DROP TABLE siem.decisions",
    ],
)
def test_the_console_itself_can_change_and_remove_nothing(raised: Stored, statement: str) -> None:
    with psycopg.connect(as_console(raised.target)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
