"""Checkpoints: a fit goes on in another process as if nothing had happened."""

import functools
import math
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import SANITIZED
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

#: So many that an epoch of single rows is long enough to be killed within.
TIMES = 2 if SANITIZED else 16
MANY = nn.Split(np.tile(DIGITS.train.x, (TIMES, 1)), np.tile(DIGITS.train.y, TIMES))

#: Trains ten epochs, or is killed in the midst of the fifth, when progress would be shown.
SCRIPT = """
import os, signal, sys
import test_checkpoints as t
import nnlearn as nn
from nnlearn import training

class Kill:
    is_silent = False
    def update(self, epoch, fraction, row):
        if epoch == 5 and row is None and fraction > 0:
            os.kill(os.getpid(), signal.SIGKILL)

path, dies = sys.argv[1], sys.argv[2] == "dies"
more = {"callbacks": nn.Checkpoint(path)} if dies else {"resume": path}
if dies:
    training.make_progress = lambda *_: Kill()
net = nn.Network([784, 100, 10], dropout=0.2, dtype="float64", seed=7 if dies else None)
net.fit(t.MANY, batch_size=1, epochs=10, **t.SETTINGS, **more)
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
    history = whole.fit(MANY, batch_size=1, epochs=10, **SETTINGS)
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
    assert_same_fit(net, again := fit(net, 50, resume=path, **settings), whole, expected)
    assert again.restored == net.history.restored == expected.restored == len(expected) - 1


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
    ({"sample_weight": np.ones(300)}, "sample_weight must be None, .*, got an array of shape"),
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
    same = ", as this one's, got"
    for layers, settings, message in (
        ([784, 21, 10], {"dropout": 0.2}, r"layer 1 is Dense\(n=21, .*, got Dense\(n=20, "),
        ([784, 20, 10], {}, f"number of layers is 2{same} 3"),
        ([784, 20, 10], {"dropout": 0.2, "init": "he"}, r"layer 1 is .*'he'.*, got .*'scaled'"),
        (
            [784, 20, 10],
            {"dropout": 0.2, "dtype": "float64"},
            f"dtype is 'float64'{same} 'float32'",
        ),
        (
            [784, 20, 10],
            {"dropout": 0.2, "cost": "quadratic"},
            f"cost is 'quadratic'{same} 'cross_",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            fit(nn.Network(layers, **settings), 4, resume=path)
    with pytest.raises(ValueError, match=r"the training data must have 300 rows, .*, got 250"):
        network().fit(DIGITS.train[:250], epochs=4, resume=path, **SETTINGS)


def test_other_numbers_as_weights_or_labels_are_told(tmp_path: Path) -> None:
    path, weights = tmp_path / "fit", np.linspace(1, 2, 300)
    x, y = DIGITS.train
    interrupted(network(), 2, 4, path, sample_weight=weights)
    fit(network(None), 4, resume=path, sample_weight=list(weights))
    with pytest.raises(ValueError, match=r"sample_weight must be an array .* SHA-256 \w+, as in"):
        fit(network(None), 4, resume=path, sample_weight=weights[::-1])
    with pytest.raises(ValueError, match=r"y must be an array .* SHA-256 \w+, as in the file"):
        network(None).fit(x, y[::-1], epochs=4, resume=path, sample_weight=weights, **SETTINGS)


def test_a_set_named_train_is_one_of_the_evaluated_sets(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    own = {"evaluate_train": False, "early_stopping": None, "schedule": None}
    own["validation"] = {"train": DIGITS.validation}
    interrupted(network(), 2, 4, path, **own)
    few = {**own, "validation": {"train": DIGITS.validation[:3]}}
    with pytest.raises(ValueError, match="the set 'train' must have"):
        fit(network(), 4, resume=path, **few)
    with pytest.raises(ValueError, match=r"the evaluated sets must be train, .*, got none"):
        fit(network(), 4, resume=path, **{**own, "validation": None})


class Halving:
    """A schedule of the user's, without a repr of its own."""

    def __call__(self, epoch: int) -> float:
        return 0.5 ** (epoch - 1)


def decaying(epoch: int, by: float = 0.5) -> float:
    return by ** (epoch - 1)


@pytest.mark.parametrize(
    "make",
    [lambda: decaying, lambda: Halving(), lambda: functools.partial(decaying, by=0.5)],
    ids=["function", "object", "partial"],
)
def test_a_schedule_of_the_users_is_resumed(tmp_path: Path, make: Callable[[], Any]) -> None:
    path, whole = tmp_path / "fit", network()
    expected = fit(whole, 4, schedule=make())
    interrupted(network(), 2, 4, path, schedule=make())
    net = network(None)
    assert_same_fit(net, fit(net, 4, resume=path, schedule=make()), whole, expected)
    other = functools.partial(decaying, by=0.25)
    with pytest.raises(ValueError, match=r"schedule must be .*, as in the file .* that is resumed"):
        fit(network(), 4, resume=path, schedule=other)


