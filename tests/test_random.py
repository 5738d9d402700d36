"""The random numbers of nnlearn, seen through what it does with them, against the twin's."""

from typing import Any

import numpy as np
import pytest
import reference
from reference_random import dropout_mask, permutation

import nnlearn as nn

# sine, cosine and logarithm of two libraries agree to an ulp or two
LIBRARY = 4e-15

SEEDS = [0, 1, 2**32 + 5, 2**64 - 1]
INITS = ["scaled", "large", "xavier", "he", "zeros", 0.25]


# ---------------------------------------------------------------- start weights


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("widths", [(1, 1), (1, 2, 1), (5, 3, 7), (37, 53, 11)], ids=str)
def test_start_weights_are_the_twins(widths: tuple[int, ...], init: Any, seed: int) -> None:
    net = nn.Network(list(widths), init=init, seed=seed, dtype="float64")
    layers = [widths[0], *(reference.Dense(n, "sigmoid", init) for n in widths[1:])]
    twin = reference.Network(layers, cost="cross_entropy", seed=seed)
    assert list(net.parameters) == list(twin.parameters)
    for name, value in net.parameters.items():
        assert reference.relative_error(value, twin.parameters[name]) < LIBRARY, name


@pytest.mark.parametrize("init", INITS)
def test_start_weights_are_drawn_in_double_then_rounded(init: Any) -> None:
    single, double = (
        nn.Network([37, 53, 11], init=init, seed=4, dtype=dtype) for dtype in ("float32", "float64")
    )
    for name, value in single.parameters.items():
        assert value.dtype == np.float32
        assert np.array_equal(value, double.parameters[name].astype(np.float32)), name


def test_a_layer_may_have_an_init_of_its_own() -> None:
    layers = [5, nn.Dense(4, init="he"), nn.Dense(6), nn.Dense(3, activation="sigmoid", init=2.0)]
    net = nn.Network(layers, init="large", seed=8, dtype="float64")
    inits = zip((5, 4, 6), (4, 6, 3), ("he", "large", 2.0), strict=True)
    for k, (n_in, n_out, init) in enumerate(inits):
        W, b = reference.start(8, f"dense{k + 1}", n_in, n_out, init)
        assert reference.relative_error(net.weights[k], W) < LIBRARY
        assert reference.relative_error(net.biases[k], b) < LIBRARY


def test_inits_are_the_same_deviates_scaled() -> None:
    large, scaled = (
        nn.Network([16, 3], init=init, seed=2, dtype="float64") for init in ("large", "scaled")
    )
    assert reference.relative_error(4 * scaled.weights[0], large.weights[0]) < LIBRARY
    assert np.array_equal(scaled.biases[0], large.biases[0])


def test_dropout_and_activation_layers_change_no_start_weight() -> None:
    plain = nn.Network([5, 4, 3], seed=6)
    layers = [5, nn.Dropout(0.2), nn.Dense(4, activation="linear"), nn.Activation("sigmoid")]
    with_more = nn.Network([*layers, nn.Dropout(0.5), 3], seed=6)
    for name, value in plain.parameters.items():
        assert np.array_equal(value, with_more.parameters[name]), name


def test_a_wider_layer_changes_no_start_weight_of_another() -> None:
    narrow, wide = nn.Network([5, 4, 4, 3], seed=6), nn.Network([9, 4, 4, 3], seed=6)
    for k in (1, 2):
        assert np.array_equal(narrow.weights[k], wide.weights[k])
        assert np.array_equal(narrow.biases[k], wide.biases[k])


def test_reset_draws_the_start_weights_anew() -> None:
    net = nn.Network([5, 4, 3], seed=6)
    x, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 3
    net.fit(x, y, epochs=1, learning_rate=0.5)
    net.reset()
    other = nn.Network([5, 4, 3], seed=6)
    for name, value in net.parameters.items():
        assert np.array_equal(value, other.parameters[name])
    net.reset(seed=9)
    assert net.seed == 9
    assert np.array_equal(net.weights[0], nn.Network([5, 4, 3], seed=9).weights[0])


# ---------------------------------------------------------------- the shuffle


def orders(net: Any, n: int, epochs: int, **arguments: Any) -> list[list[int]]:
    """The order of rows in each epoch, read off the loss of every step.

    One linear unit with weights of 0 gives row i, whose target is i, the loss i^2 / 2; a learning
    rate of 1e-30 leaves the unit at 0.
    """
    x, y = np.ones((n, 1)), np.arange(float(n))
    history = net.fit(x, y, epochs=epochs, batch_size=1, learning_rate=1e-30, **arguments)
    rows = np.sqrt(2 * history.step_loss.astype(float)).round().astype(int)
    return rows.reshape(epochs, n).tolist()


