"""A RIS for tests: its gate and its DICOM service, on a schema of its own in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString

from pydicom.dataset import Dataset

from simulators.association import associate, contexts
from simulators.database import Database
from simulators.hl7content import Code, Envelope, Order, Report, adt, order_message, report_message
from simulators.hl7exchange import TransactionalInbox
from simulators.hl7messages import Answer, new_control_id, read_answer
from simulators.hl7receiver import Receiver
from simulators.ris.dicom import MODALITY_WORKLIST_FIND, PERFORMED_PROCEDURE_STEP, DicomService
from simulators.ris.record import STEPS, find_procedure
from simulators.ris.serve import handlers
from tests.unit.simulators.peers import ANNA, RIS, WORKSTATION, free_port, from_ehr, loopback_peer, ris_settings, sender

if TYPE_CHECKING:
    from pynetdicom.transport import ThreadedAssociationServer

    from simulators.hl7content import Patient

HEAD = Order("O1", Code("CTHEAD", "CT head", "99L"), "CT")


class Ris:
    """A RIS without its network: HL7 goes through its gate, DICOM over a loopback port."""

    def __init__(self) -> None:
        """Make the tables; DICOM is served on a free port as soon as it is needed."""
        self.port = free_port()
        self.settings = ris_settings(dicom=self.port)
        self.database = Database(self.settings)
        self.database.migrate(STEPS)
        work = handlers(self.settings)
        self.receiver = Receiver(
            self.settings,
            {kind: TransactionalInbox(self.database, inbox_work, lambda: None) for kind, inbox_work in work.items()},
        )
        self._dicom: ThreadedAssociationServer | None = None

    def serve(self, most_answers: int = 500) -> None:
        """Serve DICOM, unless it is served already."""
        if self._dicom is None:
            self._dicom = DicomService(self.settings, self.database, lambda: None, most_answers).start()

    def close(self) -> None:
        """Stop serving."""
        if self._dicom is not None:
            self._dicom.shutdown()
            self._dicom = None

    def send(self, text: str, name: str = "ehr1") -> Answer:
        """Hand a message to the gate as a sender and return the answer."""
        (answer,) = self.receiver.answer(text.encode(), sender(name))
        return read_answer(answer)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a query finds."""
        with self.database.transaction() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def execute(self, statement: LiteralString) -> None:
        """Change what it keeps, as time would."""
        with self.database.transaction() as cursor:
            cursor.execute(statement)

    def waiting(self, peer: str) -> list[dict[str, Any]]:
        """Return the outgoing messages of a peer, oldest first."""
        return self.rows(f"SELECT * FROM messages WHERE direction = 'out' AND peer = '{peer}' ORDER BY id")  # noqa: S608 - the tests' own text

    def procedure(self) -> dict[str, Any]:
        """Return the first procedure."""
        with self.database.transaction() as cursor:
            return find_procedure(cursor, "A0000001")

    def order(self, order: Order = HEAD, control: str = "NW", patient: Patient = ANNA) -> Answer:
        """Send an order."""
        return self.send(order_message(from_ehr(new_control_id()), control, patient, order))

    def register(self, patient: Any = ANNA) -> Answer:
        """Register a patient."""
        return self.send(adt(from_ehr(new_control_id()), "A04", patient))

    def report(self, status: str = "F", **changes: Any) -> Answer:
        """Send a report on the first procedure as the workstation."""
        return self.send(self.report_text(status, **changes), "ws-rad1")

    def report_text(self, status: str = "F", **changes: Any) -> str:
        """Return the message of a report on the first procedure."""
        report = Report("A0000001", "", HEAD.code, "Dr R", status, "Normal.")
        patient = changes.pop("patient", ANNA)
        return report_message(Envelope(WORKSTATION, RIS, new_control_id()), patient, replace(report, **changes))

    def worklist(self, calling: str, station: str = "") -> tuple[list[str], int]:
        """Query the worklist; return accession numbers and the final status."""
        step, keys = Dataset(), Dataset()
        step.ScheduledStationAETitle = station
        keys.ScheduledProcedureStepSequence = [step]
        keys.AccessionNumber = ""
        self.serve()
        with associate(
            loopback_peer(self.port), contexts([MODALITY_WORKLIST_FIND]), calling=calling, tls=None
        ) as open_:
            answers = list(open_.send_c_find(keys, MODALITY_WORKLIST_FIND))
        return [item.AccessionNumber for _, item in answers if item is not None], answers[-1][0].Status

    def begin(self, uid: str = "2.25.9", calling: str = "CT1", performing: str = "", **changes: str) -> int:
        """Create a performed step for the first scheduled one; return the status."""
        reference = Dataset()
        reference.StudyInstanceUID = self.procedure()["study_uid"]
        reference.ScheduledProcedureStepID = "SPS0000001"
        for name, value in changes.items():
            setattr(reference, name, value)
        step = Dataset()
        step.ScheduledStepAttributesSequence = [reference]
        step.PerformedProcedureStepID = "PPS1"
        step.PerformedStationAETitle = calling
        step.PerformedProcedureStepStartDate = "20260706"
        step.PerformedProcedureStepStartTime = "083000"
        step.PerformedProcedureStepStatus = "IN PROGRESS"
        step.Modality = "CT"
        if performing:
            step.PerformedStationAETitle = performing
        self.serve()
        with associate(
            loopback_peer(self.port), contexts([PERFORMED_PROCEDURE_STEP]), calling=calling, tls=None
        ) as open_:
            return int(open_.send_n_create(step, PERFORMED_PROCEDURE_STEP, uid)[0].Status)

    def end(self, status: str = "COMPLETED", uid: str = "2.25.9", calling: str = "CT1", **changes: str) -> int:
        """End a performed step; return the status."""
        series, change = Dataset(), Dataset()
        series.SeriesInstanceUID = "2.25.2"
        change.PerformedProcedureStepStatus = status
        change.PerformedProcedureStepEndDate = "20260706"
        change.PerformedProcedureStepEndTime = "084000"
        change.PerformedSeriesSequence = [series]
        for name, value in changes.items():
            setattr(change, name, value)
        if status == "DISCONTINUED":
            reason = Dataset()
            reason.CodeValue = "110514"
            reason.CodingSchemeDesignator = "DCM"
            reason.CodeMeaning = "Incorrect worklist entry selected"
            change.PerformedProcedureStepDiscontinuationReasonCodeSequence = [reason]
        self.serve()
        with associate(
            loopback_peer(self.port), contexts([PERFORMED_PROCEDURE_STEP]), calling=calling, tls=None
        ) as open_:
            return int(open_.send_n_set(change, PERFORMED_PROCEDURE_STEP, uid)[0].Status)
