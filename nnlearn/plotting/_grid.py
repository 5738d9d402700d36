"""Many small images in one pair of axes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn._mosaic import as_bytes, columns_of, corner, mosaic
from nnlearn.plotting._style import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]

#: Pixels between the images, as a share of their sides, and so for a line of text above each.
_GAP, _LINE = 0.06, 0.26
#: Points of text at most and at least; the width of a letter, as a share of its size.
_LARGEST, _SMALLEST, _LETTER = 10.0, 4.0, 0.6


def draw_images(
    images: Array, words: Sequence[str], columns: int | None, ax: "Axes | None"
) -> "Axes":
    """Images (n, channels, height, width) in one, with the words above each."""
    channels = images.shape[1]
    pixels = as_bytes(images)
    if channels == 3:
        tiles = np.moveaxis(pixels, 1, -1)
        opaque = np.full((*tiles.shape[:3], 1), 255, np.uint8)
        tiles = np.concatenate([tiles, opaque], axis=-1)
        empty: float = 0
    else:
        tiles, empty = side_by_side(pixels.astype(np.float32), np.nan), np.nan
    lines = max((text.count("\n") + 1 for text in words), default=0)
    grid, (across, tile) = grid_of(tiles, columns, lines, empty)
    ax = new_axes(ax, size_of(tiles.shape, columns, lines))
    ax.imshow(grid, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    if words:
        space = tile[0] - tiles.shape[1]
        ax.set_ylim(len(grid) - 0.5, -0.5 - space)
        size = _text_size(ax, words, tile[1], space / lines)
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": size}
        for i, text in enumerate(words):
            top, left = corner(i, across, tile)
            ax.text(left + (tiles.shape[2] - 1) / 2, top - 0.6, text, linespacing=1.0, **style)
    return bare(ax)


def _text_size(ax: "Axes", words: Sequence[str], width: float, height: float) -> float:
    """Points at which the words fit above their images: width and height in pixels of these."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_position()
    inches = figure.get_size_inches() * (box.width, box.height)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    point = 72 * min(inches[0] / abs(right - left), inches[1] / abs(high - low))
    longest = max(len(line) for text in words for line in text.split("\n"))
    fits = min(0.8 * height * point, width * point / (max(longest, 1) * _LETTER))
    return float(min(_LARGEST, max(_SMALLEST, fits)))


def side_by_side(images: Array, empty: float) -> Array:
    """Images (n, height, width) of (n, channels, height, width), a gap between the channels."""
    n, channels, height, width = images.shape
    gap = 1 if channels > 1 else 0
    wide = np.full((n, height, channels * (width + gap) - gap), empty, images.dtype)
    for k in range(channels):
        left = k * (width + gap)
        wide[:, :, left : left + width] = images[:, k]
    return wide


def grid_of(
    tiles: Array, columns: int | None, lines: int, empty: float
) -> tuple[Array, tuple[int, tuple[int, int]]]:
    """The images in one; how many stand side by side, and the pixels of each with its gap."""
    across = _across(len(tiles), columns)
    height, width = tiles.shape[1:3]
    gap = _gap(height, width, lines)
    return mosaic(tiles, across, gap, empty), (across, (height + gap[0], width + gap[1]))


def _across(n: int, columns: int | None) -> int:
    """How many stand side by side, no more than there are."""
    if columns is None:
        return columns_of(n)
    return min(_checks.integer("columns", columns, minimum=1), n)


def _gap(height: int, width: int, lines: int) -> tuple[int, int]:
    """Pixels between rows, with room for lines of text, and between columns."""
    side = math.sqrt(height * width)
    gap = max(1, round(_GAP * side))
    return (gap + max(1, round(lines * _LINE * side)) if lines else gap, gap)


def size_of(
    shape: tuple[int, ...], columns: int | None, lines: int, beside: float = 0.0
) -> tuple[float, float]:
    """Inches of a new figure for images (n, height, width, ...), a share of its width beside."""
    n, height, width = shape[:3]
    across = _across(n, columns)
    gap = _gap(height, width, lines)
    wide, high = across * (width + gap[1]), -(-n // across) * (height + gap[0])
    inches = min(6.4, max(3.4, 1.1 * across * max(1.0, width / height)))
    return inches, min(max((1 - beside) * inches * high / wide + 0.25, 1.0), 10.0)


def bare(ax: "Axes") -> "Axes":
    """Neither ticks nor a box."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax
