"""SciPy, whose ndimage changes images; it trains no networks."""

from __future__ import annotations

import numpy as np
import scipy
from scipy import ndimage

from benchmarks.distortion import Distorter, Distortion
from benchmarks.peers.base import Array, Model, Parameters, Peer, Work

AT_A_TIME = 100


class ScipyDistorter(Distorter):
    """Some images a call: the fields as one array, smoothed along two of its axes; the images one
    below the other as a single one, each in a frame of zeros of its own."""

    def __init__(self, distortion: Distortion, at_a_time: int = AT_A_TIME) -> None:
        super().__init__(distortion, at_a_time)

    def smoothed(self, fields: Array) -> Array:
        sigma = self.distortion.sigma
        found: Array = ndimage.gaussian_filter(
            fields, sigma, mode="reflect", truncate=4.0, axes=(2, 3)
        )
        return found

    def interpolated(self, framed: Array, x: Array, y: Array) -> Array:
        n, height, width = framed.shape
        # In float64, as rows of the last images are large numbers.
        places = np.empty((2, *x.shape))
        np.add(y, height * np.arange(n)[:, None], out=places[0])
        places[1] = x
        out = np.empty(x.shape, np.float32)
        # All places are inside; "nearest" is the mode that then takes the least time.
        ndimage.map_coordinates(
            framed.reshape(n * height, width),
            places,
            output=out,
            order=1,
            mode="nearest",
            prefilter=False,
        )
        return out


class ScipyPeer(Peer):
    def version(self) -> str:
        return f"SciPy {scipy.__version__}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> Model:
        raise NotImplementedError("SciPy trains no networks")

    def distorter(self, distortion: Distortion, at_a_time: int = AT_A_TIME) -> ScipyDistorter:
        return ScipyDistorter(distortion, at_a_time)


def make() -> ScipyPeer:
    return ScipyPeer()
