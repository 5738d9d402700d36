"""The best trial of a strategy, once more: kept where the final fit is not as good."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnlearn.data import Dataset
from nnlearn.early_stopping import EarlyStopping
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.recipes._budget import Watch
from nnlearn.recipes._first_problems import is_more
from nnlearn.recipes._steps import Trial
from nnlearn.recipes._strategy import Strategy
from nnlearn.recipes.reduced import rescale_l2


@dataclass(frozen=True)
class BestTrial:
    """A trial, and the copy in it that is to be trained again.

    Parameters
    ----------
    trial : Trial
        What was measured.
    settings : dict
        Of fit: the learning rate, and the schedule if there was one.
    copy : int
        Its seed is the network's plus so many.
    least : float
        The best mean of any trial on the same data: the copy is as good at least.
    """

    trial: Trial
    settings: dict[str, Any]
    copy: int
    least: float

    @property
    def value(self) -> float:
        """How good the copy was."""
        return self.trial.best[self.copy]


def best_trial(strategy: Strategy, data: Dataset) -> BestTrial | None:
    """The best among the trials on the very same data.

    Copies with the network's own seed come first; another only where the mean of some trial is
    better than all of them.
    """
    same = [
        (trial, settings)
        for problem, trial, settings in strategy.attempts
        if problem.data is data and not trial.diverged
    ]
    if not same:
        return None
    pick = max if strategy.measure.is_accuracy else min
    top = pick(same, key=lambda attempt: attempt[0].mean)
    own = pick(same, key=lambda attempt: attempt[0].best[0])
    least = top[0].mean
    if not is_more(least, own[0].best[0], strategy.measure):
        return BestTrial(*own, 0, least)
    return BestTrial(*top, top[0].best.index(pick(top[0].best)), least)


def train_again(
    strategy: Strategy,
    data: Dataset,
    found: BestTrial,
    tell: Callable[[int, int], None],
) -> tuple[Network, dict[str, Any], History]:
    """Train a copy of a trial as it was trained, up to its best epoch where the rate is constant.

    Returns
    -------
    network, settings, history
        The settings are those of fit; the network is that of the best epoch.
    """
    budget, trial, k = strategy.bench.budget, found.trial, found.copy
    network = strategy.bench.make(data)
    network.reset((network.seed + k) % 2**64)
    epochs = trial.n_epochs if "schedule" in found.settings else trial.epochs[k]
    n, whole = len(data.train), len(strategy.bench.data.train)
    settings = {
        **found.settings,
        "l2": rescale_l2(trial.l2, n=whole, to=n),
        "batch_size": trial.batch_size,
        "epochs": epochs,
        "early_stopping": EarlyStopping(patience=epochs),
    }

    def show(net: Network, history: History) -> None:
        tell(len(history), epochs)

    with Watch(budget, budget.seconds, epochs) as watch:
        history = network.fit(
            data.train, validation=data.validation, callbacks=[watch, show], verbose=0, **settings
        )
    return network, settings, history
