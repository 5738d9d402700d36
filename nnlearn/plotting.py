"""Pictures of histories and comparisons. Every function takes and returns Matplotlib Axes.

Matplotlib is imported when a function is called. Without `ax` a new pyplot figure is made, so that
a notebook shows it; with `ax` nothing of pyplot is touched. Nothing here ever calls `show`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.comparison import Comparison, Run

#: Colours that people with any kind of colour vision tell apart (Okabe and Ito), darkest contrast
#: to white first. After the last one they begin again with another line style.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", ":", "-.")

_LOSSES = ("loss", "cost", "penalty")

_Array = npt.NDArray[np.float64]

#: Above this ratio of largest to smallest an error is drawn on a logarithmic axis.
_LOG_RATIO = 4.0


def plot_history(history: History, *columns: str, ax: "Axes | None" = None) -> "Axes":
    """Draw columns of a history against the epoch.

    Parameters
    ----------
    history : History
        What `Network.fit` returned.
    *columns : str
        What to draw: recorded columns, costs, and errors such as ``"val_error"``, which is
        1 - ``val_accuracy``. By default the accuracies, or the losses where there are none.
        Columns of two units share the picture, the second one with an axis at the right.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on (the left ones). Accuracies and errors are in %.

    Raises
    ------
    KeyError
        If a column is not recorded.
    ValueError
        If the columns have more than two units, or the history has none but ``epoch``.
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> history = History(["epoch", "loss", "accuracy"])
    >>> history._append({"epoch": 1, "loss": 0.5, "accuracy": 0.90})
    >>> plot_history(history, "loss").get_ylabel()
    'loss'
    """
    columns = columns or _default_columns(history)
    if not columns:
        got, hint = "epoch alone", "fit the network first"
        raise ValueError(_checks.message("history", "have a column to draw", got, hint))
    curves = [(column, history["epoch"], column_values(history, column)) for column in columns]
    # Costs and penalties stand on the axis of the losses.
    units = {kind: "loss" if kind in _LOSSES else kind for kind in map(_kind, columns)}
    if len(set(units.values())) > 2:
        raise ValueError(f"columns must have at most two units, got {', '.join(units)}")
    ax = _axes(ax)
    first = units[_kind(columns[0])]
    right = ax.twinx() if set(units.values()) - {first} else ax
    sides = {kind: ax if unit == first else right for kind, unit in units.items()}
    for index, (column, epochs, values) in enumerate(curves):
        known = ~np.isnan(values)
        style = _style(index, known.sum())
        side = sides[_kind(column)]
        side.plot(epochs[known], values[known], label=_words(column), **style)
    for side in {ax, right}:
        side.set_ylabel(", ".join(kind for kind in units if sides[kind] is side))
    _finish(ax)
    if right is ax:
        ax.legend(frameon=False)
        return ax
    right.spines[["top", "left"]].set_visible(False)
    # Inside, the legend would hide curves of the right axis, which it knows nothing of.
    lines = [*ax.get_lines(), *right.get_lines()]
    ax.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return ax


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
    ImportError
        If Matplotlib is not installed.

    Notes
    -----
    Mean and band at an epoch are over the runs that have a value there. Runs that diverged are
    drawn as far as they came.
    """
    runs = [run for group in comparison.values() for run in group if len(run.history)]
    if not runs:
        raise ValueError("comparison must hold a run with an epoch, got none")
    column = column or default_column(runs[0].history)
    ax = _axes(ax)
    extremes: list[float] = []
    for index, (name, group) in enumerate(comparison.items()):
        epochs, values = _curves(group, column)
        if not epochs.size:
            continue
        style = _style(index, epochs.size)
        ax.plot(epochs, np.nanmean(values, axis=0), label=name, **style)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        if len(values) > 1:
            ax.fill_between(epochs, low, high, color=style["color"], alpha=0.18, linewidth=0)
        extremes += [low.min(), high.max()]
    ax.set_ylabel(_label(column))
    if column.endswith("error") and extremes:
        _log_axis(ax, min(extremes), max(extremes))
    _finish(ax)
    note = _band_note(comparison)
    ax.legend(title=note or None, title_fontsize="small", frameon=False)
    return ax


