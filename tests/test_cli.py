"""The command line: what it prints, what it writes, and its exit codes."""

import re
import signal
import subprocess
import sys
import time

import pytest
from matplotlib.figure import Figure

import nnlearn
from nnlearn import cli
from nnlearn._argument_kinds import INITS, RATES
from nnlearn.comparing import Interrupted
from nnlearn.comparison import Comparison, Run
from nnlearn.costs import COSTS
from nnlearn.history import History

PNG = b"\x89PNG\r\n\x1a\n"
WAIT = 60.0  # seconds after which a test that waits for a process has failed


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small(monkeypatch):
    """Fewer digits, for tests of what is around the training."""
    data = nnlearn.datasets.load_mnist_small()
    few = nnlearn.Dataset(data.train[:300], data.validation[:100], data.test[:100])
    monkeypatch.setattr(nnlearn.datasets, "load_mnist_small", lambda: few)
    return few


def run(capsys, *arguments):
    """Exit code, stdout and stderr of one command."""
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    return code, out, err


def interrupted(message, ended):
    """What compare raises on Ctrl-C."""
    interrupt = Interrupted(message)
    interrupt.comparison = Comparison(ended)
    return interrupt


def start(*arguments, **options):
    command = [sys.executable, "-m", "nnlearn", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, **options)


def test_demo_prints_the_slides_errors_beside_its_own(capsys, small, own_folder):
    code, out, err = run(capsys, "demo", "--epochs", "1", "--seeds", "2")
    assert code == 0
    assert re.search(r"30 +slides, full MNIST +5\.53 +4\.86 +4\.03", out)
    assert re.search(r"100 +slides, full MNIST +3\.74 +3\.00 +2\.56", out)
    assert len(re.findall(r"here, mean \(sd\)(?: +\d+\.\d\d \(\d+\.\d\d\)){3}", out)) == 2
    assert len(re.findall(r"here, median(?: +\d+\.\d\d){3}", out)) == 2
    assert len(re.findall(r"here, stuck runs(?: +\d of 2){3}", out)) == 2
    assert "l2 = 0.03, which is lambda" in out, "lambda / n as on the slides"
    assert "300 training, 100 validation, 100 test" in out
    assert re.search(r"12 networks in .* Picture: nnlearn-demo\.png", out)
    assert "12 of 12 networks trained" in err
    assert (own_folder / "nnlearn-demo.png").read_bytes()[:8] == PNG


def test_the_demo_trains_with_the_slides_settings(capsys, small, monkeypatch):
    seen = {}

    def compare(variants, data, **common):
        seen.update(variants=variants, common=common)
        raise interrupted("0 of 18 runs had ended", dict.fromkeys(variants, ()))

    monkeypatch.setattr(cli, "compare", compare)
    run(capsys, "demo")
    settings = {name: dict(own) for name, own in seen["variants"].items()}
    assert [s.pop("hidden") for s in settings.values()] == [(30,)] * 3 + [(100,)] * 3
    assert (
        list(settings.values())
        == [
            {"cost": "quadratic", "learning_rate": 3.0},
            {"cost": "cross_entropy", "learning_rate": 0.5},
            {"cost": "cross_entropy", "learning_rate": 0.5, "l2": pytest.approx(5 * 300 / 50_000)},
        ]
        * 2
    )
    wanted = {"init": "large", "batch_size": 10, "epochs": 30, "seeds": 3}
    assert {name: seen["common"][name] for name in wanted} == wanted


def test_output_to_a_pipe_is_plain_and_complete():
    with start("demo", "--epochs", "1", "--seeds", "1", "--jobs", "1") as process:
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    for text in (out, err):
        assert text.isascii()
        assert "\r" not in text
        assert "\x1b" not in text
    assert len(err.splitlines()) == 6, "a line for each of six networks"


def test_compare_trains_what_was_chosen(capsys, small, own_folder):
    code, out, _ = run(
        capsys,
        *("compare", "--costs", "cross-entropy", "log_likelihood", "--hidden", "8", "6-5"),
        *("--learning-rate", "0.5", "log_likelihood=0.1", "--l2", "0", "1", "--init", "0.1"),
        *("--seeds", "1", "--epochs", "1", "--batch-size", "20", "--out", "curves.svg"),
    )
    assert code == 0
    assert [line for line in out.splitlines() if line.endswith("hidden units")] == [
        "8 hidden units",
        "6-5 hidden units",
    ]
    names = ("cross-entropy", "log-likelihood")
    assert max(map(len, out.splitlines())) <= 80
    for name in (f"{cost}, l2 {l2}" for cost in names for l2 in (0, 1)):
        assert len(re.findall(rf"^{name} +\d+\.\d\d ", out, re.MULTILINE)) == 2
    assert "<svg" in (own_folder / "curves.svg").read_text()


