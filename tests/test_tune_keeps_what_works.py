"""tune: what a step showed to work is not lost by those after it, nor by the clock."""

import math
import re

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import training
from nnlearn.recipes import tuning
from nnlearn.recipes._proven import Proven, proven_by
from nnlearn.recipes._steps import Trial


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


def measured(n, seed):
    """Two classes that differ in each of some columns, whose sizes are far apart."""
    random = np.random.default_rng(seed)
    y = (np.arange(n) % 8 < 3).astype(int)
    sizes = np.array([1.0, 5.0, 20.0, 60.0])
    x = sizes * (0.5 + 2.0 * y[:, None] + random.normal(0.0, 0.3, (n, len(sizes))))
    return x.astype(np.float32), y


UNSCALED = nn.Dataset(measured(400, 0), measured(80, 1), measured(80, 2))


def noise(n, seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 4)).astype(np.float32), random.integers(0, 3, n)


NOISE = nn.Dataset(noise(300, 0), noise(18, 1))


@pytest.fixture(scope="module")
def found():
    """On unscaled columns, with a clock that stands still."""
    clock, tuning._clock = tuning._clock, Clock()
    try:
        return nn.tune(UNSCALED, hidden=(10,), seconds=5.0)
    finally:
        tuning._clock = clock


def best_mean(tuning):
    """Of the trials on all training samples."""
    trials = [trial for step in tuning.steps[:-1] for trial in step.trials]
    n = len(tuning.data.train)
    return max(trial.mean for trial in trials if trial.n_samples == n and not trial.diverged)


def trained_again(found, data):
    names = {"data": data}
    exec(found.code, names)
    return names["net"]


def same_network(one, other):
    return all(map(np.array_equal, one.parameters.values(), other.parameters.values()))


# ---- rates ---------------------------------------------------------------------------------------


def trial(rate, accuracy=0.5):
    return Trial(0.0, rate, (accuracy,), (3,), (accuracy,), (1.0,))


def test_rates_between_those_that_failed_are_allowed():
    trials = [trial(rate) for rate in (0.001, 0.01, 0.1, 1.0, 10.0)]
    proven = proven_by(trials, trials[2], {0.1: 7, 1.0: 2}, on_all=True)
    assert proven == Proven(0.01, 10.0, 7)
    assert [proven.allows(rate) for rate in (0.01, 0.02, 5.0, 10.0)] == [False, True, True, False]
    assert proven.allows(20.0, batch_size=50)
    assert not proven.allows(5.0, batch_size=5)


def test_few_samples_forbid_no_low_rate():
    trials = [trial(rate) for rate in (0.01, 0.1, 1.0)]
    proven = proven_by(trials, trials[1], {0.1: 7}, on_all=False)
    assert proven == Proven(0.0, 1.0, 0)


def test_no_step_chooses_a_rate_that_the_first_one_showed_to_learn_nothing(found):
    first = found.steps[0]
    best = first.chosen["learning_rate"]
    guess = np.bincount(UNSCALED.validation.y).max() / 80
    failed = [t.learning_rate for t in first.trials if t.mean <= guess and t.learning_rate > best]
    assert failed
    for step in found.steps[1:]:
        rate = step.chosen.get("learning_rate", best)
        assert rate * 10 / step.chosen.get("batch_size", 10) < min(failed)


def test_a_rate_whose_loss_falls_but_that_learnt_nothing_is_noted(monkeypatch, clock):
    from nnlearn.recipes import _any_learning

    def shown(trials, best, reached, *, on_all):
        return Proven(above=0.6 * best.learning_rate)

    monkeypatch.setattr(_any_learning, "proven_by", shown)
    found = nn.tune(UNSCALED, hidden=(10,), seconds=5.0)
    limit = 0.6 * found.steps[0].chosen["learning_rate"]
    notes = {t.learning_rate: t.note for t in found.steps[1].trials}
    assert any(rate >= limit for rate in notes)
    for rate, note in notes.items():
        assert note.endswith("but nothing was learnt before") == (rate >= limit)
    assert 2.0 * found.steps[1].chosen["learning_rate"] < limit
    later = [trial.learning_rate for step in found.steps[3:5] for trial in step.trials]
    assert max(later) > limit  # tried, but not chosen
    assert all(step.chosen.get("learning_rate", 0.0) < limit for step in found.steps[1:5])


def test_early_stopping_waits_for_as_many_epochs_as_learning_took(monkeypatch, clock):
    from nnlearn.recipes import _any_learning

    def late(trials, best, reached, *, on_all):
        return Proven(epochs=50)

    monkeypatch.setattr(_any_learning, "proven_by", late)
    found = nn.tune(UNSCALED, hidden=(10,), seconds=5.0)
    assert found.steps[2].trials[0].n_epochs == 150
    assert int(re.search(r"after (\d+) epochs", found.steps[2].why)[1]) > 50
    assert found.steps[2].chosen["epochs"] > 15
    assert found.steps[3].trials[0].n_epochs == min(found.steps[2].chosen["epochs"], 100)
    monkeypatch.setattr(_any_learning, "proven_by", lambda *args, **kwargs: Proven())
    found = nn.tune(UNSCALED, hidden=(10,), seconds=5.0)
    assert found.steps[2].trials[0].n_epochs == 40


