"""C files compiled on the spot into a library that ctypes loads."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

#: For this very machine, so that peers are at their best. The sources need no strict aliasing of
#: their own.
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fPIC", "-shared")


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CC") or "cc")


def compiled(
    sources: Sequence[Path], flags: Sequence[str] = (), libraries: Sequence[str] = ()
) -> ctypes.CDLL:
    """The library. OSError: there is no compiler; CalledProcessError: what it says."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "library.so")
        command = [*compiler(), *FLAGS, *flags, *map(str, sources), "-o", str(made), *libraries]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return ctypes.CDLL(str(made))  # stays loaded when the file goes
