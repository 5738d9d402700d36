"""Progress of many experiments on one line: which one, how much of all, and the time left."""

import time
from collections.abc import Sequence

from nnlearn._display import make_display
from nnlearn.progress import Clock, duration
from nnlearn.tables import count

#: What the trainings at hand are of all that may follow in an experiment.
_PART = 0.8


class PartsProgress:
    """Shows how far a run of experiments is.

    Parameters
    ----------
    expected : sequence of float
        For each experiment that is to be run about how many seconds it takes.
    """

    def __init__(self, expected: Sequence[float]) -> None:
        self._display = make_display(1)
        self._clock = Clock()
        self._expected = list(expected)
        self._done = 0
        self._name = ""
        self._share = 0.0  # of the experiment at work, and what it was before these trainings
        self._before = 0.0
        self._note = ""
        self._begun = 0.0

    def begin(self, name: str) -> None:
        """Say which experiment begins."""
        self._name, self._share, self._before, self._note = name, 0.0, 0.0, ""
        self._begun = time.monotonic()
        self._draw(at_once=True)

    def trainings(self, n: int) -> "_Trainings":
        """What shows the progress of n networks of the experiment at work."""
        self._before = self._share
        return _Trainings(self, n)

    def end(self, how: str = "") -> None:
        """Say that the experiment has ended, and how, if not well."""
        taken = duration(time.monotonic() - self._begun)
        head = f"{self._name}: {how or taken}"
        self._done += 1
        self._share = 0.0
        if self._display:
            left = self._clock.left(self._work())
            where = f"{self._done} of {self._of()}"
            self._display.line(", ".join(filter(None, [head, where, left])))

    def close(self, interrupted: bool = False) -> None:
        """End the line."""
        if self._display:
            how = "interrupted after" if interrupted else "in"
            text = f"{self._done} of {self._of()}, {how} {self._clock.taken()}"
            self._display.end(text)

    def _of(self) -> str:
        return count(len(self._expected), "experiment")

    def _at(self, share: float, note: str) -> None:
        """How much of the trainings at hand is done.

        Nobody knows how many more follow: each takes a part of what is left of the experiment.
        """
        self._share, self._note = self._before + _PART * (1.0 - self._before) * share, note
        self._draw()

    def _draw(self, at_once: bool = False) -> None:
        if self._display and (at_once or self._clock.due()):
            head = f"{self._done + 1}/{len(self._expected)} {self._name}"
            work = self._work()
            self._display.draw(head, work, [self._clock.left(work), self._note])

    def _work(self) -> float:
        """The share of all that is done, by the expected seconds."""
        at_work = self._expected[self._done] if self._done < len(self._expected) else 0.0
        done = sum(self._expected[: self._done]) + self._share * at_work
        return min(done / sum(self._expected), 1.0) if done else 0.0


class _Trainings:
    """The part of the line that speaks of the networks of one experiment."""

    def __init__(self, parts: PartsProgress, n: int) -> None:
        self._parts = parts
        self._n = n

    def update(self, done: int, running: Sequence[tuple[int, int]], work: float) -> None:
        """Say how far the networks are, as `JobsProgress`."""
        self._parts._at(work, f"{done} of {self._n} networks")

    def close(self, interrupted: bool = False) -> None:
        """Nothing: the line goes on."""
