"""search: methods, values, pruning, what goes wrong, Ctrl-C, what is shown."""

import _thread
import pathlib
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from processes import script
from searches import DATA, LINES, SPACE, look, tried
from twins import assert_same_bits

import nnlearn as nn
from nnlearn.searching import gaussian_process, studies
from nnlearn.searching.result import Interrupted
from nnlearn.searching.run import METHODS, _Run

optuna = pytest.importorskip("optuna")

WAIT = 30.0  # seconds after which a test that waits for a thread has failed


@pytest.fixture(scope="module")
def data():
    return DATA


@pytest.fixture(scope="module")
def lines():
    return LINES


# ---- methods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_trials(method, data):
    one, again = (look(data, method=method, trials=14, seed=3) for _ in range(2))
    assert [(t.settings, t.value, t.state) for t in one.trials] == [
        (t.settings, t.value, t.state) for t in again.trials
    ]
    assert tried(look(data, method=method, trials=14, seed=4)) != tried(one)


@pytest.mark.parametrize("method", ["random", "grid"])
def test_threads_do_not_change_what_is_tried(method, data):
    one = look(data, method=method, prune=False)
    three = look(data, method=method, prune=False, n_jobs=3)
    assert tried(one) == tried(three)
    assert [t.value for t in one.trials] == [t.value for t in three.trials]


def test_a_grid_ends_when_every_point_has_been_tried(data):
    found = look(data, method="grid", trials=100, n_jobs=3, prune=False)
    assert len(found) == 4 * 2 * 2
    assert len({str(settings) for settings in tried(found)}) == 16
    assert {t.settings["batch_size"] for t in found.trials} == {5, 20}
    assert len(look(data, method="grid", trials=5)) == 5


def test_conditional_settings_are_tried_where_their_condition_holds(data):
    space = {
        "momentum": nn.when("cost", "quadratic", nn.uniform(0, 0.9)),
        "learning_rate": nn.when("cost", "quadratic", nn.uniform(1, 2), nn.uniform(0.1, 0.2)),
        "cost": ["quadratic", "cross_entropy"],
    }
    for method in METHODS:
        found = look(data, space, method=method, hidden=4, trials=16, epochs=1)
        assert {s["cost"] for s in tried(found)} == {"quadratic", "cross_entropy"}
        for settings in tried(found):
            quadratic = settings["cost"] == "quadratic"
            assert ("momentum" in settings) == quadratic
            assert (settings["learning_rate"] >= 1) == quadratic


def test_a_grid_does_not_repeat_points_that_failed(tmp_path, data):
    def callback(net, history):
        raise KeyError("none")

    settings = {"method": "grid", "trials": 20, "storage": tmp_path / "s.log"}
    for _ in range(2):
        assert len(look(data, callbacks=callback, **settings)) == 16


def test_a_gaussian_process_looks_elsewhere_while_a_trial_runs():
    from nnlearn.searching.samplers import GaussianProcessSampler, distributions_of
    from nnlearn.searching.space import Space

    space = distributions_of(Space.read({"a": nn.uniform(0, 1), "b": nn.uniform(0, 1)}))

    def chosen():
        trial = optuna.trial.create_trial(value=0.0)
        return GaussianProcessSampler(space, 0).sample_relative(study, trial, space)

    with studies.quiet():
        study = optuna.create_study(direction="maximize")
        for a, b in np.random.default_rng(0).random((12, 2)):
            params, value = {"a": a, "b": b}, -((a - 0.4) ** 2) - (b - 0.6) ** 2
            study.add_trial(optuna.create_trial(params=params, distributions=space, value=value))
        alone = chosen()
        assert chosen() == alone
        running = optuna.trial.TrialState.RUNNING
        study.add_trial(optuna.create_trial(params=alone, distributions=space, state=running))
        assert chosen() != alone


