"""Where settings are tried within a number of seconds: on all data, or on what time allows."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn._data_checks import is_labels
from nnlearn.comparison import Run
from nnlearn.data import Dataset
from nnlearn.network import Network
from nnlearn.recipes._budget import Budget, OutOfTime, Watch, was_cut
from nnlearn.recipes._copies import Copies
from nnlearn.recipes._steps import Trial
from nnlearn.recipes.penalties import Measure, trial_of
from nnlearn.recipes.reduced import reduce_problem, rescale_l2
from nnlearn.tables import count

#: Copies that train at all settings; the number of cores must change no decision.
SEEDS = 2
#: What evaluating a sample costs beside training with it.
EVALUATION = 0.3
#: Fewer samples, and fewer epochs, than these are not taken to save time.
LEAST_SAMPLES = 500
LEAST_EPOCHS = 3
#: By how much samples are reduced before epochs are: what many epochs do, a few do not show.
MOST_REDUCED = 8


@dataclass(frozen=True)
class Problem:
    """Data to try settings on.

    Parameters
    ----------
    data : Dataset
        With a validation set.
    copies : Copies
        Of the network for it.
    measure : Measure
        By what trials on it are compared.
    """

    data: Dataset
    copies: Copies
    measure: Measure

    @property
    def work(self) -> float:
        """What an epoch costs, in samples that are trained with."""
        assert self.data.validation is not None
        return _work(len(self.data.train), len(self.data.validation))


class Bench:
    """Trains copies of a network with settings, as long as there is time.

    Parameters
    ----------
    data : Dataset
        Training and validation set.
    make : callable
        Makes the network for a data set.
    budget : Budget
        The time there is.
    n_jobs : int or None
        Copies that train at once.
    tell : callable
        Called with a sentence after each trial.
    """

    def __init__(
        self,
        data: Dataset,
        make: Callable[[Dataset], Network],
        budget: Budget,
        n_jobs: int | None,
        tell: Callable[[str], None],
    ) -> None:
        self.data = data
        self.make = make
        self.budget = budget
        self._n_jobs = n_jobs
        self._tell = tell
        self._pace = 0.0  # seconds that a sample takes all copies; 0 as long as it is unknown
        self._known_by = 0.0  # the work by which it is known
        self._problems: dict[int, Problem] = {}

    def problem(self, data: Dataset) -> Problem:
        """Get ready to train on data."""
        assert data.validation is not None
        net = self.make(data)
        copies = Copies(
            net,
            data.train,
            None,
            seeds=SEEDS,
            n_jobs=self._n_jobs,
            validation=data.validation,
        )
        return Problem(
            data, copies, Measure(not net._architecture.is_regression, len(data.validation))
        )

    def part(self, n: int) -> Problem:
        """The first n of all samples, and of the validation set as large a share."""
        if n not in self._problems:
            self._problems[n] = self.problem(reduced(self.data, n))
        return self._problems[n]

    def fitting(self, until: float, n_trials: int, epochs: int) -> tuple[Problem, int, str]:
        """On what, and for how many epochs, so many trials are over in time.

        Returns
        -------
        problem, epochs, words
            All samples and all epochs, where there is time: then `words` are none. Else halves
            of the samples, down to an eighth, then fewer epochs, then fewer samples still.
        """
        whole = len(self.data.train)
        n, few = whole, epochs
        each = max(until - self.budget.used(), 0.0) / n_trials
        least = least_samples(self.data)
        while self._predicted(n, few) > each:
            if n >= 2 * least and MOST_REDUCED * n > whole:
                n //= 2
            elif few > LEAST_EPOCHS:
                few = max(few * 2 // 3, LEAST_EPOCHS)
            elif n >= 2 * least:
                n //= 2
            else:
                break
        if (n, few) == (whole, epochs):
            return self.part(n), epochs, ""
        fewer = [] if few == epochs else [f"{count(few, 'epoch')} in place of {epochs}"]
        fewer += [] if n == whole else [f"{n:,} samples in place of {whole:,}"]
        words = f"The clock allows {' and '.join(fewer)}."
        return self.part(n), few, words

    def final_epochs(self, n: int, epochs: int, until: float) -> int:
        """How many epochs of one copy on n samples are over in time."""
        each = self._predicted(n, 1)
        left = max(until - self.budget.used(), 0.0)
        return epochs if not each else min(epochs, int(left / each))

    def _predicted(self, n: int, epochs: int) -> float:
        """Seconds that all copies will take; of one copy it is an upper bound."""
        return self._pace * epochs * _work(n, _validated(self.data, n))

    def train(
        self,
        problem: Problem,
        until: float,
        *,
        epochs: int,
        learning_rate: float,
        l2: float = 0.0,
        may_be_cut: bool = False,
        **settings: Any,
    ) -> tuple[Trial, tuple[Run, ...]]:
        """Train all copies from their starts.

        Parameters
        ----------
        problem : Problem
            What to train on.
        until : float
            Seconds of the budget by which it must be over.
        epochs, learning_rate, l2, **settings
            Of fit. The penalty is that for all training samples.
        may_be_cut : bool, default False
            Whether what the clock has ended counts too.

        Raises
        ------
        OutOfTime
            If it would take too long, or did so.
        """
        budget = self.budget
        if not may_be_cut and budget.used() + self._pace * problem.work * epochs > until:
            raise OutOfTime
        began = budget.used()
        n = len(problem.data.train)
        scaled = rescale_l2(l2, n=len(self.data.train), to=n)
        callbacks = settings.pop("callbacks", ())
        where = f"learning rate {learning_rate:g}, l2 {l2:g}"
        with Watch(budget, until, epochs) as watch:
            runs = problem.copies.train(
                where,
                epochs=epochs,
                learning_rate=learning_rate,
                l2=scaled,
                callbacks=[watch, *callbacks],
                **settings,
            )
        seconds = budget.used() - began
        self._learn(seconds, problem.work * max(_longest(runs), 1))
        cut = any(was_cut(run.history) for run in runs)
        if cut and not (may_be_cut and all(len(run.history) for run in runs)):
            raise OutOfTime
        trial = _trial(trial_of(l2, learning_rate, runs, problem.measure))
        trial = dataclasses.replace(
            trial,
            batch_size=settings.get("batch_size", 10),
            n_samples=n,
            n_epochs=epochs,
            ended=budget.used(),
            seconds=seconds,
            note="the clock ended it" if cut else "",
        )
        self._tell(f"{where}: {problem.measure.scaled(trial.mean):.4g}")
        return trial, runs

    def _learn(self, seconds: float, work: float) -> None:
        """How fast training is, from the largest work so far or the latest as large."""
        if work >= 0.5 * self._known_by:
            self._pace, self._known_by = seconds / work, max(work, self._known_by)


def reduced(data: Dataset, n: int) -> Dataset:
    """The first n training samples, and as large a share of the validation set."""
    if n == len(data.train):
        return data
    return reduce_problem(data, n=n, n_validation=_validated(data, n))


def _validated(data: Dataset, n: int) -> int:
    """How many validation samples go with n training samples."""
    assert data.validation is not None
    m = len(data.validation)
    return max(m * n // len(data.train), min(m, least_samples(data)))


def least_samples(data: Dataset) -> int:
    """How few samples still make a problem: one of each class at least."""
    return max(LEAST_SAMPLES, len(np.unique(data.train.y)) if is_labels(data.train.y) else 1)


def _work(n: int, m: int) -> float:
    return n + EVALUATION * m


def _longest(runs: Sequence[Run]) -> int:
    return max(len(run.history) for run in runs)


def _trial(plain: Any) -> Trial:
    values = {f.name: getattr(plain, f.name) for f in dataclasses.fields(plain)}
    return Trial(**values)
