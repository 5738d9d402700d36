"""The readable twin of nnlearn: every formula once, in plain and slow float64 NumPy.

It imports nothing of nnlearn, so that the two can only agree by following the same formulas.

    words        x inputs (m, n_in), y targets (m, n_out), z weighted input, a activation,
                 W (n_in, n_out), b (n_out,), delta = dC/dz,
                 m rows of a batch, n rows of the training set, w_i sample weights
    cost         (1/n) sum_i w_i c(a_i, y_i) + (l1/n) sum |W| + (l2/2n) sum W^2
    gradient     (1/m) sum_i w_i dc_i/dW + (l1/n) sgn(W) + (l2/n) W

The random numbers are in reference_random.py. The order here: start weights, activations, costs,
labels, penalties, optimisers, layers, the network and its training, measures of error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from reference_random import dropout_mask, normals, permutation

Array = NDArray[np.float64]

# ---------------------------------------------------------------- start weights


def deviations(init: str | float, n_in: int, n_out: int) -> tuple[float, float]:
    """Standard deviations of a layer's weights and biases."""
    if not isinstance(init, str):
        return float(init), 0.0
    return {
        "scaled": (np.sqrt(1 / n_in), 1.0),
        "large": (1.0, 1.0),
        "xavier": (np.sqrt(2 / (n_in + n_out)), 0.0),
        "he": (np.sqrt(2 / n_in), 0.0),
        "zeros": (0.0, 0.0),
    }[init]


def start(
    seed: int, layer: str, n_in: int, n_out: int, init: str | float, dtype: str = "float64"
) -> tuple[Array, Array]:
    """(W, b) of the layer with this name: drawn in double, then rounded to dtype."""
    of_weights, of_biases = deviations(init, n_in, n_out)
    W = of_weights * normals(seed, f"{layer}.weight", n_in * n_out).reshape(n_in, n_out)
    b = of_biases * normals(seed, f"{layer}.bias", n_out)
    return W.astype(dtype).astype(float), b.astype(dtype).astype(float)


# ---------------------------------------------------------------- activations a = f(z)


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), through e^-|z| so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


def softmax(z: Array) -> Array:
    """e^z / sum e^z over the outputs of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# name -> (f(z), f'(z)); softmax is not here: its outputs depend on every z of the row
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "linear": (lambda z: z, np.ones_like),
}


def activate(z: Array, name: str) -> Array:
    """a = f(z) of any activation, softmax too."""
    return softmax(z) if name == "softmax" else ACTIVATIONS[name][0](z)


# ---------------------------------------------------------------- costs
# value and delta of a batch: (z, a, y), all (m, n_outputs), to c (m,) and dc/dz (m, n_outputs)


def quadratic(z: Array, a: Array, y: Array) -> Array:
    """1/2 sum_j (a_j - y_j)^2."""
    return 0.5 * ((a - y) ** 2).sum(axis=1)


def quadratic_delta(activation: str) -> Callable[[Array, Array, Array], Array]:
    """(a - y) f'(z)."""
    return lambda z, a, y: (a - y) * ACTIVATIONS[activation][1](z)


def quadratic_softmax_delta(z: Array, a: Array, y: Array) -> Array:
    """a * (e - sum_j e_j a_j), e = a - y."""
    e = a - y
    return a * (e - (e * a).sum(axis=1, keepdims=True))


def cross_entropy(z: Array, a: Array, y: Array) -> Array:
    """-sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)].

    From z, since -ln a = ln(1 + e^-z) and -ln(1 - a) = ln(1 + e^z) lose nothing where a is 0 or 1.
    """
    return (y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)).sum(axis=1)


def log_likelihood(z: Array, a: Array, y: Array) -> Array:
    """-sum_j y_j ln a_j, with ln a_j = z_j - ln sum_k e^z_k."""
    top = z.max(axis=1, keepdims=True)
    log_sum = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    return -(y * (z - log_sum)).sum(axis=1)


def difference(z: Array, a: Array, y: Array) -> Array:
    """a - y: what cross-entropy after sigmoid and log-likelihood after softmax come to."""
    return a - y


