"""diagnose by the fit: learning rates, penalties, overfitting."""

import numpy as np
import pytest
from wrecks import (
    SOME,
    TRAIN,
    examined,
    fitted,
    heavy_penalty,
    of_kind,
    rate_too_low,
    recorded,
)

import nnlearn as nn
from nnlearn.diagnosis import kinds

# ---- rates and penalties -----------------------------------------------------------------------


def test_a_fit_that_diverged_tells_its_epoch():
    settings = {"activation": "linear", "init": "he", "cost": "quadratic"}
    layers = [784, 30, nn.Dense(10, "linear")]
    targets = nn.Split(SOME.x, np.eye(10, dtype=np.float32)[SOME.y])
    net = fitted(layers, data=targets, network=settings, epochs=3, learning_rate=50.0)
    findings = nn.diagnose(net)
    finding = of_kind(findings, kinds.RATE_HIGH)
    assert finding.epoch == 1
    assert kinds.RATE_HIGH not in findings.not_looked_at


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ([1.0, 0.5, 0.3, 0.2], False),
        ([1.0, 0.5, 0.5, 0.59], False),  # above its lowest by less than 0.1 of the first
        ([1.0, 0.5, 0.5, 0.63], True),
        ([1.0, 0.7, 0.6, 0.71], False),  # by less than a quarter
        ([1.0, 0.5, 0.4, 0.3, 0.36, 0.3, 0.36, 0.3], True),  # rises of 0.05 in the later half
        ([1.0, 0.5, 0.4, 0.3, 0.34, 0.3, 0.34, 0.3], False),
        ([1.0, 0.5, 0.56, 0.5, 0.56, 0.5, 0.5, 0.5, 0.5, 0.5], False),  # in the first half
        ([1.0, 0.5, 0.4, 0.35, 0.4, 0.36, 0.35], False),  # once
        ([1.0, 0.5, 0.4, 0.3, 0.25, 0.24, 0.235, 0.234, 0.2335, 0.23, 0.229, 0.228], False),
    ],
)
def test_a_loss_that_rises_or_swings_is_a_rate_too_high(loss, found):
    history = recorded(steps=[1.0] * 5, loss=loss, learning_rate=[0.3] * len(loss))
    findings = nn.diagnose(history)
    assert (kinds.RATE_HIGH in findings.kinds) == found
    if found:
        assert of_kind(findings, kinds.RATE_HIGH).evidence["learning_rate"] == 0.3


@pytest.mark.parametrize(("steps", "found"), [([1, 2.9], False), ([1, 3.1], True)])
def test_steps_that_climb_are_a_rate_too_high(steps, found):
    history = recorded(steps=steps, loss=[4.0, 3.9])
    assert (kinds.RATE_HIGH in nn.diagnose(history).kinds) == found
    settled = recorded(steps=steps, loss=[1.5, 0.9])
    assert nn.diagnose(settled).kinds == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_rate_ten_times_too_high_is_never_called_too_low(seed):
    net = nn.Network([784, 30, 10], seed=seed)
    net.fit(TRAIN, epochs=4, learning_rate=5.0, verbose=0)
    assert kinds.RATE_LOW not in nn.diagnose(net, TRAIN).kinds
    assert kinds.RATE_LOW not in nn.diagnose(net).kinds


@pytest.mark.parametrize(("peak", "found"), [(1.9, True), (2.1, False)])
def test_a_step_that_doubles_the_loss_is_no_rate_too_low(peak, found):
    findings = nn.diagnose(recorded(steps=[1, peak, *[1] * 600], loss=[0.9, 0.8, 0.7]))
    assert (kinds.RATE_LOW in findings.kinds) == found


