"""RAD-128 Send Imaging Result: ORU^R01 to the RIS, for the report that the archive keeps as SR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.events.actions import REPORT
from simulators.events.report import performing
from simulators.hl7content import Code, Envelope, Patient, Report, report_message
from simulators.hl7messages import Party, new_control_id
from simulators.workstation.pending import PendingReport

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.settings import Peer, Settings
    from simulators.workstation.pending import PendingReports


def written(settings: Settings, peer: Peer, document: Dataset, *, author: str, text: str, status: str) -> PendingReport:
    """Return the report as it is sent to the RIS, however often.

    Args:
        settings: this host's.
        peer: the RIS.
        document: the report as the archive keeps it (SR).
        author: who reports, by the name at sign-on; empty where nobody signs in.
        text: what the report says.
        status: OBR-25.
    """
    site = settings.site.name
    envelope = Envelope(Party.of(settings.host.name, site), Party.of(peer.name, site), new_control_id())
    report = report_of(document, author=author, text=text, status=status)
    message = report_message(envelope, patient_of(document, site), report)
    accession, study = report.accession, report.study_uid
    return PendingReport(envelope.control_id, peer.name, accession, study, message)


def send(settings: Settings, peer: Peer, pending: PendingReports, report: PendingReport) -> dict[str, str]:
    """Send a report, for the first time or again, and return what the RIS answered; `pending` keeps it until then.

    Raises:
        RefusedError: the RIS did not accept it.
        NoAnswerError: the RIS is away; the report is kept.
    """
    facts = {"accession": report.accession, "study": report.study, "control_id": report.control_id}
    with performing(REPORT, transaction="RAD-128", peer=peer.name, **facts):
        return pending.submit(settings, peer, report)


def patient_of(document: Dataset, site: str) -> Patient:
    """The patient as PID tells it; without Issuer of Patient ID, the site assigned the identifier."""
    name = document.PatientName
    return Patient(
        identifier=str(document.PatientID),
        authority=str(document.get("IssuerOfPatientID") or site.upper()),
        family=str(name.family_name),
        given=str(name.given_name),
        birth_date=str(document.get("PatientBirthDate") or ""),
        sex=str(document.get("PatientSex") or "U"),
    )


def report_of(document: Dataset, *, author: str, text: str, status: str) -> Report:
    """The report as OBR and OBX tell it, with the UIDs of its document; the RIS fills in the order's numbers."""
    return Report(
        accession=str(document.AccessionNumber),
        study_uid=str(document.StudyInstanceUID),
        code=procedure_of(document),
        author=author,
        status=status,
        text=text,
        series_uid=str(document.SeriesInstanceUID),
        instance_uid=str(document.SOPInstanceUID),
    )


def procedure_of(document: Dataset) -> Code:
    """OBR-4: the procedure's code as the study carries it, or its description."""
    codes = document.get("ProcedureCodeSequence")
    if codes:
        return Code(str(codes[0].CodeValue), str(codes[0].CodeMeaning), str(codes[0].CodingSchemeDesignator))
    return Code("18748-4", str(document.get("StudyDescription") or "Diagnostic imaging report"), "LN")
