"""Regression: y = 2 x, with noise."""

import numpy as np

import nnlearn as nn


def data():
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (300, 1)).astype(np.float32)
    y = (2 * x[:, 0] + random.normal(0, 0.1, 300)).astype(np.float32)
    return nn.Dataset((x[:200], y[:200]), validation=(x[200:], y[200:]))


def network():
    return nn.Network([1, nn.Dense(1, activation="linear")], seed=0)
