"""compare and vary: settings, order, errors, Ctrl-C, progress.

Most tests put a stand-in in place of Network, whose training is scripted. The last ones train.
"""

import _thread
import math
import os
import threading
import time

import numpy as np
import pytest
import scripted
from scripted import TWO, split

import nnlearn.comparing
from nnlearn import comparing
from nnlearn._jobs import run_jobs
from nnlearn.comparing import Interrupted, compare, vary
from nnlearn.data import Dataset
from nnlearn.datasets import load_mnist_small
from nnlearn.layers import Dense

WAIT = 30.0  # seconds after which a test that waits for a thread has failed


@pytest.fixture
def stand_in(monkeypatch):
    return scripted.in_place(monkeypatch)


@pytest.fixture
def data():
    return scripted.data()


def test_every_variant_runs_on_every_seed_in_order(stand_in, data):
    # The first to begin are the last to end.
    stand_in.script = lambda net, epoch: time.sleep(0.02 * (3 - net.seed)) or (0.5, 0.5)
    c = compare(TWO, data, hidden=(5,), seeds=3, n_jobs=6, epochs=1)
    assert list(c) == ["a", "b"]
    assert [[run.seed for run in c[name]] for name in c] == [[0, 1, 2], [0, 1, 2]]
    assert [[run.network.seed for run in c[name]] for name in c] == [[0, 1, 2], [0, 1, 2]]
    assert [run.network.settings["learning_rate"] for run in c["b"]] == [2.0] * 3
    assert all(run.history is run.network.history for runs in c.values() for run in runs)
    assert {run.variant for run in c["a"]} == {"a"}


@pytest.mark.parametrize(
    ("n_jobs", "order"),
    [(1, ["small", "large", "long", "other"]), (2, ["long", "large", "small", "other"])],
)
def test_with_several_threads_the_longest_run_of_a_seed_begins_first(
    stand_in, data, monkeypatch, n_jobs, order
):
    begun = []

    def in_turn(jobs, n_jobs, progress):
        begun.extend((job.network.seed, job.network.init) for job in jobs)
        run_jobs(jobs, 1, progress)

    monkeypatch.setattr(comparing, "run_jobs", in_turn)
    variants = {
        "small": {"hidden": (5,), "init": "small"},
        "large": {"hidden": (50,), "init": "large"},
        "long": {"hidden": (5,), "init": "long", "epochs": 90},
        "other": {"hidden": (5,), "init": "other"},
    }
    c = compare(variants, data, seeds=2, n_jobs=n_jobs, epochs=2)
    assert begun == [(seed, name) for seed in (0, 1) for name in order]
    assert list(c) == ["small", "large", "long", "other"]


@pytest.mark.parametrize(
    ("seeds", "chosen"), [(2, [0, 1]), ([7, 3], [7, 3]), (np.array([4]), [4]), (range(2), [0, 1])]
)
def test_seeds(stand_in, data, seeds, chosen):
    c = compare(TWO, data, hidden=5, seeds=seeds, epochs=1)
    assert [run.seed for run in c["a"]] == chosen


def test_settings_are_told_apart_and_a_variant_wins(stand_in, data):
    variants = {"a": {"cost": "quadratic", "momentum": 0.5, "init": "large"}, "b": {}}
    c = compare(
        variants, data, layers=[4, 3], seeds=1, epochs=1, learning_rate=1.0, momentum=0.9, init="he"
    )
    (a,), (b,) = c.values()
    assert (a.network.cost, a.network.init, a.network.settings["momentum"]) == (
        "quadratic",
        "large",
        0.5,
    )
    assert (b.network.cost, b.network.init, b.network.settings["momentum"]) == (None, "he", 0.9)
    assert a.network.settings["epochs"] == 1


def test_the_whole_data_set_is_used_with_one_silent_thread_each(stand_in, data):
    ((run,),) = compare({"a": {}}, data, hidden=5, seeds=1, epochs=1).values()
    settings = run.network.settings
    assert settings["x"] is data.train
    assert settings["validation"] == {"val": data.validation, "test": data.test}
    assert settings["verbose"] == 0
    assert run.network.n_threads == 1


@pytest.mark.parametrize(
    ("hidden", "layers"),
    [((5, 7), [4, 5, 7, 3]), ([], [4, 3]), (5, [4, 5, 3]), ((Dense(5),), [4, Dense(5), 3])],
)
def test_hidden_makes_the_layers(stand_in, data, hidden, layers):
    ((run,),) = compare({"a": {}}, data, hidden=hidden, seeds=1, epochs=0).values()
    assert run.network.layers == layers


