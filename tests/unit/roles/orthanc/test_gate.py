"""Nothing hostile or contradictory gets into an archive, and every refusal says who, what and why."""

from __future__ import annotations

import io
import os
import pwd
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from simulators.events.actions import ARCHIVE, TAKE_OBJECT
from simulators.events.reasons import REASONS
from simulators.hl7content import Patient
from simulators.image_manager.desk import Desk, DeskServer
from simulators.image_manager.restamp import restamp
from tests.unit.roles.events import event_of_line
from tests.unit.roles.orthanc.plugin import INGEST, Orthanc
from tests.unit.simulators.image_manager.archive import as_file, image
from tests.unit.simulators.image_manager.test_image_manager import Manager, announced, merged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

ANNA = Patient("P1", "HOSPITAL", "Weber", "Anna", "19700412", "F")
BERTA = Patient("P2", "HOSPITAL", "Klein", "Berta", "19801224", "F")
STUDY, OTHER_STUDY = "1.2.3", "1.2.4"
TAKEN, COERCED = 0x0000, 0xB000


@pytest.fixture
def archive(tmp_path: Path) -> Orthanc:
    return Orthanc(tmp_path)


@pytest.fixture(autouse=True)
def _as_sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pydicom write what no honest sender would."""
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.IGNORE)
    with pydicom.config.disable_value_validation():
        yield


def only_event(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one event that was written."""
    (line,) = capsys.readouterr().out.splitlines()
    return event_of_line(line)


def changed(dataset: Dataset, keyword: str, value: Any, vr: str | None = None) -> Dataset:
    """Return the object with another value, of another VR where one is given."""
    setattr(dataset, keyword, value) if vr is None else dataset.add(DataElement(keyword, vr, value))
    return dataset


def test_an_object_as_a_scanner_makes_it_is_taken_without_a_line(
    archive: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive.send(image(ANNA, STUDY)) == TAKEN
    assert archive.send(image(ANNA, STUDY)) == TAKEN
    assert len(archive.files) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "charset"),
    [("Müller^Jörg", "ISO_IR 100"), ("Дворжак^Анна", "ISO_IR 192"), ("Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"])],
)
def test_names_of_every_character_set_are_taken(archive: Orthanc, name: str, charset: str | list[str]) -> None:
    sent = image(ANNA, STUDY)
    sent.SpecificCharacterSet = charset
    assert archive.send(changed(sent, "PatientName", name)) == TAKEN


def test_implicit_vr_is_taken(archive: Orthanc) -> None:
    sent = image(ANNA, STUDY)
    sent.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert archive.send(sent) == TAKEN


