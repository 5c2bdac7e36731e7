"""Incidents are acknowledged and closed with a note by whoever may, from a page of the console alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.unit.simulators.siem.console.conftest import ORIGIN
from tests.unit.simulators.siem.console.stored import ALERT, as_console, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from tests.unit.simulators.siem.console.stored import Stored

    Opened = Callable[[str], TestClient]


@pytest.fixture
def raised(stored: Stored) -> Stored:
    at = stored.event(told("person-views", user__name="n.okafor"), host="web1")
    stored.alert(ALERT, at, host="web1", ago=50)
    return stored


def keys(client: TestClient) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="/incidents/([0-9a-f]{32})"', client.get("/incidents").text)))


def form_of(client: TestClient, key: str, deed: str, text: str = "It was me.") -> dict[str, str]:
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(f"/incidents/{key}").text))
    return hidden | {"deed": deed, "text": text}


def say(client: TestClient, key: str, deed: str, text: str = "It was me.") -> int:
    return client.post(
        f"/incidents/{key}", data=form_of(client, key, deed, text), headers={"Origin": ORIGIN}
    ).status_code


def state(client: TestClient, key: str) -> str:
    return re.findall(r'class="word (open|acknowledged|closed)"', client.get(f"/incidents/{key}").text)[0]


def test_an_incident_goes_from_open_to_closed_and_another_alert_opens_it(
    opened: Opened, raised: Stored, events: list[dict[str, Any]]
) -> None:
    client = opened("k.osei")
    (key,) = keys(client)
    seen = [state(client, key)]
    for deed in ("note", "acknowledge", "close"):
        assert say(client, key, deed, f"I {deed} it.") == 303
        seen.append(state(client, key))
    raised.alert(ALERT, 1, host="web1", ago=10)
    seen.append(state(client, key))
    assert seen == ["open", "open", "acknowledged", "closed", "open"]
    text = client.get(f"/incidents/{key}").text
    assert all(f"I {deed} it." in text for deed in ("note", "acknowledge", "close"))
    found = [
        (event["person"], event["change"], event["view"]) for event in events if event["action"] == "handle-incident"
    ]
    assert found == [("k.osei", deed, f"incident-{key}") for deed in ("note", "acknowledge", "close")]


def test_alerts_of_one_rule_about_one_subject_are_one_incident(opened: Opened, raised: Stored) -> None:
    raised.alert(ALERT, 1, host="web1", ago=40)
    raised.alert(ALERT | {"subject": {"user.name": "j.novak"}}, 1, host="web1", ago=40)
    raised.alert(ALERT, 1, host="web1", rule="another", ago=40)
    raised.alert({"message": "a gap"}, 1, host="ct1", rule="repository.miss", ago=40)
    raised.alert({"message": "a gap"}, 1, host="ct2", rule="repository.miss", ago=40)
    assert len(keys(opened("k.osei"))) == 5


def test_what_came_after_the_page_was_opened_is_not_closed_with_it(opened: Opened, raised: Stored) -> None:
    client = opened("k.osei")
    (key,) = keys(client)
    form = form_of(client, key, "close")
    raised.alert(ALERT, 1, host="web1", ago=10)
    assert client.post(f"/incidents/{key}", data=form, headers={"Origin": ORIGIN}).status_code == 303
    assert state(client, key) == "open"


@pytest.mark.parametrize(
    ("changed", "origin", "status"),
    [
        ({"token": ""}, ORIGIN, 403),
        ({"token": "0" * 64}, ORIGIN, 403),
        ({"token": "é"}, ORIGIN, 403),
        ({}, "https://attacker.example", 403),
        ({}, "null", 403),
        ({}, None, 403),
        ({"text": " "}, ORIGIN, 400),
        ({"text": "x" * 2001}, ORIGIN, 400),
        ({"text": "x" * 20_000}, ORIGIN, 400),
        ({"upto": "1"}, ORIGIN, 400),
        ({"upto": "one"}, ORIGIN, 400),
        ({"deed": "delete"}, ORIGIN, 400),
    ],
)
def test_a_form_that_is_not_of_this_page_and_session_does_nothing(
    opened: Opened, raised: Stored, changed: dict[str, str], origin: str | None, status: int
) -> None:
    client = opened("k.osei")
    (key,) = keys(client)
    form = form_of(client, key, "close") | changed
    answer = client.post(f"/incidents/{key}", data=form, headers={"Origin": origin} if origin else {})
    assert (answer.status_code, raised.rows("SELECT count(*) FROM siem.notes")) == (status, [(0,)])


def test_a_token_of_another_session_does_nothing(opened: Opened, raised: Stored) -> None:
    client, other = opened("k.osei"), opened("l.tanaka")
    (key,) = keys(client)
    form = form_of(other, key, "close")
    assert client.post(f"/incidents/{key}", data=form, headers={"Origin": ORIGIN}).status_code == 403
    assert raised.rows("SELECT count(*) FROM siem.notes") == [(0,)]


@pytest.mark.usefixtures("raised")
def test_a_note_of_somebody_who_sees_patients_data_is_for_the_same_eyes(opened: Opened) -> None:
    officer, analyst = opened("l.tanaka"), opened("k.osei")
    (key,) = keys(analyst)
    assert say(officer, key, "note", "Anna's mother is a colleague.") == 303
    assert say(analyst, key, "note", "The session was short.") == 303
    seen = analyst.get(f"/incidents/{key}").text
    assert "colleague" not in seen
    assert "Withheld: it may tell of a patient." in seen
    assert "The session was short." in seen
    assert "colleague" in officer.get(f"/incidents/{key}").text


@pytest.mark.usefixtures("raised")
def test_the_picture_shows_hosts_whose_incidents_nobody_has_closed(opened: Opened) -> None:
    analyst = opened("k.osei")
    (key,) = keys(analyst)
    assert re.search(r'class="host in-high"[^>]*>\s*<span class="name">web1</span>', analyst.get("/site").text)
    assert "in-high" in opened("p.adeyemi").get("/site").text
    assert say(analyst, key, "close") == 303
    assert "in-high" not in analyst.get("/site").text


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM siem.events",
        "UPDATE siem.alerts SET level = 'low'",
        "DELETE FROM siem.notes",
        "UPDATE siem.notes SET text = 'x'",
        "SELECT raw FROM siem.events",
        "SELECT raw FROM siem.quarantine",
        "TRUNCATE siem.notes",
        "INSERT INTO siem.holds DEFAULT VALUES",
        "SELECT siem.drop_day(current_date)",
        "INSERT INTO siem.notes (at) VALUES (now())",
        "DROP TABLE siem.notes",
    ],
)
def test_the_console_itself_can_change_and_remove_nothing(raised: Stored, statement: str) -> None:
    with psycopg.connect(as_console(raised.target)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)  # type: ignore[arg-type] # of tests
