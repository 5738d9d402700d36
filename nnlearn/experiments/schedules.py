"""The slides' schedule: the rate is divided on no improvement, until it is a thousandth."""

from typing import TYPE_CHECKING, Any

from nnlearn.comparison import Comparison
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting import COLOURS
from nnlearn.schedules import Cosine, DropOnPlateau
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATE = 0.5
_LINES = ("-", "--", "-.", ":")


def _measure(lab: Lab) -> Result:
    epochs, patience = lab.pick((100, 10), (24, 2))
    halves = DropOnPlateau(divide_by=2, patience=patience, n_drops=10)
    tenths = DropOnPlateau(divide_by=10, patience=patience, n_drops=3)
    variants: dict[str, dict[str, Any]] = {
        "constant": {"epochs": epochs},
        "halved on a plateau": {"schedule": halves},
        "a tenth on a plateau": {"schedule": tenths},
        "cosine": {"schedule": Cosine(epochs)},
    }
    runs = lab.compare(variants, hidden=30, batch_size=10, learning_rate=_RATE, l2=lab.l2(5.0))
    numbers = {
        name: {
            "last validation accuracy": last(group, "val_accuracy"),
            "best validation accuracy": best(group, "val_accuracy"),
            "last test accuracy": last(group, "test_accuracy"),
        }
        for name, group in runs.items()
    }
    rows = tuple(
        Measured(f"{name}: {what}", values, stuck=stuck(runs[name]) if "test" in what else None)
        for name, found in numbers.items()
        for what, values in found.items()
    )
    claims = tuple(
        Claim(
            f"{words} the network ends with a higher {what} than with a constant one",
            differences(numbers[name][f"last {what}"], numbers["constant"][f"last {what}"]),
            "percentage points",
            "slide 34",
        )
        for name, words in (
            ("halved on a plateau", "with a rate that is halved"),
            ("a tenth on a plateau", "with a rate that is divided by ten"),
        )
        for what in ("validation accuracy", "test accuracy")
    )

    def draw(figure: "Figure") -> None:
        _draw(figure, runs)

    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy",
            "training": f"batch size 10, learning rate {_RATE:g} at first, lambda {lab.l2(5.0):g}",
            "on a plateau": f"when the validation accuracy has not been better for {patience} "
            "epochs: divided by 2, and by the tenth time, at 1/1024, training ends; or by 10, and "
            "by the third time, at 1/1000, training ends",
            "beside them": f"a constant rate and half a cosine, {epochs} epochs each",
        },
        rows,
        claims,
        (
            Picture(
                "schedules",
                "Validation accuracy and learning rate by epoch, one network each from the same "
                "start; a dot where training ends.",
                draw,
                slides=(34,),
                size=(8.0, 5.0),
            ),
        ),
        (_table(runs, numbers),),
        remarks=(
            "A schedule by the validation accuracy chooses by it, a little; the test accuracy is "
            "free of that.",
        ),
        finding=_finding(numbers),
    )


def _finding(numbers: dict[str, dict[str, tuple[float, ...]]]) -> str:
    """The mean test accuracy that each rate ends with."""
    ends = {name: Measured("", found["last test accuracy"]) for name, found in numbers.items()}
    known = [f"{name} {row.mean:.2f} %" for name, row in ends.items() if row.known]
    return f"Mean test accuracy at the end of training: {', '.join(known)}." if known else ""


def _table(runs: Comparison, numbers: dict[str, dict[str, tuple[float, ...]]]) -> Table:
    head = ["rate", "epochs", "last rate", *next(iter(numbers.values()))]
    rows = []
    for name, group in runs.items():
        ended = [run.history for run in group if not run.error]
        epochs = [float(len(history)) for history in ended]
        rates = [float(history["learning_rate"][-1]) for history in ended]
        values = (Measured("", found).mean for found in numbers[name].values())
        rows.append((name, Measured("", tuple(epochs)).mean, min(rates, default=None), *values))
    formats = {"epochs": ".1f", "last rate": ".2g", **dict.fromkeys(head[3:], ".2f")}
    return Table(head, rows, "Means over the seeds", formats=formats)


def _draw(figure: "Figure", runs: Comparison) -> None:
    """The curves of the first seed with which no network diverged, else what there is of one."""
    of_seeds = [*zip(*runs.values(), strict=True)]
    ended = [group for group in of_seeds if not any(run.error for run in group)]
    shown = zip(runs, [*ended, *of_seeds][0], strict=True)
    first = {name: run.history for name, run in shown if len(run.history)}
    if not first:
        say_diverged(figure.subplots())
        return
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.8, 1.0))
    lows, highs = [], []
    for i, (name, history) in enumerate(first.items()):
        style: dict[str, Any] = {"color": COLOURS[i], "linestyle": _LINES[i], "linewidth": 1.5}
        accuracy = 100.0 * history["val_accuracy"]
        top.plot(history["epoch"], accuracy, label=name, **style)
        top.plot(history["epoch"][-1], accuracy[-1], "o", color=COLOURS[i], markersize=5)
        below.step(history["epoch"], history["learning_rate"], where="mid", **style)
        late = accuracy[len(accuracy) // 8 :]
        lows.append(float(late.min()))
        highs.append(float(accuracy.max()))
    low, high = min(lows), max(highs)
    top.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(first), frameon=False)
    below.axhline(_RATE / 1024, color="#808080", linewidth=0.8)
    below.text(1, _RATE / 1024 * 1.15, "1/1024 of the first rate", fontsize="small", va="bottom")
    below.set_yscale("log")
    tidy(top, "", "validation accuracy (%)")
    tidy(below, "epoch", "learning rate")
    below.margins(x=0.02)


experiment = Experiment(
    name="schedules",
    title="Learning rate schedules",
    question="Does a network end better when its learning rate falls as learning stalls?",
    slides=(34,),
    measure=_measure,
    seconds=(1.5, 55.0),
)
