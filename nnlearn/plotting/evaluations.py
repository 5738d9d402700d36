"""Pictures of an evaluation: which classes are taken for which, and how far to trust it.

For regression: predictions against what is true.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._style import COLOURS, check_drawn, colour_of, ink, light_grid, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.evaluation import Evaluation

#: Beyond this share of the deepest blue white is read better than black.
_DEEP = 0.85
#: Up to so many classes the cells hold their counts, and every class has a tick.
MOST_NUMBERS = 20
#: Of a sample in a picture of many; with fewer they are darker.
_FAINTEST, _DARKEST = 0.15, 0.8


def plot_confusion(evaluation: "Evaluation", ax: "Axes | None" = None) -> "Axes":
    """Draw how often each class was taken for each.

    Parameters
    ----------
    evaluation : Evaluation
        What `Network.evaluate` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each true class, a column for each predicted one. Mistakes are the bluer, the
        larger a share of their true class they are; what is right, on the diagonal, is not
        coloured: it would outshine them all.

    Raises
    ------
    ValueError
        For regression.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.evaluation import Evaluation

    check_drawn("evaluation", evaluation, Evaluation)
    counts, labels = evaluation.confusion, evaluation._labels()
    n = len(labels)
    ax = new_axes(ax, size=(6.4, 5.6))
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(totals, 1)
    np.fill_diagonal(shares, np.nan)
    most = np.nanmax(shares) if n > 1 else 0
    image = ax.imshow(shares, cmap=_shades(), vmin=0, vmax=most or 1)
    if n <= MOST_NUMBERS:
        _write_counts(ax, counts, shares / (most or 1))
        ax.set_xticks(range(n), _ticks(labels), rotation=90 if max(map(len, labels)) > 3 else 0)
        ax.set_yticks(range(n), _ticks(labels))
        ax.tick_params(length=0)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.spines[:].set_visible(False)
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02)
    bar.set_label("mistakes, % of the true class")
    bar.outline.set_visible(False)
    return ax


def _shades() -> Any:
    """From nothing to blue; a shade of the text's colour for the diagonal, which has no number."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    ends = [to_rgba(COLOURS[0], 0.0), to_rgba(COLOURS[0])]
    shades = LinearSegmentedColormap.from_list("mistakes", ends)
    return shades.with_extremes(bad=to_rgba(ink(), 0.1))


def _write_counts(ax: "Axes", counts: Any, depth: Any) -> None:
    """The counts in the cells, without zeros, in smaller letters where there are many cells."""
    size = 9.5 if len(counts) <= 10 else 7
    for (row, column), number in np.ndenumerate(counts):
        if number:
            right = row == column
            colour = "white" if depth[row, column] > _DEEP else ink()
            weight = "bold" if right else "normal"
            style: dict[str, Any] = {
                "ha": "center",
                "va": "center",
                "color": colour,
                "fontweight": weight,
            }
            ax.text(column, row, f"{number:,}", fontsize=size, **style)


def _ticks(labels: list[str]) -> list[str]:
    """Names without their numbers, which only the shortest classes go by."""
    return [label.partition(" ")[2] or label for label in labels]


def plot_calibration(evaluation: "Evaluation", bins: int = 10, ax: "Axes | None" = None) -> "Axes":
    """Draw how often predictions are right against how sure they claim to be.

    Parameters
    ----------
    evaluation : Evaluation
        What `Network.evaluate` returned.
    bins : int, default 10
        Intervals of confidence, as of `Evaluation.calibration`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A point for each bin that has samples, on the diagonal where confidence can be trusted:
        below it the network claims too much. Grey columns are the share of samples in each bin.

    Raises
    ------
    ValueError
        If the outputs are no probabilities.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.evaluation import Evaluation

    check_drawn("evaluation", evaluation, Evaluation)
    found = evaluation._reliability(bins)
    ax = new_axes(ax, size=(5.6, 5.0))
    known = found.counts > 0
    width = np.diff(found.edges)
    shares = found.counts / found.counts.sum()
    grey: dict[str, Any] = {
        "color": ink(),
        "alpha": 0.15,
        "linewidth": 0,
        "width": 0.9 * width,
        "align": "edge",
    }
    ax.bar(found.edges[:-1] + 0.05 * width, shares, label="share of samples", **grey)
    ax.plot(
        [0, 1], [0, 1], color=ink(), linestyle="--", linewidth=0.8, label="accuracy = confidence"
    )
    points: dict[str, Any] = {"color": COLOURS[0], "marker": "o", "linewidth": 1.8, "markersize": 6}
    ax.plot(found.confidence[known], found.accuracy[known], label="accuracy", **points)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("confidence: probability of the predicted class")
    ax.set_ylabel("share")
    light_grid(ax)
    title = f"expected calibration error {100 * found.expected_error:.2f} %"
    ax.legend(title=title, title_fontsize="small", frameon=False, loc="upper left")
    return ax


def plot_predictions(evaluation: "Evaluation", ax: "Axes | None" = None) -> "Axes":
    """Draw the predictions of regression against what is true.

    Parameters
    ----------
    evaluation : Evaluation
        What `Network.evaluate` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A point for each sample, on the diagonal where it is predicted exactly: below it the
        network says too little. Each output has a colour, and its R2 and RMSE in the legend; where
        there are more outputs than colours all have one.

    Raises
    ------
    ValueError
        If the network tells classes apart.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.evaluation import Evaluation

    check_drawn("evaluation", evaluation, Evaluation)
    measures = list(zip(evaluation.r2, evaluation.rmse, strict=True))
    ax = new_axes(ax, size=(5.6, 5.0))
    columns = (evaluation.n, len(measures))
    true, predicted = (a.reshape(columns) for a in (evaluation.true, evaluation.predicted))
    told_apart = len(measures) <= len(COLOURS)
    for j, (r2, rmse) in enumerate(measures):
        name = f"output {j}: " if len(measures) > 1 else ""
        ax.plot(
            true[:, j],
            predicted[:, j],
            linestyle="",
            marker="o",
            markersize=4,
            markeredgewidth=0,
            alpha=float(np.clip(20 / evaluation.n**0.5, _FAINTEST, _DARKEST)),
            color=colour_of(j if told_apart else 0),
            label=f"{name}R² {r2:.3f}, RMSE {rmse:.3g}" if told_apart else None,
            rasterized=evaluation.n > 10_000,
        )
    low, high = float(np.min(ax.dataLim.min)), float(np.max(ax.dataLim.max))
    margin = 0.04 * (high - low) or 1.0
    diagonal: dict[str, Any] = {"color": ink(), "linestyle": "--", "linewidth": 0.8}
    ax.axline((low, low), slope=1, label="predicted = true", **diagonal)
    ax.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), aspect="equal")
    ax.set_xlabel("true")
    ax.set_ylabel("predicted")
    light_grid(ax)
    legend = ax.legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return ax
