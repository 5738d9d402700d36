"""Checkpoints: a fit goes on in another process as if nothing had happened."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from twins import assert_same_bits, snapshot

import nnlearn as nn

DIGITS = nn.datasets.load_mnist_small().take(300)

#: A fit with everything that has a state: momentum, dropout, two rules that look at the results.
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.5,
    "momentum": 0.9,
    "l2": 0.1,
    "schedule": nn.DropOnPlateau(patience=1, n_drops=9),
    "early_stopping": nn.EarlyStopping(patience={1: 5, 8: 7}),
    "validation": DIGITS.validation,
    "evaluate_first": True,
    "evaluate_train": True,
    "evaluate_every": 2,
    "class_weight": "balanced",
}

#: Trains ten epochs, or is killed in the midst of the fifth.
SCRIPT = """
import os, signal, sys, threading, time
import test_checkpoints as t
import nnlearn as nn

class Kill(nn.Callback):
    def on_epoch_begin(self, net, history):
        if len(history) == 4:
            threading.Thread(target=self.kill, daemon=True).start()
    def kill(self):
        time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)

path, dies = sys.argv[1], sys.argv[2] == "dies"
more = {"callbacks": [Kill(), nn.Checkpoint(path)]} if dies else {"resume": path}
net = nn.Network([784, 100, 10], dropout=0.2, dtype="float64", seed=7 if dies else None)
net.fit(t.DIGITS.train, batch_size=1, epochs=10, **t.SETTINGS, **more)
net.save(path + ".end")
"""


def network(seed: int | None = 7) -> nn.Network:
    return nn.Network([784, 20, 10], dropout=0.2, seed=seed)


def fit(net: nn.Network, epochs: int, **settings: Any) -> nn.History:
    return net.fit(DIGITS.train, epochs=epochs, **{**SETTINGS, **settings})


class Interruption(Exception):
    """Something that ends a fit from outside."""


def interrupted(net: nn.Network, after: int, epochs: int, path: Path, **settings: Any) -> None:
    """A fit that is to have so many epochs and ends after fewer, its checkpoint written."""

    def end(net: nn.Network, history: nn.History) -> None:
        if len(history) == after:
            raise Interruption

    with pytest.raises(Interruption):
        fit(net, epochs, callbacks=[nn.Checkpoint(path), end], **settings)


def without_seconds(history: nn.History) -> dict[str, np.ndarray]:
    return {name: history[name] for name in history if name != "seconds"}


def assert_same_fit(net: nn.Network, history: nn.History, other: nn.Network, expected: Any) -> None:
    """Parameters, optimiser state, counters and histories are the same, bit for bit."""
    assert_same_bits(snapshot(net), snapshot(other))
    assert net._core.counters == other._core.counters
    assert net.seed == other.seed
    for one, two in ((history, expected), (net.history, other.history)):
        assert one.columns == two.columns
        np.testing.assert_equal(without_seconds(one), without_seconds(two))
        np.testing.assert_array_equal(one.step_loss, two.step_loss)
        assert one.start == two.start
        assert one.stop_reason == two.stop_reason


def test_killed_in_the_fifth_of_ten_epochs_and_resumed_it_ends_in_the_same_bits(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "fit.safetensors")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def run(how: str) -> int:
        return subprocess.run([sys.executable, "-c", SCRIPT, path, how], env=env).returncode

    assert run("dies") == -signal.SIGKILL
    assert len(nn.load(path).history) == 4
    assert not (tmp_path / "fit.safetensors.end").exists()
    assert run("resumes") == 0
    resumed = nn.load(path + ".end")
    whole = nn.Network([784, 100, 10], dropout=0.2, dtype="float64", seed=7)
    history = whole.fit(DIGITS.train, batch_size=1, epochs=10, **SETTINGS)
    assert len(set(history["learning_rate"])) > 1  # the schedule was at work
    assert "the parameters are those of epoch" in history.stop_reason
    for name, array in whole.parameters.items():
        np.testing.assert_array_equal(resumed.parameters[name], array)
    np.testing.assert_equal(without_seconds(resumed.history), without_seconds(whole.history))
    assert (resumed.seed, resumed._core.counters) == (7, whole._core.counters)


@pytest.mark.parametrize("after", [1, 2, 5, 8])
def test_resumed_after_any_epoch_it_is_the_same_fit(tmp_path: Path, after: int) -> None:
    whole = network()
    expected = fit(whole, 9)
    path = tmp_path / "fit"
    interrupted(network(), after, 9, path)
    net = network(None)
    assert_same_fit(net, fit(net, 9, resume=path), whole, expected)


def test_a_fit_that_follows_another_is_resumed_with_its_past(tmp_path: Path) -> None:
    def past() -> nn.Network:
        net = network()
        net.fit(DIGITS.train, epochs=2, learning_rate=0.1, momentum=0.9)
        return net

    whole = past()
    expected = fit(whole, 5)
    path = tmp_path / "fit"
    interrupted(past(), 3, 5, path)
    net = network(None)
    history = fit(net, 5, resume=path)
    assert_same_fit(net, history, whole, expected)
    assert (len(history), len(net.history)) == (5, 7)


def test_views_of_the_network_stay_views(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    fit(network(), 2, callbacks=nn.Checkpoint(path))
    net = network(None)
    weights = net.weights[0]
    fit(net, 3, resume=path)
    assert weights is not None
    np.testing.assert_array_equal(weights, net.weights[0])


def test_nothing_is_trained_at_or_beyond_the_epochs(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    whole = network()
    expected = fit(whole, 4, callbacks=nn.Checkpoint(path))
    for epochs in (4, 2, 0):
        net = network(None)
        history = fit(net, epochs, resume=path)
        assert len(history) == 4
        np.testing.assert_equal(without_seconds(history), without_seconds(expected))
        np.testing.assert_array_equal(net.weights[0], whole.weights[0])
        assert net._core.counters == whole._core.counters


def test_a_fit_that_early_stopping_ended_is_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    settings = {"early_stopping": 1, "evaluate_every": 1, "schedule": None}
    whole = network()
    expected = fit(whole, 50, callbacks=nn.Checkpoint(path), **settings)
    assert len(expected) < 50
    net = network(None)
    assert_same_fit(net, fit(net, 50, resume=path, **settings), whole, expected)


def test_every_and_the_last_epoch_are_written(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    written = []

    def note(net: nn.Network, history: nn.History) -> None:
        if path.exists():
            written.append(len(nn.load(path).history))

    fit(network(), 5, callbacks=[nn.Checkpoint(path, every=2), note])
    assert written == [2, 2, 4, 5]


def test_the_best_epoch_has_a_file_of_its_own(tmp_path: Path) -> None:
    checkpoint = nn.Checkpoint(tmp_path / "fit.safetensors", monitor="val_loss")
    settings = {"evaluate_every": 1, "early_stopping": None, "schedule": None}
    history = fit(network(), 8, callbacks=checkpoint, **{**settings, "learning_rate": 5.0})
    best, value = history.best("val_loss")
    assert best < 8
    assert checkpoint.best_path == str(tmp_path / "fit.best.safetensors")
    net = nn.load(checkpoint.best_path)
    assert len(net.history) == best
    assert net.loss(DIGITS.validation) == value
    assert len(nn.load(checkpoint.path).history) == 8


def test_the_file_is_an_ordinary_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    net = network()
    fit(net, 3, callbacks=nn.Checkpoint(path))
    tensors = load_file(path)
    assert tensors["best.dense2.weight"].shape == (20, 10)
    assert tensors["optimizer.0.dense1.weight"].shape == (784, 20)
    loaded = nn.load(path)
    assert [*loaded.parameters] == [*net.parameters]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_seed_of_the_fits_own_is_kept(tmp_path: Path) -> None:
    whole = network()
    expected = fit(whole, 4, seed=99)
    path = tmp_path / "fit"
    interrupted(network(), 2, 4, path, seed=99)
    for seed in (None, 99):
        net = network(None)
        assert_same_fit(net, fit(net, 4, seed=seed, resume=path), whole, expected)
    with pytest.raises(ValueError, match=r"seed must be 99, as in the file .*, got 98"):
        fit(network(None), 4, seed=98, resume=path)


OTHERS = [
    ({"batch_size": 20}, "batch_size must be 10, as in the file .* that is resumed, got 20"),
    ({"momentum": 0.8}, "optimizer must be SGD.*momentum=0.9.*got SGD.*momentum=0.8"),
    ({"l2": 0.2}, "l2 must be 0.1, as in the file .*, got 0.2"),
    ({"schedule": lambda epoch: 1.0}, "schedule must be DropOnPlateau.*got the function"),
    ({"early_stopping": 5}, "early_stopping must be EarlyStopping"),
    ({"class_weight": None}, "class_weight must be 'balanced', as in the file .*, got None"),
    ({"sample_weight": np.ones(300)}, "sample_weight must be None, as in the file .*, got given"),
    ({"shuffle": False}, "shuffle must be True, as in the file .*, got False"),
    ({"validation": None}, "the evaluated sets must be val, as in the file .*, got none"),
    ({"validation": DIGITS.validation[:50]}, "the set 'val' must have [0-9,]* rows, .*, got 50"),
]


@pytest.mark.parametrize(("settings", "message"), OTHERS)
def test_other_settings_are_named_and_the_network_stays(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    path = tmp_path / "fit"
    fit(network(), 2, callbacks=nn.Checkpoint(path))
    net = network(5)
    before = snapshot(net)
    with pytest.raises(ValueError, match=message):
        fit(net, 4, resume=path, **settings)
    assert_same_bits(snapshot(net), before)
    assert (net.seed, len(net.history)) == (5, 0)


def test_other_networks_and_other_data_are_named(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    fit(network(), 2, callbacks=nn.Checkpoint(path))
    for layers, settings in (
        ([784, 21, 10], {"dropout": 0.2}),
        ([784, 20, 10], {}),
        ([784, 20, 10], {"dropout": 0.2, "dtype": "float64"}),
        ([784, 20, 10], {"dropout": 0.2, "cost": "quadratic"}),
    ):
        with pytest.raises(
            ValueError, match=r"the file .* must be of this network, .*, got one of"
        ):
            fit(nn.Network(layers, **settings), 4, resume=path)
    with pytest.raises(ValueError, match=r"the training data must have 300 rows, .*, got 250"):
        network().fit(DIGITS.train[:250], epochs=4, resume=path, **SETTINGS)


def test_a_saved_network_is_no_fit(tmp_path: Path) -> None:
    network().save(tmp_path / "net")
    with pytest.raises(ValueError, match="must be one that Checkpoint wrote, got a saved network"):
        fit(network(), 2, resume=tmp_path / "net")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fit(network(), 2, resume=tmp_path / "none")
    with pytest.raises(TypeError, match=r"resume must be a str or os.PathLike, got 3"):
        fit(network(), 2, resume=3)


def test_cut_off_or_changed_by_a_byte_it_is_refused_and_the_network_stays(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    fit(network(), 2, callbacks=nn.Checkpoint(path))
    data = path.read_bytes()
    net = network(5)
    before = snapshot(net)
    places = np.random.default_rng(0).integers(0, len(data), 40)
    damaged = [data[:n] for n in (0, 7, 100, len(data) // 2, len(data) - 1)]
    damaged += [data[:i] + bytes([data[i] ^ 0x10]) + data[i + 1 :] for i in places]
    for part in damaged:
        path.write_bytes(part)
        with pytest.raises(ValueError, match="the file"):
            fit(net, 4, resume=path)
        with pytest.raises(ValueError, match="the file"):
            nn.load(path)
    assert_same_bits(snapshot(net), before)


def test_what_cannot_be_written_ends_the_fit_and_keeps_network_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    def spoil(net: nn.Network, history: nn.History) -> None:
        if len(history) == 2:
            (folder / "fit").unlink()
            folder.rmdir()

    net = network()
    with pytest.raises(FileNotFoundError):
        fit(net, 5, callbacks=[spoil, nn.Checkpoint(folder / "fit")])
    assert len(net.history) == 2
    assert net.history.stop_reason.startswith("ended by FileNotFoundError")
    with pytest.raises(FileNotFoundError, match="path must lie in a folder that exists"):
        fit(network(), 1, callbacks=nn.Checkpoint(folder / "fit"))


def test_called_by_hand_it_writes_nothing(tmp_path: Path) -> None:
    net = network()
    history = fit(net, 1)
    nn.Checkpoint(tmp_path / "fit").on_epoch_end(net, history)
    assert not (tmp_path / "fit").exists()
