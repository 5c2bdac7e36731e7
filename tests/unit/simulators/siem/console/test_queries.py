"""What the pages ask the database: whole pages without gaps, a study across systems, how records arrive, how many."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from simulators.access.denied import DeniedError
from simulators.errors import ArgumentError, BusyError
from simulators.siem.console import store as stores
from simulators.siem.console.clearance import NOTHING, Clearance
from simulators.siem.console.queries import alerts, collection, counts, events, incidents, study
from simulators.siem.console.queries.place import PAGE, Place, Window
from simulators.siem.console.store import Store
from tests.unit.simulators.siem.console.stored import ACCESSION, ALERT, PATIENT, STUDY, as_console, course, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from starlette.testclient import TestClient

    from tests.unit.simulators.siem.console.stored import Stored

OFFICER = Clearance(collection=True, events=True, patients=True, handles=True)
ANALYST = Clearance(collection=True, events=True, handles=True)
LATELY = Window.last(timedelta(days=2))


@pytest.fixture
def connection(stored: Stored) -> Iterator[psycopg.Connection]:
    with Store(as_console(stored.target)).reading() as connection:
        yield connection


def test_pages_follow_each_other_without_gap_and_without_repetition(
    stored: Stored, opened: Callable[[str], TestClient]
) -> None:
    positions = [stored.event(told("query", user__name="a.rivera"), ago=100 - number // 7) for number in range(130)]
    client, address, found = opened("k.osei"), "/events?person=a.rivera", []
    pages = 0
    while address:
        text = client.get(address).text
        found += [int(position) for position in re.findall(r'href="/events/(\d+)"', text)]
        older = re.search(r'href="([^"]+)" rel="next"', text)
        address = older[1].replace("&amp;", "&") if older else ""
        pages += 1
    assert found == positions[::-1]
    assert pages == -(-130 // PAGE)


def test_what_comes_is_shown_once_and_in_its_order(stored: Stored, opened: Callable[[str], TestClient]) -> None:
    stored.event(told("query"), ago=50)
    client = opened("k.osei")
    place = re.findall(r'data-live="/live/events" data-place="([^"]+)"', client.get("/").text)[0]
    came = [stored.event(told("query"), ago=40 - number) for number in range(3)]
    answer = client.get("/live/events", params={"after": place})
    assert [int(one) for one in re.findall(r"/events/(\d+)", answer.text)] == came[::-1]
    again = client.get("/live/events", params={"after": answer.headers["X-Place"]})
    assert (again.text.strip(), again.headers["X-Place"]) == ("", answer.headers["X-Place"])


@pytest.mark.parametrize("clearance", [NOTHING, Clearance(collection=True)])
def test_no_query_gives_a_record_to_whom_it_is_not_for(connection: psycopg.Connection, clearance: Clearance) -> None:
    place = Place(datetime.now(UTC), 1)
    for ask in (
        lambda: events.find(connection, clearance, {}, LATELY),
        lambda: events.newer(connection, clearance, place),
        lambda: events.one(connection, clearance, 1),
        lambda: alerts.newest(connection, clearance, LATELY),
        lambda: alerts.newer(connection, clearance, place),
        lambda: incidents.recent(connection, clearance),
        lambda: study.history(connection, clearance, LATELY, STUDY),
    ):
        with pytest.raises(DeniedError):
            ask()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("clearance", [NOTHING, Clearance(events=True, patients=True, handles=True)])
def test_counts_are_for_whom_they_are_for(connection: psycopg.Connection, clearance: Clearance) -> None:
    for ask in (
        lambda: collection.collection(connection, clearance, []),
        lambda: counts.counts(connection, clearance, LATELY, timedelta(hours=1)),
        lambda: incidents.hosts_in_alert(connection, clearance),
    ):
        with pytest.raises(DeniedError):
            ask()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("key", [ACCESSION, STUDY])
def test_a_study_is_found_at_every_system_by_either_of_its_names(stored: Stored, key: str) -> None:
    expected = [(host, fields["event.action"]) for host, _, fields in course()]
    for host, ago, fields in reversed(list(course())):
        stored.event(fields, host=host, ago=ago)
    stored.event(told("person-views", dicom__study_uid="1.2.3", dicom__accession="A1", patient__id=PATIENT), ago=700)
    with Store(as_console(stored.target)).reading() as connection:
        found = study.history(connection, OFFICER, LATELY, key)
    assert [(event.host, event.get("event.action")) for event in found.events] == expected
    assert (found.accessions, found.studies, found.patients) == ([ACCESSION], [STUDY], [PATIENT])
    people = {person.name: (person.deeds, person.refused) for person in found.people()}
    assert people["a.rivera"] == ({"person-views": 1, "report": 1}, 0)
    assert people["j.novak"] == ({"person-views": 1}, 1)
    assert set(people) == {"n.okafor", "m.silva", "a.rivera", "j.novak"}


def test_an_event_is_found_by_its_position_alone(stored: Stored, connection: psycopg.Connection) -> None:
    positions = [stored.event(told("query"), ago=seconds) for seconds in (90_000, 50, 10)]
    found = [events.one(connection, ANALYST, position) for position in (*positions, 4)]
    assert [event and event.place.position for event in found] == [*positions, None]


def test_how_each_host_sends_is_told(stored: Stored, connection: psycopg.Connection) -> None:
    stored.event(told("query"), host="ct1", ago=5)
    stored.event(told("query"), host="mr1", ago=7200)
    stored.event(told("query") | {"@timestamp": "2026-01-05T09:12:44.310Z"}, host="us1", ago=5)
    stored.event(told("query"), host="ris1", ago=5)
    stored.sent("ct1", 7)
    stored.sent("ris1", 20, missing=(4, 9))
    senders = {
        one.host: one for one in collection.collection(connection, ANALYST, ["ct1", "mr1", "us1", "xa1"]).senders
    }
    assert {name: sender.state for name, sender in senders.items()} == {
        "ct1": "well",
        "mr1": "silent",
        "us1": "late",
        "ris1": "gap",
        "xa1": "nothing",
    }
    assert (senders["ris1"].missing, senders["ct1"].numbers) == (6, 7)


def test_what_is_counted_is_what_is_stored(stored: Stored, connection: psycopg.Connection) -> None:
    for ago in (100_000, 3000, 70, 20, 15):
        stored.event(told("query"), host="ct1" if ago < 50 else "mr1", ago=ago)
    stored.alert(ALERT, 1, level="critical", ago=10)
    found = counts.counts(connection, ANALYST, Window.last(timedelta(hours=1)), timedelta(minutes=1))
    assert (sum(found.records), len(found.parts)) == (4, len(found.records))
    assert [number for number in found.records if number] in ([1, 1, 2], [1, 2, 1], [1, 3], [1, 1, 1, 1])
    assert {level: sum(values) for level, values in found.alerts.items() if any(values)} == {"critical": 1}
    assert sorted(found.hosts) == [("ct1", 2), ("mr1", 2)]


def test_a_place_is_read_as_it_was_written() -> None:
    place = Place(datetime(2026, 1, 5, 9, 12, 44, 310123, UTC), 4711)
    assert Place.of(str(place)) == place
    assert Place.of("") is None
    with pytest.raises(ArgumentError):
        Place.of("1-2; DROP TABLE")


def test_what_takes_too_long_is_given_up(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MOST_MILLISECONDS", 50)
    with pytest.raises(BusyError), Store(as_console(stored.target)).reading() as connection:
        connection.execute("SELECT pg_sleep(5)")
