"""diagnose: every kind provoked and not, wrecks and healthy networks, bad input, the views."""

import copy
import pickle
import re

import numpy as np
import pytest

import nnlearn as nn
from nnlearn.datasets import load_mnist_small, two_moons
from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.kinds import KINDS
from nnlearn.diagnosis.observation import guess_loss, observe
from nnlearn.history import History

DIGITS = load_mnist_small()
TRAIN = DIGITS.train
SOME = TRAIN[:1000]


def fitted(layers, *, data=SOME, validation=None, network=None, **settings):
    """A network after a fit; one that diverges stays as it is then."""
    net = nn.Network(layers, seed=0, **(network or {}))
    try:
        net.fit(data, validation=validation, verbose=0, **settings)
    except FloatingPointError:
        assert net.history.stop_reason.startswith("diverged")
    return net


def recorded(*, steps=(), **columns):
    """A History with these columns, beside the epoch."""
    history = History(["epoch", *columns])
    for epoch, row in enumerate(zip(*columns.values(), strict=True), 1):
        history._append({"epoch": epoch, **dict(zip(columns, row, strict=True))})
    history.step_loss = np.array(steps, np.float32)
    return history


def of_kind(findings, kind):
    found = [finding for finding in findings if finding.kind == kind]
    assert found, f"{kind!r} is not among {findings.kinds}"
    return found[0]


# ---- eight wrecks and three healthy networks ---------------------------------------------------


def rate_too_high():
    return fitted([784, 30, 10], epochs=4, learning_rate=50.0), SOME


def rate_too_low():
    data = TRAIN[:2000]
    return fitted([784, 30, 10], data=data, epochs=4, learning_rate=0.0005), data


def large_weights():
    large = {"init": "large"}
    return fitted([784, 30, 30, 30, 10], network=large, epochs=3, learning_rate=0.5), SOME


def negative_biases():
    net = nn.Network([784, 50, 10], activation="relu", init="he", cost="log_likelihood", seed=0)
    net.biases[0] = np.full(50, -10.0, np.float32)
    net.fit(SOME, epochs=3, learning_rate=0.1, verbose=0)
    return net, SOME


def bytes_as_floats():
    data = nn.Split(SOME.x * np.float32(255), SOME.y)
    return fitted([784, 30, 10], data=data, epochs=3, learning_rate=0.5), data


def stuck_digit():
    settings = {"cost": "quadratic", "init": "large"}
    return fitted([784, 100, 10], network=settings, epochs=4, learning_rate=3.0), SOME


def heavy_penalty():
    return fitted([784, 30, 10], epochs=5, learning_rate=0.5, l2=1000.0), SOME


def long_training():
    return fitted([784, 30, 10], epochs=400, learning_rate=0.5, validation=DIGITS.validation), SOME


WRECKS = {
    rate_too_high: kinds.RATE_HIGH,
    rate_too_low: kinds.RATE_LOW,
    large_weights: kinds.SATURATED,
    negative_biases: kinds.DEAD,
    bytes_as_floats: kinds.INPUTS,
    stuck_digit: kinds.STUCK,
    heavy_penalty: kinds.PENALTY,
    long_training: kinds.OVERFITTING,
}


def sigmoid():
    return fitted(
        [784, 30, 10], data=TRAIN, epochs=10, learning_rate=0.5, validation=DIGITS.validation
    ), TRAIN


def relu():
    settings = {"activation": "relu", "init": "he", "cost": "log_likelihood"}
    return fitted(
        [784, 100, 10],
        data=TRAIN,
        network=settings,
        epochs=5,
        learning_rate=0.1,
        validation=DIGITS.validation,
    ), TRAIN


def moons():
    data, held_out = two_moons(400, noise=0.15), two_moons(200, noise=0.15, seed=1)
    settings = {"activation": "tanh", "init": "xavier"}
    return fitted(
        [2, 16, 1],
        data=data,
        network=settings,
        epochs=60,
        learning_rate=0.5,
        validation=held_out,
    ), data


HEALTHY = [sigmoid, relu, moons]

made: dict = {}


def examined(make):
    """The network, its data and the findings, made once."""
    if make not in made:
        net, data = make()
        made[make] = net, data, nn.diagnose(net, data)
    return made[make]


@pytest.mark.parametrize(("make", "kind"), WRECKS.items(), ids=WRECKS.values())
def test_a_wreck_is_told_by_its_kind(make, kind):
    finding = of_kind(examined(make)[2], kind)
    assert re.search(r"\d", finding.sentence)
    assert finding.evidence
    assert all(np.isfinite(value) for value in finding.evidence.values())
    assert "\n" not in finding.advice