def distance(method, n=20):
    """How far from the best point the best of n trials is; the mean over two seeds."""
    from nnlearn.searching.samplers import make_sampler
    from nnlearn.searching.space import Space

    space = Space.read({"a": nn.loguniform(1e-3, 1e3), "b": nn.uniform(0, 1), "c": ["x", "y"]})
    far = []
    for seed in range(2):
        study = optuna.create_study(sampler=make_sampler(method, space, seed))
        for _ in range(n):
            trial = study.ask()
            s = space.suggest(trial)
            study.tell(trial, abs(np.log10(s["a"]) - 1) / 6 + abs(s["b"] - 0.3) + (s["c"] == "x"))
        far.append(study.best_value)
    return np.mean(far)


def test_a_gaussian_process_comes_closer_than_chance():
    with studies.quiet():
        assert distance("gp") < 0.4 * distance("random")


def test_expected_improvement_is_that_of_a_simulation():
    rng = np.random.default_rng(0)
    x = rng.random((12, 2))
    process = gaussian_process.fit(x, -((x - 0.4) ** 2).sum(axis=1), rng)
    at = rng.random((3, 2))
    mean, deviation = process.regressor.predict(at, return_std=True)
    best = process.regressor.predict(x).max()
    draws = mean + deviation * rng.normal(size=(200_000, 3))
    simulated = np.maximum(draws - best, 0).mean(axis=0)
    assert process.expected_improvement(at) == pytest.approx(simulated, rel=0.1, abs=2e-3)


def test_ranks_stand_for_values():
    scores = gaussian_process.normal_scores(np.array([3.0, -np.inf, 5.0, 3.0]))
    assert scores[0] == scores[3]
    assert scores[1] < scores[0] < scores[2] < np.inf
    assert scores.sum() == pytest.approx(0)


def test_a_sampler_of_optuna_is_a_method(data):
    sampler = optuna.samplers.NSGAIISampler(seed=1)
    found = look(data, method=sampler)
    assert found.study.sampler is sampler
    assert len(found) == 6


# ---- values -------------------------------------------------------------------------------------


def test_the_best_network_has_the_value_that_was_recorded(data):
    found = look(data)
    assert found.best.value == max(t.value for t in found.trials if t.state == "complete")
    assert found.best_network.accuracy(data.validation) == found.best.value
    net = nn.Network([2, *found.best.settings["hidden"], 2], seed=0)
    rest = {name: found.best.settings[name] for name in ("learning_rate", "batch_size")}
    net.fit(data.train, epochs=2, **rest)
    assert_same_bits(net.parameters, found.best_network.parameters)


def test_the_best_network_is_trained_again_where_it_is_not_at_hand(data):
    found = look(data)
    again = nn.searching.Search(found.study, found.objective).best_network
    assert again is not found.best_network
    assert_same_bits(again.parameters, found.best_network.parameters)


def test_the_value_is_the_mean_over_seeds_and_the_network_the_best_of_them(data):
    found = look(data, seeds=[4, 7, 9], prune=False)
    for trial in found.trials:
        assert len(trial.values) == 3
        assert trial.value == pytest.approx(np.mean(trial.values))
        assert trial.epochs == 6
    best = max(found.trials, key=lambda t: t.value)
    assert found.best_network.accuracy(data.validation) == max(best.values)
    assert found.best_network.seed == [4, 7, 9][int(np.argmax(best.values))]
    assert found.table()["low"][0] == min(best.values)


def test_of_equal_trials_the_earlier_ones_network_is_kept(data):
    objective = nn.Objective(SPACE, data, epochs=1)
    nets = [nn.Network([2, 3, 2], seed=seed) for seed in range(4)]
    run = _Run(None, objective, None)
    for number, value in ((2, 0.5), (1, 0.5), (3, 0.5), (0, 0.4)):
        run.keep(number, value, nets[number])
    assert run.kept == (0.5, 1, nets[1])


