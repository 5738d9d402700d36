"""Early stopping on the validation set: epochs saved, accuracy lost."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.comparison import Comparison, Run
from nnlearn.early_stopping import EarlyStopping
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting import plot_comparison
from nnlearn.plotting._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PATIENCE = 10


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
    trained = tuple(float(len(run.history)) for run in stopped)
    kept = tuple(100.0 * (1.0 - run.test_error) for run in stopped)
    best_epochs = tuple(_best_epoch(run) for run in stopped)
    end = last(whole, "test_accuracy")

    def curves(figure: "Figure") -> None:
        _draw(figure, runs)

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
            Measured("epoch whose weights are kept", best_epochs, "", digits=1),
            Measured("test accuracy with the weights kept", kept),
            Measured(f"test accuracy after {epochs} epochs", end),
            Measured("test accuracy lost", differences(end, kept), "percentage points"),
        ),
        pictures=(
            Picture(
                "curves",
                "Validation accuracy by epoch, mean and band over the seeds, on a logarithmic axis "
                "of epochs. Crosses: where each seed's training ended; dots: the epoch whose "
                "weights are kept.",
                curves,
                slides=(14,),
                size=(7.0, 3.8),
            ),
        ),
        remarks=(
            "The slide follows the accuracy on the test data. To stop by it is to select on the "
            "test set, whose accuracy is then no estimate for new digits: here the validation set "
            "decides, and the test set is looked at once, at the end.",
        ),
    )


def _best_epoch(run: Run) -> float:
    return float(run.history["epoch"][int(np.argmax(run.history["val_accuracy"]))])


def _draw(figure: "Figure", runs: Comparison) -> None:
    ax = figure.subplots()
    plot_comparison(Comparison({"to the end": runs["to the end"]}), "val_accuracy", ax=ax)
    for i, run in enumerate(runs["stopped early"]):
        accuracy = 100.0 * np.asarray(run.history["val_accuracy"])
        kept = int(np.argmax(accuracy))
        labels = ("weights kept", "training ended") if i == 0 else (None, None)
        style: dict[str, Any] = {"color": COLOURS[1], "linestyle": "none", "zorder": 3}
        ax.plot(kept + 1, accuracy[kept], marker="o", label=labels[0], **style)
        ax.plot(len(accuracy), accuracy[-1], marker="x", markersize=8, label=labels[1], **style)
    ax.set_xscale("log")
    epochs = len(runs["to the end"][0].history)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 400) if tick <= epochs]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_ylabel("validation accuracy (%)")
    ax.legend(loc="lower right", frameon=False)


experiment = Experiment(
    name="early-stopping",
    title="Early stopping by held-out digits",
    question="How many epochs does early stopping save, and what does it cost?",
    slides=(14,),
    measure=_measure,
    seconds=(1.0, 30.0),
)
