"""tune: the steps and what they choose, the seconds it may take, what it leaves behind."""

import _thread
import io
import math
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn import training
from nnlearn.plotting import plot_tuning
from nnlearn.recipes import _final_fit, tuning
from nnlearn.recipes._budget import Budget, Watch, was_cut
from nnlearn.recipes._strategy import STEPS
from nnlearn.recipes._written import literal, network_lines
from nnlearn.recipes.tuning import Interrupted

NAMES = [*STEPS, "final fit"]
RNG = np.random.default_rng(0)


def blobs(n, seed=0):
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    centres = np.array([[2.0, 0.0, 0.0, 1.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    return (centres[y] + random.normal(0, 0.8, (n, 4))).astype(np.float32), y


BLOBS = nn.Dataset(blobs(1200, 0), blobs(300, 1), blobs(300, 2), source="blobs")


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(tuning, "_clock", clock)
    return clock


@pytest.fixture
def slow(clock, monkeypatch):
    """Makes every epoch take some seconds a row on the scripted clock."""

    def set_pace(seconds_a_row):
        epoch = training.Run._epoch

        def slowly(run, number):
            epoch(run, number)
            clock.now += seconds_a_row * run.sets.train.n_rows

        monkeypatch.setattr(training.Run, "_epoch", slowly)

    return set_pace


@pytest.fixture(scope="module")
def found():
    """On blobs, with a clock that stands still."""
    clock, tuning._clock = tuning._clock, Clock()
    try:
        return nn.tune(BLOBS, hidden=(5,), seconds=1.0)
    finally:
        tuning._clock = clock


def same_network(one, other):
    return all(map(np.array_equal, one.parameters.values(), other.parameters.values()))


def again(found, layers, **settings):
    net = nn.Network(layers, **{"seed": found.network.seed, **settings})
    net.fit(found.data.train, validation=found.data.validation, **found.settings)
    return net


# ---- what it does --------------------------------------------------------------------------------


def test_all_steps_are_done_and_none_is_limited_when_the_clock_stands_still(found):
    assert [step.name for step in found.steps] == NAMES
    assert not any(step.limited for step in found.steps)
    assert all(step.trials and step.why and step.chosen for step in found.steps)
    assert found.learns
    assert found.finished


def test_the_settings_give_the_same_bits_again(found):
    net = again(found, [4, 5, 3])
    assert same_network(net, found.network)
    assert net.history["val_loss"].tolist() == found.history["val_loss"].tolist()


def test_the_code_of_the_account_gives_the_same_bits_again(found):
    names = {"data": BLOBS}
    exec(found.code, names)
    assert same_network(names["net"], found.network)
    assert found.account.endswith(found.code)


def test_the_accuracies_are_those_of_the_network(found):
    assert found.validation_accuracy == found.network.accuracy(BLOBS.validation)
    assert found.test_accuracy == found.network.accuracy(BLOBS.test)
    assert found.test_loss == found.network.loss(BLOBS.test)
    assert found.validation_accuracy > 0.85
    assert found.history.best("val_accuracy")[1] == found.validation_accuracy


def test_the_same_seed_makes_the_same_decisions_for_any_number_of_jobs(found, clock):
    twin = nn.tune(BLOBS, hidden=(5,), seconds=7.0, n_jobs=1)
    assert twin.settings == found.settings
    assert [step.why for step in twin.steps] == [step.why for step in found.steps]
    assert same_network(twin.network, found.network)


def test_the_test_set_decides_nothing(found, clock):
    x, y = BLOBS.test
    other = nn.Dataset(BLOBS.train, BLOBS.validation, (x, (y + 1) % 3))
    twin = nn.tune(other, hidden=(5,), seconds=1.0)
    assert twin.settings == found.settings
    assert same_network(twin.network, found.network)
    assert twin.test_accuracy < 0.2


def test_the_account_says_of_every_step_what_it_tried_and_why(found):
    account = found.account
    assert repr(found) == account
    for number, step in enumerate(found.steps, 1):
        assert f"{number}. {step.name}, {step.seconds:.1f} s. {step.question}" in account
        assert str(step.tried) in account
        assert step.why in account
    assert found.verdict in account
    assert "the clock decided" not in account


def test_each_step_goes_on_from_what_the_one_before_chose(found):
    steps = {step.name: step for step in found.steps}
    first = steps["l2"].trials[0]
    assert (first.l2, first.learning_rate) == (0.0, steps["learning rate"].chosen["learning_rate"])
    held = steps["l2"].chosen["learning_rate"]
    assert {trial.learning_rate for trial in steps["l2"].trials if trial.l2} == {held}
    assert steps["learning rate again"].trials[0].learning_rate == held
    l2 = steps["l2"].chosen["l2"]
    assert {trial.l2 for trial in steps["learning rate again"].trials} == {l2}
    rate = steps["learning rate again"].chosen["learning_rate"]
    sizes = {t.batch_size: t.learning_rate for t in steps["batch size"].trials}
    assert sizes == {size: rate * size / 10 for size in (5, 10, 20, 50)}
    last = steps["batch size"].chosen
    assert found.settings["learning_rate"] == last["learning_rate"]
    assert found.settings["batch_size"] == last["batch_size"]
    assert found.settings["l2"] == l2


def test_what_is_chosen_is_the_best_by_the_rule_of_find_l2(found):
    from nnlearn.recipes.penalties import Measure

    measure = Measure(True, len(BLOBS.validation))
    for name in ("l2", "learning rate again", "batch size"):
        step = next(step for step in found.steps if step.name == name)
        best = measure.best(step.trials)
        assert all(getattr(best, key) == value for key, value in step.chosen.items())


def test_the_table_has_a_row_a_step(found):
    table = found.table()
    assert table["step"] == NAMES
    assert table.columns == ("step", "tried", "chosen", "best %", "s")
    assert table["tried"] == [len(step.trials) for step in found.steps]
    assert found.suggestion == found.settings


# ---- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds_a_row", [1e-5, 2e-4, 1e-3, 1e-2])
def test_the_seconds_are_kept_however_slow_the_machine_is(clock, slow, seconds_a_row):
    slow(seconds_a_row)
    found = nn.tune(BLOBS, hidden=(5,), seconds=60.0, n_jobs=1)
    assert found.seconds == clock.now - 50.0
    assert found.seconds <= 60.0 * 1.03
    assert len(found.history) > 0
    assert same_network(again(found, [4, 5, 3]), found.network)


def test_where_the_clock_decides_the_account_says_so(clock, slow):
    slow(1e-3)
    found = nn.tune(BLOBS, hidden=(5,), seconds=60.0, n_jobs=1)
    limited = [step for step in found.steps if step.limited]
    assert limited
    assert all("clock" in step.why for step in limited)
    assert found.verdict.endswith(f"; the clock decided in: {', '.join(s.name for s in limited)}.")
    assert "decided" in found.table()["clock"]


def test_no_time_for_all_samples_trains_on_a_part_and_scales_the_penalty(clock, slow):
    slow(2e-2)
    found = nn.tune(BLOBS, hidden=(5,), seconds=60.0, n_jobs=1)
    n = len(found.data.train)
    assert n < 1200
    chosen = found.steps[-1].trials[0].l2
    assert found.settings["l2"] == chosen * n / 1200
    names = {"data": BLOBS}
    exec(found.code, names)
    assert same_network(names["net"], found.network)


def test_a_watch_ends_a_fit_before_the_epoch_that_would_be_late(clock):
    budget = Budget(100.0, clock)
    net = nn.Network([4, 3], seed=0)

    def tick(net, history):
        clock.now += 10.0

    with Watch(budget, 45.0, 9) as watch:
        history = net.fit(
            BLOBS.train, epochs=9, learning_rate=0.1, callbacks=[tick, watch], verbose=0
        )
    assert len(history) == 4
    assert was_cut(history)
    with Watch(budget, 45.0, 1) as watch:  # the last epoch is never cut
        history = net.fit(
            BLOBS.train, epochs=1, learning_rate=0.1, callbacks=[tick, watch], verbose=0
        )
    assert not was_cut(history)


def test_a_watch_ends_a_fit_within_an_epoch_that_takes_too_long():
    import time

    big = nn.Split(np.tile(BLOBS.train.x, (2000, 1)), np.tile(BLOBS.train.y, 2000))
    net = nn.Network([4, 100, 3], seed=0)
    budget = Budget(0.2, time.monotonic)
    with Watch(budget, 0.2, 1000) as watch:
        history = net.fit(
            big, epochs=1000, batch_size=1, learning_rate=0.1, callbacks=[watch], verbose=0
        )
    assert was_cut(history)
    assert len(history) < 1000


def test_the_real_clock_is_kept_on_digits():
    digits = nn.datasets.load_mnist_small()
    found = nn.tune(digits, hidden=(10,), seconds=3.0)
    assert found.steps[-1].name == "final fit"
    assert len(found.history) > 0
    assert same_network(again(found, [784, 10, 10]), found.network)


# ---- other data ----------------------------------------------------------------------------------


def test_random_labels_end_with_an_account_of_that(clock):
    random = np.random.default_rng(5)
    x = random.normal(size=(600, 4)).astype(np.float32)
    y = random.integers(0, 3, 600)
    data = nn.Dataset((x[:400], y[:400]), (x[400:500], y[400:500]), (x[500:], y[500:]))
    found = nn.tune(data, hidden=(3,), seconds=5.0)
    assert not found.learns
    assert [step.name for step in found.steps] == ["any learning", "final fit"]
    assert "nothing learnt" in found.steps[0].why
    assert found.verdict.startswith("Nothing was learnt")
    assert "Look at the labels" in found.account
    assert same_network(again(found, [4, 3, 3]), found.network)


def test_a_single_class_is_nothing_learnt(clock):
    x, _ = BLOBS.train
    found = nn.tune(nn.Dataset((x, np.zeros(len(x), int))), hidden=(3,), seconds=5.0)
    assert not found.learns
    assert "the same answer for all gives 100.00 %" in found.steps[0].why


def test_with_next_to_no_time_there_is_a_network_all_the_same():
    found = nn.tune(BLOBS, hidden=(5,), seconds=1e-3)
    assert [step.name for step in found.steps] == NAMES
    assert all(step.limited for step in found.steps)
    assert found.steps[1].why.startswith("No trial ended: 0.1 stays.")
    assert found.settings["learning_rate"] == 0.1
    assert same_network(again(found, [4, 5, 3]), found.network)


def test_few_samples_get_the_epochs_that_they_need_before_they_are_given_up(clock):
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (400, 2)).astype(np.float32)
    data = nn.Dataset((x, (x[:, 0] * x[:, 1] > 0).astype(int)))  # xor: a plateau comes first
    found = nn.tune(data, hidden=(10,), seconds=5.0, activation="tanh")
    assert found.steps[0].trials[0].n_epochs == 50_000 // 360
    assert found.learns


def test_inputs_of_large_numbers_get_a_rate_below_the_first_magnitudes(clock):
    large = [(300.0 * x, y) for x, y in (BLOBS.train, BLOBS.validation)]
    found = nn.tune(nn.Dataset(*large), hidden=(5,), seconds=5.0, activation="relu")
    assert found.steps[0].trials[-1].learning_rate < 0.01
    assert np.isfinite(found.validation_loss)
    assert same_network(again(found, [4, 5, 3], activation="relu"), found.network)


def test_two_classes_are_tried_where_many_are_too_hard(clock, monkeypatch):
    from nnlearn.recipes import _any_learning

    goal = _any_learning.goal_of

    def harsh(data, measure):
        classes = len(np.unique(data.train.y))
        return (2.0, 0.3) if classes > 2 else goal(data, measure)

    monkeypatch.setattr(_any_learning, "goal_of", harsh)
    found = nn.tune(BLOBS, hidden=(5,), seconds=5.0)
    assert found.learns
    assert "samples of classes 0 and 1 a learning rate of" in found.steps[0].why
    assert [step.name for step in found.steps] == NAMES
    assert found.network.n_outputs == 3


def test_without_validation_set_a_tenth_is_held_out_as_fit_does(clock):
    data = nn.Dataset(BLOBS.train)
    found = nn.tune(data, hidden=(5,), seconds=5.0, seed=3)
    assert (len(found.data.train), len(found.data.validation)) == (1080, 120)
    assert "a tenth of the training set is held out" in found.account
    assert math.isnan(found.test_accuracy)
    assert "test accuracy" not in found.verdict
    names = {"data": data}
    exec(found.code, names)
    assert "validation=0.1" in found.code
    assert same_network(names["net"], found.network)


def test_regression_goes_by_the_loss(clock):
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, (500, 2)).astype(np.float32)
    y = (x[:, 0] - 2 * x[:, 1] + random.normal(0, 0.05, 500)).astype(np.float32)
    data = nn.Dataset((x[:300], y[:300]), (x[300:400], y[300:400]), (x[400:], y[400:]))
    found = nn.tune(data, hidden=(5,), seconds=5.0)
    assert found.regression
    assert found.learns
    assert [step.name for step in found.steps] == NAMES
    assert math.isnan(found.validation_accuracy)
    assert found.validation_loss == found.network.loss(data.validation) < 0.1
    assert found.verdict.startswith("Validation loss ")
    assert "best loss" in found.table().columns
    assert "validation loss" in found.plot(Figure().subplots()).get_ylabel()


def test_settings_of_the_network_are_handed_on(clock):
    common = {"cost": "log_likelihood", "activation": "relu", "init": "he", "dtype": "float64"}
    found = nn.tune(BLOBS, hidden=6, seconds=5.0, seed=2, **common)
    assert found.network.cost == "log_likelihood"
    assert found.network.dtype == np.float64
    names = {"data": BLOBS}
    exec(found.code, names)
    assert same_network(names["net"], found.network)


def test_a_final_fit_that_diverges_begins_anew_with_half_the_rate(clock, monkeypatch):
    fit = nn.Network.fit

    def failing(net, *args, **settings):
        if settings.get("early_stopping") and settings["learning_rate"] > limit[0]:
            raise FloatingPointError("NaN")
        return fit(net, *args, **settings)

    limit = [math.inf]
    train = _final_fit.train

    def train_with_limit(strategy, final, tell):
        limit[0] = 0.6 * strategy.settings["learning_rate"]
        train(strategy, final, tell)

    monkeypatch.setattr(nn.Network, "fit", failing)
    monkeypatch.setattr(_final_fit, "train", train_with_limit)
    monkeypatch.setattr(_final_fit, "best_trial", lambda strategy, data: None)
    found = nn.tune(BLOBS, hidden=(5,), seconds=5.0)
    chosen = found.steps[-2].chosen["learning_rate"]
    assert found.settings["learning_rate"] == chosen / 2
    assert "Training diverged with a higher rate" in found.steps[-1].why
    limit[0] = math.inf
    assert same_network(again(found, [4, 5, 3]), found.network)


# ---- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_in_a_search_carries_the_steps_that_ended(clock, monkeypatch):
    from nnlearn.recipes._copies import Copies

    train = Copies.train

    def interrupted(copies, where, **settings):
        if settings.get("early_stopping"):
            _thread.interrupt_main()
        return train(copies, where, **settings)

    monkeypatch.setattr(Copies, "train", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"\.tuning of this exception") as caught:
        nn.tune(BLOBS, hidden=(5,), seconds=5.0)
    assert type(caught.value) is Interrupted
    partial = caught.value.tuning
    assert [step.name for step in partial.steps] == NAMES[:2]
    assert partial.settings["learning_rate"] == partial.steps[1].chosen["learning_rate"]
    assert not partial.finished
    assert partial.verdict.startswith("Interrupted after 0.0 s: 2 steps of 6")
    assert len(partial.history) == 0
    assert partial.plot(Figure().subplots()) is not None


def test_ctrl_c_in_the_final_fit_leaves_the_best_network_so_far(clock, monkeypatch):
    epoch = training.Run._epoch

    def interrupted(run, number):
        if any(type(callback).__name__ == "_Function" for callback in run.settings.callbacks):
            final = run.settings.schedule is not None and run.settings.early_stopping is not None
            if final and number == 4:
                _thread.interrupt_main()
        epoch(run, number)

    monkeypatch.setattr(training.Run, "_epoch", interrupted)
    with pytest.raises(Interrupted) as caught:
        nn.tune(BLOBS, hidden=(5,), seconds=5.0)
    partial = caught.value.tuning
    assert [step.name for step in partial.steps] == NAMES[:-1]
    assert 3 <= len(partial.history) <= 4
    assert partial.validation_accuracy == partial.history.best("val_accuracy")[1]
    assert math.isnan(partial.test_accuracy)


# ---- progress, picture, code ---------------------------------------------------------------------


def test_with_verbose_each_step_says_its_sentence_on_stderr(found, clock, capsys):
    nn.tune(BLOBS, hidden=(5,), seconds=1.0, verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == len(NAMES)
    for number, (line, step) in enumerate(zip(lines, found.steps, strict=True), 1):
        assert line == f"{number}. {step.name}, 0.0 s: {step.why}"


def test_elsewhere_nothing_is_shown(clock, capsys):
    nn.tune(BLOBS, hidden=(5,), seconds=1.0)
    assert capsys.readouterr() == ("", "")


def test_in_a_terminal_sentences_are_wrapped_and_whole(found, clock, monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    nn.tune(BLOBS, hidden=(5,), seconds=1.0)
    lasting = [line.split("\r")[-1].rstrip() for line in stream.getvalue().split("\n")]
    words = " ".join(" ".join(lasting).split())
    for step in found.steps:
        assert step.why in words
    assert max(map(len, lasting)) < 80


def test_the_picture_has_a_dot_a_trial_and_the_final_curve(found):
    ax = Figure().subplots()
    assert plot_tuning(found, ax) is ax
    n_trials = sum(len(step.trials) for step in found.steps[:-1])
    words = [label.get_text() for label in ax.get_xticklabels()]
    assert len(words) == len(ax.get_xticks()) == n_trials + 1
    assert words[0] == "0.01"
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {90.0}
    assert words[-1] == f"{len(found.history)} epochs"
    penalty = found.steps[3]
    others = [t for t in penalty.trials if t.learning_rate != penalty.chosen["learning_rate"]]
    assert others
    assert {f"0 at {trial.learning_rate:g}" for trial in others} <= set(words)
    assert [text.get_text() for text in ax.texts] == [name.replace(" ", "\n") for name in NAMES]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[0] == "chosen"
    assert labels[1] == "final fit, epoch by epoch"
    assert labels[2] == f"best: {100 * (1 - found.validation_accuracy):.2f} %"
    assert ax.get_ylabel() == "validation error (%)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (10, "10"),
        ("relu", "'relu'"),
        (nn.Cosine(30), "nn.Cosine(epochs=30)"),
        (nn.EarlyStopping(patience=7), "nn.EarlyStopping(patience=7)"),
        ([2, nn.Dense(3, "tanh"), 1], "[2, nn.Dense(n=3, activation='tanh'), 1]"),
    ],
)
def test_values_are_written_as_they_are_given(value, text):
    assert literal(value) == text
    assert eval(text, {"nn": nn}) == value


def test_long_calls_are_broken_between_arguments():
    lines = network_lines([784, 30, 10], {f"a_long_name_{k}": k for k in range(8)}).splitlines()
    assert lines[0] == "net = nn.Network("
    assert lines[1:3] == ["    [784, 30, 10],", "    a_long_name_0=0,"]
    assert lines[-1] == ")"


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"seconds": 0}, ValueError, "seconds must be a finite number > 0, got 0"),
        ({"seconds": -3.0}, ValueError, "seconds must be a finite number > 0, got -3.0"),
        ({"seconds": "1"}, TypeError, "seconds must be a finite number > 0, got '1'"),
        (
            {"seed": -1},
            ValueError,
            "seed must be an integer from 0 to 18446744073709551615, got -1",
        ),
        ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
        ({"verbose": 3}, ValueError, "verbose must be None, 0 or 1, got 3"),
        ({"hidden": "30"}, TypeError, "hidden must be a sequence of layers, got '30'"),
        ({"hidden": 3.5}, TypeError, "hidden must be a sequence of layers, got 3.5"),
        (
            {"learning_rate": 0.5},
            TypeError,
            "the settings must be those of Network, got 'learning_rate': "
            "what fit is given is chosen here",
        ),
        (
            {"layers": [4, 3]},
            TypeError,
            "the settings must be those of Network, got 'layers': give hidden=",
        ),
    ],
)
def test_bad_arguments_are_refused_before_anything_trains(given, kind, message, monkeypatch):
    monkeypatch.setattr(training.Run, "_epoch", None)
    with pytest.raises(kind) as caught:
        nn.tune(BLOBS, **given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "kind", "part"),
    [
        ({"hidden": (0,)}, ValueError, "got 0"),
        ({"cost": "foo"}, ValueError, "cost must be"),
        ({"activaton": "relu"}, TypeError, "did you mean 'activation'"),
        ({"n_threads": 2}, TypeError, "n_jobs"),
    ],
)
def test_what_network_refuses_is_refused(given, kind, part):
    with pytest.raises(kind, match=part):
        nn.tune(BLOBS, **given)


def test_data_must_be_a_dataset():
    with pytest.raises(TypeError, match=r"^data must be a Dataset, got .*: Dataset\(split\)$"):
        nn.tune(BLOBS.train)
    with pytest.raises(TypeError, match=r"^data must be a Dataset, got 3"):
        nn.tune(3)
    one = nn.Dataset(([[0.0]], [0]))
    with pytest.raises(ValueError, match="data must have two training samples at least"):
        nn.tune(one)


def test_values_that_are_not_finite_are_refused_before_anything_trains():
    x, y = blobs(60)
    x[7, 2] = np.nan
    with pytest.raises(ValueError, match="must be finite, got nan at row 7, column 2"):
        nn.tune(nn.Dataset((x, y), blobs(30)))
