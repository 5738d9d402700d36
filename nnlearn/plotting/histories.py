"""A picture of one fit."""

from typing import TYPE_CHECKING

import numpy as np

from nnlearn import _checks
from nnlearn.history import History, is_maximised
from nnlearn.plotting._columns import LOSSES, column_values, default_columns, kind_of, words
from nnlearn.plotting._style import check_drawn, finish, ink, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        The axes drawn on (the left ones). Accuracies and errors are in %. Thin dashed lines mark
        the epoch that early stopping brought back (`History.restored`) and, between two epochs,
        where the learning rate was lowered (`History.drops`), unless it falls all the time or is
        drawn itself.

    Raises
    ------
    KeyError
        If a column is not recorded.
    ValueError
        If the columns have more than two units, or the history has none but ``epoch``.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> history = History(["epoch", "loss", "accuracy"])
    >>> history._append({"epoch": 1, "loss": 0.5, "accuracy": 0.90})
    >>> plot_history(history, "loss").get_ylabel()
    'loss'
    """
    check_drawn("history", history, History)
    columns = columns or default_columns(history)
    if not columns:
        got, hint = "epoch alone", "fit the network first"
        raise ValueError(_checks.message("history", "have a column to draw", got, hint))
    curves = [(column, history["epoch"], column_values(history, column)) for column in columns]
    # Costs and penalties stand on the axis of the losses.
    units = {kind: "loss" if kind in LOSSES else kind for kind in map(kind_of, columns)}
    if len(set(units.values())) > 2:
        raise ValueError(f"columns must have at most two units, got {', '.join(units)}")
    ax = new_axes(ax)
    first = units[kind_of(columns[0])]
    right = ax.twinx() if set(units.values()) - {first} else ax
    sides = {kind: ax if unit == first else right for kind, unit in units.items()}
    for index, (column, epochs, values) in enumerate(curves):
        known = ~np.isnan(values)
        style = line_style(index, known.sum())
        side = sides[kind_of(column)]
        side.plot(epochs[known], values[known], label=words(column), **style)
    for side in {ax, right}:
        side.set_ylabel(", ".join(kind for kind in units if sides[kind] is side))
    finish(ax)
    lines = [*ax.get_lines(), *(right.get_lines() if right is not ax else ())]
    for text, epoch in _marks(history, rates="learning_rate" not in columns):
        _draw_mark(ax, text, epoch, at_top=not is_maximised(columns[0]))
    if right is ax:
        ax.legend(handles=lines, frameon=False)
        return ax
    right.spines[["top", "left"]].set_visible(False)
    # Inside, the legend would hide curves of the right axis, which it knows nothing of.
    ax.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return ax


def _marks(history: History, *, rates: bool) -> list[tuple[str, float]]:
    """What happened, in words, and where: an epoch, or half of one before it."""
    marks = []
    drops = history.drops
    if rates and 0 < 2 * len(drops) < len(history):
        rate_of = dict(zip(history["epoch"], history["learning_rate"], strict=False))
        marks = [(f"rate {rate_of[epoch]:.3g}", epoch - 0.5) for epoch in drops]
    if history.restored is not None:
        marks.append((f"epoch {history.restored} restored", history.restored))
    return marks


def _draw_mark(ax: "Axes", text: str, epoch: float, *, at_top: bool) -> None:
    """A thin line across the picture, its label where curves that become better are not."""
    ax.axvline(epoch, color=ink(), alpha=0.6, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.annotate(
        text,
        (epoch, 1 if at_top else 0),
        xycoords=ax.get_xaxis_transform(),
        xytext=(-2, -3 if at_top else 3),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="top" if at_top else "bottom",
        fontsize="x-small",
        color=ink(),
        alpha=0.8,
    )
