"""Schedules and early stopping on their own: factors, limits, what is refused."""

import math
from typing import Any

import pytest

import nnlearn as nn
from nnlearn import schedules

NET = {"seed": 1}


def factors(schedule: Any, n: int) -> list[float]:
    return [schedule(epoch) for epoch in range(1, n + 1)]


def test_exponential_multiplies_by_its_decay_each_epoch() -> None:
    assert factors(nn.Exponential(0.5), 4) == [1.0, 0.5, 0.25, 0.125]
    assert factors(nn.Exponential(1.0), 2) == [1.0, 1.0]


def test_step_changes_after_every_so_many_epochs() -> None:
    assert factors(nn.Step(3, 0.1), 7) == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01], rel=1e-15)


def test_cosine_begins_at_one_and_ends_one_step_above_zero() -> None:
    expected = [1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]
    assert factors(nn.Cosine(4), 4) == pytest.approx(expected, rel=1e-15)


def test_one_cycle_rises_in_a_line_and_falls_as_cosine_does() -> None:
    found = factors(nn.OneCycle(10), 10)
    assert found[:4] == pytest.approx([0.04, 0.36, 0.68, 1.0], rel=1e-14)
    assert found[3:] == pytest.approx(factors(nn.Cosine(7), 7), rel=1e-14)
    assert factors(nn.OneCycle(4, rise=0.0), 4) == factors(nn.Cosine(4), 4)
    half = factors(nn.OneCycle(4, rise=0.375, start=0.5), 4)  # the top lies between two epochs
    assert half[:2] == pytest.approx([0.5, 0.5 + 0.5 / 1.5], rel=1e-15)
    assert half[2] == pytest.approx((1 + math.cos(math.pi * 0.5 / 2.5)) / 2, rel=1e-15)


@pytest.mark.parametrize("schedule", [nn.Cosine(3), nn.OneCycle(3)])
def test_beyond_its_epochs_a_schedule_raises(schedule: Any) -> None:
    assert schedule(3) > 0
    with pytest.raises(ValueError, match="epoch must be an integer from 1 to 3, got 4"):
        schedule(4)
    with pytest.raises(ValueError, match=r"epochs must be at most 3, the epochs of .*, got 4"):
        nn.Network([2, 1]).fit(nn.datasets.xor(), learning_rate=1.0, schedule=schedule, epochs=4)


OBJECTS = [
    nn.Exponential(0.95),
    nn.Step(10, 0.5),
    nn.Cosine(30),
    nn.OneCycle(30, rise=0.2, start=0.1),
    nn.DropOnPlateau(divide_by=10, patience=3, n_drops=3, monitor="loss", min_delta=0.01),
    nn.EarlyStopping(monitor="val_loss", patience={30: 20, 1: 10}, min_delta=0.1),
    nn.Checkpoint("file", every=3, monitor="loss"),
]


