"""A picture of a strategy: what each step tried, and where it led."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.plotting._style import COLOURS, check_drawn, ink, light_grid, log_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.recipes._steps import Step, Trial
    from nnlearn.recipes.tuning import Tuning

#: How many places the curve of the final fit takes.
_FINAL_WIDTH = 5.0
#: Between two steps.
_GAP = 0.6


def plot_tuning(tuning: "Tuning", ax: "Axes | None" = None) -> "Axes":
    """Draw the validation error of everything that `tune` tried, step after step.

    Parameters
    ----------
    tuning : Tuning
        What `tune` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The steps side by side, each with a dot for every setting that it tried, labelled with
        the setting: the best validation error in %, for regression the loss; a cross at the top
        where training diverged, a ring around what was chosen. The final fit is a curve, an
        epoch from left to right. What spans more than a factor of four stands on a logarithmic
        axis.

    Raises
    ------
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.
    """
    from nnlearn.recipes.tuning import Tuning

    check_drawn("tuning", tuning, Tuning)
    ax = new_axes(ax, (9.0, 4.6))
    drawn, ticks, at = [], [], 0.0
    steps = [step for step in tuning.steps if step.trials and step.name != "final fit"]
    for index, step in enumerate(steps):
        places = at + np.arange(len(step.trials))
        _band(ax, places[0], places[-1], step.name, shaded=index % 2 == 0)
        name = step.tried.columns[0].replace(" ", "_")
        ordered = sorted(
            step.trials, key=lambda trial: (float(getattr(trial, name)), trial.learning_rate)
        )
        drawn += _dots(ax, places, ordered, step, tuning.regression)
        ticks += [(p, _label(t, name, step)) for p, t in zip(places, ordered, strict=True)]
        at = places[-1] + 1.0 + _GAP
    if len(tuning.history):
        drawn += _final_curve(ax, at, tuning, shaded=len(steps) % 2 == 0)
        ticks.append((at + _FINAL_WIDTH / 2, f"{len(tuning.history)} epochs"))
        at += _FINAL_WIDTH + _GAP
    known = [value for value in drawn if math.isfinite(value) and value > 0]
    if known:
        log_axis(ax, min(known), max(known))
    ax.set_xticks(
        [place for place, _ in ticks], [words for _, words in ticks], fontsize=7, rotation=90
    )
    ax.set_xlim(-0.5 - _GAP, max(at, 1.0) - _GAP)
    ax.set_ylabel("validation loss" if tuning.regression else "validation error (%)")
    ax.set_xlabel("what was tried")
    light_grid(ax, axis="y")
    if drawn:
        ax.legend(frameon=False, loc="upper right", fontsize="small")
    return ax


def _label(trial: "Trial", name: str, step: "Step") -> str:
    """The setting that a trial is told by; penalties at another rate name it."""
    value = f"{getattr(trial, name):g}"
    rate = step.chosen.get("learning_rate", trial.learning_rate)
    is_other = name == "l2" and trial.learning_rate != rate
    return f"{value} at {trial.learning_rate:g}" if is_other else value


def _dots(
    ax: "Axes", places: Any, trials: "list[Trial]", step: "Step", regression: bool
) -> list[float]:
    """One for each trial; the values drawn."""
    values = [_error(trial.mean, regression) for trial in trials]
    colour = COLOURS[0]
    ax.plot(places, values, color=colour, linewidth=0.8, alpha=0.4)
    ax.plot(places, values, "o", color=colour, markersize=5)
    for place, trial, value in zip(places, trials, values, strict=True):
        if trial.diverged:
            top: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
            ax.plot(place, 0.97, "x", color=ink(), markersize=6, **top)
        elif _is_chosen(trial, step):
            ring: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none"}
            known = any(line.get_label() == "chosen" for line in ax.get_lines())
            label = "_chosen" if known else "chosen"
            ax.plot(place, value, "o", color=COLOURS[1], markeredgewidth=1.6, label=label, **ring)
    return values


def _is_chosen(trial: "Trial", step: "Step") -> bool:
    shared = {name: value for name, value in step.chosen.items() if hasattr(trial, name)}
    return bool(shared) and all(getattr(trial, name) == value for name, value in shared.items())


def _final_curve(ax: "Axes", at: float, tuning: "Tuning", *, shaded: bool) -> list[float]:
    """The final fit, epoch by epoch; the values drawn."""
    column = "val_loss" if tuning.regression else "val_accuracy"
    values = [_error(value, tuning.regression) for value in tuning.history[column]]
    _band(ax, at, at + _FINAL_WIDTH, "final fit", shaded=shaded)
    places = np.linspace(at, at + _FINAL_WIDTH, len(values))
    best = int(np.nanargmin(values))
    style: dict[str, Any] = {"color": COLOURS[2]}
    ax.plot(places, values, linewidth=1.8, label="final fit, epoch by epoch", **style)
    kind = f"{values[best]:.4g}" if tuning.regression else f"{values[best]:.2f} %"
    ax.plot(places[best], values[best], "o", markersize=8, label=f"best: {kind}", **style)
    return values


def _band(ax: "Axes", first: float, last: float, name: str, *, shaded: bool) -> None:
    """The place of a step, with its name above."""
    left, right = first - (1.0 + _GAP) / 2, last + (1.0 + _GAP) / 2
    if shaded:
        ax.axvspan(left, right, color="#999999", alpha=0.10, linewidth=0, zorder=0)
    where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom"}
    words = name.replace(" ", "\n")
    ax.text((left + right) / 2, 1.01, words, fontsize=8, color=ink(), **where)


def _error(value: float, regression: bool) -> float:
    return float(value) if regression else 100.0 * (1.0 - float(value))
