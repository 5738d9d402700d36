"""find_l2: what is tried and in which order, which penalty is best, the result."""

import functools
import math
import statistics

import numpy as np
import pytest
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn.recipes import penalties
from nnlearn.recipes._copies import Copies
from nnlearn.recipes.penalties import Measure, PenaltyTrial

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
DATA = nn.Dataset((X[:60], Y[:60]), validation=(X[60:], Y[60:]))

#: So many validation samples that no difference is noise.
SHARP = Measure(True, 10**12)


def make_net():
    return nn.Network([4, 5, 3], seed=7)


def trial(l2, accuracy, loss=1.0, rate=0.5):
    return PenaltyTrial(l2, rate, (accuracy,), (1,), (accuracy,), (loss,))


def search(accuracy, *, loss=lambda l2, rate: 1.0, start=1.0, rate=0.5, measure=SHARP):
    """What the search finds, and what it asked for, where nothing is trained."""
    asked = []

    def attempt(l2, rate):
        asked.append((l2, rate))
        if accuracy(l2, rate) is None:
            return PenaltyTrial(l2, rate, (), (), (), (), 1)
        return trial(l2, accuracy(l2, rate), loss(l2, rate), rate)

    found = penalties._search(attempt, start, rate, measure)
    assert len(set(asked)) == len(asked)
    return found, [l2 for l2, r in asked if r == rate], [r for _, r in asked if r != rate]


def peak(*, l2, rate=0.5):
    """An accuracy that is highest at these settings, and lower by each order of magnitude away."""

    def accuracy(at, rate_at):
        distance = abs(math.log10(at / l2)) if at else 8.0
        return 0.9 - 0.05 * distance - 0.02 * abs(math.log2(rate_at / rate))

    return accuracy


# ---- the order of the search, by hand ------------------------------------------------------------


def test_by_tens_up_and_down_then_round_numbers_around_the_best():
    found, asked, _ = search(peak(l2=5.0))
    # 10 is nearer to 5 than 1 is, 100 is not, nor is 0.1; then what lies from 1 to 100
    assert asked == [0.0, 1.0, 10.0, 100.0, 0.1, 2.0, 5.0, 20.0, 50.0]
    assert found.suggestion == 5.0


def test_a_start_that_is_too_large_is_divided_until_it_gets_no_better():
    found, asked, _ = search(peak(l2=0.002))
    assert asked[:6] == [0.0, 1.0, 10.0, 0.1, 0.01, 0.001]
    assert asked[6:] == [0.0001, 0.0002, 0.0005, 0.002, 0.005]
    assert found.suggestion == 0.002


