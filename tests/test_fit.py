"""fit: what is validated, what the History holds, what is shown."""

from typing import Any

import numpy as np
import pytest
from fits import X, Y, fit, network, same_fit

import nnlearn as nn
from nnlearn import Dense

# ---------------------------------------------------------------- validation


def test_a_validation_set_changes_no_bit_of_training() -> None:
    for validation in (None, (X, Y), [X, Y], nn.Split(X, Y), {"a": (X, Y), "b": nn.Split(X, Y)}):
        same_fit({"learning_rate": 0.3}, {"learning_rate": 0.3, "validation": validation})


def test_validation_is_evaluated_after_the_epoch() -> None:
    for validation in ((X[:9], Y[:9]), nn.Split(X[:9], Y[:9]), (X[:9].tolist(), Y[:9].tolist())):
        net = network()
        history = fit(net, epochs=2, validation=validation)
        assert history["val_loss"][-1] == net.loss(X[:9], Y[:9])
        assert history["val_accuracy"][-1] == net.accuracy(X[:9], Y[:9])


def test_a_mapping_names_its_columns() -> None:
    net = network()
    history = fit(net, validation={"dev": (X[:9], Y[:9]), "a b": nn.Split(X, Y)})
    assert history["dev_loss"].tolist() == [net.loss(X[:9], Y[:9])]
    assert history["a b_accuracy"].tolist() == [net.accuracy(X, Y)]
    assert history.columns[-4:] == ("dev_loss", "dev_accuracy", "a b_loss", "a b_accuracy")
    assert "val_loss" not in history


def held_out_rows(share: float, labels: Any, **settings: Any) -> list[int]:
    """Rows held out: every sample has an input of its own, whose weights training alone moves."""
    n = len(labels)
    net = nn.Network([n, 2], seed=1)
    before = net.weights[0].copy()
    net.fit(np.eye(n), labels, epochs=1, learning_rate=0.5, validation=share, **settings)
    return np.flatnonzero((net.weights[0] == before).all(axis=1)).tolist()


def test_a_share_is_held_out_by_the_seed_and_stratified() -> None:
    labels = np.repeat([0, 1], [40, 20])
    held = held_out_rows(0.25, labels)
    assert len(held) == 15
    assert (labels[held] == 0).sum() == 10
    assert held == held_out_rows(0.25, labels)
    assert held == held_out_rows(0.25, labels.tolist())
    other = held_out_rows(0.25, labels, seed=99)
    assert other != held
    assert (labels[other] == 0).sum() == 10


def test_targets_are_held_out_without_strata() -> None:
    assert len(held_out_rows(0.25, np.full((40, 2), 0.5))) == 10
    assert len(held_out_rows(np.float32(0.5), np.zeros((4, 2)))) == 2


def test_the_next_fit_holds_out_the_same_rows() -> None:
    """So that what was held out is never trained on."""
    labels = np.repeat([0, 1], [40, 20])
    net = nn.Network([60, 2], seed=1)
    before = net.weights[0].copy()
    for _ in range(3):
        net.fit(np.eye(60), labels, epochs=1, learning_rate=0.5, validation=0.25)
    assert (net.weights[0] == before).all(axis=1).sum() == 15


def test_the_weights_of_samples_go_with_their_rows() -> None:
    labels = np.arange(60) % 2
    weighed = np.arange(60) >= 30  # the first half has weight 0
    still = held_out_rows(0.2, labels, sample_weight=weighed * 1.0)
    held = held_out_rows(0.2, labels)
    assert sorted({*still}) == sorted({*held, *range(30)})


def test_a_held_out_share_is_evaluated() -> None:
    history = fit(network(), epochs=2, validation=0.2)
    assert history.columns[-2:] == ("val_loss", "val_accuracy")
    assert np.isfinite(history["val_loss"]).all()
    assert len(history.step_loss) == 2 * 3  # 24 of 30 rows, batches of 10


# ---------------------------------------------------------------- History

ALWAYS = ("epoch", "loss", "penalty", "accuracy", "seconds", "learning_rate")


def test_columns() -> None:
    net = network()
    assert fit(net).columns == ALWAYS
    assert fit(net, validation=(X, Y)).columns == (*ALWAYS, "val_loss", "val_accuracy")
    trained = (*ALWAYS, "train_loss", "train_accuracy")
    assert fit(net, evaluate_train=True).columns == trained
    history = fit(net, evaluate_train=True, validation={"dev": (X, Y)})
    assert set(history.columns) == {*trained, "dev_loss", "dev_accuracy"}
    assert all(history[column].dtype == np.float64 for column in history.columns)


def test_columns_of_regression_have_no_accuracy() -> None:
    net = nn.Network([4, Dense(1, activation="linear")], seed=1)
    history = net.fit(X, Y, epochs=1, learning_rate=0.1, evaluate_train=True, validation=(X, Y))
    assert set(history.columns) == {*ALWAYS, "train_loss", "val_loss"} - {"accuracy"}


