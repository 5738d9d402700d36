"""`Split`, one set of samples, and `Dataset`, a training set with what it is judged on.

Both only hold arrays. They keep what they are given, copy nothing, and a slice shares the memory
of the whole. What a network needs beyond that (its number of inputs, finite values, labels below
its number of outputs) is checked where the network is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _data_view
from nnlearn._checks import fail, integer, show
from nnlearn._data_checks import (
    Array,
    as_array,
    check_classes,
    check_labels,
    checked_image_shape,
    checked_names,
)
from nnlearn.tables import Table, count


# eq=False: the generated == would compare tuples of arrays, and the truth of an array of booleans
# is an error. Two sets are equal when they are the same object, so they also hash.
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Split:
    """One set of samples: inputs `x` and labels or targets `y`, row by row.

    ``x, y = split`` takes it apart, and wherever `x` and `y` are arguments a Split may stand for
    both.

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Inputs of real numbers, one row a sample. An array is kept as it is; anything else goes
        through `numpy.asarray`. A SciPy sparse matrix stays sparse, as CSR.
    y : array_like, shape (n,) or (n, n_outputs)
        Integer labels or real targets, one row a sample.
    class_names : sequence of str, optional
        The name of each class. Integer labels must lie below their number.
    image_shape : tuple of int, optional
        What a row of `x` is as an image: (height, width) or (channels, height, width).

    Attributes
    ----------
    x, y : ndarray
        The arrays themselves.
    class_names : tuple of str or None
        As given.
    image_shape : tuple of int or None
        As given.

    Raises
    ------
    TypeError
        If `x` or `y` does not hold real numbers, or a name is no str.
    ValueError
        If lengths, labels or shapes do not fit each other.

    See Also
    --------
    Dataset : Training, validation and test set together.

    Notes
    -----
    ``len(split)`` is the number of samples. A slice is a Split that shares memory with this one;
    a single index is a TypeError, since one sample is no set: ``split.x[i]`` gives its inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn.data import Split
    >>> split = Split(np.eye(4, dtype="float32"), [0, 1, 2, 1], class_names=["a", "b", "c"])
    >>> split
    Split: 4 samples; 4 inputs float32, 3 classes
    >>> split[:2].y
    array([0, 1])
    >>> split.only(1, 2)
    Split: 3 samples; 4 inputs float32, 2 classes
    >>> split.only(1, 2).y, split.only(1, 2).class_names
    (array([0, 1, 0]), ('b', 'c'))
    """

    x: Array
    y: Array
    class_names: tuple[str, ...] | None
    image_shape: tuple[int, ...] | None

    def __init__(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        class_names: Iterable[str] | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        inputs, targets = as_array("x", x), as_array("y", y)
        if targets.shape[0] != inputs.shape[0]:
            fail(ValueError, "y", f"have {inputs.shape[0]} rows, as x", targets)
        vars(self).update(
            x=inputs,
            y=targets,
            class_names=checked_names(class_names, targets),
            image_shape=checked_image_shape(image_shape, inputs),
        )

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def __iter__(self) -> Iterator[Array]:
        return iter((self.x, self.y))

    def __getitem__(self, rows: slice) -> Split:
        """The samples of a slice; their arrays are views."""
        if not isinstance(rows, slice):
            fail(TypeError, "the index of a Split", "be a slice", rows, "index .x and .y instead")
        return self._with(self.x[rows], self.y[rows])

    def only(self, *classes: int) -> Split:
        """The samples of some classes, relabelled 0, 1, ... in the order of the arguments.

        Parameters
        ----------
        *classes : int
            The labels to keep, each once.

        Returns
        -------
        Split
            The samples in the order they have here. `class_names` are those of the classes kept;
            where there were none, the old labels as text.

        Raises
        ------
        TypeError
            If `y` is not integer labels, or a class is not an integer.
        ValueError
            If no class is given, one is given twice, or one has no sample.

        See Also
        --------
        Dataset.only : The same for all sets at once.

        Examples
        --------
        >>> from nnlearn.data import Split
        >>> split = Split([[0.0], [1.0], [2.0], [3.0]], [3, 1, 8, 3])
        >>> split.only(8, 3).y
        array([1, 0, 1])
        """
        check_classes(classes, self.y)
        return self._keep(classes)

    def summary(self) -> Table:
        """How many samples there are, and the shapes and dtypes of `x` and `y`.

        Returns
        -------
        Table
            One row, with the columns ``samples``, ``x`` and ``y``.

        Examples
        --------
        >>> from nnlearn.data import Split
        >>> print(Split([[0.0], [1.0], [2.0]], [0, 1, 0]).summary())
        Split: 1 input float64, labels 0 to 1
        samples  x               y
        -------  --------------  ----------
              3  (3, 1) float64  (3,) int64
        """
        return _data_view.table("Split", [("", self)])

    def _keep(self, classes: Sequence[int]) -> Split:
        """`only`, for classes that have been checked and need not occur here."""
        check_labels(self.y)
        kept = np.asarray(classes)
        order = np.argsort(kept)
        rows = np.flatnonzero(np.isin(self.y, kept))
        labels = order[np.searchsorted(kept[order], self.y[rows])].astype(np.int64)
        names = self.class_names
        named = tuple(str(label) if names is None else names[label] for label in classes)
        return Split(self.x[rows], labels, class_names=named, image_shape=self.image_shape)

    def _with(self, x: Array, y: Array) -> Split:
        return Split(x, y, class_names=self.class_names, image_shape=self.image_shape)

    def __repr__(self) -> str:
        return f"Split: {count(len(self), 'sample')}; {_data_view.line(self)}"

    def _repr_html_(self) -> str:
        return _data_view.html("Split", self.summary(), [("", self)])


@dataclass(frozen=True, init=False, eq=False, repr=False)  # eq=False: as for Split
class Dataset:
    """A training set, with a validation and a test set where there are any.

    Parameters
    ----------
    train : Split or pair (x, y)
        What networks learn from.
    validation, test : Split or pair (x, y), optional
        What settings are chosen by, and what the result is judged on.
    class_names : sequence of str, optional
        The name of each class; by default those of the sets.
    image_shape : tuple of int, optional
        (height, width) or (channels, height, width) of a row of x; by default that of the sets.
    source : str, default ""
        Where the data come from, in a word.

    Attributes
    ----------
    train : Split
        The training set.
    validation, test : Split or None
        The other two.
    class_names : tuple of str or None
        Also those of each set.
    image_shape : tuple of int or None
        Also that of each set.
    source : str
        As given.

    Raises
    ------
    TypeError
        If a set is neither a Split nor a pair.
    ValueError
        If the sets do not fit each other: rows of another shape, other names.

    See Also
    --------
    nnlearn.datasets.from_arrays : Makes one from your own arrays, split at random.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn.data import Dataset
    >>> x, y = np.zeros((6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> data = Dataset((x, y), test=(x[:2], y[:2]), class_names=["a", "b", "c"], source="toy")
    >>> data
    Dataset toy: 6 training, 2 test; 4 inputs float64, 3 classes
    >>> data.take(3).only(0, 2)
    Dataset toy: 2 training, 1 test; 4 inputs float64, 2 classes
    """

    train: Split
    validation: Split | None
    test: Split | None
    class_names: tuple[str, ...] | None
    image_shape: tuple[int, ...] | None
    source: str

    def __init__(
        self,
        train: Split | tuple[npt.ArrayLike, npt.ArrayLike],
        validation: Split | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        test: Split | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        *,
        class_names: Iterable[str] | None = None,
        image_shape: Sequence[int] | None = None,
        source: str = "",
    ) -> None:
        if not isinstance(source, str):
            fail(TypeError, "source", "be a str", source)
        sets = {"train": _as_split("train", train)}
        if validation is not None:
            sets["validation"] = _as_split("validation", validation)
        if test is not None:
            sets["test"] = _as_split("test", test)
        sets = _agreeing(sets, class_names, image_shape)
        vars(self).update(
            train=sets["train"],
            validation=sets.get("validation"),
            test=sets.get("test"),
            class_names=sets["train"].class_names,
            image_shape=sets["train"].image_shape,
            source=source,
        )

    def take(self, n: int) -> Dataset:
        """The same data with the first `n` training samples alone.

        Parameters
        ----------
        n : int
            How many, from 1 to ``len(train)``.

        Returns
        -------
        Dataset
            Validation and test set are the same objects, the training set is a view.

        Raises
        ------
        TypeError
            If `n` is not an integer.
        ValueError
            If there are not that many.

        Examples
        --------
        >>> from nnlearn.data import Dataset
        >>> len(Dataset(([[0.0], [1.0], [2.0]], [0, 1, 0])).take(2).train)
        2
        """
        n = integer("n", n, minimum=1, maximum=len(self.train))
        return Dataset(self.train[:n], self.validation, self.test, source=self.source)

    def only(self, *classes: int) -> Dataset:
        """The same data with some classes alone, relabelled 0, 1, ... in every set.

        Parameters
        ----------
        *classes : int
            The labels to keep, each once, in their new order.

        Returns
        -------
        Dataset
            `class_names` are those of the classes kept; where there were none, the old labels
            as text.

        Raises
        ------
        TypeError
            If the sets have no integer labels, or a class is not an integer.
        ValueError
            If no class is given, one is given twice, or one has no training sample.

        Examples
        --------
        >>> from nnlearn.data import Dataset
        >>> Dataset(([[0.0], [1.0], [2.0]], [3, 1, 8])).only(3, 8).train.y
        array([0, 1])
        """
        check_classes(classes, self.train.y)
        train = self.train._keep(classes)
        others = [s if s is None else s._keep(classes) for s in (self.validation, self.test)]
        return Dataset(train, *others, source=self.source)

    def summary(self) -> Table:
        """For each set how many samples it has, and the shapes and dtypes of `x` and `y`.

        Returns
        -------
        Table
            With the columns ``set``, ``samples``, ``x`` and ``y``.

        Examples
        --------
        >>> from nnlearn.data import Dataset
        >>> x, y = [[0.0], [1.0], [2.0]], [0, 1, 0]
        >>> print(Dataset((x, y), test=(x[:2], y[:2]), source="toy").summary())
        Dataset toy: 1 input float64, labels 0 to 1
        set       samples  x               y
        --------  -------  --------------  ----------
        training        3  (3, 1) float64  (3,) int64
        test            2  (2, 1) float64  (2,) int64
        """
        return _data_view.table(self._title(), self._sets())

    def _title(self) -> str:
        return f"Dataset {self.source}".rstrip()

    def _sets(self) -> list[tuple[str, Split]]:
        """The sets there are, with the word that the views use for each."""
        sets = (("training", self.train), ("validation", self.validation), ("test", self.test))
        return [(word, split) for word, split in sets if split is not None]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split):,} {word}" for word, split in self._sets())
        return f"{self._title()}: {sizes}; {_data_view.line(self.train)}"

    def _repr_html_(self) -> str:
        return _data_view.html(self.source or "Dataset", self.summary(), self._sets())


def check_dataset(data: Any, error: type[Exception] = TypeError) -> Dataset:
    """The data, which must be a Dataset; else an error of this kind."""
    if not isinstance(data, Dataset):
        hint = "Dataset(split)" if isinstance(data, Split) else "datasets.from_arrays(x, y)"
        fail(error, "data", "be a Dataset", data, hint)
    return data


def _as_split(name: str, value: Any) -> Split:
    if isinstance(value, Split):
        return value
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Split(*value)
    fail(TypeError, name, "be a Split or a pair (x, y)", value)


def _agreeing(
    sets: dict[str, Split], names: Iterable[str] | None, shape: Sequence[int] | None
) -> dict[str, Split]:
    """The sets with the names and the image shape of the whole, checked against each other."""
    if names is None:
        names = next((s.class_names for s in sets.values() if s.class_names is not None), None)
    elif isinstance(names, Iterable) and not isinstance(names, str):
        names = tuple(names)  # an iterator must last for all sets
    if shape is None:
        shape = next((s.image_shape for s in sets.values() if s.image_shape is not None), None)
    train = sets["train"]
    agreeing = {}
    for name, split in sets.items():
        for kind, array, other in (("x", split.x, train.x), ("y", split.y, train.y)):
            if array.shape[1:] != other.shape[1:]:
                rows = f"have rows of shape {other.shape[1:]}, as in train"
                fail(ValueError, f"{kind} of {name}", rows, array)
        agreeing[name] = _with_facts(name, split, names, shape)
    return agreeing


def _with_facts(
    name: str, split: Split, names: Iterable[str] | None, shape: Sequence[int] | None
) -> Split:
    """The split itself where it knows both facts, else one that does; a contradiction raises."""
    if split.class_names == names and split.image_shape == shape:
        return split
    full = Split(split.x, split.y, class_names=names, image_shape=shape)
    for fact in ("class_names", "image_shape"):
        known, wanted = getattr(split, fact), getattr(full, fact)
        if known not in (None, wanted):
            fail(ValueError, f"{fact} of {name}", f"be {show(wanted)}, as the data set's", known)
    return full
