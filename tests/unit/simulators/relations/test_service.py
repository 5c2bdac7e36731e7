"""RIS and EHR answer two questions over HTTP, and say so when they cannot; the gateway believes nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from simulators.access.calling import Service
from simulators.access.policy import Scope
from simulators.access.sources import Source
from simulators.errors import NotReadyError, RefusedError, UnreachableError
from simulators.relations.departments import load_departments
from simulators.relations.resource import Relation, patients_in
from simulators.relations.service import RelationsService
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KNOWN = {
    (Relation.TREATMENT, "n.okafor"): ["P1"],
    (Relation.DEPARTMENT, "Internal medicine"): ["P2", "P1"],
    (Relation.DEPARTMENT, "Chirurgie/Süd"): ["P3"],
}


def tell(relation: Relation, who: str) -> list[str]:
    if who == "database.away":
        raise NotReadyError("the database cannot be reached", remedy="Wait.")
    return KNOWN.get((relation, who), [])


@pytest.fixture
def service() -> Iterator[RelationsService]:
    """The service on a free port."""
    running = RelationsService(0, tell)
    running.start()
    yield running
    running.stop()


def asked(service: RelationsService, scope: Scope, who: str) -> frozenset[str]:
    """Ask as the gateway does."""

    async def ask() -> frozenset[str]:
        async with aiohttp.ClientSession() as session:
            plain = Service("ris1", f"http://127.0.0.1:{service.port}/relations", "ris1", session)
            return await Source(plain).patients(scope, who)

    return asyncio.run(ask())


def test_whom_a_person_treats_and_whom_a_department_sees(service: RelationsService) -> None:
    assert asked(service, Scope.TREATMENT, "n.okafor") == {"P1"}
    assert asked(service, Scope.DEPARTMENT, "Internal medicine") == {"P1", "P2"}
    assert asked(service, Scope.DEPARTMENT, "Chirurgie/Süd") == {"P3"}
    assert asked(service, Scope.TREATMENT, "nobody") == frozenset()
    assert asked(service, Scope.TREATMENT, "../department/Internal medicine") == frozenset()


def test_a_system_without_its_database_says_that_it_cannot_tell(
    service: RelationsService, events: list[dict[str, Any]]
) -> None:
    with pytest.raises(RefusedError, match="503"):
        asked(service, Scope.TREATMENT, "database.away")
    (event,) = events
    assert (event["action"], event["worker"], event["reason"]) == ("work", "relations", "not-ready")


def test_a_system_that_is_away_does_not_answer(service: RelationsService) -> None:
    service.stop()
    with pytest.raises(UnreachableError):
        asked(service, Scope.TREATMENT, "n.okafor")


@pytest.mark.parametrize("path", ["/relations/everybody/x", "/relations/treatment", "/", "/relations/treatment/a/b"])
def test_there_are_no_other_questions(service: RelationsService, path: str) -> None:
    async def status() -> int:
        url = f"http://127.0.0.1:{service.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    assert asyncio.run(status()) == 404


def test_a_port_that_somebody_has_is_told(service: RelationsService) -> None:
    with pytest.raises(NotReadyError, match="cannot be had"):
        RelationsService(service.port, tell).start()


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'{"patients": null}', b'{"patients": "P1"}', b'{"patients": [1]}', b'{"patients": [""]}']
)
def test_an_answer_of_another_form_is_none(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        patients_in(answer)


def test_departments_are_read_from_the_sites_description(tmp_path: Path) -> None:
    rendered = files_of(REFERENCE, "ris1", "relations_edge")["/etc/pacslab/relations.json"].text
    (tmp_path / "relations.json").write_text(rendered)
    known = load_departments(tmp_path / "relations.json")
    assert known.people_of("Cardiology") == ["s.moreau"]
    assert known.stations_of("Cardiology") == ["ECHO1"]
    assert {"CT1", "MR1"} <= set(known.stations_of("Radiology"))
    assert load_departments(tmp_path / "none.json").people_of("Cardiology") == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"people": 1, "stations": {}}'])
def test_a_file_of_another_form_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "relations.json").write_text(content)
    with pytest.raises(NotReadyError, match="form"):
        load_departments(tmp_path / "relations.json")
