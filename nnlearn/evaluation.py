"""What `evaluate` gives: how a network does on data, as a whole, by class and sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks, _html
from nnlearn._measures import Array, Classes, Floats, Ints, Numbers, Reliability, reliability
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: So many bins has the calibration unless others are asked for.
BINS = 10

#: Rows of a table in the views, and classes of a confusion table that is shown whole.
MOST_ROWS, MOST_CLASSES = 40, 20


def evaluation_of(
    cost: str, losses: Floats, found: Classes | Numbers, names: Sequence[str] | None = None
) -> Evaluation:
    """The evaluation of these samples. Classes without a name are called by their number."""
    full = None
    if names is not None and isinstance(found, Classes):
        rest = range(len(names), found.n_classes)
        full = (*names, *map(str, rest))[: found.n_classes]
    for array in (losses, *vars(found).values()):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return Evaluation(float(losses.mean()), cost, losses, full, found)


# eq=False: comparing arrays has no truth value; two evaluations are equal as objects.
@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """How a network, or an ensemble, does on data: made by `Network.evaluate`.

    ::

        loss = (1/n) sum_i c(a_i, y_i)
        precision_k = right_k / predicted_k      recall_k = right_k / samples_k
        F1_k = 2 right_k / (predicted_k + samples_k)

    Attributes
    ----------
    loss : float
        The mean of `losses`: what `Network.loss` gives, to rounding.
    cost : str
        The cost function c.
    losses : ndarray, shape (n,)
        c of every sample, in nats for the costs that are logarithms.
    class_names : tuple of str or None
        The name of each class, where the data has names.

    See Also
    --------
    Network.evaluate : Makes one.
    Ensemble.evaluate : Makes one of several networks together.

    Notes
    -----
    Regression has no classes: there `rmse`, `mae` and `r2` say how each output does, and what needs
    classes raises ValueError, as `Network.accuracy` does. `is_regression` tells. Likewise what
    needs probabilities raises where the outputs are none (hinge, tanh, relu).

    The arrays are read-only. They take about 50 bytes a sample.

    Examples
    --------
    >>> import nnlearn as nn
    >>> xor = nn.datasets.xor()
    >>> net = nn.Network([2, 4, 1], seed=3)
    >>> history = net.fit(xor, epochs=50, learning_rate=2.0, momentum=0.9)
    >>> e = net.evaluate(xor)
    >>> e.accuracy == net.accuracy(xor)
    True
    >>> int(e.confusion.sum()) == len(xor)
    True
    >>> e.worst(1)["loss"] == [e.losses.max()]
    True
    """

    loss: float
    cost: str
    losses: Floats
    class_names: tuple[str, ...] | None
    _found: Classes | Numbers

    # ---- as a whole -----------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """The number of samples."""
        return len(self.losses)

    @property
    def is_regression(self) -> bool:
        """Whether the outputs are numbers and not classes."""
        return isinstance(self._found, Numbers)

    @property
    def n_classes(self) -> int:
        """How many classes the network tells apart."""
        return self._classes("n_classes").n_classes

    @property
    def accuracy(self) -> float:
        """The share of samples predicted right, in [0, 1]: what `Network.accuracy` gives."""
        return self._classes("an accuracy").accuracy

    def top_k(self, k: int) -> float:
        """The share of samples whose class is among the k that the outputs put first.

        Parameters
        ----------
        k : int
            From 1, which gives the accuracy, to the number of classes, which gives 1.

        Returns
        -------
        float
            In [0, 1]. Of equal outputs the first stands before, as in `Network.predict`.

        Raises
        ------
        TypeError, ValueError
            If k is no such number.
        ValueError
            For regression.
        """
        classes = self._classes("a top-k accuracy")
        return classes.top_k(_checks.integer("k", k, minimum=1, maximum=classes.n_classes))

    # ---- sample by sample -----------------------------------------------------------------------

    @property
    def predicted(self) -> Array:
        """The class predicted for each sample, int64 (n,); for regression the outputs."""
        found = self._found
        return found.predicted if isinstance(found, Classes) else _narrow(found.outputs)

    @property
    def true(self) -> Array:
        """The class of each sample, int64 (n,), of its largest target; for regression targets."""
        found = self._found
        return found.true if isinstance(found, Classes) else _narrow(found.targets)

    @property
    def rank(self) -> Ints:
        """How many classes the outputs put before the true one, (n,): 0 where it is predicted."""
        return self._classes("ranks").rank

    @property
    def confidence(self) -> Floats:
        """The probability of each sample's predicted class, (n,), as of `predict_proba`."""
        return self._probabilities()[0]

    @property
    def probability(self) -> Floats:
        """The probability of each sample's true class, (n,), as of `predict_proba`."""
        return self._probabilities()[1]

    def worst(self, n: int = 10) -> Table:
        """The samples with the largest losses.

        Parameters
        ----------
        n : int, default 10
            How many, >= 1; all where there are fewer.

        Returns
        -------
        Table
            The largest loss first; of equal ones the first row. ``index`` is the row of x. For
            classes ``true`` and ``predicted`` (their names, where known), and where the outputs
            are probabilities ``p true`` and ``p predicted``. For regression both as numbers, with
            several outputs those of the ``output`` that is furthest off.

        Raises
        ------
        TypeError, ValueError
            If n is no integer >= 1.
        """
        n = _checks.integer("n", n, minimum=1)
        rows = np.argsort(-self.losses, kind="stable")[:n]
        columns: dict[str, list[Any]] = {"index": rows.tolist()}
        if isinstance(self._found, Numbers):
            columns |= self._found.furthest(rows)
        else:
            names = self.class_names or range(self._found.n_classes)
            for column, classes in (("true", self.true), ("predicted", self.predicted)):
                columns[column] = [names[k] for k in classes[rows]]
        columns["loss"] = self.losses[rows].tolist()
        if isinstance(self._found, Classes) and self._found.confidence is not None:
            columns["p true"] = self.probability[rows].tolist()
            columns["p predicted"] = self.confidence[rows].tolist()
        title = f"The {count(len(rows), 'sample')} of largest loss"
        formats = {name: ".4f" for name in columns if name.startswith("p ")}
        return Table([*columns], zip(*columns.values(), strict=True), title, formats=formats)

    # ---- by class, by output --------------------------------------------------------------------

    @property
    def confusion(self) -> Ints:
        """How often each class (a row) was taken for each (a column), int64 (k, k)."""
        return self._classes("a confusion table").confusion

    @property
    def precision(self) -> Floats:
        """Of the samples predicted as a class the share that is of it, (k,); NaN without any."""
        return self._classes("precision").precision

    @property
    def recall(self) -> Floats:
        """Of the samples of a class the share predicted as it, (k,); NaN without any."""
        return self._classes("recall").recall

    @property
    def f1(self) -> Floats:
        """The harmonic mean of precision and recall, (k,); NaN where no sample is or is put."""
        return self._classes("F1").f1

    @property
    def rmse(self) -> Floats:
        """The root of the mean squared error of each output of regression, (n_outputs,)."""
        return self._errors("an RMSE")[:, 0]

    @property
    def mae(self) -> Floats:
        """The mean absolute error of each output of regression, (n_outputs,)."""
        return self._errors("a mean absolute error")[:, 1]

    @property
    def r2(self) -> Floats:
        """R^2 = 1 - sum (y - a)^2 / sum (y - mean y)^2 of each output of regression, (n_outputs,).

        NaN where the targets do not vary.
        """
        return self._errors("an R^2")[:, 2]

    def table(self) -> Table:
        """By class (for regression: by output) how the network does.

        Returns
        -------
        Table
            A row for each class: ``samples`` that are of it, how many were ``predicted`` as it,
            ``precision``, ``recall``, ``F1`` in [0, 1], and the class it was most often ``taken
            for`` with the count. For regression a row for each output: ``RMSE``, ``MAE``, ``R2``.
        """
        title = ", ".join(self._facts())
        if isinstance(self._found, Numbers):
            rows = [(j, *errors.tolist()) for j, errors in enumerate(self._found.errors)]
            return Table(["output", "RMSE", "MAE", "R2"], rows, title, formats={"R2": ".4f"})
        c, labels = self._found, self._labels()
        counts = (c.confusion.sum(axis=1), c.confusion.sum(axis=0), c.precision, c.recall, c.f1)
        table = []
        for k, row in enumerate(zip(*counts, strict=True)):
            other = c.most_taken_for(k)
            taken = f"{labels[other[0]]} ({other[1]:,})" if other else None
            table.append((labels[k], *(value.item() for value in row), taken))
        rates = ["precision", "recall", "F1"]
        head = ["class", "samples", "predicted", *rates, "taken for"]
        formats = dict.fromkeys(rates, ".4f") | dict.fromkeys(["samples", "predicted"], ",")
        return Table(head, table, title, formats=formats)

    def confusion_table(self) -> Table:
        """`confusion` as a table to read.

        Returns
        -------
        Table
            A row for each true class, a column for each predicted one, nothing where the count
            is 0, and the share that is right in %.

        Raises
        ------
        ValueError
            For regression.
        """
        counts, labels = self.confusion, self._labels()
        shares = 100 * self.recall
        rows = [
            (labels[k], *(int(count) or None for count in counts[k]), float(shares[k]))
            for k in range(len(labels))
        ]
        head = ["true", *map(str, range(len(labels))), "right %"]
        title = "How often each class (a row) was taken for each (a column)"
        return Table(head, rows, title, formats={"right %": ".1f"})

    # ---- calibration ----------------------------------------------------------------------------

    def calibration(self, bins: int = BINS) -> Table:
        """How often predictions are right that claim to be so with a given probability.

        Parameters
        ----------
        bins : int, default 10
            Into so many intervals of equal width [0, 1] is divided.

        Returns
        -------
        Table
            A row for each bin, also where no sample is in it: confidences above ``from``, up to
            ``to``; how many ``samples``, their mean ``confidence`` and their ``accuracy``.

        Raises
        ------
        TypeError, ValueError
            If bins is no integer >= 1.
        ValueError
            If the outputs are no probabilities.

        References
        ----------
        .. [1] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural
           Networks", 2017.
        """
        found = self._reliability(bins)
        columns = (
            found.edges[:-1],
            found.edges[1:],
            found.counts,
            found.confidence,
            found.accuracy,
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        head = ["from", "to", "samples", "confidence", "accuracy"]
        title = f"Calibration: expected error {found.expected_error:.4f}"
        formats = dict.fromkeys(head[3:], ".4f") | {"samples": ","}
        return Table(head, rows, title, formats=formats)

    @property
    def expected_calibration_error(self) -> float:
        """The mean of |accuracy - confidence| over samples, by ten bins as of `calibration`."""
        return self._reliability(BINS).expected_error

    # ---- what it looks like ---------------------------------------------------------------------

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the confusion table, or for regression predictions against targets.

        See `nnlearn.plotting.plot_confusion` and `nnlearn.plotting.plot_predictions`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_confusion, plot_predictions

        return plot_predictions(self, ax) if self.is_regression else plot_confusion(self, ax)

    def plot_calibration(self, bins: int = BINS, ax: Axes | None = None) -> Axes:
        """Draw accuracy against confidence; see `nnlearn.plotting.plot_calibration`.

        Parameters
        ----------
        bins : int, default 10
            As of `calibration`.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_calibration

        return plot_calibration(self, bins, ax)

    def __repr__(self) -> str:
        return str(_folded(self.table(), "outputs" if self.is_regression else "classes"))

    def _repr_html_(self) -> str:
        table = _folded(self.table(), "outputs" if self.is_regression else "classes")
        parts = [table._to_html()]
        if isinstance(self._found, Classes) and self._found.n_classes <= MOST_CLASSES:
            parts.append(_html.Html(self.confusion_table()._repr_html_()))
        return _html.view("Evaluation", self._facts(), *parts)

    # ---- what they are made from ----------------------------------------------------------------

    def _facts(self) -> list[str]:
        """What is said of the whole."""
        facts = [count(self.n, "sample"), f"loss {self.loss:.4f}"]
        if isinstance(self._found, Classes):
            facts.append(f"accuracy {100 * self.accuracy:.2f} %")
            if self._found.confidence is not None:
                facts.append(f"calibration error {100 * self.expected_calibration_error:.2f} %")
        return facts

    def _labels(self) -> list[str]:
        """The classes as rows call them: the number, and the name where it is another."""
        n = self.n_classes
        names = self.class_names or tuple(map(str, range(n)))
        return [name if name == str(k) else f"{k} {name}" for k, name in enumerate(names)]

    def _classes(self, what: str) -> Classes:
        if isinstance(self._found, Numbers):
            requirement = f"tell classes apart to have {what}"
            hint = "rmse, mae and r2 say how its outputs do"
            raise ValueError(_checks.message("the network", requirement, "regression", hint))
        return self._found

    def _errors(self, what: str) -> Floats:
        if isinstance(self._found, Classes):
            hint = "accuracy, precision and recall say how it does"
            got = f"{count(self._found.n_classes, 'class')}"
            requirement = f"be one of regression to have {what}"
            raise ValueError(_checks.message("the network", requirement, got, hint))
        return self._found.errors

    def _probabilities(self) -> tuple[Floats, Floats]:
        found = self._classes("probabilities")
        if found.confidence is None or found.probability is None:
            requirement = "give probabilities: those of sigmoid or softmax outputs"
            raise ValueError(_checks.message("the network", requirement, found.kind))
        return found.confidence, found.probability

    def _reliability(self, bins: int) -> Reliability:
        bins = _checks.integer("bins", bins, minimum=1)
        return reliability(self.confidence, self.predicted == self.true, bins)


def _narrow(array: Array) -> Array:
    """(n,) for one output."""
    return array[:, 0] if array.shape[1] == 1 else array


def _folded(table: Table, what: str) -> Table:
    """The table with what is too long left out between its first and its last rows."""
    rows = [
        tuple(cell if cell != "" else None for cell in row)
        for row in _html.fold(table.rows, MOST_ROWS, what)
    ]
    return Table(table.columns, rows, table.title, formats=table._formats)
