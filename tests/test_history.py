"""History: columns, costs, the best epoch, views, copies."""

import copy
import math
import pickle

import numpy as np
import pytest

from nnlearn.history import History

NAN = math.nan


def make(rows, columns=("epoch", "loss", "penalty", "val_loss", "val_accuracy")):
    history = History(columns)
    for row in rows:
        history._append(dict(zip(columns, row, strict=True)))
    return history


@pytest.fixture
def history():
    return make([(1, 0.5, 0.25, 0.6, 0.8), (2, 0.4, 0.5, 0.5, 0.9), (3, 0.3, 0.5, 0.7, 0.9)])


def test_a_new_history_is_empty():
    history = History(["epoch", "loss"])
    assert len(history) == 0
    assert history["loss"].shape == (0,)
    assert history.start is None
    assert history.step_loss.dtype == np.float32
    assert history.step_loss.size == 0
    assert history.stop_reason == ""
    assert history.prepare_seconds == 0.0


def test_a_column_is_a_float64_array_with_a_row_an_epoch(history):
    assert history.columns == ("epoch", "loss", "penalty", "val_loss", "val_accuracy")
    assert list(history) == list(history.columns)
    assert len(history) == 3
    assert all(history[column].dtype == np.float64 for column in history)
    np.testing.assert_array_equal(history["epoch"], [1, 2, 3])
    np.testing.assert_array_equal(history["val_loss"], [0.6, 0.5, 0.7])


def test_a_caller_cannot_change_the_record(history):
    column = history["loss"]
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 9.0
    column.flags.writeable = True
    column[0] = 9.0
    assert history["loss"][0] == 0.5


def test_a_row_given_is_copied(history):
    row = {"epoch": 4, "loss": 0.2, "penalty": 0.5, "val_loss": 0.7, "val_accuracy": NAN}
    history._append(row)
    row["loss"] = 9.0
    assert history["loss"][-1] == 0.2
    assert np.isnan(history["val_accuracy"][-1])


@pytest.mark.parametrize("row", [{"epoch": 4}, {"epoch": 4, "loss": 1, "extra": 2}, {}])
def test_a_row_must_have_every_column_and_no_other(row):
    history = History(["epoch", "loss"])
    with pytest.raises(ValueError, match="must have the columns epoch, loss"):
        history._append(row)
    assert len(history) == 0


@pytest.mark.parametrize(
    ("cost", "values"), [("cost", [0.75, 0.9, 0.8]), ("val_cost", [0.85, 1.0, 1.2])]
)
def test_a_cost_is_loss_plus_penalty(history, cost, values):
    assert cost in history
    assert cost not in history.columns
    np.testing.assert_allclose(history[cost], values, rtol=1e-15)
    assert not history[cost].flags.writeable


def test_the_cost_of_a_set_with_a_name_of_its_own():
    history = make([(1, 0.5, 0.25)], ("epoch", "dev_loss", "penalty"))
    assert history["dev_cost"] == [0.75]


@pytest.mark.parametrize("column", ["train_cost", "acost", "cost_loss", "", "seconds", 3, None])
def test_what_is_not_recorded_is_not_in(history, column):
    assert column not in history
    with pytest.raises(KeyError, match="epoch, loss, penalty, val_loss, val_accuracy, cost"):
        history[column]


def test_a_cost_needs_the_penalty():
    history = make([(1, 0.5)], ("epoch", "loss"))
    assert "cost" not in history
    with pytest.raises(KeyError, match=r"\(epoch, loss\), got 'cost'"):
        history["cost"]


@pytest.mark.parametrize(
    ("column", "hint"),
    [("val_accuracy", "validation="), ("train_loss", "evaluate_train=True")],
)
def test_the_message_says_what_would_record_it(column, hint):
    with pytest.raises(KeyError, match=hint):
        make([(1, 0.5)], ("epoch", "loss"))[column]


def test_no_hint_where_the_set_was_evaluated():
    history = make([(1, 0.5)], ("epoch", "val_loss"))
    with pytest.raises(KeyError) as caught:
        history["val_accuracy"]
    assert "validation=" not in str(caught.value)


def test_the_best_accuracy_is_the_first_largest(history):
    assert history.best("val_accuracy") == (2, 0.9)


def test_the_best_of_anything_else_is_the_smallest(history):
    assert history.best("loss") == (3, 0.3)
    assert history.best("val_loss") == (2, 0.5)
    assert history.best("cost") == (1, 0.75)


def test_nan_is_never_the_best():
    history = make(
        [(1, NAN, 0.7, NAN), (2, NAN, 0.5, 0.8), (3, NAN, NAN, NAN)],
        ("epoch", "a", "val_loss", "val_accuracy"),
    )
    assert history.best("val_loss") == (2, 0.5)
    assert history.best("val_accuracy") == (2, 0.8)
    with pytest.raises(ValueError, match="a value of 'a', got 3 epochs without one"):
        history.best("a")


def test_best_gives_the_epoch_as_recorded_in_plain_numbers():
    best = make([(31, 0.5), (32, 0.4)], ("epoch", "loss")).best("loss")
    assert best == (32, 0.4)
    assert [type(part) for part in best] == [int, float]


