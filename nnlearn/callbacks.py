"""Callbacks: code of the user's that runs between epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks

if TYPE_CHECKING:
    from nnlearn.history import History
    from nnlearn.network import Network


class Callback:
    """Base class of callbacks; every method may be left out.

    Methods are called in the thread that called `fit`, between epochs, with the network and the
    history of this fit. They may evaluate the network and read or write its weights; they may not
    fit it (RuntimeError). An exception ends the fit; weights and history are kept.

    Examples
    --------
    >>> import nnlearn as nn
    >>> class PrintLoss(nn.Callback):
    ...     def on_epoch_end(self, net, history):
    ...         print(f"epoch {len(history)}: {history['loss'][-1]:.3f}")
    """

    def on_fit_begin(self, net: Network, history: History) -> None:
        """Before the first epoch; the history has no row, but those of a fit that is resumed."""

    def on_epoch_begin(self, net: Network, history: History) -> None:
        """Before each epoch."""

    def on_epoch_end(self, net: Network, history: History) -> bool | None:
        """After each epoch, its row appended. True ends the fit."""

    def on_fit_end(self, net: Network, history: History) -> None:
        """After the last epoch, however the fit ended."""


class _Function(Callback):
    """A plain function, called after each epoch."""

    def __init__(self, function: Callable[[Network, History], Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def on_epoch_end(self, net: Network, history: History) -> bool | None:
        """Call it; only True, NumPy's too, ends the fit."""
        return is_true(self.function(net, history))


def as_callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks of a fit: one or several, objects or plain functions."""
    if isinstance(callbacks, Callback) or callable(callbacks):
        callbacks = (callbacks,)
    if isinstance(callbacks, (str, bytes)) or not isinstance(callbacks, (tuple, list, Iterable)):
        _checks.fail(TypeError, "callbacks", "be functions or Callback objects", callbacks)
    return [_as_callback(callback) for callback in callbacks]


def _as_callback(callback: Any) -> Callback:
    if isinstance(callback, Callback):
        return callback
    setting = {"EarlyStopping": "early_stopping", "DropOnPlateau": "schedule"}
    hint = setting.get(type(callback).__name__)
    if isinstance(callback, type) or not callable(callback):
        requirement, hint = "be functions or Callback objects", hint and f"give it as {hint}="
        _checks.fail(TypeError, "callbacks", requirement, callback, hint)
    return _Function(callback)


def is_true(answer: Any) -> bool:
    """Whether a callback's answer ends the fit: True and NumPy's True do, nothing else."""
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


def name_of(callback: Callback) -> str:
    """What a message calls the callback."""
    return callback.name if isinstance(callback, _Function) else type(callback).__name__
