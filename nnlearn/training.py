"""`Network.fit`: the loop over epochs, which Python owns."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from nnlearn import _arrays, _checks, _core
from nnlearn._fit_data import Sets
from nnlearn._fit_settings import Settings
from nnlearn._pacing import Pace, Stopper
from nnlearn.callbacks import is_true, name_of
from nnlearn.checkpoints import Checkpoint
from nnlearn.history import History
from nnlearn.progress import Progress, make_progress

if TYPE_CHECKING:
    from nnlearn._checkpoint_file import Resumed
    from nnlearn.network import Network

Array = npt.NDArray[Any]


def fit(
    net: Network, x: Any, y: Any, validation: Any, sample_weight: Any, settings: Settings
) -> History:
    """Train the network; see `Network.fit`."""
    run = Run(net, settings, _arrays.unpack(x, y)[1], sample_weight)

    def body() -> History:
        began = time.perf_counter()
        shared, net._shared = net._shared, None  # not for what callbacks evaluate
        resumed = run.read()
        sets = Sets.prepared(net, x, y, validation, sample_weight, run.settings, shared)
        if resumed is not None:
            resumed.check(run, sets)
        run.begin(sets, resumed, time.perf_counter() - began)
        run.train()
        return run.history

    return net._core.claimed(body, run.settle)


class Run:
    """One fit: the loop over epochs and what is recorded."""

    def __init__(self, net: Network, settings: Settings, y: Any, sample_weight: Any) -> None:
        self.net = net
        self.settings = settings
        self.y, self.sample_weight = y, sample_weight  # as given
        self.rate = settings.optimizer.learning_rate  # of this epoch
        self.pace: Pace
        self.stopper: Stopper | None = None
        self.resumed: Resumed | None = None
        self.taken = False  # what the file says of the network is the network's
        self.reason = ""  # why a fit that is resumed is at its end already
        self.has_accuracy = not net._architecture.is_regression
        self.history = History([])
        self.step_losses = np.empty(0, np.float32)  # of all steps, and room for more
        self.n_steps = 0  # of an epoch
        self.n_threads = net._core.n_threads  # before and after this fit
        self.ending = False  # no epoch follows the one that has just ended
        self.begun = False  # everything is ready, and epochs may have changed the network
        self.settled = False

    def read(self) -> Resumed | None:
        """The file that is resumed, with the seed of its fit where none is given."""
        path = self.settings.resume
        if path is None:
            return None
        from nnlearn._checkpoint_file import read

        resumed = read(path, self.net)
        if not self.settings.seed_given:
            self.settings = dataclasses.replace(self.settings, seed=resumed.seed)
        return resumed

    def begin(self, sets: Sets, resumed: Resumed | None, seconds: float) -> None:
        """What is known once the data is there. Nothing of the network changes."""
        net, settings = self.net, self.settings
        self.sets, self.resumed = sets, resumed
        self.history = History(self._columns()) if resumed is None else resumed.history
        self.history.prepare_seconds += seconds
        self._begin_pacing()
        self.progress: Progress = make_progress(settings.verbose, settings.epochs)
        if settings.n_threads is not None:
            net._core.n_threads = settings.n_threads
        if resumed is not None:
            self.past, self.counters, trainer = resumed.past, resumed.counters, resumed.trainer
            self.n_steps, self.step_losses = resumed.n_steps, resumed.history.step_loss
        else:
            self.past, self.counters = net.history._again(), net._core.counters
            trainer = net._trainer or net._core_module.Trainer(net._core)
        self.trainer: _core.Trainer = trainer

    def _begin_pacing(self) -> None:
        """What the learning rate and the end of the fit go by; ValueError for a wrong column.

        The rows of a fit that is resumed are gone through, as if they had just come.
        """
        settings, regression = self.settings, not self.has_accuracy
        best = None if self.resumed is None else self.resumed.best
        self.pace = Pace(self.rate, settings.schedule, self.history, regression)
        if settings.early_stopping is not None:
            self.stopper = Stopper(settings.early_stopping, self.history, regression, best)
            if self._column_is_evaluated(self.stopper.best.column):
                settings.early_stopping.check_reach(settings.evaluate_every)
        for callback in settings.callbacks:
            if isinstance(callback, Checkpoint):
                callback.check(self.history, regression)
        for epoch in range(1, len(self.history) + 1):
            assert self.resumed is not None
            self.resumed.check_rate(epoch, self.pace.rate(epoch))
            self.reason = self._rules_end(epoch)

    def _column_is_evaluated(self, column: str) -> bool:
        """Whether a column is of a set that is evaluated, not of training itself."""
        return column.rpartition("_")[0] in self.sets.evaluated

    def _columns(self) -> list[str]:
        measures = ["loss", "accuracy"] if self.has_accuracy else ["loss"]
        columns = ["epoch", "loss", "penalty", *measures[1:], "seconds", "learning_rate"]
        for name in self.sets.evaluated:
            columns += [f"{name}_{measure}" for measure in measures]
        return columns

    def train(self) -> None:
        """All epochs; what was reached is recorded however they end."""
        first = len(self.history) + 1
        trains = first <= self.settings.epochs and not self.reason
        if self.resumed is None:
            self._check_parameters()
        rate = self.pace.rate(first) if trains else self.rate
        if self.settings.reset_optimizer and first == 1:
            self.trainer.clear()
        if trains:
            batch_size = min(self.settings.batch_size, self.sets.train.n_rows)
            core_settings = self.settings.optimizer._core_settings()
            self.n_steps = self.trainer.bind(
                self.sets.train, batch_size, core_settings, self.sets.augment
            )
            self._prepare(rate)
        self.begun = True  # from here on `settle` completes what is interrupted
        self._take_over()
        ended_by: BaseException | None = None
        self.net._run = self
        try:
            self._epochs(first)
        except BaseException as error:
            ended_by = error
            if not self.history.stop_reason:
                self.history.stop_reason = f"ended by {type(error).__name__}"
            raise
        finally:
            if self.stopper is not None and (words := self.stopper.words(self.history)):
                self.history.stop_reason += f"; {words}"
            self.settle()
            self.progress.close(interrupted=ended_by is not None)
            self._call_at_end(ended_by)

    def _take_over(self) -> None:
        """Give the network what this fit begins with. May be called again."""
        if self.resumed is not None and not self.taken:
            self.resumed.apply(self.net)
        self.taken = True
        self.net._trainer = self.trainer
        if self.sets.scale is not None and self.settings.epochs:
            self.net._input_scale = self.sets.scale

    def _prepare(self, rate: float) -> None:
        """Let the coming epochs be trained with this learning rate."""
        optimizer = self.settings.optimizer
        if rate != optimizer.learning_rate:
            optimizer = dataclasses.replace(optimizer, learning_rate=rate)
        self.trainer.prepare(
            optimizer=optimizer._core_settings(),
            l1=self.settings.l1,
            l2=self.settings.l2,
            penalize_biases=self.settings.penalize_biases,
            shuffle=self.settings.shuffle,
            seed=self.settings.seed,
        )
        self.rate = rate

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
        self.net._run = None
        if self.settings.n_threads is not None:
            self.net._core.n_threads = self.n_threads
        if self.begun:
            self._take_over()
        if self.net._trainer is not None:
            self.net._trainer.unbind()  # the data must not live as long as the network
        if not self.begun:
            return
        core, rows = self.net._core, len(self.history)
        core.counters = (self.counters[0] + rows, self.counters[1] + rows * self.n_steps)
        if self.stopper is not None:
            if rows:  # again, as an interrupt may have come between the row and this
                self.stopper.see(rows, self.history, core.parameters())
            if self.stopper.parameters is not None:
                core.assign(self.stopper.parameters, self.trainer)
                self.history.restored = self.stopper.best_epoch(self.history)
        whole = self.past._again()
        whole._extend(self.recorded())
        self.net._changes += 1  # a copy that another thread is making begins anew
        vars(self.net.history).update(vars(whole))
        self.net._changes += 1
        self.settled = True

    def recorded(self) -> History:
        """The history of the fit so far, complete with the losses of its steps."""
        if len(self.history):
            n = len(self.history) * self.n_steps
            self.history.step_loss = self.step_losses[:n].copy()
        return self.history

    def _check_parameters(self) -> None:
        """Raise ValueError for a parameter that was not finite before training."""
        if self.net._core.is_finite():
            return
        for name, array in self.net.parameters.items():
            if not np.isfinite(array).all():
                place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                got = f"{array[place].item()!r} at {list(place)}"
                raise ValueError(_checks.message(name, "be finite to be trained", got))

    def _epochs(self, first: int) -> None:
        """Evaluate, train and call back, until the end or until something stops it."""
        settings = self.settings
        try:
            if settings.evaluate_first and first == 1:
                self.history.start = self._evaluations(True)
            for callback in settings.callbacks:
                callback.on_fit_begin(self.net, self.history)
            if self.reason:  # a file of a fit that had come to its end
                self.history.stop_reason = self.reason
                return
            for epoch in range(first, settings.epochs + 1):
                for callback in settings.callbacks:
                    callback.on_epoch_begin(self.net, self.history)
                self._epoch(epoch)
                if self._is_over(epoch):
                    return
            self.history.stop_reason = f"all {settings.epochs} epochs done"
            if first > 1 and first > settings.epochs:
                self.history.stop_reason = f"all {settings.epochs} epochs were done before"
        except self.net._core_module.Stopped:
            self.history.stop_reason = "stopped by stop()"

    def _is_over(self, epoch: int) -> bool:
        """Schedule, stopper and callbacks after an epoch: whether one, or stop(), ends the fit."""
        reason = self._rules_end(epoch)
        self.ending = bool(reason) or epoch == self.settings.epochs
        for callback in self.settings.callbacks:
            if is_true(callback.on_epoch_end(self.net, self.history)):
                reason = reason or f"callback {name_of(callback)} returned True"
        if self.net._core.stopping:
            reason = "stopped by stop()"
        if reason and not self.ending:
            self._write_the_last()
        self.history.stop_reason = reason
        return bool(reason)

    def _write_the_last(self) -> None:
        """Let checkpoints write this epoch, which a callback or stop() has made the last."""
        self.ending = True
        for callback in self.settings.callbacks:
            if isinstance(callback, Checkpoint):
                callback.on_epoch_end(self.net, self.history)

    def _rules_end(self, epoch: int) -> str:
        """Why schedule or stopper end the fit after this epoch, or nothing."""
        reason = self.pace.after(epoch, self.history)
        if self.stopper is None:
            return reason
        self.stopper.see(epoch, self.history, self.net._core.parameters() if self.begun else None)
        return reason or self.stopper.after(epoch, self.pace.last_drop)

    def _epoch(self, epoch: int) -> None:
        """Train, evaluate and record one epoch."""
        settings = self.settings
        if settings.callbacks:  # they may have written into the weights
            self._check_parameters()
        rate = self.pace.rate(epoch)
        if rate != self.rate:
            self._prepare(rate)
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
        row["learning_rate"] = self.rate
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
        if self.stopper is not None and self.stopper.parameters is not None:
            state = f"after epoch {self.counters[0] + self.stopper.best.epoch}, its best"
        self.history.stop_reason = f"diverged at epoch {number}"
        raise FloatingPointError(
            f"{what}: lower learning_rate ({self.rate}); the network is as it was {state}"
        )
