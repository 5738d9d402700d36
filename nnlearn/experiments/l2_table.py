"""The slides' table with L2: 30 and 100 hidden units, lambda 5."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZES = (30, 100)
_SHORT = "30 epochs, batch size 10, learning rate 0.5, large weights"
_SLIDE = f"lambda 5, {_SHORT}, test error"
_FREE = f"lambda 0, {_SHORT}, test error"
_BOOK = f"lambda 5, {_SHORT}, validation"
_LONG = "lambda 5, 60 epochs, batch size 10, learning rate 0.1, large weights, validation"
_RUNS = "the book does not say of how many runs it is the best"

_QUOTES = {
    "30 hidden, lambda 0": Quote("4.86", "slide 10", _FREE, "last"),
    "30 hidden, lambda 5": Quote("4.03", "slide 17", _SLIDE, "last"),
    "100 hidden, lambda 0": Quote("3.00", "slide 10", _FREE, "last"),
    "100 hidden, lambda 5": Quote("2.56", "slide 17", _SLIDE, "last"),
    "100 book": Quote("97.92", "book, chapter 3", _BOOK, "best", if_it_differs=_RUNS),
    "100 long": Quote("98.04", "book, chapter 3", _LONG, "best", if_it_differs=_RUNS),
}


def _measure(lab: Lab) -> Result:
    epochs, long = lab.pick((30, 60), (6, 10))
    variants = {
        f"{units} hidden, {name}": {"hidden": units, "l2": l2, "epochs": epochs}
        for units in _SIZES
        for name, l2 in (("lambda 0", 0.0), ("lambda 5", lab.l2(5.0)))
    }
    slow = f"100 hidden, lambda 5, learning rate 0.1, {long} epochs"
    variants[slow] = {"hidden": 100, "l2": lab.l2(5.0), "epochs": long, "learning_rate": 0.1}
    runs = lab.compare(
        {name: {"learning_rate": 0.5, **own} for name, own in variants.items()},
        batch_size=10,
        init="large",
    )
    errors = {
        name: tuple(100.0 - value for value in last(group, "test_accuracy"))
        for name, group in runs.items()
    }

    def curves(figure: "Figure") -> None:
        _draw(figure, runs)

    return Result(
        {
            "networks": "784-30-10 and 784-100-10, sigmoid, cross-entropy, large weights N(0, 1)",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5; the book's "
            "lambda 5, scaled to these digits by equal lambda / n",
        },
        (*_rows(runs, errors), *_best_rows(runs, slow)),
        tuple(claim for units in _SIZES for claim in _claims(runs, errors, units)),
        (
            Picture(
                "curves",
                "Test error by epoch, with and without a penalty; mean and band, from lowest to "
                "highest, of the seeds.",
                curves,
                slides=(17,),
                size=(8.0, 3.6),
            ),
        ),
        remarks=(
            "The book's 97.92 and 98.04 % are accuracies on validation digits, its numbers for 30 "
            "hidden units on test digits; the slide's are test errors of the last epoch.",
            "With learning rate 0.5 and lambda 5 the test error goes up and down by what the rows "
            "say from each epoch to the next, in the last ten: an error of the last epoch is "
            "drawn from that. The last of these rows says how much the smaller rate, over more "
            "epochs, leaves of it.",
        ),
    )


def _rows(runs: Comparison, errors: Mapping[str, tuple[float, ...]]) -> list[Measured]:
    """The test errors, and how far they go up and down."""
    rows = [
        Measured(
            f"{name}: test error",
            values,
            quote=_QUOTES.get(name),
            stuck=stuck(runs[name]),
            lower_is_better=True,
        )
        for name, values in errors.items()
    ]
    change = "change of the test error from epoch to epoch"
    rows += [
        Measured(f"{name}: {change}", _steps(group), "percentage points")
        for name, group in runs.items()
    ]
    return rows


def _best_rows(runs: Comparison, slow: str) -> list[Measured]:
    return [
        Measured(
            f"{name}: best validation accuracy",
            best(runs[name], "val_accuracy"),
            quote=_QUOTES[key],
        )
        for name, key in (("100 hidden, lambda 5", "100 book"), (slow, "100 long"))
    ]


def _claims(
    runs: Comparison, errors: Mapping[str, tuple[float, ...]], units: int
) -> tuple[Claim, Claim]:
    free, l2 = f"{units} hidden, lambda 0", f"{units} hidden, lambda 5"
    return (
        Claim(
            f"with {units} hidden units L2 ends with fewer test errors",
            differences(errors[free], errors[l2]),
            "percentage points",
            "slide 17",
        ),
        Claim(
            f"with {units} hidden units L2 raises the test accuracy of the best epoch",
            differences(best(runs[l2], "test_accuracy"), best(runs[free], "test_accuracy")),
            "percentage points",
            "book, chapter 3",
        ),
    )


def _steps(runs: Iterable[Run]) -> tuple[float, ...]:
    """By how much the test error changes from one epoch to the next, in the last ten."""
    return tuple(
        math.nan
        if run.error
        else 100.0 * float(np.mean(np.abs(np.diff(run.history["test_accuracy"][-11:]))))
        for run in runs
    )


def _draw(figure: "Figure", runs: Comparison) -> None:
    axes = figure.subplots(1, len(_SIZES), sharey=True)
    for ax, units in zip(axes, _SIZES, strict=True):
        ax.set_title(f"784-{units}-10")
        shown = {n: runs[f"{units} hidden, {n}"] for n in ("lambda 0", "lambda 5")}
        if plot_epochs(Comparison(shown), "test_error", ax):
            ax.get_lines()[-1].set_linestyle("--")
            ax.legend(frameon=False)
        ax.label_outer()


experiment = Experiment(
    name="l2-table",
    title="L2: the table of errors",
    question="How many test errors does L2 save with 30 and with 100 hidden units?",
    slides=(17,),
    measure=_measure,
    seconds=(2.0, 62.0),
    quotes=_QUOTES,
)
