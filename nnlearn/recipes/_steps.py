"""What the steps of a strategy leave behind: what each tried, and what it chose and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnlearn.recipes.penalties import Measure, PenaltyTrial
from nnlearn.tables import Table, count

#: The heads of the settings in a table, where they are not their names.
_HEADS = {"learning_rate": "learning rate", "batch_size": "batch size"}


@dataclass(frozen=True)
class Trial(PenaltyTrial):
    """Some settings that were tried, and how well the validation set was predicted.

    Parameters
    ----------
    batch_size : int
        As fit had it. The penalty is that for all training samples.
    n_samples : int
        How many of them were trained on.
    n_epochs : int
        For how many epochs.
    ended : float
        Seconds from the very beginning until it ended.
    seconds : float
        How long it took, all seeds together.
    note : str
        What else is to be said of it.
    """

    batch_size: int = 10
    n_samples: int = 0
    n_epochs: int = 0
    ended: float = 0.0
    seconds: float = 0.0
    note: str = ""


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


@dataclass(frozen=True)
class Step:
    """One step of a strategy.

    Parameters
    ----------
    name : str
        In a word or two.
    question : str
        What it was to answer.
    tried : Table
        What was tried, a row each; empty where time allowed nothing.
    chosen : mapping of str to object
        The settings chosen here.
    why : str
        What was chosen and why, in sentences.
    seconds : float
        How long it took.
    best : float
        The best validation accuracy in [0, 1] of what was tried (regression: the least loss); NaN
        where nothing was.
    limited : bool
        Whether the clock decided something here.
    trials : tuple of Trial
        The same as `tried`, as numbers.
    """

    name: str
    question: str
    tried: Table
    chosen: Mapping[str, Any]
    why: str
    seconds: float
    best: float
    limited: bool = False
    trials: tuple[Trial, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        took = f"{self.name}, {self.seconds:.1f} s. {self.question}"
        return "\n".join([took, *([str(self.tried)] if len(self.tried) else []), self.why])


def table_of(trials: Sequence[Trial], measure: Measure, *names: str) -> Table:
    """The trials, a row each, by the settings in which they differ."""
    unit = "%" if measure.is_accuracy else "loss"
    notes = any(trial.note or trial.diverged for trial in trials)
    rows = [
        (
            *(getattr(trial, name) for name in names),
            measure.scaled(trial.mean),
            trial.epoch,
            trial.loss,
            trial.seconds,
            trial.note or ("diverges" if trial.diverged else ""),
        )
        for trial in sorted(trials, key=lambda trial: [getattr(trial, name) for name in names])
    ]
    heads = [_HEADS.get(name, name) for name in names]
    formats = dict.fromkeys(heads, "g") | {"at epoch": ".1f", "s": ".2f"}
    formats |= {f"best {unit}": ".2f"} if measure.is_accuracy else {}
    columns = [*heads, f"best {unit}", "at epoch", "least loss", "s", "note"]
    table = Table(columns, rows, _title(trials, measure), formats=formats)
    unwanted = [] if measure.is_accuracy else ["least loss"]
    return table._without(*unwanted, *([] if notes else ["note"]))


def _title(trials: Sequence[Trial], measure: Measure) -> str:
    if not trials:
        return ""
    first = trials[-1]
    seeds = max(len(trial.best) for trial in trials)
    what = measure.words.capitalize()
    mean = f", means of {count(seeds, 'seed')}" if seeds > 1 else ""
    epochs = count(first.n_epochs, "epoch")
    return f"{what}: {count(first.n_samples, 'training sample')}, {epochs}{mean}"
