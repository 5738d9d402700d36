"""The twin against known answers, hand-worked examples, central differences and scikit-learn."""

import math
import warnings
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import reference
from reference import ACTIVATIONS, COSTS, Activation, Dense, Dropout, Training
from reference_random import (
    MASK32,
    dropout_mask,
    fnv1a64,
    mix64,
    normals,
    pairs,
    permutation,
    philox,
    stream_key,
)
from worked_examples import EXACT, GOLDEN, TOY, Exact, Golden, Toy, golden_data

# Central differences of step 1e-5 in double: about 1e-10 of truncation and as much of rounding,
# of gradients of about 1e-2 and more.
CENTRAL = 1e-7

# ---------------------------------------------------------------- random numbers


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([MASK32] * 4, (MASK32, MASK32), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: list[int], key: tuple[int, int], words: list[int]
) -> None:
    assert philox(counter, key).tolist() == words


def test_hashes_give_their_published_values() -> None:
    assert fnv1a64("") == 0xCBF29CE484222325
    assert fnv1a64("foobar") == 0x85944171F73967E8
    assert mix64(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF  # splitmix64's first number from 0


def test_numbers_of_a_stream_do_not_depend_on_how_many_are_drawn() -> None:
    assert np.array_equal(normals(3, "s", 7), normals(3, "s", 100)[:7])


def test_streams_seeds_and_turns_differ() -> None:
    keys = {stream_key(seed, name) for seed in (0, 1, 2**40) for name in ("a", "b", "shuffle")}
    assert len(keys) == 9
    assert not np.any(pairs(0, "shuffle", 100, 0) == pairs(0, "shuffle", 100, 1))


def test_normals_have_the_moments_of_the_normal_distribution() -> None:
    z = normals(5, "dense1.weight", 200_000)
    sigma = 1 / math.sqrt(len(z))
    assert abs(z.mean()) < 4 * sigma
    assert abs((z**2).mean() - 1) < 4 * math.sqrt(2) * sigma
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96) * sigma
    assert abs((z[0::2] * z[1::2]).mean()) < 4 * sigma


def test_every_order_of_three_rows_is_equally_likely() -> None:
    counts = dict.fromkeys(permutations(range(3)), 0)
    for epoch in range(3000):
        counts[tuple(permutation(7, epoch, 3).tolist())] += 1
    assert all(abs(count - 500) < 4 * math.sqrt(500 * 5 / 6) for count in counts.values())


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_masks_drop_the_fraction_p_and_keep_the_mean(p: float) -> None:
    mask = dropout_mask(2, "dropout1", 4, 300, 101, p)
    assert set(np.unique(mask)) <= {0.0, 1 / (1 - p)}
    assert abs((mask == 0).mean() - p) <= 4 * math.sqrt(p * (1 - p) / mask.size)


def test_masks_differ_by_seed_layer_step_and_row_only() -> None:
    base = dropout_mask(2, "dropout1", 4, 5, 64, 0.5)
    for other in [(3, "dropout1", 4), (2, "dropout2", 4), (2, "dropout1", 5)]:
        assert not np.array_equal(base, dropout_mask(*other, 5, 64, 0.5))
    assert len(np.unique(base, axis=0)) == 5
    assert np.array_equal(base[:3, :9], dropout_mask(2, "dropout1", 4, 3, 9, 0.5))


# ---------------------------------------------------------------- costs and gradients


