"""The limits of the machine, measured on the spot, and what each benchmark needs at least.

Arithmetic: multiplications and additions of nonzero inputs, at the rate of fused multiply-adds of
the widest vectors. Memory: parameters that a step must read and write, at the rate of the
smallest cache that holds them all, and the inputs, at the rate of the main memory.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compiling import compiled
from benchmarks.peers.base import Array, Work

SOURCE = Path(__file__).with_name("limits.c")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")

#: Assumed where the system does not tell.
USUAL_CACHES = {"L1": 32 << 10, "L2": 512 << 10, "L3": 16 << 20}
MEMORY = 256 << 20  # bytes read to measure the main memory
TRIES = 15

#: Above this share of nonzero inputs a step is counted as dense; a nonzero then is not 3 bytes
#: (16 bits of index, 8 of value) but a float of 4.
DENSE = 0.5


@dataclass(frozen=True)
class Count:
    """What a unit of work needs at least."""

    operations: float  # multiplications and additions
    parameter_bytes: float  # read and written, of parameters
    input_bytes: float
    resident_bytes: float  # all parameters, which choose the cache


def caches() -> dict[str, int]:
    """Bytes of the data caches of a core, by level."""
    found = {}
    for folder in sorted(CACHES.glob("index*")):
        if (folder / "type").read_text().strip() == "Instruction":
            continue
        number = re.match(r"(\d+)([KM]?)", (folder / "size").read_text())
        assert number is not None
        unit = {"": 1, "K": 1 << 10, "M": 1 << 20}[number[2]]
        found[f"L{(folder / 'level').read_text().strip()}"] = int(number[1]) * unit
    return found or dict(USUAL_CACHES)


def best_rate(amount: float, call: Callable[[], Any]) -> float:
    """Amount a second, of the fastest of some calls."""
    seconds = []
    for _ in range(TRIES):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return amount / min(seconds)


def measure() -> dict[str, Any]:
    """Operations a second, and bytes a second by level; {} and the reason without a compiler."""
    try:
        library = compiled([SOURCE])
    except (OSError, subprocess.CalledProcessError) as error:
        return {"error": f"limits.c does not compile: {error}"}
    library.limits_fma_operations.restype = ctypes.c_double
    library.limits_fma_operations.argtypes = [ctypes.c_size_t]
    library.limits_fma.argtypes = [ctypes.c_size_t, ctypes.c_float, ctypes.c_float]
    library.limits_read.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
    n = 500_000
    operations = library.limits_fma_operations(n)
    peak = best_rate(operations, lambda: library.limits_fma(n, 0.5, 1.0))
    sizes = caches()
    levels = {level: size // 2 for level, size in sizes.items()}
    levels["memory"] = MEMORY
    block = np.ones(max(levels.values()) + 64, np.uint8)
    at = block.ctypes.data + -block.ctypes.data % 64
    rates = {}
    for level, size in levels.items():
        size -= size % 512
        times = max(1, MEMORY // size)
        rates[level] = best_rate(size * times, lambda: library.limits_read(at, size, times))  # noqa: B023 - called at once
    return {"operations": peak, "bytes": rates, "caches": sizes}


def best(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The higher rates of two measurements."""
    if "error" in first:
        return first
    rates = {level: max(rate, second["bytes"][level]) for level, rate in first["bytes"].items()}
    operations = max(first["operations"], second["operations"])
    return {**first, "operations": operations, "bytes": rates}


def seconds(count: Count, limits: dict[str, Any]) -> tuple[float, float]:
    """The least a unit can take by arithmetic, and by memory."""
    level = "memory"
    for name, size in limits["caches"].items():
        if count.resident_bytes <= size:
            level = name
            break
    rates = limits["bytes"]
    memory = count.parameter_bytes / rates[level] + count.input_bytes / rates["memory"]
    return count.operations / limits["operations"], memory


def occupancy(x: Array, batch_size: int) -> tuple[float, float]:
    """Nonzero inputs of a row, and inputs that are not zero in all rows of a batch: means."""
    sample = x[: max(batch_size, 2_000 // batch_size * batch_size)] != 0
    batches = sample[: len(sample) // batch_size * batch_size]
    touched = batches.reshape(-1, batch_size, x.shape[1]).any(axis=1)
    return float(sample.sum(axis=1).mean()), float(touched.sum(axis=1).mean())


def bytes_of_rows(nonzero: float, n_in: int) -> float:
    return 4.0 * n_in if nonzero > DENSE * n_in else 3.0 * nonzero


def resident(work: Work) -> float:
    n_in, n_hidden, n_out = work.layers
    tensors = 2 if work.momentum else 1
    return 4.0 * tensors * (n_in * n_hidden + n_hidden * n_out)


def count_step(work: Work, x: Array) -> Count:
    """Forward, the gradient of all parameters, the update; no gradient of the inputs."""
    n_in, n_hidden, n_out = work.layers
    m = work.batch_size
    nonzero, touched = occupancy(x, m)
    first = 2.0 * m * nonzero * n_hidden
    second = 2.0 * m * n_hidden * n_out
    # Read going forward, read and written by the update; the velocity too is read and written.
    passes = 5 if work.momentum else 3
    moved = 4.0 * passes * (touched * n_hidden + n_hidden * n_out)
    return Count(2 * first + 3 * second, moved, m * bytes_of_rows(nonzero, n_in), resident(work))


def count_forward(work: Work, x: Array) -> Count:
    """The outputs of all rows of x."""
    n_in, n_hidden, n_out = work.layers
    nonzero, _ = occupancy(x, 1)
    operations = 2.0 * len(x) * (nonzero * n_hidden + n_hidden * n_out)
    moved = 4.0 * (n_in * n_hidden + n_hidden * n_out)
    return Count(operations, moved, len(x) * bytes_of_rows(nonzero, n_in), resident(work))
