"""A `Dataset` from the caller's own arrays, split at random."""

from __future__ import annotations

import numpy.typing as npt

from nnlearn._checks import fail, integer, message, real
from nnlearn._holdout import Rows, hold_out, share, shuffled
from nnlearn.data import Dataset, Split


def from_arrays(
    x: npt.ArrayLike | Split,
    y: npt.ArrayLike | None = None,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
) -> Dataset:
    """Split your own arrays at random into a training, a validation and a test set.

    Parameters
    ----------
    x : array_like, shape (n, ...), or Split
        Inputs, one row a sample. A Split stands for both arrays; its class names and image shape
        are kept.
    y : array_like, shape (n,) or (n, n_outputs)
        Integer labels or real targets.
    validation, test : float in [0, 1), default 0.1 and 0.2
        The share of all samples that goes to each, rounded, and at least one sample. 0 leaves
        that set out.
    seed : int >= 0, default 0
        The same seed gives the same sets.

    Returns
    -------
    Dataset
        Copies of the rows in shuffled order, in the dtype of `x`. With integer labels every set
        has its share of each class.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If the shares leave nothing to train on, or `x` and `y` differ in length.

    See Also
    --------
    nnlearn.data.Dataset : Takes sets that are split already.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn.datasets import from_arrays
    >>> x, y = np.random.default_rng(0).random((150, 4)), np.repeat([0, 1, 2], 50)
    >>> data = from_arrays(x, y)
    >>> data
    Dataset: 105 training, 15 validation, 30 test; 4 inputs float64, labels 0 to 2
    >>> np.bincount(data.test.y)
    array([10, 10, 10])
    """
    whole = _whole(x, y)
    validation = real("validation", validation, minimum=0, below=1)
    test = real("test", test, minimum=0, below=1)
    n_validation, n_test = share(len(whole), validation), share(len(whole), test)
    if n_validation + n_test >= len(whole):
        got = f"{validation:g} and {test:g} of {len(whole)} samples"
        raise ValueError(message("validation and test", "leave samples to train on", got))
    rest = shuffled(len(whole), integer("seed", seed, minimum=0))
    rest, test_rows = hold_out(rest, n_test, whole.y)
    rest, validation_rows = hold_out(rest, n_validation, whole.y)
    return Dataset(
        _rows(whole, rest),
        _rows(whole, validation_rows) if n_validation else None,
        _rows(whole, test_rows) if n_test else None,
    )


def _whole(x: npt.ArrayLike | Split, y: npt.ArrayLike | None) -> Split:
    if isinstance(x, Split):
        if y is not None:
            fail(TypeError, "y", "be left out where x is a Split", y)
        return x
    if y is None:
        fail(TypeError, "y", "be given where x is no Split", y)
    return Split(x, y)


def _rows(whole: Split, rows: Rows) -> Split:
    return whole._with(whole.x[rows], whole.y[rows])