@pytest.mark.parametrize("thing", OBJECTS)
def test_its_repr_rebuilds_it(thing: Any) -> None:
    again = eval(repr(thing), vars(nn).copy())
    assert again == thing
    assert hash(again) == hash(thing)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Exponential(0.0), "decay must be a finite number > 0, got 0.0"),
        (lambda: nn.OneCycle(5, start=1.5), r"start must be in \(0, 1\], got 1.5"),
        (lambda: nn.Exponential(math.nan), "decay must be a finite number > 0, got nan"),
        (lambda: nn.Step(0, 0.5), "every must be an integer >= 1, got 0"),
        (lambda: nn.Step(2, -0.5), "factor must be a finite number > 0, got -0.5"),
        (lambda: nn.Cosine(0), "epochs must be an integer >= 1, got 0"),
        (lambda: nn.OneCycle(5, rise=1.0), "rise must be a finite number >= 0 and < 1, got 1.0"),
        (lambda: nn.OneCycle(5, start=0.0), "start must be a finite number > 0, got 0.0"),
        (lambda: nn.DropOnPlateau(1), "divide_by must be a finite number > 1, got 1"),
        (lambda: nn.DropOnPlateau(patience=0), "patience must be an integer >= 1, got 0"),
        (lambda: nn.DropOnPlateau(n_drops=0), "n_drops must be an integer >= 1, got 0"),
        (lambda: nn.DropOnPlateau(min_delta=-1), "min_delta must be a finite number >= 0, got -1"),
        (lambda: nn.EarlyStopping(patience=0), "patience must be an integer >= 1, got 0"),
        (lambda: nn.EarlyStopping(patience={}), "patience must have at least one limit, got {}"),
        (lambda: nn.EarlyStopping(patience={0: 1}), "an epoch of patience must be an integer >= 1"),
        (
            lambda: nn.EarlyStopping(patience={5: 0}),
            "patience from epoch 5 must be an integer >= 1",
        ),
        (lambda: nn.Checkpoint("a", every=0), "every must be an integer >= 1, got 0"),
        (lambda: nn.Checkpoint(""), "path must be the name of a file, got ''"),
    ],
)
def test_a_value_outside_its_range_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.DropOnPlateau(monitor=3),
            "monitor must be the name of a column or None, got 3",
        ),
        (lambda: nn.EarlyStopping(patience=2.5), "patience must be an integer >= 1, got 2.5"),
        (lambda: nn.EarlyStopping(restore_best=1), "restore_best must be True or False, got 1"),
        (lambda: nn.Checkpoint(3), "path must be a str or os.PathLike, got 3"),
    ],
)
def test_a_value_of_another_kind_is_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_early_stopping_false_is_none() -> None:
    history = nn.Network([2, 1]).fit(
        nn.datasets.xor(), learning_rate=1.0, epochs=2, early_stopping=False
    )
    assert len(history) == 2


def test_patience_that_reaches_the_first_evaluation_is_enough() -> None:
    xor = nn.datasets.xor()
    for settings in (
        {"evaluate_every": 3, "early_stopping": 3},
        {"evaluate_every": 5, "early_stopping": nn.EarlyStopping(patience={5: 1})},
        {"evaluate_every": 5, "early_stopping": nn.EarlyStopping(monitor="loss", patience=1)},
    ):
        nn.Network([2, 1]).fit(xor, validation=xor, learning_rate=0.1, epochs=5, **settings)


def test_the_limit_is_that_of_the_largest_key_reached() -> None:
    stopping = nn.EarlyStopping(patience={100: 50, 5: 10, 30: 20})
    found = [stopping.limit(epoch) for epoch in (1, 4, 5, 29, 30, 99, 100, 1000)]
    assert found == [None, None, 10, 10, 20, 20, 50, 50]
    assert nn.EarlyStopping(patience=7).limit(1) == 7


@pytest.mark.parametrize(
    ("schedule", "ends_early", "epochs"),
    [
        (None, False, 30),
        (None, True, 1000),
        (nn.DropOnPlateau(), False, 1000),
        ("drop_on_plateau", False, 1000),
        (nn.Exponential(0.9), False, 30),
        (nn.Cosine(12), True, 12),
        (nn.OneCycle(17), False, 17),
        ("cosine", False, 30),
    ],
)
def test_how_many_epochs_are_meant_when_none_are_given(
    schedule: Any, ends_early: bool, epochs: int
) -> None:
    assert schedules.resolve(schedule, None, ends_early)[1] == epochs
    assert schedules.resolve(schedule, 3, ends_early)[1] == 3


