"""Softmax outputs with the log-likelihood: no learning slowdown either."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, LINES, finish, legend_style
from nnlearn.testing import numerical_gradient

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_COSTS = {
    "softmax, log-likelihood": "log_likelihood",
    "sigmoid, cross-entropy": "cross_entropy",
}
_CLASSES = 10
_UNTRAINED = 0  # the seed of the network whose deltas are drawn


def of_a_digit(x: npt.ArrayLike, y: int) -> tuple[_Array, _Array, _Array]:
    """Of one digit and an untrained network: a - y, delta, and delta by central differences.

    The last is the cost's derivative by the output biases, which shift the z alone.
    """
    net = Network(
        [784, 30, Dense(_CLASSES, "softmax")],
        cost="log_likelihood",
        seed=_UNTRAINED,
        dtype="float64",
        n_threads=1,
    )
    sample, label = np.asarray(x, np.float64)[None], np.array([y])
    inside = net.inspect(sample, label)
    bias = net.biases[-1]

    def loss(b: npt.NDArray[np.generic]) -> float:
        bias[...] = b
        return net.loss(sample, label)

    numeric = numerical_gradient(loss, bias.copy())
    return inside.a[-1][0] - np.eye(_CLASSES)[y], inside.delta[-1][0], numeric


def at_target(cost: str) -> tuple[_Array, _Array]:
    """The right class's output, and |dC/dz| there, while its z moves and all others are 0."""
    net = Network(
        [_CLASSES, Dense(_CLASSES, "softmax")],
        cost=cost,
        init="zeros",
        dtype="float64",
        n_threads=1,
    )
    net.weights[0][...] = np.eye(_CLASSES)
    z = np.zeros((201, _CLASSES))
    z[:, 0] = np.linspace(-6.0, 10.0, len(z))
    inside = net.inspect(z, np.tile(np.eye(_CLASSES)[0], (len(z), 1)))
    return inside.a[-1][:, 0], np.abs(inside.delta[-1][:, 0])


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 6)
    runs = lab.compare(
        {name: {"cost": cost} for name, cost in _COSTS.items()},
        hidden=30,
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
    )
    x, y = lab.data.test if lab.data.test is not None else lab.data.train
    digit = int(y[0])
    expected, delta, numeric = of_a_digit(x[0], digit)
    others = np.arange(_CLASSES) != digit
    rows = [
        Measured(
            "largest |delta - (a - y)| over the outputs, in units of 1e-15",
            (float(1e15 * np.abs(delta - expected).max()),),
            "",
            digits=1,
        ),
        Measured(
            "largest |delta - central differences|, in units of 1e-9",
            (float(1e9 * np.abs(delta - numeric).max()),),
            "",
            digits=2,
        ),
        Measured(
            "largest delta off target, which the slide takes for 0",
            (float(np.abs(numeric[others]).max()),),
            "",
            digits=3,
        ),
    ]
    for name, group in runs.items():
        rows += [
            Measured(f"{name}: test accuracy", last(group, "test_accuracy"), stuck=stuck(group)),
            Measured(
                f"{name}: best test accuracy", best(group, "test_accuracy"), stuck=stuck(group)
            ),
        ]
    return Result(
        {
            "networks": "784-30-10, sigmoid hidden units, scaled weights",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5, no penalty",
            "delta": f"one test digit, a {digit}, in a network before training",
        },
        tuple(rows),
        pictures=_pictures((expected, delta, digit), runs),
        remarks=(
            "The slide has dC/dz_j = 0 where y_j = 0: it uses the Jacobian's diagonal alone. Off "
            "target dC/dz_j = (-1/a_y)(-a_y a_j) = a_j, so that dC/dz_j = a_j - y_j for every j.",
        ),
    )


def _pictures(of_digit: tuple[_Array, _Array, int], runs: Comparison) -> tuple[Picture, ...]:
    expected, delta, digit = of_digit
    n_seeds = max(len(group) for group in runs.values())

    def panels(figure: "Figure") -> None:
        bars, slowdown, curves = figure.subplots(1, 3)
        _deltas(bars, expected, delta, digit)
        _slowdown(slowdown)
        curves.set_title("784-30-10 on digits")
        if not plot_epochs(runs, "val_error", curves):
            return
        for line, style in zip(curves.get_lines(), LINES, strict=False):
            line.set(linestyle=style)
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17)}
        curves.legend(**place, **legend_style(f"mean and range of {n_seeds} seeds"))

    return (
        Picture(
            "log-likelihood",
            "Left: delta of every output for one digit is a - y, off target too, where the slide "
            "has 0. Middle: the gradient at the right class's z: with softmax the quadratic cost "
            "vanishes where the answer is badly wrong, the log-likelihood is steepest. Right: "
            "validation error by epoch, mean and band from lowest to highest seed, beside sigmoid "
            "outputs with cross-entropy.",
            panels,
            slides=(12,),
            size=(9.0, 3.6),
        ),
    )


def _deltas(ax: "Axes", expected: _Array, delta: _Array, digit: int) -> None:
    from matplotlib import rcParams

    places = np.arange(_CLASSES)
    ax.bar(places, delta, 0.62, color=COLOURS[0], alpha=0.8, label=r"$\delta_j$")
    ink = rcParams["text.color"]
    ax.plot(places, expected, "_", color=ink, markersize=11, markeredgewidth=1.6, label="a - y")
    slide = np.where(places == digit, expected, 0.0)
    ax.plot(places, slide, "x", color=COLOURS[1], markersize=6, label="the slide's")
    finish(ax)
    ax.set(xlabel="output j", ylabel=r"$\partial C/\partial z_j$", title=f"one digit, a {digit}")
    ax.set_xticks(places)
    ax.legend(frameon=False, fontsize="small")


def _slowdown(ax: "Axes") -> None:
    for index, cost in enumerate(("log_likelihood", "quadratic")):
        a, size = at_target(cost)
        style: dict[str, Any] = {"color": COLOURS[index], "linestyle": LINES[index]}
        ax.plot(a, size, linewidth=1.8, label=cost.replace("_", "-"), **style)
    finish(ax)
    ax.set(xlabel="output of the right class, $a_y$", ylabel=r"$|\partial C/\partial z_y|$")
    ax.set(title="softmax outputs", ylim=(0, 1.02), xticks=np.linspace(0.0, 1.0, 5))
    ax.legend(frameon=False, fontsize="small")


experiment = Experiment(
    name="log-likelihood",
    title="Softmax with log-likelihood: no learning slowdown",
    question="Does the log-likelihood do for softmax what cross-entropy does for the sigmoid?",
    slides=(12,),
    measure=_measure,
    seconds=(1.0, 10.0),
)
