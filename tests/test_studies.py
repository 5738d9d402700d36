"""Studies of mini-batch size and training-set size: the rules by hand, and small real runs."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn import training
from nnlearn._holdout import shuffled
from nnlearn.recipes import _in_turns
from nnlearn.recipes._power_law import fit_power_law
from nnlearn.recipes.batch_sizes import BatchSizeStudy, SizeCurve
from nnlearn.recipes.learning_curves import LearningCurve, SizeRuns

NAN = math.nan
TENS = (1, 2, 5, 10, 20, 50)


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
    """Regression: y = 2 x, with noise."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (300, 1)).astype(np.float32)
    y = (2 * x[:, 0] + random.normal(0, 0.1, 300)).astype(np.float32)
    return nn.Dataset((x[:200], y[:200]), validation=(x[200:], y[200:]))


@pytest.fixture
def regression():
    return nn.Network([1, nn.Dense(1, activation="linear")], seed=0)


def state(net):
    return [array.copy() for array in net.parameters.values()], net.seed, net.history._again()


def same(one, other):
    return all(map(np.array_equal, one[0], other[0])) and one[1:] == other[1:]


def size(m, seconds, values, **more):
    return SizeCurve(m, 0.1 * m, 2.0, seconds[-1], tuple(seconds), tuple(values), **more)


# ---- mini-batch sizes: what is concluded -------------------------------------------------------

CURVES = (
    size(1, [0, 1, 2, 3], [0.1, 0.90, 0.97, 0.98]),
    size(10, [0, 0.5, 1, 1.5], [0.1, 0.95, 0.96, 0.98]),
    size(100, [0, 0.2, 0.4, 0.6], [0.1, 0.96, 1.0, 0.97]),
)


def test_the_size_that_reaches_the_share_of_the_best_accuracy_first_is_suggested():
    study = BatchSizeStudy(CURVES, regression=False, target=0.97)
    # The best is 1.0, so 0.97 has to be reached: at 2 s, at 1.5 s, at 0.4 s.
    assert study.best == 1.0
    assert [study.seconds_to_threshold(curve) for curve in CURVES] == [2, 1.5, 0.4]
    assert study.suggestion == 100
    assert study.verdict == (
        "Mini-batches of 100 are the first to reach a validation accuracy of 97.00 % (best: "
        "100.00 %), after 0.4 s of training; 10 follows, after 1.5 s."
    )
    near = BatchSizeStudy(CURVES[:2], regression=False, target=0.97)
    # The best is 0.98: 0.9506 is reached by 10 after 1 s, by 1 after 2 s.
    assert "1 follows, after 2 s" in near.verdict
    level = (size(1, [0, 1.3], [0.1, 0.9]), size(2, [0, 1], [0.1, 0.9]))
    assert "1 is about as fast, after 1.3 s" in BatchSizeStudy(level, regression=False).verdict


def test_a_size_that_never_reaches_the_target_has_no_seconds():
    study = BatchSizeStudy(CURVES, regression=False, target=0.99)
    assert [study.seconds_to_threshold(curve) for curve in CURVES[:2]] == [
        pytest.approx(NAN, nan_ok=True)
    ] * 2
    assert study.suggestion == 100
    assert "follows" not in study.verdict


def test_a_size_that_diverged_is_neither_suggested_nor_the_best():
    wreck = size(100, [0, 0.2, 0.4], [0.1, 0.96, 1.0], diverged=True)
    study = BatchSizeStudy((*CURVES[:2], wreck), regression=False, target=0.99)
    # The best is 0.98 now, and 0.9702 has to be reached.
    assert study.best == 0.98
    assert study.suggestion == 10
    assert study.table()["diverged"] == ["", "", "yes"]


def test_the_picture_has_a_cross_where_a_size_diverged(ax):
    wreck = size(100, [0, 0.2, 0.4], [0.1, 0.96, 1.0], diverged=True)
    BatchSizeStudy((*CURVES[:2], wreck), regression=False).plot(ax)
    (cross,) = (line for line in ax.get_lines() if line.get_marker() == "x")
    np.testing.assert_allclose(cross.get_xydata(), [(0.4, 100)])
    assert ax.get_ylim()[1] > 100


