"""`Network.fit`: settings checked, then the loop over epochs, which Python owns."""

from __future__ import annotations

import difflib
import inspect
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nnlearn import _arrays, _checks, _core, _sparse, optimizers
from nnlearn._holdout import hold_out, share, shuffled
from nnlearn._shared import SharedData
from nnlearn.callbacks import Callback, as_callbacks, is_true, name_of
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.progress import Progress, check_verbose, make_progress

if TYPE_CHECKING:
    from nnlearn.network import Network

#: Epochs when none are given.
DEFAULT_EPOCHS = 30

#: Names that other libraries use, and the hint for each.
FOREIGN: Mapping[str, str] = {
    "validation_data": "use validation=",
    "validation_split": "use validation=0.1",
    "eval_set": "use validation=",
    "lr": "use learning_rate=",
    "eta": "use learning_rate=",
    "learning_rate_init": "use learning_rate=",
    "lmbda": "use l2=",
    "reg": "use l2=, which is divided by the number of samples",
    "alpha": "use l2=",
    "weight_decay": "use l2=, which is divided by the number of samples",
    "mini_batch_size": "use batch_size=",
    "n_epochs": "use epochs=",
    "nb_epoch": "use epochs=",
    "num_epochs": "use epochs=",
    "max_iter": "use epochs=",
    "hidden_layer_sizes": "layers are given to Network",
    "layers": "layers are given to Network",
    "activation": "it is given to Network",
    "cost": "it is given to Network",
    "loss": "the cost function is given to Network as cost=",
    "init": "it is given to Network",
    "dropout": "it is given to Network",
    "dtype": "it is given to Network",
    "solver": "use optimizer=",
    "random_state": "use seed=",
    "nesterov": "use optimizer=SGD(learning_rate, momentum, nesterov=True)",
    "metrics": "accuracy and loss are always recorded",
    "evaluation_data": "use validation=",
    "monitor_evaluation_accuracy": "validation= records val_accuracy",
    "monitor_evaluation_cost": "validation= records val_loss",
    "monitor_training_accuracy": "use evaluate_train=True",
    "monitor_training_cost": "use evaluate_train=True",
}


@dataclass(frozen=True)
class Settings:
    """The settings of a fit, checked."""

    epochs: int
    batch_size: int
    optimizer: optimizers.SGD
    l1: float
    l2: float
    penalize_biases: bool
    evaluate_train: bool
    evaluate_first: bool
    evaluate_every: int
    sparse: bool | None
    callbacks: tuple[Callback, ...]
    shuffle: bool
    seed: int
    reset_optimizer: bool
    n_threads: int | None
    verbose: int | None

    @classmethod
    def checked(cls, net: Network, **given: Any) -> Settings:
        """Check everything that does not depend on the data."""
        _refuse_unknown(net, given["unknown"])
        seed, epochs = given["seed"], given["epochs"]
        n_threads = given["n_threads"]
        return cls(
            epochs=DEFAULT_EPOCHS
            if epochs is None
            else _checks.integer("epochs", epochs, minimum=0),
            batch_size=_checks.integer("batch_size", given["batch_size"], minimum=1),
            optimizer=optimizers.resolve(
                given["optimizer"], given["learning_rate"], given["momentum"]
            ),
            l1=_checks.real("l1", given["l1"], minimum=0.0),
            l2=_checks.real("l2", given["l2"], minimum=0.0),
            penalize_biases=_checks.boolean("penalize_biases", given["penalize_biases"]),
            evaluate_train=_checks.boolean("evaluate_train", given["evaluate_train"]),
            evaluate_first=_checks.boolean("evaluate_first", given["evaluate_first"]),
            evaluate_every=_checks.integer("evaluate_every", given["evaluate_every"], minimum=1),
            sparse=_checked_sparse(net, given["sparse"]),
            callbacks=tuple(as_callbacks(given["callbacks"])),
            shuffle=_checks.boolean("shuffle", given["shuffle"]),
            seed=net.seed if seed is None else _checks.seed(seed),
            reset_optimizer=_checks.boolean("reset_optimizer", given["reset_optimizer"]),
            n_threads=None
            if n_threads is None
            else _checks.integer("n_threads", n_threads, minimum=1),
            verbose=check_verbose(given["verbose"]),
        )


def _checked_sparse(net: Network, value: Any) -> bool | None:
    if value is None:
        return None
    sparse = _checks.boolean("sparse", value)
    if sparse and not _sparse.starts_dense(net._architecture):
        first = type(net.layers[0]).__name__
        _checks.fail(ValueError, "sparse", f"be None or False before a {first} layer", value)
    return sparse


