"""Data that widgets take from users, checked."""

from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._data_checks import is_labels
from nnlearn.data import Dataset, Split


def labelled(data: Any) -> Dataset:
    """The data, which must be a Dataset with labels; raises ValueError."""
    if not isinstance(data, Dataset):
        hint = "Dataset(split)" if isinstance(data, Split) else "datasets.from_arrays(x, y)"
        _checks.fail(ValueError, "data", "be a Dataset", data, hint)
    y = np.asarray(data.train.y)
    if not is_labels(y):
        _checks.fail(ValueError, "data", "have integer labels (n,) for y", y)
    return data
