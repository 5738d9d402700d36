"""What ends a fit and paces it, on scripted curves: the right epoch is worked out by hand."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import training

nan = math.nan

#: A fit of scripted validation accuracies: network, history, parameters after each epoch.
Scripted = tuple[nn.Network, nn.History, list[np.ndarray]]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Fits a small network whose validation accuracy is given epoch by epoch."""

    def run(accuracies: Sequence[float], **settings: Any) -> Scripted:
        values = iter(accuracies)

        def evaluations(self: Any, due: bool) -> dict[str, float]:
            value = next(values)
            return {"val_loss": 1 - value if due else nan, "val_accuracy": value if due else nan}

        monkeypatch.setattr(training.Run, "_evaluations", evaluations)
        after: list[np.ndarray] = []

        def note(net: nn.Network, history: nn.History) -> None:
            after.append(net.weights[0].copy())

        net = nn.Network([2, 3, 1], seed=4)
        xor = nn.datasets.xor()
        settings = {"learning_rate": 1.0, "momentum": 0.5, "validation": xor, **settings}
        history = net.fit(xor, callbacks=note, **settings)
        return net, history, after

    return run


def test_training_ends_when_the_patience_is_used_up(scripted: Any) -> None:
    # Best at 2; 3, 4, 5 bring nothing better: 5 - 2 = 3.
    net, history, after = scripted([0.5, 0.7, 0.6, 0.7, 0.65, 0.9], early_stopping=3)
    assert len(history) == 5
    assert history.stop_reason == (
        "val_accuracy no better for 3 epochs; "
        "the parameters are those of epoch 2, the best by val_accuracy (0.7)"
    )
    assert (net.weights[0] == after[1]).all()
    assert (after[1] != after[4]).any()


def test_a_better_value_in_the_last_moment_begins_the_patience_anew(scripted: Any) -> None:
    # Best at 1, 2 and 3 worse, 4 better, then 5, 6, 7 worse: 7 - 4 = 3.
    _, history, _ = scripted([0.5, 0.4, 0.4, 0.6, 0.1, 0.1, 0.1, 0.9], early_stopping=3)
    assert len(history) == 7


def test_better_means_by_more_than_min_delta(scripted: Any) -> None:
    # From 0.5 only more than 0.75 counts: 0.75 itself does not, 0.875 does.
    curve = [0.5, 0.625, 0.75, 0.875, 1.0, 1.0, 1.0, 1.0]
    stopping = nn.EarlyStopping(patience=3, min_delta=0.25)
    net, history, after = scripted(curve, early_stopping=stopping)
    assert len(history) == 7  # best at 4
    assert (net.weights[0] == after[3]).all()


def test_a_loss_is_to_fall(scripted: Any) -> None:
    # val_loss is 1 - val_accuracy: lowest at epoch 2.
    stopping = nn.EarlyStopping(monitor="val_loss", patience=2)
    _, history, _ = scripted([0.5, 0.7, 0.6, 0.6, 0.9], early_stopping=stopping)
    assert len(history) == 4
    assert "epoch 2, the best by val_loss (0.3)" in history.stop_reason


def test_a_cost_that_is_worked_out_can_be_monitored(scripted: Any) -> None:
    stopping = nn.EarlyStopping(monitor="val_cost", patience=2)
    _, history, _ = scripted([0.5, 0.7, 0.6, 0.6, 0.9], early_stopping=stopping, l2=1e-9)
    assert len(history) == 4


def test_patience_grows(scripted: Any) -> None:
    # {1: 2, 4: 4}: best at 3. At 4 and 5 the limit is 4 already, so 3 + 4 = 7 ends it.
    curve = [0.1, 0.2, 0.3, 0.2, 0.2, 0.2, 0.2, 0.9]
    _, history, _ = scripted(curve, early_stopping=nn.EarlyStopping(patience={1: 2, 4: 4}))
    assert len(history) == 7
    _, history, _ = scripted(curve, early_stopping=2)
    assert len(history) == 5


def test_before_the_first_limit_nothing_ends(scripted: Any) -> None:
    # Best at 1. From epoch 6 on the limit is 2, and 6 - 1 has reached it.
    curve = [0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9]
    _, history, _ = scripted(curve, early_stopping=nn.EarlyStopping(patience={6: 2}))
    assert len(history) == 6


def test_epochs_that_are_not_evaluated_count_and_are_never_best(scripted: Any) -> None:
    # Evaluated at 2, 4, 6: best at 2; 4 - 2 < 3, 5 - 2 = 3.
    net, history, after = scripted([1, 0.5, 1, 0.4, 1, 0.6], early_stopping=3, evaluate_every=2)
    assert len(history) == 5
    assert (net.weights[0] == after[1]).all()


def test_without_any_value_the_patience_counts_from_the_beginning(scripted: Any) -> None:
    net, history, after = scripted([nan] * 9, early_stopping=3)
    assert len(history) == 3
    assert history.stop_reason == "val_accuracy no better for 3 epochs"
    assert (net.weights[0] == after[2]).all()


