"""Which learning rate: the largest by which the training loss still falls, and half of it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nnlearn import _checks
from nnlearn.callbacks import Callback
from nnlearn.comparison import Run
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.recipes._copies import Copies
from nnlearn.recipes._result import Result
from nnlearn.tables import Table, count

#: How many orders of magnitude above and below the start are tried at most.
ORDERS = 8


def find_learning_rate(
    net: Network,
    x: Any,
    y: Any = None,
    *,
    start: float = 0.01,
    epochs: int = 3,
    batch_size: int = 10,
    l2: float = 0.0,
    seeds: int = 3,
    n_jobs: int | None = None,
    verbose: int | None = None,
) -> "LearningRates":
    """Find the largest learning rate by which the training loss falls from the first epoch on.

    A rate works if the loss on the whole training set, evaluated before training and after each
    epoch, falls in each of the first `epochs` epochs for all seeds, or stays where it cannot fall,
    at 0. From `start` on, rates are multiplied or divided by ten until one works and the next one
    fails; then those of 1, 2, 5, 10, ... that lie between are tried in their order, up to the first
    that fails::

        threshold = the largest rate that works,    suggestion = threshold / 2

    Parameters
    ----------
    net : Network
        Its copies are trained; it stays as it is.
    x : array_like, shape (n, n_inputs), or Split
        The training data, as `Network.fit` takes it.
    y : array_like, optional
        Labels (n,), or targets (n, n_outputs).
    start : float, default 0.01
        The first rate, above 0.
    epochs : int, default 3
        In how many epochs the loss must fall, >= 1.
    batch_size : int, default 10
        Rows a step, >= 1. The threshold belongs to this size.
    l2 : float, default 0.0
        The penalty, >= 0, as in fit.
    seeds : int, default 3
        How many copies train at each rate, >= 1. Copy k begins as ``net.reset(net.seed + k)``
        does, so the first one from the network's own start.
    n_jobs : int, optional
        Copies that train at once, in one thread each; by default as many as this process may use
        cores. The number changes no result.
    verbose : {None, 0, 1}, default None
        As for fit; each training of all copies is shown by itself.

    Returns
    -------
    LearningRates
        With ``.suggestion``, ``.threshold``, ``.table()``, ``.plot()`` and ``.verdict``. Where no
        rate within eight orders of magnitude of `start` works, or none fails, suggestion and
        threshold are None and the verdict says why.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if an argument or the data is wrong.

    See Also
    --------
    find_l2 : The penalty, once the rate is known.

    Notes
    -----
    A rate that diverges fails. A copy stops training once it has failed, so that the means over
    the seeds in the table are over those that came so far. If the loss does not change at all
    with `start`, this rate is taken for too low, not too high.

    A loss that rises a little by chance fails a rate as well: with other seeds the threshold may
    lie a step or two of the grid lower or higher.

    The loss is the data term, without the penalty. Starts are drawn anew from the seeds: what a
    trained network has learnt plays no part.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "How to choose a neural
       network's hyper-parameters?".

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(500)
    >>> net = nn.Network([784, 10, 10], seed=1)
    >>> found = nn.find_learning_rate(net, digits.train, seeds=2)
    >>> found.suggestion == found.threshold / 2
    True
    >>> len(net.history)
    0
    """
    start = _checks.real("start", start, above=0.0)
    epochs = _checks.integer("epochs", epochs, minimum=1)
    copies = Copies(
        net,
        x,
        y,
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
        batch_size=batch_size,
        l2=l2,
        evaluate_train=True,
        evaluate_first=True,
    )

    def attempt(rate: float) -> RateTrial:
        where, callbacks = f"learning rate {rate:g}", [UntilItFails()]
        runs = copies.train(where, epochs=epochs, learning_rate=rate, callbacks=callbacks)
        return RateTrial(rate, tuple(losses_of(run.history) for run in runs), _diverged(runs))

    trials, threshold = search_threshold(attempt, start, lambda trial: trial.works(epochs))
    return LearningRates(tuple(trials), epochs, len(copies.seeds), threshold)


@dataclass(frozen=True)
class RateTrial:
    """One learning rate, and how the training loss went for each seed.

    Parameters
    ----------
    learning_rate : float
        The rate.
    losses : tuple of tuples of float
        For each seed the training loss before training and after each epoch, up to the first in
        which it did not fall.
    diverged : int, default 0
        How many seeds ended in NaN or infinity.
    """

    learning_rate: float
    losses: tuple[tuple[float, ...], ...]
    diverged: int = 0

    def falls(self, epochs: int) -> int:
        """For how many seeds the loss falls in each of so many epochs."""
        return sum(len(curve) == epochs + 1 and _is_learnt(curve) for curve in self.losses)

    def works(self, epochs: int) -> bool:
        """Whether it does so for all seeds."""
        return self.falls(epochs) == len(self.losses)

    @property
    def stands_still(self) -> bool:
        """Whether nothing has changed any loss: steps too small for the network's precision."""
        return all(len(curve) > 1 and len({*curve}) == 1 for curve in self.losses)

    def outcome(self, epochs: int) -> str:
        """What came of it, in a word or two."""
        if self.works(epochs):
            return "works"
        if self.diverged:
            return "diverges"
        if self.stands_still:
            return "stands still"
        failed = [curve for curve in self.losses if not _is_learnt(curve)]
        epoch = min(map(len, failed)) - 1
        first = [curve for curve in failed if len(curve) == epoch + 1]
        stays = all(curve[-1] == curve[-2] for curve in first)
        return f"{'stands still' if stays else 'rises'} in epoch {epoch}"

    def mean(self, epoch: int) -> float:
        """The mean loss after an epoch (0: before training) of the seeds that reached it."""
        known = [curve[epoch] for curve in self.losses if epoch < len(curve)]
        return math.fsum(known) / len(known) if known else math.nan