def _refuse_unknown(net: Network, unknown: Mapping[str, Any]) -> None:
    """Raise TypeError for a setting that fit has not, with its name here or the nearest one."""
    for name, value in unknown.items():
        hint = FOREIGN.get(name)
        if hint is None:
            known = [p for p in inspect.signature(net.fit).parameters if p != "unknown"]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else None
        got = f"{name}={_checks.show(value)}"
        raise TypeError(_checks.message("fit", "be given settings that it has", got, hint))


def fit(
    net: Network, x: Any, y: Any, validation: Any, sample_weight: Any, settings: Settings
) -> History:
    """Train the network; see `Network.fit`."""
    run = _Run(net, settings)

    def body() -> History:
        began = time.perf_counter()
        shared, net._shared = net._shared, None  # not for what callbacks evaluate
        sets = _Sets.prepared(net, x, y, validation, sample_weight, settings, shared)
        run.begin(sets, time.perf_counter() - began)
        run.train()
        return run.history

    return net._core.claimed(body, run.settle)


# ---- data ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sets:
    """The core's data: the training set, and those evaluated after an epoch by name."""

    train: _core.Data
    evaluated: dict[str, _core.Data]
    scale: float | None  # 255 for training inputs of uint8

    @classmethod
    def prepared(
        cls,
        net: Network,
        x: Any,
        y: Any,
        validation: Any,
        sample_weight: Any,
        settings: Settings,
        shared: SharedData | None,
    ) -> _Sets:
        """Convert and check all sets; hold out a share where `validation` is one."""
        x, y = _arrays.unpack(x, y)
        sets: dict[str, tuple[Any, Any]] = {}
        is_share = isinstance(validation, (float, np.floating))
        sparse = settings.sparse
        train = net._labelled(
            x,
            y,
            sample_weight=sample_weight,
            fit=True,
            shared=shared,
            sparse=not is_share and sparse,  # of a share's rest below
        )
        dtype = x.dtype if train.x is None else train.x.dtype
        if is_share:
            fraction = _checks.real("validation", validation, above=0.0, below=1.0)
            rows = _arrays.inputs(x, net._architecture, net.dtype) if train.x is None else train.x
            *kept, sets["val"] = _held_out(net, rows, y, sample_weight, fraction, settings.seed)
            train = net._labelled(
                kept[0], kept[1], sample_weight=kept[2], fit=True, scan=False, sparse=sparse
            )
        elif validation is not None:
            sets = _named_sets(validation, settings.evaluate_train)
        scale = 255.0 if dtype == np.uint8 else None
        evaluated = {}
        for name, (held_x, held_y) in sets.items():
            title = "validation" if name == "val" else name
            evaluated[name] = net._labelled(
                held_x,
                held_y,
                names=(f"{title} x", f"{title} y"),
                scale=scale,
                fit=True,
                scan=not is_share,  # a share was scanned as a part of the whole
                shared=None if is_share else shared,
                sparse=sparse,
            )
        if settings.evaluate_train:
            evaluated["train"] = train
        return cls(train, evaluated, scale)


def _named_sets(validation: Any, has_train: bool) -> dict[str, tuple[Any, Any]]:
    """The sets that `validation` names, as pairs of x and y."""
    if not isinstance(validation, Mapping):
        return {"val": _pair("validation", validation)}
    sets = {}
    for name, value in validation.items():
        if not isinstance(name, str) or not name:
            _checks.fail(TypeError, "validation", "be a mapping of names to sets", name)
        if name == "train" and has_train:
            _checks.fail(ValueError, "validation", "leave the name 'train' to evaluate_train", name)
        sets[name] = _pair(f"validation[{name!r}]", value)
    return sets


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    if isinstance(value, Split):
        return value.x, value.y
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return value[0], value[1]
    requirement = "be a Split, a pair (x, y), a share in (0, 1) or a mapping of names to sets"
    hint = "use its .validation" if isinstance(value, Dataset) else None
    _checks.fail(TypeError, name, requirement, value, hint)


def _held_out(
    net: Network, x: _arrays.Rows, y: Any, sample_weight: Any, fraction: float, seed: int
) -> tuple[Any, Any, Any, tuple[Any, Any]]:
    """The rows that stay, with their weights, and the pair (x, y) of those held out."""
    answers = np.asarray(y)
    n_rows = x.shape[0]
    n = share(n_rows, fraction)
    if n >= n_rows:
        requirement = f"leave at least one of the {n_rows} rows to train on"
        _checks.fail(ValueError, "validation", requirement, fraction)
    weights = _arrays.weights(sample_weight, n_rows, net.dtype)
    kept, held = hold_out(shuffled(n_rows, seed), n, answers)
    if weights is not None:
        weights = weights[kept]
    return x[kept], answers[kept], weights, (x[held], answers[held])


