"""A rejection note takes what it names out of the archive and keeps it out, if who sends it may reject (RAD-66)."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.image_manager.desk import Desk, DeskServer
from simulators.image_manager.quarantine import held
from simulators.image_manager.rejection import read_note
from simulators.image_manager.schedule import Arrival
from simulators.rejections import KEY_OBJECT_SELECTION, Title
from simulators.settings import Caller
from tests.unit.roles.orthanc.plugin import Orthanc
from tests.unit.simulators.image_manager.archive import as_file, image
from tests.unit.simulators.image_manager.test_availability import Filler, at, filler
from tests.unit.simulators.image_manager.test_image_manager import (
    ANNA,
    MARRIED,
    OTHER_STUDY,
    STUDY,
    Manager,
    announced,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["filler"]

SCANNER = Caller("ct1", "ct1.test", "10.0.0.1", "CT1", "CT", "dicom-tls", ("C-STORE",))
RIS = Caller("ris1", "ris1.test", "10.0.0.3", "RIS1", None, "dicom-tls", ("REJECTION",))
ARCHIVE = Caller("pacs2", "p.test", "10.0.0.2", "PACS2", None, "dicom-tls", ("C-STORE",), ("primary-archive",))
CALLERS = {"CT1": SCANNER, "RIS1": RIS, "PACS2": ARCHIVE}
TAKEN, COERCED, NOT_AUTHORISED, NOT_OF_ITS_CLASS = 0x0000, 0xB000, 0x0124, 0xA900


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path)


@pytest.fixture
def gate(tmp_path: Path, manager: Manager) -> Iterator[Orthanc]:
    """The archive's gate, with the desk of the manager behind it."""
    desk = Desk(manager.store, manager.quarantine, CALLERS, hold_unscheduled=True)
    server = DeskServer(tmp_path / "desk", desk, pwd.getpwuid(os.getuid()).pw_name)
    server.start()
    yield Orthanc(tmp_path, desk=str(tmp_path / "desk"))
    server.shutdown()
    server.server_close()


