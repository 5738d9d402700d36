"""Checks of what a `Split` is made of; each raises in the form of `nnlearn._checks`."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn._checks import fail, integer, message

Array = npt.NDArray[Any]


def is_labels(y: Array) -> bool:
    """Whether `y` is class labels: one integer or bool a row."""
    return y.ndim == 1 and y.dtype.kind in "biu"


def as_array(name: str, value: Any) -> Any:
    """The value as an array of real numbers with rows; CSR where it is a sparse matrix."""
    requirement = "be an array of real numbers, one row a sample"
    sparse = name == "x" and hasattr(value, "tocsr")
    try:
        array = value.tocsr() if sparse else np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths, among others
        fail(ValueError, name, requirement, value)
    if array.dtype.kind not in "biuf":
        names = name == "y" and array.dtype.kind in "US"
        hint = "np.unique(y, return_inverse=True)[1] numbers them" if names else None
        fail(TypeError, name, requirement, array, hint)
    if array.ndim == 0:
        fail(ValueError, name, requirement, value)
    return array


def checked_names(names: Iterable[str] | None, y: Array) -> tuple[str, ...] | None:
    if names is None:
        return None
    requirement = "be a sequence of str, one a class"
    if isinstance(names, str) or not isinstance(names, Iterable):
        fail(TypeError, "class_names", requirement, names)
    names = tuple(names)
    for name in names:
        if not isinstance(name, str):
            fail(TypeError, "class_names", requirement, names)
    if is_labels(y) and len(y) and not 0 <= y.min() <= y.max() < len(names):
        got = f"labels from {int(y.min())} to {int(y.max())}"
        requirement = f"be labels below {len(names)}, the number of class_names"
        raise ValueError(message("y", requirement, got))
    return tuple(str(name) for name in names)  # NumPy's str_ becomes str


def checked_image_shape(shape: Sequence[int] | None, x: Any) -> tuple[int, ...] | None:
    if shape is None:
        return None
    requirement = "be (height, width) or (channels, height, width)"
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        fail(TypeError, "image_shape", requirement, shape)
    sides = tuple(integer("each side of image_shape", side, minimum=1) for side in shape)
    if len(sides) not in (2, 3):
        fail(ValueError, "image_shape", requirement, shape)
    inputs = math.prod(x.shape[1:])
    if math.prod(sides) != inputs:
        fail(ValueError, "image_shape", f"have {inputs} pixels, as a row of x", shape)
    return sides


def check_labels(y: Array) -> None:
    if not is_labels(y):
        fail(TypeError, "y", "be integer labels, to keep some classes", y)


def check_classes(classes: Sequence[Any], y: Array) -> None:
    """Raise unless `classes` are different labels that occur in `y`."""
    check_labels(y)
    if not classes:
        fail(ValueError, "classes", "be at least one label", classes)
    for label in classes:
        if isinstance(label, (bool, np.bool_)) or not isinstance(label, (int, np.integer)):
            fail(TypeError, "classes", "be integers, each an argument of its own", label)
    if len(set(classes)) != len(classes):
        fail(ValueError, "classes", "be different labels", classes)
    for label in classes:
        if not (y == label).any():
            fail(ValueError, "classes", "be labels that occur", label)
