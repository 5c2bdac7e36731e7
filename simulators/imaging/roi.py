"""Statistics of a circular region, calculated from an image's own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.errors import ArgumentError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

HOUNSFIELD = "[hnsf'U]"
"""UCUM code of the Hounsfield unit."""


@dataclass(frozen=True)
class Circle:
    """A circle in pixels of the image: centre (column, row) from the upper left corner, and radius."""

    column: float
    row: float
    radius: float


@dataclass(frozen=True)
class Statistics:
    """What was measured: values in ``unit`` (UCUM; Hounsfield for CT, otherwise none), area in mm2."""

    mean: float
    deviation: float
    minimum: float
    maximum: float
    area_mm2: float
    pixels: int
    unit: str


def measure(image: Dataset, circle: Circle) -> Statistics:
    """Apply the Modality LUT (PS3.3 C.11.1) and take the pixels whose centres lie in the circle.

    Raises:
        ArgumentError: the image is in colour, has several frames or no Pixel Spacing, or the circle leaves it.
    """
    if (
        image.get("SamplesPerPixel", 0) != 1
        or int(image.get("NumberOfFrames") or 1) != 1
        or "PixelSpacing" not in image
    ):
        raise ArgumentError(
            "Only single-frame grey images with Pixel Spacing can be measured.", remedy="Choose a CT or MR image."
        )
    rows, columns = int(image.Rows), int(image.Columns)
    inside = (
        circle.radius > 0
        and circle.radius <= circle.column <= columns - circle.radius
        and circle.radius <= circle.row <= rows - circle.radius
    )
    if not inside:
        raise ArgumentError(
            f"The circle does not lie inside the image of {columns} x {rows} pixels.", remedy="Give another --roi."
        )
    values = image.pixel_array * float(image.get("RescaleSlope", 1)) + float(image.get("RescaleIntercept", 0))
    row, column = np.mgrid[0:rows, 0:columns] + 0.5  # the centre of the first pixel is at (0.5, 0.5) in SCOORD
    chosen = values[(row - circle.row) ** 2 + (column - circle.column) ** 2 <= circle.radius**2]
    if chosen.size == 0:
        raise ArgumentError("The circle holds no pixel.", remedy="Give a larger radius in --roi.")
    spacing = [float(part) for part in image.PixelSpacing]
    return Statistics(
        mean=float(chosen.mean()),
        deviation=float(chosen.std()),
        minimum=float(chosen.min()),
        maximum=float(chosen.max()),
        area_mm2=float(np.pi * circle.radius**2 * spacing[0] * spacing[1]),
        pixels=int(chosen.size),
        unit=HOUNSFIELD if image.get("RescaleType") == "HU" else "1",
    )
