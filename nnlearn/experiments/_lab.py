"""What an experiment works with: data, seeds, threads, and how short it shall be."""

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from nnlearn._settings import read_plans
from nnlearn.comparing import train_plans
from nnlearn.comparison import Comparison, Run
from nnlearn.config import available_cores
from nnlearn.data import Dataset
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import INTERVAL, GroupProgress, JobsProgress

#: Training digits of the book, for which its penalties are stated.
BOOKS_N = 50_000

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Lab:
    """The means of an experiment.

    Parameters
    ----------
    data : Dataset
        The digits.
    seeds : tuple of int
        What every network is trained with.
    quick : bool
        Whether to do a little of everything.
    n_jobs : int
        Networks that train at once.
    progress : callable, optional
        ``progress(n)`` gives what shows the progress of n trainings. None: nothing is shown.
    """

    data: Dataset
    seeds: tuple[int, ...]
    quick: bool
    n_jobs: int = field(default_factory=available_cores)
    progress: Callable[[int], JobsProgress] | None = None
    _stop: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def pick(self, full: _Item, quick: _Item) -> _Item:
        """The one or the other, as the run is."""
        return quick if self.quick else full

    def l2(self, books: float, n: int | None = None) -> float:
        """The book's lambda, scaled to n training samples (default: all) by equal lambda / n."""
        return books * (len(self.data.train) if n is None else n) / BOOKS_N

    def compare(
        self,
        variants: Mapping[str, Mapping[str, Any]],
        data: Dataset | None = None,
        *,
        seeds: Sequence[int] | None = None,
        **common: Any,
    ) -> Comparison:
        """Train every variant with every seed, as `nnlearn.compare` does.

        Parameters
        ----------
        variants : mapping of str to mapping
            Settings of `Network` and `Network.fit` by name; ``hidden`` or ``layers`` among them.
        data : Dataset, optional
            Another set of data. Without a validation or a test set training is the quicker.
        seeds : sequence of int, optional
            Others than the experiment's.
        **common
            Settings of all variants.
        """
        data = self.data if data is None else data
        chosen = list(self.seeds if seeds is None else seeds)
        plans = read_plans(Network, variants, common, data)
        n = len(plans) * len(chosen)
        progress = self.progress(n) if self.progress else GroupProgress(0, n)
        return train_plans(plans, data, chosen, self.n_jobs, progress)

    def each(self, function: Callable[[_Item], _Found], items: Iterable[_Item]) -> list[_Found]:
        """``function(item)`` for each item, in threads; the results in the items' order.

        For what is no comparison. Each call makes networks of its own, with ``n_threads=1``, and
        trains them with ``verbose=0`` and ``callbacks=lab.halted``, so that Ctrl-C ends them.
        """
        self._stop.clear()
        work = [(Future[_Found](), item) for item in items]
        waiting = iter(work)
        lock = threading.Lock()

        def serve() -> None:
            while not self._stop.is_set():
                with lock:
                    future, item = next(waiting, (None, None))
                if future is None:
                    return
                try:
                    future.set_result(function(cast(_Item, item)))
                except BaseException as error:
                    future.set_exception(error)
                    return

        progress = self.progress(len(work)) if self.progress else GroupProgress(0, len(work))
        for _ in range(min(self.n_jobs, len(work))):
            # A daemon, so that what cannot be stopped does not hold up the end of the process.
            threading.Thread(target=serve, daemon=True).start()
        try:
            pending = {future for future, _ in work}
            while pending:
                ended, pending = wait(pending, timeout=INTERVAL, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()  # raises what was raised, while others still work
                n = len(work) - len(pending)
                progress.update(n, (), n / len(work))
            progress.close()
            return [future.result() for future, _ in work]
        except BaseException:
            self._stop.set()
            raise

    def halted(self, network: Network, history: History) -> bool:
        """A callback for `fit`: whether what `each` does has been interrupted."""
        return self._stop.is_set()


# ---- numbers of runs, one a seed -----------------------------------------------------------------
#
# A seed that diverged is NaN in every row, also in those of epochs before that, and so is what is
# worked out from it: each row says that it diverged, and all means of a variant are of the same
# seeds. Such a run counts as diverged, not as stuck. Pictures show its epochs as far as they go.


def last(runs: Iterable[Run], column: str, scale: float = 100.0) -> tuple[float, ...]:
    """The column's value after the last epoch, times `scale`; NaN for a run that diverged."""
    return tuple(math.nan if run.error else scale * float(run.history[column][-1]) for run in runs)


def best(
    runs: Iterable[Run], column: str, scale: float = 100.0, *, lowest: bool = False
) -> tuple[float, ...]:
    """The column's highest (or lowest) value over the epochs, times `scale`; NaN if it diverged."""
    choose = min if lowest else max
    return tuple(
        math.nan if run.error else scale * choose(_known(run.history[column])) for run in runs
    )


def at(runs: Iterable[Run], column: str, epoch: int, scale: float = 100.0) -> tuple[float, ...]:
    """The column's value after an epoch, from 1, times `scale`; NaN where it was not reached.

    NaN for a run that diverged also where it had come so far.
    """
    found = []
    for run in runs:
        rows = [i for i, e in enumerate(run.history["epoch"]) if e == epoch and not run.error]
        found.append(scale * float(run.history[column][rows[0]]) if rows else math.nan)
    return tuple(found)


def epochs_to(
    runs: Iterable[Run], levels: Iterable[float], column: str = "loss"
) -> tuple[float, ...]:
    """The first epoch, from 1, after which the column is at most each run's level.

    One more than the run has epochs where it never is: the reader is to be told. NaN where the run
    diverged, or the level is NaN.
    """
    found = []
    for run, level in zip(runs, levels, strict=True):
        values = run.history[column]
        reached = [i for i, value in enumerate(values, 1) if value <= level]
        lost = run.error is not None or math.isnan(level)
        found.append(math.nan if lost else float(reached[0] if reached else len(values) + 1))
    return tuple(found)


def epoch_of_best(runs: Iterable[Run], column: str) -> tuple[float, ...]:
    """The epoch, from 1, of the column's best value; NaN for a run that diverged."""
    return tuple(math.nan if run.error else float(run.history.best(column)[0]) for run in runs)


def network2_cost(runs: Iterable[Run], loss: str, n: int, n_evaluated: int) -> tuple[float, ...]:
    """The last cost as network2.py adds it up: loss, and the penalty by the evaluated set's size.

    nnlearn's penalty is that of training, ``lambda / (2 n)`` times the sum of squared weights.
    """
    group = list(runs)
    penalties = last(group, "penalty", n / n_evaluated)
    return tuple(a + b for a, b in zip(last(group, loss, 1.0), penalties, strict=True))


def stuck(runs: Iterable[Run]) -> int:
    """How many runs never predict some class of the test set; none that diverged."""
    return sum(bool(run.stuck) for run in runs)


def differences(a: Iterable[float], b: Iterable[float]) -> tuple[float, ...]:
    """``a - b``, seed by seed; NaN where one of the two diverged."""
    return tuple(x - y for x, y in zip(a, b, strict=True))


def without(data: Dataset, *sets: str) -> Dataset:
    """The data without its "validation" or "test" set, which then are not evaluated."""
    return Dataset(
        data.train,
        None if "validation" in sets else data.validation,
        None if "test" in sets else data.test,
        class_names=data.class_names,
        image_shape=data.image_shape,
        source=data.source,
    )


def _known(values: Iterable[float]) -> list[float]:
    return [float(value) for value in values if not math.isnan(value)]
