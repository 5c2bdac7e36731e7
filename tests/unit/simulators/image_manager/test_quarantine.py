"""What does not fit the schedule is held where no query finds it, until it fits or somebody decides."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pwd
from typing import TYPE_CHECKING, Any

import pytest

from lab.settings import ROOT
from simulators.errors import ArgumentError, NotFoundError, RefusedError
from simulators.events import reasons
from simulators.events.report import reason_of
from simulators.hl7content import Code, Order, Status, order_message
from simulators.hl7receiver import HL7ProblemError
from simulators.identity import OtherUserError
from simulators.image_manager import held as verbs
from simulators.image_manager.desk import Desk, DeskServer
from simulators.image_manager.quarantine import chosen, held
from simulators.image_manager.schedule import Arrival
from simulators.settings import Caller
from tests.unit.simulators.image_manager.archive import as_file, image
from tests.unit.simulators.image_manager.test_image_manager import (
    ANNA,
    DOUBLE,
    OTHER_STUDY,
    STUDY,
    Manager,
    announced,
    envelope,
    merged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

    from simulators.image_manager.quarantine import Held

SCANNER = Caller("ct1", "ct1.test", "10.0.0.1", "CT1", "CT", "dicom-tls", ("C-STORE",))
OTHER_ARCHIVE = Caller("pacs2", "p.test", "10.0.0.2", "PACS2", None, "dicom-tls", ("C-STORE",), ("primary-archive",))
CALLERS = {"CT1": SCANNER, "PACS2": OTHER_ARCHIVE}


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    return Manager(tmp_path)


def desk_of(manager: Manager, *, hold_unscheduled: bool = True) -> Desk:
    return Desk(manager.store, manager.quarantine, CALLERS, hold_unscheduled=hold_unscheduled)


def entries(manager: Manager) -> list[Held]:
    with manager.store.transaction() as db:
        return held(db)


def told(order_status: str, result: str, reason: str = "") -> str:
    """Return what the filler tells of the procedure of accession A1 (RAD-13)."""
    order = Order(placer="O1", code=Code("CT1", "CT head", "99X"), modality="CT", accession="A1", study_uid=STUDY)
    status = Status(order_status, result, Code(reason, "why", "DCM") if reason else None)
    return order_message(envelope(), "SC", ANNA, order, status)


FITS = Arrival("P1", STUDY, "A1")


@pytest.mark.parametrize(
    ("arrival", "reason"),
    [
        (FITS, None),
        (Arrival("P1", STUDY, ""), None),
        (Arrival("P2", STUDY, "A1"), reasons.OTHER_PATIENT),
        (Arrival("P1", STUDY, "A2"), reasons.OTHER_ACCESSION),
        (Arrival("P1", OTHER_STUDY, "A1"), reasons.OTHER_STUDY),
        (Arrival("P1", OTHER_STUDY, ""), reasons.UNSCHEDULED),
        (Arrival("P1", OTHER_STUDY, "", known_study=True), None),
    ],
)
def test_an_object_is_compared_with_what_was_announced(manager: Manager, arrival: Arrival, reason: Any) -> None:
    manager.hear(announced())
    verdict = desk_of(manager).judge("CT1", arrival)
    assert (verdict.word, verdict.reason) == (("hold", reason) if reason else ("keep", None))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (lambda: announced("CA"), reasons.CANCELLED_PROCEDURE),
        (lambda: told("DC", "X", "110514"), reasons.WRONG_WORKLIST_ENTRY),
        (lambda: told("DC", "X", "110513"), None),
        (lambda: told("IP", "I"), None),
        (lambda: told("IP", "R"), None),
    ],
)
def test_what_the_filler_tells_afterwards_counts(manager: Manager, message: Any, reason: Any) -> None:
    manager.hear(announced())
    manager.hear(message())
    assert desk_of(manager).judge("CT1", FITS).reason is reason


def test_a_merged_patient_is_the_same_patient(manager: Manager) -> None:
    manager.hear(announced())
    manager.hear(merged(ANNA, "P2"))
    assert desk_of(manager).judge("CT1", Arrival("P2", STUDY, "A1")).word == "keep"
    assert desk_of(manager).same_patient("P2", "P1")
    assert not desk_of(manager).same_patient("P3", "P1")


def test_what_another_archive_sends_on_was_judged_there_but_for_what_became_known_since(manager: Manager) -> None:
    assert desk_of(manager).judge("PACS2", FITS).word == "keep"
    manager.hear(announced())
    manager.hear(told("DC", "X", "110514"))
    assert desk_of(manager).judge("PACS2", FITS).reason is reasons.WRONG_WORKLIST_ENTRY


def test_a_site_may_store_what_nobody_announced(manager: Manager) -> None:
    assert desk_of(manager, hold_unscheduled=False).judge("CT1", FITS).word == "keep"


def test_a_status_that_means_nothing_is_refused(manager: Manager) -> None:
    manager.hear(announced())
    with pytest.raises(HL7ProblemError):
        manager.hear(told("XX", "X"))


def test_images_of_a_wrong_worklist_entry_leave_the_archive_at_once(manager: Manager) -> None:
    manager.hear(announced())
    manager.orthanc.store(image(ANNA, STUDY), image(ANNA, STUDY), image(ANNA, OTHER_STUDY))
    manager.turn()
    manager.hear(told("DC", "X", "110514"))
    manager.turn()
    assert [one.StudyInstanceUID for one in manager.orthanc.datasets()] == [OTHER_STUDY]
    assert [(entry.study, entry.reason) for entry in entries(manager)] == [(STUDY, "wrong-worklist-entry")] * 2
    assert manager.rows("withdrawals") == []


def test_a_withdrawal_waits_for_an_archive_that_is_away(manager: Manager) -> None:
    manager.hear(announced())
    manager.orthanc.store(image(ANNA, STUDY))
    manager.hear(told("DC", "X", "110514"))
    manager.orthanc.away = True
    with pytest.raises(Exception, match="does not answer"):
        manager.holding()
    manager.orthanc.away = False
    manager.holding()
    assert manager.orthanc.instances == {}
    assert len(entries(manager)) == 1


def test_images_that_came_before_their_order_are_released_when_it_comes(manager: Manager) -> None:
    manager.quarantine.hold(as_file(image(ANNA, STUDY)), reasons.UNSCHEDULED, "CT1")
    manager.turn()
    assert len(entries(manager)) == 1
    manager.hear(announced())
    manager.turn()
    assert entries(manager) == []
    assert len(manager.orthanc.instances) == 1
    assert list(manager.quarantine.folder.iterdir()) == []


def test_somebody_may_release_or_discard_by_number_or_study(manager: Manager) -> None:
    for study in (STUDY, STUDY, OTHER_STUDY):
        manager.quarantine.hold(as_file(image(ANNA, study)), reasons.UNSCHEDULED, "CT1")
    with manager.store.transaction() as db:
        of_study, by_number = chosen(db, [], STUDY), chosen(db, [3], None)
        for numbers, study, error in (
            ([], None, ArgumentError),
            ([9], None, NotFoundError),
            ([], "1.9", NotFoundError),
        ):
            with pytest.raises(error):
                chosen(db, numbers, study)
    for entry in of_study:
        manager.quarantine.release(entry)
    for entry in by_number:
        manager.quarantine.discard(entry)
    assert len(manager.orthanc.instances) == 2
    assert entries(manager) == []
    assert [row["state"] for row in manager.rows("held")] == ["released", "released", "discarded"]


def test_nothing_is_released_into_another_patients_study(manager: Manager) -> None:
    manager.orthanc.store(image(DOUBLE, STUDY))
    manager.quarantine.hold(as_file(image(ANNA, STUDY)), reasons.UNSCHEDULED, "CT1")
    with pytest.raises(RefusedError):
        manager.quarantine.release(entries(manager)[0])
    assert len(entries(manager)) == 1


def test_the_same_object_is_held_once_and_another_under_its_uid_is_refused(manager: Manager) -> None:
    first = image(ANNA, STUDY)
    manager.quarantine.hold(as_file(first), reasons.UNSCHEDULED, "CT1")
    manager.quarantine.hold(as_file(first), reasons.UNSCHEDULED, "CT1")
    first.PixelData = bytes(32)
    with pytest.raises(RefusedError):
        manager.quarantine.hold(as_file(first), reasons.UNSCHEDULED, "CT1")
    assert len(entries(manager)) == 1


@pytest.fixture
def asking(manager: Manager, tmp_path: Path) -> Iterator[Any]:
    """The gate's end of the desk, talking to a desk that serves."""
    server = DeskServer(tmp_path / "desk", desk_of(manager), pwd.getpwuid(os.getuid()).pw_name)
    server.start()
    path = ROOT / "roles" / "orthanc" / "files" / "ingest" / "desk.py"
    specification = importlib.util.spec_from_file_location("gate_desk", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    client = module.Desk(str(tmp_path / "desk"))
    client.server = server
    yield client
    server.shutdown()
    server.server_close()


def admitted(asking: Any, dataset: Dataset) -> dict[str, Any]:
    """Ask about an object of a scanner."""
    facts = {
        "ae_title": "CT1", "patient": dataset.PatientID, "study": dataset.StudyInstanceUID, "accession": "",
        "known_study": False, "instance": dataset.SOPInstanceUID, "sop_class": dataset.SOPClassUID,
    }  # fmt: skip
    file = as_file(dataset)
    answer: dict[str, Any] = asking.admit(facts, len(file), lambda: file)
    return answer


def test_the_gate_is_answered_and_an_object_that_is_held_is_on_disk(manager: Manager, asking: Any) -> None:
    manager.hear(announced())
    fitting, other = image(ANNA, STUDY), image(ANNA, OTHER_STUDY)
    assert admitted(asking, fitting)["verdict"] == "keep"
    answer = admitted(asking, other)
    assert (answer["verdict"], answer["reason"]) == ("held", "unscheduled")
    (entry,) = entries(manager)
    assert (manager.quarantine.folder / entry.file).read_bytes() == as_file(other)
    assert (entry.ae_title, entry.patient, entry.instance) == ("CT1", "P1", other.SOPInstanceUID)
    other.PatientName = "Xeber^Anna"
    assert admitted(asking, other) == {"verdict": "refuse", "reason": "instance-conflict"}
    assert not asking.same_patient("P1", "P2")


def test_no_other_user_may_ask(asking: Any) -> None:
    asking.server.uid += 1
    with pytest.raises(OSError):  # noqa: PT011 # closed, or broken off while it is asked
        asking.same_patient("P1", "P2")


def test_a_question_that_is_none_lets_nothing_in(asking: Any) -> None:
    assert asking.admit({"ae_title": "CT1"}, 0, bytes)["verdict"] == "refuse"
    assert not asking.same_patient("P1", "P2")


@pytest.fixture
def command(manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The verbs of the command, beside the manager's archive."""
    configuration = {
        "orthanc": {"url": "http://archive", "user": "u", "password": "p", "runs_as": "orthanc"},
        "state": str(tmp_path), "runtime": str(tmp_path), "hold_unscheduled": True, "outbound": {},
    }  # fmt: skip
    path = tmp_path / "image-manager.json"
    path.write_text(json.dumps(configuration), "utf-8")
    monkeypatch.setenv("PACSLAB_IMAGE_MANAGER_CONFIG", str(path))
    monkeypatch.setattr(verbs, "USER", pwd.getpwuid(os.geteuid()).pw_name)
    monkeypatch.setattr(verbs, "OrthancClient", lambda _: manager.orthanc.archive(tmp_path))

    def run(verb: Any, **arguments: Any) -> Any:
        return verb(argparse.Namespace(**{"ids": [], "study": None, **arguments}), None).data

    return run


def test_the_command_lists_releases_and_discards(manager: Manager, command: Any) -> None:
    for study in (STUDY, OTHER_STUDY):
        manager.quarantine.hold(as_file(image(ANNA, study)), reasons.UNSCHEDULED, "CT1")
    first, second = command(verbs.quarantine)
    assert (first["reason"], first["patient"], first["ae_title"]) == ("unscheduled", "P1", "CT1")
    assert command(verbs.release, ids=[first["id"]]) == {"released": [first["instance"]]}
    assert command(verbs.discard, study=OTHER_STUDY) == {"discarded": [second["instance"]]}
    assert command(verbs.quarantine) == []
    assert len(manager.orthanc.instances) == 1


@pytest.mark.parametrize("verb", [verbs.quarantine, verbs.release, verbs.discard])
def test_another_user_of_the_host_neither_sees_nor_decides(
    manager: Manager, command: Any, monkeypatch: pytest.MonkeyPatch, verb: Any
) -> None:
    manager.quarantine.hold(as_file(image(ANNA, OTHER_STUDY)), reasons.UNSCHEDULED, "CT1")
    monkeypatch.setattr(verbs, "USER", "image-manager")
    with pytest.raises(OtherUserError) as refused:
        command(verb, study=OTHER_STUDY)
    assert reason_of(refused.value) is reasons.OTHER_USER
    assert len(entries(manager)) == 1
