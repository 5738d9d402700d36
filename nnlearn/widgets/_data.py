"""Data that widgets take from users, checked."""

from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._data_checks import is_labels
from nnlearn.data import Dataset, check_dataset


def labelled(data: Any) -> Dataset:
    """The data, which must be a Dataset with labels; raises ValueError."""
    checked = check_dataset(data, ValueError)
    y = np.asarray(checked.train.y)
    if not is_labels(y):
        _checks.fail(ValueError, "data", "have integer labels (n,) for y", y)
    return checked
