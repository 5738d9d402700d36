"""A NumPy loop over the samples in float64: how a first program of one's own does it."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.peers import batched
from benchmarks.peers.base import Array, Model, Parameters, Peer, Work, batches, one_hot


def sigmoid(z: Array) -> Array:
    activated: Array = 1.0 / (1.0 + np.exp(-z))
    return activated


class LoopModel(Model):
    """Column vectors, one sample after the other; the gradients of a batch are added up."""

    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.rng = np.random.default_rng(seed)
        w1, b1, w2, b2 = (array.astype(np.float64) for array in parameters)
        self.weights = [w1.T.copy(), w2.T.copy()]
        self.biases = [b1[:, None], b2[:, None]]

    def bind(self, x: Array, labels: Array) -> None:
        targets = one_hot(labels, self.work.layers[-1]).astype(np.float64)
        rows = x.astype(np.float64)
        self.samples = [(rows[i][:, None], targets[i][:, None]) for i in range(len(rows))]

    def train(self, epochs: int) -> float:
        began = time.perf_counter()
        n = len(self.samples)
        for _ in range(epochs):
            for rows in batches(self.rng, n, self.work.batch_size):
                self.step([self.samples[i] for i in rows], n)
        return time.perf_counter() - began

    def step(self, batch: list[tuple[Array, Array]], n_rows: int) -> None:
        sum_w = [np.zeros(w.shape) for w in self.weights]
        sum_b = [np.zeros(b.shape) for b in self.biases]
        for x, target in batch:
            gradient_w, gradient_b = self.gradient_of(x, target)
            sum_w = [total + g for total, g in zip(sum_w, gradient_w, strict=True)]
            sum_b = [total + g for total, g in zip(sum_b, gradient_b, strict=True)]
        rate = self.work.learning_rate / len(batch)
        decay = self.work.decay(n_rows)
        self.weights = [
            decay * w - rate * total for w, total in zip(self.weights, sum_w, strict=True)
        ]
        self.biases = [b - rate * total for b, total in zip(self.biases, sum_b, strict=True)]

    def gradient_of(self, x: Array, target: Array) -> tuple[list[Array], list[Array]]:
        activations = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            activations.append(sigmoid(np.dot(w, activations[-1]) + b))
        delta = activations[-1] - target  # of the cross-entropy with a sigmoid
        gradient_w, gradient_b = [np.dot(delta, activations[-2].T)], [delta]
        a = activations[1]
        delta = np.dot(self.weights[1].T, delta) * a * (1.0 - a)
        return [np.dot(delta, x.T), *gradient_w], [delta, *gradient_b]

    def forward(self, x: Array) -> Array:
        a = x.T.astype(np.float64)
        for w, b in zip(self.weights, self.biases, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a.T


class LoopPeer(Peer):
    def version(self) -> str:
        return batched.make().version()

    def model(self, work: Work, parameters: Parameters, seed: int) -> LoopModel:
        return LoopModel(work, parameters, seed)


def make() -> LoopPeer:
    return LoopPeer()
