"""Studies of mini-batch size: the rules by hand, and small real runs."""

import itertools
import math
from types import SimpleNamespace

import noisy_line
import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn import training
from nnlearn._holdout import shuffled
from nnlearn.recipes import _in_turns
from nnlearn.recipes.batch_sizes import BatchSizeStudy, SizeCurve

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
    return noisy_line.data()


@pytest.fixture
def regression():
    return noisy_line.network()


def size(m, seconds, values, **more):
    return SizeCurve(m, 0.1 * m, 2.0, seconds[-1], tuple(seconds), tuple(values), **more)


# ---- what is concluded --------------------------------------------------------------------------

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


# ---- how sizes are trained ----------------------------------------------------------------------


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
