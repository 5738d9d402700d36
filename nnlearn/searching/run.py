"""`search`: the trials, several at once, each asked of the study and told to it.

The threads are those of `_jobs`, which also stops them.
"""

import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnlearn import _checks
from nnlearn._jobs import Task, run_jobs
from nnlearn.callbacks import Callback
from nnlearn.config import available_cores
from nnlearn.data import Dataset
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress
from nnlearn.schedules import DEFAULT_EPOCHS
from nnlearn.searching.objective import Halted, Objective
from nnlearn.searching.result import Interrupted, Search
from nnlearn.searching.studies import (
    BEAT,
    Pulse,
    identity_of,
    open_storage,
    open_study,
    quiet,
    require_optuna,
)

if TYPE_CHECKING:
    from optuna.study import Study

METHODS = ("random", "grid", "tpe", "gp")

_START_TRIALS = 5  # that end before any is pruned
_WARM_UP = 0.25  # of the epochs, in which none is pruned


def search(
    space: Mapping[str, Any],
    data: Dataset,
    *,
    method: Any = "random",
    trials: int = 30,
    seeds: int | Sequence[int] = 1,
    n_jobs: int | None = None,
    seed: int = 0,
    monitor: str | None = None,
    prune: Any = True,
    storage: Any = None,
    study_name: str | None = None,
    **common: Any,
) -> Search:
    """Look for good settings: train trial after trial and judge each on the validation set.

    Parameters
    ----------
    space : mapping of str to Range, sequence or When
        For each name of a setting of `Network` and `Network.fit`, also ``layers`` or ``hidden``,
        what it may be: `uniform`, `loguniform`, `integers`, a list of choices, or `when`, by
        which it depends on another.
    data : Dataset
        With a training and a validation set. The test set is not looked at.
    method : {"random", "grid", "tpe", "gp"} or optuna.samplers.BaseSampler, default "random"
        Where to look next. "grid": every combination once, in an order drawn by `seed`; ranges
        have the ``n`` points they name. "tpe": Optuna's tree-structured Parzen estimator. "gp": the
        most improvement expected by a Gaussian process, after ten trials at random.
    trials : int, default 30
        How many to make in this call, >= 1. A grid that is done ends the search before.
    seeds : int or sequence of int, default 1
        Every trial trains a network on each; its value is the mean. An int k means 0 to k - 1.
    n_jobs : int, optional
        Trials that train at once, in one thread each. By default as many as this process may use
        cores.
    seed : int, default 0
        Of what is drawn. With ``n_jobs=1`` the same seed gives the same trials; random and grid
        give the same settings for any number of threads.
    monitor : {None, "val_accuracy", "val_loss"}, default None
        The value of a trial. None: the accuracy, for regression the loss.
    prune : bool or optuna.pruners.BasePruner, default True
        End trials early whose value, after some epoch, is below the median of the others' there;
        not before five have ended, nor in the first quarter of the epochs (of 30, where early
        stopping allows more). Of several seeds the first decides.
    storage : str, os.PathLike or optuna.storages.BaseStorage, optional
        Where the study is kept, so that others may join or go on: a database's address
        (``"sqlite:///search.db"``) or the path of a journal file, which is the quicker of the two.
        None: in memory.
    study_name : str, optional
        Its name there, "nnlearn" if none is given.
    **common
        What does not vary: further settings of `Network` and `Network.fit`; ``verbose`` as for
        fit, for the search as a whole. Callbacks run in the threads.

    Returns
    -------
    Search
        All trials of the study, with ``best``, ``best_network``, ``table()``, ``plot()``, and
        Optuna's ``study``.

    Raises
    ------
    TypeError, ValueError
        Before anything trains: a space that is empty or contradicts itself or the stored study, a
        name that is no setting or is given twice, an end of a range or a choice that `Network` or
        fit refuse, a storage that cannot be opened.
    Interrupted
        On Ctrl-C once trials run, a KeyboardInterrupt. All networks are stopped first; the search
        so far is in its attribute ``search``.
    ImportError
        If Optuna is not installed, or for "gp" scikit-learn.

    See Also
    --------
    Objective : The function that is optimised, for Optuna's and hyperopt's own loops.
    compare : A few settings on several seeds.

    Notes
    -----
    The value is that of the network as fit leaves it: after the last epoch, or, with early
    stopping that restores them, with the parameters of the best epoch.

    A network that diverges gives its trial the worst value there is, so that the methods learn
    from it. An error in a trial, of a callback for instance, fails that trial alone; the table
    shows it. The trial of a process that died is passed over; a database notices after two
    minutes and marks it as failed.

    Processes that give the same storage and name share one study: each makes `trials` more of its
    own. Space, settings, seeds and data must be the same there; method and number may differ. Of a
    grid, processes that ask at the same moment may try the same point. A setting that is a lambda,
    or an object without a repr of its own, cannot be told from another: with a storage it is
    refused.

    References
    ----------
    .. [1] J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012.
    .. [2] J. Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011.
    .. [3] T. Akiba et al., "Optuna: a next-generation hyperparameter optimization framework",
       KDD 2019.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(300)
    >>> found = nn.search({"learning_rate": nn.loguniform(0.05, 5), "hidden": [(10,), (20,)]},
    ...                   digits, trials=4, epochs=2, prune=False, verbose=0)
    >>> len(found.table()), sorted(found.best.settings)
    (4, ['hidden', 'learning_rate'])
    """
    require_optuna()
    n_trials = _checks.integer("trials", trials, minimum=1)
    n_jobs = available_cores() if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
    seed = _checks.seed(seed)
    _check_method(method)
    verbose = common.pop("verbose", None)
    objective = Objective(space, data, seeds=seeds, monitor=monitor, **common)
    sampler = _sampler(method, objective, seed)
    pruner = _pruner(prune, objective)
    with quiet():
        opened = open_storage(storage)
        identity = None
        if opened is not None:
            identity = identity_of(objective._space.domains, common, objective._identity())
        parts = {"sampler": sampler, "pruner": pruner}
        study = open_study(opened, study_name, objective.direction, identity, **parts)
        pulse = Pulse(opened, study)
        try:
            return _run(_Run(study, objective, pulse), n_trials, n_jobs, verbose)
        finally:
            pulse.close()


