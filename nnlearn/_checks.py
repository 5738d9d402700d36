"""Checks of arguments, and the one form of their messages.

Every message reads ``<name> must <requirement>, got <what the user gave>``, with at most one
hint after a colon. TypeError speaks of kind, ValueError of value and shape.
"""

import math
import operator
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt


def show(value: object, limit: int = 60) -> str:
    """The value as a message shows it: its repr cut at `limit`; of an array shape and dtype."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def fail(
    kind: type[Exception], name: str, requirement: str, value: object, hint: str | None = None
) -> NoReturn:
    """Raise `kind` with the message ``<name> must <requirement>, got <value>: <hint>``."""
    raise kind(message(name, requirement, show(value), hint))


def message(name: str, requirement: str, got: str, hint: str | None = None) -> str:
    """The sentence itself, for those who describe the value in words of their own."""
    return f"{name} must {requirement}, got {got}" + (f": {hint}" if hint else "")


def integer(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> int:
    """The value as an int of at least `minimum`, NumPy's too; no bool, float or text is taken."""
    if isinstance(value, (bool, np.bool_)):
        fail(TypeError, name, _whole(minimum, maximum), value)
    try:
        number = operator.index(value)
    except TypeError:
        fail(TypeError, name, _whole(minimum, maximum), value)
    if number < minimum or (maximum is not None and number > maximum):
        fail(ValueError, name, _whole(minimum, maximum), value)
    return number


def _whole(minimum: int, maximum: int | None) -> str:
    """What `integer` asks for, in words."""
    return (
        f"be an integer >= {minimum}"
        if maximum is None
        else f"be an integer from {minimum} to {maximum}"
    )


def seed(value: Any) -> int:
    """The value as a seed: what a 64-bit key of the random numbers takes."""
    return integer("seed", value, minimum=0, maximum=2**64 - 1)


def precision(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """The dtype that is meant, float32 or float64; None, NumPy's float64, is refused."""
    if dtype is None:
        fail(TypeError, "dtype", "be float32 or float64", dtype)
    try:
        kind = np.dtype(dtype)
    except TypeError:
        fail(TypeError, "dtype", "be float32 or float64", dtype)
    if kind not in (np.dtype("float32"), np.dtype("float64")):
        fail(ValueError, "dtype", "be float32 or float64", dtype)
    return kind.newbyteorder("=")


def real(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """The value as a finite float, ``>= minimum``, ``> above`` and ``< below``, where given."""
    if isinstance(value, (bool, np.bool_, str, bytes)):
        fail(TypeError, name, _range(minimum, above, below), value)
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        number = math.inf
    except (TypeError, ValueError):
        fail(TypeError, name, _range(minimum, above, below), value)
    inside = (
        math.isfinite(number)
        and (minimum is None or number >= minimum)
        and (above is None or number > above)
        and (below is None or number < below)
    )
    if not inside:
        fail(ValueError, name, _range(minimum, above, below), value)
    return number


def _range(minimum: float | None, above: float | None, below: float | None) -> str:
    """What `real` asks for, in words."""
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">=", minimum), (">", above), ("<", below))
        if bound is not None
    ]
    return " ".join(["be a finite number", " and ".join(bounds)]).rstrip()


def within(name: str, value: Any, low: float, high: float) -> float:
    """The value as a float from `low` to `high`."""
    number = real(name, value)
    if not low <= number <= high:
        fail(ValueError, name, f"be from {low:g} to {high:g}", value)
    return number


def up_to(name: str, value: Any, high: float) -> float:
    """The value as a float above 0 and at most `high`."""
    number = real(name, value, above=0)
    if number > high:
        fail(ValueError, name, f"be at most {high:g}", value)
    return number


def boolean(name: str, value: Any) -> bool:
    """The value as a bool; nothing but True and False (NumPy's too) is taken."""
    if not isinstance(value, (bool, np.bool_)):
        fail(TypeError, name, "be True or False", value)
    return bool(value)


def choice(name: str, value: Any, options: Iterable[str], hint: str | None = None) -> str:
    """The value as one of the words in `options`."""
    options = list(options)
    requirement = "be one of " + ", ".join(repr(option) for option in options)
    if not isinstance(value, str):
        fail(TypeError, name, requirement, value, hint)
    if value not in options:
        fail(ValueError, name, requirement, value, hint)
    return value


def finite(name: str, value: Any, place: tuple[int, ...]) -> NoReturn:
    """Raise ValueError for the number at a place: NaN, infinite, or too large for float32."""
    where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
    requirement, hint = "be finite", None
    if np.isfinite(value):
        requirement, hint = "be finite in float32", 'dtype="float64" has room for it'
    raise ValueError(message(name, requirement, f"{value.item()!r} at {where}", hint))