@pytest.mark.parametrize("make", HEALTHY)
def test_a_healthy_network_has_no_findings(make):
    net, _, findings = examined(make)
    assert findings.kinds == ()
    assert nn.diagnose(net).kinds == ()
    assert nn.diagnose(net.history).kinds == ()
    assert repr(findings).startswith("Nothing found.\nLooked at: the weights, the history of ")


@pytest.mark.parametrize(
    "make", [rate_too_high, large_weights, negative_biases, bytes_as_floats, stuck_digit]
)
def test_the_cause_comes_first(make):
    assert examined(make)[2].kinds[0] == (kinds.SATURATED if make is stuck_digit else WRECKS[make])


def test_the_network_stays_as_it_is():
    net, data, findings = examined(large_weights)
    before = pickle.dumps(net)
    assert nn.diagnose(net, data) == findings
    assert pickle.dumps(net) == before


# ---- inputs -------------------------------------------------------------------------------------


def scaled(factor, column=None):
    """Two moons, with all columns or one of them multiplied."""
    x, y = two_moons(200)
    x = x.copy()
    x[:, slice(None) if column is None else column] *= factor
    return nn.Split(x, y)


@pytest.mark.parametrize("data", [scaled(100.0), scaled(0.001), scaled(0.005, 1)])
def test_inputs_too_large_too_small_or_of_unlike_columns_are_found(data):
    finding = of_kind(nn.diagnose(nn.Network([2, 4, 1], seed=1), data), kinds.INPUTS)
    assert finding.advice == "give fit (x - x.mean(0)) / (x.std(0) + 1e-7)"


@pytest.mark.parametrize("data", [scaled(1.0), scaled(8.0), scaled(0.05, 1)])
def test_inputs_of_like_size_are_not(data):
    assert kinds.INPUTS not in nn.diagnose(nn.Network([2, 4, 1], seed=1), data).kinds


def test_pixels_as_bytes_are_scaled_and_as_floats_are_not():
    net = nn.Network([784, 10], seed=1)
    pixels = np.round(SOME.x * 255).astype(np.uint8)
    assert kinds.INPUTS not in nn.diagnose(net, pixels, SOME.y).kinds
    finding = of_kind(nn.diagnose(net, pixels.astype(np.float32), SOME.y), kinds.INPUTS)
    assert finding.advice == "give fit x divided by 255 (or as uint8)"


def test_rare_ones_are_no_unlike_columns():
    x = np.eye(150, dtype=np.float32)[np.arange(1500) % 150]
    net = nn.Network([150, 2], seed=1)
    assert kinds.INPUTS not in nn.diagnose(net, x, np.arange(1500) % 2).kinds


# ---- units and gradients -----------------------------------------------------------------------


def test_saturation_names_the_layers_and_what_they_began_with():
    finding = of_kind(examined(large_weights)[2], kinds.SATURATED)
    assert finding.layer == "dense1"
    assert finding.evidence["at start"] > 0.5
    assert 'init="scaled"' in finding.advice


def test_saturation_that_training_has_reached_by_itself_is_no_finding():
    net, data, findings = examined(sigmoid)
    assert net.inspect(data[:500]).saturated[0].mean() > 0.5
    assert kinds.SATURATED not in findings.kinds


@pytest.mark.parametrize(("stuck", "found"), [(1, False), (2, True)])
def test_a_fifth_of_the_units_stuck_on_one_side_is_found(stuck, found):
    net = nn.Network([2, 10, 1], activation="tanh", init="xavier", seed=1)
    net.biases[0][:stuck] = 20.0
    findings = nn.diagnose(net, two_moons(200))
    assert (kinds.SATURATED in findings.kinds) == found
    if found:
        assert of_kind(findings, kinds.SATURATED).evidence["stuck"] == stuck


@pytest.mark.parametrize(("dead", "found"), [(2, False), (3, True)])
def test_a_quarter_of_the_relus_dead_is_found(dead, found):
    net = nn.Network([2, 10, 1], activation="relu", init="he", seed=1)
    net.biases[0] = np.full(10, 5.0, np.float32)
    net.biases[0][:dead] = -20.0
    findings = nn.diagnose(net, two_moons(200))
    assert (kinds.DEAD in findings.kinds) == found
    if found:
        finding = of_kind(findings, kinds.DEAD)
        assert finding.evidence["dead"] == dead
        assert finding.sentence.startswith("3 of 10 units are 0 for each of 200 rows")