def test_with_all_diverged_there_is_no_suggestion(ax):
    wreck = size(10, [0], [0.1], diverged=True)
    study = BatchSizeStudy((wreck,), regression=False)
    assert study.suggestion is None
    assert "lower learning_rate" in study.verdict
    assert study.table()["s to target"] == [pytest.approx(NAN, nan_ok=True)]
    study.plot(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["10, diverged"]


def test_the_legend_stands_beside_the_curves_where_there_is_room(ax):
    study = BatchSizeStudy(CURVES, regression=False, target=0.97)
    study.plot(ax)
    assert ax.get_legend().get_frame_on()
    beside = Figure(layout="constrained").subplots()
    study.plot(beside)
    beside.figure.draw_without_rendering()
    assert beside.get_legend().get_window_extent().x0 > beside.get_window_extent().x1


def test_a_size_that_stays_below_the_picture_is_said_to(ax):
    low = size(50, [0, 1, 2], [0.1, 0.3, 0.2])
    BatchSizeStudy((*CURVES, low), regression=False).plot(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["1", "10", "100", "50, below the picture"]
    assert ax.get_ylim()[0] > 30


def test_losses_that_are_infinite_are_not_drawn(ax):
    wild = size(10, [0, 1, 2, 3], [5.0, math.inf, 2.0, 1.0])
    BatchSizeStudy((wild,), regression=True).plot(ax)
    assert not any(np.isinf(line.get_ydata()).any() for line in ax.get_lines())
    assert ax.get_yscale() == "linear"  # from 2 to 1


def test_for_regression_the_target_lies_on_the_way_from_the_first_loss_to_the_best():
    slow = size(1, [0, 1, 2, 3], [5.0, 2.0, 1.4, 1.0])
    fast = size(10, [0, 1, 2, 3], [5.0, 1.6, 1.5, NAN])
    study = BatchSizeStudy((slow, fast), regression=True, target=0.85)
    # From 5 to 1, 85 % of the way: 1.6.
    assert study.best == 1.0
    assert study.threshold == pytest.approx(1.6)
    assert study.suggestion == 10
    assert study.table()["best loss"] == [1.0, 1.5]


def test_equally_fast_sizes_give_the_smaller():
    curves = tuple(size(m, [0, 1], [0.1, 0.9]) for m in (20, 5))
    assert BatchSizeStudy(curves, regression=False).suggestion == 5


def test_a_target_reached_late_asks_for_more_seconds():
    late = BatchSizeStudy(CURVES[:1], regression=False, share=3.0)
    assert late.suggestion == 1
    assert "give more seconds" in late.verdict
    assert "give more seconds" not in BatchSizeStudy(CURVES[:1], False, 0.9, 3.0).verdict


def test_the_table_says_what_became_of_each_size():
    table = BatchSizeStudy(CURVES, regression=False, target=0.97).table()
    assert table.columns == (
        "size",
        "learning rate",
        "epochs",
        "s an epoch",
        "best %",
        "s to 97.00 %",
    )
    assert table.rows[1] == (10, 1.0, 2.0, 0.75, 98.0, 1.5)


def test_the_picture_has_the_best_so_far_of_each_size_and_where_it_reaches_the_target(ax):
    BatchSizeStudy(CURVES, regression=False, target=0.97).plot(ax)
    steps = {line.get_label(): line for line in ax.get_lines() if line.get_drawstyle() != "default"}
    np.testing.assert_allclose(steps["100"].get_xydata(), [(0.2, 96), (0.4, 100), (0.6, 100)])
    dots = [line.get_xydata()[0].tolist() for line in ax.get_lines() if line.get_marker() == "o"]
    assert dots == [[2, 97], [1.5, 98], [0.4, 100]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("seconds of training", "validation accuracy (%)")
    assert ax.get_xscale() == "log"


# ---- mini-batch sizes: how they are trained ----------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Every epoch that fit trains, of whatever length, takes exactly a second."""
    ticks = itertools.count()
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))


@pytest.mark.usefixtures("clock")
def test_each_size_trains_until_its_share_of_the_seconds_is_used_up(net, digits):
    study = nn.batch_size_study(
        net, digits.take(100), learning_rate=0.1, sizes=(10, 50), seconds=6.5
    )
    # One part an epoch; 3.25 s each are used up after the fourth.
    assert study.share == 3.25
    assert [curve.epochs for curve in study.curves] == [4.0, 4.0]
    assert [curve.seconds for curve in study.curves] == [(0, 1, 2, 3, 4)] * 2


@pytest.mark.usefixtures("clock")
def test_sizes_take_turns_and_the_one_that_has_used_the_least_time_is_next(
    net, digits, monkeypatch
):
    turns, train = [], _in_turns.Trial.train
    monkeypatch.setattr(
        _in_turns.Trial, "train", lambda trial: (turns.append(trial.size), train(trial))
    )
    nn.batch_size_study(net, digits.take(100), learning_rate=0.1, sizes=(10, 50), seconds=4)
    assert turns == [50, 10, 50, 10, 50]  # the first of them warms up


@pytest.mark.usefixtures("clock")
def test_an_epoch_is_finished_though_its_share_is_used_up(net, digits):
    study = nn.batch_size_study(net, digits.take(600), learning_rate=0.1, sizes=[5], seconds=0.5)
    # 600 samples hold six parts of 20 mini-batches of 5, each of which takes a second here.
    (curve,) = study.curves
    assert (curve.epochs, curve.trained, len(curve.seconds)) == (1.0, 6.0, 7)


@pytest.mark.usefixtures("clock")
def test_epochs_of_one_part_are_trained_together_up_to_the_next_evaluation(
    net, digits, monkeypatch
):
    epochs, fit = [], nn.Network.fit
    monkeypatch.setattr(
        nn.Network, "fit", lambda *a, **given: (epochs.append(given["epochs"]), fit(*a, **given))[1]
    )
    data = digits.take(100)
    nn.batch_size_study(net, data, learning_rate=0.1, sizes=[10], seconds=45)
    # One to warm up; then 45, as the next test has them.
    trained = [n for n in epochs if n]
    assert trained == [1] + [1] * 21 + [2] * 10 + [3, 1]
    twin = net.copy().reset()
    twin.fit(data.train, epochs=23, learning_rate=0.1)
    study = nn.batch_size_study(net, data, learning_rate=0.1, sizes=[10], seconds=23)
    assert study.curves[0].values[-1] == twin.accuracy(data.validation)


@pytest.mark.usefixtures("clock")
def test_evaluations_grow_apart_and_the_end_is_always_evaluated(net, digits):
    study = nn.batch_size_study(net, digits.take(100), learning_rate=0.1, sizes=[10], seconds=45)
    seconds = study.curves[0].seconds
    assert seconds[:22] == tuple(range(22))  # 5 % of 20 parts are one
    assert seconds[22:] == (23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 44, 45)


def test_parts_are_all_samples_once_in_the_order_of_the_seed(digits):
    train = digits.train[:1000]
    parts = _in_turns.parts_of(train, 10, seed=3)
    assert [len(part) for part in parts] == [200] * 5
    order = shuffled(1000, 3)
    np.testing.assert_array_equal(np.concatenate([part.y for part in parts]), train.y[order])
    np.testing.assert_array_equal(np.concatenate([part.x for part in parts]), train.x[order])
    assert len(_in_turns.parts_of(digits.train, 1, seed=3)) == _in_turns.MOST_PARTS
    assert _in_turns.parts_of(train, 100, seed=3) == [train]


@pytest.mark.parametrize(
    ("scale", "rates"),
    [("linear", [0.05, 0.5, 2.0]), ("sqrt", [0.5 * math.sqrt(0.1), 0.5, 1.0]), (None, [0.5] * 3)],
)
def test_the_rate_is_scaled_from_the_size_it_is_meant_for(net, digits, scale, rates):
    study = nn.batch_size_study(
        net, digits.take(100), learning_rate=0.5, sizes=(40, 1, 10), seconds=1e-9, scale=scale
    )
    assert [curve.size for curve in study.curves] == [1, 10, 40]
    assert [curve.learning_rate for curve in study.curves] == pytest.approx(rates)
    other = nn.batch_size_study(
        net, digits.take(100), learning_rate=0.5, sizes=[5], seconds=1e-9, batch_size=20
    )
    assert other.curves[0].learning_rate == 0.125


@pytest.mark.parametrize(("n", "sizes"), [(60, [1, 2, 5, 10, 20, 50]), (100, [*TENS, 100])])
def test_the_usual_sizes_go_as_far_as_there_are_samples(net, digits, n, sizes):
    study = nn.batch_size_study(net, digits.take(n), learning_rate=0.1, seconds=1e-9)
    assert [curve.size for curve in study.curves] == sizes


def test_training_in_parts_is_fit_on_each_with_the_penalty_of_all(net, digits):
    data = digits.take(450)
    study = nn.batch_size_study(
        net, data, learning_rate=0.5, sizes=[10], seconds=1e-9, momentum=0.5, l2=2.0
    )
    twin, order, values = net.copy().reset(), shuffled(450, 1), []
    for rows in (order[:225], order[225:]):
        twin.fit(
            data.train.x[rows], data.train.y[rows],
            epochs=1, learning_rate=0.5, momentum=0.5, l2=1.0,
        )  # fmt: skip
        values.append(twin.accuracy(data.validation))
    assert study.curves[0].values[1:] == tuple(values)


def test_every_size_starts_from_the_weights_of_the_seed(net, digits):
    start = net.accuracy(digits.validation)
    net.fit(digits.train, epochs=1, learning_rate=0.5)
    study = nn.batch_size_study(
        net, digits.take(100), learning_rate=0.5, sizes=(1, 10), seconds=1e-9
    )
    assert [curve.values[0] for curve in study.curves] == [start, start]


@pytest.mark.usefixtures("clock")
def test_a_size_that_diverges_is_recorded(regression, line):
    study = nn.batch_size_study(
        regression, line, learning_rate=0.5, sizes=(1, 10, 200), seconds=180, scale="linear"
    )
    assert [curve.diverged for curve in study.curves] == [False, False, True]
    assert study.suggestion in (1, 10)
    assert study.curves[0].values[-1] < study.curves[0].values[0]


def test_studies_leave_the_network_as_it_was(net, digits):
    net.fit(digits.train, epochs=1, learning_rate=0.5)
    before = state(net)
    nn.batch_size_study(net, digits.take(100), learning_rate=0.5, sizes=(1, 10), seconds=1e-9)
    nn.learning_curve(net, digits, learning_rate=0.5, sizes=(50, 100), epochs=1, seeds=1)
    assert same(before, state(net))
    assert net.n_threads is None


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"sizes": ()}, ValueError, r"sizes must hold at least one size, got \(\)"),
        ({"sizes": 10}, TypeError, "sizes must be a sequence of integers, got 10"),
        ({"sizes": (0, 1)}, ValueError, "each of sizes must be an integer from 1 to 100, got 0"),
        ({"sizes": (101,)}, ValueError, "from 1 to 100, got 101"),
        ({"sizes": (1.5,)}, TypeError, r"from 1 to 100, got 1\.5"),
        ({"sizes": (5, 5)}, ValueError, "sizes must differ from each other"),
        ({"seconds": 0}, ValueError, "seconds must be a finite number > 0, got 0"),
        ({"seconds": NAN}, ValueError, "seconds must be a finite number > 0, got nan"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
        ({"scale": "log"}, ValueError, "scale must be one of 'linear', 'sqrt', got 'log': or None"),
        ({"target": 1.1}, ValueError, r"target must be a share of at most 1, got 1\.1"),
        ({"target": 0}, ValueError, "target must be a finite number > 0, got 0"),
        ({"l2": -1}, ValueError, "l2 must be a finite number >= 0, got -1"),
        ({"momentum": 1}, ValueError, "momentum must be"),
        ({"verbose": 7}, ValueError, "verbose must be"),
    ],
)
def test_batch_size_study_refuses(net, digits, change, kind, words):
    given = {"learning_rate": 0.5, "sizes": (1, 10), "seconds": 1e-9} | change
    with pytest.raises(kind, match=words):
        nn.batch_size_study(net, digits.take(100), **given)


@pytest.mark.parametrize("study", [nn.batch_size_study, nn.learning_curve])
def test_studies_need_a_network_and_a_dataset_with_a_validation_set_that_fits(study, net, digits):
    with pytest.raises(ValueError, match="data must have a validation set, got Dataset"):
        study(net, nn.Dataset(digits.train), learning_rate=0.5)
    with pytest.raises(TypeError, match="data must be a Dataset, got Split"):
        study(net, digits.train, learning_rate=0.5)
    with pytest.raises(TypeError, match="net must be a Network, got 'net'"):
        study("net", digits, learning_rate=0.5)
    with pytest.raises(ValueError, match="x must have 3 columns"):
        study(nn.Network([3, 10]), digits, learning_rate=0.5)


# ---- learning curves ---------------------------------------------------------------------------


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