def example(cost: str, output: str, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    """z, a, y of six rows of three outputs, and labels; targets inside the output's range."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(6, 3))
    labels = rng.integers(0, 3, size=6)
    y = {"tanh": rng.uniform(-1, 1, (6, 3))}.get(output, rng.uniform(0, 1, (6, 3)))
    if cost == "log_likelihood":
        y = y / y.sum(axis=1, keepdims=True)
    if cost == "hinge":
        y = reference.targets(labels, 3, output)
    return z, reference.activate(z, output), y, labels


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_of_activations_are_their_central_differences(name: str) -> None:
    f, derivative = ACTIVATIONS[name]
    z = np.array([-30.0, -3.0, -0.7, 0.4, 2.0, 30.0])
    h = 1e-5
    assert reference.relative_error((f(z + h) - f(z - h)) / (2 * h), derivative(z)) < CENTRAL


def test_relu_has_slope_0_at_0() -> None:
    assert ACTIVATIONS["relu"][1](np.zeros(1)) == 0


@pytest.mark.parametrize(("cost", "output"), COSTS)
def test_delta_at_the_output_is_the_central_difference_of_the_cost(cost: str, output: str) -> None:
    z, a, y, _ = example(cost, output)
    value, delta = COSTS[cost, output]
    numerical = reference.numerical_gradient(
        lambda: float(value(z, reference.activate(z, output), y).sum()), z
    )
    assert reference.relative_error(delta(z, a, y), numerical) < CENTRAL


def test_costs_of_one_row_worked_by_hand() -> None:
    z, y = np.array([[0.0, math.log(3)]]), np.array([[1.0, 0.0]])
    a, p = np.array([[1 / 2, 3 / 4]]), np.array([[1 / 4, 3 / 4]])
    assert np.allclose(reference.sigmoid(z), a, atol=1e-15)
    assert np.allclose(reference.softmax(z), p, atol=1e-15)
    assert reference.quadratic(z, a, y)[0] == pytest.approx((1 / 4 + 9 / 16) / 2)
    assert reference.cross_entropy(z, a, y)[0] == pytest.approx(math.log(2) + math.log(4))
    assert reference.log_likelihood(z, p, y)[0] == pytest.approx(math.log(4))
    assert reference.hinge(z, z, y)[0] == pytest.approx(math.log(3) + 1)
    e = p - y  # (-3/4, 3/4): sum e a = -3/16 + 9/16 = 3/8
    expected = [[1 / 4 * (-3 / 4 - 3 / 8), 3 / 4 * (3 / 4 - 3 / 8)]]
    assert np.allclose(reference.quadratic_softmax_delta(z, p, y), expected, atol=1e-15)
    assert np.allclose(reference.difference(z, p, y), e)


def test_costs_of_extreme_z_stay_finite_and_right() -> None:
    z, y = np.array([[1000.0, -1000.0]]), np.array([[0.0, 1.0]])
    assert reference.cross_entropy(z, reference.sigmoid(z), y)[0] == 2000
    assert reference.cross_entropy(z, reference.sigmoid(z), 1 - y)[0] == 0
    assert reference.log_likelihood(z, reference.softmax(z), y)[0] == 2000


def test_hinge_has_no_gradient_at_the_kink() -> None:
    z, y = np.array([[1.0, 0.0, 0.5]]), np.array([[1.0, 0.0, 0.0]])
    assert reference.hinge(z, z, y)[0] == 0.5
    assert reference.hinge_delta(z, z, y).tolist() == [[-1.0, 0.0, 1.0]]


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("cost", "output"), COSTS)
def test_backward_pass_is_the_central_difference_of_the_forward_pass(
    cost: str, output: str, hidden: str
) -> None:
    *_, y, _ = example(cost, output)
    x = np.random.default_rng(1).normal(size=(6, 4))
    layers = [4, Dropout(0.3), Dense(5, hidden), Dropout(0.5)]
    layers += [Dense(4, "linear"), Activation(hidden), Dense(3, output, "large")]
    # Nothing may sit on a kink of ReLU or hinge, so seed 4 takes a place where none does.
    twin = reference.Network(layers, cost=cost, seed=4)
    arguments = {
        "l1": 0.1,
        "l2": 0.2,
        "penalize_biases": True,
        "sample_weight": np.arange(6.0),
        "training": Training(seed=9, step=3),
    }
    _, gradient = twin.cost_and_gradient(x, y, **arguments)
    for name, parameter in twin.parameters.items():
        numerical = reference.numerical_gradient(
            lambda: twin.cost_and_gradient(x, y, **arguments)[0], parameter
        )
        assert reference.relative_error(gradient[name], numerical) < CENTRAL, name


def test_biases_are_free_of_penalties_unless_asked() -> None:
    twin = reference.Network([2, Dense(1, "linear", "large")], cost="quadratic")
    x, y = np.ones((3, 2)), np.zeros(3)
    W, b = twin.parameters.values()
    _, plain = twin.cost_and_gradient(x, y)
    _, free = twin.cost_and_gradient(x, y, l1=2.0, l2=3.0, n=4)
    _, all_of_them = twin.cost_and_gradient(x, y, l1=2.0, l2=3.0, n=4, penalize_biases=True)
    assert np.allclose(free["dense1.weight"] - plain["dense1.weight"], np.sign(W) / 2 + 3 * W / 4)
    assert np.array_equal(free["dense1.bias"], plain["dense1.bias"])
    expected = np.sign(b) / 2 + 3 * b / 4
    assert np.allclose(all_of_them["dense1.bias"] - plain["dense1.bias"], expected)


def test_labels_become_targets() -> None:
    labels = np.array([0, 2], dtype=np.uint8)
    assert reference.targets(labels, 3, "sigmoid").tolist() == [[1, 0, 0], [0, 0, 1]]
    assert reference.targets(labels, 3, "tanh").tolist() == [[1, -1, -1], [-1, -1, 1]]
    assert reference.targets(np.array([0, 1]), 1, "sigmoid").tolist() == [[0], [1]]
    assert reference.targets(np.array([0, 1]), 1, "tanh").tolist() == [[-1], [1]]
    assert reference.targets(np.array([0.25, -3]), 1, "linear").tolist() == [[0.25], [-3]]


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.name)
def test_steps_worked_by_hand(case: Exact) -> None:
    twin = reference.Network([1, Dense(1, "linear")], cost="quadratic")
    twin.load({"dense1.weight": [[case.start[0]]], "dense1.bias": [case.start[1]]})
    settings = {"learning_rate": case.learning_rate} | case.settings
    for w, b in case.after:
        arguments: dict[str, Any] = {"batch_size": len(case.x)} | case.fit
        x, y = np.array(case.x, dtype=float)[:, None], np.array(case.y, dtype=float)
        twin.fit(x, y, epochs=1, shuffle=False, settings=settings, **arguments)
        assert (twin.parameters["dense1.weight"], twin.parameters["dense1.bias"]) == (w, b)


@pytest.mark.parametrize("case", TOY, ids=lambda c: f"{c.cost}-{c.start[0]}-{c.learning_rate}")
def test_toy_neuron_follows_the_quoted_outputs(case: Toy) -> None:
    twin = reference.Network([1, Dense(1, "sigmoid")], cost=case.cost)
    twin.load({"dense1.weight": [[case.start[0]]], "dense1.bias": [case.start[1]]})
    x, y = np.ones((1, 1)), np.zeros(1, dtype=int)
    outputs = [twin.forward(x).item()]
    for _ in range(6):
        twin.fit(x, y, epochs=50, batch_size=1, settings={"learning_rate": case.learning_rate})
        outputs.append(twin.forward(x).item())
    assert np.round(outputs, 4).tolist() == list(case.outputs)
    assert tuple(round(p.item(), 4) for p in twin.parameters.values()) == case.end
    assert round(twin.loss(x, y), 5) == case.end_cost


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_losses(case: Golden) -> None:
    twin = reference.Network(case.layers, cost=case.cost, seed=11)
    fit = dict(case.fit)
    settings = {name: fit.pop(name) for name in ("learning_rate", "momentum") if name in fit}
    history = twin.fit(*golden_data(), epochs=3, batch_size=7, settings=settings, **fit)
    assert np.allclose(history["loss"], case.losses, rtol=0, atol=1e-9)


def test_running_columns_count_every_row_once() -> None:
    twin = reference.Network([1, Dense(1, "sigmoid", "zeros")], cost="cross_entropy")
    x, y = np.ones((5, 1)), np.array([1, 1, 1, 1, 0])
    settings = {"learning_rate": 1e-9}
    history = twin.fit(x, y, epochs=1, batch_size=2, shuffle=False, settings=settings)
    assert history["loss"] == pytest.approx(math.log(2), abs=1e-8)
    assert history["accuracy"] == 4 / 5
    assert len(history["step_loss"]) == twin.steps == 3


# ---------------------------------------------------------------- scikit-learn, if installed


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize(("hidden", "theirs"), [("tanh", "tanh"), ("relu", "relu")])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_epochs_equal_those_of_scikit_learn(
    hidden: str, theirs: str, n_classes: int, nesterov: bool
) -> None:
    neural_network = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 4)), np.arange(12) % n_classes
    output = Dense(1, "sigmoid") if n_classes == 2 else Dense(3, "softmax")
    cost = "cross_entropy" if n_classes == 2 else "log_likelihood"
    twin = reference.Network([4, Dense(5, hidden), Dense(6, hidden), output], cost=cost, seed=2)
    # Its alpha divides by the batch's length, our l2 by n: l2 / 12 = alpha / 4.
    peer = neural_network.MLPClassifier(
        (5, 6),
        activation=theirs,
        solver="sgd",
        alpha=0.1,
        batch_size=4,
        learning_rate_init=0.3,
        max_iter=3,
        shuffle=False,
        momentum=0.8,
        nesterovs_momentum=nesterov,
        warm_start=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs have not converged
        peer.fit(x, y)
        for k in range(3):
            peer.coefs_[k][...] = twin.parameters[f"dense{k + 1}.weight"]
            peer.intercepts_[k][...] = twin.parameters[f"dense{k + 1}.bias"]
        peer.fit(x, y)
    settings = {"learning_rate": 0.3, "momentum": 0.8, "nesterov": nesterov}
    twin.fit(x, y, epochs=3, batch_size=4, l2=0.3, shuffle=False, settings=settings)
    for k in range(3):
        W, b = twin.parameters[f"dense{k + 1}.weight"], twin.parameters[f"dense{k + 1}.bias"]
        assert reference.relative_error(peer.coefs_[k], W) < 1e-12
        assert reference.relative_error(peer.intercepts_[k], b) < 1e-12


def test_losses_equal_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    z, a, _, labels = example("log_likelihood", "softmax")
    one_hot = reference.targets(labels, 3, "softmax")
    ours = reference.log_likelihood(z, a, one_hot).mean()
    assert ours == pytest.approx(metrics.log_loss(labels, a, labels=[0, 1, 2]), rel=1e-12)
