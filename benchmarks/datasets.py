"""The data that all peers are given, made once and read by every worker from a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

import nnlearn as nn
from benchmarks.peers.base import Array

PARTS = ("x", "y", "test_x", "test_y")


@dataclass(frozen=True)
class Data:
    """x (n, n_inputs) float32, y (n,) int64 labels, and a test set."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array

    def take(self, n: int) -> Data:
        """The first n rows to train on."""
        return Data(self.x[:n], self.y[:n], self.test_x, self.test_y)


def mnist() -> tuple[Data, str]:
    """60,000 images, the validation images last; the digits inside nnlearn where there are none."""
    try:
        whole, note = nn.datasets.load_mnist(), ""
    except OSError as error:
        whole = nn.datasets.load_mnist_small()
        note = f"the digits inside nnlearn stand in for MNIST: {str(error).splitlines()[0]}"
    assert whole.validation is not None
    assert whole.test is not None
    x = np.concatenate([whole.train.x, whole.validation.x])
    y = np.concatenate([whole.train.y, whole.validation.y])
    return Data(x, y, np.array(whole.test.x), np.array(whole.test.y)), note


def clouds(n: int, n_test: int, n_inputs: int, n_classes: int, spread: float, seed: int) -> Data:
    """Classes around points of [0, 1]^n_inputs, with normal noise: dense numbers."""
    rng = np.random.default_rng(seed)
    centres = rng.random((n_classes, n_inputs), np.float32)
    y = rng.integers(0, n_classes, n + n_test)
    x = rng.standard_normal((n + n_test, n_inputs), np.float32)
    x *= np.float32(spread)
    x += centres[y]
    return Data(x[:n], y[:n], x[n:], y[n:])


#: How each set is made, with what is to be said of it.
SETS: Mapping[str, Callable[[], tuple[Data, str]]] = {
    "mnist": mnist,
    "dense": lambda: (clouds(10_000, 2_000, 3072, 10, spread=4.0, seed=1), ""),
    "table": lambda: (clouds(150, 150, 4, 3, spread=0.15, seed=2), ""),
}


def prepare(folder: Path, names: Iterable[str]) -> list[str]:
    """Writes these sets into the folder; what is to be said of them."""
    notes = []
    for name in names:
        data, note = SETS[name]()
        notes += [note] if note else []
        for part in PARTS:
            np.save(folder / f"{name}.{part}.npy", getattr(data, part))
    return notes


@lru_cache(maxsize=2)
def load(folder: Path, name: str) -> Data:
    """A set that prepare has written; what was asked for last is kept, for the next benchmark."""
    return Data(*(np.load(folder / f"{name}.{part}.npy") for part in PARTS))
