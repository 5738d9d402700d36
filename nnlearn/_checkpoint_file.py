"""The files of `Checkpoint`: a saved network (`files`), and beside it the state of its fit.

The metadata have one more key, "fit", and there are more tensors: the optimiser's state as
"optimizer.0.dense1.weight", ..., the best parameters as "best.dense1.weight", ..., and "fit.start",
the columns evaluated before training. The history of the file is that of the network's life with
the fit's epochs in it; schedule and early stopping are worked out from its rows when a fit goes on.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core, _tensor_file, files
from nnlearn._fit_settings import Settings
from nnlearn._texts import digest, text_of
from nnlearn._whole_file import opened, refuse, replace_file
from nnlearn.history import History
from nnlearn.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from nnlearn._fit_data import Sets
    from nnlearn.network import Network
    from nnlearn.training import Run

Array = npt.NDArray[Any]

#: Settings that need not be those of the file: how long, how fast, what is shown, and when.
_FREE = (
    "callbacks",
    "epochs",
    "n_threads",
    "reset_optimizer",
    "resume",
    "seed_given",
    "verbose",
)

_START = files.FIT_START
_FIT: Mapping[str, Any] = {
    "best": bool,
    "columns": list,
    "n_rows": dict,
    "optimizer": str,
    "past_columns": list,
    "past_prepare_seconds": float,
    "prepare_seconds": float,
    "rows": int,
    "settings": dict,
    "slots": list,
    "start": (type(None), list),
    "steps": int,
}


@dataclass(frozen=True)
class Resumed:
    """What a file says of a fit, made ready for a network."""

    path: str
    settings: dict[str, str]  # by name, as they read
    seed: int  # of the fit
    n_rows: dict[str, int]  # of each set
    past: History  # of the network before the fit
    history: History  # of the fit
    n_steps: int  # of an epoch
    counters: tuple[int, int]  # before the fit
    best: list[Array] | None
    trainer: _core.Trainer  # with the optimiser's state
    _state: dict[str, Any]  # the network's

    def check(self, run: Run, sets: Sets) -> None:
        """Refuse settings or data that are not those of the file, naming the difference."""
        n_rows = _sizes(sets, run.settings)
        if n_rows.keys() != self.n_rows.keys():
            self._refuse("the evaluated sets", f"be {_names(self.n_rows)}", _names(n_rows))
        for name, n in n_rows.items():
            if n != self.n_rows[name]:
                what = "the training data" if name == "training" else f"the set {name!r}"
                self._refuse(what, f"have {self.n_rows[name]:,} rows", f"{n:,}")
        now = _texts(run)
        for name in sorted(now.keys() | self.settings.keys()):
            then = self.settings.get(name, "nothing")
            if now.get(name) != then:
                self._refuse(name, f"be {then}", now.get(name, "nothing"))

    def check_rate(self, epoch: int, rate: float) -> None:
        """Refuse a schedule that gives another learning rate for an epoch that is done."""
        then = float(self.history["learning_rate"][epoch - 1])
        if rate != then:
            requirement = f"give a learning rate of {then!r} for epoch {epoch}"
            self._refuse("schedule", requirement, repr(rate))

    def _refuse(self, name: str, requirement: str, got: str) -> None:
        requirement += f", as in the file {self.path!r} that is resumed"
        raise ValueError(_checks.message(name, requirement, got))

    def apply(self, net: Network) -> None:
        """Make the network what it was when the file was written, its history what it was before
        the fit."""
        state = self._state
        net._core.assign(list(state["parameters"].values()), None)
        net._core.counters = state["counters"]
        net._trainer, net._seed = self.trainer, state["seed"]
        net._input_scale = state["input_scale"]
        vars(net.history).update(vars(self.past._again()))


# ---- writing ------------------------------------------------------------------------------------


def write(run: Run, path: str | os.PathLike[str]) -> None:
    """Write network and fit as they are after an epoch."""
    net = run.net
    state = net.__getstate__()
    whole = run.past._again()
    whole._extend(run.recorded())
    state["history"] = whole
    best = None if run.stopper is None else run.stopper.parameters
    name, slots = state["optimizer"]
    history = run.history
    fit = {
        "best": best is not None,
        "columns": list(history.columns),
        "n_rows": _sizes(run.sets, run.settings),
        "optimizer": name,
        "past_columns": list(run.past.columns),
        "past_prepare_seconds": float(run.past.prepare_seconds),
        "prepare_seconds": float(history.prepare_seconds),
        "rows": len(history),
        "settings": _texts(run),
        "slots": [slot is not None for slot in slots],
        "start": None if history.start is None else list(history.start),
        "steps": run.n_steps,
    }
    tensors, metadata = files.document(state)
    start = [] if history.start is None else list(history.start.values())
    tensors[_START] = np.array(start, np.float64)
    for i, slot in enumerate(slots):
        tensors |= _named(f"optimizer.{i}.", net._names, slot)
    tensors |= _named("best.", net._names, best)
    replace_file(path, _tensor_file.pack(tensors, {**metadata, "fit": fit}, version=2))


def _named(prefix: str, names: list[str], arrays: list[Array] | None) -> dict[str, Array]:
    if arrays is None:
        return {}
    return {prefix + name: array for name, array in zip(names, arrays, strict=True)}


def _sizes(sets: Sets, settings: Settings) -> dict[str, int]:
    """The rows of each set by its name."""
    itself = "train" if settings.evaluate_train else None
    held = {name: data.n_rows for name, data in sets.evaluated.items() if name != itself}
    return {"training": sets.train.n_rows, **held}


def _names(n_rows: Mapping[str, int]) -> str:
    return ", ".join(name for name in n_rows if name != "training") or "none"


def _texts(run: Run) -> dict[str, str]:
    """The settings that a resumed fit must share, as they read; arrays by a digest."""
    fields = [field.name for field in dataclasses.fields(run.settings)]
    texts = {name: text_of(getattr(run.settings, name)) for name in fields if name not in _FREE}
    return {**texts, "sample_weight": digest(run.sample_weight), "y": digest(run.y)}


# ---- reading ------------------------------------------------------------------------------------


def read(path: str, net: Network) -> Resumed:
    """The fit that a file holds, for this network, which stays as it is.

    Raises ValueError for a file that is damaged, of another tool, of another architecture, or of a
    network alone; OSError where it cannot be read.
    """
    with opened(path) as (file, size):
        state, fit, tensors = files.read(file, size)
        if fit is None:
            hint = "nn.load reads it, and its fit begins anew"
            refuse("be one that Checkpoint wrote", "a saved network", hint)
        _check_network(net, state)
        try:
            return _resumed(path, net, state, fit, tensors)
        except (TypeError, ValueError) as error:
            refuse("describe a fit", f"one of which this is said: {error}")


def fit_tensors(fit: Any, shapes: files.Shapes, dtype: str) -> dict[str, Any]:
    """The tensors that a file has beside those of the network: dtype and shape by name.

    Raises TypeError or ValueError where "fit" is not what `write` writes.
    """
    files._fields("fit", fit, _FIT)
    for key in ("rows", "steps"):
        _checks.integer(key, fit[key], minimum=0, maximum=2**63)
    for key in ("past_prepare_seconds", "prepare_seconds"):
        _checks.real(key, fit[key], minimum=0.0)
    for key in ("columns", "past_columns", "start"):
        names = fit[key] or []
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            _checks.fail(ValueError, key, "be different names", names)
    if not all(isinstance(kept, bool) for kept in fit["slots"]) or len(fit["slots"]) > 8:
        _checks.fail(ValueError, "slots", "be true or false", fit["slots"])
    _checks.choice("optimizer", fit["optimizer"], OPTIMIZERS)
    if not all(isinstance(text, str) for text in fit["settings"].values()):
        _checks.fail(TypeError, "settings", "be texts", fit["settings"])
    for name, n in fit["n_rows"].items():
        _checks.integer(f"the rows of {name}", n, minimum=1)
    prefixes = [f"optimizer.{i}." for i, kept in enumerate(fit["slots"]) if kept]
    prefixes += ["best."] if fit["best"] else []
    wanted = {
        prefix + name: (np.dtype(dtype), shape)
        for prefix in prefixes
        for name, shape in shapes.items()
    }
    return {**wanted, _START: (np.dtype("float64"), (len(fit["start"] or []),))}


def _check_network(net: Network, state: dict[str, Any]) -> None:
    """Refuse a file of another architecture or precision, naming the first difference."""
    saved, own = state["architecture"], net._architecture
    layers = zip(own.layers, saved.layers, strict=False)  # as many, or that is the difference
    differences = [
        ("input shape", own.input_shape, saved.input_shape),
        ("number of layers", len(own.layers), len(saved.layers)),
        *((f"layer {i}", *pair) for i, pair in enumerate(layers, 1)),
        ("cost", own.cost, saved.cost),
        ("dtype", net.dtype.name, state["dtype"]),
    ]
    for what, wanted, found in differences:
        if wanted != found:
            refuse(f"hold a network whose {what} is {wanted!r}, as this one's", f"{found!r}")


def _resumed(
    path: str,
    net: Network,
    state: dict[str, Any],
    fit: dict[str, Any],
    tensors: Mapping[str, Array],
) -> Resumed:
    names, whole = net._names, state["history"]
    n, steps = fit["rows"], fit["rows"] * fit["steps"]
    epochs_now, steps_now = state["counters"]
    if n > min(len(whole), epochs_now) or steps > min(whole.step_loss.size, steps_now):
        _checks.fail(ValueError, "rows", f"be at most the {len(whole)} of the history", n)
    first, first_step = len(whole) - n, whole.step_loss.size - steps
    past = _part(whole, fit["past_columns"], slice(0, first), slice(0, first_step))
    past.start, past.prepare_seconds = whole.start, fit["past_prepare_seconds"]
    history = _part(whole, fit["columns"], slice(first, None), slice(first_step, None))
    history.prepare_seconds = fit["prepare_seconds"]
    if fit["start"] is not None:
        history.start = dict(zip(fit["start"], tensors[_START].tolist(), strict=True))
    slots = [
        _arrays(tensors, f"optimizer.{i}.", names, net.dtype) if kept else None
        for i, kept in enumerate(fit["slots"])
    ]
    trainer = net._core_module.Trainer(net._core)
    trainer.set_state(fit["optimizer"], slots)
    return Resumed(
        path=path,
        settings=fit["settings"],
        seed=_checks.seed(int(fit["settings"]["seed"])),
        n_rows=fit["n_rows"],
        past=past,
        history=history,
        n_steps=fit["steps"],
        counters=(epochs_now - n, steps_now - steps),
        best=_arrays(tensors, "best.", names, net.dtype) if fit["best"] else None,
        trainer=trainer,
        _state=state,
    )


def _part(whole: History, columns: list[str], rows: slice, steps: slice) -> History:
    """Some rows of a history, with the columns that they had."""
    foreign = [name for name in columns if name not in whole.columns]
    if foreign or columns[:1] != ["epoch"]:
        _checks.fail(ValueError, "columns", "begin with 'epoch' and be of the history", columns)
    part = History(columns)
    values = [whole[name][rows] for name in columns]
    for row in zip(*values, strict=True):
        part._append(dict(zip(columns, row, strict=True)))
    part.step_loss = whole.step_loss[steps].copy()
    return part


def _arrays(
    tensors: Mapping[str, Array], prefix: str, names: list[str], dtype: np.dtype[Any]
) -> list[Array]:
    return [np.array(tensors[prefix + name], dtype) for name in names]
