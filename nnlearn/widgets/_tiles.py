"""The weights of hidden units as small images."""

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nnlearn.network import Network

#: Units shown at most, and seconds between two pictures of one network.
MOST, INTERVAL = 60, 0.1


class Tiles:
    """Pictures of the first layer's weights, or of their change, for inputs that are images.

    Parameters
    ----------
    image_shape : sequence of int or None
        (height, width) or (channels, height, width), whose channels are averaged; None: no picture.
    net : Network
        Whose pictures they will be, before training.
    change : bool
        Show what training has added to the weights, not the weights themselves.
    """

    def __init__(self, image_shape: Sequence[int] | None, net: Network, change: bool) -> None:
        # A network without hidden layers has the weights of its outputs to show.
        fits = image_shape is not None and len(net.weights[0]) == np.prod(image_shape)
        self._shape = tuple(image_shape) if image_shape is not None and fits else None
        self._start = np.array(net.weights[0][:, :MOST]) if fits and change else 0.0
        self._next = 0.0

    def of(self, net: Network, final: bool = False) -> npt.NDArray[np.int8] | None:
        """The units (k, height, width), each scaled by its largest weight to -127..127.

        Between two pictures lies `INTERVAL`; until then, unless `final`, the last one is given.
        """
        if self._shape is None:
            return None
        if final or time.perf_counter() >= self._next:
            self._next = time.perf_counter() + INTERVAL
            weights = np.ascontiguousarray((net.weights[0][:, :MOST] - self._start).T, np.float32)
            images = weights.reshape(-1, *self._shape)
            images = images.mean(axis=1) if len(self._shape) == 3 else images
            self._last = scaled(images)
        return self._last


def scaled(images: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Images (k, height, width), each scaled by its largest number to -127..127."""
    largest = np.abs(images).max(axis=(1, 2), keepdims=True)
    return np.round(127 * images / np.where(largest > 0, largest, 1)).astype(np.int8)
