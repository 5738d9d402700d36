"""The slides' three learning rates, and how the rate is found: order of magnitude, then finer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnlearn.comparison import Comparison
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import or_nan, plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, best, differences, epoch_of_best, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import plot_learning_rates
from nnlearn.plotting._style import LINES
from nnlearn.recipes.rates import LearningRates, find_learning_rate
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATES = (0.025, 0.25, 2.5)
#: Copies that must learn by a rate, in one search.
_COPIES = 3
_SOURCE = "book, chapter 3 (figure's data); slide 33"
_COST = (
    "784-30-10, start weights N(0, 1/n_in), eta {}, lambda 5, 30 epochs, batch size 10, training "
    "cost with the penalty"
)
_SLOW, _GOOD, _FAST = (_COST.format(f"{rate:g}") for rate in _RATES)
_BY_HAND = "MNIST, by hand: the largest rate with which the training cost falls in the first epochs"

_QUOTES = {
    "0.025 first": Quote("0.878", _SOURCE, f"{_SLOW}, epoch 1", "one run"),
    "0.025 last": Quote("0.3392", _SOURCE, _SLOW, "last"),
    "0.25 first": Quote("0.495", _SOURCE, f"{_GOOD}, epoch 1", "one run"),
    "0.25 least": Quote("0.3200", _SOURCE, _GOOD, "best"),
    "0.25 when": Quote("22", _SOURCE, f"{_GOOD}; counted from 0", "one run"),
    "0.25 last": Quote("0.3388", _SOURCE, _GOOD, "last"),
    "2.5 least": Quote("0.725", _SOURCE, _FAST, "best"),
    "2.5 most": Quote("1.137", _SOURCE, f"{_FAST}, highest epoch", "one run"),
    "threshold": Quote("0.5", "book, chapter 3", _BY_HAND, "one run"),
    "suggestion": Quote("0.25", "book, chapter 3", f"half of it; {_BY_HAND}", "one run"),
}
#: What a row says of a number by its key.
_WORDS = {
    "first": "training cost, after epoch 1",
    "least": "training cost, lowest",
    "when": "epoch of the lowest training cost, from 0",
    "most": "training cost, highest",
    "last": "training cost, last epoch",
}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 8)
    data = without(lab.data, "test", "validation")
    runs = lab.compare(
        {f"{rate:g}": {"learning_rate": rate} for rate in _RATES},
        data,
        hidden=30,
        epochs=epochs,
        l2=lab.l2(5.0),
        evaluate_train=True,
    )
    column = "train_cost"
    numbers = {
        name: {
            "first": at(group, column, 1, 1.0),
            "least": best(group, column, 1.0, lowest=True),
            "when": tuple(epoch - 1.0 for epoch in epoch_of_best(group, column)),
            "most": best(group, column, 1.0),
            "last": last(group, column, 1.0),
        }
        for name, group in runs.items()
    }
    rows = [
        Measured(
            f"eta {name}: {_WORDS[when]}",
            numbers[name][when],
            "",
            _QUOTES[f"{name} {when}"],
            lower_is_better=True,
            digits=1 if when == "when" else 4,
        )
        for name, when in (key.split() for key in _QUOTES if " " in key)
    ]
    found = [_search(lab, seed) for seed in lab.seeds]
    thresholds = tuple(or_nan(one.threshold) for one in found)
    suggestions = tuple(or_nan(one.suggestion) for one in found)
    rows += [
        Measured("threshold of the learning rate", thresholds, "", _QUOTES["threshold"]),
        Measured("suggested learning rate", suggestions, "", _QUOTES["suggestion"], digits=3),
    ]
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, scaled start weights",
            "training": f"{epochs} epochs, batch size 10, lambda {lab.l2(5.0):g}",
            "search": f"find_learning_rate with {_COPIES} copies, no penalty, another {_COPIES} "
            "starts for each seed: by tens from 0.01, then 1, 2, 5 between; a rate works if the "
            "training loss falls in each of 3 epochs",
        },
        tuple(rows),
        _claims(numbers),
        (
            Picture(
                "rates",
                "Training cost by epoch for the three rates, mean over the seeds and the band "
                "from lowest to highest; and the search that the first seed's networks gave, each "
                "line one copy, dashed where the rate fails.",
                lambda figure: _draw(figure, runs, found[0]),
                slides=(33,),
                size=(9.0, 4.0),
            ),
        ),
        (_found_table(lab, found), found[0].table()),
        remarks=(
            *_spread(found),
            "The cost has the penalty in it, as the book's has. network2.py counts epochs from 0, "
            "and so does the row of the lowest cost's epoch; the picture counts from 1.",
            *_no_threshold(found),
        ),
    )


def _search(lab: Lab, seed: int) -> LearningRates:
    """One search, its copies from starts that no other seed's search has."""
    network = Network([784, 30, 10], seed=_COPIES * seed)
    train = lab.data.train
    return find_learning_rate(network, train, seeds=_COPIES, n_jobs=lab.n_jobs, verbose=0)


