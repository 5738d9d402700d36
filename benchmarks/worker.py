"""The process of one peer: reads requests, a JSON line each, and answers them.

    python -m benchmarks.worker PEER CORE

It is pinned before anything is imported that makes threads. What libraries print goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, TextIO


def pin(cores: tuple[int, ...]) -> None:
    """Run on these cores alone, where the system can be told so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


class Host:
    """One peer, and the case that it is at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: Any = None
        self.case: Any = None

    def load(self) -> Any:
        from benchmarks.peers import base

        try:
            self.peer = base.load(self.name)
        except base.Missing as error:
            return {"missing": str(error)}
        return {"version": self.peer.version()}

    def setup(self, case: str, folder: str, quick: bool, core: int, cores: list[int]) -> None:
        from benchmarks.case import Rig
        from benchmarks.table import CASES

        self.drop()
        self.peer.forget()
        self.case = CASES[case]()
        self.case.setup(self.name, self.peer, Rig(Path(folder), quick, core, tuple(cores)))

    def time(self, turn: int) -> Any:
        return self.case.time(turn)

    def check(self) -> Any:
        return self.case.check()

    def train(self, work: dict[str, Any], x: list[Any], labels: list[int], epochs: int) -> Any:
        """For tests: the outputs after some epochs from the usual start."""
        import numpy as np

        from benchmarks.peers.base import Work, start

        settings = Work(**{**work, "layers": tuple(work["layers"])})
        model = self.peer.model(settings, start(settings, 1), 1)
        rows = np.array(x, np.float32)
        model.bind(rows, np.array(labels))
        model.train(epochs)
        return model.forward(rows).tolist()

    def drop(self) -> None:
        """Let go of the case and its memory."""
        if self.case is not None:
            self.case.teardown()
        self.case = None


def serve(host: Host, requests: TextIO, answers: TextIO) -> None:
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(host, request.pop("do"))(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main(name: str, core: str) -> None:
    pin((int(core),))
    warnings.simplefilter("ignore")  # a fit that does not converge in an epoch is none of ours
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(Host(name), sys.stdin, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
