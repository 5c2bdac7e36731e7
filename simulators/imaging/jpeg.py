"""JPEG photographs as Visible Light Photographic images (PS3.3 A.32.4)."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, VLPhotographicImageStorage

from simulators.errors import ArgumentError
from simulators.imaging.frame import Series, da, new_object, new_uid, tm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext

# Markers of ISO/IEC 10918-1 Table B.1.
_SOF_BASELINE, _SOS, _APP14, _FILL = 0xC0, 0xDA, 0xEE, 0xFF
_OTHER_FRAMES = frozenset(range(0xC1, 0xD0)) - {0xC4, 0xC8, 0xCC}  # progressive, extended, lossless, arithmetic
_METADATA = frozenset(range(0xE0, 0xF0)) | {0xFE}  # application segments and comments
_EXIF_ORIENTATION = 0x0112
_YCBCR = 3
_PRECISION = 8
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
MAXIMUM_PIXELS = 50_000_000


@dataclass(frozen=True)
class Baseline:
    """A baseline JPEG stream without its metadata, and how DICOM names its colours."""

    stream: bytes
    photometric: str
    samples: int


def photograph(context: StudyContext, source: bytes, *, number: int = 1) -> FileDataset:
    """Make one image of a JPEG file, with the compressed stream itself where DICOM allows that.

    The stream is kept when it is JPEG Baseline of 8 bits in grey or subsampled YCbCr and stands upright (PS3.5 8.2.1);
    comments, Exif and other application segments are left out, for they may tell of the place and person. Anything else
    is decoded, turned upright and stored uncompressed. Either way the pixels have been through lossy compression.

    Raises:
        ArgumentError: not a JPEG file, or larger than 50 megapixels.
    """
    picture = _open(source)
    series = Series("XC", number, "PHOTOGRAPH", new_uid())
    dataset = new_object(context, series, VLPhotographicImageStorage, 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PatientOrientation = ""
    dataset.AcquisitionDate, dataset.AcquisitionTime = da(context.started), tm(context.started)
    dataset.AcquisitionContextSequence = []
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    upright = picture.getexif().get(_EXIF_ORIENTATION, 1) == 1
    baseline = baseline_of(source) if upright else None
    if baseline is not None:
        dataset.Columns, dataset.Rows = picture.size
        dataset.SamplesPerPixel = baseline.samples
        dataset.PhotometricInterpretation = baseline.photometric
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([baseline.stream])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    else:
        decoded = ImageOps.exif_transpose(picture).convert("RGB")
        dataset.Columns, dataset.Rows = decoded.size
        dataset.SamplesPerPixel = 3
        dataset.PhotometricInterpretation = "RGB"
        pixels = np.asarray(decoded, dtype=np.uint8).tobytes()
        dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
        dataset["PixelData"].VR = "OB"
    if dataset.SamplesPerPixel > 1:
        dataset.PlanarConfiguration = 0
    size = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    dataset.LossyImageCompressionRatio = f"{size / len(source):.2f}"
    return dataset


def baseline_of(source: bytes) -> Baseline | None:
    """Return the stream for encapsulation, or None when DICOM's JPEG Baseline does not cover it."""
    kept = [b"\xff\xd8"]
    photometric, samples, adobe_transform = "", 0, None
    for marker, segment, rest in _segments(source):
        if marker == _APP14 and segment[4:9] == b"Adobe":
            adobe_transform = segment[15]
        if marker in _OTHER_FRAMES:
            return None
        if marker == _SOF_BASELINE:
            samples = segment[9]
            photometric = _photometric(segment, samples)
        if marker not in _METADATA:
            kept.append(segment)
        if marker == _SOS:
            kept.append(rest)
    if not photometric or (samples == _YCBCR and adobe_transform == 0):
        return None
    return Baseline(b"".join(kept), photometric, samples)


def _segments(source: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (marker, segment with its marker, what follows it) up to and with SOS (ISO/IEC 10918-1 B.1)."""
    place = 2
    while place + 4 <= len(source):
        if source[place] != _FILL:
            return
        marker = source[place + 1]
        if marker == _FILL or marker in _STANDALONE:
            place += 1 if marker == _FILL else 2
            continue
        end = place + 2 + struct.unpack(">H", source[place + 2 : place + 4])[0]
        yield marker, source[place:end], source[end:]
        if marker == _SOS:
            return
        place = end


def _photometric(frame: bytes, samples: int) -> str:
    """Photometric Interpretation that a frame header means.

    Its bytes: marker 2, length 2, precision 1, lines 2, samples 2, components 1, then 3 for each component.
    """
    if frame[4] != _PRECISION:
        return ""
    if samples == 1:
        return "MONOCHROME2"
    if samples != _YCBCR:
        return ""
    horizontal = [frame[11 + 3 * component] >> 4 for component in range(samples)]
    # The only YCbCr of this kind of image (PS3.3 C.8.12.1.1.1); without subsampling the stream cannot be kept.
    return "YBR_FULL_422" if horizontal[0] == 2 * horizontal[1] else ""


def _open(source: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(source), formats=["JPEG"])
    except (OSError, Image.DecompressionBombError) as error:
        raise ArgumentError("The file is not a JPEG image.", remedy="Give a .jpg file.") from error
    if picture.width * picture.height > MAXIMUM_PIXELS:
        raise ArgumentError("The photograph has more than 50 megapixels.", remedy="Scale it down first.")
    try:
        picture.load()
    except OSError as error:
        raise ArgumentError(f"The JPEG image is damaged: {error}", remedy="Give a whole file.") from error
    return picture
