"""Errors that fall as a power of the number of training samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: A law has three parameters: with fewer points it would only repeat them.
FEWEST_POINTS = 4
#: Where the exponent is looked for.
LOWEST_POWER, HIGHEST_POWER = 0.01, 4.0
#: Exponents of a grid, and how often a finer one is laid around the best of them.
_GRID, _REFINEMENTS = 50, 8


@dataclass(frozen=True)
class PowerLaw:
    """``error(n) = a + b n^-c``.

    Parameters
    ----------
    a : float
        The error that no number of samples takes away, >= 0.
    b : float
        What of the error data can take away at n = 1, >= 0.
    c : float
        How fast it goes: ten times the data divide b's part by 10^c.
    """

    a: float
    b: float
    c: float

    def __call__(self, n: float | Array) -> float | Array:
        """The error with n samples."""
        return self.a + self.b * n**-self.c

    def __str__(self) -> str:
        return f"{self.a:.3g} + {self.b:.3g} n^-{self.c:.3g}"


def fit_power_law(n: Sequence[float] | Array, error: Sequence[float] | Array) -> PowerLaw | None:
    """The law that has the least sum of squared relative residuals, with a, b >= 0.

    ::

        sum_i ((a + b n_i^-c - e_i) / e_i)^2

    For each exponent of a grid a and b are a linear problem, solved exactly; finer grids follow
    around the best one.

    Parameters
    ----------
    n : sequence of float
        Numbers of samples, > 0 and different from each other.
    error : sequence of float
        The error for each, >= 0. Those that are no finite numbers are left out.

    Returns
    -------
    PowerLaw or None
        None with fewer than four errors that are known and above 0.
    """
    sizes, errors = np.asarray(n, np.float64), np.asarray(error, np.float64)
    known = np.isfinite(errors) & (errors > 0)
    if np.count_nonzero(known) < FEWEST_POINTS:
        return None
    sizes, errors = sizes[known], errors[known]
    low, high = math.log(LOWEST_POWER), math.log(HIGHEST_POWER)
    best = (math.inf, 0.0, 0.0, 0.0)
    for _ in range(_REFINEMENTS):
        grid = np.linspace(low, high, _GRID)
        best = min(best, min((*_linear(sizes, errors, c), c) for c in np.exp(grid)))
        width, centre = grid[1] - grid[0], math.log(best[3])
        low = max(centre - width, math.log(LOWEST_POWER))
        high = min(centre + width, math.log(HIGHEST_POWER))
    return PowerLaw(*map(float, best[1:]))


def _linear(n: Array, error: Array, c: float) -> tuple[float, float, float]:
    """For one exponent the sum of squares, and the a, b >= 0 where it is least."""
    constant, falling = 1.0 / error, n**-c / error  # the columns; what they make up is 1
    aa, bb, ab = constant @ constant, falling @ falling, constant @ falling
    a, b = constant.sum(), falling.sum()
    # The minimum lies inside or, the sum being convex, on one of the two edges.
    candidates = [(a / aa, 0.0), (0.0, b / bb)]
    if (determinant := aa * bb - ab * ab) > 0:
        inside = ((a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant)
        candidates += [inside] if min(inside) >= 0 else []
    return min(
        (float(np.sum((p * constant + q * falling - 1.0) ** 2)), float(p), float(q))
        for p, q in candidates
    )
