"""Networks of two inputs as pictures: what they answer, and what their hidden units do, in a plane.

A picture is an array of uint8 whose row 0 lies at the top of the view. Of the outputs it holds the
share of each class in 255ths (of two classes that of the second alone), of a hidden unit its
activation from lowest, 0, over its middle, 128, to highest, 255.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nnlearn.network import Network

_Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]

#: Cells along each side: of the outputs and the hidden units, now and in a film.
CELLS, UNIT_CELLS, FILM_CELLS, FILM_UNIT_CELLS = 60, 30, 36, 18

#: Units shown at most, of one layer and in all.
MOST_IN_LAYER, MOST = 10, 30

#: What remains free around the points, as a share of their extent.
_MARGIN = 0.15


class View(NamedTuple):
    """The part of the plane that is shown."""

    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def of(cls, x: _Array) -> "View":
        """Around these points, at most twice as wide as high; around 0 where there are none."""
        if len(x) == 0:
            return cls(-1.0, 1.0, -1.0, 1.0)
        low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
        width, height = high - low
        width = max(width, height) or 1.0  # points on a line need a plane around them, too
        height = max(height, width / 2)
        (x_mid, y_mid), reach = (low + high) / 2, 0.5 + _MARGIN
        x_reach, y_reach = reach * width, reach * height
        return cls(
            *map(float, (x_mid - x_reach, x_mid + x_reach, y_mid - y_reach, y_mid + y_reach))
        )

    def grid(self, cells: int) -> npt.NDArray[np.float32]:
        """The centres of cells x cells equal parts, row by row from the top, (cells^2, 2)."""
        share = (np.arange(cells) + 0.5) / cells
        x = self.left + share * (self.right - self.left)
        y = self.top - share * (self.top - self.bottom)
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def class_shares(net: Network, x: npt.NDArray[np.float32]) -> _Array:
    """`Network.predict_proba`; of outputs that are no probabilities 1 for the class predicted."""
    architecture = net._architecture
    if architecture.output in ("sigmoid", "softmax"):
        return net.predict_proba(x)
    if architecture.is_regression:  # trained on labels all the same
        a = net.forward(x)
        classes = a.argmax(axis=1) if net.n_outputs > 1 else (a[:, 0] >= 0.5).astype(np.int64)
    else:
        classes = net.predict(x)
    shares: _Array = np.eye(architecture.n_classes)[classes]
    return shares


def output_picture(net: Network, view: View, cells: int) -> Picture:
    """The shares of the classes, (k, cells, cells): k is 1 of two classes."""
    shares = class_shares(net, view.grid(cells))
    shown = shares[:, 1:] if shares.shape[1] == 2 else shares
    known = np.nan_to_num(shown, nan=0.5)  # sums beyond all floats, shortly before a divergence
    return _squares(255 * known, cells)


def units_shown(net: Network) -> list[int]:
    """How many units of each hidden layer have a picture."""
    left, shown = MOST, []
    for dense in net._architecture.dense[:-1]:
        shown.append(min(dense.n, MOST_IN_LAYER, left))
        left -= shown[-1]
    return shown


def unit_pictures(net: Network, view: View, cells: int) -> list[Picture]:
    """The activations of the first units of each hidden layer, (units, cells, cells)."""
    shown = units_shown(net)
    if not shown:
        return []
    x = view.grid(cells)
    inside = net.inspect(x, np.zeros(len(x), np.int64))
    layers = zip(inside.a[1:], inside.activations, shown, strict=False)
    return [_unit_picture(a[:, :k], name, cells) for a, name, k in layers]


def _unit_picture(a: _Array, name: str, cells: int) -> Picture:
    if name == "sigmoid":
        middle, reach = 0.5, np.full(a.shape[1], 0.5)
    elif name == "tanh":
        middle, reach = 0.0, np.ones(a.shape[1])
    else:  # no bounds: each unit up to its own largest
        middle, reach = 0.0, np.abs(a).max(axis=0)
    with np.errstate(invalid="ignore"):  # infinite, shortly before a divergence
        level = np.nan_to_num((a - middle) / np.where(reach > 0, reach, 1))
    steps = 128 + np.where(level < 0, 128, 127) * level
    return _squares(steps, cells)


def _squares(columns: _Array, cells: int) -> Picture:
    """Each column, over a grid, as a square."""
    return np.round(columns).astype(np.uint8).T.reshape(-1, cells, cells)


@dataclass
class Film:
    """Pictures of one network at some epochs.

    Attributes
    ----------
    epochs : list of int
        Those seen so far.
    """

    view: View
    wanted: frozenset[int]
    epochs: list[int] = field(default_factory=list)
    _outputs: list[Picture] = field(default_factory=list)
    _units: list[list[Picture]] = field(default_factory=list)

    def see(self, net: Network, epoch: int, last: bool = False) -> None:
        """Take a picture if this epoch, the number of those trained, is wanted or the last."""
        if epoch in self.epochs or not (last or epoch in self.wanted):
            return
        self.epochs.append(epoch)
        self._outputs.append(output_picture(net, self.view, FILM_CELLS))
        self._units.append(unit_pictures(net, self.view, FILM_UNIT_CELLS))

    def arrays(self) -> list[Picture]:
        """The outputs, (epochs, k, cells, cells), then each hidden layer's units likewise."""
        return [np.stack(layer) for layer in (self._outputs, *zip(*self._units, strict=True))]


def film_epochs(epochs: int, count: int) -> frozenset[int]:
    """About so many epochs from 0 to the last, each about as many times the one before."""
    steps = np.geomspace(1, max(epochs, 1), max(count - 1, 1)).round().astype(int)
    return frozenset({0, *np.minimum(steps, epochs).tolist()})


def picture_bytes(networks: Sequence[Network], cells: int, unit_cells: int) -> int:
    """The bytes of one picture of all these networks with their hidden units."""
    total = 0
    for net in networks:
        classes = net._architecture.n_classes
        total += (1 if classes == 2 else classes) * cells**2
        total += sum(units_shown(net)) * unit_cells**2
    return total
