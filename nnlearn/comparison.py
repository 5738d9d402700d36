"""Costs, rates, sizes compared: every variant of some settings on every seed, in threads.

`_settings` reads the settings and tries each in a fit of no epochs, so that a wrong one is found
before anything trains; `_jobs` runs the threads and stops them; here is what is kept and shown.
"""

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _html
from nnlearn._jobs import Job, run_jobs
from nnlearn._settings import Plan, evaluated_sets, read_plans, read_seeds
from nnlearn._shared import SharedData
from nnlearn.callbacks import as_callbacks
from nnlearn.config import available_cores
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: A comparison of more variants is shown without curves.
_MOST_CURVES = 40


@dataclass(frozen=True, eq=False)
class Run:
    """One network of a comparison and what became of it.

    Parameters
    ----------
    network : Network
        The network as training left it.
    history : History
        Its epochs.
    seed : int
        The seed of its start weights and batches.
    test_error : float
        The share of the test set that `network` gets wrong, in [0, 1]. NaN without a test set, for
        regression, and if the run diverged.
    variant : str
        The name of its settings.
    stuck : bool or None
        Whether some class of the test set is never predicted; None where `test_error` is NaN. A
        class that is all but lost, predicted once or twice, does not count.
    error : FloatingPointError or None
        Why the run ended early, if it diverged; weights and history are those of the last finite
        epoch then.
    """

    network: Network
    history: History
    seed: int
    test_error: float
    variant: str = ""
    stuck: bool | None = None
    error: FloatingPointError | None = None

    @property
    def seconds(self) -> float:
        """Seconds of training alone."""
        return float(self.history["seconds"].sum())

    @property
    def best_test_error(self) -> float:
        """The test error in [0, 1] at the epoch of best validation accuracy; NaN if unknown."""
        return self._at_best("accuracy", lambda accuracy: 1.0 - accuracy)

    def _at_best(self, measure: str, convert: Callable[[float], float]) -> float:
        """A measure of the test set at the epoch where the validation set's is best."""
        test, val = f"test_{measure}", f"val_{measure}"
        known = test in self.history and val in self.history and len(self.history) > 0
        if not known or self.error is not None or np.isnan(self.history[val]).all():
            return math.nan
        epoch, _ = self.history.best(val)
        row = int(np.flatnonzero(self.history["epoch"] == epoch)[0])
        return float(convert(self.history[test][row]))

    def __repr__(self) -> str:
        return f"<Run of {self.variant!r}, seed {self.seed}: {', '.join(self._facts())}>"

    def _repr_html_(self) -> str:
        curves = self.history._measures_html(self.history.summary())
        facts = [f"seed {self.seed}", *self._facts()]
        return _html.view(f"Run of {self.variant!r}", facts, *curves)

    def _facts(self) -> list[str]:
        """What became of it, in words."""
        facts = [count(len(self.history), "epoch")]
        facts += ["diverged"] if self.error is not None else []
        facts += [] if math.isnan(self.test_error) else [f"test error {self.test_error:.2%}"]
        return [*facts, "stuck"] if self.stuck else facts