def margins(z: Array, y: Array) -> Array:
    """z_j - z_y + 1 for j != y, and 0 at the row's own class y, which the one-hot row shows."""
    own = (z * y).sum(axis=1, keepdims=True)
    return (z - own + 1) * (1 - y)


def hinge(z: Array, a: Array, y: Array) -> Array:
    """sum_{j != y} max(0, z_j - z_y + 1)."""
    return np.maximum(margins(z, y), 0.0).sum(axis=1)


def hinge_delta(z: Array, a: Array, y: Array) -> Array:
    """1 for each other class within the margin, minus their number for the own; 0 at the kink."""
    inside = (margins(z, y) > 0).astype(float)
    return inside - y * inside.sum(axis=1, keepdims=True)


Cost = tuple[Callable[[Array, Array, Array], Array], Callable[[Array, Array, Array], Array]]

# (cost, output activation) -> (value, delta): every pair that is allowed
COSTS: dict[tuple[str, str], Cost] = {
    ("quadratic", "sigmoid"): (quadratic, quadratic_delta("sigmoid")),
    ("quadratic", "tanh"): (quadratic, quadratic_delta("tanh")),
    ("quadratic", "linear"): (quadratic, quadratic_delta("linear")),
    ("quadratic", "relu"): (quadratic, quadratic_delta("relu")),
    ("quadratic", "softmax"): (quadratic, quadratic_softmax_delta),
    ("cross_entropy", "sigmoid"): (cross_entropy, difference),
    ("log_likelihood", "softmax"): (log_likelihood, difference),
    ("hinge", "linear"): (hinge, hinge_delta),
}


# ---------------------------------------------------------------- labels, predictions


def targets(y: ArrayLike, n_outputs: int, output: str) -> Array:
    """Targets (m, n_outputs): the one-hot row of a label, with -1 for 0 where the output is tanh.

    One output unit takes the numbers as they are, a tanh unit the labels 0 and 1 as -1 and +1.
    Real targets (m, n_outputs) pass.
    """
    y = np.asarray(y)
    if y.ndim == 2:
        return y.astype(float)
    if n_outputs == 1:
        on = y.astype(float)[:, None]
    else:
        on = (y[:, None] == np.arange(n_outputs)).astype(float)
    return 2 * on - 1 if output == "tanh" else on


def classes(a: Array, output: str) -> NDArray[np.intp]:
    """The first largest output; of one unit, whether it is at least halfway up its range."""
    if a.shape[1] > 1:
        return a.argmax(axis=1)
    return (a[:, 0] >= (0.0 if output == "tanh" else 0.5)).astype(np.intp)


# ---------------------------------------------------------------- penalties
# n: rows of the training set


def penalty(W: Array, l1: float, l2: float, n: int) -> float:
    """(l1/n) sum |W| + (l2/2n) sum W^2."""
    return l1 / n * float(np.abs(W).sum()) + l2 / (2 * n) * float((W**2).sum())


def penalty_gradient(W: Array, l1: float, l2: float, n: int) -> Array:
    """(l1/n) sgn(W) + (l2/n) W, sgn(0) = 0."""
    return l1 / n * np.sign(W) + l2 / n * W


# ---------------------------------------------------------------- optimisers
# (W, g, state, settings) -> the new W; what a parameter's state holds is the optimiser's own

State = dict[str, Array]