def test_best_without_epochs():
    with pytest.raises(ValueError, match="0 epochs"):
        History(["epoch", "loss"]).best("loss")


def test_extending_unites_the_columns():
    whole = make([(1, 0.5)], ("epoch", "loss"))
    whole._extend(make([(2, 0.4, 0.9)], ("epoch", "loss", "val_accuracy")))
    whole._extend(make([(3, 0.3)], ("epoch", "loss")))
    assert whole.columns == ("epoch", "loss", "val_accuracy")
    np.testing.assert_array_equal(whole["epoch"], [1, 2, 3])
    np.testing.assert_array_equal(whole["loss"], [0.5, 0.4, 0.3])
    np.testing.assert_array_equal(whole["val_accuracy"], [NAN, 0.9, NAN])


def test_extending_unites_the_rest():
    whole, first, second = (History(["epoch", "loss"]) for _ in range(3))
    for history, number in ((first, 1), (second, 2)):
        history._append({"epoch": number, "loss": 0.5})
        history.start = {"val_loss": float(number)}
        history.step_loss = np.full(2, number, np.float32)
        history.prepare_seconds = 0.25
        history.stop_reason = f"reason {number}"
        whole._extend(history)
    assert whole.start == {"val_loss": 1.0}, "before the first training"
    np.testing.assert_array_equal(whole.step_loss, [1, 1, 2, 2])
    assert whole.step_loss.dtype == np.float32
    assert whole.prepare_seconds == 0.5
    assert whole.stop_reason == "reason 2"


def test_extending_copies():
    whole, part = History(["epoch", "loss"]), make([(1, 0.5)], ("epoch", "loss"))
    whole._extend(part)
    whole._append({"epoch": 2, "loss": 0.4})
    assert len(part) == 1


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))])
def test_copies_are_equal_and_independent(history, duplicate):
    history.start = {"val_loss": 0.7}
    history.step_loss = np.array([0.5, NAN], np.float32)
    history.stop_reason = "all epochs done"
    twin = duplicate(history)
    assert twin == history
    twin._append(dict.fromkeys(twin.columns, 1.0))
    assert len(history) == 3
    assert twin != history


@pytest.mark.parametrize("what", ["start", "step_loss", "stop_reason", "restored"])
def test_histories_that_differ_are_not_equal(history, what):
    other = copy.deepcopy(history)
    assert other == history
    values = {"start": {}, "step_loss": np.ones(1, "f4"), "stop_reason": "x", "restored": 2}
    setattr(other, what, values[what])
    assert other != history


def test_a_pickle_without_a_restored_epoch_is_read(history):
    state = {name: value for name, value in vars(history).items() if name != "restored"}
    old = History.__new__(History)
    old.__setstate__(state)
    assert old == history


def test_copies_and_pickles_keep_the_restored_epoch(history):
    history.restored = 2
    assert copy.deepcopy(history).restored == pickle.loads(pickle.dumps(history)).restored == 2


def test_drops_are_the_epochs_with_a_lower_rate_than_the_one_before():
    rates = [1.0, 1.0, 0.5, NAN, 0.5, 0.25, 0.75, 0.5]
    history = make([(4 + i, rate) for i, rate in enumerate(rates)], ("epoch", "learning_rate"))
    assert history.drops == (6, 9, 11)


def test_without_rates_or_epochs_there_are_no_drops(history):
    assert history.drops == ()
    assert History(["epoch", "learning_rate"]).drops == ()


def test_a_history_equals_no_other_thing(history):
    assert history != 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(history)


def test_nan_in_equal_places_is_equal():
    assert make([(1, NAN)], ("epoch", "loss")) == make([(1, NAN)], ("epoch", "loss"))


def test_repr_says_the_last_measures(history):
    assert repr(history) == "<History of 3 epochs: loss 0.3, val_loss 0.7, val_accuracy 0.9>"
    assert repr(History(["epoch"])) == "<History of 0 epochs>"
    assert repr(make([(1, NAN)], ("epoch", "loss"))) == "<History of 1 epoch>"


def test_summary_has_first_last_and_best():
    history = make(
        [(1, 0.5, 2.0, NAN), (2, 0.3, 2.0, NAN), (3, 0.4, 2.0, NAN)],
        ("epoch", "loss", "seconds", "val_accuracy"),
    )
    history.stop_reason = "stop() was called"
    summary = history.summary()
    assert summary.rows == (("loss", 0.5, 0.4, 0.3, 2),)
    assert summary.title == "3 epochs, 6.0 s of training; ended: stop() was called"
    assert "stop() was called" in history._repr_html_()


def test_to_pandas_has_every_recorded_column(history):
    pandas = pytest.importorskip("pandas")
    frame = history.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == list(history.columns)
    assert len(frame) == 3
    np.testing.assert_array_equal(frame["val_accuracy"], history["val_accuracy"])


def test_a_history_becomes_a_dict_of_its_arrays(history):
    arrays = dict(history)
    assert tuple(arrays) == history.keys() == history.columns
    for column, values in arrays.items():
        np.testing.assert_array_equal(values, history[column])


def test_plot_draws_on_the_axes_given(history):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    ax = figure.subplots()
    assert history.plot("loss", "cost", ax=ax) is ax
    assert len(ax.get_lines()) == 2
