"""The cost with an L2 penalty, split into loss and penalty, epoch by epoch."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.comparison import Run
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
        axes = figure.subplots(1, len(_LAMBDAS), sharey=True)
        for ax, (lam, group) in zip(axes, runs.items(), strict=True):
            epoch = np.asarray(group[0].history["epoch"])
            loss = np.mean([run.history["train_loss"] for run in group], axis=0)
            penalty = np.mean([run.history["penalty"] for run in group], axis=0)
            ax.fill_between(epoch, 0, loss, color=COLOURS[0], alpha=0.75, linewidth=0, label="loss")
            style = {"color": COLOURS[1], "alpha": 0.75, "linewidth": 0}
            ax.fill_between(epoch, loss, loss + penalty, label="penalty", **style)
            ax.plot(epoch, loss + penalty, color=ink(), linewidth=1.2, label="cost")
            ax.set_title(rf"$\lambda$ = {lam}")
            finish(ax)
        axes[0].set_ylabel("training cost (nats)")
        axes[0].legend(frameon=False, loc="upper right")

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
            "lambda for 50,000 digits",
        },
        tuple(rows),
        (
            Claim(
                "lambda 10 ends with smaller weights than lambda 0.1",
                differences(squares["0.1"], squares["10"]),
                "in the sum of squares",
                "book, chapter 3",
                digits=0,
            ),
            Claim(
                "lambda 10 ends with a larger loss than lambda 0.1",
                differences(
                    last(runs["10"], "train_loss", 1.0), last(runs["0.1"], "train_loss", 1.0)
                ),
                "nats",
                "book, chapter 3",
                digits=3,
            ),
        ),
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


def _squares(runs: Iterable[Run]) -> tuple[float, ...]:
    """The sum of squared weights at the end."""
    return tuple(
        math.nan
        if run.error
        else sum(float(np.sum(np.square(w, dtype=np.float64))) for w in run.network.weights)
        for run in runs
    )


experiment = Experiment(
    name="l2-cost",
    title="L2: the cost, split into loss and penalty",
    question="How much of the cost is loss and how much penalty, for each lambda?",
    slides=(15,),
    measure=_measure,
    seconds=(0.9, 22.0),
)
