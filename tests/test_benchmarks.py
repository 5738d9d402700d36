"""The benchmarks: that peers compute the same, that limits are counted and runs run."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__, datasets, gradient_in_c, limits, machine, readme, runner
from benchmarks.case import Rig
from benchmarks.compiling import compiler
from benchmarks.peers import base
from benchmarks.table import CASES

ROOT = Path(__file__).parents[1]

# ---- what is computed ---------------------------------------------------------------------------

# float32 against float64 over three steps of a small network.
ROUNDING = 2e-5
SMALL = (6, 5, 3)


def small_data():
    """20 rows, a third of the inputs zero."""
    rng = np.random.default_rng(0)
    x = rng.random((20, 6)).astype(np.float32)
    x[rng.random(x.shape) < 1 / 3] = 0
    return x, rng.integers(0, 3, 20)


def outputs_after_training(name, work, x, labels):
    """What a peer's network gives after three epochs."""
    model = base.load(name).model(work, base.start(work, 1), 1)
    model.bind(x, labels)
    model.train(3)
    return model.forward(x)


# One batch of all rows: the order in which they come makes no difference.
WORKS = {
    "plain": base.Work(SMALL, batch_size=20, learning_rate=0.3, l2=2.0),
    "momentum": base.Work(SMALL, batch_size=20, learning_rate=0.3, l2=2.0, momentum=0.9),
}


@pytest.mark.parametrize("name", ["nnlearn", "numpy", "sklearn"])
def test_peers_train_as_the_loop_over_samples_does(name):
    expected = outputs_after_training("loop", WORKS["plain"], *small_data())
    found = outputs_after_training(name, WORKS["plain"], *small_data())
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


@pytest.mark.parametrize("name", ["nnlearn", "sklearn"])
def test_peers_have_the_momentum_of_numpy(name):
    expected = outputs_after_training("numpy", WORKS["momentum"], *small_data())
    found = outputs_after_training(name, WORKS["momentum"], *small_data())
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


@pytest.mark.parametrize("kind", WORKS)
@pytest.mark.parametrize("name", ["torch", "torch-compiled", "jax", "kann"])
def test_larger_peers_train_as_numpy_does(name, kind, tmp_path):
    """In a worker's process: these libraries warn, and have threads."""
    core = min(__main__.available_cores())
    with runner.Workers([name], Rig(tmp_path, True, core, (core,)), subprocess.DEVNULL) as workers:
        if name in workers.missing:
            pytest.skip(workers.missing[name])
        x, labels = small_data()
        found = workers.workers[name].ask(
            "train", work=asdict(WORKS[kind]), x=x.tolist(), labels=labels.tolist(), epochs=3
        )
    expected = outputs_after_training("numpy", WORKS[kind], x, labels)
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


def test_momentum_is_that_of_the_formulas():
    x, labels = small_data()
    work = base.Work(SMALL, batch_size=20, learning_rate=0.3, l2=2.0, momentum=0.9)
    plain = base.Work(SMALL, batch_size=20, learning_rate=0.3, l2=2.0)
    model = base.load("numpy").model(work, base.start(work, 1), 1)
    model.bind(x, labels)
    w = [model.w1.astype(np.float64)]
    for _ in range(3):
        step = base.load("loop").model(plain, (model.w1, model.b1, model.w2, model.b2), 1)
        step.bind(x, labels)
        step.train(1)
        gradient_step = step.weights[0].T - model.w1
        model.train(1)
        v = gradient_step if len(w) == 1 else 0.9 * (w[-1] - w[-2]) + gradient_step
        w.append(w[-1] + v)
        np.testing.assert_allclose(model.w1, w[-1], atol=ROUNDING)


def test_the_penalty_decays_as_much_a_step_for_fewer_rows():
    work = base.Work(SMALL, 10, 0.5, l2=5.0)
    assert work.with_rows(10_000, 50_000).decay(10_000) == work.decay(50_000)


