"""Digital radiographs for presentation (PS3.3 A.26) of a synthetic step wedge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import DigitalXRayImageStorageForPresentation
from pydicom.valuerep import DSfloat

from simulators.imaging.context import code
from simulators.imaging.frame import Series, da, new_object, new_uid, tm
from simulators.imaging.phantom import radiograph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext


def dx_series(
    context: StudyContext, images: int, *, number: int = 1, seed: int = 1, size: int | None = None
) -> Iterator[FileDataset]:
    """One series of ``images`` exposures of the wedge, each with noise of its own; ``size`` is rows and columns."""
    series = Series("DX", number, "STEP WEDGE", new_uid())
    for index in range(images):
        dataset = new_object(context, series, DigitalXRayImageStorageForPresentation, index + 1)
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
        dataset.AcquisitionDate, dataset.AcquisitionTime = da(context.started), tm(context.started)
        del dataset.Laterality  # Image Laterality stands in its place (PS3.3 C.8.11.2)
        dataset.ImageLaterality = "U"
        dataset.AnatomicRegionSequence = [code("113681", "DCM", "Phantom")]
        dataset.PatientOrientation = ["L", "F"]
        dataset.KVP = "70"
        dataset.DetectorType = "DIRECT"
        dataset.ImagerPixelSpacing = [DSfloat(0.2), DSfloat(0.2)]
        dataset.PixelIntensityRelationship = "LOG"
        dataset.PixelIntensityRelationshipSign = -1
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = DSfloat(0), DSfloat(1), "US"
        dataset.PresentationLUTShape = "IDENTITY"
        dataset.LossyImageCompression = "00"
        dataset.BurnedInAnnotation = "NO"
        dataset.AcquisitionContextSequence = []
        dataset.WindowCenter, dataset.WindowWidth = "2048", "4096"
        pixels = radiograph(seed=seed + index) if size is None else radiograph(size, size, seed=seed + index)
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        yield dataset
