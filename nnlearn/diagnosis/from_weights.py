"""What the weights by themselves tell."""

from __future__ import annotations

from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.findings import Finding
from nnlearn.diagnosis.observation import Observed


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
