"""Pictures: what is drawn, its labels, and that nothing is shown."""

import inspect
import math
import re
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from nnlearn import plotting
from nnlearn.comparison import Comparison, Run
from nnlearn.history import History
from nnlearn.plotting import COLOURS, plot_comparison, plot_history
from nnlearn.plotting._style import log_axis

NAN = math.nan


def make(**columns):
    history = History(["epoch", *columns])
    for index, values in enumerate(zip(*columns.values(), strict=True)):
        history._append({"epoch": index + 1, **dict(zip(columns, values, strict=True))})
    return history


def runs_of(*histories):
    return [Run(None, history, seed, NAN) for seed, history in enumerate(histories)]


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def no_figure_left():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


@pytest.fixture
def two_variants():
    return Comparison(
        {
            "quadratic": runs_of(make(val_accuracy=[0.5, 0.7]), make(val_accuracy=[0.6, 0.9])),
            "cross-entropy": runs_of(make(val_accuracy=[0.8, 0.9]), make(val_accuracy=[0.8, 0.9])),
        }
    )


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("low", "high"), [(1e-12, 1e14), (1e-8, 1e-6), (0.02, 0.3), (0.01, 0.05), (1e-200, 1e200)]
)
def test_a_logarithmic_axis_has_a_few_numbers_from_lowest_to_highest(ax, low, high):
    ax.plot([0, 1], [low, high])
    log_axis(ax, low, high)
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= 11
    gaps = np.diff(np.log10([low, *ticks, high]))
    assert gaps.max() <= max((np.log10(high) - np.log10(low)) / 3, 0.5)


def test_a_logarithmic_axis_needs_finite_positive_values(ax):
    for low, high in ((0.0, 1.0), (1.0, math.inf), (1.0, 3.0), (math.nan, 5.0)):
        log_axis(ax, low, high)
        assert ax.get_yscale() == "linear"


PICTURES = {
    "plot_activations": "inside must be an Inspection",
    "plot_batch_sizes": "study must be a BatchSizeStudy",
    "plot_calibration": "evaluation must be an Evaluation",
    "plot_comparison": "comparison must be a Comparison",
    "plot_confusion": "evaluation must be an Evaluation",
    "plot_contours": "surface must be a Surface or a function of two arrays",
    "plot_digits": "x must be an array of images, float32, float64 or uint8",
    "plot_gradient_norms": "gradients must be a mapping of names to gradients, or several of them",
    "plot_history": "history must be a History",
    "plot_knock_out": "result must be a KnockOut",
    "plot_learning_curve": "curve must be a LearningCurve",
    "plot_learning_rates": "result must be a LearningRates",
    "plot_misclassified": "by must be a Network, an Ensemble or an Evaluation",
    "plot_noise_sensitivity": "result must be a NoiseSensitivity",
    "plot_penalties": "result must be a Penalties",
    "plot_predictions": "evaluation must be an Evaluation",
    "plot_search": "search must be a Search",
    "plot_searches": "searches must be a Mapping",
    "plot_surface": "surface must be a Surface or a function of two arrays",
    "plot_train_validation": "trained must be a History, a Run or a Comparison",
    "plot_tuning": "tuning must be a Tuning",
    "plot_variants": "preview must be a Preview",
    "plot_weights": "weights must be a Network or weights (n_in, n_out)",
}


@pytest.mark.parametrize(("name", "message"), PICTURES.items(), ids=PICTURES)
def test_a_picture_of_another_object_is_refused(name, message):
    draw = getattr(plotting, name)
    needed = [p for p in inspect.signature(draw).parameters.values() if p.default is p.empty]
    with pytest.raises(TypeError, match=rf"^{re.escape(message)}, got 3$"):
        draw(*[3] * len(needed))


def test_every_picture_says_what_it_draws():
    assert {*plotting.__all__} - {"COLOURS"} == PICTURES.keys()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_takes_axes_and_returns_them(name):
    signature = inspect.signature(getattr(plotting, name))
    assert "ax" in signature.parameters
    assert "Axes" in str(signature.return_annotation)


def test_searches_that_are_none_are_refused():
    with pytest.raises(TypeError, match=r"^each of searches must be a Search, got 3$"):
        plotting.plot_searches({"a": 3})


