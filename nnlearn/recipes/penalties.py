"""Which L2 penalty: the one with which a validation set is predicted best."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nnlearn import _checks
from nnlearn.comparison import Run
from nnlearn.data import Dataset
from nnlearn.network import Network
from nnlearn.optimizers import check_learning_rate
from nnlearn.recipes._copies import Copies
from nnlearn.recipes._recipe_checks import check_data, check_network
from nnlearn.recipes._result import Result
from nnlearn.recipes.rates import powers_of_ten, round_between, shifted
from nnlearn.tables import Table, count

#: Losses are as good as each other if they differ by no more than this share.
SAME_LOSS = 1e-3

#: How often the learning rate is doubled, or halved, at most.
DOUBLINGS = 6


def find_l2(
    net: Network,
    data: Dataset,
    *,
    learning_rate: float,
    start: float = 1.0,
    epochs: int = 10,
    batch_size: int = 10,
    seeds: int = 3,
    n_jobs: int | None = None,
    verbose: int | None = None,
) -> "Penalties":
    """Find the L2 penalty with which the validation set is predicted best.

    The learning rate is held while penalties are tried: 0 and `start`; ten times as much again
    and again, and a tenth, each way as long as that is better than the one before; then those of
    1, 2, 5, 10, ... within a factor of ten of the best one above 0. With the best of all, the
    learning rate is doubled, and halved, as long as that is better. The rate that was held stays
    unless one with at least its accuracy is better.

    What is compared is the best validation accuracy in `epochs` epochs, the mean a over the seeds.
    On m validation samples it is known to one standard error::

        s = sqrt(a (1 - a) / m)

    Of those within s of the highest, the one with the least validation loss is the best; losses
    that differ by less than 0.1 % are the same. For regression the loss alone decides.

    Parameters
    ----------
    net : Network
        Its copies are trained; it stays as it is.
    data : Dataset
        Training and validation set.
    learning_rate : float
        eta, above 0: that of `find_learning_rate`, say.
    start : float, default 1.0
        The first penalty beside 0, above 0.
    epochs : int, default 10
        How long to train with each, >= 1.
    batch_size : int, default 10
        Rows a step, >= 1.
    seeds : int, default 3
        How many copies train with each, >= 1. Copy k begins as ``net.reset(net.seed + k)`` does.
    n_jobs : int, optional
        Copies that train at once, in one thread each; by default as many as this process may use
        cores. The number changes no result.
    verbose : {None, 0, 1}, default None
        As for fit; each training of all copies is shown by itself.

    Returns
    -------
    Penalties
        With ``.suggestion`` (the penalty, for fit's `l2`), ``.learning_rate``, ``.table()``,
        ``.plot()`` and ``.verdict``.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if an argument or the data is wrong, or there is no validation set.
    FloatingPointError
        If training diverges with every penalty.

    See Also
    --------
    find_learning_rate : The learning rate to begin with.
    rescale_l2 : The penalty for another number of training samples.

    Notes
    -----
    After few epochs penalties often differ by less than the accuracy's noise, and chance would
    choose among them; the loss shows overfitting earlier, so that the penalty chosen may be up to
    s below the highest accuracy. Of rates none is chosen that is below the accuracy which this
    penalty has at the rate that was held: the last step does not undo the one before. Of equals
    the one tried first is taken, and 0 is tried first of all. A penalty with which any seed
    diverges is out. The penalty belongs to the number of training samples.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "How to choose a neural
       network's hyper-parameters?".

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(200)
    >>> net = nn.Network([784, 10], seed=1)
    >>> found = nn.find_l2(net, digits, learning_rate=0.5, epochs=2, seeds=1)
    >>> found.suggestion in found.table()["l2"]
    True
    """
    learning_rate = check_learning_rate(learning_rate)
    start = _checks.real("start", start, above=0.0)
    epochs = _checks.integer("epochs", epochs, minimum=1)
    check_network(net)
    validation = check_data(data)
    measure = Measure(not net._architecture.is_regression, len(validation))
    copies = Copies(
        net,
        data.train,
        None,
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
        batch_size=batch_size,
        validation=validation,
    )

    def attempt(l2: float, rate: float) -> PenaltyTrial:
        where = f"l2 {l2:g}, learning rate {rate:g}"
        runs = copies.train(where, epochs=epochs, l2=l2, learning_rate=rate)
        return trial_of(l2, rate, runs, measure)

    return _search(attempt, start, learning_rate, measure)


@dataclass(frozen=True)
class PenaltyTrial:
    """One penalty at one learning rate, and how well the validation set was predicted.

    Parameters
    ----------
    l2, learning_rate : float
        The settings.
    best : tuple of float
        For each seed the best validation accuracy, in [0, 1], or the least loss of regression;
        empty if a seed diverged, as are the next three.
    epochs : tuple of int
        The epochs in which that was.
    last : tuple of float
        Accuracy or loss at the last epoch.
    losses : tuple of float
        The least validation loss.
    diverged : int, default 0
        How many seeds ended in NaN or infinity.
    """

    l2: float
    learning_rate: float
    best: tuple[float, ...]
    epochs: tuple[int, ...]
    last: tuple[float, ...]
    losses: tuple[float, ...]
    diverged: int = 0

    @property
    def mean(self) -> float:
        """The mean of `best`; NaN if a seed diverged."""
        return _mean(self.best)

    @property
    def loss(self) -> float:
        """The mean of `losses`; NaN if a seed diverged."""
        return _mean(self.losses)

    @property
    def epoch(self) -> float:
        """The mean of `epochs`; NaN if a seed diverged."""
        return _mean(self.epochs)


#: A kind of trial: what is best of some is one of them.
AnyTrial = TypeVar("AnyTrial", bound=PenaltyTrial)


@dataclass(frozen=True)
class Measure:
    """By what trials are compared, and how finely it tells them apart.

    Parameters
    ----------
    is_accuracy : bool
        Whether by accuracy; else by loss.
    n_samples : int
        Validation samples.
    """

    is_accuracy: bool
    n_samples: int

    @property
    def column(self) -> str:
        """What it is called in a history."""
        return "val_accuracy" if self.is_accuracy else "val_loss"

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return "validation accuracy" if self.is_accuracy else "validation loss"

    def scaled(self, value: float) -> float:
        """A value as tables and pictures show it: accuracies in %."""
        return 100.0 * value if self.is_accuracy else value

    def noise(self, accuracy: float) -> float:
        """The standard error of an accuracy."""
        return math.sqrt(accuracy * (1.0 - accuracy) / self.n_samples)

    def best(self, trials: Iterable[AnyTrial]) -> AnyTrial:
        """The best; of equals the first."""
        known = [trial for trial in trials if not trial.diverged]
        if self.is_accuracy:
            top = max(trial.mean for trial in known)
            known = [trial for trial in known if trial.mean >= top - self.noise(top)]
        least = min(trial.loss for trial in known)
        return next(trial for trial in known if trial.loss <= least * (1.0 + SAME_LOSS))

    def not_below(self, one: PenaltyTrial, trials: Iterable[AnyTrial]) -> "list[AnyTrial]":
        """Those with at least the accuracy of one; for regression all."""
        return [t for t in trials if not self.is_accuracy or t.mean >= one.mean]

    def is_better(self, one: PenaltyTrial, other: PenaltyTrial) -> bool:
        """Whether one is better than the other, and not just as good."""
        if one.diverged or other.diverged:
            return not one.diverged
        return self.best((other, one)) is one


@dataclass(frozen=True, repr=False)
class Penalties(Result):
    """What `find_l2` found.

    Parameters
    ----------
    trials : tuple of PenaltyTrial
        What was tried: at the rate that was held, from the lowest penalty to the highest; then
        at other rates, with the best penalty.
    suggestion : float
        The best penalty.
    held_rate : float
        The learning rate that was given.
    learning_rate : float
        The best one for this penalty.
    measure : Measure
        By what they were compared.
    """

    _drawn_by = "plot_penalties"

    trials: tuple[PenaltyTrial, ...]
    suggestion: float
    held_rate: float
    learning_rate: float
    measure: Measure

    @property
    def verdict(self) -> str:
        """What it comes to, in one sentence."""
        none, first, best = (
            self._of(0.0, self.held_rate),
            self._of(self.suggestion, self.held_rate),
            self._of(self.suggestion, self.learning_rate),
        )
        text = f"At a learning rate of {self.held_rate:g} "
        if self.suggestion:
            text += f"l2={self.suggestion:g} is best ({first}; without a penalty {none})"
        else:
            text += f"it is best without a penalty ({first})"
        if self.learning_rate == self.held_rate:
            return f"{text}, and no other rate tried with it is better."
        return f"{text}; with it learning_rate={self.learning_rate:g} is better ({best})."

    def table(self) -> Table:
        """Every penalty that was tried.

        Returns
        -------
        Table
            The validation accuracy in % at its best epoch (for regression the least loss): mean
            over the seeds, sample standard deviation (``sd``), mean epoch; the mean at the last
            epoch; the mean least loss (not for regression); how many seeds diverged. The last
            rows are those of other learning rates.
        """
        measure, unit = self.measure, "%" if self.measure.is_accuracy else "loss"
        rows = [
            (
                trial.l2,
                trial.learning_rate,
                measure.scaled(trial.mean),
                measure.scaled(_deviation(trial.best)),
                trial.epoch,
                measure.scaled(_mean(trial.last)),
                trial.loss,
                trial.diverged,
            )
            for trial in self.trials
        ]
        heads = ["l2", "learning rate", f"best {unit}", "sd", "at epoch", f"last {unit}"]
        formats = {"l2": "g", "learning rate": "g", "at epoch": ".1f"}
        if measure.is_accuracy:
            formats |= dict.fromkeys(("best %", "sd", "last %"), ".2f")
        seeds = max(len(trial.best) for trial in self.trials)
        what = measure.words.capitalize() + (" in %" if measure.is_accuracy else "")
        title = f"{what} with each l2, {count(seeds, 'seed')}"
        if measure.is_accuracy:
            held = [trial for trial in self.trials if trial.learning_rate == self.held_rate]
            top = max(trial.mean for trial in held if not trial.diverged)
            title += f"; least loss decides within {100 * measure.noise(top):.2f} of the highest"
        table = Table([*heads, "least loss", "diverged"], rows, title, formats=formats)
        return table if measure.is_accuracy else table._without("least loss")

    def _of(self, l2: float, rate: float) -> str:
        """How good a trial is, in words."""
        trial = next(t for t in self.trials if (t.l2, t.learning_rate) == (l2, rate))
        if trial.diverged:
            return "it diverges"
        accuracy = f"{100 * trial.mean:.2f} %, " if self.measure.is_accuracy else ""
        return f"{accuracy}validation loss {trial.loss:.4g}"


# ---- the search --------------------------------------------------------------------------------


def _search(
    attempt: Callable[[float, float], PenaltyTrial], start: float, rate: float, measure: Measure
) -> Penalties:
    """Try penalties at one rate, then rates with the best of them.

    attempt: trains with a penalty and a rate.
    """
    held: dict[float, PenaltyTrial] = {}  # by penalty, at the rate given

    def at_rate(l2: float) -> PenaltyTrial:
        if l2 not in held:
            held[l2] = attempt(l2, rate)
        return held[l2]

    search_l2(at_rate, start, measure)
    if all(trial.diverged for trial in held.values()):
        raise FloatingPointError(
            f"training diverges with every l2 tried: lower learning_rate ({rate:g})"
        )
    best = measure.best(held.values())
    rates = {rate: best}  # by rate, with the best penalty

    def with_best(learning_rate: float) -> PenaltyTrial:
        if learning_rate not in rates:
            rates[learning_rate] = attempt(best.l2, learning_rate)
        return rates[learning_rate]

    search_rate(with_best, rate, measure)
    learning_rate = measure.best(measure.not_below(best, rates.values())).learning_rate
    others = [trial for value, trial in sorted(rates.items()) if value != rate]
    trials = (*(held[l2] for l2 in sorted(held)), *others)
    return Penalties(trials, best.l2, rate, learning_rate, measure)


def search_l2(attempt: Callable[[float], PenaltyTrial], start: float, measure: Measure) -> None:
    """Try penalties: 0, by tens from `start`, and those around the best one above 0.

    attempt: trains with a penalty; asked again for the same one, it has the answer.
    """
    decayed: list[PenaltyTrial] = []

    def noted(l2: float) -> PenaltyTrial:
        trial = attempt(l2)
        decayed.extend([] if trial.diverged else [trial])
        return trial

    attempt(0.0)
    if not noted(start).diverged:
        _climb(noted, start, powers_of_ten(start, 1), measure)
    _climb(noted, start, powers_of_ten(start, -1), measure)
    if decayed:
        middle = measure.best(decayed).l2
        for l2 in round_between(shifted(middle, -1), shifted(middle, 1)):
            attempt(l2)


def search_rate(attempt: Callable[[float], PenaltyTrial], rate: float, measure: Measure) -> None:
    """Double a learning rate, and halve it, each way as long as that is better.

    attempt: trains with a rate; asked again for the same one, it has the answer.
    """
    for factor in (2.0, 0.5):
        _climb(attempt, rate, _multiples(rate, factor), measure)


def _climb(
    attempt: Callable[[float], PenaltyTrial], start: float, path: Iterable[float], measure: Measure
) -> None:
    """Go along a path as long as each value is better than the one before, or still diverges."""
    at = attempt(start)
    for value in path:
        before, at = at, attempt(value)
        still_diverges = before.diverged and at.diverged
        if not still_diverges and not measure.is_better(at, before):
            return


def _multiples(value: float, factor: float) -> Iterator[float]:
    for _ in range(DOUBLINGS):
        value *= factor
        if not 0.0 < value < math.inf:
            return
        yield value


def trial_of(l2: float, rate: float, runs: Sequence[Run], measure: Measure) -> PenaltyTrial:
    """What became of all seeds."""
    diverged = sum(run.error is not None for run in runs)
    if diverged:
        return PenaltyTrial(l2, rate, (), (), (), (), diverged)
    histories = [run.history for run in runs]
    epochs, best = zip(*(history.best(measure.column) for history in histories), strict=True)
    last = tuple(float(history[measure.column][-1]) for history in histories)
    losses = tuple(history.best("val_loss")[1] for history in histories)
    return PenaltyTrial(l2, rate, best, epochs, last, losses)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _deviation(values: Sequence[float]) -> float:
    """The sample standard deviation."""
    import statistics  # here: it imports much

    return statistics.stdev(values) if len(values) > 1 else math.nan
