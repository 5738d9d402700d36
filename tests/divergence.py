"""Trainings that diverge, and what is to be left of experiments that have some."""

import functools
import math
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import experiments, training

SEEDS = (3, 4)
#: Which seeds diverge, and after how many whole epochs.
CASES = {
    "one seed in its first epoch": ((3,), 0),
    "one seed in its third epoch": ((4,), 2),
    "every seed in its first epoch": (SEEDS, 0),
    "every seed in its third epoch": (SEEDS, 2),
}
#: A value of the start weights, which every seed has.
_BEFORE = ("untrained", "at the start")


def diverge(monkeypatch: pytest.MonkeyPatch, seeds: Collection[int], after: int) -> None:
    """Let the trainings of networks with these seeds end in NaN after so many whole epochs."""
    trained = training.Run._trained

    def diverging(self: Any, epoch: int) -> dict[str, float]:
        if self.net.seed in seeds and len(self.history) >= after:
            self._diverged(1, "loss", math.nan)
        return trained(self, epoch)

    monkeypatch.setattr(training.Run, "_trained", diverging)


def check_diverged(
    monkeypatch: pytest.MonkeyPatch, name: str, data: nn.Dataset, case: str
) -> experiments.Result:
    """Run the experiment; its numbers count who diverged, and its pictures are drawn."""
    experiment = experiments.find(name)
    bad, after = CASES[case]
    diverge(monkeypatch, bad, after)
    seeds = SEEDS[: experiment.most_seeds]
    lost = len(set(seeds) & set(bad))
    known = _BEFORE
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = experiment.run(data, SEEDS, quick=True)
        for figure in result.figures().values():
            figure.canvas.draw()
    rows = {row.what: row for row in result.rows if len(row.values) == len(seeds)}
    assert rows or result.claims
    rows = {what: row for what, row in rows.items() if not any(word in what for word in known)}
    claims = {c.text: c.differences for c in result.claims if len(c.differences) == len(seeds)}
    claims = {
        text: values for text, values in claims.items() if not any(word in text for word in known)
    }
    assert {what: row.diverged for what, row in rows.items()} == dict.fromkeys(rows, lost)
    assert {t: int(np.isnan(d).sum()) for t, d in claims.items()} == dict.fromkeys(claims, lost)
    if rows and lost:
        assert max(result.table()["diverged"]) == lost
    assert result.to_json()["verdict"] in repr(result)
    return result


#: A rate by which weights overflow in the first epoch.
_TOO_HIGH = 1e38
#: Weights by which the sums of the last layer overflow.
_TOO_LARGE = 3e38


def let_diverge(monkeypatch, seeds=None, *, after=0):
    """Let each fit of networks of digits with these seeds (None: all) really diverge.

    In the first epoch, or once `after` epochs are done, where there are as many.
    """
    fit = nn.Network.fit

    def overflow(net, history):
        if len(history) == after:
            net.weights[-1] = 0.0 * net.weights[-1] + _TOO_LARGE

    @functools.wraps(fit)
    def diverging(net, x, *args, **settings):
        ill = seeds is None or net.seed in seeds
        if ill and net.weights[0].shape[0] == 784:
            if not after or settings.get("epochs") == 1:
                settings["learning_rate"] = _TOO_HIGH
            else:
                given = settings.get("callbacks", ())
                given = [given] if callable(given) else [*given]
                settings["callbacks"] = [overflow, *given]
        return fit(net, x, *args, **settings)

    monkeypatch.setattr(nn.Network, "fit", diverging)
