"""Checkpoints: a fit kept in a file while it runs, so that another process can go on with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnlearn import _checks
from nnlearn._pacing import Best, monitored
from nnlearn._whole_file import check_path, check_target
from nnlearn.callbacks import Callback
from nnlearn.schedules import check_monitor

if TYPE_CHECKING:
    from nnlearn.history import History
    from nnlearn.network import Network


@dataclass(frozen=True)
class Checkpoint(Callback):
    """A callback that keeps a fit in a file, from which ``fit(..., resume=path)`` goes on.

    In the file are the parameters, the optimiser's state, seed and counters, the history, the
    settings, and the best parameters where `EarlyStopping` keeps them. Resumed, the fit ends in the
    same bits as one that was never interrupted.

    Parameters
    ----------
    path : str or os.PathLike
        The file; ``.safetensors`` is the usual suffix. It is replaced in one step: whenever the
        process dies, there is the file of one epoch, whole.
    every : int, default 1
        Write after every so many epochs of the fit, and after the last.
    monitor : str, optional
        A column of the history: after an epoch that is better in it than all before, another file
        ``<stem>.best<suffix>`` is written. What has "accuracy" in its name is to rise, all else
        to fall. None: no such file.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range; when the fit begins, if the column is
        not recorded.
    OSError
        During the fit, if the file cannot be written: the fit ends, the network and the file before
        are kept.

    See Also
    --------
    load : Reads the network alone, as it was at that epoch.
    EarlyStopping : Gives the network its best parameters at the end.

    Notes
    -----
    A callback that comes before this one in the list may still change what is written, one that
    comes after may not.

    Examples
    --------
    >>> import os, tempfile
    >>> import nnlearn as nn
    >>> xor, settings = nn.datasets.xor(), dict(learning_rate=2.0, momentum=0.9)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "xor.safetensors")
    ...     half = nn.Network([2, 4, 1], seed=3)
    ...     _ = half.fit(xor, epochs=5, callbacks=nn.Checkpoint(path), **settings)
    ...     net = nn.Network([2, 4, 1])
    ...     history = net.fit(xor, epochs=10, resume=path, **settings)
    >>> len(history), net.seed
    (10, 3)
    """

    path: str | os.PathLike[str]
    every: int = 1
    monitor: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", check_path(self.path))
        object.__setattr__(self, "every", _checks.integer("every", self.every, minimum=1))
        check_monitor(self.monitor)

    @property
    def best_path(self) -> str:
        """The file of the best epoch, ``<stem>.best<suffix>``."""
        stem, suffix = os.path.splitext(os.fspath(self.path))
        return f"{stem}.best{suffix}"

    def check(self, history: History, regression: bool) -> None:
        """Refuse, before a fit changes anything, what could not be written after an epoch.

        Parameters
        ----------
        history : History
            Of the fit, with its columns.
        regression : bool
            Whether the network has no classes.

        Raises
        ------
        ValueError
            If the column is not recorded, or the path names no regular file.
        OSError
            If there is no folder for the file, or it may not be written.
        """
        if self.monitor is not None:
            monitored("Checkpoint", self.monitor, history, regression)
        check_target(self.path)

    def on_epoch_end(self, net: Network, history: History) -> None:
        """Write what is due."""
        from nnlearn._checkpoint_file import write

        run = net._run
        if run is None:
            return  # called by hand, outside a fit
        if len(history) % self.every == 0 or run.ending:
            write(run, self.path)
        if self.monitor is not None and _best_of(history, self.monitor) == len(history):
            write(run, self.best_path)


def _best_of(history: History, column: str) -> int:
    """The best epoch of a fit so far, from 1; 0 where there is none."""
    best = Best(column, 0.0)
    for epoch in range(1, len(history) + 1):
        best = best.after(epoch, history)
    return best.epoch
