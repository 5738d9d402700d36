"""Settings of many networks: told apart by the signatures of Network and fit, and checked.

Whatever makes several networks from mappings of settings reads them here, so that a wrong name or
value is found before anything trains.
"""

import difflib
import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn import _checks, schedules
from nnlearn._fit_settings import FOREIGN
from nnlearn._shared import SharedData
from nnlearn.callbacks import as_callbacks
from nnlearn.checkpoints import Checkpoint
from nnlearn.data import Dataset, Split, check_dataset
from nnlearn.history import History
from nnlearn.layers import Dense
from nnlearn.network import Network

#: Names of Network and fit that are decided here, and what to use in their place.
_DECIDED = {
    "seed": "give seeds",
    "n_threads": "give n_jobs, every network has one thread",
    "validation": "the validation part of data is used",
    "resume": "every run begins anew",
    "verbose": "it is for all variants together",
}


#: What else the number of networks at once is called.
_JOBS = ("jobs", "n_workers", "workers", "num_workers", "processes")


@dataclass(frozen=True)
class Plan:
    """One variant's settings, told apart: a list of layers, those of Network, those of fit."""

    name: str
    layers: Any
    network: dict[str, Any]
    fit: dict[str, Any]
    word: str = "variant"  # what messages call it

    @property
    def epochs(self) -> int:
        """How many epochs fit trains at most; TypeError or ValueError as fit."""
        ends_early = self.fit.get("early_stopping") is not None
        return schedules.resolve(self.fit.get("schedule"), self.fit.get("epochs"), ends_early)[1]

    def make(self, kind: type[Network], seed: int) -> Network:
        """A new network of this variant, with one thread."""
        return kind(self.layers, **self.network, seed=seed, n_threads=1)

    def check(
        self,
        kind: type[Network],
        seed: int,
        data: Dataset,
        shared: SharedData | None = None,
        *,
        warns: bool = True,
    ) -> History:
        """Let Network and fit look at the settings and the data, without training.

        shared: where the core's form of the data may be already. warns: whether fit may warn of
        the data. Returns the history, with its columns and no epoch. Raises TypeError or
        ValueError with the variant's name in front of the message.
        """
        try:
            _ = self.epochs
            for callback in as_callbacks(self.fit.get("callbacks", ())):
                if isinstance(callback, Checkpoint):
                    requirement = "hold no Checkpoint, as every run would write the same file"
                    _checks.fail(ValueError, "callbacks", requirement, callback)
            settings = {**self.fit, "epochs": 0, "callbacks": ()}
            network = self.make(kind, seed)
            network._shared = shared
            network._warns = warns
            sets = evaluated_sets(data)
            return network.fit(data.train, validation=sets, verbose=0, **settings)
        except (TypeError, ValueError) as error:
            raise named(error, f"{self.word} {self.name!r}") from None


def read_plans(
    kind: type[Network],
    variants: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    data: Dataset,
    word: str = "variant",
) -> list[Plan]:
    """All variants' settings: every name known, every list of layers complete.

    word: what messages call a variant.
    """
    check_dataset(data)
    if not isinstance(variants, Mapping):
        hint = "{name: settings} or vary(...)"
        _checks.fail(TypeError, "variants", "be a mapping", variants, hint)
    if not variants:
        _checks.fail(ValueError, "variants", "hold at least one variant", variants)
    known = Names.of(kind)
    known.check("the settings of all variants", common)
    plans = []
    for name, own in variants.items():
        if not isinstance(name, str):
            _checks.fail(TypeError, f"the name of a {word}", "be text", name)
        if not isinstance(own, Mapping):
            _checks.fail(TypeError, f"{word} {name!r}", "be a mapping of settings", own)
        known.check(f"the settings of {word} {name!r}", own)
        plans.append(_plan(name, known, common, own, data, word))
    return plans


@dataclass(frozen=True)
class Names:
    """The names of the settings of Network and of fit."""

    network: tuple[str, ...]
    fit: tuple[str, ...]

    @classmethod
    def of(cls, kind: type[Network]) -> "Names":
        """Read from the signatures, so that they can never differ from them."""
        return cls(_keywords(kind.__init__), _keywords(kind.fit))

    def check(self, where: str, settings: Mapping[str, Any]) -> None:
        """Refuse what is no setting, naming the nearest one, and what is decided elsewhere."""
        known = {"layers", "hidden", *self.network, *self.fit} - _DECIDED.keys()
        for name in settings:
            if name in known:
                continue
            _checks.fail(TypeError, where, "be those of Network and fit", name, _hint(name, known))


