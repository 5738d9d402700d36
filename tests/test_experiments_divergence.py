"""Experiments in which training diverges: a seed is in the table, as diverged, and none is lost."""

import functools
import math

import numpy as np
import pytest
from divergence import diverge, let_diverge

import nnlearn as nn
from nnlearn import experiments
from nnlearn.comparison import Run
from nnlearn.data import Dataset
from nnlearn.experiments import biases, coming_from, lambdas, more_data, quick_feedback
from nnlearn.experiments._divergence import least, of_networks
from nnlearn.experiments._lab import Lab, at

NAMES = ["noise", "biases", "other-techniques", "l1", "dropout", "more-data", "expansion"]
NAMES += ["initialisation", "quick-feedback", "patience", "learning-rates", "schedules", "lambdas"]
NAMES += ["search"]
#: Of which histories are drawn.
BY_EPOCH = ["biases", "dropout", "initialisation", "quick-feedback", "patience"]
BY_EPOCH += ["learning-rates", "schedules", "lambdas"]
SEEDS = (3, 7)
#: All seeds of networks that belong to the second of them.
ILL = {7, *range(7 * 8, 8 * 8), *range(7 * 3, 8 * 3), 1_007}


@functools.cache
def data():
    whole = nn.datasets.load_mnist_small()
    parts = (whole.train[:200], whole.validation[:100], whole.test[:100])
    return Dataset(*parts, image_shape=whole.image_shape, source=whole.source)


@functools.cache
def sound(name):
    return run(name)


@pytest.fixture(scope="module", autouse=True)
def _forget():  # the results hold networks
    yield
    sound.cache_clear()


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(more_data, "_SEEN_QUICK", 2_000)


def run(name):
    if name == "search":
        pytest.importorskip("optuna")
    return experiments.find(name).run(data(), SEEDS, quick=True)


def trained(result):
    """The rows with a value for each seed's networks."""
    return [r for r in result.rows if len(r.values) > 1]


def comes_out(result):
    """Whether table, pictures, numbers and words can all be had."""
    assert str(result)
    assert str(result.table())
    assert result.to_json()["rows"] is not None
    assert all(str(table) for table in result.tables)
    for picture in result.pictures:
        assert len(picture.drawing("x").svg) < 400_000


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_that_diverges_is_counted_and_the_other_stays_as_it_was(name, monkeypatch):
    before = sound(name)
    let_diverge(monkeypatch, ILL)
    result = run(name)
    comes_out(result)
    for row, other in zip(trained(result), trained(before), strict=True):
        half = len(row.values) // 2
        np.testing.assert_equal(row.values[:half], other.values[:half], row.what)
        assert np.isnan(row.values[half:]).all(), row.what
        assert row.diverged >= half
    for claim, other in zip(result.claims, before.claims, strict=True):
        assert claim.differences[0] == other.differences[0] or "averaged" in claim.text
        assert math.isnan(claim.differences[1]), claim.text
        assert "1 without a value" in claim.evidence


@pytest.mark.parametrize("name", [*NAMES, "batch-sizes"])
def test_where_every_seed_diverges_the_experiment_says_so(name, monkeypatch):
    let_diverge(monkeypatch)
    result = run(name)
    comes_out(result)
    for row in trained(result):
        assert row.diverged == len(row.values), row.what
        assert math.isnan(row.mean)
    for claim in result.claims:
        assert claim.evidence == "no run has a value"


@pytest.mark.parametrize("name", BY_EPOCH)
def test_a_seed_that_diverges_later_has_epochs_but_is_counted(name, monkeypatch):
    let_diverge(monkeypatch, ILL, after=1)
    result = run(name)
    comes_out(result)
    for row in trained(result):
        half = len(row.values) // 2
        assert np.isnan(row.values[half:]).all(), row.what


def test_the_decay_of_weights_says_from_which_epoch_on_training_diverged(monkeypatch):
    diverge(monkeypatch, {SEEDS[0]}, 2)
    result = run("weight-decay")
    comes_out(result)
    (table,) = result.tables
    told = table["largest relative deviation of a weight"]
    assert told[3:] == ["diverged"] * 8
    assert max(told[:3]) < 1e-12
    assert result.finding.startswith("Training diverged in epoch 3. After 2 epochs each of ")


def test_the_decay_of_weights_that_diverges_at_once_is_that_of_no_epoch(monkeypatch):
    let_diverge(monkeypatch)
    result = run("weight-decay")
    comes_out(result)
    assert result.tables[0]["largest relative deviation of a weight"][1:] == ["diverged"] * 10
    assert result.finding.startswith("Training diverged in epoch 1. After 0 epochs each of ")


