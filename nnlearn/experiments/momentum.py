"""Momentum: velocity and friction in a valley, and on digits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.comparison import Comparison
from nnlearn.descent import Descent, Valley, descend
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, epochs_to, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.optimizers import SGD
from nnlearn.plotting import plot_contours
from nnlearn.plotting._style import finish, line_style, log_axis
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of the valley; friction 1 - mu from all to next to none.
_FRICTIONS = (0.0, 0.5, 0.9, 0.99)
_RATE, _STEPS, _GOAL = 0.5, 400, 1e-3

#: Of the digits. The last network has no momentum, but the pace that 0.9 comes to.
_MOMENTA = (0.0, 0.5, 0.9)
_SIZES = (30, 100)
_DIGITS_RATE = 0.05
_SAME_PACE = "no momentum, learning rate 0.5"
_PACE = _DIGITS_RATE / (1.0 - _MOMENTA[-1])


def valley_paths() -> dict[float, Descent]:
    """The paths down the valley, by mu."""
    sgd = {mu: SGD(_RATE, momentum=mu) for mu in _FRICTIONS}
    return {mu: descend(Valley(), Valley.start, sgd[mu], _STEPS) for mu in _FRICTIONS}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(15, 6)
    variants = {
        f"{units} mu {mu:g}": {"hidden": units, "learning_rate": _DIGITS_RATE, "momentum": mu}
        for units in _SIZES
        for mu in _MOMENTA
    }
    for units in _SIZES:
        variants[f"{units} {_SAME_PACE}"] = {"hidden": units, "learning_rate": _PACE}
    runs = lab.compare(variants, without(lab.data, "test"), epochs=epochs, batch_size=10)
    found = [_of_size(runs, units) for units in _SIZES]

    def curves(figure: "Figure") -> None:
        _draw_curves(figure, runs)

    return Result(
        {
            "valley": f"Rosenbrock's, with gentler walls; learning rate {_RATE:g}, {_STEPS} steps",
            "networks": "784-30-10 and 784-100-10, sigmoid, cross-entropy, scaled weights",
            "training": f"{epochs} epochs, batch size 10, learning rate {_DIGITS_RATE:g} for every "
            f"mu, and {_PACE:g} without momentum; no penalty",
            "until there": "until the training cost (mean of an epoch's steps) is at most the one "
            "of the last epoch without momentum, same seed",
        },
        tuple(row for rows, _ in found for row in rows),
        tuple(claim for _, claims in found for claim in claims),
        (
            Picture("valley", _valley_words(), _draw_valley, slides=(39,), size=(8.0, 6.4)),
            Picture(
                "curves",
                "Training cost and validation error by epoch, mean over the seeds and the band "
                f"from lowest to highest: learning rate {_DIGITS_RATE:g} with each mu, and "
                f"{_PACE:g} without momentum.",
                curves,
                slides=(40,),
                size=(8.0, 5.6),
            ),
        ),
        (_valley_table(),),
        (
            "The slides call mu the friction. The friction is 1 - mu: with mu = 1 there is none, "
            "and the ball never comes to rest (the largest mu here is 0.99), with mu = 0 there is "
            "nothing else, and the step is that of gradient descent.",
            "The slides' curves are lost, their captions say only n = 30 and n = 100; that they "
            "showed cost or accuracy by epoch is inferred.",
            "On an even slope momentum comes to the pace of a learning rate 1/(1 - mu) times as "
            "large. So the rows that have this larger rate and no momentum show how much of the "
            "gain comes from the pace alone, and the claims against them what momentum does "
            "besides. The sources make no such comparison.",
            f"A network that does not come to that cost within {epochs} epochs counts with "
            f"{epochs + 1}: {_censored(found, epochs)}.",
        ),
    )


def _of_size(runs: Comparison, units: int) -> tuple[list[Measured], list[Claim]]:
    """The epochs that networks of a size need, and what is claimed of them."""
    ends = last(runs[f"{units} mu 0"], "loss", 1.0)
    needed = {mu: epochs_to(runs[f"{units} mu {mu:g}"], ends) for mu in _MOMENTA}
    named = {f"mu {mu:g}": values for mu, values in needed.items()}
    named[_SAME_PACE] = epochs_to(runs[f"{units} {_SAME_PACE}"], ends)
    rows = [
        Measured(f"{units} hidden, {name}: epochs until there", values, "", digits=1)
        for name, values in named.items()
    ]
    claims = [
        Claim(
            f"with {units} hidden units momentum {mu:g} reaches the training cost at which "
            "plain gradient descent ends in fewer epochs",
            differences(needed[0.0], needed[mu]),
            "epochs",
            "slides 39 and 40",
            1,
        )
        for mu in _MOMENTA[1:]
    ]
    strong = _MOMENTA[-1]
    control = last(runs[f"{units} {_SAME_PACE}"], "loss", 1.0)
    claims += [
        Claim(
            f"with {units} hidden units momentum {strong:g} comes to plain gradient descent's last "
            f"cost in fewer epochs than no momentum at the same pace (learning rate {_PACE:g})",
            differences(named[_SAME_PACE], needed[strong]),
            "epochs",
            digits=1,
        ),
        Claim(
            f"with {units} hidden units momentum {strong:g} ends with a lower training cost than "
            f"no momentum at the same pace (learning rate {_PACE:g})",
            differences(control, last(runs[f"{units} mu {strong:g}"], "loss", 1.0)),
            digits=4,
        ),
    ]
    return rows, claims


def _censored(found: Sequence[tuple[list[Measured], list[Claim]]], epochs: int) -> str:
    """How many networks never came to the cost, by row."""
    never = {
        row.what.partition(":")[0]: sum(value > epochs for value in row.known)
        for rows, _ in found
        for row in rows
    }
    words = [f"{n} with {name}" for name, n in never.items() if n]
    return "; ".join(words) if words else "here none"


def _valley_words() -> str:
    """What the paths do, worked out from them."""
    paths = valley_paths()
    first = {mu: path.first_at(_GOAL) for mu, path in paths.items()}
    steps = [
        f"with mu = {mu:g} {f'not in {_STEPS}' if step is None else f'after {step}'} steps"
        for mu, step in first.items()
    ]
    wild = _FRICTIONS[-1]
    moved = float(np.linalg.norm(np.diff(paths[wild].points[-2:], axis=0)))
    return (
        f"One start and one learning rate: the cost comes to {_GOAL:g} "
        f"{', '.join(steps)}. With mu = {wild:g} (above right) the ball overshoots: its last step "
        f"is still {moved:.2g} long."
    )


def _valley_table() -> Table:
    head = ["mu", "friction 1 - mu", "steps to cost 0.001", "and stays below after", "last cost"]
    body = [
        (mu, 1.0 - mu, path.first_at(_GOAL), path.settled_at(_GOAL), float(path.costs[-1]))
        for mu, path in valley_paths().items()
    ]
    title = f"The valley: {_STEPS} steps with learning rate {_RATE:g}"
    formats = {"mu": "g", "friction 1 - mu": ".2g", "last cost": ".1e"}
    return Table(head, body, title, formats=formats)


def _draw_curves(figure: "Figure", runs: Comparison) -> None:
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for units, column in zip(_SIZES, axes.T, strict=True):
        shown = {rf"$\mu$ = {mu:g}": runs[f"{units} mu {mu:g}"] for mu in _MOMENTA}
        shown[_SAME_PACE] = runs[f"{units} {_SAME_PACE}"]
        column[0].set_title(f"784-{units}-10")
        for ax, what in zip(column, ("loss", "val_error"), strict=True):
            if plot_epochs(Comparison(shown), what, ax):
                ax.get_legend().remove()
                ax.get_lines()[-1].set_linestyle("--")
                ax.label_outer()
    axes[0, 0].set_ylabel("training cost")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    log_axis(axes[0, 0], *axes[0, 0].dataLim.intervaly)
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)


def _draw_valley(figure: "Figure") -> None:
    paths = valley_paths()
    words = {mu: rf"$\mu$ = {mu:g}, friction {1 - mu:.2g}" for mu in paths}
    wild = _FRICTIONS[-1]
    above, below = figure.subplots(2, 2)
    calm = {words[mu]: path for mu, path in paths.items() if mu != wild}
    plot_contours(Valley(), above[0], paths=calm, levels=8)
    plot_contours(Valley(), above[1], levels=8)
    for index, (mu, path) in enumerate(paths.items()):
        style = line_style(index, _STEPS) | {"linewidth": 1.4}
        if mu == wild:
            above[1].plot(*path.points.T, **style | {"linewidth": 1.0})
        moved = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
        below[0].plot(path.costs, label=words[mu], **style)
        below[1].plot(np.arange(1, _STEPS + 1), moved, **style)
    for ax, what in zip(below, ("cost", "speed: length of a step"), strict=True):
        finish(ax)
        ax.set_yscale("log")
        ax.set_xlabel("step")
        ax.set_ylabel(what)
    below[0].set_ylim(bottom=1e-8)
    below[1].set_ylim(bottom=1e-6)
    above[0].get_legend().remove()
    for ax in above:
        for shades in ax.collections:
            shades.set_rasterized(shades.get_zorder() == 1)
    figure.legend(*below[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)


experiment = Experiment(
    name="momentum",
    title="Momentum",
    question="What do velocity and friction do, and does momentum save epochs?",
    slides=(39, 40),
    measure=_measure,
    seconds=(2.0, 40.0),
    widgets={
        39: (
            "Momentum",
            {"surface": "valley", "learning_rate": _RATE, "steps": _STEPS, "goal": _GOAL},
        ),
    },
)
