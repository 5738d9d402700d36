"""Pictures of how a network bears noise, and the lack of a hidden unit."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._style import band_style, check_drawn, finish, ink, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.robustness import KnockOut, NoiseSensitivity

#: The label of lines that are no curves, which legends leave out.
_BASELINE = "_baseline"


def plot_noise_sensitivity(
    result: "NoiseSensitivity", ax: "Axes | None" = None, *, label: str | None = None
) -> "Axes":
    """Draw accuracy or loss against the noise on the inputs, from no noise on.

    Parameters
    ----------
    result : NoiseSensitivity
        What `noise_sensitivity` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw, beside the curves that are there; a new figure by default.
    label : str, optional
        The curve's name, where there are several.

    Returns
    -------
    matplotlib.axes.Axes
        The mean over the draws, in a band from lowest to highest. Accuracies are in %.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.robustness import NoiseSensitivity

    check_drawn("result", result, NoiseSensitivity)
    ax = new_axes(ax)
    from matplotlib.ticker import AutoLocator

    scale, unit = (1.0, "loss") if result.measure == "loss" else (100.0, "accuracy (%)")
    order = np.argsort(result.sigmas, kind="stable")
    order = order[np.array(result.sigmas)[order] > 0]
    sigmas = np.r_[0.0, np.array(result.sigmas)[order]]
    scores = scale * np.vstack(
        [np.full(result.scores.shape[1], result.baseline), result.scores[order]]
    )
    style = _next_style(ax, len(sigmas)) | {"marker": "o", "markersize": 4}
    ax.plot(sigmas, scores.mean(axis=1), label=label, **style)
    if scores.shape[1] > 1:
        low, high = scores.min(axis=1), scores.max(axis=1)
        ax.fill_between(sigmas, low, high, **band_style(style["color"]))
    draws = scores.shape[1]
    note = f"mean of {draws} draws, band from lowest to highest" if draws > 1 else None
    _finish(ax, "noise on the inputs, sigma", unit, note)
    ax.xaxis.set_major_locator(AutoLocator())
    return ax


def plot_knock_out(
    result: "KnockOut", ax: "Axes | None" = None, *, label: str | None = None
) -> "Axes":
    """Draw the accuracy without each hidden unit, the unit missed most first.

    Parameters
    ----------
    result : KnockOut
        What `knock_out` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw, beside the curves that are there; a new figure by default.
    label : str, optional
        The network's name, where there are several.

    Returns
    -------
    matplotlib.axes.Axes
        A curve of accuracies in % for each hidden layer; a thin line is the accuracy with all
        units.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.robustness import KnockOut

    check_drawn("result", result, KnockOut)
    ax = new_axes(ax)
    several = len(result.layers) > 1
    for i, (name, accuracies) in enumerate(zip(result.layers, result.accuracies, strict=True)):
        words = [text for text in (label, name if several else None) if text]
        style = _next_style(ax, len(accuracies)) | {"marker": "o", "markersize": 3}
        ranks = np.arange(1, len(accuracies) + 1)
        ax.plot(ranks, 100 * np.sort(accuracies), label=", ".join(words) or None, **style)
        if i == 0:
            _mark_baseline(ax, 100 * result.baseline, ink() if several else style["color"])
    _finish(ax, "hidden units, the one missed most first", "accuracy without it (%)")
    return ax


def _next_style(ax: "Axes", n_points: int) -> dict[str, Any]:
    """The line of the next curve, by how many the axes have."""
    drawn = [line for line in ax.get_lines() if line.get_label() != _BASELINE]
    return line_style(len(drawn), n_points)


def _mark_baseline(ax: "Axes", level: float, colour: str) -> None:
    """A thin line, named where the curves are far below it: at the left."""
    ax.axhline(level, color=colour, linewidth=0.8, linestyle="--", label=_BASELINE)
    ax.annotate(
        "with all units",
        (0.015, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        color=colour,
        fontsize="small",
    )


def _finish(ax: "Axes", x: str, y: str, note: str | None = None) -> None:
    """What both pictures share. The legend, with its note, is for curves that have a name."""
    finish(ax)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.margins(y=0.08)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(title=note, title_fontsize="small", frameon=False)
