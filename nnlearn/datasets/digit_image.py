"""Drawings made into images like those of MNIST: as large, and in the same place.

The makers of MNIST [1]_ scaled black and white digits to fit a box of 20 by 20 pixels, the aspect
ratio kept, with anti-aliasing, and put them into 28 by 28 pixels so that their centre of mass lies
at the centre. A network that has learnt from such images knows no others, so what is drawn or
scanned by hand must be brought into that form first.

References
----------
.. [1] Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits",
   http://yann.lecun.com/exdb/mnist/
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks

Array = npt.NDArray[Any]

#: Pixels a side of an image, and of the box that its digit fits.
SIDE, BOX = 28, 20

#: The pixel, counted from 0, on which the centre of mass comes to lie: all 70,000 images have it
#: within half a pixel of (14, 14).
CENTRE = SIDE // 2

#: Pixels a side of a drawing before it is scaled: five for each one of the image.
CANVAS = 5 * SIDE

#: Pixels that are no more than errors of rounding.
_ROUNDING = 1e-6


def normalised(image: npt.ArrayLike) -> Array:
    """The drawing as an image of MNIST's form.

    Parameters
    ----------
    image : array_like, shape (height, width)
        Ink, finite numbers >= 0: 0 is paper, 1 is full ink. All that is not 0 belongs to the digit.

    Returns
    -------
    ndarray, shape (28, 28)
        float32. The digit's longer side is 20 pixels; where no ink is, all zeros.

    Raises
    ------
    TypeError, ValueError
        If `image` is no matrix of such numbers.

    Notes
    -----
    A pixel is the mean of the drawing over the square that it covers, which is exact for any
    scale: ink is neither lost nor made. The digit is moved by whole pixels, as MNIST's digits were,
    so that it is not blurred again; it never leaves the image.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn.datasets.digit_image import normalised
    >>> bar = np.zeros((300, 300))
    >>> bar[20:220, 40:60] = 1
    >>> image = normalised(bar)
    >>> np.unique(image.nonzero()[0]).size, np.unique(image.nonzero()[1]).size
    (20, 2)
    """
    ink = _checked_image(image)
    box = ink_box(ink)
    placed = np.zeros((SIDE, SIDE), np.float32)
    if box is None:
        return placed
    top, left, height, width = box
    step = max(height, width) / BOX  # pixels of the drawing along one pixel of the image
    scaled = _means(height, step) @ ink[top : top + height, left : left + width]
    scaled = scaled @ _means(width, step).T
    centre = centre_of_mass(scaled) or (BOX / 2, BOX / 2)
    to_top, to_left = map(_offset, scaled.shape, centre)
    placed[to_top : to_top + scaled.shape[0], to_left : to_left + scaled.shape[1]] = scaled
    return placed


def ink_box(image: Array) -> tuple[int, int, int, int] | None:
    """The smallest box with all that is not 0.

    Parameters
    ----------
    image : ndarray, shape (height, width)
        A drawing or an image.

    Returns
    -------
    tuple of int or None
        (top, left, height, width) in pixels; None where no ink is.
    """
    rows = np.flatnonzero(image.any(axis=1))
    columns = np.flatnonzero(image.any(axis=0))
    if len(rows) == 0:
        return None
    top, left = int(rows[0]), int(columns[0])
    return top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1


def centre_of_mass(image: Array) -> tuple[float, float] | None:
    """Where the ink's mass has its centre.

    Parameters
    ----------
    image : ndarray, shape (height, width)
        A drawing or an image.

    Returns
    -------
    tuple of float or None
        (row, column); the middle of the first pixel is (0, 0). None where no ink is.
    """
    mass = float(image.sum(dtype=np.float64))
    if mass == 0:
        return None
    row, column = (image.sum(axis=1 - axis) @ np.arange(image.shape[axis]) for axis in (0, 1))
    return float(row) / mass, float(column) / mass


def drawn(strokes: Iterable[Array], width: float, side: int = CANVAS) -> Array:
    """Strokes of a round pen on a square of paper.

    Parameters
    ----------
    strokes : iterable of ndarray, shape (n, 2)
        Points (x, y) from (0, 0), the upper left corner, to (1, 1), joined by straight lines. One
        point is a dot.
    width : float
        Of the pen, as a share of the paper's side.
    side : int, default 140
        Pixels a side of the result.

    Returns
    -------
    ndarray, shape (side, side)
        float32 ink, 0 to 1. A pixel at the edge of a line, whose centre lies d pixels from the
        middle of a pen of radius r, has the ink r - d + 1/2.
    """
    radius = width * side / 2
    margin = math.ceil(2 * radius) + _PIECE + 2  # pixels that one piece may touch, in a row
    ink = np.zeros((side + 2 * margin, side + 2 * margin), np.float32)
    pieces = _pieces([np.asarray(stroke, np.float64) * side + margin for stroke in strokes])
    for first in range(0, len(pieces), _AT_ONCE):
        _draw_pieces(ink, pieces[first : first + _AT_ONCE], radius, margin)
    return np.ascontiguousarray(ink[margin:-margin, margin:-margin])


#: Pixels that a piece of a line is long at most, and how many pieces are drawn at once.
_PIECE, _AT_ONCE = 4, 1000


def _pieces(strokes: Iterable[Array]) -> Array:
    """The strokes' lines (m, 2, 2), start and end of each, cut into short pieces."""
    pieces = [np.empty((0, 2, 2))]
    for points in strokes:
        starts, ends = (points[:-1], points[1:]) if len(points) > 1 else (points, points)
        lengths = np.hypot(*(ends - starts).T)
        cuts = np.maximum(np.ceil(lengths / _PIECE), 1).astype(int)
        line = np.repeat(np.arange(len(starts)), cuts)
        place = np.arange(len(line)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
        step = ((ends - starts) / cuts[:, None])[line]
        from_here = starts[line] + place[:, None] * step
        pieces.append(np.stack([from_here, from_here + step], axis=1))
    return np.concatenate(pieces)


def _draw_pieces(ink: Array, pieces: Array, radius: float, size: int) -> None:
    """Add the pieces (m, 2, 2) to the ink, each in a window of `size` pixels around it."""
    corners = np.floor(pieces.min(axis=1) - (radius + 0.5)).astype(int)
    pixels = np.arange(size)
    # x from each window's left, y from its top, to the pixels' centres: seen from the start.
    away = (corners[:, :, None] + pixels + 0.5 - pieces[:, 0, :, None]).astype(np.float32)
    x, y = away[:, 0, None, :], away[:, 1, :, None]
    along = (pieces[:, 1] - pieces[:, 0]).astype(np.float32)[:, :, None, None]
    along_x, along_y = along[:, 0], along[:, 1]
    length_2 = along_x**2 + along_y**2
    # The nearest point of the piece, as a share of the way from its start.
    t = np.clip((x * along_x + y * along_y) / np.where(length_2 > 0, length_2, 1), 0, 1)
    distance_2 = (x - t * along_x) ** 2 + (y - t * along_y) ** 2
    value = np.clip(np.float32(radius + 0.5) - np.sqrt(distance_2), 0, 1)
    rows = (corners[:, 1, None] + pixels)[:, :, None]
    columns = (corners[:, 0, None] + pixels)[:, None, :]
    np.maximum.at(ink.reshape(-1), (rows * ink.shape[1] + columns).ravel(), value.ravel())


def _means(n: int, step: float) -> Array:
    """The matrix (m, n) that takes means of n pixels over cells of `step` pixels each.

    There are as few cells as cover the n pixels, which lie in their middle; what lies beside the
    pixels counts as 0.
    """
    m = max(math.ceil(n / step - _ROUNDING), 1)
    edges = (np.arange(m + 1) - m / 2) * step + n / 2
    pixels = np.arange(n)
    first = np.maximum(edges[:-1, None], pixels)
    last = np.minimum(edges[1:, None], pixels + 1)
    overlap: Array = np.maximum(last - first, 0)
    return overlap / step


def _offset(n: int, centre: float) -> int:
    """The pixel where the first of n goes, so that the centre comes to lie on `CENTRE`.

    Of two places that are as good, as for any symmetric digit of 20 pixels, the lower one: it has
    as much paper on both sides. Rounding has no say in that.
    """
    return min(max(math.ceil(CENTRE - centre - 0.5 - _ROUNDING), 0), SIDE - n)


def _checked_image(image: npt.ArrayLike) -> Array:
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        _checks.fail(TypeError, "image", "hold real numbers", image)
    if array.ndim != 2 or array.size == 0:
        _checks.fail(ValueError, "image", "have the shape (height, width)", array)
    if not (np.isfinite(array).all() and (array >= 0).all()):
        _checks.fail(ValueError, "image", "hold finite numbers >= 0", array)
    return array.astype(np.float64)
