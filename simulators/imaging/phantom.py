"""Synthetic test objects: a cylinder with inserts and noise, the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators.imaging.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

AIR, WATER = -1000, 0
# Inserts of a quality phantom: (row, column) of the centre and radius as fractions of the image, Hounsfield units.
INSERTS = ((0.32, 0.50, 0.06, 120), (0.50, 0.68, 0.06, -100), (0.68, 0.50, 0.06, 900), (0.50, 0.32, 0.06, -1000))


def cylinder(slices: int, size: int = 256, *, seed: int = 1, noise: float = 12.0) -> Volume:
    """A water cylinder with inserts of acrylic, polyethylene, bone and air, in Hounsfield units.

    Args:
        slices: number of axial sections, 3 mm apart.
        size: rows and columns; the field of view is 256 mm.
        seed: the same seed gives the same voxels.
        noise: standard deviation of the noise, in Hounsfield units.
    """
    section = _section(size)
    random = np.random.default_rng(seed)
    voxels = section[np.newaxis] + random.normal(0.0, noise, (slices, size, size))
    pitch = 256.0 / size
    return Volume(np.clip(np.rint(voxels), -1024, 3071).astype(np.int16), (3.0, pitch, pitch), synthetic=True)


def radiograph(rows: int = 512, columns: int = 448, *, seed: int = 1) -> NDArray[np.uint16]:
    """A projection of a step wedge with quantum noise, 12 bits, higher is more attenuation."""
    random = np.random.default_rng(seed)
    steps = np.repeat(np.linspace(600, 3400, 8), -(-columns // 8))[:columns]
    picture = np.tile(steps, (rows, 1))
    edge = min(rows, columns) // 16
    picture[:edge, :] = picture[-edge:, :] = 200
    picture[:, :edge] = picture[:, -edge:] = 200
    noisy = picture + random.normal(0.0, 1.0, picture.shape) * np.sqrt(picture) * 0.5
    return np.clip(np.rint(noisy), 0, 4095).astype(np.uint16)


def _section(size: int) -> NDArray[np.float64]:
    rows, columns = np.mgrid[0:size, 0:size] / size
    section = np.full((size, size), float(AIR))
    section[(rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.42**2] = WATER
    for row, column, radius, value in INSERTS:
        section[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = value
    return section
