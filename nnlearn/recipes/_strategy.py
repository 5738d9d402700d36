"""The steps of a strategy that finds settings: each asks one question and goes on from the last.

A step tries settings on a `Bench` until it knows, or until its share of the time is used up; then
it chooses from what it has, and what it cannot improve stays as it was.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnlearn._data_checks import is_labels
from nnlearn.comparison import Run
from nnlearn.data import Dataset
from nnlearn.early_stopping import EarlyStopping
from nnlearn.recipes._bench import LEAST_EPOCHS, Bench, Problem, least_samples
from nnlearn.recipes._budget import OutOfTime
from nnlearn.recipes._steps import Step, Trial, table_of
from nnlearn.recipes.penalties import Measure, search_l2, search_rate
from nnlearn.recipes.rates import RateTrial, UntilItFails, losses_of, search_threshold
from nnlearn.recipes.reduced import reduce_problem
from nnlearn.schedules import Cosine
from nnlearn.tables import count

#: The share of all seconds by which each step is over at the latest.
SHARES = {
    "any learning": 0.05,
    "learning rate": 0.13,
    "epochs": 0.28,
    "l2": 0.54,
    "learning rate again": 0.66,
    "batch size": 0.74,
}
#: The first step: orders of magnitude, samples, epochs.
RATES = (0.01, 0.1, 1.0, 10.0, 100.0)
FEW_SAMPLES = 1_000
FEW_EPOCHS = 5
#: Standard errors above chance that are no chance any more; of a loss to be explained, the share.
CLEARLY = 4.0
EXPLAINED = 0.1
#: Epochs in which the loss must fall, as in `find_learning_rate`.
FALLING = 3
#: Epochs at the most while their number is looked for, and the patience, which grows.
MOST_EPOCHS = 40
PATIENCE = {1: 5, 10: 8, 30: 12}
#: Epochs of the trials that compare settings.
TRIAL_EPOCHS = 15
#: lambda/n of the first penalty: 1.0 on 50,000 samples.
FIRST_DECAY = 2e-5
BATCH_SIZES = (5, 20, 50)
#: How many trials the searches take, about, for plans that have to fit the time.
N_RATES, N_PENALTIES, N_AGAIN = 6, 8, 4


@dataclass(frozen=True)
class Choice:
    """What a step chose.

    Parameters
    ----------
    chosen : dict
        Settings.
    why : str
        In sentences.
    names : tuple of str
        The settings that tell its trials apart.
    limited : bool
        Whether the clock decided something.
    """

    chosen: dict[str, Any]
    why: str
    names: tuple[str, ...]
    limited: bool = False


@dataclass
class Strategy:
    """What is known so far.

    Parameters
    ----------
    bench : Bench
        Where settings are tried.
    settings : dict
        The learning rate, the penalty, the mini-batch size chosen so far.
    epochs : int
        For how many epochs the validation set was predicted better and better.
    learns : bool
        Whether it is worth going on after the first step.
    steps : list of Step
        What has been done.
    """

    bench: Bench
    settings: dict[str, Any] = field(
        default_factory=lambda: {"learning_rate": RATES[1], "l2": 0.0, "batch_size": 10}
    )
    epochs: int = TRIAL_EPOCHS
    learns: bool = False
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tried: list[Trial] = []  # in this step
        self._known: dict[tuple[Any, ...], Trial] = {}
        self.measure = self.bench.part(len(self.bench.data.train)).measure

    def search(self) -> Iterator[Step]:
        """Every step but the final fit, each as it has ended."""
        for name, (question, step) in STEPS.items():
            began, self._tried = self.bench.budget.used(), []
            choice = step(self, SHARES[name] * self.bench.budget.seconds)
            self.settings |= {k: v for k, v in choice.chosen.items() if k in self.settings}
            self.add(name, question, choice, began)
            yield self.steps[-1]
            if not self.learns:
                return

    def add(self, name: str, question: str, choice: Choice, began: float) -> None:
        """Record a step that began at a second."""
        tried, seconds = tuple(self._tried), self.bench.budget.used() - began
        known = [trial.mean for trial in tried if not trial.diverged]
        best = (max if self.measure.is_accuracy else min)(known, default=math.nan)
        table = table_of(tried, self.measure, *choice.names)
        facts = (choice.chosen, choice.why, seconds, best, choice.limited, tried)
        self.steps.append(Step(name, question, table, *facts))

    def attempt(
        self, problem: Problem, until: float, **settings: Any
    ) -> tuple[Trial, tuple[Run, ...]]:
        """Train, and note the trial."""
        trial, runs = self.bench.train(problem, until, **settings)
        self._tried.append(trial)
        return trial, runs

    def compared(self, problem: Problem, until: float, epochs: int, **changes: Any) -> Trial:
        """The trial of the settings so far with changes, as the final fit will train."""
        settings = {**self.settings, **changes}
        key = (len(problem.data.train), epochs, *settings.values())
        if key not in self._known:
            self._known[key], _ = self.attempt(
                problem, until, epochs=epochs, schedule=Cosine(epochs), **settings
            )
        elif self._known[key] not in self._tried:
            self._tried.append(self._known[key])
        return self._known[key]

    def plan(self, until: float, n_trials: int) -> tuple[Problem, int, str]:
        """On what the trials that compare settings train, and for how long."""
        epochs = min(max(self.epochs, LEAST_EPOCHS), TRIAL_EPOCHS)
        return self.bench.fitting(until, n_trials, epochs)

    def settle(
        self, search: Callable[[], None], measure: Measure, clock: str
    ) -> tuple[Trial | None, str]:
        """Search until it ends or time does: the best trial, and what the clock decided."""
        try:
            search()
        except OutOfTime:
            clock = f"{clock} The clock ended the search."
        sound = [trial for trial in self._tried if not trial.diverged]
        return (measure.best(sound) if sound else None), clock.strip()

    @property
    def tried(self) -> list[Trial]:
        """The trials of this step."""
        return self._tried

    def value(self, trial: Trial) -> str:
        """How well a trial predicts the validation set."""
        if self.measure.is_accuracy:
            return f"{100 * trial.mean:.2f} %, loss {trial.loss:.4g}"
        return f"validation loss {trial.loss:.4g}"


# ---- 1: any learning at all ----------------------------------------------------------------------


def any_learning(strategy: Strategy, until: float) -> Choice:
    """Rates of all magnitudes on small problems, the easiest last, until one is learnt."""
    names = ("learning_rate",)
    clock, said = "", ""
    for words, data in _easier(strategy.bench.data):
        problem = strategy.bench.problem(data)
        strategy.tried.clear()
        try:
            for rate in RATES:
                strategy.attempt(problem, until, epochs=FEW_EPOCHS, learning_rate=rate)
            best = problem.measure.best(strategy.tried)
            for rate in _lower(best.learning_rate):
                lower, _ = strategy.attempt(problem, until, epochs=FEW_EPOCHS, learning_rate=rate)
                if not problem.measure.is_better(lower, best):
                    break
                best = lower
        except OutOfTime:
            clock = " The clock ended the search."
        sound = [trial for trial in strategy.tried if not trial.diverged]
        if not sound:
            said = "Every learning rate diverges."
            if clock:
                break
            continue
        best = problem.measure.best(sound)
        goal, guess = goal_of(data, problem.measure)
        got, by_guess = _shown(best.mean, problem.measure), _shown(guess, problem.measure)
        strategy.settings["learning_rate"] = best.learning_rate
        if reaches(best.mean, goal, problem.measure):
            strategy.learns = True
            why = f"On {words} a learning rate of {best.learning_rate:g} gives {got}, where the "
            why += f"same answer for all gives {by_guess}: the network learns."
            return Choice({"learning_rate": best.learning_rate}, why + clock, names, bool(clock))
        said = f"On {words} no learning rate gives more than {got}, where the same answer for all "
        said += f"gives {by_guess}: that is nothing learnt."
        if not problem.measure.is_accuracy:
            said = said.replace("more than", "less than")
        if clock:
            break
    if clock:
        strategy.learns = True  # nobody knows: the other steps will see
        why = "The clock ended the search before anything was learnt."
        return Choice({}, why, names, True)
    said += " Look at the labels, the scale of the inputs and the start weights; no setting"
    return Choice({}, f"{said} is worth a search before.", names)


def _easier(data: Dataset) -> Iterator[tuple[str, Dataset]]:
    """Problems to begin with, in words and as data: few samples; two classes; all there is."""
    assert data.validation is not None
    n, m = len(data.train), len(data.validation)
    few = max(FEW_SAMPLES, least_samples(data))
    if n > few:
        yield f"{few:,} samples", reduce_problem(data, n=few, n_validation=min(m, few))
    if is_labels(data.train.y):
        counts = np.bincount(data.train.y)
        held = np.bincount(data.validation.y, minlength=len(counts))
        if np.count_nonzero(counts) > 2:
            two = sorted(int(k) for k in np.argsort(-counts * (held[: len(counts)] > 0))[:2])
            pair = reduce_problem(data, classes=two)
            assert pair.validation is not None
            n_pair = min(len(pair.train), FEW_SAMPLES)
            m_pair = min(len(pair.validation), FEW_SAMPLES)
            words = f"{n_pair:,} samples of classes {two[0]} and {two[1]}"
            yield words, reduce_problem(pair, n=n_pair, n_validation=m_pair)
    yield f"all {n:,} samples", data


def _lower(rate: float) -> list[float]:
    """Lower orders of magnitude, where the lowest so far is the best."""
    return [rate / 10.0**order for order in (1, 2, 3, 4)] if rate == RATES[0] else []


def goal_of(data: Dataset, measure: Measure) -> tuple[float, float]:
    """What is clearly more than a guess, and the guess: accuracies, or losses of regression."""
    assert data.validation is not None
    y = np.asarray(data.validation.y)
    if not measure.is_accuracy:
        mean = np.asarray(data.train.y, np.float64).mean(axis=0)
        guess = 0.5 * float(np.mean(np.sum(np.square(y - mean).reshape(len(y), -1), axis=1)))
        return (1.0 - EXPLAINED) * guess, guess
    if not is_labels(y):
        y = y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else y.ravel() > np.median(y)
    _, counts = np.unique(y, return_counts=True)
    guess = float(counts.max() / counts.sum())
    return min(guess + CLEARLY * measure.noise(guess), (1.0 + guess) / 2), guess


def reaches(value: float, goal: float, measure: Measure) -> bool:
    """Whether an accuracy, or a loss of regression, is as good as a goal."""
    return value >= goal if measure.is_accuracy else value <= goal


def _shown(value: float, measure: Measure) -> str:
    if measure.is_accuracy:
        return f"{100 * value:.2f} %"
    return f"a validation loss of {value:.4g}"


# ---- 2: the learning rate ------------------------------------------------------------------------


def learning_rate(strategy: Strategy, until: float) -> Choice:
    """Half of the largest rate by which the training loss falls from the first epoch on."""
    problem, _, clock = strategy.bench.fitting(until, N_RATES, FALLING)
    tried: list[RateTrial] = []

    def attempt(rate: float) -> RateTrial:
        trial, runs = strategy.attempt(
            problem,
            until,
            epochs=FALLING,
            learning_rate=rate,
            evaluate_train=True,
            evaluate_first=True,
            callbacks=[UntilItFails()],
        )
        curves = tuple(losses_of(run.history) for run in runs)
        tried.append(RateTrial(rate, curves, trial.diverged))
        strategy.tried[-1] = replace(trial, note=tried[-1].outcome(FALLING))
        return tried[-1]

    start = strategy.settings["learning_rate"]
    try:
        search_threshold(attempt, start, lambda trial: trial.works(FALLING))
    except OutOfTime:
        clock += " The clock ended the search."
    working = [trial.learning_rate for trial in tried if trial.works(FALLING)]
    names, falls = ("learning_rate",), f"the training loss falls in each of {FALLING} epochs"
    if not working:
        why = f"There is no learning rate with which {falls}: {start:g} stays. {clock}"
        return Choice({"learning_rate": start}, why.strip(), names, bool(clock))
    threshold = max(working)
    half = threshold / 2
    why = f"Up to a learning rate of {threshold:g} {falls}; half of it, {half:g}, is safe. {clock}"
    return Choice({"learning_rate": half}, why.strip(), names, bool(clock))


# ---- 3: the number of epochs ---------------------------------------------------------------------


def epochs(strategy: Strategy, until: float) -> Choice:
    """Where early stopping ends, with a patience that grows."""
    rate = strategy.settings["learning_rate"]
    problem, _, clock = strategy.bench.fitting(until, 1, LEAST_EPOCHS)
    names = ("learning_rate",)
    try:
        trial, runs = strategy.attempt(
            problem,
            until,
            epochs=MOST_EPOCHS,
            learning_rate=rate,
            early_stopping=EarlyStopping(patience=PATIENCE),
            may_be_cut=True,
        )
    except OutOfTime:
        why = f"The clock allowed no epoch: {strategy.epochs} are taken for enough."
        return Choice({}, why, names, True)
    if trial.diverged:
        strategy.settings["learning_rate"] = rate / 2
        why = f"It diverges with a learning rate of {rate:g}: half of it is taken. {clock}"
        return Choice({"learning_rate": rate / 2}, why.strip(), names, bool(clock))
    strategy.epochs = max(round(trial.epoch), 1)
    ended = count(max(len(run.history) for run in runs), "epoch")
    by_seed = " and ".join(map(str, trial.epochs))
    why = f"The {strategy.measure.words} is best at epoch {strategy.epochs}, the mean of {by_seed};"
    why += f" early stopping ended it after {ended}."
    if trial.note:
        why = f"The {strategy.measure.words} was best at epoch {strategy.epochs} when the clock "
        why += f"ended it after {ended}."
    limited = bool(clock or trial.note)
    return Choice({"epochs": strategy.epochs}, f"{why} {clock}".strip(), names, limited)


# ---- 4, 5, 6: what the final fit will be, in small -----------------------------------------------


def penalty(strategy: Strategy, until: float) -> Choice:
    """No penalty, penalties by tens, and those between."""
    problem, n_epochs, clock = strategy.plan(until, N_PENALTIES)
    n = len(strategy.bench.data.train)
    start = 10.0 ** round(math.log10(FIRST_DECAY * n))

    def attempt(l2: float) -> Trial:
        return strategy.compared(problem, until, n_epochs, l2=l2)

    def search() -> None:
        search_l2(attempt, start, problem.measure)

    best, clock = strategy.settle(search, problem.measure, clock)
    names = ("l2",)
    if best is None:
        return Choice({}, f"No trial came to its end: no penalty. {clock}", names, True)
    none = next(trial for trial in strategy.tried if not trial.l2)
    if best.l2:
        why = f"l2={best.l2:g} is best ({strategy.value(best)}); without a penalty it is "
        why += "diverging." if none.diverged else f"{strategy.value(none)}."
    else:
        why = f"It is best without a penalty ({strategy.value(best)})."
    return Choice({"l2": best.l2}, f"{why} {clock}".strip(), names, bool(clock))


def rate_again(strategy: Strategy, until: float) -> Choice:
    """The rate doubled, and halved, as long as that is better."""
    problem, n_epochs, clock = strategy.plan(until, N_AGAIN)
    rate = strategy.settings["learning_rate"]

    def attempt(learning_rate: float) -> Trial:
        return strategy.compared(problem, until, n_epochs, learning_rate=learning_rate)

    def search() -> None:
        search_rate(attempt, rate, problem.measure)

    best, clock = strategy.settle(search, problem.measure, clock)
    return _better(strategy, best, clock, "learning_rate", rate)


def batch_size(strategy: Strategy, until: float) -> Choice:
    """Other mini-batch sizes, with the rate in proportion, for as many epochs.

    Where time is short, larger ones alone.
    """
    settings = strategy.settings
    sizes = [size for size in BATCH_SIZES if size <= len(strategy.bench.data.train)]
    problem, n_epochs, clock = strategy.plan(until, 1 + len(sizes))
    held = settings["batch_size"]
    if clock:  # small ones take longer, and look good only as long as epochs are few
        sizes = [size for size in sizes if size > held]

    def search() -> None:
        for size in (held, *sizes):
            rate = settings["learning_rate"] * size / held
            strategy.compared(problem, until, n_epochs, batch_size=size, learning_rate=rate)

    best, clock = strategy.settle(search, problem.measure, clock)
    return _better(strategy, best, clock, "batch_size", held)


def _better(strategy: Strategy, best: Trial | None, clock: str, name: str, held: float) -> Choice:
    """The best of some trials, in words, beside what was held so far."""
    names = ("learning_rate",) if name == "learning_rate" else (name, "learning_rate")
    what = f"{name}={held:g}"
    if best is None:
        return Choice({}, f"No trial came to its end: {what} stays. {clock}", names, True)
    before = next(trial for trial in strategy.tried if getattr(trial, name) == held)
    chosen = {key: getattr(best, key) for key in names}
    new = ", ".join(f"{key}={value:g}" for key, value in chosen.items())
    if best is before:
        why = f"{what} stays: no other is better than its {strategy.value(best)}."
    else:
        why = f"{new} is better: {strategy.value(best)}"
        why += "." if before.diverged else f", with {what} {strategy.value(before)}."
    return Choice(chosen, f"{why} {clock}".strip(), names, bool(clock))


#: What each step asks.
STEPS: dict[str, tuple[str, Callable[[Strategy, float], Choice]]] = {
    "any learning": ("Does the network learn anything at all?", any_learning),
    "learning rate": ("How large may the steps be?", learning_rate),
    "epochs": ("For how long does it become better?", epochs),
    "l2": ("How fast should weights decay?", penalty),
    "learning rate again": ("With this penalty, is another learning rate better?", rate_again),
    "batch size": ("Is another mini-batch size better?", batch_size),
}