def test_accuracies_are_the_default_in_percent(ax):
    history = make(loss=[0.5, 0.4], accuracy=[0.8, 0.9], val_accuracy=[0.7, 0.8])
    plot_history(history, ax=ax)
    assert texts(ax) == ["training accuracy (running)", "validation accuracy"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy (%)")
    np.testing.assert_allclose(ax.get_lines()[1].get_xydata(), [(1, 70), (2, 80)])


def test_losses_are_the_default_of_a_regression(ax):
    plot_history(make(loss=[0.5, 0.4], penalty=[0.1, 0.1], val_loss=[0.6, 0.5]), ax=ax)
    assert texts(ax) == ["training loss (running)", "validation loss"]
    assert ax.get_ylabel() == "loss"


def test_an_error_is_100_minus_the_accuracy(ax):
    plot_history(make(val_accuracy=[0.75, 0.9]), "val_error", ax=ax)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [25, 10])
    assert ax.get_ylabel() == "error (%)"


def test_epochs_without_a_value_are_bridged(ax):
    plot_history(make(val_loss=[NAN, 0.5, NAN, 0.3]), ax=ax)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(2, 0.5), (4, 0.3)])


def test_a_single_epoch_is_seen(ax):
    plot_history(make(loss=[0.5]), ax=ax)
    assert ax.get_lines()[0].get_marker() == "o"


def test_two_units_have_an_axis_each_and_one_legend(ax):
    plot_history(make(loss=[0.5, 0.4], val_accuracy=[0.7, 0.8]), "loss", "val_accuracy", ax=ax)
    left, right = ax.figure.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "accuracy (%)")
    assert (len(left.get_lines()), len(right.get_lines())) == (1, 1)
    assert texts(ax) == ["training loss (running)", "validation accuracy"]
    assert left.get_lines()[0].get_color() != right.get_lines()[0].get_color()


def test_costs_and_penalties_share_the_axis_of_the_losses(ax):
    history = make(loss=[0.5, 0.4], penalty=[0.1, 0.1])
    plot_history(history, "loss", "penalty", "cost", ax=ax)
    assert len(ax.get_lines()) == 3
    assert ax.get_ylabel() == "loss, penalty, cost"


def test_three_units_are_refused(ax):
    history = make(loss=[0.5], accuracy=[0.7], seconds=[1.0])
    with pytest.raises(ValueError, match=r"at most two units, got loss, accuracy \(%\), seconds"):
        plot_history(history, "loss", "accuracy", "seconds", ax=ax)


def test_an_unknown_column_draws_nothing(ax):
    with pytest.raises(KeyError, match="got 'val_loss'"):
        plot_history(make(loss=[0.5]), "loss", "val_loss", ax=ax)
    assert not ax.get_lines()


def test_an_empty_history_is_an_empty_picture(ax):
    plot_history(History(["epoch", "loss"]), ax=ax)
    assert ax.get_lines()[0].get_xydata().size == 0


def test_a_history_of_epochs_alone_has_nothing_to_draw(ax):
    message = "^history must have a column to draw, got epoch alone: fit the network first$"
    with pytest.raises(ValueError, match=message):
        plot_history(History(["epoch"]), ax=ax)


def test_where_there_is_neither_accuracy_nor_loss_the_rest_is_drawn(ax):
    history = History(["epoch", "seconds"])
    history._append({"epoch": 1, "seconds": 0.5})
    assert plot_history(history, ax=ax).get_ylabel() == "seconds per epoch"


def marks(ax):
    """The labels of what is marked, each with its place; in the order of the places."""
    places = [line.get_xdata()[0] for line in ax.get_lines() if line.get_label().startswith("_")]
    assert [text.xy[0] for text in ax.texts] == places
    return sorted(zip(places, (text.get_text() for text in ax.texts), strict=True))


def test_the_restored_epoch_and_drops_of_the_rate_are_marked(ax):
    history = make(accuracy=[0.5, 0.7, 0.8, 0.8, 0.8], learning_rate=[2.0, 2.0, 1.0, 1.0, 0.125])
    history.restored = 3
    plot_history(history, ax=ax)
    assert marks(ax) == [(2.5, "rate 1"), (3, "epoch 3 restored"), (4.5, "rate 0.125")]
    assert texts(ax) == ["training accuracy (running)"]


def test_marks_have_the_colour_of_the_text():
    history = make(loss=[0.5])
    history.restored = 1
    with pyplot.style.context("dark_background"):
        ax = plot_history(history)
    assert {ax.get_lines()[-1].get_color(), ax.texts[0].get_color()} == {"#ffffff"}


@pytest.mark.parametrize("columns", [(), ("loss", "learning_rate")], ids=["falls", "drawn"])
def test_a_rate_that_always_falls_or_is_drawn_is_not_marked(ax, columns):
    rates = [1.0, 1.0, 0.5] if columns else [1.0, 0.5, 0.25]
    plot_history(make(loss=[0.5, 0.4, 0.3], learning_rate=rates), *columns, ax=ax)
    assert marks(ax) == []


