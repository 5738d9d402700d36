"""What this build and this machine are: versions, kernels, threads, data folders."""

import os
import platform
from dataclasses import dataclass

import numpy as np

from nnlearn import _checks, _core

#: Environment variables that set the number of threads, the first one set wins.
THREAD_VARIABLES = ("NNLEARN_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Config:
    """Names and values, in the order in which they are shown."""

    items: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.items)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.items)

    __repr__ = __str__

    def __getitem__(self, name: str) -> str:
        return dict(self.items)[name]


def available_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_threads() -> int:
    """Threads where none are given: the first variable that is set, else the cores.

    Raises
    ------
    ValueError
        If that variable holds no integer of at least 1.
    """
    for name in THREAD_VARIABLES:
        value = os.environ.get(name, "").strip()
        if not value:
            continue
        if not value.isdecimal() or int(value) < 1:
            _checks.fail(ValueError, name, "be an integer >= 1", value)
        return int(value)
    return available_cores()


def show_config() -> Config:
    """Versions, the kernels chosen for this CPU, threads and data folders.

    Returns
    -------
    Config
        Shown as a table of two columns; an item is reached by its name.

    Examples
    --------
    >>> import nnlearn as nn
    >>> nn.show_config()["nnlearn"] == nn.__version__
    True
    """
    from nnlearn.datasets._find import cache_folder

    info = _core.info()
    return Config(
        (
            ("nnlearn", _core.__version__),
            ("Python", platform.python_version()),
            ("NumPy", np.__version__),
            ("BLIS", info["blis"]),
            ("kernels", f"{info['kernels']} (BLIS: {info['blis_kernels']})"),
            ("threads", f"{default_threads()} of {available_cores()} cores"),
            ("NNLEARN_DATA_DIR", os.environ.get("NNLEARN_DATA_DIR") or "not set"),
            ("downloads", str(cache_folder())),
        )
    )
