"""The record tells whom a person treats, by orders and admissions, and whom the people of a department do."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from simulators.access.policy import Scope
from simulators.database import URL_VARIABLE, Database
from simulators.ehr import admissions, orders, patients
from simulators.ehr.record import STEPS
from simulators.ehr.relations import related_patients
from simulators.errors import ArgumentError
from simulators.person.acting import NOBODY, SignedIn
from simulators.relations.departments import Departments
from simulators.relations.resource import TREATMENT_DAYS, Relation
from simulators.settings import Settings, parse
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
DEPARTMENTS = Departments({"n.okafor": "Internal medicine", "d.weiss": "Surgery", "r.klein": "Surgery"}, {})
CT = {"code": "CTHEAD", "text": "CT head", "scheme": "99L", "modality": "CT", "priority": "S", "reason": "fall"}


@pytest.fixture(autouse=True)
def database(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Database:
    """A record with patients P1 to P4."""
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    database = Database(SETTINGS)
    database.migrate(STEPS)
    for number in range(1, 5):
        does(
            patients.register, id=f"P{number}", family="Weber", given="Anna", birth_date="19700412", sex="F",
            patient_class="O",
        )  # fmt: skip
    return database


def does(verb: Any, settings: Settings = SETTINGS, **arguments: object) -> Any:
    return verb(argparse.Namespace(**{"acting": NOBODY, **arguments}), settings).data


def ordered(patient: str, provider: str) -> str:
    placed = does(orders.place, patient=patient, **CT, acting=SignedIn(provider, scope=Scope.ALL), wait=0)
    return str(placed["order"]["placer"])


def treated(database: Database, person: str) -> set[str]:
    return set(related_patients(DEPARTMENTS, database, Relation.TREATMENT, person))


def test_an_order_makes_a_relationship_until_it_is_cancelled_or_old(database: Database) -> None:
    placer = ordered("P1", "n.okafor")
    ordered("P2", "d.weiss")
    ordered("P3", "")
    assert treated(database, "n.okafor") == {"P1"}
    with database.transaction() as cursor:
        cursor.execute("UPDATE orders SET changed = now() - make_interval(days => %s)", (TREATMENT_DAYS,))
    assert treated(database, "n.okafor") == set()
    with database.transaction() as cursor:
        cursor.execute("UPDATE orders SET changed = now(), status = 'cancelled' WHERE placer = %s", (placer,))
    assert treated(database, "n.okafor") == set()
    assert treated(database, "d.weiss") == set()


def test_an_admission_makes_a_relationship_until_the_patient_leaves_or_another_attends(
    database: Database, events: list[dict[str, Any]]
) -> None:
    does(admissions.admit, patient="P1", attending="n.okafor")
    does(admissions.admit, patient="P2", attending="n.okafor")
    assert treated(database, "n.okafor") == {"P1", "P2"}
    does(admissions.discharge, patient="P1")
    does(admissions.admit, patient="P2", attending="d.weiss")
    assert (treated(database, "n.okafor"), treated(database, "d.weiss")) == (set(), {"P2"})
    with pytest.raises(ArgumentError, match="not admitted"):
        does(admissions.discharge, patient="P1")
    assert [event["action"] for event in events if event["action"] in {"admit", "discharge"}] == [
        "admit",
        "admit",
        "discharge",
        "admit",
    ]


def test_the_ris_is_told_who_attends(database: Database) -> None:
    does(admissions.admit, patient="P1", attending="n.okafor")
    does(admissions.discharge, patient="P1")
    with database.transaction() as cursor:
        cursor.execute("SELECT type, body FROM messages WHERE type IN ('ADT^A01', 'ADT^A03') ORDER BY id")
        admitted, discharged = cursor.fetchall()
    assert (admitted["type"], discharged["type"]) == ("ADT^A01", "ADT^A03")
    assert "PV1|1|I|||||n.okafor" in admitted["body"]
    assert "|ADT^A01^ADT_A01|" in admitted["body"]
    assert "|ADT^A03^ADT_A03|" in discharged["body"]


def test_a_department_sees_whom_its_people_order_for_or_attend(database: Database) -> None:
    ordered("P1", "d.weiss")
    does(admissions.admit, patient="P2", attending="r.klein")
    ordered("P3", "n.okafor")
    found = related_patients(DEPARTMENTS, database, Relation.DEPARTMENT, "Surgery")
    assert set(found) == {"P1", "P2"}
    assert related_patients(DEPARTMENTS, database, Relation.DEPARTMENT, "Cardiology") == []


def test_a_relationship_follows_a_patient_who_is_merged(database: Database) -> None:
    ordered("P1", "n.okafor")
    does(admissions.admit, patient="P1", attending="d.weiss")
    does(patients.merge, prior="P1", into="P4")
    assert treated(database, "n.okafor") == treated(database, "d.weiss") == {"P4"}
