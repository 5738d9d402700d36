"""Overfitting on all digits, without a penalty and with one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnlearn.comparison import Comparison
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import (
    Lab,
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
from nnlearn.plotting import plot_train_validation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BOOK = "book, chapter 3 and its figures' data"
_HOW = "30 epochs, learning rate 0.5, batch size 10, large weights"
_FREE, _L2 = f"50,000 digits, lambda 0, {_HOW}", f"50,000 digits, lambda 5, {_HOW}"
_NAMES = ("lambda 0", "lambda 5")
_POINTS = "percentage points"

_QUOTES = {
    "lambda 0 best train": Quote("97.86", _BOOK, f"{_FREE}, training", "best"),
    "lambda 0 best test": Quote("95.33", _BOOK, f"{_FREE}, test", "best"),
    "lambda 0 last train": Quote("97.86", _BOOK, f"{_FREE}, training", "last"),
    "lambda 0 last test": Quote("95.31", _BOOK, f"{_FREE}, test", "last"),
    "lambda 0 gap": Quote("2.53", _BOOK, f"{_FREE}, best of both", "best"),
    "lambda 0 train cost": Quote("0.172", _BOOK, f"{_FREE}, training", "last"),
    "lambda 0 test cost": Quote("0.366", _BOOK, f"{_FREE}, test", "last"),
    "lambda 5 best train": Quote("97.12", _BOOK, f"{_L2}, training", "best"),
    "lambda 5 best test": Quote("96.49", _BOOK, f"{_L2}, test", "best"),
    "lambda 5 last train": Quote("96.47", _BOOK, f"{_L2}, training", "last"),
    "lambda 5 last test": Quote("95.61", _BOOK, f"{_L2}, test", "last"),
    "lambda 0 epoch": Quote("24", _BOOK, f"{_FREE}, test; counted from 0", "one run"),
    "lambda 5 epoch": Quote("28", _BOOK, f"{_L2}, test; counted from 0", "one run"),
    "lambda 5 train cost": Quote("0.392", _BOOK, f"{_L2}, training", "last"),
    "lambda 5 test cost": Quote(
        "0.977", _BOOK, f"{_L2}, test, the penalty divided by the 10,000 test digits", "last"
    ),
}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 8)
    runs = lab.compare(
        {"lambda 0": {}, "lambda 5": {"l2": lab.l2(5.0)}},
        without(lab.data, "validation"),
        hidden=30,
        init="large",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
        evaluate_train=True,
    )
    gaps = {
        name: differences(best(runs[name], "train_accuracy"), best(runs[name], "test_accuracy"))
        for name in _NAMES
    }

    n, n_test = len(lab.data.train), len(lab.data.test or ())

    def overlay(figure: "Figure") -> None:
        _draw(figure, runs, lab.pick(90, 70))

    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1)",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5",
        },
        tuple(row for name in _NAMES for row in _rows(lab, runs, name, gaps[name])),
        _claims(lab, runs, gaps),
        (
            Picture(
                "overlay",
                "Accuracy on training and on test digits by epoch, without a penalty and with one; "
                "mean and band, from lowest to highest, of the seeds.",
                overlay,
                size=(8.4, 3.6),
            ),
        ),
        remarks=(
            "A number of the last epoch and one of the best are two things: the rows have the mean "
            "and the standard deviation of both.",
            "network2.py divides the penalty of a cost by the size of the set that is evaluated: "
            f"on {n_test:,} test digits it is {n / n_test:g} times that of {n:,} training digits, "
            "and its test cost with L2 is no measure of overfitting. Epochs are counted from 0 as "
            "there.",
        ),
    )


def _claims(lab: Lab, runs: Comparison, gaps: Mapping[str, tuple[float, ...]]) -> tuple[Claim, ...]:
    n = len(lab.data.train)
    free, l2 = (best(runs[name], "test_accuracy") for name in _NAMES)
    under_one = Claim(
        "L2 brings the gap under 1 percentage point",
        tuple(1.0 - gap for gap in gaps["lambda 5"]),
        _POINTS,
        "book, chapter 3",
    )
    return (
        Claim(
            f"on {n:,} digits L2 raises the test accuracy of the best epoch",
            differences(l2, free),
            _POINTS,
            "book, chapter 3",
        ),
        Claim(
            f"on {n:,} digits L2 shrinks the gap between training and test accuracy",
            differences(gaps["lambda 0"], gaps["lambda 5"]),
            _POINTS,
            "book, chapter 3",
        ),
        *lab.pick((under_one,), ()),  # said of 50,000 digits alone
    )


def _rows(lab: Lab, runs: Comparison, name: str, gap: tuple[float, ...]) -> list[Measured]:
    group = runs[name]
    values = {
        "best train": ("best training accuracy", best(group, "train_accuracy")),
        "best test": ("best test accuracy", best(group, "test_accuracy")),
        "last train": ("last training accuracy", last(group, "train_accuracy")),
        "last test": ("last test accuracy", last(group, "test_accuracy")),
        "gap": ("best training less best test accuracy", gap),
    }
    rows = [
        Measured(
            f"{name}: {what}",
            found,
            _POINTS if key == "gap" else "%",
            _QUOTES.get(f"{name} {key}"),
            stuck(group) if key.endswith("test") else None,
        )
        for key, (what, found) in values.items()
    ]
    best_epochs = tuple(epoch - 1.0 for epoch in epoch_of_best(group, "test_accuracy"))
    what = f"{name}: epoch of the best test accuracy, from 0"
    rows.append(Measured(what, best_epochs, "", _QUOTES[f"{name} epoch"], digits=1))
    n, n_test = len(lab.data.train), len(lab.data.test.x) if lab.data.test else 0
    way = "" if name == "lambda 0" else ", with network2.py's penalty"
    for key, evaluated in (("train", n), ("test", n_test)):
        quote = _QUOTES[f"{name} {key} cost"]
        what = f"{name}: last {key.replace('train', 'training')} cost{way}"
        costs = network2_cost(group, f"{key}_loss", n, evaluated)
        rows.append(Measured(what, costs, "", quote, lower_is_better=True, digits=3))
    return rows


def _draw(figure: "Figure", runs: Comparison, lowest: float) -> None:
    axes = figure.subplots(1, len(_NAMES), sharey=True)
    for ax, name in zip(axes, _NAMES, strict=True):
        ax.set(title=name, ylim=(lowest, 100))
        if not any(len(run.history) for run in runs[name]):
            say_diverged(ax)
        else:
            shown = Comparison({"": runs[name]})
            plot_train_validation(shown, "accuracy", ax=ax, sets=("test", "train"))
            for line, style in zip(ax.get_lines(), ("-", "--"), strict=True):
                line.set_linestyle(style)
            ax.legend(frameon=False, loc="lower right")
        ax.label_outer()


experiment = Experiment(
    name="overfitting-full",
    title="Overfitting on all training digits",
    question="How much of the overfitting is left with all digits, and with L2?",
    slides=(),
    measure=_measure,
    seconds=(0.7, 12.0),
    quotes=_QUOTES,
)
