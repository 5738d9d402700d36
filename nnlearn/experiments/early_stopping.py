"""Early stopping on the validation set: epochs saved, accuracy lost."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.comparison import Comparison
from nnlearn.early_stopping import EarlyStopping
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, epoch_of_best, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PATIENCE = 10
#: The picture leaves out the steep rise before this epoch.
_SHOWN_FROM = 5


def _measure(lab: Lab) -> Result:
    n, epochs = lab.pick((1_000, 400), (500, 60))
    runs = lab.compare(
        {"to the end": {}, "stopped early": {"early_stopping": EarlyStopping(patience=_PATIENCE)}},
        lab.data.take(n),
        hidden=30,
        init="large",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
    )
    whole, stopped = runs["to the end"], runs["stopped early"]
    trained = tuple(math.nan if run.error else float(len(run.history)) for run in stopped)
    kept = tuple(100.0 * (1.0 - run.test_error) for run in stopped)
    end = last(whole, "test_accuracy")

    def curves(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, width_ratios=(5, 2))
        _draw_curves(left, runs, epochs)
        _draw_pairs(right, kept, end, epochs)

    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1)",
            "training": f"the first {n:,} training digits, at most {epochs} epochs, batch size 10, "
            "learning rate 0.5, lambda 0",
            "rule": f"no better validation accuracy in {_PATIENCE} epochs; the weights of the best "
            "epoch are kept",
        },
        (
            Measured("epochs trained", trained, "", digits=1),
            Measured("epochs saved", tuple(epochs - e for e in trained), "", digits=1),
            Measured(
                "epoch whose weights are kept", epoch_of_best(stopped, "val_accuracy"), "", digits=1
            ),
            *_accuracies(runs, kept, end, epochs),
        ),
        pictures=(
            Picture(
                "curves",
                "Left: validation accuracy by epoch, on a logarithmic axis, mean and band, from "
                "lowest to highest, of the seeds; dots: the epochs whose weights are kept, "
                "crosses: where training ended. Right: test accuracy of each seed with the weights "
                "kept and with those at the end.",
                curves,
                slides=(14,),
                size=(8.4, 3.6),
            ),
        ),
        remarks=(
            "The slide follows the accuracy on the test data. To stop by it is to select on the "
            "test set, whose accuracy is then too good an estimate for new digits, by what the "
            "last row says. Here the validation set decides.",
            "On so few digits accuracy creeps up for hundreds of epochs after a first halt: "
            f"patience of {_PATIENCE} saves most of the epochs, and gives that creep away.",
        ),
    )


def _accuracies(
    runs: Comparison, kept: tuple[float, ...], end: tuple[float, ...], epochs: int
) -> tuple[Measured, ...]:
    """What stopping costs, and what choosing an epoch by the test set would add."""
    whole, stopped = runs["to the end"], runs["stopped early"]
    by_validation = tuple(100.0 * (1.0 - run.best_test_error) for run in whole)
    by_test = best(whole, "test_accuracy")
    return (
        Measured("test accuracy with the weights kept", kept, stuck=stuck(stopped)),
        Measured(f"test accuracy after {epochs} epochs", end, stuck=stuck(whole)),
        Measured("test accuracy lost", differences(end, kept), "percentage points"),
        Measured(
            f"of all {epochs} epochs, test accuracy at the best on validation",
            by_validation,
            stuck=stuck(whole),
        ),
        Measured(f"of all {epochs} epochs, best test accuracy", by_test, stuck=stuck(whole)),
        Measured(
            "what choosing by the test set adds to the number",
            differences(by_test, by_validation),
            "percentage points",
        ),
    )


def _draw_curves(ax: "Axes", runs: Comparison, epochs: int) -> None:
    whole = Comparison({"to the end": runs["to the end"]})
    if not plot_epochs(whole, "val_accuracy", ax):
        return
    ended = [run for run in runs["stopped early"] if not run.error]
    for i, run in enumerate(ended):
        accuracy = 100.0 * np.asarray(run.history["val_accuracy"])
        kept = int(np.argmax(accuracy))
        labels = ("weights kept", "training ended") if i == 0 else (None, None)
        style: dict[str, Any] = {"color": COLOURS[1], "linestyle": "none", "zorder": 3}
        ax.plot(kept + 1, accuracy[kept], marker="o", label=labels[0], **style)
        ax.plot(len(accuracy), accuracy[-1], marker="x", markersize=8, label=labels[1], **style)
    ax.set_xscale("log")
    ticks = [tick for tick in (5, 10, 20, 50, 100, 200, 400) if tick <= epochs]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(xlim=(_SHOWN_FROM, epochs), ylabel="validation accuracy (%)")
    seen = np.concatenate(
        [100.0 * run.history["val_accuracy"][_SHOWN_FROM - 1 :] for g in runs.values() for run in g]
    )
    seen = seen[np.isfinite(seen)]
    if seen.size:
        margin = 0.05 * float(np.ptp(seen)) or 1.0
        ax.set_ylim(seen.min() - margin, seen.max() + margin)
    ax.legend(loc="lower right", frameon=False)


def _draw_pairs(ax: "Axes", kept: tuple[float, ...], end: tuple[float, ...], epochs: int) -> None:
    for pair in zip(kept, end, strict=True):
        ax.plot((0, 1), pair, color=COLOURS[0], linewidth=1)
        ax.plot(0, pair[0], "o", color=COLOURS[1])
        ax.plot(1, pair[1], "s", color=COLOURS[0])
    ax.set_xticks((0, 1), ("weights\nkept", f"after\n{epochs} epochs"))
    tidy(ax, "", "test accuracy (%)")
    ax.set_xlim(-0.4, 1.4)


experiment = Experiment(
    name="early-stopping",
    title="Early stopping by held-out digits",
    question="How many epochs does early stopping save, and what does it cost?",
    slides=(14,),
    measure=_measure,
    seconds=(0.7, 11.0),
)
