"""Work in the background of which the latest counts: new work stops what runs, then begins."""

import atexit
import threading
import weakref
from collections.abc import Callable
from typing import Any

from nnlearn.callbacks import Callback, as_callbacks
from nnlearn.history import History
from nnlearn.network import Network

#: Seconds that the interpreter, when it ends, waits for each runner.
_AT_EXIT = 1.0


class Stop:
    """Asks one piece of work to end. Any thread may use it.

    Attributes
    ----------
    superseded : bool
        Newer work waits.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self.superseded = False
        self._lock = threading.Lock()
        self._networks: set[Network] = set()

    @property
    def requested(self) -> bool:
        """Whether the work is to end."""
        return self._requested.is_set()

    def request(self) -> None:
        """End the work: fits under way end before their next step."""
        self._requested.set()
        with self._lock:
            for net in self._networks:
                net.stop()

    def fit(self, net: Network, *args: Any, **settings: Any) -> History:
        """``net.fit(...)``, which ends as `Network.stop` says once the end is requested."""
        own = as_callbacks(settings.pop("callbacks", ()))
        with self._lock:
            self._networks.add(net)
        try:
            return net.fit(*args, callbacks=[_StopsLate(self), *own], **settings)
        finally:
            with self._lock:
                self._networks.discard(net)


class _StopsLate(Callback):
    """Passes on a request that came before the network had begun its fit and could hear of it."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def on_epoch_begin(self, net: Network, history: History) -> None:
        if self._stop.requested:
            net.stop()

    def on_epoch_end(self, net: Network, history: History) -> bool:
        return self._stop.requested


class Runner:
    """Runs the latest work in a thread of its own. Any thread may use it.

    Parameters
    ----------
    on_error : callable
        Given what a work raises, in the work's thread.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._lock = threading.Lock()
        self._stop = Stop()
        self._thread: threading.Thread | None = None
        _runners.add(self)

    def start(self, work: Callable[[Stop], None]) -> None:
        """Begin this work once the one before has ended, which it is asked to do.

        A work that is superseded before it has begun never runs; one that is stopped before runs,
        so that it can say where it stands.
        """
        with self._lock:
            self._stop.superseded = True
            self._stop.request()
            self._stop = Stop()
            self._thread = threading.Thread(
                target=self._run, args=(work, self._stop, self._thread), daemon=True
            )
            self._thread.start()

    def _run(
        self, work: Callable[[Stop], None], stop: Stop, before: threading.Thread | None
    ) -> None:
        if before is not None:
            before.join()
        if stop.superseded:
            return
        try:
            work(stop)
        except Exception as error:
            if not stop.superseded:
                self._on_error(error)

    def stop(self) -> None:
        """Ask the work to end; does not wait for it."""
        with self._lock:
            self._stop.request()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the latest work to end; False if it has not within `timeout` seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    @property
    def is_running(self) -> bool:
        """Whether work is under way."""
        return self._thread is not None and self._thread.is_alive()


_runners: "weakref.WeakSet[Runner]" = weakref.WeakSet()


def _stop_all() -> None:
    """At the interpreter's end no thread may be within the core."""
    for runner in list(_runners):
        runner.stop()
    for runner in list(_runners):
        runner.wait(_AT_EXIT)


atexit.register(_stop_all)
