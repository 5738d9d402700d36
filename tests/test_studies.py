"""What studies of mini-batch size and of training-set size have in common."""

import numpy as np
import pytest

import nnlearn as nn


@pytest.fixture(scope="module")
def digits():
    return nn.datasets.load_mnist_small()


@pytest.fixture
def net():
    return nn.Network([784, 10], seed=1)


def state(net):
    return [array.copy() for array in net.parameters.values()], net.seed, net.history._again()


def same(one, other):
    return all(map(np.array_equal, one[0], other[0])) and one[1:] == other[1:]


def test_studies_leave_the_network_as_it_was(net, digits):
    net.fit(digits.train, epochs=1, learning_rate=0.5)
    before = state(net)
    nn.batch_size_study(net, digits.take(100), learning_rate=0.5, sizes=(1, 10), seconds=1e-9)
    nn.learning_curve(net, digits, learning_rate=0.5, sizes=(50, 100), epochs=1, seeds=1)
    assert same(before, state(net))
    assert net.n_threads is None


@pytest.mark.parametrize("study", [nn.batch_size_study, nn.learning_curve])
def test_studies_need_a_network_and_a_dataset_with_a_validation_set_that_fits(study, net, digits):
    with pytest.raises(ValueError, match="data must have a validation set, got Dataset"):
        study(net, nn.Dataset(digits.train), learning_rate=0.5)
    with pytest.raises(TypeError, match="data must be a Dataset, got Split"):
        study(net, digits.train, learning_rate=0.5)
    with pytest.raises(TypeError, match="net must be a Network, got 'net'"):
        study("net", digits, learning_rate=0.5)
    with pytest.raises(ValueError, match="x must have 3 columns"):
        study(nn.Network([3, 10]), digits, learning_rate=0.5)
