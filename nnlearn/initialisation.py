"""What start values mean for the first layer: variances, and the theory of its weighted inputs."""

import math

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.layers import check_init

_Array = npt.NDArray[np.float64]


def start_variances(init: str | float, n_in: int, n_out: int) -> tuple[float, float]:
    """The variances of a dense layer's start weights and biases, all of mean 0.

    Parameters
    ----------
    init : {"scaled", "large", "xavier", "he", "zeros"} or float
        As `Network` takes it.
    n_in, n_out : int
        Inputs and units of the layer, at least 1.

    Returns
    -------
    weight, bias : float

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3 (large, scaled).
    .. [2] X. Glorot, Y. Bengio, AISTATS 2010 (xavier).
    .. [3] K. He et al., ICCV 2015 (he).

    Examples
    --------
    >>> start_variances("scaled", 1000, 30)
    (0.001, 1.0)
    """
    init = check_init("init", init)
    n_in = _checks.integer("n_in", n_in, minimum=1)
    n_out = _checks.integer("n_out", n_out, minimum=1)
    if not isinstance(init, str):
        return init * init, 0.0
    return {
        "large": (1.0, 1.0),
        "scaled": (1.0 / n_in, 1.0),
        "xavier": (2.0 / (n_in + n_out), 0.0),
        "he": (2.0 / n_in, 0.0),
        "zeros": (0.0, 0.0),
    }[init]


def first_layer_density(
    z: npt.ArrayLike, x: npt.ArrayLike, init: str | float, n_units: int
) -> _Array:
    """The density of the first layer's weighted inputs over all start values that may be drawn.

    ::

        z = x W + b ~ N(0, |x|^2 Var(W) + Var(b))       for one input x

    and over several inputs the mean of these densities. An input whose variance is 0 has all its z
    at 0, a point without a density, and adds nothing.

    Parameters
    ----------
    z : array_like, shape (k,)
        Where.
    x : array_like, shape (n, n_inputs)
        The inputs.
    init : str or float
        As `Network` takes it.
    n_units : int
        Units of the layer.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    TypeError, ValueError
        If `init` or `n_units` is of another kind or outside its range.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, weight initialization.

    Examples
    --------
    The book's 1,000 inputs, half of them 1, under "large": the standard deviation is sqrt(501).

    >>> peak = first_layer_density([0.0], half_on(1), "large", 30)
    >>> round(float(1 / (peak[0] * math.sqrt(2 * math.pi))) ** 2)
    501
    """
    at, rows = np.asarray(z, np.float64), np.asarray(x, np.float64)
    weight, bias = start_variances(init, rows.shape[1], n_units)
    variances, counts = np.unique(
        np.einsum("ij,ij->i", rows, rows) * weight + bias, return_counts=True
    )
    density = np.zeros(at.shape)
    for variance, count in zip(variances, counts, strict=True):
        if variance > 0:
            height = count / len(rows) / math.sqrt(2 * math.pi * variance)
            density += height * np.exp(-at * at / (2 * variance))
    return density


def half_on(n: int, n_inputs: int = 1000, *, seed: int = 0) -> npt.NDArray[np.float32]:
    """Inputs of which half are 1 and half are 0, each row in an order of its own.

    Parameters
    ----------
    n : int
        Rows.
    n_inputs : int, default 1000
        Columns; ``n_inputs // 2`` of them are 1.
    seed : int, default 0
        Of the orders.

    Returns
    -------
    ndarray, shape (n, n_inputs)
        float32.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, weight initialization.

    Examples
    --------
    >>> half_on(2, 6).sum(axis=1)
    array([3., 3.], dtype=float32)
    """
    row = (np.arange(n_inputs) < n_inputs // 2).astype(np.float32)
    return np.random.default_rng(seed).permuted(np.tile(row, (n, 1)), axis=1)
