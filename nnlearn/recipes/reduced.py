"""A smaller problem on which settings are found faster, and what carries over to the whole."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn._data_checks import is_labels
from nnlearn._holdout import quotas
from nnlearn.data import Dataset, Split


def reduce_problem(
    data: Dataset,
    *,
    n: int | None = None,
    n_validation: int | None = None,
    classes: Iterable[int] | None = None,
) -> Dataset:
    """A smaller problem of the same kind, on which networks train faster.

    Parameters
    ----------
    data : Dataset
        The whole.
    n : int, optional
        How many training samples to keep; by default all.
    n_validation : int, optional
        How many validation samples to keep; by default all.
    classes : iterable of int, optional
        The labels to keep, each once, relabelled 0, 1, ... in this order, in every set, as
        `Dataset.only` does; by default all. They are chosen first, so that `n` counts samples of
        these classes.

    Returns
    -------
    Dataset
        The first samples of each set, in their order. Where a class would be missing among them,
        as in sorted data, they are the first samples of each class instead: its share of the
        whole, and one at least. The test set keeps all samples of the classes.

    Raises
    ------
    TypeError
        If `data` is no Dataset, a number is not an integer, or there are no labels to choose
        classes by.
    ValueError
        If there are not that many samples, no validation set to cut, a class has no sample, or
        fewer samples than classes are to be kept.

    See Also
    --------
    rescale_l2 : The penalty for another number of training samples.
    Dataset.take, Dataset.only : The two steps by themselves.

    Notes
    -----
    ``rescale_l2(l2, n=len(reduced.train), to=len(data.train))`` carries a penalty found here over
    to the whole.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small()
    >>> reduced = nn.reduce_problem(digits, n=200, n_validation=100, classes=[0, 1])
    >>> len(reduced.train), len(reduced.validation), reduced.class_names
    (200, 100, ('0', '1'))
    """
    if not isinstance(data, Dataset):
        _checks.fail(TypeError, "data", "be a Dataset", data, "datasets.from_arrays makes one")
    if classes is not None:
        if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
            _checks.fail(TypeError, "classes", "be a sequence of integers", classes)
        data = data.only(*classes)
    train, validation = data.train, data.validation
    if n is not None:
        train = _first("n", train, n)
    if n_validation is not None:
        if validation is None:
            hint = "data has no validation set"
            _checks.fail(ValueError, "n_validation", "be left out", n_validation, hint)
        validation = _first("n_validation", validation, n_validation)
    return Dataset(train, validation, data.test, source=data.source)


def rescale_l2(l2: float, *, n: int, to: int) -> float:
    """The penalty that decays weights as fast with another number of training samples.

    Each step takes the share eta lambda / n of a weight away. With the same learning rate it
    stays the same for::

        lambda_to = lambda_n * to / n

    Parameters
    ----------
    l2 : float
        lambda, found with `n` samples, >= 0.
    n : int
        The number of training samples it was found with, >= 1.
    to : int
        The number of training samples it is wanted for, >= 1.

    Returns
    -------
    float
        The penalty for `to` samples.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range.

    See Also
    --------
    reduce_problem : Makes the smaller problem.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "Overfitting and
       regularization".

    Examples
    --------
    >>> import nnlearn as nn
    >>> nn.rescale_l2(0.1, n=1_000, to=50_000)
    5.0
    """
    l2 = _checks.real("l2", l2, minimum=0.0)
    n = _checks.integer("n", n, minimum=1)
    return l2 * _checks.integer("to", to, minimum=1) / n


def _first(name: str, split: Split, n: int) -> Split:
    """The first n samples; the first ones of each class, where one would be missing."""
    n = _checks.integer(name, n, minimum=1, maximum=len(split))
    if not is_labels(split.y):
        return split[:n]
    labels, of_row, counts = np.unique(split.y, return_inverse=True, return_counts=True)
    if n < len(labels):
        requirement = f"be at least {len(labels)}, the number of classes"
        _checks.fail(ValueError, name, requirement, n, "classes= keeps fewer of them")
    if len(np.unique(of_row[:n])) == len(labels):
        return split[:n]
    wanted = _shares(counts, n)
    rows = [np.flatnonzero(of_row == label)[:k] for label, k in enumerate(wanted)]
    chosen = np.sort(np.concatenate(rows))
    return Split(
        split.x[chosen],
        split.y[chosen],
        class_names=split.class_names,
        image_shape=split.image_shape,
    )


def _shares(counts: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.intp]:
    """How many of each class make up n: in proportion to `counts`, and one at least."""
    shares = quotas(counts, n) if n < counts.sum() else counts.copy()
    while not shares.all():
        shares[shares.argmin()] += 1
        shares[shares.argmax()] -= 1
    return shares
