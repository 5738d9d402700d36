"""The slides' way to lambda: the rate without it, lambda by tens and finer, then the rate again."""

from typing import TYPE_CHECKING, Any

from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last
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


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(10, 4)
    network = Network([784, 30, 10], seed=lab.seeds[0])
    rates = find_learning_rate(network, lab.data.train, seeds=_COPIES, n_jobs=lab.n_jobs, verbose=0)
    rate = rates.suggestion or _RATE
    how = "" if rates.suggestion else " (the search found none)"
    found = find_l2(
        network,
        lab.data,
        learning_rate=rate,
        start=lab.l2(1.0),
        epochs=epochs,
        seeds=_COPIES,
        n_jobs=lab.n_jobs,
        verbose=0,
    )
    variants = {
        "rate found, no penalty": {"learning_rate": rate},
        "lambda found": {"learning_rate": rate, "l2": found.suggestion},
        "rate found again": {"learning_rate": found.learning_rate, "l2": found.suggestion},
    }
    runs = lab.compare(
        variants,
        hidden=30,
        epochs=lab.pick(30, 8),
        seeds=[_AWAY + seed for seed in lab.seeds],
    )
    numbers = {
        name: {
            "best validation accuracy": best(group, "val_accuracy"),
            "last test accuracy": last(group, "test_accuracy"),
        }
        for name, group in runs.items()
    }
    rows = tuple(
        Measured(f"{name}: {what}", values)
        for name, one in numbers.items()
        for what, values in one.items()
    )
    tested = {name: one["last test accuracy"] for name, one in numbers.items()}
    names = list(variants)
    claims = (
        Claim(
            "with the lambda that was found the test set is predicted better than without one",
            differences(tested[names[1]], tested[names[0]]),
            "percentage points",
            "slide 35",
        ),
        Claim(
            "with the rate that was found again it is predicted better still",
            differences(tested[names[2]], tested[names[1]]),
            "percentage points",
            "slide 35",
        ),
    )
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy",
            "search": f"{_COPIES} copies each: find_learning_rate without a penalty; find_l2 by "
            f"tens from {lab.l2(1.0):g} (1.0 for 50,000 digits), {epochs} epochs, then 1, 2, 5 "
            "between, then the rate doubled and halved",
            "check": f"{lab.pick(30, 8)} epochs with what was found, other starts, the test set",
            "found": f"learning rate {rate:g}{how} without a penalty, lambda {found.suggestion:g}, "
            f"with it learning rate {found.learning_rate:g}",
        },
        rows,
        claims,
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
        (rates.table(), found.table(), _steps(rates, found)),
        remarks=(
            "The search chooses what is best on the validation set, so that its own numbers are "
            "a little too good: the claims are about the test set and other starts.",
            f"It looks at {epochs} epochs, and the check at more: a rate that is ahead after a few "
            "may end lower, since with a higher rate the accuracy jumps more from epoch to epoch.",
        ),
    )


def _steps(rates: LearningRates, found: Penalties) -> Table:
    """What each step came to, in words."""
    rows = [("learning rate, lambda 0", rates.verdict), ("lambda, then the rate", found.verdict)]
    return Table(["step", "what it came to"], rows, "The steps")


def _draw(figure: "Figure", rates: LearningRates, found: Penalties) -> None:
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
    ax.set_xlabel("learning rate")
    ax.set_ylabel("validation accuracy (%)")
    ax.set_title(f"3. η again, λ = {found.suggestion:g}", fontsize="medium")
    ax.grid(True, alpha=0.25, linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)


experiment = Experiment(
    name="lambdas",
    title="The regularisation parameter",
    question="Which lambda, and does it ask for another learning rate?",
    slides=(35,),
    measure=_measure,
    seconds=(1.5, 25.0),
)
