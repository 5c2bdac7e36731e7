"""A DICOM object under its patient's present identity, with the former one kept inside it."""

from __future__ import annotations

import io
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from simulators.hl7content import Patient

UTF8 = "ISO_IR 192"


def restamp(file: bytes, patient: Patient, *, system: str, at: datetime | None = None) -> bytes | None:
    """Return the object with the patient's identity in it; None when it says that already, or is another authority's.

    Identifier, issuer, name, birth date and sex become the patient's; a value that the patient's record leaves open is
    kept. Pixel data and UIDs stay as they are. The former values are added to the Original Attributes Sequence
    (0400,0561) (PS3.3 C.12.1.1.9), so that nothing is lost and the change can be traced.

    Args:
        file: the object, PS3.10.
        patient: who it belongs to by now.
        system: ModifyingSystem (0400,0563), the name of this host.
        at: when; by default now.
    """
    dataset = pydicom.dcmread(io.BytesIO(file))
    issuer = str(dataset.get("IssuerOfPatientID") or "")
    if issuer and issuer != patient.authority:
        return None
    wrong = {
        keyword: value
        for keyword, value in _identity(patient).items()
        if value and str(dataset.get(keyword) or "") != value
    }
    if not wrong or set(wrong) == {"IssuerOfPatientID"}:
        return None  # an object without an issuer, right in everything else, is left as its maker made it
    _make_encodable(dataset, patient)
    former = Dataset()
    for keyword, value in wrong.items():
        if keyword in dataset:
            former[keyword] = deepcopy(dataset[keyword])
        else:
            setattr(former, keyword, "")
        setattr(dataset, keyword, value)
    _note(dataset, former, system=system, at=at or datetime.now(UTC))
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _identity(patient: Patient) -> dict[str, str]:
    return {
        "PatientID": patient.identifier,
        "IssuerOfPatientID": patient.authority,
        "PatientName": patient.dicom_name,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.dicom_sex,
    }


def _note(dataset: Dataset, former: Dataset, *, system: str, at: datetime) -> None:
    item = Dataset()
    item.ModifiedAttributesSequence = [former]
    item.AttributeModificationDateTime = at.strftime("%Y%m%d%H%M%S%z")
    item.ModifyingSystem = system[:64]
    item.SourceOfPreviousValues = ""
    item.ReasonForTheAttributeModification = "COERCE"
    dataset.OriginalAttributesSequence = [*dataset.get("OriginalAttributesSequence", []), item]


def _make_encodable(dataset: Dataset, patient: Patient) -> None:
    """Change to UTF-8 (PS3.5 6.1.2.3) when the present character set may not hold the name.

    Comes before the new values: pydicom encodes a name as the data set was encoded when the name was set.
    """
    text = patient.dicom_name + patient.identifier + patient.authority
    if not text.isascii() and dataset.get("SpecificCharacterSet") != UTF8:
        dataset.decode()
        dataset.SpecificCharacterSet = UTF8
