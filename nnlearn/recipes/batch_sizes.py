"""Which mini-batch size learns fastest, in seconds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnlearn import _checks
from nnlearn.data import Dataset
from nnlearn.network import Network
from nnlearn.progress import GroupProgress
from nnlearn.recipes._in_turns import Task, Trial, parts_of, train_in_turns
from nnlearn.recipes._recipe_checks import check_data, check_fit, check_network, check_sizes
from nnlearn.recipes._result import Result
from nnlearn.tables import Table

#: Of two sizes whose seconds differ by a smaller factor, chance may have put one first.
AS_FAST = 1.3

#: The sizes that are tried when none are given, as far as there are as many samples.
_SIZES = (1, 2, 5, 10, 20, 50, 100)

#: The factor on the learning rate for a size that is `ratio` times the one it is meant for.
_SCALES: Mapping[str | None, Callable[[float], float]] = {
    "linear": lambda ratio: ratio,
    "sqrt": math.sqrt,
    None: lambda ratio: 1.0,
}


@dataclass(frozen=True)
class SizeCurve:
    """How one mini-batch size learnt.

    Parameters
    ----------
    size : int
        Samples a step.
    learning_rate : float
        The rate it was trained with, scaled.
    epochs : float
        Passes over the data, whole or not.
    trained : float
        Seconds of training in all.
    seconds, values : tuple of float
        Seconds of training until each evaluation, from 0, and what it gave: the validation
        accuracy in [0, 1], or for regression the validation loss.
    diverged : bool, default False
        Whether NaN or infinity ended it.
    """

    size: int
    learning_rate: float
    epochs: float
    trained: float
    seconds: tuple[float, ...]
    values: tuple[float, ...]
    diverged: bool = False


@dataclass(frozen=True, repr=False)
class BatchSizeStudy(Result):
    """What `batch_size_study` found.

    Parameters
    ----------
    curves : tuple of SizeCurve
        One for each size, the smallest first.
    regression : bool
        Whether the curves hold losses in place of accuracies.
    target : float, default 0.99
        What a size has to reach: this share of the best accuracy that any size reached; for
        regression this share of the way from the loss before training down to the best one.
    share : float, default infinity
        Seconds that each size had.
    """

    _drawn_by = "plot_batch_sizes"

    curves: tuple[SizeCurve, ...]
    regression: bool
    target: float = 0.99
    share: float = math.inf

    @property
    def best(self) -> float:
        """The best value of any size that did not diverge; NaN where all did."""
        return self._best(value for curve in self._sound for value in curve.values)

    @property
    def threshold(self) -> float:
        """The validation accuracy (regression: loss) that a size has to reach."""
        if not self.regression or not self._sound:
            return self.target * self.best
        start = self._sound[0].values[0]
        return start - self.target * (start - self.best)

    @property
    def suggestion(self) -> int | None:
        """The size that reaches the threshold first; None where all diverged."""
        ranking = self._ranking()
        return ranking[0][1].size if ranking else None

    def seconds_to_threshold(self, curve: SizeCurve) -> float:
        """Seconds of training until a size first reached the threshold; NaN if it never did."""
        threshold, sign = self.threshold, -1 if self.regression else 1
        for seconds, value in zip(curve.seconds, curve.values, strict=True):
            if sign * value >= sign * threshold:
                return seconds
        return math.nan

    def table(self) -> Table:
        """What was tried and what came of it.

        Returns
        -------
        Table
            A row for each size: the learning rate, epochs, training seconds an epoch, the best
            validation accuracy in % (regression: loss), and the seconds until the threshold.
        """
        best = "best loss" if self.regression else "best %"
        threshold = self.threshold
        reach = "s to target" if math.isnan(threshold) else f"s to {self._value(threshold)}"
        head = ["size", "learning rate", "epochs", "s an epoch", best, reach, "diverged"]
        unit = 1.0 if self.regression else 100.0
        rows = [
            (
                curve.size,
                curve.learning_rate,
                curve.epochs,
                curve.trained / curve.epochs if curve.epochs else math.nan,
                unit * self._best(curve.values),
                self.seconds_to_threshold(curve),
                "yes" if curve.diverged else "",
            )
            for curve in self.curves
        ]
        what = "loss" if self.regression else "accuracy"
        title = f"Mini-batch sizes: validation {what} against seconds of training, in one thread"
        formats = {"epochs": ".1f", best: ".4g" if self.regression else ".2f", reach: ".3g"}
        table = Table(head, rows, title, formats={**formats, "s an epoch": ".3g"})
        return table if any(curve.diverged for curve in self.curves) else table._without("diverged")

    @property
    def verdict(self) -> str:
        """Which size is fastest, the one after it, and whether the seconds sufficed."""
        ranking = self._ranking()
        if not ranking:
            return "Every size diverged: lower learning_rate."
        seconds, first = ranking[0]
        text = f"Mini-batches of {first.size} are the first to reach {self._goal()}, "
        text += f"after {seconds:.2g} s of training"
        if len(ranking) > 1:
            after, second = ranking[1]
            how = "is about as fast" if after <= AS_FAST * seconds else "follows"
            text += f"; {second.size} {how}, after {after:.2g} s"
        if seconds > 0.5 * self.share:
            text += f". That was late in the {self.share:.2g} s that each had: give more seconds"
        return text + "."

    @property
    def _sound(self) -> list[SizeCurve]:
        """The sizes that did not diverge."""
        return [curve for curve in self.curves if not curve.diverged]

    def _ranking(self) -> list[tuple[float, SizeCurve]]:
        """The sizes that reach the threshold, with their seconds, the fastest first."""
        timed = [(self.seconds_to_threshold(curve), curve) for curve in self._sound]
        reached = [pair for pair in timed if not math.isnan(pair[0])]
        return sorted(reached, key=lambda pair: (pair[0], pair[1].size))

    def _best(self, values: Iterable[float]) -> float:
        """The best of some values; NaN, which is none, if there is no other."""
        known = [value for value in values if not math.isnan(value)]
        return (min if self.regression else max)(known, default=math.nan)

    def _value(self, value: float) -> str:
        return f"{value:.4g}" if self.regression else f"{100.0 * value:.2f} %"

    def _goal(self) -> str:
        """The threshold in words."""
        kind = "loss" if self.regression else "accuracy"
        return (
            f"a validation {kind} of {self._value(self.threshold)} (best: {self._value(self.best)})"
        )


def batch_size_study(
    net: Network,
    data: Dataset,
    *,
    learning_rate: float,
    sizes: Sequence[int] | None = None,
    seconds: float = 60.0,
    batch_size: int = 10,
    scale: str | None = "linear",
    momentum: float = 0.0,
    l2: float = 0.0,
    target: float = 0.99,
    verbose: int | None = None,
) -> BatchSizeStudy:
    """Train with several mini-batch sizes and compare validation accuracy by seconds.

    A mini-batch of m samples is trained with the rate::

        eta_m = eta m / batch_size            scale="linear"
        eta_m = eta sqrt(m / batch_size)      scale="sqrt"
        eta_m = eta                           scale=None

    Parameters
    ----------
    net : Network
        What to train. A copy for each size, all from the start weights of the network's seed.
    data : Dataset
        Training and validation set.
    learning_rate : float
        eta > 0, for mini-batches of `batch_size`.
    sizes : sequence of int, optional
        Mini-batch sizes, each from 1 to the number of training samples. None: 1, 2, 5, 10, 20, 50
        and 100, as far as there are so many samples.
    seconds : float, default 60.0
        Training time of all sizes together, > 0, of which each has an equal share. A size whose
        first epoch takes longer than its share finishes that epoch. The evaluations come on top.
    batch_size : int, default 10
        The size that `learning_rate` is meant for, >= 1; 10 is what fit takes by default.
    scale : {"linear", "sqrt", None}, default "linear"
        How the rate changes with the size.
    momentum, l2 : float, default 0.0
        As for fit.
    target : float, default 0.99
        In (0, 1]: a size has to reach this share of the best accuracy that any reached. For
        regression: this share of the way from the loss before training down to the best loss.
    verbose : {None, 0, 1}, default None
        As for fit.

    Returns
    -------
    BatchSizeStudy
        With `table`, `plot`, `suggestion` (the size that reaches the target first), `verdict`.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if an argument does not fit or there is no validation set.

    See Also
    --------
    find_learning_rate : Finds the rate for one size.
    learning_curve : Accuracy against the number of training samples.

    Notes
    -----
    Why linear: a step takes the mean of m gradients, so a rate m times as large makes it worth m
    steps of one sample each, as long as the weights change little meanwhile. All sizes then go as
    far in an epoch, and what differs is the time that an epoch takes and how well the larger
    steps still point downhill. Also, L2 shrinks the weights as much in an epoch, whatever m:
    n/m steps of ``eta_m l2/n``. Where large sizes diverge or fall behind, "sqrt" treats them more
    kindly; it keeps the variance of a step's noise.

    Time is that of training alone, evaluations left out, of networks that train in turns in one
    thread: the one that has used the least time is next, so that what else the machine does
    meanwhile touches all of them alike. Nothing else should train at the same time.

    An epoch is trained in up to ten parts of at least 20 of the largest mini-batches, so that the
    curve has points within the first epoch: the samples are dealt out to the parts once, at random
    by the network's seed, and each part is shuffled anew in each epoch. The network is evaluated
    after every part at first, later each time that the parts trained have grown by 5 %; epochs of
    one part, as of small data, are trained together up to there. The shuffled copy of the training
    set takes as much memory as the set does.

    The weights after so many parts are the same in every run; how many parts there are, and
    thereby the suggestion, depends on the clock. There is one network a size, and its curve is
    rough: of sizes whose seconds differ by a third or less, another run may put another first;
    `verdict` says so. The size that is fastest depends little on the other settings, so that they
    need not be the best ones yet [1]_.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "How to choose a neural
       network's hyper-parameters?".

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 10], seed=1)
    >>> study = nn.batch_size_study(net, digits, learning_rate=0.5, sizes=(1, 10), seconds=0.1)
    >>> study.table()["learning rate"]
    [0.05, 0.5]
    >>> study.suggestion in (1, 10)
    True
    """
    validation = check_data(data)
    n = len(data.train)
    chosen = check_sizes([m for m in _SIZES if m <= n] if sizes is None else sizes, n)
    rate = _checks.real("learning_rate", learning_rate, above=0.0)
    budget = _checks.real("seconds", seconds, above=0.0)
    meant_for = _checks.integer("batch_size", batch_size, minimum=1)
    goal = _check_target(target)
    factor = _SCALES[scale if scale is None else _check_scale(scale)]
    rates = {size: rate * factor(size / meant_for) for size in chosen}
    settings = {"momentum": momentum, "l2": l2}
    check_fit(check_network(net), data, learning_rate=rate, **settings)
    progress = GroupProgress(verbose, len(chosen))
    task = Task(
        parts_of(data.train, max(chosen), net.seed), validation, settings, budget / len(chosen)
    )
    Trial(net, task, chosen[-1], rates[chosen[-1]]).train()  # warms up: memory, caches, kernels
    trials = [Trial(net, task, size, rates[size]) for size in chosen]
    train_in_turns(trials, progress)
    curves = tuple(map(_curve, trials))
    return BatchSizeStudy(curves, net._architecture.is_regression, goal, task.share)


def _curve(trial: Trial) -> SizeCurve:
    """What came of one size."""
    seconds, values = zip(*trial.points, strict=True)
    return SizeCurve(
        trial.size,
        trial.learning_rate,
        trial.epochs,
        trial.trained,
        seconds,
        values,
        trial.diverged,
    )


def _check_target(target: Any) -> float:
    goal = _checks.real("target", target, above=0.0)
    if goal > 1.0:
        _checks.fail(ValueError, "target", "be a share of at most 1", target)
    return goal


def _check_scale(scale: Any) -> str:
    words = [word for word in _SCALES if word is not None]
    return _checks.choice("scale", scale, words, "or None, for the same rate for all sizes")