def test_the_rate_drops_after_the_patience_and_the_last_drop_ends(scripted: Any) -> None:
    # Best at 2. Drops after 4 (4 - 2 = 2), 6 (6 - 4), and the third, after 8, ends training.
    plateau = nn.DropOnPlateau(divide_by=10, patience=2, n_drops=3)
    curve = [0.5, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.9]
    _, history, _ = scripted(curve, schedule=plateau)
    assert list(history["learning_rate"]) == [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]
    reason = "drop 3 of the learning rate was due: val_accuracy no better for 2 epochs"
    assert history.stop_reason == reason


def test_a_better_value_after_a_drop_counts_from_its_own_epoch(scripted: Any) -> None:
    # Best at 1, drop after 3; better at 4; next drop after 6.
    plateau = nn.DropOnPlateau(patience=2, n_drops=2)
    _, history, _ = scripted([0.5, 0.4, 0.4, 0.6, 0.4, 0.4, 0.9], schedule=plateau)
    assert list(history["learning_rate"]) == [1, 1, 1, 0.5, 0.5, 0.5]


def test_a_drop_begins_the_patience_of_early_stopping_anew(scripted: Any) -> None:
    # Best at 1. The rate drops after 3; without that the stopper (3) would end after 4. With it:
    # after 5 the second drop, after 7 the third, after 9 the fourth, which ends. The stopper
    # never gets to 3 epochs since a drop.
    plateau = nn.DropOnPlateau(patience=2, n_drops=4)
    curve = [0.5] + [0.4] * 12
    _, history, _ = scripted(curve, schedule=plateau, early_stopping=3)
    assert len(history) == 9
    assert history.stop_reason.startswith("drop 4 of the learning rate was due")
    # With a patience of 5 for the drops and 3 for the stopper it is the stopper: 4 - 1 = 3.
    slow = nn.DropOnPlateau(patience=5)
    _, history, _ = scripted(curve, schedule=slow, early_stopping=3)
    assert len(history) == 4


def test_where_both_are_due_the_drop_comes_first_and_spares_the_fit(scripted: Any) -> None:
    # Best at 1: after 4 both have waited three epochs. The rate drops, so the stopper waits again;
    # after 7 both are due once more, and this drop is the last.
    plateau = nn.DropOnPlateau(patience=3, n_drops=2)
    _, history, _ = scripted([0.5] + [0.4] * 9, schedule=plateau, early_stopping=3)
    assert list(history["learning_rate"]) == [1, 1, 1, 1, 0.5, 0.5, 0.5]
    assert history.drops == (5,)
    assert history.stop_reason.startswith("drop 2 of the learning rate was due")


