"""A search space in hyperopt's terms.

hyperopt draws a choice by a random index and a switch over the options. Settings under a condition
stand in a further switch over the same index, so that hyperopt knows when they matter.
"""

import math
from collections.abc import Callable
from typing import Any

from nnlearn.searching.domains import Choices, Domain, Range, When
from nnlearn.searching.space import Space

#: Half a step of whole numbers, and a little less, so that none is rounded beyond the ends.
_HALF = 0.4999


def hyperopt_space(space: Space) -> dict[str, Any]:
    """An expression for each setting; where one is left out, it is None."""
    try:
        import hyperopt.pyll  # noqa: F401
    except ImportError:
        raise ImportError("hyperopt_space() needs hyperopt: pip install hyperopt") from None
    return _Expressions(space).all()


class _Expressions:
    """The expressions of a space; what is drawn is made once by its key, wherever it stands."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._drawn: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        return {name: self._of(name, d, _literal) for name, d in self._space.domains.items()}

    def _of(self, key: str, domain: Domain | None, use: Callable[[Any], Any]) -> Any:
        """The expression of a domain, `use` applied to every value that it may choose.

        None is what a setting has that is left out.
        """
        from hyperopt.pyll import scope

        if domain is None:
            return use(None)
        if isinstance(domain, When):
            return self._when(key, domain, use)
        if key not in self._drawn:
            self._drawn[key] = (
                _index(key, domain) if isinstance(domain, Choices) else _range(key, domain)
            )
        drawn = self._drawn[key]
        return (
            scope.switch(drawn, *map(use, domain.values)) if isinstance(domain, Choices) else drawn
        )

    def _when(self, key: str, domain: When, use: Callable[[Any], Any]) -> Any:
        """A switch over the setting that the condition looks at."""
        (then_key, then), *rest = domain.branches(key)
        else_key, otherwise = rest[0] if rest else (key, None)

        def branch(value: Any) -> Any:
            if domain.holds(value):
                return self._of(then_key, then, use)
            return self._of(else_key, otherwise, use)

        return self._of(domain.name, self._space.domains[domain.name], branch)


def _literal(value: Any) -> Any:
    """A value that hyperopt hands on as it is; of lists and tuples it would make its own."""
    from hyperopt.pyll import Literal

    return Literal(value)


def _index(key: str, domain: Choices) -> Any:
    """Which of the choices it is."""
    from hyperopt.pyll import scope

    return scope.hyperopt_param(key, scope.randint(len(domain.values)))


def _range(key: str, domain: Range) -> Any:
    """A range; whole numbers are rounded, so they begin and end half a step further out."""
    from hyperopt import hp

    low, high = domain.low, domain.high
    if domain.whole:
        low, high = low - _HALF, high + _HALF
    if domain.log:
        low, high = math.log(low), math.log(high)
    if domain.whole:
        return (hp.qloguniform if domain.log else hp.quniform)(key, low, high, 1)
    return (hp.loguniform if domain.log else hp.uniform)(key, low, high)
