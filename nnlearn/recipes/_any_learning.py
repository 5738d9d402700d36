"""The first step of a strategy: does the network learn anything at all?"""

import math
from typing import TYPE_CHECKING

from nnlearn.recipes._bench import Problem
from nnlearn.recipes._budget import OutOfTime
from nnlearn.recipes._first_problems import RATES, easier, goal_of, is_more, lower, reaches, shown
from nnlearn.recipes._proven import proven_by
from nnlearn.recipes._steps import Choice, Trial
from nnlearn.tables import count

if TYPE_CHECKING:
    from nnlearn.recipes._strategy import Strategy

#: The share that the first step may take as long as nothing is learnt.
UNTIL_LEARNT = 0.35


def any_learning(strategy: "Strategy", until: float) -> Choice:
    """Rates of all magnitudes on small problems, the easiest last, until one is learnt."""
    names = ("learning_rate",)
    clock, said = "", ""
    for words, data, n_epochs in easier(strategy.bench.data):
        problem = strategy.bench.problem(data)
        strategy.tried.clear()
        goal, guess = goal_of(data, problem.measure)
        reached: dict[float, int] = {}
        clock = _magnitudes(strategy, problem, until, n_epochs, goal, reached)
        sound = [trial for trial in strategy.tried if not trial.diverged]
        if not sound:
            said = "Every learning rate diverges."
            if clock:
                break
            continue
        best = problem.measure.best(sound)
        got, by_guess = shown(best.mean, problem.measure), shown(guess, problem.measure)
        strategy.settings["learning_rate"] = best.learning_rate
        if reaches(best.mean, goal, problem.measure):
            strategy.learns = True
            reached.setdefault(best.learning_rate, n_epochs)
            on_all = data is strategy.bench.data
            strategy.proven = proven_by(strategy.tried, best, reached, on_all=on_all)
            why = f"On {words} a learning rate of {best.learning_rate:g} gives {got}, where the "
            why += f"same answer for all gives {by_guess}: the network learns."
            return Choice({"learning_rate": best.learning_rate}, why + clock, names, bool(clock))
        said = f"On {words} no learning rate gives more than {got}, where the same answer for all "
        said += f"gives {by_guess}: that is nothing learnt"
        if is_more(best.mean, guess, problem.measure) and math.isfinite(goal):
            held = count(problem.measure.n_samples, "validation sample")
            said += f" for sure, since with {held} anything short of {shown(goal, problem.measure)}"
            said += " may be chance"
        said += "."
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


def _magnitudes(
    strategy: "Strategy",
    problem: Problem,
    until: float,
    epochs: int,
    goal: float,
    reached: dict[float, int],
) -> str:
    """Try rates of all magnitudes, lower ones as long as that helps; what the clock decided.

    reached: gets, by rate, the epoch after which all copies together had reached the goal.
    """
    measure, budget = problem.measure, strategy.bench.budget
    longer = max(until, UNTIL_LEARNT * budget.seconds)

    def attempt(rate: float, until: float) -> Trial:
        trial, runs = strategy.attempt(problem, until, epochs=epochs, learning_rate=rate)
        if reaches(trial.mean, goal, measure):
            columns = [run.history[measure.column].tolist() for run in runs]
            firsts = [[reaches(v, goal, measure) for v in column] for column in columns]
            reached[rate] = max(f.index(True) + 1 if any(f) else epochs for f in firsts)
        return trial

    try:
        for rate in RATES:
            try:
                attempt(rate, until)
            except OutOfTime:
                if reached:
                    raise
                attempt(rate, longer)
        sound = [trial for trial in strategy.tried if not trial.diverged]
        best = measure.best(sound) if sound else strategy.tried[0]
        for rate in lower(best.learning_rate):
            trial = attempt(rate, longer)
            if not trial.diverged and not measure.is_better(trial, best):
                break
            best = trial
    except OutOfTime:
        return " The clock ended the search."
    return ""
