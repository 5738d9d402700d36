"""The one place where what the user gives becomes arrays that the core reads.

Inputs of float32, float64 and uint8 whose columns are contiguous are handed on as they are,
whatever their row stride: the core reads them in place. Everything else (bool as 0/1, float16,
other integers by value, big-endian, Fortran order, unaligned, lists, data frames) is converted
once, to the network's precision; SciPy's sparse matrices become CSR and stay sparse. Labels become
int32, targets and sample weights the network's precision; the core copies these.
"""

import math
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _sparse
from nnlearn.architecture import Architecture
from nnlearn.data import Dataset, Split

Array = npt.NDArray[Any]

#: Inputs as the core takes them: an array, or SciPy's CSR.
Rows = Any

#: Dtypes of x that the core reads in place.
IN_PLACE = (np.dtype("float32"), np.dtype("float64"), np.dtype("uint8"))

#: How far the targets of a softmax may be from a sum of 1.
SUM_TOLERANCE = 1e-5

#: Where the outputs of an activation, and so their targets, can lie.
_RANGES = {"sigmoid": (0, 1), "tanh": (-1, 1), "softmax": (0, 1)}

_NO_SOFT_HINGE = "hinge tells classes apart by their labels"
_OUT_OF_RANGE = 'for targets of any size end with Dense(n, activation="linear")'


def unpack(x: Any, y: Any) -> tuple[Any, Any]:
    """x and y as given, or both out of a Split that stands for them."""
    if not isinstance(x, Split):
        return x, y
    if y is not None:
        _checks.fail(TypeError, "y", "be left out beside a Split, which has its own", y)
    return x.x, x.y


def inputs(x: Any, architecture: Architecture, dtype: np.dtype[Any], name: str = "x") -> Rows:
    """X as (n, n_inputs), in place where the core can read it so; CSR where x is sparse."""
    if _sparse.is_sparse(x):
        return _csr(x, architecture, dtype, name)
    array = _as_numbers(name, x)
    one = f"{name}[None]" if isinstance(x, np.ndarray) else f"[{name}]"
    return _readable(name, _as_rows(array, architecture, name, one), dtype)


def _csr(x: Any, architecture: Architecture, dtype: np.dtype[Any], name: str) -> Any:
    """A sparse matrix as CSR (n, n_inputs) of a dtype that the core reads."""
    if x.dtype.kind not in "biuf":
        raise TypeError(_checks.message(name, "hold real numbers", f"dtype {x.dtype}"))
    if x.ndim != 2 or x.shape[1] != architecture.n_inputs:
        requirement = f"have {architecture.n_inputs} columns, as the input layer"
        raise ValueError(_checks.message(name, requirement, f"shape {x.shape}"))
    csr = x.tocsr()
    if csr.dtype in IN_PLACE and csr.dtype.isnative:
        return csr
    with np.errstate(over="ignore"):
        return csr.astype(dtype)


def _as_numbers(name: str, value: Any) -> Array:
    """The value as an array of real numbers, bool included."""
    if type(value) is np.ndarray and value.dtype.kind in "biuf":  # the rest would find nothing
        return value
    if _sparse.is_sparse(value):
        _checks.fail(TypeError, name, "be a dense array", type(value), "use .toarray()")
    if value is None:
        _checks.fail(TypeError, name, "hold real numbers", value)
    if isinstance(value, Dataset):
        _checks.fail(TypeError, name, "be an array or a Split", value, "use its .train or .test")
    if isinstance(value, np.ndarray) and np.any(getattr(value, "mask", False)):
        _checks.fail(ValueError, name, "have no masked values", value, "use .filled(number)")
    try:
        array = np.asarray(value)
    except ValueError:
        got = "rows of different lengths"
        raise ValueError(_checks.message(name, "be an array of numbers", got)) from None
    if array.dtype.kind not in "biuf":
        hint = _number_hint(array, hasattr(value, "astype"), name.endswith("y"))
        raise TypeError(_checks.message(name, "hold real numbers", f"dtype {array.dtype}", hint))
    return array


def _number_hint(array: Array, has_astype: bool, is_y: bool) -> str | None:
    """How numbers come out of an array of objects or texts: a cast that works, labels numbered."""
    if array.dtype.kind not in "OSTU":
        return None
    try:
        numbers = array.astype(np.float64) if has_astype else None
    except (TypeError, ValueError):
        numbers = None
    if numbers is not None:
        is_whole = is_y and bool((numbers == np.floor(numbers)).all())
        return "use .astype(int)" if is_whole else 'use .astype("float32")'
    is_text = array.dtype.kind != "O" or all(isinstance(value, str) for value in array.flat)
    if is_y and is_text and array.ndim == 1:
        return "np.unique(y, return_inverse=True)[1] numbers them"
    return None