def _run(run: "_Run", n_trials: int, n_jobs: int, verbose: int | None) -> Search:
    """Make so many trials more, or what is left of a grid."""
    run.pulse.bury()
    left = run.left()
    jobs = [_Trial(run) for _ in range(n_trials if left is None else min(n_trials, left))]
    progress = GroupProgress(verbose, len(jobs), "trials")
    try:
        if jobs:
            run_jobs(jobs, n_jobs, progress)
        run.pulse.bury()
    except KeyboardInterrupt:
        raise _interrupted(run.result(), sum(job.result is True for job in jobs)) from None
    except BaseException as error:
        vars(error)["search"] = run.result()
        raise
    return run.result()


class _Run:
    """One search: what its trials share."""

    def __init__(self, study: "Study", objective: Objective, pulse: Pulse) -> None:
        self.study = study
        self.objective = objective
        self.pulse = pulse
        self.kept: tuple[float, int, Network] | None = None  # value, trial's number: the best
        self.lock = threading.Lock()  # one at a time draws settings, or looks at what is kept

    def left(self) -> int | None:
        """How many trials there can be; None for any number."""
        left = getattr(self.study.sampler, "left", None)
        return None if left is None else int(left(self.study))

    def ask(self) -> tuple[Any, dict[str, Any]] | None:
        """A new trial with its settings; None where there can be no more."""
        with self.lock:
            if self.left() == 0:
                return None
            trial = self.study.ask()
            return trial, self.objective._space.suggest(trial)

    def keep(self, number: int, value: float, network: Network | None) -> None:
        """Keep the network if it is the best so far; of equal ones the earlier trial's."""
        if network is None:
            return
        with self.lock:
            if self.kept is not None:
                best, earlier, _ = self.kept
                better = self.objective.is_better(value, best)
                if not better and not (value == best and number < earlier):
                    return
            self.kept = value, number, network

    def result(self) -> Search:
        """The study as it stands."""
        kept = None if self.kept is None else self.kept[1:]
        return Search(self.study, self.objective, kept)


