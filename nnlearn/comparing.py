"""Costs, rates, sizes compared: every variant of some settings on every seed, in threads.

`_settings` reads the settings and tries each in a fit of no epochs, so that a wrong one is found
before anything trains; `_jobs` runs the threads and stops them; `comparison` keeps what came of it.
"""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._jobs import Job, run_jobs
from nnlearn._settings import Plan, evaluated_sets, read_plans, read_seeds
from nnlearn._shared import SharedData
from nnlearn.callbacks import as_callbacks
from nnlearn.comparison import Comparison, Run
from nnlearn.config import available_cores
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress, JobsProgress


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
    progress = GroupProgress(verbose, len(plans) * len(seed_list))
    return train_plans(plans, data, seed_list, n_jobs, progress)


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


def train_plans(
    plans: Sequence[Plan],
    data: Dataset,
    seeds: Sequence[int],
    n_jobs: int,
    progress: JobsProgress,
) -> Comparison:
    """What `compare` does once its arguments are read, with the same errors."""
    for plan in plans:
        plan.check(Network, seeds[0], data, warns=plan is plans[0])  # of the data: once
    shared = SharedData()
    jobs = [job for seed in seeds for job in _jobs_of(plans, seed, data, shared, n_jobs)]
    try:
        run_jobs(jobs, n_jobs, progress)
    except KeyboardInterrupt:
        raise _interrupted(_collect(plans, jobs), len(jobs)) from None
    except BaseException as error:
        vars(error)["comparison"] = _collect(plans, jobs)
        raise
    return _collect(plans, jobs)


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
