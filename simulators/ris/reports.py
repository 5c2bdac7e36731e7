"""Reports: received from workstations (RAD-128), kept, passed on to the EHR (RAD-28)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.events.actions import REPORT
from simulators.events.report import write_event
from simulators.hl7content import Code, orders_in, patient_of, report_of
from simulators.hl7receiver import HL7ProblemError
from simulators.ris.filler import set_status
from simulators.ris.record import find_patient
from simulators.ris.tell import Teller

if TYPE_CHECKING:
    from simulators.database import Cursor
    from simulators.hl7messages import Message
    from simulators.settings import Settings

REPORTABLE = frozenset({"in progress", "completed", "reported"})
"""A procedure without images has nothing to report on."""


@dataclass(frozen=True)
class Reports:
    """Deals with ORU^R01."""

    settings: Settings

    def take(self, cursor: Cursor, sender: str, message: Message) -> str:
        """Keep each report, pass it on, close the order when it is final; return the first accession number."""
        taken = [self._take_one(cursor, sender, report) for report in orders_in(message)]
        return taken[0]

    def _take_one(self, cursor: Cursor, sender: str, message: Message) -> str:
        report = report_of(message)
        cursor.execute("SELECT * FROM procedures WHERE accession = %s FOR UPDATE", (report.accession,))
        procedure = cursor.fetchone()
        if procedure is None:
            raise HL7ProblemError(
                reasons.UNKNOWN_ACCESSION, 204, f"no accession number {report.accession}", location=("OBR", "1", "18")
            )
        patient = find_patient(cursor, patient_of(message).identifier)
        if patient is None or patient.identifier != procedure["patient_id"]:
            raise HL7ProblemError(
                reasons.OTHER_PATIENT, 204, "PID-3 is not the procedure's patient", location=("PID", "1", "3")
            )
        if report.study_uid not in {"", procedure["study_uid"]}:
            raise HL7ProblemError(
                reasons.OTHER_STUDY, 204, "ZDS-1 is not the procedure's study", location=("ZDS", "1", "1")
            )
        if procedure["status"] not in REPORTABLE:
            raise HL7ProblemError(reasons.NOT_PERFORMED, 206, f"the procedure is {procedure['status']}")
        cursor.execute("SELECT status FROM reports WHERE accession = %s", (report.accession,))
        before = next((row["status"] for row in cursor.fetchall() if not report.replaces(row["status"])), None)
        if before is not None:
            raise HL7ProblemError(
                reasons.REPORTED, 206, f"the report has status {before}, which {report.status} does not replace",
                location=("OBR", "1", "25"),
            )  # fmt: skip
        cursor.execute(
            "INSERT INTO reports (accession, source, author, status, report, series_uid, instance_uid)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                report.accession,
                sender,
                report.author,
                report.status,
                report.text,
                report.series_uid,
                report.instance_uid,
            ),
        )
        if report.status in {"F", "C"}:
            set_status(cursor, report.accession, "reported")
        onward = replace(
            report,
            placer=procedure["placer"],
            filler=procedure["filler"],
            study_uid=procedure["study_uid"],
            code=Code(procedure["code"], procedure["description"], procedure["scheme"]),
        )
        Teller(self.settings).report(cursor, patient, onward)
        write_event(
            REPORT,
            transaction="RAD-128",
            patient=patient.identifier,
            accession=report.accession,
            study=procedure["study_uid"],
            peer=sender,
            instance=report.instance_uid,
            state=report.status,
        )
        return report.accession