def test_saturation_by_large_inputs_blames_the_inputs():
    finding = of_kind(examined(bytes_as_floats)[2], kinds.SATURATED)
    assert finding.evidence["at start"] > 0.5
    assert finding.advice.startswith("give fit smaller x")


def test_saturation_that_training_brought_blames_the_rate():
    finding = of_kind(examined(rate_too_high)[2], kinds.SATURATED)
    assert finding.evidence["at start"] < 0.1
    assert finding.evidence["stuck"] == 30
    assert finding.advice == "lower learning_rate"


def test_few_rows_do_not_tell_a_dead_unit():
    net, data, _ = examined(negative_biases)
    findings = nn.diagnose(net, data[:99])
    assert kinds.DEAD not in findings.kinds
    assert findings.not_looked_at[kinds.DEAD] == "needs 100 rows"


def test_gradients_vanish_in_six_sigmoid_layers_and_not_in_two():
    deep = nn.Network([784, 30, 30, 30, 30, 30, 30, 10], seed=0)
    finding = of_kind(nn.diagnose(deep, SOME), kinds.VANISHING)
    assert finding.layer == "dense1"
    inside = deep.inspect(SOME)
    sizes = [np.sqrt(np.mean(np.float64(delta) ** 2)) for delta in inside.delta]
    assert finding.evidence["ratio"] == pytest.approx(sizes[0] / sizes[-1])
    assert nn.diagnose(nn.Network([784, 30, 30, 10], seed=0), SOME).kinds == ()


def test_gradients_explode_in_deep_large_relus_and_not_from_he():
    layers = [784, 100, 100, 100, 100, 10]
    large = nn.Network(layers, activation="relu", init="large", seed=0)
    finding = of_kind(nn.diagnose(large, SOME), kinds.EXPLODING)
    assert finding.layer == "dense1"
    assert finding.evidence["ratio"] > 100
    assert nn.diagnose(nn.Network(layers, activation="relu", init="he", seed=0), SOME).kinds == ()


def test_gradients_blocked_by_dead_units_are_not_a_finding_of_their_own():
    _, _, findings = examined(negative_biases)
    assert kinds.VANISHING not in findings.kinds


# ---- classes ------------------------------------------------------------------------------------


def test_a_class_that_is_never_predicted_is_named():
    net = fitted([784, 10], data=SOME, epochs=5, learning_rate=0.1)
    assert kinds.NEVER not in nn.diagnose(net, SOME).kinds
    net.biases[0][7] = -50.0
    finding = of_kind(nn.diagnose(net, SOME), kinds.NEVER)
    assert finding.layer == "dense1"
    assert "class 7" in finding.sentence
    assert "output 7 is below 0.01 for 100% of the rows of its own class" in finding.sentence
    assert finding.evidence["rows of class 7"] == (SOME.y == 7).sum()


def test_a_stuck_output_is_named_and_quadratic_cost_blamed():
    net, data, findings = examined(stuck_digit)
    finding = of_kind(findings, kinds.STUCK)
    outputs = net.forward(data)
    for digit in range(10):
        share = (outputs[data.y == digit, digit] < 0.01).mean()
        told = finding.evidence.get(f"output {digit} near 0")
        never = digit not in net.predict(data)
        assert told == (pytest.approx(share) if share >= 0.9 and not never else None)
    assert 'cost="cross_entropy"' in finding.advice


def test_an_untrained_network_is_not_blamed_for_classes():
    findings = nn.diagnose(nn.Network([784, 10], seed=1), SOME)
    assert kinds.NEVER not in findings.kinds
    assert findings.not_looked_at[kinds.NEVER] == "not trained yet"


def test_what_stands_above_is_to_be_cured_first():
    _, _, findings = examined(negative_biases)
    assert findings[-1].kind == kinds.NEVER
    assert findings[-1].advice == "cure first what stands above"


def test_targets_tell_classes_as_labels_do():
    net = fitted([784, 10], data=SOME, epochs=2, learning_rate=0.1)
    net.biases[0][7] = -50.0
    targets = np.eye(10, dtype=np.float32)[SOME.y]
    assert nn.diagnose(net, SOME.x, targets) == nn.diagnose(net, SOME)


