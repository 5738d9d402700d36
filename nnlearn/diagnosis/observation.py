"""What there is to be looked at: history, weights, and some rows sent through the network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _arrays, _checks
from nnlearn.architecture import Architecture
from nnlearn.diagnosis.kinds import MOST_NUMBERS, MOST_ROWS
from nnlearn.history import History
from nnlearn.inspection import Inspection
from nnlearn.network import Network

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of x, evenly spread over all of them.

    Attributes
    ----------
    x : ndarray or CSR matrix, shape (n, n_inputs)
        The rows.
    y : ndarray
        Their labels or targets; what the network says itself where none were given.
    classes : ndarray of int, shape (n,), or None
        Their classes, where y was given and there are classes.
    n_all : int
        Of how many rows they are.
    has_answers : bool
        Whether y was given.
    guess : float or None
        The loss of the best constant outputs over all of y, where it has every class.
    """

    x: Any
    y: Array
    classes: Array | None
    n_all: int
    has_answers: bool
    guess: float | None


@dataclass(frozen=True, eq=False)
class Observed:
    """All that a diagnosis rests on.

    Attributes
    ----------
    history : History
        The network's, or the one that was given.
    net : Network or None
        None where a History was given.
    sample : Sample or None
        None without x.
    """

    history: History
    net: Network | None
    sample: Sample | None

    @cached_property
    def inside(self) -> Inspection | None:
        """The sample sent through the network."""
        if self.net is None or self.sample is None:
            return None
        return self.net.inspect(self.sample.x, self.sample.y)

    @cached_property
    def start(self) -> Network | None:
        """A copy with the start weights, which the seed gives anew."""
        return None if self.net is None else self.net.copy().reset()

    @cached_property
    def start_inside(self) -> Inspection:
        """The sample sent through the network with the start weights."""
        assert self.start is not None
        assert self.sample is not None
        return self.start.inspect(self.sample.x, self.sample.y)

    @cached_property
    def start_saturated(self) -> tuple[float, ...]:
        """The share of saturated activations of each layer with the start weights."""
        return tuple(float(share.mean()) for share in self.start_inside.saturated)

    @cached_property
    def moved(self) -> tuple[float, ...]:
        """How far each layer's weights are from the start weights, in units of their size.

        Of start weights that are all 0: in units of the size that ``init="scaled"`` gives.
        """
        if self.net is None or self.start is None:
            return ()
        pairs = zip(self.net.weights, self.start.weights, strict=True)
        return tuple(
            _norm(now - then) / (_norm(then) or math.sqrt(then.shape[1])) for now, then in pairs
        )

    @cached_property
    def not_finite(self) -> dict[str, int]:
        """How many numbers of each parameter are NaN or infinite, where there are any."""
        if self.net is None:
            return {}
        arrays = self.net.parameters.items()
        counts = {name: int(np.count_nonzero(~np.isfinite(array))) for name, array in arrays}
        return {name: number for name, number in counts.items() if number}

    @property
    def is_trained(self) -> bool:
        """Whether the weights are others than the start weights."""
        return len(self.history) > 0 or any(share > 0 for share in self.moved)

    @cached_property
    def guess(self) -> float | None:
        """The loss of the best constant outputs; without y for classes equally frequent."""
        if self.sample is not None and self.sample.guess is not None:
            return self.sample.guess
        if self.net is None or self.net._architecture.is_regression:
            return None
        n_classes = self.net._architecture.n_classes
        return guess_loss(self.net, np.full(n_classes, 1 / n_classes))

    @cached_property
    def first_loss(self) -> float:
        """The loss as training began: of the first five steps, else of the first epoch."""
        steps, loss = self.history.step_loss, self.history["loss"]
        return float(steps[:5].mean(dtype=np.float64)) if steps.size else float(loss[0])

    @property
    def scale(self) -> float:
        """What losses are held against: the guess, or the first loss where it is not known."""
        return self.first_loss if self.guess is None else self.guess

    @property
    def scale_name(self) -> str:
        """What `scale` is, in words."""
        return "as training began" if self.guess is None else "of constant outputs"

    def layer(self, i: int) -> str:
        """The name of the i-th layer with weights: ``dense1``."""
        assert self.net is not None
        return self.net._names[2 * i].partition(".")[0]


