"""The last step of a strategy: one network, trained with all that was found."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnlearn.data import Dataset
from nnlearn.early_stopping import EarlyStopping
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.recipes._bench import LEAST_EPOCHS, least_samples
from nnlearn.recipes._best_trial import best_trial, train_again
from nnlearn.recipes._budget import Watch, was_cut
from nnlearn.recipes._first_problems import is_more, shown
from nnlearn.recipes._steps import Choice, Trial
from nnlearn.recipes._strategy import Strategy
from nnlearn.recipes.reduced import rescale_l2
from nnlearn.schedules import Cosine
from nnlearn.tables import count

#: Its epochs: so many times those after which validation was best at a rate that did not fall.
TIMES = 3
FEWEST, MOST = 10, 100
#: How many epochs show that nothing is learnt.
HOPELESS = 5
#: The share of the seconds that is planned for.
PLANNED = 0.95
#: How often the rate is halved where training diverges.
HALVINGS = 5


@dataclass
class Final:
    """The network and what it was trained with.

    Parameters
    ----------
    network : Network
        As it stands.
    data : Dataset
        What it was, or is to be, trained on.
    settings : dict
        Of fit.
    """

    network: Network
    data: Dataset
    settings: dict[str, Any]


def start_of(strategy: Strategy) -> Final:
    """The network before the fit, and the fit as it is planned so far."""
    data = strategy.bench.data
    return Final(strategy.bench.make(data), data, strategy.settings)


def train(strategy: Strategy, final: Final, tell: Callable[[int, int], None]) -> None:
    """Fit, with a rate that falls to nothing as the time does; `final` is brought up to date.

    tell: called with the epoch and the number of epochs.
    """
    bench, began = strategy.bench, strategy.bench.budget.used()
    until = PLANNED * bench.budget.seconds
    planned = min(max(TIMES * strategy.epochs, FEWEST), MOST) if strategy.learns else HOPELESS
    n, epochs = _affordable(strategy, planned, until)
    whole = len(bench.data.train)
    clock = ""
    if epochs < planned:
        clock = f" The clock allows no more; {planned} were planned."
    if n < whole:
        clock = f" The clock allows no more than {n:,} of {whole:,} samples, {epochs} epochs."
    final.data = bench.part(n).data
    final.settings = {
        **strategy.settings,
        "l2": rescale_l2(strategy.settings["l2"], n=whole, to=n),
        "epochs": epochs,
        "schedule": Cosine(epochs),
        "early_stopping": EarlyStopping(patience=max(epochs // 2, 1)),
    }
    history, note = _fitted(strategy, final, epochs, tell)
    if was_cut(history):
        final.settings["epochs"] = len(history)
        clock += f" The clock ended it after {count(len(history), 'epoch')}."
    history, l2, instead = _or_best_trial(strategy, final, history, tell)
    _record(strategy, final, history, l2, began, f"{note}{instead}", clock)


def _or_best_trial(
    strategy: Strategy, final: Final, history: History, tell: Callable[[int, int], None]
) -> tuple[History, float, str]:
    """The best trial trained again in place of the final fit, where that is not as good.

    Returns
    -------
    history, l2, words
        The penalty is that for all training samples; words are none where the final fit is kept.
    """
    measure, l2 = strategy.measure, strategy.settings["l2"]
    value = history.best(measure.column)[1] if len(history) else math.nan
    found, budget = best_trial(strategy, final.data), strategy.bench.budget
    if found is None or not is_more(found.least, value, measure):
        return history, l2, ""
    trial = found.trial
    fit = shown(value, measure) if len(history) else "no epoch"
    words = f" A trial with a learning rate of {trial.learning_rate:g} had"
    words += f" {shown(found.value, measure)}, the final fit {fit}: "
    if budget.used() >= budget.seconds:
        return history, l2, f"{words}there was no time to train with its settings again."
    network, settings, again = train_again(strategy, final.data, found, tell)
    if was_cut(again):
        settings["epochs"] = len(again)
    if not len(again) or not is_more(again.best(measure.column)[1], value, measure):
        return history, l2, f"{words}there was no time to train with its settings again."
    final.network, final.settings = network, settings
    return again, trial.l2, f"{words}a network trained as that trial was is kept instead."


def _affordable(strategy: Strategy, planned: int, until: float) -> tuple[int, int]:
    """Samples and epochs for which there is time: all, or fewer epochs, or fewer samples."""
    bench = strategy.bench
    n, least = len(bench.data.train), least_samples(bench.data)
    while True:
        epochs = bench.final_epochs(n, planned, until)
        if epochs >= min(LEAST_EPOCHS, planned) or n < 2 * least:
            return n, max(epochs, 1)
        n //= 2


def _fitted(
    strategy: Strategy, final: Final, epochs: int, tell: Callable[[int, int], None]
) -> tuple[History, str]:
    """Train; where that diverges, anew with half the rate."""
    budget, note = strategy.bench.budget, ""

    def show(net: Network, history: History) -> None:
        tell(len(history), epochs)

    for _ in range(HALVINGS):
        with Watch(budget, budget.seconds, epochs) as watch:
            try:
                history = final.network.fit(
                    final.data.train,
                    validation=final.data.validation,
                    callbacks=[watch, show],
                    verbose=0,
                    **final.settings,
                )
                return history, note
            except FloatingPointError:
                final.network.reset()
                rate = final.settings["learning_rate"] / 2
                final.settings["learning_rate"] = rate
                note = f" Training diverged with a higher rate; {rate:g} is what was left."
    raise FloatingPointError(f"training diverges with every learning rate down to {rate:g}")


def _record(
    strategy: Strategy,
    final: Final,
    history: History,
    l2: float,
    began: float,
    note: str,
    clock: str,
) -> None:
    """Add the step."""
    budget, measure = strategy.bench.budget, strategy.measure
    settings = final.settings
    took = budget.used() - began
    why = ""
    if "schedule" in settings:
        why = "The rate falls by Cosine: the clock says beforehand how long there is, so that it "
        why += "has come down when the time is over. "
    if len(history):
        epoch, value = history.best(measure.column)
        best = f"{measure.scaled(value):.2f} %" if measure.is_accuracy else f"{value:.4g}"
        why += (
            f"The network is that of epoch {epoch}, with the best {measure.words} ({best}).{note}"
        )
        trial = Trial(
            l2,
            settings["learning_rate"],
            (value,),
            (epoch,),
            (float(history[measure.column][-1]),),
            (history.best("val_loss")[1],),
            batch_size=settings["batch_size"],
            n_samples=len(final.data.train),
            n_epochs=len(history),
            ended=budget.used(),
            seconds=took,
        )
        strategy.tried[:] = [trial]
    else:
        why += "There was no time for an epoch: the network is as it was at the start."
        strategy.tried.clear()
    choice = Choice(dict(settings), why + clock, ("learning_rate", "l2", "batch_size"), bool(clock))
    strategy.add("final fit", "How well does all of it do together?", choice, began)