def test_without_axes_a_new_figure_is_made_and_not_shown(monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda *a, **k: pytest.fail("shown"))
    history = make(loss=[0.5])
    first, second = plot_history(history), plot_history(history)
    assert first.figure is not second.figure
    assert len(pyplot.get_fignums()) == 2


def test_with_axes_pyplot_is_left_alone(ax, two_variants):
    plot_history(make(loss=[0.5]), ax=ax)
    plot_comparison(two_variants, ax=ax)
    assert pyplot.get_fignums() == []


def test_axes_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes, got 3"):
        plot_history(make(loss=[0.5]), ax=3)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match=r'pip install "nnlearn\[plot\]"'):
        plot_history(make(loss=[0.5]))


def test_a_comparison_shows_the_mean_validation_error(ax, two_variants):
    assert plot_comparison(two_variants, ax=ax) is ax
    assert texts(ax) == ["quadratic", "cross-entropy"]
    assert ax.get_ylabel() == "validation error (%)"
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(1, 45), (2, 20)])
    np.testing.assert_allclose(ax.get_lines()[1].get_xydata(), [(1, 20), (2, 10)])


def test_the_band_goes_from_lowest_to_highest_and_the_legend_says_so(ax, two_variants):
    plot_comparison(two_variants, ax=ax)
    corners = {tuple(corner) for corner in ax.collections[0].get_paths()[0].vertices.round(9)}
    assert corners == {(1, 40), (1, 50), (2, 10), (2, 30)}
    assert ax.get_legend().get_title().get_text() == "mean of 2 seeds, band from lowest to highest"


def test_one_seed_has_no_band(ax):
    plot_comparison(Comparison({"a": runs_of(make(val_accuracy=[0.5, 0.7]))}), ax=ax)
    assert len(ax.collections) == 0
    assert ax.get_legend().get_title().get_text() == ""


def test_other_columns_can_be_drawn(ax):
    runs = runs_of(make(loss=[0.5, 0.4], penalty=[0.25, 0.25], val_accuracy=[0.5, 0.6]))
    plot_comparison(Comparison({"a": runs}), "cost", ax=ax)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [0.75, 0.65])
    assert ax.get_ylabel() == "cost"


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"accuracy": [0.5], "loss": [1.0]}, "training error (running) (%)"),
        ({"loss": [1.0], "val_loss": [1.0]}, "validation loss"),
        ({"loss": [1.0]}, "loss"),
    ],
)
def test_the_default_without_validation_accuracy(ax, columns, label):
    plot_comparison(Comparison({"a": runs_of(make(**columns))}), ax=ax)
    assert ax.get_ylabel() == label


def test_runs_of_different_length_are_averaged_where_they_are(ax):
    runs = runs_of(make(val_loss=[1.0, 0.5]), make(val_loss=[2.0]), History(["epoch", "val_loss"]))
    plot_comparison(Comparison({"a": runs}), "val_loss", ax=ax)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(1, 1.5), (2, 0.5)])


def test_epochs_that_were_not_evaluated_are_left_out(ax):
    runs = runs_of(make(val_loss=[NAN, 0.5]), make(val_loss=[NAN, 0.7]))
    plot_comparison(Comparison({"a": runs}), "val_loss", ax=ax)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(2, 0.6)])


def test_a_variant_without_runs_keeps_the_colours_of_the_others(ax, two_variants):
    plot_comparison(Comparison({"none": [], **two_variants}), ax=ax)
    assert [line.get_color() for line in ax.get_lines()] == list(COLOURS[1:3])


def test_a_wide_error_stands_on_a_logarithmic_axis_with_plain_numbers(ax):
    plot_comparison(Comparison({"a": runs_of(make(val_accuracy=[0.4, 0.95]))}), ax=ax)
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    labels = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert labels == ["5", "7", "10", "20", "30", "50"]


@pytest.mark.parametrize("accuracies", [[0.8, 0.9], [0.4, 1.0]])
def test_a_narrow_error_or_a_zero_stands_on_a_linear_one(ax, accuracies):
    plot_comparison(Comparison({"a": runs_of(make(val_accuracy=accuracies))}), ax=ax)
    assert ax.get_yscale() == "linear"


def test_colours_begin_again_with_another_line(ax):
    variants = {str(i): runs_of(make(val_loss=[1.0, 0.5])) for i in range(len(COLOURS) + 1)}
    plot_comparison(Comparison(variants), ax=ax)
    first, *_, last = ax.get_lines()
    assert first.get_color() == last.get_color()
    assert (first.get_linestyle(), last.get_linestyle()) == ("-", "--")


def test_a_comparison_without_epochs_is_refused(ax):
    with pytest.raises(ValueError, match="a run with an epoch, got none"):
        plot_comparison(Comparison({"a": []}), ax=ax)
