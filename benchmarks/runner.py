"""The rounds: every peer in a process of its own, taking turns on one core."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.case import Case, Rig
from benchmarks.peers.base import REFERENCE

ROOT = Path(__file__).parents[1]

#: One thread in everything that has threads, whatever the caller's environment says.
THREADS = {
    f"{library}_NUM_THREADS": "1"
    for library in ("NNLEARN", "BLIS", "OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")
}
JAX = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}


class WorkerError(Exception):
    """What went wrong in a worker."""


class Worker:
    """A peer's process, as the runner holds it."""

    def __init__(self, name: str, core: int, log: Any = None) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", name, str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **THREADS, **JAX},
        )

    def send(self, do: str, **arguments: Any) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError(f"{self.name} has ended") from error

    def receive(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"{self.name} ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["answer"]

    def ask(self, do: str, **arguments: Any) -> Any:
        self.send(do, **arguments)
        return self.receive()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended before
            self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers:
    """All peers' processes. Those not installed are in `missing`, with the reason."""

    def __init__(self, names: Iterable[str], rig: Rig, log: Any = None) -> None:
        self.rig = rig
        self.missing: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.workers: dict[str, Worker] = {}
        for name in names:
            worker = self.workers[name] = Worker(name, rig.core, log)
            try:
                answer = worker.ask("load")
            except WorkerError as error:
                answer = {"missing": str(error)}
            if "missing" in answer:
                self.missing[name] = answer["missing"]
                self.workers.pop(name).close()
            else:
                self.versions[name] = answer["version"]

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers.values():
            worker.close()

    def measure(self, case: type[Case], rounds: int | None) -> dict[str, Any]:
        """All rounds of a case: by peer what it measured, or why it did not."""
        rig, peers = self.rig, {}
        places = {
            "folder": str(rig.folder),
            "quick": rig.quick,
            "core": rig.core,
            "cores": list(rig.cores),
        }
        turns: dict[str, list[dict[str, float]]] = {}
        for name in case.peers:
            if name in self.missing:
                peers[name] = {"error": self.missing[name]}
            elif name not in self.workers:
                continue  # nobody asked for it
            elif rig.quick and not case.is_quick(name):
                peers[name] = {"error": "left out by --quick"}
            else:
                try:
                    self.workers[name].ask("setup", case=case.name, **places)
                    turns[name] = []
                except WorkerError as error:
                    peers[name] = {"error": str(error)}
        for turn in range(case.n_rounds(rounds, rig.quick)):
            for name in list(turns):
                try:
                    turns[name].append(self.workers[name].ask("time", turn=turn))
                except WorkerError as error:
                    peers[name] = {"error": str(error)}
                    del turns[name]
        for name, measured in turns.items():
            found: dict[str, Any] = {**aggregated(measured, case.aggregate)}
            found["turns"] = [without_nan(turn) for turn in measured]
            try:
                found["check"] = self.workers[name].ask("check")
                self.workers[name].ask("drop")
            except WorkerError as error:
                found = {"error": str(error)}
            peers[name] = found
        mark(peers, case.tolerance)
        return {name: peers[name] for name in case.peers if name in peers}


def aggregated(turns: Sequence[dict[str, float]], how: str) -> dict[str, float | None]:
    """One number a measure. NaN stands for a goal that was not reached in any time: where the
    median, or the least, is such a time there is no number."""
    choose = min if how == "min" else statistics.median
    found: dict[str, float | None] = {}
    for measure in turns[0]:
        numbers = [math.inf if math.isnan(turn[measure]) else turn[measure] for turn in turns]
        chosen = choose(numbers)
        found[measure] = chosen if math.isfinite(chosen) else None
    return found


def without_nan(turn: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: None if math.isnan(value) else value for name, value in turn.items()}


def mark(peers: dict[str, Any], tolerance: float) -> None:
    """Mark as invalid whatever differs from the reference peer by more than the tolerance."""
    reference = peers.get(REFERENCE, {}).get("check")
    for found in peers.values():
        if "error" in found:
            continue
        check = found["check"]
        found["valid"] = check is None or (
            reference is not None and abs(check - reference) <= tolerance
        )
