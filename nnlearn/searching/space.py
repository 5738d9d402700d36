"""A search space as a whole: read, checked, and gone through in all the ways a search needs."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnlearn import _checks
from nnlearn.searching.domains import Choices, Domain, Leaf, When, as_domain, is_same

#: ``pick(name, key, leaf)`` gives the value of a setting; `key` is Optuna's name for it.
Pick = Callable[[str, str, Leaf], Any]

_MOST_POINTS = 100_000  # of a grid
_MOST_CASES = 32  # of conditions, when corners are checked


@dataclass(frozen=True)
class Space:
    """The settings that vary; what a condition asks for stands before what depends on it."""

    domains: Mapping[str, Domain]

    @classmethod
    def read(cls, given: Any) -> "Space":
        """The space as the user wrote it, its conditions checked."""
        if not isinstance(given, Mapping):
            hint = '{"learning_rate": loguniform(0.01, 10)}'
            _checks.fail(TypeError, "space", "be a mapping of settings", given, hint)
        if not given:
            _checks.fail(ValueError, "space", "hold at least one setting", given)
        for name in given:
            if not isinstance(name, str):
                _checks.fail(TypeError, "space", "have names of settings as keys", name)
        domains = {name: as_domain(name, domain) for name, domain in given.items()}
        for name, domain in domains.items():
            for condition in _conditions(domain):
                _check_condition(name, condition, domains)
        return cls({name: domains[name] for name in _ordered(domains)})

    def choose(self, pick: Pick) -> dict[str, Any]:
        """One value for every setting that is not left out."""
        chosen: dict[str, Any] = {}
        for name, domain in self.domains.items():
            found = _leaf(name, domain, chosen)
            if found is not None:
                chosen[name] = pick(name, *found)
        return chosen

    def suggest(self, trial: Any) -> dict[str, Any]:
        """The settings that an Optuna trial suggests."""
        return self.choose(lambda name, key, leaf: leaf.suggest(trial, key))

    def settings_of(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The settings for a trial's parameters; none where some are not known yet."""
        try:
            return self.choose(lambda name, key, leaf: leaf.decode(params[key]))
        except KeyError:
            return {}

    def params_of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a trial with these settings: `settings_of` the other way."""
        params: dict[str, Any] = {}

        def pick(name: str, key: str, leaf: Leaf) -> Any:
            params[key] = leaf.encode(settings[name])
            return settings[name]

        self.choose(pick)
        return params

    def words(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as they are shown: numbers and text as they are, all else as text."""
        found = {}

        def pick(name: str, key: str, leaf: Leaf) -> Any:
            found[name] = leaf.encode(settings[name])
            return settings[name]

        self.choose(pick)
        return found

    def describe(self, settings: Mapping[str, Any]) -> str:
        """The settings in one line: what tells them apart."""
        return ", ".join(f"{name}={word}" for name, word in self.words(settings).items())

    def leaves(self) -> dict[str, Leaf]:
        """Every range and every list of choices, by its key."""
        return dict(pair for name, domain in self.domains.items() for pair in _leaves(name, domain))

    def points(self) -> list[dict[str, Any]]:
        """All points of the grid, the last setting varying fastest."""
        points: list[dict[str, Any]] = [{}]
        for name in self.domains:
            grown = (p | more for p in points for more in self._grid_at(name, p))
            points = list(itertools.islice(grown, _MOST_POINTS + 1))
            if len(points) > _MOST_POINTS:
                requirement = f"make a grid of at most {_MOST_POINTS:,} points"
                hint = "ranges take n=, the number of points"
                raise ValueError(_checks.message("space", requirement, "more", hint))
        return points

    def _grid_at(self, name: str, point: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = _leaf(name, self.domains[name], point)
        return [{}] if found is None else [{name: value} for value in found[1].grid()]

    def corners(self) -> list[dict[str, Any]]:
        """Settings that have every end of every range and every choice at least once.

        One setting is moved at a time, in every case that the conditions tell apart.
        """
        seen: dict[str, dict[str, Any]] = {}
        for case in itertools.islice(self._cases(), _MOST_CASES):
            base = self._base(case)
            for moved in base:
                found = _leaf(moved, self.domains[moved], base)
                for value in found[1].corners() if found else ():
                    settings = self._moved(base, moved, value)
                    seen.setdefault(self.describe(settings), settings)
        return list(seen.values())

    def _base(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a case, all others at their first corner."""
        return self.choose(lambda name, key, leaf: case.get(name, leaf.corners()[0]))

    def _moved(self, base: Mapping[str, Any], moved: str, value: Any) -> dict[str, Any]:
        """The base with one other value, and what follows from that."""

        def pick(name: str, key: str, leaf: Leaf) -> Any:
            if name == moved:
                return value
            fits = name in base and _leaf(name, self.domains[name], base) == (key, leaf)
            return base[name] if fits else leaf.corners()[0]

        return self.choose(pick)

    def _cases(self) -> Iterator[dict[str, Any]]:
        """All values of the settings that conditions look at."""
        names = {c.name for domain in self.domains.values() for c in _conditions(domain)}
        cases: list[dict[str, Any]] = [{}]
        for name in self.domains:
            if name in names:
                cases = [c | more for c in cases for more in self._grid_at(name, c)]
                cases = cases[:_MOST_CASES]
        return iter(cases)


def _leaf(name: str, domain: Domain, chosen: Mapping[str, Any]) -> tuple[str, Leaf] | None:
    """What a setting may be, given those before it; None where it is left out."""
    key = name
    while isinstance(domain, When):
        holds = domain.name in chosen and domain.holds(chosen[domain.name])
        branches = domain.branches(key)
        if not holds and len(branches) == 1:
            return None
        key, domain = branches[0 if holds else 1]
    return key, domain


def _leaves(key: str, domain: Domain) -> Iterator[tuple[str, Leaf]]:
    if not isinstance(domain, When):
        yield key, domain
        return
    for branch in domain.branches(key):
        yield from _leaves(*branch)


def _conditions(domain: Domain) -> Iterator[When]:
    """The condition of a setting and those within it."""
    if isinstance(domain, When):
        yield domain
        for _, branch in domain.branches(""):
            yield from _conditions(branch)


def _check_condition(name: str, condition: When, domains: Mapping[str, Domain]) -> None:
    """Refuse a condition on what the space has not, or never has."""
    where, other = f"when of {name!r}", condition.name
    if other not in domains:
        names = ", ".join(repr(key) for key in domains if key != name)
        _checks.fail(ValueError, where, f"name another setting of the space ({names})", other)
    found = dict(_leaves(other, domains[other])).values()
    if not all(isinstance(leaf, Choices) for leaf in found):
        hint = f"{other!r} is a range"
        _checks.fail(ValueError, where, "name a setting with a list of choices", other, hint)
    known = [choice for leaf in found if isinstance(leaf, Choices) for choice in leaf.values]
    for value in condition.values:
        if not any(is_same(value, choice) for choice in known):
            _checks.fail(ValueError, where, f"name a choice of {other!r} ({known})", value)


def _ordered(domains: Mapping[str, Domain]) -> list[str]:
    """The names, each after those that its conditions look at; as given apart from that."""
    done: list[str] = []
    while len(done) < len(domains):
        ready = [
            name
            for name, domain in domains.items()
            if name not in done and all(c.name in done for c in _conditions(domain))
        ]
        if not ready:
            left = [name for name in domains if name not in done]
            _checks.fail(ValueError, "conditions of space", "not go in a circle", left)
        done.append(ready[0])
    return done
