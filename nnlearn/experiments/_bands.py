"""What several experiments draw: bands over seeds, and a dot for each seed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.plotting._style import COLOURS, band_style, ink, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Told apart without colour: the marker of a curve by its index.
MARKERS = ("o", "s", "^", "D", "v", "P")


def plot_band(
    ax: "Axes", x: npt.ArrayLike, values: npt.ArrayLike, index: int, label: str, **style: Any
) -> None:
    """Draw the mean over the seeds, in a band from lowest to highest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : array_like, shape (n,)
    values : array_like, shape (n_seeds, n)
        NaN where a seed has no value.
    index : int
        Of the curve: its colour and its marker.
    label : str
        Its name in the legend.
    **style
        Further settings of the line.
    """
    rows = np.atleast_2d(np.asarray(values, np.float64))
    points = np.asarray(x, np.float64)
    known = np.isfinite(rows).any(axis=0)
    rows, points = rows[:, known], points[known]
    if not points.size:
        return
    look = line_style(index, points.size) | {"marker": MARKERS[index], "markersize": 4} | style
    ax.plot(points, np.nanmean(rows, axis=0), label=label, **look)
    if len(rows) > 1:
        low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        ax.fill_between(points, low, high, **band_style(look["color"]))


def plot_dots(
    ax: "Axes",
    groups: Mapping[str, Sequence[float]],
    label: str,
    quoted: Mapping[str, float] | None = None,
) -> None:
    """Draw a row for each group, the first on top: a dot for each seed, a bar at the mean.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    groups : mapping of str to sequence of float
        The seeds' values by the row's name; NaN is left out.
    label : str
        Of the axis of values.
    quoted : mapping of str to float, optional
        Published values by the row's name: a diamond each.
    """
    for row, name in enumerate(groups):
        if quoted and name in quoted:
            style: dict[str, Any] = {
                "color": ink(),
                "markerfacecolor": "none",
                "markersize": 8,
                "zorder": 4,
            }
            named: dict[str, Any] = {} if ax.get_legend_handles_labels()[1] else {"label": "quoted"}
            ax.plot(quoted[name], row, "D", **style, **named)
    if quoted:
        ax.legend(loc="lower right", frameon=False, fontsize=8.5)
    for row, values in enumerate(groups.values()):
        known = [value for value in values if np.isfinite(value)]
        if not known:
            continue
        colour = COLOURS[row % 6]
        # Seeds of one value would hide each other: each has a height of its own.
        heights = row + 0.24 * (np.arange(len(known)) / max(len(known) - 1, 1) - 0.5)
        ax.plot(known, heights, "o", color=colour, markersize=4.5, alpha=0.85)
        ax.plot([np.mean(known)] * 2, [row - 0.34, row + 0.34], color=colour, linewidth=2.2)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlabel(label)
    ax.grid(True, axis="x", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.margins(x=0.06)


def tidy(ax: "Axes", x: str, y: str, title: str = "") -> None:
    """The names of axes, a light grid, no box."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if title:
        ax.set_title(title)
    ax.grid(True, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
