"""The slides' way to lambda: the rate without it, lambda by tens and finer, then the rate again."""

import math
from typing import TYPE_CHECKING, Any

from nnlearn.comparison import Comparison
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import BOOKS_N, Lab, best, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import plot_learning_rates, plot_penalties
from nnlearn.recipes.penalties import Penalties, find_l2
from nnlearn.recipes.rates import LearningRates, find_learning_rate
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Copies by which a rate and a penalty are found, as many as by default.
_COPIES = 3
#: What the seeds of the check are away from those.
_AWAY = 1_000
#: The rate, should the search find none.
_RATE = 0.5
_VARIANTS = ("rate found, no penalty", "lambda found", "rate found again")
_FIRST, _SECOND, _THIRD = _VARIANTS


def _measure(lab: Lab) -> Result:
    epochs, longer = lab.pick((10, 30), (4, 8))
    network = Network([784, 30, 10], seed=lab.seeds[0])
    rates = find_learning_rate(network, lab.data.train, seeds=_COPIES, n_jobs=lab.n_jobs, verbose=0)
    rate = rates.suggestion or _RATE
    found = _find_l2(lab, network, rate, epochs)
    variants: dict[str, dict[str, Any]] = {_FIRST: {"learning_rate": rate}}
    if found:
        l2 = found.suggestion
        variants[_SECOND] = {"learning_rate": rate, "l2": l2}
        variants[_THIRD] = {"learning_rate": found.learning_rate, "l2": l2}
    away = [_AWAY + seed for seed in lab.seeds]
    runs = lab.compare(variants, hidden=30, epochs=longer, seeds=away)
    how = "" if rates.suggestion else " (the search found none)"
    then = "every lambda diverged"
    if found:
        then = f"lambda {found.suggestion:g}, with it learning rate {found.learning_rate:g}"
    steps = (rates.table(), found.table()) if found else (rates.table(),)
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy",
            "search": f"{_COPIES} copies each: find_learning_rate without a penalty; find_l2 by "
            f"tens from {lab.l2(1.0):g} (1.0 in the book), {epochs} epochs, then 1, 2, 5 "
            "between, then the rate doubled and halved",
            "check": f"{longer} epochs with what was found, other starts, the test set",
            "found": f"learning rate {rate:g}{how} without a penalty, {then}",
        },
        _rows(lab, runs),
        _claims(lab, runs),
        (
            Picture(
                "lambda",
                "The three steps: the learning rate without a penalty; the validation accuracy by "
                "lambda at half its threshold, the best with a ring; with that lambda the learning "
                "rate again, a dot for each copy.",
                lambda figure: _draw(figure, rates, found),
                slides=(35,),
                size=(9.0, 3.8),
            ),
        ),
        (*steps, _steps(rates, found)),
        remarks=(
            "The search chooses what is best on the validation set, so that its own numbers are "
            "a little too good: the claims are about the test set and other starts.",
            f"It looks at {epochs} epochs, and the check at more: a rate that is ahead after a few "
            "may end lower.",
        ),
        finding=_finding(lab, rate, found),
    )


def _finding(lab: Lab, rate: float, found: Penalties | None) -> str:
    """Which lambda was found, and whether another rate with it."""
    if not found:
        return "With every lambda that was tried training diverges."
    books = found.suggestion * BOOKS_N / len(lab.data.train)  # of equal lambda / n
    again = found.learning_rate
    same = f"the same learning rate, {again:g}, is the best of those tried again"
    other = f"another learning rate does better, {again:g} in place of {rate:g}"
    best_is = f"lambda {found.suggestion:g} ({books:g} for as many digits as in the book)"
    return (
        f"The search finds {best_is if books else 'no penalty to be the best'}; with it "
        f"{same if again == rate else other}, by the validation accuracy."
    )


def _find_l2(lab: Lab, network: Network, rate: float, epochs: int) -> Penalties | None:
    """What `find_l2` finds; None where a copy diverges with every penalty."""
    try:
        return find_l2(
            network,
            lab.data,
            learning_rate=rate,
            start=lab.l2(1.0),
            epochs=epochs,
            seeds=_COPIES,
            n_jobs=lab.n_jobs,
            verbose=0,
        )
    except FloatingPointError:
        return None


