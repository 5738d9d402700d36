"""One parameter's gradient beside differences of the cost: how they are taken, and judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Where a difference is wrong at the first step it is taken again with steps so many times shorter.
_SHORTER = (10, 100)

#: How wrong the last places of a cost may be, in units of its rounding.
_ROUNDING = 16


def ratio(a: Array, b: Array) -> float:
    """max |a - b| / max |b|, 0/0 = 0; of no elements 0."""
    with np.errstate(invalid="ignore"):  # infinity from infinity is NaN
        error, scale = np.abs(a - b).max(initial=0.0), np.abs(b).max(initial=0.0)
        if error == 0:
            return 0.0
        return float(error / scale if scale else math.inf * error)


def drawn(size: int, entries: int | None, seed: tuple[int, int]) -> Array:
    """Places in a parameter of this size, in order: all, or some drawn by the seed."""
    if entries is None or entries >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, entries, replace=False))


def place_of(name: str, shape: tuple[int, ...], place: int) -> str:
    """An entry as one writes it: ``dense1.weight[3, 2]``."""
    return f"{name}[{', '.join(map(str, np.unravel_index(place, shape)))}]"


@dataclass(frozen=True)
class Limits:
    """What differences are taken and judged by."""

    step: float
    tolerance: float
    max_skipped: float


@dataclass(frozen=True)
class Difference:
    """A function before, at and after a point, and the steps there, along one entry."""

    before: float
    after: float
    down: float
    up: float

    @classmethod
    def at(
        cls, f: Callable[[], float], point: Array, index: tuple[int, ...], step: float
    ) -> Difference:
        """Of f, which reads the point; the entry moves by step max(1, |value|), and back."""
        value = point[index].item()
        h = step * max(1.0, abs(value))
        try:
            point[index] = value + h
            up, after = point[index].item() - value, f()
            point[index] = value - h
            down, before = value - point[index].item(), f()
        finally:
            point[index] = value
        return cls(before, after, down, up)

    @property
    def central(self) -> float:
        """The slope over both sides."""
        return (self.after - self.before) / (self.up + self.down)

    def gap(self, here: float) -> float:
        """By how much the slopes of both sides differ: h f'' where smooth, the jump at a kink."""
        return abs((self.after - here) / self.up - (here - self.before) / self.down)


@dataclass(frozen=True, eq=False)
class Check:
    """A parameter's gradient beside the differences, at the places that were looked at."""

    name: str
    shape: tuple[int, ...]
    places: Array
    gradient: Array
    numerical: Array
    allowed: Array  # by how much they may differ
    shortened: int
    skipped: Array  # bool

    @property
    def errors(self) -> Array:
        """The absolute errors, 0 where skipped."""
        return np.where(self.skipped, 0.0, np.abs(self.gradient - self.numerical))

    @property
    def relative_error(self) -> float:
        """Over all that was not skipped."""
        kept = ~self.skipped
        return ratio(self.gradient[kept], self.numerical[kept])

    def complaint(self, tolerance: float) -> str:
        """What is wrong, in words; nothing where all is well."""
        errors = self.errors
        wrong = ~(errors <= self.allowed)
        if wrong.any():
            # The worst; a NaN before all others.
            worst = int(np.argmax(np.where(wrong & np.isnan(errors), np.inf, errors * wrong)))
            where = place_of(self.name, self.shape, self.places[worst])
            slope, got = float(self.numerical[worst]), float(self.gradient[worst])
            return (
                f"the gradient of {where} must be the slope of the cost, {slope:.9g} by central "
                f"differences, got {got:.9g}: relative error {self.relative_error:.2g} in "
                f"{self.name}, tolerance {tolerance:g}, "
                f"{wrong.sum()} of {len(self.places)} entries wrong"
            )
        return ""


def too_many_skipped(checks: list[Check], most: float) -> list[str]:
    """The complaint where too few entries are left: of one parameter none, or of all too few."""
    hint = "move samples or parameters off z = 0"
    wrong = [
        f"the entries of {check.name} must not all stand on kinks, got {check.skipped.sum()} of "
        f"{len(check.places)}: {hint}"
        for check in checks
        if check.skipped.all()
    ]
    skipped, total = (
        sum(len(c.places[c.skipped]) for c in checks),
        sum(len(c.places) for c in checks),
    )
    if not wrong and skipped > most * total:
        first = next(c for c in checks if c.skipped.any())
        where = place_of(first.name, first.shape, first.places[int(np.argmax(first.skipped))])
        wrong.append(
            f"at most {most:.0%} of the entries must stand on kinks, got {skipped} of {total}, "
            f"{where} the first: {hint}, or raise max_skipped"
        )
    return wrong


def check_parameter(
    name: str,
    places: Array,
    gradient: Array,
    parameter: Array,
    cost: Callable[[], float],
    limits: Limits,
) -> Check:
    """Take the differences at some places of a parameter; where they disagree, look closer."""
    here = cost()
    indices = [tuple(map(int, np.unravel_index(place, parameter.shape))) for place in places]
    values = np.array([gradient[index] for index in indices], np.float64)
    first = [Difference.at(cost, parameter, index, limits.step) for index in indices]
    numerical = np.array([difference.central for difference in first], np.float64)
    rounding = _ROUNDING * float(np.finfo(np.float64).eps) * abs(here) / limits.step
    relative = limits.tolerance * float(np.abs(numerical).max(initial=0.0))
    allowed = np.full(len(places), relative + rounding)
    skipped = np.zeros(len(places), bool)
    shortened = 0
    for i in np.flatnonzero(~(np.abs(values - numerical) <= allowed)):
        was = abs(values[i] - numerical[i]), first[i].gap(here)
        for times in _SHORTER:
            closer = Difference.at(cost, parameter, indices[i], limits.step / times)
            off, limit = abs(values[i] - closer.central), relative + times * rounding
            # Rounding grows as steps shrink: it must not pass for agreement.
            if off <= limit and off <= max(allowed[i], was[0] / 8):
                numerical[i], allowed[i] = closer.central, limit
                shortened += 1
                break
        else:
            gap = closer.gap(here)
            # A smooth function's would be a hundredth of what it was.
            skipped[i] = gap >= off and gap > was[1] / 4 and gap > limit + times * rounding
    return Check(name, parameter.shape, places, values, numerical, allowed, shortened, skipped)


def of_single(
    cost: float, gradient: Any, exact_cost: float, exact: Any, tolerance: float
) -> list[str]:
    """What is wrong with cost and gradient in single precision, beside those of double."""
    floor = 4 * float(np.finfo(np.float32).eps)
    wrong = []
    if not abs(cost - exact_cost) <= tolerance * abs(exact_cost) + floor:
        wrong.append(
            f"the cost in float32 must be that of float64, {exact_cost:.9g}, got {cost:.9g}"
        )
    for name, right in exact.items():
        errors = np.abs(gradient[name] - right)
        if not errors.max() <= tolerance * np.abs(right).max() + floor:
            place = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
            where = place_of(name, right.shape, place)
            error = ratio(gradient[name], right)
            wrong.append(
                f"the float32 gradient of {where} must be that of float64, {right.flat[place]:.9g},"
                f" got {gradient[name].flat[place]:.9g}: relative error {error:.2g} in {name}, "
                f"float32_tolerance {tolerance:g}"
            )
    return wrong
