"""Values and gradients of nnlearn against the twin and against central differences.

The registries of nnlearn drive the tests: an activation or a pair of cost and output activation
without its twin fails here.
"""

from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from reference import Activation, Dense, Dropout, Training, relative_error
from twins import (
    ALL_PAIRS,
    TOLERANCE,
    as_numbers,
    assert_same_gradient,
    chain,
    data,
    make_pair,
    pictures,
    problem,
)

import nnlearn as nn
from nnlearn.layers import ACTIVATIONS

# Central differences of step 1e-5: about 1e-10 of truncation and of rounding each, of gradients
# of about 1e-2 and more.
CENTRAL = 1e-7

# ---------------------------------------------------------------- the whole table of costs


def test_every_pair_of_cost_and_output_has_its_twin() -> None:
    assert set(ALL_PAIRS) == set(reference.COSTS)


def test_every_hidden_activation_has_its_twin() -> None:
    assert set(ACTIVATIONS) == set(reference.ACTIVATIONS)


CHAINS = [
    pytest.param(cost, output, hidden, depth, id=f"{cost}-{output}-{hidden}-{depth}")
    for cost, output in ALL_PAIRS
    for hidden in ACTIVATIONS
    for depth in range(4)
    if depth or hidden == "sigmoid"  # depth 0 has no hidden layer
]


@pytest.mark.parametrize(("cost", "output", "hidden", "depth"), CHAINS)
def test_gradients_are_the_twins(cost: str, output: str, hidden: str, depth: int) -> None:
    for kind in ("labels", "real"):
        for dtype in TOLERANCE:
            layers = chain(output, hidden, depth)
            net, twin, x, y = problem(layers, cost, kind=kind, dtype=dtype)
            assert_same_gradient(net, twin, x, y, dtype)


@pytest.mark.parametrize(("cost", "output", "hidden", "depth"), CHAINS)
def test_gradients_are_central_differences(cost: str, output: str, hidden: str, depth: int) -> None:
    net, _, x, y = problem(chain(output, hidden, depth), cost)
    _, gradient = net.cost_and_gradient(x, y)
    for name, parameter in net.parameters.items():
        numerical = reference.numerical_gradient(lambda: net.cost_and_gradient(x, y)[0], parameter)
        assert relative_error(gradient[name], numerical) < CENTRAL, name


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_layer_of_its_own_is_the_same_function(name: str) -> None:
    layers = [5, Dense(4, "linear"), Activation(name), Activation("tanh"), Dense(3, "sigmoid")]
    assert_same_gradient(*problem(layers, "cross_entropy"))


@pytest.mark.parametrize(("cost", "output"), [pair for pair in ALL_PAIRS if pair[1] != "softmax"])
def test_an_activation_layer_at_the_end_is_the_output(cost: str, output: str) -> None:
    layers = [5, Dense(3, "linear", "large"), Activation(output)]
    assert_same_gradient(*problem(layers, cost))


def test_hinge_has_no_gradient_at_its_kink() -> None:
    net = nn.Network([2, 3], cost="hinge", init="zeros", dtype="float64")
    net.biases[0][:] = [1, 0, 0.5]  # margins of class 0: exactly 0, and 1/2
    cost, gradient = net.cost_and_gradient(np.zeros((1, 2)), [0])
    assert cost == 0.5
    assert gradient["dense1.bias"].tolist() == [-1, 0, 1]


def test_relu_has_no_gradient_at_its_kink() -> None:
    layers = [1, nn.Dense(1, activation="relu", init="zeros"), nn.Dense(1, activation="linear")]
    net = nn.Network(layers, cost="quadratic", init="large", dtype="float64")
    _, gradient = net.cost_and_gradient(np.ones((1, 1)), np.array([5.0]))
    assert gradient["dense1.bias"] == 0
    assert gradient["dense2.bias"] != 0


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_extreme_z_costs_what_it_should(dtype: str) -> None:
    x, far = np.zeros((1, 1)), 1000.0
    net = nn.Network([1, 2], cost="cross_entropy", init="zeros", dtype=dtype)
    net.biases[0][:] = [far, -far]
    assert net.loss(x, [1]) == 2 * far
    assert net.loss(x, [0]) == 0
    net = nn.Network([1, 2], cost="log_likelihood", init="zeros", dtype=dtype)
    net.biases[0][:] = [far, -far]
    assert net.loss(x, [1]) == 2 * far
    assert net.cost_and_gradient(x, [1])[1]["dense1.bias"].tolist() == [1, -1]


# ---------------------------------------------------------------- penalties, weights, dropout


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n", [None, 50])
@pytest.mark.parametrize("penalize_biases", [False, True])
@pytest.mark.parametrize(("l1", "l2"), [(0.7, 0.0), (0.0, 0.9), (0.3, 0.4)])
def test_penalties(l1: float, l2: float, penalize_biases: bool, n: int | None, dtype: str) -> None:
    net, twin, x, y = problem(chain("sigmoid", "tanh", 1), "cross_entropy", dtype=dtype)
    net.weights[0][1, 2] = twin.parameters["dense1.weight"][1, 2] = 0  # where sgn is 0
    settings = {"l1": l1, "l2": l2, "n": n, "penalize_biases": penalize_biases}
    assert_same_gradient(net, twin, x, y, dtype, **settings)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("cost", "output"), ALL_PAIRS)
