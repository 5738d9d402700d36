"""The best trial of a strategy, once more: kept where the final fit is not as good."""

from collections.abc import Callable
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


def best_trial(strategy: Strategy, data: Dataset) -> tuple[Trial, dict[str, Any]] | None:
    """The trial with the best mean among those on the very same data, and its settings of fit."""
    same = [
        (trial, settings)
        for problem, trial, settings in strategy.attempts
        if problem.data is data and not trial.diverged
    ]
    if not same:
        return None
    pick = max if strategy.measure.is_accuracy else min
    return pick(same, key=lambda attempt: attempt[0].mean)


def train_again(
    strategy: Strategy,
    data: Dataset,
    trial: Trial,
    settings: dict[str, Any],
    tell: Callable[[int, int], None],
) -> tuple[Network, dict[str, Any], History]:
    """Train a copy of a trial as it was trained, up to its best epoch where the rate is constant.

    The copy with the network's own seed, if it was as good as their mean; else the best one.

    Returns
    -------
    network, settings, history
        The settings are those of fit; the network is that of the best epoch.
    """
    measure, budget = strategy.measure, strategy.bench.budget
    pick = max if measure.is_accuracy else min
    k = 0
    if is_more(trial.mean, trial.best[0], measure):
        k = trial.best.index(pick(trial.best))
    network = strategy.bench.make(data)
    network.reset((network.seed + k) % 2**64)
    epochs = trial.n_epochs if "schedule" in settings else trial.epochs[k]
    n, whole = len(data.train), len(strategy.bench.data.train)
    settings = {
        **settings,
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
