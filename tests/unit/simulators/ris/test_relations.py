"""The RIS tells whom a department examines, by its stations, and whom a person treats, by procedures and reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulators.database import URL_VARIABLE
from simulators.relations.departments import Departments
from simulators.relations.resource import Relation
from simulators.ris.relations import related_patients
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, renamed
from tests.unit.simulators.ris.hospital import HEAD, Ris

if TYPE_CHECKING:
    from collections.abc import Iterator

BERTA = renamed(ANNA, "P0000002")
DEPARTMENTS = Departments(
    people={"n.okafor": "Internal medicine", "a.rivera": "Radiology"},
    stations={"CT1": "Radiology", "CT2": "Radiology", "MR1": "Neurology"},
)


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    """A RIS whose stations belong to two departments; Anna has a CT that n.okafor ordered, Berta an MR."""
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    hospital = Ris()
    hospital.register(ANNA)
    hospital.register(BERTA)
    hospital.order(replace(HEAD, provider="n.okafor"))
    hospital.order(replace(HEAD, placer="O2", modality="MR"), patient=BERTA)
    yield hospital
    hospital.close()


def told(ris: Ris, relation: Relation, who: str) -> set[str]:
    return set(related_patients(DEPARTMENTS, ris.database, relation, who))


def test_a_department_sees_whom_its_stations_examine_and_whom_its_people_send(ris: Ris) -> None:
    assert told(ris, Relation.DEPARTMENT, "Radiology") == {ANNA.identifier}
    assert told(ris, Relation.DEPARTMENT, "Neurology") == {BERTA.identifier}
    assert told(ris, Relation.DEPARTMENT, "Internal medicine") == {ANNA.identifier}
    assert told(ris, Relation.DEPARTMENT, "Cardiology") == set()
    assert told(ris, Relation.DEPARTMENT, "") == set()


def test_a_person_treats_whom_the_person_sends_or_reports_on(ris: Ris) -> None:
    assert told(ris, Relation.TREATMENT, "n.okafor") == {ANNA.identifier}
    assert told(ris, Relation.TREATMENT, "a.rivera") == set()
    assert told(ris, Relation.TREATMENT, "Radiology") == set()
    ris.execute("UPDATE procedures SET status = 'completed'")
    ris.report(author="a.rivera")
    assert told(ris, Relation.TREATMENT, "a.rivera") == {ANNA.identifier}


def test_a_cancelled_procedure_makes_no_relationship(ris: Ris) -> None:
    ris.order(replace(HEAD, provider="n.okafor"), "CA")
    assert told(ris, Relation.DEPARTMENT, "Radiology") == told(ris, Relation.TREATMENT, "n.okafor") == set()


def test_who_sends_a_patient_treats_for_a_time_and_the_department_has_examined_for_good(ris: Ris) -> None:
    ris.execute("UPDATE procedures SET changed = now() - interval '91 days'")
    assert told(ris, Relation.TREATMENT, "n.okafor") == set()
    assert told(ris, Relation.DEPARTMENT, "Radiology") == {ANNA.identifier}
