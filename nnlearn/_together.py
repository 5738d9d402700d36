"""What several networks give together: mean outputs, votes, and the losses of the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn._measures import Array, Floats, Ints


@dataclass(frozen=True)
class Answers:
    """What should come of the rows."""

    given: Any  # y as the networks take it
    targets: Floats  # (n, n_outputs)
    true: Ints  # (n,): the class of each

    @classmethod
    def of(cls, parts: dict[str, Any], given: Any, n_outputs: int, kind: str) -> Answers:
        """From labels or targets as the core would get them."""
        if "targets" in parts:
            targets = np.array(parts["targets"], np.float64)
            return cls(given, targets, first_best(scores_of(targets, kind)))
        true = parts["labels"].astype(np.int64)
        hot = true[:, None] == (np.arange(n_outputs) if n_outputs > 1 else 1)
        return cls(given, np.where(hot, 1.0, -1.0 if kind == "tanh" else 0.0), true)


@dataclass(frozen=True)
class Together:
    """What the networks give together."""

    mean: Floats  # (n, n_outputs)
    votes: Ints | None  # (n, n_classes)
    logs: Floats | None  # (1 or 2, n, n_outputs): ln of the mean a, and for sigmoids of 1 - a
    kind: str  # of the outputs

    def predicted(self) -> Ints:
        """The class of each row: of those with most votes the one with the largest mean output."""
        scores = scores_of(self.mean, self.kind)
        if self.votes is not None:
            most = self.votes.max(axis=1, keepdims=True)
            scores = np.where(self.votes == most, scores, -np.inf)
        return first_best(scores)

    def rank_of(self, true: Ints) -> Ints:
        """How many classes stand before the true one: by votes, mean output, and number."""
        scores, at = scores_of(self.mean, self.kind), true[:, None]
        own = np.take_along_axis(scores, at, axis=1)
        first = np.arange(scores.shape[1]) < at
        before = (scores > own) | ((scores == own) & first)
        if self.votes is not None:
            own = np.take_along_axis(self.votes, at, axis=1)
            before = (self.votes > own) | ((self.votes == own) & before)
        return np.asarray(np.count_nonzero(before, axis=1), np.int64)


def scores_of(a: Array, kind: str) -> Array:
    """A column for each class, the larger the likelier: for one output whether it is class 1."""
    if a.shape[1] > 1:
        return a
    is_one = a >= (0.0 if kind == "tanh" else 0.5)
    return np.hstack([~is_one, is_one]).astype(np.float64)


def first_best(scores: Array) -> Ints:
    """The class of each row: the first largest."""
    best: Ints = np.argmax(scores, axis=1).astype(np.int64, copy=False)
    return best


def ballot(scores: Array) -> Ints:
    """One vote a row, for the first largest."""
    ballot = np.zeros(scores.shape, np.int64)
    np.put_along_axis(ballot, first_best(scores)[:, None], 1, axis=1)
    return ballot


def logarithms(z: Floats, cost: str) -> Floats:
    """Ln a, and for sigmoids ln(1 - a), from z: finite also where a rounds to 0 or 1."""
    if cost == "log_likelihood":
        return np.asarray(z - np.logaddexp.reduce(z, axis=1, keepdims=True))[None]
    return np.negative(np.logaddexp(0.0, [-z, z]))


def losses_of(cost: str, found: Together, y: Floats) -> Floats:
    """c of the mean output and the targets y, for each row."""
    a = found.mean
    if cost == "quadratic":
        terms = 0.5 * np.square(a - y)
    elif cost == "hinge":
        true = y.argmax(axis=1)[:, None]
        terms = np.maximum(a - np.take_along_axis(a, true, axis=1) + 1.0, 0.0)
        np.put_along_axis(terms, true, 0.0, axis=1)
    else:
        assert found.logs is not None
        terms = -y * found.logs[0]
        if cost == "cross_entropy":
            terms -= (1.0 - y) * found.logs[1]
    return np.asarray(terms.sum(axis=1))
