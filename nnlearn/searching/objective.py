"""What a search optimises: settings in, the value of what they train out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nnlearn import _checks
from nnlearn._settings import Names, Plan, read_plans, read_seeds
from nnlearn._shared import SharedData
from nnlearn._texts import digest
from nnlearn.callbacks import Callback, as_callbacks, name_of
from nnlearn.data import Dataset, Split
from nnlearn.history import History, is_maximised
from nnlearn.network import Network
from nnlearn.recipes._recipe_checks import check_data
from nnlearn.searching.domains import Leaf
from nnlearn.searching.space import Space

#: What settings may be judged by: what is measured on the validation set.
MONITORS = ("val_accuracy", "val_loss")

_WORD = "settings"


@dataclass(frozen=True)
class Outcome:
    """What became of one trial's settings.

    Parameters
    ----------
    values : tuple of float
        The value of each seed's network that was trained to its end.
    value : float
        Their mean; the worst value if a network diverged.
    epochs : int
        Epochs trained, of all seeds.
    seconds : float
        Seconds of training alone.
    network : Network or None
        The best of the seeds' networks.
    error : str
        How it diverged, or nothing.
    """

    values: tuple[float, ...]
    value: float
    epochs: int
    seconds: float
    network: Network | None
    error: str = ""


class Objective:
    """A function from settings to their value on the validation set, as optimisers take it.

    ::

        study.optimize(objective, n_trials=30)                                  # Optuna
        fmin(objective, objective.hyperopt_space(), tpe.suggest, max_evals=30)  # hyperopt

    Parameters
    ----------
    space : mapping of str to Range, sequence or When
        What the settings of `Network` and `Network.fit` may be, as for `search`.
    data : Dataset
        With a training and a validation set. The test set is not looked at.
    seeds : int or sequence of int, default 1
        Every trial trains a network on each; its value is the mean. An int k means 0 to k - 1.
    monitor : {None, "val_accuracy", "val_loss"}, default None
        The value. None: the accuracy, for regression the loss.
    **common
        What does not vary: further settings of `Network` and `Network.fit`.

    Attributes
    ----------
    monitor : str
        What the value is.
    direction : {"maximize", "minimize"}
        Whether more or less of it is better.
    seeds : tuple of int
        As a list.

    Raises
    ------
    TypeError, ValueError
        Before anything trains: a space that is empty or contradicts itself, a name that is no
        setting or is given twice, an end of a range or a choice that Network or fit refuse.

    See Also
    --------
    search : Runs the whole search.

    Notes
    -----
    The value is that of the network as fit leaves it: after the last epoch, or, with early
    stopping that restores them, with the parameters of the best epoch. A network that diverges
    makes the trial's value the worst there is: accuracy 0, loss infinite.

    Called with an Optuna trial, it suggests the settings, trains, and returns the value in the
    direction of the trial's study: for a study that minimises, as Optuna's do unless told, the
    error 1 - accuracy; for one that maximises, the negative loss. The first seed's value is
    reported after each epoch, and `optuna.TrialPruned` is raised where the study's pruner says so.

    Called with a mapping of settings, as hyperopt does, it returns ``{"loss": ..., "status":
    "ok", ...}``, where less is better: the error 1 - accuracy or the loss. Settings whose
    condition does not hold are left out, and whole numbers may come as floats. What lies outside
    the space is refused.

    Several threads may call it at once; each network has one thread.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(300)
    >>> objective = nn.Objective({"learning_rate": nn.loguniform(0.1, 5)}, digits,
    ...                          hidden=(20,), epochs=1)
    >>> answer = objective({"learning_rate": 0.5})
    >>> answer["status"], 0 <= answer["loss"] <= 1, objective.direction
    ('ok', True, 'maximize')
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        data: Dataset,
        *,
        seeds: int | Sequence[int] = 1,
        monitor: str | None = None,
        **common: Any,
    ) -> None:
        self._space = Space.read(space)
        self.seeds = tuple(read_seeds(seeds))
        _check_names(self._space, common)
        self._common = common
        self._shape_data = data
        self._data, self._validation = _with_validation(data)
        self._shared = SharedData()
        corners = {self._space.describe(corner): corner for corner in self._space.corners()}
        plans = read_plans(Network, corners, common, data, _WORD)
        histories: list[History] = []
        for plan in plans:  # one warning of the data is enough
            seen = (self._data, self._shared)
            warns = not histories
            histories.append(plan.check(Network, self.seeds[0], *seen, warns=warns))
        self.monitor = _monitor(monitor, histories)
        self.direction: Literal["maximize", "minimize"]
        self.direction = "maximize" if is_maximised(self.monitor) else "minimize"
        self._fewest_epochs = min(plan.epochs for plan in plans)

    def __call__(self, trial: Any) -> Any:
        """The value of an Optuna trial's settings, or hyperopt's answer for a mapping."""
        if isinstance(trial, Mapping):
            return self._answer(trial)
        if not callable(getattr(trial, "suggest_float", None)):
            requirement = "be a trial of Optuna's or a mapping of settings"
            _checks.fail(TypeError, "trial", requirement, trial)
        return self._judge(trial, self._space.suggest(trial)).value

    def __repr__(self) -> str:
        names = ", ".join(self._space.domains)
        return f"<Objective: {self.direction} {self.monitor} by {names}>"

    def hyperopt_space(self) -> dict[str, Any]:
        """The space in hyperopt's terms.

        Returns
        -------
        dict
            For the `space` of ``hyperopt.fmin``.

        Raises
        ------
        ImportError
            If hyperopt is not installed.
        """
        from nnlearn.searching.hyperopt import hyperopt_space

        return hyperopt_space(self._space)

    @property
    def worst(self) -> float:
        """The value of networks that diverge."""
        return 0.0 if self.direction == "maximize" else float("inf")

    def is_better(self, one: float, other: float) -> bool:
        """Whether one value is better than another.

        Parameters
        ----------
        one, other : float
            Values of `monitor`.

        Returns
        -------
        bool
            False where they are equal.
        """
        return one > other if self.direction == "maximize" else one < other

    def _identity(self) -> dict[str, str]:
        """What else makes two searches the same: seeds, value, data."""
        words = {"seeds": str(self.seeds), "monitor": repr(self.monitor)}
        for name, part in (("training", self._data.train), ("validation", self._validation)):
            words |= {f"{name} x": digest(part.x), f"{name} y": digest(part.y)}
        return words

    def _judge(
        self,
        trial: Any,
        settings: Mapping[str, Any],
        attend: Callback | None = None,
        halted: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Train for an Optuna trial and write into it what became of it.

        attend: a callback of all its fits. halted: whether to give up, which raises `Halted`.
        Values are in the direction of the trial's study.
        """
        from optuna import TrialPruned

        turned = _is_turned(trial, self.direction)
        report = _Report(trial, self.monitor, turned)
        outcome = self._train(settings, report, attend, halted)
        trial.set_user_attr("epochs", outcome.epochs)
        trial.set_user_attr("seconds", outcome.seconds)
        trial.set_user_attr("values", list(outcome.values))
        if report.prunes:
            raise TrialPruned(f"pruned after epoch {outcome.epochs}")
        if outcome.error:
            trial.set_user_attr("diverged", outcome.error)
        return replace(outcome, value=_turn(outcome.value, self.monitor)) if turned else outcome

    def _train(
        self,
        settings: Mapping[str, Any],
        report: "_Report | None" = None,
        attend: Callback | None = None,
        halted: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Train a network on each seed; only the first is reported, and may be pruned."""
        plan = self._plan(settings)
        if report is not None:
            report.n_epochs = plan.epochs
        done: list[tuple[float, Network]] = []
        epochs, seconds, error = 0, 0.0, ""
        for seed in self.seeds:
            callbacks = [c for c in (report if not epochs else None, attend) if c is not None]
            network = plan.make(Network, seed)
            try:
                self._fit(plan, network, callbacks)
            except FloatingPointError as divergence:
                if not network.history.stop_reason.startswith("diverged"):
                    raise  # a callback's error
                error = str(divergence)
            if halted():
                raise Halted
            epochs += len(network.history)
            seconds += float(network.history["seconds"].sum()) if len(network.history) else 0.0
            if error or (report is not None and report.prunes):
                break
            done.append((self._value(network), network))
        values = tuple(value for value, _ in done)
        if any(map(math.isnan, values)):
            error = f"{self.monitor} became NaN"
        if error or not values:
            return Outcome(values, self.worst, epochs, seconds, None, error)
        pick = max if self.direction == "maximize" else min
        best = done[values.index(pick(values))][1]
        return Outcome(values, sum(values) / len(values), epochs, seconds, best)

    def _fit(self, plan: Plan, network: Network, callbacks: Sequence[Callback]) -> History:
        """Train one network on the data that all share."""
        own = as_callbacks(plan.fit.get("callbacks", ()))
        fit = {**plan.fit, "callbacks": [*own, *callbacks]}
        network._shared, network._warns = self._shared, False
        sets = {"val": self._validation}
        return network.fit(self._data.train, validation=sets, verbose=0, **fit)

    def _retrained(self, settings: Mapping[str, Any], index: int) -> Network:
        """The network of the index-th seed once more: the same bits."""
        plan = self._plan(settings)
        network = plan.make(Network, self.seeds[index])
        self._fit(plan, network, ())
        return network

    def _plan(self, settings: Mapping[str, Any]) -> Plan:
        variant = {self._space.describe(settings): settings}
        return read_plans(Network, variant, self._common, self._shape_data, _WORD)[0]

    def _value(self, network: Network) -> float:
        """The value of the network as it is."""
        measure = network.accuracy if self.monitor == "val_accuracy" else network.loss
        return float(measure(self._validation))

    def _answer(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What hyperopt wants to know."""
        outcome = self._train(self._read(settings))
        loss = outcome.value if self.direction == "minimize" else 1.0 - outcome.value
        answer = {"loss": loss, "status": "ok", "values": list(outcome.values)}
        answer |= {"epochs": outcome.epochs, "seconds": outcome.seconds}
        return answer | ({"diverged": outcome.error} if outcome.error else {})

    def _read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that another library gives, without those whose condition fails."""
        names = ", ".join(repr(name) for name in self._space.domains)
        for name in given:
            if name not in self._space.domains:
                _checks.fail(ValueError, _WORD, f"be those of the space ({names})", name)

        def pick(name: str, key: str, leaf: Leaf) -> Any:
            if name not in given:
                _checks.fail(ValueError, _WORD, f"give {name!r}", dict(given))
            try:
                return leaf.take(given[name])
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name}: {error}") from None

        return self._space.choose(pick)


class Halted(Exception):
    """The search has been ended while a trial trained."""


class _Report(Callback):
    """Tells a trial the value after each epoch, and ends the fit when it is pruned.

    After the last epoch, or where something else ends the fit, nothing is pruned any more.
    """

    def __init__(self, trial: Any, monitor: str, turned: bool) -> None:
        self.prunes = False
        self.n_epochs: int | None = None  # of the fit
        self._trial, self._monitor, self._turned = trial, monitor, turned

    def on_epoch_end(self, net: Network, history: History) -> bool:
        """Report and ask."""
        value = history._last[self._monitor]
        if value != value:  # not evaluated
            return False
        self._trial.report(_turn(value, self._monitor) if self._turned else value, len(history))
        self.prunes = len(history) != self.n_epochs and bool(self._trial.should_prune())
        return self.prunes

    def on_fit_end(self, net: Network, history: History) -> None:
        """Take it back where early stopping, say, ended the fit at the same epoch."""
        own = f"callback {name_of(self)} returned True"
        self.prunes = self.prunes and history.stop_reason.startswith(own)


def _is_turned(trial: Any, direction: str) -> bool:
    """Whether the trial's study goes the other way."""
    study = getattr(trial, "study", None)  # an optuna.trial.FixedTrial has none
    return study is not None and study.direction.name.lower() != direction


def _turn(value: float, monitor: str) -> float:
    """A value for a study of the other direction."""
    return 1.0 - value if is_maximised(monitor) else -value


def _check_names(space: Space, common: Mapping[str, Any]) -> None:
    """Refuse names that are no settings, and those that are given twice."""
    known = Names.of(Network)
    known.check("the settings of the space", space.domains)
    known.check("the common settings", common)
    shapes = {"layers", "hidden"}
    for name in space.domains:
        twice = name in common or (name in shapes and shapes & common.keys())
        if twice:
            got = f"{name} there and {name if name in common else 'the other'} among the common"
            requirement = "hold settings that are not given beside it too"
            raise ValueError(_checks.message("space", requirement, got))
    if shapes <= space.domains.keys():
        got = "both"
        raise ValueError(_checks.message("space", "hold either layers or hidden", got))


def _with_validation(data: Any) -> tuple[Dataset, Split]:
    """The data without the test set; and the validation set, which there must be."""
    validation = check_data(data)
    return Dataset(data.train, validation), validation


def _monitor(monitor: str | None, histories: Sequence[History]) -> str:
    """The value that all of the networks have."""
    recorded = [name for name in MONITORS if all(name in history for history in histories)]
    if monitor is None:
        return recorded[0]
    _checks.choice("monitor", monitor, MONITORS)
    if monitor not in recorded:
        _checks.fail(ValueError, "monitor", "be 'val_loss' for regression", monitor)
    return monitor
