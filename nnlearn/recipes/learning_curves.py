"""What more training samples bring."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._holdout import shuffled
from nnlearn._jobs import Job, run_jobs
from nnlearn._shared import SharedData
from nnlearn.config import available_cores
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress
from nnlearn.recipes._copies import fresh
from nnlearn.recipes._power_law import PowerLaw, fit_power_law
from nnlearn.recipes._recipe_checks import check_data, check_fit, check_network, check_sizes
from nnlearn.recipes._result import Result
from nnlearn.tables import Table

#: The sizes that are tried when none are given, up to all samples.
_FIRST_DIGITS = (1, 2, 5)
_SMALLEST = 100


@dataclass(frozen=True)
class SizeRuns:
    """The networks of one training-set size.

    Parameters
    ----------
    size : int
        Training samples.
    epochs : int
        Passes over them.
    l2 : float
        The penalty, scaled to the size.
    validation, train : tuple of float
        For each seed the share of wrong answers in [0, 1] after training, on the validation set
        and on the samples trained on; for regression the loss. NaN where training diverged.
    seconds : float, default 0.0
        Mean time of training.
    """

    size: int
    epochs: int
    l2: float
    validation: tuple[float, ...]
    train: tuple[float, ...]
    seconds: float = 0.0

    @property
    def error(self) -> float:
        """Mean of `validation` over the seeds that did not diverge; NaN if all did."""
        return _mean_of_known(self.validation)

    @property
    def train_error(self) -> float:
        """Mean of `train`, likewise."""
        return _mean_of_known(self.train)


@dataclass(frozen=True, repr=False)
class LearningCurve(Result):
    """What `learning_curve` found.

    Parameters
    ----------
    runs : tuple of SizeRuns
        One for each size, the smallest first.
    regression : bool
        Whether they hold losses in place of errors.
    """

    _drawn_by = "plot_learning_curve"

    runs: tuple[SizeRuns, ...]
    regression: bool = False

    @property
    def fit(self) -> PowerLaw | None:
        """``error(n) = a + b n^-c`` for the validation error; None with fewer than four sizes."""
        return _law(self.runs)

    @property
    def suggestion(self) -> None:
        """None: no setting is chosen here. `verdict` says what more data would bring."""
        return

    def table(self) -> Table:
        """What was tried and what came of it.

        Returns
        -------
        Table
            A row for each size: epochs, the scaled l2, validation accuracy in % (mean over the
            seeds, sample standard deviation, what the fit says), training accuracy in %, seconds
            of training, seeds that diverged. For regression losses in place of accuracies.
        """
        law = self.fit
        unit = "loss" if self.regression else "%"
        columns = [f"validation {unit}", "sd", f"fit {unit}", f"training {unit}"]
        rows = []
        for run in self.runs:
            known = [v for v in run.validation if not math.isnan(v)]
            spread = float(np.std(known, ddof=1)) if len(known) > 1 else math.nan
            rows.append(
                (
                    run.size,
                    run.epochs,
                    run.l2,
                    self._shown(run.error),
                    spread if self.regression else 100.0 * spread,
                    math.nan if law is None else self._shown(float(law(run.size))),
                    self._shown(run.train_error),
                    run.seconds,
                    len(run.validation) - len(known),
                )
            )
        what = "Loss" if self.regression else "Accuracy"
        title = f"{what} against the number of training samples, mean over seeds"
        formats = dict.fromkeys(columns, ".4g" if self.regression else ".2f") | {"seconds": ".2f"}
        head = ["samples", "epochs", "l2", *columns, "seconds", "diverged"]
        table = Table(head, rows, title, formats=formats)
        dull = [] if any(table["diverged"]) else ["diverged"]
        dull += ["sd"] if all(math.isnan(v) for v in table["sd"]) else []
        return table._without(*dull, *([f"fit {unit}"] if law is None else []))

    @property
    def verdict(self) -> str:
        """The error with all data, what the fit says of twice as much, and how far to trust it."""
        largest = self.runs[-1]
        if math.isnan(largest.error):
            return f"Training on {largest.size:,} samples diverged: lower learning_rate."
        kind = "loss" if self.regression else "error"
        text = f"With {largest.size:,} samples the validation {kind} is {self._show(largest.error)}"
        text += f", the training {kind} {self._show(largest.train_error)}. "
        law = self.fit
        if law is None:
            return text + "A fit needs four sizes with an error above 0."
        text += f"The fit is {kind} = {law}; twice the data would bring it "
        text += f"to {self._show(float(law(2 * largest.size)))}, "
        return text + f"if the curve goes on as it does: {self._check()}."

    def _check(self) -> str:
        """How well the smaller sizes alone predict the largest."""
        *fewer, largest = self.runs
        law = _law(fewer)
        if law is None:
            return "too few sizes to tell whether it would"
        predicted = self._show(float(law(largest.size)))
        return f"the smaller sizes alone predict {predicted} for {largest.size:,}"

    def _shown(self, error: float) -> float:
        """What the table has of an error: the accuracy in %, or the loss as it is."""
        return error if self.regression else 100.0 * (1.0 - error)

    def _show(self, error: float) -> str:
        return f"{error:.4g}" if self.regression else f"{100.0 * error:.2f} %"


def learning_curve(
    net: Network,
    data: Dataset,
    *,
    learning_rate: float,
    sizes: Sequence[int] | None = None,
    l2: float = 0.0,
    epochs: int = 30,
    equal: str = "updates",
    batch_size: int = 10,
    momentum: float = 0.0,
    seeds: int = 3,
    n_jobs: int | None = None,
    verbose: int | None = None,
) -> LearningCurve:
    """Train on more and more samples: accuracy against their number, and a power law through it.

    The error is taken to fall as::

        error(s) = a + b s^-c                   a, b >= 0
        l2_s     = l2 s / n                     s of the n training samples

    Parameters
    ----------
    net : Network
        What to train. Copies with the seeds ``net.seed``, ``net.seed + 1``, ...
    data : Dataset
        Training and validation set.
    learning_rate : float
        eta > 0, for all sizes.
    sizes : sequence of int, optional
        Numbers of training samples, from 1 to all. None: 100, 200, 500, 1,000, ... and all.
    l2 : float, default 0.0
        The penalty for all n training samples, >= 0. It is scaled to the size, so that each step
        shrinks the weights alike, by the factor ``1 - eta l2/n``.
    epochs : int, default 30
        Passes over the largest size, >= 1.
    equal : {"updates", "epochs"}, default "updates"
        What all sizes have as much of: steps, so that a set of a tenth has ten times the epochs;
        or epochs, so that it has a tenth of the steps.
    batch_size : int, default 10
        As for fit.
    momentum : float, default 0.0
        As for fit.
    seeds : int, default 3
        Networks for each size, >= 1.
    n_jobs : int, optional
        Networks that train at once, in one thread each. By default as many as this process may
        use cores.
    verbose : {None, 0, 1}, default None
        As for fit.

    Returns
    -------
    LearningCurve
        With `table`, `plot`, `fit` (the PowerLaw), `verdict`.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if an argument does not fit or there is no validation set.

    See Also
    --------
    batch_size_study : Accuracy against seconds for several mini-batch sizes.

    Notes
    -----
    Equal steps are the default, as in the book's figure: with equal epochs small sets are trained
    less as well, and the curve credits the data with what more steps would have done. They cost as
    much time for each size, however small. What is compared is the network as training ended, not
    its best epoch.

    The samples of a size are drawn at random by the seed, and are among those of every larger
    size. The spread over the seeds is thus that of samples and start weights together.

    The fit weighs relative errors, so that all sizes count alike on the logarithmic axes of the
    picture. Beyond the largest size it is an extrapolation, good for once or twice the data, not
    for a hundred times: a, the error at infinitely many samples, is hardly determined by errors
    far above it, and the law itself holds only where the network is large enough for the data,
    and beyond the smallest sizes. `verdict` therefore also says what the smaller sizes alone
    predict for the largest, beside what was measured. Each run's validation errors have chance in
    them as well: with 10,000 samples and 3 % errors a standard deviation of 0.17 %.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "Other techniques for
       regularization".

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 10], seed=1)
    >>> curve = nn.learning_curve(net, digits, learning_rate=0.5, sizes=(50, 100, 200, 400),
    ...                           epochs=3, seeds=1)
    >>> curve.table()["epochs"]
    [24, 12, 6, 3]
    >>> errors = [run.error for run in curve.runs]
    >>> errors[0] > errors[-1]
    True
    """
    validation = check_data(data)
    check_network(net)
    n = len(data.train)
    chosen = _default_sizes(n) if sizes is None else check_sizes(sizes, n)
    _checks.integer("epochs", epochs, minimum=1)
    _checks.choice("equal", equal, ("updates", "epochs"))
    n_seeds = _checks.integer("seeds", seeds, minimum=1)
    n_jobs = available_cores() if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
    settings = {"learning_rate": learning_rate, "momentum": momentum, "batch_size": batch_size}
    check_fit(net, data, l2=l2, **settings)
    steps = epochs * math.ceil(chosen[-1] / batch_size)
    plans = {
        size: {
            **settings,
            "epochs": max(round(steps / math.ceil(size / batch_size)), 1)
            if equal == "updates"
            else epochs,
            "l2": l2 * size / n,
        }
        for size in chosen
    }
    shared = SharedData()
    # The largest first: with equal epochs it takes the longest.
    jobs = {
        (size, k): _job(
            fresh(net, (net.seed + k) % 2**64), data.train, validation, size, plan, shared
        )
        for k in range(n_seeds)
        for size, plan in reversed(plans.items())
    }
    run_jobs(list(jobs.values()), n_jobs, GroupProgress(verbose, len(jobs)))
    runs = tuple(
        _together(size, plan, [jobs[size, k].result for k in range(n_seeds)])
        for size, plan in plans.items()
    )
    return LearningCurve(runs, net._architecture.is_regression)


def _job(
    network: Network,
    train: Split,
    validation: Split,
    size: int,
    plan: dict[str, Any],
    shared: SharedData,
) -> Job:
    """One network on its samples; only the epoch's end is evaluated."""

    def fit(callbacks: list[Any]) -> History:
        rows = train
        if size == len(train):
            network._shared = shared
        else:  # not shared, since that would keep every sample drawn until the end
            order = shuffled(len(train), network.seed)[:size]
            rows = Split(train.x[order], train.y[order])
        return network.fit(
            rows,
            validation=validation,
            evaluate_train=True,
            evaluate_every=plan["epochs"],
            callbacks=callbacks,
            verbose=0,
            **plan,
        )

    where = f"{size:,} samples, seed {network.seed}"
    return Job(where, network, fit, _judge, plan["epochs"])


