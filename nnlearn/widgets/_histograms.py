"""Histograms of what is inside networks, layer by layer: weighted inputs, activations, sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

#: Bins of a histogram, at least and at most; odd, so that 0 lies within one.
FEWEST_BINS, MOST_BINS = 15, 51

#: One axis for all layers stays readable while their ranges differ by no more.
MAX_RATIO = 8

#: |delta| is shown over at most so many powers of ten.
DECADES = 12


def n_bins(n_units: int) -> int:
    """How many bins suit the values of so many units.

    By the square root of the units alone: what one unit says of many inputs is much alike.
    """
    return min(max(math.isqrt(n_units) | 1, FEWEST_BINS), MOST_BINS)


def of_weighted_inputs(
    z: Sequence[_Array], bins: Sequence[int], one_axis: bool
) -> tuple[Histogram, ...]:
    """On axes around 0 with all values on them; one for all layers where it shows them all."""
    largest = [float(np.abs(part).max()) for part in z]
    if one_axis and max(largest) <= MAX_RATIO * min(largest):
        largest = [max(largest)] * len(largest)
    ends = [_nice_ceiling(value) for value in largest]
    return _counted(z, bins, [(-end, end) for end in ends])


def of_activations(
    a: Sequence[_Array], bins: Sequence[int], names: Sequence[str]
) -> tuple[Histogram, ...]:
    """On the range of each activation function; without bounds as far as the values go."""
    bounded = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}
    ranges = []
    for part, name in zip(a, names, strict=True):
        end = _nice_ceiling(float(np.abs(part).max()))
        ranges.append(bounded.get(name, (0.0 if name == "relu" else -end, end)))
    return _counted(a, bins, ranges)


def of_sizes(values: Sequence[_Array], bins: Sequence[int]) -> tuple[Histogram, ...]:
    """In bins of equal ratio, on one axis from one power of ten to another."""
    above = [part[part > 0] for part in values]
    there = [part for part in above if part.size]
    high = math.ceil(math.log10(max((float(part.max()) for part in there), default=1.0)))
    least = min((float(np.percentile(part, 1)) for part in there), default=0.1)
    low = max(math.floor(math.log10(least)), high - DECADES)
    low = min(low, high - 1)
    logs = [np.log10(part) for part in above]
    tables = _counted(logs, bins, [(low, high)] * len(logs))
    return tuple(
        Histogram(10.0**table.edges, table.counts, part.size - int(table.counts.sum()))
        for table, part in zip(tables, values, strict=True)
    )


def _counted(
    values: Sequence[_Array], bins: Sequence[int], ranges: Sequence[tuple[float, float]]
) -> tuple[Histogram, ...]:
    result = []
    for part, n, (low, high) in zip(values, bins, ranges, strict=True):
        counts, edges = np.histogram(part.astype(np.float64), n, (low, high))
        result.append(Histogram(edges, counts, part.size - int(counts.sum())))
    return tuple(result)


def _nice_ceiling(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten not below; 1 for 0."""
    if not 0 < value < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(d * power for d in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 11) if d * power >= value)


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often which values occur in one layer.

    Attributes
    ----------
    edges : ndarray, shape (n_bins + 1,)
        Borders of the bins.
    counts : ndarray of int, shape (n_bins,)
        Values in each; the last bin has its upper border in it.
    outside : int
        Values in no bin: of |delta| those that are 0 or below the first border.
    """

    edges: _Array
    counts: _Array
    outside: int
