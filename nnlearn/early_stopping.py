"""Early stopping: ending a fit when its results no longer become better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn.schedules import check_monitor


@dataclass(frozen=True)
class EarlyStopping:
    """End training when a value has not become better for some epochs.

    Training ends after epoch k when ``k - max(best epoch, last drop's epoch)`` reaches the
    patience; drops are those of `DropOnPlateau`.

    Parameters
    ----------
    monitor : str, optional
        The column of the history to look at. None: ``val_accuracy``, for regression ``val_loss``.
        What has "accuracy" in its name is to rise, all else to fall.
    patience : int or mapping of int to int, default 10
        Epochs without a better value, >= 1. A mapping ``{from epoch: limit}`` lets it grow,
        ``{1: 10, 30: 20, 100: 50}``: the limit at epoch k of this fit is that of the largest key
        <= k; before the first key there is none.
    min_delta : float, default 0
        Better means by more than this; equal is not better.
    restore_best : bool, default True
        However the fit ends, Ctrl-C included, give the network the parameters of the best epoch.
        The optimiser's state is cleared then; counters go on; ``history.restored`` is the epoch.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    See Also
    --------
    DropOnPlateau : Lowers the learning rate instead.
    Checkpoint : Keeps what is trained in a file.

    Notes
    -----
    Epochs that are not evaluated (``evaluate_every``) count towards patience and are never the
    best.

    References
    ----------
    .. [1] L. Prechelt, "Early Stopping - But When?", 1998.
    .. [2] M. Nielsen, "Neural Networks and Deep Learning", chapter 3: the no-improvement-in-ten
       rule, and patience that grows.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(300)
    >>> net = nn.Network([784, 20, 10], seed=1)
    >>> history = net.fit(digits.train, validation=digits.validation, learning_rate=0.5,
    ...                   early_stopping=nn.EarlyStopping(patience=3))
    >>> epoch, accuracy = history.best("val_accuracy")
    >>> net.accuracy(digits.validation) == accuracy, len(history) == epoch + 3
    (True, True)
    """

    monitor: str | None = None
    patience: int | Mapping[int, int] = 10
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        check_monitor(self.monitor)
        object.__setattr__(self, "patience", _patience(self.patience))
        min_delta = _checks.real("min_delta", self.min_delta, minimum=0.0)
        object.__setattr__(self, "min_delta", min_delta)
        restore_best = _checks.boolean("restore_best", self.restore_best)
        object.__setattr__(self, "restore_best", restore_best)

    def __hash__(self) -> int:
        patience = self.patience
        items = tuple(patience.items()) if isinstance(patience, Mapping) else patience
        return hash((self.monitor, items, self.min_delta, self.restore_best))

    def limit(self, epoch: int) -> int | None:
        """The patience at an epoch.

        Parameters
        ----------
        epoch : int
            Of the fit, from 1.

        Returns
        -------
        int or None
            None where there is no limit yet.
        """
        if not isinstance(self.patience, Mapping):
            return self.patience
        begun = [limit for start, limit in self.patience.items() if start <= epoch]
        return begun[-1] if begun else None

    def check_reach(self, evaluate_every: int) -> None:
        """Refuse a patience that ends a fit before anything has been evaluated.

        Parameters
        ----------
        evaluate_every : int
            As `fit` takes it.

        Raises
        ------
        ValueError
            If it does.
        """
        for epoch in range(1, evaluate_every):
            limit = self.limit(epoch)
            if limit is not None and epoch >= limit:
                requirement = f"reach the first evaluation, after epoch {evaluate_every}"
                _checks.fail(ValueError, "patience", requirement, self.patience)


def _patience(value: Any) -> int | dict[int, int]:
    """A limit, or limits by the epoch from which they hold, in the order of the epochs."""
    if not isinstance(value, Mapping):
        return _checks.integer("patience", value, minimum=1)
    if not value:
        _checks.fail(ValueError, "patience", "have at least one limit", value)
    limits = {
        _checks.integer("an epoch of patience", start, minimum=1): _checks.integer(
            f"patience from epoch {start}", limit, minimum=1
        )
        for start, limit in value.items()
    }
    return dict(sorted(limits.items()))


def resolve(early_stopping: Any) -> EarlyStopping | None:
    """What fit's argument means: an object, a patience, or None."""
    if early_stopping is None or early_stopping is False:
        return None
    if isinstance(early_stopping, EarlyStopping):
        return early_stopping
    is_flag = isinstance(early_stopping, (bool, np.bool_))
    if is_flag or not hasattr(early_stopping, "__index__"):
        grows = isinstance(early_stopping, Mapping)
        hint = "EarlyStopping(patience=...) lets it grow" if grows else "write early_stopping=10"
        requirement = "be EarlyStopping(...), a patience or None"
        _checks.fail(TypeError, "early_stopping", requirement, early_stopping, hint)
    return EarlyStopping(patience=_checks.integer("early_stopping", early_stopping, minimum=1))
