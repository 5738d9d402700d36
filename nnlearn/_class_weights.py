"""Class weights, and the classes that a set shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks

Array = npt.NDArray[Any]

#: What `class_weight` is once it is checked.
ClassWeight = str | Mapping[int, float] | None

_NAME = "class_weight"


def checked(class_weight: Any, n_classes: int, regression: bool) -> ClassWeight:
    """What fit was given, as "balanced" or a mapping of labels to weights, in their order."""
    if class_weight is None:
        return None
    if regression:
        _checks.fail(
            ValueError, _NAME, "be None for regression, which has no classes", class_weight
        )
    if isinstance(class_weight, str):
        hint = "or be a mapping of labels to weights"
        return _checks.choice(_NAME, class_weight, ("balanced",), hint)
    if not isinstance(class_weight, Mapping):
        requirement = "be 'balanced' or a mapping of labels to weights"
        _checks.fail(TypeError, _NAME, requirement, class_weight)
    weights = {}
    for label, weight in class_weight.items():
        name = f"a label of {_NAME}"
        label = _checks.integer(name, label, minimum=0, maximum=n_classes - 1)
        weights[label] = _checks.real(f"{_NAME}[{label}]", weight, minimum=0.0)
    return dict(sorted(weights.items()))


def weights_of(labels: Array | None, n_classes: int, class_weight: ClassWeight) -> Array:
    """The weight of each row (n,) by its label; a label that a mapping leaves out has 1."""
    if labels is None:
        requirement, got = "go with labels", f"{class_weight!r} beside real targets"
        raise ValueError(_checks.message(_NAME, requirement, got, "use sample_weight"))
    by_class = np.ones(n_classes)
    if isinstance(class_weight, Mapping):
        for label, weight in class_weight.items():
            by_class[label] = weight
    else:
        counts = np.bincount(labels, minlength=n_classes)
        shown = counts > 0
        by_class[shown] = len(labels) / (np.count_nonzero(shown) * counts[shown])
    return by_class[labels]


def unseen(train_y: Any, other_y: Any) -> list[int]:
    """The labels of a set that the training set never shows; none where they are no labels."""
    train, other = np.asarray(train_y), np.asarray(other_y)
    if train.ndim != 1 or other.ndim != 1:
        return []
    shown, wanted = (np.bincount(y.astype(np.intp, copy=False)) > 0 for y in (train, other))
    n = min(len(shown), len(wanted))
    wanted[:n] &= ~shown[:n]
    return [int(label) for label in np.flatnonzero(wanted)]
