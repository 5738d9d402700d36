"""Learning curves: the power law and the verdict by hand, and small real runs."""

import itertools
import math

import noisy_line
import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn._holdout import shuffled
from nnlearn.recipes._power_law import fit_power_law
from nnlearn.recipes.learning_curves import LearningCurve, SizeRuns

NAN = math.nan


@pytest.fixture(scope="module")
def digits():
    return nn.datasets.load_mnist_small()


@pytest.fixture
def net():
    return nn.Network([784, 10], seed=1)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def line():
    return noisy_line.data()


@pytest.fixture
def regression():
    return noisy_line.network()


@pytest.mark.parametrize(
    ("a", "b", "c"), [(0.02, 3.0, 0.5), (0.0, 1.2, 0.3), (0.1, 50.0, 1.0), (0.3, 0.0, None)]
)
def test_the_fit_recovers_a_power_law(a, b, c):
    n = np.array([100, 200, 500, 1000, 2000, 5000])
    law = fit_power_law(n, a + b * n ** -(c or 1.0))
    assert (law.a, law.b) == pytest.approx((a, b), rel=1e-6, abs=1e-9)
    assert c is None or law.c == pytest.approx(c, rel=1e-6)
    assert law(20_000) == pytest.approx(a + b * 20_000 ** -(c or 1.0))


def test_the_fit_never_has_negative_parts():
    n = [100, 1000, 10_000, 100_000]
    steep = fit_power_law(n, [0.5, 0.3, 0.1, 0.01])  # falls faster than any power on the way
    rising = fit_power_law(n, [0.1, 0.2, 0.3, 0.4])
    assert steep.a == 0
    assert rising.b == 0
    # The constant of least relative squares: sum 1/e over sum 1/e^2.
    assert rising.a == pytest.approx((10 + 5 + 10 / 3 + 2.5) / (100 + 25 + 100 / 9 + 6.25))


def test_the_fit_is_that_of_least_relative_residuals():
    n, errors = np.array([100, 300, 1000, 3000, 10_000]), np.array([0.31, 0.18, 0.12, 0.07, 0.06])
    law = fit_power_law(n, errors)

    def squares(a, b, c):
        return np.sum(((a + b * n**-c) / errors - 1) ** 2)

    least = squares(law.a, law.b, law.c)
    for change in itertools.product((0.999, 1, 1.001), repeat=3):
        assert squares(*np.multiply(change, (law.a, law.b, law.c))) >= least


def test_errors_that_are_unknown_or_zero_are_left_out_of_the_fit():
    n = np.array([100.0, 200, 400, 800, 1600, 3200])
    errors = 2 * n**-0.5
    errors[1], errors[5] = NAN, 0
    assert fit_power_law(n, errors).c == pytest.approx(0.5)
    errors[0] = NAN
    assert fit_power_law(n, errors) is None


def of_law(*sizes, **more):
    """A curve whose errors are 0.02 + 2 n^-0.5."""
    errors = [0.02 + 2 * n**-0.5 for n in sizes]
    return LearningCurve(
        tuple(
            SizeRuns(n, 3, 0.1, (e - 0.01, e + 0.01), (0.0, 0.0), **more)
            for n, e in zip(sizes, errors, strict=True)
        )
    )


def test_the_verdict_gives_the_error_for_twice_the_data_and_a_check():
    curve = of_law(100, 400, 1600, 6400, 10_000)
    # 0.02 + 2/100 = 4 %; for 20,000 0.02 + 2/141.4 = 3.41 %.
    assert curve.verdict == (
        "With 10,000 samples the validation error is 4.00 %, the training error 0.00 %. The fit "
        "is error = 0.02 + 2 n^-0.5; twice the data would bring it to 3.41 %, if the curve goes on "
        "as it does: the smaller sizes alone predict 4.00 % for 10,000."
    )
    assert "too few sizes" in of_law(100, 400, 1600, 6400).verdict
    assert "needs four sizes" in of_law(100, 400).verdict
    assert curve.suggestion is None


