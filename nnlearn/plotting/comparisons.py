"""A picture of many fits: means and bands over seeds."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.plotting._columns import Array, column_values, default_column, label_of
from nnlearn.plotting._style import check_drawn, finish, line_style, log_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.comparison import Comparison, Run


def plot_comparison(
    comparison: "Comparison", column: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw one curve for each variant: the mean over its seeds, in a band from lowest to highest.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.
    column : str, optional
        What to draw: a column of the histories, a cost, or an error such as ``"test_error"``,
        which is 1 - ``test_accuracy``. By default the validation error; the validation loss where
        no accuracy is recorded; the training's where there is no validation set.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Accuracies and errors are in %. An error that spans more than a factor of four stands on a
        logarithmic axis.

    Raises
    ------
    ValueError
        If no run has a value to draw.
    KeyError
        If the column is not recorded.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.

    Notes
    -----
    Mean and band at an epoch are over the runs that have a value there. Runs that diverged are
    drawn as far as they came.
    """
    from nnlearn.comparison import Comparison

    check_drawn("comparison", comparison, Comparison)
    runs = [run for group in comparison.values() for run in group if len(run.history)]
    if not runs:
        raise ValueError("comparison must hold a run with an epoch, got none")
    column = column or default_column(runs[0].history)
    ax = new_axes(ax)
    extremes: list[float] = []
    for index, (name, group) in enumerate(comparison.items()):
        epochs, values = _curves(group, column)
        if not epochs.size:
            continue
        style = line_style(index, epochs.size)
        ax.plot(epochs, np.nanmean(values, axis=0), label=name, **style)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        if len(values) > 1:
            ax.fill_between(epochs, low, high, color=style["color"], alpha=0.18, linewidth=0)
        extremes += [low.min(), high.max()]
    ax.set_ylabel(label_of(column))
    if column.endswith("error") and extremes:
        log_axis(ax, min(extremes), max(extremes))
    finish(ax)
    note = _band_note(comparison)
    ax.legend(title=note or None, title_fontsize="small", frameon=False)
    return ax


def mean_curves(comparison: "Comparison") -> tuple[str, Array]:
    """What `plot_comparison` draws by default, in numbers.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.

    Returns
    -------
    label : str
        What is drawn.
    means : ndarray, shape (n_variants, n_epochs)
        The mean of each variant at each epoch from the first to the last that any has; NaN where
        it has none.
    """
    runs = [run for group in comparison.values() for run in group if len(run.history)]
    if not runs:
        return "", np.empty((len(comparison), 0))
    column = default_column(runs[0].history)
    measure = column.replace("error", "accuracy")
    first = min(run.history["epoch"][0] for run in runs)
    last = max(run.history["epoch"][-1] for run in runs)
    means = np.full((len(comparison), int(last - first) + 1), np.nan)
    for row, group in zip(means, comparison.values(), strict=True):
        epochs, values = _curves([run for run in group if measure in run.history], column)
        if epochs.size:
            row[(epochs - first).astype(int)] = np.nanmean(values, axis=0)
    return label_of(column), means


def _curves(runs: "Sequence[Run]", column: str) -> tuple[Array, Array]:
    """The epochs at which any run has a value, and a row of values for each run (NaN: none)."""
    found = [
        dict(zip(run.history["epoch"], column_values(run.history, column), strict=True))
        for run in runs
        if len(run.history)
    ]
    epochs = sorted({epoch for curve in found for epoch, v in curve.items() if not math.isnan(v)})
    values = [[curve.get(epoch, math.nan) for epoch in epochs] for curve in found]
    return np.array(epochs, np.float64), np.array(values, np.float64)


def _band_note(comparison: "Comparison") -> str:
    """What line and band are, for the legend's head."""
    counts = sorted({len(runs) for runs in comparison.values() if runs})
    if counts == [1]:
        return ""
    most = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"mean of {most} seeds, band from lowest to highest"
