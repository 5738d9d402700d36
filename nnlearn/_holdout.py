"""Which samples are held out: the same ones for the same seed, and of each class its share.

Rows are handled as index arrays, so that nothing is copied before it is known what goes where.
"""

import numpy as np
import numpy.typing as npt

from nnlearn._checks import fail
from nnlearn._data_checks import Array, is_labels

Rows = npt.NDArray[np.intp]


def shuffled(n: int, seed: int) -> Rows:
    """The rows 0..n-1 in the order of `seed`.

    They are sorted by one raw 64-bit number each: NumPy promises that a bit generator's raw
    numbers stay the same in every version, but not what its `permutation` makes of them.
    """
    return np.argsort(np.random.Philox(seed).random_raw(n), kind="stable")


def share(n: int, fraction: float) -> int:
    """How many of `n` samples a fraction is: rounded, and at least one unless it is 0."""
    return max(1, int(n * fraction + 0.5)) if fraction else 0


def hold_out(order: Rows, n: int, y: Array) -> tuple[Rows, Rows]:
    """Split `order` into the rows that stay and `n` rows that are held out.

    Parameters
    ----------
    order : ndarray of int
        Rows of `y`, shuffled; the first ones are held out.
    n : int
        How many to hold out, fewer than there are.
    y : ndarray
        Labels or targets of all rows. For labels the held-out rows are stratified: each class
        has its share, to a whole sample, and those that would give their last row come last.

    Returns
    -------
    kept, held : ndarray of int
        Both in the order that `order` has.
    """
    if n >= len(order):
        fail(ValueError, "the samples held out", f"be fewer than the {len(order)} there are", n)
    held = np.zeros(len(order), bool)
    if is_labels(y):
        _, classes, counts = np.unique(y[order], return_inverse=True, return_counts=True)
        for label, quota in enumerate(quotas(counts, n)):
            held[np.flatnonzero(classes == label)[:quota]] = True
    else:
        held[:n] = True
    return order[~held], order[held]


def quotas(counts: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.intp]:
    """How many of each class make up `n`: in proportion to `counts`, by the largest remainders.

    A first round of remainders passes over classes that would give their last sample.
    """
    exact = counts * n
    total = counts.sum()
    quotas: Rows = exact // total
    by_remainder = np.argsort(-(exact % total), kind="stable")
    for reserve in (1, 0):
        for label in by_remainder:
            if quotas.sum() < n and quotas[label] + reserve < counts[label]:
                quotas[label] += 1
    return quotas
