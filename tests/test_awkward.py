"""Ctrl-C, copies and errors at the most awkward moments: nothing is torn, lost or left locked."""

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import training

RNG = np.random.default_rng(3)
X = RNG.random((20, 4), dtype=np.float32)
Y = np.arange(20) % 2


def network(seed: int = 1) -> nn.Network:
    return nn.Network([4, 3, 2], seed=seed)


def fit(net: nn.Network, epochs: int = 2, **settings: Any) -> nn.History:
    return net.fit(X, Y, epochs=epochs, learning_rate=0.1, momentum=0.5, verbose=0, **settings)


def interrupted_at(line: int, net: nn.Network, **settings: Any) -> bool:
    """Fit, with Ctrl-C at the line-th line of training.py that is run; False: it ended before."""
    seen = 0

    def trace(frame: Any, event: str, argument: object) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != training.__file__:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        fit(net, **settings)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupt_at_any_line_of_a_fit_leaves_a_whole_network() -> None:
    """History, counters and claim agree, and what follows is what would have followed."""
    line = 1
    while interrupted_at(line, net := network()):
        rows = len(net.history)
        assert list(net.history["epoch"]) == list(range(1, rows + 1)), line
        assert net._core.counters == (rows, 2 * rows), line
        assert net.history.step_loss.size == 2 * rows, line
        fit(net, epochs=1)  # the claim has been given back
        assert net.history["epoch"][-1] == rows + 1, line
        line += 1
    assert line > 100


def test_an_interrupt_at_any_line_gives_the_best_parameters_back() -> None:
    """Of all epochs that have a row, whatever the moment."""
    settings: dict[str, Any] = {
        "validation": (X, 1 - Y),  # what is learnt makes it worse: the first epoch is the best
        "early_stopping": nn.EarlyStopping(monitor="val_loss", patience=2),
        "schedule": nn.DropOnPlateau(monitor="val_loss", patience=1),
        "epochs": 3,
    }
    line, restored = 1, 0
    while interrupted_at(line, net := network(), **settings):
        if len(net.history):
            _, value = net.history.best("val_loss")
            assert net.loss(X, 1 - Y) == value, line
            restored += len(net.history) > 1
        assert net._core.counters == (len(net.history), 2 * len(net.history)), line
        line += 1
    assert restored > 20


def test_an_interrupt_at_any_line_of_a_resumed_fit_leaves_this_network_or_that(
    tmp_path: Path,
) -> None:
    """As it was, or as the file has it with what came after: seed, history and counters agree."""
    path = tmp_path / "fit"
    saved = network(seed=7)
    fit(saved, epochs=1)
    fit(saved, epochs=2, callbacks=nn.Checkpoint(path))
    own = network(seed=1)
    fit(own, epochs=1)
    line, ends = 1, set()
    while interrupted_at(line, net := own.copy(), epochs=3, resume=path):
        rows = len(net.history)
        assert (net.seed, rows) in ((1, 1), (7, 3), (7, 4)), line
        assert net._core.counters == (rows, 2 * rows), line
        assert list(net.history["epoch"]) == list(range(1, rows + 1)), line
        for reached in (own, saved):
            if rows == len(reached.history):
                same = np.array_equal(net.weights[0], reached.weights[0])
                assert same or rows == 3, line  # of a fourth epoch what was reached
        ends.add(rows)
        line += 1
    assert ends == {1, 3, 4}


def test_an_interrupt_while_another_thread_reads_ends_the_fit() -> None:
    """Settling the network waits for no reader."""
    wide = nn.Network([4, 1500, 1500, 2], seed=0)
    rows = RNG.random((20_000, 4), dtype=np.float32)
    reading = threading.Event()

    def read() -> None:
        reading.set()
        wide.predict(rows)

    def begin_to_read(net: nn.Network, history: nn.History) -> None:
        thread.start()
        reading.wait()
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

    thread = threading.Thread(target=read)
    with pytest.raises(KeyboardInterrupt):
        wide.fit(X, Y, epochs=1000, learning_rate=0.1, callbacks=begin_to_read_once(begin_to_read))
    still_reading = thread.is_alive()
    thread.join()
    assert still_reading, "the fit has waited for the reader"
    wide.fit(X, Y, epochs=1, learning_rate=0.1)


