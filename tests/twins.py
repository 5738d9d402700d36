"""Networks of nnlearn beside their twins, and problems to put to both."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import reference
from reference import Activation, Dense, Dropout, Training, relative_error

import nnlearn as nn
from nnlearn.costs import PAIRS
from nnlearn.optimizers import OPTIMIZERS

# Sums of the same terms in another order; the tensors here lose a digit or two to cancellation.
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}

# No z of a ReLU and no margin of hinge is nearer to its kink than this, so that neither rounding
# nor the step of a central difference can cross it.
CLEAR_OF_KINKS = 1e-3

# A few dozen steps, each with the rounding of one; nothing here amplifies it by more than 100.
TRAINED = {"float64": 1e-10, "float32": 1e-4}

ALL_PAIRS = [(cost, output) for cost, outputs in PAIRS.items() for output in outputs]
SGD_MOMENTUM = {"learning_rate": 0.3, "momentum": 0.8}

Pair = tuple[Any, reference.Network]


def make_pair(layers: list[Any], *, cost: str, dtype: str = "float64", seed: int = 1) -> Pair:
    """A network of nnlearn and its twin, of the reference's layers, with the same start weights.

    The twin takes over the network's parameters, so that only test_random speaks of start weights.
    """
    net = nn.Network([layer_of(layer) for layer in layers], cost=cost, dtype=dtype, seed=seed)
    twin = reference.Network(layers, cost=cost, seed=seed, dtype=dtype)
    twin.load(net.parameters)
    return net, twin


def layer_of(layer: Any) -> Any:
    """nnlearn's layer for one of the reference's; the width of the inputs passes."""
    if isinstance(layer, Dense):
        return nn.Dense(layer.n, activation=layer.activation, init=layer.init)
    if isinstance(layer, Activation):
        return nn.Activation(layer.name)
    return nn.Dropout(layer.p) if isinstance(layer, Dropout) else layer


def chain(output: str, hidden: str, depth: int) -> list[Any]:
    """5 inputs, `depth` hidden layers, 3 outputs; large weights, so that all gradients count."""
    widths = (4, 6, 5)[:depth]
    return [5, *(Dense(n, hidden, "large") for n in widths), Dense(3, output, "large")]


def distance_to_kinks(twin: reference.Network, x: Any, y: Any) -> float:
    """The smallest |z| of any ReLU, and of any |z_j - z_y + 1| where the cost is hinge."""
    values = twin.values(x)
    near = [
        np.abs(z).min()
        for node, z in zip(twin.nodes, values, strict=False)
        if node.kind == "activation" and node.name == "relu"
    ]
    if twin.cost == "hinge":
        targets = reference.targets(y, twin.n_outputs, twin.output)
        near.append(np.abs(reference.margins(values[-2], targets)[targets == 0]).min())
    return min(near, default=1.0)


def data(
    cost: str, output: str, shape: tuple[int, int, int], kind: str, seed: int
) -> tuple[Any, Any]:
    """x and labels, or real targets inside the output's range; shape = (m, n_in, n_out)."""
    rng = np.random.default_rng(seed)
    m, n_in, n_out = shape
    x = rng.normal(size=(m, n_in))
    if kind == "labels":
        return x, rng.integers(0, max(n_out, 2), size=m)
    y = rng.uniform(-1 if output == "tanh" else 0, 1, size=(m, n_out))
    return x, y / y.sum(axis=1, keepdims=True) if cost == "log_likelihood" else y


def problems(
    layers: list[Any], cost: str, m: int, kind: str, dtype: str
) -> Iterator[tuple[Any, reference.Network, Any, Any]]:
    """(net, twin, x, y) for one seed after another, that are clear of kinks and have gradients."""
    for seed in range(200):
        net, twin = make_pair(layers, cost=cost, dtype=dtype, seed=seed)
        x, y = data(cost, twin.output, (m, layers[0], twin.n_outputs), kind, seed)
        _, gradient = twin.cost_and_gradient(x, y)
        alive = all(np.abs(g).max() > 1e-3 for g in gradient.values())
        if alive and distance_to_kinks(twin, x, y) > CLEAR_OF_KINKS:
            yield net, twin, x, y


def problem(
    layers: list[Any],
    cost: str,
    *,
    m: int = 6,
    kind: str = "real",
    dtype: str = "float64",
) -> tuple[Any, reference.Network, Any, Any]:
    """The first of the problems; hinge takes labels alone."""
    return next(problems(layers, cost, m, "labels" if cost == "hinge" else kind, dtype))


def assert_same_gradient(
    net: Any,
    twin: reference.Network,
    x: Any,
    y: Any,
    dtype: str = "float64",
    training: Training | None = None,
    **arguments: Any,
) -> None:
    """Cost and every gradient of nnlearn are the twin's, to the dtype's tolerance."""
    drawn = {"training": True, "seed": training.seed} if training else {}
    cost, gradient = net.cost_and_gradient(x, y, **arguments, **drawn)
    x64 = as_numbers(x)
    expected_cost, expected = twin.cost_and_gradient(x64, y, training=training, **arguments)
    assert isinstance(cost, float)
    assert cost == pytest.approx(expected_cost, rel=TOLERANCE[dtype], abs=0)
    assert list(gradient) == list(net.parameters)
    for name, g in gradient.items():
        assert g.dtype == dtype
        assert relative_error(g, expected[name]) < TOLERANCE[dtype], name


def as_numbers(x: Any) -> Any:
    """Inputs as the twin takes them: bytes are i / 255."""
    return x / 255 if x.dtype == np.uint8 else x


def rows(n: int, n_in: int = 5, n_classes: int = 3) -> tuple[Any, Any]:
    """A problem that a network can learn: the class is the largest of the first inputs."""
    x = np.random.default_rng(n).normal(size=(n, n_in))
    return x, x[:, :n_classes].argmax(axis=1)


def pictures(dtype: Any, m: int = 7) -> Any:
    """(m, 37) inputs of this dtype: bytes, or numbers in [0, 1) with many digits."""
    rng = np.random.default_rng(8)
    if dtype == np.uint8:
        return rng.integers(0, 256, size=(m, 37), dtype=np.uint8)
    return rng.uniform(0, 1, size=(m, 37)).astype(dtype)


def fit_both(
    net: Any,
    twin: reference.Network,
    x: Any,
    y: Any,
    *,
    epochs: int = 1,
    batch_size: int = 10,
    optimizer: str = "sgd",
    settings: dict[str, Any] | None = None,
    **arguments: Any,
) -> tuple[Any, dict[str, Any]]:
    """Train both; returns their histories."""
    settings = settings or {"learning_rate": 0.5}
    history = net.fit(
        x,
        y,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=OPTIMIZERS[optimizer](**settings),
        **arguments,
    )
    x64 = as_numbers(x)
    columns = twin.fit(
        x64,
        y,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        settings=settings,
        **arguments,
    )
    return history, columns


def assert_same_parameters(net: Any, twin: reference.Network, dtype: str = "float64") -> None:
    for name, value in net.parameters.items():
        assert relative_error(value, twin.parameters[name]) < TRAINED[dtype], name


def snapshot(net: Any) -> dict[str, Any]:
    return {name: value.copy() for name, value in net.parameters.items()}


def assert_same_bits(a: Any, b: Any) -> None:
    assert list(a) == list(b)
    for name in a:
        assert np.array_equal(a[name], b[name]), name