def test_with_early_stopping_the_value_is_that_of_the_best_epoch(data):
    space = {"learning_rate": nn.loguniform(0.5, 5)}
    settings = {"hidden": 8, "epochs": 40, "early_stopping": 3, "prune": False}
    found = look(data, space, trials=5, **settings)
    assert found.best_network.accuracy(data.validation) == found.best.value
    for trial in found.trials:
        history = nn.Network([2, 8, 2], seed=0).fit(
            data.train, validation=data.validation, epochs=40, early_stopping=3, **trial.settings
        )
        assert trial.value == history.best("val_accuracy")[1]
        assert trial.epochs == len(history) < 40


def test_a_class_that_training_never_shows_is_told_once(data):
    x, y = data.train
    few = nn.Dataset((x[y == 0], y[y == 0]), data.validation)
    with pytest.warns(UserWarning, match="validation has class 1") as caught:
        look(few)
    assert len(caught) == 1
    assert caught[0].filename.endswith("searches.py")


def test_regression_is_judged_by_the_loss(lines):
    found = look(lines, {"learning_rate": nn.loguniform(0.001, 0.1)}, hidden=4)
    assert (found.monitor, found.study.direction.name) == ("val_loss", "MINIMIZE")
    values = found.table()["val_loss"]
    complete = [v for v, s in zip(values, found.table()["state"], strict=True) if s == "complete"]
    assert complete == sorted(complete)
    assert found.best_network.loss(lines.validation) == found.best.value == complete[0]


def test_a_monitor_may_be_named(data):
    found = look(data, monitor="val_loss")
    assert found.best_network.loss(data.validation) == found.best.value
    assert found.best.value == min(t.value for t in found.trials if t.state == "complete")


def test_the_test_set_is_not_looked_at(data):
    broken = nn.Dataset(data.train, data.validation, (np.full((4, 2), np.nan), [0, 1, 0, 1]))
    assert tried(look(broken)) == tried(look(data))


def test_a_network_that_diverges_has_the_worst_value(data, lines):
    space = {"learning_rate": [0.1, 1e30], "l2": [1e3]}
    found = look(data, space, hidden=4, method="grid")
    states = {t.settings["learning_rate"]: (t.state, t.value) for t in found.trials}
    assert states[1e30] == ("diverged", 0.0)
    assert states[0.1][0] == "complete"
    assert "became" in next(t.error for t in found.trials if t.state == "diverged")
    found = look(lines, space, hidden=4, method="grid")
    assert {t.value for t in found.trials if t.state == "diverged"} == {np.inf}
    assert found.best.settings["learning_rate"] == 0.1


# ---- pruning ------------------------------------------------------------------------------------


def test_a_pruner_of_optuna_ends_trials(data):
    pruner = optuna.pruners.ThresholdPruner(lower=2.0, n_warmup_steps=3)
    found = look(data, epochs=9, prune=pruner, seeds=2)
    assert {t.state for t in found.trials} == {"pruned"}
    assert {t.epochs for t in found.trials} == {3}
    assert all(0 <= t.value <= 1 for t in found.trials)
    with pytest.raises(ValueError, match="must have a trial that came to its end, got pruned"):
        _ = found.best


def test_a_trial_is_not_pruned_when_it_is_over(data):
    found = look(data, epochs=3, prune=optuna.pruners.ThresholdPruner(lower=2.0, n_warmup_steps=3))
    assert {t.state for t in found.trials} == {"complete"}


def test_a_trial_that_early_stopping_ended_is_not_pruned(data):
    space = {"learning_rate": [2.0]}
    settings = {"hidden": 8, "trials": 1, "epochs": 40, "early_stopping": 3}
    (alone,) = look(data, space, prune=False, **settings).trials
    assert alone.epochs < 40
    states = []
    for epoch in (alone.epochs - 1, alone.epochs):
        pruner = optuna.pruners.ThresholdPruner(lower=2.0, n_warmup_steps=epoch)
        states += [t.state for t in look(data, space, prune=pruner, **settings).trials]
    assert states == ["pruned", "complete"]


