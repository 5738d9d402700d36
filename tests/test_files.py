"""`Network.save` and `load`: what comes back, and what is in the file when a save fails."""

import copy
import errno
import math
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from saved_files import SETTINGS, X, Y, take_apart, trained
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import _core, files, layers
from nnlearn.costs import PAIRS

WAIT = 60.0  # seconds after which a test that waits for a process has failed
KILLS = 200
NOBODY = 65534  # a user who is not root


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.safetensors"


def saved_and_loaded(net: nn.Network, path: Path) -> nn.Network:
    net.save(path)
    return nn.load(path)


def assert_same(one: nn.Network, other: nn.Network) -> None:
    """Everything that a file carries is the same."""
    assert repr(one) == repr(other)
    assert (one._architecture, one.seed, one.dtype) == (
        other._architecture,
        other.seed,
        other.dtype,
    )
    assert one._core.counters == other._core.counters
    assert one._input_scale == other._input_scale
    assert one.history == other.history
    assert one.history.prepare_seconds == other.history.prepare_seconds
    assert_same_bits(one.parameters, other.parameters)


# ---- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trained_network_comes_back(path: Path, dtype: str) -> None:
    net = trained(dtype)
    assert np.isnan(net.history["val_loss"][0]), "so that NaN is tried"
    assert net.history.start is not None
    other = saved_and_loaded(net, path)
    assert_same(other, net)
    assert other.n_threads is None
    assert not np.shares_memory(other.weights[0], net.weights[0])
    assert np.array_equal(other.forward(X), net.forward(X))


