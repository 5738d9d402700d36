"""Networks that train in turns, each until its share of the seconds is used up.

One thread and one network at a time, since it is time that is measured.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nnlearn._holdout import shuffled
from nnlearn._shared import SharedData
from nnlearn.data import Split
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import GroupProgress
from nnlearn.recipes._copies import fresh

#: An epoch is trained in at most so many parts, between which the network may be evaluated.
MOST_PARTS = 10
#: A part holds at least so many mini-batches of the largest size, so that they stay random.
BATCHES_A_PART = 20
#: From one evaluation to the next the parts that were trained grow by this share, at least by one.
STRIDE = 0.05


@dataclass(frozen=True)
class Task:
    """What all sizes have in common."""

    parts: list[Split]  # of the training set
    validation: Split
    settings: dict[str, float]  # of fit
    share: float  # seconds that each size has
    shared: SharedData = field(default_factory=SharedData)


class Trial:
    """One size under way."""

    def __init__(self, net: Network, task: Task, size: int, learning_rate: float) -> None:
        self.task = task
        self.size = size
        self.learning_rate = learning_rate
        self.net = fresh(net, net.seed)
        self.trained = 0.0  # seconds
        self.n_parts = 0  # trained
        self.next = 0  # evaluation, at so many parts
        self.diverged = False
        self.points: list[tuple[float, float]] = []  # seconds, value
        self._evaluate()

    @property
    def ended(self) -> bool:
        """Whether its share is used up, and an epoch done at least."""
        used_up = self.trained >= self.task.share and self.n_parts >= len(self.task.parts)
        return self.diverged or used_up

    @property
    def epochs(self) -> float:
        """Passes over the data, whole or not."""
        return self.n_parts / len(self.task.parts)

    def train(self) -> None:
        """Train the next part of an epoch, or some whole epochs; evaluate where that is due."""
        parts, settings = self.task.parts, self.task.settings
        part = parts[self.n_parts % len(parts)]
        # The penalties of a step are divided by the rows of the fit, which are those of the part.
        l2 = settings["l2"] * len(part) / sum(map(len, parts))
        try:
            history = self._fit(
                part, epochs=self._epochs(), batch_size=self.size, **{**settings, "l2": l2}
            )
        except FloatingPointError:
            self.diverged = True
            return
        self.trained += float(history["seconds"].sum())
        self.n_parts += len(history)
        if self.ended or self.n_parts >= self.next:
            self._evaluate()

    def _epochs(self) -> int:
        """How many epochs to train in one fit: of one part each, up to what is evaluated next.

        A fit takes time beside its epochs, which is long beside those of small data.
        """
        if len(self.task.parts) > 1 or not self.trained:
            return 1
        left = math.ceil((self.task.share - self.trained) * self.n_parts / self.trained)
        return max(min(self.next - self.n_parts, left), 1)

    def _evaluate(self) -> None:
        """Add a point to the curve."""
        history = self._fit(
            self.task.parts[0], epochs=0, validation=self.task.validation, evaluate_first=True
        )
        values = history.start or {}
        self.points.append((self.trained, values.get("val_accuracy", values["val_loss"])))
        self.next = max(self.n_parts + 1, math.ceil(self.n_parts * (1.0 + STRIDE)))

    def _fit(self, part: Split, **settings: Any) -> History:
        self.net._shared = self.task.shared
        try:
            return self.net.fit(part, learning_rate=self.learning_rate, verbose=0, **settings)
        finally:
            self.net.history = History(["epoch"])  # thousands of fits would make it long


def train_in_turns(trials: Sequence[Trial], progress: GroupProgress) -> None:
    """Train all until they end, in turns: next is always the one that has used the least time."""
    whole = False
    try:
        while running := [trial for trial in trials if not trial.ended]:
            min(running, key=lambda trial: trial.trained).train()
            shares = [1.0 if t.ended else min(t.trained / t.task.share, 1.0) for t in trials]
            done = sum(trial.ended for trial in trials)
            progress.update(done, [], sum(shares) / len(shares))
        whole = True
    finally:
        progress.close(interrupted=not whole)


def parts_of(train: Split, largest: int, seed: int) -> list[Split]:
    """The training set dealt out at random to the parts of an epoch, alike for all sizes."""
    n = len(train)
    n_parts = min(max(n // (BATCHES_A_PART * largest), 1), MOST_PARTS)
    if n_parts == 1:
        return [train]
    order = shuffled(n, seed)
    mixed = Split(train.x[order], train.y[order])
    ends = [n * k // n_parts for k in range(n_parts + 1)]
    return [mixed[begin:end] for begin, end in itertools.pairwise(ends)]
