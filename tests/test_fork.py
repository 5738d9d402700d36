"""Forks, exits and further interpreters while networks train."""

import gc
import random
import threading
import time
import weakref

import numpy as np
import pytest
from fits import Fitting
from processes import SANITIZED, in_child, script

import nnlearn as nn

RNG = np.random.default_rng(5)
ROWS = RNG.random((500, 10)).astype(np.float32)
LABELS = RNG.integers(0, 10, 500)
#: Enough for a lock that is left locked; under AddressSanitizer enough to go through what is done
#: before and after.
FORKS = 20 if SANITIZED else 150

# Products of 10 x 10 matrices: the smallest that are BLIS's, so that much of the time is spent in
# its locks. Of forks that do not wait for it, about one child in fifty hangs.
SIZES = [10] * 8


def other() -> str:
    """What a child does: train a network of its own, evaluate it."""
    net = nn.Network(SIZES, seed=3)
    net.fit(ROWS, LABELS, epochs=1, learning_rate=0.1, batch_size=50, momentum=0.5)
    return f"{net.loss(ROWS, LABELS)} {net.accuracy(ROWS, LABELS)}"


def test_children_forked_at_any_moment_train_and_evaluate() -> None:
    """BLIS, which holds locks of its own within a step, is in no child left locked."""
    nets = [nn.Network(SIZES, seed=seed) for seed in (1, 2)]
    expected, moments = other(), random.Random(1)
    with Fitting(nets[0], ROWS, LABELS), Fitting(nets[1], ROWS, LABELS):
        for _ in range(FORKS):
            time.sleep(moments.uniform(0, 0.005))
            assert in_child(other) == expected
    assert all(np.isfinite(net.forward(ROWS)).all() for net in nets)


def test_no_child_waits_for_a_network_that_two_threads_read() -> None:
    """It answers, or is refused: one of the readers may just have got the lock, or wait for it."""
    net, end = nn.Network([10, 300, 10], seed=1), threading.Event()

    def read() -> None:
        while not end.is_set():
            net.predict(ROWS[:20])

    def ask() -> str:
        try:
            net.predict(ROWS[:20])
        except RuntimeError as error:
            return str(error)
        return "answered"

    refused = (
        "the network must not be used here: the process was forked while a thread worked on it"
    )
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    answers = {in_child(ask) for _ in range(FORKS)}
    end.set()
    for reader in readers:
        reader.join()
    assert answers <= {"answered", refused}


# ---------------------------------------------------------------- the end of the interpreter

BEGIN = """
import os, sys, threading, time
import numpy as np, nnlearn as nn
x, y = np.random.default_rng(0).random((2000, 50)), np.arange(2000) % 10
begun = threading.Barrier(3)

def fit(seed):
    net = nn.Network([50, 30, 10], seed=seed)
    first = lambda net, history: begun.wait() if len(history) == 1 else 0
    net.fit(x, y, epochs=10**6, learning_rate=0.1, validation=(x, y), callbacks=first)

for seed in (1, 2):
    threading.Thread(target=fit, args=(seed,), daemon=True).start()
begun.wait()
time.sleep({wait})
"""
ENDS = {
    "the end of the script": "",
    "sys.exit": "sys.exit(0)",
    "objects that go late": "sys.modules['late'] = nn.Network([2, 2]), begun, x",
    "work after the end": "import atexit; atexit.register(nn.Network([50, 10]).predict, x)",
}


@pytest.mark.parametrize("wait", [0, 0.003])
@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_may_exit_while_daemon_threads_train(end: str, wait: float) -> None:
    assert script(BEGIN.format(wait=wait) + ENDS[end]) == ""


def test_a_callback_may_delete_the_network() -> None:
    """What it refers to lives until the fit has ended."""

    def delete(net: nn.Network, history: nn.History) -> None:
        holder.clear()
        del net
        gc.collect()
        lives.append(alive() is not None)

    holder, lives = [nn.Network([10, 10], seed=1)], list[bool]()
    alive, view = weakref.ref(holder[0]), holder[0].weights[0]
    history = holder[0].fit(ROWS, LABELS, epochs=3, learning_rate=0.1, callbacks=delete)
    assert lives == [True] * 3
    assert len(history) == 3
    gc.collect()
    assert alive() is None
    assert np.isfinite(view).all()


# ---------------------------------------------------------------- further interpreters

SUBINTERPRETER = """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import nnlearn

text = '''
try:
    import {module}
except ImportError as error:
    print("ImportError:", error)
'''
for _ in range(3):
    made = interpreters.create()
    interpreters.run_string(made, text)
    interpreters.destroy(made)
print(nnlearn.Network([2, 3, 1], init="zeros").forward([[1.0, 2.0]]))
"""


@pytest.mark.parametrize("module", ["nnlearn", "nnlearn._core64"])
def test_further_interpreters_are_refused(module: str) -> None:
    lines = script(SUBINTERPRETER.format(module=module)).splitlines()
    assert len(lines) == 4
    ours = "nnlearn must be imported in the main interpreter"
    pythons = "module nnlearn._core"  # does not support loading in subinterpreters: from 3.12 on
    refusals = (f"ImportError: {ours}", f"ImportError: {pythons}")
    assert all(line.startswith(refusals) for line in lines[:3])
    assert lines[3] == "[[0.5]]"
