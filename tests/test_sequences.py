"""Calls in any order: a network is at every moment what a plain replay of its life gives.

Of each network its life is written down in plain words: epochs trained, numbers written, and so on.
A stop, a divergence, an exception, a file, a copy in between leave no trace in it.
"""

import copy
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from fits import X, Y
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)
from twins import assert_same_bits

import nnlearn as nn

Event = tuple[Any, ...]


class Living(NamedTuple):
    """A network and its life: what a new one must go through to be the same."""

    net: nn.Network
    dropout: float
    events: list[Event]

    def to(self, net: nn.Network, *events: Event) -> "Living":
        """Another network, with the same life until now."""
        return Living(net, self.dropout, [*self.events, *events])

    def epochs(self, n: int, fit: dict[str, Any]) -> None:
        self.events.extend([("epoch", fit)] * n)


def born(dropout: float) -> nn.Network:
    return nn.Network([4, 5, 3], dropout=dropout, seed=1)


def replay(living: Living) -> nn.Network:
    """A new network that has gone through this life, epoch by epoch."""
    net = born(living.dropout)
    for what, *values in living.events:
        if what == "epoch":
            net.fit(X, Y, epochs=1, **values[0])
        elif what == "write":
            name, index, value = values
            net.parameters[name].flat[index] = value
        elif what == "reset":
            net.reset(*values)
        elif what == "astype":
            net = net.astype(*values)
        elif what == "forget" and net._trainer is not None:  # the optimiser's state
            net._trainer.clear()
    return net


def assert_same(net: nn.Network, twin: nn.Network) -> None:
    assert_same_bits(net.parameters, twin.parameters)
    assert (net.dtype, net.seed) == (twin.dtype, twin.seed)
    assert net._core.counters == twin._core.counters
    assert len(net.history) == len(twin.history)
    for column in ("epoch", "loss", "accuracy", "penalty") if len(net.history) else ():
        assert net.history[column].tolist() == twin.history[column].tolist()
    assert np.array_equal(net.history.step_loss, twin.history.step_loss)
    assert net.loss(X, Y) == twin.loss(X, Y)
    assert net.accuracy(X, Y) == np.mean(twin.predict(X) == Y)
    assert np.array_equal(net.forward(X), twin.inspect(X, Y).a[-1])


#: Few and alike, so that one fit goes on where another has ended.
FITS = st.sampled_from(
    [
        {"learning_rate": 0.5, "momentum": 0.9, "batch_size": 7},
        {"learning_rate": 0.5, "momentum": 0.9, "batch_size": 100, "l2": 0.5},
        {"learning_rate": 0.05, "momentum": 0.9, "batch_size": 1, "shuffle": False},
        {"learning_rate": 0.5, "batch_size": 30, "l1": 0.1},
    ]
)
NAMES = st.sampled_from(["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"])
COPIES: dict[str, Callable[[nn.Network], nn.Network]] = {
    "copy": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
}


class At(nn.Callback):
    """Does something to the network when k epochs are trained, at a moment around an epoch."""

    def __init__(self, k: int, moment: str, act: Callable[[nn.Network], Any]) -> None:
        def call(net: nn.Network, history: nn.History) -> None:
            if len(history) == k:
                act(net)

        setattr(self, f"on_epoch_{moment}", call)


class UsersError(Exception):
    """Raised by a callback."""


def fail(net: nn.Network) -> None:
    raise UsersError


BAD: list[tuple[type[Exception], Callable[[nn.Network], Any]]] = [
    (ValueError, lambda net: net.fit(X[:, :2], Y, learning_rate=0.1)),
    (ValueError, lambda net: net.fit(X, Y + 1, learning_rate=0.1)),
    (TypeError, lambda net: net.fit(X, Y)),
    (TypeError, lambda net: net.fit(X, Y, lr=0.1)),
    (ValueError, lambda net: net.forward(X * np.nan)),
    (ValueError, lambda net: net.reset(-1)),
    (ValueError, lambda net: net.astype("float16")),
    (ValueError, lambda net: net.weights.__setitem__(0, X)),
    (OSError, lambda net: net.save("/no folder/here")),
    (OSError, lambda net: nn.load("/no folder/here")),
]


few = precondition(lambda self: 0 < len(self.living) < 3)