def sgd(
    W: Array,
    g: Array,
    state: State,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> Array:
    """v <- mu v - eta g, then W + v; with nesterov W + mu v - eta g, in Keras's form."""
    v = state["v"] = momentum * state.get("v", np.zeros_like(W)) - learning_rate * g
    return W + momentum * v - learning_rate * g if nesterov else W + v


OPTIMIZERS: dict[str, Callable[..., Array]] = {"sgd": sgd}


# ---------------------------------------------------------------- layers


@dataclass(frozen=True)
class Dense:
    """z = x W + b, a = f(z)."""

    n: int
    activation: str = "sigmoid"
    init: str | float = "scaled"


@dataclass(frozen=True)
class Activation:
    """a = f(z)."""

    name: str


@dataclass(frozen=True)
class Dropout:
    """a = x * mask in training, a = x otherwise; p is the probability of dropping a unit."""

    p: float


@dataclass(frozen=True)
class Training:
    """What a training pass knows beyond an evaluation: where its dropout masks come from."""

    seed: int
    step: int = 0


class Node(NamedTuple):
    """One step of the chain: ("affine", "dense1"), ("activation", "tanh"), ("dropout", ..., p)."""

    kind: str
    name: str
    p: float = 0.0


class Network:
    """A chain of layers with its parameters, its optimiser state and its two counters.

    A Dense layer becomes an affine node and an activation node; the last node is the output's
    activation, which the cost's delta differentiates.
    """

    def __init__(
        self,
        layers: Sequence[Any],
        *,
        cost: str,
        seed: int = 0,
        dtype: str = "float64",
    ) -> None:
        self.nodes: list[Node] = []
        self.parameters: dict[str, Array] = {}
        self.cost, self.seed = cost, seed
        self.epochs = self.steps = 0
        self.state: dict[str, State] = {}
        width, n_dense, n_dropout = layers[0], 0, 0
        for layer in layers[1:]:
            if isinstance(layer, Dense):
                n_dense += 1
                name = f"dense{n_dense}"
                W, b = start(seed, name, width, layer.n, layer.init, dtype)
                self.parameters |= {f"{name}.weight": W, f"{name}.bias": b}
                self.nodes += [Node("affine", name), Node("activation", layer.activation)]
                width = layer.n
            elif isinstance(layer, Activation):
                self.nodes.append(Node("activation", layer.name))
            else:
                n_dropout += 1
                self.nodes.append(Node("dropout", f"dropout{n_dropout}", layer.p))
        self.n_outputs, self.output = width, self.nodes[-1].name

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Take over these parameters, in double."""
        assert list(parameters) == list(self.parameters)
        for name, value in parameters.items():
            assert np.shape(value) == self.parameters[name].shape, name
            self.parameters[name] = np.array(value, dtype=float)

    # forward and backward of a node stand together

    def node_forward(self, node: Node, x: Array, training: Training | None) -> Array:
        name = node.name
        if node.kind == "affine":
            return x @ self.parameters[f"{name}.weight"] + self.parameters[f"{name}.bias"]
        if node.kind == "activation":
            return activate(x, name)
        return x * self.mask(node, x, training) if training else x

    def node_backward(
        self, node: Node, x: Array, d: Array, training: Training | None, gradient: State
    ) -> Array:
        """dC/dx, given x and d = dC/d(what the node gave); an affine node leaves its gradients."""
        name = node.name
        if node.kind == "affine":
            gradient[f"{name}.weight"], gradient[f"{name}.bias"] = x.T @ d, d.sum(axis=0)
            return d @ self.parameters[f"{name}.weight"].T
        if node.kind == "activation":
            return d * ACTIVATIONS[name][1](x)
        return d * self.mask(node, x, training) if training else d

    def mask(self, node: Node, x: Array, training: Training) -> Array:
        return dropout_mask(training.seed, node.name, training.step, *x.shape, node.p)

    def values(self, x: ArrayLike, training: Training | None = None) -> list[Array]:
        """x and what each node gives; the last is the outputs a, the one before it z."""
        values = [np.asarray(x, dtype=float)]
        for node in self.nodes:
            values.append(self.node_forward(node, values[-1], training))
        return values

    def forward(self, x: ArrayLike) -> Array:
        return self.values(x)[-1]

    def losses(self, x: ArrayLike, y: ArrayLike, cost: str | None = None) -> Array:
        """c(a_i, y_i) of every row."""
        *_, z, a = self.values(x)
        return COSTS[cost or self.cost, self.output][0](
            z, a, targets(y, self.n_outputs, self.output)
        )

    def loss(self, x: ArrayLike, y: ArrayLike, cost: str | None = None) -> float:
        return float(self.losses(x, y, cost).mean())

    def accuracy(self, x: ArrayLike, y: ArrayLike) -> float:
        """Rows whose predicted class is the label, or the class that real targets show."""
        t = targets(y, self.n_outputs, self.output)
        return float((classes(self.forward(x), self.output) == classes(t, self.output)).mean())

    def penalised(self, penalize_biases: bool) -> list[str]:
        return [name for name in self.parameters if penalize_biases or name.endswith(".weight")]

    def penalty(self, l1: float, l2: float, n: int, penalize_biases: bool = False) -> float:
        return sum(
            penalty(self.parameters[name], l1, l2, n) for name in self.penalised(penalize_biases)
        )

    def cost_and_gradient(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        n: int | None = None,
        penalize_biases: bool = False,
        sample_weight: ArrayLike | None = None,
        training: Training | None = None,
    ) -> tuple[float, dict[str, Array]]:
        """Cost and gradient of one batch; the penalties divide by n (by default its own rows)."""
        loss, gradient, _ = self.backprop(x, y, sample_weight, training)
        n = n or len(np.asarray(x))
        for name in self.penalised(penalize_biases):
            gradient[name] = gradient[name] + penalty_gradient(self.parameters[name], l1, l2, n)
        return loss + self.penalty(l1, l2, n, penalize_biases), gradient

    def backprop(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        training: Training | None = None,
    ) -> tuple[float, dict[str, Array], Array]:
        """(1/m) sum_i w_i c_i, its gradient, and the outputs."""
        values = self.values(x, training)
        z, a, m = values[-2], values[-1], len(values[0])
        t = targets(y, self.n_outputs, self.output)
        w = np.ones(m) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        value, delta = COSTS[self.cost, self.output]
        d = delta(z, a, t) * w[:, None] / m
        found: State = {}
        for node, entered in zip(self.nodes[-2::-1], values[-3::-1], strict=True):
            d = self.node_backward(node, entered, d, training, found)
        gradient = {name: found[name] for name in self.parameters}
        return float((w * value(z, a, t)).sum() / m), gradient, a

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int,
        batch_size: int,
        optimizer: str = "sgd",
        settings: Mapping[str, Any],
        l1: float = 0.0,
        l2: float = 0.0,
        penalize_biases: bool = False,
        sample_weight: ArrayLike | None = None,
        shuffle: bool = True,
    ) -> dict[str, Array]:
        """Train; returns the columns loss, accuracy and penalty, a row an epoch, and step_loss.

        loss and accuracy run: each batch counts, before its update, for as many rows as it has.
        """
        x, y = np.asarray(x, dtype=float), np.asarray(y)
        n = len(x)
        w = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        columns: dict[str, list[float]] = {"loss": [], "accuracy": [], "penalty": []}
        step_loss: list[float] = []
        for _ in range(epochs):
            order = permutation(self.seed, self.epochs, n) if shuffle else np.arange(n)
            total = hits = 0.0
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                training = Training(self.seed, self.steps)
                loss, gradient, a = self.backprop(x[batch], y[batch], w[batch], training)
                t = targets(y[batch], self.n_outputs, self.output)
                hits += float((classes(a, self.output) == classes(t, self.output)).sum())
                total += loss * len(batch)
                step_loss.append(loss)
                for name in self.penalised(penalize_biases):
                    gradient[name] += penalty_gradient(self.parameters[name], l1, l2, n)
                for name, g in gradient.items():
                    state = self.state.setdefault(name, {})
                    self.parameters[name] = OPTIMIZERS[optimizer](
                        self.parameters[name], g, state, **settings
                    )
                self.steps += 1
            self.epochs += 1
            columns["loss"].append(total / n)
            columns["accuracy"].append(hits / n)
            columns["penalty"].append(self.penalty(l1, l2, n, penalize_biases))
        return {name: np.array(values) for name, values in columns.items()} | {
            "step_loss": np.array(step_loss)
        }


# ---------------------------------------------------------------- measures of error


def numerical_gradient(f: Callable[[], float], x: NDArray[Any], h: float = 1e-5) -> Array:
    """(f(x + h) - f(x - h)) / 2h for every element of x, which f reads and which is put back."""
    result = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        above = f()
        x[index] = kept - h
        below = f()
        x[index] = kept
        result[index] = (above - below) / (2 * h)
    return result


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """max |a - b| / max |b|; two arrays of zeros agree."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape, f"shapes {a.shape} and {b.shape}"
    worst, scale = float(np.abs(a - b).max(initial=0.0)), float(np.abs(b).max(initial=0.0))
    if worst == 0:
        return 0.0
    return worst / scale if scale else float("inf")
