"""Surfaces over two weights, and paths down them: by hand, and against the core's own training."""

import math
import re
from fractions import Fraction

import numpy as np
import numpydoc.validate
import pytest
from test_source import DOCSTRING_RULES

from nnlearn import SGD, Dense, Network
from nnlearn.descent import FARTHEST, Bowl, Descent, Valley, descend

WAYS = {
    "gradient descent": SGD(0.125),
    "momentum": SGD(0.13, momentum=0.9),
    "nesterov": SGD(0.13, momentum=0.9, nesterov=True),
}

# An error of central differences is about step^2 times a third derivative.
STEP, DIFFERENCE = 1e-5, 1e-8


def places(surface, n=40):
    left, right, bottom, top = surface.view
    rng = np.random.default_rng(0)
    return rng.uniform(left, right, n), rng.uniform(bottom, top, n)


# ---- surfaces -----------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", [Bowl(), Bowl(condition=1), Bowl(condition=300.0), Valley()])
def test_gradients_are_the_costs_by_central_differences(surface):
    x, y = places(surface)
    dx, dy = surface.gradient(x, y)
    by_x = (surface.cost(x + STEP, y) - surface.cost(x - STEP, y)) / (2 * STEP)
    by_y = (surface.cost(x, y + STEP) - surface.cost(x, y - STEP)) / (2 * STEP)
    np.testing.assert_allclose(dx, by_x, rtol=0, atol=DIFFERENCE)
    np.testing.assert_allclose(dy, by_y, rtol=0, atol=DIFFERENCE)


@pytest.mark.parametrize("surface", [Bowl(), Valley()])
def test_minimum_and_start_lie_in_the_view(surface):
    left, right, bottom, top = surface.view
    for x, y in (surface.minimum, surface.start):
        assert left < x < right
        assert bottom < y < top
    assert surface.cost(*surface.minimum) == 0.0
    assert np.all(surface.cost(*places(surface)) > 0)


def test_formulas_by_hand():
    assert Bowl(condition=9.0).cost(3.0, 2.0) == (9 / 9 + 4) / 2
    assert Bowl(condition=9.0).gradient(3.0, 2.0) == (3 / 9, 2.0)
    assert Valley().cost(2.0, 3.0) == (1 + 10 * 1) / 100
    assert Valley().gradient(2.0, 3.0) == ((-2 * -1 - 40 * 2 * -1) / 100, 20 * -1 / 100)


def test_curvature_of_the_valley_s_minimum_is_as_told():
    def gradient(x, y):
        return np.array(Valley().gradient(x, y))

    columns = [
        (gradient(1 + dx, 1 + dy) - gradient(1 - dx, 1 - dy)) / (2 * STEP)
        for dx, dy in ((STEP, 0), (0, STEP))
    ]
    low, high = np.linalg.eigvalsh(np.array(columns))
    assert high == pytest.approx(1.016, abs=1e-3)
    assert round(high / low) == 258


@pytest.mark.parametrize(("value", "kind"), [(0.5, ValueError), ("9", TypeError)])
def test_a_wrong_condition_is_refused(value, kind):
    with pytest.raises(kind, match=rf"^condition must be a finite number >= 1, got {value!r}$"):
        Bowl(condition=value)