def begin_to_read_once(function: Callable[..., None]) -> Callable[..., None]:
    def once(net: nn.Network, history: nn.History) -> None:
        if len(history) == 1:
            function(net, history)

    return once


@pytest.mark.parametrize("how", ["copy", "pickle"])
def test_copies_beside_fits_and_resets_are_of_one_moment(how: str) -> None:
    """A copy never has more rows than epochs, and its velocity is that of its weights."""
    net, enough = network(), threading.Event()
    copies: list[nn.Network] = []

    def train() -> None:
        while not enough.is_set():
            net.reset()
            fit(net, epochs=3)

    thread, end = threading.Thread(target=train), time.monotonic() + 1.0
    thread.start()
    while time.monotonic() < end or len(copies) < 20:
        copies.append(net.copy() if how == "copy" else pickle.loads(pickle.dumps(net)))
    enough.set()
    thread.join()
    states = {0: network()}
    for epochs in (1, 2, 3):
        states[epochs] = states[epochs - 1].copy()
        fit(states[epochs], epochs=1)
    for other in copies:
        epochs = other._core.counters[0]
        assert len(other.history) in (0, epochs)
        twin = states[epochs].copy()
        fit(twin, epochs=1)
        fit(other, epochs=1)
        assert all(map(np.array_equal, other.weights, twin.weights))


# ---------------------------------------------------------------- callbacks


def test_evaluations_in_the_callbacks_of_a_comparison_see_the_data_as_it_is() -> None:
    x, y, answers = X.copy(), Y.copy(), []

    def note(net: nn.Network, history: nn.History) -> None:
        for label in (0, 1):
            y[:] = label
            answers.append((net.accuracy(x, y), float(np.mean(net.predict(x) == label))))

    nn.compare(
        {"a": {}}, nn.Dataset((X, Y)), hidden=(3,), seeds=1, epochs=2, learning_rate=0.1,
        callbacks=note,
    )  # fmt: skip
    assert all(given == true for given, true in answers)
    assert len(answers) == 4


def test_every_callback_is_told_of_the_end_and_the_first_error_is_raised() -> None:
    told = []

    class Note(nn.Callback):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
            told.append(self.name)
            raise ValueError(self.name)

    net = network()
    with pytest.raises(ValueError, match=r"^a$"):
        fit(net, callbacks=[Note("a"), Note("b")])
    assert told == ["a", "b"]
    assert len(net.history) == 2
    fit(net)


def test_what_ended_a_fit_is_raised_and_not_what_a_callback_says_to_it() -> None:
    class Complaint(nn.Callback):
        def on_epoch_end(self, net: nn.Network, history: nn.History) -> None:
            raise KeyboardInterrupt

        def on_fit_end(self, net: nn.Network, history: nn.History) -> None:
            raise ValueError("too early")

    with pytest.raises(KeyboardInterrupt) as caught:
        fit(network(), callbacks=Complaint())
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["on_fit_end raised as well: ValueError('too early')"]


def test_weights_that_a_callback_spoils_are_named() -> None:
    net = network()

    def spoil(net: nn.Network, history: nn.History) -> None:
        net.biases[0][1] = np.nan

    with pytest.raises(
        ValueError, match=r"^dense1\.bias must be finite to be trained, got nan at "
    ):
        fit(net, callbacks=spoil)
    assert len(net.history) == 1


# ---------------------------------------------------------------- the loss


def test_an_epoch_whose_losses_add_up_to_infinity_does_not_count() -> None:
    """Each is finite; their sum is beyond double."""
    last = nn.Dense(1, activation="linear", init="zeros")
    net = nn.Network([1, last], dtype="float64", seed=0)
    x, y = np.zeros((10, 1)), np.full(10, 1.3e154)
    with pytest.raises(FloatingPointError, match="the loss became infinite at epoch 1"):
        net.fit(x, y, epochs=1, batch_size=1, learning_rate=1e-200)
    assert len(net.history) == 0
    assert net._core.counters == (0, 0)