def test_compare_hands_its_choices_on(capsys, small, monkeypatch):
    seen = {}

    def compare(variants, data, **common):
        seen.update(variants=variants, common=common)
        raise interrupted("0 of 1 runs had ended", dict.fromkeys(variants, ()))

    monkeypatch.setattr(cli, "compare", compare)
    run(
        capsys,
        *("compare", "--costs", "quadratic", "hinge", "--learning-rate", "quadratic=7"),
        *("--l1", "0.5", "--init", "0.25", "--batch-size", "20", "--jobs", "3", "--seeds", "4"),
    )
    assert list(seen["variants"].values()) == [
        {"cost": "quadratic", "learning_rate": 7.0, "l1": 0.5, "l2": 0.0, "hidden": (30,)},
        {"cost": "hinge", "learning_rate": RATES["hinge"], "l1": 0.5, "l2": 0.0, "hidden": (30,)},
    ]
    assert seen["common"] == {
        **{"seeds": 4, "epochs": 30, "n_jobs": 3, "verbose": 1},
        **{"init": 0.25, "batch_size": 20},
    }


def test_info_prints_the_configuration(capsys):
    code, out, err = run(capsys, "info")
    assert (code, err) == (0, "")
    assert out == f"{nnlearn.show_config()}\n"


def test_info_refuses_a_wrong_number_of_threads_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("NNLEARN_NUM_THREADS", "many")
    code, out, err = run(capsys, "info")
    assert (code, out) == (2, "")
    message = "NNLEARN_NUM_THREADS must be an integer >= 1, got 'many'"
    assert err == f"python -m nnlearn info: {message} (--help lists all options)\n"


NAMES = ["cross-entropy, l2 0", "cross-entropy, l2 0.5", "cross-entropy, l2 5"]


@pytest.mark.parametrize(
    ("n_panels", "names", "columns"),
    [
        (2, ["quadratic", "cross-entropy", "cross-entropy + l2"], 3),
        (2, NAMES, 3),
        (1, NAMES, 2),
        (1, [f"cross-entropy, l1 0.25, l2 {k}.5" for k in range(8)], 1),
        (1, [f"quadratic, l1 0.25, l2 {k}.5" for k in range(8)], 2),
        (1, [f"cross-entropy, l1 0.00000125, l2 0.00000{k}5" for k in range(3)], 1),
        (3, ["quadratic"], 1),
    ],
)
def test_nothing_of_the_picture_is_cut_off(n_panels, names, columns, own_folder, monkeypatch):
    history = History(["epoch", "seconds", "val_accuracy"])
    history._append({"epoch": 1, "seconds": 1, "val_accuracy": 0.5})
    one = Comparison({name: [Run(None, history, seed, 0.5) for seed in (0, 1)] for name in names})
    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda f, *a, **k: drawn.append(f) or save(f, *a, **k))
    cli.save_picture({f"{k} hidden units": one for k in range(n_panels)}, "out.png")
    (figure,) = drawn
    (legend,) = figure.legends
    figure.draw_without_rendering()
    boxes = [legend.get_window_extent(), *(ax.get_tightbbox() for ax in figure.axes)]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert not any(legend.get_window_extent().overlaps(box) for box in boxes[1:])
    assert legend._ncols == columns
    heights = [ax.get_window_extent().height / figure.dpi for ax in figure.axes]
    assert min(heights) > 2.5, "the legend leaves the panels their inches"


@pytest.mark.parametrize("command", [[], ["demo"], ["compare"], ["info"]])
def test_help_is_complete(capsys, command):
    code, out, err = run(capsys, *command, "--help")
    assert (code, err) == (0, "")
    assert "None" not in out
    for line in re.findall(r"^  (--\S+)(.*(?:\n {6,}.*)*)", out, re.MULTILINE):
        assert re.search(r"[a-z]{3}", line[1]), f"{line[0]} is not explained"


def test_help_names_all_that_can_be_chosen(capsys):
    _, out, _ = run(capsys, "compare", "--help")
    words = " ".join(out.split())
    for name in (*RATES, *INITS, "mnist-small", "nnlearn-compare.png"):
        assert name in words


