"""The document by which the RIS tells archives that images are rejected: a key object selection (RAD-66)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID

from simulators.dicom_text import lo, pn
from simulators.imaging.context import Equipment
from simulators.imaging.derived import Author, key_objects
from simulators.rejections import ISSUES, MODIFIER, SCHEME, TITLES, Title

if TYPE_CHECKING:
    from simulators.hl7content import Patient
    from simulators.settings import Settings

SERIES_NUMBER = 905
"""Above what modalities and workstations use."""


def rejection_note(
    settings: Settings, rejection: dict[str, Any], procedure: dict[str, Any], patient: Patient, author: str
) -> bytes:
    """Make the note as a file.

    Args:
        settings: of the RIS, which is its device.
        rejection: what was asked for.
        procedure: whose images are rejected.
        patient: of the procedure.
        author: the person who grants it, as a PN: the note's observer.
    """
    title, issue = Title(rejection["title"]), ISSUES.get(rejection["issue"])
    equipment = Equipment(ae_title=settings.host.ae_title or settings.host.name, model="Radiology information system")
    note = key_objects(
        [_evidence(row, procedure, patient) for row in rejection["instances"]],
        Author(author, lo(settings.site.name), equipment),
        description=f"{rejection['text']}\nAsked for by {rejection['asked_by']}".strip(),
        number=SERIES_NUMBER,
        title=Code(title.value, SCHEME, TITLES[title]),
        modifier=(Code(MODIFIER[0], SCHEME, MODIFIER[1]), Code(issue[0], SCHEME, issue[1])) if issue else None,
    )
    written = io.BytesIO()
    note.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _evidence(row: dict[str, str], procedure: dict[str, Any], patient: Patient) -> Dataset:
    """An object as far as the RIS knows it."""
    known = Dataset()
    known.SpecificCharacterSet = "ISO_IR 192"
    known.SOPClassUID, known.SOPInstanceUID, known.SeriesInstanceUID = row["sop_class"], row["instance"], row["series"]
    known.StudyInstanceUID, known.AccessionNumber = procedure["study_uid"], procedure["accession"]
    known.StudyID, known.StudyDate, known.StudyTime = procedure["procedure_id"], None, None
    known.PatientID, known.PatientName = patient.identifier, patient.dicom_name
    known.PatientBirthDate, known.PatientSex = patient.birth_date, patient.dicom_sex
    known.ReferringPhysicianName = pn(procedure["provider"])
    if "Image Storage" in UID(row["sop_class"]).name:
        known.Rows = known.Columns = 0  # what has them is referred to as an image
    return known
