"""Experiments on L2: what they say is so."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from divergence import CASES, check_diverged, diverge
from overfitted import (
    BOOKS,
    DATA,
    SEEDS,
    asked,
    axes_of,
    check_pictures,
    check_rows,
    claim,
    compare,
    row,
    run_all,
    squares,
    values,
)

from nnlearn import experiments
from nnlearn.experiments import ten_points

NAMES = ("l2-cost", "weight-decay", "l2-table", "ten-points")
PRINTED = {
    "l2-table": "4.86 4.03 3.00 2.56 97.92 98.04",
    "ten-points": "0.220539187 2",
}


@pytest.fixture(scope="module")
def results():
    return run_all(NAMES)


# ---- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_the_slides_and_are_drawn(results, name):
    check_pictures(name, results[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_quoted_number_stands_beside_numbers_of_every_seed(results, name):
    check_rows(name, results[name], PRINTED.get(name, ""))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["l2-cost", "l2-table"])
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, name, case):
    check_diverged(monkeypatch, name, DATA, case)


def test_in_full_the_costs_are_of_the_books_settings():
    variants, data, common = asked("l2-cost")
    assert variants == {
        f"{lam:g}": {"l2": pytest.approx(lam / 10)} for lam in (0.0, 0.1, 1.0, 10.0)
    }
    assert (len(data.train), common["epochs"], common["hidden"]) == (5_000, 30, 30)
    assert {key: common[key] for key in BOOKS} == BOOKS


def test_in_full_the_table_of_errors_has_the_slides_and_the_books_settings():
    variants, _, common = asked("l2-table")
    assert (common["init"], common["batch_size"]) == ("large", 10)
    settings = [
        tuple(own[key] for key in ("hidden", "l2", "learning_rate", "epochs"))
        for own in variants.values()
    ]
    assert settings == [
        (30, 0.0, 0.5, 30),
        (30, 0.5, 0.5, 30),
        (100, 0.0, 0.5, 30),
        (100, 0.5, 0.5, 30),
        (100, 0.5, 0.1, 60),
    ]


# ---- L2 ------------------------------------------------------------------------------------------


def test_loss_and_penalty_are_those_of_the_networks(results):
    result = results["l2-cost"]
    lambdas = {"0": 0.0, "0.1": 0.001, "1": 0.01, "10": 0.1}  # equal lambda / n
    runs = compare({name: {"l2": l2} for name, l2 in lambdas.items()}, epochs=6)
    for name, l2 in lambdas.items():
        for k, run in enumerate(runs[name]):
            sum_of_squares = squares(run.network)
            found = [
                values(result, f"lambda {name}: {what}")[k]
                for what in ("loss", "penalty", "sum of squared weights")
            ]
            penalty = l2 / (2 * 500) * sum_of_squares
            expected = [run.network.loss(DATA.train), penalty, sum_of_squares]
            assert found == pytest.approx(expected, rel=1e-5)
    smaller = claim(result, "lambda 10 ends with smaller weights than lambda 0.1")
    assert min(smaller) > 0


def test_the_penalty_is_drawn_on_top_of_the_loss(results):
    result = results["l2-cost"]
    axes = axes_of(result)
    assert len(axes) == 4
    for ax, lam in zip(axes, ("0", "0.1", "1", "10"), strict=True):
        assert re.search(rf"= {re.escape(lam)}$", ax.get_title())
        loss, penalty = (
            np.mean(values(result, f"lambda {lam}: {what}")) for what in ("loss", "penalty")
        )
        areas = [area.get_paths()[0].get_extents() for area in ax.collections]
        assert areas[0].ymin == 0
        ends = [area.get_paths()[0].vertices for area in ax.collections]
        heights = [v[v[:, 0] == v[:, 0].max(), 1] for v in ends]
        assert heights[0].max() == pytest.approx(loss)
        assert (heights[1].min(), heights[1].max()) == pytest.approx((loss, loss + penalty))
        assert ax.get_lines()[0].get_ydata()[-1] == pytest.approx(loss + penalty)


def test_where_the_data_say_nothing_weights_shrink_by_the_formula_and_biases_stay(results):
    result = results["weight-decay"]
    [table] = result.tables
    factor = 1 - 0.5 * 5 / 500
    assert table["share of the start left"] == pytest.approx(
        [factor ** (50 * epoch) for epoch in range(11)]
    )
    assert "23,820 weights" in table.title
    assert max(table["largest relative deviation of a weight"]) < 1e-13
    apart = table["largest relative deviation of a weight"][-1]
    assert result.verdict == (
        f"After 10 epochs each of the 23,820 weights is the formula's {factor**500:.4f} of its "
        f"start within a relative {apart:.2g}; the largest change of any of the 40 biases is 0."
    )
    paths, biases = axes_of(result)
    dots = [line.get_ydata() for line in paths.get_lines() if line.get_marker() == "o"]
    assert len(dots) == 5
    for values_of_one in dots:
        assert values_of_one[10] == pytest.approx(values_of_one[0] * factor**500)
    constant = [line.get_ydata() for line in biases.get_lines() if line.get_marker() == "o"]
    assert all(len(set(values_of_one)) == 1 for values_of_one in constant)


def test_the_table_of_errors_is_of_last_epochs(results):
    result = results["l2-table"]
    runs = compare({"it": {"l2": 0.05}}, hidden=100, epochs=6)["it"]
    for k, run in enumerate(runs):
        name = "100 hidden, lambda 5"
        error = 100 * (1 - run.network.accuracy(DATA.test))
        assert values(result, f"{name}: test error")[k] == pytest.approx(error)
        best = 100 * max(run.history["val_accuracy"])
        assert values(result, f"{name}: best validation accuracy")[k] == pytest.approx(best)
        errors = 100 * (1 - np.asarray(run.history["test_accuracy"]))
        change = values(result, f"{name}: change of the test error from epoch to epoch")[k]
        assert change == pytest.approx(np.mean(np.abs(errors[1:] - errors[:-1])))
        free = values(result, "100 hidden, lambda 0: test error")[k]
        saved = claim(result, "with 100 hidden units L2 ends with fewer test errors")[k]
        assert saved == pytest.approx(free - error)


def test_the_books_accuracies_are_quoted_as_of_best_epochs(results):
    quotes = [r.quote for r in results["l2-table"].rows if r.quote and "book" in r.quote.source]
    assert [(q.value, q.kind) for q in quotes] == [("97.92", "best"), ("98.04", "best")]
    said = "the book does not say of how many runs it is the best"
    assert {q.if_it_differs for q in quotes} == {said}


# ---- ten points ----------------------------------------------------------------------------------


def test_degree_nine_goes_through_all_points_and_both_are_told_at_ten_thousand(results):
    result = results["ten-points"]
    x, y = np.array(ten_points.POINTS, float).T
    nine, one = np.polyfit(x, y, 9), np.polyfit(x, y, 1)
    assert values(result, "coefficient of x^9")[0] == pytest.approx(nine[0], rel=1e-8)
    assert values(result, "slope of the line")[0] == pytest.approx(one[0])
    text = f"at x = 10,000 says {np.polyval(nine, 1e4):.2g}; the line, y = {one[0]:.3f} x + "
    assert text in result.verdict
    assert f"by up to 0.43, and there says {np.polyval(one, 1e4):,.0f}." in result.verdict
    [table] = result.tables
    assert table["largest miss of a point"] == pytest.approx(
        [np.abs(np.polyval(one, x) - y).max(), 0, 0.4]
    )
    far = [np.polyval(one, 1e4), np.polyval(nine, 1e4), 2e4]
    assert table["value at x = 10,000"] == pytest.approx(far, rel=1e-8)
    near, wide = axes_of(result)
    assert wide.get_xscale() == wide.get_yscale() == "log"
    ends = [line.get_ydata()[-1] for line in wide.get_lines()[:2]]
    assert ends == pytest.approx(far[:2], rel=1e-8)
    line, high, dots = near.get_lines()
    places = np.linspace(0, 5, 1001)
    assert line.get_ydata() == pytest.approx(np.polyval(one, places), abs=1e-9)
    assert high.get_ydata() == pytest.approx(np.polyval(nine, places), rel=1e-6, abs=1e-4)
    assert np.array(dots.get_xydata()) == pytest.approx(np.c_[x, y])


def test_the_quoted_coefficient_is_the_exact_one_cut_off(results):
    found = row(results["ten-points"], "coefficient of x^9")
    points = [(Fraction(x), Fraction(y)) for x, y in ten_points.POINTS]
    # Lagrange: the leading coefficient is the sum of y_i / prod (x_i - x_j).
    leading = sum(
        y / math.prod(x - other for j, (other, _) in enumerate(points) if j != i)
        for i, (x, y) in enumerate(points)
    )
    assert found.values == (float(leading),)
    assert math.floor(leading * 10**9) == int(found.quote.value.replace(".", ""))


def test_a_quoted_number_that_is_cut_off_agrees_up_to_a_unit_of_its_last_digit(results):
    found = row(results["ten-points"], "coefficient of x^9")
    assert found.quote.cut
    assert found.values[0] - float(found.quote.value) > 0.5e-9
    assert found.judge().word == "agrees"


def test_a_cost_is_drawn_of_the_runs_that_came_so_far(monkeypatch):
    whole = compare({"it": {"l2": 0.01}}, epochs=6, evaluate_train=True)["it"]
    diverge(monkeypatch, {SEEDS[1]}, 2)
    ax = axes_of(experiments.find("l2-cost").run(DATA, SEEDS, quick=True))[2]
    costs = np.array([run.history["train_cost"] for run in whole])
    cost = [*costs[:, :2].mean(axis=0), *costs[0, 2:]]
    assert ax.get_lines()[0].get_ydata() == pytest.approx(cost)


def test_newtons_polynomial_is_the_one_through_the_points():
    points = [(Fraction(x), Fraction(x**3 - 2 * x + 7)) for x in (-2, 0, 1, 5)]
    assert ten_points.through(points) == [1, 0, -2, 7]
    assert ten_points.line([(Fraction(x), Fraction(3 * x - 1)) for x in (0, 2, 7)]) == [3, -1]
    assert ten_points.value([Fraction(1), Fraction(0), Fraction(-2)], Fraction(3)) == 7
