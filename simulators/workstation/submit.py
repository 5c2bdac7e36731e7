"""RAD-24 Report Submission: ORU^R01 to the RIS, for the report that the archive keeps as SR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators import mllp
from simulators.errors import RefusedError
from simulators.events.actions import REPORT
from simulators.events.report import performing
from simulators.hl7content import Code, Envelope, Patient, Report, report_message
from simulators.hl7messages import Party, new_control_id, read_answer
from simulators.tls import client_context

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.settings import Peer, Settings

CERTIFICATE = "hl7"


def submit(settings: Settings, peer: Peer, image: Dataset, *, author: str, text: str, final: bool) -> dict[str, str]:
    """Send a report to the RIS and return what it answered.

    Raises:
        RefusedError: the RIS did not accept it.
        SimulatorError: the RIS is away.
    """
    site = settings.site.name
    envelope = Envelope(Party.of(settings.host.name, site), Party.of(peer.name, site), new_control_id())
    message = report_message(envelope, patient_of(image, site), report_of(image, author=author, text=text, final=final))
    facts = {"accession": image.AccessionNumber, "study": image.StudyInstanceUID, "control_id": envelope.control_id}
    with performing(REPORT, transaction="RAD-24", peer=peer.name, **facts):
        return exchange(peer, settings, envelope, message)


def exchange(peer: Peer, settings: Settings, envelope: Envelope, message: str) -> dict[str, str]:
    """Send a message and read its acknowledgement.

    Raises:
        RefusedError: MSA-1 is not AA.
    """
    answer = read_answer(mllp.send(peer, client_context(settings, CERTIFICATE), message.encode()))
    if not answer.accepted:
        raise RefusedError(
            f"{peer.name} refused the report: {answer.acknowledgement} {answer.text}".rstrip(),
            remedy="Look at the RIS's orders and log for the reason.",
        )
    return {"peer": peer.name, "control_id": envelope.control_id, "acknowledgement": answer.acknowledgement}


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
