"""Weight decay alone: steps whose samples all have weight zero."""

import contextlib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, finish
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_RATE, _LAMBDA, _BATCH, _N, _EPOCHS = 0.5, 5.0, 10, 1_000, 10


def _measure(lab: Lab) -> Result:
    rows = lab.data.train[:_N]
    net = Network([784, 30, 10], dtype="float64", seed=lab.seeds[0], n_threads=1)
    weights, biases = [_flat(net.weights)], [_flat(net.biases)]

    def keep(network: Network, history: History) -> None:
        weights.append(_flat(network.weights))
        biases.append(_flat(network.biases))

    with contextlib.suppress(FloatingPointError):  # the table tells the epochs that are missing
        net.fit(
            rows,
            epochs=_EPOCHS,
            batch_size=_BATCH,
            learning_rate=_RATE,
            l2=_LAMBDA,
            sample_weight=np.zeros(len(rows)),
            callbacks=keep,
            verbose=0,
        )
    done = len(weights) - 1
    for values in (weights, biases):
        values += [np.full(values[0].shape, math.nan)] * (_EPOCHS - done)
    factor = 1.0 - _RATE * _LAMBDA / len(rows)
    steps = math.ceil(len(rows) / _BATCH)
    expected = [factor ** (steps * epoch) for epoch in range(_EPOCHS + 1)]
    apart = [
        float(np.abs(w / (share * weights[0]) - 1.0).max())
        for w, share in zip(weights, expected, strict=True)
    ]
    moved = max(float(np.abs(b - biases[0]).max()) for b in biases[: done + 1])

    def paths(figure: "Figure") -> None:
        _draw(figure, weights, biases, factor**steps)

    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, in double precision",
            "training": f"{_EPOCHS} epochs of {steps} steps, every sample weight 0, learning rate "
            f"{_RATE}, lambda {_LAMBDA:g}, n = {len(rows):,}: each step takes the factor "
            f"1 - eta lambda / n = {factor:g}",
        },
        pictures=(
            Picture(
                "paths",
                "Weights and biases by epoch, where the data term is nil: dots. Lines at the left: "
                "the start weight times (1 - eta lambda / n) to the number of steps.",
                paths,
                slides=(16,),
                size=(7.6, 3.2),
            ),
        ),
        tables=(
            Table(
                ["epoch", "share of the start left", "largest relative deviation of a weight"],
                [
                    (epoch, share, deviation if epoch <= done else "diverged")
                    for epoch, share, deviation in zip(
                        range(_EPOCHS + 1), expected, apart, strict=True
                    )
                ],
                f"Each of the {weights[0].size:,} weights against the formula",
                formats={"largest relative deviation of a weight": ".1e"},
            ),
        ),
        finding=(f"Training diverged in epoch {done + 1}. " if done < _EPOCHS else "")
        + f"After {count(done, 'epoch')} each of the {weights[0].size:,} weights is "
        f"the formula's {expected[done]:.4f} of its start within a relative {apart[done]:.2g}; the "
        f"largest change of any of the {biases[0].size} biases is {moved:g}.",
    )


def _draw(figure: "Figure", weights: list[_Array], biases: list[_Array], share: float) -> None:
    """Values by epoch, and what is left of a weight, `share` of it after each epoch."""
    axes = figure.subplots(1, 2, sharex=True)
    epoch = range(_EPOCHS + 1)
    ranked = np.argsort(weights[0])
    for place in ranked[[0, ranked.size // 10, ranked.size // 3, -ranked.size // 10, -1]]:
        values = [w[place] for w in weights]
        axes[0].plot(epoch, values, "o", color=COLOURS[0], markersize=4)
        fine = np.linspace(0, _EPOCHS, 101)
        axes[0].plot(fine, values[0] * share**fine, color=COLOURS[0], linewidth=1)
    for unit in range(5):
        axes[1].plot(epoch, [b[unit] for b in biases], "o-", color=COLOURS[1], markersize=4)
    for ax, title in zip(axes, ("five weights", "five biases"), strict=True):
        ax.axhline(0, color="#808080", linewidth=0.8)
        ax.set(title=title, ylabel="value")
        finish(ax)


def _flat(arrays: Iterable[npt.NDArray[Any]]) -> _Array:
    return np.concatenate([np.asarray(a, np.float64).ravel() for a in arrays])


experiment = Experiment(
    name="weight-decay",
    title="L2: weight decay alone",
    question="What does the penalty do to the weights where the data say nothing?",
    slides=(16,),
    measure=_measure,
    seconds=(0.1, 0.1),
)
