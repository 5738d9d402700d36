"""History: what a fit recorded, a row for each epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _html
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COST = "cost"
_LOSS = "loss"
_PENALTY = "penalty"

#: Points of a curve in the HTML view; fewer where there are many curves.
_CURVE_POINTS = 60


def is_maximised(column: str) -> bool:
    """Whether more is better: so for anything with accuracy, and for nothing else."""
    return "accuracy" in column


class History:
    """The record of training: one float64 value for each column and epoch.

    `fit` returns the history of that fit; `Network.history` is that of the network's whole life.

    Parameters
    ----------
    columns : sequence of str
        Names of what is recorded, ``"epoch"`` first. `fit` makes histories; there is seldom
        a reason to make one by hand.

    Attributes
    ----------
    columns : tuple of str
        Names of what is recorded, in order. Always ``epoch`` (from 1, over the network's life),
        ``loss`` (running mean over the epoch), ``penalty`` (of the weights at its end),
        ``accuracy`` (running; not for regression), ``seconds`` (training alone) and
        ``learning_rate``; with validation ``val_loss`` and ``val_accuracy`` (or the names of
        the sets); with ``evaluate_train`` ``train_loss`` and ``train_accuracy``.
    start : dict or None
        The evaluated columns before training, with ``evaluate_first=True``.
    step_loss : ndarray of float32
        The loss of every step.
    stop_reason : str
        Why training ended.
    prepare_seconds : float
        Seconds spent before the first step: checks of the data and, where it pays, its sparse form.
    restored : int or None
        The epoch, as in that column, whose parameters `EarlyStopping` gave the network at the
        fit's end; None where it kept those of the last epoch. Of several fits: what the last did.

    Notes
    -----
    ``cost``, ``val_cost``, ``train_cost`` and so on are not recorded but worked out when asked
    for: loss + penalty. The penalty always uses the training set's n, so costs of different sets
    can be compared.

    The arrays are copies and read-only: nothing a caller does with one changes the record.
    ``len(history)`` is the number of rows and iterating gives the columns' names, as in pandas.
    ``dict(history)`` has the arrays by name; `to_pandas` makes the DataFrame, which
    ``pd.DataFrame(history)`` does not.
    A history may be read from another thread while it grows.

    Two histories are equal when everything recorded is, ``seconds`` included (NaN equals NaN).

    Examples
    --------
    >>> history = History(["epoch", "loss", "penalty", "val_accuracy"])
    >>> history._append({"epoch": 1, "loss": 0.5, "penalty": 0.25, "val_accuracy": 0.90})
    >>> history._append({"epoch": 2, "loss": 0.4, "penalty": 0.25, "val_accuracy": 0.95})
    >>> history["loss"]
    array([0.5, 0.4])
    >>> history["cost"]
    array([0.75, 0.65])
    >>> history.best("val_accuracy")
    (2, 0.95)
    """

    __hash__ = None  # type: ignore[assignment]  # it grows, so it is no key

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        # A row is appended as one object, so that a reader in another thread sees whole rows.
        self._rows: list[dict[str, float]] = []
        self.start: dict[str, float] | None = None
        self.step_loss: npt.NDArray[np.float32] = np.empty(0, np.float32)
        self.stop_reason = ""
        self.prepare_seconds = 0.0
        self.restored: int | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"restored": None, **state})  # pickles made before there was one

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is recorded, in order."""
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    @property
    def _last(self) -> Mapping[str, float]:
        """The last row, without the columns that it lacks: in time that does not grow."""
        return self._rows[-1]

    @property
    def recorded(self) -> tuple[str, ...]:
        """Every name that ``history[name]`` takes: the columns, and the costs worked out."""
        costs = [c[: -len(_LOSS)] + _COST for c in self._columns if c.endswith(_LOSS)]
        return (*self._columns, *(cost for cost in costs if self._has_cost(cost)))

    def _value(self, column: str, index: int) -> float:
        """One value of a column or cost, in time that does not grow."""
        row = self._rows[index]
        if column in row:
            return row[column]
        loss = column.removesuffix(_COST) + _LOSS
        return row.get(loss, math.nan) + row.get(_PENALTY, math.nan)

    def keys(self) -> tuple[str, ...]:
        """Names of what is recorded: what makes ``dict(history)`` the arrays by name.

        Returns
        -------
        tuple of str
            `columns`.
        """
        return self.columns

    def __contains__(self, column: object) -> bool:
        """Whether ``history[column]`` works: for what is recorded and for the costs."""
        return column in self._columns or (isinstance(column, str) and self._has_cost(column))

    def __getitem__(self, column: str) -> npt.NDArray[np.float64]:
        """The values of one column, a row an epoch, as a read-only array.

        Raises
        ------
        KeyError
            If the column is not recorded; the message names those that are.
        """
        if column in self._columns:
            rows = self._rows[:]
            values = np.array([row.get(column, math.nan) for row in rows], np.float64)
        elif isinstance(column, str) and self._has_cost(column):
            rows = self._rows[:]
            loss = column.removesuffix(_COST) + _LOSS
            values = np.array(
                [row.get(loss, math.nan) + row.get(_PENALTY, math.nan) for row in rows], np.float64
            )
        else:
            raise KeyError(self._unknown(column))
        values.flags.writeable = False
        return values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return (
            self.columns == other.columns
            and all(np.array_equal(self[c], other[c], equal_nan=True) for c in self.columns)
            and np.array_equal(self.step_loss, other.step_loss, equal_nan=True)
            and _same_numbers(self.start, other.start)
            and self.stop_reason == other.stop_reason
            and self.restored == other.restored
        )

    @property
    def drops(self) -> tuple[int, ...]:
        """The epochs, as in that column, before which the learning rate was lowered.

        They follow from ``learning_rate``: what `DropOnPlateau` and `Step` did, every epoch of
        `Exponential`, and a fit that began with a lower rate than the one before it ended with.
        """
        if "learning_rate" not in self:
            return ()
        rates = self["learning_rate"]
        return tuple(int(epoch) for epoch in self["epoch"][1 : len(rates)][np.diff(rates) < 0])

    def best(self, column: str) -> tuple[int, float]:
        """The best epoch by one column.

        Parameters
        ----------
        column : str
            Anything with "accuracy" in its name is maximised, all else minimised.

        Returns
        -------
        epoch : int
            The epoch as in the column ``epoch``; the first one if several are equally good.
        value : float
            The column's value there.

        Raises
        ------
        KeyError
            If the column is not recorded.
        ValueError
            If it holds no value: no epochs, or NaN in all of them. A NaN is never the best.
        """
        # In this order: what grows meanwhile has the epoch of every value.
        values = self[column]
        epochs = self["epoch"]
        known = np.flatnonzero(~np.isnan(values))
        if not known.size:
            raise ValueError(
                f"history must hold a value of {column!r}, got {len(values)} epochs without one"
            )
        pick = np.argmax if is_maximised(column) else np.argmin
        index = known[pick(values[known])]
        return int(epochs[index]), float(values[index])

    def plot(self, *columns: str, ax: "Axes | None" = None) -> "Axes":
        """Draw columns against the epoch; see `nnlearn.plotting.plot_history`.

        Parameters
        ----------
        *columns : str
            What to draw; by default the accuracies, or the losses where there are none.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_history

        return plot_history(self, *columns, ax=ax)

    def to_pandas(self) -> Any:
        """The recorded columns as a `pandas.DataFrame`, a row an epoch.

        Returns
        -------
        pandas.DataFrame
            One float64 column for each of `columns`, in the same order.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        arrays = [self[column] for column in self.columns]
        return Table(self.columns, zip(*arrays, strict=True)).to_pandas()

    def __repr__(self) -> str:
        last = self._rows[-1] if self._rows else {}
        shown = [f"{c} {last[c]:.4g}" for c in last if _is_measure(c) and last[c] == last[c]]
        return f"<History of {count(len(self), 'epoch')}{': ' if shown else ''}{', '.join(shown)}>"

    def _repr_html_(self) -> str:
        summary = self.summary()
        return _html.view("History", [summary.title], *self._measures_html(summary))

    def _measures_html(self, summary: Table) -> list[_html.Html]:
        """The summary with a curve of every measure; nothing where there is none."""
        if not len(summary):
            return []
        points = min(_CURVE_POINTS, max(_CURVE_POINTS * 10 // len(summary), 12))
        curves = []
        for column, first, last, best, epoch in summary.rows:
            values = self[column]
            label = f"{column} over {count(len(values), 'epoch')}: first {first:.4g}, "
            label += f"last {last:.4g}, best {best:.4g} at epoch {epoch}"
            mark = int(np.flatnonzero(values == best)[0])
            curves.append(_html.curve(values, label, mark=mark, points=points))
        return [summary._to_html({"curve": curves})]

    def summary(self) -> Table:
        """First, last and best value of every loss and accuracy.

        Returns
        -------
        Table
            With the columns ``column``, ``first``, ``last``, ``best`` and ``at epoch``.
        """
        rows = []
        for column in filter(_is_measure, self.columns):
            values = self[column]
            if np.isnan(values).all():
                continue
            epoch, value = self.best(column)
            rows.append((column, values[0], values[-1], value, epoch))
        seconds = self["seconds"].sum() if "seconds" in self else 0.0
        title = f"{count(len(self), 'epoch')}, {seconds:.1f} s of training"
        title += f"; ended: {self.stop_reason}" if self.stop_reason else ""
        return Table(["column", "first", "last", "best", "at epoch"], rows, title)

    def _append(self, row: Mapping[str, float]) -> None:
        """Add one epoch. Every column must be given; NaN stands for what was not evaluated."""
        if [*row] != self._columns and row.keys() != set(self._columns):
            names = ", ".join(self._columns)
            raise ValueError(f"a row must have the columns {names}, got {', '.join(row)}")
        self._rows.append({column: float(row[column]) for column in self._columns})

    def _again(self) -> "History":
        """Another history with the same rows, which are never written into once appended."""
        again = History(self._columns)
        vars(again).update({**vars(self), "_columns": self._columns[:], "_rows": self._rows[:]})
        return again

    def _extend(self, other: "History") -> None:
        """Add another history's rows and steps. Columns unite; what one lacks is NaN."""
        if not self._rows:
            self.start = other.start
        self._columns += [column for column in other._columns if column not in self._columns]
        self._rows += other._rows
        self.step_loss = np.concatenate([self.step_loss, other.step_loss])
        self.prepare_seconds += other.prepare_seconds
        self.stop_reason = other.stop_reason
        if other._rows:  # else the network is what it was
            self.restored = other.restored

    def _has_cost(self, column: str) -> bool:
        """Whether the column is a cost, its loss is recorded, and so is the penalty."""
        prefix = column.removesuffix(_COST)
        is_cost = column == _COST or (column.endswith("_" + _COST))
        return is_cost and prefix + _LOSS in self._columns and _PENALTY in self._columns

    def _unknown(self, column: object) -> str:
        """The message for a column that is not recorded, with a hint what would record it."""
        names = ", ".join(self.recorded)
        text = f"column must be one that is recorded ({names}), got {column!r}"
        for prefix, hint in (("val_", "validation="), ("train_", "evaluate_train=True")):
            if str(column).startswith(prefix) and prefix + _LOSS not in self._columns:
                text += f": fit records it with {hint}"
        return text


def _same_numbers(one: dict[str, float] | None, other: dict[str, float] | None) -> bool:
    """Whether both have the same names and values; NaN equals NaN."""
    if one is None or other is None or one.keys() != other.keys():
        return one is other
    return np.array_equal([*one.values()], [other[name] for name in one], equal_nan=True)


def _is_measure(column: str) -> bool:
    """Whether the column says how well the network does: a loss or an accuracy."""
    return column.endswith((_LOSS, "accuracy"))
