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


def images_of(
    modality: str,
    context: StudyContext,
    images: int | None = None,
    *,
    phantom: bool = False,
    number: int = 1,
    size: int = CT_MATRIX,
) -> Iterator[FileDataset]:
    """Make one series.

    Args:
        modality: CT, MR, US or DX (0008,0060).
        context: patient, order, equipment and procedure step.
        images: how many objects; :data:`DEFAULT_IMAGES` when not given.
        phantom: CT of the synthetic cylinder in place of the head.
        number: Series Number (0020,0011).
        size: rows and columns of CT images.

    Raises:
        ArgumentError: a modality without pictures, or a number of images outside 1 to 2000.
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
    if modality == "CT":
        volume = cylinder(count, size) if phantom else resample(load_head(), count, size)
        return ct_series(context, volume, number=number)
    if modality == "MR":
        return mr_series(context, count, number=number)
    if modality == "US":
        return us_series(context, count, number=number)
    return dx_series(context, count, number=number)
