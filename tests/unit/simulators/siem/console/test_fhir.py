"""Audit events are retrieved as FHIR (IHE ITI-81) by who may read them with patients' data; reading is on record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulators.siem.console.audit_event import CONTENT_TYPE
from tests.unit.simulators.siem.console.conftest import ORIGIN
from tests.unit.simulators.siem.console.stored import ACCESSION, PATIENT, STUDY, course

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from tests.unit.simulators.siem.console.stored import Stored

    Opened = Callable[[str], TestClient]

PATH = "/fhir/AuditEvent"
TODAY = f"ge{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def examined(stored: Stored) -> Stored:
    """An examination, and an audit message."""
    for host, ago, fields in course():
        stored.event(fields, host=host, ago=ago)
    stored.event(
        {
            "event.dataset": "dicom.audit", "event.code": "110106", "event.action": "person-views",
            "event.outcome": "failure", "event.reason": "no-relation", "patient.id": "P0000043",
            "dicom.event_action": "R", "dicom.event_outcome": 8, "dicom.event_type": ["RAD-8"],
            "user.name": "e.lund", "user.domain": "imaging.internal", "source.ip": "10.24.30.11",
        },
        host="web1",
        ago=30,
    )  # fmt: skip
    return stored


def found(opened: Opened, **asked: str) -> list[dict[str, Any]]:
    """The resources of a search."""
    answer = opened("l.tanaka").get(PATH, params={"date": TODAY, **{k.replace("__", "."): v for k, v in asked.items()}})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith(CONTENT_TYPE)
    return [entry["resource"] for entry in answer.json()["entry"]]


@pytest.mark.usefixtures("examined")
def test_an_audit_message_is_an_audit_event(opened: Opened) -> None:
    (event,) = found(opened, patient__identifier="urn:x|P0000043")
    assert event["type"] == {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110106"}
    assert (event["action"], event["outcome"], event["outcomeDesc"]) == ("R", "8", "no-relation")
    assert event["source"]["observer"]["display"] == "web1"
    person, node = event["agent"]
    assert person["who"]["identifier"]["value"] == "e.lund@imaging.internal"
    assert (person["requestor"], person["network"]) == (True, {"address": "10.24.30.11", "type": "2"})
    assert node["requestor"] is False
    (patient,) = event["entity"]
    assert patient["what"]["identifier"] == {"value": "P0000043"}
    assert {"recorded", "period", "id"} <= event.keys()


@pytest.mark.usefixtures("examined")
@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 13),
        ({"patient__identifier": PATIENT}, 10),
        ({"entity__identifier": f"urn:dicom:uid|urn:oid:{STUDY}"}, 8),
        ({"entity__identifier": ACCESSION}, 11),
        ({"agent__identifier": "a.rivera@imaging.internal"}, 2),
        ({"user": "a.rivera", "outcome": "0"}, 2),
        ({"user": "e.lund", "outcome": "0"}, 0),
        ({"source": "ct1"}, 2),
        ({"type": "http://dicom.nema.org/resources/ontology/DCM|110106"}, 1),
        ({"type": "110114"}, 0),
    ],
)
def test_events_are_found_by_what_is_asked(opened: Opened, asked: dict[str, str], count: int) -> None:
    assert len(found(opened, **asked)) == count


@pytest.mark.usefixtures("examined")
def test_a_study_is_an_entity_with_its_accession_number(opened: Opened) -> None:
    event = found(opened, entity__identifier=STUDY)[1]
    study = event["entity"][-1]
    assert study["what"]["identifier"] == {"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY}"}
    assert study["detail"] == [{"type": "AccessionNumber", "valueString": ACCESSION}]


@pytest.mark.usefixtures("examined")
def test_pages_follow_on_each_other(opened: Opened) -> None:
    client, address, ids = opened("l.tanaka"), f"{PATH}?date={TODAY}&_count=5", []
    while address:
        bundle = client.get(address.removeprefix(ORIGIN)).json()
        ids += [int(entry["resource"]["id"]) for entry in bundle["entry"]]
        assert len(bundle["entry"]) <= 5
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    assert ids == sorted(range(1, 14), reverse=True)
    one = client.get(f"{PATH}/{ids[0]}")
    assert (one.status_code, one.json()["id"]) == (200, "13")


@pytest.mark.usefixtures("examined")
@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        (PATH, 400, "invalid"),
        (f"{PATH}?date=yesterday", 400, "invalid"),
        (f"{PATH}?date=ge2026-99-99", 400, "invalid"),
        (f"{PATH}?date=le2026-01-05", 400, "invalid"),
        (f"{PATH}?date=TODAY&policy=x", 400, "invalid"),
        (f"{PATH}?date=TODAY&outcome=7", 400, "invalid"),
        (f"{PATH}?date=TODAY&_count=x", 400, "invalid"),
        (f"{PATH}?date=TODAY&_page=x", 400, "invalid"),
        (f"{PATH}/999", 404, "not-found"),
        ("/fhir/Patient", 404, "not-found"),
    ],
)
def test_what_cannot_be_asked_is_told_as_fhir(opened: Opened, address: str, status: int, code: str) -> None:
    answer = opened("l.tanaka").get(address.replace("TODAY", TODAY))
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == code


@pytest.mark.usefixtures("examined")
@pytest.mark.parametrize("person", ["k.osei", "p.adeyemi", "a.rivera"])
def test_who_may_not_see_patients_data_gets_none(opened: Opened, caplog: pytest.LogCaptureFixture, person: str) -> None:
    with caplog.at_level("INFO", logger="pacslab.events"):
        for address in (f"{PATH}?date={TODAY}", f"{PATH}/1"):
            answer = opened(person).get(address)
            assert answer.status_code == 403
            assert answer.json()["issue"][0]["code"] == "forbidden"
            assert PATIENT not in answer.text
    told = [json.loads(record.getMessage()) for record in caplog.records if record.name == "pacslab.events"]
    assert [(event["action"], event["outcome"], event["person"]) for event in told] == [
        ("read-audit", "refused", person)
    ] * 2


@pytest.mark.usefixtures("examined")
def test_reading_is_on_record_with_the_patient(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="pacslab.events"):
        found(opened, patient__identifier=PATIENT)
    (event,) = [json.loads(record.getMessage()) for record in caplog.records if record.name == "pacslab.events"]
    assert (event["action"], event["view"], event["person"], event["patient"]) == (
        "read-audit", "fhir", "l.tanaka", PATIENT,
    )  # fmt: skip


def test_hostile_text_stays_text(opened: Opened, stored: Stored) -> None:
    hostile = 'x"}]}\r\n\x1b[2J\u202e<script>'
    stored.event({"event.action": hostile, "user.name": hostile, "event.code": hostile, "source.domain": hostile})
    (event,) = found(opened)
    assert event["agent"][0]["who"]["identifier"]["value"] == hostile
    assert event["type"]["system"] == "urn:pacslab:event-action"
