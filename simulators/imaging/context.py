"""What every object of an imaging study says of its patient, order and equipment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from simulators.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyInstanceUID", "AccessionNumber", "ReferringPhysicianName")


@dataclass(frozen=True)
class Equipment:
    """The device that makes an object (General Equipment, PS3.3 C.7.5.1)."""

    ae_title: str
    model: str
    manufacturer: str = "pacslab"
    institution: str = "Reference hospital"
    serial_number: str = "0001"
    software: str = "pacslab"

    @property
    def uid(self) -> str:
        """Device Observer UID (121012, DCM): the same for the same device, always (PS3.5 B.2)."""
        name = f"{self.institution}/{self.manufacturer}/{self.ae_title}/{self.serial_number}"
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}"


@dataclass(frozen=True)
class StudyContext:
    """Patient, study and procedure step that new objects belong to.

    ``attributes`` holds the Patient and General Study attributes that are copied unchanged; the rest names the step.
    """

    attributes: Dataset
    equipment: Equipment
    request: Dataset | None = None
    """Request Attributes Sequence item (PS3.3 Table 10-9)."""
    performed_step_uid: str | None = None
    """SOP Instance UID of the Modality Performed Procedure Step (0008,1111)."""
    started: datetime = field(default_factory=lambda: datetime.now(tz=UTC))

    @property
    def study_uid(self) -> str:
        """Study Instance UID (0020,000D)."""
        return str(self.attributes.StudyInstanceUID)

    @property
    def accession(self) -> str:
        """Accession Number (0008,0050)."""
        return str(self.attributes.get("AccessionNumber") or "")


def from_worklist(item: Dataset, equipment: Equipment, *, performed_step_uid: str | None = None) -> StudyContext:
    """Copy from a worklist item what RAD TF-2 Appendix A.1 tells a modality to copy into its objects.

    Raises:
        ArgumentError: the item lacks the Study Instance UID or the Scheduled Procedure Step.
    """
    if not item.get("StudyInstanceUID") or not item.get("ScheduledProcedureStepSequence"):
        raise ArgumentError(
            "The worklist item has no Study Instance UID or no Scheduled Procedure Step.",
            remedy="Query the worklist again; look at the RIS when it still lacks them.",
        )
    attributes = Dataset()
    _copy(item, attributes, [*_PATIENT, *_STUDY, "IssuerOfPatientID", "ReferencedStudySequence"])
    attributes.StudyID = str(item.get("RequestedProcedureID") or "")
    attributes.StudyDescription = str(item.get("RequestedProcedureDescription") or "")
    if item.get("RequestedProcedureCodeSequence"):
        attributes.ProcedureCodeSequence = item.RequestedProcedureCodeSequence
    step = item.ScheduledProcedureStepSequence[0]
    request = Dataset()
    _copy(item, request, ["RequestedProcedureID", "RequestedProcedureDescription"])
    _copy(
        step,
        request,
        ["ScheduledProcedureStepID", "ScheduledProcedureStepDescription", "ScheduledProtocolCodeSequence"],
    )
    return StudyContext(complete(attributes), equipment, request=request, performed_step_uid=performed_step_uid)


def from_instance(instance: Dataset, equipment: Equipment) -> StudyContext:
    """The study of an object that exists: for objects made later from it or added to it."""
    attributes = Dataset()
    names = [*_PATIENT, *_STUDY, "IssuerOfPatientID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"]
    _copy(instance, attributes, [*names, "ProcedureCodeSequence", "ReferencedStudySequence"])
    request = instance.get("RequestAttributesSequence")
    return StudyContext(complete(attributes), equipment, request=request[0] if request else None)


def complete(attributes: Dataset) -> Dataset:
    """Give the attributes of type 2 (PS3.3 C.7.1.1, C.7.2.1) that are missing their empty value."""
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "StudyID"):
        if name not in attributes:
            setattr(attributes, name, "")
    if "AccessionNumber" not in attributes:
        attributes.AccessionNumber = ""
    return attributes


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A Code Sequence item (PS3.3 Table 8.8-1)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def reference(instance: Dataset) -> Dataset:
    """A Referenced SOP Instance item (PS3.3 Table 10-11) for an object."""
    item = Dataset()
    item.ReferencedSOPClassUID = instance.SOPClassUID
    item.ReferencedSOPInstanceUID = instance.SOPInstanceUID
    return item


def _copy(source: Dataset, target: Dataset, names: Iterable[str]) -> None:
    for name in names:
        value: Any = source.get(name)
        if value is not None and (not hasattr(value, "__len__") or len(value) > 0 or name in _PATIENT):
            setattr(target, name, value)