# ---- the loop -----------------------------------------------------------------------------------


class _Run:
    """One fit: the loop over epochs and what is recorded."""

    def __init__(self, net: Network, settings: Settings) -> None:
        self.net = net
        self.settings = settings
        self.core_settings = settings.optimizer._core_settings()
        self.has_accuracy = not net._architecture.is_regression
        self.history = History([])
        self.step_losses = np.empty(0, np.float32)  # of all steps, and room for more
        self.n_steps = 0  # of an epoch
        self.n_threads = net._core.n_threads  # before and after this fit
        self.begun = False  # everything is ready, and epochs may have changed the network
        self.settled = False

    def begin(self, sets: _Sets, seconds: float) -> None:
        """What is known once the data is there."""
        trainer = self.net._trainer
        if self.settings.n_threads is not None:
            self.net._core.n_threads = self.settings.n_threads
        self.sets = sets
        self.trainer = self.net._core_module.Trainer(self.net._core) if trainer is None else trainer
        self.history = History(self._columns())
        self.history.prepare_seconds = seconds
        self.progress: Progress = make_progress(self.settings.verbose, self.settings.epochs)
        self.past = self.net.history._again()
        self.counters = self.net._core.counters

    def _columns(self) -> list[str]:
        measures = ["loss", "accuracy"] if self.has_accuracy else ["loss"]
        columns = ["epoch", "loss", "penalty", *measures[1:], "seconds", "learning_rate"]
        for name in self.sets.evaluated:
            columns += [f"{name}_{measure}" for measure in measures]
        return columns

    def train(self) -> None:
        """All epochs; what was reached is recorded however they end."""
        self._check_parameters()
        if self.settings.reset_optimizer:
            self.trainer.clear()
        if self.settings.epochs:
            batch_size = min(self.settings.batch_size, self.sets.train.n_rows)
            self.n_steps = self.trainer.bind(self.sets.train, batch_size, self.core_settings)
            self.trainer.prepare(
                optimizer=self.core_settings,
                l1=self.settings.l1,
                l2=self.settings.l2,
                penalize_biases=self.settings.penalize_biases,
                shuffle=self.settings.shuffle,
                seed=self.settings.seed,
            )
        self.net._trainer = self.trainer
        self.begun = True
        if self.sets.scale is not None and self.settings.epochs:
            self.net._input_scale = self.sets.scale
        ended_by: BaseException | None = None
        try:
            self._epochs()
        except BaseException as error:
            ended_by = error
            if not self.history.stop_reason:
                self.history.stop_reason = f"ended by {type(error).__name__}"
            raise
        finally:
            self.settle()
            self.progress.close(interrupted=ended_by is not None)
            self._call_at_end(ended_by)

    def _call_at_end(self, ended_by: BaseException | None) -> None:
        """Call on_fit_end of all callbacks, also when one raises.

        The first error is raised, unless another has ended the fit: then it is a note of that.
        """
        first = None
        for callback in self.settings.callbacks:
            try:
                callback.on_fit_end(self.net, self.history)
            except Exception as error:
                first = first or error
        if first is None:
            return
        if ended_by is None:
            raise first
        if sys.version_info >= (3, 11):
            ended_by.add_note(f"on_fit_end raised as well: {first!r}")

    def settle(self) -> None:
        """Make the network agree with the rows of this fit: counters, history, no data bound.

        An epoch counts when its row is there; one that was ended before, by Ctrl-C, stop() or a
        divergence, is begun anew by the next fit. May be called again at any time, also after an
        interrupt within: every step gives the same when repeated.
        """
        if self.settled:
            return
        if self.settings.n_threads is not None:
            self.net._core.n_threads = self.n_threads
        if self.net._trainer is not None:
            self.net._trainer.unbind()  # the data must not live as long as the network
        if not self.begun:
            return
        core, history, rows = self.net._core, self.history, len(self.history)
        core.counters = (self.counters[0] + rows, self.counters[1] + rows * self.n_steps)
        if rows:
            history.step_loss = self.step_losses[: rows * self.n_steps].copy()
        whole = self.past._again()
        whole._extend(history)
        self.net._changes += 1  # a copy that another thread is making begins anew
        vars(self.net.history).update(vars(whole))
        self.net._changes += 1
        self.settled = True

    def _check_parameters(self) -> None:
        """Raise ValueError for a parameter that was not finite before training."""
        if self.net._core.is_finite():
            return
        for name, array in self.net.parameters.items():
            if not np.isfinite(array).all():
                place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                got = f"{array[place].item()!r} at {list(place)}"
                raise ValueError(_checks.message(name, "be finite to be trained", got))

    def _epochs(self) -> None:
        """Evaluate, train and call back, until the end or until something stops it."""
        settings = self.settings
        try:
            if settings.evaluate_first:
                self.history.start = self._evaluations(True)
            for callback in settings.callbacks:
                callback.on_fit_begin(self.net, self.history)
            for epoch in range(1, settings.epochs + 1):
                for callback in settings.callbacks:
                    callback.on_epoch_begin(self.net, self.history)
                self._epoch(epoch)
                if self._callbacks_stop():
                    return
            self.history.stop_reason = f"all {settings.epochs} epochs done"
        except self.net._core_module.Stopped:
            self.history.stop_reason = "stopped by stop()"

    def _callbacks_stop(self) -> bool:
        """Call on_epoch_end of all callbacks; whether one of them, or stop(), ends the fit."""
        for callback in self.settings.callbacks:
            if is_true(callback.on_epoch_end(self.net, self.history)):
                self.history.stop_reason = f"callback {name_of(callback)} returned True"
        if self.net._core.stopping:
            self.history.stop_reason = "stopped by stop()"
        return bool(self.history.stop_reason)

    def _epoch(self, epoch: int) -> None:
        """Train, evaluate and record one epoch."""
        settings = self.settings
        if settings.callbacks:  # they may have written into the weights
            self._check_parameters()
        row = self._trained(epoch)
        if self.sets.evaluated:
            is_last = epoch == settings.epochs
            row |= self._evaluations(is_last or epoch % settings.evaluate_every == 0)
        self.history._append(row)
        if not self.progress.is_silent:
            self.progress.update(epoch, 1.0, row)

    def _trained(self, epoch: int) -> dict[str, float]:
        """Train one epoch: what the row says of training itself."""
        done = len(self.history)
        first = done * self.n_steps
        self._make_room(first + self.n_steps)
        progress = None if self.progress.is_silent else self._step_progress(epoch)
        began = time.perf_counter()
        outcome = self.trainer.epoch(self.step_losses, first, progress)
        seconds = time.perf_counter() - began
        if outcome[0] != "done":
            self._ended_within(*outcome)
        row = {"epoch": self.counters[0] + done + 1, "loss": outcome[1], "penalty": outcome[2]}
        if self.has_accuracy:
            row["accuracy"] = outcome[3]
        row["seconds"] = seconds
        row["learning_rate"] = self.settings.optimizer.learning_rate
        return row

    def _make_room(self, n: int) -> None:
        """Let `step_losses` have n elements at least; those there are kept."""
        if n > self.step_losses.size:
            more = max(n, min(2 * n, self.settings.epochs * self.n_steps))
            kept, self.step_losses = self.step_losses, np.empty(more, np.float32)
            self.step_losses[: kept.size] = kept

    def _ended_within(self, how: str, *failure: Any) -> NoReturn:
        """Raise what an epoch ended with that did not come to its end."""
        if how == "stopped":
            raise self.net._core_module.Stopped
        self._diverged(*failure)

    def _step_progress(self, epoch: int) -> Callable[[int, int], None]:
        def show(done: int, total: int) -> None:
            self.progress.update(epoch, done / total, None)

        return show

    def _evaluations(self, due: bool) -> dict[str, float]:
        """Loss and accuracy of every evaluated set; NaN where this epoch is left out."""
        values = {}
        for name, data in self.sets.evaluated.items():
            loss, accuracy = math.nan, math.nan
            if due:
                loss, accuracy = self.net._core.evaluate(data, self.net.cost, True)
            values[f"{name}_loss"] = loss
            if self.has_accuracy:
                values[f"{name}_accuracy"] = accuracy
        return values

    def _diverged(self, step: int, where: str, value: float) -> NoReturn:
        """Raise FloatingPointError: everything is as after the last finite epoch."""
        number = self.net._core.counters[0] + 1
        became = "NaN" if math.isnan(value) else "infinite"
        if where == "loss":
            what = f"the loss became {became} at epoch {number}, batch {step}"
        else:
            what = f"{where} became {became} during epoch {number}"
        state = f"after epoch {number - 1}" if number > 1 else "before training"
        rate = self.settings.optimizer.learning_rate
        self.history.stop_reason = f"diverged at epoch {number}"
        raise FloatingPointError(
            f"{what}: lower learning_rate ({rate}); the network is as it was {state}"
        )
