"""What the record's commands write down: the change, the message, and a line that names no one."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from simulators.access.denied import DeniedError
from simulators.access.policy import Scope
from simulators.database import URL_VARIABLE, Database, one
from simulators.ehr import orders, patients
from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.hl7messages import parse as parse_message
from simulators.person.acting import NOBODY, SignedIn
from simulators.settings import parse
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import peer

SETTINGS = parse(
    {
        "host": {"name": "ehr1", "fqdn": "ehr1.imaging.internal", "address": "127.0.0.1"},
        "site": {"name": "reference", "domain": "imaging.internal"},
        "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
        "listen": {},
        "peers": [peer("ris1", "hl7-tls", "ris", ["ORM^O01"])],
        "callers": [],
    }
)
"""A record without certificates: the RIS cannot be reached, so that messages wait."""
DOCTOR = SignedIn("d.weiss", "Weiß", "David", "Surgery", ("referring-clinician",), Scope.ALL)
PERSON = {"family": "Weber", "given": "Anna", "birth_date": "19700412", "sex": "F"}
CT = {"code": "CTHEAD", "text": "CT head", "scheme": "99L", "modality": "CT", "priority": "S", "reason": "fall"}


@pytest.fixture(autouse=True)
def record(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))


def register(identifier: str) -> int:
    arguments = argparse.Namespace(**PERSON, id=identifier, patient_class="O", acting=NOBODY)
    return patients.register(arguments, SETTINGS).exit_code


def test_every_change_leaves_an_event_with_numbers_and_no_name(events: list[dict[str, Any]]) -> None:
    assert register("P1") == register("P2") == 3  # kept, and sent by the service
    patients.update(argparse.Namespace(patient="P1", **PERSON, acting=NOBODY), SETTINGS)
    orders.place(argparse.Namespace(patient="P1", **CT, acting=NOBODY, wait=0), SETTINGS)
    changes = {"code": "CTNECK", "text": None, "priority": None, "reason": None}
    orders.change(argparse.Namespace(placer="O0000001", **changes, acting=NOBODY), SETTINGS)
    orders.cancel(argparse.Namespace(placer="O0000001", acting=NOBODY), SETTINGS)
    patients.merge(argparse.Namespace(prior="P2", into="P1", acting=NOBODY), SETTINGS)
    told = [event for event in events if event["action"] != "send"]
    assert [(event["transaction"], event["action"], event["patient"]) for event in told] == [
        ("RAD-1", "register", "P1"),
        ("RAD-1", "register", "P2"),
        ("RAD-12", "update-patient", "P1"),
        ("RAD-2", "order", "P1"),
        ("RAD-2", "change-order", "P1"),
        ("RAD-2", "cancel", "P1"),
        ("RAD-12", "merge-patients", "P1"),
    ]
    assert {(event["peer"], event["outcome"], event["reason"]) for event in told} == {("ris1", "waiting", "no-answer")}
    assert [event.get("placer") for event in told[3:6]] == ["O0000001"] * 3
    assert told[6]["prior"] == "P2"


def test_an_order_stays_as_it_is_until_the_ris_has_changed_it() -> None:
    register("P1")
    orders.place(argparse.Namespace(patient="P1", **CT, acting=DOCTOR, wait=0), SETTINGS)
    none = {"code": None, "text": None, "priority": None, "reason": None}
    with pytest.raises(ArgumentError, match="nothing to change"):
        orders.change(argparse.Namespace(placer="O0000001", **none, acting=NOBODY), SETTINGS)
    asked = orders.change(argparse.Namespace(placer="O0000001", **{**none, "code": "CTNECK"}, acting=NOBODY), SETTINGS)
    assert (asked.exit_code, asked.data["order"]["code"]) == (3, "CTHEAD")
    with Database(SETTINGS).transaction() as cursor:
        cursor.execute("SELECT body FROM messages ORDER BY id DESC LIMIT 1")
        message = parse_message(one(cursor)["body"].encode())
        assert (message.get("ORC", 1), message.get("OBR", 4), message.get("OBR", 4, 2)) == ("XO", "CTNECK", "CT head")
        cursor.execute("UPDATE orders SET status = 'in progress'")
    with pytest.raises(ArgumentError, match="in progress"):
        orders.change(argparse.Namespace(placer="O0000001", **{**none, "code": "CTABD"}, acting=NOBODY), SETTINGS)


def test_an_order_is_kept_as_it_was_placed() -> None:
    register("P1")
    orders.place(argparse.Namespace(patient="P1", **CT, acting=DOCTOR, wait=0), SETTINGS)
    (row,) = orders.listing(argparse.Namespace(patient="P1"), SETTINGS).data
    assert (row["placer"], row["patient_id"], row["description"], row["status"]) == (
        "O0000001",
        "P1",
        "CT head",
        "ordered",
    )
    assert {name: row[name] for name in ("code", "scheme", "modality", "priority", "reason", "provider")} == {
        **{name: CT[name] for name in ("code", "scheme", "modality", "priority", "reason")},
        "provider": "d.weiss",
    }


def results(acting: object, placer: str | None = None) -> list[str]:
    """The reports that somebody reads."""
    return [row["report"] for row in orders.results(argparse.Namespace(placer=placer, acting=acting), SETTINGS).data]


def reader(scope: Scope) -> SignedIn:
    return SignedIn("d.weiss", "Weiß", "David", "Surgery", ("referring-clinician",), scope, SETTINGS)


def test_who_orders_and_who_changes_stand_in_the_message() -> None:
    register("P1")
    orders.place(argparse.Namespace(patient="P1", **CT, acting=DOCTOR, wait=0), SETTINGS)
    other = SignedIn("n.okafor", roles=("referring-clinician",), scope=Scope.ALL)
    orders.cancel(argparse.Namespace(placer="O0000001", acting=other), SETTINGS)
    with Database(SETTINGS).transaction() as cursor:
        cursor.execute("SELECT body FROM messages WHERE type = 'ORM^O01' ORDER BY id")
        placed, cancelled = (parse_message(row["body"].encode()) for row in cursor.fetchall())
    assert [(message.get("ORC", 10, 2), message.get("ORC", 12, 2)) for message in (placed, cancelled)] == [
        ("d.weiss", "d.weiss"),
        ("n.okafor", "d.weiss"),
    ]


def test_reports_are_read_of_patients_whom_the_person_treats_and_no_others() -> None:
    for patient, doctor in (("P1", DOCTOR), ("P2", SignedIn("n.okafor", scope=Scope.ALL))):
        register(patient)
        orders.place(argparse.Namespace(patient=patient, **CT, acting=doctor, wait=0), SETTINGS)
    with Database(SETTINGS).transaction() as cursor:
        cursor.execute(
            "INSERT INTO results (placer, accession, study_uid, status, author, report)"
            " SELECT placer, 'A1', '1.2', 'F', 'a.rivera', 'of ' || patient_id FROM orders"
        )
    assert results(reader(Scope.TREATMENT)) == results(reader(Scope.TREATMENT), "O0000001") == ["of P1"]
    assert results(reader(Scope.ALL)) == results(NOBODY) == ["of P1", "of P2"]
    assert results(reader(Scope.NONE)) == []
    with pytest.raises(DeniedError) as denied:
        results(reader(Scope.TREATMENT), "O0000002")
    assert denied.value.reason is reasons.NO_RELATION
    shown = orders.show(argparse.Namespace(placer="O0000001"), SETTINGS)
    assert "of P1" not in f"{shown.data} {shown.text}"
