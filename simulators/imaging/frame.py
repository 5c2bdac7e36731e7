"""The modules that all composite objects share: patient, study, series, equipment, SOP common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from simulators.imaging.context import StudyContext


@dataclass(frozen=True)
class Series:
    """A series that objects are put into."""

    modality: str
    number: int
    description: str
    uid: str
    body_part: str = ""
    protocol: str = ""


def new_uid() -> str:
    """A UID derived from a random UUID (PS3.5 B.2): unique without a registered root."""
    return str(generate_uid(prefix=None))


def new_object(context: StudyContext, series: Series, sop_class: UID, number: int) -> FileDataset:
    """An object with the shared modules filled (PS3.3 C.7.1.1, C.7.2.1, C.7.3.1, C.7.5.1, C.12.1), pixels to come."""
    instance_uid = new_uid()
    now = datetime.now(tz=UTC)
    dataset = FileDataset("", {}, file_meta=file_meta(sop_class, instance_uid), preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.update(context.attributes)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = instance_uid
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = da(now), tm(now)
    dataset.TimezoneOffsetFromUTC = "+0000"
    if "StudyDate" not in dataset:
        dataset.StudyDate, dataset.StudyTime = da(context.started), tm(context.started)
    dataset.Modality = series.modality
    dataset.SeriesInstanceUID = series.uid
    dataset.SeriesNumber = series.number
    dataset.SeriesDate, dataset.SeriesTime = da(context.started), tm(context.started)
    dataset.SeriesDescription = series.description
    if series.body_part:
        dataset.BodyPartExamined = series.body_part
    else:
        dataset.Laterality = ""  # type 2C: paired or not is not known without a body part (PS3.3 C.7.3.1)
    if series.protocol:
        dataset.ProtocolName = series.protocol
    dataset.InstanceNumber = number
    dataset.ContentDate, dataset.ContentTime = da(now), tm(now)
    _equipment(dataset, context)
    _procedure_step(dataset, context)
    return dataset


def file_meta(sop_class: UID, instance_uid: str, transfer_syntax: UID = ExplicitVRLittleEndian) -> FileMetaDataset:
    """File Meta Information (PS3.10 7.1) for an object."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    return meta


def da(moment: datetime) -> str:
    """A time as DICOM Date (PS3.5 6.2)."""
    return moment.strftime("%Y%m%d")


def tm(moment: datetime) -> str:
    """A time as DICOM Time (PS3.5 6.2)."""
    return moment.strftime("%H%M%S.%f")


def _equipment(dataset: Dataset, context: StudyContext) -> None:
    equipment = context.equipment
    dataset.Manufacturer = equipment.manufacturer
    dataset.InstitutionName = equipment.institution
    dataset.ManufacturerModelName = equipment.model
    dataset.DeviceSerialNumber = equipment.serial_number
    dataset.SoftwareVersions = equipment.software
    dataset.StationName = equipment.ae_title


def _procedure_step(dataset: Dataset, context: StudyContext) -> None:
    """Performed Procedure Step Summary (PS3.3 10.13, in General Series) and the reference to the step."""
    if context.request is not None:
        dataset.RequestAttributesSequence = [context.request]
    if context.performed_step_uid is None:
        return
    step = Dataset()
    step.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.3"
    step.ReferencedSOPInstanceUID = context.performed_step_uid
    dataset.ReferencedPerformedProcedureStepSequence = [step]
    dataset.PerformedProcedureStepID = performed_step_id(context.performed_step_uid)
    dataset.PerformedProcedureStepStartDate = da(context.started)
    dataset.PerformedProcedureStepStartTime = tm(context.started)


def performed_step_id(performed_step_uid: str) -> str:
    """Performed Procedure Step ID (0040,0253), 16 characters at most, from the step's UID."""
    return f"P{performed_step_uid[-15:].replace('.', '')}"
