"""Optuna samplers of our own: a grid with conditions, a Gaussian process, one seed for each trial.

Optuna's Gaussian process needs PyTorch, which takes gigabytes; this one is scikit-learn's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from nnlearn.searching import gaussian_process
from nnlearn.searching.space import Space

Array = npt.NDArray[np.float64]

#: Trials drawn at random before the Gaussian process is asked.
START_TRIALS = 10

_CANDIDATES = 2000  # anywhere, at which expected improvement is worked out
_NEAR = 500  # more of them around the best trials
_BEST = 5  # trials that count as the best there
_STEP = 0.1  # standard deviation of those near, as a share of a range


def make_sampler(method: str, space: Space, seed: int) -> BaseSampler:
    """The sampler of a method.

    Parameters
    ----------
    method : {"random", "grid", "tpe", "gp"}
        The method.
    space : Space
        What is searched.
    seed : int
        With a trial's number it gives what is drawn for it.
    """
    if method == "grid":
        return GridSampler(space, seed)
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "random": lambda seed: RandomSampler(seed),
        "tpe": lambda seed: TPESampler(seed=seed),
        "gp": lambda seed: GaussianProcessSampler(distributions_of(space), seed),
    }
    return Numbered(makers[method], seed)


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """Optuna's form of everything in the space, by its key."""
    return {key: leaf.distribution() for key, leaf in space.leaves().items()}


class Numbered(BaseSampler):
    """A sampler made anew for each trial, from the seed and the trial's number.

    So a trial's draws are the same whichever thread or process makes it, and a study that goes on
    does not repeat itself.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._last: tuple[int, BaseSampler] | None = None

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        if self._last is None or self._last[0] != trial.number:
            state = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)
            self._last = trial.number, self._make(int(state[0]))
        return self._last[1]

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As the sampler of this trial does."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler of this trial does."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As the sampler of this trial does."""
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)


class GridSampler(BaseSampler):
    """Every point of the grid once, in an order drawn by the seed.

    A point is taken when a trial has its parameters: one that ended by itself, or that runs, here
    or in another process. Between a look at what is taken and the parameters of a new trial another
    process may take the same point, at the end of the grid or where interrupted trials left gaps:
    it is tried twice then.
    """

    def __init__(self, space: Space, seed: int) -> None:
        points = [space.params_of(settings) for settings in space.points()]
        order = np.random.default_rng(seed).permutation(len(points))
        self._points = [points[i] for i in order]
        self._chosen: dict[int, dict[str, Any]] = {}

    def left(self, study: Study) -> int:
        """How many points no trial has."""
        taken = _taken(study)
        return sum(_key(point) not in taken for point in self._points)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: points are chosen before."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Choose the point: by the trial's number, so that processes seldom choose the same."""
        taken, n = _taken(study), len(self._points)
        circle = [self._points[(trial.number + i) % n] for i in range(n)]
        free = [point for point in circle if _key(point) not in taken]
        self._chosen = {trial.number: (free or circle)[0]}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The point's value."""
        return self._chosen[trial.number][param_name]


def _taken(study: Study) -> set[frozenset[tuple[str, Any]]]:
    """The points that trials have. One that failed for no reason of its own, has none."""
    return {
        _key(trial.params)
        for trial in study.get_trials(deepcopy=False)
        if trial.state != TrialState.FAIL or "error" in trial.user_attrs
    }


