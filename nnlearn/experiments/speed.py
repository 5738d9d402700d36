"""Seconds an epoch takes: sample by sample, with a mini-batch as a matrix, and by the core."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.tables import Table

_Array = npt.NDArray[np.float64]
#: Gradients of two weights and two biases, in this order, summed over a batch.
_Gradients = list[_Array]
#: Inputs and targets give seconds, and the weights and biases after them.
_Way = Callable[[_Array, _Array], tuple[float, _Gradients]]

_SIZES, _BATCH, _RATE, _EPOCHS = (784, 30, 10), 10, 3.0, 30
#: Digits after which the weights of all ways are compared.
_CHECKED = 500
_LOOP, _MATRIX = "NumPy, sample by sample", "NumPy, a mini-batch as a matrix"
_CORE = {"float64": "nnlearn, double precision", "float32": "nnlearn, single precision"}

_NET = "784-30-10, batch 10, by network.py"
_QUOTES = {
    "seconds": Quote(
        "10",
        "book, chapter 1",
        f"about so many seconds an epoch; {_NET}",
        "one run",
        why_not="another machine: see the seconds here",
        of_data=False,
    ),
    "times": Quote(
        "2",
        "book, chapter 2, a problem",
        f"about so many times as fast with mini-batches as matrices; {_NET}",
        "one run",
        why_not="another machine: see the ratio among the seconds here",
        of_data=False,
    ),
}


def by_samples(parameters: _Gradients, x: _Array, targets: _Array) -> _Gradients:
    """The quadratic cost's gradients, one sample after the other, as network.py goes."""
    w1, w2, b1, b2 = parameters
    total = [np.zeros_like(p) for p in parameters]
    for sample, target in zip(x, targets, strict=True):
        a1 = _sigmoid(sample @ w1 + b1)
        a2 = _sigmoid(a1 @ w2 + b2)
        delta2 = (a2 - target) * a2 * (1.0 - a2)
        delta1 = (w2 @ delta2) * a1 * (1.0 - a1)
        found = (np.outer(sample, delta1), np.outer(a1, delta2), delta1, delta2)
        total = [a + b for a, b in zip(total, found, strict=True)]
    return total


def by_matrix(parameters: _Gradients, x: _Array, targets: _Array) -> _Gradients:
    """The same gradients of all samples at once, by products of matrices."""
    w1, w2, b1, b2 = parameters
    a1 = _sigmoid(x @ w1 + b1)
    a2 = _sigmoid(a1 @ w2 + b2)
    delta2 = (a2 - targets) * a2 * (1.0 - a2)
    delta1 = (delta2 @ w2.T) * a1 * (1.0 - a1)
    return [x.T @ delta1, a1.T @ delta2, delta1.sum(axis=0), delta2.sum(axis=0)]


def _sigmoid(z: _Array) -> _Array:
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


