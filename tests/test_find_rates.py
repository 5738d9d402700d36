"""find_learning_rate: what is tried and in which order, what a rate that works is, the result."""

import math
import signal
import threading
import time

import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn.comparison import Run
from nnlearn.history import History
from nnlearn.recipes import rates
from nnlearn.recipes._copies import Copies
from nnlearn.recipes.rates import LearningRates, RateTrial, powers_of_ten, round_between

FALLS, STAYS, RISES = (3.0, 2.0, 1.0, 0.5), (3.0, 3.0, 3.0, 3.0), (3.0, 4.0)
NAN = math.nan

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def make_net(**settings):
    return nn.Network([4, 5, 3], **{"seed": 7, **settings})


def scripted(curve_of):
    """`attempt` for the search that trains nothing, and the list of the rates it was asked for."""
    asked = []

    def attempt(rate):
        asked.append(rate)
        return RateTrial(rate, (curve_of(rate),))

    return attempt, asked


def search(curve_of, start):
    attempt, asked = scripted(curve_of)
    trials, threshold = rates.search_threshold(attempt, start, lambda trial: trial.works(3))
    assert [trial.learning_rate for trial in trials] == sorted(asked)
    return asked, threshold


def up_to(limit):
    return lambda rate: FALLS if rate <= limit else RISES


# ---- the order of the search, by hand ------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "limit", "asked", "threshold"),
    [
        (0.01, 0.7, [0.01, 0.1, 1.0, 0.2, 0.5], 0.5),
        (0.01, 0.4, [0.01, 0.1, 1.0, 0.2, 0.5], 0.2),
        (0.01, 0.1, [0.01, 0.1, 1.0, 0.2], 0.1),
        (0.01, 30.0, [0.01, 0.1, 1.0, 10.0, 100.0, 20.0, 50.0], 20.0),
        (1.0, 0.03, [1.0, 0.1, 0.01, 0.02, 0.05], 0.02),
        (1.0, 0.9, [1.0, 0.1, 0.2, 0.5], 0.5),
        (0.03, 0.6, [0.03, 0.3, 3.0, 0.5, 1.0], 0.5),  # round numbers, whatever the start
        (0.03, 0.4, [0.03, 0.3, 3.0, 0.5], 0.3),
        (0.01, 3e-6, [0.01, 1e-3, 1e-4, 1e-5, 1e-6, 2e-6, 5e-6], 2e-6),
    ],
)
def test_tens_until_the_boundary_then_round_numbers_up_to_the_first_that_fails(
    start, limit, asked, threshold
):
    assert search(up_to(limit), start) == (asked, threshold)


def test_a_rate_that_works_above_one_that_fails_is_not_asked_for():
    asked, threshold = search(lambda rate: FALLS if rate in (0.01, 0.1, 0.5) else RISES, 0.01)
    assert asked == [0.01, 0.1, 1.0, 0.2]
    assert threshold == 0.1


def test_the_search_ends_when_nothing_works_and_when_everything_does():
    down = [0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10]
    assert search(lambda rate: RISES, 0.01) == (down, None)
    up = [0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]
    assert search(lambda rate: FALLS, 0.01) == (up, None)


def test_a_start_with_which_nothing_changes_is_too_low():
    def curve(rate):
        return STAYS if rate < 0.05 else up_to(0.4)(rate)

    assert search(curve, 0.001) == ([0.001, 0.01, 0.1, 1.0, 0.2, 0.5], 0.2)


def test_no_rate_between_standing_still_and_rising_has_no_threshold():
    assert search(lambda rate: STAYS if rate < 0.05 else RISES, 0.01) == ([0.01, 0.1], None)
    # from above: below a rate with which nothing changes, nothing changes either
    assert search(lambda rate: STAYS if rate < 0.05 else RISES, 1.0) == ([1.0, 0.1, 0.01], None)


def test_standing_still_above_a_rate_that_works_fails():
    asked, threshold = search(lambda rate: FALLS if rate < 0.15 else STAYS, 0.01)
    assert (asked, threshold) == ([0.01, 0.1, 1.0, 0.2], 0.1)