@pytest.mark.parametrize("name", ["numpy", "nnlearn"])
def test_the_gradients_of_peers_agree_with_differences(name):
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(7, 4)), rng.normal(size=(7, 2))
    parameters = base.start(base.Work((4, 3, 2), 7, 0.0, hidden="tanh"), 1)
    _, gradient = base.load(name).gradient(x, targets, parameters)()
    gradient = list(gradient.values()) if hasattr(gradient, "values") else gradient
    step = 2.0**-8  # exact in float32, in which parameters are given
    for array, found in zip(parameters, gradient, strict=True):
        place = (0,) * array.ndim
        costs = []
        for sign in (1, -1):
            moved = tuple(a.copy() for a in parameters)
            moved[[a is array for a in parameters].index(True)][place] += np.float32(sign * step)
            costs.append(base.load(name).gradient(x, targets, moved)()[0])
        # The difference's own error is of second order in the step.
        assert found[place] == pytest.approx((costs[0] - costs[1]) / (2 * step), abs=1e-3)


@pytest.mark.skipif(shutil.which(compiler()[0]) is None, reason="there is no C compiler")
def test_the_gradient_timed_in_c_has_the_cost_of_python(monkeypatch):
    monkeypatch.setenv("NNLEARN_DEBUG", "1")  # optimised, the core takes twice as long to compile
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(7, 4)), rng.normal(size=(7, 2))
    parameters = base.start(base.Work((4, 3, 2), 7, 0.0, hidden="tanh"), 1)
    in_c = gradient_in_c.Gradient(x, targets, parameters)
    assert in_c.seconds(10) > 0
    cost, _ = base.load("nnlearn").gradient(x, targets, parameters)()
    assert in_c.cost == cost


def test_time_to_accuracy_is_nan_when_no_epoch_reaches_it():
    x, labels = small_data()
    work = base.Work(SMALL, 20, 1e-6)
    model = base.load("nnlearn").model(work, base.start(work, 1), 1)
    assert np.isnan(model.train_until((x, labels), (x, labels), 1.1, 2))
    assert model.train_until((x, labels), (x, labels), 0.0, 2) > 0


# ---- limits -------------------------------------------------------------------------------------


def test_a_step_is_counted_by_its_nonzero_inputs():
    x = np.zeros((4, 6), np.float32)
    x[[0, 1], 0] = 1
    x[2, [1, 2]] = 1
    # Two batches of two rows: one input a row on average; the batches touch 1 and 2 inputs.
    assert limits.occupancy(x, 2) == (1.0, 1.5)
    count = limits.count_step(base.Work((6, 5, 3), 2, 0.1), x)
    assert count.operations == 2 * (2 * 2 * 1 * 5) + 3 * (2 * 2 * 5 * 3)
    assert count.parameter_bytes == 4 * 3 * (1.5 * 5 + 5 * 3)
    assert count.input_bytes == 2 * 3.0
    assert count.resident_bytes == 4 * (6 * 5 + 5 * 3)


def test_the_limit_by_memory_is_that_of_the_cache_that_holds_the_parameters():
    measured = {
        "operations": 1e9,
        "caches": {"L1": 100, "L2": 1000},
        "bytes": {"L1": 1e9, "L2": 1e8, "memory": 1e7},
    }
    for resident, rate in ((100, 1e9), (101, 1e8), (1001, 1e7)):
        count = limits.Count(1e3, 10.0, 20.0, resident)
        arithmetic, memory = limits.seconds(count, measured)
        assert arithmetic == pytest.approx(1e-6)
        assert memory == pytest.approx(10 / rate + 20 / 1e7)


def test_the_better_of_two_measurements_counts():
    one = {"operations": 1.0, "bytes": {"L1": 5.0}, "caches": {"L1": 1}}
    two = {"operations": 2.0, "bytes": {"L1": 4.0}, "caches": {"L1": 1}}
    assert limits.best(one, two) == {"operations": 2.0, "bytes": {"L1": 5.0}, "caches": {"L1": 1}}


@pytest.mark.skipif(shutil.which(compiler()[0]) is None, reason="there is no C compiler")
def test_limits_are_measured_where_there_is_a_compiler(monkeypatch):
    monkeypatch.setattr(limits, "MEMORY", 1 << 22)
    monkeypatch.setattr(limits, "TRIES", 1)
    measured = limits.measure()
    assert measured["operations"] > 0
    assert set(measured["bytes"]) == {*measured["caches"], "memory"}
    assert min(measured["bytes"].values()) > 0


