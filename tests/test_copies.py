"""Copies, pickles, other precisions, resets: independent, and trained on with the same bits."""

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from twins import assert_same_bits, snapshot

import nnlearn as nn

X = np.random.default_rng(3).random((20, 3)).astype(np.float32)
Y = np.arange(20) % 2


class Special(nn.Network):
    """A network of the user's."""


def trained() -> nn.Network:
    net = nn.Network([3, 6, 2], dropout=0.3, seed=4)
    net.fit(X, Y, epochs=3, batch_size=4, learning_rate=0.3, momentum=0.9, l2=0.1)
    return net


def go_on(net: nn.Network) -> nn.Network:
    net.fit(X, Y, epochs=2, batch_size=4, learning_rate=0.3, momentum=0.9, l2=0.1)
    return net


COPIES: dict[str, Callable[[nn.Network], nn.Network]] = {
    "copy()": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "pickle 2": lambda net: pickle.loads(pickle.dumps(net, protocol=2)),
    "astype of its own": lambda net: net.astype("float32"),
    "of a copy": lambda net: net.copy().copy(),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_equal_and_independent(how: str) -> None:
    net = trained()
    other = COPIES[how](net)
    assert type(other) is nn.Network
    assert repr(other) == repr(net)
    assert (other.seed, other.cost, other.layers) == (net.seed, net.cost, net.layers)
    assert_same_bits(other.parameters, net.parameters)
    assert other.history == net.history
    assert other.history is not net.history
    kept = snapshot(net)
    for name in net.parameters:
        assert not np.shares_memory(net.parameters[name], other.parameters[name])
        other.parameters[name][:] = 0
    go_on(other)
    assert_same_bits(net.parameters, kept)
    assert len(net.history) == 3
    assert len(other.history) == 5


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_goes_on_with_the_same_bits(how: str) -> None:
    """It carries velocities, counters and the seed."""
    net = trained()
    other = COPIES[how](net)
    assert_same_bits(go_on(other).parameters, go_on(net).parameters)
    assert other.history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert np.array_equal(other.history["loss"], net.history["loss"])
    assert np.array_equal(other.history.step_loss, net.history.step_loss)


def test_the_velocity_is_part_of_a_copy() -> None:
    """So that the test above can fail: without it other weights come out."""
    net, fresh = trained(), trained()
    fresh.fit(
        X, Y, epochs=2, batch_size=4, learning_rate=0.3, momentum=0.9, l2=0.1, reset_optimizer=True
    )
    assert not np.array_equal(go_on(net).weights[0], fresh.weights[0])


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_a_subclass_are_of_it(how: str) -> None:
    assert type(COPIES[how](Special([3, 2], seed=1))) is Special


def test_the_original_may_go() -> None:
    net = trained()
    other, expected = net.copy(), snapshot(net)
    del net
    gc.collect()
    assert_same_bits(other.parameters, expected)
    go_on(other)


def test_a_network_that_never_trained_can_be_copied() -> None:
    net = nn.Network([3, 2], seed=1)
    for how in COPIES.values():
        assert_same_bits(how(net).parameters, net.parameters)
        assert len(how(net).history) == 0


def test_astype_changes_the_precision_alone() -> None:
    net = trained()
    double = net.astype("float64")
    assert double.dtype == np.float64
    assert net.dtype == np.float32
    for name in net.parameters:
        assert np.array_equal(double.parameters[name], net.parameters[name].astype(np.float64))
    assert double.history == net.history
    go_on(double)
    go_on(net)
    assert double.history["epoch"].tolist() == [1, 2, 3, 4, 5]
    # Two epochs of 5 steps in single precision beside the same in double.
    assert np.allclose(double.weights[0], net.weights[0], rtol=1e-4, atol=1e-5)
    again = double.astype(np.float32)
    assert np.array_equal(again.weights[0], double.weights[0].astype(np.float32))


@pytest.mark.parametrize("dtype", ["float16", "int", "complex64", int, None, "foo"])
def test_astype_takes_two_precisions(dtype: Any) -> None:
    net = nn.Network([3, 2])
    with pytest.raises((TypeError, ValueError), match=r"^dtype must be float32 or float64, got "):
        net.astype(dtype)


def test_reset_is_a_new_start() -> None:
    net, new = trained(), nn.Network([3, 6, 2], dropout=0.3, seed=4)
    view, history = net.weights[0], net.history
    assert net.reset() is net
    assert_same_bits(net.parameters, new.parameters)
    assert np.shares_memory(view, net.weights[0])
    assert len(net.history) == 0
    assert len(history) == 3
    go_on(net)
    go_on(new)
    assert_same_bits(net.parameters, new.parameters)
    net.reset(seed=9)
    assert net.seed == 9
    assert_same_bits(net.parameters, nn.Network([3, 6, 2], seed=9).parameters)


def test_a_bad_reset_changes_nothing() -> None:
    net = trained()
    kept = snapshot(net)
    with pytest.raises(ValueError, match=r"^seed must be an integer from 0 .*, got -1$"):
        net.reset(seed=-1)
    assert_same_bits(net.parameters, kept)
    assert (net.seed, len(net.history)) == (4, 3)