@pytest.mark.parametrize(
    ("y", "outputs"),
    [
        (np.zeros((6, 7)), 7),
        (np.full((6, 7), 1.5), Dense(7, activation="linear")),
        (np.full((6, 7), -0.5), Dense(7, activation="linear")),
        (np.zeros(6), Dense(1, activation="linear")),
        (np.array([0, 1, 0, 1, 0, 4]), 5),
    ],
)
def test_outputs_are_those_of_the_data(stand_in, y, outputs):
    data = Dataset((np.zeros((6, 2, 2)), y))
    ((run,),) = compare({"a": {}}, data, hidden=(9,), seeds=1, epochs=0).values()
    assert run.network.layers == [4, 9, outputs]


def test_a_class_that_only_the_names_know_has_an_output(stand_in):
    data = Dataset((np.zeros((2, 4)), [0, 1]), class_names=["a", "b", "c"])
    ((run,),) = compare({"a": {}}, data, hidden=(9,), seeds=1, epochs=0).values()
    assert run.network.layers[-1] == 3


def test_a_variants_layers_win_over_common_hidden(stand_in, data):
    variants = {"a": {"layers": [4, 9, 3]}, "b": {}, "c": {"hidden": (8,)}}
    c = compare(variants, data, hidden=(5,), seeds=1, epochs=0)
    assert [runs[0].network.layers for runs in c.values()] == [[4, 9, 3], [4, 5, 3], [4, 8, 3]]


