"""Comparison: the errors of its runs, its table, its picture.

Most tests put a stand-in in place of Network, whose training is scripted.
"""

import math

import numpy as np
import pytest
import scripted
from scripted import TWO, split

import nnlearn.comparing
from nnlearn.comparing import compare
from nnlearn.comparison import Comparison, Run
from nnlearn.data import Dataset, Split
from nnlearn.history import History

NAN = math.nan


@pytest.fixture
def stand_in(monkeypatch):
    return scripted.in_place(monkeypatch)


@pytest.fixture
def data():
    return scripted.data()


def test_the_errors_of_a_run(stand_in):
    curve = {1: (0.6, 0.5), 2: (0.8, 0.7), 3: (0.7, 0.9)}
    stand_in.script = lambda net, epoch: curve[epoch]
    stand_in.n_wrong = 1
    data = Dataset(split(), split(), split(10))
    ((run,),) = compare({"a": {}}, data, hidden=5, seeds=1, epochs=3).values()
    assert run.test_error == pytest.approx(0.1)
    assert run.best_test_error == pytest.approx(0.3), "by validation, not by the test set"
    assert run.stuck is False
    assert run.error is None
    assert run.seconds == 0.75
    assert repr(run) == "<Run of 'a', seed 0: 3 epochs, test error 10.00%>"


def test_a_run_is_stuck_when_a_class_is_never_predicted(stand_in, data):
    c = compare({"a": {"cost": "stuck"}, "b": {}}, data, hidden=5, seeds=2, epochs=1)
    assert [run.stuck for run in c["a"] + c["b"]] == [True, True, False, False]
    assert c.table()["stuck"] == [2, 0]


def test_a_class_that_the_test_set_lacks_makes_no_run_stuck(stand_in):
    test = Split(np.zeros((4, 4)), [0, 0, 1, 2])
    data = Dataset(Split(np.zeros((4, 4)), [0, 1, 2, 3]), split(), test)
    ((run,),) = compare({"a": {}}, data, hidden=5, seeds=1, epochs=1).values()
    assert run.stuck is False


def test_the_table(stand_in, data):
    accuracy = {0: 0.9, 1: 0.7, 2: 0.8}
    best = {0: 0.95, 1: 0.75, 2: 0.85}
    stand_in.script = lambda net, epoch: (
        (0.9, best[net.seed]) if epoch == 1 else (0.8, accuracy[net.seed])
    )
    table = compare({"a": {}}, data, hidden=5, seeds=3, epochs=2).table()
    assert table.columns == (
        *("variant", "last %", "last sd", "last median", "best %", "best sd", "best median"),
        *("runs", "stuck", "diverged", "seconds"),
    )
    (row,) = table.rows
    assert row[0] == "a"
    assert row[1:7] == pytest.approx((20, 10, 20, 15, 10, 15))
    assert row[7:] == (3, 0, 0, 0.5)


def test_one_seed_has_no_spread(stand_in, data):
    table = compare({"a": {}}, data, hidden=5, seeds=1, epochs=1).table()
    assert math.isnan(table["last sd"][0])
    assert table["last %"] == table["last median"] == [50.0]


def test_the_last_epoch_is_that_of_the_history_where_it_was_evaluated():
    history = History(["epoch", "accuracy", "seconds", "val_accuracy", "test_accuracy"])
    for epoch, accuracy in enumerate([0.9, 0.8], 1):
        history._append(dict(zip(history, [epoch, 0.5, 1, accuracy, accuracy], strict=True)))
    best_restored = Run(None, history, 0, 0.1)
    assert Comparison({"a": [best_restored]}).table()["last %"] == pytest.approx([20])
    history._append(dict(zip(history, [3, 0.5, 1, NAN, NAN], strict=True)))
    assert Comparison({"a": [best_restored]}).table()["last %"] == pytest.approx([10])


@pytest.mark.parametrize(
    ("parts", "last", "best"),
    [((split(), None), NAN, NAN), ((None, split()), 50.0, NAN), ((None, None), NAN, NAN)],
)
def test_missing_sets_are_gaps_in_the_table(stand_in, parts, last, best):
    stand_in.script = lambda net, epoch: (0.5, 0.5)
    c = compare({"a": {}}, Dataset(split(), *parts), hidden=5, seeds=2, epochs=1)
    table = c.table()
    np.testing.assert_equal(table["last %"] + table["best %"], [last, best])
    assert table["stuck"] == [None if math.isnan(last) else 0]
    assert "nan" not in str(table)
    assert table.title.endswith("(no test set)") == math.isnan(last)


