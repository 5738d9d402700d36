"""What a benchmark is: a class with setup, time, check and teardown, one object a peer.

A worker process holds the objects of one peer. Each round calls `time` once for each peer in turn;
of the rounds the least seconds count, unless `aggregate` says otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from benchmarks.peers.base import PEERS

if TYPE_CHECKING:
    from benchmarks.limits import Count
    from benchmarks.peers.base import Peer

#: Rounds of most benchmarks.
ROUNDS, QUICK_ROUNDS = 7, 3

#: All peers but the loop over samples, which takes too long for most, and SciPy, which has images
#: alone.
BATCHED = tuple(name for name in PEERS if name not in ("loop", "scipy"))


class Goal(NamedTuple):
    """What a row is to reach, and to go beyond.

    kind: "python", the fastest Python peer / ours; a peer's name, that one / ours; "share", the
    measure two_runs / two_threads; "seconds", ours at most; "in_c", ours called from C at most;
    "times_plain", the measure augmented / plain at most.
    """

    kind: str
    goal: float
    beyond: float


@dataclass(frozen=True)
class Rig:
    """What a worker is told of the run."""

    folder: Path  # of the data
    quick: bool
    core: int  # all peers run here
    cores: tuple[int, ...]  # that there are: for the few benchmarks that use more


class Case(ABC):
    """One row of the table. Class variables are what the reports need to know."""

    name: ClassVar[str]
    title: ClassVar[str]
    data: ClassVar[str] = "mnist"  # the set that it needs, of datasets.py; "" for none
    peers: ClassVar[tuple[str, ...]] = BATCHED
    measure: ClassVar[str] = "whole"  # which of the measures that time gives the ratios are of
    aggregate: ClassVar[str] = "min"  # or "median"
    rounds: ClassVar[int | None] = None  # where they are not the usual ones
    quick_rounds: ClassVar[int | None] = None
    tolerance: ClassVar[float] = 0.0  # how far check may be from the reference peer's
    goals: ClassVar[tuple[Goal, ...]] = ()

    @abstractmethod
    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        """Make all that is not timed, and let whatever compiles compile."""

    @abstractmethod
    def time(self, turn: int) -> dict[str, float]:
        """Seconds, by what was measured; `turn` counts the rounds from 0."""

    def check(self) -> float | None:
        """A number that must be near that of the reference peer, if what was timed is right."""
        return None

    def teardown(self) -> None:  # noqa: B027 - most have nothing to do
        """End what was started."""

    @classmethod
    def is_quick(cls, name: str) -> bool:
        """Whether --quick measures this peer: those that compile for long are left out."""
        return name != "torch-compiled"

    @classmethod
    def n_rounds(cls, asked: int | None, quick: bool) -> int:
        """As many as were asked for; else what is usual for this benchmark."""
        own = cls.quick_rounds or cls.rounds if quick else cls.rounds
        return asked or own or (QUICK_ROUNDS if quick else ROUNDS)

    @classmethod
    def count(cls, folder: Path) -> Count | None:
        """What a unit of the measure needs at least: for the limits."""
        return None