def test_sample_weights(cost: str, output: str, dtype: str) -> None:
    net, twin, x, y = problem(chain(output, "tanh", 1), cost, dtype=dtype)
    weights = np.array([0.0, 1.0, 2.5, 0.0, 0.125, 7.0])
    assert_same_gradient(net, twin, x, y, dtype, sample_weight=weights, l2=0.1)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("seed", [0, 1, 2**40 + 3])
@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([5, Dropout(0.4), Dense(7, "tanh"), Dense(3)], id="inputs"),
        pytest.param([5, Dense(7, "tanh"), Dropout(0.5), Dense(3)], id="hidden"),
        pytest.param(
            [5, Dropout(0.1), Dense(9, "relu"), Dropout(0.25), Dense(6), Dropout(0.9), Dense(3)],
            id="all",
        ),
        pytest.param([5, Dense(7, "linear"), Dropout(0.5), Activation("tanh"), Dense(3)], id="z"),
        pytest.param([5, Dropout(0.3), Activation("tanh"), Dropout(0.2), Dense(3)], id="first"),
        pytest.param([5, Dense(7), Dropout(0.3), Dropout(0.4), Dense(3)], id="two in a row"),
        pytest.param([5, Dense(3, "linear"), Dropout(0.3), Activation("sigmoid")], id="output"),
        pytest.param([5, Dense(7), Dropout(0.0), Dense(3)], id="none"),
    ],
)
def test_dropout_in_training(layers: list[Any], seed: int, dtype: str) -> None:
    net, twin = make_pair(layers, cost="cross_entropy", dtype=dtype)
    x, y = data("cross_entropy", "sigmoid", (7, 5, 3), "labels", 5)
    assert_same_gradient(net, twin, x, y, dtype, training=Training(seed))


def test_dropout_does_nothing_outside_training() -> None:
    layers = [5, Dropout(0.4), Dense(7, "tanh"), Dropout(0.5), Dense(3)]
    net, twin, x, y = problem(layers, "cross_entropy")
    assert_same_gradient(net, twin, x, y)
    assert relative_error(net.forward(x), twin.forward(x)) < TOLERANCE["float64"]
    assert net.loss(x, y) == pytest.approx(twin.loss(x, y), rel=1e-12)


def test_gradients_with_dropout_are_central_differences() -> None:
    layers = [5, Dropout(0.2), Dense(7, "tanh"), Dropout(0.5), Dense(3)]
    net, _, x, y = problem(layers, "cross_entropy")
    arguments = {"training": True, "seed": 3, "l1": 0.1, "l2": 0.2, "penalize_biases": True}
    _, gradient = net.cost_and_gradient(x, y, **arguments)
    for name, parameter in net.parameters.items():
        numerical = reference.numerical_gradient(
            lambda: net.cost_and_gradient(x, y, **arguments)[0], parameter
        )
        assert relative_error(gradient[name], numerical) < CENTRAL, name


def test_asking_for_a_gradient_changes_nothing() -> None:
    net, _, x, y = problem(chain("sigmoid", "tanh", 2), "cross_entropy")
    before = {name: value.copy() for name, value in net.parameters.items()}
    first_cost, first = net.cost_and_gradient(x, y)
    kept = {name: g.copy() for name, g in first.items()}
    net.cost_and_gradient(x[:2], y[:2])
    second_cost, second = net.cost_and_gradient(x, y)
    assert first_cost == second_cost
    for name, g in first.items():
        assert np.array_equal(g, kept[name])  # the caller's own, not a buffer that is used again
        assert np.array_equal(g, second[name])
        assert np.array_equal(net.parameters[name], before[name])


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("m", [1, 2, 7, 129])
@pytest.mark.parametrize(
    "widths",
    [
        (1, 1),
        (1, 1, 1),
        (1, 13, 2),
        (13, 1, 3),
        (2, 3, 5, 7),
        (37, 53, 11),
        (131, 1),
        (307, 271, 10),
    ],
    ids=lambda widths: "-".join(map(str, widths)),
)
def test_shapes(widths: tuple[int, ...], m: int, dtype: str) -> None:
    layers = [widths[0], *(Dense(n, "tanh") for n in widths[1:-1]), Dense(widths[-1])]
    net, twin = make_pair(layers, cost="cross_entropy", dtype=dtype)
    x, y = data("cross_entropy", "sigmoid", (m, widths[0], widths[-1]), "real", m)
    assert_same_gradient(net, twin, x, y, dtype)
    assert relative_error(net.forward(x), twin.forward(x)) < TOLERANCE[dtype]


# ---------------------------------------------------------------- many rows, other questions


