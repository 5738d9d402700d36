"""Mutated files for the readers: whatever is in a file, only ValueError or OSError comes of it.

    python tests/fuzz_files.py [inputs of each kind] [seed]

Each input is a valid file with a few changes: in its bytes, or in the JSON that it holds, then with
the right checksum again, so that what lies behind the checksum is reached too.
"""

import collections
import contextlib
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import saved_files

import nnlearn as nn

#: Values to put anywhere into JSON.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 255, 2**31, 2**63, 2**64, 10**25, 0.5, -0.0, 1e308),
    *("", "x", "epoch", "dense", "F64", "F16", "sigmoid", "softmax", "history.rows", "\ud800", "é"),
    *([], {}, [[]], [0], [0, 0], [2, 2], [1] * 70, {"kind": "dense"}, ["epoch", "epoch"]),
    *(float("nan"), float("inf"), "0" * 64, [10**9, 10**9]),
)  # fmt: skip

#: Bytes to put anywhere into a file.
PIECES = (b"\0", b"\xff" * 8, b"[" * 9000, b'{"a":' * 3000, b'"', b"\\", b" ", b"NaN", b"1e999")

NETWORK2 = {
    "sizes": [3, 2, 1],
    "weights": [[[0.5, -1.0, 2.0], [1, 0.25, 1e-3]], [[0.1, -0.2]]],
    "biases": [[[0.0], [1.5]], [[-2.0]]],
    "cost": "CrossEntropyCost",
}


def of_bytes(blob: bytes, rng: random.Random) -> bytes:
    """The bytes with a few changes."""
    data = bytearray(blob)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 1, 2, 8, 50, 1000)))
        change = rng.randrange(6)
        if change == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif change == 1:
            del data[at:end]
        elif change == 2:
            data[at:at] = data[at:end]
        elif change == 3:
            data[at:at] = rng.choice(PIECES)
        elif change == 4:
            data[at:end] = rng.randbytes(end - at)
        else:
            del data[at:]
    return bytes(data)


def of_json(value: Any, rng: random.Random) -> Any:
    """The value with one change somewhere in it."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        copy = value.copy()
        key = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
        change = rng.random()
        if change < 0.7:
            copy[key] = of_json(copy[key], rng)
        elif change < 0.85:
            del copy[key]
        elif isinstance(copy, dict):
            copy[rng.choice(("x", "n", "kind", "", str(key) + "1"))] = rng.choice(ODD)
        else:
            copy.insert(key, rng.choice((copy[key], *ODD)))
        return copy
    if type(value) is int and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 8, -8, 2**32))
    return rng.choice(ODD)


def mutated_network(blob: bytes, rng: random.Random) -> bytes:
    """A saved network, changed in its bytes or in either of its two JSON texts."""
    kind = rng.randrange(4)
    if kind == 0:
        return of_bytes(blob, rng)
    header, ours, data = saved_files.take_apart(blob)
    for _ in range(rng.randint(1, 3)):
        if kind != 1:
            ours = of_json(ours, rng)
        elif isinstance(header, dict):
            header = of_json(header, rng)
    if kind == 3:  # numbers too, behind a checksum that is right
        data = rng.randbytes(len(data))
    return saved_files.put_together(header if isinstance(header, dict) else {}, ours, data)


def mutated_network2(blob: bytes, rng: random.Random) -> bytes:
    """A file of network2.py, changed in its bytes or its JSON."""
    if rng.random() < 0.4:
        return of_bytes(blob, rng)
    value = json.loads(blob)
    for _ in range(rng.randint(1, 3)):
        value = of_json(value, rng)
    return json.dumps(value).encode()


def kinds() -> dict[str, tuple[Callable[[Path], Any], bytes, Callable[..., bytes]]]:
    """For each kind of file its reader, a valid file, and what makes others of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net")
        saved_files.trained().save(path)
        network = path.read_bytes()
    idx = bytes([0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 4]) + bytes(range(12))
    return {
        "network": (nn.load, network, mutated_network),
        "network2": (nn.load_network2_json, json.dumps(NETWORK2).encode(), mutated_network2),
        "idx": (nn.datasets.read_idx, idx, of_bytes),
    }


def fuzz(kind: str, n: int, seed: int) -> collections.Counter[str]:
    """How often each outcome came of n inputs; any other exception passes."""
    reader, blob, mutated = kinds()[kind]
    rng = random.Random(f"{kind} {seed}")
    outcomes: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        path = Path(folder, "file")
        for i in range(n):
            path.write_bytes(mutated(blob, rng))
            try:
                reader(path)
                outcomes["read"] += 1
            except (ValueError, OSError) as error:
                outcomes[type(error).__name__] += 1
            except BaseException:
                kept = Path(tempfile.gettempdir(), f"nnlearn-fuzz-{kind}-{i}")
                with contextlib.suppress(OSError):
                    kept.write_bytes(path.read_bytes())
                sys.stderr.write(f"input {i} of {kind}, seed {seed}, is kept as {kept}\n")
                raise
    return outcomes


def memory_folder() -> str | None:
    """Where files cost no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    count, first = given + [20_000, 0][len(given) :]
    for name in kinds():
        print(f"{name}: {count:,} inputs, {dict(fuzz(name, count, first))}", flush=True)  # noqa: T201
