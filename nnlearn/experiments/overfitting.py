"""Overfitting on 1,000 digits, without a penalty and with one."""

from typing import TYPE_CHECKING

import numpy as np

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, best, differences, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import plot_comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The epoch that the book points at.
_MARKED = 280
_BOOK = "book, chapter 3 and its figure's data"
_FREE = "1,000 digits, lambda 0, large weights"
_L2 = "1,000 digits, lambda 0.1, large weights"
_ONE_DRAW = "the thousand digits are the book's, the start weights are other draws"


def _quote(value: str, settings: str, kind: str, why_not: str = "") -> Quote:
    return Quote(value, _BOOK, settings, kind, why_not, if_it_differs=_ONE_DRAW)


_QUOTES = {
    "free best": _quote("82.27", f"{_FREE}, test", "best"),
    "free 200": _quote("81.92", f"{_FREE}, test, after 200 epochs", "last"),
    "free 280": _quote("82.21", f"{_FREE}, test, after 280 epochs", "last"),
    "free last": _quote("82.23", f"{_FREE}, test", "last"),
    "free whole": _quote("67", f"{_FREE}, training", "last"),
    "free lowest": _quote("1.2028", f"{_FREE}, test", "best"),
    "free lowest epoch": _quote("14", f"{_FREE}, test", "last"),
    "free test cost": _quote("1.7731", f"{_FREE}, test", "last"),
    "free cost first": _quote("1.843", f"{_FREE}, training, after the first epoch", "last"),
    "free cost": _quote("0.00420", f"{_FREE}, training", "last"),
    "free gap": _quote("17.73", _FREE, "best"),
    "l2 best": _quote("87.10", f"{_L2}, test", "best"),
    "l2 last": _quote("86.95", f"{_L2}, test", "last"),
    "l2 whole": _quote("68", f"{_L2}, training", "last"),
    "l2 cost": _quote("0.1154", f"{_L2}, training", "last"),
    "l2 test cost": _quote(
        "0.8910", f"{_L2}, test; its penalty divided by the 10,000 test digits", "last"
    ),
}
_PARAMETERS = Quote(
    "23860", "book, chapter 3", "weights and biases of 784-30-10", "exact", of_data=False
)


def train(lab: Lab) -> Comparison:
    """Train on a thousand digits, with and without a penalty, looking at the test set."""
    n, epochs = lab.pick((1_000, 400), (500, 60))
    return lab.compare(
        {"lambda 0": {}, "lambda 0.1": {"l2": 0.1 * n / 1_000}},
        without(lab.data, "validation").take(n),
        hidden=30,
        init="large",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
        evaluate_train=True,
    )


def _measure(lab: Lab) -> Result:
    runs = train(lab)
    n, epochs = lab.pick((1_000, 400), (500, 60))
    rows = [
        Measured(
            "weights and biases",
            (float(Network([784, 30, 10], seed=0).n_parameters),),
            "",
            _PARAMETERS,
            digits=0,
        ),
        *_accuracies(runs, lab),
        *_costs(runs, lab),
    ]

    def panels(figure: "Figure") -> None:
        _draw(figure, runs, lab)

    test = {name: last(group, "test_accuracy") for name, group in runs.items()}
    gap = {name: _gap(group) for name, group in runs.items()}
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1): "
            "23,860 weights and biases",
            "training": f"the first {n:,} training digits, {epochs} epochs, batch size 10, "
            "learning rate 0.5",
        },
        tuple(rows),
        (
            Claim(
                "on 1,000 digits L2 raises the test accuracy",
                differences(test["lambda 0.1"], test["lambda 0"]),
                "percentage points",
                "book, chapter 3; slide 17",
            ),
            Claim(
                "L2 shrinks the gap between training and test accuracy",
                differences(gap["lambda 0"], gap["lambda 0.1"]),
                "percentage points",
                "book, chapter 3; slide 17",
            ),
        ),
        (
            Picture(
                "panels",
                "Training cost, test accuracy, test cost and training accuracy by epoch, mean and "
                "band over the seeds; the upper two from epoch 200 on, as in the book. The dotted "
                "line stands at epoch 280, where the book sees the end of learning.",
                panels,
                slides=(13,),
                size=(8.4, 6.0),
            ),
        ),
        remarks=(
            "The slide does not say that there are only 1,000 digits, and writes the cost of one "
            "output for a network of ten: the cost is summed over the outputs here.",
            "network2.py counts epochs from 0; the epochs quoted are moved by one here. It divides "
            "the penalty of a test cost by the size of the test set; the number beside it here is "
            "worked out the same way, from loss and weights.",
        ),
    )