def test_powers_of_ten_are_the_floats_that_one_writes():
    assert list(powers_of_ten(0.01, 1, 4)) == [0.1, 1.0, 10.0, 100.0]
    assert list(powers_of_ten(0.3, -1, 4)) == [0.03, 0.003, 0.0003, 0.00003]
    assert list(powers_of_ten(1e305, 1)) == [1e306, 1e307, 1e308]
    assert list(powers_of_ten(5e-323, -1)) == [5e-324]


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.1, 1.0, [0.2, 0.5]),
        (0.2, 0.5, []),
        (0.3, 3.0, [0.5, 1.0, 2.0]),
        (0.2, 20.0, [0.5, 1.0, 2.0, 5.0, 10.0]),
        (1e-10, 1e-9, [2e-10, 5e-10]),
    ],
)
def test_round_numbers_between(low, high, numbers):
    assert round_between(low, high) == numbers


# ---- what a rate that works is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("curves", "falls", "outcome"),
    [
        ([FALLS, FALLS], 2, "works"),
        ([FALLS, (3.0, 2.0, 1.0, 1.0)], 1, "stands still in epoch 3"),  # equal is no fall
        ([(3.0, 2.0, 2.5), RISES], 0, "rises in epoch 1"),
        ([FALLS, (3.0, 2.0, NAN)], 1, "rises in epoch 2"),
        ([FALLS, (3.0, math.inf)], 1, "rises in epoch 1"),
        ([(3.0, 3.0), (2.0, 2.0)], 0, "stands still"),
        ([(3.0, 3.0), (2.0, 1.0, 0.5, 0.2)], 1, "stands still in epoch 1"),
        ([(3.0, 3.0), RISES], 0, "rises in epoch 1"),
        ([(3.0, 2.0, 2.0), (3.0, 4.0)], 0, "rises in epoch 1"),
        ([(5.0, 0.0, 0.0, 0.0), FALLS], 2, "works"),  # below 0 there is nothing
        ([(5.0, 0.0, 0.0, 0.1)], 0, "rises in epoch 3"),
        ([(0.0, 0.0, 0.0, 0.0)], 0, "stands still"),  # nothing was learnt
    ],
)
def test_a_rate_works_when_the_loss_falls_in_each_epoch_for_all_seeds(curves, falls, outcome):
    trial = RateTrial(0.1, tuple(curves))
    assert trial.falls(3) == falls
    assert trial.works(3) == (falls == len(curves))
    assert trial.outcome(3) == outcome


def test_a_rate_that_diverges_fails_also_if_the_loss_fell_until_then():
    trial = RateTrial(0.1, ((3.0, 2.0), FALLS), diverged=1)
    assert (trial.falls(3), trial.outcome(3)) == (1, "diverges")
    assert not RateTrial(0.1, ((3.0,),), diverged=1).stands_still


def test_means_are_over_the_seeds_that_came_so_far():
    trial = RateTrial(0.1, ((4.0, 2.0, 1.0), (2.0, 3.0)))
    assert [trial.mean(epoch) for epoch in (0, 1, 2)] == [3.0, 2.5, 1.0]
    assert math.isnan(trial.mean(3))


def history_of(losses):
    history = History(["epoch", "train_loss"])
    history.start = {"train_loss": losses[0]}
    for epoch, loss in enumerate(losses[1:], 1):
        history._append({"epoch": epoch, "train_loss": loss})
    return history


