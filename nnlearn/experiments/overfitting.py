"""Overfitting on few digits, without a penalty and with one."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import (
    Lab,
    at,
    best,
    differences,
    epoch_of_best,
    last,
    network2_cost,
    stuck,
    without,
)
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.experiments._words import mean_in_words
from nnlearn.network import Network
from nnlearn.plotting._style import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BOOK = "book, chapter 3 and its figures' data"
_HOW = "400 epochs, learning rate 0.5, batch size 10, large weights"
_FREE = f"1,000 digits, lambda 0, {_HOW}"
_L2 = f"1,000 digits, lambda 0.1, {_HOW}"
_ONE_DRAW = "the book shows one draw of the start weights"
_POINTS = "percentage points"


def _quote(
    value: str, settings: str, kind: str = "one run", if_it_differs: str = _ONE_DRAW
) -> Quote:
    return Quote(value, _BOOK, settings, kind, if_it_differs=if_it_differs)


_QUOTES = {
    "free best": _quote("82.27", f"{_FREE}, test", "best"),
    "free best epoch": _quote("374", f"{_FREE}, test; counted from 0"),
    "free early": _quote("81.92", f"{_FREE}, test, epoch 200 counted from 0"),
    "free marked": _quote("82.21", f"{_FREE}, test, epoch 280 counted from 0"),
    "free last": _quote("82.23", f"{_FREE}, test", "last"),
    "free gap": _quote("17.73", f"{_FREE}, 100 % less the best on test", "best"),
    "free first": _quote("67", f"{_FREE}, training; counted from 0"),
    "free always": _quote("73", f"{_FREE}, training; counted from 0"),
    "free lowest": _quote("1.2028", f"{_FREE}, test", "best"),
    "free lowest epoch": _quote("14", f"{_FREE}, test; counted from 0"),
    "free test cost": _quote("1.7731", f"{_FREE}, test", "last"),
    "free cost first": _quote("1.843", f"{_FREE}, training, after the first epoch"),
    "free cost": _quote("0.00420", f"{_FREE}, training", "last"),
    "l2 best": _quote("87.10", f"{_L2}, test", "best"),
    "l2 best epoch": _quote("383", f"{_L2}, test; counted from 0"),
    "l2 last": _quote("86.95", f"{_L2}, test", "last"),
    "l2 first": _quote("68", f"{_L2}, training; counted from 0"),
    "l2 always": _quote("72", f"{_L2}, training; counted from 0"),
    "l2 cost": _quote("0.1154", f"{_L2}, training", "last"),
    "l2 test cost": _quote(
        "0.8910", f"{_L2}, test, the penalty divided by the 10,000 test digits", "last"
    ),
    "l2 penalty": _quote("1.162", f"{_L2}, training, after the first epoch"),
    "l2 test penalty": _quote(
        "0.114",
        f"{_L2}, test, after the first epoch, divided by the 10,000 test digits",
        if_it_differs="the two penalties quoted have the ratio 10.2, where the formula says 10: "
        "they are not both exact",
    ),
}
_PARAMETERS = Quote(
    "23860", "book, chapter 3", "weights and biases of 784-30-10", "exact", of_data=False
)


@dataclass(frozen=True)
class _Plan:
    """Digits, epochs, and the epochs that are looked at, counted from 0."""

    n: int
    epochs: int
    early: int
    marked: int


def _measure(lab: Lab) -> Result:
    plan = lab.pick(_Plan(1_000, 400, 200, 280), _Plan(500, 60, 30, 42))
    runs = lab.compare(
        {"lambda 0": {}, "lambda 0.1": {"l2": 0.1 * plan.n / 1_000}},
        without(lab.data, "validation").take(plan.n),
        hidden=30,
        init="large",
        epochs=plan.epochs,
        batch_size=10,
        learning_rate=0.5,
        evaluate_train=True,
    )

    def panels(figure: "Figure") -> None:
        _draw(figure, runs, plan)

    where = lab.pick(
        f"the book's epoch {plan.marked}, where it sees learning end",
        f"epoch {plan.marked + 1}, for the book's 280 in this short run",
    )
    n_parameters = Network([784, 30, 10], seed=0).n_parameters
    n_test = len(lab.data.test or ())
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1): "
            f"{n_parameters:,} weights and biases",
            "training": f"the first {plan.n:,} training digits, {plan.epochs} epochs, batch size "
            "10, learning rate 0.5",
            "evaluated": "on the test set, as in the book; no choice follows from it here",
        },
        (
            Measured("weights and biases", (float(n_parameters),), "", _PARAMETERS, digits=0),
            *_accuracies(runs, plan),
            *_costs(runs, plan, len(lab.data.test.x) if lab.data.test else 0),
        ),
        _claims(runs, plan),
        (
            Picture(
                "panels",
                f"Training cost and test accuracy, both from epoch {plan.early + 1} on, test cost "
                f"and training accuracy of {n_parameters:,} weights and biases on {plan.n:,} "
                "digits; mean and band, from lowest to highest, of the seeds; costs without the "
                f"penalty. Dotted: {where}. {_after_the_mark(runs, plan)}",
                panels,
                slides=(13,),
                size=(8.4, 6.2),
            ),
        ),
        remarks=(
            "The slide's text does not say that its digits are so few. Its cost is that of "
            "one output, while the network has ten: here, as in the book's program, the cost of a "
            "digit is the sum over its ten outputs.",
            "network2.py counts epochs from 0, and so do the rows here; the picture counts from 1. "
            "It divides the penalty of a cost by the size of the set that is evaluated, so that on "
            f"{n_test:,} test digits {plan.n / n_test:g} of the penalty on {plan.n:,} training "
            "digits is left. nnlearn's costs of all sets have the penalty that was trained with; "
            "the costs quoted for lambda 0.1 are put beside loss and penalty added up in "
            "network2.py's way.",
        ),
    )


def _after_the_mark(runs: Comparison, plan: _Plan) -> str:
    """How training cost and test accuracy go on without a penalty, from the mark to the end."""
    group = runs["lambda 0"]
    cost, accuracy = (
        [
            Measured("", values, unit, digits=digits)
            for values in (
                tuple(
                    math.nan if run.error else value
                    for run, value in zip(
                        group, at(group, column, plan.marked + 1, scale), strict=True
                    )
                ),
                last(group, column, scale),
            )
        ]
        for column, scale, unit, digits in (
            ("train_loss", 1.0, "", 4),
            ("test_accuracy", 100.0, "%", 2),
        )
    )
    return (
        "From there to the end, with lambda 0, the training cost goes from "
        f"{' to '.join(map(mean_in_words, cost))}, the test accuracy from "
        f"{' to '.join(map(mean_in_words, accuracy))}."
    )


def _claims(runs: Comparison, plan: _Plan) -> tuple[Claim, Claim]:
    test = {name: last(group, "test_accuracy") for name, group in runs.items()}
    train = {name: last(group, "train_accuracy") for name, group in runs.items()}
    gap = {name: differences(train[name], test[name]) for name in runs}
    return (
        Claim(
            f"on {plan.n:,} digits L2 raises the test accuracy",
            differences(test["lambda 0.1"], test["lambda 0"]),
            _POINTS,
            "book, chapter 3; slide 17",
        ),
        Claim(
            f"on {plan.n:,} digits L2 shrinks the gap between training and test accuracy",
            differences(gap["lambda 0"], gap["lambda 0.1"]),
            _POINTS,
            "book, chapter 3",
        ),
    )


def _accuracies(runs: Comparison, plan: _Plan) -> list[Measured]:
    rows = []
    for name, key in (("lambda 0", "free"), ("lambda 0.1", "l2")):
        group = runs[name]
        test = "test_accuracy"
        top = best(group, test)
        gap = differences(last(group, "train_accuracy"), top)
        every = "every training digit is right, from 0"
        right = [whole([] if run.error else run.history["train_accuracy"]) for run in group]
        found = (
            ("best", "best test accuracy", top, "%"),
            (
                "best epoch",
                "epoch of the best test accuracy, from 0",
                _from_zero(epoch_of_best(group, test)),
                "",
            ),
            ("early", f"test accuracy at epoch {plan.early}", at(group, test, plan.early + 1), "%"),
            (
                "marked",
                f"test accuracy at epoch {plan.marked}",
                at(group, test, plan.marked + 1),
                "%",
            ),
            ("last", "last test accuracy", last(group, test), "%"),
            ("gap", "training less best test accuracy", gap, _POINTS),
            ("first", f"first epoch after which {every}", tuple(r[0] for r in right), ""),
            ("always", f"epoch after which always {every}", tuple(r[1] for r in right), ""),
        )
        for short, what, values, unit in found:
            quote = _QUOTES.get(f"{key} {short}")
            if quote or short == "gap":
                digits = 2 if unit else 1
                lost = stuck(group) if unit == "%" else None
                rows.append(Measured(f"{name}: {what}", values, unit, quote, lost, digits=digits))
    return rows


def _costs(runs: Comparison, plan: _Plan, n_test: int) -> list[Measured]:
    free, l2 = runs["lambda 0"], runs["lambda 0.1"]
    lowest = best(free, "test_loss", 1.0, lowest=True)
    rows = (
        ("free lowest", "lambda 0: lowest test cost", lowest, 4),
        (
            "free lowest epoch",
            "lambda 0: epoch of the lowest test cost, from 0",
            _from_zero(epoch_of_best(free, "test_loss")),
            1,
        ),
        ("free test cost", "lambda 0: last test cost", last(free, "test_loss", 1.0), 4),
        (
            "free cost first",
            "lambda 0: training cost after the first epoch",
            at(free, "train_loss", 1, 1.0),
            3,
        ),
        ("free cost", "lambda 0: last training cost", last(free, "train_loss", 1.0), 5),
        (
            "l2 cost",
            "lambda 0.1: last training cost, with the penalty",
            network2_cost(l2, "train_loss", plan.n, plan.n),
            4,
        ),
        (
            "l2 test cost",
            "lambda 0.1: last test cost, with network2.py's penalty",
            network2_cost(l2, "test_loss", plan.n, n_test),
            4,
        ),
        ("l2 penalty", "lambda 0.1: penalty after the first epoch", at(l2, "penalty", 1, 1.0), 3),
        (
            "l2 test penalty",
            "lambda 0.1: network2.py's penalty of the test cost after the first epoch",
            at(l2, "penalty", 1, plan.n / n_test),
            3,
        ),
    )
    return [
        Measured(what, values, "", _QUOTES[key], lower_is_better="cost" in what, digits=digits)
        for key, what, values, digits in rows
    ]


def _from_zero(epochs: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(epoch - 1.0 for epoch in epochs)


def whole(accuracy: npt.ArrayLike) -> tuple[float, float]:
    """The first epoch, from 0, of accuracy 1, and the first from which on it is always 1."""
    right = np.asarray(accuracy) == 1.0
    first = float(np.argmax(right)) if right.any() else math.nan
    wrong = np.flatnonzero(~right)
    start = int(wrong[-1]) + 1 if wrong.size else 0
    return first, float(start) if start < right.size else math.nan


# ---- the picture ---------------------------------------------------------------------------------


def _draw(figure: "Figure", runs: Comparison, plan: _Plan) -> None:
    panels = (
        ("train_loss", "cost on the training data (nats)", plan.early),
        ("test_accuracy", "accuracy on the test data (%)", plan.early),
        ("test_loss", "cost on the test data (nats)", 0),
        ("train_accuracy", "accuracy on the training data (%)", 0),
    )
    for ax, (column, label, first) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        if not plot_epochs(runs, column, ax):
            continue
        ax.get_legend().remove()
        ax.get_lines()[-1].set_linestyle("--")
        ax.set(ylabel=label, xlim=(first + 1, plan.epochs))
        _fit_height(ax, runs, column, first)
        ax.axvline(plan.marked + 1, color=ink(), linewidth=1, linestyle=":")
    handles = ax.get_lines()[:-1]  # the last one is the mark
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)


def _fit_height(ax: "Axes", runs: Comparison, column: str, first: int) -> None:
    """Let the axis of values span what is seen, from epoch `first`, counted from 0, on."""
    scale = 100.0 if "accuracy" in column else 1.0
    values = np.concatenate(
        [
            scale * np.asarray(run.history[column])[first:]
            for group in runs.values()
            for run in group
        ]
    )
    values = values[np.isfinite(values)]
    if values.size:
        margin = 0.05 * float(np.ptp(values)) or 1.0
        ax.set_ylim(values.min() - margin, values.max() + margin)


experiment = Experiment(
    name="overfitting",
    title="Overfitting on few digits",
    question="When does a network stop learning what helps on new digits, and does L2 help?",
    slides=(13,),
    measure=_measure,
    seconds=(0.8, 12.0),
    quotes={**_QUOTES, "parameters": _PARAMETERS},
)
