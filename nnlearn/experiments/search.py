"""Grid, random and Bayesian search: the best value so far against trials."""

import importlib.util
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import nnlearn
from nnlearn.data import Dataset
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.plotting import plot_searches
from nnlearn.searching.result import Search

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The searches of every method, one for each seed.
Searches = dict[str, list[Search]]
#: By method and number of trials the best so far in %, a number for each seed.
After = dict[tuple[str, int], tuple[float, ...]]

#: The methods in words, and what each needs.
_METHODS = {
    "grid": ("grid", ("optuna",)),
    "random": ("random", ("optuna",)),
    "tpe": ("Bayesian: tree-structured Parzen estimator", ("optuna",)),
    "gp": ("Bayesian: Gaussian process", ("optuna", "sklearn")),
}
#: How their lines are told apart without colour.
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":")
#: Points of the grid along the learning rate and along lambda / n.
_GRID = (6, 5)


def installed() -> list[str]:
    """The methods whose packages are there."""
    return [
        method
        for method, (_, needs) in _METHODS.items()
        if all(importlib.util.find_spec(name) for name in needs)
    ]


def _measure(lab: Lab) -> Result:
    n, n_validation, epochs, trials = lab.pick((5000, 5000, 5, 30), (500, 500, 2, 12))
    whole = without(lab.data, "test")
    assert whole.validation is not None
    n, n_validation = min(n, len(whole.train)), min(n_validation, len(whole.validation))
    data = nnlearn.reduce_problem(whole, n=n, n_validation=n_validation)
    methods = installed()
    found = _searches(lab, data, methods, epochs, trials)
    half = trials // 2
    after: After = {
        (method, k): tuple(100.0 * s.best_so_far()[k - 1] for s in searches)
        for method, searches in found.items()
        for k in (half, trials)
    }
    rows = tuple(
        Measured(f"{_METHODS[method][0]}: best validation accuracy after {k} trials", values)
        for (method, k), values in after.items()
    )
    return Result(
        {
            "data": f"{len(data.train):,} training and {n_validation:,} validation digits",
            "networks": f"784-30-10, {epochs} epochs, batch size 10",
            "searched": "learning rate from 0.001 to 10, lambda / n from 1e-6 to 0.01, both "
            f"logarithmic; the grid has {_GRID[0]} times {_GRID[1]} points",
            "search": f"{trials} trials each, {len(lab.seeds)} repeats",
        },
        rows,
        _claims(after, methods, trials),
        (_picture(lab, found),),
        remarks=_remarks(methods),
    )


def _searches(
    lab: Lab, data: Dataset, methods: Sequence[str], epochs: int, trials: int
) -> Searches:
    """The searches of every method, one for each seed."""
    n = len(data.train)

    def search(task: tuple[str, int]) -> Search:
        method, seed = task
        rates, penalties = _GRID if method == "grid" else (5, 5)
        space: dict[str, Any] = {
            "learning_rate": nnlearn.loguniform(1e-3, 10.0, n=rates),
            "l2": nnlearn.loguniform(1e-6 * n, 1e-2 * n, n=penalties),
        }
        common: dict[str, Any] = {
            "hidden": (30,),
            "epochs": epochs,
            "seeds": [seed],
            "callbacks": lab.halted,
        }
        run: dict[str, Any] = {
            "trials": trials,
            "seed": seed,
            "n_jobs": 1,
            "prune": False,
            "verbose": 0,
        }
        return nnlearn.search(space, data, method=method, **run, **common)

    tasks = [(method, seed) for seed in lab.seeds for method in methods]
    found: Searches = {method: [] for method in methods}
    for (method, _), one in zip(tasks, lab.each(search, tasks), strict=True):
        found[method].append(one)
    return found


def _claims(after: After, methods: Sequence[str], trials: int) -> tuple[Claim, ...]:
    return tuple(
        Claim(
            f"{_METHODS[better][0]} has found better settings than {_METHODS[worse][0]} after "
            f"{trials} trials",
            differences(after[better, trials], after[worse, trials]),
            "percentage points",
            "slide 37",
        )
        for better, worse in (("random", "grid"), ("tpe", "random"), ("gp", "random"))
        if {better, worse} <= set(methods)
    )


def _picture(lab: Lab, found: Searches) -> Picture:
    def curves(figure: "Figure") -> None:
        ax = figure.subplots()
        if not found:
            ax.set_axis_off()
            ax.text(0.5, 0.5, "Not measured: Optuna is not installed.", ha="center")
            return
        ends = {method: [s.best_so_far()[-1] for s in group] for method, group in found.items()}
        known = {
            _METHODS[method][0]: [
                one for one, end in zip(group, ends[method], strict=True) if math.isfinite(end)
            ]
            for method, group in found.items()
        }
        if not any(known.values()):
            say_diverged(ax)
            return
        plot_searches({name: group for name, group in known.items() if group}, ax)
        for line, dashes in zip(ax.get_lines(), _DASHES, strict=False):
            line.set_linestyle(dashes)
        best = max(end for group in ends.values() for end in group if math.isfinite(end))
        ax.set_yscale("linear")
        ax.set_ylim(0.9 * 100.0 * (1.0 - best), 1.7 * 100.0 * (1.0 - best))
        repeats = f"mean of {len(lab.seeds)} repeats, band from lowest to highest"
        ax.legend(title=repeats, title_fontsize="small", frameon=False)

    return Picture(
        "best-so-far",
        "Validation error of the best settings so far, by trial. What is far above the best lies "
        "above the picture.",
        curves,
        slides=(37,),
        size=(7.0, 4.2),
    )


def _remarks(methods: Sequence[str]) -> tuple[str, ...]:
    missing = [_METHODS[method][0] for method in _METHODS if method not in methods]
    remarks = [
        "Each repeat has its own draws and its own start weights, the same ones for all methods. "
        "The tries of a grid come in a random order. The Gaussian process begins with ten trials "
        "at random, the other estimator likewise: before, there is nothing to learn from.",
    ]
    if missing:
        what = "; ".join(missing)
        remarks.append(f'Not measured: {what}. To have it: pip install "nnlearn[search]".')
    return tuple(remarks)


experiment = Experiment(
    name="search",
    title="Automated search",
    question="Which finds good hyper-parameters in the fewest trials: grid, random or Bayesian?",
    slides=(37,),
    packages=("optuna", "scikit-learn"),
    measure=_measure,
    seconds=(4.0, 25.0),
)
