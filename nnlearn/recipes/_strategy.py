"""The steps of a strategy that finds settings: each asks one question and goes on from the last.

A step tries settings on a `Bench` until it knows, or until its share of the time is used up; then
it chooses from what it has, and what it cannot improve stays as it was.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from nnlearn.comparison import Run
from nnlearn.early_stopping import EarlyStopping
from nnlearn.recipes._bench import LEAST_EPOCHS, Bench, Problem
from nnlearn.recipes._budget import OutOfTime
from nnlearn.recipes._first_problems import RATES, easier, goal_of, lower, reaches, shown
from nnlearn.recipes._steps import Step, Trial, table_of
from nnlearn.recipes.penalties import Measure, search_l2, search_rate
from nnlearn.recipes.rates import RateTrial, UntilItFails, losses_of, search_threshold
from nnlearn.schedules import Cosine
from nnlearn.tables import count

#: The share of all seconds by which each step is over at the latest.
SHARES = {
    "any learning": 0.05,
    "learning rate": 0.13,
    "epochs": 0.28,
    "l2": 0.57,
    "learning rate again": 0.66,
    "batch size": 0.73,
}
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
N_RATES, N_PENALTIES, N_AGAIN = 6, 11, 3


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
    for words, data, n_epochs in easier(strategy.bench.data):
        problem = strategy.bench.problem(data)
        strategy.tried.clear()
        clock = _magnitudes(strategy, problem, until, n_epochs)
        sound = [trial for trial in strategy.tried if not trial.diverged]
        if not sound:
            said = "Every learning rate diverges."
            if clock:
                break
            continue
        best = problem.measure.best(sound)
        goal, guess = goal_of(data, problem.measure)
        got, by_guess = shown(best.mean, problem.measure), shown(guess, problem.measure)
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


def _magnitudes(strategy: Strategy, problem: Problem, until: float, epochs: int) -> str:
    """Try rates of all magnitudes, lower ones as long as that helps; what the clock decided."""
    measure = problem.measure
    try:
        for rate in RATES:
            strategy.attempt(problem, until, epochs=epochs, learning_rate=rate)
        sound = [trial for trial in strategy.tried if not trial.diverged]
        best = measure.best(sound) if sound else strategy.tried[0]
        for rate in lower(best.learning_rate):
            trial, _ = strategy.attempt(problem, until, epochs=epochs, learning_rate=rate)
            if not trial.diverged and not measure.is_better(trial, best):
                break
            best = trial
    except OutOfTime:
        return " The clock ended the search."
    return ""


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
        clock = f"{clock} The clock ended the search.".strip()
    working = [trial.learning_rate for trial in tried if trial.works(FALLING)]
    names, falls = ("learning_rate",), f"the training loss falls in each of {FALLING} epochs"
    if not working:
        why = f"There is no learning rate with which {falls}" if tried else "No trial ended"
        why = f"{why}: {start:g} stays. {clock}"
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
    """No penalty, penalties by tens, and those between, at the rate that is best without any.

    At a rate that is too low every penalty looks bad.
    """
    problem, n_epochs, clock = strategy.plan(until, N_PENALTIES)
    measure, names = problem.measure, ("l2", "learning_rate")
    start = 10.0 ** round(math.log10(FIRST_DECAY * len(strategy.bench.data.train)))
    rate = strategy.settings["learning_rate"]

    def attempt(l2: float, learning_rate: float) -> Trial:
        return strategy.compared(problem, until, n_epochs, l2=l2, learning_rate=learning_rate)

    def search() -> None:
        search_rate(lambda eta: attempt(0.0, eta), rate, measure)
        held = measure.best(strategy.tried).learning_rate
        search_l2(lambda l2: attempt(l2, held), start, measure)

    best, clock = strategy.settle(search, measure, clock)
    if best is None:
        return Choice({}, f"No trial ended: no penalty. {clock}", names, True)
    held = best.learning_rate
    none = next(t for t in strategy.tried if not t.l2 and t.learning_rate == held)
    why = f"Without a penalty a learning rate of {held:g} is best, and with it "
    if best.l2:
        without = "it diverges" if none.diverged else strategy.value(none)
        why += f"l2={best.l2:g} ({strategy.value(best)}; without {without})."
    else:
        why += f"no penalty ({strategy.value(best)})."
    chosen = {"l2": best.l2, "learning_rate": held}
    return Choice(chosen, f"{why} {clock}".strip(), names, bool(clock))


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
        return Choice({}, f"No trial ended: {what} stays. {clock}", names, True)
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
    "learning rate again": ("With the penalty, is another learning rate better?", rate_again),
    "batch size": ("Is another mini-batch size better?", batch_size),
}
