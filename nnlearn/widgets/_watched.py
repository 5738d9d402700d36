"""A network that a page watches while it trains: how far it is, and its curve."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn._settings import Plan, evaluated_sets
from nnlearn._shared import SharedData
from nnlearn.callbacks import Callback, as_callbacks
from nnlearn.data import Dataset
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.widgets._runner import Stop

_Array = npt.NDArray[Any]


class Watched(Callback):
    """One network of a run, and its curve: a row before training and one after each epoch.

    A widget gives `_measure`, a row of the curve, and `_look`, what else there is to show.

    Parameters
    ----------
    plan : Plan
        The network's settings and those of its fit.
    seed : int
        Of the network.
    data : Dataset
        What it is trained on, and judged on.
    shared : SharedData
        The core's form of the data.
    columns : sequence of str
        The names of what a row holds.
    epochs : int
        How many are trained, which gives the curve its room.
    """

    def __init__(
        self,
        plan: Plan,
        seed: int,
        data: Dataset,
        shared: SharedData,
        columns: Sequence[str],
        epochs: int,
    ) -> None:
        self.name, self.epochs, self.columns = plan.name, epochs, list(columns)
        self.network = plan.make(Network, seed)
        self.history = History([])
        self.state, self.note = "waiting", ""
        self._fit = dict(plan.fit)
        self._data, self._shared = data, shared
        self._rows = np.empty((epochs + 1, len(columns)), np.float32)
        self._n_rows = 0
        self._stop: Stop
        self._changed: threading.Event

    # ---- what a widget gives --------------------------------------------------------------------

    def _measure(self, measured: Mapping[str, float]) -> list[float]:
        """The next row, from what the fit has measured."""
        raise NotImplementedError

    def _look(self, *, last: bool = False) -> None:
        """Look at the network as it is; sets `_changed` when there is something new to show."""
        raise NotImplementedError

    def _learn(self, settings: Mapping[str, Any]) -> History:
        """Fit the network with these settings."""
        sets = evaluated_sets(self._data)
        return self._stop.fit(self.network, self._data.train, validation=sets, **settings)

    # ---- training -------------------------------------------------------------------------------

    def train(self, stop: Stop, changed: threading.Event) -> None:
        """Train to the end, unless stopped; `changed` is set when there is something to show."""
        self._stop, self._changed = stop, changed
        own = as_callbacks(self._fit.pop("callbacks", ()))
        settings = {**self._fit, "evaluate_train": True, "evaluate_first": True, "verbose": 0}
        self.network._shared = self._shared
        self.state = "training"
        try:
            self._learn({**settings, "callbacks": [*own, self]})
            self.state = "stopped" if stop.requested else "done"
        except FloatingPointError as error:
            self.state, self.note = "diverged", str(error).split("; ")[0]
        self._look(last=True)

    def on_epoch_begin(self, net: Network, history: History) -> None:
        self._begin(history)

    def on_epoch_end(self, net: Network, history: History) -> None:
        self._record(history._last)

    def _begin(self, history: History) -> None:
        """The row before training, once."""
        if self._n_rows == 0:
            self.history = history
            self._record(history.start or {})

    def _record(self, measured: Mapping[str, float]) -> None:
        if self._n_rows == len(self._rows) or self._stop.requested:
            return
        self._rows[self._n_rows] = self._measure(measured)
        self._n_rows += 1
        self._look()

    # ---- what the page is told ------------------------------------------------------------------

    def curve(self) -> _Array:
        """The rows so far."""
        return self._rows[: self._n_rows].copy()

    def facts(self) -> dict[str, Any]:
        """What there is to say beside the rows."""
        told = {"variant": self.name, "epochs": self.epochs}
        return {**told, "state": self.state, "note": self.note}
