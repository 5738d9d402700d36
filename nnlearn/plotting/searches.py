"""A picture of searches: the best so far against the trials."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._columns import Array
from nnlearn.plotting._style import (
    band_style,
    check_drawn,
    finish,
    line_style,
    log_axis,
    new_axes,
    spans_much,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.searching.result import Search


def plot_search(search: "Search", ax: "Axes | None" = None, *, name: str = "") -> "Axes":
    """Draw the best value so far against the trials, and each trial as a dot.

    Parameters
    ----------
    search : Search
        What `search` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default. Searches drawn into one differ in colour.
    name : str, default ""
        What the legend calls it.

    Returns
    -------
    matplotlib.axes.Axes
        Accuracies are drawn as errors, in %; on a logarithmic axis if they span more than a
        factor of four. Trials that diverged or failed have no dot.

    Raises
    ------
    ValueError
        If no trial has a value.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.searching.result import Search

    check_drawn("search", search, Search)
    curve = _drawn(search, search.best_so_far())
    dots = {
        state: [(t.number + 1, t.value) for t in search.trials if t.state == state]
        for state in ("complete", "pruned")
    }
    if not dots["complete"]:
        raise ValueError("search must have a trial that came to its end, got none")
    ax = new_axes(ax)
    index = len(ax.get_lines())
    style = line_style(index, len(curve)) | {"drawstyle": "steps-post"}
    word = f"{name}: " if name else ""
    ax.plot(range(1, len(curve) + 1), curve, label=f"{word}best so far", **style)
    looks: dict[str, dict[str, Any]] = {
        "complete": {"s": 22, "color": style["color"], "alpha": 0.55, "linewidths": 0},
        "pruned": {"s": 22, "facecolors": "none", "edgecolors": style["color"], "alpha": 0.55},
    }
    for state, points in dots.items():
        if points:
            numbers, values = zip(*points, strict=True)
            said = {"complete": "trial", "pruned": "pruned trial, when it ended"}[state]
            text = "" if name else said
            ax.scatter(numbers, _drawn(search, values), label=text or None, **looks[state])
    _finish(ax, search)
    return ax


def plot_searches(
    searches: "Mapping[str, Search | Sequence[Search]]", ax: "Axes | None" = None
) -> "Axes":
    """Draw the best value so far of several searches, or of several repeats of each.

    Parameters
    ----------
    searches : mapping of str to Search or sequence of Search
        For each name a search, or its repeats: their mean, in a band from lowest to highest.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        As `plot_search` draws it, without the trials.

    Raises
    ------
    ValueError
        If there is no search.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.searching.result import Search

    check_drawn("searches", searches, Mapping)
    groups: dict[str, list[Search]] = {
        name: list(group) if isinstance(group, Sequence) else [group]
        for name, group in searches.items()
    }
    for group in groups.values():
        for search in group:
            check_drawn("each of searches", search, Search)
    if not any(groups.values()):
        raise ValueError("searches must hold at least one search, got none")
    ax = new_axes(ax)
    for index, (name, group) in enumerate(groups.items()):
        numbers, values = _together(group)
        if not numbers.size:
            continue
        style = line_style(index, numbers.size) | {"drawstyle": "steps-post"}
        ax.plot(numbers, values.mean(axis=0), label=name, **style)
        if len(values) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            ax.fill_between(numbers, low, high, step="post", **band_style(style["color"]))
    _finish(ax, next(group[0] for group in groups.values() if group))
    repeats = sorted({len(group) for group in groups.values()})
    note = f"mean of {repeats[-1]} repeats, band from lowest to highest" if repeats[-1] > 1 else ""
    ax.legend(title=note or None, title_fontsize="small", frameon=False)
    return ax


def _together(group: "Sequence[Search]") -> tuple[Array, Array]:
    """The trials at which all of the searches have a best value, and those values, a row each."""
    curves = [_drawn(search, search.best_so_far()) for search in group]
    length = min(len(curve) for curve in curves)
    values = np.array([curve[:length] for curve in curves]).reshape(len(curves), length)
    known = np.isfinite(values).all(axis=0)
    numbers: Array = np.arange(1.0, length + 1)[known]
    return numbers, values[:, known]


def _drawn(search: "Search", values: "Sequence[float]") -> Array:
    """Values as they are drawn: of accuracies the error in %; none for what is not finite."""
    array = np.array(values, np.float64)
    array[~np.isfinite(array)] = math.nan
    return 100.0 * (1.0 - array) if search.monitor.endswith("accuracy") else array


def _finish(ax: "Axes", search: "Search") -> None:
    """Axes, grid and legend."""
    error = search.monitor.endswith("accuracy")
    ax.set_ylabel("validation error (%)" if error else "validation loss")
    finish(ax)
    ax.set_xlabel("trial")
    low, high = _extremes(ax)
    if spans_much(low, high):
        log_axis(ax, low, high)
    ax.legend(frameon=False)


def _extremes(ax: "Axes") -> tuple[float, float]:
    """The lowest and the highest value drawn."""
    drawn = [np.asarray(line.get_ydata(), np.float64) for line in ax.get_lines()]
    drawn += [np.asarray(dots.get_offsets())[:, 1] for dots in ax.collections if _is_dots(dots)]
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def _is_dots(collection: Any) -> bool:
    from matplotlib.collections import PathCollection

    return isinstance(collection, PathCollection)