def test_pruning_is_by_the_median_unless_it_is_off(data):
    assert isinstance(look(data).study.pruner, optuna.pruners.MedianPruner)
    space = {"learning_rate": nn.loguniform(1e-3, 10)}
    settings = {"hidden": 8, "trials": 20, "epochs": 8, "monitor": "val_loss"}
    both = [look(data, space, prune=prune, **settings) for prune in (True, False)]
    states = [[t.state for t in found.trials] for found in both]
    assert states[0][:5] == ["complete"] * 5
    assert "pruned" in states[0]
    assert set(states[1]) == {"complete"}
    assert min(t.epochs for t in both[0].trials) == 3, "not in the first quarter"


# ---- what goes wrong ----------------------------------------------------------------------------


def test_an_error_in_a_trial_costs_that_trial_alone(data):
    def callback(net, history):
        if net.layers[0].n == 4:
            raise KeyError("no 4")

    found = look(data, method="grid", trials=16, callbacks=callback, prune=False)
    assert {(t.settings["hidden"], t.state) for t in found.trials} == {
        ((4,), "failed"),
        ((6,), "complete"),
    }
    table = found.table()
    assert table["state"] == ["complete"] * 8 + ["failed"] * 8
    assert table["error"][-1] == "KeyError: 'no 4'"
    assert found.best.settings["hidden"] == (6,)


def test_a_floating_point_error_of_a_callback_is_a_failure(data):
    def callback(net, history):
        raise FloatingPointError("mine")

    found = look(data, callbacks=callback)
    assert {(t.state, t.error) for t in found.trials} == {("failed", "FloatingPointError: mine")}


def test_a_callback_may_interrupt_the_search(data):
    def callback(net, history):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(1)

    seen = []
    with pytest.raises(Interrupted, match="3 trials had ended") as caught:
        look(data, epochs=1, callbacks=callback)
    states = [t.state for t in caught.value.search.trials]
    assert states == ["complete"] * 3 + ["interrupted"]


def test_when_all_trials_fail_the_first_error_is_told(data):
    def callback(net, history):
        raise KeyError("none")

    found = look(data, callbacks=callback)
    assert "6 failed" in repr(found)
    with pytest.raises(ValueError, match="came to its end, got failed trials alone: KeyError"):
        _ = found.best_network


def test_ctrl_c_keeps_the_trials_that_ended(data):
    entered = threading.Event()

    def callback(net, history):
        if net.layers[0].n == 6:
            entered.set()

    def interrupt():
        assert entered.wait(WAIT)
        time.sleep(0.1)
        _thread.interrupt_main()

    space = {"hidden": [(4,), (6,)], "epochs": nn.when("hidden", (4,), [1], [10**6])}
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Interrupted, match=r"\d+ trials had ended; they are in .search") as caught:
        nn.search(space, data, learning_rate=0.1, trials=40, n_jobs=2, callbacks=callback)
    thread.join()
    found = caught.value.search
    states = {t.settings["hidden"]: t.state for t in found.trials}
    assert states[(6,)] == "interrupted"
    assert found.best.settings["hidden"] == (4,)
    assert isinstance(caught.value, KeyboardInterrupt)


