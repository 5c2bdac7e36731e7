"""People at work without a pause do each piece once, whatever is lost on the way, and tell what they did."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.database import URL_VARIABLE
from simulators.ehr import orders
from simulators.errors import UnreachableError
from simulators.load import acquiring, ordering, reading
from simulators.load.cli import DOERS, VERBS
from simulators.modality import commitment
from simulators.modality.spool import COMPLETED, STORED, Spool
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.ehr.test_commands import SETTINGS
from tests.unit.simulators.modality.peers import FakeRis, open_hospital, worklist_item
from tests.unit.simulators.workstation.test_workstation import CT, archive_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

    from simulators.settings import Settings
    from tests.unit.simulators.modality.peers import Hospital

ORDERS = argparse.Namespace(prefix="LOAD", first=1, last=4, sections=["CT", "MR"], seconds=10.0)
STEPS = {"prefix": "P0", "images": 3, "matrix": 32}


def test_each_verb_is_the_work_of_one_simulator() -> None:
    assert set(DOERS) == {verb.name for verb in VERBS}


# --- orders -----------------------------------------------------------------------------------


@pytest.fixture
def record(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))


def kept() -> list[tuple[str, str]]:
    rows = orders.listing(argparse.Namespace(patient=None), SETTINGS).data
    return [(row["patient_id"], row["modality"]) for row in rows]


@pytest.mark.usefixtures("record")
def test_every_patient_gets_one_order_for_a_section_in_turn() -> None:
    placed = ordering.order(ORDERS, SETTINGS).data["orders"]
    assert list(placed) == ["LOAD00001", "LOAD00002", "LOAD00003", "LOAD00004"]
    assert len(set(placed.values())) == 4
    assert kept() == [("LOAD00001", "MR"), ("LOAD00002", "CT"), ("LOAD00003", "MR"), ("LOAD00004", "CT")]


@pytest.mark.usefixtures("record")
def test_an_order_whose_answer_was_lost_is_not_placed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    placing, lost = orders.place, []

    def loses_the_first_answer(arguments: argparse.Namespace, settings: Settings) -> Any:
        result = placing(arguments, settings)
        if not lost:
            lost.append(result)
            raise psycopg.OperationalError("the server closed the connection")
        return result

    monkeypatch.setattr(ordering, "place", loses_the_first_answer)
    assert len(ordering.order(ORDERS, SETTINGS).data["orders"]) == 4
    assert len(kept()) == 4
    assert ordering.order(ORDERS, SETTINGS).data == ordering.order(ORDERS, SETTINGS).data
    assert len(kept()) == 4


# --- steps ------------------------------------------------------------------------------------


@pytest.fixture
def hospital(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hospital]:
    """A hospital whose worklist has two steps, each until it has begun."""
    begin = FakeRis.create

    def create(ris: FakeRis, event: Any) -> tuple[int, Dataset]:
        begun = event.attribute_list.ScheduledStepAttributesSequence[0].AccessionNumber
        ris.items = [item for item in ris.items if item.AccessionNumber != begun]
        return begin(ris, event)

    monkeypatch.setattr(FakeRis, "create", create)
    with ExitStack() as stack:
        opened = open_hospital(stack)
        opened.ris.items = [worklist_item("ACC1", "SPS1"), worklist_item("ACC2", "SPS2")]
        opened.archive.silent = True  # nobody listens for its answer here
        monkeypatch.setattr(commitment, "SAME_ASSOCIATION_SECONDS", 0.0)
        monkeypatch.setattr(acquiring, "links_of", lambda _: opened.links)
        monkeypatch.setattr(acquiring, "Spool", lambda: Spool(tmp_path))
        yield opened


def acquired(seconds: float = 2.0, **changed: Any) -> list[dict[str, Any]]:
    arguments = argparse.Namespace(**STEPS | changed, seconds=seconds)
    performed: list[dict[str, Any]] = acquiring.acquire(arguments, SETTINGS).data["performed"]
    return performed


def test_every_step_of_the_worklist_is_performed_once_and_its_images_are_told(
    hospital: Hospital, tmp_path: Path
) -> None:
    performed = acquired()
    assert [step["accession"] for step in performed] == ["ACC1", "ACC2"]
    told = {uid for step in performed for uid in step["digests"]}
    assert told == set(hospital.archive.stored)
    assert len(told) == 6
    assert {step.PerformedProcedureStepStatus for step in hospital.ris.steps.values()} == {"COMPLETED"}
    assert len(hospital.archive.requests) == 2
    assert {step.status for step in Spool(tmp_path).steps()} == {COMPLETED}


def test_steps_go_on_while_the_archive_is_away_and_their_images_follow(hospital: Hospital, tmp_path: Path) -> None:
    hospital.stop_archive()
    performed = acquired()
    assert (len(performed), len(hospital.archive.stored)) == (2, 0)
    hospital.start_archive()
    images = {uid for step in performed for uid in step["digests"]}
    for _ in range(10):
        assert acquired() == []
        if set(hospital.archive.stored) == images:
            break
    assert set(hospital.archive.stored) == images
    assert len(Spool(tmp_path).instances(states=[STORED])) == 6


def test_a_patient_of_somebody_else_is_left_alone(hospital: Hospital) -> None:
    assert acquired(0.5, prefix="LOAD") == []
    assert not hospital.ris.steps


# --- studies ----------------------------------------------------------------------------------


def test_a_study_is_read_to_its_pixels_and_nothing_of_it_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = argparse.Namespace(accessions=["ACC1", "NOPE"], web=False, seconds=10.0)
    monkeypatch.setattr(reading, "HOME", tmp_path)
    with archive_of(CT, ["1.2.840.10008.1.2.1"]) as (archive, desk):
        monkeypatch.setattr(reading, "desk_of", lambda *_: desk)
        read = reading.read(wanted, SETTINGS).data
        assert set(read["read"]["ACC1"]) == {str(image.SOPInstanceUID) for image in archive.held}
        assert "no study NOPE" in read["errors"]["NOPE"]
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_is_away_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def away(*_: object) -> None:
        raise UnreachableError("no connection", remedy="")

    monkeypatch.setattr(reading, "HOME", tmp_path)
    monkeypatch.setattr(reading, "desk_of", away)
    wanted = argparse.Namespace(accessions=["ACC1"], web=True, seconds=1.0)
    assert reading.read(wanted, SETTINGS).data == {"read": {}, "errors": {"ACC1": "no connection"}}