@pytest.mark.parametrize("of_x", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_many_rows(dtype: str, of_x: Any) -> None:
    net, twin = make_pair([37, Dense(53, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x = pictures(of_x, m=3001)  # more than any block of rows
    y = np.arange(3001) % 3
    x64 = as_numbers(x)
    assert relative_error(net.forward(x), twin.forward(x64)) < TOLERANCE[dtype]
    assert net.loss(x, y) == pytest.approx(twin.loss(x64, y), rel=TOLERANCE[dtype])
    assert net.accuracy(x, y) == twin.accuracy(x64, y)
    assert_same_gradient(net, twin, x, y, dtype, l2=0.5)


def test_dropout_masks_of_many_rows_go_by_the_row() -> None:
    net, twin = make_pair([5, Dense(7), Dropout(0.5), Dense(3)], cost="cross_entropy")
    x, y = data("cross_entropy", "sigmoid", (3001, 5, 3), "labels", 6)
    assert_same_gradient(net, twin, x, y, training=Training(2))


@pytest.mark.parametrize(("cost", "output"), ALL_PAIRS)
def test_loss_by_another_cost(cost: str, output: str) -> None:
    net, twin, x, y = problem(chain(output, "tanh", 1), cost, kind="labels")
    for other, with_output in ALL_PAIRS:
        if with_output == output:
            expected = twin.loss(x, y, cost=other)
            assert net.loss(x, y, cost=other) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("cost", "output"), ALL_PAIRS)
def test_inspect_shows_z_a_and_delta_of_every_sample(cost: str, output: str) -> None:
    net, twin, x, y = problem(chain(output, "tanh", 2), cost, kind="labels")
    seen, values = net.inspect(x, y), twin.values(x)
    for i in range(3):
        assert relative_error(seen.a[i], values[2 * i]) < 1e-12
        assert relative_error(seen.z[i], values[2 * i + 1]) < 1e-12
        for row in range(len(x)):
            _, gradient = twin.cost_and_gradient(x[row : row + 1], y[row : row + 1])
            assert np.allclose(seen.delta[i][row], gradient[f"dense{i + 1}.bias"], atol=1e-12)
            outer = seen.gradient(i)[row]
            assert np.allclose(outer, gradient[f"dense{i + 1}.weight"], atol=1e-12)


# ---------------------------------------------------------------- properties

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, m=st.integers(1, 40))
def test_order_of_rows_changes_neither_loss_nor_gradient(seed: int, m: int) -> None:
    net, _ = make_pair([5, Dense(4, "tanh"), Dense(3, "softmax")], cost="log_likelihood", seed=seed)
    x, y = data("log_likelihood", "softmax", (m, 5, 3), "labels", seed)
    order = np.random.default_rng(seed).permutation(m)
    assert net.loss(x[order], y[order]) == pytest.approx(net.loss(x, y), rel=1e-13)
    _, gradient = net.cost_and_gradient(x, y)
    _, reordered = net.cost_and_gradient(x[order], y[order])
    for name, g in gradient.items():
        assert relative_error(reordered[name], g) < 1e-12
    assert np.allclose(net.forward(x[order]), net.forward(x)[order], rtol=1e-13, atol=0)


@given(seed=SEEDS, m=st.integers(2, 60), cut=st.floats(0, 1))
def test_a_batch_is_the_mean_of_its_parts(seed: int, m: int, cut: float) -> None:
    net, _ = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", seed=seed)
    x, y = data("cross_entropy", "sigmoid", (m, 5, 3), "labels", seed)
    k = 1 + int(cut * (m - 2))
    whole_cost, whole = net.cost_and_gradient(x, y)
    parts = [net.cost_and_gradient(x[:k], y[:k]), net.cost_and_gradient(x[k:], y[k:])]
    shares = (k / m, 1 - k / m)
    mean = sum(share * cost for share, (cost, _) in zip(shares, parts, strict=True))
    assert whole_cost == pytest.approx(mean, rel=1e-13)
    for name, g in whole.items():
        mean = sum(share * part[name] for share, (_, part) in zip(shares, parts, strict=True))
        assert relative_error(g, mean) < 1e-11


@given(seed=SEEDS, weights=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_an_integer_weight_is_that_many_rows(seed: int, weights: list[int]) -> None:
    total = max(sum(weights), 1)
    net, _ = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", seed=seed)
    x, y = data("cross_entropy", "sigmoid", (6, 5, 3), "labels", seed)
    cost, gradient = net.cost_and_gradient(x, y, sample_weight=np.array(weights, dtype=float))
    if not sum(weights):
        assert cost == 0
        assert not any(g.any() for g in gradient.values())
        return
    times = np.repeat(np.arange(6), weights)
    repeated_cost, repeated = net.cost_and_gradient(x[times], y[times])
    assert cost == pytest.approx(repeated_cost * total / 6, rel=1e-12)
    for name, g in gradient.items():
        assert relative_error(g, repeated[name] * total / 6) < 1e-11