def test_the_costs_to_choose_from_are_those_there_are():
    assert sorted(RATES) == sorted(COSTS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dmeo"], "dmeo"),
        (["demo", "--epochs", "0"], "--epochs must be an integer >= 1, got '0'"),
        (["demo", "--epochs", "two"], "--epochs must be an integer >= 1, got 'two'"),
        (["demo", "--epochs", "1e3"], "--epochs must be an integer >= 1, got '1e3'"),
        (["demo", "--seeds", "-1"], "--seeds must be an integer >= 1, got '-1'"),
        (["demo", "--jobs", ""], "--jobs must be an integer >= 1, got ''"),
        (["demo", "--data", "cifar"], "--data must be one of mnist-small, mnist, got 'cifar'"),
        (["demo", "--data-dir", "nowhere"], "--data-dir must be a folder that exists"),
        (["demo", "--out", "nowhere/x.png"], "--out must be a file in a folder to write to"),
        (["demo", "--out", "."], "--out must be a file in a folder to write to, got '.'"),
        (["demo", "--out", "x.doc"], "--out must end in .png, .svg or .pdf, got 'x.doc'"),
        (["demo", "--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["demo", "3"], "unrecognized arguments: 3"),
        (["demo", "--epochs"], "--epochs: expected one argument"),
        (["compare", "--costs", "cubic"], "--costs must be one of quadratic, cross_entropy"),
        (["compare", "--hidden", "30,30"], "--hidden must be an integer >= 1, got '30,30'"),
        (["compare", "--learning-rate", "0"], "--learning-rate must be a number > 0, got '0'"),
        (["compare", "--learning-rate", "inf"], "--learning-rate must be a number > 0, got 'inf'"),
        (["compare", "--learning-rate", "cubic=1"], "--learning-rate must be one of quadratic"),
        (["compare", "--learning-rate", "hinge=1"], "--learning-rate must name costs of --costs"),
        (["compare", "--l2", "-1"], "--l2 must be a number >= 0, got '-1'"),
        (["compare", "--l1", "nan"], "--l1 must be a number >= 0, got 'nan'"),
        (["compare", "--batch-size", "0"], "--batch-size must be an integer >= 1, got '0'"),
        (
            ["compare", "--init", "huge"],
            f"--init must be a number > 0 or one of {', '.join(INITS)}",
        ),
        (["info", "--all"], "unrecognized arguments: --all"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_code_2(capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(cli, "compare", lambda *a, **k: pytest.fail("it trained"))
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("python -m nnlearn")
    assert message in err


def test_missing_data_get_one_line_and_exit_code_1(capsys, own_folder):
    code, _, err = run(capsys, "demo", "--data", "mnist", "--data-dir", str(own_folder))
    assert code == 1
    assert err.startswith("python -m nnlearn demo: --data-dir must lead to a folder with train-")
    assert err.count("\n") == 1


def test_a_picture_that_cannot_be_written_gets_one_line(capsys, small, monkeypatch):
    def save(panels, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "save_picture", save)
    code, out, err = run(capsys, "compare", "--seeds", "1", "--epochs", "1")
    assert code == 1
    assert "quadratic" in out, "the numbers are printed first"
    assert err.splitlines()[-1].endswith("could not be written: [Errno 28] No space left on device")


def test_without_matplotlib_nothing_trains(capsys, small, monkeypatch):
    monkeypatch.setattr(cli, "compare", lambda *a, **k: pytest.fail("it trained"))
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    code, _, err = run(capsys, "demo")
    assert code == 1
    assert 'pip install "nnlearn[plot]"' in err


def test_an_interrupt_prints_what_ended_and_gives_130(capsys, small, monkeypatch):
    def compare(*arguments, **settings):
        ended = dict(nnlearn.compare(*arguments, **settings))
        for name in list(ended)[1:]:
            ended[name] = ()
        raise interrupted("1 of 6 runs had ended; they are in .comparison", ended)

    monkeypatch.setattr(cli, "compare", compare)
    code, out, err = run(capsys, "demo", "--epochs", "1", "--seeds", "1")
    assert code == 130
    assert re.search(r"^30 hidden units$", out, re.MULTILINE)
    assert "100 hidden units" not in out
    assert re.search(r"^quadratic +\d+\.\d\d ", out, re.MULTILINE)
    assert err.splitlines()[-1] == "python -m nnlearn demo: interrupted, 1 of 6 runs had ended"


def test_ctrl_c_ends_a_real_demo():
    with start("demo", "--epochs", "100000", "--jobs", "2") as process:
        assert process.stdout.readline().startswith("The slides' comparison")
        time.sleep(1.0)  # it trains by now; before that Ctrl-C has the same effect
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("python -m nnlearn demo: interrupted")


def test_a_reader_that_goes_away_is_no_error():
    with start("info") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 1)
