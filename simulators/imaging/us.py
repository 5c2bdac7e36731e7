"""Ultrasound images (PS3.3 A.6, A.7) from the real ones in pydicom's examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import dcmread, examples
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from simulators.imaging.frame import Series, new_object, new_uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset, FileDataset

    from simulators.imaging.context import StudyContext

# Still in true colour, cine of 30 frames (JPEG Baseline), still in palette colour.
EXAMPLES = ("rgb_color", "ybr_color", "palette_color")

_COPIED = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "FrameIncrementPointer",
    "FrameTime",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "UltrasoundColorDataPresent",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "TransducerType",
)


def us_series(context: StudyContext, images: int, *, number: int = 1) -> Iterator[FileDataset]:
    """One series that goes through the examples in turn until there are ``images`` objects."""
    series = Series("US", number, "ULTRASOUND", new_uid())
    for index in range(images):
        source = dcmread(examples.get_path(EXAMPLES[index % len(EXAMPLES)]))
        cine = "NumberOfFrames" in source
        sop_class = UltrasoundMultiFrameImageStorage if cine else UltrasoundImageStorage
        dataset = new_object(context, series, sop_class, index + 1)
        dataset.file_meta.TransferSyntaxUID = source.file_meta.TransferSyntaxUID
        for name in _COPIED:
            if name in source:
                dataset[name] = source[name]
        dataset.ImageType = [source.ImageType[0], "PRIMARY", *source.ImageType[2:3]]
        dataset.PatientOrientation = ""
        _regions(dataset, source)
        if dataset.get("LossyImageCompression") == "01":
            dataset.LossyImageCompressionMethod = "ISO_10918_1"
        dataset["PixelData"] = source["PixelData"]
        yield dataset


def _regions(dataset: FileDataset, source: Dataset) -> None:
    """Calibrated regions (PS3.3 C.8.5.5), as far as they lie inside the image."""
    inside = [
        region
        for region in source.get("SequenceOfUltrasoundRegions", [])
        if region.RegionLocationMaxX1 <= source.Columns and region.RegionLocationMaxY1 <= source.Rows
    ]
    if inside:
        dataset.SequenceOfUltrasoundRegions = inside
