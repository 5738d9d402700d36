"""nn_gradient called from C: the core and a driver, built in double by setup.py's own build."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from setuptools import Distribution, Extension

from benchmarks.peers.base import Array, Parameters

ROOT = Path(__file__).parents[1]
BLOCKS = 5


def setup_module() -> Any:
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("nnlearn_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def library(folder: Path) -> ctypes.CDLL:
    """The core with the driver, compiled into the folder."""
    sources = [str(path) for path in Path("csrc").glob("*/*.c") if path.parent.name != "binding"]
    sources.append("benchmarks/gradient_driver.c")
    extension = Extension("gradient_driver", sources, define_macros=[("NN_DOUBLE", "1")])
    build = setup_module().BuildCore(Distribution({"ext_modules": [extension]}))
    build.build_temp, build.build_lib = str(folder / "temp"), str(folder)
    build.ensure_finalized()
    with changed_to(ROOT):
        build.run()
    return ctypes.CDLL(build.get_ext_fullpath(extension.name))


@contextlib.contextmanager
def changed_to(folder: Path) -> Any:
    """As contextlib.chdir, which comes with Python 3.11."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Gradient:
    """The driver's network and data. `cost` is what the last call gave."""

    def __init__(self, x: Array, targets: Array, parameters: Parameters) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.library = library(Path(folder))  # stays loaded when the file goes
        self.library.driver_create.restype = ctypes.c_void_p
        self.library.driver_seconds.restype = ctypes.c_double
        self.library.driver_seconds.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        self.library.driver_free.argtypes = [ctypes.c_void_p]
        arrays = [np.ascontiguousarray(array, np.float64) for array in (x, targets, *parameters)]
        self.kept = arrays  # the driver reads x where it is
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        tensors = (ctypes.c_void_p * 4)(*(pointer.value for pointer in pointers[2:]))
        sizes = (len(x), x.shape[1], parameters[0].shape[1], targets.shape[1])
        self.driver = self.library.driver_create(
            *pointers[:2], *map(ctypes.c_size_t, sizes), tensors
        )
        if not self.driver:
            raise RuntimeError("the driver in C made no network")
        self.seconds(1)

    def __del__(self) -> None:
        if hasattr(self, "driver"):
            self.library.driver_free(self.driver)

    def seconds(self, calls: int) -> float:
        """The mean of so many calls, the least of some such means."""
        cost = ctypes.c_double()
        least = min(
            self.library.driver_seconds(self.driver, calls, ctypes.byref(cost))
            for _ in range(BLOCKS)
        )
        if least < 0:
            raise RuntimeError("nn_gradient failed")
        self.cost = cost.value
        return float(least)
