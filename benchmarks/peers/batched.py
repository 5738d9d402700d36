"""Batched NumPy in float32, tuned: every result goes into a buffer made beforehand."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.distortion import Distortion
from benchmarks.peers.base import Array, Model, Parameters, Peer, Work, batches, one_hot
from benchmarks.peers.numpy_images import NumpyDistorter


def sigmoid_in_place(z: Array) -> None:
    """z <- 1 / (1 + exp(-z))."""
    np.negative(z, out=z)
    np.exp(z, out=z)
    np.add(z, 1.0, out=z)
    np.reciprocal(z, out=z)


class Buffers:
    """What a step of m rows writes into."""

    def __init__(self, m: int, layers: tuple[int, int, int]) -> None:
        n_in, n_hidden, n_out = layers
        self.x = np.empty((m, n_in), np.float32)
        self.a1 = np.empty((m, n_hidden), np.float32)
        self.a2 = np.empty((m, n_out), np.float32)
        self.target = np.empty((m, n_out), np.float32)
        self.delta = np.empty((m, n_hidden), np.float32)
        self.slope = np.empty((m, n_hidden), np.float32)
        self.g1 = np.empty((n_in, n_hidden), np.float32)
        self.g2 = np.empty((n_hidden, n_out), np.float32)
        self.bias1 = np.empty(n_hidden, np.float32)
        self.bias2 = np.empty(n_out, np.float32)


class BatchedModel(Model):
    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.rng = np.random.default_rng(seed)
        self.w1, self.b1, self.w2, self.b2 = (array.copy() for array in parameters)
        self.velocity: list[Array] = (
            [np.zeros_like(array) for array in parameters] if work.momentum else []
        )
        self.buffers: dict[int, Buffers] = {}

    def bind(self, x: Array, labels: Array) -> None:
        self.x = x
        self.targets = one_hot(labels, self.work.layers[-1])

    def train(self, epochs: int) -> float:
        began = time.perf_counter()
        n, m = len(self.x), self.work.batch_size
        for length in {min(m, n), n % m} - {0}:
            self.buffers.setdefault(length, Buffers(length, self.work.layers))
        with np.errstate(over="ignore"):  # exp(-z) of a z below -88: a is 0, as it should be
            for _ in range(epochs):
                for rows in batches(self.rng, n, m):
                    self.step(rows, n)
        return time.perf_counter() - began

    def step(self, rows: Array, n_rows: int) -> None:
        b = self.buffers[len(rows)]
        np.take(self.x, rows, axis=0, out=b.x, mode="clip")
        np.take(self.targets, rows, axis=0, out=b.target, mode="clip")
        np.matmul(b.x, self.w1, out=b.a1)
        np.add(b.a1, self.b1, out=b.a1)
        sigmoid_in_place(b.a1)
        np.matmul(b.a1, self.w2, out=b.a2)
        np.add(b.a2, self.b2, out=b.a2)
        sigmoid_in_place(b.a2)
        # The output's delta, times -eta/m so that all that follows is a step.
        np.subtract(b.a2, b.target, out=b.a2)
        np.multiply(b.a2, np.float32(-self.work.learning_rate / len(rows)), out=b.a2)
        np.matmul(b.a2, self.w2.T, out=b.delta)
        np.subtract(1.0, b.a1, out=b.slope)
        np.multiply(b.slope, b.a1, out=b.slope)
        np.multiply(b.delta, b.slope, out=b.delta)
        np.matmul(b.x.T, b.delta, out=b.g1)
        np.matmul(b.a1.T, b.a2, out=b.g2)
        np.sum(b.delta, axis=0, out=b.bias1)
        np.sum(b.a2, axis=0, out=b.bias2)
        if self.velocity:
            self.step_with_momentum(b, n_rows)
            return
        decay = np.float32(self.work.decay(n_rows))
        np.multiply(self.w1, decay, out=self.w1)
        np.add(self.w1, b.g1, out=self.w1)
        np.multiply(self.w2, decay, out=self.w2)
        np.add(self.w2, b.g2, out=self.w2)
        np.add(self.b1, b.bias1, out=self.b1)
        np.add(self.b2, b.bias2, out=self.b2)

    def step_with_momentum(self, b: Buffers, n_rows: int) -> None:
        """v <- mu v - eta g ; W <- W + v.   The penalty's share of v is (decay - 1) W."""
        shrink = np.float32(self.work.decay(n_rows) - 1.0)
        mu = np.float32(self.work.momentum)
        v1, c1, v2, c2 = self.velocity
        for w, v, g in ((self.w1, v1, b.g1), (self.w2, v2, b.g2)):
            np.multiply(v, mu, out=v)
            np.add(v, g, out=v)
            np.multiply(w, shrink, out=g)
            np.add(v, g, out=v)
            np.add(w, v, out=w)
        for bias, v, sums in ((self.b1, c1, b.bias1), (self.b2, c2, b.bias2)):
            np.multiply(v, mu, out=v)
            np.add(v, sums, out=v)
            np.add(bias, v, out=bias)

    def forward(self, x: Array) -> Array:
        a = x
        with np.errstate(over="ignore"):
            for w, b in ((self.w1, self.b1), (self.w2, self.b2)):
                a = np.matmul(a, w)
                np.add(a, b, out=a)
                sigmoid_in_place(a)
        return a


class BatchedPeer(Peer):
    def version(self) -> str:
        blas = np.show_config("dicts")["Build Dependencies"]["blas"]
        return f"NumPy {np.__version__}, {blas['name']} {blas['version']}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> BatchedModel:
        return BatchedModel(work, parameters, seed)

    def gradient(self, x: Array, targets: Array, parameters: Parameters) -> Any:
        w1, b1, w2, b2 = (array.astype(np.float64) for array in parameters)

        def cost_and_gradient() -> tuple[float, Parameters]:
            a = np.tanh(x @ w1 + b1)
            delta = a @ w2 + b2
            delta -= targets
            cost = 0.5 * float(np.vdot(delta, delta)) / len(x)
            delta /= len(x)
            hidden = delta @ w2.T
            hidden *= 1.0 - a * a
            return cost, (x.T @ hidden, hidden.sum(axis=0), a.T @ delta, delta.sum(axis=0))

        return cost_and_gradient

    def distorter(self, distortion: Distortion) -> NumpyDistorter:
        return NumpyDistorter(distortion)


def make() -> BatchedPeer:
    return BatchedPeer()
