"""The real CT head that Debian packages as an example of InVesalius, read as Hounsfield units."""

from __future__ import annotations

import plistlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from simulators.errors import NotReadyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CRANIUM = Path("/usr/share/doc/invesalius-examples/examples/Cranium.inv3")


@dataclass(frozen=True)
class Volume:
    """Voxels with their geometry: ``voxels[slice, row, column]``, slices from the feet to the head.

    Rows run from anterior to posterior and columns from right to left of the patient, as an axial image is read.
    ``spacing`` is (between slices, between rows, between columns) in mm.
    """

    voxels: NDArray[np.int16]
    spacing: tuple[float, float, float]
    synthetic: bool


def load_head(path: Path = CRANIUM) -> Volume:
    """Read the CT head: 108 slices of 256 x 256, 0.957 x 0.957 x 1.5 mm.

    Raises:
        NotReadyError: the example is not installed, or is not what it was.
    """
    try:
        with tarfile.open(path) as archive:
            members = {Path(member.name).name: member for member in archive.getmembers()}
            description = plistlib.loads(_open(archive, members["main.plist"]).read())
            matrix = description["matrix"]
            raw = _open(archive, members[matrix["filename"]]).read()
    except (OSError, KeyError, tarfile.TarError, plistlib.InvalidFileException) as error:
        raise NotReadyError(
            f"The CT head volume {path} cannot be read: {error}", remedy="Install the package invesalius-examples."
        ) from error
    voxels = np.frombuffer(raw, dtype=np.dtype(matrix["dtype"]).newbyteorder("<")).reshape(matrix["shape"])
    column, row, between = description["spacing"]
    # InVesalius keeps rows from posterior to anterior, as VTK does; an axial DICOM image is read the other way.
    return Volume(voxels[:, ::-1, :].astype(np.int16), (between, row, column), synthetic=False)


def _open(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    handle = archive.extractfile(member)
    if handle is None:
        raise KeyError(member.name)
    return handle  # type: ignore[return-value]  # IO[bytes] in typeshed, a BufferedReader in fact


def resample(volume: Volume, slices: int, size: int | None = None) -> Volume:
    """Take ``slices`` equally spaced axial sections over the whole height, of ``size`` x ``size`` pixels.

    Linear interpolation in all three directions; a section that falls on a slice is that slice unchanged.
    """
    voxels = _along(volume.voxels, 0, slices)
    depth = volume.spacing[0] * (volume.voxels.shape[0] - 1)
    between = depth / (slices - 1) if slices > 1 else volume.spacing[0]
    row, column = volume.spacing[1:]
    if size is not None and size != voxels.shape[1]:
        row, column = row * (voxels.shape[1] - 1) / (size - 1), column * (voxels.shape[2] - 1) / (size - 1)
        voxels = _along(_along(voxels, 1, size), 2, size)
    return Volume(voxels, (between, row, column), synthetic=volume.synthetic)


def _along(voxels: NDArray[np.int16], axis: int, count: int) -> NDArray[np.int16]:
    length = voxels.shape[axis]
    places = np.linspace(0, length - 1, count) if count > 1 else np.array([(length - 1) // 2], dtype=float)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, length - 1)
    shape = [1, 1, 1]
    shape[axis] = count
    share = (places - below).astype(np.float32).reshape(shape)
    low, high = np.take(voxels, below, axis), np.take(voxels, above, axis)
    mixed: NDArray[np.int16] = np.rint(low + (high - low.astype(np.float32)) * share).astype(np.int16)
    return mixed
