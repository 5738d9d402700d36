"""The twin of augmentation: images changed at random, written from the formulas.

A part is (name, amount, sigma); image number `row` of epoch `turn` draws from the streams "shift1",
"elastic1", "elastic2", ... of its seed. Places are from the image's centre, x to the right, y down.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from reference_random import MASK32, philox, stream_key

Array = NDArray[np.float64]
Part = tuple[str, float, float]


def words(seed: int, name: str, row: int, turn: int, n_blocks: int) -> NDArray[np.uint64]:
    """The four words of blocks (0 .. n_blocks - 1, row, turn)."""
    counter = np.zeros((n_blocks, 4), np.uint64)
    counter[:, 0], counter[:, 1] = np.arange(n_blocks), row
    counter[:, 2], counter[:, 3] = turn & MASK32, turn >> 32
    return philox(counter, stream_key(seed, name))


def uniforms(seed: int, name: str, row: int, turn: int, n: int) -> Array:
    """n numbers (2k + 1) / 2^16 - 1; of 16 blocks first all low halves, then all high ones, of
    their words 0 and 1, then 2 and 3."""
    turns = -(-n // 128)
    found = words(seed, name, row, turn, 16 * turns).reshape(turns, 16, 2, 2)
    bits = found.transpose(0, 2, 1, 3).reshape(turns, 64)
    halves = np.concatenate([bits & np.uint64(0xFFFF), bits >> np.uint64(16)], axis=1)
    return (2 * halves.reshape(-1)[:n].astype(float) + 1) / 2**16 - 1


def smoothed(field: Array, sigma: float) -> Array:
    """Convolved along both axes with a Gaussian cut at 4 sigma, summing to 1; (b a | a b c)."""
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        widths = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(field, widths, mode="symmetric")
        field = np.apply_along_axis(np.convolve, axis, padded, kernel, mode="valid")
    return field


def places(
    parts: Sequence[Part], shape: tuple[int, int], seed: int, row: int, turn: int = 0
) -> tuple[Array, Array]:
    """Where each pixel's value is taken from: x and y, both (height, width), from the corner."""
    height, width = shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    y, x = np.mgrid[:height, :width].astype(float)
    own = np.stack([x, y], axis=-1) - centre
    place = own
    for i in reversed(range(len(parts))):
        name, amount, sigma = parts[i]
        stream = f"{name}{1 + sum(part[0] == name for part in parts[:i])}"
        if amount == 0:
            continue
        if name == "elastic":
            u = uniforms(seed, stream, row, turn, 2 * height * width).reshape(2, height, width)
            place = place + amount * np.stack([smoothed(part, sigma) for part in u], axis=-1)
            continue
        u0, u1 = (words(seed, stream, row, turn, 1)[0, :2].astype(float) + 0.5) / 2**31 - 1
        angle = np.deg2rad(amount * u0)
        rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        if name == "shift":
            place = place - amount * np.array([u0, u1])
        else:
            M = {
                "rotate": rotation,
                "skew": [[1, amount * u0], [0, 1]],
                "scale": np.eye(2) / (1 + amount * u0),
            }[name]
            place = place @ np.transpose(M)
    place = place + centre
    return place[..., 0], place[..., 1]


def bilinear(image: Array, x: Array, y: Array) -> Array:
    """The image (height, width) at these places, 0 outside it."""
    height, width = image.shape
    framed = np.pad(image, ((1, 2), (1, 2)))
    x, y = np.clip(x, -1, width) + 1, np.clip(y, -1, height) + 1
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = y - i, x - j
    above = (1 - right) * framed[i, j] + right * framed[i, j + 1]
    below = (1 - right) * framed[i + 1, j] + right * framed[i + 1, j + 1]
    return (1 - down) * above + down * below


def augmented(
    images: Array, parts: Sequence[Part], seed: int, turn: int = 0, rows: Sequence[int] = ()
) -> Array:
    """images (n, channels, height, width), image i as number rows[i], or i."""
    out = np.empty_like(images, dtype=float)
    for i, image in enumerate(images):
        x, y = places(parts, image.shape[1:], seed, rows[i] if len(rows) else i, turn)
        for c, channel in enumerate(image):
            out[i, c] = bilinear(channel.astype(float), x, y)
    return out
