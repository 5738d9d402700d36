"""The experiment on 800 hidden units with distorted digits: what it says is so."""

import re

import numpy as np
import pytest
from divergence import check_diverged

import nnlearn as nn
from nnlearn import augment, experiments
from nnlearn.experiments import _lab, simard

DATA = nn.datasets.load_mnist_small().take(300)
NAMES = ("none", "affine", "affine and elastic")


@pytest.fixture(scope="module")
def result():
    return simard.experiment.run(DATA, (3, 4), quick=True)


def test_it_is_in_the_catalogue_and_its_pictures_show_the_slide(result):
    assert experiments.find("simard") is simard.experiment
    assert {slide for p in result.pictures for slide in p.slides} == {26}
    for picture in result.pictures:
        svg = picture.drawing("simard").svg
        assert "currentColor" in svg
        assert len(svg) < 400_000


def test_the_rows_stand_beside_the_published_numbers(result):
    assert [row.quote.value for row in result.rows] == ["98.4", "98.9", "99.3"]
    assert [row.what for row in result.rows] == [f"{name}: test accuracy" for name in NAMES]
    assert {row.judge(result.shortened).word for row in result.rows} == {"not comparable"}


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_one_fit_with_the_settings_that_are_said(result, name):
    assert (
        "learning rate 0.05 falling by half a cosine, momentum 0.9" in result.settings["training"]
    )
    said = result.settings.get(f"{name}, new in every epoch")
    change = eval(f"Compose({said})", vars(augment)) if said else None
    net = nn.Network([784, 800, 10], cost="log_likelihood", activation="relu", init="he", seed=3)
    net.fit(
        DATA.train,
        epochs=int(result.settings["training"].split()[0]),
        batch_size=50,
        learning_rate=0.05,
        momentum=0.9,
        l2=float(re.search(r"lambda ([\d.]+)", result.settings["training"])[1]),
        schedule="cosine",
        augment=change,
    )
    [table] = result.tables
    row = table["changes"].index(name)
    assert table["seed"][row] == 3
    assert table["test (%)"][row] == pytest.approx(100 * net.accuracy(DATA.test))
    assert table["validation (%)"][row] == pytest.approx(100 * net.accuracy(DATA.validation))
    [value] = result.rows[row].values
    assert value == table["test (%)"][row]


def test_lambda_is_the_fifty_thousand_digits_scaled(result):
    assert f"lambda {5 * 300 / 50_000:g};" in result.settings["training"]


def test_the_claims_are_differences_of_the_rows(result):
    none, affine, elastic = (row.values[0] for row in result.rows)
    assert [c.differences for c in result.claims] == [(affine - none,), (elastic - affine,)]
    assert {c.unit for c in result.claims} == {"percentage points"}
    for c, pair in zip(result.claims, ((none, affine), (affine, elastic)), strict=True):
        shares = np.array(pair) / 100
        variance = (shares * (1 - shares) / len(DATA.test)).sum()
        assert c.error == pytest.approx(100 * np.sqrt(variance))


@pytest.mark.parametrize("case", ["every seed in its first epoch", "every seed in its third epoch"])
def test_where_training_diverges_the_rows_say_so(monkeypatch, case):
    check_diverged(monkeypatch, "simard", DATA, case)


def test_elastic_distortions_come_on_top_of_the_affine_ones():
    affine, elastic = (simard._CHANGES[name].parts for name in NAMES[1:])
    assert elastic[:-1] == affine
    assert elastic[-1] == augment.Elastic(36, 6)
    assert {type(part) for part in affine} == {
        augment.Shift,
        augment.Rotate,
        augment.Skew,
        augment.Scale,
    }


def test_the_picture_shows_the_digits_of_the_first_epoch(result):
    figure = result.figures()["digits"]
    drawn = np.array([np.asarray(ax.images[0].get_array()).squeeze() for ax in figure.axes])
    x = DATA.train.x[:10]
    for name, picture in zip(NAMES, drawn, strict=True):
        change = simard._CHANGES[name]
        seen = x if change is None else change(x, seed=3, shape=(28, 28))
        digit = seen[9].reshape(28, 28)
        alike = np.corrcoef(picture[:28, -28:].astype(float).ravel(), digit.ravel())[0, 1]
        assert abs(alike) == pytest.approx(1.0, abs=1e-4)


def test_the_test_sets_error_is_that_of_counting():
    right = np.random.default_rng(0).binomial(10_000, 0.992, 50_000) / 100.0
    assert simard.chance(99.2, 10_000) == pytest.approx(right.std(), rel=0.02)


def test_the_displacements_are_as_large_as_is_said(result):
    side = 61
    ramp = np.broadcast_to(np.arange(side, dtype=float), (1_500, side, side)).copy()
    moved = augment.Elastic(36, 6)(ramp, seed=0)[:, side // 2, side // 2] - side // 2
    assert simard._displacement(36, 6) == pytest.approx(moved.std(), rel=0.06)
    assert "1.0 pixels in place of 1.4" in result.remarks[-1]
    assert "not measured here" in result.remarks[-1]


def test_quoted_numbers_are_drawn_beside_full_runs_alone():
    runs = _lab.Lab(DATA, (0,), True).compare({"none": {}}, hidden=3, learning_rate=0.1, epochs=1)
    table = simard._table(runs, 1_000, quoted=True)
    test = table["test (%)"][0]
    assert table["above it"] == [test - 98.4]
    assert table["standard error of the test set"] == [simard.chance(test, 1_000)]
    assert "above it" not in simard._table(runs, 1_000, quoted=False).columns
    lines = {}
    for quoted in (True, False):
        figure = simard._accuracy_picture(runs, 1_000, quoted=quoted).figure()
        lines[quoted] = [
            line.get_xdata()[0] for line in figure.axes[1].lines if line.get_marker() == "D"
        ]
    assert lines == {True: [98.4], False: []}


def test_data_without_a_test_set_is_refused_before_training():
    with pytest.raises(ValueError, match="data must have a validation and a test set"):
        simard.experiment.run(_lab.without(DATA, "test"), 1, quick=True)