def _hint(name: Any, known: Iterable[str]) -> str | None:
    """What to use in place of an unknown name: by what it means elsewhere, else by spelling."""
    hint = FOREIGN.get(name, "")
    for decided, instead in _DECIDED.items():
        if name == decided or f"use {decided}=" in hint:
            return instead
    if name in _JOBS:
        return "use n_jobs="
    near = difflib.get_close_matches(str(name), sorted(known), n=1, cutoff=0.5)
    return hint or (f"did you mean {near[0]!r}?" if near else None)


def _keywords(function: Any) -> tuple[str, ...]:
    """The names of the keyword-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def _plan(
    name: str,
    known: Names,
    common: Mapping[str, Any],
    own: Mapping[str, Any],
    data: Dataset,
    word: str,
) -> Plan:
    """One variant: its own settings over the common ones."""
    if "layers" in own or "hidden" in own:
        common = {key: value for key, value in common.items() if key not in ("layers", "hidden")}
    settings = {**common, **own}
    layers, hidden = settings.pop("layers", None), settings.pop("hidden", None)
    if (layers is None) == (hidden is None):
        got = "neither" if layers is None else "both"
        raise TypeError(f"{word} {name!r} must have either layers or hidden, got {got}")
    given, value = ("layers", layers) if hidden is None else ("hidden", hidden)
    if isinstance(value, str) or not isinstance(value, (Iterable, int, np.integer)):
        _checks.fail(TypeError, f"{word} {name!r}: {given}", "be a sequence of layers", value)
    network = {key: settings.pop(key) for key in known.network if key in settings}
    layers = layers_around(hidden, data) if layers is None else layers
    return Plan(name, layers, network, settings, word)


def layers_around(hidden: Any, data: Dataset) -> list[Any]:
    """The layers for these hidden ones: inputs and outputs are those of the data.

    An int stands for one hidden layer. Labels make an output for each class, float targets (n, k)
    k outputs, linear ones where some target is outside [0, 1], and float targets (n,) one linear
    output.
    """
    inner = [hidden] if isinstance(hidden, (int, np.integer)) else list(hidden)
    y = np.asarray(data.train.y)
    n_inputs = math.prod(data.train.x.shape[1:])
    if y.ndim > 1:
        fits = y.dtype.kind != "f" or (y.min(initial=0.0) >= 0.0 and y.max(initial=1.0) <= 1.0)
        outputs = y.shape[1] if fits else Dense(y.shape[1], activation="linear")
        return [n_inputs, *inner, outputs]
    if y.dtype.kind == "f":
        return [n_inputs, *inner, Dense(1, activation="linear")]
    parts = [part for part in (data.train, data.validation, data.test) if part is not None]
    n_classes = 1 + max(int(np.max(part.y)) for part in parts if len(part))
    return [n_inputs, *inner, max(n_classes, len(data.class_names or ()))]


def read_seeds(seeds: Any) -> list[int]:
    """The seeds as a list: 0 to k - 1 for an int k, a sequence as it is."""
    if isinstance(seeds, (int, np.integer)):
        return list(range(_checks.integer("seeds", seeds, minimum=1)))
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        _checks.fail(TypeError, "seeds", "be an integer or a sequence of integers", seeds)
    chosen = [_checks.integer("a seed", seed, minimum=0) for seed in seeds]
    if not chosen:
        _checks.fail(ValueError, "seeds", "hold at least one seed", seeds)
    if len(set(chosen)) < len(chosen):
        _checks.fail(ValueError, "seeds", "differ from each other", seeds)
    return chosen


def evaluated_sets(data: Dataset) -> dict[str, Split] | None:
    """What is evaluated after each epoch, by the names of its columns: the sets that there are."""
    sets = {"val": data.validation, "test": data.test}
    return {name: part for name, part in sets.items() if part is not None} or None


def named(error: BaseException, where: str) -> BaseException:
    """The error with `where` in front of its message. Its kind stays, unless it has no message."""
    if len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (f"{where}: {error.args[0]}",)
        return error
    wrapped = RuntimeError(f"{where}: {type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
