"""Numbers that the twin and nnlearn must both give: worked by hand, quoted, or kept from a run.

EXACT   steps of the optimisers on one linear unit, every operation exact in binary
TOY     the book's toy neuron (one input 1, target 0), output by epoch to four digits
GOLDEN  losses of three epochs on a fixed problem, which no later change may move by 1e-5
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from reference import Activation, Dense, Dropout

# ---------------------------------------------------------------- exact steps
# One linear unit, quadratic cost: z = w x + b, d = z - y, gradient (mean of d x, mean of d).
# If not said otherwise the one row is x = 2, y = 1, the start w = b = 1, eta = 1/4.


@dataclass(frozen=True)
class Exact:
    """What one unit is after each epoch: after[k] is (w, b) at the end of epoch k + 1."""

    name: str
    optimizer: str
    after: list[tuple[float, float]]
    settings: dict[str, Any] = field(default_factory=dict)  # of the optimiser, beside learning_rate
    fit: dict[str, Any] = field(default_factory=dict)
    x: tuple[float, ...] = (2,)
    y: tuple[float, ...] = (1,)
    start: tuple[float, float] = (1, 1)
    learning_rate: float = 1 / 4


EXACT = [
    # z = 3, d = 2, g = (4, 2): w = 1 - 1, b = 1 - 1/2.   z = 1/2, d = -1/2, g = (-1, -1/2).
    Exact("plain", "sgd", [(0, 1 / 2), (1 / 4, 5 / 8)]),
    # v = (-1, -1/2).   d = -1/2: v = (-1/2 + 1/4, -1/4 + 1/8) = (-1/4, -1/8).
    # z = -1/8, d = -9/8, g = (-9/4, -9/8): v = (-1/8 + 9/16, -1/16 + 9/32) = (7/16, 7/32).
    Exact(
        "momentum",
        "sgd",
        [(0, 1 / 2), (-1 / 4, 3 / 8), (3 / 16, 19 / 32)],
        settings={"momentum": 1 / 2},
    ),
    # v = (-1, -1/2): w = 1 - 1/2 - 1, b = 1 - 1/4 - 1/2.   z = -3/4, d = -7/4, g = (-7/2, -7/4):
    # v = (-1/2 + 7/8, -1/4 + 7/16) = (3/8, 3/16): w = -1/2 + 3/16 + 7/8, b = 1/4 + 3/32 + 7/16.
    Exact(
        "nesterov",
        "sgd",
        [(-1 / 2, 1 / 4), (9 / 16, 25 / 32)],
        settings={"momentum": 1 / 2, "nesterov": True},
    ),
    # eta l2/n = 1/2.   g = (4 + 2, 2): w = 1 - 3/2.   z = -1/2, d = -3/2, g = (-3 - 1, -3/2).
    Exact("l2", "sgd", [(-1 / 2, 1 / 2), (1 / 2, 7 / 8)], fit={"l2": 2}),
    # g = (4 + 2, 2 + 2): b = 1 - 1.   z = -1, d = -2, g = (-4 - 1, -2 + 0).
    Exact(
        "l2 on biases too",
        "sgd",
        [(-1 / 2, 0), (3 / 4, 1 / 2)],
        fit={"l2": 2, "penalize_biases": True},
    ),
    # v = (-3/2, -1/2).   z = -1/2, d = -3/2, g = (-3 - 1, -3/2): v = (-3/4 + 1, -1/4 + 3/8).
    Exact(
        "l2 and momentum",
        "sgd",
        [(-1 / 2, 1 / 2), (-1 / 4, 5 / 8)],
        settings={"momentum": 1 / 2},
        fit={"l2": 2},
    ),
    # g = (4 + 1/2, 2): w = 1 - 9/8.   z = 1/4, d = -3/4, g = (-3/2 - 1/2, -3/4).
    Exact("l1", "sgd", [(-1 / 8, 1 / 2), (3 / 8, 11 / 16)], fit={"l1": 1 / 2}),
    # z = 1, d = 0 and sgn(0) = 0: nothing moves.
    Exact("l1 at zero", "sgd", [(0, 1), (0, 1)], fit={"l1": 1 / 2}, start=(0, 1)),
    # g = (4 + 1/2, 2 + 1/2): b = 1 - 5/8.   z = 1/8, d = -7/8, g = (-7/4 - 1/2, -7/8 + 1/2):
    # w = -1/8 + 9/16, b = 3/8 + 3/32.
    Exact(
        "l1 on biases too",
        "sgd",
        [(-1 / 8, 3 / 8), (7 / 16, 15 / 32)],
        fit={"l1": 1 / 2, "penalize_biases": True},
    ),
    # n = 3, eta l2/n = 1/2.   Rows 1 and 2: d = (2, 0), g = (4/2 + 2, 2/2): w = 0, b = 3/4.
    # Row 3 alone, m = 1: z = 3/4, d = -1/4, g = (-1/2, -1/4): w = 1/8, b = 13/16.
    Exact(
        "short last batch",
        "sgd",
        [(1 / 8, 13 / 16)],
        fit={"l2": 6, "batch_size": 2},
        x=(2, 0, 2),
        y=(1, 1, 1),
    ),
    # d = (2, 2), weighted (2, 4): g = (4/2, 6/2): w = 1/2, b = 1/4.
    # z = (5/4, 1/4), d = (1/4, 5/4), weighted (1/4, 5/2): g = (1/4, 11/8).
    Exact(
        "sample weights",
        "sgd",
        [(1 / 2, 1 / 4), (7 / 16, -3 / 32)],
        fit={"sample_weight": [1.0, 2.0]},
        x=(2, 0),
        y=(1, -1),
    ),
]

# ---------------------------------------------------------------- the toy neuron


@dataclass(frozen=True)
class Toy:
    """A sigmoid neuron that learns 0 from 1: its output every 50 epochs, and where it ends."""

    cost: str
    start: tuple[float, float]
    learning_rate: float
    outputs: tuple[float, ...]
    end: tuple[float, float]
    end_cost: float


TOY = [
    Toy(
        "quadratic",
        (0.6, 0.9),
        0.15,
        (0.8176, 0.3870, 0.2110, 0.1527, 0.1237, 0.1061, 0.0940),
        (-1.2831, -0.9831),
        0.00441,
    ),
    Toy(
        "quadratic",
        (2.0, 2.0),
        0.15,
        (0.9820, 0.9759, 0.9641, 0.9334, 0.7887, 0.3572, 0.2028),
        (-0.6843, -0.6843),
        0.02057,
    ),
    Toy(
        "cross_entropy",
        (0.6, 0.9),
        0.005,
        (0.8176, 0.7516, 0.6789, 0.6053, 0.5355, 0.4726, 0.4177),
        (-0.3162, -0.0162),
        0.54073,
    ),
    Toy(
        "cross_entropy",
        (2.0, 2.0),
        0.005,
        (0.9820, 0.9710, 0.9539, 0.9282, 0.8912, 0.8415, 0.7796),
        (0.6316, 0.6316),
        1.51225,
    ),
    Toy(
        "cross_entropy",
        (0.6, 0.9),
        0.15,
        (0.8176, 0.0792, 0.0371, 0.0241, 0.0178, 0.0141, 0.0116),
        (-2.3709, -2.0709),
        0.01171,
    ),
    Toy(
        "cross_entropy",
        (2.0, 2.0),
        0.15,
        (0.9820, 0.0985, 0.0411, 0.0257, 0.0186, 0.0146, 0.0120),
        (-2.2050, -2.2050),
        0.01208,
    ),
]

# ---------------------------------------------------------------- the golden runs


def golden_data() -> tuple[Any, Any]:
    """60 rows of five numbers k/16, exact in float32; class: the largest of the first three."""
    i, j = np.arange(60)[:, None], np.arange(5)
    x = (7 * i + 13 * j + 3 * i * j) % 17 / 16
    return x, x[:, :3].argmax(axis=1)


@dataclass(frozen=True)
class Golden:
    """A network of seed 11, trained for three epochs in batches of 7, shuffled."""

    name: str
    layers: list[Any]
    cost: str
    fit: dict[str, Any]
    losses: tuple[float, float, float]


GOLDEN = [
    Golden(
        "softmax, tanh, dropout, momentum, l2",
        [5, Dense(8, "tanh"), Dropout(0.2), Dense(3, "softmax")],
        "log_likelihood",
        {"learning_rate": 0.5, "momentum": 0.5, "l2": 0.3},
        (1.151814927, 0.917687538, 0.684478001),
    ),
    Golden(
        "sigmoid, two hidden layers, l1",
        [5, Dense(7), Dense(6), Dense(3)],
        "cross_entropy",
        {"learning_rate": 0.5, "l1": 0.05},
        (1.961624267, 1.953327451, 1.934025625),
    ),
    Golden(
        "quadratic, relu after its own layer",
        [5, Dense(9, "linear", "he"), Activation("relu"), Dense(3, "sigmoid", "xavier")],
        "quadratic",
        {"learning_rate": 2.0, "momentum": 0.25},
        (0.355796516, 0.298075437, 0.253575961),
    ),
]
