"""Schedules: how the learning rate changes from epoch to epoch. Frozen, checked when made.

A schedule is a function of the epoch k = 1, 2, ... of one fit that gives a factor; the learning
rate of epoch k is the optimiser's times that factor. `DropOnPlateau` alone looks at the results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nnlearn import _checks
from nnlearn._foreign import hints

Factor = Callable[[int], float]


@hints(gamma="use decay=", decay_rate="use decay=")
@dataclass(frozen=True)
class Exponential:
    """The learning rate decays by the same factor each epoch.

    ::

        factor(k) = decay^(k-1)

    Parameters
    ----------
    decay : float
        Above 0; above 1 the rate grows.

    Raises
    ------
    TypeError, ValueError
        If the value is of another kind or outside its range.

    Examples
    --------
    >>> from nnlearn import Exponential
    >>> [Exponential(0.5)(k) for k in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """

    decay: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "decay", _checks.real("decay", self.decay, above=0.0))

    def __call__(self, epoch: int) -> float:
        """The factor for an epoch from 1."""
        return self.decay ** (_epoch(epoch) - 1)


@hints(step_size="use every=", gamma="use factor=")
@dataclass(frozen=True)
class Step:
    """The learning rate is multiplied by a factor after every so many epochs.

    ::

        factor(k) = factor^((k-1) // every)

    Parameters
    ----------
    every : int
        Epochs from one change to the next, >= 1.
    factor : float
        Above 0; above 1 the rate grows.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Examples
    --------
    >>> from nnlearn import Step
    >>> [Step(every=2, factor=0.1)(k) for k in (1, 2, 3)]
    [1.0, 1.0, 0.1]
    """

    every: int
    factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", _checks.integer("every", self.every, minimum=1))
        object.__setattr__(self, "factor", _checks.real("factor", self.factor, above=0.0))

    def __call__(self, epoch: int) -> float:
        """The factor for an epoch from 1."""
        return self.factor ** ((_epoch(epoch) - 1) // self.every)


@dataclass(frozen=True)
class Cosine:
    """The learning rate follows half a cosine from its full value down towards 0.

    ::

        factor(k) = (1 + cos(pi (k-1)/epochs)) / 2

    Parameters
    ----------
    epochs : int
        Its length, >= 1. A fit without `epochs` takes as many; a longer one is refused.

    Raises
    ------
    TypeError, ValueError
        If the value is of another kind or outside its range; when called for a later epoch.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017.

    Examples
    --------
    >>> from nnlearn import Cosine
    >>> [round(Cosine(4)(k), 3) for k in (1, 2, 3, 4)]
    [1.0, 0.854, 0.5, 0.146]
    """

    epochs: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "epochs", _checks.integer("epochs", self.epochs, minimum=1))

    def __call__(self, epoch: int) -> float:
        """The factor for an epoch from 1 to `epochs`."""
        return _half_cosine((_epoch(epoch, self.epochs) - 1) / self.epochs)


@dataclass(frozen=True)
class OneCycle:
    """The learning rate rises in a line to its full value, then falls by half a cosine.

    ::

        r = rise epochs
        factor(k) = start + (1 - start) (k-1)/r                       for k - 1 < r
                    (1 + cos(pi (k-1-r)/(epochs-r))) / 2              from there on

    Parameters
    ----------
    epochs : int
        Its length, >= 1. A fit without `epochs` takes as many; a longer one is refused.
    rise : float, default 0.3
        The share of the epochs in which it rises, in [0, 1).
    start : float, default 0.04
        The first factor, in (0, 1].

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range; when called for a later epoch.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
       Large Learning Rates", 2018.

    Examples
    --------
    >>> from nnlearn import OneCycle
    >>> [round(OneCycle(10)(k), 2) for k in (1, 2, 3, 4, 10)]
    [0.04, 0.36, 0.68, 1.0, 0.05]
    """

    epochs: int
    rise: float = 0.3
    start: float = 0.04

    def __post_init__(self) -> None:
        object.__setattr__(self, "epochs", _checks.integer("epochs", self.epochs, minimum=1))
        rise = _checks.real("rise", self.rise, minimum=0.0, below=1.0)
        object.__setattr__(self, "rise", rise)
        object.__setattr__(self, "start", _share("start", self.start))

    def __call__(self, epoch: int) -> float:
        """The factor for an epoch from 1 to `epochs`."""
        done = _epoch(epoch, self.epochs) - 1
        risen = self.rise * self.epochs
        if done < risen:
            return self.start + (1.0 - self.start) * done / risen
        return _half_cosine((done - risen) / (self.epochs - risen))


@hints(
    factor="use divide_by=, 1 / factor",
    min_lr="use n_drops=",
    threshold="use min_delta=",
    mode="accuracies are to rise, all else to fall",
)
@dataclass(frozen=True)
class DropOnPlateau:
    """The learning rate drops when a value has not become better for some epochs.

    After epoch k with ``k - max(best epoch, last drop's epoch) >= patience`` it is divided, from
    epoch k + 1 on; the last drop ends training instead.

    Parameters
    ----------
    divide_by : float, default 2
        Above 1.
    patience : int, default 10
        Epochs without a better value, >= 1.
    n_drops : int, default 10
        The drop that ends training, >= 1: ten halvings mean a rate of 1/1024.
    monitor : str, optional
        The column of the history to look at. None: ``val_accuracy``, for regression ``val_loss``.
        What has "accuracy" in its name is to rise, all else to fall.
    min_delta : float, default 0
        Better means by more than this.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    See Also
    --------
    EarlyStopping : Ends training; after a drop its patience begins anew.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "Learning rate schedules":
       halve the rate on no improvement in ten epochs, end at 1/128 of the original.

    Examples
    --------
    >>> from nnlearn import DropOnPlateau
    >>> DropOnPlateau(divide_by=10, n_drops=3)
    DropOnPlateau(divide_by=10.0, patience=10, n_drops=3, monitor=None, min_delta=0.0)
    """

    divide_by: float = 2.0
    patience: int = 10
    n_drops: int = 10
    monitor: str | None = None
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        divide_by = _checks.real("divide_by", self.divide_by, above=1.0)
        object.__setattr__(self, "divide_by", divide_by)
        object.__setattr__(self, "patience", _checks.integer("patience", self.patience, minimum=1))
        object.__setattr__(self, "n_drops", _checks.integer("n_drops", self.n_drops, minimum=1))
        check_monitor(self.monitor)
        min_delta = _checks.real("min_delta", self.min_delta, minimum=0.0)
        object.__setattr__(self, "min_delta", min_delta)


#: What `fit` takes as schedule=; a plain function of the epoch too.
Schedule = Exponential | Step | Cosine | OneCycle | DropOnPlateau | Factor

#: The schedules that a word stands for, given the number of epochs.
_WORDS: Mapping[str, Callable[[int], Schedule]] = {
    "cosine": Cosine,
    "drop_on_plateau": lambda epochs: DropOnPlateau(),
    "one_cycle": OneCycle,
}

#: Epochs when none are given: of a fit, and of one that ends by its results.
DEFAULT_EPOCHS = 30
MOST_EPOCHS = 1000


def resolve(schedule: Any, epochs: Any, ends_early: bool) -> tuple[Schedule | None, int]:
    """The schedule and the number of epochs that fit's arguments mean."""
    given = None if epochs is None else _checks.integer("epochs", epochs, minimum=0)
    if isinstance(schedule, str):
        word = _checks.choice("schedule", schedule, _WORDS, "others are objects: Exponential(0.95)")
        schedule = _WORDS[word](max(DEFAULT_EPOCHS if given is None else given, 1))
    if isinstance(schedule, type):
        hint = "call it: Exponential(0.95)"
        _checks.fail(TypeError, "schedule", "be an object", schedule, hint)
    if schedule is not None and not (isinstance(schedule, DropOnPlateau) or callable(schedule)):
        requirement, hint = "be a schedule or a function of the epoch", "Exponential(0.95)"
        _checks.fail(TypeError, "schedule", requirement, schedule, hint)
    if isinstance(schedule, (Cosine, OneCycle)):
        length = schedule.epochs
        if given is not None and given > length:
            requirement = f"be at most {length}, the epochs of {type(schedule).__name__}"
            _checks.fail(ValueError, "epochs", requirement, given)
        return schedule, length if given is None else given
    if given is None:
        ends = ends_early or isinstance(schedule, DropOnPlateau)
        given = MOST_EPOCHS if ends else DEFAULT_EPOCHS
    return schedule, given


def check_monitor(monitor: Any) -> None:
    """The name of a column, or None for the usual one."""
    if monitor is not None and not isinstance(monitor, str):
        _checks.fail(TypeError, "monitor", "be the name of a column or None", monitor)


def checked_factor(schedule: Factor, epoch: int) -> float:
    """What a schedule says of an epoch, as a number to multiply the learning rate by."""
    return _checks.real(f"schedule's factor for epoch {epoch}", schedule(epoch), above=0.0)


def _share(name: str, value: Any) -> float:
    """A number in (0, 1]."""
    number = _checks.real(name, value, above=0.0)
    if number > 1.0:
        _checks.fail(ValueError, name, "be in (0, 1]", value)
    return number


def _epoch(value: Any, last: int | None = None) -> int:
    return _checks.integer("epoch", value, minimum=1, maximum=last)


def _half_cosine(x: float) -> float:
    """From 1 at x = 0 to 0 at x = 1."""
    return (1.0 + math.cos(math.pi * x)) / 2.0