def test_words_stand_for_schedules() -> None:
    assert schedules.resolve("cosine", 8, False)[0] == nn.Cosine(8)
    assert schedules.resolve("one_cycle", None, False)[0] == nn.OneCycle(30)
    assert schedules.resolve("drop_on_plateau", 8, False)[0] == nn.DropOnPlateau()


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"schedule": "cos"}, ValueError, "schedule must be one of 'cosine', .*, got 'cos'"),
        ({"schedule": 0.9}, TypeError, "schedule must be a schedule or a function of the epoch"),
        ({"schedule": nn.Step}, TypeError, "schedule must be an object, got .*: call it"),
        ({"early_stopping": True}, TypeError, "early_stopping must be .* got True"),
        ({"early_stopping": 0}, ValueError, "early_stopping must be an integer >= 1, got 0"),
        ({"early_stopping": "5"}, TypeError, "early_stopping must be .* got '5'"),
        ({"early_stopping": 5}, ValueError, "EarlyStopping must monitor .*: give fit validation="),
        (
            {"schedule": nn.DropOnPlateau(monitor="train_cost")},
            ValueError,
            "DropOnPlateau must monitor .* got 'train_cost': give fit evaluate_train=True",
        ),
        (
            {"early_stopping": 5, "validation": {"dev": nn.datasets.xor()}},
            ValueError,
            "EarlyStopping must monitor .*dev_accuracy.* got 'val_accuracy': name one by monitor=",
        ),
        (
            {"callbacks": nn.Checkpoint("a", monitor="val_loss")},
            ValueError,
            "Checkpoint must monitor a column that is recorded .* got 'val_loss'",
        ),
        (
            {
                "early_stopping": nn.EarlyStopping(monitor="val_acc"),
                "validation": nn.datasets.xor(),
            },
            ValueError,
            r"got 'val_acc': did you mean 'val_accuracy'\?",
        ),
        (
            {"early_stopping": 3, "evaluate_every": 5, "validation": nn.datasets.xor()},
            ValueError,
            "patience must reach the first evaluation, after epoch 5, got 3",
        ),
        ({"early_stopping": {1: 5}}, TypeError, "EarlyStopping.patience=.... lets it grow"),
        ({"callbacks": [nn.EarlyStopping()]}, TypeError, "got EarlyStop.*: give it as early_stop"),
        ({"callbacks": [nn.DropOnPlateau()]}, TypeError, "got DropOn.*: give it as schedule="),
    ],
)
def test_fit_refuses_and_the_network_stays(
    settings: dict[str, Any], kind: type[Exception], message: str
) -> None:
    net = nn.Network([2, 1], **NET)
    before = net.weights[0].copy()
    with pytest.raises(kind, match=message):
        net.fit(nn.datasets.xor(), learning_rate=1.0, **settings)
    assert (net.weights[0] == before).all()
    assert len(net.history) == 0


@pytest.mark.parametrize("factor", [math.nan, 0.0, -1.0, math.inf])
def test_a_function_that_gives_no_factor_ends_the_fit_before_that_epoch(factor: float) -> None:
    net = nn.Network([2, 1], **NET)
    message = f"schedule's factor for epoch 3 must be a finite number > 0, got {factor}"
    with pytest.raises(ValueError, match=message):
        net.fit(
            nn.datasets.xor(),
            learning_rate=1.0,
            schedule=lambda epoch: factor if epoch == 3 else 1.0,
        )
    assert len(net.history) == 2
    assert net.history.stop_reason == "ended by ValueError"


def test_a_rate_that_underflows_is_no_rate() -> None:
    net = nn.Network([2, 1], **NET)
    with pytest.raises(ValueError, match="learning_rate times schedule's factor for epoch 2"):
        net.fit(nn.datasets.xor(), learning_rate=1e-200, schedule=nn.Exponential(1e-200), epochs=3)
    assert len(net.history) == 1


def test_compare_refuses_what_fit_would_refuse_later() -> None:
    data = nn.Dataset(nn.datasets.xor())
    for settings, message in (
        ({"schedule": nn.Cosine(5), "epochs": 6}, "variant 'a': epochs must be at most 5"),
        ({"early_stopping": 3}, "variant 'a': EarlyStopping must monitor"),
        ({"callbacks": nn.Checkpoint("x")}, "variant 'a': callbacks must hold no Checkpoint"),
        ({"resume": "x"}, "every run begins anew"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            nn.compare({"a": settings}, data, layers=[2, 1], learning_rate=1.0, verbose=0)