BAD = [
    ({"space": {}}, ValueError, "space must hold at least one setting"),
    ({"trials": 0}, ValueError, "trials must be an integer >= 1, got 0"),
    ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
    ({"method": "bayes"}, ValueError, "method must be one of 'random', 'grid', 'tpe', 'gp'"),
    ({"seeds": []}, ValueError, "seeds must hold at least one seed"),
    ({"seed": -1}, ValueError, "seed must be an integer"),
    ({"prune": "yes"}, TypeError, "prune must be True, False or a pruner of Optuna's, got 'yes'"),
    ({"monitor": "loss"}, ValueError, "monitor must be one of 'val_accuracy', 'val_loss'"),
    ({"study_name": "a"}, ValueError, "study_name must be given with a storage, got 'a'"),
    ({"storage": 3}, TypeError, "storage must be a database's address"),
    ({"batch_size": 5}, ValueError, "space must hold settings that are not given beside it too"),
    ({"layers": [2, 2]}, ValueError, "got hidden there and the other among the common"),
    ({"learning_rte": 5}, TypeError, "did you mean 'learning_rate'?"),
    ({"lr": 5}, TypeError, "use learning_rate="),
    ({"space": {"learning_rte": [1.0]}}, TypeError, "did you mean 'learning_rate'?"),
    (
        {"space": {"learning_rate": nn.uniform(0, 1), "hidden": [3]}},
        ValueError,
        "settings 'learning_rate=0.0, hidden=3': learning_rate must be a finite number > 0, got 0",
    ),
    (
        {"space": SPACE | {"momentum": nn.uniform(0, 1)}},
        ValueError,
        r"settings '.*momentum=1.0': momentum must be .* < 1, got 1.0",
    ),
    ({"space": SPACE | {"cost": ["quadratic", "cubic"]}}, ValueError, "cost must be one of"),
    ({"space": {"learning_rate": [0.5]}}, TypeError, "must have either layers or hidden"),
]


@pytest.mark.parametrize(("settings", "kind", "message"), BAD)
def test_bad_input_is_refused_before_anything_trains(settings, kind, message, data):
    trained = []
    with pytest.raises(kind, match=message):
        look(data, **{"callbacks": lambda net, history: trained.append(1)} | settings)
    assert trained == []


def test_data_must_have_a_validation_set(data):
    with pytest.raises(ValueError, match="data must have a validation set"):
        look(nn.Dataset(data.train))
    with pytest.raises(TypeError, match="data must be a Dataset"):
        look(data.train)


def test_regression_has_no_accuracy_to_monitor(lines):
    with pytest.raises(ValueError, match="monitor must be 'val_loss' for regression"):
        look(lines, {"learning_rate": [0.1]}, hidden=4, monitor="val_accuracy")


# ---- what is shown ------------------------------------------------------------------------------


def test_the_table_has_the_best_trial_first(data):
    found = look(data, trials=8, prune=False)
    table = found.table()
    assert table.columns == (
        *("trial", "learning_rate", "hidden", "batch_size"),
        *("val_accuracy", "epochs", "seconds", "state"),
    )
    assert table["val_accuracy"] == sorted(table["val_accuracy"], reverse=True)
    assert table["val_accuracy"][0] == found.best.value
    assert sorted(table["trial"]) == list(range(8))
    assert table["hidden"][0] == str(found.best.settings["hidden"])
    assert repr(found) == str(table)
    assert "<table" in found._repr_html_()


def test_the_table_of_different_epochs_has_two_columns(data):
    settings = {"hidden": 3, "learning_rate": 0.5, "trials": 3, "prune": False, "verbose": 0}
    found = nn.search({"epochs": [1, 2]}, data, **settings)
    table = found.table()
    assert table.columns == ("trial", "epochs", "val_accuracy", "epochs run", "seconds", "state")
    assert table["epochs"] == table["epochs run"]


def test_the_table_tells_choices_apart_that_read_the_same(data):
    space = {"schedule": [lambda k: 1.0, lambda k: 0.1]}
    found = look(data, space, method="grid", hidden=3, learning_rate=0.5)
    assert len(found) == len(set(found.table()["schedule"])) == 2
    assert len({t.settings["schedule"](1) for t in found.trials}) == 2


def test_a_long_table_is_cut_in_the_views(data):
    found = look(data, trials=33, epochs=1)
    assert repr(found).endswith("... 3 more in table()")
    assert "the best 30 of 33" in found._repr_html_()


def test_the_best_so_far_never_falls(data):
    found = look(data, trials=12, epochs=4)
    curve = found.best_so_far()
    assert len(curve) == 12
    assert curve == sorted(curve)
    assert curve[-1] == found.best.value