class _Trial(Task):
    """A trial, in a thread: it asks for settings, trains, and tells what came of it."""

    def __init__(self, run: _Run) -> None:
        super().__init__("search", run.objective._fewest_epochs * len(run.objective.seeds))
        self._run = run
        self._network: Network | None = None

    def halt(self) -> None:
        """Stop the network that trains."""
        if self._network is not None:
            self._network.stop()

    def _train(self, stop: threading.Event) -> None:
        from optuna.trial import TrialState

        asked = self._run.ask()
        if asked is None:
            self.result = False
            return
        trial, settings = asked
        attend = _Attend(self, trial.number, stop)
        try:
            told = self._judge(trial, settings, attend, stop)
        except BaseException:
            self._run.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            raise
        self._run.study.tell(trial, **told, skip_if_finished=True)
        if not stop.is_set():
            self.result = True

    def _judge(
        self, trial: Any, settings: dict[str, Any], attend: "_Attend", stop: threading.Event
    ) -> dict[str, Any]:
        """Train; what to tell the study. An error of the trial's is written into it."""
        from optuna import TrialPruned
        from optuna.trial import TrialState

        try:
            outcome = self._run.objective._judge(trial, settings, attend, stop.is_set)
        except Halted:
            return {"state": TrialState.FAIL}
        except TrialPruned:
            return {"state": TrialState.PRUNED}
        except Exception as error:
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            return {"state": TrialState.FAIL}
        finally:
            self._network = None
        self._run.keep(trial.number, outcome.value, outcome.network)
        return {"values": outcome.value}

    def began(self, network: Network) -> None:
        """A fit has begun."""
        self._network = network


class _Attend(Callback):
    """Watches the fits of a trial for the thread it runs in."""

    def __init__(self, task: _Trial, number: int, stop: threading.Event) -> None:
        self._task, self._number, self._stop = task, number, stop
        self._beat()

    def on_fit_begin(self, net: Network, history: History) -> None:
        """Let the network be stopped from now on."""
        self._task.began(net)

    def on_epoch_end(self, net: Network, history: History) -> bool:
        """Count, give a sign of life, and end the fit when all ends."""
        self._task.epoch += 1
        if time.monotonic() - self._beaten >= BEAT:
            self._beat()
        return self._stop.is_set()

    def _beat(self) -> None:
        """Give a sign of life."""
        self._task._run.pulse.beat(self._number)
        self._beaten = time.monotonic()


def _check_method(method: Any) -> None:
    from optuna.samplers import BaseSampler

    if not isinstance(method, BaseSampler):
        _checks.choice("method", method, METHODS, "or a sampler of Optuna's")
    if method == "gp":
        try:
            import sklearn.gaussian_process  # noqa: F401
        except ImportError:
            hint = 'pip install "nnlearn[search]"'
            raise ImportError(f'method="gp" needs scikit-learn: {hint}') from None


def _sampler(method: Any, objective: Objective, seed: int) -> Any:
    from nnlearn.searching.samplers import make_sampler

    return make_sampler(method, objective._space, seed) if isinstance(method, str) else method


def _pruner(prune: Any, objective: Objective) -> Any:
    """Optuna's pruner for what the user wants."""
    from optuna.pruners import BasePruner, MedianPruner, NopPruner

    if isinstance(prune, BasePruner):
        return prune
    if not isinstance(prune, bool):
        _checks.fail(TypeError, "prune", "be True, False or a pruner of Optuna's", prune)
    if not prune:
        return NopPruner()
    # With early stopping the most epochs say nothing of how many there will be.
    epochs = min(objective._fewest_epochs, DEFAULT_EPOCHS)
    first = 1 + math.ceil(_WARM_UP * epochs)  # epoch after which it may prune
    return MedianPruner(n_startup_trials=_START_TRIALS, n_warmup_steps=first)


def _interrupted(search: Search, n: int) -> Interrupted:
    """The interrupt that carries the search so far."""
    where = "; they are in .search of this exception, at a prompt sys.last_value.search"
    interrupt = Interrupted(f"{n} trials had ended{where if n else ''}")
    interrupt.search = search
    return interrupt