def test_a_loss_that_fell_below_the_guess_after_a_climb_is_a_rate_too_high():
    net = fitted([784, 30, 10], data=TRAIN, epochs=10, learning_rate=10.0)
    history = net.history
    history.step_loss[:] = np.linspace(7, 3, history.step_loss.size)
    history._rows[-1]["loss"] = history._rows[-2]["loss"] = 2.0
    assert kinds.RATE_HIGH not in nn.diagnose(net).kinds
    history.step_loss[50] = 22.0
    assert of_kind(nn.diagnose(net), kinds.RATE_HIGH).evidence["peak"] == 22.0


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ([2.0, 1.9, 1.8], True),
        ([2.0, 1.9, 1.91], False),  # not in every epoch
        ([2.0, 1.0, 0.7], False),  # by more than a quarter in the last
        ([2.0, 0.55, 0.5], False),  # it has come far
        ([1.0001, 1.0, 0.99999], False),  # it has gone where it goes
        ([2.0, 1.9], False),  # too few epochs
    ],
)
def test_a_loss_that_falls_steadily_and_hardly_is_a_rate_too_low(loss, found):
    history = recorded(steps=[2.0] * 600, loss=loss, learning_rate=[0.001] * len(loss))
    findings = nn.diagnose(history)
    assert (kinds.RATE_LOW in findings.kinds) == found
    history.step_loss = history.step_loss[:499]
    fewer = nn.diagnose(history)
    assert kinds.RATE_LOW not in fewer.kinds
    assert fewer.not_looked_at[kinds.RATE_LOW] == "needs 3 epochs and 500 steps"


def test_without_x_a_low_rate_is_told_with_a_reserve():
    net, _, findings = examined(rate_too_low)
    reserve = "once diagnose(net, x, y) has found no other cause"
    assert reserve not in of_kind(findings, kinds.RATE_LOW).advice
    assert of_kind(nn.diagnose(net), kinds.RATE_LOW).advice.endswith(reserve)


def test_of_a_later_fit_a_low_rate_cannot_be_told():
    net = nn.Network([784, 30, 10], seed=0)
    settings = {"learning_rate": 0.0005, "verbose": 0}
    net.fit(TRAIN[:2000], epochs=3, **settings)
    history = net.fit(TRAIN[:2000], epochs=3, **settings)
    findings = nn.diagnose(history)
    assert findings.kinds == ()
    assert findings.not_looked_at[kinds.RATE_LOW] == "needs the first epoch"
    assert kinds.RATE_LOW in nn.diagnose(net).kinds


def test_weights_that_shrink_are_no_rate_too_low():
    loss = [2.0, 1.9, 1.8]
    shrinking = recorded(steps=[2.0] * 600, loss=loss, penalty=[0.1, 0.06, 0.04])
    steady = recorded(steps=[2.0] * 600, loss=loss, penalty=[0.1, 0.09, 0.08])
    assert nn.diagnose(shrinking).kinds == ()
    assert nn.diagnose(steady).kinds == (kinds.RATE_LOW,)


@pytest.mark.parametrize(("end", "found"), [(0.7, True), (0.9, False)])
def test_a_validation_loss_that_rises_is_no_rate_too_low(end, found):
    val = [0.9, 0.8, end]
    history = recorded(steps=[1.0] * 600, loss=[0.9, 0.8, 0.7], val_loss=val)
    assert (kinds.RATE_LOW in nn.diagnose(history).kinds) == found


def test_a_cause_excludes_the_rate_too_low():
    loss, steps = [2.0, 1.9, 1.8], [2.0] * 600
    ruled = recorded(steps=steps, loss=loss, penalty=[0.5, 0.5, 0.5])
    assert nn.diagnose(ruled).kinds == (kinds.PENALTY,)


@pytest.mark.parametrize(
    ("loss", "penalty", "found"),
    [
        ([1.0, 0.98], 0.25, True),
        ([1.0, 0.98], 0.24, False),
        ([1.2, 0.98], 0.25, False),  # still falling
        ([0.59, 0.58], 0.25, False),  # low enough
    ],
)
def test_a_penalty_that_rules_the_cost_is_found(loss, penalty, found):
    history = recorded(steps=[2.0] * 5, loss=loss, penalty=[penalty] * 2)
    assert (kinds.PENALTY in nn.diagnose(history).kinds) == found


def test_dead_weights_tell_lambda_over_n_and_outputs_that_do_not_vary():
    net, data, findings = examined(heavy_penalty)
    finding = of_kind(findings, kinds.PENALTY)
    assert finding.evidence["lambda/n"] == pytest.approx(1000 / len(data), rel=1e-3)
    assert finding.evidence["size"] < 0.2
    assert finding.evidence["spread"] < 0.05
    assert kinds.VANISHING not in findings.kinds
    assert of_kind(nn.diagnose(net), kinds.PENALTY).layer == finding.layer


