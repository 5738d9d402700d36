"""The benchmarks: one class a row of the table, one base class for each way of measuring."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks import datasets, limits
from benchmarks.case import BATCHED, Case, Goal, Rig
from benchmarks.peers.base import Peer, Work, start


class Steps(Case):
    """Training, by the step and as a whole: one epoch of data that is bound anew each round."""

    work: ClassVar[Work]
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
    compiled beforehand for the same shapes, but `first` is the first call of all, with what it
    compiles; copies to a device, permutations, passes over the data all count. The network is made
    outside."""

    work: ClassVar[Work]
    n_rows: ClassVar[int] = 50_000
    n_quick: ClassVar[int] = 10_000
    epochs: ClassVar[int] = 1
    tolerance = 0.02

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        n = min(self.n_quick, self.n_rows) if rig.quick else self.n_rows
        self.set = datasets.load(rig.folder, self.data).take(n)
        self.work_here = self.work.with_rows(len(self.set.x), self.n_rows)
        self.peer = peer
        self.first = self.whole(0)

    def time(self, turn: int) -> dict[str, float]:
        return {"whole": self.whole(turn + 1), "first": self.first}

    def whole(self, seed: int) -> float:
        order = np.random.default_rng(seed).permutation(len(self.set.x))
        x, y = self.set.x[order], self.set.y[order]
        self.model = self.peer.model(self.work_here, start(self.work, 1), seed)
        began = time.perf_counter()
        self.model.bind(x, y)
        self.model.train(self.epochs)
        return time.perf_counter() - began

    def check(self) -> float:
        return self.model.accuracy(self.set.test_x, self.set.test_y)


class Row1(Steps):
    name = "row1"
    title = "784-30-10, batch 10, cross-entropy, l2"
    peers = ("nnlearn", "loop", *BATCHED[1:])
    work = Work((784, 30, 10), 10, 0.5, l2=5.0)
    goals = (
        Goal("python", 7, 9),
        Goal("kann", 4, 5),
        Goal("loop", 100, 140),
    )

    @classmethod
    def is_quick(cls, name: str) -> bool:
        return True


class Row2(Steps):
    name = "row2"
    title = "the same with momentum 0.9"
    work = Work((784, 30, 10), 10, 0.1, l2=5.0, momentum=0.9)
    goals = (Goal("python", 5, 6.5),)


class Row3(Steps):
    name = "row3"
    title = "784-100-10, batch 10"
    work = Work((784, 100, 10), 10, 0.5, l2=5.0)
    goals = (
        Goal("python", 4, 5),
        Goal("kann", 3.2, 4),
    )


class Row4(Steps):
    name = "row4"
    title = "784-800-10, batch 100"
    work = Work((784, 800, 10), 100, 0.2, l2=5.0)
    goals = (
        Goal("python", 3, 4),
        Goal("kann", 3, 4),
    )
    tolerance = 0.03


class Row5(Steps):
    name = "row5-10"
    title = "3072-100-10, dense input, batch 10"
    data = "dense"
    n_rows = 10_000
    n_quick = 5_000
    work = Work((3072, 100, 10), 10, 0.02, l2=1.0)
    goals = (Goal("python", 2, 2.5),)
    tolerance = 0.03


class Row5By100(Row5):
    name = "row5-100"
    title = "the same, batch 100"
    work = Work((3072, 100, 10), 100, 0.1, l2=1.0)
    goals = (Goal("python", 1.5, 1.8),)


class Row6(Case):
    """Outputs from images: NumPy to NumPy, so that what a copy to a device takes counts."""

    name = "row6"
    title = "forward of 10,000 images, 784-100-10"
    work = Work((784, 100, 10), 10, 0.5)
    tolerance = 1e-4  # check is how far outputs are from those computed in float64
    goals = (Goal("python", 2, 4),)

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        self.x = datasets.load(rig.folder, "mnist").test_x
        self.parameters = start(self.work, 1)
        self.model = peer.model(self.work, self.parameters, 1)
        self.time(0)

    def time(self, turn: int) -> dict[str, float]:
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            self.outputs = self.model.forward(self.x)
            seconds.append(time.perf_counter() - began)
        return {"whole": min(seconds)}

    def check(self) -> float:
        a = self.x.astype(np.float64)
        for w, b in (self.parameters[:2], self.parameters[2:]):
            a = 1.0 / (1.0 + np.exp(-(a @ w + b)))
        return float(np.abs(a - self.outputs).max())

    @classmethod
    def count(cls, folder: Path) -> limits.Count:
        return limits.count_forward(cls.work, datasets.load(folder, "mnist").test_x)


class Row7(Whole):
    name = "row7"
    title = "fit(epochs=1), 784-30-10, batch 10, 50,000 new images, call to return"
    work = Row1.work
    goals = (Goal("python", 3, 4),)


class Row8(Whole):
    name = "row8"
    title = "150 x 4, 4-10-3, batch 10, 100 epochs, call to return"
    data = "table"
    n_rows = 150
    epochs = 100
    work = Work((4, 10, 3), 10, 0.3)
    goals = (Goal("python", 20, 50),)
    tolerance = 0.05  # of 150 rows


class Retraining(Whole):
    name = "retraining"
    title = "fit of 1,000 images, 784-30-10, batch 10, 30 epochs, call to return"
    n_rows = 1_000
    epochs = 30
    work = Work((784, 30, 10), 10, 0.5, l2=0.1)
    goals = (Goal("seconds", 1 / 30, 1 / 40),)
    tolerance = 0.03
