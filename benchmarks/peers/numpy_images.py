"""Images changed at random in NumPy: the Gaussian as a matrix, interpolation by index."""

from __future__ import annotations

import numpy as np

from benchmarks.distortion import Distorter, Distortion
from benchmarks.peers.base import Array

AT_A_TIME = 100


def gaussian(side: int, sigma: float, radius: int) -> Array:
    """G (side, side): row i a Gaussian around i that sums to 1, what is beyond reflected."""
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    G = np.zeros((side, side))
    for i in range(side):
        reached = np.arange(i - radius, i + radius + 1) % (2 * side)
        np.add.at(G[i], np.minimum(reached, 2 * side - 1 - reached), weights)
    return G.astype(np.float32)


class NumpyDistorter(Distorter):
    def __init__(self, distortion: Distortion, at_a_time: int = AT_A_TIME) -> None:
        super().__init__(distortion, at_a_time)
        self.G = gaussian(distortion.side, distortion.sigma, distortion.radius)

    def smoothed(self, fields: Array) -> Array:
        across = fields.reshape(-1, len(self.G)) @ self.G.T
        down: Array = np.matmul(self.G, across.reshape(fields.shape))
        return down

    def interpolated(self, framed: Array, x: Array, y: Array) -> Array:
        n, _, width = framed.shape
        column, row = x.astype(np.int32), y.astype(np.int32)
        right, down = x - column, y - row
        row *= width
        row += column
        row += np.arange(n, dtype=np.int32)[:, None] * np.int32(framed[0].size)
        flat = framed.reshape(-1)
        # Each as in a + (b - a) t, into what is there already.
        above, other = flat[row], flat[row + 1]
        other -= above
        other *= right
        above += other
        row += width
        below, other = flat[row], flat[row + 1]
        other -= below
        other *= right
        below += other
        below -= above
        below *= down
        above += below
        return above
