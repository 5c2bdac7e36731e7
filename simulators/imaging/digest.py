"""A digest of pixel data that says whether an image is still the picture that was acquired."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.encaps import generate_frames

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom.dataset import FileDataset


def pixel_digest(image: FileDataset) -> str:
    """SHA-256 over an object's pixel data, in hexadecimal; empty where it has none.

    Of compressed images it is over their frames, because how frames are wrapped (PS3.5 A.4) is not the picture.
    """
    if "PixelData" not in image:
        return ""
    data: Iterable[bytes] = [image.PixelData]
    if image.file_meta.TransferSyntaxUID.is_compressed:
        data = generate_frames(image.PixelData, number_of_frames=int(image.get("NumberOfFrames") or 1))
    digest = hashlib.sha256()
    for part in data:
        digest.update(part)
    return digest.hexdigest()


def pixel_digests(paths: Iterable[Path]) -> dict[str, str]:
    """The digest of every file that holds an image, by SOP Instance UID."""
    found = {str(image.SOPInstanceUID): pixel_digest(image) for image in map(dcmread, paths)}
    return {uid: digest for uid, digest in found.items() if digest}
