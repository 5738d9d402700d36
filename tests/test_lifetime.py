"""How long data lives, who shares it, and what the core refuses to write into."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import _core
from nnlearn._shared import SharedData

ROWS, INPUTS = 300, 20
RNG = np.random.default_rng(5)
X = RNG.random((ROWS, INPUTS), dtype=np.float32)
Y = RNG.integers(0, 3, ROWS)


def network(seed: int = 0) -> nn.Network:
    return nn.Network([INPUTS, 5, 3], seed=seed)


@pytest.mark.parametrize("ending", ["well", "diverged", "stopped", "refused"])
def test_a_fit_lets_go_of_its_data(ending: str) -> None:
    """However it ends: a network that is kept must not keep the data."""
    net, x = network(), X.copy()
    gone = weakref.ref(x)
    settings: dict[str, Any] = {"learning_rate": 0.1, "epochs": 2}
    if ending == "diverged":
        settings["learning_rate"], settings["l2"] = 1e30, 1e6
    elif ending == "stopped":
        settings["callbacks"] = lambda n, h: n.stop()
    elif ending == "refused":
        net.weights[0][0, 0] = np.nan
    try:
        net.fit(x, Y, **settings)
    except (FloatingPointError, ValueError):
        assert ending in ("diverged", "refused")
    del x
    gc.collect()
    assert gone() is None


def test_the_velocity_outlives_the_data() -> None:
    """Letting go of the data between two fits changes no bit."""
    once, twice = network(), network()
    once.fit(X, Y, epochs=3, learning_rate=0.1, momentum=0.9)
    for epochs in (1, 2):
        twice.fit(X.copy(), Y, epochs=epochs, learning_rate=0.1, momentum=0.9)
    assert all(map(np.array_equal, once.weights, twice.weights))


def test_a_comparison_converts_and_scans_its_data_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def data(x: Any, **parts: Any) -> _core.Data:
        made.append(x)
        return _core.Data(x, **parts)

    class Core:
        def __getattr__(self, name: str) -> Any:
            return data if name == "Data" else getattr(_core, name)

    monkeypatch.setattr("nnlearn.network._core_of", lambda dtype: Core())
    sets = nn.Dataset((np.asfortranarray(X), Y), (X[:50], Y[:50]), (X[50:90], Y[50:90]))
    rates = nn.vary("learning_rate", [0.1, 0.2, 0.3])
    nn.compare(rates, sets, hidden=(4,), seeds=4, epochs=1, verbose=0)
    converted = [x for x in made if x.shape[0] == ROWS]
    # Once for all runs, and once for each variant where its settings are tried beforehand.
    assert len(converted) <= 1 + len(rates)


def test_shared_data_is_told_apart_by_identity_and_needs() -> None:
    shared, x, y = SharedData(), X.copy(), Y.copy()
    make: Callable[[], Any] = lambda: _core.Data(x)  # noqa: E731
    first = shared.get(x, y, "a", make)
    assert shared.get(x, y, "a", make) is first
    assert shared.get(x, y, "b", make) is not first
    assert shared.get(x.copy(), y, "a", make) is not first


def test_nothing_is_kept_of_data_that_could_not_be_made() -> None:
    shared = SharedData()

    def fail() -> _core.Data:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            shared.get(X, Y, "a", fail)


# ---------------------------------------------------------------- what the core writes into


def test_the_core_writes_into_no_array_that_is_read_only() -> None:
    net, data = network(), _core.Data(X)
    out = np.zeros((ROWS, 3), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out must be writeable, got a read-only array$"):
        net._core.forward(data, out)
    assert not out.any()


def test_the_losses_of_the_steps_fit_the_data_that_is_bound() -> None:
    net = network()
    trainer = _core.Trainer(net._core)
    sgd = ("sgd", 0.1, 0.0, False)
    labels = {"labels": np.zeros(ROWS, np.int32), "n_classes": 3}
    assert trainer.bind(_core.Data(X, **labels), 10, sgd) == 30
    trainer.prepare(optimizer=sgd, l1=0.0, l2=0.0, penalize_biases=False, shuffle=True, seed=0)
    short, long = np.zeros(29, np.float32), np.full(40, -1, np.float32)
    for array, first in ((short, 0), (long, 11), (long, 41), (np.zeros(30, np.float64), 0)):
        with pytest.raises((TypeError, ValueError), match=r"^step_loss must "):
            trainer.epoch(array, first, None)
        assert net._core.counters == (0, 0), (array.size, first)
    assert trainer.epoch(long, 10, None)[0] == "done"
    assert (long[:10] == -1).all()
    assert (long[10:] > 0).all()


# ---------------------------------------------------------------- whose turn it is


@pytest.mark.parametrize("read", ["forward", "copy"])
def test_a_reader_waits_for_the_end_of_the_epoch_and_not_for_many(read: str) -> None:
    """A fit of short epochs lets those who wait go first."""
    net, done = network(), [0]

    def note(n: nn.Network, h: nn.History) -> None:
        done[0] = len(h)

    def train() -> None:
        net.fit(X, Y, epochs=100_000, learning_rate=0.1, callbacks=note)

    calls: dict[str, Callable[[], object]] = {
        "forward": lambda: net.forward(X[:5]),
        "copy": net.copy,
    }
    thread = threading.Thread(target=train)
    thread.start()
    waited = []
    while done[0] == 0:
        pass
    for _ in range(50):
        before = done[0]
        calls[read]()
        waited.append(done[0] - before)
    net.stop()
    thread.join()
    # One epoch, at times two; now and then more while this thread waits for a core of the machine.
    assert sorted(waited)[len(waited) // 2] <= 2