def default_column(history: History) -> str:
    """What a comparison of such histories is drawn by: an error where there are accuracies."""
    for column in ("val_accuracy", "accuracy"):
        if column in history:
            return column.replace("accuracy", "error")
    return "val_loss" if "val_loss" in history else "loss"


def column_values(history: History, column: str) -> _Array:
    """A column as it is drawn: accuracies in %, and ``..._error`` as 100 - the accuracy."""
    if column.endswith("error"):
        return 100.0 * (1.0 - history[column.removesuffix("error") + "accuracy"])
    values = history[column]
    return 100.0 * values if column.endswith("accuracy") else values


def mean_curves(comparison: "Comparison") -> tuple[str, _Array]:
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
    return _label(column), means


def spans_much(low: float, high: float) -> bool:
    """Whether positive values from lowest to highest are drawn on a logarithmic axis."""
    return 0 < low * _LOG_RATIO < high


def _default_columns(history: History) -> tuple[str, ...]:
    accuracies = tuple(column for column in history if column.endswith("accuracy"))
    losses = tuple(column for column in history if column.endswith("loss"))
    return accuracies or losses or tuple(column for column in history if column != "epoch")


def _curves(runs: "Sequence[Run]", column: str) -> tuple[_Array, _Array]:
    """The epochs at which any run has a value, and a row of values for each run (NaN: none)."""
    found = [
        dict(zip(run.history["epoch"], column_values(run.history, column), strict=True))
        for run in runs
        if len(run.history)
    ]
    epochs = sorted({epoch for curve in found for epoch, v in curve.items() if not math.isnan(v)})
    values = [[curve.get(epoch, math.nan) for epoch in epochs] for curve in found]
    return np.array(epochs, np.float64), np.array(values, np.float64)


def require_matplotlib() -> None:
    """Raise ImportError, saying what to install, if there is no Matplotlib."""
    try:
        import matplotlib.axes  # noqa: F401
    except ImportError:
        raise ImportError('pictures need Matplotlib: pip install "nnlearn[plot]"') from None


def _axes(ax: "Axes | None") -> "Axes":
    """The axes given, or those of a new figure."""
    require_matplotlib()
    from matplotlib.axes import Axes

    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes, got {ax!r}")
    return ax


def _style(index: int, n_points: int) -> dict[str, Any]:
    """Colour and line of the curve with this index. A single point gets a marker."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": LINES[index // len(COLOURS) % len(LINES)],
        "linewidth": 1.8,
        "marker": "o" if n_points == 1 else None,
    }


def _finish(ax: "Axes") -> None:
    """What all pictures share: whole epochs, a light grid, no box."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.grid(True, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.02)


def _log_axis(ax: "Axes", low: float, high: float) -> None:
    """A logarithmic y axis with plain numbers, if the values span enough and none is zero."""
    from matplotlib.ticker import FixedLocator, NullLocator

    if not spans_much(low, high):
        return
    ax.set_yscale("log")
    # Those outside the picture are not drawn; axes that share this one may reach further.
    ticks = [digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 3, 5, 7)]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")


def _band_note(comparison: "Comparison") -> str:
    """What line and band are, for the legend's head."""
    counts = sorted({len(runs) for runs in comparison.values() if runs})
    if counts == [1]:
        return ""
    most = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"mean of {most} seeds, band from lowest to highest"


def _words(column: str) -> str:
    """A column's name as a legend says it: ``val_accuracy`` is "validation accuracy"."""
    first, _, rest = column.partition("_")
    words = {"val": "validation", "train": "training"}.get(first, first)
    if column in ("accuracy", "loss", "error"):
        return f"training {column} (running)"
    return f"{words} {rest}".replace("_", " ").strip()


def _kind(column: str) -> str:
    """What a column measures, as the label of its axis says it."""
    for kind in ("accuracy", "error"):
        if column.endswith(kind):
            return f"{kind} (%)"
    for kind in _LOSSES:
        if column.endswith(kind):
            return kind
    return {"seconds": "seconds per epoch"}.get(column, column.replace("_", " "))


def _label(column: str) -> str:
    """The label of an axis that holds this column alone."""
    percent = " (%)" if column.endswith(("accuracy", "error")) else ""
    return _words(column) + percent if "_" in column or percent else _kind(column)
