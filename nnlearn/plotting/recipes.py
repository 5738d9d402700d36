"""Pictures of the recipes that find a learning rate and a penalty."""

from typing import TYPE_CHECKING

import numpy as np

from nnlearn.plotting._style import finish, line_style, log_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    ImportError
        If Matplotlib is not installed.
    """
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
            if len(losses) > 1 and not losses[-1] < losses[-2]:
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