@dataclass(frozen=True, repr=False)
class LearningRates(Result):
    """What `find_learning_rate` found.

    Parameters
    ----------
    trials : tuple of RateTrial
        What was tried, from the lowest rate to the highest.
    epochs : int
        In how many epochs the loss had to fall.
    seeds : int
        For how many seeds.
    threshold : float or None
        The largest rate that works; None where the boundary was not found.
    """

    _drawn_by = "plot_learning_rates"

    trials: tuple[RateTrial, ...]
    epochs: int
    seeds: int
    threshold: float | None

    @property
    def suggestion(self) -> float | None:
        """Half of the threshold."""
        return None if self.threshold is None else self.threshold / 2

    @property
    def verdict(self) -> str:
        """What it comes to, in one sentence."""
        what = f"the training loss {_in_each(self.epochs)} for {_all_of(self.seeds)}"
        first, last = (self.trials[i].learning_rate for i in (0, -1))
        if self.threshold is not None:
            above = next(t for t in self.trials if t.learning_rate > self.threshold)
            return (
                f"Up to a learning rate of {self.threshold:g} {what}, while {above.learning_rate:g}"
                f" {above.outcome(self.epochs)}: take half of the first, {self.suggestion:g}."
            )
        if any(trial.works(self.epochs) for trial in self.trials):
            return f"By every learning rate up to {last:g} {what}: there is no threshold to halve."
        return (
            f"There is no learning rate from {first:g} to {last:g} by which {what}: look at the "
            "scale of the data and at the start weights, or try larger batches."
        )

    def table(self) -> Table:
        """Every rate that was tried.

        Returns
        -------
        Table
            A row for each rate: the mean training loss before training and after each epoch, over
            the seeds that came so far; for how many seeds it falls in each epoch; and the verdict.
        """
        epochs = [f"epoch {k}" for k in range(1, self.epochs + 1)]
        rows = [
            (
                trial.learning_rate,
                *(trial.mean(epoch) for epoch in range(self.epochs + 1)),
                f"{trial.falls(self.epochs)} of {self.seeds}",
                trial.outcome(self.epochs),
            )
            for trial in self.trials
        ]
        title = f"Mean training loss at each learning rate, {count(self.seeds, 'seed')}"
        head = ["learning rate", "before", *epochs, "falls for", "verdict"]
        return Table(head, rows, title, formats={"learning rate": "g"})


def losses_of(history: History) -> tuple[float, ...]:
    """The training loss before training and after each epoch of a fit that evaluates them."""
    assert history.start is not None
    return (history.start["train_loss"], *map(float, history["train_loss"]))


class UntilItFails(Callback):
    """Ends a fit after the first epoch in which the training loss has not fallen."""

    def on_epoch_end(self, net: Network, history: History) -> bool:
        """Whether it has not."""
        return not _all_fall(losses_of(history)[-2:])


def _all_fall(curve: tuple[float, ...]) -> bool:
    """Whether every loss is below the one before, or both are 0; NaN is below nothing."""
    return all(after < before or after == before == 0.0 for before, after in pairwise(curve))


def _is_learnt(curve: tuple[float, ...]) -> bool:
    """Whether there was something to learn, and every loss falls."""
    return curve[0] != 0.0 and _all_fall(curve)


def _diverged(runs: tuple[Run, ...]) -> int:
    return sum(run.error is not None for run in runs)


# ---- the search --------------------------------------------------------------------------------


def search_threshold(
    attempt: Callable[[float], RateTrial], start: float, works: Callable[[RateTrial], bool]
) -> tuple[list[RateTrial], float | None]:
    """What was tried, from the lowest rate on, and the threshold, None if there is none.

    attempt: trains with a rate; works: whether what came of it is good.
    """
    tried: dict[float, RateTrial] = {}

    def is_good(rate: float) -> bool:
        tried[rate] = attempt(rate)
        return works(tried[rate])

    low, high = None, None  # the largest rate that works so far, the lowest above it that fails
    if is_good(start) or tried[start].stands_still:
        low = start if works(tried[start]) else None
        for rate in powers_of_ten(start, 1):
            if is_good(rate):
                low = rate
            elif low is not None or not tried[rate].stands_still:
                high = rate
                break
    else:
        high = start
        for rate in powers_of_ten(start, -1):
            if is_good(rate):
                low = rate
                break
            high = rate
            if tried[rate].stands_still:  # as all below would
                break
    if low is not None and high is not None:
        for rate in round_between(low, high):
            if not is_good(rate):
                break
            low = rate
    threshold = low if high is not None else None
    return [tried[rate] for rate in sorted(tried)], threshold


def powers_of_ten(start: float, direction: int, orders: int = ORDERS) -> Iterator[float]:
    """From `start` on, without it, ten times as much (direction 1) or as little (-1) each time."""
    for order in range(1, orders + 1):
        value = shifted(start, direction * order)
        if not 0.0 < value < math.inf:
            return
        yield value


def shifted(value: float, places: int) -> float:
    """The value times 10^places, as if its decimal point were moved: 0.01 becomes 0.1 itself."""
    digits, _, exponent = repr(value).partition("e")
    return float(f"{digits}e{int(exponent or 0) + places}")


def round_between(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 times a power of ten that lie between two, in their order."""
    first, last = (math.floor(math.log10(value)) for value in (low, high))
    numbers = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5)]
    return [number for number in numbers if low < number < high]


def _in_each(epochs: int) -> str:
    return "falls in the first epoch" if epochs == 1 else f"falls in each of {epochs} epochs"


def _all_of(seeds: int) -> str:
    return "the one seed" if seeds == 1 else f"all {seeds} seeds"
