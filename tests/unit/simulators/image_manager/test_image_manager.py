"""The image manager lets images follow their patients, and archives all of them once."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from simulators.errors import UnreachableError
from simulators.hl7content import Code, Envelope, Order, Patient, adt, merge, order_message
from simulators.hl7memory import Acceptance
from simulators.hl7messages import Party, new_control_id, parse
from simulators.hl7receiver import HL7ProblemError
from simulators.image_manager import inbox
from simulators.image_manager.availability import Notifier
from simulators.image_manager.forward import Follower, SeriesSender
from simulators.image_manager.inbox import StoredInbox
from simulators.image_manager.orthanc import OrthancClient
from simulators.image_manager.quarantine import Quarantine
from simulators.image_manager.reconcile import Reconciler
from simulators.image_manager.restamp import restamp
from simulators.image_manager.serve import Holding, further_archives
from simulators.image_manager.store import Store
from simulators.settings import parse as parse_settings
from tests.unit.simulators.image_manager.archive import FakeOrthanc, as_file, image
from tests.unit.simulators.peers import peer

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.settings import Peer

ANNA = Patient("P1", "HOSPITAL", "Weber", "Anna", "19700412", "F")
MARRIED = replace(ANNA, family="Klein")
DOUBLE = Patient("P2", "HOSPITAL", "Weber", "A", "19700412", "F")
STUDY, OTHER_STUDY = "1.2.3", "1.2.4"


class Manager:
    """An image manager beside an archive in memory."""

    def __init__(self, folder: Path, *targets: str, filler: Peer | None = None, ae_title: str = "PACS1") -> None:
        """Keep state in `folder`; `targets` are the further archives, `filler` is told what there is."""
        spool = folder / "spool"
        spool.mkdir(exist_ok=True)
        self.orthanc, self.store, self.spool = FakeOrthanc(), Store(folder), spool
        archive = self.orthanc.archive(folder)
        self.reconciler = Reconciler(self.store, archive, spool, "pacs1")
        fillers = () if filler is None else (filler.name,)
        self.follower = Follower(self.store, archive, self.reconciler, targets, fillers)
        (folder / "quarantine").mkdir(exist_ok=True)
        self.quarantine = Quarantine(self.store, archive, folder / "quarantine")
        self.holding = Holding(self.store, self.quarantine, fillers)
        self.notifiers = [] if filler is None else [Notifier(self.store, archive, self.quarantine, ae_title, filler)]
        self.senders = [SeriesSender(self.store, archive, target) for target in targets]

    def hear(self, message: str) -> Acceptance:
        """Take a message as the HL7 listener does."""
        parsed = parse(message.encode())
        work = {"ADT^A08": inbox.update, "ADT^A40": inbox.merge, "ORM^O01": inbox.procedures}[parsed.type]
        return StoredInbox(self.store, work, lambda: None).accept("ris1", parsed)

    def turn(self) -> None:
        """Do once what the service's workers do all the time."""
        while self.follower.follow():
            pass
        self.reconciler.run_due()
        self.holding()
        for sender in self.senders:
            sender.run_due()
        for notifier in self.notifiers:
            notifier.run_due()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what the manager remembers."""
        with self.store.transaction() as db:
            return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608 - names of our own

    def no_pause(self) -> None:
        """Let everything that waits for another try be due."""
        with self.store.transaction() as db:
            db.execute("UPDATE work SET next_try = 0")
            db.execute("UPDATE transfers SET next_try = 0")
            db.execute("UPDATE notifications SET next_try = 0")


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path, "vna1")


def envelope() -> Envelope:
    return Envelope(Party("RIS1", "HOSPITAL"), Party("PACS1", "HOSPITAL"), new_control_id())


def update(patient: Patient) -> str:
    return adt(envelope(), "A08", patient)


def merged(surviving: Patient, prior: str) -> str:
    return merge(envelope(), surviving, prior)


def announced(control: str = "NW", study: str = STUDY, code: str = "CT1") -> str:
    order = Order(placer="O1", code=Code(code, "CT head", "99X"), modality="CT", accession="A1", study_uid=study)
    return order_message(envelope(), control, ANNA, order)


def test_an_update_reaches_every_stored_object_of_the_patient(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY), image(ANNA, STUDY), image(ANNA, OTHER_STUDY))
    manager.hear(update(MARRIED))
    manager.turn()
    assert [str(dataset.PatientName) for dataset in manager.orthanc.datasets()] == ["Klein^Anna"] * 3


def test_nobody_elses_objects_change(manager: Manager) -> None:
    manager.orthanc.store(image(DOUBLE, STUDY))
    before = dict(manager.orthanc.instances)
    manager.hear(update(MARRIED))
    manager.turn()
    assert manager.orthanc.instances == before


def test_the_same_number_of_another_authority_is_another_patient(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY, issuer="ELSEWHERE"))
    before = dict(manager.orthanc.instances)
    manager.hear(update(MARRIED))
    manager.turn()
    assert manager.orthanc.instances == before


def test_the_former_identity_is_kept_inside_the_object() -> None:
    stamped = restamp(as_file(image(ANNA, STUDY)), MARRIED, system="pacs1")
    assert stamped is not None
    (item,) = pydicom.dcmread(io.BytesIO(stamped)).OriginalAttributesSequence
    (former,) = item.ModifiedAttributesSequence
    assert str(former.PatientName) == "Weber^Anna"
    assert [element.keyword for element in former] == ["PatientName"]
    assert (item.ModifyingSystem, item.ReasonForTheAttributeModification) == ("pacs1", "COERCE")


def test_a_second_change_keeps_the_note_of_the_first() -> None:
    once = restamp(as_file(image(ANNA, STUDY)), MARRIED, system="pacs1")
    assert once is not None
    twice = restamp(once, replace(MARRIED, given="Annette"), system="pacs1")
    assert twice is not None
    notes = pydicom.dcmread(io.BytesIO(twice)).OriginalAttributesSequence
    names = [str(note.ModifiedAttributesSequence[0].PatientName) for note in notes]
    assert names == ["Weber^Anna", "Klein^Anna"]


def test_an_object_that_says_it_already_is_not_touched() -> None:
    assert restamp(as_file(image(MARRIED, STUDY)), MARRIED, system="pacs1") is None


def test_pixels_and_uids_stay_as_they_were() -> None:
    original = image(ANNA, STUDY)
    stamped = restamp(as_file(original), MARRIED, system="pacs1")
    assert stamped is not None
    now = pydicom.dcmread(io.BytesIO(stamped))
    for keyword in ("PixelData", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert now[keyword].value == original[keyword].value
    assert now.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID


def test_a_name_beyond_the_character_set_turns_the_whole_object_to_utf_8() -> None:
    stamped = restamp(as_file(image(ANNA, STUDY)), replace(ANNA, family="Дворжак"), system="pacs1")
    assert stamped is not None
    now = pydicom.dcmread(io.BytesIO(stamped))
    assert now.SpecificCharacterSet == "ISO_IR 192"
    assert (str(now.PatientName), now.StudyDescription) == ("Дворжак^Anna", "Sch\u00e4del")


def test_a_value_that_the_record_leaves_open_is_kept() -> None:
    stamped = restamp(as_file(image(ANNA, STUDY)), replace(MARRIED, birth_date="", sex="U"), system="pacs1")
    assert stamped is not None
    now = pydicom.dcmread(io.BytesIO(stamped))
    assert (now.PatientBirthDate, now.PatientSex) == ("19700412", "F")


def test_a_merge_files_all_objects_under_the_surviving_patient(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY), image(DOUBLE, OTHER_STUDY))
    manager.hear(merged(ANNA, "P2"))
    manager.turn()
    now = manager.orthanc.datasets()
    assert {(dataset.PatientID, str(dataset.PatientName)) for dataset in now} == {("P1", "Weber^Anna")}
    assert {dataset.StudyInstanceUID for dataset in now} == {STUDY, OTHER_STUDY}


def test_merges_of_merges_end_at_the_last_survivor(manager: Manager) -> None:
    last = replace(ANNA, identifier="P0")
    manager.orthanc.store(image(DOUBLE, STUDY))
    manager.hear(merged(ANNA, "P2"))
    manager.hear(merged(last, "P1"))
    manager.turn()
    assert [dataset.PatientID for dataset in manager.orthanc.datasets()] == ["P0"]


def test_images_that_come_late_under_a_retired_identifier_follow(manager: Manager) -> None:
    manager.hear(merged(ANNA, "P2"))
    manager.turn()
    manager.orthanc.store(image(DOUBLE, STUDY))
    manager.turn()
    assert [dataset.PatientID for dataset in manager.orthanc.datasets()] == ["P1"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (lambda: merged(ANNA, "P1"), "merge-into-itself"),
        (lambda: merged(ANNA, "P2").replace("MRG|P2^^^HOSPITAL", "MRG|P2^^^ELSEWHERE"), "other-authority"),
        (lambda: announced("XX"), "order-control"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(manager: Manager, message: Any, reason: str) -> None:
    with pytest.raises(HL7ProblemError) as caught:
        manager.hear(message())
    assert caught.value.reason.word == reason
    assert not any(manager.rows(table) for table in ("messages", "patients", "merges", "work", "procedures"))


def test_a_retired_identifier_is_not_updated(manager: Manager) -> None:
    manager.hear(merged(ANNA, "P2"))
    with pytest.raises(HL7ProblemError) as caught:
        manager.hear(update(DOUBLE))
    assert caught.value.reason.word == "merged-patient"


def test_a_message_has_its_effect_once(manager: Manager) -> None:
    message = update(MARRIED)
    assert manager.hear(message) is Acceptance.NEW
    manager.hear(update(ANNA))
    assert manager.hear(message) is Acceptance.REPEATED
    assert manager.hear(message.replace("Klein", "Gross")) is Acceptance.OTHER_CONTENT
    assert manager.rows("patients")[0]["family"] == "Weber"


def test_a_message_is_taken_while_the_archive_is_away_and_applied_when_it_is_back(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.orthanc.away = True
    assert manager.hear(update(MARRIED))
    manager.reconciler.run_due()
    assert manager.rows("work")[0]["next_try"] > time.time()
    manager.orthanc.away = False
    manager.no_pause()
    manager.turn()
    assert [str(dataset.PatientName) for dataset in manager.orthanc.datasets()] == ["Klein^Anna"]


def test_an_object_survives_a_stop_between_its_deletion_and_its_return(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.hear(update(MARRIED))
    manager.orthanc.stop_after_delete = True
    manager.reconciler.run_due()
    assert manager.orthanc.instances == {}
    assert len(list(manager.spool.glob("*.dcm"))) == 1
    manager.orthanc.stop_after_delete = manager.orthanc.away = False
    manager.reconciler.recover()
    assert [str(dataset.PatientName) for dataset in manager.orthanc.datasets()] == ["Klein^Anna"]
    assert not list(manager.spool.iterdir())


def test_a_series_that_settles_is_sent_once(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY), image(ANNA, STUDY))
    manager.turn()
    manager.turn()
    assert [(target, count) for target, _, count in manager.orthanc.sent] == [("vna1", 2)]


def test_of_a_series_that_grows_only_what_is_missing_is_sent(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.turn()
    manager.orthanc.store(image(ANNA, STUDY))
    manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [1, 1]
    assert [(row["instances"], row["done"]) for row in manager.rows("transfers")] == [(2, 2)]


def test_a_series_that_settles_once_more_as_it_was_is_not_sent(manager: Manager, events: list[dict[str, Any]]) -> None:
    pictures = [image(ANNA, STUDY), image(ANNA, STUDY)]
    for _ in range(3):
        manager.orthanc.store(*pictures)
        manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [2]
    assert [event["instances"] for event in events if event["action"] == "forward"] == [2]


def test_an_outage_in_the_middle_of_a_series_sends_no_part_of_it_twice(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.image_manager.forward.PART", 2)
    manager.orthanc.store(*(image(ANNA, STUDY) for _ in range(5)))
    finished = OrthancClient.job

    def job(self: OrthancClient, number: str) -> dict[str, Any]:
        manager.orthanc.target_away = number == "1"  # the second of the parts
        return finished(self, number)

    monkeypatch.setattr(OrthancClient, "job", job)
    manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [2, 2]
    manager.no_pause()
    manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [2, 2, 2, 1]
    assert [(row["instances"], row["done"]) for row in manager.rows("transfers")] == [(5, 1)]


def test_an_instance_that_was_deleted_and_comes_again_is_sent_again(manager: Manager) -> None:
    pictures = [image(ANNA, STUDY), image(ANNA, STUDY)]
    manager.orthanc.store(*pictures)
    manager.turn()
    gone = next(iter(manager.orthanc.instances))
    kept = manager.orthanc.instances.pop(gone)
    manager.orthanc.note("StableSeries", manager.rows("transfers")[0]["series"])
    manager.turn()
    manager.orthanc.instances[gone] = kept
    manager.orthanc.note("StableSeries", manager.rows("transfers")[0]["series"])
    manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [2, 1]


def test_an_outage_of_the_further_archive_loses_nothing(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.orthanc.target_away = True
    manager.turn()
    (waiting,) = manager.rows("transfers")
    assert (waiting["done"], waiting["attempts"]) == (0, 1)
    assert waiting["next_try"] > time.time()
    manager.orthanc.target_away = False
    manager.no_pause()
    manager.turn()
    (sent,) = manager.rows("transfers")
    assert (sent["done"], sent["instances"], sent["error"]) == (1, 1, None)


def test_the_place_in_the_change_log_outlives_a_restart(manager: Manager, tmp_path: Path) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.turn()
    again = Manager(tmp_path, "vna1")
    again.orthanc.changes = manager.orthanc.changes
    again.turn()
    assert again.orthanc.sent == []


def test_a_series_whose_change_never_came_is_found(manager: Manager) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    manager.orthanc.changes.clear()
    manager.follower.sweep()
    manager.turn()
    assert [count for _, _, count in manager.orthanc.sent] == [1]


def test_an_archive_that_is_away_is_an_error_of_its_own(manager: Manager) -> None:
    manager.orthanc.away = True
    with pytest.raises(UnreachableError):
        manager.follower.follow()


def test_an_announced_procedure_waits_for_its_images(manager: Manager) -> None:
    manager.hear(announced())
    assert manager.rows("procedures")[0]["images_at"] is None
    manager.orthanc.store(image(ANNA, STUDY))
    manager.turn()
    (procedure,) = manager.rows("procedures")
    assert (procedure["accession"], procedure["state"]) == ("A1", "scheduled")
    assert procedure["images_at"] is not None


def test_a_cancelled_procedure_is_no_longer_expected(manager: Manager) -> None:
    manager.hear(announced())
    manager.hear(announced("CA"))
    assert [row["state"] for row in manager.rows("procedures")] == ["cancelled"]


def test_a_changed_procedure_is_expected_as_it_is_by_now(manager: Manager, events: list[dict[str, Any]]) -> None:
    for control, code in (("NW", "CT1"), ("XO", "CT2"), ("CA", "CT2")):
        manager.hear(announced(control, code=code))
        assert [row["code"] for row in manager.rows("procedures")] == [code]
    told = [(event["transaction"], event["state"]) for event in events if event["action"] == "schedule"]
    assert told == [("RAD-4", "scheduled"), ("RAD-13", "scheduled"), ("RAD-13", "cancelled")]


def test_an_accession_number_belongs_to_one_study(manager: Manager) -> None:
    manager.hear(announced())
    with pytest.raises(HL7ProblemError) as caught:
        manager.hear(announced(study=OTHER_STUDY))
    assert caught.value.reason.word == "other-study"


def test_what_arrives_is_sent_on_to_whoever_a_flow_names_whatever_roles_it_has() -> None:
    of_another_maker = {**peer("vna9", "dicom-tls", "dicom_edge", ["C-ECHO", "C-STORE"]), "roles": []}
    settings = parse_settings(
        {
            "host": {"name": "pacs1", "fqdn": "pacs1.imaging.internal", "address": "127.0.0.1", "ae_title": "PACS1"},
            "site": {"name": "reference", "domain": "imaging.internal"},
            "tls": {"ca": "/none/ca.crt", "crl": "/none/crl.pem", "certificates": {}},
            "listen": {},
            "peers": [of_another_maker, peer("ct1", "dicom-tls", "modality", ["N-EVENT-REPORT"])],
            "callers": [],
        }
    )
    assert further_archives(settings) == ("vna9",)
