"""Images changed at random as `nnlearn.augment` does it: what is computed, and how with arrays.

An image moves, turns about its centre, slants, and is distorted elastically; the maps become one,
and the image is interpolated once. Pixel p, from the centre, takes its value from

    place(p) = R K (p + alpha (G * u)(p)) - d

R a rotation, K a skew, d a shift, u two fields of uniform numbers, G a Gaussian.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.peers.base import Array

#: Places are clipped to one pixel outside the image; beyond are zeros for their right neighbours.
FRAME = 3


@dataclass(frozen=True)
class Distortion:
    """How much at most; images of side x side pixels."""

    side: int = 28
    pixels: float = 1.0
    degrees: float = 10.0
    skew: float = 0.1
    alpha: float = 20.0  # in pixels, before the smoothing
    sigma: float = 4.0  # of the Gaussian, in pixels, cut at 4 sigma

    @property
    def radius(self) -> int:
        return int(4 * self.sigma + 0.5)


class Draws(NamedTuple):
    """The random numbers of n images, all uniform in [-1, 1]."""

    shift: Array  # (n, 2): right, down
    angle: Array  # (n,)
    skew: Array  # (n,)
    fields: Array  # (n, 2, side, side) float32: right, down


def draw(rng: np.random.Generator, n: int, side: int) -> Draws:
    """New numbers for n images."""
    affine = rng.uniform(-1.0, 1.0, (4, n))
    fields = rng.random((n, 2, side, side), np.float32)
    fields *= 2
    fields -= 1
    return Draws(affine[:2].T, affine[2], affine[3], fields)


class Distorter(ABC):
    """Images to changed images, some at a time: what is at work then stays in the caches."""

    def __init__(self, distortion: Distortion, at_a_time: int) -> None:
        self.distortion, self.at_a_time = distortion, at_a_time
        side = distortion.side
        self.centre = np.float32((side - 1) / 2)
        own = np.indices((side, side), np.float32)[::-1].reshape(2, -1)
        self.own = own - self.centre  # x and y of every pixel

    @abstractmethod
    def smoothed(self, fields: Array) -> Array:
        """The fields (n, 2, side, side) under the Gaussian, reflected at the border."""

    @abstractmethod
    def interpolated(self, framed: Array, x: Array, y: Array) -> Array:
        """Bilinear values (n, pixels) at places (n, pixels) of framed images (n, side + 3,
        side + 3), which begin one row and one column before the image."""

    def __call__(self, images: Array, seed: int) -> Array:
        """The images (n, pixels) float32 with the random numbers of a seed."""
        rng = np.random.default_rng(seed)
        out = np.empty_like(images)
        for first in range(0, len(images), self.at_a_time):
            some = images[first : first + self.at_a_time]
            draws = draw(rng, len(some), self.distortion.side)
            out[first : first + len(some)] = self.changed(some, draws)
        return out

    def changed(self, images: Array, draws: Draws) -> Array:
        """The images (n, pixels) float32 with these random numbers."""
        n, side = len(images), self.distortion.side
        framed = np.zeros((n, side + FRAME, side + FRAME), np.float32)
        framed[:, 1 : side + 1, 1 : side + 1] = images.reshape(n, side, side)
        places = self.places(draws)
        np.clip(places, -1, side, out=places)
        places += 1
        return self.interpolated(framed, places[:, 0], places[:, 1])

    def places(self, draws: Draws) -> Array:
        """Where each pixel's value is taken from, (n, 2, pixels), from the image's corner."""
        most = self.distortion
        n = len(draws.angle)
        angle, skew = np.deg2rad(most.degrees * draws.angle), most.skew * draws.skew
        cos, sin = np.cos(angle), np.sin(angle)
        turned = np.empty((n, 2, 2), np.float32)  # R K
        turned[:, 0, 0], turned[:, 0, 1] = cos, cos * skew - sin
        turned[:, 1, 0], turned[:, 1, 1] = sin, sin * skew + cos
        moved = self.smoothed(draws.fields).reshape(n, 2, -1)
        moved *= np.float32(most.alpha)
        moved += self.own
        places: Array = np.matmul(turned, moved)
        places += (self.centre - most.pixels * draws.shift).astype(np.float32)[:, :, None]
        return places
