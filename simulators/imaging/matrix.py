"""A picture in fewer pixels: rows and columns taken out of it at equal distances, none computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Picture = TypeVar("Picture", bound="NDArray[Any]")


def sampled(picture: Picture, size: int) -> Picture:
    """Take ``size`` rows and columns; further axes, such as colours, stay.

    >>> sampled(np.arange(9).reshape(3, 3), 2).tolist()
    [[0, 2], [6, 8]]
    """
    rows, columns = (np.rint(np.linspace(0, length - 1, size)).astype(int) for length in picture.shape[:2])
    taken: Picture = picture[rows][:, columns]
    return taken


def pitch(length: int, size: int) -> float:
    """How many pixels apart those are that are taken of ``length``."""
    return (length - 1) / (size - 1)
