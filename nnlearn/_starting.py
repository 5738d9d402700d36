"""Ctrl-C while ``python -m nnlearn`` is still importing: one line in place of a traceback.

Python imports the package before `nnlearn.__main__`, which therefore cannot catch what happens
until then. This module is the first that the package imports. It does something only where the
process was started for the package itself; a program that imports nnlearn keeps what it has.
"""

import os
import signal
import sys
import threading
from typing import NoReturn

#: What the command says, and its exit code: those of a shell for a process that Ctrl-C ended.
INTERRUPTED = "python -m nnlearn: interrupted\n"
EXIT_CODE = 130


def _is_started(package: str) -> bool:
    """Whether Python is at the import of this package for ``python -m package``."""
    arguments = len(sys.argv)
    if sys.argv[:1] != ["-m"] or len(sys.orig_argv) <= arguments:
        return False  # argv[0] is -m only while Python looks for what it is to run
    return sys.orig_argv[-arguments] in (package, f"-m{package}")


def _end(*_: object) -> NoReturn:
    """Say it, and end at once: half of the modules are there, nothing is open."""
    os.write(2, INTERRUPTED.encode())
    os._exit(EXIT_CODE)


def end_on_ctrl_c() -> None:
    """Until `raise_on_ctrl_c`, where Ctrl-C would raise KeyboardInterrupt amid the imports."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _end)


def raise_on_ctrl_c() -> None:
    """As Python does, once there is somebody to catch it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if _is_started("nnlearn"):
    end_on_ctrl_c()