def test_a_class_that_is_nearly_never_predicted_is_named():
    softmax = {"cost": "log_likelihood"}
    net = fitted([784, 30, 10], data=SOME, network=softmax, epochs=10, learning_rate=0.5)
    z = net.inspect(SOME).z[-1]
    rows = np.flatnonzero(SOME.y == 7)
    others = np.delete(z, 7, axis=1).max(axis=1)
    lead = np.sort((z[:, 7] - others)[rows])[::-1]
    for kept, found in ((0.05, True), (0.15, False)):
        right = int(kept * len(rows))
        changed = net.copy()
        changed.biases[-1][7] -= np.float32((lead[right - 1] + lead[right]) / 2)
        told = [f for f in nn.diagnose(changed, SOME) if f.kind == kinds.NEVER]
        assert bool(told) == found
        if found:
            words = f"{right} of {len(rows)} rows of class 7 are predicted as such"
            assert told[0].sentence == words
            assert told[0].evidence["right of class 7"] == right


# ---- y that has nothing to do with x, units that are all the same ------------------------------

SHUFFLED = np.random.default_rng(0).permutation(TRAIN.y)


@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("validation", [None, DIGITS.validation])
def test_labels_shuffled_are_found_and_no_rate_is_called_too_low(rate, validation):
    data = nn.Split(TRAIN.x[:2000], SHUFFLED[:2000])
    layers = [784, 30, 10]
    net = fitted(layers, data=data, validation=validation, epochs=5, learning_rate=rate)
    findings = nn.diagnose(net, data)
    finding = findings[0]
    assert finding.kind == kinds.UNRELATED
    assert finding.advice.startswith("check that row i of x and y[i] belong together")
    assert finding.evidence["correlation"] < 6 * finding.evidence["chance"]
    assert kinds.RATE_LOW not in findings.kinds


@pytest.mark.parametrize("make", [rate_too_high, rate_too_low, heavy_penalty])
def test_labels_that_a_poor_network_has_not_learnt_are_not_called_unrelated(make):
    _, _, findings = examined(make)
    assert kinds.UNRELATED not in findings.kinds


def noise(n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (noise(seed=1)[:, :1], True),
        (noise()[:, :1] * 0.3 + noise(seed=1)[:, :1], False),
        (noise()[:, :1] ** 2, False),  # goes with no column, but with units that bend them
    ],
)
def test_targets_that_nothing_in_x_goes_with_are_found(target, found):
    layers = [4, 20, nn.Dense(1, "linear")]
    settings = {"activation": "tanh", "init": "large"}
    data = nn.Split(noise(), target)
    net = fitted(layers, data=data, network=settings, epochs=5, learning_rate=1e-6)
    assert (kinds.UNRELATED in nn.diagnose(net, data).kinds) == found


def test_exclusive_or_that_a_high_rate_has_not_learnt_is_not_called_unrelated():
    x = noise()[:, :2]
    data = nn.Split(x, (x[:, 0] * x[:, 1] > 0).astype(np.int64))
    settings = {"activation": "tanh", "init": "xavier"}
    net = fitted([2, 30, 1], data=data, network=settings, epochs=6, learning_rate=1e-5)
    assert net.history["loss"][-1] > 0.9 * np.log(2)
    assert kinds.UNRELATED not in nn.diagnose(net, data).kinds


def test_few_steps_or_rows_do_not_tell_whether_y_goes_with_x():
    data = nn.Split(TRAIN.x[:99], SHUFFLED[:99])
    net = fitted([784, 10], data=data, epochs=60, learning_rate=0.001)
    findings = nn.diagnose(net, data)
    assert kinds.UNRELATED not in findings.kinds
    assert findings.not_looked_at[kinds.UNRELATED] == "needs 100 rows and 500 steps"
    assert nn.diagnose(net).not_looked_at[kinds.UNRELATED] == "needs x and y"


@pytest.mark.parametrize(("end", "found"), [(0.7, True), (0.9, False)])
def test_a_validation_loss_that_rises_is_no_rate_too_low(end, found):
    val = [0.9, 0.8, end]
    history = recorded(steps=[1.0] * 600, loss=[0.9, 0.8, 0.7], val_loss=val)
    assert (kinds.RATE_LOW in nn.diagnose(history).kinds) == found


@pytest.mark.parametrize(("activation", "init"), [("sigmoid", "scaled"), ("relu", "he")])
@pytest.mark.parametrize("epochs", [0, 2])
def test_units_that_began_with_zeros_stay_the_same_and_are_found(activation, init, epochs):
    net = nn.Network([784, 30, 10], init="zeros", activation=activation, seed=0)
    if epochs:
        net.fit(SOME, epochs=epochs, learning_rate=0.5, verbose=0)
    for findings in (nn.diagnose(net), nn.diagnose(net, SOME)):
        finding = of_kind(findings, kinds.IDENTICAL)
        assert finding.layer == "dense1"
        assert finding.evidence["units"] == 30
        assert f'init="{init}"' in finding.advice
        assert kinds.VANISHING not in findings.kinds
        assert kinds.RATE_HIGH not in findings.kinds


