"""What the weights by themselves tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.findings import Finding
from nnlearn.diagnosis.kinds import KINDS
from nnlearn.diagnosis.observation import Observed

Array = npt.NDArray[Any]


def not_finite(seen: Observed) -> Finding | None:
    """Weights or biases that are no numbers any more, which make all outputs such."""
    lost = seen.not_finite
    if not lost:
        return None
    assert seen.net is not None
    first, number, n_all = next(iter(lost)), sum(lost.values()), seen.net.n_parameters
    words = f"{number:,} of {n_all:,} weights and biases are NaN or infinite, the first in {first}"
    evidence = {"not finite": number, "parameters": n_all}
    advice = "load the network anew, or net.reset() and fit it with a lower learning_rate"
    return Finding(kinds.LOST, first.partition(".")[0], None, evidence, words, advice)


def identical_units(seen: Observed) -> Iterable[Finding]:
    """Hidden layers whose units are one unit many times over, and stay so."""
    if seen.net is None:
        return
    weights = seen.net.weights
    for i, layer in enumerate(seen.net._architecture.dense[:-1]):
        units = layer.n
        if units < 2:
            continue
        # Units that the next layer weights differently get different gradients.
        parts = (weights[i].T, seen.net.biases[i][:, None], weights[i + 1])
        if not all(_alike(part) for part in parts):
            continue
        words = f"its {units} units are the same: equal weights, equal biases, and equal weights "
        words += "in the next layer, so that each learns what the others learn"
        init = "he" if layer.activation == "relu" else "scaled"
        advice = f'make the network with init="{init}", whose start weights differ'
        evidence = {"units": units, "largest weight": float(np.abs(weights[i]).max())}
        yield Finding(kinds.IDENTICAL, seen.layer(i), None, evidence, words, advice)


def _alike(rows: Array) -> bool:
    """Whether all rows are the first one, but for rounding that has grown a little."""
    most = float(np.abs(rows).max())
    return bool(np.abs(rows - rows[0]).max() <= KINDS[kinds.IDENTICAL].limits["alike"] * most)
