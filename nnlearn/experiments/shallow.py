"""The network that the book's chapter 6 begins with: one hidden layer and softmax."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.callbacks import Callback
from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.history import History
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting import plot_comparison
from nnlearn.plotting._style import LINES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPOCHS = 60
_POINTS = "percentage points"

_QUOTES = {
    "test accuracy": Quote(
        "97.80",
        "book, chapter 6",
        "test accuracy at the epoch of best validation accuracy, the last of several; 60 epochs, "
        "learning rate 0.1, batch size 10 in one order, lambda 0, hidden weights N(0, 1/n_out), "
        "softmax layer from zeros",
        "best of three",
    ),
}


#: Of both networks: the book's start weights and order of the digits, and nnlearn's own.
_BOOKS, _OURS = "as in network3.py", "scaled weights, shuffled"


class _BooksStart(Callback):
    """Makes a hidden layer of "large" start weights one of network3.py: W ~ N(0, 1/n_out)."""

    def on_fit_begin(self, net: Network, history: History) -> None:
        """Scale the weights; the biases stay N(0, 1)."""
        net.weights[0] /= math.sqrt(net.weights[0].shape[1])


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(_EPOCHS, 6)
    n_inputs = lab.data.train.x.shape[1]
    runs = lab.compare(
        {
            _BOOKS: {
                "layers": [n_inputs, Dense(100, init="large"), Dense(10, "softmax", init="zeros")],
                "callbacks": [_BooksStart()],
                "shuffle": False,
            },
            _OURS: {"hidden": 100},
        },
        cost="log_likelihood",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
    )
    chosen = {name: _at_best(group) for name, group in runs.items()}
    apart = differences(chosen[_OURS], chosen[_BOOKS])
    means = "; ".join(f"{name} {Measured('', own).mean:.2f} %" for name, own in chosen.items())

    def curves(figure: "Figure") -> None:
        axes = figure.subplots(1, len(runs), sharey=True)
        handles, labels = [], []
        for ax, (name, group) in zip(axes, runs.items(), strict=True):
            ax.set_title(name)
            if not any(len(run.history) for run in group):
                say_diverged(ax)
                continue
            columns = ["error", "val_error", "test_error"]
            plot_comparison(Comparison({name: group}), columns, ax)
            for line, style in zip(ax.get_lines(), LINES, strict=False):
                line.set(linestyle=style)
            ax.get_legend().remove()
            ax.label_outer()
            handles, labels = ax.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)

    return Result(
        {
            "network": "784-100-10, sigmoid, softmax outputs with log-likelihood",
            _BOOKS: "hidden weights N(0, 1/n_out), hidden biases N(0, 1), softmax layer from "
            "zeros; batches in the order of the file, in every epoch",
            _OURS: "scaled weights N(0, 1/n_in), biases N(0, 1); the digits shuffled",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.1, no penalty",
        },
        (
            *_rows(runs, chosen),
            Measured("gained by scaled weights and shuffled digits, at that epoch", apart, _POINTS),
        ),
        pictures=(
            Picture(
                "curves",
                "Error by epoch on the digits trained on (while they are trained on), on "
                "validation and on test digits: mean over the seeds and the band from lowest to "
                "highest.",
                curves,
                size=(8.0, 3.6),
            ),
        ),
        finding=f"Mean test accuracy at the epoch of best validation accuracy: {means}.",
        remarks=(
            "network3.py draws the hidden weights with variance 1/n_out, where 1/n_in was meant, "
            "starts the softmax layer from zeros and never shuffles. The quoted number is compared "
            "with networks that do the same; the rows behind it say what the usual start and "
            "shuffled batches change.",
        ),
    )


def _at_best(runs: Iterable[Run]) -> tuple[float, ...]:
    """The test accuracy in % at the last of the epochs of best validation accuracy.

    network3.py looks at the test set whenever validation accuracy is as good as ever. NaN where
    the run diverged.
    """
    found = []
    for run in runs:
        validation = run.history["val_accuracy"]
        if run.error:
            found.append(math.nan)
            continue
        epoch = np.flatnonzero(validation == validation.max())[-1]
        found.append(100.0 * float(run.history["test_accuracy"][epoch]))
    return tuple(found)


def _rows(runs: Comparison, chosen: Mapping[str, tuple[float, ...]]) -> list[Measured]:
    """What both networks reach; the book's number beside the first."""
    return [
        row
        for name, group in runs.items()
        for row in (
            Measured(
                f"{name}: test accuracy at the best validation epoch",
                chosen[name],
                quote=_QUOTES["test accuracy"] if name == _BOOKS else None,
                stuck=stuck(group),
            ),
            Measured(
                f"{name}: last test accuracy", last(group, "test_accuracy"), stuck=stuck(group)
            ),
            Measured(f"{name}: best validation accuracy", best(group, "val_accuracy")),
        )
    ]


experiment = Experiment(
    name="shallow",
    title="One hidden layer and softmax: where chapter 6 begins",
    question="What does a network without convolution reach, the book's baseline?",
    slides=(),
    measure=_measure,
    seconds=(1.0, 50.0),
    quotes=_QUOTES,
)