def _rows(lab: Lab, runs: Comparison) -> tuple[Measured, ...]:
    rows = []
    for name in _VARIANTS:
        group = runs.get(name, ())
        tested = _tested(lab, runs, name)
        accuracy = best(group, "val_accuracy") or tested
        rows += [
            Measured(f"{name}: best validation accuracy", accuracy),
            Measured(f"{name}: last test accuracy", tested, stuck=stuck(group)),
        ]
    return tuple(rows)


def _tested(lab: Lab, runs: Comparison, name: str) -> tuple[float, ...]:
    """The test accuracies; NaN where there was nothing to train with."""
    return last(runs.get(name, ()), "test_accuracy") or (math.nan,) * len(lab.seeds)


def _claims(lab: Lab, runs: Comparison) -> tuple[Claim, ...]:
    first, second, third = (_tested(lab, runs, name) for name in _VARIANTS)
    return (
        Claim(
            "with the lambda that was found the test set is predicted better than without one",
            differences(second, first),
            "percentage points",
            "slide 35",
        ),
        Claim(
            "with the rate that was found again it is predicted better still",
            differences(third, second),
            "percentage points",
            "slide 35",
        ),
    )


def _steps(rates: LearningRates, found: Penalties | None) -> Table:
    """What each step came to, in words."""
    verdict = found.verdict if found else "Training diverges with every lambda tried."
    rows = [("learning rate, lambda 0", rates.verdict), ("lambda, then the rate", verdict)]
    return Table(["step", "what it came to"], rows, "The steps")


def _draw(figure: "Figure", rates: LearningRates, found: Penalties | None) -> None:
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.0, 1.25, 0.8))
    plot_learning_rates(rates, ax=left)
    left.set_title("1. η with λ = 0", fontsize="medium")
    low, high = left.get_ylim()
    left.set_ylim(low, high * (high / low) ** 0.5)  # room for the legend
    legend = left.get_legend()
    handles, labels = legend.legend_handles, [text.get_text() for text in legend.get_texts()]
    left.legend(
        handles,
        labels,
        title="learning rate",
        fontsize="x-small",
        frameon=False,
        title_fontsize="small",
        ncols=1,
        loc="upper right",
    )
    if not found:
        say_diverged(middle)
        say_diverged(right)
        return
    plot_penalties(found, ax=middle)
    middle.set_title(f"2. λ at η = {found.held_rate:g}", fontsize="medium")
    middle.set_xlabel("λ")
    low, high = middle.get_ylim()
    middle.set_ylim(low - 0.45 * (high - low), high)
    middle.legend(fontsize="x-small", frameon=False, loc="lower left")
    middle.tick_params("x", rotation=30)
    _draw_rates(right, found)


def _draw_rates(ax: "Axes", found: Penalties) -> None:
    """The rates that were tried with the best penalty."""
    from matplotlib.ticker import FixedLocator, NullLocator

    from nnlearn.plotting import COLOURS

    tried = sorted(
        (t for t in found.trials if t.l2 == found.suggestion and t.best),
        key=lambda trial: trial.learning_rate,
    )
    scaled = found.measure.scaled
    where = [trial.learning_rate for trial in tried]
    ax.plot(where, [scaled(trial.mean) for trial in tried], "o-", color=COLOURS[0], linewidth=1.8)
    for trial in tried:
        values = [scaled(value) for value in trial.best]
        ax.plot([trial.learning_rate] * len(values), values, ".", color="#777777", markersize=4)
        if trial.learning_rate == found.learning_rate:
            ring: dict[str, Any] = {
                "markersize": 13,
                "markerfacecolor": "none",
                "markeredgewidth": 1.8,
            }
            ax.plot(trial.learning_rate, scaled(trial.mean), "o", color=COLOURS[1], **ring)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(where))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:.3g}")
    ax.tick_params("x", rotation=45)
    ax.margins(x=0.25)
    tidy(ax, "learning rate", "validation accuracy (%)")
    ax.set_title(f"3. η again, λ = {found.suggestion:g}", fontsize="medium")


experiment = Experiment(
    name="lambdas",
    title="The regularisation parameter",
    question="Which lambda, and does it ask for another learning rate?",
    slides=(35,),
    measure=_measure,
    seconds=(1.5, 25.0),
)
