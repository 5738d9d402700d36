"""The whole strategy of choosing settings, from any learning at all to a network to keep."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nnlearn import _checks
from nnlearn._settings import layers_around
from nnlearn.config import available_cores
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.network import Network, check_seed
from nnlearn.recipes import _final_fit
from nnlearn.recipes._bench import Bench
from nnlearn.recipes._budget import Budget
from nnlearn.recipes._first_problems import goal_of, reaches
from nnlearn.recipes._milestones import Milestones
from nnlearn.recipes._result import Result
from nnlearn.recipes._steps import Step
from nnlearn.recipes._strategy import STEPS, Strategy
from nnlearn.recipes._tune_input import check_common, check_hidden, remark_on, with_validation
from nnlearn.recipes._written import fit_lines, network_lines, written
from nnlearn.tables import Table, count

_clock = time.monotonic  # by which the seconds are counted


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(Result):
    """What `tune` found.

    Parameters
    ----------
    network : Network
        The final network, trained.
    settings : mapping of str to object
        Of `Network.fit`: with them, ``data`` and the same start the fit gives this network again,
        bit for bit.
    data : Dataset
        What it was trained on and judged by.
    steps : tuple of Step
        What was done: each has ``name``, ``question``, ``tried`` (a Table), ``chosen``, ``why``,
        ``seconds``, ``best``, ``limited``.
    history : History
        Of the final fit.
    seconds : float
        How long all took.
    task : str
        What was asked for, in words.
    code : str
        The lines of Python that train this network.
    validation_accuracy, test_accuracy : float
        Of the network, in [0, 1]; NaN for regression and where there is no such set.
    validation_loss, test_loss : float
        Its losses; NaN where there is no such set.
    learns : bool
        Whether it does better than the same answer for all.
    finished : bool
        False where Ctrl-C ended it.
    given : float
        The seconds that it might have taken.
    remark : str
        What `diagnose` says of the size of the inputs before training; empty where that is fine.

    Notes
    -----
    The test set is looked at once, when all is chosen.
    """

    _drawn_by = "plot_tuning"

    network: Network
    settings: Mapping[str, Any]
    data: Dataset
    steps: tuple[Step, ...]
    history: History
    seconds: float
    task: str
    code: str
    validation_accuracy: float
    validation_loss: float
    test_accuracy: float
    test_loss: float
    learns: bool
    finished: bool = True
    given: float = 0.0
    remark: str = ""

    @property
    def suggestion(self) -> Mapping[str, Any]:
        """The settings."""
        return self.settings

    @property
    def regression(self) -> bool:
        """Whether losses are compared in place of accuracies."""
        return self.network._architecture.is_regression

    @property
    def verdict(self) -> str:
        """What it comes to, in one sentence."""
        took = (
            f"after {self.seconds:.0f} s" if self.seconds >= 10 else f"after {self.seconds:.1f} s"
        )
        if not self.finished:
            done = count(sum(step.name in STEPS for step in self.steps), "step")
            return f"Interrupted {took}: {done} of {len(STEPS)} before the final fit had ended."
        unit = self._show(self.validation_accuracy, self.validation_loss)
        kind = "loss" if self.regression else "accuracy"
        if not self.learns:
            text = f"Nothing was learnt for sure {took} (validation {kind} {unit})"
            return f"{text}: see what the first step says{self._clock_decided}."
        text = f"Validation {kind} {unit} {took}"
        if self.data.test is not None:
            text += f"; test {kind} {self._show(self.test_accuracy, self.test_loss)}"
        return f"{text}{self._clock_decided}."

    @property
    def _clock_decided(self) -> str:
        limited = [step.name for step in self.steps if step.limited]
        if not limited:
            return ""
        if self.seconds < 0.5 * self.given:  # it is not the seconds as a whole that were too few
            return f"; a step's share of the {self.given:g} s decided in: {', '.join(limited)}"
        return f"; the clock decided in: {', '.join(limited)}"

    @property
    def account(self) -> str:
        """What was tried and why, step after step, with the code that it comes to."""
        parts = [self.remark, self.task] if self.remark else [self.task]
        parts += [f"{k}. {step}" for k, step in enumerate(self.steps, 1)]
        return "\n\n".join([*parts, self.verdict, self.code])

    def table(self) -> Table:
        """The steps.

        Returns
        -------
        Table
            A row for each: its name, how many settings it tried, what it chose, the best
            validation accuracy in % of what it tried (regression: the least loss), seconds,
            whether the clock decided something.
        """
        best = "best loss" if self.regression else "best %"
        rows = [
            (
                step.name,
                len(step.trials),
                written({k: v for k, v in step.chosen.items() if isinstance(v, (int, float))}),
                step.best if self.regression else 100.0 * step.best,
                step.seconds,
                "decided" if step.limited else "",
            )
            for step in self.steps
        ]
        formats = {"s": ".1f", best: ".4g" if self.regression else ".2f"}
        title = f"{self.task.splitlines()[0]}"
        table = Table(["step", "tried", "chosen", best, "s", "clock"], rows, title, formats=formats)
        return table if any(step.limited for step in self.steps) else table._without("clock")

    def __repr__(self) -> str:
        return self.account

    def _show(self, accuracy: float, loss: float) -> str:
        return f"{loss:.4g}" if self.regression else f"{100.0 * accuracy:.2f} %"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `tune`. What was found until then is in its attribute `tuning`.

    Examples
    --------
    In a script::

        try:
            tuning = nn.tune(data)
        except KeyboardInterrupt as interrupt:
            tuning = interrupt.tuning

    In a notebook or at a prompt, after the fact: ``import sys; sys.last_value.tuning``.
    """

    tuning: Tuning


