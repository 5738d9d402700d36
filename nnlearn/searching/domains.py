"""What a setting may be in a search: a range, one of some choices, either under a condition."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._texts import is_exact, text_of

#: Points of a range in a grid that says nothing of its own.
GRID_POINTS = 5

_ROUNDING = 1e-9  # of the larger end, by which values may miss one, being drawn as logarithms


def uniform(low: float, high: float, *, n: int | None = None) -> "Range":
    """A number drawn evenly between two.

    Parameters
    ----------
    low, high : float
        The ends, low < high.
    n : int, default 5
        How many points a grid has here, >= 2, evenly spaced from `low` to `high`.

    Returns
    -------
    Range
        What a space of `search` holds.

    Raises
    ------
    TypeError, ValueError
        If an end is no finite number, or `high` not above `low`.

    See Also
    --------
    loguniform : For what is chosen by orders of magnitude.

    Examples
    --------
    >>> uniform(0, 0.5)
    uniform(0.0, 0.5)
    """
    return Range(low, high, n=n)


def loguniform(low: float, high: float, *, n: int | None = None) -> "Range":
    """A number whose logarithm is drawn evenly: as often in 0.01..0.1 as in 0.1..1.

    Parameters
    ----------
    low, high : float
        The ends, 0 < low < high.
    n : int, default 5
        How many points a grid has here, >= 2, in steps of one factor from `low` to `high`.

    Returns
    -------
    Range
        What a space of `search` holds.

    Raises
    ------
    TypeError, ValueError
        If an end is no finite number > 0, or `high` not above `low`.

    See Also
    --------
    uniform : Evenly in the number itself.

    References
    ----------
    .. [1] J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012.

    Examples
    --------
    >>> loguniform(0.01, 10)
    loguniform(0.01, 10.0)
    """
    return Range(low, high, log=True, n=n)


def integers(low: int, high: int, *, log: bool = False, n: int | None = None) -> "Range":
    """A whole number between two, both of them included.

    Parameters
    ----------
    low, high : int
        The ends, low < high; low >= 1 with `log`.
    log : bool, default False
        Draw the logarithm evenly.
    n : int, default 5
        How many points a grid has here, >= 2; all of them where there are no more.

    Returns
    -------
    Range
        What a space of `search` holds.

    Raises
    ------
    TypeError, ValueError
        If an end is no integer, or `high` not above `low`.

    Examples
    --------
    >>> integers(10, 200, log=True)
    integers(10, 200, log=True)
    """
    return Range(low, high, log=log, whole=True, n=n)


def when(name: str, value: Any, then: Any, otherwise: Any = None) -> "When":
    """A setting that exists, or has this range, only when another one has a certain value.

    Parameters
    ----------
    name : str
        The other setting; the space gives its choices.
    value : object
        The choice at which `then` holds. A list means any of several.
    then : Range, sequence or When
        What the setting may be in that case: a range, choices, a further condition.
    otherwise : Range, sequence or When, optional
        What it may be in all other cases. None: it is left out there and has its default.

    Returns
    -------
    When
        What a space of `search` holds.

    Raises
    ------
    TypeError, ValueError
        If `name` is no text, or `then` or `otherwise` nothing that a setting may be.

    Notes
    -----
    Where the other setting is left out itself, its condition does not hold.

    Examples
    --------
    >>> {"cost": ["quadratic", "cross_entropy"],
    ...  "learning_rate": when("cost", "quadratic", loguniform(0.1, 10), loguniform(0.01, 1))
    ... }["learning_rate"]
    when('cost', 'quadratic', loguniform(0.1, 10.0), loguniform(0.01, 1.0))
    """
    values = value if isinstance(value, list) else [value]
    if not isinstance(name, str):
        _checks.fail(TypeError, "name of when", "be the name of a setting", name)
    if not values:
        _checks.fail(ValueError, "value of when", "be a value, or a list of some", value)
    where = f"when({name!r}, ...)"
    return When(
        name,
        tuple(values),
        as_domain(where, then),
        None if otherwise is None else as_domain(where, otherwise),
    )


@dataclass(frozen=True, repr=False)
class Range:
    """All numbers between two, evenly or by their logarithm."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    n: int | None = None

    def __post_init__(self) -> None:
        log = _checks.boolean("log", self.log)
        if self.whole:
            low: float = _checks.integer("low", self.low, minimum=1 if log else -(2**53))
            high: float = _checks.integer("high", self.high, minimum=-(2**53))
        else:
            low = _checks.real("low", self.low, above=0.0 if log else None)
            high = _checks.real("high", self.high)
        if not low < high:
            _checks.fail(ValueError, "high", f"be above low ({low})", high)
        n = None if self.n is None else _checks.integer("n", self.n, minimum=2)
        vars(self).update(low=low, high=high, log=log, n=n)

    def __repr__(self) -> str:
        kind = "integers" if self.whole else "loguniform" if self.log else "uniform"
        log = ", log=True" if self.whole and self.log else ""
        n = "" if self.n is None else f", n={self.n}"
        return f"{kind}({self.low!r}, {self.high!r}{log}{n})"

    def corners(self) -> list[Any]:
        """The values that stand for the range when it is checked."""
        return [self.low, self.high]

    def grid(self) -> list[Any]:
        """The values of a grid, from low to high."""
        n = GRID_POINTS if self.n is None else self.n
        if self.whole:
            n = min(n, int(self.high - self.low) + 1)
        spaced = np.geomspace if self.log else np.linspace
        inner = spaced(self.low, self.high, n).tolist()[1:-1]
        values = [self.low, *inner, self.high]
        return sorted({round(value) for value in values}) if self.whole else values

    def distribution(self) -> Any:
        """Optuna's form of it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def suggest(self, trial: Any, key: str) -> Any:
        """The value that an Optuna trial suggests."""
        kind = trial.suggest_int if self.whole else trial.suggest_float
        return self.decode(kind(key, self.low, self.high, log=self.log))

    def encode(self, value: Any) -> Any:
        """The value as Optuna stores it."""
        return value

    def decode(self, value: Any) -> Any:
        """A stored value, or what another library drew, as Network and fit take it."""
        if not self.whole:
            return float(value)
        whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
        return int(value) if whole else _checks.integer("value", value, minimum=-(2**63))

    def take(self, value: Any) -> Any:
        """`decode` of what the user, or another library, gives; refused beyond the ends."""
        value = self.decode(_checks.real("value", value))
        slack = _ROUNDING * max(abs(self.low), abs(self.high))
        if not self.low - slack <= value <= self.high + slack:
            _checks.fail(ValueError, "value", f"be from {self.low} to {self.high}", value)
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, repr=False)
class Choices:
    """One of some values, in no order."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            _checks.fail(ValueError, "choices", "hold at least one value", list(self.values))
        for one, other in itertools.combinations(self.values, 2):
            if is_same(one, other):
                _checks.fail(ValueError, "choices", "differ from each other", list(self.values))

    def __repr__(self) -> str:
        return text_of(list(self.values))

    @cached_property
    def labels(self) -> tuple[Any, ...]:
        """What stands for each value in Optuna's storages: itself, or a text.

        Of different values that read the same the later ones are numbered.
        """
        labels: list[Any] = []
        for value in self.values:
            text = label(value)
            n = [label(earlier) for earlier in self.values[: len(labels)]].count(text)
            labels.append(f"{text} ({n + 1})" if n else text)
        return tuple(labels)

    def corners(self) -> list[Any]:
        """The values that stand for the choices when they are checked: all of them."""
        return list(self.values)

    def grid(self) -> list[Any]:
        """The values of a grid."""
        return list(self.values)

    def distribution(self) -> Any:
        """Optuna's form of it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.labels)

    def suggest(self, trial: Any, key: str) -> Any:
        """The value that an Optuna trial suggests."""
        return self.decode(trial.suggest_categorical(key, self.labels))

    def encode(self, value: Any) -> Any:
        """The value as Optuna stores it."""
        return self.labels[self._index(value)]

    def decode(self, value: Any) -> Any:
        """The choice for its label, or for an equal value."""
        return self.values[self._index(value)]

    take = decode

    def _index(self, given: Any) -> int:
        for index, value in enumerate(self.values):
            if is_same(value, given):
                return index
        if isinstance(given, str) and given in self.labels:
            return self.labels.index(given)
        _checks.fail(ValueError, "value", f"be one of {self!r}", given)


@dataclass(frozen=True, repr=False)
class When:
    """A domain under a condition, and another for all other cases."""

    name: str
    values: tuple[Any, ...]
    then: "Domain"
    otherwise: "Domain | None" = None

    def __repr__(self) -> str:
        one = len(self.values) == 1 and not isinstance(self.values[0], list)
        value = text_of(self.values[0] if one else list(self.values))
        otherwise = "" if self.otherwise is None else f", {self.otherwise!r}"
        return f"when({self.name!r}, {value}, {self.then!r}{otherwise})"

    def holds(self, value: Any) -> bool:
        """Whether the condition does, the other setting having this value."""
        return any(is_same(value, wanted) for wanted in self.values)

    def branches(self, key: str) -> "list[tuple[str, Domain]]":
        """Both domains with their keys: a setting with two ranges is two of Optuna's parameters."""
        if self.otherwise is None:
            return [(key, self.then)]
        wanted = " or ".join(str(label(value)) for value in self.values)
        return [(f"{key}[{self.name}={wanted}]", self.then), (f"{key}[else]", self.otherwise)]


Leaf = Range | Choices
Domain = Range | Choices | When


def as_domain(name: str, given: Any) -> Domain:
    """What a setting may be, as the user wrote it."""
    if isinstance(given, (Range, Choices, When)):
        return given
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = given.tolist()
    if not isinstance(given, (list, tuple, range)):
        requirement = "be a range such as uniform(0, 1), a list of choices, or when(...)"
        hint = "what does not vary is given beside the space, by its name"
        _checks.fail(TypeError, name, requirement, given, hint)
    if isinstance(given, tuple) and len(given) == 2 and all(type(v) is float for v in given):
        requirement = "be a range or a list of choices"
        hint = f"loguniform{given}, uniform{given} or {list(given)}"
        _checks.fail(TypeError, name, requirement, given, hint)
    try:
        return Choices(tuple(given))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def label(value: Any) -> Any:
    """A value as text that is the same in every process; numbers, text, None as they are."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return text_of(value)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are one choice."""
    if one is other or label(one) != label(other):
        return one is other
    return is_exact(one) or bool(one == other)
