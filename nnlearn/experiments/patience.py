"""The slides' two rules of early stopping: no improvement in ten, and patience that grows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.comparison import Comparison, Run
from nnlearn.early_stopping import EarlyStopping
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import of_networks, or_nan, say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, epoch_of_best, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting import COLOURS
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: No network trains for longer.
_MOST = 400


def _rules(lab: Lab) -> dict[str, EarlyStopping]:
    """By their names, the last one the patience that grows; a quick run has a third of it.

    A limit of k holds from epoch k on: who has trained for long waits for long.
    """
    limits = lab.pick((10, 20, 50), (3, 7, 17))
    growing = {1: limits[0], **{limit: limit for limit in limits[1:]}}
    rules = {f"none in {limit}": EarlyStopping(patience=limit) for limit in limits[:2]}
    return {**rules, "growing": EarlyStopping(patience=growing)}


def _words(rule: EarlyStopping) -> str:
    """The rule as tables and pictures call it."""
    if isinstance(rule.patience, int):
        return f"no improvement in {rule.patience}"
    (_, first), *later = rule.patience.items()
    return "; ".join([f"in {first}", *(f"in {limit} from epoch {k}" for k, limit in later)])


def _measure(lab: Lab) -> Result:
    rules = _rules(lab)
    names = {name: _words(rule) for name, rule in rules.items()}
    runs = lab.compare(
        {name: {"early_stopping": rule} for name, rule in rules.items()},
        without(lab.data, "test"),
        hidden=30,
        learning_rate=0.5,
        l2=lab.l2(5.0),
        epochs=_MOST,
    )
    numbers = {name: _numbers(lab, group) for name, group in runs.items()}
    rows = tuple(
        Measured(f"{names[name]}: {what}", values, "" if "epoch" in what else "%")
        for name, found in numbers.items()
        for what, values in found.items()
    )
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy",
            "training": f"batch size 10, learning rate 0.5, lambda {lab.l2(5.0):g}, until the rule "
            f"ends it, {_MOST} epochs at most",
            "rule": "after k epochs without a better validation accuracy training ends, and the "
            "network of the best epoch is kept. Where k grows it is as large as the epochs "
            "trained",
        },
        rows,
        _claims(names, numbers),
        (
            Picture(
                "rules",
                "Validation accuracy by epoch of the network that was trained longest, and where "
                "each rule ends its training: the ring is the epoch that it keeps.",
                lambda figure: _draw(figure, runs, names),
                slides=(32,),
                size=(8.0, 3.8),
            ),
        ),
        (_table(names, numbers),),
        remarks=(
            "The slide says: ten, then twenty, then fifty. That twenty hold from epoch 20 on and "
            "fifty from epoch 50 on is this library's reading of it"
            f"{lab.pick('', ', and this short run takes a third of each')}.",
            "All rules watch the same training: with one seed the networks are the same, epoch by "
            "epoch, until a rule ends it. Patience that grows ends as early as the shortest where "
            "that is over before it has grown.",
            "A rule that waits longer watches the same epochs and more of them: it cannot keep a "
            "lower validation accuracy than a shorter one, so that this is no claim. The test "
            "accuracy, which no rule looks at, tells what is gained.",
        ),
    )


def _numbers(lab: Lab, runs: Sequence[Run]) -> dict[str, tuple[float, ...]]:
    """What became of the networks of one rule, a number for each seed."""
    test = lab.data.test
    assert test is not None
    ended = [None if run.error else run.history for run in runs]
    return {
        "epochs trained": tuple(or_nan(None if h is None else len(h)) for h in ended),
        "best epoch": epoch_of_best(runs, "val_accuracy"),
        "validation accuracy kept": best(runs, "val_accuracy"),
        "test accuracy kept": tuple(of_networks(lab, runs, lambda n: 100.0 * n.accuracy(test))),
    }


def _claims(
    names: Mapping[str, str], numbers: Mapping[str, Mapping[str, tuple[float, ...]]]
) -> tuple[Claim, ...]:
    first, *others = names
    return tuple(
        Claim(
            f'"{names[other]}" keeps a network with a higher test accuracy than "{names[first]}"',
            differences(numbers[other]["test accuracy kept"], numbers[first]["test accuracy kept"]),
            "percentage points",
            "slide 32" if other == "growing" else "",
        )
        for other in others
    )


def _table(names: dict[str, str], numbers: dict[str, dict[str, tuple[float, ...]]]) -> Table:
    head = ["rule", *next(iter(numbers.values()))]
    rows = [
        (names[name], *(Measured("", values).mean for values in found.values()))
        for name, found in numbers.items()
    ]
    formats = {column: ".1f" if "epoch" in column else ".2f" for column in head[1:]}
    return Table(head, rows, "Means over the seeds", formats=formats)


def _draw(figure: "Figure", runs: Comparison, names: dict[str, str]) -> None:
    """One seed's curve, and for each rule a line to the epoch kept, dotted to the end.

    Of the seeds with which no network diverged the one with the longest training.
    """
    import matplotlib

    ended = [group for group in zip(*runs.values(), strict=True) if not any(r.error for r in group)]
    if not ended:
        say_diverged(figure.subplots())
        return
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
    shown = max(ended, key=lambda group: max(len(run.history) for run in group))
    histories = {name: run.history for name, run in zip(runs, shown, strict=True)}
    longest = max(histories.values(), key=len)
    accuracy = 100.0 * longest["val_accuracy"]
    top.plot(longest["epoch"], accuracy, color=matplotlib.rcParams["text.color"], linewidth=1.0)
    low = float(np.quantile(accuracy, 0.03))
    top.set_ylim(low, float(accuracy.max()) + 0.15 * (float(accuracy.max()) - low))
    tidy(top, "", "validation accuracy (%)")
    for i, history in enumerate(histories.values()):
        kept, value = history.best("val_accuracy")
        end, colour = len(history), COLOURS[i]
        ring = {"markerfacecolor": "none", "markeredgewidth": 1.8, "zorder": 3}
        top.plot(kept, 100.0 * value, "o", color=colour, markersize=8 + 3 * (i % 2), **ring)
        below.plot([1, kept], [i, i], color=colour, linewidth=4, solid_capstyle="butt")
        below.plot([kept, end], [i, i], ":", color=colour, linewidth=2)
        below.plot(kept, i, "o", color=colour, markersize=8, **ring)
        below.plot(end, i, "|", color=colour, markersize=12, markeredgewidth=2.5)
        below.text(end + 0.01 * len(longest), i, f" {end}", va="center", fontsize="small")
    labels = [names[name].replace("; ", ";\n") for name in histories]
    below.set_yticks(range(len(histories)), labels, fontsize="small")
    below.set_ylim(len(histories) - 0.4, -0.6)
    below.set_xlim(0, 1.06 * len(longest))
    tidy(below, "epoch", "")
    for ax in (top, below):
        ax.grid(False, axis="y")


experiment = Experiment(
    name="patience",
    title="When to stop",
    question="How long should one wait for an improvement before training is ended?",
    slides=(32,),
    measure=_measure,
    seconds=(1.0, 27.0),
)