def _measure(lab: Lab) -> Result:
    n = lab.pick(len(lab.data.train), min(2_000, len(lab.data.train)))
    x = lab.data.train.x[:n].astype(np.float64)
    targets = np.eye(_SIZES[-1])[lab.data.train.y[:n]]
    repeats = lab.pick(2, 1)
    few = slice(0, _CHECKED)
    ways: dict[str, _Way] = {
        _LOOP: partial(_numpy_epoch, lab, by_samples),
        _MATRIX: partial(_numpy_epoch, lab, by_matrix),
        **{name: partial(_core_epoch, lab, dtype) for dtype, name in _CORE.items()},
    }
    seconds = {name: min(way(x, targets)[0] for _ in range(repeats)) for name, way in ways.items()}
    ends = [way(x[few], targets[few])[1] for way in ways.values()]
    apart = [
        max(float(np.abs(a - b).max()) for a, b in zip(own, ends[0], strict=True)) for own in ends
    ]
    columns = ["way", "seconds an epoch", f"seconds, {_EPOCHS} epochs"]
    columns += ["seconds: times as fast as sample by sample", "largest difference of a weight"]
    rows = [
        (name, taken, _EPOCHS * taken, seconds[_LOOP] / taken, far)
        for (name, taken), far in zip(seconds.items(), apart, strict=True)
    ]
    return Result(
        {
            "network": "784-30-10, sigmoid, quadratic cost, large weights",
            "epoch": f"{n:,} digits in mini-batches of {_BATCH}, learning rate {_RATE:g}, not "
            "shuffled and nothing evaluated, in one thread of nnlearn's",
            "time": f"the shorter of {repeats} epochs" if repeats > 1 else "of one epoch",
        },
        (
            Measured("sample by sample: seconds an epoch", (), "s", _QUOTES["seconds"]),
            Measured("a mini-batch as a matrix: times as fast", (), "", _QUOTES["times"]),
        ),
        tables=(
            Table(
                columns,
                rows,
                f"The same epoch, four times; the last column, after the first {len(x[few]):,} "
                "digits, against sample by sample",
                formats={**dict.fromkeys(columns[1:4], ".3g"), columns[4]: ".0e"},
            ),
        ),
        finding=f"With mini-batches as matrices NumPy is {rows[1][3]:.1f} times as fast as sample "
        f"by sample; nnlearn is {rows[2][3]:.0f} times as fast in double precision, "
        f"{rows[3][3]:.0f} times in single.",
        remarks=(
            f"The book says that its {_EPOCHS} epochs take a few minutes on the machines of its "
            "time. Its program also answers for the test set after each epoch, which is not timed "
            "here, and which it does sample by sample too.",
            f"After {len(x[few]):,} digits all ways have the same weights, up to rounding: they do "
            "the same work. At this rate differences grow with every step, so that after a whole "
            "epoch the weights may be others, by rounding alone.",
        ),
    )


def _network(lab: Lab, dtype: str) -> Network:
    settings: dict[str, Any] = {"cost": "quadratic", "init": "large", "dtype": dtype}
    return Network(list(_SIZES), seed=lab.seeds[0], n_threads=1, **settings)


def _numpy_epoch(
    lab: Lab,
    gradients: Callable[[_Gradients, _Array, _Array], _Gradients],
    x: _Array,
    targets: _Array,
) -> tuple[float, _Gradients]:
    """Seconds, and the weights and biases after them."""
    net = _network(lab, "float32")  # the start values of both precisions, up to rounding
    parameters = [np.array(p, np.float64) for p in (*net.weights, *net.biases)]
    begin = time.perf_counter()
    for place in range(0, len(x), _BATCH):
        rows = slice(place, place + _BATCH)
        found = gradients(parameters, x[rows], targets[rows])
        rate = _RATE / len(x[rows])
        parameters = [p - rate * g for p, g in zip(parameters, found, strict=True)]
    return time.perf_counter() - begin, parameters


def _core_epoch(lab: Lab, dtype: str, x: _Array, targets: _Array) -> tuple[float, _Gradients]:
    """The same by `fit`."""
    start, net = _network(lab, "float32"), _network(lab, dtype)
    for to, values in zip(
        (*net.weights, *net.biases), (*start.weights, *start.biases), strict=True
    ):
        to[...] = values
    rows, wanted = x.astype(dtype), targets.astype(dtype)
    begin = time.perf_counter()
    net.fit(
        rows, wanted, epochs=1, batch_size=_BATCH, learning_rate=_RATE, shuffle=False, verbose=0
    )
    seconds = time.perf_counter() - begin
    return seconds, [np.array(p, np.float64) for p in (*net.weights, *net.biases)]


experiment = Experiment(
    name="speed",
    title="Chapters 1 and 2: seconds an epoch",
    question="How long does an epoch take, and what does a mini-batch as one matrix save?",
    slides=(),
    measure=_measure,
    seconds=(0.5, 10.0),
    quotes=_QUOTES,
    most_seeds=1,
)