def test_a_study_stays_one_patients(archive: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    archive.send(image(ANNA, STUDY))
    intruder = image(BERTA, STUDY)
    assert archive.send(intruder, calling="CT2") == 0xC113
    assert len(archive.files) == 1
    event = only_event(capsys)
    told = {name: event[name] for name in ("ae_title", "peer", "patient", "study", "instance", "reason", "status")}
    assert told == {
        "ae_title": "CT2", "peer": "ct2", "patient": "P2", "study": STUDY, "instance": intruder.SOPInstanceUID,
        "reason": "study-conflict", "status": "0xC113",
    }  # fmt: skip


def test_a_study_that_has_just_begun_to_arrive_is_one_patients_too(archive: Orthanc) -> None:
    """While the first object is on its way into the index, the index does not have it."""
    archive.send(image(ANNA, STUDY))
    archive.files.clear()
    assert archive.send(image(BERTA, STUDY)) == 0xC113


def test_a_series_stays_in_its_study(archive: Orthanc) -> None:
    archive.send(image(ANNA, STUDY, "1.2.9"))
    assert archive.send(image(ANNA, OTHER_STUDY, "1.2.9")) == 0xC112


@pytest.mark.parametrize(
    "other",
    [
        lambda sent: changed(sent, "PixelData", bytes(32)),
        lambda sent: changed(sent, "SliceLocation", "7"),
        lambda sent: changed(sent, "PatientName", "Somebody^Else"),
        lambda sent: changed(sent, "PatientID", "P2"),
        lambda sent: changed(sent, "StudyInstanceUID", OTHER_STUDY),
        lambda sent: changed(sent, "SeriesInstanceUID", "1.2.77"),
    ],
)
def test_an_object_with_a_known_uid_and_anything_else_is_a_conflict(
    archive: Orthanc, other: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = image(ANNA, STUDY)
    archive.send(sent)
    assert archive.send(other(sent)) == 0xC111
    assert only_event(capsys)["reason"] == "instance-conflict"


def test_two_that_arrive_at_the_same_moment_do_not_both_become_the_truth(archive: Orthanc) -> None:
    sent = image(ANNA, STUDY)
    archive.send(sent)
    archive.files.clear()
    assert archive.send(sent) == TAKEN
    archive.files.clear()
    assert archive.send(changed(sent, "SliceLocation", "7")) == 0xC111


def test_an_object_that_is_sent_again_is_answered_as_stored_and_told(
    archive: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = image(ANNA, STUDY)
    assert [archive.send(sent), archive.send(sent)] == [TAKEN, TAKEN]
    event = only_event(capsys)
    assert (event["outcome"], event["state"], event["instance"]) == ("success", "already-stored", sent.SOPInstanceUID)


def test_an_object_that_was_restamped_meanwhile_is_known_when_it_is_sent_again(archive: Orthanc) -> None:
    sent = image(ANNA, STUDY)
    stamped = restamp(as_file(sent), replace(BERTA, family="Müller"), system="pacs1")
    assert stamped is not None
    archive.keep(stamped)
    assert archive.send(sent) == COERCED
    assert len(archive.files) == 1


def test_a_restamped_object_is_no_excuse_for_other_content_or_a_third_patient(archive: Orthanc) -> None:
    sent = image(ANNA, STUDY)
    stamped = restamp(as_file(sent), BERTA, system="pacs1")
    assert stamped is not None
    archive.keep(stamped)
    assert archive.send(changed(image_like(sent), "PixelData", bytes(32))) == 0xC111
    assert archive.send(changed(image_like(sent), "PatientID", "P3")) == 0xC111


def image_like(dataset: Dataset) -> Dataset:
    """Return a copy."""
    return pydicom.dcmread(io.BytesIO(as_file(dataset)))


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("PatientID", "", "invalid-identifier"),
        ("PatientID", "A\\B", "invalid-identifier"),
        ("StudyInstanceUID", "../../..", "invalid-identifier"),
        ("SeriesInstanceUID", "/etc/passwd", "invalid-identifier"),
        ("SOPInstanceUID", "1.2.003", "invalid-identifier"),
        ("StudyInstanceUID", "1." + "2" * 64, "invalid-identifier"),
        ("PatientID", "P1\nX", "attribute-text"),
        ("PatientID", "P1\x1b[2JX", "attribute-text"),
        ("PatientID", "P1\x00X", "attribute-text"),
        ("PatientID", "P" * 65, "attribute-text"),
        ("PatientName", "x\x07y", "attribute-text"),
        ("PatientName", "N" * 60_000, "attribute-text"),
        ("StudyDescription", "a\u202eb", "attribute-text"),
        ("PatientName", "a\u009bb", "attribute-text"),
        ("AccessionNumber", "A" * 17, "attribute-text"),
    ],
)
def test_hostile_identifiers_and_texts_are_refused(
    archive: Orthanc, keyword: str, value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = image(ANNA, STUDY)
    sent.SpecificCharacterSet = "ISO_IR 192"
    status = archive.send(changed(sent, keyword, value))
    event = only_event(capsys)
    assert (event["reason"], event["field"]) == (reason, keyword)
    assert event["status"] == f"0x{status:04X}"
    assert archive.files == {}
    assert all(str(fact).isprintable() for fact in event.values())


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [("PatientSex", "US", 7), ("OriginalAttributesSequence", "LO", "text"), ("PatientName", "OB", b"abcd")],
)
def test_an_attribute_of_another_type_is_refused(
    archive: Orthanc, keyword: str, vr: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive.send(changed(image(ANNA, STUDY), keyword, value, vr)) == 0xC102
    assert only_event(capsys)["field"] == keyword


def test_a_deflated_object_is_refused_before_it_unfolds(archive: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    plain = image(ANNA, STUDY)
    plain.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    assert archive.send(plain) == 0xC100
    assert only_event(capsys)["reason"] == "unreadable-object"


def test_what_comes_by_dicomweb_is_judged_too(archive: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    assert archive.add(as_file(image(ANNA, STUDY)), "plugin")
    assert not archive.add(as_file(image(BERTA, STUDY)), "plugin")
    assert only_event(capsys)["reason"] == "study-conflict"


def test_what_the_image_manager_puts_back_passes(archive: Orthanc) -> None:
    archive.send(image(ANNA, STUDY))
    assert archive.add(as_file(image(BERTA, STUDY)), "rest")


def test_no_marker_of_a_refused_object_is_stored(archive: Orthanc) -> None:
    sent = image(ANNA, STUDY)
    archive.send(sent)
    archive.send(changed(sent, "SliceLocation", "7"))
    assert [name.split("|")[0] for name in archive.files] == ["P1"]


@pytest.mark.parametrize("cut", [140, 400, -40])
def test_an_object_that_breaks_off_is_refused(archive: Orthanc, cut: int) -> None:
    file = as_file(changed(image(ANNA, STUDY), "StudyComments", "x" * 50))
    without_pixels = file[: file.index(b"\xe0\x7f\x10\x00")]
    assert archive.send_file(without_pixels[:cut]) == 0xC100


def test_sequences_of_undefined_length_are_walked_and_no_deeper_than_they_may_be(archive: Orthanc) -> None:
    assert archive.send(nested(5)) == TAKEN
    assert archive.send(nested(60)) == 0xC100


def nested(depth: int) -> Dataset:
    """Return an image with sequences within each other, all of undefined length."""
    item = pydicom.Dataset()
    item.CodeValue = "A"
    for _ in range(depth):
        above = pydicom.Dataset()
        above.ConceptNameCodeSequence = [item]
        above["ConceptNameCodeSequence"].is_undefined_length = True
        item.is_undefined_length_sequence_item = True
        item = above
    sent = image(ANNA, STUDY)
    sent.ContentSequence = [item]
    item.is_undefined_length_sequence_item = True
    sent["ContentSequence"].is_undefined_length = True
    return sent


def test_an_object_is_no_longer_than_one_may_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = Orthanc(tmp_path, octets=2000)
    assert archive.send(changed(image(ANNA, STUDY), "PixelData", bytes(3000))) == 0xC104
    assert only_event(capsys)["reason"] == "object-too-large"


def test_a_full_archive_refuses_for_now_and_keeps_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = Orthanc(tmp_path, quota=3 * (len(as_file(image(ANNA, STUDY))) + 20))
    answers = [archive.send(image(ANNA, STUDY)) for _ in range(4)]
    assert answers == [TAKEN, TAKEN, TAKEN, 0xA700]
    assert len(archive.files) == 3
    alarm, refusal = (event_of_line(line) for line in capsys.readouterr().out.splitlines())
    assert (alarm["action"], alarm["reason"]) == ("fill-storage", "storage-filling")
    assert (refusal["reason"], refusal["patient"]) == ("storage-full", "P1")


def test_what_has_to_stay_free_on_the_disk_stays_free(tmp_path: Path) -> None:
    assert Orthanc(tmp_path, reserve=1 << 60).send(image(ANNA, STUDY)) == 0xA700


def test_pixels_that_would_fill_the_memory_when_decoded_are_refused(archive: Orthanc) -> None:
    bomb = changed(changed(image(ANNA, STUDY), "Rows", 65000), "NumberOfFrames", "100")
    assert archive.send(bomb) == 0xC105


def test_while_the_index_does_not_answer_nothing_is_let_in_and_the_sender_may_try_again(
    archive: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.away = True
    assert archive.send(image(ANNA, STUDY)) == 0xA700
    event = only_event(capsys)
    assert (event["outcome"], event["reason"], event["error"]) == ("failed", "internal-error", "RuntimeError")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """An image manager that serves its desk at ``desk``."""
    manager = Manager(tmp_path)
    user = pwd.getpwuid(os.getuid()).pw_name
    server = DeskServer(tmp_path / "desk", Desk(manager.store, manager.quarantine, {}, hold_unscheduled=True), user)
    server.start()
    yield manager
    server.shutdown()
    server.server_close()


def test_what_fits_the_schedule_is_stored_and_what_does_not_is_held(tmp_path: Path, manager: Manager) -> None:
    archive = Orthanc(tmp_path, desk=str(tmp_path / "desk"))
    manager.hear(announced())
    assert archive.send(image(ANNA, STUDY)) == TAKEN
    assert archive.send(image(ANNA, OTHER_STUDY)) == COERCED
    assert archive.send(image(ANNA, OTHER_STUDY)) == COERCED
    assert len(archive.files) == 1
    assert [row["reason"] for row in manager.rows("held")] == ["unscheduled", "unscheduled"]


def test_the_archive_answers_for_what_it_has_unharmed_and_for_what_is_held(tmp_path: Path, manager: Manager) -> None:
    archive = Orthanc(tmp_path, desk=str(tmp_path / "desk"))
    manager.hear(announced())
    stored, held, unknown = image(ANNA, STUDY), image(ANNA, OTHER_STUDY), image(ANNA, STUDY)
    archive.send(stored)
    archive.send(held)
    assert [archive.commits(one) for one in (stored, held, unknown)] == [0, 0, 0x112]
    for one in (stored, held):
        one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    assert [archive.commits(one) for one in (stored, held)] == [0x119, 0x112]


def test_the_archive_does_not_answer_for_a_file_that_changed(
    archive: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = image(ANNA, STUDY)
    archive.send(stored)
    archive.damaged.update(archive.files)
    assert archive.commits(stored) == 0x110
    assert only_event(capsys)["instance"] == stored.SOPInstanceUID


def test_an_object_that_is_held_keeps_nobody_elses_out(tmp_path: Path, manager: Manager) -> None:
    archive = Orthanc(tmp_path, desk=str(tmp_path / "desk"))
    assert archive.send(image(BERTA, STUDY)) == COERCED
    manager.hear(announced())
    assert archive.send(image(ANNA, STUDY)) == TAKEN


def test_objects_under_a_retired_identifier_are_no_conflict(tmp_path: Path, manager: Manager) -> None:
    archive = Orthanc(tmp_path, desk=str(tmp_path / "desk"))
    manager.hear(announced())
    manager.hear(merged(ANNA, "P2"))
    archive.send(image(ANNA, STUDY))
    assert archive.send(image(replace(ANNA, identifier="P2"), STUDY)) == TAKEN


def test_while_the_image_manager_is_away_nothing_is_let_in_and_the_sender_may_try_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = Orthanc(tmp_path, desk=str(tmp_path / "nobody"))
    assert archive.send(image(ANNA, STUDY)) == 0xA700
    event = only_event(capsys)
    assert (event["outcome"], event["reason"], event["patient"]) == ("failed", "desk-away", "P1")


def test_every_reason_of_a_rule_is_a_word_of_the_table() -> None:
    words = {word for path in INGEST.glob("*.py") for word in _reasons(path.read_text("utf-8"))}
    assert words
    assert words <= REASONS.keys()
    assert ARCHIVE in TAKE_OBJECT.programs


def _reasons(source: str) -> set[str]:
    return set(re.findall(r'(?:Refusal|_refused)\("([a-z-]+)"', source))
