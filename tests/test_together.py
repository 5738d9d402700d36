"""Networks trained at once in threads: how the training ends."""

import signal
import threading
import time

import pytest

from nnlearn.widgets._runner import Stop
from nnlearn.widgets._together import train


class Interrupted:
    """A job at which Ctrl-C comes; it trains on until it is stopped, or ten seconds have passed."""

    def __init__(self):
        self.ended = threading.Event()

    def train(self, stop, changed):
        end = time.monotonic() + 10
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while not stop.requested and time.monotonic() < end:
            time.sleep(0.001)
        if stop.requested:
            self.ended.set()


def test_ctrl_c_ends_the_training_in_the_threads():
    job, stop = Interrupted(), Stop()
    with pytest.raises(KeyboardInterrupt):
        train([job], stop, threading.Event())
    assert job.ended.wait(5)