def test_the_result_follows_from_the_losses_of_all_seeds(monkeypatch):
    curves = {
        0.01: [(3.0, 2.9, 2.8, 2.7), (3.0, 2.9, 2.8, 2.7)],
        0.1: [(3.0, 2.0, 1.5, 1.2), (3.0, 2.0, 1.5, 1.3)],
        0.2: [(3.0, 1.5, 1.0, 0.7), (3.0, 1.5, 1.0, 0.9)],
        0.5: [(3.0, 1.0, 0.8, 0.7), (3.0, 1.0, 1.1)],
        1.0: [(3.0, 3.5), (3.0,)],
    }
    fits = []

    def train(self, where, *, epochs, learning_rate, **settings):
        fits.append((learning_rate, epochs))
        error = FloatingPointError("NaN")
        histories = [history_of(losses) for losses in curves[learning_rate]]
        return tuple(
            Run(None, history, seed, NAN, error=None if len(history) else error)
            for seed, history in enumerate(histories)
        )

    monkeypatch.setattr(Copies, "train", train)
    found = nn.find_learning_rate(make_net(), X, Y, seeds=2)
    assert fits == [(0.01, 3), (0.1, 3), (1.0, 3), (0.2, 3), (0.5, 3)]
    assert (found.threshold, found.suggestion) == (0.2, 0.1)
    table = found.table()
    assert table.columns[:3] == ("learning rate", "before", "epoch 1")
    assert table["learning rate"] == [0.01, 0.1, 0.2, 0.5, 1.0]
    assert table["falls for"] == ["2 of 2", "2 of 2", "2 of 2", "1 of 2", "0 of 2"]
    assert table["verdict"] == ["works", "works", "works", "rises in epoch 2", "diverges"]
    np.testing.assert_allclose(table["epoch 3"], [2.7, 1.25, 0.8, 0.7, NAN])
    assert found.verdict == (
        "Up to a learning rate of 0.2 the training loss falls in each of 3 epochs for all 2 seeds,"
        " while 0.5 rises in epoch 2: take half of the first, 0.1."
    )
    assert repr(found) == f"{table}\n{found.verdict}"


# ---- real training -------------------------------------------------------------------------------


def parabola(threshold):
    """Inputs and targets of a loss that is a parabola in one weight, w from 0 to 1.

    Gradient descent on (s^2 / 2) (w - 1)^2 multiplies w - 1 by 1 - eta s^2: the loss falls for
    0 < eta < 2 / s^2 and for no other rate. The targets' mean is 0, so the bias stays 0.
    """
    s = math.sqrt(2.0 / threshold)
    x = np.array([[s], [-s], [s], [-s]])
    net = nn.Network([1, nn.Dense(1, "linear", init="zeros")], dtype="float64", seed=0)
    return net, x, x[:, 0].copy()


@pytest.mark.parametrize(
    ("limit", "threshold"), [(0.3, 0.2), (0.7, 0.5), (1.5, 1.0), (0.0015, 0.001), (70.0, 50.0)]
)
def test_the_threshold_of_a_parabola_is_two_over_its_curvature(limit, threshold):
    net, x, y = parabola(limit)
    found = nn.find_learning_rate(net, x, y, batch_size=4, seeds=1)
    assert (found.threshold, found.suggestion) == (threshold, threshold / 2)
    for trial in found.trials:
        shrinks = (1.0 - 2.0 * trial.learning_rate / limit) ** 2  # the loss, each epoch
        expected = 1.0 / limit * shrinks ** np.arange(len(trial.losses[0]))
        np.testing.assert_allclose(trial.losses[0], expected, rtol=1e-9)


def test_a_seed_stops_after_the_first_epoch_in_which_the_loss_does_not_fall():
    net, x, y = parabola(0.3)
    found = nn.find_learning_rate(net, x, y, batch_size=4, epochs=4, seeds=2)
    lengths = {trial.learning_rate: [len(c) for c in trial.losses] for trial in found.trials}
    assert lengths[0.2] == [5, 5]
    assert lengths[1.0] == [2, 2]


def test_a_rate_at_which_training_diverges_fails():
    net, x, y = parabola(0.3)
    found = nn.find_learning_rate(net, np.tile(x, (100, 1)), np.tile(y, 100), start=1e4, seeds=2)
    worst = found.trials[-1]
    assert (worst.learning_rate, worst.diverged, worst.outcome(3)) == (1e4, 2, "diverges")
    assert [len(curve) for curve in worst.losses] == [1, 1]
    assert 0.0 < found.threshold < 0.3


def test_a_loss_that_comes_to_0_has_not_failed():
    net = nn.Network([2, 2], cost="hinge", seed=0)
    settings = {"start": 1.0, "batch_size": 1, "seeds": 1}
    found = nn.find_learning_rate(net, 3 * np.eye(2), [0, 1], **settings)
    trial = next(t for t in found.trials if t.learning_rate == 1.0)
    assert trial.losses[0][1:] == (0.0, 0.0, 0.0)
    assert trial.outcome(3) == "works"
    ax = found.plot(Figure().subplots())
    crosses = {line.get_ydata()[0] for line in ax.get_lines() if line.get_marker() == "x"}
    assert 0.0 not in crosses


