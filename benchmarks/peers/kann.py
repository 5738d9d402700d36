"""KANN, a small C library, over OpenBLAS. $NNLEARN_KANN names the folder of its sources."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from benchmarks.compiling import compiled
from benchmarks.peers.base import Array, Missing, Model, Parameters, Peer, Work, one_hot

DRIVER = Path(__file__).with_name("kann_driver.c")
FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
INTS = np.ctypeslib.ndpointer(np.int32, flags="C_CONTIGUOUS")


def openblas_flags() -> list[str]:
    """How OpenBLAS is found: by pkg-config where it is known there."""
    if shutil.which("pkg-config"):
        command = ["pkg-config", "--cflags", "--libs", "openblas"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode == 0:
            return shlex.split(answer.stdout)
    return ["-lopenblas"]


def build() -> ctypes.CDLL:
    """KANN with the driver as a library; Missing says what it lacks."""
    folder = os.environ.get("NNLEARN_KANN")
    if not folder:
        raise Missing("NNLEARN_KANN does not name the folder of its sources")
    sources = [DRIVER, Path(folder, "kann.c"), Path(folder, "kautodiff.c")]
    flags = ["-DHAVE_CBLAS", f"-I{folder}"]
    try:
        library = compiled(sources, flags, ["-lm", "-lpthread", *openblas_flags()])
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise Missing(f"does not compile: {said[0] if said else error}") from error
    number, pointer, real = ctypes.c_int, ctypes.c_void_p, ctypes.c_float
    signatures = {
        "driver_create": (pointer, [number] * 4 + [FLOATS]),
        "driver_free": (None, [pointer]),
        "driver_parameters": (None, [pointer, FLOATS]),
        "driver_epoch": (None, [pointer, FLOATS, FLOATS, INTS, number, real, real, real]),
        "driver_forward": (None, [pointer, FLOATS, number, FLOATS]),
        "openblas_get_config": (ctypes.c_char_p, []),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class KannModel(Model):
    def __init__(self, library: ctypes.CDLL, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.library = library
        self.rng = np.random.default_rng(seed)
        w1, b1, w2, b2 = parameters
        flat = np.concatenate([w1.T.ravel(), b1, w2.T.ravel(), b2])
        self.handle = library.driver_create(*work.layers, work.batch_size, flat)
        if not self.handle:
            raise MemoryError("KANN made no network")

    def __del__(self) -> None:
        self.library.driver_free(self.handle)

    def bind(self, x: Array, labels: Array) -> None:
        self.x = x
        self.y = one_hot(labels, self.work.layers[-1])

    def train(self, epochs: int) -> float:
        """A last batch that is short is left to fall."""
        began = time.perf_counter()
        n, work = len(self.x), self.work
        for _ in range(epochs):
            order = self.rng.permutation(n).astype(np.int32)
            rates = (work.learning_rate, work.l2 / n, work.momentum)
            self.library.driver_epoch(self.handle, self.x, self.y, order, n, *rates)
        return time.perf_counter() - began

    def forward(self, x: Array) -> Array:
        a = np.empty((len(x), self.work.layers[-1]), np.float32)
        self.library.driver_forward(self.handle, x, len(x), a)
        return a


class KannPeer(Peer):
    def __init__(self) -> None:
        self.library = build()

    def version(self) -> str:
        header = Path(os.environ["NNLEARN_KANN"], "kann.h").read_text()
        number = header.split('#define KANN_VERSION "')[1].split('"')[0]
        return f"KANN {number}, {self.library.openblas_get_config().decode().strip()}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> KannModel:
        return KannModel(self.library, work, parameters, seed)


def make() -> KannPeer:
    return KannPeer()