def test_a_regression_is_judged_by_its_loss():
    history = History(["epoch", "loss", "seconds", "val_loss", "test_loss"])
    for epoch, loss in enumerate([2.0, 1.0, 3.0], 1):
        history._append(dict(zip(history, [epoch, loss, 1, loss, 2 * loss], strict=True)))
    table = Comparison({"a": [Run(None, history, 0, NAN)]}).table()
    assert (table["last loss"], table["best loss"]) == ([6.0], [2.0])
    assert table.title.startswith("Test loss")


def diverge(net, epoch):
    if net.seed == 1 and epoch == 2:
        raise FloatingPointError("the loss became NaN at epoch 2")
    return 0.8, 0.8


def test_a_run_that_diverges_is_reported_and_the_rest_goes_on(stand_in, data):
    stand_in.script = diverge
    c = compare({"a": {}}, data, hidden=5, seeds=3, epochs=3)
    assert [len(run.history) for run in c["a"]] == [3, 1, 3]
    run = c["a"][1]
    assert str(run.error) == "the loss became NaN at epoch 2"
    assert math.isnan(run.test_error)
    assert math.isnan(run.best_test_error)
    assert run.stuck is None
    assert repr(run) == "<Run of 'a', seed 1: 1 epoch, diverged>"
    table = c.table()
    assert (table["runs"], table["diverged"]) == ([3], [1])
    assert table["last %"] == pytest.approx([20.0]), "of the two that did not"


LINE = np.linspace(0, 1, 40, dtype=np.float32)
SOFT = np.stack([LINE, 1 - LINE, LINE[::-1] ** 2], axis=1) / 2

#: kind of y -> y, settings of the network
ANSWERS = {
    "labels": (np.arange(40) % 3, {"layers": [1, 3]}),
    "targets": (SOFT, {"layers": [1, 3]}),
    "targets that tie in float32": (
        np.array([[0.5, 0.5 + 1e-12, 0.0], [0.0, 1.0, 0.0]] * 20),
        {"layers": [1, 3]},
    ),
    "0/1 for one output": (LINE > 0.3, {"layers": [1, 1]}),
    "0/1 in a column": ((LINE > 0.3)[:, None], {"layers": [1, 1]}),
    "shares for one output": (LINE[:, None], {"layers": [1, 1]}),
    "a column for one tanh": (
        1.6 * LINE[:, None] - 0.7,
        {"layers": [1, nnlearn.Dense(1, activation="tanh")], "cost": "quadratic"},
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_one_pass_of_predictions_gives_the_error_that_accuracy_gives(kind, monkeypatch):
    y, settings = ANSWERS[kind]
    data = Dataset((LINE[:, None], y), test=(LINE[:, None], y))
    passes, predict = [], nnlearn.Network._predict_in_claim
    with monkeypatch.context() as patch:
        patch.setattr(nnlearn.Network, "accuracy", lambda *_: pytest.fail("a second pass"))
        patch.setattr(
            nnlearn.Network, "_predict_in_claim", lambda *a: passes.append(a) or predict(*a)
        )
        c = compare({"a": settings}, data, seeds=3, epochs=1, learning_rate=1.0, init="large")
    assert len(passes) == 3
    for run in c["a"]:
        assert type(run.test_error) is float
        assert run.test_error == 1.0 - run.network.accuracy(data.test)
        assert run.test_error == 1.0 - run.history["test_accuracy"][-1]


def test_a_column_of_targets_has_two_classes_to_be_stuck_in():
    data = Dataset((LINE[:, None], LINE[:, None]), test=(LINE[:, None], LINE[:, None]))
    settings = {"epochs": 0, "learning_rate": 1.0, "seeds": 1, "init": "zeros"}
    ((run,),) = compare({"a": {}}, data, layers=[1, 1], **settings).values()
    assert set(run.network.predict(data.test.x)) == {1}
    assert run.stuck is True


def test_a_comparison_is_a_mapping():
    runs = [Run(None, History(["epoch"]), 0, NAN)]
    c = Comparison({"a": runs, "b": []})
    assert (len(c), list(c), "a" in c, "x" in c) == (2, ["a", "b"], True, False)
    assert c["a"] == tuple(runs)
    with pytest.raises(KeyError, match="variant must be one of 'a', 'b', got 'x'"):
        c["x"]


def test_a_comparison_shows_its_table(stand_in, data):
    c = compare({"<a>": {}}, data, hidden=5, seeds=1, epochs=1)
    assert repr(c) == str(c.table())
    assert "&lt;a&gt;" in c._repr_html_()


def test_a_comparison_draws_the_validation_error(stand_in, data):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    ax = figure.subplots()
    c = compare(TWO, data, hidden=5, seeds=2, epochs=3)
    assert c.plot(ax=ax) is ax
    assert ax.get_ylabel() == "validation error (%)"
    c.plot("test_accuracy", ax=ax)
    assert ax.get_ylabel() == "test accuracy (%)"
