"""Checkpoints: a fit kept in a file while it runs, so that another process can go on with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnlearn import _checks
from nnlearn._whole_file import check_path
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

    def on_fit_begin(self, net: Network, history: History) -> None:
        """Refuse a column that is not recorded, and a folder that is not there."""
        if self.monitor is not None and self.monitor not in history:
            recorded = f"monitor a column that is recorded ({', '.join(history.recorded)})"
            _checks.fail(ValueError, "Checkpoint", recorded, self.monitor)
        folder = os.path.dirname(os.path.realpath(self.path))
        if not os.path.isdir(folder):
            _checks.fail(FileNotFoundError, "path", "lie in a folder that exists", self.path)

    def on_epoch_end(self, net: Network, history: History) -> None:
        """Write what is due."""
        from nnlearn._checkpoint_file import write

        run = net._run
        if run is None:
            return  # called by hand, outside a fit
        if len(history) % self.every == 0 or run.ending:
            write(run, self.path)
        if self.monitor is not None and _is_best(history, self.monitor):
            write(run, self.best_path)


def _is_best(history: History, column: str) -> bool:
    """Whether the last epoch is better than all before."""
    from nnlearn.history import is_maximised

    values = history[column] if is_maximised(column) else -history[column]
    if np.isnan(values[-1]):
        return False
    before = values[:-1][~np.isnan(values[:-1])]
    return not before.size or bool(values[-1] > before.max())
