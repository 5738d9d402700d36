"""What the tests share."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import settings

settings.register_profile(
    "nnlearn", deadline=None, max_examples=30, derandomize=True, database=None
)
settings.load_profile("nnlearn")

Pair = tuple[Any, reference.Network]


def make_pair(layers: list[Any], *, cost: str, dtype: str = "float64", seed: int = 1) -> Pair:
    """A network of nnlearn and its twin, of the reference's layers, with the same start weights.

    The twin takes over the network's parameters, so that only test_random speaks of start weights.
    """
    import nnlearn as nn

    layer_of: dict[type, Callable[[Any], Any]] = {
        int: lambda n: n,
        reference.Dense: lambda d: nn.Dense(d.n, activation=d.activation, init=d.init),
        reference.Activation: lambda a: nn.Activation(a.name),
        reference.Dropout: lambda d: nn.Dropout(d.p),
    }
    theirs = [layer_of[type(layer)](layer) for layer in layers]
    net = nn.Network(theirs, cost=cost, dtype=dtype, seed=seed)
    twin = reference.Network(layers, cost=cost, seed=seed, dtype=dtype)
    twin.load(net.parameters)
    return net, twin


@pytest.fixture(scope="session")
def pair() -> Callable[..., Pair]:
    """The function that makes a network and its twin."""
    return make_pair


@pytest.fixture
def rng() -> np.random.Generator:
    """A source of test data, the same in every run."""
    return np.random.default_rng(20240229)
