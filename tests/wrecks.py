"""Eight networks that went wrong and three healthy ones, as diagnose finds them."""

import numpy as np

import nnlearn as nn
from nnlearn.datasets import load_mnist_small, two_moons
from nnlearn.diagnosis import kinds
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
