"""Ultrasound images (PS3.3 A.6, A.7) from the real ones in pydicom's examples."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread, examples
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from simulators.imaging.frame import Series, new_object, new_uid
from simulators.imaging.matrix import sampled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset, FileDataset

    from simulators.imaging.context import StudyContext

# Still in true colour, cine of 30 frames (JPEG Baseline), still in palette colour.
EXAMPLES = ("rgb_color", "ybr_color", "palette_color")
NOISE = 4
"""Of 255, at most."""

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


def us_series(
    context: StudyContext, images: int, *, number: int = 1, seed: int = 1, size: int | None = None
) -> Iterator[FileDataset]:
    """One series that goes through the examples in turn until there are ``images`` objects.

    With ``size`` all of them are the first, the still in true colour, in so many rows and columns and with noise (the
    same for the same ``seed``).
    """
    series = Series("US", number, "ULTRASOUND", new_uid())
    names = EXAMPLES if size is None else EXAMPLES[:1]
    sources = [dcmread(examples.get_path(name)) for name in names[:images]]
    random = np.random.default_rng(seed)
    for index in range(images):
        source = sources[index % len(sources)]
        cine = "NumberOfFrames" in source
        sop_class = UltrasoundMultiFrameImageStorage if cine else UltrasoundImageStorage
        dataset = new_object(context, series, sop_class, index + 1)
        dataset.file_meta.TransferSyntaxUID = source.file_meta.TransferSyntaxUID
        for name in _COPIED:
            if name in source:
                dataset[name] = copy(source[name])
        dataset.ImageType = [source.ImageType[0], "PRIMARY", *source.ImageType[2:3]]
        dataset.PatientOrientation = ""
        if dataset.get("LossyImageCompression") == "01":
            dataset.LossyImageCompressionMethod = "ISO_10918_1"
        if size is None:
            _regions(dataset, source)
            dataset["PixelData"] = source["PixelData"]
        else:
            picture = sampled(source.pixel_array, size)
            noisy = np.clip(picture + random.integers(-NOISE, NOISE + 1, picture.shape), 0, 255)
            dataset.Rows = dataset.Columns = size
            dataset.add_new("PixelData", "OB", noisy.astype(np.uint8).tobytes())
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
