"""Many images go over two associations; each has one outcome, whatever becomes of an association."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pynetdicom import evt

import simulators.association
from simulators.association import associate, contexts, start_scp
from simulators.errors import AssociationRejectedError
from simulators.imaging.transfer import parcels_of
from simulators.modality.store import WORTH_ONE, send
from simulators.settings import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pynetdicom.transport import ThreadedAssociationServer

    from simulators.imaging.transfer import Parcel

CT, EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
MANY = 3 * WORTH_ONE


class Archive:
    """A storage SCP that counts what each association brings, and aborts one when told to."""

    def __init__(self) -> None:
        """Listen on loopback."""
        self.brought: dict[int, list[str]] = {}
        self.abort_at = 0
        self.both = threading.Barrier(2)
        self.wait_for_both = False
        handlers = [(evt.EVT_C_STORE, self.store)]
        self.server: ThreadedAssociationServer = start_scp("ARCHIVE", 0, contexts([CT]), handlers)
        port = self.server.server_address[1]
        peer = Peer("archive", "archive", "127.0.0.1", "ARCHIVE", (), "dicom", port, ())
        self.open = partial(associate, peer, calling="CT1", tls=None)

    def store(self, event: Any) -> int:
        """Take an object."""
        association = id(event.assoc)
        first = association not in self.brought
        mine = self.brought.setdefault(association, [])
        if first and self.wait_for_both:
            self.both.wait(10)
        if self.abort_at and len(mine) + 1 == self.abort_at:
            self.abort_at = 0
            event.assoc.abort()
            return 0xC000
        mine.append(event.request.AffectedSOPInstanceUID)
        return 0


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setattr(simulators.association, "DIMSE_SECONDS", 3.0)
    made = Archive()
    yield made
    made.server.shutdown()


def objects(folder: Path, count: int) -> list[Parcel]:
    """Files with nothing in them but who they are."""
    for number in range(count):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = EXPLICIT
        one.SOPClassUID, one.SOPInstanceUID = CT, f"2.25.{number + 1}"
        one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = CT, one.SOPInstanceUID
        one.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)
    return parcels_of(folder)


def test_many_objects_go_over_two_associations(archive: Archive, tmp_path: Path) -> None:
    archive.wait_for_both = True
    outcomes = list(send(archive.open, objects(tmp_path, MANY)))
    assert sorted(outcome.uid for outcome in outcomes) == sorted(f"2.25.{number + 1}" for number in range(MANY))
    assert not any(outcome.error for outcome in outcomes)
    assert len(archive.brought) == 2
    assert sorted(uid for uids in archive.brought.values() for uid in uids) == sorted(
        outcome.uid for outcome in outcomes
    )


def test_few_objects_go_over_one(archive: Archive, tmp_path: Path) -> None:
    assert len(list(send(archive.open, objects(tmp_path, WORTH_ONE)))) == WORTH_ONE
    assert len(archive.brought) == 1


def test_an_archive_that_takes_one_association_gets_all_over_it(archive: Archive, tmp_path: Path) -> None:
    archive.server.ae.maximum_associations = 1
    outcomes = list(send(archive.open, objects(tmp_path, MANY)))
    assert len(outcomes) == MANY
    assert not any(outcome.error for outcome in outcomes)
    assert len(archive.brought) == 1


def test_no_association_at_all_is_an_error(archive: Archive, tmp_path: Path) -> None:
    archive.server.ae.require_calling_aet = ["MR1"]
    with pytest.raises(AssociationRejectedError):
        list(send(archive.open, objects(tmp_path, MANY)))


def test_what_an_aborted_association_left_goes_over_the_other(archive: Archive, tmp_path: Path) -> None:
    archive.wait_for_both, archive.abort_at = True, 3
    outcomes = {outcome.uid: outcome.error for outcome in send(archive.open, objects(tmp_path, MANY))}
    assert len(outcomes) == MANY
    lost = [uid for uid, error in outcomes.items() if error]
    assert len(lost) == 1
    assert sorted(len(uids) for uids in archive.brought.values()) == [2, MANY - 3]


def test_after_the_only_association_is_aborted_the_rest_are_not_stored(archive: Archive, tmp_path: Path) -> None:
    archive.abort_at = 3
    outcomes = list(send(archive.open, objects(tmp_path, MANY), associations=1))
    assert [bool(outcome.error) for outcome in outcomes] == [False, False] + [True] * (MANY - 2)


def test_a_file_that_is_gone_is_the_callers_error(archive: Archive, tmp_path: Path) -> None:
    parcels = objects(tmp_path, MANY)
    parcels[5].path.unlink()
    with pytest.raises(FileNotFoundError):
        list(send(archive.open, parcels))
    assert threads() == 0


def test_a_caller_that_stops_listening_stops_the_sending(archive: Archive, tmp_path: Path) -> None:
    outcomes = send(archive.open, objects(tmp_path, MANY))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined] # a generator
    assert threads() == 0
    assert sum(len(uids) for uids in archive.brought.values()) < MANY


def threads() -> int:
    """How many threads still send."""
    return sum("_work" in thread.name for thread in threading.enumerate())
