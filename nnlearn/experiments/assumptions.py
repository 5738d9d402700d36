"""The two assumptions that backpropagation makes of a cost, checked for each cost here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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
_APART = ("of a batch less the mean of its samples'", "a sample's less that by its outputs alone")


def _measure(lab: Lab) -> Result:
    rows = lab.data.train[:_N]
    found = {}
    for cost, output in _COSTS.items():
        net = Network([784, 20, Dense(10, output)], cost=cost, dtype="float64", seed=lab.seeds[0])
        each = np.array([net.loss(rows.x[i : i + 1], rows.y[i : i + 1]) for i in range(_N)])
        whole = net.loss(rows.x, rows.y)
        outputs = net.inspect(rows.x, rows.y).a[-1]
        found[cost] = (each, whole, _of_outputs(cost, outputs, rows.y))

    def costs(figure: "Figure") -> None:
        axes = figure.subplots(1, len(found))
        for ax, (cost, (each, whole, alone)) in zip(axes, found.items(), strict=True):
            place = np.arange(1, _N + 1)
            order = np.argsort(each)
            ax.plot(place, each[order], color=COLOURS[0], linewidth=1.8, label="by the network")
            few = slice(None, None, 10)
            dots = {"color": COLOURS[2], "markersize": 4, "label": "by the outputs alone"}
            ax.plot(place[few], alone[order][few], "o", **dots)
            ax.axhline(whole, color=COLOURS[1], linestyle="--", linewidth=1.5, label="of the batch")
            ax.set(title=cost.replace("_", "-"), xlabel="sample, by its cost")
            ax.grid(True, alpha=0.25)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("cost")
        lines, names = axes[0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside lower center", ncols=3, frameon=False)

    return Result(
        {"networks": f"784-20-10 in double precision, untrained; {_N} digits"},
        pictures=(
            Picture(
                "costs",
                f"The cost of each of {_N} samples, sorted: by the network, and for every tenth by "
                "a formula of its outputs alone. Dashed: the cost of them all as one batch, which "
                "is their mean.",
                costs,
                slides=(8,),
                size=(8.8, 3.2),
            ),
        ),
        finding=_finding(found),
        tables=(
            Table(
                ["cost", "of a batch", *_APART],
                [
                    (
                        cost,
                        whole,
                        abs(whole - float(each.mean())),
                        float(np.abs(each - alone).max()),
                    )
                    for cost, (each, whole, alone) in found.items()
                ],
                "Both assumptions in numbers",
                formats=dict.fromkeys(_APART, ".1e"),
            ),
        ),
        remarks=(
            "First, the cost of a batch is the mean of its samples' costs, so that the gradient "
            "is the mean of theirs. Second, a sample's cost depends on the network by its outputs "
            "and its label alone: each is worked out once more from those by its formula.",
        ),
    )


def _finding(found: Mapping[str, tuple[npt.NDArray[np.float64], float, Any]]) -> str:
    apart = max(abs(whole - float(each.mean())) for each, whole, _ in found.values())
    alone = max(float(np.abs(each - other).max()) for each, _, other in found.values())
    return (
        f"For all {len(found)} costs the batch's is the mean of its samples' to {apart:.0e}, and "
        f"each sample's follows from its outputs to {alone:.0e}."
    )


def _of_outputs(
    cost: str, a: npt.NDArray[np.float64], y: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """The cost of each sample by its outputs and label alone."""
    target = np.eye(a.shape[1])[y]
    right = a[np.arange(len(y)), y]
    if cost == "quadratic":
        found = 0.5 * ((a - target) ** 2).sum(axis=1)
    elif cost == "cross_entropy":
        found = -(target * np.log(a) + (1.0 - target) * np.log(1.0 - a)).sum(axis=1)
    elif cost == "log_likelihood":
        found = -np.log(right)
    else:  # a margin of 1 below the right output, which itself is in the sum
        found = np.maximum(0.0, a - right[:, None] + 1.0).sum(axis=1) - 1.0
    return np.asarray(found, np.float64)


experiment = Experiment(
    name="assumptions",
    title="Two assumptions about the cost",
    question="Is a batch's cost the mean of its samples', and a function of the outputs alone?",
    slides=(8,),
    measure=_measure,
    seconds=(0.5, 0.5),
)
