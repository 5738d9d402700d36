"""Same seed, same bits: fits in parts, copies, threads, seeds; and properties of any run."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import Dense, Dropout, relative_error
from twins import (
    SGD_MOMENTUM,
    TRAINED,
    assert_same_bits,
    assert_same_parameters,
    fit_both,
    make_pair,
    rows,
    snapshot,
)

import nnlearn as nn


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("parts", [(10, 20), (1, 29), (10, 0, 10, 10)], ids=str)
def test_fit_in_parts_is_fit_at_once(parts: tuple[int, ...], nesterov: bool, dtype: str) -> None:
    x, y = rows(53)
    optimizer = nn.SGD(0.3, momentum=0.9, nesterov=nesterov)
    once, twice = (nn.Network([5, 7, 3], dropout=0.3, seed=5, dtype=dtype) for _ in range(2))
    history = once.fit(x, y, epochs=30, optimizer=optimizer, l2=0.1)
    for epochs in parts:
        twice.fit(x, y, epochs=epochs, optimizer=optimizer, l2=0.1)
    assert_same_bits(once.parameters, twice.parameters)
    for column in ("epoch", "loss", "accuracy", "penalty"):
        assert np.array_equal(twice.history[column], history[column]), column
    assert once.history["epoch"].tolist() == list(range(1, 31))


def test_a_copy_goes_on_as_the_original_does() -> None:
    x, y = rows(53)
    net = nn.Network([5, 7, 3], dropout=0.3, seed=5)
    net.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    copy = net.copy()
    net.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    copy.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    assert_same_bits(net.parameters, copy.parameters)


def test_reset_optimizer_forgets_the_velocity() -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    fit_both(net, twin, x, y, settings=SGD_MOMENTUM)
    twin.state.clear()
    net.fit(x, y, epochs=1, learning_rate=0.3, momentum=0.8, reset_optimizer=True)
    twin.fit(x, y, epochs=1, batch_size=10, settings=SGD_MOMENTUM)
    assert_same_parameters(net, twin)


def test_velocity_stays_when_rate_and_momentum_change() -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    fit_both(net, twin, x, y, settings=SGD_MOMENTUM)
    fit_both(net, twin, x, y, settings={"learning_rate": 0.1, "momentum": 0.5})
    assert_same_parameters(net, twin)


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize(
    ("widths", "batch_size"), [((5, 7, 3), 10), ((300, 271, 10), 64), ((300, 271, 10), 1)]
)
def test_number_of_threads_changes_no_bit(
    widths: tuple[int, ...], batch_size: int, dtype: str
) -> None:
    x, y = rows(300, n_in=widths[0])
    results = []
    for n_threads in (1, 2, 3):
        net = nn.Network(list(widths), dropout=0.3, seed=5, dtype=dtype, n_threads=n_threads)
        net.fit(x, y, epochs=1, batch_size=batch_size, learning_rate=0.3, momentum=0.9, l2=0.1)
        results.append(snapshot(net) | {"outputs": net.forward(x), "loss": net.loss(x, y)})
    assert_same_bits(results[0], results[1])
    assert_same_bits(results[0], results[2])


def test_seeds_differ_and_a_drawn_seed_repeats() -> None:
    x, y = rows(53)

    def trained(seed: int | None) -> Any:
        net = nn.Network([5, 7, 3], dropout=0.3, seed=seed)
        net.fit(x, y, epochs=2, learning_rate=0.3)
        return net

    drawn = trained(None)
    assert_same_bits(drawn.parameters, trained(drawn.seed).parameters)
    assert not np.array_equal(trained(1).weights[0], trained(2).weights[0])


def test_fit_takes_a_seed_of_its_own() -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dropout(0.5), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    net.fit(x, y, epochs=2, learning_rate=0.5, seed=77)
    twin.seed = 77
    twin.fit(x, y, epochs=2, batch_size=10, settings={"learning_rate": 0.5})
    assert_same_parameters(net, twin)


# ---------------------------------------------------------------- properties

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, n=st.integers(1, 30))
def test_order_of_rows_does_not_matter_to_one_full_batch(seed: int, n: int) -> None:
    x, y = rows(n)
    order = np.random.default_rng(seed).permutation(n)
    net, _ = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", seed=seed)
    other = net.copy()
    for each, chosen in ((net, slice(None)), (other, order)):
        each.fit(x[chosen], y[chosen], epochs=2, batch_size=n, learning_rate=0.5, l2=0.1)
    for name, value in net.parameters.items():
        assert relative_error(other.parameters[name], value) < 1e-12


@given(seed=SEEDS, n=st.integers(1, 30), batch_size=st.integers(1, 12), epochs=st.integers(1, 3))
def test_any_run_is_the_twins(seed: int, n: int, batch_size: int, epochs: int) -> None:
    layers = [5, Dense(6, "tanh"), Dropout(0.4), Dense(3)]
    net, twin = make_pair(layers, cost="cross_entropy", seed=seed)
    x, y = rows(n)
    fit_both(net, twin, x, y, epochs=epochs, batch_size=batch_size, settings=SGD_MOMENTUM, l1=0.01)
    assert_same_parameters(net, twin)


@given(seed=SEEDS, first=st.integers(0, 4), second=st.integers(0, 4))
def test_any_two_fits_are_one(seed: int, first: int, second: int) -> None:
    x, y = rows(23)
    once, twice = (nn.Network([5, 4, 3], dropout=0.4, seed=seed) for _ in range(2))
    arguments = {"learning_rate": 0.3, "momentum": 0.7, "batch_size": 4}
    once.fit(x, y, epochs=first + second, **arguments)
    twice.fit(x, y, epochs=first, **arguments)
    twice.fit(x, y, epochs=second, **arguments)
    assert_same_bits(once.parameters, twice.parameters)
