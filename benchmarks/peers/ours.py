"""nnlearn itself."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import nnlearn as nn
from benchmarks.distortion import Distortion
from benchmarks.peers.base import Array, Model, Parameters, Peer, Work


def augmentation(distortion: Distortion) -> nn.augment.Compose:
    """What nnlearn calls this change of images."""
    return nn.augment.Compose(
        nn.augment.Shift(distortion.pixels),
        nn.augment.Rotate(distortion.degrees),
        nn.augment.Skew(distortion.skew),
        nn.augment.Elastic(distortion.alpha, distortion.sigma),
        shape=(distortion.side, distortion.side),
    )


class OurModel(Model):
    """`more` are settings of fit."""

    def __init__(
        self,
        work: Work,
        parameters: Parameters,
        seed: int,
        n_threads: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(work, parameters, seed)
        n_in, n_hidden, n_out = work.layers
        cost = "cross_entropy" if work.output == "sigmoid" else "log_likelihood"
        cost = "quadratic" if work.is_quadratic else cost
        self.net = nn.Network([n_in, n_hidden, n_out], cost=cost, activation=work.hidden, seed=seed)
        for i in range(2):
            self.net.weights[i] = parameters[2 * i]
            self.net.biases[i] = parameters[2 * i + 1]
        self.settings: dict[str, Any] = {
            "batch_size": work.batch_size,
            "learning_rate": work.learning_rate,
            "momentum": work.momentum,
            "l2": work.l2,
            "n_threads": n_threads,
            "verbose": 0,
            **more,
        }
        if work.optimizer != "sgd":
            self.settings["optimizer"] = work.optimizer

    def bind(self, x: Array, labels: Array) -> None:
        self.data = x, labels

    def train(self, epochs: int) -> float:
        history = self.net.fit(*self.data, epochs=epochs, **self.settings)
        return float(np.sum(history["seconds"]))

    def forward(self, x: Array) -> Array:
        return self.net.forward(x)

    def train_until(
        self, data: tuple[Array, Array], test: tuple[Array, Array], target: float, most_epochs: int
    ) -> float:
        """One fit; what its callback takes to evaluate is taken off."""
        evaluating, reached = 0.0, False

        def evaluate(net: nn.Network, history: nn.History) -> bool:
            nonlocal evaluating, reached
            began = time.perf_counter()
            reached = self.accuracy(*test) >= target
            evaluating += time.perf_counter() - began
            return reached

        began = time.perf_counter()
        self.net.fit(*data, epochs=most_epochs, callbacks=[evaluate], **self.settings)
        seconds = time.perf_counter() - began - evaluating
        return seconds if reached else float("nan")


class OurPeer(Peer):
    def version(self) -> str:
        config = nn.show_config()
        shown = [f"{name} {value}" for name, value in config.items if name in SHOWN]
        return ", ".join(shown)

    def model(
        self, work: Work, parameters: Parameters, seed: int, n_threads: int | None = None
    ) -> OurModel:
        return OurModel(work, parameters, seed, n_threads)

    def gradient(self, x: Array, targets: Array, parameters: Parameters) -> Any:
        n_in, n_hidden, n_out = x.shape[1], len(parameters[1]), len(parameters[3])
        layers = [n_in, n_hidden, nn.Dense(n_out, activation="linear")]
        net = nn.Network(layers, activation="tanh", cost="quadratic", dtype="float64", seed=0)
        for i in range(2):
            net.weights[i] = parameters[2 * i].astype(np.float64)
            net.biases[i] = parameters[2 * i + 1].astype(np.float64)
        return lambda: net.cost_and_gradient(x, targets)

    def distorter(self, distortion: Distortion) -> nn.augment.Compose:
        return augmentation(distortion)


#: What of show_config is said.
SHOWN = ("nnlearn", "kernels", "BLIS", "BLIS kernels")


def make() -> OurPeer:
    return OurPeer()