def observe(net: Any, x: Any, y: Any) -> Observed:
    """What `diagnose` is given, checked."""
    if isinstance(net, History):
        for name, value in (("x", x), ("y", y)):
            if value is not None:
                _checks.fail(TypeError, name, "be left out beside a History", value)
        return Observed(net, None, None)
    if not isinstance(net, Network):
        _checks.fail(TypeError, "net", "be a Network or a History", net)
    if x is None:
        if y is not None:
            _checks.fail(TypeError, "x", "be given beside y", x)
        return Observed(net.history._again(), net, None)
    return Observed(net.history._again(), net, _sampled(net, *_arrays.unpack(x, y)))


def _sampled(net: Network, x: Any, y: Any) -> Sample:
    """Rows spread evenly, at most MOST_ROWS and as many as MOST_NUMBERS allow."""
    architecture = net._architecture
    rows = _arrays.inputs(x, architecture, net.dtype)
    n = rows.shape[0]
    if n == 0:
        raise ValueError(_checks.message("x", "have at least one row", f"shape {rows.shape}"))
    width = sum(n_in + 2 * n_out for n_in, n_out in (w.shape for w in net.weights))
    most = min(n, MOST_ROWS, max(MOST_NUMBERS // width, 1))
    chosen = np.arange(most) * n // most
    some = rows if most == n else rows[chosen]
    if y is None:
        return Sample(some, net.predict(some), None, n, False, None)
    answers = _arrays.answers(y, rows, architecture, net.dtype, net.cost, ("x", "y"))
    labels, targets = answers.get("labels"), answers.get("targets")
    if labels is not None:
        share = np.bincount(labels, minlength=architecture.n_classes) / n
        guess = guess_loss(net, share) if share.all() else None
        return Sample(some, labels[chosen], labels[chosen], n, True, guess)
    assert targets is not None
    guess = _guess_of_targets(net, targets) or None  # 0 measures nothing
    classes = None if architecture.is_regression else _classes(targets[chosen], architecture)
    return Sample(some, targets[chosen], classes, n, True, guess)


def _classes(targets: Array, architecture: Architecture) -> Array:
    """The classes that targets stand for, as `Network.accuracy` takes them."""
    if architecture.n_outputs > 1:
        largest: Array = targets.argmax(axis=1)
        return largest
    middle = 0.0 if architecture.output == "tanh" else 0.5
    return (targets[:, 0] >= middle).astype(np.int64)


def guess_loss(net: Network, share: Array) -> float:
    """The loss of the best constant outputs, for classes of these shares.

    ::

        log_likelihood  -sum_k p_k ln p_k           quadratic  1/2 sum_k range^2 p_k (1 - p_k)
        cross_entropy   -sum_k [p_k ln p_k + (1 - p_k) ln(1 - p_k)]           hinge  K - 1

    With one output only the share of class 1 counts. hinge: of all outputs alike.
    """
    p = np.asarray(share, np.float64)
    if net.cost == "log_likelihood":
        return float(_entropy(p).sum())
    if net.cost == "hinge":
        return float(len(p) - 1)
    outputs = p[1:] if net.n_outputs == 1 else p
    if net.cost == "cross_entropy":
        return float((_entropy(outputs) + _entropy(1 - outputs)).sum())
    spread = 2.0 if net._architecture.output == "tanh" else 1.0  # targets -1/+1, else 0/1
    return float(0.5 * spread**2 * (outputs * (1 - outputs)).sum())


def _guess_of_targets(net: Network, targets: Array) -> float:
    """The loss of the best constant outputs, for real targets: their means."""
    mean = targets.mean(axis=0, dtype=np.float64)
    if net.cost == "quadratic":
        return float(0.5 * targets.var(axis=0, dtype=np.float64).sum())
    if net.cost == "log_likelihood":
        return float(_entropy(mean).sum())
    return float((_entropy(mean) + _entropy(1 - mean)).sum())


def _entropy(p: Array) -> Array:
    """-p ln p, 0 at 0."""
    surprise: Array = -np.log(np.where(p > 0, p, 1.0))
    return p * surprise


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))