@pytest.mark.parametrize(
    ("variants", "common", "kind", "message"),
    [
        ({"a": {"lerning_rate": 1}}, {}, TypeError, "did you mean 'learning_rate'"),
        ({"a": {}}, {"momentun": 1}, TypeError, "did you mean 'momentum'"),
        ({"a": {"lmbda": 1}}, {}, TypeError, "got 'lmbda': use l2="),
        ({"a": {"lr": 1}}, {}, TypeError, "got 'lr': use learning_rate="),
        ({"a": {"random_state": 1}}, {}, TypeError, "got 'random_state': give seeds"),
        ({"a": {"validation_data": 1}}, {}, TypeError, "the validation part of data is used"),
        ({"a": {"zzz": 1}}, {}, TypeError, "variant 'a' must be those of Network and fit, got"),
        ({"a": {"seed": 1}}, {}, TypeError, "got 'seed': give seeds"),
        ({"a": {}}, {"n_threads": 2}, TypeError, "n_jobs"),
        ({"a": {"validation": None}}, {}, TypeError, "the validation part of data"),
        ({"a": {"verbose": 1}}, {}, TypeError, "verbose"),
        ({}, {}, ValueError, "at least one variant"),
        ([{}], {}, TypeError, "variants must be a mapping"),
        ({3: {}}, {}, TypeError, "must be text, got 3"),
        ({"a": 3}, {}, TypeError, "variant 'a' must be a mapping of settings, got 3"),
        ({"a": {}}, {"seeds": 0}, ValueError, "seeds must be an integer >= 1, got 0"),
        ({"a": {}}, {"seeds": []}, ValueError, "at least one seed"),
        ({"a": {}}, {"seeds": [-1]}, ValueError, "a seed must be an integer >= 0, got -1"),
        ({"a": {}}, {"seeds": [0.5]}, TypeError, "a seed must be an integer"),
        ({"a": {}}, {"seeds": "12"}, TypeError, "seeds must be"),
        ({"a": {}}, {"seeds": True}, TypeError, "seeds must be"),
        ({"a": {}}, {"seeds": None}, TypeError, "seeds must be"),
        ({"a": {}}, {"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
        ({"a": {}}, {"epochs": -1}, ValueError, "variant 'a': epochs must be an integer >= 0"),
        ({"a": {}}, {"verbose": 2}, ValueError, "verbose must be None, 0 or 1"),
        ({"a": {"learning_rate": 0}}, {}, ValueError, "variant 'a': learning_rate must be"),
        ({"b": {}, "a": {"cost": "bad"}}, {}, ValueError, "variant 'a': cost must be one of"),
        (
            {"a": {}},
            {"hidden": 5.0},
            TypeError,
            "'a': hidden must be a sequence of layers, got 5.0",
        ),
        (
            {"a": {"layers": "4"}},
            {},
            TypeError,
            "'a': layers must be a sequence of layers, got '4'",
        ),
        ({"a": {"layers": [4, 3], "hidden": 5}}, {}, TypeError, "layers or hidden, got both"),
    ],
)
def test_what_is_wrong_is_found_before_anything_trains(
    stand_in, data, variants, common, kind, message
):
    stand_in.script = lambda net, epoch: pytest.fail("it trained")
    with pytest.raises(kind, match=message):
        compare(variants, data, **{"hidden": (5,), **common})


def test_layers_or_hidden_must_be_given(stand_in, data):
    with pytest.raises(TypeError, match="variant 'a' must have either layers or hidden, got neith"):
        compare({"a": {}}, data)


@pytest.mark.parametrize(
    ("data", "hint"), [(split(), r"Dataset\(split\)"), ((1, 2), "from_arrays")]
)
def test_data_must_be_a_dataset(stand_in, data, hint):
    with pytest.raises(TypeError, match=f"data must be a Dataset, got .*{hint}"):
        compare({"a": {}}, data, hidden=5)


def test_as_many_networks_train_at_once_as_n_jobs_says(stand_in, data):
    barrier = threading.Barrier(3, timeout=WAIT)
    most, now, lock = [0], [0], threading.Lock()

    def script(net, epoch):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait()  # passes only when three are here at once
        with lock:
            now[0] -= 1
        return 0.5, 0.5

    stand_in.script = script
    compare(TWO, data, hidden=5, seeds=3, n_jobs=3, epochs=1)
    assert most == [3]


def test_by_default_every_usable_core_has_a_network(stand_in, data, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5, 7}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    barrier = threading.Barrier(4, timeout=WAIT)
    stand_in.script = lambda net, epoch: (0.5, 0.5, barrier.wait())
    compare(TWO, data, hidden=5, seeds=2, epochs=1)


def test_an_error_stops_the_rest_and_is_named(stand_in, data):
    beside = threading.Event()

    def script(net, epoch):
        if net.seed == 0:
            return 0.5, 0.5
        if net.seed == 2:
            assert beside.wait(WAIT)
            raise ZeroDivisionError("division by zero")
        beside.set()
        assert net.stopped.wait(WAIT), "the run beside it was not stopped"
        return 0.5, 0.5

    stand_in.script = script
    with pytest.raises(ZeroDivisionError, match=r"variant 'a', seed 2: division by zero") as caught:
        compare({"a": {}}, data, hidden=5, seeds=4, n_jobs=2, epochs=5)
    assert [run.seed for run in caught.value.comparison["a"]] == [0]
    trained = {net.seed for net in stand_in.made if net.settings and net.settings["epochs"]}
    assert trained == {0, 1, 2}, "what had not begun never began"


@pytest.mark.parametrize("error", [OSError(28, "disk full"), ValueError(), KeyError(3)])
def test_an_error_without_a_plain_message_is_wrapped(stand_in, data, error):
    def script(net, epoch):
        raise error

    stand_in.script = script
    with pytest.raises(RuntimeError, match=f"variant 'a', seed 0: {type(error).__name__}") as info:
        compare({"a": {}}, data, hidden=5, seeds=1, epochs=1)
    assert info.value.__cause__ is error


def test_ctrl_c_stops_all_and_keeps_what_ended(stand_in, data):
    both = threading.Barrier(2, timeout=WAIT)

    def script(net, epoch):
        if net.seed == 0:
            return 0.5, 0.5
        if both.wait() == 0:
            _thread.interrupt_main()
        assert net.stopped.wait(WAIT)
        return 0.5, 0.5

    stand_in.script = script
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt, match="2 of 6 runs had ended") as caught:
        compare(TWO, data, hidden=5, seeds=3, n_jobs=2, epochs=5)
    assert type(caught.value) is Interrupted
    assert {name: len(runs) for name, runs in caught.value.comparison.items()} == {"a": 1, "b": 1}
    deadline = time.monotonic() + WAIT
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a thread was left behind"
        time.sleep(0.01)


def test_ctrl_c_pressed_again_while_the_threads_end(stand_in, data):
    def script(net, epoch):
        _thread.interrupt_main()
        assert net.stopped.wait(WAIT)
        _thread.interrupt_main()
        time.sleep(0.1)
        return 0.5, 0.5

    stand_in.script = script
    with pytest.raises(Interrupted, match=r"^0 of 1 runs had ended$"):
        compare({"a": {}}, data, hidden=5, seeds=1, epochs=5)


def test_a_fit_that_has_not_begun_when_all_stop_ends_after_an_epoch(stand_in, data):
    """stop() does nothing before fit claims its network: the callback must end it."""
    stand_in.stop = lambda self: None

    def script(net, epoch):
        if epoch == 1:
            _thread.interrupt_main()
            time.sleep(0.3)
        return 0.5, 0.5

    stand_in.script = script
    with pytest.raises(Interrupted):
        compare({"a": {}}, data, hidden=5, seeds=1, epochs=1000)
    (trained,) = (net for net in stand_in.made if len(net.history))
    assert len(trained.history) < 1000


def test_callbacks_of_the_user_are_called_too(stand_in, data):
    seen = []
    callback = lambda net, history: seen.append((net.seed, len(history)))  # noqa: E731
    compare({"a": {}}, data, hidden=5, seeds=2, n_jobs=1, epochs=2, callbacks=[callback])
    assert seen == [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_a_callback_that_ends_a_run_ends_it_well(stand_in, data):
    c = compare({"a": {}}, data, hidden=5, seeds=1, epochs=9, callbacks=[lambda *_: True])
    assert len(c["a"][0].history) == 1


def test_progress_is_shown_for_the_comparison_as_a_whole(stand_in, data, capsys):
    compare(TWO, data, hidden=5, seeds=2, epochs=1, verbose=1)
    assert "4 of 4 networks trained in" in capsys.readouterr().err
    compare(TWO, data, hidden=5, seeds=2, epochs=1, verbose=0)
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def digits():
    return load_mnist_small().take(400)


REAL = {
    "quadratic": {"cost": "quadratic", "learning_rate": 3.0},
    "cross-entropy": {"cost": "cross_entropy", "learning_rate": 0.5, "dropout": 0.2},
}


def test_runs_have_the_same_bits_for_any_number_of_threads(digits):
    one, many = (
        compare(REAL, digits, hidden=(30,), seeds=3, epochs=2, n_jobs=n_jobs) for n_jobs in (1, 6)
    )
    for a, b in zip(
        one["quadratic"] + one["cross-entropy"],
        many["quadratic"] + many["cross-entropy"],
        strict=True,
    ):
        assert a.test_error == b.test_error
        for name, values in a.network.parameters.items():
            np.testing.assert_array_equal(values, b.network.parameters[name])


def test_a_run_is_that_of_the_network_alone(digits):
    c = compare(REAL, digits, hidden=(30,), seeds=[5], epochs=2)
    net = nnlearn.Network([784, 30, 10], cost="quadratic", seed=5)
    history = net.fit(digits.train, epochs=2, learning_rate=3.0, validation=digits.test)
    (run,) = c["quadratic"]
    np.testing.assert_array_equal(run.history["test_accuracy"], history["val_accuracy"])
    assert run.test_error == 1.0 - net.accuracy(digits.test)


def test_a_seed_gives_every_variant_the_same_deviates(digits):
    c = compare(
        vary("init", ["large", "scaled"]),
        digits,
        hidden=(30,),
        seeds=1,
        epochs=0,
        learning_rate=1.0,
    )
    large, scaled = (runs[0].network for runs in c.values())
    # Both are rounded from the same doubles: they differ by two roundings at most.
    np.testing.assert_allclose(
        scaled.weights[0], large.weights[0] / math.sqrt(784), rtol=4 * np.finfo("f4").eps
    )
    np.testing.assert_array_equal(scaled.biases[0], large.biases[0])


def test_a_network_that_really_diverges_is_reported(digits):
    wild = {"cost": "cross_entropy", "learning_rate": 1e30, "l2": 1e3}
    c = compare({"wild": wild, **REAL}, digits, hidden=(30,), seeds=1, epochs=2)
    assert isinstance(c["wild"][0].error, FloatingPointError)
    assert c.table()["diverged"] == [1, 0, 0]
    assert all(np.isfinite(values).all() for values in c["wild"][0].network.parameters.values())


def test_ctrl_c_ends_real_networks(digits):
    ended = threading.Event()

    def interrupt():
        assert ended.wait(WAIT)
        time.sleep(0.2)  # in the midst of the others' training
        _thread.interrupt_main()

    quick = {"learning_rate": 0.5, "epochs": 1, "callbacks": lambda net, history: ended.set()}
    endless = {"learning_rate": 0.5, "epochs": 1_000_000}
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Interrupted) as caught:
        compare({"quick": quick, "endless": endless}, digits, hidden=(30,), seeds=1, n_jobs=2)
    thread.join()
    assert {name: len(runs) for name, runs in caught.value.comparison.items()} == {
        "quick": 1,
        "endless": 0,
    }


def test_vary():
    assert vary("hidden", [(5,), (5, 5)], cost="quadratic") == {
        "hidden=(5,)": {"hidden": (5,), "cost": "quadratic"},
        "hidden=(5, 5)": {"hidden": (5, 5), "cost": "quadratic"},
    }
    assert list(vary("learning_rate", np.array([0.025, 0.25]))) == [
        "learning_rate=0.025",
        "learning_rate=0.25",
    ]
    assert list(vary("activation", ["tanh"])) == ["activation=tanh"]


@pytest.mark.parametrize(
    ("name", "values", "rest", "kind", "message"),
    [
        (3, [1], {}, TypeError, "name must be the name of a setting, got 3"),
        ("l2", [], {}, ValueError, "at least one value"),
        ("l2", [1, 1], {}, ValueError, "values must differ from each other, got 1"),
        ("l2", [1], {"l2": 2}, TypeError, "l2 must be given once"),
    ],
)
def test_what_vary_refuses(name, values, rest, kind, message):
    with pytest.raises(kind, match=message):
        vary(name, values, **rest)
