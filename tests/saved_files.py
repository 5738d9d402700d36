"""Saved networks taken apart and put together again, for tests of what a reader refuses."""

import hashlib
import json
from typing import Any

import numpy as np

import nnlearn as nn

X = np.random.default_rng(3).random((20, 3)).astype(np.float32)
Y = np.arange(20) % 2
SETTINGS: dict[str, Any] = {"learning_rate": 0.3, "batch_size": 4, "l2": 0.1}


def trained(dtype: str = "float32") -> nn.Network:
    """A small network with a history that has NaN in it, and values before training."""
    net = nn.Network([3, 4, 2], dropout=0.3, dtype=dtype, seed=4)
    measured = {"validation": (X, Y), "evaluate_every": 2, "evaluate_first": True}
    net.fit(X, Y, epochs=3, **SETTINGS, **measured)
    return net


def take_apart(blob: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header, our metadata, and the numbers."""
    end = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:end])
    return header, json.loads(header["__metadata__"]["nnlearn"]), blob[end:]


def put_together(header: dict[str, Any], ours: Any, data: bytes) -> bytes:
    """A file of these, with the right checksum where there is a place for one."""
    if not isinstance(ours, dict) or "checksum" not in ours:
        return _file(header, ours, data)
    unsigned = _file(header, {**ours, "checksum": "0" * 64}, data)
    return _file(header, {**ours, "checksum": hashlib.sha256(unsigned).hexdigest()}, data)


def _file(header: dict[str, Any], ours: Any, data: bytes) -> bytes:
    if isinstance(header.get("__metadata__"), dict) and ours is not None:
        header = {**header, "__metadata__": {**header["__metadata__"], "nnlearn": dump(ours)}}
    return framed(dump(header).encode(), data)


def framed(header: bytes, data: bytes) -> bytes:
    """A safetensors file of this header."""
    return len(header).to_bytes(8, "little") + header + data


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
