"""A small problem, a network for it, and fits of it."""

import threading
import time
from collections.abc import Callable
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


class Fitting:
    """A network that trains in a thread until the block ends; its first epoch is over."""

    def __init__(self, net: nn.Network, x: Any, y: Any, **settings: Any) -> None:
        self.net, self.x, self.y, self.settings = net, x, y, settings
        self.begun = threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        def begun(net: nn.Network, history: nn.History) -> None:
            self.begun.set()

        callbacks = [begun, *self.settings.pop("callbacks", ())]
        try:
            settings = {"epochs": 10**6, "learning_rate": 0.1} | self.settings
            self.net.fit(self.x, self.y, callbacks=callbacks, **settings)
        except BaseException as error:
            self.failure = error
            self.begun.set()

    def __enter__(self) -> "Fitting":
        self.thread.start()
        assert self.begun.wait(30)
        return self

    def __exit__(self, *_: Any) -> None:
        self.net.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()
        assert self.failure is None

    def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self.thread.is_alive()
            time.sleep(0.001)
