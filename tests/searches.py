"""A small problem to search settings for, and searches of it."""

from typing import Any

import numpy as np

import nnlearn as nn

SPACE = {
    "learning_rate": nn.loguniform(0.01, 10, n=4),
    "hidden": [(4,), (6,)],
    "batch_size": nn.integers(5, 20, n=2),
}


def points(n: int = 60, seed: int = 0) -> tuple[Any, Any]:
    """Two classes by the sign of a product: an xor with room."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


DATA = nn.Dataset(points(), points(40, 1), points(40, 2))

X = points()[0]
LINES = nn.Dataset((X, X.sum(axis=1)), (X[:20], X[:20].sum(axis=1)))  # regression


def look(data: nn.Dataset, space: Any = SPACE, **settings: Any) -> nn.searching.Search:
    """A short search."""
    defaults = {"trials": 6, "epochs": 2, "n_jobs": 1, "verbose": 0}
    return nn.search(space, data, **defaults | settings)


def tried(found: nn.searching.Search) -> list[dict[str, Any]]:
    """The settings of all trials."""
    return [trial.settings for trial in found.trials]