def _key(params: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset(params.items())


class GaussianProcessSampler(BaseSampler):
    """Where a Gaussian process over the trials so far expects the most improvement.

    Parameters
    ----------
    distributions : dict
        Everything that a trial may be asked for. What a condition left out of a trial is taken as
        the middle of its range, or as none of its choices.
    seed : int
        Of the candidates.
    """

    def __init__(self, distributions: dict[str, BaseDistribution], seed: int) -> None:
        self._distributions = distributions
        self._seed = seed
        self._random = RandomSampler(seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Everything, once there are trials to learn from."""
        known = [t for t in study.get_trials(deepcopy=False) if _value_of(t) is not None]
        return self._distributions if len(known) >= START_TRIALS else {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The candidate of the most expected improvement."""
        from threadpoolctl import threadpool_limits  # scikit-learn brings it

        if not search_space:
            return {}
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        valued = [(t, _value_of(t)) for t in others]
        seen = [(t, sign * value) for t, value in valued if value is not None]
        running = [t for t in others if t.state == TrialState.RUNNING and t.params]
        values = np.array([value for _, value in seen])
        points = self._shares([t.params for t, _ in seen])
        rng = np.random.default_rng(self._seed)
        best = points[np.argsort(-values, kind="stable")[:_BEST]]
        candidates = self._candidates(rng, best)
        with threadpool_limits(1, user_api="blas"):  # more are slower on so little
            process = gaussian_process.fit(self._encode(points), values, rng)
            process = process.believing(self._encode(self._shares([t.params for t in running])))
            improvement = process.expected_improvement(self._encode(candidates))
        shares = candidates[int(improvement.argmax())]
        items = zip(self._distributions.items(), shares, strict=True)
        return {key: _at(d, float(share)) for (key, d), share in items}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """At random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _shares(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """How far through its range each parameter of each point is; NaN where it is left out."""
        rows = [
            [_share(d, point[key]) if key in point else np.nan for key, d in self._items()]
            for point in points
        ]
        return np.array(rows, np.float64).reshape(len(points), len(self._distributions))

    def _candidates(self, rng: np.random.Generator, best: Array) -> Array:
        """Points at which to look, as shares: anywhere, and a small step from the best ones."""
        anywhere = rng.random((_CANDIDATES, len(self._distributions)))
        origin = best[np.arange(_NEAR) % len(best)]
        near = np.clip(origin + _STEP * rng.normal(size=origin.shape), 0.0, 1.0)
        for column, (_, d) in enumerate(self._items()):
            if isinstance(d, CategoricalDistribution):  # a step is another choice, now and then
                stays = rng.random(_NEAR) >= _STEP
                near[:, column] = np.where(stays, origin[:, column], np.nan)
        anew = np.isnan(near)
        near[anew] = rng.random(anew.sum())
        return np.vstack([anywhere, near])

    def _encode(self, shares: Array) -> Array:
        """Rows of numbers from 0 to 1; a choice is a 1 in its place. What is left out is 1/2."""
        columns = []
        for column, (_, d) in zip(shares.T, self._items(), strict=True):
            if isinstance(d, CategoricalDistribution):
                n = len(d.choices)
                place = np.minimum(np.nan_to_num(column, nan=-1.0) * n, n - 1)
                columns.append((np.floor(place)[:, None] == np.arange(n)).astype(np.float64))
            else:
                columns.append(np.nan_to_num(column, nan=0.5)[:, None])
        return np.hstack(columns)

    def _items(self) -> list[tuple[str, BaseDistribution]]:
        return list(self._distributions.items())


def _value_of(trial: FrozenTrial) -> float | None:
    """What a trial came to; of one that was pruned the value it had then."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    if trial.state == TrialState.PRUNED and trial.intermediate_values:
        return trial.intermediate_values[max(trial.intermediate_values)]
    return None


def _share(distribution: Any, value: Any) -> float:
    """How far through its range, or its choices, a value is."""
    if isinstance(distribution, CategoricalDistribution):
        return (distribution.choices.index(value) + 0.5) / len(distribution.choices)
    low, high = distribution.low, distribution.high
    if distribution.log:
        return float(np.log(value / low) / np.log(high / low))
    return float((value - low) / (high - low))


def _at(distribution: Any, share: float) -> Any:
    """The value so far through a range: `_share` the other way."""
    if isinstance(distribution, CategoricalDistribution):
        n = len(distribution.choices)
        return distribution.choices[min(int(share * n), n - 1)]
    low, high = distribution.low, distribution.high
    if distribution.log:
        value = float(low * (high / low) ** share)
    else:
        value = float(low + (high - low) * share)
    value = min(max(value, low), high)
    return round(value) if isinstance(low, int) else value