@pytest.mark.parametrize("mu", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("condition", [1.0, 40.0])
def test_a_bowl_s_largest_learning_rate_divides_rest_from_divergence(mu, nesterov, condition):
    bowl = Bowl(condition)
    limit = bowl.largest_learning_rate(mu, nesterov=nesterov)
    ends = {}
    for share in (0.97, 1.03):
        sgd = SGD(share * limit, momentum=mu, nesterov=nesterov)
        path = descend(bowl, (0.0, 1.0), sgd, 2000)
        ends[share] = (path.diverged, path.costs[-1])
    assert not ends[0.97][0]
    assert ends[0.97][1] < 1e-12
    assert ends[1.03][0]
    assert FARTHEST < ends[1.03][1] < 10 * FARTHEST


# ---- paths --------------------------------------------------------------------------------------


def by_fractions(condition, start, sgd, steps):
    """The path down a bowl in exact numbers, which end in few bits."""
    eta, mu = Fraction(sgd.learning_rate), Fraction(sgd.momentum)
    w, v = [Fraction(value) for value in start], [Fraction(0), Fraction(0)]
    path = [tuple(w)]
    for _ in range(steps):
        g = [w[0] / condition, w[1]]
        v = [mu * v[i] - eta * g[i] for i in (0, 1)]
        for i in (0, 1):
            w[i] += mu * v[i] - eta * g[i] if sgd.nesterov else v[i]
        path.append(tuple(w))
    return [[float(value) for value in place] for place in path]


@pytest.mark.parametrize("sgd", [SGD(0.25), SGD(0.25, 0.5), SGD(0.25, 0.5, nesterov=True)])
def test_steps_by_hand(sgd):
    path = descend(Bowl(condition=4.0), (2.0, -1.0), sgd, 6)
    assert path.points.tolist() == by_fractions(4, (2, -1), sgd, 6)
    x, y = path.points.T
    assert path.costs.tolist() == ((x * x / 4 + y * y) / 2).tolist()


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("condition", [1, 4, 16])
def test_a_linear_unit_takes_the_same_path_bit_for_bit(name, condition):
    # Its cost is 2 (x^2 / condition + y^2) / 2 over its weights: inputs of mean 0, targets 0. With
    # half the rate it takes the bowl's steps; factors of 2 leave the bits alone. Without momentum
    # the core adds each sample's share of the step by itself: the bits are the same as long as no
    # sum is rounded, for eight steps here.
    flat = 2 / math.sqrt(condition)
    x = np.array([[flat, 0], [-flat, 0], [0, 2], [0, -2]])
    net = Network([2, Dense(1, "linear")], cost="quadratic", init="zeros", dtype="float64", seed=0)
    start, way = (-1.75, 0.875), WAYS[name]
    exact = 60 if way.momentum else 8
    net.weights[0][:, 0] = start
    places = [net.weights[0][:, 0].copy()]
    half = SGD(way.learning_rate / 2, momentum=way.momentum, nesterov=way.nesterov)
    net.fit(
        x,
        np.zeros(4),
        epochs=60,
        batch_size=4,
        shuffle=False,
        sparse=False,
        optimizer=half,
        callbacks=lambda net, _: places.append(net.weights[0][:, 0].copy()),
    )
    path = descend(Bowl(condition), start, way, 60)
    assert net.biases[0].tolist() == [0.0]
    assert path.points[: exact + 1].tolist() == np.array(places[: exact + 1]).tolist()
    np.testing.assert_allclose(path.points, places, rtol=1e-13)
    assert net.loss(x, np.zeros(4)) == pytest.approx(2 * path.costs[-1], rel=1e-12)


def test_a_path_beyond_all_bounds_ends_there():
    path = descend(Valley(), (-1.5, 1.6), SGD(10.0), 500)
    assert 2 < len(path.points) < 501
    assert path.diverged
    assert np.isfinite(path.points).all()
    assert np.isfinite(path.costs).all()
    assert np.all(path.costs[:-1] <= FARTHEST)


def test_a_step_that_is_no_number_is_left_out():
    path = descend(Valley(), (-1.5, 1.6), SGD(1e200), 500)
    assert np.isfinite(path.points).all()
    assert len(path.costs) == len(path.points) == 1
    assert path.diverged


def test_a_path_that_is_higher_than_its_start_for_a_while_has_not_diverged():
    sgd = SGD(3.8, momentum=0.98)  # in the bowl up to 3.96 comes to rest
    path = descend(Bowl(), Bowl.start, sgd, 20)
    assert path.costs[-1] > path.costs[0]
    assert not path.diverged
    assert descend(Bowl(), Bowl.start, sgd, 2000).costs[-1] < 1e-6


def test_no_step_is_the_start():
    path = descend(Bowl(), np.array([1.0, 0.5]), SGD(0.1), 0)
    assert path.points.tolist() == [[1.0, 0.5]]
    assert not path.diverged


@pytest.mark.parametrize(
    ("costs", "first", "settled"),
    [
        ([4, 3, 2, 1], 2, 2),
        ([4, 2, 3, 1], 1, 3),
        ([4, 1, 3, 5], 1, None),
        ([2, 1, 1, 1], 0, 0),
        ([4, 5, 6, 7], None, None),
    ],
)
def test_when_a_cost_is_reached_and_when_it_stays(costs, first, settled):
    path = Descent(np.zeros((4, 2)), np.array(costs, float))
    assert path.first_at(2) == first
    assert path.settled_at(2) == settled


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"start": "12"}, TypeError, "start must be a pair of numbers, got '12'"),
        ({"start": (1.0,)}, ValueError, "start must be a pair of numbers, got (1.0,)"),
        ({"start": (1.0, math.inf)}, ValueError, "start[1] must be a finite number, got inf"),
        ({"start": (None, 1.0)}, TypeError, "start[0] must be a finite number, got None"),
        ({"steps": -1}, ValueError, "steps must be an integer >= 0, got -1"),
        ({"steps": 2.0}, TypeError, "steps must be an integer >= 0, got 2.0"),
        ({"optimizer": 0.5}, TypeError, "optimizer must be an SGD object, got 0.5: SGD(0.5)"),
    ],
)
def test_wrong_arguments_are_refused(changes, kind, message):
    given = {"surface": Bowl(), "start": (1.0, 1.0), "optimizer": SGD(0.5), "steps": 3, **changes}
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        descend(**given)


@pytest.mark.parametrize(
    "name",
    [
        *("Bowl", "Bowl.cost", "Bowl.gradient", "Bowl.largest_learning_rate"),
        *("Valley", "Valley.cost", "Valley.gradient"),
        *("Descent", "Descent.first_at", "Descent.settled_at", "descend", "read_place"),
    ],
)
def test_docstrings_say_what_a_caller_needs(name):
    found = numpydoc.validate.validate(f"nnlearn.descent.{name}")
    wrong = {code: text for code, text in found["errors"] if code in DOCSTRING_RULES}
    if "Attributes\n" in found["docstring"]:
        wrong.pop("PR01", None)
    assert wrong == {}
