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
from nnlearn.recipes._any_learning import UNTIL_LEARNT, any_learning
from nnlearn.recipes._bench import LEAST_EPOCHS, Bench, Problem
from nnlearn.recipes._budget import OutOfTime
from nnlearn.recipes._first_problems import RATES
from nnlearn.recipes._proven import Proven
from nnlearn.recipes._steps import Choice, Step, Trial, table_of
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
        self.attempts: list[tuple[Problem, Trial, dict[str, Any]]] = []  # in all steps
        self.proven = Proven()
        self.measure = self.bench.part(len(self.bench.data.train)).measure

    def search(self) -> Iterator[Step]:
        """Every step but the final fit, each as it has ended."""
        for name, (question, step) in STEPS.items():
            began, self._tried = self.bench.budget.used(), []
            until = self._until(name, began)
            choice = step(self, until)
            if choice.limited:
                seconds = self.bench.budget.seconds
                if step is any_learning and self.bench.budget.used() > until:
                    until = max(until, UNTIL_LEARNT * seconds)
                had = max(until - began, 0.0)
                choice = replace(choice, why=f"{choice.why} It had {had:.2g} of {seconds:g} s.")
            self.settings |= {k: v for k, v in choice.chosen.items() if k in self.settings}
            self.add(name, question, choice, began)
            yield self.steps[-1]
            if not self.learns:
                return

    def _until(self, name: str, began: float) -> float:
        """By when a step is over; if those before took longer, it has its part of what is left."""
        seconds, share = self.bench.budget.seconds, SHARES[name]
        before = max((other for other in SHARES.values() if other < share), default=0.0)
        left = max(seconds - began, 0.0)
        return max(share * seconds, began + (share - before) / (1.0 - before) * left)

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
        of_fit = {k: v for k, v in settings.items() if k in ("learning_rate", "schedule")}
        self.attempts.append((problem, trial, of_fit))
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
        most = max(TRIAL_EPOCHS, 2 * self.proven.epochs)
        epochs = min(max(self.epochs, LEAST_EPOCHS), most)
        return self.bench.fitting(until, n_trials, epochs)

    def settle(
        self, search: Callable[[], None], measure: Measure, clock: str
    ) -> tuple[Trial | None, str]:
        """Search until it ends or time does: the best trial, and what the clock decided."""
        try:
            search()
        except OutOfTime:
            clock = f"{clock} The clock ended the search."
        sound = any(not trial.diverged for trial in self._tried)
        return (self.best(measure) if sound else None), clock.strip()

    def best(self, measure: Measure) -> Trial:
        """The best trial of this step, of those with rates not known to learn nothing."""
        allows = self.proven.allows
        kept = [t for t in self._tried if allows(t.learning_rate, t.batch_size)]
        return measure.best(kept if any(not t.diverged for t in kept) else self._tried)

    @property
    def tried(self) -> list[Trial]:
        """The trials of this step."""
        return self._tried

    def value(self, trial: Trial) -> str:
        """How well a trial predicts the validation set."""
        if self.measure.is_accuracy:
            return f"{100 * trial.mean:.2f} %, loss {trial.loss:.4g}"
        return f"validation loss {trial.loss:.4g}"


# ---- 2: the learning rate ------------------------------------------------------------------------


def learning_rate(strategy: Strategy, until: float) -> Choice:
    """Half of the largest rate by which the training loss falls from the first epoch on."""
    problem, _, clock = strategy.bench.fitting(until, N_RATES, FALLING)
    tried: list[RateTrial] = []
    allows = strategy.proven.allows

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
        note = tried[-1].outcome(FALLING)
        note += "" if allows(rate) else ", but nothing was learnt before"
        strategy.tried[-1] = replace(trial, note=note)
        return tried[-1]

    def works(trial: RateTrial) -> bool:
        return trial.works(FALLING) and allows(trial.learning_rate)

    start = strategy.settings["learning_rate"]
    try:
        search_threshold(attempt, start, works)
    except OutOfTime:
        clock = f"{clock} The clock ended the search.".strip()
    working = [trial.learning_rate for trial in tried if works(trial)]
    names, falls = ("learning_rate",), f"the training loss falls in each of {FALLING} epochs"
    if not working:
        why = f"There is no learning rate with which {falls}" if tried else "No trial ended"
        why = f"{why}: {start:g} stays. {clock}"
        return Choice({"learning_rate": start}, why.strip(), names, bool(clock))
    threshold = max(working)
    half = threshold / 2
    if not allows(half):
        why = f"Up to a learning rate of {threshold:g} {falls}; with half of it nothing was learnt"
        why = f"{why} before: {start:g} stays. {clock}"
        return Choice({"learning_rate": start}, why.strip(), names, bool(clock))
    why = f"Up to a learning rate of {threshold:g} {falls}; half of it, {half:g}, is safe. {clock}"
    return Choice({"learning_rate": half}, why.strip(), names, bool(clock))


# ---- 3: the number of epochs ---------------------------------------------------------------------


def epochs(strategy: Strategy, until: float) -> Choice:
    """Where early stopping ends, with a patience that grows."""
    rate = strategy.settings["learning_rate"]
    problem, _, clock = strategy.bench.fitting(until, 1, LEAST_EPOCHS)
    names = ("learning_rate",)
    slow = strategy.proven.epochs  # who becomes better that late is not given up before
    try:
        trial, runs = strategy.attempt(
            problem,
            until,
            epochs=max(MOST_EPOCHS, 3 * slow),
            learning_rate=rate,
            early_stopping=EarlyStopping(patience={k: max(p, slow) for k, p in PATIENCE.items()}),
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
        held = strategy.best(measure).learning_rate
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
