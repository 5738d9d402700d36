"""Several fits at once, in threads of one process, with one main thread that watches.

The main thread never joins a thread: it waits on futures, so that Ctrl-C reaches it at once (an
interrupted Thread.join hangs before Python 3.13). Whatever ends the work early, an error or
Ctrl-C, first stops every network and waits until all threads are idle.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nnlearn._settings import named
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import INTERVAL, JobsProgress

if TYPE_CHECKING:
    from concurrent.futures import Future

_PAUSE = 0.01  # seconds


class Task(ABC):
    """Something that trains in a thread.

    Its thread writes `running`, `epoch` and `result`; the main thread only reads them.

    Parameters
    ----------
    where : str
        How messages name it.
    epochs : int
        How many epochs it will take, for the progress line.
    """

    def __init__(self, where: str, epochs: int) -> None:
        self.where = where
        self.epochs = epochs
        self.running = False
        self.epoch = 0
        self.result: Any = None

    def train(self, stop: threading.Event) -> None:
        """What the thread does. Once `stop` is set, nothing begins and no result is left."""
        # In this order: whoever sets `stop` and then sees nothing running may rely on it.
        self.running = True
        try:
            if not stop.is_set():
                self._train(stop)
        except BaseException:
            stop.set()
            raise
        finally:
            self.running = False

    @abstractmethod
    def _train(self, stop: threading.Event) -> None:
        """Train; leave a result unless `stop` has been set meanwhile."""

    @abstractmethod
    def halt(self) -> None:
        """Let what trains at this moment end soon."""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        if self.result is not None or not self.epochs:
            return float(self.result is not None)
        return min(self.epoch / self.epochs, 1.0)


class Job(Task):
    """One network to train.

    Parameters
    ----------
    where : str
        How messages name it.
    network : Network
        What to train.
    fit : callable
        ``fit(callbacks=...)`` trains the network and returns the history. The callbacks must be
        handed on to `Network.fit`.
    finish : callable
        ``finish(network, history, error)`` makes the result in the same thread; `error` is the
        FloatingPointError of a run that diverged, or None.
    epochs : int
        How many epochs it will take at most, for the progress line.
    """

    def __init__(
        self,
        where: str,
        network: Network,
        fit: Callable[..., History],
        finish: Callable[[Network, History, FloatingPointError | None], Any],
        epochs: int,
    ) -> None:
        super().__init__(where, epochs)
        self.network = network
        self._fit = fit
        self._finish = finish

    def _train(self, stop: threading.Event) -> None:
        def watch(network: Network, history: History) -> bool:
            self.epoch = len(history)
            return stop.is_set()

        diverged = None
        try:
            history = self._fit(callbacks=[watch])
        except FloatingPointError as error:
            history, diverged = self.network.history, error.with_traceback(None)
        if not stop.is_set():
            self.result = self._finish(self.network, history, diverged)

    def halt(self) -> None:
        """Stop the network."""
        self.network.stop()


def run_jobs(jobs: Sequence[Task], n_jobs: int, progress: JobsProgress) -> None:
    """Train all, `n_jobs` at once.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, or where a callback raises it.
    Exception
        The first error of a job, with its `where` in front of the message. A divergence is none.
        In both cases all threads are idle, and jobs that had ended have their result.
    """
    from concurrent.futures import ThreadPoolExecutor  # here: it imports much, as does wait's

    stop = threading.Event()
    pool = ThreadPoolExecutor(min(n_jobs, len(jobs)), thread_name_prefix="nnlearn")
    try:
        futures = [pool.submit(job.train, stop) for job in jobs]
        _watch(jobs, futures, progress)
    except BaseException:
        _halt(jobs, stop)
        progress.close(interrupted=True)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    progress.close()


def _watch(jobs: Sequence[Task], futures: "Sequence[Future[None]]", progress: JobsProgress) -> None:
    """Show progress until all have ended; raise the error of the first that failed."""
    from concurrent.futures import FIRST_COMPLETED, wait

    pending = set(futures)
    while pending:
        ended, pending = wait(pending, timeout=INTERVAL, return_when=FIRST_COMPLETED)
        for job, future in zip(jobs, futures, strict=True):
            if future in ended and (error := future.exception()) is not None:
                raise named(error, job.where) if isinstance(error, Exception) else error
        running = [(min(job.epoch + 1, job.epochs), job.epochs) for job in jobs if job.running]
        work = sum(job.share for job in jobs) / len(jobs)
        progress.update(len(jobs) - len(pending), running, work)


def _halt(jobs: Sequence[Task], stop: threading.Event) -> None:
    """Stop every network and wait until none trains, also when Ctrl-C is pressed once more."""
    while True:
        try:
            stop.set()
            running = [job for job in jobs if job.running]
            if not running:
                return
            # Again and again: it does nothing to a fit that is only about to begin.
            for job in running:
                job.halt()
            time.sleep(_PAUSE)
        except KeyboardInterrupt:
            continue
