"""diagnose by the inside: units saturated, dead or all the same, gradients, weights."""

import numpy as np
import pytest
from wrecks import (
    SOME,
    bytes_as_floats,
    examined,
    fitted,
    large_weights,
    negative_biases,
    of_kind,
    rate_too_high,
    sigmoid,
)

import nnlearn as nn
from nnlearn.datasets import two_moons
from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.kinds import KINDS

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


# ---- units that are all the same -------------------------------------------------------------


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
