"""A digest is the picture's: the same however its frames are wrapped, another when one pixel changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from simulators.imaging.ct import ct_series
from simulators.imaging.digest import pixel_digest, pixel_digests
from simulators.imaging.pdf import encapsulated_pdf
from simulators.imaging.samples import sample_pdf
from tests.unit.simulators.imaging.study import context, ramp

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_over_the_stored_bytes() -> None:
    image = next(iter(ct_series(context(), ramp(1))))
    assert pixel_digest(image) == hashlib.sha256(image.PixelData).hexdigest()
    before = pixel_digest(image)
    image.PixelData = bytes([image.PixelData[0] ^ 1]) + image.PixelData[1:]
    assert pixel_digest(image) != before


def test_compressed_frames_count_and_not_how_they_are_wrapped() -> None:
    image = next(iter(ct_series(context(), ramp(1))))
    image.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    image.NumberOfFrames = 2
    frames = [b"frame one.", b"frame two."]
    image.PixelData = encapsulate(frames, has_bot=True)
    with_table = pixel_digest(image)
    image.PixelData = encapsulate(frames, has_bot=False)
    assert pixel_digest(image) == with_table == hashlib.sha256(b"".join(frames)).hexdigest()


def test_of_a_folder_only_images_have_one(tmp_path: Path) -> None:
    image = next(iter(ct_series(context(), ramp(1))))
    document = encapsulated_pdf(context(), sample_pdf(["text"]), title="Requisition", number=100)
    paths = []
    for stored in (image, document):
        paths.append(tmp_path / f"{stored.SOPInstanceUID}.dcm")
        stored.save_as(paths[-1], enforce_file_format=True)
    assert pixel_digests(paths) == {image.SOPInstanceUID: pixel_digest(image)}
