"""Experiments on overfitting and early stopping: what they say is so."""

import math

import numpy as np
import pytest
from divergence import CASES, check_diverged
from overfitted import (
    BOOKS,
    DATA,
    N_TEST,
    SMALL,
    asked,
    axes_of,
    check_pictures,
    check_rows,
    claim,
    compare,
    run_all,
    squares,
    values,
)

import nnlearn as nn
from nnlearn import experiments
from nnlearn.comparison import Comparison, Run
from nnlearn.experiments import Measured, Quote, _lab, overfitting
from nnlearn.history import History

NAMES = ("overfitting", "overfitting-full", "early-stopping")
PRINTED = {
    "overfitting": "82.27 374 81.92 82.21 82.23 17.73 67 73 1.2028 14 1.7731 1.843 0.00420 "
    "87.10 383 86.95 68 72 0.1154 0.8910 1.162 0.114 23860",
    "overfitting-full": "97.86 95.33 97.86 95.31 2.53 24 0.172 0.366 "
    "97.12 96.49 96.47 95.61 28 0.392 0.977",
}


@pytest.fixture(scope="module")
def results():
    return run_all(NAMES)


# ---- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_the_slides_and_are_drawn(results, name):
    check_pictures(name, results[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_quoted_number_stands_beside_numbers_of_every_seed(results, name):
    check_rows(name, results[name], PRINTED.get(name, ""))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, name, case):
    check_diverged(monkeypatch, name, DATA, case)


FULL = {
    "overfitting": ({"lambda 0": {}, "lambda 0.1": {"l2": 0.1}}, 1_000, 400),
    "overfitting-full": ({"lambda 0": {}, "lambda 5": {"l2": 0.5}}, 5_000, 30),
}


@pytest.mark.parametrize("name", FULL)
def test_in_full_the_books_settings_are_trained(name):
    variants, n, epochs = FULL[name]
    found, data, common = asked(name)
    assert found == {key: pytest.approx(own) for key, own in variants.items()}
    assert (len(data.train), common["epochs"], common["hidden"]) == (n, epochs, 30)
    assert {key: common[key] for key in BOOKS} == BOOKS


def test_in_full_early_stopping_trains_on_a_thousand_digits_and_looks_at_validation():
    variants, data, common = asked("early-stopping")
    [stopping] = [own["early_stopping"] for own in variants.values() if own]
    assert (len(data.train), common["epochs"], stopping.patience) == (1_000, 400, 10)
    assert (data.validation, stopping.monitor) == (SMALL.validation, None)  # None: val_accuracy


# ---- overfitting ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def penalised():
    untested = nn.Dataset(DATA.train, test=DATA.test)
    runs = compare({"it": {"l2": 0.05}}, untested, epochs=60, evaluate_train=True)
    return runs["it"]


def test_costs_with_a_penalty_are_added_up_as_network2_does(results, penalised):
    result = results["overfitting"]
    found = {
        "training": values(result, "lambda 0.1: last training cost, with the penalty"),
        "test": values(result, "lambda 0.1: last test cost, with network2.py's penalty"),
    }
    for k, run in enumerate(penalised):
        for name, rows in (("training", DATA.train), ("test", DATA.test)):
            network2 = run.network.loss(rows) + 0.05 / (2 * len(rows)) * squares(run.network)
            assert found[name][k] == pytest.approx(network2, rel=1e-5)
    early = values(result, "lambda 0.1: penalty after the first epoch")
    scaled = values(
        result, "lambda 0.1: network2.py's penalty of the test cost after the first epoch"
    )
    assert scaled == pytest.approx(np.multiply(early, 500 / N_TEST))


def test_what_l2_gains_is_the_difference_of_accuracies_at_the_end(results, penalised):
    result = results["overfitting"]
    free = values(result, "lambda 0: last test accuracy")
    gains = claim(result, "on 500 digits L2 raises the test accuracy")
    closed = claim(result, "on 500 digits L2 shrinks the gap between training and test accuracy")
    for k, run in enumerate(penalised):
        test, train = (100 * run.network.accuracy(rows) for rows in (DATA.test, DATA.train))
        assert gains[k] == pytest.approx(test - free[k])
        assert closed[k] == pytest.approx(gains[k] + 100 - train)  # lambda 0 learns them all
        assert values(result, "lambda 0.1: last test accuracy")[k] == pytest.approx(test)


def test_epochs_are_counted_from_0_as_in_network2(results):
    result = results["overfitting"]
    runs = compare({"it": {}}, nn.Dataset(DATA.train, test=DATA.test), epochs=60)["it"]
    for k, run in enumerate(runs):
        accuracy, loss = (np.asarray(run.history[c]) for c in ("test_accuracy", "test_loss"))
        places = {
            "epoch of the best test accuracy, from 0": np.argmax(accuracy),
            "epoch of the lowest test cost, from 0": np.argmin(loss),
        }
        for what, place in places.items():
            assert values(result, f"lambda 0: {what}")[k] == place
        for place in (30, 42):
            at = values(result, f"lambda 0: test accuracy at epoch {place}")[k]
            assert at == pytest.approx(100 * accuracy[place])
        assert values(result, "lambda 0: lowest test cost")[k] == pytest.approx(loss.min())


@pytest.mark.parametrize(
    ("accuracy", "first", "always"),
    [
        ([0.5, 1.0, 0.9, 1.0, 1.0], 1, 3),
        ([1.0, 1.0], 0, 0),
        ([1.0, 0.5], 0, math.nan),
        ([0.5, 0.9], math.nan, math.nan),
        ([], math.nan, math.nan),
    ],
)
def test_the_first_epoch_with_all_digits_right_and_the_first_from_which_on(accuracy, first, always):
    assert overfitting.whole(accuracy) == pytest.approx((first, always), nan_ok=True)


def test_the_caption_says_how_cost_and_accuracy_go_on_after_the_mark(results):
    result = results["overfitting"]
    caption = result.pictures[0].caption
    accuracy = []
    for what in ("test accuracy at epoch 42", "last test accuracy"):
        found = values(result, f"lambda 0: {what}")
        accuracy.append(f"{np.mean(found):.2f} % (sd {np.std(found, ddof=1):.2f})")
    assert f"the test accuracy from {' to '.join(accuracy)}." in caption
    cost = values(result, "lambda 0: last training cost")
    assert f" to {np.mean(cost):.4f} (sd {np.std(cost, ddof=1):.4f}), the test" in caption


@pytest.mark.parametrize("name", ["overfitting", "overfitting-full"])
def test_quotes_name_the_settings_they_were_measured_with(name):
    epochs = {"overfitting": 400, "overfitting-full": 30}[name]
    for quote in experiments.find(name).quotes.values():
        if quote.kind != "exact":
            how = f"{epochs} epochs, learning rate 0.5, batch size 10, large weights"
            assert how in quote.settings
            assert "lambda" in quote.settings
            assert (
                "test" in quote.settings
                or "training" in quote.settings
                or "of both" in quote.settings
            )


def test_the_four_panels_are_the_books(results, penalised):
    axes = axes_of(results["overfitting"])
    labels = [ax.get_ylabel().removesuffix(" (nats)").removesuffix(" (%)") for ax in axes]
    assert labels == [
        "cost on the training data",
        "accuracy on the test data",
        "cost on the test data",
        "accuracy on the training data",
    ]
    assert [ax.get_xlim() for ax in axes] == [(31, 60), (31, 60), (1, 60), (1, 60)]
    for ax, column in zip(
        axes, ("train_loss", "test_accuracy", "test_loss", "train_accuracy"), strict=True
    ):
        _, with_l2, mark = ax.get_lines()
        mean = np.mean([run.history[column] for run in penalised], axis=0)
        assert with_l2.get_ydata() == pytest.approx(mean * (100 if "accuracy" in column else 1))
        assert list(mark.get_xdata()) == [43, 43]  # 42, counted from 0
        low, high = ax.get_ylim()
        seen = with_l2.get_ydata()[int(ax.get_xlim()[0]) - 1 :]
        assert low < seen.min() < seen.max() < high


def test_the_network_of_the_slide_has_23_860_parameters(results):
    result = results["overfitting"]
    assert values(result, "weights and biases") == (784 * 30 + 30 + 30 * 10 + 10,) == (23_860,)
    assert "23,860" in result.settings["network"]
    assert "of 23,860 weights and biases on 500 digits" in result.pictures[0].caption
    assert "its digits are so few" in result.remarks[0]
    assert (
        f"on {len(DATA.test)} test digits {500 / len(DATA.test):g} of the penalty on 500 "
        in result.remarks[1]
    )
    assert "the sum over its ten outputs" in result.remarks[0]


# ---- all digits ----------------------------------------------------------------------------------


def test_the_gap_is_of_best_epochs_and_the_claim_of_its_shrinking(results):
    result = results["overfitting-full"]
    gaps = {}
    for name in ("lambda 0", "lambda 5"):
        train, test = (
            np.array(values(result, f"{name}: best {kind} accuracy"))
            for kind in ("training", "test")
        )
        gaps[name] = train - test
        gap = values(result, f"{name}: best training less best test accuracy")
        assert gap == pytest.approx(gaps[name])
    shrinks = claim(result, "on 500 digits L2 shrinks the gap between training and test accuracy")
    assert shrinks == pytest.approx(gaps["lambda 0"] - gaps["lambda 5"])


def test_the_cost_of_the_test_set_has_network2s_penalty(results):
    result = results["overfitting-full"]
    untested = nn.Dataset(DATA.train, test=DATA.test)
    runs = compare({"it": {"l2": 5 * 500 / 50_000}}, untested, epochs=8)["it"]
    for k, run in enumerate(runs):
        expected = run.network.loss(DATA.test) + 0.05 / (2 * N_TEST) * squares(run.network)
        found = values(result, "lambda 5: last test cost, with network2.py's penalty")[k]
        assert found == pytest.approx(expected, rel=1e-5)


def test_training_and_test_accuracy_lie_over_each_other(results):
    axes = axes_of(results["overfitting-full"])
    assert [ax.get_title() for ax in axes] == ["lambda 0", "lambda 5"]
    for ax in axes:
        test, train = ax.get_lines()
        assert [test.get_label(), train.get_label()] == ["test accuracy", "training accuracy"]
        assert train.get_ydata()[-1] > test.get_ydata()[-1]


# ---- early stopping ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def to_the_end():
    return compare({"it": {}}, epochs=60)["it"]


def test_training_stops_ten_epochs_after_the_best_on_validation(results, to_the_end):
    result = results["early-stopping"]
    for k, run in enumerate(to_the_end):
        accuracy = np.asarray(run.history["val_accuracy"])
        for epoch in range(1, 61):
            best = int(np.argmax(accuracy[:epoch])) + 1
            if epoch - best == 10:
                break
        kept = 100 * run.history["test_accuracy"][best - 1]
        assert values(result, "epochs trained")[k] == epoch
        assert values(result, "epochs saved")[k] == 60 - epoch
        assert values(result, "epoch whose weights are kept")[k] == best
        assert values(result, "test accuracy with the weights kept")[k] == pytest.approx(kept)
        end = 100 * run.history["test_accuracy"][-1]
        assert values(result, "test accuracy lost")[k] == pytest.approx(end - kept)


def test_choosing_the_epoch_by_the_test_set_flatters_by_what_is_said(results, to_the_end):
    result = results["early-stopping"]
    for k, run in enumerate(to_the_end):
        test = 100 * np.asarray(run.history["test_accuracy"])
        fair = test[np.argmax(run.history["val_accuracy"])]
        found = values(result, "what choosing by the test set adds to the number")[k]
        assert found == pytest.approx(test.max() - fair)
    assert "select on the test set" in result.remarks[0]


def test_the_verdict_says_what_patience_saves_and_loses(results):
    result = results["early-stopping"]
    verdict = result.verdict
    for text, what, digits in (
        ("saves {} of 60 epochs on average", "epochs saved", 1),
        ("accuracy lost by it: {}", "test accuracy lost", 2),
        ("to the number: {}.", "what choosing by the test set adds to the number", 2),
    ):
        found = values(result, what)
        unit = " percentage points" if digits == 2 else ""
        said = f"{np.mean(found):.{digits}f}{unit} (sd {np.std(found, ddof=1):.{digits}f})"
        assert text.format(said) in verdict


def test_the_picture_marks_where_each_seed_stopped_and_what_it_lost(results):
    result = results["early-stopping"]
    left, right = axes_of(result)
    marks = [(line.get_marker(), *line.get_xdata()) for line in left.get_lines()[1:]]
    trained, kept = (
        values(result, what) for what in ("epochs trained", "epoch whose weights are kept")
    )
    assert marks == [mark for k in range(2) for mark in (("o", kept[k]), ("x", trained[k]))]
    pairs = [tuple(line.get_ydata()) for line in right.get_lines() if len(line.get_xdata()) == 2]
    assert pairs == list(
        zip(
            values(result, "test accuracy with the weights kept"),
            values(result, "test accuracy after 60 epochs"),
            strict=True,
        )
    )


# ---- what they share -----------------------------------------------------------------------------


def run_of(rows, error=None):
    history = History(["epoch", "loss", "penalty", "train_loss", "test_loss", "test_accuracy"])
    for epoch, (loss, penalty, accuracy) in enumerate(rows, 1):
        history._append(
            {
                "epoch": epoch,
                "loss": loss,
                "penalty": penalty,
                "train_loss": loss,
                "test_loss": 2 * loss,
                "test_accuracy": accuracy,
            }
        )
    return Run(nn.Network([2, 2], seed=0), history, 0, math.nan, error=error)


def test_best_epochs_and_network2s_costs_leave_what_diverged_out():
    good = run_of([(1.0, 0.5, 0.8), (0.4, 0.3, 0.9), (0.5, 0.2, 0.9)])
    lost = run_of([(1.0, 0.5, 0.8)], FloatingPointError("diverged"))
    group = Comparison({"it": (good, lost)})["it"]
    assert _lab.epoch_of_best(group, "test_accuracy") == pytest.approx((2, math.nan), nan_ok=True)
    assert _lab.epoch_of_best(group, "test_loss") == pytest.approx((2, math.nan), nan_ok=True)
    found = _lab.network2_cost(group, "test_loss", 1_000, 10_000)
    assert found == pytest.approx((1.0 + 0.02, math.nan), nan_ok=True)


def test_a_number_of_one_run_is_judged_as_one_more_run():
    quote = Quote("67", "a book", "an epoch", "one run")
    assert Measured("it", (60.0, 70.0, 80.0), "", quote).judge().word == "agrees"
    assert Measured("it", (80.0, 81.0, 82.0), "", quote).judge().word == "differs"
