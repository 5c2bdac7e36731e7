"""What a viewer drew of an image, judged by its pixels against the object that the archive has."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom import dcmread

from lab.hospital.archive import CREDENTIALS, Archive

if TYPE_CHECKING:
    from lab.engine.lab import Lab

SIDE = 96
"""Both are compared as squares of so many pixels."""
ALIKE = 0.97
"""Least correlation of a drawing with its image; text and lines upon it cost a little."""
STRUCTURE = 0.15
"""Least standard deviation of an image that shows something, where black is 0 and white is 1."""


@dataclass(frozen=True)
class Slice:
    """An image as it should be seen: grey values from 0 to 1, and millimetres between two pixels."""

    grey: np.ndarray[Any, Any]
    spacing: float

    @property
    def is_anatomy(self) -> bool:
        """Whether there is something to see on it."""
        return bool(self.grey.std() > STRUCTURE)


def slice_of(lab: Lab, host: str, study: str, number: int, *, width: float, level: float) -> Slice:
    """The CT image of a study with this Instance Number, windowed as PS3.3 C.11.2.1.2 says."""
    archive = Archive(lab, host)
    (found,) = archive.find("Instance", StudyInstanceUID=study, InstanceNumber=str(number), Modality="CT")
    fetch = 'grep "^user" "$1" | curl --silent --fail --config - "$2" | base64'
    done = lab.run(host, ["sh", "-c", fetch, "fetch", CREDENTIALS, f"{archive.url}/instances/{found.ID}/file"])
    image = dcmread(BytesIO(base64.b64decode(done.stdout)))
    value = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    grey = np.clip((value - (level - 0.5)) / (width - 1) + 0.5, 0, 1)
    return Slice(grey, float(image.PixelSpacing[0]))


def grey(drawing: bytes) -> np.ndarray[Any, Any]:
    """The pixels of a drawing (PNG), from 0 to 1."""
    return np.asarray(Image.open(BytesIO(drawing)).convert("L"), dtype=float) / 255


def scale(drawing: bytes, image: Slice) -> float:
    """How many pixels of a drawing a pixel of its image takes, where the image is as large as it can be."""
    width, height = Image.open(BytesIO(drawing)).size
    rows, columns = image.grey.shape
    return min(width / int(columns), height / int(rows))


def likeness(drawing: bytes, image: Slice) -> float:
    """Correlation of a drawing (PNG) with an image in its middle, as large as it can be; 0 for one that is black."""
    drawn = Image.open(BytesIO(drawing)).convert("L")
    rows, columns = image.grey.shape
    half = [side * scale(drawing, image) / 2 for side in (columns, rows)]
    middle = (drawn.width / 2, drawn.height / 2)
    box = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
    seen = np.asarray(drawn.resize((SIDE, SIDE), Image.Resampling.BOX, box=box), dtype=float) / 255
    wanted = Image.fromarray((image.grey * 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BOX)
    if seen.std() < STRUCTURE:
        return 0.0
    return float(np.corrcoef(seen.ravel(), np.asarray(wanted, dtype=float).ravel())[0, 1])
