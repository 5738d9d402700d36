"""The network that the book's chapter 6 begins with: one hidden layer and softmax."""

from typing import TYPE_CHECKING

from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.plotting import plot_comparison
from nnlearn.plotting._style import LINES, legend_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPOCHS = 60

_QUOTES = {
    "test accuracy": Quote(
        "97.80",
        "book, chapter 6",
        "test accuracy at the epoch of best validation accuracy, no penalty",
        "best of three",
        if_it_differs="the book's program draws the hidden weights from N(0, 1/n_out) where n_in "
        "was meant, eight times the variance, starts the softmax layer from zeros, and does not "
        "shuffle",
    ),
}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(_EPOCHS, 6)
    runs = lab.compare(
        {"784-100-10, softmax": {"hidden": 100, "cost": "log_likelihood"}},
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
    )
    (group,) = runs.values()
    chosen = tuple(100.0 * (1.0 - run.best_test_error) for run in group)

    def curves(figure: "Figure") -> None:
        ax = figure.subplots()
        if not any(len(run.history) for run in group):
            say_diverged(ax)
            return
        plot_comparison(runs, ["error", "val_error", "test_error"], ax)
        for line, style in zip(ax.get_lines(), LINES, strict=False):
            line.set(linestyle=style)
        ax.legend(**legend_style(f"mean and range of {len(group)} seeds"))

    return Result(
        {
            "network": "784-100-10, sigmoid, softmax outputs with log-likelihood, scaled weights",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.1, no penalty",
        },
        (
            Measured(
                "test accuracy at the best validation epoch",
                chosen,
                "%",
                _QUOTES["test accuracy"],
                stuck(group),
            ),
            Measured("test accuracy, last epoch", last(group, "test_accuracy"), stuck=stuck(group)),
            Measured("best validation accuracy", best(group, "val_accuracy")),
        ),
        pictures=(
            Picture(
                "curves",
                "Error by epoch on the digits trained on (while they are trained on), on "
                "validation and on test digits: mean over the seeds and the band from lowest to "
                "highest.",
                curves,
            ),
        ),
    )


experiment = Experiment(
    name="shallow",
    title="One hidden layer and softmax: where chapter 6 begins",
    question="What does a network without convolution reach, the book's baseline?",
    slides=(),
    measure=_measure,
    seconds=(1.0, 30.0),
    quotes=_QUOTES,
)
