"""For who comes from network2.py, network3.py or CS231n: which setting gives which behaviour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.experiments._text_pictures import draw_table, table_height
from nnlearn.network import Network
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]
_WIDTHS = (15, 44, 46)

#: What the packages do, and what does the same here.
_SETTINGS = (
    ("network2.py", "SGD(..., eta, lmbda)", "fit(learning_rate=eta, l2=lmbda)"),
    ("", "large_weight_initializer()", 'Network(init="large")'),
    ("", "weights (n_out, n_in), columns of activations", "weights (n_in, n_out), rows"),
    ("", "accuracies are counts", "accuracies are shares in [0, 1]"),
    (
        "",
        "evaluation cost: lambda divided by the size of the evaluated set",
        "cost = loss + penalty with the training set's n, so that curves can be compared",
    ),
    ("", "save(filename), a JSON file", "nn.load_network2_json(filename)"),
    (
        "network3.py",
        "lmbda divided by the number of batches",
        "l2 = lmbda * batch_size",
    ),
    ("", "never shuffles, drops the last short batch", "shuffle=False, n a multiple of batch_size"),
    ("", "p_dropout on a layer's inputs", "Dropout(p) before that layer"),
    (
        "",
        "weights scaled by 1 - p at the test",
        "kept units divided by 1 - p in training: the same mean",
    ),
    ("", "softmax weights and biases start at 0", 'Dense(10, "softmax", init="zeros")'),
    ("CS231n", "reg, not divided by n", "l2 = reg * n"),
    ("", "dropout=keep probability, of the inputs too", "Dropout(1 - keep) before each layer"),
    ("", "sgd_momentum", "momentum=mu"),
    ("", "lr_decay each epoch", "schedule=nn.Exponential(lr_decay)"),
    ("", "batches drawn with replacement", "every sample once in an epoch"),
    ("", "best_params at the end", "early_stopping=nn.EarlyStopping(...)"),
)


#: Weights, gradient, velocity, samples, batch size and penalty give new weights and velocity.
_Step = Callable[[_Array, _Array, _Array, int, int, float], tuple[_Array, _Array]]


@dataclass(frozen=True)
class _Package:
    """A package's step, written down once more, and the settings that shall do the same here."""

    name: str
    layers: tuple[str, str]  # activations of the hidden and the output layer
    cost: str
    step: _Step
    penalty: float  # as the package counts it
    settings: Mapping[str, Any]


_ETA, _PENALTY, _REG, _MU = 0.5, 0.3, 0.003, 0.9
_BATCH, _N = 10, 60


def _network2_step(
    w: _Array, gradient: _Array, v: _Array, n: int, m: int, penalty: float
) -> tuple[_Array, _Array]:
    return (1.0 - _ETA * penalty / n) * w - _ETA * gradient, v