def tune(
    data: Dataset,
    *,
    hidden: Iterable[Any] | int = (30,),
    seconds: float = 120.0,
    seed: int = 0,
    n_jobs: int | None = None,
    verbose: int | None = None,
    **common: Any,
) -> Tuning:
    """Find settings and train a network, step after step, in a given number of seconds.

    1. Any learning: rates of 0.01, 0.1, ... on a thousand samples, until the network clearly beats
       the same answer for all; else on two classes, else on all data.
    2. The learning rate: half of the largest by which the training loss falls in each of three
       epochs, as `find_learning_rate` has it.
    3. The number of epochs: early stopping, with a patience that grows.
    4. The penalty l2: by tens, then between, as `find_l2` has it, at the rate that is best
       without one.
    5. The learning rate again: doubled and halved with this penalty.
    6. The mini-batch size: others, with the rate in proportion.
    7. The final fit: all training samples, a rate that falls by `Cosine`, the best epoch kept.
       Where a trial on the same data was better, a network trained as it was is kept instead, by
       the seed after the given one if that alone does it.

    Parameters
    ----------
    data : Dataset
        Training, validation and test set. Without a validation set a tenth of the training set is
        held out, as ``fit(validation=0.1)`` does. The test set may be missing.
    hidden : sequence of int or int, default (30,)
        The hidden layers, as `compare` takes them. Inputs and outputs are those of the data.
    seconds : float, default 120.0
        How long all may take, > 0. What does not fit is done on fewer samples, then for fewer
        epochs, then left out; the account says so.
    seed : int, default 0
        Of the network, its batches and the samples held out, in [0, 2^64).
    n_jobs : int, optional
        Networks that train at once while settings are compared; by default as many as this
        process may use cores. The number changes no result but through the clock.
    verbose : {None, 0, 1}, default None
        0 nothing; 1 a line for each step; None the same in a terminal or a notebook alone. On
        stderr.
    **common
        Settings of `Network` for all: cost, activation, init, dropout, dtype.

    Returns
    -------
    Tuning
        With ``.network``, ``.settings`` (of fit), ``.code``, ``.account``, ``.steps``,
        ``.table()``, ``.plot()``, ``.validation_accuracy``, ``.test_accuracy``, ``.verdict``.

    Raises
    ------
    TypeError, ValueError
        Before anything trains, if an argument or the data is wrong.
    FloatingPointError
        If the final fit diverges with every learning rate.
    Interrupted
        On Ctrl-C, a KeyboardInterrupt; what was found is in its attribute ``tuning``.

    See Also
    --------
    find_learning_rate, find_l2, batch_size_study : The questions one by one.
    compare : Settings of your own choice side by side.

    Notes
    -----
    Settings are chosen by the validation set alone: by accuracy, and among those within its
    standard error by the loss; for regression by the loss. Two copies train at each setting. From
    the fourth step on trials are the final fit in small, their rate falls as its does: at a
    constant rate a small one looks best that would be too slow later.

    `Cosine` and not `DropOnPlateau`, since its length is known beforehand and the time is given.
    The final fit has three times the epochs after which step 3 saw no gain: with a falling rate
    and a penalty more epochs help for longer. It ends early where half of them bring no gain.

    The same seed makes the same decisions as long as the clock decides nothing.

    No step chooses a rate as high as one with which the first step saw nothing learnt. The share
    of the seconds that a step has is longer as long as nothing is learnt.

    A network that learns nothing in the first step is trained for a few epochs and returned; the
    account says what to look at.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, "How to choose a neural
       network's hyper-parameters?".

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().take(1000)
    >>> tuning = nn.tune(digits, hidden=(20,), seconds=2)
    >>> [step.name for step in tuning.steps][:3]
    ['any learning', 'learning rate', 'epochs']
    >>> net = nn.Network([784, 20, 10], seed=tuning.network.seed)
    >>> history = net.fit(tuning.data.train, validation=tuning.data.validation, **tuning.settings)
    >>> net.accuracy(digits.test) == tuning.test_accuracy
    True
    """
    seconds = _checks.real("seconds", seconds, above=0.0)
    seed = check_seed(seed)
    n_jobs = available_cores() if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
    shown = Milestones(verbose)
    budget = Budget(seconds, _clock)
    check_common(common)
    chosen, held_out = with_validation(data, seed)
    asked = _Asked(check_hidden(hidden), seed, common, held_out)
    session = _Session(chosen, asked, budget, n_jobs, shown)
    try:
        session.run()
    except KeyboardInterrupt:
        raise session.interrupted() from None
    finally:
        shown.close()
    return session.result(finished=True)


