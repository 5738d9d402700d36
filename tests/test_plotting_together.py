"""Pictures of several columns: sets over each other, and what their bands span."""

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure
from test_plotting import make, runs_of, texts

from nnlearn.comparison import Comparison
from nnlearn.history import History
from nnlearn.plotting import COLOURS, plot_comparison, plot_train_validation


@pytest.fixture
def ax():
    return Figure().subplots()


def history(shift=0.0):
    return make(
        loss=[0.5, 0.4],
        penalty=[0.25, 0.25],
        accuracy=[0.6 + shift, 0.7],
        val_loss=[0.6, 0.5],
        val_accuracy=[0.5 + shift, 0.6],
    )


@pytest.fixture
def two():
    return Comparison(
        {"a": runs_of(history(), history(0.1)), "b": runs_of(history(0.2), history(0.2))}
    )


def test_a_history_shows_validation_and_training(ax):
    assert plot_train_validation(history(), ax=ax) is ax
    assert texts(ax) == ["validation accuracy", "training accuracy (running)"]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [50, 60])
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), [60, 70])
    assert ax.get_ylabel() == "accuracy (%)"


def test_an_evaluated_training_set_goes_before_the_running_mean(ax):
    both = make(accuracy=[0.1], train_accuracy=[0.7], val_accuracy=[0.6])
    plot_train_validation(runs_of(both)[0], "error", ax)
    assert texts(ax) == ["validation error", "training error"]
    np.testing.assert_allclose([line.get_ydata()[0] for line in ax.get_lines()], [40, 30])


def test_other_measures_and_sets(ax):
    plot_train_validation(history(), "cost", ax, sets=("train",))
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [0.75, 0.65])
    regression = make(loss=[1.0], val_loss=[2.0])
    other = plot_train_validation(regression, ax=Figure().subplots())
    assert texts(other) == ["validation loss", "training loss (running)"]


def test_variants_have_colours_and_sets_have_lines(ax, two):
    plot_train_validation(two, ax=ax)
    lines = ax.get_lines()
    assert [line.get_color() for line in lines] == [COLOURS[i] for i in (0, 0, 1, 1)]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    np.testing.assert_allclose(lines[0].get_ydata(), [55, 60])
    np.testing.assert_allclose(lines[1].get_ydata(), [65, 70])
    assert texts(ax) == ["a", "b", "validation accuracy", "training accuracy (running)"]
    keys = ax.get_legend().get_lines()
    assert [key.get_linestyle() for key in keys[2:]] == ["-", "--"]
    assert ax.get_ylabel() == "accuracy (%)"


def test_a_single_variant_has_a_colour_for_each_set(ax, two):
    plot_train_validation(Comparison({"a": two["a"]}), ax=ax)
    assert [line.get_color() for line in ax.get_lines()] == list(COLOURS[:2])
    assert texts(ax) == ["validation accuracy", "training accuracy (running)"]
    title = ax.get_legend().get_title().get_text()
    assert title == "a\nmean of 2 seeds, band from lowest to highest"
    assert len(ax.collections) == 2
    (inside,), (edge,) = ax.collections[0].get_facecolor(), ax.collections[0].get_edgecolor()
    assert inside[3] < edge[3] < 1.0  # a veil between edges that are seen on dark pages
    assert ax.collections[0].get_linewidth()[0] > 0


def corners(band):
    return {tuple(corner) for corner in band.get_paths()[0].vertices.round(9)}


def test_a_band_may_be_one_standard_deviation(ax):
    runs = runs_of(*(make(val_loss=[value, value]) for value in (1.0, 2.0, 6.0)))
    runs += runs_of(make(val_loss=[3.0]))
    plot_comparison(Comparison({"a": runs}), "val_loss", ax, band="sd")
    first, last = np.std([1, 2, 6, 3], ddof=1), np.std([1, 2, 6], ddof=1)
    expected = {(1, 3 - first), (1, 3 + first), (2, 3 - last), (2, 3 + last)}
    assert corners(ax.collections[0]) == {tuple(np.round(corner, 9)) for corner in expected}
    title = ax.get_legend().get_title().get_text()
    assert title == "mean of 4 seeds, band of one standard deviation"


def test_there_may_be_no_band(ax, two):
    two.plot(ax=ax, band="none")
    assert not ax.collections
    assert ax.get_legend().get_title().get_text() == "mean of 2 seeds"


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        (("val_loss", "val_accuracy"), ValueError, "columns must have one unit, got loss, accurac"),
        ((), TypeError, "column must be the name of a column, or several, got"),
        (3, TypeError, "column must be the name of a column, or several, got 3"),
        (("val_loss", 3), TypeError, "column must be the name of a column, or several"),
    ],
)
def test_what_cannot_share_an_axis_is_refused(ax, two, column, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        plot_comparison(two, column, ax)


def test_a_missing_column_draws_nothing(ax, two):
    with pytest.raises(KeyError, match="test_loss"):
        plot_comparison(two, ("val_loss", "test_loss"), ax)
    with pytest.raises(KeyError, match="test_accuracy"):
        plot_train_validation(two, ax=ax, sets=("test",))
    assert not ax.get_lines()


def test_so_many_variants_that_colours_repeat_are_refused(ax):
    many = Comparison({str(i): runs_of(history()) for i in range(8)})
    message = (
        "^a picture of several columns must have at most 7 variants and 4 columns, got 8 and 2$"
    )
    with pytest.raises(ValueError, match=message):
        plot_train_validation(many, ax=ax)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"measure": "val_loss"}, ValueError, "measure must be one of 'accuracy', 'error', 'loss'"),
        ({"sets": "val"}, TypeError, "sets must be names of sets"),
        ({"sets": ()}, TypeError, "sets must be names of sets"),
        ({"band": "iqr"}, ValueError, "band must be one of 'range', 'sd', 'none', got 'iqr'"),
    ],
)
def test_settings_out_of_range_are_refused(ax, two, settings, kind, message):
    for trained in (two, two["a"][0], history()):
        with pytest.raises(kind, match=f"^{message}"):
            plot_train_validation(trained, ax=ax, **settings)


def test_nothing_trained_is_refused(ax):
    for trained in (History(["epoch", "loss"]), Comparison({"a": []})):
        with pytest.raises(ValueError, match=r"^trained must hold a run with an epoch, got none$"):
            plot_train_validation(trained, ax=ax)


def test_the_keys_of_sets_have_the_colour_of_the_text(ax, two, monkeypatch):
    monkeypatch.setitem(rcParams, "text.color", "#eeeeee")
    plot_train_validation(two, ax=ax)
    assert {key.get_color() for key in ax.get_legend().get_lines()[2:]} == {"#eeeeee"}