def test_functions_of_one_name_are_told_by_their_rates(tmp_path: Path) -> None:
    path = tmp_path / "fit"

    def schedule(factor: float) -> Callable[[int], float]:
        return lambda epoch: 1.0 if epoch == 1 else factor

    interrupted(network(), 2, 4, path, schedule=schedule(0.5))
    fit(network(), 4, resume=path, schedule=schedule(0.5))
    message = r"schedule must give a learning rate of 0.25 for epoch 2, as in .*, got 0.125"
    with pytest.raises(ValueError, match=message):
        fit(network(), 4, resume=path, schedule=schedule(0.25))


def test_threads_callbacks_and_reset_optimizer_are_free(tmp_path: Path) -> None:
    whole, path = network(), tmp_path / "fit"
    expected = fit(whole, 4)
    interrupted(network(), 2, 4, path)
    for free in ({"n_threads": 2}, {"reset_optimizer": True}, {"callbacks": lambda n, h: None}):
        net = network(None)
        assert_same_fit(net, fit(net, 4, resume=path, **free), whole, expected)


def test_the_seconds_of_preparation_add_up(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    interrupted(network(), 2, 3, path)
    before = nn.load(path).history.prepare_seconds
    assert 0 < before < fit(network(), 3, resume=path).prepare_seconds


@pytest.mark.parametrize("how", ["callback", "stop"])
def test_the_epoch_that_a_callback_or_stop_makes_the_last_is_written(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / "fit"

    def end(net: nn.Network, history: nn.History) -> bool:
        if len(history) == 3 and how == "stop":
            net.stop()
        return len(history) == 3 and how == "callback"

    for callbacks in ([end, nn.Checkpoint(path, every=5)], [nn.Checkpoint(path, every=5), end]):
        fit(network(), 9, callbacks=callbacks)
        assert len(nn.load(path).history) == 3
        path.unlink()


def test_what_ends_by_its_results_is_written(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    settings = {"early_stopping": 1, "evaluate_every": 1, "schedule": None}
    history = fit(network(), 50, callbacks=nn.Checkpoint(path, every=1000), **settings)
    assert len(nn.load(path).history) == len(history) < 50


def test_equal_is_not_better_and_nan_never_is(tmp_path: Path) -> None:
    checkpoint = nn.Checkpoint(tmp_path / "fit", monitor="val_accuracy")
    best = Path(checkpoint.best_path)
    seen = []

    def note(net: nn.Network, history: nn.History) -> None:
        seen.append(len(nn.load(best).history) if best.exists() else 0)

    # Steps too small to change a prediction: the accuracy stays; evaluated at 2 and 4 alone.
    settings = {"learning_rate": 1e-12, "early_stopping": None, "schedule": None}
    fit(network(), 4, callbacks=[checkpoint, note], **settings)
    assert seen == [0, 2, 2, 2]


def test_what_fails_before_an_epoch_leaves_the_network_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "fit"

    def schedule(epoch: int) -> float:
        return 1.0 if epoch <= 2 else math.nan

    interrupted(network(), 2, 9, path, schedule=schedule)
    net = network(5)
    net.fit(DIGITS.train, epochs=1, learning_rate=0.1, momentum=0.5)
    before, rows = snapshot(net), without_seconds(net.history)
    with pytest.raises(ValueError, match="schedule's factor for epoch 3 must be"):
        fit(net, 9, resume=path, schedule=schedule)
    assert_same_bits(snapshot(net), before)
    np.testing.assert_equal(without_seconds(net.history), rows)
    assert (net.seed, net._core.counters) == (5, (1, 30))


def test_a_column_that_is_not_recorded_leaves_scale_and_velocity(tmp_path: Path) -> None:
    net = network()
    net.fit(DIGITS.train, epochs=1, learning_rate=0.1, momentum=0.5)
    before = snapshot(net)
    pixels = (DIGITS.train.x * 255).astype(np.uint8)
    checkpoint = nn.Checkpoint(tmp_path / "fit", monitor="val_loss")
    settings = {"learning_rate": 0.1, "momentum": 0.5, "reset_optimizer": True}
    with pytest.raises(ValueError, match=r"Checkpoint must monitor .*: give fit validation="):
        net.fit(pixels, DIGITS.train.y, callbacks=checkpoint, **settings)
    assert_same_bits(snapshot(net), before)
    net.accuracy(DIGITS.train.x * 3, DIGITS.train.y)  # no scale of 255 is remembered


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


def test_a_path_that_cannot_be_written_is_refused_before_anything_trains(tmp_path: Path) -> None:
    for path, kind in (
        (tmp_path / "none" / "fit", FileNotFoundError),
        (tmp_path, IsADirectoryError),
        (Path("/dev/null"), ValueError),
    ):
        net = network()
        with pytest.raises(kind):
            fit(net, 9, callbacks=nn.Checkpoint(path, every=5))
        assert len(net.history) == 0


def test_called_by_hand_it_writes_nothing(tmp_path: Path) -> None:
    net = network()
    history = fit(net, 1)
    nn.Checkpoint(tmp_path / "fit").on_epoch_end(net, history)
    assert not (tmp_path / "fit").exists()
