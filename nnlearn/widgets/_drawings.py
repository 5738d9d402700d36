"""What is drawn on a paper, read from users and pages: the pen, its strokes, whole images."""

from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.datasets.digit_image import SIDE

_Array = npt.NDArray[Any]

#: Width of the pen to begin with, and at the least and at the most, as shares of the paper's side.
PEN, PEN_FROM, PEN_TO = 0.08, 0.01, 0.3

#: Points that a drawing has at most.
MOST_POINTS = 20_000


def read_pen_width(value: Any) -> float:
    """The pen's width as a share of the paper's side."""
    width = _checks.real("pen_width", value, minimum=PEN_FROM)
    if width > PEN_TO:
        _checks.fail(ValueError, "pen_width", f"be from {PEN_FROM} to {PEN_TO}", value)
    return width


def read_strokes(given: Any) -> tuple[_Array, ...]:
    """Strokes as arrays (n, 2) that nobody else holds."""
    requirement = "be a list of strokes, each of points (x, y) from (0, 0) to (1, 1)"
    if given is None:
        return ()
    try:
        strokes = tuple(np.array(stroke, np.float64) for stroke in given)
    except (TypeError, ValueError):
        _checks.fail(ValueError, "strokes", requirement, given)
    for stroke in strokes:
        fits = stroke.ndim == 2 and stroke.shape[1] == 2 and len(stroke) > 0
        # NaN is not within bounds.
        if not fits or not ((stroke >= 0) & (stroke <= 1)).all():
            _checks.fail(ValueError, "strokes", requirement, given)
    n_points = sum(map(len, strokes))
    if n_points > MOST_POINTS:
        _checks.fail(ValueError, "strokes", f"have at most {MOST_POINTS} points", n_points)
    return strokes


def read_image(given: Any) -> _Array:
    """An image as float32 (28, 28) that nobody else holds."""
    try:
        image = np.asarray(given)
    except ValueError:  # rows of several lengths
        image = np.empty(0, object)
    if image.dtype.kind not in "biuf" or image.shape not in ((SIDE, SIDE), (SIDE * SIDE,)):
        _checks.fail(ValueError, "image", "be numbers of shape (28, 28) or (784,)", given)
    if image.dtype == np.uint8:
        image = image / np.float32(255)
    if not ((image >= 0) & (image <= 1)).all():
        _checks.fail(ValueError, "image", "hold numbers from 0 to 1, or uint8", given)
    return np.array(image, np.float32).reshape(SIDE, SIDE)
