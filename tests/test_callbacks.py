"""Callbacks: when they are called, what they may do, how they end a fit."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fits import X, Y, fit, network
from twins import assert_same_bits

import nnlearn as nn


class Log(nn.Callback):
    """Writes down what it was called for."""

    def __init__(self, name: str, log: list[Any]) -> None:
        self.name, self.log = name, log

    def on_fit_begin(self, net: nn.Network, history: nn.History) -> None:
        self.log.append((self.name, "fit begin", len(history)))

    def on_epoch_begin(self, net: nn.Network, history: nn.History) -> None:
        self.log.append((self.name, "epoch begin", len(history)))

    def on_epoch_end(self, net: nn.Network, history: nn.History) -> None:
        self.log.append((self.name, "epoch end", len(history)))

    def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
        self.log.append((self.name, "fit end", len(history)))


def test_callbacks_are_called_in_order() -> None:
    log: list[Any] = []
    fit(network(), epochs=2, callbacks=[Log("a", log), Log("b", log)])
    moments = [("fit begin", 0), ("epoch begin", 0), ("epoch end", 1)]
    moments += [("epoch begin", 1), ("epoch end", 2), ("fit end", 2)]
    assert log == [(name, what, n) for what, n in moments for name in ("a", "b")]


def test_a_callback_gets_the_network_and_the_history_of_this_fit() -> None:
    net, seen = network(), []
    fit(net)
    history = fit(net, epochs=2, callbacks=lambda *given: seen.append(given))
    assert all(given[0] is net and given[1] is history for given in seen)
    assert len(seen) == 2


@pytest.mark.parametrize("many", [lambda f: f, lambda f: [f], lambda f: (f,), lambda f: iter([f])])
def test_callbacks_may_be_one_or_several(many: Callable[[Any], Any]) -> None:
    calls: list[int] = []
    fit(network(), epochs=2, callbacks=many(lambda net, history: calls.append(len(history))))
    assert calls == [1, 2]


@pytest.mark.parametrize("answer", [True, np.True_, np.float64(3) > 2])
def test_true_ends_the_fit_after_all_callbacks(answer: Any) -> None:
    log: list[Any] = []
    stop = Log("stop", log)
    stop.on_epoch_end = lambda net, history: answer
    history = fit(network(), epochs=9, callbacks=[stop, Log("after", log)])
    assert len(history) == 1
    assert history.stop_reason == "callback Log returned True"
    assert ("after", "epoch end", 1) in log
    assert log[-1] == ("after", "fit end", 1)


@pytest.mark.parametrize("answer", [None, False, np.False_, 1, "yes", 0.5, [True]])
def test_nothing_but_true_ends_the_fit(answer: Any) -> None:
    assert len(fit(network(), epochs=3, callbacks=lambda net, history: answer)) == 3


def test_a_condition_on_the_history_ends_the_fit() -> None:
    history = fit(network(), epochs=9, callbacks=lambda net, h: h["loss"][-1] < 1e9)
    assert len(history) == 1


@pytest.mark.parametrize("moment", ["fit_begin", "epoch_begin", "epoch_end", "fit_end"])
def test_what_a_callback_raises_comes_out_and_keeps_what_was_trained(moment: str) -> None:
    log: list[Any] = []
    broken = Log("broken", log)

    def boom(net: nn.Network, history: nn.History) -> None:
        if len(history) == (0 if moment == "fit_begin" else 2):
            raise LookupError("mine")

    setattr(broken, f"on_{moment}", boom)
    net, twin = network(), network()
    with pytest.raises(LookupError, match="mine"):
        fit(net, epochs=2 if moment == "fit_end" else 9, momentum=0.9, callbacks=broken)
    n = 0 if moment == "fit_begin" else 2
    fit(twin, epochs=n, momentum=0.9)
    assert_same_bits(net.parameters, twin.parameters)
    assert net.history["epoch"].tolist() == list(range(1, n + 1))
    assert len(net.history.step_loss) == 3 * n
    if moment != "fit_end":
        assert log[-1] == ("broken", "fit end", n)
        assert net.history.stop_reason == "ended by LookupError"
    fit(net, epochs=2, momentum=0.9)
    fit(twin, epochs=2, momentum=0.9)
    assert_same_bits(net.parameters, twin.parameters)


def test_a_callback_may_evaluate_read_write_and_copy() -> None:
    def work(net: nn.Network, history: nn.History) -> None:
        assert net.loss(X, Y) == history["val_loss"][-1]
        assert net.copy().history.columns == net.history.columns
        assert net.forward(X).shape == (30, 3)
        assert net.inspect(X, Y).a[0].shape == (30, 4)
        assert net.summary().rows
        net.weights[0][:] = 0

    net = network()
    fit(net, epochs=2, learning_rate=1e-30, validation=(X, Y), callbacks=work)
    assert (net.weights[0] == 0).all()


def test_a_copy_made_in_a_callback_goes_on_as_the_fit_does() -> None:
    copies: list[nn.Network] = []

    def keep(net: nn.Network, history: nn.History) -> None:
        if len(history) == 2:
            copies.append(net.copy())

    net = network()
    fit(net, epochs=4, momentum=0.9, callbacks=keep)
    fit(copies[0], epochs=2, momentum=0.9)
    assert_same_bits(copies[0].parameters, net.parameters)


@pytest.mark.parametrize("what", ["fit", "reset"])
def test_a_callback_may_not_fit_or_reset_the_network(what: str) -> None:
    net, twin = network(), network()

    def again(net: nn.Network, history: nn.History) -> None:
        fit(net) if what == "fit" else net.reset()

    message = "the network must be free for this, got one that a fit is training"
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        fit(net, epochs=3, callbacks=again)
    fit(twin)
    assert_same_bits(net.parameters, twin.parameters)
    assert len(net.history) == 1
    fit(net)  # it is free again
    assert len(net.history) == 2


def test_a_callback_may_fit_another_network() -> None:
    other, expected = network(seed=7), network(seed=7)
    fit(network(), epochs=3, callbacks=lambda net, history: fit(other) and None)
    fit(expected, epochs=3)
    assert_same_bits(other.parameters, expected.parameters)


def test_a_callback_may_drop_every_reference() -> None:
    held = {"net": network(), "x": X.copy(), "y": Y.copy()}

    def drop(net: nn.Network, history: nn.History) -> None:
        held.clear()
        gc.collect()

    gone = weakref.ref(held["net"])
    expected = network()
    history = held["net"].fit(held["x"], held["y"], epochs=3, learning_rate=0.1, callbacks=drop)
    reference = fit(expected, epochs=3)
    assert history["loss"].tolist() == reference["loss"].tolist()
    gc.collect()
    assert gone() is None


def test_the_data_are_let_go_with_their_network() -> None:
    class Held(np.ndarray):
        """An array that can be referred to weakly."""

    x = X.copy().view(Held)
    gone = weakref.ref(x)
    net = network()
    net.fit(x, Y, epochs=1, learning_rate=0.1)
    del x, net
    gc.collect()
    assert gone() is None
