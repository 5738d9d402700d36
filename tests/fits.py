"""A small problem, a network for it, and fits of it."""

from typing import Any

import numpy as np
from twins import assert_same_bits

import nnlearn as nn

X = np.random.default_rng(3).random((30, 4)).astype(np.float32)
Y = np.arange(30) % 3


def network(**settings: Any) -> nn.Network:
    return nn.Network([4, 5, 3], **{"seed": 1} | settings)


def fit(net: nn.Network, **settings: Any) -> nn.History:
    return net.fit(X, Y, **{"epochs": 1, "learning_rate": 0.1} | settings)


def same_fit(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two ways to say the same thing: the same bits after two epochs."""
    nets = network(), network()
    for net, settings in zip(nets, (one, other), strict=True):
        net.fit(X, Y, **{"epochs": 2} | settings)
    assert_same_bits(nets[0].parameters, nets[1].parameters)