def counting_network(seed: int) -> Any:
    layers = [1, nn.Dense(1, activation="linear", init="zeros")]
    return nn.Network(layers, cost="quadratic", seed=seed, dtype="float64")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 101, 1000])
def test_epochs_take_the_rows_in_the_twins_order(n: int, seed: int) -> None:
    net = counting_network(seed)
    taken = orders(net, n, 3) + orders(net, n, 2)  # epochs count over the network's life
    assert taken == [permutation(seed, epoch, n).tolist() for epoch in range(5)]


def test_an_unshuffled_epoch_takes_the_rows_as_they_come() -> None:
    net = counting_network(1)
    assert orders(net, 20, 2, shuffle=False) == [list(range(20))] * 2
    assert orders(net, 20, 1) == [permutation(1, 2, 20).tolist()]


def test_fits_own_seed_makes_its_own_order() -> None:
    net = counting_network(1)
    assert orders(net, 20, 1, seed=5) == [permutation(5, 0, 20).tolist()]


# ---------------------------------------------------------------- dropout


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("n_units", [1, 3, 4, 37])
def test_masks_are_the_twins(n_units: int, p: float, dtype: str) -> None:
    """A weight of 0 behind the mask has the gradient mask * delta; delta of the one row is 1."""
    layers = [n_units, nn.Dropout(p), nn.Dense(1, activation="linear", init="zeros")]
    net = nn.Network(layers, cost="quadratic", dtype=dtype)
    x, y = np.ones((7, n_units)), -np.ones(7)
    for seed in SEEDS:
        expected = dropout_mask(seed, "dropout1", 0, 7, n_units, p)
        for row in range(7):
            _, gradient = net.cost_and_gradient(
                x, y, sample_weight=7.0 * (np.arange(7) == row), training=True, seed=seed
            )
            mask = gradient["dense1.weight"][:, 0]
            assert np.array_equal(mask == 0, expected[row] == 0)
            assert np.allclose(mask, expected[row], rtol=4 * np.finfo(dtype).eps, atol=0)


def test_layers_have_masks_of_their_own() -> None:
    """Two Dropout layers in a row: a unit is kept where both keep it."""
    layers = [64, nn.Dropout(0.3), nn.Dropout(0.5), nn.Dense(1, activation="linear", init="zeros")]
    net = nn.Network(layers, cost="quadratic", dtype="float64")
    _, gradient = net.cost_and_gradient(np.ones((1, 64)), np.array([-1.0]), training=True, seed=3)
    both = dropout_mask(3, "dropout1", 0, 1, 64, 0.3) * dropout_mask(3, "dropout2", 0, 1, 64, 0.5)
    assert np.allclose(gradient["dense1.weight"][:, 0], both[0], rtol=1e-14, atol=0)


def test_masks_go_by_the_step_and_the_row_of_its_batch() -> None:
    """With target -1, 2 inputs of 1 and tiny steps, the loss shows how many units were kept."""
    layers = [32, nn.Dropout(0.5), nn.Dense(1, activation="linear", init="zeros")]
    net = nn.Network(layers, cost="quadratic", seed=12, dtype="float64")
    net.weights[0][:] = 2.0 ** np.arange(-16, 16)[:, None] / 2  # a sum tells the units apart
    x, y = np.ones((6, 32)), np.zeros(6)
    history = net.fit(x, y, epochs=2, batch_size=2, learning_rate=1e-30, shuffle=False)
    for step, loss in enumerate(history.step_loss):
        masks = dropout_mask(12, "dropout1", step, 2, 32, 0.5)
        z = masks @ net.weights[0][:, 0]
        assert loss == pytest.approx((z**2).sum() / 4, rel=1e-6)


def test_masks_do_not_depend_on_the_threads() -> None:
    x, y = np.ones((65, 300)), np.arange(65) % 3
    gradients = []
    for n_threads in (1, 2):
        net = nn.Network([300, nn.Dropout(0.5), 3], seed=1, n_threads=n_threads)
        gradients.append(net.cost_and_gradient(x, y, training=True, seed=4)[1])
    for name, g in gradients[0].items():
        assert np.array_equal(g, gradients[1][name])
