"""Ctrl-C in a real notebook kernel ends a fit and a comparison, and nothing is lost."""

from collections.abc import Iterator
from typing import Any

import pytest

jupyter_client = pytest.importorskip("jupyter_client", reason="needs ipykernel")

TIMEOUT = 60

PREPARE = """
import numpy as np, nnlearn as nn
digits = nn.datasets.load_mnist_small()
net = nn.Network([784, 100, 10], seed=0)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    manager = jupyter_client.KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT)
    try:
        assert run(client, PREPARE)["status"] == "ok"
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: Any, code: str) -> Any:
    """Execute a cell and wait for its reply."""
    return reply_to(client, client.execute(code))


def reply_to(client: Any, request: str) -> Any:
    """The reply to this request: those that `wait_for_ready` had no need of are passed over."""
    while True:
        message = client.get_shell_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") == request:
            return message["content"]


def interrupted(kernel: Any, code: str) -> Any:
    """The reply of a cell that prints "begun" and is interrupted once it has."""
    manager, client = kernel
    request = client.execute(code, stop_on_error=False)  # else the kernel refuses what is sent next
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["content"].get("text", "").startswith("begun"):
            break
    manager.interrupt_kernel()
    return reply_to(client, request)


def test_the_kernels_interrupt_ends_a_fit(kernel: Any) -> None:
    reply = interrupted(
        kernel,
        "net.fit(digits.train, epochs=100_000, learning_rate=0.1,"
        " callbacks=lambda n, h: print('begun', flush=True) if len(h) == 2 else None)",
    )
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    check = """
assert all(np.isfinite(array).all() for array in net.parameters.values())
assert len(net.history) >= 2 and not np.isnan(net.history["loss"]).any()
before = len(net.history)
net.fit(digits.train, epochs=1, learning_rate=0.1)
assert list(net.history["epoch"]) == list(range(1, before + 2))
"""
    assert run(kernel[1], check)["status"] == "ok"


def test_the_kernels_interrupt_ends_a_comparison_and_keeps_what_has_ended(kernel: Any) -> None:
    reply = interrupted(
        kernel,
        """
def note(net, history):
    if len(history) == 3:
        print("begun", flush=True)
nn.compare({"short": dict(epochs=1), "long": dict(epochs=100_000, callbacks=note)}, digits,
           layers=[784, 30, 10], learning_rate=0.5, seeds=1, n_jobs=1)
""",
    )
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    check = """
import sys, threading
ended = sys.last_value.comparison
assert len(ended["short"]) == 1 and len(ended["long"]) == 0
assert ended["short"][0].test_error < 0.5
"""
    assert run(kernel[1], check)["status"] == "ok"
