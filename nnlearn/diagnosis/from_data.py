"""What x and y tell beside each other: whether one has to do with the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.findings import Finding
from nnlearn.diagnosis.from_history import validation_name
from nnlearn.diagnosis.kinds import KINDS
from nnlearn.diagnosis.observation import Observed, Sample

Array = npt.NDArray[Any]


def unrelated(seen: Observed) -> Finding | None:
    """A network that is no better than the guess, on rows whose y nothing in x goes with."""
    limits, history, sample = KINDS[kinds.UNRELATED].limits, seen.history, seen.sample
    if sample is None or not sample.has_answers or len(sample.x.shape) != 2 or seen.guess is None:
        return None
    if sample.x.shape[0] < limits["rows"] or history.step_loss.size < limits["steps"]:
        return None
    lowest, of = _lowest_loss(seen)
    if not lowest >= limits["high"] * seen.guess:
        return None
    largest, chance = _largest_correlation(seen, sample), 1 / math.sqrt(sample.x.shape[0])
    if largest >= limits["errors"] * chance:
        return None
    words = (
        f"the loss of {of} is {lowest:.3g}, hardly better than the {seen.guess:.3g} of constant "
    )
    words += "outputs, and nothing in x goes with y: the largest correlation is "
    words += f"{largest:.2g}, as chance gives"
    evidence = {"loss": lowest, "guess": seen.guess, "correlation": largest, "chance": chance}
    advice = "check that row i of x and y[i] belong together (one shuffled without the other?), "
    advice += "and that x has what y depends on; no learning_rate helps where it has not"
    return Finding(kinds.UNRELATED, None, None, evidence, words, advice)


def _lowest_loss(seen: Observed) -> tuple[float, str]:
    """That of validation, which noise learnt by heart does not lower; else the last epoch's."""
    history, name = seen.history, validation_name(seen)
    if name is not None and np.isfinite(history[f"{name}_loss"]).any():
        return history.best(f"{name}_loss")[1], "validation at its lowest"
    return (float(history["loss"][-1]) if "loss" in history else math.nan), "the last epoch"


def _largest_correlation(seen: Observed, sample: Sample) -> float:
    """Of any column of x, or hidden unit with the start weights, with any class or target.

    Squares are asked too. Units at the start mix columns: a y that goes with no column by itself,
    as in exclusive or, goes with squares of mixtures, which have the products of columns in them.
    """
    if sample.classes is None:
        answers = np.asarray(sample.y, np.float64).reshape(sample.x.shape[0], -1)
    else:
        answers = (sample.classes[:, None] == np.unique(sample.classes)).astype(np.float64)
    answers = _standardised(answers)
    layers = [_standardised(a) for a in seen.start_inside.a[:-1]]
    layers += [_standardised(a * a) for a in layers]
    return max(float(np.abs(a.T @ answers).max(initial=0)) for a in layers) / len(answers)


def _standardised(columns: Array) -> Array:
    """Columns of mean 0 and mean square 1; of 0 where a column is constant."""
    centred: Array = columns - columns.mean(axis=0, dtype=np.float64)
    size = np.sqrt(np.square(centred).mean(axis=0))
    return centred / np.where(size > 1e-6 * np.abs(columns).max(axis=0), size, np.inf)
