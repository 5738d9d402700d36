"""diagnose by the data: inputs of unlike size, classes never predicted, y unrelated to x."""

import numpy as np
import pytest
from wrecks import (
    DIGITS,
    SOME,
    TRAIN,
    examined,
    fitted,
    heavy_penalty,
    negative_biases,
    of_kind,
    rate_too_high,
    rate_too_low,
    stuck_digit,
)

import nnlearn as nn
from nnlearn.datasets import two_moons
from nnlearn.diagnosis import kinds

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


# ---- y that has nothing to do with x -------------------------------------------------------------

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
