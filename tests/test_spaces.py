"""What settings may be in a search: ranges, choices, conditions, and the space of them all."""

import collections
import math

import numpy as np
import pytest

from nnlearn import SGD, integers, loguniform, uniform, when
from nnlearn.searching.domains import Choices, as_domain, label
from nnlearn.searching.space import Space

DOMAINS = [
    uniform(0, 0.5),
    uniform(-1.5, 2, n=7),
    loguniform(0.01, 10),
    integers(1, 9),
    integers(10, 200, log=True, n=3),
    when("cost", "quadratic", uniform(0, 1)),
    when("cost", ["quadratic", "hinge"], uniform(0, 1), [0.0, 0.5]),
    when("hidden", (30,), integers(1, 2), when("cost", None, [1], [2, 3])),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=repr)
def test_a_repr_makes_an_equal_one(domain):
    assert eval(repr(domain)) == domain


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: uniform(1, 1), ValueError, r"high must be above low \(1.0\), got 1.0"),
        (lambda: uniform(2, 1), ValueError, r"high must be above low \(2.0\), got 1.0"),
        (lambda: uniform(0, math.inf), ValueError, "high must be a finite number, got inf"),
        (lambda: uniform("a", 1), TypeError, "low must be a finite number, got 'a'"),
        (lambda: loguniform(0, 1), ValueError, "low must be a finite number > 0, got 0"),
        (lambda: integers(0.5, 3), TypeError, "low must be an integer"),
        (lambda: integers(0, 3, log=True), ValueError, "low must be an integer >= 1, got 0"),
        (lambda: integers(3, 3), ValueError, "high must be above low"),
        (lambda: uniform(0, 1, n=1), ValueError, "n must be an integer >= 2, got 1"),
        (lambda: when(3, 1, [1]), TypeError, "name of when must be the name of a setting, got 3"),
        (lambda: when("a", [], [1]), ValueError, "value of when must be a value, or a list"),
        (lambda: when("a", 1, 5), TypeError, r"when\('a', ...\) must be a range"),
        (lambda: when("a", 1, [1], 5), TypeError, r"when\('a', ...\) must be a range"),
        (lambda: as_domain("l2", 0.5), TypeError, "l2 must be a range.*got 0.5: what does not"),
        (lambda: as_domain("l2", "ab"), TypeError, "l2 must be a range .* got 'ab'"),
        (lambda: as_domain("l2", []), ValueError, r"l2: choices must hold at least one value"),
        (lambda: as_domain("l2", [1, 2, 1]), ValueError, "l2: choices must differ from each other"),
    ],
)
def test_what_ranges_and_conditions_refuse(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_the_grid_of_a_range_goes_from_end_to_end():
    assert uniform(0, 1).grid() == [0, 0.25, 0.5, 0.75, 1]
    assert loguniform(0.01, 100, n=3).grid() == pytest.approx([0.01, 1, 100])
    assert loguniform(0.07, 0.3).grid()[:: len(loguniform(0.07, 0.3).grid()) - 1] == [0.07, 0.3]
    assert integers(1, 3).grid() == [1, 2, 3]
    assert integers(1, 9, n=3).grid() == [1, 5, 9]
    assert integers(1, 100, log=True, n=3).grid() == [1, 10, 100]
    assert all(type(value) is int for value in integers(1, 100, log=True).grid())


def test_choices_are_lists_tuples_ranges_and_arrays():
    assert as_domain("l2", (1, 2)) == as_domain("l2", range(1, 3)) == Choices((1, 2))
    assert as_domain("l2", np.array([0.5, 1.0])) == Choices((0.5, 1.0))


def some_function():
    pass


def test_labels_are_the_same_in_every_process():
    assert [label(v) for v in (None, True, 3, 0.5, "a")] == [None, True, 3, 0.5, "a"]
    assert label(np.float64(0.5)) == 0.5
    assert label((30, 10)) == "(30, 10)"
    assert label(SGD(0.5)) == repr(SGD(0.5))
    assert label(some_function) == f"the function {__name__}.some_function"
    assert label(object()) == "an object of builtins.object"


def test_a_choice_is_found_by_its_label_and_by_an_equal_value():
    choices = Choices(((30,), SGD(0.5), None))
    assert [choices.decode(given) for given in ("(30,)", (30,), SGD(0.5), None)] == [
        (30,),
        (30,),
        SGD(0.5),
        None,
    ]
    with pytest.raises(ValueError, match=r"value must be one of \[.*\], got \(10,\)"):
        choices.decode((10,))


def test_choices_that_read_the_same_are_told_apart():
    one, two = (lambda k: 0.5), (lambda k: 0.9)
    long, longer = np.zeros(2000), np.zeros(2000)
    longer[1000] = 1.0
    choices = as_domain("schedule", [one, two, long, longer])
    assert len(set(choices.labels)) == 4
    assert choices.labels[1] == f"{choices.labels[0]} (2)"
    for value, text in zip(choices.values, choices.labels, strict=True):
        assert choices.decode(text) is choices.decode(value) is value
        assert choices.encode(value) == text
    assert choices.decode(longer.copy()) is longer
    for twice in ([one, one], [long, long.copy()]):
        with pytest.raises(ValueError, match="choices must differ from each other"):
            as_domain("schedule", twice)


def test_conditions_tell_choices_apart_that_read_the_same():
    one, two = (lambda k: 0.5), (lambda k: 0.9)
    space = Space.read({"schedule": [one, two], "rate": when("schedule", two, [1], [2])})
    assert [(p["schedule"], p["rate"]) for p in space.points()] == [(one, 2), (two, 1)]
    assert len({space.describe(corner) for corner in space.corners()}) == 2
    with pytest.raises(ValueError, match="when of 'rate' must name a choice of 'schedule'"):
        Space.read({"schedule": [one, two], "rate": when("schedule", lambda k: 1.0, [1])})


def test_what_others_give_must_lie_in_the_range():
    for domain, value in ((uniform(-2, -1), -2), (loguniform(0.1, 10), 10 * (1 + 1e-15))):
        assert domain.take(value) == pytest.approx(value)
        assert domain.low <= domain.take(value) <= domain.high
    for domain, value in ((loguniform(0.1, 2), 500), (integers(1, 9), 0), (uniform(0, 1), -0.1)):
        with pytest.raises(ValueError, match=f"value must be from .*, got {value}"):
            domain.take(value)


def test_whole_numbers_may_come_as_floats():
    assert integers(1, 9).decode(np.float64(3.0)) == 3
    assert type(integers(1, 9).decode(3.0)) is int
    with pytest.raises(TypeError, match="value must be an integer"):
        integers(1, 9).decode(3.5)


CONDITIONAL = {
    "momentum": when("cost", "quadratic", uniform(0, 0.8, n=2)),
    "rate": when("cost", "quadratic", [1, 2], [3]),
    "cost": ["quadratic", "hinge"],
    "deep": when("rate", [2, 3], [True, False]),
}


def test_the_points_of_a_grid_follow_the_conditions():
    points = Space.read(CONDITIONAL).points()
    quadratic = [(m, r, d) for m in (0, 0.8) for r, d in [(1, None), (2, True), (2, False)]]
    found = [(p["cost"], p.get("momentum"), p["rate"], p.get("deep")) for p in points]
    expected = [("quadratic", *rest) for rest in quadratic]
    expected += [("hinge", None, 3, True), ("hinge", None, 3, False)]
    assert collections.Counter(found) == collections.Counter(expected)


def test_two_ranges_of_one_setting_are_two_parameters():
    space = Space.read(CONDITIONAL)
    assert set(space.leaves()) == {
        *("cost", "momentum", "deep"),
        *("rate[cost=quadratic]", "rate[else]"),
    }
    for point in space.points():
        assert space.settings_of(space.params_of(point)) == point
    assert space.params_of({"cost": "hinge", "rate": 3, "deep": True}) == {
        "cost": "hinge",
        "rate[else]": 3,
        "deep": True,
    }


def test_parameters_that_are_not_all_there_give_no_settings():
    assert Space.read(CONDITIONAL).settings_of({"cost": "hinge"}) == {}


def test_the_corners_have_every_end_and_every_choice():
    space = Space.read(CONDITIONAL | {"size": integers(3, 17)})
    corners = space.corners()
    seen = {name: {c.get(name) for c in corners} for name in space.domains}
    assert seen == {
        "cost": {"quadratic", "hinge"},
        "momentum": {0.0, 0.8, None},
        "rate": {1, 2, 3},
        "deep": {True, False, None},
        "size": {3, 17},
    }
    assert all(("momentum" in c) == (c["cost"] == "quadratic") for c in corners)


@pytest.mark.parametrize(
    ("space", "kind", "message"),
    [
        ({}, ValueError, "space must hold at least one setting, got {}"),
        ([("l2", [1])], TypeError, "space must be a mapping of settings"),
        ({3: [1]}, TypeError, "space must have names of settings as keys, got 3"),
        ({"a": when("b", 1, [1])}, ValueError, "when of 'a' must name another setting.*got 'b'"),
        (
            {"a": when("b", 1, [1]), "b": uniform(0, 1)},
            ValueError,
            "when of 'a' must name a setting with a list of choices, got 'b': 'b' is a range",
        ),
        (
            {"a": when("b", 5, [1]), "b": [1, 2]},
            ValueError,
            r"when of 'a' must name a choice of 'b' \(\[1, 2\]\), got 5",
        ),
        (
            {"a": when("b", 1, [1]), "b": when("a", 1, [1]), "c": [1]},
            ValueError,
            r"conditions of space must not go in a circle, got \['a', 'b'\]",
        ),
        ({"a": when("a", 1, [1])}, ValueError, "must not go in a circle"),
    ],
)
def test_what_a_space_refuses(space, kind, message):
    with pytest.raises(kind, match=message):
        Space.read(space)


def test_a_grid_has_an_end():
    space = {f"x{i}": uniform(0, 1, n=60) for i in range(4)}
    with pytest.raises(ValueError, match="must make a grid of at most 100,000 points"):
        Space.read(space).points()