def test_equal_columns_that_the_next_layer_tells_apart_are_no_finding():
    net = nn.Network([784, nn.Dense(30, init="zeros"), 10], seed=0)
    assert kinds.IDENTICAL not in nn.diagnose(net).kinds
    assert nn.diagnose(nn.Network([784, 10], init="zeros", seed=0)).kinds == ()
    assert nn.diagnose(nn.Network([784, 1, 10], init="zeros", seed=0)).kinds == ()


# ---- weights that are no numbers ---------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("data", [(), (SOME,), (SOME.x,)])
def test_weights_that_are_not_finite_are_found_and_nothing_else_is_said(value, data):
    net = fitted([784, 30, 10], epochs=1, learning_rate=0.5)
    net.biases[1][3] = value
    findings = nn.diagnose(net, *data)
    (finding,) = findings
    assert (finding.kind, finding.layer) == (kinds.LOST, "dense2")
    assert dict(finding.evidence) == {"not finite": 1, "parameters": 784 * 30 + 30 + 310}
    assert finding.sentence == (
        "1 of 23,860 weights and biases are NaN or infinite, the first in dense2.bias"
    )
    assert set(findings.not_looked_at.values()) == {"the weights are not finite"}
    assert findings.not_looked_at.keys() == KINDS.keys() - {kinds.LOST}


def test_of_weights_lost_to_a_rate_the_rate_is_the_cause():
    net = fitted([784, 30, 10], epochs=1, learning_rate=0.5)
    net.history.stop_reason = "diverged at epoch 2"
    net.weights[0] = np.full((784, 30), np.nan)
    findings = nn.diagnose(net, SOME)
    assert findings.kinds == (kinds.RATE_HIGH, kinds.LOST)
    assert kinds.RATE_HIGH not in findings.not_looked_at


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


# ---- what is looked at --------------------------------------------------------------------------


def test_of_many_rows_some_at_equal_distances_are_taken():
    net, data, findings = examined(relu)
    assert "2,000 of 5,000 rows of x and y" in findings.looked_at
    assert nn.diagnose(net, data[::3]).kinds == findings.kinds
    for n in (1999, 2000, 2001, 4999):
        rows = nn.Split(np.arange(n, dtype=np.float32)[:, None], np.arange(n) % 2)
        sample = observe(nn.Network([1, 2], seed=0), rows, None).sample
        chosen = sample.x[:, 0].astype(int)
        assert len(chosen) == min(n, 2000)
        assert chosen[0] == 0
        steps = np.diff([*chosen, n])
        assert steps.max() - steps.min() <= 1
        assert sample.classes.tolist() == (chosen % 2).tolist()


def test_without_x_what_needs_it_is_named():
    net, _, _ = examined(negative_biases)
    findings = nn.diagnose(net)
    assert findings.not_looked_at[kinds.DEAD] == "needs x"
    assert findings.not_looked_at[kinds.NEVER] == "needs x and y"


def test_without_y_units_are_looked_at_and_gradients_are_not():
    net, data, _ = examined(negative_biases)
    findings = nn.diagnose(net, data.x)
    assert findings.kinds == (kinds.DEAD,)
    assert findings.not_looked_at[kinds.VANISHING] == "needs y"


def test_sparse_matrices_and_regression_are_taken():
    sparse = pytest.importorskip("scipy.sparse")
    net, data, findings = examined(negative_biases)
    assert nn.diagnose(net, sparse.csr_matrix(data.x), data.y) == findings
    layers = [2, 8, nn.Dense(1, "linear")]
    x = two_moons(200).x
    target = x[:, 0] * x[:, 1]
    line = fitted(
        layers,
        data=nn.Split(x, target),
        network={"activation": "tanh", "init": "xavier"},
        epochs=20,
        learning_rate=0.05,
    )
    assert nn.diagnose(line, x, target).kinds == ()
    assert nn.diagnose(line, x).kinds == ()
    assert nn.diagnose(line, x, target).not_looked_at[kinds.NEVER] == "there are no classes"


