"""The twin's random numbers: a function of (seed, stream, index), made by Philox4x32-10.

key       mix64(seed ^ mix64(fnv1a64(stream))), low word first; a stream is named by its use
block     philox(counter = (index low, index high, turn low, turn high), key): four 32-bit words
pair      two words as one 64-bit number, w1 w0 or w3 w2
uniform   ((pair >> 12) + 1/2) / 2^52
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MASK32 = 2**32 - 1
MASK64 = 2**64 - 1


def philox(counter: ArrayLike, key: tuple[int, int]) -> NDArray[np.uint64]:
    """Philox4x32-10 of Salmon et al. (2011): counters (..., 4) and one key to words (..., 4)."""
    c0, c1, c2, c3 = np.moveaxis(np.asarray(counter, dtype=np.uint64), -1, 0)
    k0, k1 = key
    low = np.uint64(MASK32)
    for _ in range(10):
        product0 = c0 * np.uint64(0xD2511F53)
        product1 = c2 * np.uint64(0xCD9E8D57)
        c0 = (product1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0)
        c2 = (product0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1)
        c1, c3 = product1 & low, product0 & low
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return np.stack([c0, c1, c2, c3], axis=-1)


def mix64(z: int) -> int:
    """The 64-bit finaliser of splitmix64."""
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return z ^ z >> 31


def fnv1a64(text: str) -> int:
    """FNV-1a of the text's UTF-8 bytes."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK64
    return value


def stream_key(seed: int, stream: str) -> tuple[int, int]:
    """The key of the stream with this name: (low, high) word."""
    key = mix64(seed ^ mix64(fnv1a64(stream)))
    return key & MASK32, key >> 32


def pairs(seed: int, stream: str, n: int, turn: int = 0) -> NDArray[np.uint64]:
    """The first n 64-bit numbers of a stream; number i is half i % 2 of block i // 2."""
    index = np.arange(-(-n // 2), dtype=np.uint64)
    counter = np.empty((len(index), 4), dtype=np.uint64)
    counter[:, 0], counter[:, 1] = index & np.uint64(MASK32), index >> np.uint64(32)
    counter[:, 2], counter[:, 3] = turn & MASK32, turn >> 32
    words = philox(counter, stream_key(seed, stream))
    return (words[:, 1::2] << np.uint64(32) | words[:, 0::2]).reshape(-1)[:n]


def normals(seed: int, stream: str, n: int) -> Array:
    """n standard normal numbers, two from each block, after Box and Muller."""
    u = ((pairs(seed, stream, n + n % 2) >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52
    r, angle = np.sqrt(-2 * np.log(u[0::2])), 2 * np.pi * u[1::2]
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1).reshape(-1)[:n]


def permutation(seed: int, epoch: int, n: int) -> NDArray[np.intp]:
    """The order of rows in epoch number `epoch` (from 0, over the network's life): Fisher-Yates."""
    order = np.arange(n)
    draws = pairs(seed, "shuffle", n, epoch).tolist()
    for i in range(n - 1, 0, -1):
        j = draws[i] * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return order


def dropout_mask(seed: int, name: str, step: int, n_rows: int, n_units: int, p: float) -> Array:
    """What training multiplies by, a word for a unit: 0 with probability p, else 1 / (1 - p)."""
    n_blocks = -(-n_units // 4)
    counter = np.empty((n_rows, n_blocks, 4), dtype=np.uint64)
    counter[..., 0], counter[..., 1] = np.arange(n_blocks), np.arange(n_rows)[:, None]
    counter[..., 2], counter[..., 3] = step & MASK32, step >> 32
    words = philox(counter, stream_key(seed, name)).reshape(n_rows, -1)[:, :n_units]
    return (words >= np.uint64(int(p * 2**32))) / (1 - p)