def _accuracies(runs: Comparison, lab: Lab) -> list[Measured]:
    free, penalised = runs["lambda 0"], runs["lambda 0.1"]
    early, marked = lab.pick((201, _MARKED + 1), (30, 40))
    column = "test_accuracy"
    whole = {name: tuple(_first_whole(run) for run in group) for name, group in runs.items()}
    return [
        Measured("lambda 0: best test accuracy", best(free, column), "%", _QUOTES["free best"]),
        Measured(
            "lambda 0: test accuracy at epoch 200",
            at(free, column, early),
            "%",
            _QUOTES["free 200"],
        ),
        Measured(
            "lambda 0: test accuracy at epoch 280",
            at(free, column, marked),
            "%",
            _QUOTES["free 280"],
        ),
        Measured("lambda 0: last test accuracy", last(free, column), "%", _QUOTES["free last"]),
        Measured(
            "lambda 0: first epoch with every training digit right, from 0",
            whole["lambda 0"],
            "",
            _QUOTES["free whole"],
            digits=1,
        ),
        Measured(
            "lambda 0: training less best test accuracy",
            differences(last(free, "train_accuracy"), best(free, column)),
            "percentage points",
            _QUOTES["free gap"],
        ),
        Measured(
            "lambda 0.1: best test accuracy", best(penalised, column), "%", _QUOTES["l2 best"]
        ),
        Measured(
            "lambda 0.1: last test accuracy", last(penalised, column), "%", _QUOTES["l2 last"]
        ),
        Measured(
            "lambda 0.1: first epoch with every training digit right, from 0",
            whole["lambda 0.1"],
            "",
            _QUOTES["l2 whole"],
            digits=1,
        ),
    ]


def _costs(runs: Comparison, lab: Lab) -> list[Measured]:
    free, penalised = runs["lambda 0"], runs["lambda 0.1"]
    n, n_test = lab.pick(1_000, 500), len(lab.data.test.y) if lab.data.test else 0
    weights = tuple(sum(float(np.sum(w**2)) for w in run.network.weights) for run in penalised)
    lam = 0.1 * n / 1_000
    test, train = last(penalised, "test_loss", 1.0), last(penalised, "train_loss", 1.0)
    lowest = tuple(float(np.argmin(run.history["test_loss"])) for run in free)
    return [
        Measured(
            "lambda 0: lowest test cost",
            best(free, "test_loss", 1.0, lowest=True),
            "",
            _QUOTES["free lowest"],
            lower_is_better=True,
            digits=4,
        ),
        Measured(
            "lambda 0: epoch of the lowest test cost, from 0",
            lowest,
            "",
            _QUOTES["free lowest epoch"],
            digits=1,
        ),
        Measured(
            "lambda 0: last test cost",
            last(free, "test_loss", 1.0),
            "",
            _QUOTES["free test cost"],
            digits=4,
        ),
        Measured(
            "lambda 0: training cost after the first epoch",
            at(free, "train_loss", 1, 1.0),
            "",
            _QUOTES["free cost first"],
            digits=3,
        ),
        Measured(
            "lambda 0: last training cost",
            last(free, "train_loss", 1.0),
            "",
            _QUOTES["free cost"],
            digits=5,
        ),
        Measured(
            "lambda 0.1: last training cost",
            tuple(loss + lam / (2 * n) * w for loss, w in zip(train, weights, strict=True)),
            "",
            _QUOTES["l2 cost"],
            digits=4,
        ),
        Measured(
            "lambda 0.1: last test cost, its penalty divided by the test digits",
            tuple(loss + lam / (2 * n_test) * w for loss, w in zip(test, weights, strict=True)),
            "",
            _QUOTES["l2 test cost"],
            digits=4,
        ),
    ]


def _gap(runs: tuple[Run, ...]) -> tuple[float, ...]:
    return differences(last(runs, "train_accuracy"), last(runs, "test_accuracy"))


def _first_whole(run: Run) -> float:
    """The first epoch, from 0, after which every training digit is right; NaN if there is none."""
    right = np.flatnonzero(np.asarray(run.history["train_accuracy"]) == 1.0)
    return float(right[0]) if right.size else float("nan")


def _draw(figure: "Figure", runs: Comparison, lab: Lab) -> None:
    from matplotlib import rcParams

    late, marked = lab.pick((200, _MARKED), (30, 40))
    panels = (
        ("train_loss", "cost on the training data", late),
        ("test_accuracy", "accuracy on the test data (%)", late),
        ("test_loss", "cost on the test data", 1),
        ("train_accuracy", "accuracy on the training data (%)", 1),
    )
    for ax, (column, label, first) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        plot_comparison(runs, column, ax=ax)
        ax.set_ylabel(label)
        ax.set_xlim(first, None)
        _fit_height(ax, runs, column, first)
        ax.axvline(marked, color=rcParams["text.color"], linewidth=1, linestyle=":")
        legend = ax.get_legend()
        if column != "test_accuracy" and legend:
            legend.remove()


def _fit_height(ax: "Axes", runs: Comparison, column: str, first: int) -> None:
    """Let the axis of values span what is seen, from epoch `first` on."""
    scale = 100.0 if "accuracy" in column else 1.0
    values = np.concatenate(
        [scale * np.asarray(run.history[column])[first - 1 :] for g in runs.values() for run in g]
    )
    margin = 0.05 * float(np.ptp(values)) or 1.0
    ax.set_ylim(values.min() - margin, values.max() + margin)


experiment = Experiment(
    name="overfitting",
    title="Overfitting on 1,000 digits",
    question="When does a network stop learning what helps on new digits, and does L2 help?",
    slides=(13,),
    measure=_measure,
    seconds=(3.0, 60.0),
    quotes={**_QUOTES, "parameters": _PARAMETERS},
)
