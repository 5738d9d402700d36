"""The commands `train` and `evaluate`: what they print, what is in the file, and exit codes."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twins import assert_same_bits

import nnlearn as nn
from nnlearn import cli
from nnlearn.layers import ACTIVATIONS, INITS

WAIT = 60.0  # seconds after which a test that waits for a process has failed
FILE = "nnlearn-network.safetensors"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> nn.Dataset:
    """Fewer digits, for tests of what is around the training."""
    data = nn.datasets.load_mnist_small()
    few = nn.Dataset(data.train[:300], data.validation[:100], data.test[:100])
    monkeypatch.setattr(nn.datasets, "load_mnist_small", lambda: few)
    return few


def run(capsys: Any, *arguments: str) -> tuple[Any, str, str]:
    """Exit code, stdout and stderr of one command."""
    try:
        code: Any = cli.main(arguments)
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    return code, out, err


def start(*arguments: str, **options: Any) -> Any:
    command = [sys.executable, "-m", "nnlearn", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes | options)


# ---- train --------------------------------------------------------------------------------------


def test_train_saves_what_the_same_settings_train_in_python(capsys: Any, small: nn.Dataset) -> None:
    code, out, err = run(
        capsys,
        *("train", "--hidden", "12-8", "--cost", "log-likelihood", "--activation", "tanh"),
        *("--learning-rate", "0.1", "--l1", "0.01", "--l2", "0.5", "--dropout", "0.2"),
        *("--momentum", "0.5", "--epochs", "2", "--batch-size", "20", "--init", "xavier"),
        *("--seed", "7", "--out", "mine.net"),
    )
    assert code == 0, err
    net = nn.Network(
        [784, 12, 8, 10],
        **{"cost": "log_likelihood", "activation": "tanh", "init": "xavier"},
        **{"dropout": 0.2, "seed": 7},
    )
    net.fit(
        small.train,
        **{"learning_rate": 0.1, "l1": 0.01, "l2": 0.5, "momentum": 0.5},
        **{"epochs": 2, "batch_size": 20, "validation": small.validation},
    )
    saved = nn.load("mine.net")
    assert repr(saved) == repr(net)
    assert_same_bits(saved.parameters, net.parameters)
    assert np.array_equal(saved.history["val_loss"], net.history["val_loss"])
    assert "learning rate 0.1, batch 20, momentum 0.5, l1 0.01, l2 0.5" in out
    assert "300 training, 100 validation, 100 test samples" in out
    assert out.rstrip().endswith("Network: mine.net")
    assert len(re.findall(r"^epoch \d  loss .* val_accuracy .* %$", err, re.MULTILINE)) == 2
    table = {words[0]: words[1:] for words in map(str.split, out.splitlines()) if len(words) == 4}
    for name in ("train", "validation", "test"):
        split = getattr(small, name)
        shown = [str(len(split)), f"{net.loss(split):.4g}", f"{100 * net.accuracy(split):.2f}"]
        assert table[name] == shown


def test_train_has_defaults_for_everything(capsys: Any, small: nn.Dataset) -> None:
    code, out, err = run(capsys, "train")
    assert code == 0, err
    net = nn.load(FILE)
    assert repr(net).endswith(
        "Dense(30, sigmoid), Dense(10, sigmoid)], cost='cross_entropy', seed=0)"
    )
    assert len(net.history) == 30
    assert net.history["learning_rate"][0] == 0.5
    assert "After 30 epochs" in out


@pytest.mark.parametrize("layers", ["784-10", "784-9-8-10"])
def test_layers_may_be_given_in_full(capsys: Any, small: nn.Dataset, layers: str) -> None:
    assert run(capsys, "train", "--layers", layers, "--epochs", "1")[0] == 0
    net = nn.load(FILE)
    assert "-".join(map(str, [net.n_inputs, *(layer.n for layer in net.layers)])) == layers


def test_output_to_a_pipe_is_plain() -> None:
    with start("train", "--epochs", "2") as process:
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    for text in (out, err):
        assert text.isascii()
        assert "\r" not in text
        assert "\x1b" not in text
    assert err.count("\n") == 3, "a line for each epoch, and one at the end"
    with start("evaluate", FILE) as process:
        out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, err) == (0, "")
    assert out.isascii()


def test_a_terminal_gets_one_line_that_moves() -> None:
    try:
        ours, theirs = pty.openpty()
    except OSError as error:  # a bare chroot has no /dev/pts
        pytest.skip(f"no terminal can be had here: {error}")
    with start("train", "--epochs", "2", stderr=theirs) as process:
        out, _ = process.communicate(timeout=WAIT)
    shown = os.read(ours, 10**5).decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert "\r" in shown
    assert shown.count("\n") == 1
    assert "\r" not in out


# ---- interrupts ---------------------------------------------------------------------------------


def test_ctrl_c_leaves_what_is_trained_in_the_file() -> None:
    with start("train", "--epochs", "100000", "--hidden", "10") as process:
        while "epoch 3 " not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    net = nn.load(FILE)
    n = len(net.history)
    assert n >= 3
    assert err.splitlines()[-1] == (
        "python -m nnlearn train: interrupted, "
        f"the network as reached, after {n:,} whole epochs, is in {FILE}"
    )
    assert net.accuracy(nn.datasets.load_mnist_small().test) > 0.5
    assert "After" not in out


def test_ctrl_c_before_training_leaves_an_old_file_alone(
    capsys: Any, small: nn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    Path(FILE).write_text("old")
    monkeypatch.setattr(nn.Network, "fit", fit)
    code, _, err = run(capsys, "train")
    assert code == 130
    assert err == "python -m nnlearn train: interrupted, nothing was trained\n"
    assert Path(FILE).read_text() == "old"


def test_ctrl_c_while_it_saves_waits_for_the_file(
    capsys: Any, small: nn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = nn.Network.save

    def interrupted(net: nn.Network, path: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)  # the handler runs here
        save(net, path)

    monkeypatch.setattr(nn.Network, "save", interrupted)
    before = signal.getsignal(signal.SIGINT)
    code, _, err = run(capsys, "train", "--epochs", "2")
    assert code == 130
    assert err.splitlines()[-1].endswith("interrupted, the network is saved")
    assert len(nn.load(FILE).history) == 2
    assert signal.getsignal(signal.SIGINT) is before


# ---- failures -----------------------------------------------------------------------------------


def test_divergence_at_once_leaves_an_old_file_alone(capsys: Any, small: nn.Dataset) -> None:
    Path(FILE).write_text("old")
    code, _, err = run(capsys, "train", "--learning-rate", "1e30", "--l2", "1e9")
    assert code == 1
    assert re.search(r"train: the loss became \w+ at epoch 1, batch \d+: lower", err)
    assert Path(FILE).read_text() == "old"


def test_divergence_later_leaves_the_last_finite_epoch(
    capsys: Any, small: nn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = nn.Network.fit

    def diverging(net: nn.Network, *x: Any, **settings: Any) -> None:
        fit(net, *x, **{**settings, "epochs": 2})
        raise FloatingPointError("the loss became NaN at epoch 3")

    monkeypatch.setattr(nn.Network, "fit", diverging)
    code, _, err = run(capsys, "train")
    assert code == 1
    assert err.splitlines()[-1] == (
        f"python -m nnlearn train: the loss became NaN at epoch 3, in {FILE}"
    )
    assert len(nn.load(FILE).history) == 2


def test_a_file_that_cannot_be_written_gets_one_line(
    capsys: Any, small: nn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nn.Network, "save", save)
    code, _, err = run(capsys, "train", "--epochs", "1")
    assert code == 1
    assert err.splitlines()[-1].endswith("could not be written: [Errno 28] No space left on device")


def test_missing_data_get_one_line_and_exit_code_1(capsys: Any, own_folder: Path) -> None:
    for name in ("mnist", "fashion-mnist"):
        code, _, err = run(capsys, "train", "--data", name, "--data-dir", str(own_folder))
        assert code == 1
        assert err.startswith("python -m nnlearn train: --data-dir must lead to a folder with ")
        assert err.count("\n") == 1


def test_too_little_memory_gets_one_line(
    capsys: Any, small: nn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(nn.Network, "fit", fit)
    code, _, err = run(capsys, "train")
    assert code == 1
    assert err == "python -m nnlearn train: there is not the memory to train this network\n"


# ---- evaluate -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["test", "validation", "train"])
def test_evaluate_prints_loss_accuracy_classes_and_confusion(
    capsys: Any, small: nn.Dataset, name: str
) -> None:
    net = nn.Network([784, 10], seed=1)
    net.fit(small.train, epochs=2, learning_rate=0.1)
    net.save("net")
    code, out, err = run(capsys, "evaluate", "net", "--set", name)
    split = getattr(small, name)
    assert (code, err) == (0, "")
    assert f"{len(split):,} samples, the {name} set of mnist-small" in out
    assert f"loss {net.loss(split):.4f}, accuracy {100 * net.accuracy(split):.2f} %" in out
    assert "2 epochs trained" in out
    found = net.evaluate(split)
    assert f"\n{found.table()}\n" in out
    assert out.endswith(f"\n{found.confusion_table()}\n")
    assert max(map(len, out.splitlines()[1:])) <= 80


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([3, 10], "x must have 3 columns, as the input layer"),
        ([784, 2], "y must be labels from 0 to 1"),
        ([784, nn.Dense(10, "linear")], "the network must tell classes apart"),
    ],
)
def test_a_network_that_does_not_fit_gets_one_line(
    capsys: Any, small: nn.Dataset, layers: Any, message: str
) -> None:
    nn.Network(layers).save("net")
    code, out, err = run(capsys, "evaluate", "net")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("python -m nnlearn evaluate: net does not fit mnist-small: ")
    assert message in err


def test_a_damaged_file_gets_one_line(capsys: Any, small: nn.Dataset) -> None:
    nn.Network([784, 10]).save("net")
    Path("net").write_bytes(Path("net").read_bytes()[:-1])
    code, out, err = run(capsys, "evaluate", "net")
    assert (code, out) == (1, "")
    assert re.match(r"python -m nnlearn evaluate: the file 'net' must be whole, got .*\n$", err)


# ---- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--hidden", "0"], "--hidden must be an integer >= 1, got '0'"),
        (["train", "--layers", "784"], "--layers must be sizes such as 784-30-10, got '784'"),
        (["train", "--layers", "784-x"], "--layers must be an integer >= 1, got 'x'"),
        (["train", "--layers", "784-3"], "--layers must begin with 784 and end with 10 for mnist"),
        (["train", "--layers", "5-10"], "--layers must begin with 784 and end with 10 for mnist"),
        (["train", "--layers", "784-10", "--hidden", "3"], "--hidden must be left out beside"),
        (["train", "--hidden", "9" * 15], "layers must have at most 2^40 parameters"),
        (["train", "--cost", "cubic"], "--cost must be one of quadratic, cross_entropy"),
        (
            ["train", "--activation", "softmax"],
            f"--activation must be one of {', '.join(ACTIVATIONS)}",
        ),
        (["train", "--learning-rate", "0"], "--learning-rate must be a number > 0, got '0'"),
        (["train", "--learning-rate", "nan"], "--learning-rate must be a number > 0, got 'nan'"),
        (["train", "--l2", "-1"], "--l2 must be a number >= 0, got '-1'"),
        (["train", "--l1", "inf"], "--l1 must be a number >= 0, got 'inf'"),
        (["train", "--dropout", "1"], "--dropout must be a number >= 0 and < 1, got '1'"),
        (["train", "--momentum", "-.1"], "--momentum must be a number >= 0 and < 1, got '-.1'"),
        (["train", "--epochs", "1.5"], "--epochs must be an integer >= 1, got '1.5'"),
        (["train", "--batch-size", "0"], "--batch-size must be an integer >= 1, got '0'"),
        (["train", "--init", "huge"], f"--init must be a number > 0 or one of {', '.join(INITS)}"),
        (["train", "--seed", "-1"], "--seed must be an integer from 0 to 2^64 - 1, got '-1'"),
        (["train", "--seed", str(2**64)], "--seed must be an integer from 0 to 2^64 - 1"),
        (["train", "--data", "cifar"], "--data must be one of mnist-small, mnist, fashion-mnist"),
        (["train", "--data-dir", "nowhere"], "--data-dir must be a folder that exists"),
        (["train", "--out", "nowhere/net"], "--out must be a file in a folder to write to"),
        (["train", "--out", "."], "--out must be a file in a folder to write to, got '.'"),
        (["train", "--out", "/dev/null"], "--out must be a file in a folder to write to"),
        (["train", "net"], "unrecognized arguments: net"),
        (["evaluate"], "the following arguments are required: FILE"),
        (["evaluate", "nowhere"], "FILE must be a file that exists, got 'nowhere'"),
        (["evaluate", "."], "FILE must be a file that exists, got '.'"),
        (["evaluate", "net", "--set", "all"], "--set must be one of train, validation, test"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_code_2(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setattr(nn.Network, "fit", lambda *a, **k: pytest.fail("it trained"))
    Path("net").write_text("x")
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("python -m nnlearn")
    assert message in err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_is_complete(capsys: Any, command: str) -> None:
    code, out, err = run(capsys, command, "--help")
    assert (code, err) == (0, "")
    assert "None" not in out
    for option, text in re.findall(r"^  (--\S+)(.*(?:\n {6,}.*)*)", out, re.MULTILINE):
        assert re.search(r"[a-z]{3}", text), f"{option} is not explained"
    for word in ("mnist-small", "fashion-mnist", *(("hinge", FILE) if command == "train" else ())):
        assert word in "".join(out.split())