def test_one_batch_an_epoch_records_the_network_before_its_step() -> None:
    net = network(dtype="float64")
    loss, accuracy = net.loss(X, Y), net.accuracy(X, Y)
    history = fit(net, batch_size=30, l1=0.3, l2=0.6, learning_rate=0.25)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-14)  # the same sum in another order
    assert history["accuracy"][0] == accuracy
    assert history["learning_rate"].tolist() == [0.25]
    w = np.concatenate([weight.ravel() for weight in net.weights])
    penalty = 0.3 / 30 * np.abs(w).sum() + 0.6 / 60 * (w**2).sum()  # of the epoch's end
    assert history["penalty"][0] == pytest.approx(penalty, rel=1e-13)
    assert history["cost"][0] == history["loss"][0] + history["penalty"][0]
    assert history["seconds"][0] > 0
    assert history.prepare_seconds > 0
    assert history.step_loss.dtype == np.float32
    assert history.step_loss.tolist() == [np.float32(history["loss"][0])]


def test_the_loss_of_an_epoch_weighs_batches_by_their_length() -> None:
    history = fit(network(), batch_size=20, learning_rate=1.0)
    first, second = history.step_loss.astype(np.float64)
    # Two float32 losses, and the double that their rounding came from.
    assert history["loss"][0] == pytest.approx((20 * first + 10 * second) / 30, rel=1e-6)


def test_sample_weights_weigh_the_loss_and_are_not_normalised() -> None:
    w = np.arange(30) % 4 * 0.5
    net = network(dtype="float64")
    each = np.array([net.loss(X[i : i + 1], Y[i : i + 1]) for i in range(30)])
    history = fit(net, batch_size=30, sample_weight=w)
    assert history["loss"][0] == pytest.approx((w * each).mean(), rel=1e-13)


def test_evaluate_train_is_the_network_after_the_epoch() -> None:
    net = network()
    history = fit(net, epochs=3, evaluate_train=True)
    assert history["train_loss"][-1] == net.loss(X, Y)
    assert history["train_accuracy"][-1] == net.accuracy(X, Y)
    assert history["train_loss"][-1] != history["loss"][-1]


def test_evaluate_first_is_the_network_before_training() -> None:
    net = network()
    loss, accuracy = net.loss(X, Y), net.accuracy(X, Y)
    history = fit(net, evaluate_first=True, evaluate_train=True)
    assert history.start == {"train_loss": loss, "train_accuracy": accuracy}
    assert fit(net, evaluate_train=True).start is None
    assert net.history.start == history.start


def test_evaluate_every() -> None:
    history = fit(network(), epochs=6, evaluate_every=3, evaluate_train=True, validation=(X, Y))
    for column in ("val_loss", "val_accuracy", "train_loss", "train_accuracy"):
        assert np.isnan(history[column]).tolist() == [True, True, False, True, True, False]
    assert np.isfinite(history["loss"]).all()


def test_evaluating_seldom_changes_no_bit_of_training() -> None:
    base = {"learning_rate": 0.3, "validation": (X, Y)}
    same_fit(base, base | {"evaluate_every": 7, "evaluate_train": True, "evaluate_first": True})


def test_the_networks_history_is_that_of_all_fits() -> None:
    net = network()
    first, second = fit(net, epochs=2), fit(net, epochs=3, validation=(X, Y), learning_rate=0.2)
    assert first["epoch"].tolist() == [1, 2]
    assert second["epoch"].tolist() == [3, 4, 5]
    assert net.history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert net.history["learning_rate"].tolist() == [0.1, 0.1, 0.2, 0.2, 0.2]
    assert net.history.columns == second.columns
    assert np.isnan(net.history["val_loss"]).tolist() == [True, True, False, False, False]
    expected = [*first.step_loss, *second.step_loss]
    assert net.history.step_loss.tolist() == expected
    assert net.history is not second
    assert first["epoch"].tolist() == [1, 2]


def test_what_is_not_recorded_is_a_key_error_that_says_how() -> None:
    with pytest.raises(KeyError, match=r"epoch, loss, .*got 'val_loss': fit records it with valid"):
        fit(network())["val_loss"]


def test_stop_reasons() -> None:
    def enough(net: nn.Network, history: nn.History) -> bool:
        return True

    assert fit(network(), epochs=2).stop_reason == "all 2 epochs done"
    assert fit(network(), callbacks=enough).stop_reason == "callback enough returned True"


# ---------------------------------------------------------------- what it shows


@pytest.mark.parametrize("verbose", [None, 0])
def test_nothing_is_shown_where_there_is_no_terminal(
    verbose: int | None, capfd: pytest.CaptureFixture[str]
) -> None:
    fit(network(), epochs=3, verbose=verbose, validation=(X, Y))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, True])
def test_verbose_shows_a_plain_line_an_epoch_on_stderr(
    verbose: int, capfd: pytest.CaptureFixture[str]
) -> None:
    fit(network(), epochs=3, verbose=verbose)
    out, err = capfd.readouterr()
    assert out == ""
    assert "3" in err
    assert "loss" in err
    assert "\r" not in err
    assert "\x1b" not in err
