"""Other processes: scripts in an interpreter of their own, and forked children."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

#: Whether this is the run under AddressSanitizer (.ci/sanitized), in which training takes about ten
#: times as long, and a fork twenty times.
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")


def script(text: str, timeout: float = 60) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def in_child(work: Callable[[], Any]) -> str:
    """What `work` returns in a forked child, or how it failed. Ends with a child that hangs."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads run: so it shall be
        child = os.fork()
    if not child:
        try:
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    status = _status(child)
    with os.fdopen(read) as answers:
        text = answers.read()
    assert status == 0, f"the child ended with status {status}, having said {text!r}"
    return text


def _status(child: int) -> int:
    """How the child has ended; -1 for one that had to be killed after 20 s."""
    for wait in [0.001] * 1000 + [0.01] * 1900:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(wait)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -1
