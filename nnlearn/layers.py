"""Layers as the user writes them: frozen, checked when made, equal by value."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlearn import _checks, _core
from nnlearn._foreign import hints

#: Activations of hidden layers; the last layer may also be "softmax".
ACTIVATIONS: tuple[str, ...] = tuple(n for n in _core.names("activation") if n != "softmax")

#: Names of the initialisations; a number s stands for W ~ N(0, s^2), b = 0.
INITS: tuple[str, ...] = tuple(name for name in _core.names("init") if name != "normal")


def check_activation(name: str, value: Any, *, last: bool = False) -> str:
    """The value as the name of an activation; softmax only where the layer may be the last."""
    options = (*ACTIVATIONS, "softmax") if last else ACTIVATIONS
    hint = "softmax is for the last layer" if value == "softmax" else None
    return _checks.choice(name, value, options, hint)


def check_init(name: str, value: Any) -> str | float:
    """The value as the name of an initialisation or a standard deviation."""
    hint = "a number s >= 0 stands for N(0, s^2)"
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return _checks.real(name, value, minimum=0.0)
    return _checks.choice(name, value, INITS, hint)


def check_probability(name: str, value: Any) -> float:
    """The value as a share of units to drop, in [0, 1)."""
    return _checks.real(name, value, minimum=0.0, below=1.0)


@hints(units="use n=", out_features="use n=", kernel_initializer="use init=")
@dataclass(frozen=True)
class Dense:
    """Dense layer: ``a = f(x W + b)``, every input with every output.

    Parameters
    ----------
    n : int
        Number of units, at least 1.
    activation : {None, "sigmoid", "tanh", "relu", "linear", "softmax"}, default None
        f. None stands for the network's activation; in the last layer for the one that belongs
        to the cost function. Softmax is for the last layer alone.
    init : {None, "scaled", "large", "xavier", "he", "zeros"} or float, default None
        Start values, as `Network` describes them. None stands for the network's.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Notes
    -----
    W has the shape (n_inputs, n), b the shape (n,).

    Examples
    --------
    >>> from nnlearn import Dense
    >>> Dense(30, activation="tanh")
    Dense(n=30, activation='tanh', init=None)
    """

    n: int
    activation: str | None = None
    init: str | float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", _checks.integer("n", self.n, minimum=1))
        if self.activation is not None:
            check_activation("activation", self.activation, last=True)
        if self.init is not None:
            object.__setattr__(self, "init", check_init("init", self.init))


@dataclass(frozen=True)
class Activation:
    """Activation layer: ``a = f(z)``, element by element; softmax over the row.

    Parameters
    ----------
    name : {"sigmoid", "tanh", "relu", "linear", "softmax"}
        f. Softmax is for the last layer alone.

    Raises
    ------
    TypeError, ValueError
        If the name is none of these.

    Notes
    -----
    ``sigmoid(z) = 1 / (1 + exp(-z))``; ``relu(z) = max(0, z)`` with relu'(0) = 0;
    ``softmax(z)_j = exp(z_j) / sum_k exp(z_k)``.

    Examples
    --------
    >>> from nnlearn import Activation
    >>> Activation("relu")
    Activation(name='relu')
    """

    name: str

    def __post_init__(self) -> None:
        check_activation("name", self.name, last=True)


@hints(rate="use p=", prob="use p=", dropout="use p=")
@dataclass(frozen=True)
class Dropout:
    """Inverted dropout: in training each unit is dropped with probability p.

    Kept units are divided by 1 - p, so that nothing changes at evaluation.

    Parameters
    ----------
    p : float
        Probability of DROPPING a unit, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If p is no number or outside [0, 1).

    Notes
    -----
    The mask is a function of (seed, layer, step, row, unit): the same seed gives the same masks.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> from nnlearn import Dropout
    >>> Dropout(0.5)
    Dropout(p=0.5)
    """

    p: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", check_probability("p", self.p))


Layer = Dense | Activation | Dropout


def core_layer(layer: Layer) -> tuple[str, int, str, str, float, float]:
    """The layer as the core takes it: kind, units, activation, init, init_sd, p."""
    if isinstance(layer, Dropout):
        return ("dropout", 0, "linear", "zeros", 0.0, layer.p)
    if isinstance(layer, Activation):
        return ("activation", 0, layer.name, "zeros", 0.0, 0.0)
    activation = layer.activation or "linear"
    if isinstance(layer.init, str):
        return ("dense", layer.n, activation, layer.init, 0.0, 0.0)
    return ("dense", layer.n, activation, "normal", float(layer.init or 0.0), 0.0)


def input_size(shape: Any) -> tuple[tuple[int, ...], int]:
    """The input shape ``layers[0]``, an int or a tuple of ints, and its product."""
    requirement = "be the input shape, an integer >= 1 or a tuple of them"
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not sizes:
        _checks.fail(ValueError, "layers[0]", requirement, shape)
    for size in sizes:
        if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
            _checks.fail(TypeError, "layers[0]", requirement, shape)
        if size < 1:
            _checks.fail(ValueError, "layers[0]", requirement, shape)
    return tuple(int(size) for size in sizes), math.prod(int(size) for size in sizes)