@pytest.mark.parametrize(
    ("layers", "settings"),
    [
        ([4, 5], {"cost": "cross_entropy"}),
        ([4, 5], {"cost": "quadratic"}),
        ([4, 5], {"cost": "log_likelihood"}),
        ([4, 5], {"cost": "hinge"}),
        ([4, 1], {"cost": "cross_entropy"}),
        ([4, nn.Dense(1, "tanh")], {"cost": "quadratic"}),
        ([4, nn.Dense(5, "tanh")], {"cost": "quadratic"}),
    ],
)
def test_the_guess_is_the_loss_of_constant_outputs(layers, settings):
    net = nn.Network(layers, init="zeros", dtype="float64", **settings)
    n_classes = max(net.n_outputs, 2)
    share, label = np.full(n_classes, 1 / n_classes), np.arange(n_classes)
    a = np.full(net.n_outputs, 1 / n_classes)
    net.biases[0] = {
        "sigmoid": np.log(a / (1 - a)),
        "tanh": np.arctanh(2 * a - 1),
        "softmax": np.zeros_like(a),
        "linear": np.zeros_like(a),
    }[net._architecture.output]
    assert guess_loss(net, share) == pytest.approx(net.loss(np.zeros((n_classes, 4)), label))


# ---- views --------------------------------------------------------------------------------------


def test_the_docstring_has_the_kinds_and_their_limits():
    rows, in_table = [], 0
    for line in nn.diagnose.__doc__.splitlines():
        if re.fullmatch(r"\s*=+  =+  =+", line):
            in_table += 1
        elif in_table == 2:
            cells = [line[4:29].strip(), line[29:39].strip(), line[39:].strip()]
            if cells[0]:
                rows.append(cells)
            else:
                rows[-1][2] += " " + cells[2]
    assert rows == [[name, kind.needs, kind.described()] for name, kind in KINDS.items()]
    for kind in KINDS.values():
        assert set(re.findall(r"{(\w+)", kind.rule)) == set(kind.limits)


def test_findings_are_a_sequence_that_copies_and_pickles():
    findings = examined(large_weights)[2]
    assert list(findings) == [findings[i] for i in range(len(findings))]
    assert findings[:1].kinds == findings.kinds[:1]
    for again in (pickle.loads(pickle.dumps(findings)), copy.deepcopy(findings)):
        assert again == findings
        assert hash(again) == hash(findings)
    with pytest.raises(TypeError):
        findings[0].evidence["at start"] = 0.0


def test_the_views_say_what_was_found():
    findings = examined(negative_biases)[2]
    table = findings.table()
    assert table["kind"] == list(findings.kinds)
    assert table["layer"][0] == "dense1"
    text = repr(findings)
    assert text.startswith("2 findings:\n1. dead ReLUs in dense1: 50 of 50 units are 0 for each")
    assert "Try: start from init=" in text
    html = findings._repr_html_()
    assert "<table" in html
    assert "Not looked at" in html
    assert "init=&quot;he&quot;" in html
    empty = nn.diagnose(nn.Network([2, 1], seed=1))
    assert "<table" not in empty._repr_html_()
    assert "Nothing found" in empty._repr_html_()


# ---- bad input ----------------------------------------------------------------------------------

NET = nn.Network([2, 3, 1], seed=1)
X = np.zeros((5, 2), np.float32)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("net",), TypeError, "net must be a Network or a History, got 'net'"),
        ((History(["epoch"]), X), TypeError, "x must be left out beside a History"),
        ((History(["epoch"]), None, [1]), TypeError, "y must be left out beside a History"),
        ((NET, None, [1]), TypeError, "x must be given beside y, got None"),
        ((NET, X[:, :1], [1] * 5), ValueError, "x must have 2 columns"),
        ((NET, X, [1] * 4), ValueError, "y must have 5 rows, as x"),
        ((NET, X, [2] * 5), ValueError, "y must be labels from 0 to 1"),
        ((NET, X[:0]), ValueError, "x must have at least one row"),
        ((NET, X * np.nan, [1] * 5), ValueError, "x must be finite"),
        ((NET, X * np.nan), ValueError, "x must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        nn.diagnose(*arguments)


def test_an_empty_history_is_looked_at():
    findings = nn.diagnose(History(["epoch"]))
    assert not findings
    assert findings.not_looked_at[kinds.RATE_HIGH] == "no epoch recorded"


def test_a_history_without_losses_tells_so():
    findings = nn.diagnose(recorded(val_accuracy=[0.1, 0.2, 0.3]))
    assert findings.not_looked_at[kinds.RATE_LOW] == "no loss recorded"
