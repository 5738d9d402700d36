"""The curves of a comparison in numbers, as `plot_comparison` draws them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.plotting._columns import Array, column_values, default_column, label_of

if TYPE_CHECKING:
    from nnlearn.comparison import Comparison, Run


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
        epochs, values = curves_of([run for run in group if measure in run.history], column)
        if epochs.size:
            row[(epochs - first).astype(int)] = np.nanmean(values, axis=0)
    return label_of(column), means


def curves_of(runs: "Sequence[Run]", column: str) -> tuple[Array, Array]:
    """The epochs at which any run has a value, and a row of values for each run (NaN: none)."""
    found = [
        dict(zip(run.history["epoch"], column_values(run.history, column), strict=True))
        for run in runs
        if len(run.history)
    ]
    epochs = sorted({epoch for curve in found for epoch, v in curve.items() if not math.isnan(v)})
    values = [[curve.get(epoch, math.nan) for epoch in epochs] for curve in found]
    return np.array(epochs, np.float64), np.array(values, np.float64)
