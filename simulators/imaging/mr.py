"""MR images (PS3.3 A.4) from the real abdominal section in pydicom's examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread, examples
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DSfloat

from simulators.imaging.frame import Series, da, new_object, new_uid, tm
from simulators.imaging.matrix import pitch, sampled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext

# What describes the acquisition; nothing that could tell of the person or the place it came from.
_ACQUISITION = (
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "RepetitionTime",
    "EchoTime",
    "EchoTrainLength",
    "NumberOfAverages",
    "ImagingFrequency",
    "ImagedNucleus",
    "MagneticFieldStrength",
    "FlipAngle",
    "SliceThickness",
)
_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "ImageOrientationPatient",
)


def mr_series(
    context: StudyContext, images: int, *, number: int = 1, seed: int = 1, size: int | None = None
) -> Iterator[FileDataset]:
    """One axial series of ``images`` sections.

    There is one real section: it is the first image, unchanged; the others are the same section with noise
    (standard deviation 1 % of the highest value, the same for the same ``seed``), 4 mm further each, and say so.
    With ``size`` the section has so many rows and columns, taken out of it at equal distances.
    """
    source = dcmread(examples.get_path("overlay"))
    real = source.pixel_array
    spacing = [float(distance) for distance in source.PixelSpacing]
    if size is not None:
        spacing = [distance * pitch(length, size) for distance, length in zip(spacing, real.shape, strict=True)]
        real = sampled(real, size)
    random = np.random.default_rng(seed)
    series = Series("MR", number, "T1 VIBE AXIAL", new_uid(), body_part="ABDOMEN", protocol="T1 VIBE FS")
    frame_of_reference = new_uid()
    between = float(source.SliceThickness)
    for index in range(images):
        dataset = new_object(context, series, MRImageStorage, index + 1)
        dataset.AcquisitionNumber = 1
        dataset.AcquisitionDate, dataset.AcquisitionTime = da(context.started), tm(context.started)
        for name in (*_ACQUISITION, *_PIXELS):
            setattr(dataset, name, source[name].value)
        x, y, z = (float(part) for part in source.ImagePositionPatient)
        dataset.ImagePositionPatient = [DSfloat(round(place, 4)) for place in (x, y, z + index * between)]
        dataset.SliceLocation = DSfloat(round(z + index * between, 4))
        dataset.FrameOfReferenceUID = frame_of_reference
        dataset.PositionReferenceIndicator = ""
        dataset.PatientPosition = "HFS"
        dataset.WindowCenter, dataset.WindowWidth = "450", "790"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        pixels = real
        if index:
            dataset.ImageComments = "The series' first section with synthetic noise"
            noise = random.normal(0.0, real.max() / 100, real.shape)
            pixels = np.clip(np.rint(real + noise), 0, 2**source.BitsStored - 1)
        dataset.Rows, dataset.Columns = real.shape
        dataset.PixelSpacing = [DSfloat(round(distance, 6)) for distance in spacing]
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        yield dataset
