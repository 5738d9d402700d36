"""What `Network.inspect` gives: the inside of a forward and a backward pass, sample by sample."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[Any]


# eq=False: comparing tuples of arrays has no truth value; two inspections are equal as objects.
@dataclass(frozen=True, eq=False, repr=False)
class Inspection:
    """The inside of a network for given samples, without dropout.

    Attributes
    ----------
    z : tuple of ndarray, shape (n, n_out)
        Weighted inputs: ``z[i] = a[i] @ weights[i] + biases[i]``.
    a : tuple of ndarray, shape (n, n_in)
        ``a[i]`` enters ``weights[i]``; ``a[0]`` is x and ``a[-1]`` the outputs.
    delta : tuple of ndarray, shape (n, n_out)
        ``delta[i] = dc/dz[i]`` of every sample (the book's BP1 and BP2).
    activations : tuple of str
        The activation that follows ``z[i]``.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 2.
    """

    z: tuple[Array, ...]
    a: tuple[Array, ...]
    delta: tuple[Array, ...]
    activations: tuple[str, ...]

    @property
    def saturated(self) -> tuple[Array, ...]:
        """Where a unit is saturated: sigmoid outside [.01, .99], tanh beyond .98 in size.

        bool (n, n_out) for each layer; other activations do not saturate.
        """
        return tuple(
            _saturated(z, a, name)
            for z, a, name in zip(self.z, self.a[1:], self.activations, strict=True)
        )

    def gradient(self, i: int) -> Array:
        """The gradient of every sample's cost by ``weights[i]``: outer products of a and delta.

        Parameters
        ----------
        i : int
            The layer, as an index of ``weights``.

        Returns
        -------
        ndarray, shape (n, n_in, n_out)
            ``a[i][:, :, None] * delta[i][:, None, :]`` (the book's BP4); ``delta[i]`` itself is
            the gradient by the biases (BP3).
        """
        n = len(self.delta)
        i = _checks.integer("i", i, minimum=-n, maximum=n - 1) % n
        return self.a[i][:, :, None] * self.delta[i][:, None, :]

    def slope(self, i: int) -> Array:
        """The derivative f'(z) of the activation that follows ``z[i]``, at ``z[i]``.

        The factor of BP2, and of BP1 with the quadratic cost.

        Parameters
        ----------
        i : int
            The layer, as an index of ``z``.

        Returns
        -------
        ndarray, shape (n, n_out)

        Raises
        ------
        ValueError
            If the activation is softmax, whose derivative is a matrix for each sample.
        """
        n = len(self.z)
        i = _checks.integer("i", i, minimum=-n, maximum=n - 1) % n
        name, z, a = self.activations[i], self.z[i], self.a[i + 1]
        if name == "softmax":
            _checks.fail(ValueError, "activation", "act on each unit alone", name)
        slopes: Array
        if name == "sigmoid":
            slopes = a * (1 - a)
        elif name == "tanh":
            slopes = 1 - a * a
        else:
            slopes = np.ones_like(z) if name == "linear" else (z > 0).astype(z.dtype)
        return slopes

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the activations of each layer; see `nnlearn.plotting.plot_activations`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_activations

        return plot_activations(self, ax)

    def _repr_html_(self) -> str:
        """A row for each layer of weights, over all samples."""
        head = ["layer", "units", "activation", "largest |z|", "saturated %", "mean |delta|"]
        layers = zip(self.z, self.activations, self.saturated, self.delta, strict=True)
        rows = [
            (i, z.shape[1], name, np.abs(z).max(), 100 * saturated.mean(), np.abs(delta).mean())
            for i, (z, name, saturated, delta) in enumerate(layers)
        ]
        title = f"Inspection: {self._size(', ')}"
        return Table(head, rows, title, formats={"saturated %": ".1f"})._repr_html_()

    def __repr__(self) -> str:
        layers = zip(self.z, self.activations, strict=True)
        sizes = ", ".join(f"{z.shape[1]} {name}" for z, name in layers)
        return f"Inspection: {self._size('; ')}, {sizes}"

    def _size(self, between: str) -> str:
        """The samples and the inputs of each."""
        n, n_inputs = self.a[0].shape
        return f"{count(n, 'sample')}{between}{count(n_inputs, 'input')}"


def softmax_jacobian(a: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """How softmax outputs answer to their weighted inputs, from the outputs alone.

    ::

        da_j/dz_k = a_j (delta_jk - a_k)        delta_jk = 1 where j = k, else 0

    Positive on the diagonal, negative beside it; every row and every column sums to 0.

    Parameters
    ----------
    a : array_like, shape (n,)
        Outputs of softmax for one sample, whose sum is 1.

    Returns
    -------
    ndarray, shape (n, n)
        Output j by weighted input k.

    Notes
    -----
    1 - a_j is taken as the sum of the other outputs, so that the sign is right where a_j is so near
    to 1 that it rounds to it.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, softmax.

    Examples
    --------
    >>> softmax_jacobian([0.25, 0.75])
    array([[ 0.1875, -0.1875],
           [-0.1875,  0.1875]])
    """
    outputs = np.asarray(a, np.float64)
    if outputs.ndim != 1:
        _checks.fail(ValueError, "a", "be the outputs (n,) of one sample", outputs)
    jacobian = -np.outer(outputs, outputs)
    np.fill_diagonal(jacobian, 0.0)
    np.fill_diagonal(jacobian, -jacobian.sum(axis=1))
    return jacobian


def _saturated(z: Array, a: Array, name: str) -> Array:
    if name == "sigmoid":
        return (a < 0.01) | (a > 0.99)
    if name == "tanh":
        return np.abs(a) > 0.98
    return np.zeros(z.shape, bool)