def test_without_a_compiler_limits_are_said_to_be_missing(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "limits.c does not compile" in limits.measure()["error"]


# ---- the command line ---------------------------------------------------------------------------


def test_the_list_has_a_line_a_row_its_name_first(capsys):
    assert __main__.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CASES)
    assert {f"row{i}" for i in (1, 2, 3, 4, 6, 7, 8)} | {"row5-10", "row5-100"} <= set(CASES)


@pytest.mark.parametrize(
    "arguments", [["--only", "row99"], ["--peers", "numpy,caffe"], ["--rounds", "0"]]
)
def test_what_cannot_be_asked_for_ends_the_run(arguments):
    with pytest.raises(SystemExit, match=f"got '?{arguments[1].split(',')[-1]}'?$"):
        __main__.main(arguments)


def test_the_table_needs_a_run(tmp_path):
    with pytest.raises(SystemExit, match="--readme needs the results of a run"):
        __main__.main(["--readme", "--out", str(tmp_path / "none.json")])


def test_results_are_named_after_the_cpu():
    described = machine.describe() | {"cpu": "AMD EPYC", "family": "family 25, model 17"}
    assert machine.file_name(described) == "amd-epyc-family-25-model-17.json"
    options = __main__.parser().parse_args(["--quick", "--only", "row1"])
    name = machine.file_name(described, __main__.kind(options))
    assert name == "amd-epyc-family-25-model-17-quick-part.json"


def test_the_sets_made_can_be_learnt_and_are_always_the_same():
    one, two = (datasets.clouds(150, 150, 4, 3, spread=0.15, seed=2) for _ in range(2))
    np.testing.assert_array_equal(one.x, two.x)
    assert set(one.y) == {0, 1, 2}
    assert one.x.dtype == np.float32


def run(*arguments, **environment):
    """A run in processes of its own: what it prints, and its JSON."""
    environ = {name: value for name, value in os.environ.items() if name != "NNLEARN_KANN"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        env={**environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_measures_checks_and_writes(tmp_path):
    out = tmp_path / "new" / "results.json"
    printed = run(
        *("--quick", "--only", "row8", "--peers", "numpy,kann", "--rounds", "2", "--out", str(out))
    )
    found = json.loads(out.read_text())
    row = found["cases"]["row8"]
    assert set(found["cases"]) == {"row8"}
    for name in ("nnlearn", "numpy"):
        peer = row["peers"][name]
        assert peer["valid"]
        assert peer["check"] > 0.9
        assert peer["whole"] == min(turn["whole"] for turn in peer["turns"])
        assert len(peer["turns"]) == 2
    assert (
        row["ratios"]["numpy"] == row["peers"]["numpy"]["whole"] / row["peers"]["nnlearn"]["whole"]
    )
    # What is not there is said, at the top and in its row.
    assert "KANN                       NOT MEASURED: NNLEARN_KANN does not name" in printed
    assert "KANN                       not measured: NNLEARN_KANN does not name" in printed
    assert "fastest Python peer / ours (NumPy):" in printed
    assert "| NumPy |" in readme.text(found)


def test_what_fails_in_a_worker_is_said():
    worker = runner.Worker("numpy", min(__main__.available_cores()), subprocess.DEVNULL)
    try:
        worker.ask("load")
        with pytest.raises(runner.WorkerError, match="KeyError: 'row99'"):
            worker.ask("setup", case="row99", folder="", quick=True, core=0, cores=[0])
        assert "NumPy" in worker.ask("load")["version"]  # it goes on
        worker.process.kill()
        with pytest.raises(runner.WorkerError, match="numpy"):
            worker.ask("load")
    finally:
        worker.close()


def test_a_peer_that_ends_is_said_and_ends_no_run(tmp_path):
    core = min(__main__.available_cores())
    datasets.prepare(tmp_path, ["table"])
    rig = Rig(tmp_path, True, core, (core,))
    with runner.Workers(["numpy"], rig, subprocess.DEVNULL) as workers:
        workers.workers["numpy"].process.kill()
        found = workers.measure(CASES["row8"], 1)
    assert set(found) == {"numpy"}
    assert "numpy" in found["numpy"]["error"]
