"""The chapter's toy neuron: one sigmoid unit, input 1, target 0, down either cost."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.callbacks import Callback
from nnlearn.history import History
from nnlearn.network import Network

_Array = npt.NDArray[np.float64]

#: The costs, in the order of their colours.
COSTS = ("quadratic", "cross_entropy")

#: The chapter's two starts: weight, bias.
STARTS = ((0.6, 0.9), (2.0, 2.0))

#: What is told of each epoch, in the order of the frame's columns.
COLUMNS = ("w", "b", "z", "a", "cost", "slope", "gradient")

_X, _Y = np.ones((1, 1)), np.zeros((1, 1))  # the only sample: input 1, target 0


def path(
    cost: str,
    w: float,
    b: float,
    learning_rate: float,
    epochs: int,
    fit: Callable[..., Any] = Network.fit,
) -> tuple[_Array, _Array]:
    """The weight and the bias at the start and after each epoch of gradient descent.

    fit: what trains, if not `Network.fit`; it gets the network and fit's arguments.
    """
    net = Network([1, 1], cost=cost, init="zeros", dtype="float64", n_threads=1)
    net.weights[0][...], net.biases[0][...] = w, b
    trace = _Trace(net)
    settings = {"learning_rate": learning_rate, "epochs": epochs, "batch_size": 1}
    fit(net, _X, _Y, **settings, verbose=0, callbacks=[trace])
    places = np.array(trace.places).T
    return places[0], places[1]


class _Trace(Callback):
    """Where the weight and the bias were at the start and after each epoch."""

    def __init__(self, net: Network) -> None:
        self.places: list[tuple[float, float]] = []
        self.on_epoch_end(net, net.history)

    def on_epoch_end(self, net: Network, history: History) -> None:
        self.places.append((net.weights[0].item(), net.biases[0].item()))


def book_gradient(z: npt.ArrayLike) -> _Array:
    """What the book's page takes for the cross-entropy's dC/dz, in error: 1/(1 - a).

    This is dC/da. By the chain rule dC/dz = dC/da da/dz = 1/(1 - a) a (1 - a) = a.

    Parameters
    ----------
    z : array_like
        Weighted inputs.

    Returns
    -------
    ndarray
        ``1 / (1 - sigma(z))`` as ``1 + exp(z)``, which is the same without the difference of
        nearly equal numbers.
    """
    gradient: _Array = 1 + np.exp(np.asarray(z, np.float64))
    return gradient


def book_path(w: float, b: float, learning_rate: float, epochs: int) -> tuple[_Array, _Array]:
    """The path of the neuron on the book's page, which descends by a wrong formula.

    ::

        w <- w - eta / (1 - a),   b <- b - eta / (1 - a)      in place of eta a

    Parameters
    ----------
    w, b : float
        The start.
    learning_rate : float
        eta.
    epochs : int
        Steps.

    Returns
    -------
    w, b : ndarray, shape (epochs + 1,)
        The start, and the place after each step.
    """
    places = [(w, b)]
    for _ in range(epochs):
        step = learning_rate * float(book_gradient(w + b))
        w, b = w - step, b - step
        places.append((w, b))
    path = np.array(places).T
    return path[0], path[1]


def measured(cost: str, w: _Array, b: _Array) -> dict[str, _Array]:
    """`COLUMNS` of neurons with these weights and biases, by nnlearn: one with weight 1 gets z."""
    neuron = Network([1, 1], cost=cost, init="zeros", dtype="float64", n_threads=1)
    neuron.weights[0][...] = 1
    z = (w + b)[:, None]
    inside = neuron.inspect(z, np.zeros_like(z))
    costs = np.array([neuron.loss(row[None], _Y) for row in z])
    a, slope, delta = (part[:, 0] for part in (inside.a[-1], inside.slope(-1), inside.delta[-1]))
    return dict(zip(COLUMNS, (w, b, z[:, 0], a, costs, slope, delta), strict=True))