def test_data_that_cannot_be_learnt_get_no_suggestion_but_a_reason():
    net, x, _ = parabola(0.3)
    found = nn.find_learning_rate(net, x, np.zeros(4), batch_size=4, seeds=1)
    assert found.threshold is found.suggestion is None
    assert "There is no learning rate from" in found.verdict
    assert found.table()["verdict"][0] == "stands still"


def test_copy_k_begins_as_reset_by_the_seed_plus_k():
    net = make_net(seed=2**64 - 1)
    found = nn.find_learning_rate(net, X, Y, seeds=3)
    starts = [net.copy().reset(seed).loss(X, Y) for seed in (2**64 - 1, 0, 1)]
    assert [curve[0] for curve in found.trials[0].losses] == starts
    assert starts[0] == net.loss(X, Y)


def test_the_losses_are_those_of_a_fit_with_the_same_settings():
    settings = {"batch_size": 7, "l2": 2.0}
    found = nn.find_learning_rate(make_net(), X, Y, start=0.1, epochs=2, seeds=1, **settings)
    trial = next(t for t in found.trials if t.learning_rate == 0.1)
    history = make_net().fit(X, Y, epochs=2, learning_rate=0.1, evaluate_train=True, **settings)
    assert trial.losses[0][1:] == tuple(history["train_loss"])


def test_the_network_comes_back_as_it_was():
    net = make_net()
    net.fit(X, Y, epochs=2, learning_rate=0.1, momentum=0.5)
    before = net.copy()
    nn.find_learning_rate(net, X, Y)
    assert net.history == before.history
    assert net.seed == before.seed
    for name, array in net.parameters.items():
        np.testing.assert_array_equal(array, before.parameters[name])
    again = [n.fit(X, Y, epochs=1, learning_rate=0.1, momentum=0.5)["loss"] for n in (net, before)]
    assert again[0] == again[1]


def test_what_a_network_has_learnt_plays_no_part():
    trained = make_net()
    trained.fit(X, Y, epochs=5, learning_rate=0.5)
    assert nn.find_learning_rate(trained, X, Y) == nn.find_learning_rate(make_net(), X, Y)


def test_the_number_of_threads_changes_nothing():
    found = [nn.find_learning_rate(make_net(), X, Y, n_jobs=n) for n in (1, 2, 5)]
    assert found[0] == found[1] == found[2]


def test_a_split_stands_for_x_and_y():
    split = nn.Split(X, Y)
    assert nn.find_learning_rate(make_net(), split) == nn.find_learning_rate(make_net(), X, Y)


def test_the_data_are_converted_once_for_all_copies():
    class Counted:
        calls = 0

        def __len__(self):
            return len(X)

        def __array__(self, dtype=None, copy=None):
            self.calls += 1
            return X

    x = Counted()
    found = nn.find_learning_rate(make_net(), x, Y)
    assert len(found.trials) > 2
    assert x.calls == 1


def test_an_interrupt_ends_it_and_nothing_trains_on():
    x, y = np.tile(X, (2000, 1)), np.tile(Y, 2000)
    net = make_net()
    fits_before = threading.active_count()
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        nn.find_learning_rate(net, x, y, batch_size=1, epochs=1000)
    timer.join()
    deadline = time.monotonic() + 10.0
    while threading.active_count() > fits_before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= fits_before
    assert len(net.history) == 0


def test_each_training_is_shown_as_it_goes_on(capsys):
    found = nn.find_learning_rate(make_net(), X, Y, seeds=2, verbose=1)
    said = [line for line in capsys.readouterr().err.splitlines() if "2 of 2" in line]
    rates_said = [
        line.partition("2 of 2 networks with learning rate ")[2].split()[0] for line in said
    ]
    assert sorted(map(float, rates_said)) == [trial.learning_rate for trial in found.trials]
    nn.find_learning_rate(make_net(), X, Y, seeds=1)
    assert capsys.readouterr().err == ""


# ---- bad input -----------------------------------------------------------------------------------