def test_another_start_is_refined_by_round_numbers_as_well():
    found, asked, _ = search(peak(l2=0.3), start=0.3)
    assert asked == [0.0, 0.3, 3.0, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    assert found.suggestion == 0.3


def test_no_penalty_may_be_the_best_and_wins_among_equals():
    found, asked, _ = search(lambda l2, rate: 0.9 - 0.01 * l2)
    assert asked[:4] == [0.0, 1.0, 10.0, 0.1]
    assert found.suggestion == 0.0
    assert search(lambda l2, rate: 0.9)[0].suggestion == 0.0


def test_the_rate_is_doubled_and_halved_while_that_is_better():
    found, _, rates = search(peak(l2=1.0, rate=2.0))
    assert rates == [1.0, 2.0, 4.0, 0.25]
    assert (found.suggestion, found.held_rate, found.learning_rate) == (1.0, 0.5, 2.0)
    found, _, rates = search(peak(l2=1.0, rate=0.25))
    assert rates == [1.0, 0.25, 0.125]
    assert found.learning_rate == 0.25
    found, _, rates = search(peak(l2=1.0, rate=1e6))
    assert rates[:-1] == [2.0**k for k in range(6)]  # six doublings of 0.5, not more


def test_the_rate_stays_where_another_has_a_lower_loss_but_a_lower_accuracy():
    measure = Measure(True, 10_000)  # 0.3 % of noise
    search_with = functools.partial(search, loss=lambda l2, rate: 1.0 / rate, measure=measure)
    lower = {0.5: 0.9, 1.0: 0.899, 2.0: 0.9, 4.0: 0.8}
    found, _, rates = search_with(lambda l2, rate: lower.get(rate, 0.7))
    assert rates == [1.0, 2.0, 4.0, 0.25]
    assert found.learning_rate == 2.0  # beyond one that is no choice
    found, _, _ = search_with(lambda l2, rate: {0.5: 0.9, 1.0: 0.899}.get(rate, 0.7))
    assert found.learning_rate == 0.5
    assert found.verdict.endswith("no other rate tried with it is better.")


def test_other_rates_are_tried_with_the_best_penalty():
    found, _, _ = search(peak(l2=5.0, rate=1.0))
    others = [t for t in found.trials if t.learning_rate != 0.5]
    assert {t.l2 for t in others} == {5.0}
    assert [t.learning_rate for t in others] == [0.25, 1.0, 2.0]


def test_trials_are_sorted_by_penalty_and_end_with_other_rates():
    found, _, _ = search(peak(l2=1.0))
    held = [t.l2 for t in found.trials if t.learning_rate == 0.5]
    assert held == [0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    assert [t.learning_rate for t in found.trials[len(held) :]] == [0.25, 1.0]


def test_what_diverges_is_out():
    found, asked, _ = search(lambda l2, rate: None if l2 > 1.0 else peak(l2=5.0)(l2, rate))
    assert 100.0 not in asked
    assert found.suggestion == 1.0
    diverged = [t.l2 for t in found.trials if t.diverged]
    assert diverged == [2.0, 5.0, 10.0]


def test_a_start_that_diverges_is_divided():
    def accuracy(l2, rate):
        return None if l2 > 0.05 else peak(l2=0.01)(l2, rate)

    found, asked, _ = search(accuracy)
    assert asked == [0.0, 1.0, 0.1, 0.01, 0.001, 0.002, 0.005, 0.02, 0.05]
    assert found.suggestion == 0.01


def test_that_all_diverge_is_an_error():
    with pytest.raises(FloatingPointError, match=r"every l2 tried: lower learning_rate \(0.5\)"):
        search(lambda l2, rate: None)


def test_that_all_but_no_penalty_diverge_is_none():
    found, _, _ = search(lambda l2, rate: 0.9 if l2 == 0.0 else None)
    assert found.suggestion == 0.0


# ---- which one is best ---------------------------------------------------------------------------


def test_within_the_noise_of_the_highest_accuracy_the_loss_decides():
    measure = Measure(True, 10_000)
    assert measure.noise(0.9) == pytest.approx(0.003)
    high, near, far = trial(0, 0.9, 1.0), trial(1, 0.8971, 0.5), trial(2, 0.8969, 0.1)
    assert measure.best([high, near, far]) is near
    assert measure.best([high, far]) is high
    assert SHARP.best([high, near, far]) is high


def test_losses_that_differ_by_less_than_a_thousandth_are_the_same():
    measure = Measure(False, 100)
    first, same, better = trial(0, 0, 1.0), trial(1, 0, 0.9995), trial(2, 0, 0.998)
    assert measure.best([first, same]) is first
    assert measure.best([first, same, better]) is better
    assert not measure.is_better(same, first)
    assert measure.is_better(better, first)


def test_a_trial_that_diverged_is_never_better():
    good, bad = trial(0, 0.1, 9.0), PenaltyTrial(1, 0.5, (), (), (), (), 2)
    assert SHARP.is_better(good, bad)
    assert not SHARP.is_better(bad, good)
    assert not SHARP.is_better(bad, bad)


def test_regression_is_decided_by_the_least_loss():
    def loss(l2, rate):
        return 1.0 - peak(l2=5.0)(l2, rate)

    found, _, _ = search(loss, loss=loss, measure=Measure(False, 100))
    assert found.suggestion == 5.0


# ---- real training -------------------------------------------------------------------------------


def test_trials_hold_what_fits_by_hand_reach():
    settings = {"batch_size": 5, "epochs": 8}
    found = nn.find_l2(make_net(), DATA, learning_rate=0.5, seeds=2, **settings)
    tried = next(t for t in found.trials if (t.l2, t.learning_rate) == (1.0, 0.5))
    for k in (0, 1):
        net = make_net().reset(7 + k)
        fit = net.fit(DATA.train, validation=DATA.validation, learning_rate=0.5, l2=1.0, **settings)
        assert (tried.epochs[k], tried.best[k]) == fit.best("val_accuracy")
        assert tried.last[k] == fit["val_accuracy"][-1] != fit["val_accuracy"][0]
        assert tried.losses[k] == fit["val_loss"].min()
    assert found.measure == Measure(True, 30)


def test_regression_compares_losses():
    data = nn.Dataset((X[:60], X[:60, 0]), validation=(X[60:], X[60:, 0]))
    net = nn.Network([4, nn.Dense(1, "linear")], seed=1)
    found = nn.find_l2(net, data, learning_rate=0.1, epochs=5, seeds=1)
    assert not found.measure.is_accuracy
    assert all(t.best == t.losses for t in found.trials)
    best = min(found.trials, key=lambda t: t.loss)
    chosen = (found.suggestion, found.learning_rate)
    chosen = next(t for t in found.trials if (t.l2, t.learning_rate) == chosen)
    assert chosen.loss <= best.loss * 1.001
    assert found.table().columns == (
        "l2", "learning rate", "best loss", "sd", "at epoch", "last loss", "diverged",
    )  # fmt: skip
    assert ax_of(found).get_ylabel() == "validation loss"


def test_a_penalty_of_which_weights_grow_diverges_and_is_out():
    settings = {"batch_size": 1, "epochs": 3, "seeds": 2}
    found = nn.find_l2(make_net(), DATA, learning_rate=0.5, start=1e3, **settings)
    # a step multiplies weights by 1 - 0.5 l2 / 60: by -7.3 with 1,000
    assert [t.l2 for t in found.trials if t.diverged][-1] == 1e3
    assert found.suggestion < 100.0


def test_the_network_comes_back_as_it_was():
    net = make_net()
    net.fit(X, Y, epochs=2, learning_rate=0.1)
    before = net.copy()
    nn.find_l2(net, DATA, learning_rate=0.5, epochs=1, seeds=1)
    assert net.history == before.history
    for name, array in net.parameters.items():
        np.testing.assert_array_equal(array, before.parameters[name])


def test_the_number_of_threads_changes_nothing():
    results = [
        nn.find_l2(make_net(), DATA, learning_rate=0.5, epochs=2, n_jobs=n) for n in (1, 2, 5)
    ]
    assert results[0] == results[1] == results[2]


# ---- bad input -----------------------------------------------------------------------------------

RATE = "learning_rate must be a finite number > 0, got"
BAD = [
    ({"learning_rate": 0}, ValueError, f"{RATE} 0"),
    ({"learning_rate": math.nan}, ValueError, f"{RATE} nan"),
    ({"learning_rate": None}, TypeError, f"{RATE} None"),
    ({"start": 0.0}, ValueError, "start must be a finite number > 0, got 0.0"),
    ({"start": math.inf}, ValueError, "start must be a finite number > 0, got inf"),
    ({"epochs": 0}, ValueError, "epochs must be an integer >= 1, got 0"),
    ({"verbose": "1"}, TypeError, "verbose must be None, 0 or 1, got '1'"),
    ({"seeds": 0}, ValueError, "seeds must be an integer >= 1, got 0"),
    ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
    ({"net": None}, TypeError, "net must be a Network, got None"),
    ({"data": DATA.train}, TypeError, "data must be a Dataset, got Split: 60 samples"),
    (
        {"data": nn.Dataset(DATA.train)},
        ValueError,
        "data must have a validation set, got Dataset: 60 training; 4 inputs float32, labels 0 to "
        "2: datasets.from_arrays(x, y, validation=0.1) holds one out",
    ),
    (
        {"data": nn.Dataset(DATA.train, (X[60:] * [1, 1, 1, math.nan], Y[60:]))},
        ValueError,
        "validation x must be finite, got nan at row 0",
    ),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD)
def test_bad_input_is_refused_before_anything_trains(given, kind, message, monkeypatch):
    monkeypatch.setattr(Copies, "train", lambda *_, **__: pytest.fail("it trained"))
    settings = {"net": make_net(), "data": DATA, "learning_rate": 0.5, **given}
    with pytest.raises(kind) as caught:
        nn.find_l2(settings.pop("net"), settings.pop("data"), **settings)
    assert str(caught.value).startswith(message)


# ---- what is shown -------------------------------------------------------------------------------


def ax_of(found):
    return found.plot(Figure().subplots())


def test_the_table_gives_percent_spread_and_epochs():
    found = nn.find_l2(make_net(), DATA, learning_rate=0.5, epochs=3, seeds=3)
    table, tried = found.table(), found.trials[0]
    assert table.columns == (
        "l2", "learning rate", "best %", "sd", "at epoch", "last %", "least loss", "diverged",
    )  # fmt: skip
    assert table.rows[0] == (
        0.0,
        0.5,
        100 * statistics.fmean(tried.best),
        100 * statistics.stdev(tried.best),
        statistics.fmean(tried.epochs),
        100 * statistics.fmean(tried.last),
        statistics.fmean(tried.losses),
        0,
    )
    assert "3 seeds" in table.title
    assert repr(found) == f"{table}\n{found.verdict}"


def test_the_noise_in_the_title_is_that_of_the_rate_that_was_held():
    measure = Measure(True, 400)
    # Held: 0.5 at the best, sqrt(0.5 0.5 / 400) = 2.5 %. With another rate 0.9: 1.5 %.
    found, _, rates = search(lambda l2, rate: 0.5 if rate == 0.5 else 0.9, measure=measure)
    assert rates
    assert found.table().title.endswith("; least loss decides within 2.50 of the highest")


def test_each_training_is_shown_as_it_goes_on(capsys):
    found = nn.find_l2(make_net(), DATA, learning_rate=0.5, epochs=1, seeds=1, verbose=1)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(found.trials)
    assert said[0].startswith("1 of 1 networks with l2 0, learning rate 0.5 trained in ")


def test_verdicts_say_what_is_best_and_how_good():
    assert search(peak(l2=1.0))[0].verdict == (
        "At a learning rate of 0.5 l2=1 is best (90.00 %, validation loss 1; without a penalty "
        "50.00 %, validation loss 1), and no other rate tried with it is better."
    )
    assert search(lambda l2, rate: 0.9 if l2 == 0.0 else None)[0].verdict == (
        "At a learning rate of 0.5 it is best without a penalty (90.00 %, validation loss 1), and "
        "no other rate tried with it is better."
    )
    assert search(peak(l2=1.0, rate=1.0))[0].verdict.endswith(
        "; with it learning_rate=1 is better (90.00 %, validation loss 1)."
    )
    none = search(lambda l2, rate: None if l2 == 0.0 else 0.9)[0]
    assert "without a penalty it diverges" in none.verdict


def test_the_picture_has_a_place_for_no_penalty_and_a_ring_around_the_best():
    found, _, _ = search(lambda l2, rate: None if l2 > 5.0 else peak(l2=2.0)(l2, rate))
    ax = ax_of(found)
    assert ax.get_xscale() == "symlog"
    assert list(ax.get_xticks()) == [0.0, 0.1, 1.0, 10.0]
    assert ax.get_xlim()[0] < 0.0
    lines = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_allclose(lines["learning rate 0.5"].get_xdata(), [0.1, 0.2, 0.5, 1, 2, 5])
    np.testing.assert_allclose(lines["without a penalty"].get_ydata(), [50.0, 50.0])
    np.testing.assert_allclose(lines["best: l2 = 2"].get_xydata(), [[2.0, 90.0]])
    assert ax.get_ylabel() == "validation accuracy (%)"
    assert ax.get_xlabel() == "l2"


def test_the_picture_of_no_penalty_alone():
    found, _, _ = search(lambda l2, rate: 0.9 if l2 == 0.0 else None)
    ax = ax_of(found)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert "learning rate 0.5" not in lines
    assert {float(x) for line in ax.get_lines() for x in line.get_xdata()} == {0.0, 1.0}
    for line in ax.get_lines():  # all at the one accuracy, and nothing else, such as a mark's name
        np.testing.assert_allclose(np.asarray(line.get_ydata(), float), 90.0)
    assert ax.get_legend().get_texts()[0].get_text() == "without a penalty"
    np.testing.assert_allclose(lines["best: l2 = 0"].get_xydata(), [[0.0, 90.0]])
