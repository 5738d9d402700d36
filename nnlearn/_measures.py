"""What an evaluation counts: classes taken for classes, ranks, calibration, errors of numbers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Outputs that are probabilities, or become some.
PROBABILITIES = ("sigmoid", "softmax")


@dataclass(frozen=True, eq=False)
class Classes:
    """Of every sample its class, the one predicted, and how sure the outputs were."""

    n_classes: int
    predicted: Ints  # (n,)
    true: Ints
    rank: Ints  # of the true class among all, 0: it is predicted
    confidence: Floats | None  # the probability of the predicted class; None: there are none
    probability: Floats | None  # that of the true class
    kind: str  # of the outputs, for messages

    @cached_property
    def confusion(self) -> Ints:
        """Counts, a row for each true class and a column for each predicted one."""
        n = self.n_classes
        pairs = np.bincount(self.true * n + self.predicted, minlength=n * n)
        table = pairs.reshape(n, n).astype(np.int64, copy=False)
        table.flags.writeable = False
        return table

    @property
    def accuracy(self) -> float:
        return int(np.count_nonzero(self.predicted == self.true)) / len(self.true)

    @property
    def precision(self) -> Floats:
        return ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Floats:
        return ratio(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def f1(self) -> Floats:
        counts = self.confusion
        return ratio(2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1))

    def top_k(self, k: int) -> float:
        return int(np.count_nonzero(self.rank < k)) / len(self.rank)

    def most_taken_for(self, label: int) -> tuple[int, int] | None:
        """The class that this one is most often mistaken for, and how often; None: for none."""
        wrong = self.confusion[label].copy()
        wrong[label] = 0
        other = int(wrong.argmax())
        return (other, int(wrong[other])) if wrong[other] else None


@dataclass(frozen=True, eq=False)
class Numbers:
    """Of every sample the outputs of regression and their targets, both (n, n_outputs)."""

    outputs: Array
    targets: Array

    @cached_property
    def errors(self) -> Floats:
        """Root mean squared error, mean absolute error and R^2 of each output, (n_outputs, 3)."""
        rows = []
        for a, y in zip(self.outputs.T, self.targets.T, strict=True):
            error, y = a - y.astype(np.float64), y.astype(np.float64)
            squared, spread = np.mean(error**2), np.mean((y - y.mean()) ** 2)
            r2 = 1 - squared / spread if spread > 0 else np.nan
            rows.append((np.sqrt(squared), np.abs(error).mean(), r2))
        errors = np.array(rows, np.float64)
        errors.flags.writeable = False
        return errors

    def furthest(self, rows: Ints) -> dict[str, list[Any]]:
        """Of these rows target and output, with several outputs where they differ most."""
        targets, outputs = self.targets[rows], self.outputs[rows]
        at = np.abs(outputs - targets).argmax(axis=1)[:, None]
        found = {
            name: np.take_along_axis(array, at, axis=1)[:, 0].tolist()
            for name, array in (("true", targets), ("predicted", outputs))
        }
        return found if targets.shape[1] == 1 else {"output": at[:, 0].tolist(), **found}


@dataclass(frozen=True, eq=False)
class Reliability:
    """Samples by the confidence of their prediction, in bins of equal width from 0 to 1."""

    edges: Floats  # (bins + 1,)
    counts: Ints  # (bins,)
    confidence: Floats  # (bins,): the mean; NaN where no sample is
    accuracy: Floats

    @property
    def expected_error(self) -> float:
        """The mean of |accuracy - confidence| over all samples."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(self.counts * gaps) / self.counts.sum())


def probabilities(a: Array, kind: str) -> Array:
    """Of sigmoid or softmax outputs (n, n_outputs) the probabilities of the classes."""
    if kind == "softmax":
        return a
    if a.shape[1] == 1:
        return np.hstack([1 - a, a])
    total = a.sum(axis=1, keepdims=True)
    # Where every output has underflowed to 0 nothing is known: all classes alike.
    shares: Array = np.where(total > 0, a, 1) / np.where(total > 0, total, a.shape[1])
    return shares


def check_probabilities(kind: str, what: str = "the network") -> None:
    """Raise ValueError unless outputs of this kind are probabilities, or become some."""
    if kind not in PROBABILITIES:
        requirement = "have sigmoid or softmax outputs to give probabilities"
        raise ValueError(_checks.message(what, requirement, kind))


def reliability(confidence: Floats, right: npt.NDArray[np.bool_], bins: int) -> Reliability:
    """Bin i holds the confidences above its lower edge, up to its upper one; the first also 0."""
    edges = np.linspace(0, 1, bins + 1)
    at = np.searchsorted(edges[1:-1], confidence)
    counts = np.bincount(at, minlength=bins)
    means = [
        ratio(np.bincount(at, weights=values, minlength=bins), counts)
        for values in (confidence, right)
    ]
    return Reliability(edges, counts.astype(np.int64, copy=False), *means)


def ratio(part: Array, whole: Array) -> Floats:
    """Shares, NaN of nothing."""
    shares = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    shares.flags.writeable = False
    return shares