def _as_rows(x: Array, architecture: Architecture, name: str, one: str) -> Array:
    """(n,) for one input and (n, 28, 28) for 784 as (n, n_inputs).

    one: how a message writes x as one sample.
    """
    n_inputs, shape = architecture.n_inputs, architecture.input_shape
    if x.ndim == 2 and x.shape[1] == n_inputs:
        return x
    if x.ndim == 1 and n_inputs == 1:
        return x.reshape(-1, 1)
    if x.ndim > 2 and math.prod(x.shape[1:]) == n_inputs:
        same_image = _without_ones(x.shape[1:]) == _without_ones(shape)
        if len(shape) == 1 or same_image:
            return x.reshape(len(x), n_inputs)
    hint = None
    if x.ndim == 1 and len(x) == n_inputs:
        hint = f"{one} is one sample"
    got = f"shape {x.shape}"
    requirement = f"have {n_inputs} columns, as the input layer"
    raise ValueError(_checks.message(name, requirement, got, hint))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape but for its axes of length 1: (28, 28) and (1, 28, 28) are the same image."""
    return tuple(size for size in shape if size != 1)


def _readable(name: str, x: Array, dtype: np.dtype[Any]) -> Array:
    """The array itself where the core reads it in place, else a converted copy."""
    if x.dtype not in IN_PLACE or not x.dtype.isnative:
        return _copied(name, x, dtype)
    contiguous = x.shape[1] == 1 or x.strides[1] == x.itemsize
    if contiguous and x.flags.aligned and x.strides[0] % x.itemsize == 0:
        return x if type(x) is np.ndarray else x.view(np.ndarray)
    return x.copy(order="C")


def check_rows(x: Rows, y: Any, name_x: str, name_y: str) -> None:
    """Raise ValueError unless there are rows, as many in y as in x."""
    n = x.shape[0]
    if n == 0:
        raise ValueError(_checks.message(name_x, "have at least one row", f"shape {x.shape}"))
    if len(y) != n:
        raise ValueError(_checks.message(name_y, f"have {n} rows, as {name_x}", f"shape {y.shape}"))


def answers(
    y: Any, x: Rows, architecture: Architecture, dtype: np.dtype[Any], cost: str, names: Any
) -> dict[str, Any]:
    """Y as the core's Data takes it: ``labels`` with ``n_classes``, or ``targets``.

    Integers (n,) are labels; with one linear output numbers (n,) are targets; with one output
    otherwise 0/1 of any dtype are labels; numbers (n, n_outputs) are targets.
    """
    name_x, name_y = names
    if y is None:
        raise TypeError(_checks.message(name_y, f"be given beside {name_x}", "None"))
    array = _as_numbers(name_y, y)
    if array.ndim == 0:
        raise ValueError(_checks.message(name_y, "have a row for each sample", repr(array.item())))
    check_rows(x, array, name_x, name_y)
    if (
        array.ndim == 2 and architecture.output not in _RANGES
    ):  # as far as finite is all they must be
        bounds = -math.inf, math.inf
        is_finite = _is_finite(array)
    else:
        bounds = _bounds(array)
        is_finite = bool(-math.inf < bounds[0] and bounds[1] < math.inf)
    if not is_finite:
        _fail_finite(name_y, array, ~np.isfinite(array))
    if array.ndim == 1 and architecture.is_regression and architecture.n_outputs == 1:
        array = array.reshape(-1, 1)
    if array.ndim == 1:
        return _labels(array, bounds, architecture, name_y)
    if array.ndim != 2 or array.shape[1] != architecture.n_outputs:
        _wrong_shape(array, architecture, name_y)
    if cost == "hinge":
        _checks.fail(TypeError, name_y, "be integer labels (n,)", array, _NO_SOFT_HINGE)
    _check_targets(array, bounds, architecture, cost, name_y)
    return {"targets": _copied(name_y, array, dtype)}


def _bounds(array: Array) -> tuple[Any, Any]:
    """The least and the largest number, NaN where there is one; 0 without any."""
    if array.size == 0:
        return 0, 0
    return np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)


def _is_finite(array: Array) -> bool:
    """Whether all numbers are: for certain where the sum of their squares is, in one fast pass."""
    if array.dtype.char in "fd" and math.isfinite(np.vdot(array, array)):
        return True
    return bool(np.isfinite(array).all())


def _wrong_shape(y: Array, architecture: Architecture, name: str) -> NoReturn:
    requirement = f"targets (n, {architecture.n_outputs})"
    if not architecture.is_regression:
        requirement = f"labels (n,) or {requirement}"
    elif architecture.n_outputs == 1:
        requirement = f"numbers (n,) or {requirement}"
    hint = None
    if not architecture.is_regression and y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "biu":
        hint = ".ravel() gives labels of the shape (n,)"
    raise ValueError(_checks.message(name, f"be {requirement}", f"shape {y.shape}", hint))


def _labels(
    y: Array, bounds: tuple[Any, Any], architecture: Architecture, name: str
) -> dict[str, Any]:
    """Labels as int32, each in 0 .. n_classes - 1."""
    n_classes = architecture.n_classes
    if y.dtype.kind == "f":
        if architecture.n_outputs > 1 and architecture.is_regression:
            _wrong_shape(y, architecture, name)
        if architecture.n_outputs > 1:
            hint = "use .astype(int)"
            _checks.fail(TypeError, name, "be integer labels for several outputs", y, hint)
        wrong = ~((y == 0) | (y == 1))
        if wrong.any():
            inside = (y >= 0) & (y <= 1)
            hint = ".reshape(-1, 1) makes real targets" if inside.all() else _OUT_OF_RANGE
            _bad_label(name, "be 0 or 1 for one output", y, wrong, hint)
    if bounds[0] < 0 or bounds[1] >= n_classes:
        wrong = (y < 0) | (y >= n_classes)
        counts_from_1 = "labels count from 0" if bounds == (1, n_classes) else None
        _bad_label(name, f"be labels from 0 to {n_classes - 1}", y, wrong, counts_from_1)
    return {"labels": np.require(y, np.int32, ["C", "A"]), "n_classes": n_classes}


def _bad_label(name: str, requirement: str, y: Array, wrong: Array, hint: str | None) -> None:
    row = int(np.argmax(wrong))
    got = f"{y[row].item()!r} at row {row}"
    raise ValueError(_checks.message(name, requirement, got, hint))


def _check_targets(
    y: Array, bounds: tuple[Any, Any], architecture: Architecture, cost: str, name: str
) -> None:
    """Targets lie where the outputs can go; those of log-likelihood are distributions."""
    low, high = _RANGES.get(architecture.output, (-math.inf, math.inf))
    if bounds[0] < low or bounds[1] > high:
        place = tuple(int(i) for i in np.argwhere((y < low) | (y > high))[0])
        requirement = f"lie in [{low}, {high}], as {architecture.output} outputs do"
        got = f"{y[place].item()!r} at row {place[0]}, column {place[1]}"
        raise ValueError(_checks.message(name, requirement, got, _OUT_OF_RANGE))
    if cost == "log_likelihood":
        sums = y.sum(axis=1, dtype=np.float64)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        if off.any():
            row = int(np.argmax(off))
            got = f"a sum of {sums[row]:g} at row {row}"
            raise ValueError(
                _checks.message(name, "have rows that sum to 1 for log_likelihood", got)
            )


def weights(sample_weight: Any, n: int, dtype: np.dtype[Any]) -> Array | None:
    """Sample weights as (n,), finite and not negative; None stays."""
    name = "sample_weight"
    if sample_weight is None:
        return None
    array = _as_numbers(name, sample_weight)
    if array.shape != (n,):
        got = f"shape {array.shape}"
        raise ValueError(_checks.message(name, f"have the shape ({n},), one a row of x", got))
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        got = f"{array[row].item()!r} at row {row}"
        raise ValueError(_checks.message(name, "be finite and >= 0", got))
    return _copied(name, array, dtype)


def _copied(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Numbers, which callers know to be finite, in the network's precision, and only copied if they
    are not; ValueError where the precision has no room for one."""
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    with np.errstate(over="ignore"):
        copy = np.require(array, dtype, ["C", "A"])
    if not np.isfinite(copy).all():
        _fail_finite(name, array, ~np.isfinite(copy))
    return copy