def note(*rejected: Dataset, title: str = Title.QUALITY, study: str = STUDY) -> Dataset:
    """A key object selection of these objects."""
    document = image(ANNA, study)
    for name in ("Rows", "Columns", "PixelData", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(document, name)
    document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = KEY_OBJECT_SELECTION
    document.SeriesInstanceUID = generate_uid()
    concept = Dataset()
    concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = title, "DCM", "title"
    document.ConceptNameCodeSequence = [concept]
    evidence = []
    for one in rejected:
        item, series, of_study = Dataset(), Dataset(), Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
        series.SeriesInstanceUID, series.ReferencedSOPSequence = one.SeriesInstanceUID, [item]
        of_study.StudyInstanceUID, of_study.ReferencedSeriesSequence = one.StudyInstanceUID, [series]
        evidence.append(of_study)
    document.CurrentRequestedProcedureEvidenceSequence = evidence
    return document


def reject(manager: Manager, document: Dataset) -> None:
    """Take a note as the desk does."""
    Desk(manager.store, manager.quarantine, CALLERS, hold_unscheduled=True).note("RIS1", as_file(document))


def stored(manager: Manager) -> set[str]:
    return {str(one.SOPInstanceUID) for one in manager.orthanc.datasets()}


def in_quarantine(manager: Manager) -> dict[str, str]:
    with manager.store.transaction() as db:
        return {entry.instance: entry.reason for entry in held(db)}


@pytest.fixture
def images(manager: Manager) -> list[Dataset]:
    """Three images of an announced study, in the archive."""
    made = [image(ANNA, STUDY) for _ in range(3)]
    manager.hear(announced())
    manager.orthanc.store(*made)
    manager.turn()
    return made


def test_what_a_note_names_leaves_the_archive_and_nothing_else_does(manager: Manager, images: list[Dataset]) -> None:
    document = note(*images[:2])
    reject(manager, document)
    manager.turn()
    assert stored(manager) == {images[2].SOPInstanceUID}
    assert in_quarantine(manager) == {
        images[0].SOPInstanceUID: "rejected-image",
        images[1].SOPInstanceUID: "rejected-image",
        document.SOPInstanceUID: "rejection-note",
    }


def test_what_was_rejected_is_kept_out_whoever_sends_it_again(manager: Manager, images: list[Dataset]) -> None:
    reject(manager, note(images[0]))
    manager.turn()
    desk = Desk(manager.store, manager.quarantine, CALLERS, hold_unscheduled=False)
    for caller in ("CT1", "PACS2"):
        for one, reason in ((images[0], reasons.REJECTED_IMAGE), (images[1], None)):
            arrival = Arrival("P1", STUDY, "A1", known_study=True, instance=one.SOPInstanceUID)
            assert desk.judge(caller, arrival).reason is reason


def test_a_note_that_comes_before_its_images_keeps_them_out(manager: Manager) -> None:
    late, fitting = image(ANNA, STUDY), image(ANNA, STUDY)
    reject(manager, note(late))
    manager.hear(announced())
    manager.orthanc.store(late, fitting)
    manager.turn()
    manager.turn()
    assert stored(manager) == {fitting.SOPInstanceUID}


def test_an_image_that_was_being_restamped_when_the_note_came_leaves_afterwards(
    manager: Manager, images: list[Dataset]
) -> None:
    taken_out = dict(manager.orthanc.instances)
    manager.orthanc.instances.clear()
    reject(manager, note(*images))
    manager.holding()
    manager.orthanc.instances.update(taken_out)
    manager.orthanc.store(*images)
    manager.turn()
    assert stored(manager) == set()


def test_nothing_of_it_is_released_when_the_schedule_changes_but_somebody_may(
    manager: Manager, images: list[Dataset]
) -> None:
    reject(manager, note(*images))
    manager.turn()
    manager.hear(update(MARRIED))
    manager.hear(announced("XO"))
    manager.turn()
    assert stored(manager) == set()
    with manager.store.transaction() as db:
        first = next(entry for entry in held(db) if entry.instance == images[0].SOPInstanceUID)
    manager.quarantine.release(first)
    manager.orthanc.store(images[0])  # it settles, as what is put into the archive does
    manager.turn()
    assert stored(manager) == {images[0].SOPInstanceUID}


def test_what_was_kept_for_as_long_as_it_had_to_be_is_deleted(manager: Manager, images: list[Dataset]) -> None:
    document = note(*images, title=Title.RETENTION)
    reject(manager, document)
    manager.turn()
    assert stored(manager) == set()
    assert in_quarantine(manager) == {document.SOPInstanceUID: "rejection-note"}
    assert len(list(manager.quarantine.folder.iterdir())) == 1


def test_the_order_filler_hears_what_is_available_no_more(tmp_path: Path, filler: Filler) -> None:
    manager = Manager(tmp_path, filler=at(filler.port))
    manager.hear(announced())
    images = [image(ANNA, STUDY) for _ in range(2)]
    manager.orthanc.store(*images)
    manager.turn()
    reject(manager, note(images[0], title=Title.RETENTION))
    manager.turn()
    manager.turn()
    assert filler.said()[-1] == {images[0].SOPInstanceUID: "UNAVAILABLE", images[1].SOPInstanceUID: "ONLINE"}


def test_a_note_that_names_nothing_or_another_study_is_no_note() -> None:
    for wrong in (note(), note(image(ANNA, OTHER_STUDY))):
        with pytest.raises(ArgumentError):
            read_note(as_file(wrong))
    assert read_note(as_file(note(image(ANNA, STUDY), title="113000"))) is None


def test_the_gate_takes_a_note_from_whom_a_flow_lets_reject_and_from_nobody_else(
    manager: Manager, gate: Orthanc, events: list[dict[str, Any]]
) -> None:
    manager.hear(announced())
    one = image(ANNA, STUDY)
    assert gate.send(one) == TAKEN
    for title in Title:
        assert gate.send(note(one, title=title)) == NOT_AUTHORISED
    assert manager.rows("rejected") == []
    assert gate.send(note(one), "RIS1") == COERCED
    assert {row["instance"] for row in manager.rows("rejected")} > {one.SOPInstanceUID}
    assert len(gate.files) == 1
    told = [event for event in events if event["action"] == "reject-images"]
    assert [(event["outcome"], event.get("reason"), event["ae_title"]) for event in told] == [
        *[("refused", "not-permitted", "CT1")] * 4,
        ("success", None, "RIS1"),
    ]


def test_who_may_reject_stores_nothing_else(manager: Manager, gate: Orthanc) -> None:
    manager.hear(announced())
    assert gate.send(image(ANNA, STUDY), "RIS1") == NOT_AUTHORISED
    assert gate.send(note(image(ANNA, STUDY), title="113000"), "RIS1") == NOT_AUTHORISED
    assert gate.send(note(image(ANNA, OTHER_STUDY)), "RIS1") == NOT_OF_ITS_CLASS
    assert gate.files == {}
    assert manager.rows("rejected") == []


def test_other_key_objects_are_stored_as_ever(manager: Manager, gate: Orthanc) -> None:
    manager.hear(announced())
    assert gate.send(note(image(ANNA, STUDY), title="113000")) == TAKEN
    assert gate.send(note(image(ANNA, OTHER_STUDY), title="113000", study=OTHER_STUDY)) == COERCED
    assert len(gate.files) == 1
