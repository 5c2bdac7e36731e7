"""The order filler learns what the archive has, once for each time that it changes, and nothing else (RAD-49)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import contexts, start_scp
from simulators.errors import NotReadyError
from simulators.events import reasons
from simulators.image_manager.availability import NOTIFICATION, order_fillers
from simulators.image_manager.configuration import Configuration
from simulators.image_manager.troubles import MOST_ERRORS, SET_ASIDE, decide, troubles
from simulators.settings import Peer
from simulators.settings import parse as parse_settings
from tests.unit.simulators.cutting import Cut, dicom_proxy
from tests.unit.simulators.image_manager.archive import as_file, image
from tests.unit.simulators.image_manager.test_image_manager import (
    ANNA,
    MARRIED,
    OTHER_STUDY,
    STUDY,
    Manager,
    announced,
    update,
)
from tests.unit.simulators.image_manager.test_quarantine import told
from tests.unit.simulators.peers import free_port, peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Filler:
    """An order filler that takes notifications, or answers with a status."""

    port: int = 0
    status: int = 0
    taken: list[tuple[str, Dataset]] = field(default_factory=list)

    def create(self, event: Any) -> tuple[int, Dataset]:
        """N-CREATE."""
        assert str(event.assoc.requestor.ae_title) == "PACS1"
        if self.status == 0:
            self.taken.append((str(event.request.AffectedSOPInstanceUID), event.attribute_list))
        return self.status, Dataset()

    def said(self) -> list[dict[str, str]]:
        """What each notification says: SOP instances to their availability."""
        return [
            {
                str(one.ReferencedSOPInstanceUID): str(one.InstanceAvailability)
                for series in content.ReferencedSeriesSequence
                for one in series.ReferencedSOPSequence
            }
            for _, content in self.taken
        ]


@pytest.fixture
def filler() -> Iterator[Filler]:
    made = Filler()
    server = start_scp("RIS1", 0, contexts([NOTIFICATION]), [(evt.EVT_N_CREATE, made.create)])
    made.port = server.server_address[1]
    yield made
    server.shutdown()


def at(port: int) -> Peer:
    return Peer("ris1", "ris1", "127.0.0.1", "RIS1", (), "dicom", port, ("IAN",))


@pytest.fixture
def manager(tmp_path: Path, filler: Filler) -> Manager:
    return Manager(tmp_path, filler=at(filler.port))


def uids(*images: Dataset) -> list[str]:
    return [str(one.SOPInstanceUID) for one in images]


def step_of(dataset: Dataset, uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.3", uid
    dataset.ReferencedPerformedProcedureStepSequence = [reference]
    return dataset


def test_a_study_that_settles_is_told_once_with_its_objects_and_its_performed_step(
    manager: Manager, filler: Filler, events: list[dict[str, Any]]
) -> None:
    stored = [
        step_of(image(ANNA, STUDY), "2.25.815"),
        step_of(image(ANNA, STUDY), "2.25.815"),
        image(ANNA, OTHER_STUDY),
    ]
    manager.orthanc.store(*stored[:2])
    manager.orthanc.store(*stored[2:])
    manager.turn()
    manager.turn()
    assert filler.said() == [dict.fromkeys(uids(*stored[:2]), "ONLINE"), dict.fromkeys(uids(stored[2]), "ONLINE")]
    (_, content), (_, other) = filler.taken
    (step,) = content.ReferencedPerformedProcedureStepSequence
    assert (step.ReferencedSOPClassUID, step.ReferencedSOPInstanceUID) == ("1.2.840.10008.3.1.2.3.3", "2.25.815")
    assert content.StudyInstanceUID == STUDY
    (series,) = content.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == stored[0].SeriesInstanceUID
    assert {one.RetrieveAETitle for one in series.ReferencedSOPSequence} == {"PACS1"}
    assert {one.ReferencedSOPClassUID for one in series.ReferencedSOPSequence} == {stored[0].SOPClassUID}
    assert not other.ReferencedPerformedProcedureStepSequence
    about = {"action": "notify-availability", "transaction": "RAD-49", "outcome": "success", "peer": "ris1"}
    assert {**about, "study": STUDY, "ae_title": "PACS1", "instances": 2, "unavailable": 0}.items() <= next(
        event for event in events if event["action"] == "notify-availability"
    ).items()


def test_a_study_that_grows_is_told_again_with_all_that_it_has(manager: Manager, filler: Filler) -> None:
    first, second = image(ANNA, STUDY), image(ANNA, STUDY)
    manager.orthanc.store(first)
    manager.turn()
    manager.orthanc.store(second)
    manager.turn()
    assert filler.said() == [dict.fromkeys(uids(first), "ONLINE"), dict.fromkeys(uids(first, second), "ONLINE")]
    assert len({uid for uid, _ in filler.taken}) == 2


@pytest.mark.parametrize("cut", [Cut.REQUEST, Cut.BETWEEN, Cut.ANSWER])
def test_what_is_said_stays_the_same_until_it_is_answered(tmp_path: Path, filler: Filler, cut: Cut) -> None:
    first, second = image(ANNA, STUDY), image(ANNA, STUDY)
    with dicom_proxy(filler.port) as proxy:
        manager = Manager(tmp_path, filler=at(proxy.port))
        proxy.cuts = [cut]
        manager.orthanc.store(first)
        manager.turn()
        manager.orthanc.store(second)  # what has come meanwhile is another notification
        for _ in range(3):
            manager.no_pause()
            manager.turn()
    assert proxy.made == [cut]
    once = dict(filler.taken)
    assert len(once) == 2
    assert filler.said()[-2:] == [dict.fromkeys(uids(first), "ONLINE"), dict.fromkeys(uids(first, second), "ONLINE")]
    assert all(content == once[uid] for uid, content in filler.taken)


def test_images_that_leave_the_archive_are_told_to_be_unavailable(manager: Manager, filler: Filler) -> None:
    wrong = image(ANNA, STUDY)
    manager.hear(announced())
    manager.orthanc.store(wrong)
    manager.turn()
    manager.hear(told("DC", "X", "110514"))
    manager.turn()
    assert manager.orthanc.instances == {}
    assert filler.said() == [dict.fromkeys(uids(wrong), "ONLINE"), dict.fromkeys(uids(wrong), "UNAVAILABLE")]
    assert filler.taken[1][1].ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPClassUID


def test_what_is_held_is_no_more_than_unavailable(manager: Manager, filler: Filler) -> None:
    good, strange = image(ANNA, STUDY), image(ANNA, STUDY)
    manager.quarantine.hold(as_file(strange), reasons.OTHER_ACCESSION, "CT1")
    manager.orthanc.store(good)
    manager.follower.follow()
    manager.notifiers[0].run_due()
    assert filler.said() == [{**dict.fromkeys(uids(good), "ONLINE"), **dict.fromkeys(uids(strange), "UNAVAILABLE")}]


def test_a_correction_of_the_patient_is_told_under_the_same_objects(manager: Manager, filler: Filler) -> None:
    stored = image(ANNA, STUDY)
    manager.orthanc.store(stored)
    manager.turn()
    manager.hear(update(MARRIED))
    manager.turn()
    (corrected,) = manager.orthanc.datasets()
    manager.orthanc.store(corrected)  # the archive's change log has it as a study that settles once more
    manager.turn()
    assert filler.said() == [dict.fromkeys(uids(stored), "ONLINE")] * 2


def test_studies_whose_change_never_came_are_found(manager: Manager, filler: Filler) -> None:
    stored = [image(ANNA, STUDY), image(ANNA, OTHER_STUDY)]
    manager.orthanc.store(stored[0])
    manager.turn()
    manager.orthanc.store(stored[1])
    del manager.orthanc.changes[-2:]
    manager.follower.sweep()
    manager.turn()
    manager.follower.sweep()
    manager.turn()
    assert filler.said() == [dict.fromkeys(uids(one), "ONLINE") for one in stored]


def failing(manager: Manager, count: int) -> None:
    for _ in range(count):
        manager.no_pause()
        manager.turn()


@pytest.mark.parametrize("status", [0x0124, 0x0120])
def test_a_notification_that_is_refused_for_good_is_set_aside_and_the_others_are_told(
    manager: Manager, filler: Filler, status: int, events: list[dict[str, Any]]
) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    filler.status = status
    failing(manager, MOST_ERRORS + 1)
    with manager.store.transaction() as db:
        (trouble,) = troubles(db, SET_ASIDE)
    assert (trouble.queue, trouble.item, trouble.errors) == ("notify", f"{STUDY} ris1", MOST_ERRORS)
    assert "set-aside" in {event.get("reason") for event in events if event["action"] == "notify-availability"}
    filler.status = 0
    manager.orthanc.store(image(ANNA, OTHER_STUDY))
    failing(manager, 1)
    assert len(filler.taken) == 1
    with manager.store.transaction() as db:
        decide(db, trouble.id, again=True)
    failing(manager, 1)
    assert len(filler.taken) == 2


@pytest.mark.parametrize("status", [0x0110, 0x0213])
def test_an_order_filler_that_cannot_take_it_now_sets_nothing_aside(
    manager: Manager, filler: Filler, status: int
) -> None:
    manager.orthanc.store(image(ANNA, STUDY))
    filler.status = status
    failing(manager, 2 * MOST_ERRORS)
    with manager.store.transaction() as db:
        assert troubles(db) == []
    filler.status = 0
    failing(manager, 1)
    assert len(filler.taken) == 1


def test_an_order_filler_that_is_away_for_long_sets_nothing_aside(tmp_path: Path) -> None:
    port = free_port()
    manager = Manager(tmp_path, filler=at(port))
    manager.orthanc.store(image(ANNA, STUDY))
    failing(manager, 2 * MOST_ERRORS)
    with manager.store.transaction() as db:
        assert troubles(db) == []
    back = Filler()
    server = start_scp("RIS1", port, contexts([NOTIFICATION]), [(evt.EVT_N_CREATE, back.create)])
    failing(manager, 1)
    server.shutdown()
    assert len(back.taken) == 1


def test_whoever_a_flow_names_is_told_at_the_port_where_the_edge_leads_there(tmp_path: Path) -> None:
    settings = parse_settings(
        {
            "host": {"name": "pacs1", "fqdn": "pacs1.x", "address": "127.0.0.1", "ae_title": "PACS1"},
            "site": {"name": "x", "domain": "x"},
            "tls": {"ca": "x", "crl": "x", "certificates": {}},
            "listen": {},
            "peers": [
                peer("vna1", "dicom-tls", "orthanc", ["C-STORE"]),
                peer("ris1", "dicom-tls", "ris", ["IAN"]),
            ],
            "callers": [],
        }
    )
    known = Configuration("", "", "", tmp_path, tmp_path, outbound={"ris1": 11203, "vna1": 11204})
    (found,) = order_fillers(settings, known)
    assert (found.name, found.address, found.port, found.ae_title) == ("ris1", "127.0.0.1", 11203, "RIS1")
    with pytest.raises(NotReadyError, match="ris1"):
        order_fillers(settings, replace(known, outbound={}))
