"""Several networks trained at once, in threads, while the page is shown how far they are."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nnlearn.config import available_cores
from nnlearn.widgets._frames import Array
from nnlearn.widgets._live import Run
from nnlearn.widgets._runner import Stop


class Job(Protocol):
    """One network of a run."""

    def train(self, stop: Stop, changed: threading.Event) -> None:
        """Train to the end, unless stopped; set `changed` when there is something new to show."""


def train(jobs: Sequence[Job], stop: Stop, changed: threading.Event) -> None:
    """Train all networks, as many at once as there are cores; the first error is raised."""
    waiting, lock = iter(jobs), threading.Lock()
    errors: list[Exception] = []

    def work() -> None:
        while not stop.requested and not errors:
            with lock:
                job = next(waiting, None)
            if job is None:
                return
            try:
                job.train(stop, changed)
            except Exception as error:
                errors.append(error)

    n_threads = min(available_cores(), len(jobs))
    threads = [threading.Thread(target=work, daemon=True) for _ in range(n_threads)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:  # Ctrl-C: nothing may train on, unseen
        stop.request()
        raise
    if errors:
        raise errors[0]


def train_shown(
    jobs: Sequence[Job],
    run: Run,
    picture: Callable[[], tuple[Mapping[str, Any], Sequence[Array]]],
) -> None:
    """Train all networks and publish `picture()`, a frame, as often as the run may.

    The last frame is the caller's. Raises the first error of a job.
    """
    changed, ended = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        try:
            train(jobs, run.stop, changed)
        except Exception as error:
            errors.append(error)
        finally:
            ended.set()
            changed.set()

    threading.Thread(target=work, daemon=True).start()
    while not ended.is_set():
        changed.wait()
        if not ended.wait(run.pause()):
            changed.clear()
            run.publish(*picture())
    if errors:
        raise errors[0]