@dataclass(frozen=True)
class _Asked:
    """What the user gave, and what had to be held out."""

    hidden: Any
    seed: int
    common: Mapping[str, Any]
    held_out: bool

    def make(self, data: Dataset) -> Network:
        """The network for a data set."""
        network = Network(layers_around(self.hidden, data), seed=self.seed, **self.common)
        network._warns = False  # few samples may miss a class
        return network


class _Session:
    """A strategy under way, and what is known of it at any moment."""

    def __init__(
        self, data: Dataset, asked: _Asked, budget: Budget, n_jobs: int, shown: Milestones
    ) -> None:
        def tell(sentence: str) -> None:
            shown.draw(budget.used() / budget.seconds, sentence)

        self._strategy = Strategy(Bench(data, asked.make, budget, n_jobs, tell))
        self._asked = asked
        self._shown = shown
        self._final = _final_fit.start_of(self._strategy)
        self._remark = remark_on(data, self._final.network)
        self._test = (math.nan, math.nan)  # accuracy and loss

    def run(self) -> None:
        """All steps."""
        strategy, budget = self._strategy, self._strategy.bench.budget
        for step in strategy.search():
            self._show(step)

        def tell(epoch: int, epochs: int) -> None:
            words = f"final fit, epoch {epoch}/{epochs}"
            self._shown.draw(budget.used() / budget.seconds, words)

        _final_fit.train(strategy, self._final, tell)
        self._show(strategy.steps[-1])
        if self._final.data.test is not None:
            self._test = _judged(self._final.network, self._final.data.test)

    def _show(self, step: Step) -> None:
        n = len(self._strategy.steps)
        self._shown.line(f"{n}. {step.name}, {step.seconds:.1f} s: {step.why}")

    def interrupted(self) -> Interrupted:
        """The interrupt that carries what is known."""
        interrupt = Interrupted(
            "what was found is in .tuning of this exception, at a prompt sys.last_value.tuning"
        )
        interrupt.tuning = self.result(finished=False)
        return interrupt

    def result(self, *, finished: bool) -> Tuning:
        """What is known."""
        strategy, final = self._strategy, self._final
        network, data = final.network, final.data
        network._warns = True
        assert data.validation is not None
        accuracy, loss = _judged(network, data.validation)
        goal, _ = goal_of(data, strategy.measure)
        value = accuracy if strategy.measure.is_accuracy else loss
        return Tuning(
            network,
            final.settings,
            data,
            tuple(strategy.steps),
            network.history,
            strategy.bench.budget.used(),
            self._task(),
            _code(final, strategy.bench.data, self._asked),
            accuracy,
            loss,
            *self._test,
            reaches(value, goal, strategy.measure),
            finished,
            strategy.bench.budget.seconds,
            self._remark,
        )

    def _task(self) -> str:
        budget, data = self._strategy.bench.budget, self._strategy.bench.data
        text = f"{data!r}\n{self._final.network!r}, at most {budget.seconds:g} s"
        if self._asked.held_out:
            text += "\nThere is no validation set: a tenth of the training set is held out for it."
        return text


def _judged(network: Network, split: Split) -> tuple[float, float]:
    """Accuracy, NaN for regression, and loss."""
    found = network.evaluate(split)
    return (math.nan if found.is_regression else found.accuracy), found.loss


def _code(final: _final_fit.Final, whole: Dataset, asked: _Asked) -> str:
    """The lines of Python that train the network once more."""
    lines = ["import nnlearn as nn", ""]
    data, validation = final.data, "0.1" if asked.held_out else "data.validation"
    if data is not whole:
        assert data.validation is not None
        sizes = f"n={len(data.train)}, n_validation={len(data.validation)}"
        part = "tuning.data" if asked.held_out else f"nn.reduce_problem(data, {sizes})"
        lines.append(f"data = {part}")
        validation = "data.validation"
    settings = {"seed": final.network.seed, **asked.common}
    layers = layers_around(asked.hidden, data)
    lines += [network_lines(layers, settings), fit_lines("data.train", validation, final.settings)]
    return "\n".join(lines)
