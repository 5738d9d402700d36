"""How long Ctrl-C takes: from the signal to the KeyboardInterrupt in the caller's hands.

    python -m benchmarks.interrupts [tries]

Fifty tries each by default, while a second Python thread is busy and wants the GIL. Nothing is to
take longer than 0.2 s.
"""

import os
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

import nnlearn as nn

LIMIT = 0.2  # seconds
MANY = 10**6  # epochs, never reached

RNG = np.random.default_rng(0)
X = RNG.random((60_000, 784)).astype(np.float32)
Y = RNG.integers(0, 10, 60_000)


def fit(layers: list[int], batch_size: int) -> Callable[[], Any]:
    net = nn.Network(layers, seed=1)
    return lambda: net.fit(X, Y, epochs=MANY, learning_rate=0.01, batch_size=batch_size, verbose=0)


def evaluate() -> None:
    """Evaluates again and again: one answer may come before the signal does."""
    net = nn.Network([784, 1500, 10], seed=1)
    while True:
        net.accuracy(X, Y)


def compare() -> None:
    """Four networks in threads."""
    data = nn.Dataset(nn.Split(X, Y), nn.Split(X[:1000], Y[:1000]), nn.Split(X[:1000], Y[:1000]))
    variants = {f"learning rate {rate}": {"learning_rate": rate} for rate in (0.01, 0.1)}
    nn.compare(variants, data, hidden=(30,), seeds=2, epochs=MANY, n_jobs=4, verbose=0)


CASES: dict[str, Callable[[], Any]] = {
    "fit of 784-30-10": fit([784, 30, 10], 10),
    "fit of 784-1500-1500-10, batch 512": fit([784, 1500, 1500, 10], 512),
    "evaluation of 60,000 rows": evaluate,
    "compare with four networks": compare,
}


@contextmanager
def busy_thread() -> Any:
    """A second thread that computes in Python until the block ends."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def latency(call: Callable[[], Any], wait: float) -> float:
    """Seconds from a SIGINT, `wait` seconds after the call, to its KeyboardInterrupt."""
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(wait, interrupt)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        return time.perf_counter() - sent
    finally:
        timer.join()
    raise AssertionError("it ended before the signal")


def main(tries: int = 50) -> int:
    # A shell that starts this in the background has it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"Ctrl-C, {tries} tries each, seconds until KeyboardInterrupt; a Python thread is busy")
    waits = random.Random(1)
    slow = 0
    for name, call in CASES.items():
        with busy_thread():
            times = [latency(call, waits.uniform(0.3, 0.6)) for _ in range(tries)]
        slow += max(times) > LIMIT
        print(f"{name:36s} median {statistics.median(times):.3f}   maximum {max(times):.3f}")
    return slow


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
