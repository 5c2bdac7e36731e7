"""A RIS and an archive on loopback, as far as a modality sees them, with faults that tests can switch on."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import associate, contexts, start_scp
from simulators.imaging.context import code
from simulators.modality.commitment import PUSH_MODEL, PUSH_MODEL_INSTANCE
from simulators.modality.links import Links
from simulators.modality.procedure_step import PERFORMED_STEP
from simulators.modality.worklist import MODALITY_WORKLIST
from simulators.settings import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

CT, US, US_CINE, PHOTO, PDF = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.77.1.4",
    "1.2.840.10008.5.1.4.1.1.104.1",
)
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50")
NOT_PERMITTED = 0x0124


def worklist_item(accession: str = "ACC1", step_id: str = "SPS1", station: str = "CT1") -> Dataset:
    """A scheduled step as a RIS returns it."""
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    item.PatientName, item.PatientID = "Müller^Änne", "P0001"
    item.IssuerOfPatientID = "HOSPITAL"
    item.PatientBirthDate, item.PatientSex = "19610102", "F"
    item.StudyInstanceUID = "2.25.4711"
    item.AccessionNumber = accession
    item.ReferringPhysicianName = "House^G"
    item.RequestedProcedureID, item.RequestedProcedureDescription = "RP1", "CT head"
    item.RequestedProcedureCodeSequence = [code("CTHEAD", "L", "CT head")]
    step = Dataset()
    step.ScheduledStationAETitle, step.Modality = station, "CT"
    step.ScheduledProcedureStepID, step.ScheduledProcedureStepDescription = step_id, "CT head plain"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20260101", "0800"
    step.ScheduledProtocolCodeSequence = [code("CTHEADP", "L", "CT head plain")]
    item.ScheduledProcedureStepSequence = [step]
    return item


@dataclass
class FakeRis:
    """MWL and MPPS SCP; the state rules of PS3.4 F.7.2.2.2."""

    items: list[Dataset] = field(default_factory=lambda: [worklist_item()])
    steps: dict[str, Dataset] = field(default_factory=dict)
    end_status: int = 0
    """With which it answers every N-SET, unless that is success."""
    ends: int = 0
    """How often it was told of an end."""

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer the worklist query; another station's steps are refused."""
        asked = event.identifier
        wanted = asked.ScheduledProcedureStepSequence[0]
        if wanted.ScheduledStationAETitle != event.assoc.requestor.ae_title:
            yield NOT_PERMITTED, None
            return
        for item in self.items:
            step = item.ScheduledProcedureStepSequence[0]
            if asked.AccessionNumber in {"", item.AccessionNumber} and wanted.ScheduledProcedureStepID in {
                "",
                step.ScheduledProcedureStepID,
            }:
                yield 0xFF00, item

    def create(self, event: Any) -> tuple[int, Dataset]:
        """Begin a step."""
        uid = event.request.AffectedSOPInstanceUID
        if uid in self.steps:
            return 0x0111, Dataset()
        self.steps[uid] = event.attribute_list
        return 0, event.attribute_list

    def set(self, event: Any) -> tuple[int | Dataset, Dataset]:
        """Change a step that has no final state."""
        self.ends += 1
        if self.end_status:
            return self.end_status, Dataset()
        step = self.steps[event.request.RequestedSOPInstanceUID]
        if step.PerformedProcedureStepStatus != "IN PROGRESS":
            final = Dataset()
            final.Status, final.ErrorID = 0x0110, 0xA710
            return final, Dataset()
        step.update(event.modification_list)
        return 0, step


def send_one_by_one(association: Any) -> None:
    """Let no two threads mix the fragments of their messages: pynetdicom's own loop is about to send a response."""
    send, sending = association.dimse.send_msg, threading.Lock()

    def send_msg(*message: Any) -> None:
        with sending:
            send(*message)

    association.dimse.send_msg = send_msg


