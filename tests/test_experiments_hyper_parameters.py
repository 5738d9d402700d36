"""The experiments on start weights and on the choice of hyper-parameters."""

import inspect
import math

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import experiments
from nnlearn.data import Dataset
from nnlearn.experiments import (
    hyper_parameters,
    patience,
    quick_feedback,
    start_weights,
)
from nnlearn.experiments._catalogue import PARTS
from nnlearn.experiments._lab import Lab

NAMES = [*PARTS["Initialisation"], "hyper-parameters", "quick-feedback", "patience"]
NAMES += ["learning-rates", "schedules", "lambdas"]


@pytest.fixture(scope="module")
def digits():
    whole = nn.datasets.load_mnist_small()
    parts = (whole.train[:300], whole.validation[:200], whole.test[:200])
    return Dataset(*parts, source=whole.source)


@pytest.fixture(scope="module")
def results(digits):
    """A quick run of each with two seeds."""
    found = {}

    def run(name):
        if name not in found:
            found[name] = experiments.find(name).run(digits, [3, 4], quick=True)
        return found[name]

    return run


def row(result, what):
    return next(row for row in result.rows if row.what == what)


def texts(figure):
    """All that is written in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


# ---- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_quote_has_a_row(name, results):
    quotes = [row.quote for row in results(name).rows if row.quote]
    assert sorted(map(repr, quotes)) == sorted(map(repr, experiments.find(name).quotes.values()))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_the_slides_and_can_be_drawn(name, results):
    pictures = results(name).pictures
    assert sorted(n for p in pictures for n in p.slides) == list(experiments.find(name).slides)
    for picture in pictures:
        assert len(picture.drawing(name).svg) < 400_000


def test_slides_27_to_35_are_all_shown():
    assert [n for name in NAMES for n in experiments.find(name).slides] == list(range(27, 36))


@pytest.mark.parametrize("name", NAMES)
def test_the_widgets_take_their_settings(name):
    pytest.importorskip("anywidget")
    from nnlearn import widgets

    for kind, given in experiments.find(name).widgets.values():
        getattr(widgets, kind)(**given).close()


@pytest.mark.parametrize("name", NAMES)
def test_differences_of_accuracies_are_in_percentage_points(name, results):
    for claim in results(name).claims:
        assert claim.unit == ("" if "cost" in claim.text else "percentage points")


@pytest.mark.parametrize("name", ["schedules", "lambdas"])
def test_stuck_runs_are_counted_beside_test_accuracies_alone(name, results):
    for found in results(name).rows:
        assert (found.stuck is not None) == found.what.endswith("last test accuracy")


# ---- start weights ------------------------------------------------------------------------------


@pytest.mark.parametrize(("init", "variance"), [("large", 501.0), ("scaled", 1.5)])
def test_theory_is_that_of_a_sum_of_normal_numbers(init, variance):
    sd, saturated = start_weights.theory(init)
    assert sd**2 == pytest.approx(variance)
    z = np.linspace(-40 * sd, 40 * sd, 800_001)
    density = np.exp(-z * z / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    a = 1 / (1 + np.exp(-np.clip(z, -600, 600)))
    outside = (a < 0.01) | (a > 0.99)
    assert saturated == pytest.approx((density * outside).sum() * (z[1] - z[0]), rel=1e-3)


def test_drawn_networks_spread_as_the_formula_says(results):
    result = results("start-weights")
    for name in ("W ~ N(0, 1)", "W ~ N(0, 1/n_in)"):
        (formula,) = row(result, f"{name}: sd of z, formula").values
        assert row(result, f"{name}: sd of z, drawn").values == pytest.approx(
            [formula] * 2, rel=0.05
        )
    assert [r.judge("short").word for r in result.rows if r.quote] == ["agrees", "agrees"]


def test_saturation_is_counted_in_the_networks_themselves(results):
    x = start_weights.half_on(1)
    saturated = []
    for seed in range(3 * 60, 4 * 60):
        net = nn.Network([1000, 30, 10], init="large", seed=seed)
        a = 1 / (1 + np.exp(-(x.astype(float) @ net.weights[0] + net.biases[0])))
        saturated.append(((a < 0.01) | (a > 0.99)).mean())
    drawn = row(results("start-weights"), "W ~ N(0, 1): saturated units, drawn").values
    assert drawn[0] == pytest.approx(100 * np.mean(saturated), abs=0.05)


def test_the_finding_is_of_the_networks_drawn(results):
    result = results("start-weights")
    sd, share = (
        row(result, f"W ~ N(0, 1): {what}, drawn").mean for what in ("sd of z", "saturated units")
    )
    assert f"{sd:.3g} with W ~ N(0, 1), and {share:.3g} % of the units" in result.finding


def test_pictures_of_start_weights_have_both_deviations(results):
    figures = results("start-weights").figures()
    assert "N(0, 501), sd 22.4" in texts(figures["large"])
    assert "N(0, 1.5), sd 1.22" in texts(figures["scaled"])


# ---- initialisation -----------------------------------------------------------------------------


@pytest.mark.parametrize("init", ["scaled", "large"])
def test_initialisation_trains_with_the_books_settings(init, digits, results):
    net = nn.Network([784, 100, 10], init=init, seed=3)
    settings = {"learning_rate": 0.1, "l2": 5.0 * 300 / 50_000, "batch_size": 10}
    history = net.fit(digits.train, validation=digits.validation, epochs=8, **settings)
    accuracies = 100 * history["val_accuracy"]
    for when, accuracy in (
        ("epoch 1", accuracies[0]),
        ("best", accuracies.max()),
        ("last", accuracies[-1]),
    ):
        found = row(results("initialisation"), f"100 hidden, {init}, {when}").values
        assert found[0] == pytest.approx(accuracy)


def test_the_claim_of_a_higher_start_is_about_the_first_epoch(results):
    result = results("initialisation")
    first, other = (row(result, f"30 hidden, {init}, epoch 1") for init in ("scaled", "large"))
    claim = next(claim for claim in result.claims if "30 hidden" in claim.text)
    assert claim.differences == pytest.approx(np.subtract(first.values, other.values))


def test_the_claim_of_a_higher_end_is_about_the_last_epoch(results):
    result = results("initialisation")
    for units in (30, 100):
        scaled, large = (
            row(result, f"{units} hidden, {init}, last").values for init in ("scaled", "large")
        )
        text = f"with {units} hidden units scaled start weights end higher"
        [claim] = [claim for claim in result.claims if claim.text == text]
        assert claim.differences == pytest.approx(np.subtract(scaled, large))


def test_best_epochs_are_counted_from_0_as_the_book_does(digits, results):
    net = nn.Network([784, 30, 10], init="large", seed=4)
    settings = {"learning_rate": 0.1, "l2": 5.0 * 300 / 50_000, "epochs": 8}
    history = net.fit(digits.train, validation=digits.validation, **settings)
    found = row(results("initialisation"), "30 hidden, large, epoch of the best, from 0")
    assert found.values[1] == np.argmax(history["val_accuracy"])
    quotes = [r.quote.value for r in results("initialisation").rows if r.what.endswith("from 0")]
    assert quotes == ["25", "27", "29", "28"]


# ---- the list of hyper-parameters ---------------------------------------------------------------


def test_every_setting_of_network_and_fit_is_listed_with_its_default():
    listed = {(s.of, s.name): s for s in hyper_parameters.settings()}
    for function, of in ((nn.Network.__init__, "the function"), (nn.Network.fit, "its training")):
        for name, parameter in inspect.signature(function).parameters.items():
            if name in ("self", "x", "y", "unknown"):
                continue
            setting = listed.get((of, name)) or listed["the work around it", name]
            if parameter.default is not parameter.empty:
                assert setting.default == repr(parameter.default).replace("'", '"')


def test_every_setting_is_explained():
    assert [s.name for s in hyper_parameters.settings() if not s.meaning.strip()] == []
    meanings = {s.name: s.meaning for s in hyper_parameters.settings()}
    assert meanings["epochs"] == "Passes over the data, >= 0"
    assert meanings["l1"] == meanings["l2"] == "Penalties, >= 0 and finite"


def test_settings_stand_where_they_belong_and_once():
    of = {}
    for setting in hyper_parameters.settings():
        of.setdefault(setting.name, []).append(setting.of)
    assert of["init"] == of["dropout"] == of["layers"] == ["the function"]
    assert of["learning_rate"] == of["l2"] == of["augment"] == ["its training"]
    assert of["n_threads"] == ["the work around it"]
    assert set(hyper_parameters._WORK) <= of.keys()


def test_the_finding_counts_the_settings(results):
    finding = results("hyper-parameters").finding
    known = hyper_parameters.settings()
    work = sum(s.of == "the work around it" for s in known)
    assert f"have {len(known)} settings" in finding
    assert f"{work} of the work around it; without a default: layers." in finding


def test_the_picture_has_every_setting(results):
    (figure,) = results("hyper-parameters").figures().values()
    assert {s.name for s in hyper_parameters.settings()} <= {*texts(figure)}


# ---- quick feedback -----------------------------------------------------------------------------


def test_weights_that_grow_ninefold_a_step_diverge_and_are_counted(results):
    result = results("quick-feedback")
    for epoch in (2, 3):  # 9^30 of the first 30 steps is finite in float32, 9^60 is not
        grown = row(result, f"eta 10, lambda 1000: right of 100, epoch {epoch}")
        assert grown.diverged == len(grown.values) == 2 * quick_feedback._STARTS
    assert row(result, "eta 1, lambda 20: right of 100, epoch 4").diverged == 0


def test_attempts_keep_the_books_eta_lambda_over_n(digits, results):
    few = digits.validation[:100]
    net = nn.Network([784, 10], seed=3 * quick_feedback._STARTS)
    history = net.fit(
        digits.train, validation=few, learning_rate=1.0, l2=20.0 * 300 / 1000, epochs=4
    )
    for epoch in (1, 2, 3, 4):
        right = row(results("quick-feedback"), f"eta 1, lambda 20: right of 100, epoch {epoch}")
        assert right.values[0] == pytest.approx(100 * history["val_accuracy"][epoch - 1])


def test_what_the_attempts_came_to_is_said_of_the_last_epochs(results):
    result = results("quick-feedback")
    mean = row(result, "eta 1, lambda 20: right of 100, epoch 4").mean
    assert "eta 10 and lambda 1000: every run diverged;" in result.finding
    assert result.finding.endswith(f"eta 1 and lambda 20: {mean:.1f}.")
    starts = 2 * quick_feedback._STARTS
    assert f"{starts} of {starts} such runs diverged" in result.remarks[0]


def test_the_problem_is_reduced_step_by_step_with_lambda_rescaled(digits, results):
    (table,) = results("quick-feedback").tables
    assert table["network"] == ["784-30-10", "784-30-2", "784-2", "784-2"]
    n = table["training"]
    two = int((np.asarray(digits.train.y) < 2).sum())
    assert n[:3] == [300, two, two]
    assert n[3] <= two
    assert table["validation"][3] <= 100
    assert table["lambda"] == pytest.approx([5.0 * k / 50_000 for k in n])


def test_what_depends_on_time_is_marked(results):
    result = results("quick-feedback")
    assert [p.name for p in result.pictures if p.slides] == ["seconds-an-answer"]
    assert [name for name in result.tables[0].columns if "second" in name] == ["seconds"]
    assert not any("second" in row.what for row in result.rows)


# ---- patience -----------------------------------------------------------------------------------


def test_patience_in_full_is_ten_then_twenty_then_fifty(digits):
    rules = patience._rules(Lab(digits, (0,), quick=False))
    assert rules["growing"].patience == {1: 10, 20: 20, 50: 50}
    assert rules["none in 10"].patience == 10


def test_each_rule_ends_training_when_its_patience_is_over(digits, results):
    result = results("patience")
    rules = patience._rules(Lab(digits, (3, 4), quick=True))
    for rule in rules.values():
        words = patience._words(rule)
        epochs = row(result, f"{words}: epochs trained").values
        best = row(result, f"{words}: best epoch").values
        for end, kept in zip(epochs, best, strict=True):
            assert end - kept == rule.limit(int(end))


def test_the_test_accuracy_is_that_of_the_network_kept(digits, results):
    rule = patience._rules(Lab(digits, (3, 4), quick=True))["growing"]
    net = nn.Network([784, 30, 10], seed=3)
    settings = {"learning_rate": 0.5, "l2": 5.0 * 300 / 50_000, "early_stopping": rule}
    net.fit(digits.train, validation=digits.validation, epochs=400, **settings)
    kept = row(results("patience"), f"{patience._words(rule)}: test accuracy kept").values
    assert kept[0] == pytest.approx(100 * net.accuracy(digits.test))


def test_patience_claims_what_can_fail_alone(results):
    claims = results("patience").claims
    assert len(claims) == 2
    assert all("higher test accuracy" in claim.text for claim in claims)


# ---- learning rates -----------------------------------------------------------------------------


def test_the_training_cost_has_the_penalty_in_it(digits, results):
    l2 = 5.0 * 300 / 50_000
    net = nn.Network([784, 30, 10], seed=3)
    net.fit(digits.train, epochs=1, learning_rate=0.25, l2=l2)
    cost = net.loss(digits.train) + l2 / (2 * 300) * sum((w**2).sum() for w in net.weights)
    first = row(results("learning-rates"), "eta 0.25: training cost, after epoch 1").values
    assert first[0] == pytest.approx(cost, rel=1e-5)


def test_lowest_and_highest_cost_are_of_all_epochs(results):
    result = results("learning-rates")
    least, most = (
        np.array(row(result, f"eta 2.5: training cost, {word}").values)
        for word in ("lowest", "highest")
    )
    assert (least < most).all()
    first, end = (
        np.array(row(result, f"eta 0.025: training cost, {word}").values)
        for word in ("after epoch 1", "last epoch")
    )
    assert (end < first).all()


def test_the_epoch_of_the_lowest_cost_is_counted_from_0(digits, results):
    net = nn.Network([784, 30, 10], seed=4)
    settings = {"learning_rate": 0.25, "l2": 5.0 * 300 / 50_000, "evaluate_train": True}
    history = net.fit(digits.train, epochs=8, **settings)
    found = row(results("learning-rates"), "eta 0.25: epoch of the lowest training cost, from 0")
    assert found.values[1] == np.argmin(history["train_cost"])
    assert found.quote.value == "22"


def test_every_seed_searches_by_starts_of_its_own(digits, results):
    result = results("learning-rates")
    table = result.tables[0]
    assert table["starts"] == ["9 to 11", "12 to 14"]
    found = nn.find_learning_rate(nn.Network([784, 30, 10], seed=12), digits.train)
    threshold, half = (
        row(result, what).values
        for what in ("threshold of the learning rate", "suggested learning rate")
    )
    assert threshold[1] == found.threshold
    assert half == pytest.approx([t / 2 for t in threshold])


# ---- schedules ----------------------------------------------------------------------------------


def test_rates_end_at_a_thousandth(results):
    (table,) = results("schedules").tables
    rates = dict(zip(table["rate"], table["last rate"], strict=True))
    assert rates["constant"] == 0.5
    assert rates["halved on a plateau"] == pytest.approx(0.5 / 2**9)  # the tenth ends training
    assert rates["a tenth on a plateau"] == pytest.approx(0.5 / 10**2)
    assert rates["cosine"] < 0.5 / 50


def test_the_finding_has_the_mean_that_each_rate_ends_with(results):
    result = results("schedules")
    for name in ("constant", "halved on a plateau", "a tenth on a plateau", "cosine"):
        mean = row(result, f"{name}: last test accuracy").mean
        assert f"{name} {mean:.2f} %" in result.finding


def test_schedules_end_as_a_fit_with_them_does(digits, results):
    net = nn.Network([784, 30, 10], seed=3)
    schedule = nn.DropOnPlateau(divide_by=10, patience=2, n_drops=3)
    settings = {"learning_rate": 0.5, "l2": 5.0 * 300 / 50_000, "schedule": schedule}
    history = net.fit(digits.train, validation=digits.validation, **settings)
    found = row(results("schedules"), "a tenth on a plateau: last validation accuracy").values
    assert found[0] == pytest.approx(100 * history["val_accuracy"][-1])
    tested = row(results("schedules"), "a tenth on a plateau: last test accuracy").values
    assert tested[0] == pytest.approx(100 * net.accuracy(digits.test))


# ---- lambda -------------------------------------------------------------------------------------


def test_lambda_is_found_at_half_of_the_rates_threshold(digits, results):
    result = results("lambdas")
    rates, penalties, steps = result.tables
    net = nn.Network([784, 30, 10], seed=3)
    found = nn.find_learning_rate(net, digits.train)
    assert rates.rows == found.table().rows
    again = nn.find_l2(net, digits, learning_rate=found.suggestion, start=300 / 50_000, epochs=4)
    assert penalties.rows == again.table().rows
    assert steps["what it came to"] == [found.verdict, again.verdict]
    assert {0.0, 300 / 50_000} <= {*penalties["l2"]}


def test_the_check_of_lambda_is_by_the_test_set_and_other_starts(digits, results):
    result = results("lambdas")
    rate = float(result.settings["found"].split()[2])
    net = nn.Network([784, 30, 10], seed=1_004)
    net.fit(digits.train, epochs=8, learning_rate=rate)
    tested = row(result, "rate found, no penalty: last test accuracy").values
    assert tested[1] == pytest.approx(100 * net.accuracy(digits.test))
