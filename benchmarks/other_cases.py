"""Benchmarks with a way of their own: compare, one gradient, two threads."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

import nnlearn as nn
from benchmarks import datasets, gradient_in_c
from benchmarks.case import Case, Goal, Rig
from benchmarks.cases import Row4
from benchmarks.peers.base import OURS, Peer, Work, start
from benchmarks.worker import pin


class Compare(Case):
    """nn.compare on two cores. PyTorch trains the same networks one after the other; its time is
    estimated from one epoch of each size and cost, evaluations left out."""

    name = "compare"
    title = "compare: two costs x two sizes x three seeds, 30 epochs, two cores"
    peers = ("nnlearn", "torch")
    rounds = 1
    goals = (Goal("torch", 50, 80),)
    SIZES, SEEDS, EPOCHS = (30, 100), 3, 30
    WORST_ERROR = 0.2  # of 2,000 images, five epochs; less when not --quick
    RATES = (("quadratic", 3.0), ("cross_entropy", 0.5))

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        self.peer, self.rig, self.is_ours = peer, rig, name == OURS
        n = 2_000 if rig.quick else 50_000
        self.set = datasets.load(rig.folder, "mnist")
        self.train = self.set.take(n)
        self.epochs = 5 if rig.quick else self.EPOCHS

    def time(self, turn: int) -> dict[str, float]:
        return {"whole": self.ours() if self.is_ours else self.estimated()}

    def ours(self) -> float:
        pin(self.rig.cores[-2:])
        data, held = self.train, slice(50_000, None)
        split = nn.Dataset(
            nn.Split(data.x, data.y),
            nn.Split(self.set.x[held], self.set.y[held]),
            nn.Split(data.test_x, data.test_y),
        )
        variants = {
            f"{cost} {size}": {"cost": cost, "learning_rate": rate, "hidden": (size,)}
            for cost, rate in self.RATES
            for size in self.SIZES
        }
        began = time.perf_counter()
        made = nn.compare(
            variants, split, seeds=self.SEEDS, epochs=self.epochs, n_jobs=2, verbose=0
        )
        seconds = time.perf_counter() - began
        pin((self.rig.core,))
        worst = max(np.median([run.test_error for run in made[name]]) for name in variants)
        if worst > self.WORST_ERROR:
            raise RuntimeError(f"a median test error must be at most {self.WORST_ERROR}: {worst}")
        return seconds

    def estimated(self) -> float:
        seconds = 0.0
        for cost, rate in self.RATES:
            for size in self.SIZES:
                work = Work((784, size, 10), 10, rate, is_quadratic=cost == "quadratic")
                model = self.peer.model(work, start(work, 1), 1)
                model.bind(self.train.x, self.train.y)
                seconds += model.train(1)
        return seconds * self.SEEDS * self.epochs


class Gradient(Case):
    """A call of cost_and_gradient, from Python and, ours, in C."""

    name = "gradient"
    title = "cost and gradient, 24-8-2 tanh, 200 rows, float64"
    data = ""
    peers = ("nnlearn", "numpy", "torch", "jax")
    measure = "call"
    tolerance = 1e-9  # of a cost near 1, in float64
    goals = (
        Goal("seconds", 12e-6, 12e-6),
        Goal("in_c", 6e-6, 5.3e-6),
    )
    CALLS = 1_000

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        rng = np.random.default_rng(1)
        work = Work((24, 8, 2), 200, 0.0, hidden="tanh")
        x, targets = rng.normal(size=(200, 24)), rng.normal(size=(200, 2))
        parameters = start(work, 1)
        self.call: Any = peer.gradient(x, targets, parameters)
        self.in_c: gradient_in_c.Gradient | None = None
        if name == OURS and not rig.quick:  # it compiles the core
            self.in_c = gradient_in_c.Gradient(x, targets, parameters)
            cost, here = self.in_c.cost, self.check()
            if abs(cost - here) > self.tolerance:
                raise RuntimeError(f"the cost in C must be {here}, got {cost}")
        self.time(0)

    def time(self, turn: int) -> dict[str, float]:
        blocks = []
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(self.CALLS):
                self.call()
            blocks.append((time.perf_counter() - began) / self.CALLS)
        measured = {"call": min(blocks)}
        if self.in_c is not None:
            measured["in_c"] = self.in_c.seconds(self.CALLS)
        return measured

    def check(self) -> float:
        return float(self.call()[0])


class Threads(Case):
    """One fit by two threads, beside two fits of one thread each at the same time, in processes
    that share nothing. `share` is the speed of the first by that of the others together."""

    name = "threads"
    title = "784-800-10, batch 100: two threads beside two runs of one"
    peers = ("nnlearn",)
    measure = "two_threads"
    goals = (Goal("share", 0.9, 0.9),)

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        from benchmarks.peers.ours import OurModel
        from benchmarks.runner import Worker

        if len(rig.cores) < 2:
            raise RuntimeError("this process has one core")
        self.cores, self.core = rig.cores[-2:], rig.core
        self.set = datasets.load(rig.folder, "mnist").take(Row4.n_quick if rig.quick else 20_000)
        n = len(self.set.x)  # less where the digits inside nnlearn stand in
        work = Row4.work.with_rows(n, Row4.n_rows)
        self.make = partial(OurModel, work, start(work, 1), 1)
        self.model = self.make(n_threads=2)
        self.model.bind(self.set.x, self.set.y)
        self.n_steps = -(-n // work.batch_size)
        self.runs = [Worker(OURS, core) for core in self.cores]
        places = {"folder": str(rig.folder), "quick": rig.quick, "cores": list(rig.cores)}
        for run, core in zip(self.runs, self.cores, strict=True):
            run.ask("load")
            run.ask("setup", case=Row4.name, core=core, **places)

    def time(self, turn: int) -> dict[str, float]:
        for run in self.runs:
            run.send("time", turn=turn)
        alone = [run.receive()["step"] for run in self.runs]
        pin(self.cores)
        together = self.model.train(1) / self.n_steps
        pin((self.core,))
        return {"two_threads": together, "two_runs": 1.0 / sum(1.0 / step for step in alone)}

    def check(self) -> None:
        """Two threads must give the bits that one gives."""
        outputs = []
        for n_threads in (1, 2):
            model = self.make(n_threads=n_threads)
            model.bind(self.set.x[:2_000], self.set.y[:2_000])
            model.train(1)
            outputs.append(model.forward(self.set.test_x))
        if not np.array_equal(*outputs):
            raise RuntimeError("two threads give other bits than one")

    def teardown(self) -> None:
        for run in self.runs:
            run.close()
