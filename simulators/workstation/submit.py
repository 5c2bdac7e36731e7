"""RAD-24 Report Submission: ORU^R01 to the RIS, for the report that the archive keeps as SR."""

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


def submit(
    settings: Settings, peer: Peer, image: Dataset, *, pending: PendingReports, author: str, text: str, final: bool
) -> dict[str, str]:
    """Send a report to the RIS and return what it answered; `pending` keeps it until then.

    Raises:
        RefusedError: the RIS did not accept it.
        NoAnswerError: the RIS is away; the report is kept.
    """
    site = settings.site.name
    envelope = Envelope(Party.of(settings.host.name, site), Party.of(peer.name, site), new_control_id())
    message = report_message(envelope, patient_of(image, site), report_of(image, author=author, text=text, final=final))
    accession, study = str(image.AccessionNumber), str(image.StudyInstanceUID)
    return send(settings, peer, pending, PendingReport(envelope.control_id, peer.name, accession, study, message))


def send(settings: Settings, peer: Peer, pending: PendingReports, report: PendingReport) -> dict[str, str]:
    """Send a report, for the first time or again; errors as :func:`submit`."""
    facts = {"accession": report.accession, "study": report.study, "control_id": report.control_id}
    with performing(REPORT, transaction="RAD-24", peer=peer.name, **facts):
        return pending.submit(settings, peer, report)


def patient_of(image: Dataset, site: str) -> Patient:
    """The patient as PID tells it; without Issuer of Patient ID, the site assigned the identifier."""
    name = image.PatientName
    return Patient(
        identifier=str(image.PatientID),
        authority=str(image.get("IssuerOfPatientID") or site.upper()),
        family=str(name.family_name),
        given=str(name.given_name),
        birth_date=str(image.get("PatientBirthDate") or ""),
        sex=str(image.get("PatientSex") or "U"),
    )


def report_of(image: Dataset, *, author: str, text: str, final: bool) -> Report:
    """The report as OBR and OBX tell it; the RIS fills in the order's numbers."""
    return Report(
        accession=str(image.AccessionNumber),
        study_uid=str(image.StudyInstanceUID),
        code=procedure_of(image),
        author=" ".join(reversed([part for part in author.split("^") if part])),
        status="F" if final else "P",
        text=text,
    )


def procedure_of(image: Dataset) -> Code:
    """OBR-4: the procedure's code as the study carries it, or its description."""
    codes = image.get("ProcedureCodeSequence")
    if codes:
        return Code(str(codes[0].CodeValue), str(codes[0].CodeMeaning), str(codes[0].CodingSchemeDesignator))
    return Code("18748-4", str(image.get("StudyDescription") or "Diagnostic imaging report"), "LN")
