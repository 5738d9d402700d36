"""Pictures of the recipes that find a learning rate and a penalty."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._style import check_drawn, finish, line_style, log_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.recipes.penalties import Penalties
    from nnlearn.recipes.rates import LearningRates


def plot_learning_rates(result: "LearningRates", ax: "Axes | None" = None) -> "Axes":
    """Draw the training loss by epoch for every learning rate that was tried.

    Parameters
    ----------
    result : LearningRates
        What `find_learning_rate` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each seed, in the colour of its rate; dashed where the rate fails, with a cross
        where the loss has not fallen. Losses that span more than a factor of four stand on a
        logarithmic axis; what is not finite is left out.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.recipes.rates import LearningRates

    check_drawn("result", result, LearningRates)
    ax = new_axes(ax)
    values = []
    for index, trial in enumerate(result.trials):
        works = trial.works(result.epochs)
        style = line_style(index, 2) | {"linewidth": 1.4, "linestyle": "-" if works else "--"}
        label = f"{trial.learning_rate:g}: {trial.outcome(result.epochs)}"
        for curve in trial.losses:
            losses = np.array(curve)
            losses[~np.isfinite(losses)] = np.nan
            values.append(losses)
            ax.plot(losses, label=label, **style)
            label = "_"  # one seed stands for all in the legend
            if len(losses) > 1 and not (losses[-1] < losses[-2] or losses[-1] == 0):
                ax.plot(len(losses) - 1, losses[-1], "x", color=style["color"], markersize=7)
    ax.set_ylabel("training loss")
    finish(ax)
    log_axis(ax, *_extremes(values))
    ax.legend(title=_found(result), title_fontsize="small", fontsize="small", frameon=False)
    return ax


def _extremes(values: "list[np.ndarray[tuple[int], np.dtype[np.float64]]]") -> tuple[float, float]:
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def _found(result: "LearningRates") -> str:
    if result.threshold is None:
        return "learning rate: no threshold found"
    return f"learning rate: threshold {result.threshold:g}, suggestion {result.suggestion:g}"


def plot_penalties(result: "Penalties", ax: "Axes | None" = None) -> "Axes":
    """Draw how well the validation set is predicted with every penalty that was tried.

    Parameters
    ----------
    result : Penalties
        What `find_l2` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Validation accuracy in % (or loss) at its best epoch against l2 on a logarithmic axis,
        which has a place for 0 at its left: the means over the seeds at the rate that was held,
        a small point for each seed, the best one with a ring. Accuracies in the grey band are
        within one standard error of the highest. What diverged is left out.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.recipes.penalties import Penalties

    check_drawn("result", result, Penalties)
    ax = new_axes(ax)
    held = [t for t in result.trials if t.learning_rate == result.held_rate and t.best]
    finish(ax)
    _axis_with_zero(ax, [t.l2 for t in result.trials])
    means = {t.l2: result.measure.scaled(t.mean) for t in held}
    line, mark = line_style(0, 2), line_style(1, 2)["color"]
    if 0.0 in means:
        style = line_style(2, 2) | {"linestyle": "--", "linewidth": 1.2}
        ax.axhline(means[0.0], label="without a penalty", **style)
        ax.plot(0.0, means[0.0], "o", color=style["color"])
    decayed = [(l2, mean) for l2, mean in means.items() if l2]
    if decayed:  # else all but no penalty diverged
        where, height = zip(*decayed, strict=True)
        ax.plot(where, height, label=f"learning rate {result.held_rate:g}", **line)
        ax.plot(where, height, "o", color=line["color"])
    for trial in held:
        seeds = [result.measure.scaled(value) for value in trial.best]
        ax.plot([trial.l2] * len(seeds), seeds, ".", color="#777777", markersize=4, zorder=1)
    if result.measure.is_accuracy:
        top = max(t.mean for t in held)
        low, high = (result.measure.scaled(v) for v in (top - result.measure.noise(top), top))
        ax.axhspan(
            low,
            high,
            color="#999999",
            alpha=0.15,
            linewidth=0,
            label="within the noise: least loss decides",
        )
    if result.suggestion in means:
        ring: dict[str, Any] = {"markersize": 13, "markerfacecolor": "none", "markeredgewidth": 1.8}
        label = f"best: l2 = {result.suggestion:g}"
        best = means[result.suggestion]
        ax.plot(result.suggestion, best, "o", color=mark, label=label, linestyle="none", **ring)
    ax.set_xlabel("l2")
    ax.set_ylabel(result.measure.words + (" (%)" if result.measure.is_accuracy else ""))
    ax.legend(frameon=False)
    return ax


def _axis_with_zero(ax: "Axes", values: list[float]) -> None:
    """A logarithmic x axis from the least positive value on, and 0 beside it."""
    from matplotlib.ticker import FixedLocator, NullLocator

    least, most = min(value for value in values if value), max(values)
    ax.set_xscale("symlog", linthresh=least, linscale=0.6)
    powers = range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1)
    ax.xaxis.set_major_locator(FixedLocator([0.0, *(10.0**power for power in powers)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(-0.25 * least, 1.5 * most)
