"""Pictures of studies: accuracy by seconds for mini-batch sizes, error by training-set size."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._columns import Array
from nnlearn.plotting._style import (
    COLOURS,
    check_drawn,
    ink,
    light_grid,
    line_style,
    log_axis,
    new_axes,
    paper,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.recipes.batch_sizes import BatchSizeStudy, SizeCurve
    from nnlearn.recipes.learning_curves import LearningCurve

#: Below the target stands so many times as much of the accuracy axis as there is above it.
_BELOW = 5.0
#: How far beyond the largest training set the fit is drawn.
_BEYOND = 4.0
#: The lowest error of the picture, as a share of the least validation error or fit.
_ROOM = 0.5
#: An x axis from 1 to less than this also has numbers at 2 and 5.
_FEW_DECADES = 100.0


def plot_batch_sizes(study: "BatchSizeStudy", ax: "Axes | None" = None) -> "Axes":
    """Draw the validation accuracy of each mini-batch size against seconds of training.

    Parameters
    ----------
    study : BatchSizeStudy
        What `batch_size_study` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Seconds on a logarithmic axis; accuracies in %, from the part of the axis near the best;
        for regression the loss. Full lines are the best so far, faint ones what was measured. The
        dashed line is what a size has to reach, a dot where it does, a cross where a size diverged.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.recipes.batch_sizes import BatchSizeStudy

    check_drawn("study", study, BatchSizeStudy)
    ax = new_axes(ax)
    unit = 1.0 if study.regression else 100.0
    best_so_far = np.fmin.accumulate if study.regression else np.fmax.accumulate
    drawn: list[tuple[Array, Array]] = []
    lines: list[Any] = []
    for index, curve in enumerate(study.curves):
        # A logarithmic axis has no place for the point before training.
        seconds, values = np.array(curve.seconds[1:]), unit * _finite(np.array(curve.values[1:]))
        if not seconds.size:
            ax.plot([], [], label=_label(curve), **line_style(index, 0))
            continue
        style = line_style(index, seconds.size)
        chosen = curve.size == study.suggestion
        style["linewidth"] = 2.6 if chosen else 1.5
        ax.plot(seconds, values, color=style["color"], linewidth=0.8, alpha=0.25, zorder=1)
        best = best_so_far(values)
        lines += ax.plot(
            seconds,
            best,
            label=_label(curve),
            drawstyle="steps-post",
            zorder=3 if chosen else 2,
            **style,
        )
        drawn.append((seconds, best))
        if (reached := study.seconds_to_threshold(curve)) > 0:
            at = unit * curve.values[curve.seconds.index(reached)]
            dot = {"color": style["color"], "markeredgecolor": paper(), "zorder": 4}
            ax.plot(reached, at, "o", markersize=9 if chosen else 7, **dot)
        if curve.diverged:
            ax.plot(seconds[-1], values[-1], "x", color=style["color"], markersize=9, zorder=4)
    ax.set_xscale("log")
    if drawn and study.suggestion is not None:
        _near_the_best(ax, study, unit, drawn)
    for line, (_, best) in zip(lines, drawn, strict=True):
        if np.nanmax(best, initial=-np.inf) < ax.get_ylim()[0]:
            line.set_label(f"{line.get_label()}, below the picture")
    ax.set_ylabel("validation loss" if study.regression else "validation accuracy (%)")
    ax.set_xlabel("seconds of training")
    # Inside, it lies across the curves, which fill the picture; outside, a layout must make room.
    place: dict[str, Any] = {"loc": "best", "framealpha": 0.9}
    place |= {"facecolor": paper(), "edgecolor": "none"}
    if ax.figure.get_layout_engine() is not None:
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
    ax.legend(title="mini-batch size", **place).set_zorder(5)
    _dress(ax)
    return ax


def _label(curve: "SizeCurve") -> str:
    return f"{curve.size}, diverged" if curve.diverged else f"{curve.size}"


def _near_the_best(
    ax: "Axes", study: "BatchSizeStudy", unit: float, drawn: Sequence[tuple[Array, Array]]
) -> None:
    """Draw the threshold, and show the part of the axes where curves come near it."""
    best, threshold = unit * study.best, unit * study.threshold
    ax.axhline(threshold, color=ink(), linewidth=0.8, linestyle="--", zorder=1)
    if study.regression:
        known = np.concatenate([values for _, values in drawn])
        log_axis(ax, np.nanmin(known), np.nanmax(known))
        return
    margin = best - threshold
    bottom = max(threshold - _BELOW * margin, 0.0)
    enter = [seconds[values >= bottom] for seconds, values in drawn]
    ax.set_xlim(left=0.8 * min(seconds[0] for seconds in enter if seconds.size))
    if margin > 0:
        top = max(np.nanmax(values) for _, values in drawn)  # of one that diverged, perhaps
        ax.set_ylim(bottom, top + 0.5 * margin)