def _judge(
    network: Network, history: History, diverged: FloatingPointError | None
) -> tuple[float, float, float]:
    """Validation and training error, seconds."""
    seconds = float(history["seconds"].sum()) if "seconds" in history else 0.0
    if diverged is not None:
        return math.nan, math.nan, seconds
    if "val_accuracy" in history:
        return 1.0 - history["val_accuracy"][-1], 1.0 - history["train_accuracy"][-1], seconds
    return float(history["val_loss"][-1]), float(history["train_loss"][-1]), seconds


def _together(
    size: int, plan: dict[str, Any], results: Sequence[tuple[float, float, float]]
) -> SizeRuns:
    validation, train, seconds = zip(*results, strict=True)
    return SizeRuns(size, plan["epochs"], plan["l2"], validation, train, _mean_of_known(seconds))


def _default_sizes(n: int) -> list[int]:
    """100, 200, 500, 1,000, ... and n."""
    powers = range(int(math.log10(_SMALLEST)), len(str(n)))
    sizes = [digit * 10**power for power in powers for digit in _FIRST_DIGITS]
    return [*(size for size in sizes if size < n), n]


def _law(runs: Sequence[SizeRuns]) -> PowerLaw | None:
    return fit_power_law([run.size for run in runs], [run.error for run in runs])


def _mean_of_known(values: Sequence[float]) -> float:
    """The mean of what is known; NaN where nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