def _fail_finite(name: str, array: Array, wrong: Array) -> NoReturn:
    """Raise ValueError for the first number that is wrong."""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    _checks.finite(name, array[place], place)


def most(x: Rows, scale: float | None) -> float | None:
    """The largest number that x may hold; None where its dtype has no wrong ones.

    scale: what a network trained on uint8 remembers: then floats are to be pixels / 255.
    """
    if x.dtype == np.uint8:
        return None
    return math.inf if scale is None else 1.5


def check_scan(
    scan: tuple[tuple[int, int] | None, float, int, int],
    x: Rows,
    scale: float | None,
    name: str,
    fit: bool,
) -> None:
    """What one pass over x has found: no NaN or infinity, pixels and not flags, the right scale.

    scan: the answer of the core's ``Data.scan``; scale: what a network trained on uint8 remembers.
    """
    place, largest, *_ = scan
    if place is not None:
        _checks.finite(name, x[place], place)
    if fit and x.dtype == np.uint8 and largest == 1:
        requirement = "hold pixels 0..255 when its dtype is uint8"
        hint = '.astype("float32") takes 0 and 1 as they are'
        raise ValueError(_checks.message(name, requirement, "a largest value of 1", hint))
    limit = most(x, scale)
    if limit is not None and largest > limit:
        requirement = "lie in [0, 1], as the network was trained on uint8 / 255"
        hint = 'use .astype("uint8") or divide by 255'
        raise ValueError(_checks.message(name, requirement, f"{largest:g}", hint))
