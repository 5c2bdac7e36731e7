"""The images that a modality of a kind acquires for a worklist item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.imaging.ct import ct_series
from simulators.imaging.dx import dx_series
from simulators.imaging.mr import mr_series
from simulators.imaging.phantom import cylinder
from simulators.imaging.us import us_series
from simulators.imaging.volume import load_head, resample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext

DEFAULT_IMAGES = {"CT": 24, "MR": 8, "US": 3, "DX": 2}
"""How many images a modality makes when it is not told."""
CT_MATRIX = 512
MAXIMUM_IMAGES = 2000
SMALLEST_MATRIX, LARGEST_MATRIX = 16, 1024


def images_of(
    modality: str,
    context: StudyContext,
    images: int | None = None,
    *,
    phantom: bool = False,
    number: int = 1,
    size: int | None = None,
    seed: int = 1,
) -> Iterator[FileDataset]:
    """Make one series.

    Args:
        modality: CT, MR, US or DX (0008,0060).
        context: patient, order, equipment and procedure step.
        images: how many objects; :data:`DEFAULT_IMAGES` when not given.
        phantom: CT of the synthetic cylinder in place of the head.
        number: Series Number (0020,0011).
        size: rows and columns; as the modality has them when not given, CT :data:`CT_MATRIX`.
        seed: of the noise in what is synthetic; the same one gives the same pixels.

    Raises:
        ArgumentError: a modality without pictures, a number of images outside 1 to 2000, or of rows outside 16 to 1024.
        NotReadyError: the CT head is not installed.
    """
    count = DEFAULT_IMAGES.get(modality, 0) if images is None else images
    if modality not in DEFAULT_IMAGES:
        raise ArgumentError(
            f"There are no images for modality {modality!r}.", remedy=f"Use one of {', '.join(DEFAULT_IMAGES)}."
        )
    if not 1 <= count <= MAXIMUM_IMAGES:
        raise ArgumentError(f"{count} images cannot be made.", remedy=f"Ask for 1 to {MAXIMUM_IMAGES}.")
    if phantom and modality != "CT":
        raise ArgumentError("The phantom is a CT phantom.", remedy="Leave --phantom out, or use a CT.")
    if size is not None and not SMALLEST_MATRIX <= size <= LARGEST_MATRIX:
        raise ArgumentError(
            f"Images of {size} rows cannot be made.", remedy=f"Ask for {SMALLEST_MATRIX} to {LARGEST_MATRIX}."
        )
    if modality == "CT":
        matrix = size or CT_MATRIX
        volume = cylinder(count, matrix, seed=seed) if phantom else resample(load_head(), count, matrix)
        return ct_series(context, volume, number=number)
    if modality == "MR":
        return mr_series(context, count, number=number, seed=seed, size=size)
    if modality == "US":
        return us_series(context, count, number=number, seed=seed, size=size)
    return dx_series(context, count, number=number, seed=seed, size=size)