def test_a_network_that_never_trained_comes_back(path: Path) -> None:
    net = nn.Network([3, 2], seed=2**64 - 1, n_threads=2)
    other = saved_and_loaded(net, path)
    assert_same(other, net)
    assert (len(other.history), other.history.start) == (0, None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_goes_on_with_the_same_bits(path: Path, dtype: str) -> None:
    """Without momentum: the state of the optimiser is not saved."""
    net = trained(dtype)
    other = saved_and_loaded(net, path)
    for one in (net, other):
        one.fit(X, Y, epochs=2, **SETTINGS)
    assert_same_bits(other.parameters, net.parameters)
    assert other.history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert np.array_equal(other.history["loss"], net.history["loss"])
    assert np.array_equal(other.history.step_loss, net.history.step_loss)


def test_momentum_begins_anew(path: Path) -> None:
    net = nn.Network([3, 4, 2], seed=1)
    net.fit(X, Y, epochs=2, momentum=0.9, **SETTINGS)
    other = saved_and_loaded(net, path)
    net.fit(X, Y, epochs=2, momentum=0.9, reset_optimizer=True, **SETTINGS)
    other.fit(X, Y, epochs=2, momentum=0.9, **SETTINGS)
    assert_same_bits(other.parameters, net.parameters)


def test_the_scale_of_uint8_comes_back(path: Path) -> None:
    net = nn.Network([3, 2], seed=1)
    net.fit((255 * X).astype(np.uint8), Y, epochs=1, learning_rate=0.1)
    other = saved_and_loaded(net, path)
    assert_same(other, net)
    with pytest.raises(ValueError, match=r"as the network was trained on uint8"):
        other.predict(255 * X)


def test_a_restored_epoch_comes_back_and_none_is_not_in_the_file(path: Path) -> None:
    net = nn.Network([3, 2], seed=1)
    net.fit(X, Y, epochs=1, learning_rate=0.1)
    assert saved_and_loaded(net, path).history.restored is None
    assert b"restored" not in path.read_bytes()
    net.history.restored = 1
    assert_same(saved_and_loaded(net, path), net)


def test_odd_histories_come_back(path: Path) -> None:
    net = nn.Network([3, 2], seed=1)
    measured = {"Größe \ud800 \0": (X, Y), '","checksum":"' + "0" * 64: (X, Y), "epoch": (X, Y)}
    net.fit(X, Y, epochs=2, learning_rate=0.1, validation=measured, evaluate_first=True)
    net.fit(X, Y, epochs=1, learning_rate=0.1)
    net.history._rows[0]["loss"] = math.inf
    net.history._rows[1]["loss"] = -math.inf
    assert net.history.start is not None
    net.history.start["epoch_loss"] = math.nan
    net.history.step_loss[0] = math.nan
    net.history.stop_reason = '"checksum":"' + "0" * 64
    assert_same(saved_and_loaded(net, path), net)


def chains() -> st.SearchStrategy[nn.Network]:
    """Networks of every kind of layer, activation, start weights, cost and precision."""
    activations = st.sampled_from(layers.ACTIVATIONS)
    inits = st.one_of(st.sampled_from(layers.INITS), st.floats(0, 3))
    hidden = st.one_of(
        st.integers(1, 4),
        st.builds(nn.Dense, st.integers(1, 4), activations | st.none(), inits | st.none()),
        st.builds(nn.Activation, activations),
        st.builds(nn.Dropout, st.floats(0, 0.99)),
    )
    pairs = st.sampled_from([(cost, a) for cost, outputs in PAIRS.items() for a in outputs])
    inputs = st.one_of(st.integers(1, 5), st.lists(st.integers(1, 3), min_size=1).map(tuple))
    return st.builds(
        lambda x, chain, n, pair, **rest: nn.Network(
            [x, *chain, nn.Dense(n, pair[1])], cost=pair[0], **rest
        ),
        inputs,
        st.lists(hidden, max_size=4),
        st.integers(2, 4),
        pairs,
        activation=activations,
        init=inits,
        dropout=st.sampled_from([0.0, 0.25]),
        dtype=st.sampled_from(["float32", "float64"]),
        seed=st.integers(0, 2**64 - 1),
    )


@given(net=chains(), counters=st.tuples(*[st.integers(0, 2**64 - 1)] * 2))
def test_any_network_comes_back(
    tmp_path_factory: pytest.TempPathFactory, net: nn.Network, counters: tuple[int, int]
) -> None:
    path = tmp_path_factory.mktemp("any") / "net"
    net._core.counters = counters
    other = saved_and_loaded(net, path)
    assert_same(other, net)
    again = path.with_name("again")
    other.save(again)
    assert again.read_bytes() == path.read_bytes(), "the same network gives the same file"


def test_every_kind_of_layer_has_its_entry() -> None:
    assert set(files.LAYERS.values()) == set(typing.get_args(layers.Layer))
    assert sorted(files.LAYERS) == sorted(_core.names("layer"))


def test_the_shapes_that_are_expected_are_those_of_the_network() -> None:
    net = nn.Network([(2, 3), nn.Dense(4, "tanh"), nn.Activation("relu"), 5, nn.Dropout(0.5), 2])
    shapes = {name: array.shape for name, array in net.parameters.items()}
    assert files.parameter_shapes(net._architecture) == shapes


def test_other_tools_read_the_arrays(path: Path) -> None:
    net = trained()
    net.save(path)
    arrays = safetensors.numpy.load_file(path)
    assert_same_bits({name: arrays[name] for name in net.parameters}, net.parameters)
    assert arrays["history.rows"].shape == (3, len(net.history.columns))
    header, ours, _ = take_apart(path.read_bytes())
    assert list(header["__metadata__"]) == ["nnlearn"]
    assert list(ours) == sorted(ours)
    assert ours["format"] == 1


# ---- pickle -------------------------------------------------------------------------------------


def test_a_pickle_goes_on_in_another_process(path: Path) -> None:
    """With momentum: a pickle carries the optimiser's state."""
    net = nn.Network([3, 4, 2], seed=1)
    settings = {**SETTINGS, "epochs": 2, "momentum": 0.9}
    net.fit(X, Y, **settings)
    path.write_bytes(pickle.dumps((net, X, Y, settings)))
    program = (
        "import pickle, sys\n"
        "net, x, y, settings = pickle.load(open(sys.argv[1], 'rb'))\n"
        "net.fit(x, y, **settings)\n"
        "net.save(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=WAIT)
    net.fit(X, Y, **settings)
    assert_same_bits(nn.load(path).parameters, net.parameters)


# ---- while a fit runs ---------------------------------------------------------------------------


def test_what_is_saved_during_a_fit_is_of_one_epoch(path: Path) -> None:
    """Another thread saves and copies at any moment: parameters and counters agree."""
    net = nn.Network([3, 200, 2], seed=1)
    x, y = np.tile(X, (50, 1)), np.tile(Y, 50)
    by_epoch = {0: snapshot(net)}
    enough = threading.Event()

    def remember(net: nn.Network, history: nn.History) -> bool:
        by_epoch[int(history["epoch"][-1])] = snapshot(net)
        return enough.is_set()

    arguments = {"epochs": 10**6, "learning_rate": 0.1, "momentum": 0.5, "callbacks": remember}
    thread = threading.Thread(target=net.fit, args=(x, y), kwargs=arguments)
    thread.start()
    seen = []
    try:
        for i in range(20):
            # Apart, since each leaves the fit between two epochs.
            for take in (lambda: saved_and_loaded(net, path), lambda: copy.deepcopy(net)):
                time.sleep(0.0003 * i)
                seen.append(take())
    finally:
        enough.set()
        thread.join()
    for other in seen:
        assert_same_bits(other.parameters, by_epoch[other._core.counters[0]])
    assert len({other._core.counters for other in seen}) > 1, "it saved while it trained"


def test_a_callback_may_save(path: Path) -> None:
    net = nn.Network([3, 4, 2], seed=1)
    net.fit(X, Y, epochs=3, callbacks=lambda net, history: net.save(path), **SETTINGS)
    assert_same_bits(nn.load(path).parameters, net.parameters)
    assert nn.load(path)._core.counters == (3, 15)


def test_saving_from_within_an_epoch_is_refused(path: Path) -> None:
    """As from a signal's handler, which runs while the core works."""
    net = nn.Network([3, 300, 300, 2], seed=1)
    x, y = np.tile(X, (4000, 1)), np.tile(Y, 4000)  # an epoch is longer than it takes to look
    errors: list[Exception] = []

    def handler(*_: Any) -> None:
        try:
            net.save(path)
        except RuntimeError as error:
            errors.append(error)
            net.stop()  # the rest of the epoch tells no more

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        net.fit(x, y, epochs=200, learning_rate=0.1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert "must not be used from within its own epoch" in str(errors[0])


# ---- writing ------------------------------------------------------------------------------------


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its_own(path: Path) -> None:
    with umask(0o027):
        trained().save(path)
        assert mode(path) == 0o640
        path.chmod(0o604)
        trained().save(path)
        assert mode(path) == 0o604


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, there: bool) -> None:
    link, target = tmp_path / "link", tmp_path / "folder" / "target"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to("folder/target")
    net = trained()
    net.save(link)
    assert link.is_symlink()
    assert_same(nn.load(target), net)
    assert os.listdir(target.parent) == ["target"]


def test_paths_may_be_long_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "ü" * 127
    trained().save(name)
    assert os.listdir() == [name]
    nn.load(name)


@pytest.mark.parametrize("path", [None, 3, b"net", object()])
def test_only_paths_are_taken(path: Any) -> None:
    for call in (trained().save, nn.load):
        with pytest.raises(TypeError, match=r"^path must be a str or os\.PathLike, got "):
            call(path)


def test_a_parameter_that_is_not_finite_is_not_saved(path: Path) -> None:
    net = trained()
    net.save(path)
    whole = path.read_bytes()
    for bad in (math.nan, -math.inf):
        net.biases[0][1] = bad
        with pytest.raises(ValueError, match=r"^dense1\.bias must be finite to be saved, got "):
            net.save(path)
    assert path.read_bytes() == whole


def test_devices_and_pipes_are_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name in (pipe, "/dev/null"):
        with pytest.raises(ValueError, match=r"^path must name a regular file or a new one, got "):
            trained().save(name)
        with pytest.raises(ValueError, match=r"must be a regular file, got a device, pipe"):
            nn.load(name)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    for call in (trained().save, nn.load):
        with pytest.raises(IsADirectoryError):
            call(tmp_path)


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for call in (trained().save, nn.load):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            call(tmp_path / "nowhere" / "net")
        with pytest.raises(NotADirectoryError, match="file"):
            call(file / "net")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["open", "fchmod", "fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt(), ValueError()]
)
def test_a_save_that_fails_leaves_the_old_file_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    trained().save(path)
    whole = path.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        raise error

    if call == "open":
        monkeypatch.setattr("builtins.open", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        nn.Network([3, 2]).save(path)
    monkeypatch.undo()
    assert path.read_bytes() == whole
    assert os.listdir(path.parent) == [path.name]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file_alone(small_disk: Path) -> None:
    path = small_disk / "net"
    trained().save(path)
    whole = path.read_bytes()
    with pytest.raises(OSError, match="No space left on device"):
        nn.Network([784, 100, 10]).save(path)
    assert path.read_bytes() == whole
    assert os.listdir(small_disk) == ["net"]


def test_a_file_system_that_is_read_only_is_said_to_be_so(small_disk: Path) -> None:
    path = small_disk / "net"
    trained().save(path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OSError, match="Read-only file system") as caught:
        trained().save(path)
    assert caught.value.errno == errno.EROFS
    nn.load(path)


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of a user to whom permissions apply: root is another one meanwhile."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_files_and_folders_without_permission_are_left_alone(own_folder: Path) -> None:
    path = own_folder / "net"
    net = trained()
    net.save(path)
    whole = path.read_bytes()
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=str(path)):
        net.save(path)
    own_folder.chmod(0o555)
    with pytest.raises(PermissionError, match=str(own_folder)):
        net.save(own_folder / "new")
    path.chmod(0o000)
    with pytest.raises(PermissionError, match=str(path)):
        nn.load(path)
    path.chmod(0o400)
    assert path.read_bytes() == whole
    assert os.listdir(own_folder) == ["net"]


# ---- killed -------------------------------------------------------------------------------------

# A process of one thread, so that it may fork: its child saves two networks in turn until it is
# killed, and then the file must be either.
KILLED = f"""
import os, random, signal, sys, time
import nnlearn as nn
path = sys.argv[1]
nets = [nn.Network([784, 30, 10], seed=seed) for seed in (1, 2)]
rng = random.Random(1)
found = [0, 0]
nets[0].save(path)
for _ in range({KILLS}):
    child = os.fork()
    if child == 0:
        while True:
            for net in reversed(nets):
                net.save(path)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    net = nn.load(path)
    whole = nets[net.seed - 1].parameters
    assert all((net.parameters[name] == whole[name]).all() for name in whole)
    found[net.seed - 1] += 1
left = [name for name in os.listdir(os.path.dirname(path)) if name.startswith(".nnlearn-")]
print(*found, len(left))
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_file(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert done.returncode == 0, done.stderr
    first, second, left = map(int, done.stdout.split())
    assert first + second == KILLS
    assert min(first, second) > 0, "both networks were found"
    assert left > 0, "some were killed in the middle of a save"