class Calls(RuleBasedStateMachine):
    """Networks come, live and go."""

    networks = Bundle("networks")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.living: list[Living] = []
        self.views: list[tuple[Any, Any]] = []  # of networks that are gone, and what they showed

    def teardown(self) -> None:
        self.folder.cleanup()
        for living in self.living:
            assert_same(living.net, replay(living))

    def add(self, living: Living) -> Living:
        self.living.append(living)
        return living

    # ---- they come ----------------------------------------------------------------------------

    @precondition(lambda self: not self.living)
    @rule(target=networks, dropout=st.sampled_from([0.0, 0.3]))
    def new(self, dropout: float) -> Living:
        return self.add(Living(born(dropout), dropout, []))

    @few
    @rule(target=networks, old=networks, how=st.sampled_from(list(COPIES)))
    def copies(self, old: Living, how: str) -> Living:
        return self.add(old.to(COPIES[how](old.net)))

    @few
    @rule(target=networks, old=networks, dtype=st.sampled_from(["float32", "float64"]))
    def another_precision(self, old: Living, dtype: str) -> Living:
        return self.add(old.to(old.net.astype(dtype), ("astype", dtype)))

    @few
    @rule(target=networks, old=networks)
    def save_and_load(self, old: Living) -> Living:
        path = Path(self.folder.name, "net.safetensors")
        old.net.save(path)
        return self.add(old.to(nn.load(path), ("forget",)))

    # ---- they live ----------------------------------------------------------------------------

    @rule(living=networks, epochs=st.integers(1, 3), fit=FITS)
    def fit(self, living: Living, epochs: int, fit: dict[str, Any]) -> None:
        history = living.net.fit(X, Y, epochs=epochs, **fit)
        assert len(history) == epochs
        living.epochs(epochs, fit)

    @rule(
        living=networks,
        fit=FITS,
        k=st.integers(0, 2),
        moment=st.sampled_from(["begin", "end"]),
        how=st.sampled_from(["stop", "raise"]),
    )
    def fit_cut_short(
        self, living: Living, fit: dict[str, Any], k: int, moment: str, how: str
    ) -> None:
        if moment == "end":
            k += 1  # on_epoch_end comes with one epoch at least
        rows = len(living.net.history)
        act = fail if how == "raise" else nn.Network.stop
        try:
            living.net.fit(X, Y, epochs=9, callbacks=At(k, moment, act), **fit)
        except UsersError:
            assert how == "raise"
        else:
            assert how == "stop"
        assert len(living.net.history) == rows + k
        self.began(living, fit)
        living.epochs(k, fit)

    @rule(living=networks, fit=FITS)
    def diverge(self, living: Living, fit: dict[str, Any]) -> None:
        with pytest.raises(FloatingPointError):
            living.net.fit(X, Y, epochs=3, **fit | {"learning_rate": 1e300, "l2": 1e300})
        self.began(living, fit)

    def began(self, living: Living, fit: dict[str, Any]) -> None:
        """A fit without momentum has let go of velocities, however it ended."""
        if "momentum" not in fit:
            living.events.append(("forget",))

    @rule(living=networks, name=NAMES, index=st.integers(0, 2), value=st.floats(-2, 2, width=32))
    def write(self, living: Living, name: str, index: int, value: float) -> None:
        living.net.parameters[name].flat[index] = value
        living.events.append(("write", name, index, value))

    @rule(living=networks, seed=st.none() | st.integers(0, 3))
    def reset(self, living: Living, seed: int | None) -> None:
        living.net.reset(seed)
        living.events.append(("reset", seed))

    @rule(living=networks, which=st.sampled_from(BAD))
    def bad_calls(
        self, living: Living, which: tuple[type[Exception], Callable[[nn.Network], Any]]
    ) -> None:
        error, call = which
        with pytest.raises(error):
            call(living.net)

    # ---- they are looked at, and go -----------------------------------------------------------

    @rule(living=consumes(networks))
    def delete(self, living: Living) -> None:
        view = living.net.weights[0]
        self.views.append((view, view.copy()))
        self.living = [each for each in self.living if each is not living]

    @rule(living=networks)
    def compare(self, living: Living) -> None:
        assert_same(living.net, replay(living))

    @invariant()
    def histories_count_epochs(self) -> None:
        for net, *_ in self.living:
            epochs, steps = net._core.counters
            assert net.history["epoch"].tolist() == list(range(1, epochs + 1))
            assert len(net.history.step_loss) == steps

    @invariant()
    def views_stay(self) -> None:
        for view, values in self.views:
            assert np.array_equal(view, values)


Calls.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, report_multiple_bugs=False
)
TestSequences = Calls.TestCase
