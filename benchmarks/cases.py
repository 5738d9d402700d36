"""The benchmarks: one class a row of the table, one base class for each way of measuring."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks import datasets, limits
from benchmarks.case import BATCHED, Case, Rig
from benchmarks.peers.base import Peer, Work, start


class Steps(Case):
    """Training, by the step and as a whole: one epoch of data that is bound anew each round."""

    work: ClassVar[Work]
    data: ClassVar[str] = "mnist"
    n_rows: ClassVar[int] = 50_000
    n_quick: ClassVar[int] = 10_000
    measure = "step"
    tolerance = 0.02  # accuracies of the same training with another order of batches

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        n = self.n_quick if rig.quick else self.n_rows
        self.set = datasets.load(rig.folder, self.data).take(n)
        # The same decay of a step, however many rows there are.
        work = self.work.with_rows(len(self.set.x), self.n_rows)
        self.model = peer.model(work, start(work, 1), 1)
        self.time(0)

    def time(self, turn: int) -> dict[str, float]:
        began = time.perf_counter()
        self.model.bind(self.set.x, self.set.y)
        seconds = self.model.train(1)
        whole = time.perf_counter() - began
        return {"step": seconds / (len(self.set.x) / self.work.batch_size), "whole": whole}

    def check(self) -> float:
        return self.model.accuracy(self.set.test_x, self.set.test_y)

    @classmethod
    def count(cls, folder: Path) -> limits.Count:
        return limits.count_step(cls.work, datasets.load(folder, cls.data).x)


class Whole(Case):
    """fit from call to return, on rows in an order never seen before. What is compiled was
    compiled beforehand for the same shapes; copies to a device, permutations, passes over the data
    all count. The network is made outside."""

    work: ClassVar[Work]
    data: ClassVar[str] = "mnist"
    n_rows: ClassVar[int] = 50_000
    n_quick: ClassVar[int] = 10_000
    epochs: ClassVar[int] = 1
    tolerance = 0.02

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        n = min(self.n_quick, self.n_rows) if rig.quick else self.n_rows
        self.set = datasets.load(rig.folder, self.data).take(n)
        self.work_here = self.work.with_rows(len(self.set.x), self.n_rows)
        self.peer = peer
        self.time(-1)

    def time(self, turn: int) -> dict[str, float]:
        order = np.random.default_rng(turn + 1).permutation(len(self.set.x))
        x, y = self.set.x[order], self.set.y[order]
        self.model = self.peer.model(self.work_here, start(self.work, 1), turn + 1)
        began = time.perf_counter()
        self.model.bind(x, y)
        self.model.train(self.epochs)
        return {"whole": time.perf_counter() - began}

    def check(self) -> float:
        return self.model.accuracy(self.set.test_x, self.set.test_y)


class Row1(Steps):
    name = "row1"
    title = "784-30-10, batch 10, cross-entropy, l2"
    peers = ("nnlearn", "loop", *BATCHED[1:])
    work = Work((784, 30, 10), 10, 0.5, l2=5.0)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {
        "python": (7, 9),
        "kann": (4, 5),
        "loop": (100, 140),
    }

    @classmethod
    def is_quick(cls, name: str) -> bool:
        return True


class Row2(Steps):
    name = "row2"
    title = "the same with momentum 0.9"
    work = Work((784, 30, 10), 10, 0.1, l2=5.0, momentum=0.9)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {"python": (5, 6.5)}


class Row3(Steps):
    name = "row3"
    title = "784-100-10, batch 10"
    work = Work((784, 100, 10), 10, 0.5, l2=5.0)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {"python": (4, 5), "kann": (3.2, 4)}


class Row4(Steps):
    name = "row4"
    title = "784-800-10, batch 100"
    n_quick = 5_000
    work = Work((784, 800, 10), 100, 0.1, l2=5.0)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {"python": (3, 4), "kann": (3, 4)}
    tolerance = 0.03


class Row5(Steps):
    name = "row5-10"
    title = "3072-100-10, dense input, batch 10"
    data = "dense"
    n_rows = 10_000
    n_quick = 5_000
    work = Work((3072, 100, 10), 10, 0.02, l2=1.0)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {"python": (2, 2.5)}
    tolerance = 0.03


class Row5By100(Row5):
    name = "row5-100"
    title = "the same, batch 100"
    work = Work((3072, 100, 10), 100, 0.1, l2=1.0)
    goals: ClassVar[Mapping[str, tuple[float, float]]] = {"python": (1.5, 1.8)}


CASES: Mapping[str, type[Case]] = {
    case.name: case for case in (Row1, Row2, Row3, Row4, Row5, Row5By100)
}
