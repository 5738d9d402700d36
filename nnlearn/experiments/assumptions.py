"""The two assumptions that backpropagation makes of a cost, checked for each cost here."""

from typing import TYPE_CHECKING

import numpy as np

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N = 200
#: Each cost with an output activation that it goes with.
_COSTS = {
    "quadratic": "sigmoid",
    "cross_entropy": "sigmoid",
    "log_likelihood": "softmax",
    "hinge": "linear",
}
_APART = ("less the mean of its samples'", "by outputs alone, less it")


def _measure(lab: Lab) -> Result:
    rows = lab.data.train[:_N]
    found = {}
    for cost, output in _COSTS.items():
        net = Network([784, 20, Dense(10, output)], cost=cost, dtype="float64", seed=lab.seeds[0])
        each = np.array([net.loss(rows.x[i : i + 1], rows.y[i : i + 1]) for i in range(_N)])
        whole = net.loss(rows.x, rows.y)
        # The same outputs from another network: the last layer alone, fed with activations.
        tail = Network([20, Dense(10, output)], cost=cost, dtype="float64")
        tail.weights[0][...], tail.biases[0][...] = net.weights[1], net.biases[1]
        hidden = net.inspect(rows.x, rows.y).a[1]
        found[cost] = (each, whole, tail.loss(hidden, rows.y))

    def costs(figure: "Figure") -> None:
        axes = figure.subplots(1, len(found))
        for ax, (cost, (each, whole, _)) in zip(axes, found.items(), strict=True):
            order = np.sort(each)
            ax.plot(np.arange(1, _N + 1), order, color=COLOURS[0], linewidth=1.8)
            ax.axhline(whole, color=COLOURS[1], linestyle="--", linewidth=1.5)
            ax.set(title=cost.replace("_", "-"), xlabel="sample, by its cost")
            ax.grid(True, alpha=0.25)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("cost")

    return Result(
        {"networks": f"784-20-10 in double precision, untrained; {_N} digits"},
        pictures=(
            Picture(
                "costs",
                f"The cost of each of {_N} samples, sorted, and (dashed) the cost of them all as "
                "one batch: it is their mean.",
                costs,
                slides=(8,),
                size=(8.8, 2.8),
            ),
        ),
        tables=(
            Table(
                ["cost", "of the batch", *_APART],
                [
                    (cost, whole, abs(whole - float(each.mean())), abs(whole - tail))
                    for cost, (each, whole, tail) in found.items()
                ],
                "Both assumptions in numbers",
                formats=dict.fromkeys(_APART, ".1e"),
            ),
        ),
        remarks=(
            "First, the cost of a batch is the mean of its samples' costs, so that the gradient "
            "is the mean of theirs. Second, a sample's cost depends on the network by its outputs "
            "alone: another network, the last layer fed with the hidden activations, has the same.",
        ),
    )


experiment = Experiment(
    name="assumptions",
    title="Two assumptions about the cost",
    question="Is a batch's cost the mean of its samples', and a function of the outputs alone?",
    slides=(8,),
    measure=_measure,
    seconds=(0.5, 0.5),
)
