"""Softmax: its outputs, that they sum to 1, and how each answers to every weighted input."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.inspection import softmax_jacobian
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, LINES, finish
from nnlearn.testing import numerical_gradient

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

#: The weighted inputs that the book's page begins with, how far its sliders go, and the one moved.
_START, _FAR, _MOVED = (2.5, -1.0, 3.2, 0.5), 5.0, 3
_N = 1000  # weighted inputs drawn for the checks


def outputs(z: npt.ArrayLike) -> _Array:
    """Softmax of weighted inputs (n, k): the outputs of a network that hands them through."""
    rows = np.atleast_2d(np.asarray(z, np.float64))
    k = rows.shape[1]
    net = Network([k, Dense(k, "softmax")], init="zeros", dtype="float64", n_threads=1)
    net.weights[0][...] = np.eye(k)
    return net.forward(rows)


def _measure(lab: Lab) -> Result:
    drawn = np.random.default_rng(lab.seeds[0]).uniform(-_FAR, _FAR, (_N, len(_START)))
    found = outputs(drawn)
    jacobians = np.array([softmax_jacobian(a) for a in found])
    within = float(np.abs(found.sum(axis=1) - 1).max())
    own = np.eye(len(_START), dtype=bool)
    grows = (jacobians[:, own] > 0).all(axis=1)
    falls = (jacobians[:, ~own] < 0).all(axis=1)
    numeric = numerical_gradient(lambda z: float(outputs(z)[0, _MOVED]), np.array(_START))
    row = softmax_jacobian(outputs(_START)[0])[_MOVED]
    rows = [
        Measured(f"output {j} of the book's start", (float(a),), "", digits=3)
        for j, a in enumerate(outputs(_START)[0], 1)
    ]
    rows += [
        Measured(f"z drawn {_N} times: largest |sum of outputs - 1|, in units of 1e-15",
                 (1e15 * within,), "", digits=1),
        Measured("each output grows with its own z", (100.0 * float(grows.mean()),), "%"),
        Measured("each output falls with every other z", (100.0 * float(falls.mean()),), "%"),
        Measured("derivatives against central differences: largest deviation, in units of 1e-9",
                 (float(1e9 * np.abs(numeric - row).max()),), "", digits=3),
    ]  # fmt: skip
    return Result(
        {
            "outputs": f"softmax of {len(_START)} weighted inputs, double precision; first the "
            "book's, " + ", ".join(f"{z:g}" for z in _START),
            "checks": f"{_N} sets of weighted inputs, each uniform from {-_FAR:g} to {_FAR:g}",
        },
        tuple(rows),
        pictures=(
            Picture(
                "softmax",
                "The outputs at the book's weighted inputs; what becomes of them while the last "
                "weighted input moves: its own output grows, all others fall, the sum stays 1; "
                "and the derivatives, positive on the diagonal alone.",
                _panels,
                slides=(11,),
                size=(9.0, 3.2),
            ),
        ),
        finding=f"For {int((grows & falls).sum()):,} of {_N:,} sets of weighted inputs every "
        "output grows with its own weighted input and falls with every other; the outputs sum to 1 "
        f"within {within:.2g}.",
    )


def _panels(figure: "Figure") -> None:
    bars, curves, signs = figure.subplots(1, 3, width_ratios=(1.0, 1.25, 1.15))
    start = outputs(_START)[0]
    names = [f"z = {z:g}".replace("-", "\u2212") for z in _START]
    places = range(len(_START))
    drawn = bars.bar(places, start, color=COLOURS[: len(_START)], width=0.7)
    bars.bar_label(drawn, fmt="%.3f", padding=2, fontsize="small")
    finish(bars)
    bars.set(title=f"outputs, sum {start.sum():.3f}", ylabel="output", xlabel="", ylim=(0, 1))
    bars.set_xticks(places, names, fontsize="small")
    bars.grid(False, axis="x")

    moved = np.linspace(-_FAR, _FAR, 101)
    z = np.tile(_START, (len(moved), 1))
    z[:, _MOVED] = moved
    found = outputs(z)
    for j, a in enumerate(found.T):
        curves.plot(moved, a, color=COLOURS[j], linestyle=LINES[j], linewidth=1.8, label=f"{j + 1}")
    curves.plot(moved, found.sum(axis=1), color="#808080", linewidth=1.0, label="sum")
    finish(curves)
    curves.set(title="output 4's z moves", xlabel=r"$z_4$", ylim=(0, 1.05))
    curves.legend(frameon=False, fontsize="small", title="output", title_fontsize="small",
                  loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.8)  # fmt: skip
    _jacobian(signs, softmax_jacobian(start))


def _jacobian(ax: "Axes", jacobian: _Array) -> None:
    """The derivatives as squares in two colours, each with its sign and its number."""
    from matplotlib.patches import Rectangle

    k = len(jacobian)
    for (j, i), value in np.ndenumerate(jacobian):
        colour = COLOURS[0] if value > 0 else COLOURS[1]
        square = Rectangle((i + 0.04, j + 0.04), 0.92, 0.92, facecolor=colour, alpha=0.35)
        square.set_linewidth(0)
        ax.add_patch(square)
        text = f"{value:+.4f}".replace("-", "\u2212")
        ax.text(i + 0.5, j + 0.5, text, ha="center", va="center", fontsize="x-small")
    ax.set(xlim=(0, k), ylim=(k, 0), aspect="equal", title=r"$\partial a_j/\partial z_k$")
    ax.set(xlabel="weighted input k", ylabel="output j")
    middles = np.arange(k) + 0.5
    ax.set_xticks(middles, [str(number) for number in range(1, k + 1)])
    ax.set_yticks(middles, [str(number) for number in range(1, k + 1)])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


experiment = Experiment(
    name="softmax",
    title="Softmax and its monotonicity",
    question="What does softmax make of weighted inputs, and how does it answer when one moves?",
    slides=(11,),
    measure=_measure,
    seconds=(0.5, 0.5),
    widgets={11: ("SoftmaxExplorer", {"z": _START})},
    needs_data=False,
)
