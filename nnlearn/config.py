"""What this build and this machine are: versions, kernels, threads, data folders."""

import os
import platform
import re
from dataclasses import dataclass

import numpy as np

from nnlearn import _checks, _core, _html

#: Environment variables that ask for a number of threads; the first one that can be read wins.
_OURS = "NNLEARN_NUM_THREADS"
THREAD_VARIABLES = (_OURS, "BLIS_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Config:
    """Names and values, in the order in which they are shown."""

    items: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.items)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.items)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _html.table([], self.items, ["left", "left"])

    def __getitem__(self, name: str) -> str:
        return dict(self.items)[name]


def available_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_asked() -> tuple[str, int] | None:
    """The variable that asks for threads and their number; None where none does.

    Those of BLIS and OpenMP hold more than a number ("4,2" for nested regions): the first one
    counts, and what begins with none is passed over.

    Raises
    ------
    ValueError
        If NNLEARN_NUM_THREADS is set to anything but an integer of at least 1.
    """
    for name in THREAD_VARIABLES:
        value = os.environ.get(name, "").strip()
        number = re.match("[0-9]{1,9}$" if name == _OURS else "[0-9]{1,9}", value)
        if number and int(number[0]) >= 1:
            return name, int(number[0])
        if value and name == _OURS:
            _checks.fail(ValueError, name, "be an integer >= 1", value)
    return None


def show_config() -> Config:
    """Versions, the kernels chosen for this CPU, cores, threads and data folders.

    Returns
    -------
    Config
        Shown as a table of two columns; an item is reached by its name.

    Raises
    ------
    ValueError
        If NNLEARN_NUM_THREADS is set to anything but an integer of at least 1.

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
            ("cores", str(available_cores())),
            ("threads", _threads()),
            ("NNLEARN_DATA_DIR", os.environ.get("NNLEARN_DATA_DIR") or "not set"),
            ("downloads", str(cache_folder())),
        )
    )


def default_threads() -> int:
    """Threads of a network that was given none: as many as asked for, else one a core."""
    asked = threads_asked()
    return asked[1] if asked else available_cores()


def _threads() -> str:
    """How many threads a long step is shared by, and who asked for them."""
    asked = threads_asked()
    return f"{default_threads()} ({asked[0] if asked else 'one a core'})"
