"""Copies of one network, trained side by side from the starts of several seeds."""

from collections.abc import Iterable
from typing import Any

from nnlearn import _checks
from nnlearn._jobs import Job, run_jobs
from nnlearn._shared import SharedData
from nnlearn.callbacks import Callback
from nnlearn.comparison import Run
from nnlearn.config import available_cores
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress, check_verbose
from nnlearn.recipes._recipe_checks import check_network

#: Any rate, to look at the other settings by.
_SOME_RATE = 1.0


class Copies:
    """Trains copies of a network again and again, always from the same starts on the same data.

    Copy k, from 0 on, begins as ``net.reset(net.seed + k)`` does. Each trains in a thread of its
    own, and nothing depends on how many train at once. The network itself is only read.

    Parameters
    ----------
    net : Network
        What is copied.
    x, y : object
        The training data, as `Network.fit` takes it.
    seeds : int
        How many copies.
    n_jobs : int or None
        How many train at once; None: as many as this process may use cores.
    verbose : {None, 0, 1}, default 0
        Whether each training shows how far it is, as for fit.
    **settings
        Of `Network.fit`, for all. They are tried in a fit of no epochs.

    Raises
    ------
    TypeError, ValueError
        If an argument, a setting or the data is wrong; nothing has trained then.
    """

    def __init__(
        self,
        net: Any,
        x: Any,
        y: Any,
        *,
        seeds: Any,
        n_jobs: Any,
        verbose: Any = 0,
        **settings: Any,
    ) -> None:
        check_network(net)
        n_seeds = _checks.integer("seeds", seeds, minimum=1)
        self.seeds = [(net.seed + k) % 2**64 for k in range(n_seeds)]
        cores = available_cores()
        self._n_jobs = cores if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
        self._verbose = check_verbose(verbose)
        self._data = (x, y)
        self._settings = settings
        self._shared = SharedData()
        self._pattern: Network = net.copy().reset()  # its history is not copied again and again
        self._fit(fresh(self._pattern, net.seed), {"learning_rate": _SOME_RATE, "epochs": 0})

    def train(
        self, where: str, *, epochs: int, callbacks: Iterable[Callback] = (), **settings: Any
    ) -> tuple[Run, ...]:
        """Train all copies from their starts.

        Parameters
        ----------
        where : str
            How a message names this training.
        epochs : int
            How many.
        callbacks : iterable of Callback
            Called for every copy, so without a state of their own.
        **settings
            Of `Network.fit`.

        Returns
        -------
        tuple of Run
            One for each seed. One that diverged has its error.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, once no copy trains any more; their threads end soon after.
        """
        settings = {"epochs": epochs, "callbacks": list(callbacks), **settings}
        jobs = [self._job(where, seed, settings) for seed in self.seeds]
        progress = GroupProgress(self._verbose, len(jobs), f"networks with {where}")
        run_jobs(jobs, self._n_jobs, progress)
        return tuple(job.result for job in jobs)

    def _job(self, where: str, seed: int, settings: dict[str, Any]) -> Job:
        network = fresh(self._pattern, seed)

        def fit(callbacks: list[Any]) -> History:
            return self._fit(
                network, {**settings, "callbacks": [*settings["callbacks"], *callbacks]}
            )

        def finish(network: Network, history: History, error: FloatingPointError | None) -> Run:
            return Run(network, history, seed, float("nan"), where, None, error)

        return Job(f"{where}, seed {seed}", network, fit, finish, settings["epochs"])

    def _fit(self, network: Network, settings: dict[str, Any]) -> History:
        network._shared = self._shared
        return network.fit(*self._data, **{**self._settings, **settings}, verbose=0)


def fresh(net: Network, seed: int) -> Network:
    """A copy that has learnt nothing yet and works in one thread."""
    copy = net.copy().reset(seed)
    copy.n_threads = 1
    copy._warns = False  # few samples may miss a class
    return copy