def test_searches_are_drawn(data):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    one, two = look(data, trials=12, epochs=4), look(data, trials=8, seed=1)
    ax, both, many = figure.subplots(3)
    assert one.plot(ax) is ax
    (line,) = ax.get_lines()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("trial", "validation error (%)")
    np.testing.assert_allclose(line.get_ydata(), 100 * (1 - np.array(one.best_so_far())))
    dots = sum(len(points.get_offsets()) for points in ax.collections)
    assert dots == sum(t.state in ("complete", "pruned") for t in one.trials)
    one.plot(both, name="a")
    two.plot(both, name="b")
    assert len({line.get_color() for line in both.get_lines()}) == 2
    assert [t.get_text() for t in both.get_legend().get_texts()] == [
        "a: best so far",
        "b: best so far",
    ]
    nn.plotting.plot_searches({"a": [one, two], "b": two}, many)
    mean, alone = (line.get_ydata() for line in many.get_lines())
    errors = [100 * (1 - np.array(s.best_so_far()[:8])) for s in (one, two)]
    np.testing.assert_allclose(mean, np.mean(errors, axis=0))
    np.testing.assert_allclose(alone, errors[1])
    with pytest.raises(ValueError, match="searches must hold at least one search"):
        nn.plotting.plot_searches({}, many)
    with pytest.raises(TypeError, match="search must be a Search, got 3"):
        nn.plotting.plot_search(3)
    with pytest.raises(TypeError, match="each of searches must be a Search, got 3"):
        nn.plotting.plot_searches({"a": [one, 3]}, many)


def test_progress_counts_trials(data, capsys):
    look(data, verbose=1)
    assert "6 of 6 trials trained" in capsys.readouterr().err


def test_optuna_says_what_it_said_before(data, capsys):
    before = optuna.logging.get_verbosity()
    look(data)
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr().err == ""


def test_searches_that_overlap_in_threads_leave_optuna_as_it_was(data, capfd):
    within, ended = threading.Event(), threading.Event()
    levels = []

    def until_the_other_ends(network, history):
        within.set()
        assert ended.wait(WAIT)
        levels.append(optuna.logging.get_verbosity())
        optuna.create_study()  # says so at the level INFO

    def second():
        found.append(look(data, trials=1, epochs=1, callbacks=until_the_other_ends))

    def until_the_other_has_begun(network, history):
        thread.start()
        assert within.wait(WAIT)

    found = []
    thread = threading.Thread(target=second)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        look(data, trials=1, epochs=1, callbacks=until_the_other_has_begun)
        ended.set()
        thread.join(WAIT)
        assert len(found) == 1
        assert levels == [optuna.logging.ERROR]
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
        assert capfd.readouterr().err == ""
    finally:
        optuna.logging.set_verbosity(before)


def test_a_level_that_is_set_during_a_search_stays():
    before = optuna.logging.get_verbosity()
    try:
        with studies.quiet():
            optuna.logging.set_verbosity(optuna.logging.DEBUG)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)


def test_importing_nnlearn_imports_no_optuna():
    text = "import sys, nnlearn; print(sorted({'optuna', 'sklearn', 'scipy'} & {*sys.modules}))"
    assert script(text) == "[]\n"


def test_what_the_gaussian_process_needs_no_other_method_imports():
    text = """
        import sys
        sys.path.insert(0, {tests!r})
        sys.modules["threadpoolctl"] = None
        from searches import DATA, look
        for method in ("random", "grid", "tpe"):
            print(len(look(DATA, method=method, trials=1)), end="")
    """
    tests = str(pathlib.Path(__file__).parent)
    assert script(textwrap.dedent(text.format(tests=tests))) == "111"


@pytest.mark.parametrize(("module", "method"), [("optuna", "random"), ("sklearn", "gp")])
def test_what_is_missing_is_named_with_its_pip_line(module, method, data, monkeypatch):
    gone = [name for name in sys.modules if name.split(".")[0] == module]
    for name in gone:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "nnlearn\[search\]"'):
        look(data, method=method)