def test_the_table_has_means_spreads_and_the_fit():
    table = of_law(100, 400, 1600, 6400, 10_000, seconds=1.5).table()
    assert table.columns == (
        "samples",
        "epochs",
        "l2",
        "validation %",
        "sd",
        "fit %",
        "training %",
        "seconds",
    )
    assert table.rows[-1] == pytest.approx((10_000, 3, 0.1, 96, math.sqrt(2), 96, 100, 1.5))
    assert "fit %" not in of_law(100, 400).table().columns


def test_the_picture_has_the_errors_the_fit_beyond_them_and_the_prediction(ax):
    of_law(100, 400, 1600, 6400, 10_000).plot(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert set(labels) == {
        "fit: 2 + 200 n$^{-0.50}$",
        "predicted for 20,000",
        "validation",
        "training (below the picture)",
    }
    dashed = next(line for line in ax.get_lines() if line.get_linestyle() == "--")
    assert dashed.get_xdata()[-1] == pytest.approx(40_000)
    assert dashed.get_ydata()[-1] == pytest.approx(3)
    (points,) = ax.containers[0].lines[0].get_xydata()[-1:]
    assert points == pytest.approx((10_000, 4))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def runs_of(*errors):
    return tuple(
        SizeRuns(100 * 2**i, 1, 0.0, tuple(v), tuple(t)) for i, (v, t) in enumerate(errors)
    )


def labels_of(ax):
    return {text.get_text() for text in ax.get_legend().get_texts()}


def test_a_training_error_below_the_picture_leaves_no_bar_in_it(ax):
    errors = [([0.2, 0.2], [0.0, 0.0]), ([0.1, 0.1], [0.0, 0.06])]  # the mean 3 %, below 5 %
    LearningCurve(runs_of(*errors)).plot(ax)
    assert "training (below the picture)" in labels_of(ax)
    (bars,) = ax.containers[1].lines[2]
    bottom = ax.get_ylim()[0]
    assert all(segment[:, 1].max() < bottom for segment in bars.get_segments())


def test_the_picture_of_sizes_that_all_diverged_has_crosses_alone(ax):
    LearningCurve(runs_of(*[([NAN, NAN], [NAN, NAN])] * 3)).plot(ax)
    assert labels_of(ax) == {"diverged"}
    (crosses,) = (line for line in ax.get_lines() if line.get_marker() == "x")
    assert crosses.get_xdata().tolist() == [100, 200, 400]
    assert ax.get_yticks().size == 0
    low, high = ax.get_ylim()
    assert low < high


def test_the_picture_has_a_cross_for_the_sizes_that_diverged(ax):
    good, bad = ([0.2, NAN], [0.1, NAN]), ([NAN, NAN], [NAN, NAN])
    LearningCurve(runs_of(good, bad, good)).plot(ax)
    assert labels_of(ax) == {"validation", "training", "diverged"}
    (crosses,) = (line for line in ax.get_lines() if line.get_marker() == "x")
    assert crosses.get_xdata().tolist() == [200]


def test_infinite_losses_are_not_drawn(ax):
    runs = runs_of(([2.0, math.inf], [1.0, 1.0]), ([math.inf] * 2, [1.0, 1.0]))
    LearningCurve(runs, regression=True).plot(ax)
    assert np.isfinite(ax.get_ylim()).all()
    (points,) = ax.containers[0].lines[0].get_xydata()
    assert points.tolist() == [100, 2]
    assert "diverged" in labels_of(ax)


def test_a_size_is_trained_on_samples_drawn_by_the_seed_with_the_penalty_scaled(net, digits):
    curve = nn.learning_curve(
        net, digits, learning_rate=0.5, sizes=(200, 50), l2=10.0, epochs=2, seeds=2, momentum=0.3
    )
    n = len(digits.train)
    assert [run.size for run in curve.runs] == [50, 200]
    assert [run.epochs for run in curve.runs] == [8, 2]
    assert [run.l2 for run in curve.runs] == [10 * 50 / n, 10 * 200 / n]
    for k in range(2):
        twin, rows = nn.Network([784, 10], seed=1 + k), shuffled(n, 1 + k)[:50]
        x, y = digits.train.x[rows], digits.train.y[rows]
        twin.fit(x, y, epochs=8, learning_rate=0.5, l2=10 * 50 / n, momentum=0.3)
        assert curve.runs[0].validation[k] == 1 - twin.accuracy(digits.validation)
        assert curve.runs[0].train[k] == 1 - twin.accuracy(x, y)


def test_equal_epochs_are_the_same_for_all_sizes(net, digits):
    curve = nn.learning_curve(
        net, digits, learning_rate=0.5, sizes=(20, 200), epochs=2, seeds=1, equal="epochs"
    )
    assert [run.epochs for run in curve.runs] == [2, 2]


def test_any_number_of_jobs_gives_the_same(net, digits):
    one, two = (
        nn.learning_curve(
            net, digits, learning_rate=0.5, sizes=(50, 100), epochs=2, seeds=2, n_jobs=n_jobs
        )
        for n_jobs in (1, 2)
    )
    assert [run.validation for run in one.runs] == [run.validation for run in two.runs]


def test_the_default_sizes_go_by_1_2_5_up_to_all(net, digits):
    curve = nn.learning_curve(
        net, digits.take(1200), learning_rate=0.5, epochs=1, seeds=1, equal="epochs"
    )
    assert [run.size for run in curve.runs] == [100, 200, 500, 1000, 1200]
    even = nn.learning_curve(net, digits.take(200), learning_rate=0.5, epochs=1, seeds=1)
    assert [run.size for run in even.runs] == [100, 200]
    few = nn.learning_curve(net, digits.take(60), learning_rate=0.5, epochs=1, seeds=1)
    assert [run.size for run in few.runs] == [60]
    assert few.runs[0].validation[0] > 0


def test_regression_has_losses(regression, line, ax):
    curve = nn.learning_curve(regression, line, learning_rate=0.1, sizes=(4, 20, 60, 200), epochs=5)
    table = curve.table()
    assert table.columns[3:5] == ("validation loss", "sd")
    assert table["validation loss"][-1] == pytest.approx(0.005, rel=0.3)  # half the noise squared
    assert "validation loss is" in curve.verdict
    assert curve.plot(ax).get_ylabel() == "loss"


def test_seeds_that_diverge_are_counted_and_left_out(regression, line, ax):
    curve = nn.learning_curve(regression, line, learning_rate=50.0, sizes=(20, 200), epochs=30)
    assert curve.table()["diverged"] == [3, 3]
    assert curve.verdict == "Training on 200 samples diverged: lower learning_rate."
    curve.plot(ax)
    half = LearningCurve((SizeRuns(100, 1, 0.0, (0.2, NAN), (0.1, NAN)),))
    assert half.runs[0].error == 0.2
    assert half.table()["diverged"] == [1]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"sizes": []}, ValueError, r"sizes must hold at least one size, got \[\]"),
        ({"sizes": (0,)}, ValueError, "each of sizes must be an integer from 1 to 100, got 0"),
        ({"sizes": (50, 101)}, ValueError, "from 1 to 100, got 101"),
        ({"epochs": 0}, ValueError, "epochs must be an integer >= 1, got 0"),
        ({"equal": "steps"}, ValueError, "equal must be one of 'updates', 'epochs', got 'steps'"),
        ({"seeds": 0}, ValueError, "seeds must be an integer >= 1, got 0"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
        ({"learning_rate": -1}, ValueError, "learning_rate must be"),
        ({"l2": NAN}, ValueError, "l2 must be a finite number >= 0, got nan"),
        ({"verbose": "x"}, TypeError, "verbose must be"),
    ],
)
def test_learning_curve_refuses(net, digits, change, kind, words):
    given = {"learning_rate": 0.5, "sizes": (50, 100)} | change
    with pytest.raises(kind, match=words):
        nn.learning_curve(net, digits.take(100), **given)
