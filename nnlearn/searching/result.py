"""What a search found."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nnlearn import _checks, _html
from nnlearn.network import Network
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from optuna.study import Study

    from nnlearn.searching.objective import Objective

#: In the order in which a table has them.
STATES = ("complete", "pruned", "diverged", "failed", "interrupted", "running")

_MOST_ROWS = 30  # of the views; table() has all


@dataclass(frozen=True)
class Trial:
    """One trial of a search and what became of it.

    Parameters
    ----------
    number : int
        From 0, in the order in which the study began them.
    settings : dict
        The settings that were tried.
    value : float
        Mean over the seeds. Of a pruned trial the value it had then; NaN if there is none.
    state : {"complete", "pruned", "diverged", "failed", "interrupted", "running"}
        "running" is in another process; "interrupted" was ended from outside.
    values : tuple of float
        The value of each seed's network.
    epochs : int
        Epochs trained, of all seeds.
    seconds : float
        Seconds of training alone; NaN if unknown.
    error : str
        Why it diverged or failed, or nothing.
    """

    number: int
    settings: dict[str, Any] = field(hash=False)
    value: float
    state: str
    values: tuple[float, ...]
    epochs: int
    seconds: float
    error: str


class Best(NamedTuple):
    """The settings of the best trial, and their value."""

    settings: dict[str, Any]
    value: float


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `search`. What was found until then is in its attribute `search`."""

    search: "Search"


