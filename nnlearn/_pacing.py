"""What paces and ends a fit, as it runs: the learning rate epoch by epoch, the best epoch so far.

All of it follows from the rows of the history, epoch after epoch, so a fit that is resumed goes
through the rows it has and stands where it stood.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from nnlearn import _checks
from nnlearn.early_stopping import EarlyStopping
from nnlearn.history import History, is_maximised
from nnlearn.schedules import DropOnPlateau, Factor, Schedule, checked_factor

Array = npt.NDArray[Any]


def monitored(where: str, monitor: str | None, history: History, regression: bool) -> str:
    """The column that a monitor means; ValueError where the fit does not record it.

    where: what messages call the rule.
    """
    column = monitor or ("val_loss" if regression else "val_accuracy")
    if column in history:
        return column
    recorded = f"monitor a column that is recorded ({', '.join(history.recorded)})"
    first, _, _ = column.partition("_")
    hint = {"val": "give fit validation=", "train": "give fit evaluate_train=True"}.get(first)
    near = difflib.get_close_matches(column, history.recorded, n=1)
    if first == "val" and monitor is None and any(c.endswith("_loss") for c in history.columns):
        hint = "name one by monitor="
    elif near and (hint is None or f"{first}_loss" in history):
        hint = f"did you mean {near[0]!r}?"
    _checks.fail(ValueError, where, recorded, column, hint)


@dataclass(frozen=True)
class Best:
    """The best value of a column so far, and the epoch of the fit that had it.

    Parameters
    ----------
    column : str
        What is looked at.
    min_delta : float
        Better means by more than this.
    value : float
        NaN as long as there is none.
    epoch : int
        0 as long as there is none.
    """

    column: str
    min_delta: float
    value: float = math.nan
    epoch: int = 0

    def after(self, epoch: int, history: History) -> Best:
        """The best with the row of this epoch; itself where that is no better. NaN never is."""
        value = history._value(self.column, epoch - 1)
        gain = value - self.value if is_maximised(self.column) else self.value - value
        if math.isnan(value) or (self.epoch and not gain > self.min_delta):
            return self
        return replace(self, value=value, epoch=epoch)


class Pace:
    """The learning rate of each epoch.

    Parameters
    ----------
    base : float
        The optimiser's learning rate.
    schedule : schedule or None
        As `fit` takes it.
    history : History
        Of the fit, with its columns.
    regression : bool
        Whether the usual column is a loss.
    """

    def __init__(
        self, base: float, schedule: Schedule | None, history: History, regression: bool
    ) -> None:
        self.last_drop = 0  # the epoch after which the rate dropped
        self._base = base
        self._factor: Factor | None = None
        self._plateau: DropOnPlateau | None = None
        self._n_drops = 0
        self._asked, self._answer = 0, base  # the last epoch asked for, and its rate
        if isinstance(schedule, DropOnPlateau):
            column = monitored("DropOnPlateau", schedule.monitor, history, regression)
            self._plateau = schedule
            self._best = Best(column, schedule.min_delta)
        else:
            self._factor = schedule

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch. A function of the user's is asked once an epoch."""
        if epoch != self._asked:
            self._asked, self._answer = epoch, self._rate(epoch)
        return self._answer

    def _rate(self, epoch: int) -> float:
        rate = self._base
        if self._plateau is not None:
            rate /= self._plateau.divide_by**self._n_drops
        elif self._factor is not None:
            rate *= checked_factor(self._factor, epoch)
        name = f"learning_rate times schedule's factor for epoch {epoch}"
        return _checks.real(name, rate, above=0.0)

    def after(self, epoch: int, history: History) -> str:
        """Look at the row of an epoch: why training ends, or nothing."""
        plateau = self._plateau
        if plateau is None:
            return ""
        self._best = self._best.after(epoch, history)
        if epoch - max(self._best.epoch, self.last_drop) < plateau.patience:
            return ""
        self._n_drops += 1
        self.last_drop = epoch
        if self._n_drops < plateau.n_drops:
            return ""
        times = f"drop {self._n_drops} of the learning rate was due"
        return f"{times}: {self._best.column} no better for {_epochs(plateau.patience)}"


class Stopper:
    """Early stopping, as it runs.

    Parameters
    ----------
    stopping : EarlyStopping
        The rule.
    history : History
        Of the fit, with its columns.
    regression : bool
        Whether the usual column is a loss.
    parameters : list of ndarray, optional
        Those of the best epoch so far, where a fit is resumed.
    """

    def __init__(
        self,
        stopping: EarlyStopping,
        history: History,
        regression: bool,
        parameters: list[Array] | None = None,
    ) -> None:
        column = monitored("EarlyStopping", stopping.monitor, history, regression)
        self._stopping = stopping
        # One object, so that an interrupt finds the parameters of the best epoch or those before.
        self._kept = (Best(column, stopping.min_delta), parameters)

    @property
    def best(self) -> Best:
        """The best epoch so far."""
        return self._kept[0]

    @property
    def parameters(self) -> list[Array] | None:
        """Those of the best epoch, where they are to come back."""
        return self._kept[1]

    def see(self, epoch: int, history: History, parameters: Sequence[Array] | None) -> None:
        """Look at the row of an epoch; copy the parameters, where given, if it is the best."""
        best, kept = self.best.after(epoch, history), self.parameters
        if best is not self.best and parameters is not None and self._stopping.restore_best:
            kept = [array.copy() for array in parameters]
        self._kept = best, kept

    def after(self, epoch: int, last_drop: int) -> str:
        """Why training ends after this epoch, or nothing."""
        limit = self._stopping.limit(epoch)
        if limit is None or epoch - max(self.best.epoch, last_drop) < limit:
            return ""
        return f"{self.best.column} no better for {_epochs(limit)}"

    def best_epoch(self, history: History) -> int:
        """The best epoch so far as the history counts, over the network's life."""
        return int(history._value("epoch", self.best.epoch - 1))

    def words(self, history: History) -> str:
        """Which parameters the network has at the end, where the best ones come back."""
        if self.parameters is None:
            return ""
        epoch = self.best_epoch(history)
        best = f"the best by {self.best.column} ({self.best.value:.4g})"
        return f"the parameters are those of epoch {epoch}, {best}"


def _epochs(n: int) -> str:
    return f"{n:,} epoch{'' if n == 1 else 's'}"
