"""Progress: where it is shown, what it says, how often it is drawn."""

import io
import math
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from nnlearn import _display, progress
from nnlearn.progress import GroupProgress, check_verbose, describe, duration, make_progress

NAN = math.nan


class Screen(io.StringIO):
    """A stderr that is a terminal of 80 columns, or none."""

    encoding = "utf-8"

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def fileno(self):
        raise OSError("no file behind it")

    def shown(self):
        """What stands on the last lines after all writing over."""
        lines = []
        for line in self.getvalue().split("\n"):
            over = ""
            for part in line.split("\r"):
                over = part + over[len(part) :]
            lines.append(over.rstrip())
        return lines


class Clock:
    """A time that tests turn."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return use(monkeypatch, Screen(True))


@pytest.fixture
def pipe(monkeypatch):
    return use(monkeypatch, Screen(False))


@pytest.fixture
def notebook(monkeypatch, pipe):
    """IPython as it looks from within a kernel; gives what its one output shows, update by update.

    The real one is tried in test_a_real_kernel_shows_one_updating_output.
    """
    shown = []
    handle = SimpleNamespace(update=lambda thing: shown.append(thing))

    def display(thing, display_id):
        assert display_id is True
        assert not shown, "displayed once, then updated"
        shown.append(thing)
        return handle

    shell = SimpleNamespace(kernel=object(), execution_count=object())  # a cell of its own
    module = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return shown


def use(monkeypatch, screen):
    monkeypatch.setitem(sys.modules, "IPython", None)
    # Not sys.stderr itself: pytest puts its own there between a fixture and its test.
    monkeypatch.setattr(_display, "sys", SimpleNamespace(stderr=screen, modules=sys.modules))
    return screen


def train(bar, clock, epochs=2, seconds=1.0):
    """What fit does: two looks an epoch, and the row when it has ended."""
    row = None
    for epoch in range(1, epochs + 1):
        clock.now += seconds / 2
        bar.update(epoch, 0.5, row)
        clock.now += seconds / 2
        row = {"epoch": float(epoch), "loss": 1.0 / epoch, "val_accuracy": 0.9}
        bar.update(epoch, 1.0, row)
    bar.close()


def test_a_terminal_has_one_line_that_is_written_over(terminal, clock):
    bar = make_progress(None, 4)
    clock.now += 1.0
    bar.update(2, 0.0, {"epoch": 1.0, "loss": 0.5, "accuracy": 0.8, "val_accuracy": 0.9})
    assert terminal.shown() == [
        "epoch 2/4 ━━━━───────────────  25 %  loss 0.5  val_accuracy 90.00 %  3.0 s left"
    ]
    assert terminal.getvalue().count("\n") == 0
    clock.now += 1.0
    bar.close()
    assert terminal.shown() == ["2 epochs, 2.0 s  loss 0.5  val_accuracy 90.00 %", ""]


def test_an_interrupted_fit_says_so(terminal, clock):
    bar = make_progress(None, 30)
    clock.now += 1.0
    bar.update(3, 0.5, None)
    bar.close(interrupted=True)
    assert terminal.shown()[0] == "interrupted in epoch 3/30, 1.0 s"


def test_a_shorter_line_leaves_nothing_of_the_longer_one(terminal, clock):
    bar = make_progress(1, 1)
    bar.update(1, 0.0, {"epoch": 1.0, "loss": 0.123456, "val_accuracy": 0.9})
    bar.close()
    assert "━" not in terminal.shown()[0]
    assert terminal.shown()[0].startswith("1 epoch, 0.0 s")


def test_a_line_is_never_wider_than_the_terminal(terminal, clock):
    bar = GroupProgress(None, 9)
    bar.update(0, [(1, 30)] * 64, 0.1)
    assert max(map(len, terminal.shown())) <= 79


def test_a_terminal_without_line_letters_gets_plain_ones(terminal, clock):
    terminal.encoding = "ascii"
    bar = make_progress(None, 2)
    bar.update(1, 0.0, None)
    assert terminal.getvalue().isascii()


def test_drawing_is_throttled_to_ten_a_second(terminal, clock):
    bar = make_progress(None, 1)
    for _ in range(1000):
        clock.now += 0.001
        bar.update(1, 0.5, None)
    assert 8 <= terminal.getvalue().count("\r") <= 11


def test_values_that_were_not_evaluated_keep_their_latest(terminal, clock):
    bar = make_progress(None, 9)
    bar.update(1, 1.0, {"epoch": 1.0, "loss": 0.5, "val_accuracy": 0.9})
    clock.now += 1.0
    bar.update(2, 1.0, {"epoch": 2.0, "loss": 0.4, "val_accuracy": NAN})
    assert "loss 0.4  val_accuracy 90.00 %" in terminal.shown()[0]


def test_elsewhere_nothing_is_shown_unless_asked_for(pipe, clock):
    train(make_progress(None, 2), clock)
    assert pipe.getvalue() == ""


def test_elsewhere_verbose_gives_a_plain_line_an_epoch(pipe, clock):
    train(make_progress(1, 2), clock)
    assert pipe.getvalue().splitlines() == [
        "epoch 1  loss 1  val_accuracy 90.00 %",
        "epoch 2  loss 0.5  val_accuracy 90.00 %",
        "2 epochs, 2.0 s  loss 0.5  val_accuracy 90.00 %",
    ]
    assert "\r" not in pipe.getvalue()


def test_every_epoch_has_its_line_however_short(pipe, clock):
    train(make_progress(1, 100), clock, epochs=100, seconds=0.001)
    assert len(pipe.getvalue().splitlines()) == 101


def test_a_terminal_that_cannot_write_over_gets_plain_lines(terminal, clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    train(make_progress(None, 2), clock)
    assert terminal.getvalue() == ""
    train(make_progress(1, 2), clock)
    assert "\r" not in terminal.getvalue()


def test_silence(terminal, clock):
    train(make_progress(0, 2), clock)
    train(make_progress(False, 2), clock)
    assert terminal.getvalue() == ""


def test_without_a_stderr_nothing_is_shown(monkeypatch, clock):
    use(monkeypatch, None)
    train(make_progress(1, 2), clock)


@pytest.mark.parametrize(
    ("verbose", "kind"), [(2, ValueError), (-1, ValueError), ("1", TypeError), (1.0, TypeError)]
)
def test_another_verbose_is_refused(verbose, kind):
    for make in (make_progress, GroupProgress):
        with pytest.raises(kind, match="verbose must be None, 0 or 1, got"):
            make(verbose, 3)


@pytest.mark.parametrize(
    ("given", "value"),
    [(None, None), (0, 0), (1, 1), (False, 0), (True, 1), (np.int64(1), 1), (np.bool_(True), 1)],
)
def test_verbose_may_be_a_bool(given, value):
    checked = check_verbose(given)
    assert checked == value
    assert type(checked) is type(value)


def test_no_epochs_are_no_error(terminal, clock):
    bar = make_progress(None, 0)
    bar.update(0, 0.0, None)
    bar.close()
    assert terminal.shown()[0] == "0 epochs, 0.0 s"


def test_a_notebook_has_one_output_that_is_updated(notebook, pipe, clock):
    train(make_progress(None, 2), clock)
    assert len(notebook) == 5
    assert repr(notebook[2]) == "epoch 2/2  loss 1  val_accuracy 90.00 %  0.5 s left"
    assert '<progress value="0.750" max="1" ' in notebook[2]._repr_html_()
    assert repr(notebook[-1]) == "2 epochs, 2.0 s  loss 0.5  val_accuracy 90.00 %"
    assert "<progress" not in notebook[-1]._repr_html_()
    assert pipe.getvalue() == ""


def test_a_notebook_escapes_what_it_shows(notebook, clock):
    bar = make_progress(None, 2)
    bar.update(1, 1.0, {"epoch": 1.0, "loss": 0.5, "<b>&_accuracy": 0.5})
    assert "&lt;b&gt;&amp;_accuracy 50.00 %" in notebook[0]._repr_html_()


def test_ipython_in_a_terminal_is_no_notebook(notebook, clock, terminal, monkeypatch):
    module = SimpleNamespace(get_ipython=lambda: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", module)
    make_progress(None, 2).update(1, 0.5, None)
    assert terminal.shown()[0].startswith("epoch 1/2")
    assert notebook == []


def test_nothing_is_imported_where_there_is_no_notebook():
    code = (
        "import sys; from nnlearn.progress import make_progress; "
        "make_progress(1, 2).update(1, 0.5, None); "
        "sys.exit(any('IPython' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_real_kernel_shows_one_updating_output():
    manager = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    code = (
        "import time; from nnlearn.progress import make_progress\n"
        "bar = make_progress(None, 2)\n"
        "bar.update(1, 0.5, None); time.sleep(0.15)\n"
        "bar.update(2, 0.5, {'epoch': 1.0, 'loss': 0.5}); bar.close()"
    )
    messages = []
    kernel, client = manager.start_new_kernel(kernel_name="python3")
    try:
        reply = client.execute_interactive(code, timeout=60, output_hook=messages.append)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok", reply["content"]
    shown = [m for m in messages if m["msg_type"] != "status" and "data" in m["content"]]
    kinds = [m["msg_type"] for m in shown]
    assert kinds == ["display_data", "update_display_data", "update_display_data"]
    assert len({m["content"]["transient"]["display_id"] for m in shown}) == 1
    assert shown[-1]["content"]["data"]["text/plain"].startswith("2 epochs")
    assert "stream" not in [m["msg_type"] for m in messages]


def test_an_executed_notebook_holds_one_line_for_a_fit_and_ten_for_a_loop():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    cells = [
        "import numpy as np, nnlearn as nn\n"
        "x, y = np.random.default_rng(0).random((5000, 50)), np.arange(5000) % 2\n"
        "net = nn.Network([50, 100, 2], seed=0)\n"
        "net.fit(x, y, epochs=20, learning_rate=0.1);",
        "for _ in range(25): net.fit(x[:9], y[:9], epochs=1, learning_rate=0.1, verbose=1)",
        "c = nn.compare({'a': {}}, nn.Dataset((x, y)), hidden=5, epochs=2, learning_rate=0.1)",
        "net.fit(x[:9], y[:9], epochs=1, learning_rate=0.1);",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = [cell["outputs"] for cell in notebook.cells]
    assert {output["output_type"] for cell in outputs for output in cell} == {"display_data"}
    assert [len(cell) for cell in outputs] == [1, 10, 1, 1]
    texts = [[output["data"]["text/plain"] for output in cell] for cell in outputs]
    assert texts[0][0].startswith("20 epochs, ")
    assert all(text.startswith("1 epoch, ") for text in texts[1][:9])
    assert texts[1][9].startswith("number 25 in this cell: 1 epoch, ")
    assert texts[2][0].startswith("3 of 3 networks trained in ")
    assert texts[3][0].startswith("1 epoch, ")
    assert "<progress" not in str(outputs)


def test_a_real_ipython_in_a_terminal_writes_over_one_line(tmp_path, monkeypatch):
    pexpect = pytest.importorskip("pexpect")
    pytest.importorskip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    code = (
        "import sys, time; from nnlearn.progress import make_progress\n"
        "bar = make_progress(None, 2)\n"
        "bar.update(1, 0.5, None); time.sleep(0.15)\n"
        "bar.update(2, 0.5, {'epoch': 1.0, 'loss': 0.5}); bar.close()\n"
        "print('IPython' in sys.modules)"
    )
    (tmp_path / "cell.py").write_text(code)
    arguments = ["-m", "IPython", "--no-banner", "--colors=nocolor", str(tmp_path / "cell.py")]
    try:
        child = pexpect.spawn(sys.executable, arguments, timeout=60, encoding="utf-8")
    except OSError as error:  # a bare system without /dev/pts
        pytest.skip(f"there is no terminal here: {error}")
    child.setwinsize(24, 100)
    child.expect(pexpect.EOF)
    child.close()
    shown = re.sub(r"\x1b(\[[?0-9;]*[a-z]|\].*?\x07)", "", child.before)  # IPython's own settings
    lines = [line for line in shown.split("\r\n") if line]
    assert len(lines) == 2, lines
    assert lines[1] == "True"
    over = lines[0].split("\r")
    assert [text.split(" ")[:2] for text in over] == [
        [""],
        ["epoch", "1/2"],
        ["epoch", "2/2"],
        ["2", "epochs,"],
    ]


def test_many_networks_share_one_line(terminal, clock):
    bar = GroupProgress(None, 4)
    clock.now += 2.0
    bar.update(1, [(3, 30), (5, 30)], 0.5)
    assert terminal.shown()[0] == (
        "1 of 4 networks ━━━━━━━━━━──────────  50 %  2.0 s left  epoch 3/30, 5/30"
    )
    bar.update(4, [], 1.0)
    bar.close()
    assert terminal.shown() == ["4 of 4 networks trained in 2.0 s", ""]


def test_many_networks_interrupted(terminal, clock):
    bar = GroupProgress(None, 4)
    bar.update(1, [], 0.25)
    clock.now += 2.0
    bar.close(interrupted=True)
    assert terminal.shown()[0] == "1 of 4 networks trained, interrupted after 2.0 s"


def test_many_networks_have_a_plain_line_each_time_one_ends(pipe, clock):
    bar = GroupProgress(1, 3)
    for done, work in ((0, 0.1), (1, 0.4), (1, 0.5), (3, 1.0)):
        clock.now += 1.0
        bar.update(done, [(1, 30)], work)
    bar.close()
    assert pipe.getvalue().splitlines() == [
        "1 of 3 networks trained, 3.0 s left",
        "3 of 3 networks trained in 4.0 s",
    ]


def test_ever_more_networks_have_no_more_than_ten_plain_lines(pipe, clock):
    bar = GroupProgress(1, 18)
    for done in range(19):
        clock.now += 1.0
        bar.update(done, [], done / 18)
    bar.close()
    heads = [line.split(" of ")[0] for line in pipe.getvalue().splitlines()]
    assert heads == ["2", "4", "6", "8", "9", "11", "13", "15", "17", "18"]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({}, []),
        ({"epoch": 1.0, "loss": 0.5}, ["loss 0.5"]),
        ({"loss": 0.5, "accuracy": 0.75}, ["loss 0.5", "accuracy 75.00 %"]),
        ({"loss": 0.5, "val_loss": 0.7}, ["loss 0.5", "val_loss 0.7"]),
        ({"loss": 0.5, "accuracy": 0.7, "train_accuracy": 0.9}, ["loss 0.5", "accuracy 70.00 %"]),
        (
            {"loss": 0.5, "train_accuracy": 0.9, "dev_loss": 0.7, "dev_accuracy": 0.8},
            ["loss 0.5", "dev_accuracy 80.00 %"],
        ),
    ],
)
def test_a_row_is_described_by_its_loss_and_one_more(row, shown):
    assert describe(row) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (185, "3:05 min"),
        (3599.7, "1:00 h"),
        (7860, "2:11 h"),
    ],
)
def test_a_duration_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_stream_whose_reader_has_gone_ends_no_training(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    bar = make_progress(1, 2)
    bar.update(1, 1.0, {"epoch": 1.0, "loss": 0.5})
    bar.close()
