"""Work that fails again and again is set aside, told, and decided on by people; everything else goes on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataelem import DataElement

from simulators.errors import ArgumentError, NotFoundError
from simulators.image_manager.troubles import DROPPED, MOST_ERRORS, SET_ASIDE, decide, publish, troubles
from tests.unit.simulators.image_manager.archive import as_file, image
from tests.unit.simulators.image_manager.test_image_manager import (
    ANNA,
    DOUBLE,
    MARRIED,
    OTHER_STUDY,
    STUDY,
    Manager,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.image_manager.troubles import Trouble

RENAMED = DOUBLE.__class__("P2", "HOSPITAL", "Klein", "A", "19700412", "F")


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path, "vna1")


@pytest.fixture(autouse=True)
def _hostile() -> Iterator[None]:
    """Let pydicom write what no honest sender would."""
    with pydicom.config.disable_value_validation():
        yield


def turns(manager: Manager, count: int) -> None:
    for _ in range(count):
        manager.no_pause()
        manager.turn()


def failed(manager: Manager, *states: str) -> list[Trouble]:
    with manager.store.transaction() as db:
        return troubles(db, *states)


def settle(manager: Manager, number: int, *, again: bool) -> None:
    with manager.store.transaction() as db:
        decide(db, number, again=again)


def poisoned(keyword: str, vr: str, value: Any) -> pydicom.Dataset:
    """Return an image with an attribute of another type, as it could be stored before there was a gate."""
    dataset = image(ANNA, STUDY)
    dataset.add(DataElement(keyword, vr, value))
    return dataset


POISON = [("PatientSex", "US", 7), ("OriginalAttributesSequence", "LO", "text"), ("PatientName", "US", 7)]


@pytest.mark.parametrize(("keyword", "vr", "value"), POISON)
def test_one_poisoned_object_stops_no_other_correction(manager: Manager, keyword: str, vr: str, value: Any) -> None:
    manager.orthanc.store(poisoned(keyword, vr, value), image(ANNA, STUDY), image(DOUBLE, OTHER_STUDY))
    manager.hear(update(MARRIED))
    manager.hear(update(RENAMED))
    manager.turn()
    names = (
        [str(one.get("PatientName")) for one in manager.orthanc.datasets() if vr != one.get_item(keyword).VR]
        if (keyword != "OriginalAttributesSequence")
        else [str(one.PatientName) for one in manager.orthanc.datasets()]
    )
    assert names.count("Klein^Anna") == 1
    assert names.count("Klein^A") == 1


def test_a_correction_that_cannot_be_made_is_set_aside_after_bounded_tries_and_named(
    manager: Manager, tmp_path: Path
) -> None:
    manager.orthanc.store(poisoned(*POISON[1]))
    manager.hear(update(MARRIED))
    turns(manager, MOST_ERRORS - 1)
    assert failed(manager, SET_ASIDE) == []
    turns(manager, 1)
    (aside,) = failed(manager)
    assert (aside.queue, aside.item, aside.state) == ("restamp", "P1 HOSPITAL", SET_ASIDE)
    turns(manager, 3)
    assert failed(manager)[0].errors == MOST_ERRORS
    with manager.store.transaction() as db:
        publish(tmp_path, db)
    assert "restamp P1 HOSPITAL" in (tmp_path / "set-aside").read_text()


def test_what_is_set_aside_names_no_patient(manager: Manager) -> None:
    manager.orthanc.store(poisoned("PatientSex", "US", 7))
    manager.hear(update(MARRIED))
    manager.turn()
    (trouble,) = failed(manager)
    assert "Klein" not in trouble.error
    assert "Weber" not in trouble.error


def test_a_correction_is_tried_again_when_somebody_says_so_and_done_when_it_can_be(manager: Manager) -> None:
    bad = poisoned(*POISON[1])
    manager.orthanc.store(bad)
    manager.hear(update(MARRIED))
    turns(manager, MOST_ERRORS)
    del bad.OriginalAttributesSequence
    (name,) = manager.orthanc.instances
    manager.orthanc.instances[name] = as_file(bad)
    turns(manager, 1)
    assert [str(one.PatientName) for one in manager.orthanc.datasets()] == ["Weber^Anna"]
    settle(manager, failed(manager)[0].id, again=True)
    manager.turn()
    assert [str(one.PatientName) for one in manager.orthanc.datasets()] == ["Klein^Anna"]
    assert failed(manager) == []


def test_a_new_message_about_the_patient_tries_again_too(manager: Manager) -> None:
    manager.orthanc.store(poisoned(*POISON[1]))
    manager.hear(update(MARRIED))
    turns(manager, MOST_ERRORS)
    manager.hear(update(ANNA))
    assert failed(manager) == []


def test_an_archive_that_is_away_for_long_sets_nothing_aside(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.hear(update(MARRIED))
    manager.orthanc.away = True
    for _ in range(3 * MOST_ERRORS):
        manager.no_pause()
        manager.reconciler.run_due()
    assert failed(manager) == []


def test_a_spool_file_that_cannot_be_put_back_stops_nothing_and_is_kept(manager: Manager) -> None:
    (manager.spool / "0.dcm").write_bytes(b"no DICOM")
    manager.orthanc.store(image(ANNA, STUDY))
    manager.hear(update(MARRIED))
    turns(manager, MOST_ERRORS)
    assert [str(one.PatientName) for one in manager.orthanc.datasets()] == ["Klein^Anna"]
    (aside,) = failed(manager)
    assert (aside.queue, aside.item, aside.state) == ("recover", "0.dcm", SET_ASIDE)
    settle(manager, aside.id, again=False)
    turns(manager, 1)
    assert (manager.spool / "0.dcm").exists()
    assert failed(manager, SET_ASIDE) == []


def test_a_series_that_its_target_refuses_is_set_aside_and_the_others_are_sent(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.turn()
    ((_, series, _),) = manager.orthanc.sent
    manager.orthanc.refused.add(series)
    manager.orthanc.store(image(ANNA, STUDY))
    manager.orthanc.store(image(DOUBLE, OTHER_STUDY))
    turns(manager, MOST_ERRORS + 2)
    (aside,) = failed(manager)
    assert (aside.queue, aside.item, aside.state) == ("send", f"{series} vna1", SET_ASIDE)
    sent = len(manager.orthanc.sent)
    manager.follower.sweep()
    turns(manager, 2)
    assert len(manager.orthanc.sent) == sent
    assert [row["done"] == row["asked"] for row in manager.rows("transfers") if row["series"] != series] == [True]


def test_a_target_that_is_away_for_long_sets_nothing_aside(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.orthanc.target_away = True
    turns(manager, 3 * MOST_ERRORS)
    assert failed(manager) == []


def test_a_change_that_cannot_be_taken_lets_those_after_it_have_their_turn(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    monkeypatch.setattr(manager.orthanc, "_get_studies", lambda *_: {"MainDicomTags": {}, "PatientMainDicomTags": None})
    manager.turn()
    (aside,) = failed(manager)
    assert (aside.queue, aside.state) == ("follow", SET_ASIDE)
    monkeypatch.undo()
    assert manager.store.cursor("changes") == len(manager.orthanc.changes)
    settle(manager, aside.id, again=True)
    manager.follower.take_again()
    assert failed(manager) == []


def test_only_what_is_set_aside_is_decided_on(manager: Manager) -> None:
    manager.orthanc.store(poisoned(*POISON[1]))
    manager.hear(update(MARRIED))
    manager.turn()
    with pytest.raises(ArgumentError):
        settle(manager, failed(manager)[0].id, again=False)
    with pytest.raises(NotFoundError):
        settle(manager, 77, again=True)
    assert failed(manager, DROPPED) == []
    assert pydicom.dcmread(io.BytesIO(next(iter(manager.orthanc.instances.values())))).PatientID == "P1"
