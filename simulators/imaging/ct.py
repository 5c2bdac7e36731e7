"""CT images (PS3.3 A.3) from a volume in Hounsfield units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import CTImageStorage
from pydicom.valuerep import DSfloat

from simulators.imaging.frame import Series, da, new_object, new_uid, tm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext
    from simulators.imaging.volume import Volume

INTERCEPT = -1024
"""Rescale Intercept: stored value 0 is -1024 HU, so that all values are positive in 12 bits."""
SLICE_THICKNESS = 1.5


def ct_series(context: StudyContext, volume: Volume, *, number: int = 1) -> Iterator[FileDataset]:
    """One axial series: an object for each section of the volume, from the feet to the head.

    The volume's centre is the origin of the patient coordinate system (PS3.3 C.7.6.2.1.1).
    """
    description = "CT PHANTOM AXIAL" if volume.synthetic else "CT HEAD AXIAL"
    body_part = "" if volume.synthetic else "HEAD"
    series = Series("CT", number, description, new_uid(), body_part=body_part, protocol=description)
    frame_of_reference = new_uid()
    for index, section in enumerate(volume.voxels):
        dataset = new_object(context, series, CTImageStorage, index + 1)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.AcquisitionNumber = 1
        dataset.AcquisitionDate, dataset.AcquisitionTime = da(context.started), tm(context.started)
        dataset.KVP = "120"
        dataset.XRayTubeCurrent = "200"
        dataset.ExposureTime = "1000"
        dataset.ConvolutionKernel = "STANDARD"
        dataset.RescaleType = "HU"
        dataset.RescaleIntercept, dataset.RescaleSlope = DSfloat(INTERCEPT), DSfloat(1)
        dataset.WindowCenter, dataset.WindowWidth = "40", "400"
        _geometry(dataset, volume, index, frame_of_reference)
        _pixels(dataset, section)
        yield dataset


def _geometry(dataset: FileDataset, volume: Volume, index: int, frame_of_reference: str) -> None:
    """Frame of Reference and Image Plane modules (PS3.3 C.7.4.1, C.7.6.2)."""
    slices, rows, columns = volume.voxels.shape
    between, row, column = volume.spacing
    height = round((index - (slices - 1) / 2) * between, 4)
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.PatientPosition = "HFS"
    dataset.PixelSpacing = [DSfloat(round(row, 6)), DSfloat(round(column, 6))]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [
        DSfloat(round(-(columns - 1) / 2 * column, 4)),
        DSfloat(round(-(rows - 1) / 2 * row, 4)),
        DSfloat(height),
    ]
    dataset.SliceLocation = DSfloat(height)
    dataset.SliceThickness = DSfloat(SLICE_THICKNESS if not volume.synthetic else between)


def _pixels(dataset: FileDataset, section: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
    stored = np.clip(section.astype(np.int32) - INTERCEPT, 0, 4095).astype("<u2")
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
