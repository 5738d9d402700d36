"""Two networks in two threads of one process beside the same in two processes.

    python -m benchmarks.threads [rounds]

Threads and processes take turns, seven rounds by default; what counts is the fastest of each. The
threads are to reach 90 % of what the processes do.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import nnlearn as nn

RNG = np.random.default_rng(0)
X = RNG.random((20_000, 784)).astype(np.float32)
Y = RNG.integers(0, 10, 20_000)
CASES: dict[str, tuple[list[int], int, int]] = {
    "784-30-10, batch 10": ([784, 30, 10], 10, 4),
    "784-500-10, batch 100": ([784, 500, 10], 100, 1),
}


def train(case: str, seed: int, barrier: Any) -> None:
    """Train one network, from the moment that both are ready."""
    layers, batch_size, epochs = CASES[case]
    net = nn.Network(layers, seed=seed, n_threads=1)
    net.fit(X[:1000], Y[:1000], epochs=1, learning_rate=0.1, batch_size=batch_size)  # warm
    barrier.wait()
    net.fit(X, Y, epochs=epochs, learning_rate=0.1, batch_size=batch_size)
    barrier.wait()


def seconds(make: Callable[..., Any], barrier: Any, case: str) -> float:
    """How long two workers take, threads or processes, from the start of both to both's end."""
    workers = [make(target=train, args=(case, seed, barrier)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    barrier.wait()
    began = time.perf_counter()
    barrier.wait()
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return took


def main(rounds: int = 7) -> int:
    context = multiprocessing.get_context("fork")
    slow = 0
    for case in CASES:
        threads, processes = [], []
        for _ in range(rounds):
            processes.append(seconds(context.Process, context.Barrier(3), case))
            threads.append(seconds(threading.Thread, threading.Barrier(3), case))
        ratio = min(processes) / min(threads)
        slow += ratio < 0.9
        print(
            f"{case}: two processes {min(processes):.3f} s, two threads {min(threads):.3f} s: "
            f"threads reach {ratio:.0%}"
        )
    return slow


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
