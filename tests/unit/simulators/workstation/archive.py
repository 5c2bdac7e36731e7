"""An archive on loopback as a workstation sees it, with faults that tests can switch on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import contexts, start_scp
from simulators.imaging.ct import ct_series
from simulators.settings import Peer
from simulators.workstation import query, retrieve
from simulators.workstation.desk import Desk
from tests.unit.simulators.imaging.study import context, ramp

if TYPE_CHECKING:
    from collections.abc import Iterator

CT = "1.2.840.10008.5.1.4.1.1.2"
ADDED = tuple(f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in ("11.1", "88.11", "88.34", "88.59"))
"""Grayscale Softcopy Presentation State, Basic Text SR, Comprehensive 3D SR, Key Object Selection."""


class FakeArchive:
    """Query/Retrieve SCP over a list of objects."""

    def __init__(self) -> None:
        """Hold one series."""
        self.held: list[Dataset] = list(ct_series(context(), ramp(3)))
        self.forgets = False
        self.status = 0
        self.received: list[str] = []

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer C-FIND."""
        asked = event.identifier
        seen = set()
        unique = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
        for held in self.held:
            named = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "AccessionNumber", "PatientID")
            if any(asked.get(name) and asked.get(name) != held.get(name) for name in named):
                continue
            uid = held.get(unique[asked.QueryRetrieveLevel])
            if uid in seen:
                continue
            seen.add(uid)
            answer = Dataset()
            answer.SpecificCharacterSet = "ISO_IR 192"
            for element in asked:
                if element.keyword and held.get(element.keyword) is not None:
                    setattr(answer, element.keyword, held.get(element.keyword))
            yield 0xFF00, answer

    def get(self, event: Any) -> Iterator[Any]:
        """Answer C-GET."""
        asked = event.identifier
        wanted = [
            held
            for held in self.held
            if held.StudyInstanceUID == asked.StudyInstanceUID
            and asked.get("SOPInstanceUID") in {None, held.SOPInstanceUID}
        ]
        yield len(wanted)
        for held in wanted:
            yield 0xFF00, held

    def store(self, event: Any) -> int:
        """Take an object, or pretend to."""
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        self.received.append(dataset.SOPInstanceUID)
        known = {held.SOPInstanceUID for held in self.held}
        if self.status == 0 and not self.forgets and dataset.SOPInstanceUID not in known:
            self.held.append(dataset)
        return self.status


@contextmanager
def archive_of(sop_class: str, syntaxes: list[str]) -> Iterator[tuple[FakeArchive, Desk]]:
    """An archive that keeps images of one class, and what is added to them, and a workstation in front of it."""
    fake = FakeArchive()
    storage = [*contexts([sop_class], syntaxes), *contexts(ADDED)]
    for offered in storage:
        offered.scu_role, offered.scp_role = True, True
    server = start_scp(
        "PACSRAD",
        0,
        [*contexts([query.STUDY_ROOT_FIND, retrieve.STUDY_ROOT_GET]), *storage],
        [(evt.EVT_C_FIND, fake.find), (evt.EVT_C_GET, fake.get), (evt.EVT_C_STORE, fake.store)],
    )
    peer = Peer("pacs-rad", "pacs-rad", "127.0.0.1", "PACSRAD", (), "dicom", server.server_address[1], ())
    try:
        yield fake, Desk("WSRAD1", peer, None)
    finally:
        server.shutdown()