@dataclass
class FakeArchive:
    """Storage SCP and storage commitment SCP."""

    same_association: bool = False
    store_status: int = 0
    lost: set[str] = field(default_factory=set)
    """Instances it will not answer for."""
    silent: bool = False
    """It takes requests for commitment and does not answer."""
    action_status: int = 0
    """With which it answers requests for commitment."""
    modality_port: int = 0
    stored: dict[str, Dataset] = field(default_factory=dict)
    requests: list[Dataset] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)

    def store(self, event: Any) -> int:
        """Take an object."""
        if self.store_status == 0:
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            self.stored[dataset.SOPInstanceUID] = dataset
        return self.store_status

    def action(self, event: Any) -> tuple[int, Dataset | None]:
        """Take a request for commitment, and answer it on this association or another."""
        request = event.action_information
        if self.action_status:
            return self.action_status, None
        self.requests.append(request)
        if not self.silent:
            target = event.assoc if self.same_association else None
            if target is not None:
                send_one_by_one(target)
            threading.Thread(target=self.answer, args=(request, target)).start()
        return 0, None

    def report(self, request: Dataset) -> tuple[int, Dataset]:
        """Event type and information that answer a request."""
        wanted = list(request.ReferencedSOPSequence)
        held = [name for name in wanted if name.ReferencedSOPInstanceUID in self.stored.keys() - self.lost]
        information = Dataset()
        information.TransactionUID = request.TransactionUID
        information.ReferencedSOPSequence = held
        if len(held) == len(wanted):
            return 1, information
        information.FailedSOPSequence = []
        for reference in wanted:
            if reference not in held:
                failed = Dataset()
                failed.ReferencedSOPClassUID = reference.ReferencedSOPClassUID
                failed.ReferencedSOPInstanceUID = reference.ReferencedSOPInstanceUID
                failed.FailureReason = 0x0112
                information.FailedSOPSequence.append(failed)
        return 2, information

    def answer(self, request: Dataset, association: Any = None, *, calling: str = "PACSRAD") -> None:
        """Send N-EVENT-REPORT and keep the status that came back."""
        event_type, information = self.report(request)
        if association is not None:
            status, _ = association.send_n_event_report(information, event_type, PUSH_MODEL, PUSH_MODEL_INSTANCE)
            self.answers.append(status.get("Status"))
            return
        peer = Peer("ct1", "ct1", "127.0.0.1", "CT1", (), "dicom", self.modality_port, ())
        with associate(peer, contexts([PUSH_MODEL]), calling=calling, tls=None, roles=_as_scp()) as reverse:
            status, _ = reverse.send_n_event_report(information, event_type, PUSH_MODEL, PUSH_MODEL_INSTANCE)
            self.answers.append(status.get("Status"))


def _as_scp() -> list[Any]:
    from pynetdicom import build_role  # noqa: PLC0415 - beside its only use

    return [build_role(PUSH_MODEL, scu_role=False, scp_role=True)]


@dataclass
class Hospital:
    """A running RIS and archive, and the links of a modality to them."""

    ris: FakeRis
    archive: FakeArchive
    links: Links
    stack: ExitStack

    def stop_archive(self) -> None:
        """Take the archive off the network."""
        self.stack.close()

    def start_archive(self) -> None:
        """Bring it back on the same port."""
        _serve_archive(self.archive, self.stack, self.links.archive.port)


def open_hospital(stack: ExitStack, modality: str = "CT") -> Hospital:
    """Start both; the stack of the caller stops the RIS, and the hospital's own the archive."""
    ris, archive = FakeRis(), FakeArchive()
    ris_server = start_scp(
        "RIS1",
        0,
        contexts([MODALITY_WORKLIST, PERFORMED_STEP]),
        [(evt.EVT_C_FIND, ris.find), (evt.EVT_N_CREATE, ris.create), (evt.EVT_N_SET, ris.set)],
    )
    stack.callback(ris_server.shutdown)
    own = stack.enter_context(ExitStack())
    port = _serve_archive(archive, own, 0)
    links = Links(
        ae_title="CT1",
        modality=modality,
        ris=Peer("ris1", "ris1", "127.0.0.1", "RIS1", (), "dicom", ris_server.server_address[1], ()),
        archive=Peer("pacs-rad", "pacs-rad", "127.0.0.1", "PACSRAD", (), "dicom", port, ()),
        tls=None,
    )
    return Hospital(ris, archive, links, own)


def _serve_archive(archive: FakeArchive, stack: ExitStack, port: int) -> int:
    supported = [*contexts([CT, US, US_CINE, PHOTO, PDF], SYNTAXES), *contexts([PUSH_MODEL])]
    handlers = [(evt.EVT_C_STORE, archive.store), (evt.EVT_N_ACTION, archive.action)]
    server = start_scp("PACSRAD", port, supported, handlers)
    stack.callback(server.shutdown)
    bound: int = server.server_address[1]
    return bound
