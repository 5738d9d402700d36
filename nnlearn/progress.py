"""Progress on stderr: one updating line in a terminal or a notebook, plain lines elsewhere.

A display is chosen once, when training begins. Its `update` is called often, from the main thread;
it returns at once unless a tenth of a second has passed since it last drew.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nnlearn import _checks
from nnlearn._display import Display, make_display

#: Seconds between two drawings.
INTERVAL = 0.1


class Progress(Protocol):
    """What `fit` reports to.

    Attributes
    ----------
    is_silent : bool
        Nothing is shown: nobody need call `update`.
    """

    is_silent: bool

    def update(self, epoch: int, fraction: float, row: Mapping[str, float] | None) -> None:
        """Say where training is.

        Parameters
        ----------
        epoch : int
            The epoch being trained, from 1 within this fit.
        fraction : float
            How much of it is done, from 0 to 1.
        row : mapping or None
            The latest row of the history.
        """

    def close(self, interrupted: bool = False) -> None:
        """Draw the last state and end the line."""


def check_verbose(value: Any) -> int | None:
    """The value as None, 0 or 1.

    Parameters
    ----------
    value : {None, 0, 1, False, True}
        What a user gave as `verbose`.

    Returns
    -------
    int or None

    Raises
    ------
    TypeError
        If it is no integer or bool.
    ValueError
        If it is another integer.
    """
    requirement = "be None, 0 or 1"
    if value is None:
        return None
    if not isinstance(value, (int, np.integer, np.bool_)):
        _checks.fail(TypeError, "verbose", requirement, value)
    if value not in (0, 1):
        _checks.fail(ValueError, "verbose", requirement, value)
    return int(value)


def make_progress(verbose: int | None, epochs: int) -> Progress:
    """The display for one fit.

    Parameters
    ----------
    verbose : {None, 0, 1}
        0 shows nothing. None shows an updating line in a terminal or a notebook and nothing
        elsewhere. 1 shows progress everywhere: elsewhere as one plain line an epoch.
    epochs : int
        The number of epochs of this fit.

    Returns
    -------
    Progress

    Raises
    ------
    TypeError, ValueError
        If `verbose` is none of the three.
    """
    display = make_display(check_verbose(verbose))
    return _FitProgress(display, epochs) if display else _Silent()


class JobsProgress(Protocol):
    """What those report to who train many networks at once."""

    def update(self, done: int, running: Sequence[tuple[int, int]], work: float) -> None:
        """Say how far the networks are.

        Parameters
        ----------
        done : int
            Networks that ended.
        running : sequence of (epoch, epochs)
            The networks that train: the epoch they are in, and epochs in all.
        work : float
            The share of all epochs of all networks that is done, from 0 to 1.
        """

    def close(self, interrupted: bool = False) -> None:
        """Draw the last state and end the line."""


class GroupProgress:
    """Progress of many networks that train at once: how many are done, and where the rest are.

    Parameters
    ----------
    verbose : {None, 0, 1}
        As for `make_progress`; a plain line stands for each tenth of the networks that ended.
    n : int
        The number of networks.
    what : str, default "networks"
        What is counted.
    """

    def __init__(self, verbose: int | None, n: int, what: str = "networks") -> None:
        self._display = make_display(check_verbose(verbose))
        self._clock = Clock()
        self._of = f"of {n} {what}"
        self._n = n
        self._done = 0
        self._tenths = 0  # of the networks, at the last lasting line

    def update(self, done: int, running: Sequence[tuple[int, int]], work: float) -> None:
        """Say how far the networks are.

        Parameters
        ----------
        done : int
            Networks that ended.
        running : sequence of (epoch, epochs)
            The networks that train: the epoch they are in, and epochs in all.
        work : float
            The share of all epochs of all networks that is done, from 0 to 1.
        """
        if not self._display:
            return
        head = f"{done} {self._of}"
        left = self._clock.left(work)
        tenths = 10 * done // self._n
        if self._tenths < tenths < 10:
            self._tenths = tenths
            self._display.line(", ".join([f"{head} trained", *filter(None, [left])]))
        self._done = done
        if self._clock.due():
            epochs = ", ".join(f"{epoch}/{epochs}" for epoch, epochs in running)
            self._display.draw(head, work, [left, f"epoch {epochs}" if epochs else ""])

    def close(self, interrupted: bool = False) -> None:
        """Draw the last state and end the line."""
        if self._display:
            how = ", interrupted after" if interrupted else " in"
            text = f"{self._done} {self._of} trained{how} {self._clock.taken()}"
            self._display.end(text)


class _Silent:
    """Shows nothing."""

    is_silent = True

    def update(self, epoch: int, fraction: float, row: Mapping[str, float] | None) -> None:
        """Nothing."""

    def close(self, interrupted: bool = False) -> None:
        """Nothing."""


class _FitProgress:
    """One network: its epoch, the share done, the latest values, and the time left."""

    is_silent = False

    def __init__(self, display: Display, epochs: int) -> None:
        self._display = display
        self._clock = Clock()
        self._epochs = epochs
        self._epoch = 0
        self._values: dict[str, float] = {}
        self._row_epoch = 0.0

    def update(self, epoch: int, fraction: float, row: Mapping[str, float] | None) -> None:
        self._epoch = epoch
        if row is not None and row["epoch"] != self._row_epoch:
            self._row_epoch = row["epoch"]
            # What was not evaluated in this epoch keeps its latest value.
            self._values.update({k: v for k, v in row.items() if not math.isnan(v)})
            done = f"epoch {int(row['epoch'])}"
            self._display.line("  ".join([done, *describe(self._values)]))
        if not self._clock.due():
            return
        work = (epoch - 1 + fraction) / self._epochs if self._epochs else 1.0
        head = f"epoch {epoch}/{self._epochs}"
        self._display.draw(head, work, [*describe(self._values), self._clock.left(work)])

    def close(self, interrupted: bool = False) -> None:
        where = f"interrupted in epoch {self._epoch}/{self._epochs}" if interrupted else ""
        head = where or f"{self._epoch} epoch{'' if self._epoch == 1 else 's'}"
        text = f"{head}, {self._clock.taken()}"
        self._display.end("  ".join([text, *describe(self._values)]))


def describe(values: Mapping[str, float]) -> list[str]:
    """The few values of a row that a progress line has room for.

    Parameters
    ----------
    values : mapping
        A row of a history.

    Returns
    -------
    list of str
        The loss, and the validation accuracy in %; without one the validation loss or the
        running accuracy.
    """
    names = [name for name in values if name not in ("loss", "accuracy")]
    of_sets = [n for n in names if n.endswith(("_accuracy", "_loss")) and n[:6] != "train_"]
    accuracies = [name for name in of_sets if name.endswith("_accuracy")]
    chosen = [*accuracies, *of_sets, "accuracy"][0]
    return [_value(name, values[name]) for name in ("loss", chosen) if name in values]


def _value(name: str, value: float) -> str:
    """``loss 0.1234`` or ``val_accuracy 96.12 %``."""
    return f"{name} {100 * value:.2f} %" if "accuracy" in name else f"{name} {value:.4g}"


class Clock:
    """The time since the start, and whether it is time to draw again."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._drawn = -math.inf

    def due(self) -> bool:
        """Whether to draw now: ten times a second at most."""
        now = time.monotonic()
        if now - self._drawn < INTERVAL:
            return False
        self._drawn = now
        return True

    def taken(self) -> str:
        """The time since the start, in words."""
        return duration(time.monotonic() - self._start)

    def left(self, work: float) -> str:
        """The time that the rest will take if it goes on as so far; nothing before it is known."""
        seconds = time.monotonic() - self._start
        if not 0 < work < 1 or seconds < INTERVAL:
            return ""
        return f"{duration(seconds * (1 - work) / work)} left"


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``0.8 s``, ``42 s``, ``3:05 min``, ``2:10 h``.

    Parameters
    ----------
    seconds : float
        At least 0.

    Returns
    -------
    str
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
