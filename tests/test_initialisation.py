"""`nnlearn.initialisation`: the theory, against networks and against numbers of the book."""

import numpy as np
import pytest

from nnlearn import Network
from nnlearn.initialisation import first_layer_density, half_on, start_variances
from nnlearn.layers import INITS


@pytest.mark.parametrize("init", [*INITS, 0.25])
def test_variances_are_those_of_the_core(init):
    net = Network([400, 300], init=init, seed=1, cost="quadratic")
    weight, bias = start_variances(init, 400, 300)
    # The mean square of n normal numbers has the relative standard deviation sqrt(2 / n).
    assert np.square(net.weights[0]).mean() == pytest.approx(weight, rel=5 * np.sqrt(2 / 120_000))
    assert np.square(net.biases[0]).mean() == pytest.approx(bias, rel=5 * np.sqrt(2 / 300))


@pytest.mark.parametrize(("init", "variance"), [("large", 501.0), ("scaled", 1.5)])
def test_the_books_example(init, variance):
    z = np.linspace(-200, 200, 400_001)
    density = first_layer_density(z, half_on(3), init, 30)
    step = z[1] - z[0]
    assert density.sum() * step == pytest.approx(1.0, abs=1e-9)
    assert (density * z * z).sum() * step == pytest.approx(variance, rel=1e-9)


def test_inputs_of_several_sizes_share_the_density():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    a, b = (first_layer_density([1.0], row[None], "large", 5) for row in x)
    assert first_layer_density([1.0], x, "large", 5) == pytest.approx((a + b) / 2)
    assert a == pytest.approx(np.exp(-0.5) / np.sqrt(2 * np.pi))
    assert b == pytest.approx(np.exp(-0.5 / 26) / np.sqrt(2 * np.pi * 26))


def test_half_of_the_inputs_are_on_in_orders_of_their_own():
    x = half_on(5)
    assert x.shape == (5, 1000)
    assert set(x.sum(axis=1)) == {500.0}
    assert len(np.unique(x, axis=0)) == 5