UPDATES = tuple(package.name for package in coming_from._PACKAGES)


@pytest.mark.parametrize("ill", [("CS231n, sgd",), UPDATES])
def test_an_update_with_whose_settings_training_diverges_is_in_the_table(ill, monkeypatch):
    settings = {package.name: package.settings for package in coming_from._PACKAGES}
    fit = nn.Network.fit

    def diverging(net, *args, **given):
        own = {name: given[name] for name in ("l2", "momentum") if name in given}
        if own in [settings[name] for name in ill]:
            net.weights[-1] = np.full(net.weights[-1].shape, 1e308)
        return fit(net, *args, **given)

    monkeypatch.setattr(nn.Network, "fit", diverging)
    result = run("coming-from")
    comes_out(result)
    (table,) = result.tables
    told = dict(zip(table["update"], table["largest difference of a weight"], strict=True))
    assert {name for name, value in told.items() if value == "diverged"} == set(ill)
    assert f"With the settings of {' and '.join(ill)} training diverged." in result.finding
    assert ("no weight is off by more than" in result.finding) == (len(ill) < len(UPDATES))


# ---- what they do it by --------------------------------------------------------------------------


def test_a_search_without_a_threshold_says_so(monkeypatch):
    assert not any("no threshold" in text for text in sound("learning-rates").remarks)
    let_diverge(monkeypatch, ILL)
    said = "With 1 seed of 2 no threshold was found"
    assert any(said in text for text in run("learning-rates").remarks)


def test_networks_of_runs_that_diverged_are_not_asked():
    net = nn.Network([2, 3], seed=0)
    runs = [Run(net, net.history, 0, math.nan, error=e) for e in (None, FloatingPointError())]
    lab = Lab(data(), (0,), True)
    sizes = of_networks(lab, runs, lambda n: [n.n_parameters, 1], (2,))
    np.testing.assert_array_equal(sizes, [[9, 1], [np.nan, np.nan]])
    assert of_networks(lab, [], lambda n: 1.0).shape == (0,)


def test_a_run_that_diverged_has_no_value_of_an_epoch_before():
    net = nn.Network([2, 3], seed=0)
    x = np.eye(2, dtype=np.float32)
    history = net.fit(x, [0, 2], epochs=2, learning_rate=0.1)
    runs = [Run(net, history, 0, math.nan, error=e) for e in (None, FloatingPointError())]
    known = history["loss"]
    np.testing.assert_array_equal(at(runs, "loss", 1, 1.0), [known[0], math.nan])
    np.testing.assert_array_equal(at(runs, "loss", 2, 1.0), [known[1], math.nan])
    np.testing.assert_array_equal(at(runs, "loss", 3, 1.0), [math.nan, math.nan])


def test_the_least_of_values_one_of_which_is_unknown_is_unknown():
    assert least((2.0, 1.0)) == 1.0
    assert math.isnan(least((1.0, math.nan)))
    assert math.isnan(least((math.nan, 1.0)))


def test_gains_of_more_data_are_unknown_where_one_size_diverged():
    nan = math.nan
    growing, every, method, _ = more_data._claims(
        {100: (50.0, 50.0), 200: (60.0, nan), 500: (70.0, 70.0)}, {100: 40.0, 200: 45.0}
    )
    assert growing.differences == (20.0, 20.0)
    for claim, gain in ((every, 10.0), (method, 10.0)):
        assert claim.differences[0] == gain
        assert math.isnan(claim.differences[1])


def test_the_remark_on_biases_is_of_the_seeds_that_are_known():
    assert "by +2.00 points on average, +1.00 to +3.00" in biases._remark((1.0, math.nan, 3.0))
    assert biases._remark((math.nan,)).endswith("it often changes little.")


def test_the_answer_of_a_network_that_diverges_has_no_seconds(monkeypatch):
    let_diverge(monkeypatch)
    lab = Lab(data(), SEEDS, True)
    found = quick_feedback._answers(lab, data())
    assert [math.isnan(one["seconds"]) for one in found.values()] == [True] * 4


def test_where_every_lambda_diverges_the_others_are_not_trained(monkeypatch):
    let_diverge(monkeypatch, {SEEDS[0]})  # one of the copies that must all learn
    result = run("lambdas")
    assert "every lambda diverged" in result.settings["found"]
    rows = {row.what: row for row in result.rows}
    assert rows[f"{lambdas._FIRST}: last test accuracy"].diverged == 0
    assert rows[f"{lambdas._THIRD}: last test accuracy"].diverged == 2
    comes_out(result)
