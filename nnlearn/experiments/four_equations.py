"""The four equations of backpropagation, each evaluated and checked by central differences."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._bands import tidy
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS
from nnlearn.tables import Table
from nnlearn.testing import numerical_gradient, relative_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]
_LAYERS = (6, 5, 4, 3)


def _sigmoid(z: _Array) -> _Array:
    return 1.0 / (1.0 + np.exp(-z))


def _slope(z: _Array) -> _Array:
    return _sigmoid(z) * (1.0 - _sigmoid(z))


def _measure(lab: Lab) -> Result:
    rng = np.random.default_rng(lab.seeds[0])
    x, y = rng.random((1, _LAYERS[0])), rng.random((1, _LAYERS[-1]))
    net = Network(list(_LAYERS), cost="quadratic", dtype="float64", seed=lab.seeds[0])
    weights = [np.array(w) for w in net.weights]
    biases = [np.array(b) for b in net.biases]
    z, a = _forward(weights, biases, x)
    deltas = _deltas(weights, z, a, y)
    core = net.inspect(x, y)
    rows = []
    for layer in reversed(range(len(weights))):
        kind = "BP1" if layer == len(weights) - 1 else "BP2"
        measured = _by_z(weights, biases, z, a, y, layer)
        rows.append((kind, layer + 1, deltas[layer], measured, core.delta[layer]))
    gradient = net.cost_and_gradient(x, y)[1]
    names = [name for name in gradient if name.endswith("weight")]
    for layer in range(len(weights)):
        bias, weight = deltas[layer][0], np.outer(a[layer][0], deltas[layer][0])
        for kind, formula, start, suffix in (
            ("BP3", bias, biases[layer], "bias"),
            ("BP4", weight, weights[layer], "weight"),
        ):
            cost = _Cost(weights, biases, x, y, suffix == "weight", layer)
            measured = numerical_gradient(cost, start)
            name = names[layer].removesuffix("weight") + suffix
            rows.append((kind, layer + 1, formula, measured, gradient[name]))
    rows.sort(key=lambda row: (row[0], row[1]))
    table = Table(
        ["equation", "layer", "against central differences", "against the core"],
        [
            (kind, layer, relative_error(measured, formula), relative_error(theirs, formula))
            for kind, layer, formula, measured, theirs in rows
        ],
        "Largest relative error of each equation",
        formats={"against central differences": ".1e", "against the core": ".1e"},
    )

    def deviations(figure: "Figure") -> None:
        _draw(figure, table)

    return Result(
        {
            "network": "6-5-4-3, sigmoid, quadratic cost, double precision",
            "sample": "one, inputs and targets at random",
        },
        pictures=(
            Picture(
                "deviations",
                "Relative error of each equation in each layer: against central differences of the "
                "cost, and against what the core computes.",
                deviations,
                slides=(9,),
                size=(7.6, 3.2),
            ),
        ),
        tables=(table,),
        finding="Over equations and layers the relative error is at most "
        f"{max(table['against central differences']):.0e} against central differences and "
        f"{max(table['against the core']):.0e} against the core.",
        remarks=(
            "BP1: delta of the last layer is dC/da times sigma'(z). BP2: delta of a layer is that "
            "of the next one, taken back through its weights, times sigma'(z). BP3: the gradient "
            "by a bias is delta. BP4: by a weight it is the activation that enters times delta.",
        ),
    )


def _forward(
    weights: list[_Array], biases: list[_Array], x: _Array
) -> tuple[list[_Array], list[_Array]]:
    z: list[_Array] = []
    a = [x]
    for w, b in zip(weights, biases, strict=True):
        z.append(a[-1] @ w + b)
        a.append(_sigmoid(z[-1]))
    return z, a


def _deltas(weights: list[_Array], z: list[_Array], a: list[_Array], y: _Array) -> list[_Array]:
    """BP1 for the last layer, BP2 for the others."""
    found = [(a[-1] - y) * _slope(z[-1])]
    for layer in reversed(range(len(weights) - 1)):
        found.insert(0, (found[0] @ weights[layer + 1].T) * _slope(z[layer]))
    return found


def _by_z(
    weights: list[_Array],
    biases: list[_Array],
    z: list[_Array],
    a: list[_Array],
    y: _Array,
    layer: int,
) -> _Array:
    """dC/dz of a layer by central differences: what follows, with another z there."""

    def cost(z_here: _Array) -> float:
        output = _sigmoid(z_here)
        for w, b in zip(weights[layer + 1 :], biases[layer + 1 :], strict=True):
            output = _sigmoid(output @ w + b)
        return 0.5 * float(((output - y) ** 2).sum())

    gradient: _Array = numerical_gradient(cost, z[layer])
    return gradient


class _Cost:
    """The cost as a function of one layer's weights or biases."""

    def __init__(
        self,
        weights: list[_Array],
        biases: list[_Array],
        x: _Array,
        y: _Array,
        of_weights: bool,
        layer: int,
    ) -> None:
        self._weights, self._biases = list(weights), list(biases)
        self._x, self._y = x, y
        self._which = self._weights if of_weights else self._biases
        self._layer = layer

    def __call__(self, value: _Array) -> float:
        self._which[self._layer] = value
        output = _forward(self._weights, self._biases, self._x)[1][-1]
        return 0.5 * float(((output - self._y) ** 2).sum())


def _draw(figure: "Figure", table: Table) -> None:
    ax = figure.subplots()
    labels = [f"{kind}\nlayer {layer}" for kind, layer, *_ in table.rows]
    columns = (("against central differences", "o"), ("against the core", "s"))
    for index, (column, marker) in enumerate(columns):
        values = np.maximum(table[column], 1e-17)
        ax.plot(values, marker, color=COLOURS[index], label=column.removeprefix("against "))
    tidy(ax, "", "relative error")
    ax.set(yscale="log", ylim=(5e-18, 1e-6))
    ax.set_xticks(range(len(labels)), labels, fontsize=8)
    ax.legend(frameon=False, loc="upper right", ncols=2, title="against", title_fontsize="small")


experiment = Experiment(
    name="four-equations",
    title="The four equations of backpropagation",
    question="Does each of BP1 to BP4 give what differences of the cost give?",
    slides=(9,),
    measure=_measure,
    seconds=(0.5, 0.5),
    widgets={9: ("Backprop", {})},
    needs_data=False,
)