class Search:
    """What `search` found: all trials of the study when it ended.

    Parameters
    ----------
    study : optuna.study.Study
        The study.
    objective : Objective
        What was optimised.
    kept : (int, Network) or None
        The number of the best trial made here, and its network.

    Attributes
    ----------
    study : optuna.study.Study
        Optuna's study, for all else that Optuna does. It goes on when others add to it; the rest
        here stays as it is.
    objective : Objective
        What was optimised.
    monitor : str
        What the value is.
    trials : tuple of Trial
        In the order of their numbers.

    Notes
    -----
    Networks that other processes trained are not in the study: `best_network` trains the best one
    again where it is not at hand, to the same bits on the same kind of processor.
    """

    def __init__(
        self, study: "Study", objective: "Objective", kept: tuple[int, Network] | None = None
    ) -> None:
        self.study = study
        self.objective = objective
        self.monitor = objective.monitor
        self.trials = tuple(_trial(t, objective) for t in study.get_trials(deepcopy=False))
        self._kept = kept

    @property
    def best(self) -> Best:
        """The settings and the value of the best trial; of equal ones the earlier.

        Raises
        ------
        ValueError
            If no trial came to a value; the message says what the first one failed of.
        """
        best = self._best_trial()
        return Best(dict(best.settings), best.value)

    @property
    def best_network(self) -> Network:
        """The network of the best trial; of several seeds' the best one.

        Raises
        ------
        ValueError
            If no trial came to a value.
        """
        best = self._best_trial()
        if self._kept is None or self._kept[0] != best.number:
            pick = max if self.objective.direction == "maximize" else min
            index = best.values.index(pick(best.values))
            self._kept = best.number, self.objective._retrained(best.settings, index)
        return self._kept[1]

    def best_so_far(self) -> list[float]:
        """The best value up to each trial.

        Returns
        -------
        list of float
            As long as `trials`; NaN before the first trial that came to its end.
        """
        best, curve = math.nan, []
        for trial in self.trials:
            if trial.state == "complete" and not self._worse(trial.value, best):
                best = trial.value
            curve.append(best)
        return curve

    def table(self) -> Table:
        """All trials, the best first.

        Returns
        -------
        Table
            A row for each trial: its number, its settings, the value, the epochs and seconds it
            took, its state. Where ``epochs`` is a setting, those it took are ``epochs run``. Pruned
            trials come after those that ended, by the value they had then. With several seeds
            ``low`` and ``high`` are the lowest and highest of their values.
            Where a trial failed or diverged, ``error`` says why.
        """
        names = list(self.objective._space.domains)
        several = len(self.objective.seeds) > 1
        errors = any(trial.error for trial in self.trials)
        spread = ["low", "high"] if several else []
        epochs = "epochs run" if "epochs" in names else "epochs"
        head = ["trial", *names, self.monitor, *spread, epochs, "seconds", "state"]
        rows = []
        for trial in sorted(self.trials, key=self._rank):
            words = self.objective._space.words(trial.settings) if trial.settings else {}
            settings = [words.get(name) for name in names]
            extremes = [f(trial.values, default=math.nan) for f in (min, max)] if several else []
            rest = [trial.epochs, trial.seconds, trial.state, *([trial.error] if errors else [])]
            rows.append((trial.number, *settings, trial.value, *extremes, *rest))
        digits = ".4f" if self.objective.direction == "maximize" else ".4g"
        formats = dict.fromkeys([self.monitor, *spread], digits) | {"seconds": ".1f"}
        head += ["error"] if errors else []
        return Table(head, rows, self._title(), formats=formats)

    def plot(self, ax: "Axes | None" = None, *, name: str = "") -> "Axes":
        """Draw the best so far and every trial; see `nnlearn.plotting.plot_search`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default. Several searches may be drawn into one.
        name : str, default ""
            What the legend calls it.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_search

        return plot_search(self, ax, name=name)

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        table = self.table()
        left = len(table) - _MOST_ROWS
        return str(_head(table)) + (f"\n... {left:,} more in table()" if left > 0 else "")

    def _repr_html_(self) -> str:
        table = self.table()
        left = len(table) - _MOST_ROWS
        facts = [table.title, f"the best {_MOST_ROWS} of {len(table):,}" if left > 0 else ""]
        known = [value for value in self.best_so_far() if math.isfinite(value)]
        curve = []
        if known:
            words = f"best {self.monitor} so far over {count(len(self), 'trial')}: "
            words += f"first {known[0]:.4g}, last {known[-1]:.4g}"
            curve = [_html.curve(known, words)]
        return _html.view("Search", facts, *curve, _head(table)._to_html())

    def _title(self) -> str:
        states = [trial.state for trial in self.trials]
        counts = [f"{states.count(state)} {state}" for state in STATES if state in states]
        text = f"{count(len(states), 'trial')}: {', '.join(counts)}" if states else "no trials"
        found = [trial for trial in self.trials if trial.state == "complete"]
        return text + (f"; best {self.monitor} {self.best.value:.4g}" if found else "")

    def _best_trial(self) -> Trial:
        ended = [trial for trial in self.trials if trial.state == "complete"]
        if ended:
            return min(ended, key=self._rank)
        got = "none" if not self.trials else f"{self.trials[0].state} trials alone"
        hint = next((trial.error for trial in self.trials if trial.error), None)
        raise ValueError(_checks.message("search", "have a trial that came to its end", got, hint))

    def _rank(self, trial: Trial) -> tuple[int, float, int]:
        """What a trial is sorted by: what came to an end first, then the value, the number."""
        sign = -1.0 if self.objective.direction == "maximize" else 1.0
        value = sign * trial.value
        return STATES.index(trial.state), math.inf if math.isnan(value) else value, trial.number

    def _worse(self, one: float, other: float) -> bool:
        return not math.isnan(other) and not self.objective.is_better(one, other)


def _head(table: Table) -> Table:
    """The first rows of a long table."""
    return Table(table.columns, table.rows[:_MOST_ROWS], table.title, formats=table._formats)


def _trial(trial: Any, objective: "Objective") -> Trial:
    """One of Optuna's trials."""
    attributes = trial.user_attrs
    state = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}.get(
        trial.state.name, "running"
    )
    if state == "complete" and "diverged" in attributes:
        state = "diverged"
    if state == "failed" and "error" not in attributes:
        state = "interrupted"
    reported = trial.intermediate_values
    value = math.nan
    if trial.state.name == "COMPLETE":
        value = float(trial.value)
    elif state == "pruned" and reported:
        value = float(reported[max(reported)])
    return Trial(
        trial.number,
        objective._space.settings_of(trial.params),
        value,
        state,
        tuple(attributes.get("values", ())),
        int(attributes.get("epochs", 0)),
        float(attributes.get("seconds", math.nan)),
        attributes.get("diverged", attributes.get("error", "")),
    )