class Comparison(Mapping[str, tuple[Run, ...]]):
    """What `compare` found: a mapping from each variant's name to its runs, in the seeds' order.

    Parameters
    ----------
    runs : mapping of str to sequence of Run
        The runs of each variant.

    Notes
    -----
    Part of a comparison is one too: ``Comparison({"quadratic": c["quadratic"]})``.
    """

    def __init__(self, runs: Mapping[str, Iterable[Run]]) -> None:
        self._runs = {name: tuple(group) for name, group in runs.items()}

    def __getitem__(self, variant: str) -> tuple[Run, ...]:
        """The runs of one variant, in the seeds' order."""
        if variant not in self._runs:
            names = ", ".join(repr(name) for name in self._runs)
            raise KeyError(f"variant must be one of {names}, got {variant!r}")
        return self._runs[variant]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def table(self) -> Table:
        """The test error of every variant.

        Returns
        -------
        Table
            A row for each variant. ``last ...`` is the test error in % as training ended,
            ``best ...`` that at the epoch of best validation accuracy: mean over the seeds, sample
            standard deviation (``sd``), median. ``runs`` counts the runs, ``stuck`` those that
            never predict some class of the test set (not those where one is all but lost),
            ``diverged`` those that ended in NaN or infinity and are left out of the errors.
            ``seconds`` is the mean time of training.

        Notes
        -----
        Without a test set the errors are NaN (shown as ``-``), without a validation set those at
        the best epoch are. For regression the test loss stands in place of the error.
        """
        regression = self._is_regression()
        unit = "loss" if regression else "%"
        columns = [f"{when} {what}" for when in ("last", "best") for what in (unit, "sd", "median")]
        rows = []
        for name, group in self._runs.items():
            last = [_last(run, regression) for run in group]
            best = [_best(run, regression) for run in group]
            stuck = [run.stuck for run in group if run.stuck is not None]
            rows.append(
                (
                    name,
                    *_spread(last),
                    *_spread(best),
                    len(group),
                    sum(stuck) if stuck else None,
                    sum(run.error is not None for run in group),
                    sum(run.seconds for run in group) / len(group) if group else math.nan,
                )
            )
        what = "loss" if regression else "error in %"
        title = f"Test {what} at the last epoch, and at the epoch of best validation"
        ended = [run for group in self._runs.values() for run in group if run.error is None]
        if ended and all(math.isnan(_last(run, regression)) for run in ended):
            title += " (no test set)"
        head = ["variant", *columns, "runs", "stuck", "diverged", "seconds"]
        digits = ".4g" if regression else ".2f"
        formats = dict.fromkeys(columns, digits) | {"seconds": ".1f"}
        return Table(head, rows, title, formats=formats)

    def plot(self, column: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Draw mean and band of each variant; see `nnlearn.plotting.plot_comparison`.

        Parameters
        ----------
        column : str, optional
            What to draw; by default the validation error in %.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_comparison

        return plot_comparison(self, column, ax)

    def __repr__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        table = self.table()
        dull = _dull_columns(table)
        curves = self._curves() if 0 < len(self) <= _MOST_CURVES else {}
        shown = table._without(*dull)._to_html(curves)
        return _html.view("Comparison", [table.title, *dull.values()], shown)

    def _curves(self) -> dict[str, list[_html.Html]]:
        """A column of small curves, on one scale; none where no epoch was recorded."""
        from nnlearn.plotting import mean_curves
        from nnlearn.plotting._style import spans_much

        what, means = mean_curves(self)
        known = means[np.isfinite(means)]
        if not known.size:
            return {}
        low, high = float(known.min()), float(known.max())
        scaled, limits = means, (low, high)
        if spans_much(low, high):  # on a logarithmic scale then, as in the picture
            scaled, limits = np.log(means), (math.log(low), math.log(high))
        curves = []
        for values, drawn in zip(means, scaled, strict=True):
            values = values[np.isfinite(values)]
            numbers = [f"{name} {v:.4g}" for name, v in _ends(values)]
            label = f"mean {what} over {count(len(values), 'epoch')}: {', '.join(numbers)}"
            curves.append(_html.curve(drawn, label, limits=limits))
        return {what: curves}

    def _is_regression(self) -> bool:
        histories = [run.history for group in self._runs.values() for run in group]
        return bool(histories) and not any("accuracy" in history for history in histories)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `compare`. What ended until then is in its attribute `comparison`.

    Examples
    --------
    In a script::

        try:
            comparison = nn.compare(variants, data, layers=[784, 30, 10])
        except KeyboardInterrupt as interrupt:
            comparison = interrupt.comparison

    In a notebook or at a prompt, after the fact: ``import sys; sys.last_value.comparison``.
    """

    comparison: Comparison


def compare(
    variants: Mapping[str, Mapping[str, Any]],
    data: Dataset,
    *,
    layers: Sequence[Any] | None = None,
    hidden: Sequence[int] | int | None = None,
    seeds: int | Sequence[int] = 3,
    n_jobs: int | None = None,
    **common: Any,
) -> Comparison:
    """Train every variant on every seed, several networks at once, and compare their errors.

    Parameters
    ----------
    variants : mapping of str to mapping
        For each name the settings of `Network` and `Network.fit` that make this variant, also
        ``layers`` or ``hidden``. They win over the common ones.
    data : Dataset
        Training, validation and test set. The last two may be missing; the table then says less.
    layers : sequence, optional
        The layers of all networks, as for `Network`.
    hidden : sequence of int, optional
        In place of `layers`: the hidden layers' sizes, ``(100,)``. Inputs and outputs are those
        of the data.
    seeds : int or sequence of int, default 3
        An int k means the seeds 0 to k - 1. A sequence is taken as it is. A seed gives every
        variant the same normal deviates for its start weights (where shapes agree) and the same
        batches.
    n_jobs : int, optional
        Networks that train at once, in one thread each. By default as many as this process may
        use cores.
    **common
        Settings of `Network` and `Network.fit` for all variants; ``verbose`` as for fit, for the
        comparison as a whole. Callbacks run in the threads.

    Returns
    -------
    Comparison
        The runs by variant and seed, whatever the order in which they ended.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if a name is no setting or a value is wrong; the message names the
        variant.
    Interrupted
        On Ctrl-C, a KeyboardInterrupt. All networks are stopped first; the runs that had ended
        are in its attribute ``comparison``.
    Exception
        An error in one run stops the others and is raised with the variant and the seed in its
        message. The runs that had ended are in its attribute ``comparison`` too.

    Notes
    -----
    A run that diverges does not end the others: its `Run` holds the FloatingPointError and the
    table counts it.

    The test set is evaluated after each epoch, so that the table can give the test error at the
    epoch of best validation accuracy. Nothing is chosen by the test set.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(500)
    >>> c = nn.compare({"quadratic": dict(cost="quadratic", learning_rate=3.0),
    ...                 "cross-entropy": dict(cost="cross_entropy", learning_rate=0.5)},
    ...                digits, hidden=(30,), seeds=2, epochs=1, verbose=0)
    >>> list(c), len(c["quadratic"])
    (['quadratic', 'cross-entropy'], 2)
    """
    seed_list = read_seeds(seeds)
    n_jobs = available_cores() if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
    verbose = common.pop("verbose", None)
    shape = {"layers": layers, "hidden": hidden}
    common = {name: value for name, value in shape.items() if value is not None} | common
    plans = read_plans(Network, variants, common, data)
    for plan in plans:
        plan.check(Network, seed_list[0], data, warns=plan is plans[0])  # of the data: once
    shared = SharedData()
    jobs = [job for seed in seed_list for job in _jobs_of(plans, seed, data, shared, n_jobs)]
    try:
        run_jobs(jobs, n_jobs, GroupProgress(verbose, len(jobs)))
    except KeyboardInterrupt:
        raise _interrupted(_collect(plans, jobs), len(jobs)) from None
    except BaseException as error:
        vars(error)["comparison"] = _collect(plans, jobs)
        raise
    return _collect(plans, jobs)


def vary(name: str, values: Iterable[Any], /, **rest: Any) -> dict[str, dict[str, Any]]:
    """Make variants that differ in one setting.

    Parameters
    ----------
    name : str
        The setting, of `Network` or `Network.fit`.
    values : iterable
        Its values.
    **rest
        Further settings of all these variants.

    Returns
    -------
    dict
        ``{"name=value": {name: value, **rest}, ...}``, to be given to `compare`.

    Raises
    ------
    TypeError
        If `name` is no text or is in `rest` too.
    ValueError
        If there are no values, or two that read the same.

    Examples
    --------
    >>> vary("learning_rate", [0.025, 0.25])
    {'learning_rate=0.025': {'learning_rate': 0.025}, 'learning_rate=0.25': {'learning_rate': 0.25}}
    """
    if not isinstance(name, str):
        _checks.fail(TypeError, "name", "be the name of a setting", name)
    if name in rest:
        raise TypeError(f"{name} must be given once, got it among the further settings too")
    variants: dict[str, dict[str, Any]] = {}
    for value in values:
        key = f"{name}={value}"
        if key in variants:
            _checks.fail(ValueError, "values", "differ from each other", value)
        variants[key] = {name: value, **rest}
    if not variants:
        raise ValueError("values must hold at least one value, got none")
    return variants


# ---- the runs ----------------------------------------------------------------------------------


def _jobs_of(
    plans: Iterable[Plan], seed: int, data: Dataset, shared: SharedData, n_jobs: int
) -> list[Job]:
    """The jobs of one seed: as given for one thread, else the longest first.

    So no thread is left with a long one at the end. Seeds follow each other, so that an
    interrupted comparison has as many runs of each variant.
    """
    jobs = [_job(plan, seed, data, shared) for plan in plans]
    if n_jobs == 1:
        return jobs
    return sorted(jobs, key=lambda job: -job.network.n_parameters * job.epochs)


def _job(plan: Plan, seed: int, data: Dataset, shared: SharedData) -> Job:
    """The network of one variant and seed, and what to do with it on data that all share."""
    network = plan.make(Network, seed)
    network._warns = False  # once, by the check of the plan

    def fit(callbacks: list[Any]) -> History:
        own = as_callbacks(plan.fit.get("callbacks", ()))
        settings = {**plan.fit, "callbacks": [*own, *callbacks]}
        network._shared = shared
        return network.fit(data.train, validation=evaluated_sets(data), verbose=0, **settings)

    finish = functools.partial(_judge, plan.name, seed, data.test)
    where = f"variant {plan.name!r}, seed {seed}"
    return Job(where, network, fit, finish, plan.epochs)


def _judge(
    variant: str,
    seed: int,
    test: Split | None,
    network: Network,
    history: History,
    diverged: FloatingPointError | None,
) -> Run:
    """The finished run, with its test error and whether it is stuck."""
    error, stuck = math.nan, None
    if test is not None and diverged is None and "accuracy" in history:
        predicted, true = network._predict_in_claim(test.x), _classes(network, test.y)
        error = 1.0 - int(np.count_nonzero(predicted == true)) / len(true)
        stuck = not np.isin(true, predicted).all()
    return Run(network, history, seed, error, variant, stuck, diverged)


def _classes(network: Network, y: Any) -> Any:
    """The class of every row of y, as `Network.accuracy` takes it."""
    if y.ndim == 1:
        return y
    targets = y.astype(network.dtype)
    if targets.shape[1] > 1:
        return targets.argmax(axis=1)
    return targets[:, 0] >= (0.0 if network._architecture.output == "tanh" else 0.5)


def _collect(plans: Iterable[Plan], jobs: Iterable[Job]) -> Comparison:
    """The runs that ended, by variant, in the seeds' order."""
    runs: dict[str, list[Run]] = {plan.name: [] for plan in plans}
    for job in jobs:
        if job.result is not None:
            runs[job.result.variant].append(job.result)
    return Comparison(runs)


def _interrupted(ended: Comparison, n: int) -> Interrupted:
    """The interrupt that carries what ended."""
    count = sum(len(runs) for runs in ended.values())
    where = "; they are in .comparison of this exception, at a prompt sys.last_value.comparison"
    where = where if count else ""
    interrupt = Interrupted(f"{count} of {n} runs had ended{where}")
    interrupt.comparison = ended
    return interrupt


# ---- numbers of the table ----------------------------------------------------------------------


def _last(run: Run, regression: bool) -> float:
    """Test error in % (or loss) at the last epoch."""
    if run.error is not None:
        return math.nan
    column = "test_loss" if regression else "test_accuracy"
    if column in run.history and len(run.history) and not np.isnan(run.history[column][-1]):
        value = float(run.history[column][-1])
        return value if regression else 100.0 * (1.0 - value)
    return math.nan if regression else 100.0 * run.test_error


def _best(run: Run, regression: bool) -> float:
    """Test error in % (or loss) at the best validation epoch."""
    if regression:
        return run._at_best("loss", float)
    return 100.0 * run.best_test_error


def _dull_columns(table: Table) -> dict[str, str]:
    """The columns that one fact says as well, since they say the same of all variants."""
    facts = {}
    runs, stuck, diverged = (set(table[name]) for name in ("runs", "stuck", "diverged"))
    if len(runs) == 1:
        facts["runs"] = f"{count(runs.pop(), 'run')} each"
    if stuck <= {0, None}:
        facts["stuck"] = "none stuck" if 0 in stuck else ""
    if diverged == {0}:
        facts["diverged"] = "none diverged"
    return facts


def _ends(values: npt.NDArray[np.float64]) -> list[tuple[str, float]]:
    """What a curve says in numbers: first, last and lowest value."""
    if not values.size:
        return []
    return [("first", values[0]), ("last", values[-1]), ("lowest", values.min())]


def _spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Mean, sample standard deviation and median of what is known; NaN where nothing is."""
    import statistics  # here: it imports much

    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan, math.nan, math.nan
    deviation = statistics.stdev(known) if len(known) > 1 else math.nan
    return statistics.fmean(known), deviation, statistics.median(known)