def test_after_a_drop_the_stopper_still_ends(scripted: Any) -> None:
    # The rate drops once, after epoch 3 (3 - 1 = 2). From 4 on the schedule's column gets better
    # every epoch, the stopper's does not: 6 - 3 = 3.
    plateau = nn.DropOnPlateau(monitor="val_loss", patience=2)
    stopping = nn.EarlyStopping(monitor="loss", min_delta=100.0, patience=3)
    curve = [0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    _, history, _ = scripted(curve, schedule=plateau, early_stopping=stopping)
    assert list(history["learning_rate"]) == [1, 1, 1, 0.5, 0.5, 0.5]
    assert history.stop_reason.startswith("loss no better for 3 epochs")


def test_restore_best_false_leaves_what_is_reached(scripted: Any) -> None:
    stopping = nn.EarlyStopping(patience=2, restore_best=False)
    net, history, after = scripted([0.7, 0.6, 0.6], early_stopping=stopping)
    assert history.stop_reason == "val_accuracy no better for 2 epochs"
    assert history.restored is None
    assert (net.weights[0] == after[2]).all()


def test_with_the_best_parameters_the_velocity_is_forgotten_and_counters_go_on(
    scripted: Any,
) -> None:
    net, _, _ = scripted([0.7, 0.6, 0.6], early_stopping=2)
    assert net._core.counters == (3, 3)
    state = net._core.snapshot(net._trainer)[2]
    assert state[1] == [None] * len(state[1])
    net, _, _ = scripted([0.7, 0.6], epochs=2)
    state = net._core.snapshot(net._trainer)[2]
    assert state[1][0] is not None


def test_after_all_epochs_the_best_parameters_come_back_too(scripted: Any) -> None:
    net, history, after = scripted([0.7, 0.6, 0.6], early_stopping=9, epochs=3)
    assert history.stop_reason.startswith("all 3 epochs done; the parameters are those of epoch 1")
    assert (net.weights[0] == after[0]).all()


def test_epochs_are_those_of_this_fit_and_the_sentence_has_the_networks(scripted: Any) -> None:
    net, _, _ = scripted([0.9, 0.9], epochs=2)
    again = nn.Network._restored(net.__getstate__(), net.dtype)
    values = iter([0.3, 0.2, 0.2])
    training.Run._evaluations = lambda self, due: {"val_loss": 0.0, "val_accuracy": next(values)}
    xor = nn.datasets.xor()
    history = again.fit(xor, validation=xor, learning_rate=1.0, early_stopping=2)
    assert list(history["epoch"]) == [3, 4, 5]
    assert "those of epoch 3" in history.stop_reason
    assert history.restored == again.history.restored == 3


def test_the_restored_epoch_is_that_of_the_last_fit_that_trained(scripted: Any) -> None:
    net, history, _ = scripted([0.7, 0.6, 0.6], early_stopping=2)
    net.fit(nn.datasets.xor(), epochs=0, learning_rate=1.0)
    assert history.restored == net.history.restored == 1
    net.fit(nn.datasets.xor(), epochs=1, learning_rate=1.0)
    assert net.history.restored is None


def test_an_interrupt_gives_the_best_parameters_back() -> None:
    xor, after = nn.datasets.xor(), []

    def note(net: nn.Network, history: nn.History) -> None:
        after.append(net.weights[0].copy())
        if len(history) == 4:
            raise KeyboardInterrupt

    net = nn.Network([2, 3, 1], seed=4)
    stopping = nn.EarlyStopping(monitor="val_loss")
    with pytest.raises(KeyboardInterrupt):
        # A rate that is far too high: the first epochs are the best.
        net.fit(xor, validation=xor, learning_rate=50.0, early_stopping=stopping, callbacks=note)
    best, _ = net.history.best("val_loss")
    assert net.history.restored == best
    assert len(net.history) == 4
    assert best < 4
    assert (net.weights[0] == after[best - 1]).all()
    assert net.history.stop_reason.startswith("ended by KeyboardInterrupt; the parameters are")


def test_a_divergence_gives_the_best_parameters_back_and_says_so() -> None:
    x = np.linspace(-1, 1, 20)[:, None]
    net = nn.Network([1, nn.Dense(1, activation="linear")], seed=1)

    def spoil(net: nn.Network, history: nn.History) -> None:
        if len(history) == 3:
            net.weights[0][:] = 1e30

    with pytest.raises(
        FloatingPointError, match="the network is as it was after epoch 3, its best"
    ):
        net.fit(x, x[:, 0], validation=(x, x[:, 0]), learning_rate=0.1, early_stopping=9,
                callbacks=spoil)  # fmt: skip
    assert abs(net.weights[0]).max() < 10


def test_the_learning_rate_column_says_what_was_used() -> None:
    """A fit of a schedule equals fits of one epoch each at those rates, bit for bit."""
    xor = nn.datasets.xor()
    net = nn.Network([2, 3, 1], seed=4)
    schedule = nn.Exponential(0.5)
    history = net.fit(xor, learning_rate=2.0, momentum=0.9, epochs=4, schedule=schedule)
    assert list(history["learning_rate"]) == [2.0, 1.0, 0.5, 0.25]
    other = nn.Network([2, 3, 1], seed=4)
    for rate in history["learning_rate"]:
        other.fit(xor, learning_rate=rate, momentum=0.9, epochs=1)
    assert (other.weights[0] == net.weights[0]).all()
    plain = nn.Network([2, 3, 1], seed=4)
    plain.fit(xor, learning_rate=2.0, momentum=0.9, epochs=4)
    assert (plain.weights[0] != net.weights[0]).any()


def test_a_function_of_the_epoch_is_called_once_an_epoch_in_order() -> None:
    asked = []

    def schedule(epoch: int) -> float:
        asked.append(epoch)
        return 1.0 / epoch

    history = nn.Network([2, 1], seed=1).fit(
        nn.datasets.xor(), learning_rate=1.0, epochs=3, schedule=schedule
    )
    assert asked == [1, 2, 3]
    assert list(history["learning_rate"]) == [1.0, 0.5, 1.0 / 3.0]


def test_a_callback_finds_what_schedule_and_stopper_have_decided() -> None:
    xor, seen = nn.datasets.xor(), []

    def note(net: nn.Network, history: nn.History) -> None:
        assert net._run is not None
        assert net._run.stopper is not None
        seen.append((net._run.stopper.best.epoch, net._run.pace.last_drop))

    settings = {
        "early_stopping": nn.EarlyStopping(monitor="loss", min_delta=1e9),
        "schedule": nn.DropOnPlateau(monitor="loss", min_delta=1e9, patience=1),
    }
    nn.Network([2, 1]).fit(xor, learning_rate=0.1, epochs=3, callbacks=note, **settings)
    assert seen == [(1, 0), (1, 2), (1, 3)]


def test_callbacks_are_called_after_the_last_epoch_too(scripted: Any) -> None:
    _, history, after = scripted([0.7, 0.6, 0.6], early_stopping=2)
    assert len(after) == len(history) == 3
