"""What is worked out of runs, and drawn of them, where some or all diverged."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._lab import Lab
from nnlearn.network import Network
from nnlearn.plotting import plot_comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def of_networks(
    lab: Lab,
    runs: Sequence[Run],
    function: Callable[[Network], npt.ArrayLike],
    shape: tuple[int, ...] = (),
) -> npt.NDArray[np.float64]:
    """``function(network)`` of every run's network, worked out in threads.

    Parameters
    ----------
    lab : Lab
    runs : sequence of Run
    function : callable
        Gives a number, or an array.
    shape : tuple of int, default ()
        The shape of what it gives.

    Returns
    -------
    ndarray, shape (n_runs, *shape)
        NaN where the run diverged: its network is that of some epoch before, not of the last.
    """

    def of(run: Run) -> npt.NDArray[np.float64]:
        if run.error:
            return np.full(shape, math.nan)
        return np.asarray(function(run.network), np.float64)

    return np.array(lab.each(of, runs), np.float64).reshape(len(runs), *shape)


def or_nan(value: float | None) -> float:
    """The value; NaN where there is none."""
    return math.nan if value is None else float(value)


def least(values: Iterable[float]) -> float:
    """The lowest value; NaN if one of them is, which `min` may pass over."""
    return float(np.min([*values]))


def plot_epochs(runs: Comparison, column: str, ax: "Axes") -> bool:
    """Draw a column by epoch as `plot_comparison` does; in words where no run has an epoch.

    Returns whether there are curves.
    """
    if any(len(run.history) for group in runs.values() for run in group):
        plot_comparison(runs, column, ax)
        return True
    say_diverged(ax)
    return False


def say_diverged(ax: "Axes") -> None:
    """Write in place of a picture that there is nothing to draw."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, "every run diverged", transform=ax.transAxes, ha="center", va="center")
