"""The error delta of the output layer by epoch, with both costs, in a toy and on digits."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _toy_neuron as neuron
from nnlearn.experiments._bands import plot_band
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.experiments._words import mean_in_words
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_RATES = {"quadratic": 3.0, "cross_entropy": 0.5}
#: So few digits that an epoch is short: 100 steps.
_ROWS = 1_000


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 10)
    runs = [(cost, seed) for seed in lab.seeds for cost in _RATES]
    found = dict(zip(runs, lab.each(lambda run: _train(lab, *run, epochs), runs), strict=True))
    sizes = {cost: np.array([found[cost, s][0] for s in lab.seeds]) for cost in _RATES}
    errors = {cost: np.array([found[cost, s][1] for s in lab.seeds]) for cost in _RATES}
    toy = {
        cost: neuron.measured(cost, *neuron.path(cost, *neuron.STARTS[1], 0.15, 300))["gradient"]
        for cost in neuron.COSTS
    }

    def curves(figure: "Figure") -> None:
        _draw(figure, toy, sizes)

    def first(cost: str) -> tuple[float, ...]:
        return tuple(errors[cost][:, 1])

    return Result(
        {
            "toy": "one sigmoid unit from (2, 2), rate 0.15",
            "network": "784-30-10, sigmoid, large weights N(0, 1), which saturate the units: a bad "
            "start",
            "training": f"the first {_ROWS:,} training digits, {epochs} epochs, batch size 10, "
            "learning rate 3 for the quadratic cost and 0.5 for cross-entropy",
        },
        tuple(
            Measured(f"{cost.replace('_', '-')}: training error after the first epoch", first(cost))
            for cost in _RATES
        ),
        (
            Claim(
                "from a bad start cross-entropy has fewer training errors after the first epoch",
                differences(first("quadratic"), first("cross_entropy")),
                "percentage points",
                "slide 6",
            ),
        ),
        (
            Picture(
                "deltas",
                "The size of delta at the output by epoch, with both costs from a bad start: the "
                "toy neuron, and the mean over outputs and digits in a network (mean and band over "
                "the seeds).",
                curves,
                slides=(6,),
                size=(8.0, 3.6),
            ),
        ),
        finding=_finding(toy, sizes),
        remarks=(
            "With the quadratic cost delta has the factor sigma'(z): the toy's is small at first "
            "although its output is wrong, and grows as the unit leaves saturation. In the "
            "network, where it is a mean over units in all states, it only stays below "
            "cross-entropy's, whose delta is the error itself. Large weights and few digits were "
            "chosen to make the start bad and an epoch short.",
        ),
    )


def _finding(toy: Mapping[str, _Array], sizes: Mapping[str, _Array]) -> str:
    """How large delta is at first, and how it goes on, with both costs."""
    said = []
    for cost in _RATES:
        most = int(toy[cost].argmax())
        begin, end = (Measured("", tuple(sizes[cost][:, epoch]), "", digits=3) for epoch in (0, -1))
        said.append(
            f"{cost.replace('_', '-')}: the toy's is {toy[cost][0]:.3f} at first, at most "
            f"{toy[cost][most]:.3f} (epoch {most}); the network's goes from "
            f"{mean_in_words(begin)} to {mean_in_words(end)}"
        )
    return f"Delta with {'; with '.join(said)}."


def _train(lab: Lab, cost: str, seed: int, epochs: int) -> tuple[list[float], list[float]]:
    """The mean size of delta, and the training error in %, at the start and after each epoch.

    Of a network that diverges the sizes as far as it came, then NaN, and no error: NaN.
    """
    rows = lab.data.train[:_ROWS]
    net = Network([784, 30, 10], cost=cost, init="large", seed=seed, n_threads=1)
    sizes: list[float] = []
    errors: list[float] = []

    def look(network: Network, history: Any) -> None:
        inside = network.inspect(rows.x, rows.y)
        sizes.append(float(np.abs(inside.delta[-1]).mean()))
        errors.append(100.0 * float(np.mean(inside.a[-1].argmax(axis=1) != rows.y)))

    def watch(network: Network, history: History) -> bool:
        look(network, history)
        return lab.halted(network, history)

    look(net, None)
    try:
        net.fit(
            rows,
            epochs=epochs,
            batch_size=10,
            learning_rate=_RATES[cost],
            callbacks=watch,
            verbose=0,
        )
    except FloatingPointError:
        missing = [math.nan] * (epochs + 1 - len(sizes))
        return sizes + missing, [math.nan] * (epochs + 1)
    return sizes, errors


def _draw(
    figure: "Figure",
    toy: dict[str, npt.NDArray[np.float64]],
    sizes: dict[str, npt.NDArray[np.float64]],
) -> None:
    left, right = figure.subplots(1, 2)
    for index, cost in enumerate(_RATES):
        line, label = ("-", "--")[index], cost.replace("_", "-")
        left.plot(
            np.abs(toy[cost]), color=COLOURS[index], linestyle=line, linewidth=1.8, label=label
        )
        epoch = np.arange(sizes[cost].shape[1])
        plot_band(right, epoch, sizes[cost], index, label, linestyle=line, marker="")
    left.set(title="toy neuron", ylabel=r"$|\delta|$")
    right.set(title="784-30-10", ylabel=r"mean $|\delta^L|$", yscale="log")
    left.legend(frameon=False)
    for ax in (left, right):
        finish(ax)


experiment = Experiment(
    name="deltas",
    title="The error at the output, with both costs",
    question="How large is delta from a bad start, and how does it change?",
    slides=(6,),
    measure=_measure,
    seconds=(1.5, 12.0),
)