def _spread(found: Sequence[LearningRates]) -> tuple[str, ...]:
    """How far the thresholds of the seeds lie apart."""
    known = [one.threshold for one in found if one.threshold is not None]
    if len(known) < 2:
        return ()
    text = f"The thresholds of {len(known)} seeds lie between {min(known):g} and {max(known):g}"
    return (f"{text}. Half of one is a rate to begin with; nothing here says that it is the best.",)


def _no_threshold(found: Sequence[LearningRates]) -> tuple[str, ...]:
    """What is to be said where a search came to no end."""
    n = sum(one.threshold is None for one in found)
    if not n:
        return ()
    seeds = count(n, "seed")
    return (f"With {seeds} of {len(found)} no threshold was found: no value, as if diverged.",)


def _claims(numbers: dict[str, dict[str, tuple[float, ...]]]) -> tuple[Claim, ...]:
    low, middle, high = (numbers[f"{rate:g}"] for rate in _RATES)
    return (
        Claim(
            "the cost falls faster at first with eta 0.25 than with 0.025",
            differences(low["first"], middle["first"]),
            "",
            "slide 33",
        ),
        Claim(
            "with eta 2.5 the cost ends higher than with 0.25",
            differences(high["last"], middle["last"]),
            "",
            "slide 33",
        ),
    )


def _found_table(lab: Lab, found: list[LearningRates]) -> Table:
    head = ["starts", "rates tried", "threshold", "suggestion"]
    rows = [
        (
            f"{_COPIES * seed} to {_COPIES * seed + _COPIES - 1}",
            ", ".join(f"{trial.learning_rate:g}" for trial in one.trials),
            one.threshold,
            one.suggestion,
        )
        for seed, one in zip(lab.seeds, found, strict=True)
    ]
    formats = {"threshold": "g", "suggestion": "g"}
    return Table(head, rows, "The search with every seed", formats=formats)


def _draw(figure: "Figure", runs: Comparison, found: LearningRates) -> None:
    left, right = figure.subplots(1, 2)
    named = Comparison({f"$\\eta$ = {name}": group for name, group in runs.items()})
    if plot_epochs(named, "train_cost", left):
        left.set_ylabel("training cost")
        left.set_ylim(bottom=0.0)
        left.set_ylim(top=1.35 * left.get_ylim()[1])
        for line, style in zip(left.get_lines(), LINES, strict=False):
            line.set_linestyle(style)
        note = left.get_legend().get_title().get_text()
        left.legend(title=note or None, title_fontsize="small", frameon=False)
    left.set_title("three rates", fontsize="medium")
    plot_learning_rates(found, ax=right)
    right.set_title("order of magnitude, then refined", fontsize="medium")
    low, high = right.get_ylim()
    right.set_ylim(low, high * (high / low) ** 0.6)  # room for the legend


experiment = Experiment(
    name="learning-rates",
    title="The learning rate",
    question="What do three learning rates do, and how is a good one found?",
    slides=(33,),
    measure=_measure,
    seconds=(1.5, 24.0),
    quotes=_QUOTES,
)
