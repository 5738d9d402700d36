"""Both costs and their gradients, for one output."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]
_COSTS = ("quadratic", "cross_entropy")


def curves(cost: str, y: int) -> tuple[_Array, _Array, _Array]:
    """Outputs a, the cost c(a) and dC/dz there, by a network of one unit."""
    z = np.linspace(-6.0, 6.0, 241)
    net = Network([1, 1], cost=cost, init="zeros", dtype="float64", n_threads=1)
    net.weights[0][...] = 1.0
    x, target = z[:, None], np.full((len(z), 1), float(y))
    inside = net.inspect(x, target)
    values = np.array([net.loss(row[None], target[:1]) for row in x])
    return inside.a[-1][:, 0], values, inside.delta[-1][:, 0]


def _measure(lab: Lab) -> Result:
    found = {(cost, y): curves(cost, y) for cost in _COSTS for y in (0, 1)}
    a = (np.arange(10_000) + 0.5) / 10_000  # midpoints: exact to 1e-9 for a parabola
    sixth = float(np.mean(a * (1.0 - a)))

    def panels(figure: "Figure") -> None:
        axes = figure.subplots(2, 2, sharex=True, sharey="row")
        for column, y in zip(axes.T, (0, 1), strict=True):
            for index, cost in enumerate(_COSTS):
                output, value, gradient = found[cost, y]
                style = {"color": COLOURS[index], "linestyle": ("-", "--")[index], "linewidth": 1.8}
                column[0].plot(output, value, label=cost.replace("_", "-"), **style)
                column[1].plot(output, gradient, **style)
            column[0].set_title(f"y = {y}")
            for ax in column:
                finish(ax)
                ax.set(xlabel="", xticks=(0, 0.25, 0.5, 0.75, 1))
            column[1].set(xlabel="output a", xticks=(0.0, 0.5, 1.0))
        axes[0, 0].set_ylabel("cost c(a)")
        axes[1, 0].set_ylabel(r"$\partial C/\partial z$")
        axes[0, 0].legend(frameon=False)

    return Result(
        {"unit": "one sigmoid output, one sample, double precision"},
        (Measured("mean of sigma' over outputs from 0 to 1", (sixth,), "", digits=6),),
        pictures=(
            Picture(
                "gradients",
                "Cost and gradient by the output, for targets 0 and 1. Where the output is wrong "
                "and saturated the quadratic cost's gradient vanishes, the cross-entropy's is "
                "largest.",
                panels,
                slides=(5,),
                size=(7.0, 4.8),
            ),
        ),
        finding=_finding(found),
        remarks=(
            "Cross-entropy is zero at y = a for y = 0 and y = 1 alone; between them its minimum is "
            "the entropy of y, still at a = y. The slide says only the first.",
            "Written out, with C = -[y ln a + (1 - y) ln(1 - a)], dC/da = (a - y) / (a (1 - a)); "
            "the slide writes the derivative of the bracket, whose sign is the other. The factor "
            "a (1 - a) = sigma'(z) cancels it, and dC/dz = a - y.",
            "The mean of sigma' over outputs is the integral of a (1 - a), 1/6. So the book "
            "divides the quadratic cost's learning rate of 3 by 6 for cross-entropy: 0.5.",
        ),
    )


def _finding(found: Mapping[tuple[str, int], tuple[_Array, _Array, _Array]]) -> str:
    """Both gradients by z where the unit is most wrong and where it is undecided, target 1."""
    output = found["quadratic", 1][0]
    places = (0, int(np.abs(output - 0.5).argmin()))
    said = [
        f"at output {output[i]:.3f} the quadratic cost's is {found['quadratic', 1][2][i]:.3f} and "
        f"cross-entropy's {found['cross_entropy', 1][2][i]:.3f}"
        for i in places
    ]
    return f"dC/dz for target 1: {'; '.join(said)}."


experiment = Experiment(
    name="cost-gradients",
    title="Both costs and their gradients",
    question="Where is each cost's gradient large, and where does it vanish?",
    slides=(5,),
    measure=_measure,
    seconds=(0.5, 0.5),
    needs_data=False,
)
