"""Each role sees what it may and nothing else; hostile text is text; reading is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.siem.console.application import HEAD
from tests.unit.simulators.siem.console.conftest import ORIGIN, PEOPLE, head_of
from tests.unit.simulators.siem.console.stored import ABOUT, ACCESSION, ALERT, PATIENT, STUDY, course, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from tests.unit.simulators.siem.console.stored import Stored

    Opened = Callable[[str], TestClient]

PAGES = ("/", "/events", "/incidents", "/study", "/plots", "/collection", "/site")
READERS, WATCHERS = ("k.osei", "l.tanaka"), ("k.osei", "l.tanaka", "p.adeyemi")
MAY = {
    "/": READERS,
    "/events": READERS,
    "/incidents": READERS,
    "/study": ("l.tanaka",),
    "/plots": WATCHERS,
    "/collection": WATCHERS,
    "/site": WATCHERS,
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \x1b[2J \u202egnp.exe {{ 7 * 7 }} \x00"


@pytest.fixture
def examined(stored: Stored) -> dict[str, int]:
    """An examination with an alert; positions of events by host and action."""
    positions = {
        f"{host} {fields['event.action']}": stored.event(fields, host=host, ago=ago) for host, ago, fields in course()
    }
    at = positions["web1 person-views"]
    positions["alert"] = stored.alert(ALERT | {"events": [at]}, at, rule=str(ALERT["rule"]), host="web1", ago=590)
    return positions


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.usefixtures("examined")
def test_a_role_sees_its_pages_and_no_other(opened: Opened, person: str, path: str) -> None:
    answer = opened(person).get(path)
    if person in MAY[path]:
        assert answer.status_code == 200, answer.text
        assert person in answer.text
    elif (person, path) == ("p.adeyemi", "/"):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/collection")
    else:
        assert answer.status_code == 403
        assert "may not" in answer.text or "nothing to see" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/live/events?after=1-1", "/live/alerts?after=1-1", "/events/1", "/nowhere"])
def test_who_is_not_signed_in_sees_nothing(application: Starlette, opened: Opened, path: str) -> None:
    client = opened("k.osei")
    client.headers.clear()
    answer = client.get(path)
    assert answer.status_code == (404 if path == "/nowhere" else 401)
    assert "<nav" not in answer.text
    del application


def _addresses(examined: dict[str, int]) -> list[str]:
    events = [f"/events/{position}" for name, position in examined.items() if name != "alert"]
    return [
        *PAGES,
        *events,
        "/events?host=web1",
        "/events?person=a.rivera",
        "/live/events?after=1-1",
        "/live/alerts?after=1-1",
    ]


@pytest.mark.parametrize("person", ["k.osei", "p.adeyemi", "a.rivera"])
def test_who_may_not_see_patients_data_never_gets_any(opened: Opened, examined: dict[str, int], person: str) -> None:
    client = opened(person)
    for address in [*_addresses(examined), f"/incidents/{examined['alert']}"]:
        text = client.get(address).text
        assert not [value for value in ABOUT.values() if value in text], address


def test_a_privacy_officer_sees_it_at_the_same_addresses(opened: Opened, examined: dict[str, int]) -> None:
    client = opened("l.tanaka")
    text = "".join(client.get(address).text for address in _addresses(examined))
    assert all(value in text for value in ABOUT.values())


@pytest.mark.parametrize("name", ["patient", "accession", "study"])
@pytest.mark.usefixtures("examined")
def test_who_may_not_see_patients_data_cannot_search_by_it(opened: Opened, name: str) -> None:
    value = {"patient": PATIENT, "accession": ACCESSION, "study": STUDY}[name]
    assert opened("k.osei").get("/events", params={name: value}).status_code == 403
    found = opened("l.tanaka").get("/events", params={name: value})
    assert found.status_code == 200
    assert 'href="/events/' in found.text


def test_an_administrator_cannot_read_an_incident_or_decide_about_it(opened: Opened, examined: dict[str, int]) -> None:
    administrator, address = opened("p.adeyemi"), f"/incidents/{examined['alert']}"
    assert administrator.get(address).status_code == 403
    assert administrator.post(address, data={"note": "x"}, headers={"Origin": ORIGIN}).status_code == 403


def test_hostile_text_is_shown_as_text_and_does_nothing(opened: Opened, stored: Stored) -> None:
    names = ("user.name", "event.action", "event.outcome", "event.reason", "source.domain", "host.name", "message")
    fields: dict[str, Any] = dict.fromkeys((*names, "event.dataset", HOSTILE, *ABOUT), HOSTILE)
    position = stored.event({}, text=json.dumps(fields))
    alert = {
        "title": HOSTILE,
        "subject": {HOSTILE: HOSTILE},
        "respond": HOSTILE,
        "file": [HOSTILE],
        "facts": {HOSTILE: 1},
    }
    stored.alert(alert, position, rule=HOSTILE[:-1])
    client, number = opened("l.tanaka"), position + 1
    for address in (
        "/",
        "/events",
        f"/events/{position}",
        "/incidents",
        f"/incidents/{number}",
        "/live/events?after=1-1",
    ):
        text = client.get(address).text
        assert "alert(1)" in text, address
        assert "<script>alert" not in text, address
        assert "<img src=x" not in text, address
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), address
        assert "\\u202e" in text, address
        assert "{{ 7 * 7 }}" in text, address


def test_a_record_that_cannot_be_read_in_the_database_hides_no_other(opened: Opened, stored: Stored) -> None:
    stored.event(
        told("query", user__name="a.rivera"),
        text='{"event.action":"query","user.name":"a\\u0000b\\ud800",'
        '"dicom.accession":"\\udfff","patient.id":"\\udfff"}',
    )
    position = stored.event({}, text='{"a":' * 2000 + "1" + "}" * 2000)
    stored.event(told("query"), text='["no", "fields"]')
    for client in (opened("k.osei"), opened("l.tanaka")):
        for address in ("/", "/events/1", "/events/2", "/events/3"):
            assert client.get(address).status_code == 200, address
        assert "a\\x00b\\ud800" in client.get("/").text
    assert position == 2


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/console.css", "/events?since=never"])
def test_every_answer_says_what_a_page_may(opened: Opened, path: str) -> None:
    answer = opened("k.osei").get(path)
    assert {name: answer.headers.get(name) for name in HEAD} == HEAD


@pytest.mark.usefixtures("examined")
def test_a_page_has_neither_scripts_nor_styles_in_it(opened: Opened) -> None:
    client = opened("l.tanaka")
    for path in [*PAGES[:3], f"/study?key={ACCESSION}", *PAGES[4:]]:
        text = client.get(path).text
        assert re.findall(r"<script[^>]*>", text) == ['<script src="/static/live.js" defer>'], path
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), path
        assert not re.search(r'(src|href|action)="(?!/|#)', text), path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/events?since=never", 400),
        ("/events?before=1-1x", 400),
        ("/events?before=" + "9" * 18 + "-1", 400),
        ("/events?person=" + "x" * 201, 400),
        ("/events?person=%00", 400),
        ("/events/0", 404),
        ("/events/99999999999999999", 404),
        ("/events/abc", 404),
        ("/live/events", 400),
        ("/plots?span=year", 400),
        ("/incidents/4711", 404),
        ("/alerts/4711", 404),
        ("/events?since=0001-01-01T00:00:00", 200),
        ("/events?until=0001-01-01T00:00:00", 400),
        ("/static/../console.json", 404),
    ],
)
def test_what_cannot_be_meant_is_answered_as_such(opened: Opened, path: str, status: int) -> None:
    assert opened("l.tanaka").get(path).status_code == status


def test_a_database_that_is_away_is_told(opened: Opened, stored: Stored) -> None:
    client = opened("k.osei")
    assert client.get("/").status_code == 200
    with psycopg.connect(stored.target, autocommit=True) as connection:
        connection.execute('REVOKE USAGE ON SCHEMA siem FROM "siem-console"')
        answer = client.get("/")
        connection.execute('GRANT USAGE ON SCHEMA siem TO "siem-console"')
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def _read(events: list[dict[str, Any]], action: str = "read-audit") -> list[dict[str, Any]]:
    return [event for event in events if event["action"] == action]


@pytest.mark.usefixtures("examined")
def test_reading_is_told_once_for_the_same_and_with_whom_it_is_about(
    opened: Opened, events: list[dict[str, Any]]
) -> None:
    client = opened("l.tanaka")
    for _ in range(3):
        client.get("/live/events?after=1-1")
    client.get("/events", params={"patient": PATIENT})
    client.get("/study", params={"key": ACCESSION})
    found = [
        (event["view"], event.get("patient"), event.get("accession"), event.get("study")) for event in _read(events)
    ]
    assert found == [("now", None, None, None), ("search", PATIENT, None, None), ("study", PATIENT, ACCESSION, STUDY)]
    assert {(event["person"], event["peer"], event["outcome"]) for event in _read(events)} == {
        ("l.tanaka", "10.24.80.11", "success")
    }


def test_what_is_refused_is_told(opened: Opened, events: list[dict[str, Any]]) -> None:
    opened("k.osei").get("/study", params={"key": ACCESSION})
    opened("a.rivera").get("/")
    assert [(event["person"], event["reason"], event["view"]) for event in _read(events)] == [
        ("k.osei", "role", "study"),
        ("a.rivera", "role", "now"),
    ]
    assert ACCESSION not in str(events)


def test_two_roles_see_what_either_may(application: Starlette, opened: Opened) -> None:
    client = opened("k.osei")
    client.headers.update(head_of("k.osei", "security-analyst,radiologist"))
    assert client.get("/events").status_code == 200
    client.headers.update(head_of("k.osei", "no-such-role"))
    assert client.get("/events").status_code == 403
    del application
