"""Many small images in one array, as bytes: what previews and pictures of images are made of."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def columns_of(n: int) -> int:
    """How many of n images stand side by side: about as many as below each other."""
    return math.ceil(math.sqrt(n))


def corner(i: int, columns: int, tile: tuple[int, int]) -> tuple[int, int]:
    """Row and column, in pixels, of the i-th image's upper left; a tile holds the gap too."""
    return i // columns * tile[0], i % columns * tile[1]


def mosaic(images: Array, columns: int, gap: tuple[int, int], empty: Any) -> Array:
    """The images side by side, row after row, with gaps between them.

    Parameters
    ----------
    images : ndarray, shape (n, height, width, ...)
        At least one.
    columns : int
        How many stand side by side.
    gap : pair of int
        Pixels between rows, and between columns.
    empty : scalar
        What stands in the gaps, and where the last row has no image.

    Returns
    -------
    ndarray, shape (rows, columns, ...)
        Of the images' dtype.
    """
    n, height, width, *rest = images.shape
    rows = math.ceil(n / columns)
    tile = (height + gap[0], width + gap[1])
    size = (rows * tile[0] - gap[0], columns * tile[1] - gap[1], *rest)
    grid = np.full(size, empty, images.dtype)
    for i, image in enumerate(images):
        top, left = corner(i, columns, tile)
        grid[top : top + height, left : left + width] = image
    return grid


def as_bytes(x: Array) -> npt.NDArray[np.uint8]:
    """Pixels as bytes: [0, 1] and bytes as they are, other ranges from lowest to highest."""
    if x.dtype == np.uint8:
        return x
    x = np.nan_to_num(x.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = min(0.0, x.min()), max(1.0, x.max())
    if low < 0.0 or high > 1.0:
        low, high = x.min(), x.max()
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.asarray(np.rint(scale * (x - low)), np.uint8)