# ---- the best trial ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_network_is_as_good_as_the_best_trial(clock, seed):
    found = nn.tune(UNSCALED, hidden=(10,), seconds=5.0, seed=seed)
    assert found.learns
    assert found.validation_accuracy >= best_mean(found)
    assert same_network(trained_again(found, UNSCALED), found.network)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_where_nothing_is_learnt_the_best_trial_is_kept_all_the_same(clock, seed):
    found = nn.tune(NOISE, hidden=(5,), seconds=5.0, seed=seed)
    assert not found.learns
    assert found.validation_accuracy >= best_mean(found)
    assert "a network trained as that trial was is kept instead" in found.steps[-1].why
    assert f"{100 * found.validation_accuracy:.2f} %" in found.verdict
    assert found.history is found.network.history
    assert same_network(trained_again(found, NOISE), found.network)


def test_what_is_more_than_a_guess_by_chance_is_said_to_be_so(clock):
    found = nn.tune(NOISE, hidden=(5,), seconds=5.0)
    assert "with 18 validation samples anything short of" in found.steps[0].why
    assert found.steps[0].why.count("may be chance") == 1


def test_a_final_fit_of_regression_is_no_worse_than_the_best_trial(clock):
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 3)).astype(np.float32)
    y = random.normal(size=300).astype(np.float32)
    found = nn.tune(nn.Dataset((x[:200], y[:200]), (x[200:], y[200:])), hidden=(5,), seconds=5.0)
    trials = [t for t in found.steps[0].trials if not t.diverged]
    assert found.validation_loss <= min(t.mean for t in trials)
    assert "kept instead" in found.steps[-1].why


# ---- inputs --------------------------------------------------------------------------------------


def test_the_account_begins_with_what_diagnose_says_of_the_inputs(found):
    net = nn.Network([4, 10, 2], seed=0)
    finding = next(f for f in nn.diagnose(net, UNSCALED.train) if f.kind == "inputs not scaled")
    first = found.account.splitlines()[0]
    assert first == found.remark
    assert finding.sentence in first
    assert first.endswith("Try: give tune (x - x.mean(0)) / (x.std(0) + 1e-7).")


def test_of_scaled_inputs_nothing_is_said(clock):
    found = nn.tune(NOISE, hidden=(5,), seconds=5.0)
    assert found.remark == ""
    assert found.account.startswith(repr(NOISE))


# ---- the clock -----------------------------------------------------------------------------------


def slowly(monkeypatch, clock, seconds_a_row):
    epoch = training.Run._epoch

    def slow(run, number):
        epoch(run, number)
        clock.now += seconds_a_row * run.sets.train.n_rows

    monkeypatch.setattr(training.Run, "_epoch", slow)


def test_the_first_step_takes_more_than_its_share_until_something_is_learnt(monkeypatch, clock):
    n_epochs = 50_000 // 400
    slowly(monkeypatch, clock, 1e-4)
    a_trial = 2 * n_epochs * 400 * 1e-4  # two copies
    seconds = 10.0 * a_trial  # the share of the first step is half a trial
    found = nn.tune(UNSCALED, hidden=(10,), seconds=seconds, n_jobs=1)
    assert len(found.steps[0].trials) == 1
    assert "the network learns" in found.steps[0].why
    assert found.steps[1].trials  # it has its part of what is left
    assert found.learns
    assert found.seconds <= seconds


def test_a_step_that_the_clock_limits_says_what_it_had(monkeypatch, clock):
    slowly(monkeypatch, clock, 3e-4)
    found = nn.tune(UNSCALED, hidden=(10,), seconds=100.0, n_jobs=1)
    limited = [step for step in found.steps[:-1] if step.limited]
    assert limited
    assert limited[0].name == "any learning"
    assert limited[0].why.endswith(" It had 35 of 100 s.")
    assert all(step.why.endswith(" of 100 s.") and " It had " in step.why for step in limited)


def test_the_clock_is_not_blamed_where_most_of_the_time_is_left(found):
    from dataclasses import replace

    limited = (replace(found.steps[0], limited=True), *found.steps[1:])
    early = replace(found, steps=limited, given=20.0, seconds=6.6)
    assert early.verdict.endswith("; a step's share of the 20 s decided in: any learning.")
    late = replace(found, steps=limited, given=20.0, seconds=10.0)
    assert late.verdict.endswith("; the clock decided in: any learning.")
    assert math.isclose(found.given, 5.0)
