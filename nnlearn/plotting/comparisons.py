"""A picture of many fits: means and bands over seeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn.plotting._columns import (
    Array,
    default_column,
    kind_of,
    label_of,
    one_unit,
    words,
)
from nnlearn.plotting._mean_curves import curves_of
from nnlearn.plotting._style import (
    COLOURS,
    LINES,
    band_style,
    check_drawn,
    finish,
    ink,
    legend_style,
    line_style,
    log_axis,
    new_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.comparison import Comparison

#: What a band may show, in a legend's words.
_BANDS = {
    "range": "band from lowest to highest",
    "sd": "band of one standard deviation",
    "none": "",
}


def plot_comparison(
    comparison: "Comparison",
    column: str | Sequence[str] | None = None,
    ax: "Axes | None" = None,
    *,
    band: str = "range",
) -> "Axes":
    """Draw one curve for each variant: the mean over its seeds, in a band.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.
    column : str or sequence of str, optional
        What to draw: a column of the histories, a cost, or an error such as ``"test_error"``,
        which is 1 - ``test_accuracy``. By default the validation error; the validation loss where
        no accuracy is recorded; the training's where there is no validation set. Several columns
        of one unit lie over each other, told apart by their lines; where there is one variant, by
        their colours.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    band : {"range", "sd", "none"}, default "range"
        From the lowest to the highest seed, or one sample standard deviation to either side of the
        mean. Variants with one seed have none.

    Returns
    -------
    matplotlib.axes.Axes
        Accuracies and errors are in %. An error that spans more than a factor of four stands on a
        logarithmic axis.

    Raises
    ------
    ValueError
        If no run has a value to draw, the columns have several units, or so many variants have
        several columns that colours would repeat.
    KeyError
        If the column is not recorded.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_train_validation : Training and validation set, over each other.

    Notes
    -----
    Mean and band at an epoch are over the runs that have a value there. Runs that diverged are
    drawn as far as they came.

    Examples
    --------
    >>> import nnlearn as nn
    >>> small = nn.datasets.load_mnist_small().take(200)
    >>> rates = nn.vary("learning_rate", [0.5, 2.0])
    >>> c = nn.compare(rates, small, hidden=(10,), epochs=2, seeds=2, verbose=0)
    >>> ax = plot_comparison(c, ("val_error", "test_error"), band="sd")
    >>> ax.get_ylabel(), len(ax.get_lines())
    ('error (%)', 4)
    """
    from nnlearn.comparison import Comparison

    check_drawn("comparison", comparison, Comparison)
    band = _checks.choice("band", band, _BANDS)
    runs = [run for group in comparison.values() for run in group if len(run.history)]
    if not runs:
        raise ValueError("comparison must hold a run with an epoch, got none")
    columns = one_unit(default_column(runs[0].history) if column is None else column)
    several = len(columns) > 1 and len(comparison) > 1
    if several and max(len(comparison) - len(COLOURS), len(columns) - len(LINES)) > 0:
        requirement = f"have at most {len(COLOURS)} variants and {len(LINES)} columns"
        got = f"{len(comparison)} and {len(columns)}"
        raise ValueError(_checks.message("a picture of several columns", requirement, got))
    curves = [
        [curves_of(group, name) for name in columns] for group in comparison.values()
    ]  # before anything is drawn: a column may be missing
    ax = new_axes(ax)
    extremes: list[float] = []
    for index, (variant, group) in enumerate(zip(comparison, curves, strict=True)):
        for place, (epochs, values) in enumerate(group):
            if not epochs.size:
                continue
            style = line_style(index if several or len(columns) == 1 else place, epochs.size)
            label = variant if len(columns) == 1 else words(columns[place])
            if several:
                style["linestyle"] = LINES[place]
                label = f"{variant}, {label}"
            ax.plot(epochs, np.nanmean(values, axis=0), label=label, **style)
            _draw_band(ax, epochs, values, band, style["color"])
            extremes += [np.nanmin(values), np.nanmax(values)]
    if len(columns) == 1:
        ax.set_ylabel(label_of(columns[0]))
    else:
        ax.set_ylabel(", ".join(dict.fromkeys(map(kind_of, columns))))
    if columns[0].endswith("error") and extremes:
        log_axis(ax, min(extremes), max(extremes))
    finish(ax)
    alone = [*comparison] if len(columns) > 1 and not several else []
    note = "\n".join(filter(None, [*alone, _band_note(comparison, band)]))
    handles = _keys(comparison, columns) if several else ax.get_legend_handles_labels()[0]
    ax.legend(handles=handles, **legend_style(note))
    return ax


def _draw_band(ax: "Axes", epochs: Array, values: Array, band: str, colour: str) -> None:
    """What the seeds span; nothing where there is one."""
    if len(values) < 2 or band == "none":
        return
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    if band == "sd":
        mean, known = np.nanmean(values, axis=0), (~np.isnan(values)).sum(axis=0)
        squares = np.nansum((values - mean) ** 2, axis=0)
        deviation = np.sqrt(squares / np.maximum(known - 1, 1))
        low, high = mean - deviation, mean + deviation
    ax.fill_between(epochs, low, high, **band_style(colour))


def _keys(comparison: "Comparison", columns: Sequence[str]) -> list[Any]:
    """The legend of several columns: a colour for each variant, a line for each column."""
    from matplotlib.lines import Line2D

    colours = [line_style(i, 2) | {"label": name} for i, name in enumerate(comparison)]
    lines = [
        {"color": ink(), "linestyle": LINES[i], "linewidth": 1.2, "label": words(name)}
        for i, name in enumerate(columns)
    ]
    return [Line2D([], [], **style) for style in (*colours, *lines)]


def _band_note(comparison: "Comparison", band: str) -> str:
    """What line and band are, for the legend's head."""
    counts = sorted({len(runs) for runs in comparison.values() if runs})
    if counts == [1]:
        return ""
    most = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return ", ".join(filter(None, [f"mean of {most} seeds", _BANDS[band]]))
