"""How a fit ends before its time: stop(), Ctrl-C, divergence. Nothing is lost, all goes on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fits import X, Y, fit, network
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import Dense

RNG = np.random.default_rng(5)
#: An epoch of these takes long enough that what comes 0.05 s after its beginning is within it.
WIDE_X = RNG.random((20_000, 400)).astype(np.float32)
WIDE_Y = RNG.integers(0, 10, 20_000)
SETTINGS: dict[str, Any] = {"learning_rate": 0.01, "momentum": 0.9, "batch_size": 100}
MANY = 10**6  # epochs, never reached


def wide() -> nn.Network:
    return nn.Network([400, 500, 10], seed=1)


class DuringEpoch(nn.Callback):
    """Calls a function in another thread while epoch k of a fit is trained."""

    def __init__(self, k: int, function: Callable[[], Any]) -> None:
        self.k, self.timer = k, threading.Timer(0.05, function)

    def on_epoch_begin(self, net: nn.Network, history: nn.History) -> None:
        if len(history) == self.k - 1:
            self.timer.start()

    def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
        self.timer.join()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def whole_epochs(net: nn.Network, steps: int) -> int:
    """Weights are finite, the history has whole epochs alone, the counters agree: how many."""
    epochs = len(net.history)
    assert all(np.isfinite(p).all() for p in net.parameters.values())
    assert net.history["epoch"].tolist() == list(range(1, epochs + 1))
    assert len(net.history.step_loss) == epochs * steps
    assert net._core.counters == (epochs, epochs * steps)
    return epochs


# ---------------------------------------------------------------- stop()


def test_stop_from_another_thread_ends_within_an_epoch() -> None:
    net, twin = wide(), wide()
    history = net.fit(WIDE_X, WIDE_Y, epochs=MANY, callbacks=DuringEpoch(2, net.stop), **SETTINGS)
    assert history.stop_reason == "stopped by stop()"
    epochs = whole_epochs(net, 200)
    twin.fit(WIDE_X, WIDE_Y, epochs=epochs, **SETTINGS)
    assert not np.array_equal(net.weights[0], twin.weights[0])  # as reached
    history = net.fit(WIDE_X[:200], WIDE_Y[:200], epochs=2, **SETTINGS)
    assert history["epoch"].tolist() == [epochs + 1, epochs + 2]


def test_the_interrupted_epoch_begins_anew_with_the_same_batches() -> None:
    """From the same weights: its counters are those of its beginning."""
    net, twin = network(), network()
    fit(net, epochs=1)
    fit(twin, epochs=1)
    kept = snapshot(net)
    fit(net, epochs=3, callbacks=Stop("epoch_begin"))
    for name, value in kept.items():
        net.parameters[name] = value
    fit(net, epochs=2)
    fit(twin, epochs=2)
    assert_same_bits(net.parameters, twin.parameters)


class Stop(nn.Callback):
    """Calls stop() at a moment."""

    def __init__(self, moment: str) -> None:
        setattr(self, f"on_{moment}", lambda net, history: net.stop())


@pytest.mark.parametrize(
    ("moment", "epochs"), [("fit_begin", 0), ("epoch_begin", 0), ("epoch_end", 1), ("fit_end", 3)]
)
def test_stop_from_a_callback(moment: str, epochs: int) -> None:
    net, twin = network(), network()
    history = fit(net, epochs=3, callbacks=Stop(moment))
    assert len(history) == epochs
    assert history.stop_reason == (
        "all 3 epochs done" if moment == "fit_end" else "stopped by stop()"
    )
    fit(twin, epochs=epochs)
    assert_same_bits(net.parameters, twin.parameters)
    assert len(fit(net, epochs=2)) == 2  # the wish to stop was for that fit alone


def test_stop_during_an_evaluation_leaves_no_row() -> None:
    net = network()
    rows = np.repeat(X, 200_000, axis=0)
    seen: list[int] = []

    def watch(given: nn.Network, history: nn.History) -> None:
        seen.append(len(history))

    history = fit(
        net,
        epochs=MANY,
        validation=(rows, np.resize(Y, len(rows))),
        callbacks=[DuringEpoch(1, net.stop), watch],
    )
    assert history.stop_reason == "stopped by stop()"
    assert len(history) == len(seen) == whole_epochs(net, 3)


class Ask(nn.Callback):
    """Evaluates whenever it is called, and may stop the fit before that."""

    def __init__(self, *, stops: bool) -> None:
        self.stops, self.answers = stops, 0

    def on_epoch_end(self, net: nn.Network, history: nn.History) -> None:
        if self.stops:
            net.stop()
        net.loss(X, Y)
        net.predict(X)
        self.answers += 1

    def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
        net.inspect(X, Y)
        self.answers += 1


def test_after_stop_a_callback_may_still_evaluate() -> None:
    """The wish to stop ends the fit, not what its user asks of the network."""
    callbacks = [Ask(stops=True), Ask(stops=False)]
    history = fit(network(), epochs=3, callbacks=callbacks)
    assert history.stop_reason == "stopped by stop()"
    assert len(history) == 1
    assert [callback.answers for callback in callbacks] == [2, 2]


def test_stop_does_nothing_when_no_fit_runs() -> None:
    net, twin = network(), network()
    net.stop()
    fit(net)
    fit(twin)
    net.stop()
    assert net.forward(X).shape == (30, 3)
    assert_same_bits(net.parameters, twin.parameters)


# ---------------------------------------------------------------- signals


@contextmanager
def handling(number: int, handler: Callable[..., Any]) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_ctrl_c_within_an_epoch() -> None:
    net = wide()
    with pytest.raises(KeyboardInterrupt):
        net.fit(WIDE_X, WIDE_Y, epochs=MANY, callbacks=DuringEpoch(2, interrupt), **SETTINGS)
    epochs = whole_epochs(net, 200)
    assert net.history.stop_reason == "ended by KeyboardInterrupt"
    history = net.fit(WIDE_X[:200], WIDE_Y[:200], epochs=2, **SETTINGS)
    assert history["epoch"].tolist() == [epochs + 1, epochs + 2]


def test_ctrl_c_within_one_long_step() -> None:
    """The core looks for signals between the parts of a step, too."""
    net = nn.Network([400, 2000, 2000, 10], seed=1)
    with pytest.raises(KeyboardInterrupt):
        net.fit(
            WIDE_X,
            WIDE_Y,
            epochs=MANY,
            learning_rate=0.01,
            batch_size=20_000,
            callbacks=DuringEpoch(1, interrupt),
        )
    assert whole_epochs(net, 1) == 0
    assert_same_bits(net.parameters, nn.Network([400, 2000, 2000, 10], seed=1).parameters)


def test_ctrl_c_within_a_callback() -> None:
    def at_two(net: nn.Network, history: nn.History) -> None:
        if len(history) == 2:
            signal.raise_signal(signal.SIGINT)

    net, twin = network(), network()
    with pytest.raises(KeyboardInterrupt):
        fit(net, epochs=5, momentum=0.9, callbacks=at_two)
    assert whole_epochs(net, 3) == 2
    fit(twin, epochs=5, momentum=0.9)
    fit(net, epochs=3, momentum=0.9)
    assert_same_bits(net.parameters, twin.parameters)


@pytest.mark.parametrize("method", ["forward", "predict", "loss", "cost_and_gradient"])
def test_ctrl_c_within_an_evaluation(method: str) -> None:
    net = nn.Network([400, 2000, 2000, 10], seed=1)
    given = (WIDE_X,) if method in ("forward", "predict") else (WIDE_X, WIDE_Y)

    def ask_for_ever() -> None:
        while True:  # one answer takes longer than the timer waits
            getattr(net, method)(*given)

    timer = threading.Timer(0.05, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask_for_ever()
    timer.join()
    assert np.isfinite(net.forward(WIDE_X[:5])).all()


def test_ctrl_c_while_waiting_for_another_threads_fit() -> None:
    net = wide()
    thread = threading.Thread(target=net.fit, args=(WIDE_X, WIDE_Y), kwargs=SETTINGS)
    thread.start()
    timer = threading.Timer(0.2, interrupt)
    timer.start()

    def ask_for_ever() -> None:
        while True:
            net.forward(WIDE_X[:5])

    try:
        with pytest.raises(KeyboardInterrupt):
            ask_for_ever()
    finally:
        timer.join()
        net.stop()
        thread.join()
    assert np.isfinite(net.forward(WIDE_X[:5])).all()


def test_a_signal_handler_may_stop_the_fit() -> None:
    net = wide()
    with handling(signal.SIGUSR1, lambda *_: net.stop()):
        history = net.fit(
            WIDE_X,
            WIDE_Y,
            epochs=MANY,
            callbacks=DuringEpoch(1, lambda: os.kill(os.getpid(), signal.SIGUSR1)),
            **SETTINGS,
        )
    assert history.stop_reason == "stopped by stop()"
    whole_epochs(net, 200)


@pytest.mark.parametrize("what", ["forward", "fit", "reset", "copy", "reading weights"])
def test_a_network_is_not_entered_from_within_its_own_epoch(what: str) -> None:
    """A signal's handler runs within a step; what would change or read it there is an error."""
    net = wide()
    calls: dict[str, Callable[[], Any]] = {
        "forward": lambda: net.forward(WIDE_X[:1]),
        "fit": lambda: net.fit(WIDE_X, WIDE_Y, learning_rate=0.1),
        "reset": net.reset,
        "copy": net.copy,
        "reading weights": lambda: net.weights[0].copy(),
    }
    stopped = []

    def handler(*_: Any) -> None:
        calls[what]()
        stopped.append(net.stop())  # reached by what is allowed

    with handling(signal.SIGUSR1, handler):
        settings = SETTINGS | {
            "callbacks": DuringEpoch(1, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        }
        if what == "reading weights":  # views, current or not
            net.fit(WIDE_X, WIDE_Y, epochs=MANY, **settings)
            assert stopped
        else:
            with pytest.raises(RuntimeError, match=r"^the network must "):
                net.fit(WIDE_X, WIDE_Y, epochs=MANY, **settings)
    whole_epochs(net, 200)
    net.fit(WIDE_X[:200], WIDE_Y[:200], epochs=1, **SETTINGS)


def test_a_network_is_not_entered_from_within_its_progress(monkeypatch: Any) -> None:
    class Entering:
        """A display that asks the network while it trains."""

        is_silent = False

        def update(self, epoch: int, fraction: float, row: Any) -> None:
            net.forward(WIDE_X[:1])

        def close(self, interrupted: bool = False) -> None:
            assert interrupted

    net = wide()
    monkeypatch.setattr("nnlearn.training.make_progress", lambda *_: Entering())
    with pytest.raises(RuntimeError, match=r"must not be used from within its own epoch"):
        net.fit(WIDE_X, WIDE_Y, epochs=MANY, **SETTINGS)
    whole_epochs(net, 200)
    monkeypatch.undo()
    net.fit(WIDE_X[:200], WIDE_Y[:200], epochs=1, **SETTINGS)


SCRIPT = """
import numpy as np, nnlearn as nn
x = np.random.default_rng(0).random((20_000, 400)).astype(np.float32)
net = nn.Network([400, 500, 10], seed=1)
try:
    net.fit(x, np.arange(20_000) % 10, epochs=10**6, learning_rate=0.01,
            callbacks=lambda net, history: print("epoch", flush=True))
except KeyboardInterrupt:
    print("interrupted", len(net.history), np.isfinite(net.weights[0]).all())
"""


def test_ctrl_c_in_a_process_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "epoch\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    epochs = 1 + out.count("epoch\n")
    assert out.endswith(f"interrupted {epochs} True\n")
    assert (err, process.returncode) == ("", 0)


# ---------------------------------------------------------------- divergence


BEFORE = "the network is as it was before training"


def diverges(net: nn.Network, x: Any, y: Any, **settings: Any) -> str:
    with pytest.raises(FloatingPointError) as caught:
        net.fit(x, y, **settings)
    assert type(caught.value) is FloatingPointError
    assert all(np.isfinite(p).all() for p in net.parameters.values())
    return str(caught.value)


def test_divergence_in_the_first_epoch_leaves_the_network_as_it_was() -> None:
    net = network()
    fit(net, epochs=2, momentum=0.9)
    twin = net.copy()
    message = diverges(net, X, Y, epochs=5, learning_rate=1e30, momentum=0.9, l2=1.0)
    assert message.startswith("the loss became NaN at epoch 3, batch ")
    assert message.endswith(": lower learning_rate (1e+30); the network is as it was after epoch 2")
    assert_same_bits(net.parameters, twin.parameters)
    assert net._core.counters == twin._core.counters
    assert net.history["epoch"].tolist() == [1, 2]
    assert net.history.stop_reason == "diverged at epoch 3"
    fit(net, epochs=2, momentum=0.9)  # the velocities are as they were, too
    fit(twin, epochs=2, momentum=0.9)
    assert_same_bits(net.parameters, twin.parameters)
    assert net.history["epoch"].tolist() == [1, 2, 3, 4]


def test_divergence_of_a_new_network() -> None:
    net = network()
    message = diverges(net, X, Y, epochs=5, learning_rate=1e30, l2=1.0)
    assert message.startswith("the loss became NaN at epoch 1, batch ")
    assert message.endswith(
        ": lower learning_rate (1e+30); the network is as it was before training"
    )
    assert_same_bits(net.parameters, network().parameters)
    assert len(net.history) == 0


def test_divergence_after_finite_epochs_is_set_back_to_the_last_of_them() -> None:
    def linear() -> nn.Network:
        return nn.Network([4, 5, Dense(3, activation="linear")], seed=1)

    net, twin = linear(), linear()
    targets = np.eye(3)[Y]
    settings: dict[str, Any] = {"learning_rate": 8.0, "momentum": 0.5}
    histories: list[nn.History] = []
    message = diverges(
        net, X, targets, epochs=500, callbacks=lambda n, h: histories.append(h), **settings
    )
    epochs = len(histories)
    assert 1 < epochs < 500
    assert f"at epoch {epochs + 1}, batch " in message
    assert message.endswith(f"; the network is as it was after epoch {epochs}")
    assert len(net.history) == len(histories[0]) == epochs
    assert np.isfinite(net.history["loss"]).all()
    assert len(net.history.step_loss) == 3 * epochs
    twin.fit(X, targets, epochs=epochs, **settings)
    assert_same_bits(net.parameters, twin.parameters)
    # The weights are too large to train on; the velocities tell that they are set back as well.
    (_, velocities), (_, expected) = (each.__getstate__()["optimizer"] for each in (net, twin))
    for velocity, other in zip(velocities[0], expected[0], strict=True):
        assert np.array_equal(velocity, other)


def test_the_overflow_of_the_book() -> None:
    """Learning rate 10, lambda 1000, 1,000 images: each step multiplies the weights by -9."""
    train = nn.datasets.load_mnist_small().train[:1000]
    net = nn.Network([784, 30, 10], seed=1)
    start = snapshot(net)
    message = diverges(net, train.x, train.y, epochs=30, learning_rate=10.0, l2=1000.0)
    assert message.endswith(
        ": lower learning_rate (10.0); the network is as it was before training"
    )
    assert_same_bits(net.parameters, start)
    history = net.fit(train, epochs=1, learning_rate=0.5, l2=1.0)
    assert np.isfinite(history["loss"]).all()


def test_weights_may_overflow_behind_a_finite_loss() -> None:
    """One sigmoid unit, one step an epoch, factor -9: beyond float32 after about 40 epochs."""
    net = nn.Network([1, 1], seed=0)
    message = diverges(net, [[1.0]], [0], epochs=100, learning_rate=10.0, l2=1.0)
    epochs = len(net.history)
    assert 35 < epochs < 45
    assert message == (
        f"dense1.weight became infinite during epoch {epochs + 1}: lower learning_rate (10.0); "
        f"the network is as it was after epoch {epochs}"
    )
    assert np.isfinite(net.history["loss"]).all()
    assert abs(net.weights[0].item()) > 1e37
    net.fit([[1.0]], [0], epochs=1, learning_rate=1e-3)


def test_divergence_keeps_the_scale_and_the_callbacks_end() -> None:
    ended: list[int] = []

    class End(nn.Callback):
        def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
            ended.append(len(history))

    net = nn.Network([1, 1], seed=0)
    diverges(net, [[1.0]], [0], epochs=100, learning_rate=10.0, l2=1.0, callbacks=End())
    assert ended == [len(net.history)]


def test_weights_that_a_user_has_spoilt_are_named_before_training() -> None:
    """The learning rate has no part in it."""
    net = network()
    net.weights[1][0, 2] = np.inf
    with pytest.raises(
        ValueError, match=r"^dense2.weight must be finite to be trained, got inf at "
    ):
        fit(net)
    assert len(net.history) == 0