BAD = [
    ({"start": 0}, ValueError, "start must be a finite number > 0, got 0"),
    ({"start": -0.1}, ValueError, "start must be a finite number > 0, got -0.1"),
    ({"start": NAN}, ValueError, "start must be a finite number > 0, got nan"),
    ({"start": "0.1"}, TypeError, "start must be a finite number > 0, got '0.1'"),
    ({"epochs": 0}, ValueError, "epochs must be an integer >= 1, got 0"),
    ({"epochs": 2.0}, TypeError, "epochs must be an integer >= 1, got 2.0"),
    ({"seeds": 0}, ValueError, "seeds must be an integer >= 1, got 0"),
    ({"seeds": [1, 2]}, TypeError, "seeds must be an integer >= 1, got [1, 2]"),
    ({"verbose": 2}, ValueError, "verbose must be None, 0 or 1, got 2"),
    ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
    ({"l2": -1.0}, ValueError, "l2 must be a finite number >= 0, got -1.0"),
    ({"y": None}, TypeError, "y must be given beside x, got None"),
    ({"net": "net"}, TypeError, "net must be a Network, got 'net'"),
    (
        {"net": nn.Network},
        TypeError,
        f"net must be a Network, got {nn.Network!r}: call it: Network([784, 30, 10])",
    ),
    (
        {"x": np.where(np.arange(60)[:, None] == 3, NAN, X)},
        ValueError,
        "x must be finite, got nan at row 3",
    ),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD)
def test_bad_input_is_refused_before_anything_trains(given, kind, message, monkeypatch):
    monkeypatch.setattr(Copies, "train", lambda *_, **__: pytest.fail("it trained"))
    settings = {"net": make_net(), "x": X, "y": Y, **given}
    with pytest.raises(kind) as caught:
        nn.find_learning_rate(settings.pop("net"), settings.pop("x"), **settings)
    assert str(caught.value).startswith(message)


# ---- what is shown -------------------------------------------------------------------------------


def result(*trials, threshold=None, seeds=1):
    return LearningRates(tuple(trials), 3, seeds, threshold)


def test_verdicts_say_why_there_is_no_threshold():
    low, high = RateTrial(0.1, (FALLS,)), RateTrial(10.0, (FALLS,))
    assert result(low, high).verdict == (
        "By every learning rate up to 10 the training loss falls in each of 3 epochs for the one "
        "seed: there is no threshold to halve."
    )
    low, high = RateTrial(0.1, (RISES,)), RateTrial(10.0, (RISES,))
    assert result(low, high).verdict == (
        "There is no learning rate from 0.1 to 10 by which the training loss falls in each of 3 "
        "epochs for the one seed: look at the scale of the data and at the start weights, or try "
        "larger batches."
    )


def test_the_picture_has_a_line_for_each_seed_and_a_cross_where_one_fails():
    good = RateTrial(0.1, (FALLS, FALLS))
    bad = RateTrial(1.0, ((3.0, 2.0, 2.5), (3.0, math.inf)))
    ax = result(good, bad, threshold=0.1, seeds=2).plot(Figure().subplots())
    lines = [line for line in ax.get_lines() if line.get_marker() != "x"]
    crosses = [line for line in ax.get_lines() if line.get_marker() == "x"]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", "--"]
    np.testing.assert_array_equal(lines[2].get_ydata(), [3.0, 2.0, 2.5])
    np.testing.assert_array_equal(lines[3].get_ydata(), [3.0, NAN])
    assert tuple(*crosses[0].get_xydata()) == (2.0, 2.5)
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["0.1: works", "1: rises in epoch 1"]
    assert legend.get_title().get_text() == "learning rate: threshold 0.1, suggestion 0.05"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "training loss")
    assert ax.get_yscale() == "log"  # from 3 to 0.5


def test_the_picture_without_a_threshold_says_so():
    ax = result(RateTrial(0.1, (RISES,))).plot(Figure().subplots())
    assert ax.get_legend().get_title().get_text() == "learning rate: no threshold found"


def test_a_result_is_no_learning_rate() -> None:
    xor = nn.datasets.xor()
    found = nn.find_learning_rate(nn.Network([2, 2, 1], seed=1), xor, epochs=1, seeds=1)
    with pytest.raises(TypeError, match=r"learning_rate must be .* holds: give its .suggestion"):
        nn.Network([2, 1]).fit(xor, learning_rate=found)
