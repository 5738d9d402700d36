"""A number of seconds that must do, and what ends fits that would take longer."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from nnlearn.callbacks import Callback

if TYPE_CHECKING:
    from nnlearn.history import History
    from nnlearn.network import Network

#: A fit that is still within an epoch so many seconds after its time is stopped there.
GRACE = 0.05
PAUSE = 0.0005


class OutOfTime(Exception):
    """What was to be tried takes longer than there is time."""


class Budget:
    """Seconds from now on.

    Parameters
    ----------
    seconds : float
        How many.
    clock : callable
        The time in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._began = clock()

    def used(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._began


class Watch(Callback):
    """Ends fits after the last epoch that is over in time, or within one that takes too long.

    Parameters
    ----------
    budget : Budget
        Its time counts.
    until : float
        Seconds of the budget by which all is to be over.
    epochs : int
        How many the fits have: the last of them is never cut.
    """

    def __init__(self, budget: Budget, until: float, epochs: int) -> None:
        self._budget = budget
        self._until = until
        self._epochs = epochs
        self._begun: dict[int, float] = {}  # by network; several train at once
        self._networks: list[Network] = []
        self._over = threading.Event()
        self._timer = threading.Timer(max(until - budget.used(), 0.0) + GRACE, self._stop)
        self._timer.daemon = True

    def __enter__(self) -> "Watch":
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        while self._timer.is_alive():  # not join(): Ctrl-C in it would hang before Python 3.13
            time.sleep(PAUSE)

    def on_fit_begin(self, net: "Network", history: "History") -> None:
        """Look when it begins; one that begins too late is stopped."""
        self._begun[id(net)] = self._budget.used()
        self._networks.append(net)
        if self._over.is_set():
            net.stop()

    def on_epoch_end(self, net: "Network", history: "History") -> bool:
        """Whether another epoch would end too late."""
        done, now = len(history), self._budget.used()
        an_epoch = (now - self._begun[id(net)]) / done
        return done < self._epochs and now + an_epoch > self._until

    def _stop(self) -> None:
        self._over.set()
        for net in self._networks[:]:
            net.stop()


def was_cut(history: "History") -> bool:
    """Whether the clock ended a fit."""
    return history.stop_reason.startswith((f"callback {Watch.__name__}", "stopped by stop()"))
