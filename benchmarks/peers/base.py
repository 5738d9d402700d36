"""What is computed, and what a peer must offer to be measured at it."""

from __future__ import annotations

import importlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: The peers in the order of the tables: name -> module, and the package that must be there.
PEERS: Mapping[str, tuple[str, str]] = {
    "nnlearn": ("benchmarks.peers.ours", "nnlearn"),
    "loop": ("benchmarks.peers.loop", "numpy"),
    "numpy": ("benchmarks.peers.batched", "numpy"),
    "scipy": ("benchmarks.peers.scipy_images", "scipy"),
    "sklearn": ("benchmarks.peers.scikit", "sklearn"),
    "torch": ("benchmarks.peers.torch_eager", "torch"),
    "torch-compiled": ("benchmarks.peers.torch_compiled", "torch"),
    "jax": ("benchmarks.peers.jax_scan", "jax"),
    "kann": ("benchmarks.peers.kann", "numpy"),
}

#: How the tables call them.
TITLES: Mapping[str, str] = {
    "nnlearn": "nnlearn",
    "loop": "NumPy, a sample at a time",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "torch": "PyTorch",
    "torch-compiled": "PyTorch compiled",
    "jax": "JAX",
    "kann": "KANN",
}

OURS = "nnlearn"
REFERENCE = "numpy"  # what the others' accuracy is held against
C_PEERS = ("kann",)


class Missing(Exception):
    """The peer is not installed here; the text says what is missing."""


@dataclass(frozen=True)
class Work:
    """A network with one hidden layer, and how it is trained.

    g = mean over the batch of dc/dW + (l2/n) W (biases without l2); v <- mu v - eta g; W <- W + v;
    n is the number of rows; a new permutation each epoch. Adam, where it is asked for, has no l2.
    """

    layers: tuple[int, int, int]
    batch_size: int
    learning_rate: float
    l2: float = 0.0
    momentum: float = 0.0
    optimizer: str = "sgd"  # or "adam"
    hidden: str = "sigmoid"  # or "relu", "tanh"
    output: str = "sigmoid"  # with the cross-entropy; or "softmax" with the log-likelihood
    is_quadratic: bool = False  # the quadratic cost instead: nnlearn and PyTorch alone

    def with_rows(self, n_rows: int, usual: int) -> Work:
        """The same with a penalty that decays the weights as it does for the usual rows."""
        return replace(self, l2=self.l2 * n_rows / usual)

    def decay(self, n_rows: int) -> float:
        """What a step multiplies the weights by, without momentum."""
        return 1.0 - self.learning_rate * self.l2 / n_rows


#: W1 (n_in, n_hidden), b1 (n_hidden,), W2 (n_hidden, n_out), b2 (n_out,), all float32.
Parameters = tuple[Array, Array, Array, Array]


def start(work: Work, seed: int) -> Parameters:
    """Start weights, the same for every peer: W ~ N(0, 1/n_in), b ~ N(0, 1); for ReLU
    W ~ N(0, 2/n_in), b = 0."""
    rng = np.random.default_rng(seed)
    n_in, n_hidden, n_out = work.layers
    is_relu = work.hidden == "relu"
    made = []
    for n, m in ((n_in, n_hidden), (n_hidden, n_out)):
        made.append(rng.normal(0.0, np.sqrt((2.0 if is_relu else 1.0) / n), (n, m)))
        made.append(np.zeros(m) if is_relu else rng.normal(0.0, 1.0, m))
    w1, b1, w2, b2 = (np.ascontiguousarray(array, np.float32) for array in made)
    return w1, b1, w2, b2


def one_hot(labels: Array, n_classes: int) -> Array:
    """(n, n_classes) float32."""
    rows: Array = np.eye(n_classes, dtype=np.float32)[labels]
    return rows


def batches(rng: np.random.Generator, n_rows: int, batch_size: int) -> Iterator[Array]:
    """The rows of each step of an epoch, in a new order."""
    order = rng.permutation(n_rows)
    for at in range(0, n_rows, batch_size):
        yield order[at : at + batch_size]


class Model(ABC):
    """One network in a peer's hands."""

    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        self.work = work
        self.seed = seed

    @abstractmethod
    def bind(self, x: Array, labels: Array) -> None:
        """Take the training data: what a user's call has to do with it before the first step."""

    @abstractmethod
    def train(self, epochs: int) -> float:
        """Train on the data bound; the seconds of training alone."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The outputs for every row of x, NumPy to NumPy."""

    def accuracy(self, x: Array, labels: Array) -> float:
        """In [0, 1]."""
        return float(np.mean(self.forward(x).argmax(axis=1) == labels))

    def train_until(
        self, data: tuple[Array, Array], test: tuple[Array, Array], target: float, most_epochs: int
    ) -> float:
        """Seconds until an epoch ends with this accuracy on the test set; NaN when none does.

        Evaluation is outside of the time; all that training needs, the binding of the data with
        it, is inside.
        """
        began = time.perf_counter()
        self.bind(*data)
        seconds = time.perf_counter() - began
        for _ in range(most_epochs):
            began = time.perf_counter()
            self.train(1)
            seconds += time.perf_counter() - began
            if self.accuracy(*test) >= target:
                return seconds
        return float("nan")


class Peer(ABC):
    """A library: its versions, and its models."""

    @abstractmethod
    def version(self) -> str:
        """The versions of all that matters to its speed."""

    @abstractmethod
    def model(self, work: Work, parameters: Parameters, seed: int) -> Model:
        """A network that starts from these parameters, which it copies."""

    def forget(self) -> None:  # noqa: B027 - most have nothing to do
        """Called between cases: drop what was compiled."""

    def gradient(self, x: Array, targets: Array, parameters: Parameters) -> Any:
        """A function of no arguments: cost and gradient of a tanh network in float64, linear
        outputs, quadratic cost averaged over the rows. None where the peer has no such thing."""
        return None

    def distorter(self, distortion: Any) -> Any:
        """A function of (images, seed): the images changed at random, as distortion.py says. None
        where the peer has no such thing."""
        return None


def load(name: str) -> Peer:
    """The peer of this name; Missing where its package is not installed."""
    module, package = PEERS[name]
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise Missing(f"not installed: {error}") from error
    peer: Peer = importlib.import_module(module).make()
    return peer