@pytest.mark.parametrize("penalty", [0.9, 0.0])
def test_gradients_that_a_ruling_penalty_makes_vanish_are_no_finding_of_their_own(penalty):
    net = nn.Network([784, 30, 10], seed=0)
    for array in net.weights:
        array *= np.float32(1e-3)
    net.history = recorded(loss=[3.25, 3.25], cost=[3.25 + penalty] * 2, penalty=[penalty] * 2)
    found = nn.diagnose(net, SOME).kinds
    assert (kinds.PENALTY in found, kinds.VANISHING in found) == (penalty > 0, penalty == 0)


def test_a_fitting_penalty_is_no_finding():
    net = fitted([784, 30, 10], data=TRAIN, epochs=5, learning_rate=0.5, l2=0.5)
    assert nn.diagnose(net, TRAIN).kinds == ()


# ---- overfitting --------------------------------------------------------------------------------


def curves(val, loss, **columns):
    return recorded(steps=[2.0] * 5, loss=loss, val_loss=val, **columns)


def test_overfitting_begins_where_the_validation_loss_is_lowest():
    val = [1.0, 0.5, 0.4, 0.45, 0.5, 0.5, 0.55, 0.6, 0.6, 0.6]
    loss = list(np.geomspace(1, 0.01, 10))
    finding = of_kind(nn.diagnose(curves(val, loss)), kinds.OVERFITTING)
    assert finding.epoch == 3
    assert "end at epoch 3 (early_stopping)" in finding.advice


@pytest.mark.parametrize(
    ("val", "loss"),
    [
        ([1, 0.4, 0.41, 0.42, 0.43, 0.44, 0.46, 0.48], np.geomspace(1, 0.01, 8)),  # mildly
        ([1, 0.6, 0.5, 0.45, 0.4, 0.55, 0.55, 0.55], np.geomspace(1, 0.01, 8)),  # just begun
        ([1, 0.4, 0.5, 0.5, 0.5, 0.55, 0.55, 0.55], np.geomspace(1, 0.8, 8)),  # both are poor
        ([1, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.9], np.geomspace(1, 0.01, 8)),  # one bad epoch
    ],
)
def test_a_mild_or_short_rise_of_the_validation_loss_is_no_overfitting(val, loss):
    assert kinds.OVERFITTING not in nn.diagnose(curves(val, loss)).kinds


@pytest.mark.parametrize(("val", "found"), [(0.88, True), (0.92, False)])
def test_accuracies_that_part_are_overfitting_since_they_did(val, found):
    accuracy = [0.5, 0.9, *[0.99] * 8]
    columns = {"accuracy": accuracy, "val_accuracy": [0.5, 0.85, *[val] * 8]}
    findings = nn.diagnose(curves([0.4] * 10, np.geomspace(1, 0.01, 10), **columns))
    assert (kinds.OVERFITTING in findings.kinds) == found
    if found:
        assert findings[0].epoch == 3
        assert findings[0].advice.startswith("end at epoch 1")


def test_an_epoch_after_the_accuracies_parted_is_not_advised():
    accuracy, val = [0.5, 0.9, *[0.99] * 10], [0.5, 0.85, *[0.85] * 10]
    losses = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, *[0.55] * 6]
    columns = {"accuracy": accuracy, "val_accuracy": val}
    (finding,) = nn.diagnose(curves(losses, np.geomspace(1, 0.01, 12), **columns))
    assert finding.epoch == 3
    assert finding.advice == (
        "raise l2, use dropout, or get more data; to end at epoch 6, where the validation loss "
        "was lowest, is too late"
    )


def test_other_validation_sets_and_epochs_left_out_are_understood():
    val = [1.0, np.nan, 0.4, np.nan, 0.5, np.nan, 0.6, np.nan, 0.6, 0.6]
    history = recorded(steps=[2.0], loss=np.geomspace(1, 0.01, 10), dev_loss=val)
    assert of_kind(nn.diagnose(history), kinds.OVERFITTING).epoch == 3


def test_without_validation_overfitting_is_not_looked_at():
    findings = nn.diagnose(recorded(loss=[1.0, 0.5, 0.4]))
    assert findings.not_looked_at[kinds.OVERFITTING] == "fit without validation="
    assert "overfitting (fit without validation=)" in repr(findings)
