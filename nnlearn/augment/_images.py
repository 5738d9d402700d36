"""What arrays are as images: their shapes, and the core's call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core
from nnlearn.data import Dataset, Split

if TYPE_CHECKING:
    from nnlearn.augment.parts import Augmentation

Array = npt.NDArray[Any]

#: Channels, height and width.
Image = tuple[int, int, int]

#: A part as the core takes it: its name, amount and sigma.
Spec = tuple[str, float, float]

_DTYPES = ("float32", "float64", "uint8")
_SHAPE = "be (height, width) or (channels, height, width)"
_HINT = "give shape=(28, 28), as the images are"


def checked_shape(shape: Any) -> tuple[int, ...] | None:
    """A shape of the user's: two or three sides, or None."""
    if shape is None:
        return None
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        _checks.fail(TypeError, "shape", _SHAPE, shape)
    sides = tuple(_checks.integer("each side of shape", side, minimum=1) for side in shape)
    if len(sides) not in (2, 3):
        _checks.fail(ValueError, "shape", _SHAPE, shape)
    return sides


def as_image(shape: Sequence[int]) -> Image:
    """Channels, height, width of a shape of two or three sides."""
    height, width = shape[-2:]
    return (shape[0] if len(shape) == 3 else 1, height, width)


def pixels(x: Any, name: str = "x") -> Array:
    """X as an array of a dtype that images may have; a Split stands for its x."""
    if isinstance(x, Split):
        x = x.x
    if isinstance(x, Dataset):
        _checks.fail(TypeError, name, "be an array or a Split", x, "use its .train")
    requirement = "be an array of images, float32, float64 or uint8"
    if hasattr(x, "tocsr"):
        _checks.fail(TypeError, name, requirement, type(x), "use .toarray()")
    try:
        array = np.asarray(x)
    except ValueError:  # rows of different lengths
        _checks.fail(ValueError, name, requirement, x)
    if array.dtype.name not in _DTYPES or array.ndim == 0:
        hint = 'use .astype("float32")' if array.dtype.kind in "biuf" and array.ndim > 1 else None
        _checks.fail(TypeError, name, requirement, array if array.ndim else x, hint)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        got = f"{array[place].item()!r} at {list(place)}"
        raise ValueError(_checks.message(name, "be finite", got))
    return array


def shape_in(x: Array, *given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of x's images: the first one given, else that of the array.

    ValueError where there is none, or where x holds no images of it.
    """
    shape = next((shape for shape in given if shape is not None), None)
    if shape is None:
        if x.ndim not in (3, 4):
            unknown_shape(f"x of shape {x.shape}")
        return tuple(x.shape[1:])
    flat = x.ndim == 2 and x.shape[1] == math.prod(shape)
    one = x.shape in (shape, (math.prod(shape),))
    if not (flat or one or _without_ones(x.shape[1:]) == _without_ones(shape)):
        got = f"{shape} for x of shape {x.shape}"
        raise ValueError(_checks.message("shape", "fit the images of x", got))
    return shape


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape but for its axes of length 1: (28, 28) and (1, 28, 28) are the same image."""
    return tuple(side for side in shape if side != 1)


def own_shape(x: Any) -> tuple[int, ...] | None:
    """The shape of a Split's images, where it is known."""
    return x.image_shape if isinstance(x, Split) else None


def unknown_shape(what: str) -> NoReturn:
    """Raise ValueError for images whose sides nothing tells."""
    requirement = "be known as (height, width) or (channels, height, width)"
    raise ValueError(_checks.message("the shape of the images", requirement, what, _HINT))


def as_rows(x: Array, shape: tuple[int, ...]) -> Array:
    """The images as rows (n, pixels), native, aligned and with contiguous columns."""
    rows = np.ascontiguousarray(x).reshape(-1, math.prod(shape))
    return np.require(rows, rows.dtype.newbyteorder("="), ["C", "A"])


def core_for(dtype: np.dtype[Any]) -> ModuleType:
    """The core that changes images of this dtype."""
    if dtype != np.float64:
        return _core
    from nnlearn import _core64

    return _core64


def changed(
    x: Array, shape: tuple[int, ...], specs: tuple[Spec, ...], seed: int, n_threads: int = 1
) -> Array:
    """A new array: the images changed by these parts."""
    rows = as_rows(x, shape)
    out = np.empty_like(rows)
    data = core_for(rows.dtype).Data(rows)
    data.augment((as_image(shape), specs), out, seed, 0, n_threads)
    return out.reshape(x.shape).astype(x.dtype, copy=False)


def core_augment(
    augment: Augmentation | None, x: Any, input_shape: tuple[int, ...]
) -> tuple[Image, tuple[Spec, ...]] | None:
    """What the core's trainer takes for x, as fit was given it; None where nothing changes.

    The images' shape is the augmentation's, else a Split's, else the network's, else that of x.
    """
    if augment is None or not augment._changes:
        return None
    shape = augment.shape or own_shape(x)
    if shape is None and len(input_shape) in (2, 3):
        shape = input_shape
    array_shape = np.shape(x.x if isinstance(x, Split) else x)
    if shape is None and len(array_shape) in (3, 4):
        shape = array_shape[1:]
    if shape is None:
        unknown_shape(f"x of shape {array_shape}")
    if math.prod(shape) != math.prod(input_shape):
        requirement = f"have {math.prod(input_shape)} pixels, as the input layer"
        _checks.fail(ValueError, "the shape of the images", requirement, tuple(shape))
    augment._check_image(shape)
    return as_image(shape), augment._specs()