def _network3_step(
    w: _Array, gradient: _Array, v: _Array, n: int, m: int, penalty: float
) -> tuple[_Array, _Array]:
    return w - _ETA * (gradient + penalty * w / (n // m)), v


def _cs231n_step(
    w: _Array, gradient: _Array, v: _Array, n: int, m: int, penalty: float
) -> tuple[_Array, _Array]:
    return w - _ETA * (gradient + penalty * w), v


def _cs231n_momentum_step(
    w: _Array, gradient: _Array, v: _Array, n: int, m: int, penalty: float
) -> tuple[_Array, _Array]:
    v = _MU * v - _ETA * (gradient + penalty * w)
    return w + v, v


_SIGMOIDS, _SOFTMAX, _RELU = ("sigmoid", "sigmoid"), ("sigmoid", "softmax"), ("relu", "softmax")
_OF_REG = {"l2": _REG * _N}
_PACKAGES = (
    _Package(
        *("network2.py", _SIGMOIDS, "cross_entropy", _network2_step, _PENALTY), {"l2": _PENALTY}
    ),
    _Package(
        *("network3.py", _SOFTMAX, "log_likelihood", _network3_step, _PENALTY),
        {"l2": _PENALTY * _BATCH},
    ),
    _Package(*("CS231n, sgd", _RELU, "log_likelihood", _cs231n_step, _REG), _OF_REG),
    _Package(
        *("CS231n, sgd_momentum", _RELU, "log_likelihood", _cs231n_momentum_step, _REG),
        {**_OF_REG, "momentum": _MU},
    ),
)


def _measure(lab: Lab) -> Result:
    x = np.asarray(lab.data.train.x[:_N], np.float64)
    y = np.asarray(lab.data.train.y[:_N])
    deviations = [
        (package.name, _settings(package), _deviation(package, x, y)) for package in _PACKAGES
    ]
    far = max((d for _, _, d in deviations if d is not None), default=None)
    lost = [name for name, _, deviation in deviations if deviation is None]
    settings = Table(["", "there", "here"], _SETTINGS, "Which setting gives which behaviour")

    def draw(figure: "Figure") -> None:
        draw_table(figure, settings, _WIDTHS)

    return Result(
        {
            "checked": f"one epoch of each package's update, {_N} digits in batches of {_BATCH}, "
            f"learning rate {_ETA}, 784-20-10 in double precision, from the same start weights",
        },
        pictures=(
            Picture(
                "settings",
                "What the packages do, and the setting that does it here.",
                draw,
                slides=(47,),
                size=(8.2, table_height(settings, _WIDTHS)),
            ),
        ),
        tables=(
            Table(
                ["update", "settings here", "largest difference of a weight"],
                [(*known, "diverged" if d is None else d) for *known, d in deviations],
                "Their update, written in NumPy, against fit: after an epoch",
                formats={"largest difference of a weight": ".1e"},
            ),
        ),
        finding=_finding(far, lost),
        remarks=(
            "Not copied: network2.py's integer division of lmbda by n in Python 2, its double "
            "evaluation; network3.py's start weights of N(0, 1/n_out), and one dropout stream for "
            "all layers; CS231n's batch normalisation that stays in training mode at evaluation, "
            "and epsilon inside the root of RMSProp and Adam.",
        ),
    )


def _finding(far: float | None, lost: list[str]) -> str:
    """How far the weights are off, and for which updates training diverged."""
    text = f"With the settings of {' and '.join(lost)} training diverged." if lost else ""
    if far is None:
        return text
    of = "each other update" if lost else f"each of the {len(_PACKAGES)} updates"
    same = f"After an epoch of {of} no weight is off by more than {far:.1e}."
    return f"{text} {same}".strip()


def _settings(package: _Package) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in package.settings.items())


def _deviation(package: _Package, x: _Array, y: npt.NDArray[Any]) -> float | None:
    """The largest difference of a weight or bias after an epoch of theirs and of ours.

    None where training diverges.
    """
    from nnlearn.layers import Dense

    hidden, output = package.layers
    net = Network(
        [784, Dense(20, hidden), Dense(10, output)], cost=package.cost, dtype="float64", seed=1
    )
    theirs = [np.array(p) for p in (*net.weights, *net.biases)]
    try:
        net.fit(
            x,
            y,
            epochs=1,
            batch_size=_BATCH,
            learning_rate=_ETA,
            shuffle=False,
            verbose=0,
            **package.settings,
        )
    except FloatingPointError:
        return None
    velocities = [np.zeros_like(p) for p in theirs]
    for start in range(0, len(x), _BATCH):
        rows = slice(start, start + _BATCH)
        gradients = _gradients(theirs, package.layers, x[rows], y[rows])
        for i, gradient in enumerate(gradients):
            penalty = package.penalty if i < 2 else 0.0  # of weights, not of biases
            theirs[i], velocities[i] = package.step(
                theirs[i], gradient, velocities[i], len(x), _BATCH, penalty
            )
    ours = (*net.weights, *net.biases)
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))


def _gradients(
    parameters: list[_Array], layers: tuple[str, str], x: _Array, y: npt.NDArray[Any]
) -> list[_Array]:
    """The mean gradient of two weights and two biases, by backpropagation."""
    w1, w2, b1, b2 = parameters
    hidden, output = layers
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0.0) if hidden == "relu" else 1.0 / (1.0 + np.exp(-z1))
    slope = (z1 > 0) * 1.0 if hidden == "relu" else a1 * (1.0 - a1)
    z2 = a1 @ w2 + b2
    if output == "softmax":
        shares = np.exp(z2 - z2.max(axis=1, keepdims=True))
        a2 = shares / shares.sum(axis=1, keepdims=True)
    else:
        a2 = 1.0 / (1.0 + np.exp(-z2))
    delta2 = (a2 - np.eye(10)[y]) / len(x)
    delta1 = (delta2 @ w2.T) * slope
    return [x.T @ delta1, a1.T @ delta2, delta1.sum(axis=0), delta2.sum(axis=0)]


experiment = Experiment(
    name="coming-from",
    title="Coming from network2.py, network3.py or CS231n",
    question="Which setting gives which behaviour, and is a step then the same?",
    slides=(47,),
    measure=_measure,
    seconds=(0.2, 0.2),
)
