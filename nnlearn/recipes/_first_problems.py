"""Problems to begin with: the easier ones of some data, and what is clearly more than a guess."""

import math
from collections.abc import Iterator

import numpy as np

from nnlearn._data_checks import is_labels
from nnlearn.data import Dataset
from nnlearn.recipes._bench import least_samples
from nnlearn.recipes.penalties import Measure
from nnlearn.recipes.reduced import reduce_problem

#: The first step: orders of magnitude of the rate, and samples.
RATES = (0.01, 0.1, 1.0, 10.0, 100.0)
FEW_SAMPLES = 1_000
#: Epochs with each; the last try has as many as show it so many samples, within a limit.
FEW_EPOCHS = 5
SEEN = 50_000
MANY_EPOCHS = 200
#: Standard errors above chance that are no chance any more; of a loss to be explained, the share.
CLEARLY = 4.0
EXPLAINED = 0.1


def easier(data: Dataset) -> Iterator[tuple[str, Dataset, int]]:
    """Problems to begin with, in words, as data, with epochs: few samples; two classes; all."""
    assert data.validation is not None
    n, m = len(data.train), len(data.validation)
    few = max(FEW_SAMPLES, least_samples(data))
    if n > few:
        yield f"{few:,} samples", reduce_problem(data, n=few, n_validation=min(m, few)), FEW_EPOCHS
    if is_labels(data.train.y):
        counts = np.bincount(data.train.y)
        held = np.bincount(data.validation.y, minlength=len(counts))
        if np.count_nonzero(counts) > 2:
            two = sorted(int(k) for k in np.argsort(-counts * (held[: len(counts)] > 0))[:2])
            pair = reduce_problem(data, classes=two)
            assert pair.validation is not None
            n_pair = min(len(pair.train), FEW_SAMPLES)
            m_pair = min(len(pair.validation), FEW_SAMPLES)
            words = f"{n_pair:,} samples of classes {two[0]} and {two[1]}"
            yield words, reduce_problem(pair, n=n_pair, n_validation=m_pair), FEW_EPOCHS
    patient = min(max(SEEN // n, FEW_EPOCHS), MANY_EPOCHS)
    yield f"all {n:,} samples", data, patient


def lower(rate: float) -> list[float]:
    """Lower orders of magnitude, where the lowest so far is the best."""
    return [rate / 10.0**order for order in (1, 2, 3, 4)] if rate == RATES[0] else []


def goal_of(data: Dataset, measure: Measure) -> tuple[float, float]:
    """What is clearly more than a guess, and the guess: accuracies, or losses of regression."""
    assert data.validation is not None
    y = np.asarray(data.validation.y)
    if not measure.is_accuracy:
        mean = np.asarray(data.train.y, np.float64).mean(axis=0)
        guess = 0.5 * float(np.mean(np.sum(np.square(y - mean).reshape(len(y), -1), axis=1)))
        return (1.0 - EXPLAINED) * guess, guess
    if not is_labels(y):
        y = y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else y.ravel() > np.median(y)
    _, counts = np.unique(y, return_counts=True)
    guess = float(counts.max() / counts.sum())
    if guess == 1.0:  # nothing can be more, and nothing be told by it
        return math.inf, guess
    return min(guess + CLEARLY * measure.noise(guess), (1.0 + guess) / 2), guess


def reaches(value: float, goal: float, measure: Measure) -> bool:
    """Whether an accuracy, or a loss of regression, is as good as a goal."""
    return value >= goal if measure.is_accuracy else value <= goal


def is_more(one: float, other: float, measure: Measure) -> bool:
    """Whether an accuracy, or a loss of regression, is better than another, or the other is NaN."""
    return math.isnan(other) or (one > other if measure.is_accuracy else one < other)


def shown(value: float, measure: Measure) -> str:
    if measure.is_accuracy:
        return f"{100 * value:.2f} %"
    return f"a validation loss of {value:.4g}"
