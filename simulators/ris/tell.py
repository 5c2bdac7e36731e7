"""What the RIS tells: status and reports to the EHR (RAD-3, RAD-28), procedures to image managers (RAD-4, RAD-13)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.hl7content import Code, Status, order_kind, order_message, report_message
from simulators.hl7exchange import enqueue
from simulators.ris.record import find_patient, order_of_procedure

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.database import Cursor
    from simulators.hl7content import Envelope, Patient, Report
    from simulators.settings import Settings

STATUSES: dict[str, tuple[str, str]] = {
    "scheduled": ("SC", "S"),
    "in progress": ("IP", "I"),
    "completed": ("IP", "R"),
    "reported": ("CM", "F"),
    "discontinued": ("DC", "X"),
    "cancelled": ("CA", "X"),
}
"""Status of a procedure to ORC-5 (table 0038) and OBR-25 (table 0123: R is 'results stored, not yet verified')."""


@dataclass(frozen=True)
class Teller:
    """Puts messages into the outbox, in the transaction of what they tell."""

    settings: Settings

    def status(self, cursor: Cursor, procedure: dict[str, Any], reason: Code | None = None) -> None:
        """Tell the EHR the procedure's status."""
        patient = find_patient(cursor, procedure["patient_id"])
        if patient is None:
            raise LookupError(f"procedure {procedure['accession']} has no patient")
        order = order_of_procedure(cursor, procedure)
        status = Status(*STATUSES[procedure["status"]], reason)
        self._tell_order(
            cursor, "ehr", partial(order_message, control="SC", patient=patient, order=order, status=status)
        )

    def progress(self, cursor: Cursor, procedure: dict[str, Any], reason: Code | None = None) -> None:
        """Tell every image manager how far a procedure has come, and why it ended (RAD-13)."""
        patient = find_patient(cursor, procedure["patient_id"])
        if patient is None:
            raise LookupError(f"procedure {procedure['accession']} has no patient")
        order = order_of_procedure(cursor, procedure)
        status = Status(*STATUSES[procedure["status"]], reason)
        self._tell_order(
            cursor, "image_manager", partial(order_message, control="SC", patient=patient, order=order, status=status)
        )

    def report(self, cursor: Cursor, patient: Patient, report: Report) -> None:
        """Tell the EHR of a report."""
        self._tell(
            cursor, "ehr", "ORU^R01", lambda envelope: report_message(envelope, patient, report), report.accession
        )

    def procedure(self, cursor: Cursor, procedure: dict[str, Any], control: str) -> None:
        """Tell every image manager of a procedure: `control` is NW when it was scheduled, XO changed, CA cancelled."""
        patient = find_patient(cursor, procedure["patient_id"])
        if patient is None:
            raise LookupError(f"procedure {procedure['accession']} has no patient")
        order = order_of_procedure(cursor, procedure)
        status = Status(*STATUSES[procedure["status"]])
        write = partial(order_message, control=control, patient=patient, order=order, status=status)
        self._tell_order(cursor, "image_manager", write)

    def image_managers(
        self, cursor: Cursor, kind: str, write: Callable[[Envelope], str], key: str | None = None
    ) -> None:
        """Put a message to every image manager that takes its kind into the outbox."""
        self._tell(cursor, "image_manager", kind, write, key)

    def _tell_order(self, cursor: Cursor, role: str, write: partial[str]) -> None:
        """Put a message about an order to everyone whom a flow lets know, in the form that the flow names."""
        for peer in self.settings.find_peers("hl7-tls", role=role):
            kind = order_kind(peer.permits)
            if kind is not None:
                enqueue(cursor, self.settings, peer, partial(write, kind=kind), write.keywords["order"].accession)

    def _tell(self, cursor: Cursor, role: str, kind: str, write: Callable[[Envelope], str], key: str | None) -> None:
        """Put a message to everyone whom a flow lets know; a site without a record has nobody to tell there."""
        for peer in self.settings.find_peers("hl7-tls", role=role, permit=kind):
            enqueue(cursor, self.settings, peer, write, key)