def plot_learning_curve(curve: "LearningCurve", ax: "Axes | None" = None) -> "Axes":
    """Draw the error against the number of training samples, with the power law.

    Parameters
    ----------
    curve : LearningCurve
        What `learning_curve` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Both axes are logarithmic; errors in %, for regression the loss. Dots are means over the
        seeds, bars go from the lowest to the highest. The dashed line is the fit, drawn on to four
        times the data. What lies below half of the least validation error (or fit) is not drawn; a
        cross at the top stands for a size of which all networks diverged.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.recipes.learning_curves import LearningCurve

    check_drawn("curve", curve, LearningCurve)
    ax = new_axes(ax)
    unit = 1.0 if curve.regression else 100.0
    sizes = np.array([run.size for run in curve.runs], np.float64)
    validation, train = (
        _finite(unit * np.array([getattr(run, name) for run in curve.runs], np.float64))
        for name in ("validation", "train")
    )
    law = curve.fit
    drawn = [error for error in np.nanmean(_sound(validation), axis=1) if error > 0]
    if law is not None:
        beyond = np.geomspace(sizes[0], _BEYOND * sizes[-1], 100)
        errors = unit * np.asarray(law(beyond))
        label = f"fit: {law.a * unit:.2g} + {law.b * unit:.3g} n$^{{-{law.c:.2f}}}$"
        ax.plot(beyond, errors, "--", color=ink(), linewidth=1.2, label=label, zorder=1)
        drawn.append(errors[-1])
    bottom = _ROOM * min(drawn, default=1.0)
    _means(ax, sizes, validation, bottom, "validation", COLOURS[0], "" if law else "-")
    means = np.nanmean(_sound(train), axis=1)
    below = means.size > 0 and bool((means < bottom).all())
    name = "training (below the picture)" if below else "training"
    _means(ax, sizes, train, bottom, name, COLOURS[1], "-")
    if law is not None:
        twice = 2 * sizes[-1]
        label = f"predicted for {twice:,.0f}"
        ax.plot(twice, unit * law(twice), "o", mfc="none", mec=COLOURS[0], ms=7, label=label)
    if (lost := np.isnan(validation).all(axis=1)).any():
        top: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "color": COLOURS[0]}
        ax.plot(sizes[lost], np.full(lost.sum(), 0.97), "x", label="diverged", **top)
    ax.set_xscale("log")
    if drawn:
        log_axis(ax, bottom, max(drawn))
        ax.set_ylim(bottom=bottom)
    else:
        ax.set_yticks([])
    ax.set_xlabel("training samples")
    ax.set_ylabel("loss" if curve.regression else "error (%)")
    ax.legend(frameon=False)
    _dress(ax)
    return ax


def _finite(values: Array) -> Array:
    """The values with NaN for those that are infinite, which have no place in a picture."""
    return np.where(np.isfinite(values), values, np.nan)


def _sound(values: Array) -> Array:
    """The rows with a number in them."""
    return values[~np.isnan(values).all(axis=1)]


def _means(
    ax: "Axes", sizes: Array, values: Array, bottom: float, name: str, colour: str, line: str
) -> None:
    """Draw mean and range of each row; what is 0 lies below the bottom of the picture."""
    sizes = sizes[~np.isnan(values).all(axis=1)]
    values = _sound(values)
    if not len(values):
        return
    mean, low, high = (
        np.maximum(of(values, axis=1), bottom / 10) for of in (np.nanmean, np.nanmin, np.nanmax)
    )
    # Of a mean that lies below the picture the end of the bar alone would stand in it.
    bars = np.where(mean >= bottom, [mean - low, high - mean], 0.0)
    ax.errorbar(
        sizes,
        mean,
        bars,
        label=name,
        color=colour,
        marker="o",
        markersize=5,
        linestyle=line,
        linewidth=1.5,
        elinewidth=1.2,
        capsize=2.5,
    )


def _dress(ax: "Axes") -> None:
    """A light grid, no box, plain numbers on the logarithmic x axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = ax.get_xlim()
    if high < _FEW_DECADES * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    light_grid(ax)
