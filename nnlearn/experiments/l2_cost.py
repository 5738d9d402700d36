"""The cost with an L2 penalty, split into loss and penalty, epoch by epoch."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS, finish, ink

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: For 50,000 digits, as on the slide.
_LAMBDAS = (0.0, 0.1, 1.0, 10.0)


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 6)
    runs = lab.compare(
        {f"{lam:g}": {"l2": lab.l2(lam)} for lam in _LAMBDAS},
        without(lab.data, "test"),
        hidden=30,
        init="large",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
        evaluate_train=True,
    )

    def split(figure: "Figure") -> None:
        _draw(figure, runs)

    squares = {lam: _squares(group) for lam, group in runs.items()}
    rows = []
    for lam, group in runs.items():
        name = f"lambda {lam}"
        rows += [
            Measured(f"{name}: loss", last(group, "train_loss", 1.0), "", digits=3),
            Measured(f"{name}: penalty", last(group, "penalty", 1.0), "", digits=3),
            Measured(f"{name}: sum of squared weights", squares[lam], "", digits=0),
            Measured(f"{name}: validation accuracy", last(group, "val_accuracy")),
        ]
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1)",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5; "
            "the slide's lambda, scaled to these digits by equal lambda / n",
        },
        tuple(rows),
        _claims(runs, squares),
        (
            Picture(
                "split",
                "The training cost by epoch, mean of the seeds: the loss, and on top of it the "
                "penalty, (lambda / 2n) times the sum of squared weights.",
                split,
                slides=(15,),
                size=(8.6, 3.2),
            ),
        ),
        remarks=(
            "A small lambda leaves the loss to decide, a large one the size of the weights: the "
            "weights shrink until what a step gains in loss is what it costs in penalty.",
        ),
    )


def _claims(runs: Comparison, squares: Mapping[str, tuple[float, ...]]) -> tuple[Claim, Claim]:
    losses = {lam: last(runs[lam], "train_loss", 1.0) for lam in ("0.1", "10")}
    return (
        Claim(
            "lambda 10 ends with smaller weights than lambda 0.1",
            differences(squares["0.1"], squares["10"]),
            "in the sum of squares",
            "book, chapter 3",
            digits=0,
        ),
        Claim(
            "lambda 10 ends with a larger loss than lambda 0.1",
            differences(losses["10"], losses["0.1"]),
            "nats",
            "book, chapter 3",
            digits=3,
        ),
    )


def _squares(runs: Iterable[Run]) -> tuple[float, ...]:
    """The sum of squared weights at the end."""
    return tuple(
        math.nan
        if run.error
        else sum(float(np.sum(np.square(w, dtype=np.float64))) for w in run.network.weights)
        for run in runs
    )


def _draw(figure: "Figure", runs: Comparison) -> None:
    """An area for the loss and one for the penalty; a run that diverged as far as it came."""
    axes = figure.subplots(1, len(runs), sharey=True)
    for ax, (lam, group) in zip(axes, runs.items(), strict=True):
        ax.set_title(rf"$\lambda$ = {lam}")
        finish(ax)
        loss, penalty = (_mean(group, column) for column in ("train_loss", "penalty"))
        epoch = np.arange(1, loss.size + 1)
        style: dict[str, Any] = {"alpha": 0.75, "linewidth": 0}
        ax.fill_between(epoch, 0, loss, color=COLOURS[0], label="loss", **style)
        ax.fill_between(epoch, loss, loss + penalty, color=COLOURS[1], label="penalty", **style)
        ax.plot(epoch, loss + penalty, color=ink(), linewidth=1.2, label="cost")
    axes[0].set_ylabel("training cost (nats)")
    axes[0].legend(frameon=False, loc="upper right")


def _mean(runs: Iterable[Run], column: str) -> npt.NDArray[np.float64]:
    """At each epoch the mean over the runs that came so far."""
    curves = [run.history[column] for run in runs]
    longest = max(map(len, curves))
    rows = [np.pad(c, (0, longest - len(c)), constant_values=math.nan) for c in curves]
    mean: npt.NDArray[np.float64] = np.nanmean(rows, axis=0)
    return mean


experiment = Experiment(
    name="l2-cost",
    title="L2: the cost, split into loss and penalty",
    question="How much of the cost is loss and how much penalty, for each lambda?",
    slides=(15,),
    measure=_measure,
    seconds=(0.9, 22.0),
)
