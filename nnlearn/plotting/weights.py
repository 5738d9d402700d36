"""Weights as images: what each unit looks for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn._mosaic import corner
from nnlearn.augment import _images
from nnlearn.plotting._grid import Array, bare, grid_of, side_by_side, size_of
from nnlearn.plotting._style import COLOURS, ink, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_weights(
    weights: Any,
    ax: "Axes | None" = None,
    *,
    layer: int = 0,
    n: int = 100,
    columns: int | None = None,
    shape: Sequence[int] | None = None,
    limit: float | None = None,
) -> "Axes":
    """Draw the weights that come into each unit as an image.

    Parameters
    ----------
    weights : Network or array_like
        A network, of which `layer` is drawn, or the weights (n_in, n_out) of a layer.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    layer : int, default 0
        The layer of a network, as an index of ``weights``.
    n : int, default 100
        How many units at most: the first ones.
    columns : int, optional
        How many side by side; by default about as many as below each other.
    shape : (height, width) or (channels, height, width), optional
        Of a unit's image; by default that of the network's inputs, where they have sides.
    limit : float, optional
        The size of weight at either end of the colours, > 0; by default the largest one drawn.
        Given, several pictures have one scale.

    Returns
    -------
    matplotlib.axes.Axes
        Without ticks. Blue weights excite, orange ones inhibit, white ones are 0: one scale for
        all units, with a colour bar. Channels stand side by side.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range, the shape of the images is not
        known, or weights are not finite.
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> import nnlearn as nn
    >>> net = nn.Network([784, 30, 10], seed=1)
    >>> ax = plot_weights(net, shape=(28, 28))
    >>> low, high = ax.images[0].get_clim()
    >>> bool(low == -high == -abs(net.weights[0]).max())
    True
    """
    n = _checks.integer("n", n, minimum=1)
    if limit is not None:
        limit = _checks.real("limit", limit, above=0.0)
    matrix, own = _read_weights(weights, layer)
    sides = _images.checked_shape(shape) or (own if len(own) in (2, 3) else None)
    if sides is None:
        _images.unknown_shape(f"weights of shape {matrix.shape}")
    if np.prod(sides) != len(matrix):
        requirement = f"have {len(matrix)} pixels, as the units have inputs"
        _checks.fail(ValueError, "shape", requirement, tuple(sides))
    channels, height, width = _images.as_image(sides)
    units = matrix.T[:n].astype(np.float64).reshape(-1, channels, height, width)
    most = limit or float(np.abs(units).max()) or 1.0
    tiles = side_by_side(units, np.nan)
    ax = new_axes(ax, size_of(tiles.shape, columns, 0, beside=0.16))
    grid, (across, tile) = grid_of(tiles, columns, 0, np.nan)
    scale: dict[str, Any] = {"cmap": _diverging(), "vmin": -most, "vmax": most}
    image = ax.imshow(grid, interpolation="nearest", **scale)
    _frame(ax, tiles.shape, across, tile)
    figure = ax.get_figure()
    assert figure is not None
    ends = "neither"
    if limit is not None and np.abs(units).max() > limit:
        ends = "both"
    bar = figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02, extend=ends)
    bar.set_label("incoming weight")
    bar.outline.set_visible(False)
    return bare(ax)


def _read_weights(weights: Any, layer: Any) -> tuple[Array, tuple[int, ...]]:
    """The weights of a layer, and the shape of what comes into it, if it is that of the inputs."""
    from nnlearn.network import Network

    own: tuple[int, ...] = ()
    if isinstance(weights, Network):
        depth = len(weights.weights)
        layer = _checks.integer("layer", layer, minimum=-depth, maximum=depth - 1) % depth
        own = weights.input_shape if layer == 0 else ()
        weights = weights.weights[layer]
    requirement = "be a Network or weights (n_in, n_out)"
    try:
        matrix = np.asarray(weights)
    except ValueError:  # rows of different lengths
        _checks.fail(ValueError, "weights", requirement, weights)
    if matrix.dtype.kind not in "biuf" or matrix.ndim == 0:
        _checks.fail(TypeError, "weights", requirement, weights)
    if matrix.ndim != 2 or not matrix.size:
        _checks.fail(ValueError, "weights", requirement, matrix)
    if not np.isfinite(matrix).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
        _checks.finite("weights", matrix[place], place)
    return matrix, own


def _frame(ax: "Axes", shape: tuple[int, ...], across: int, tile: tuple[int, int]) -> None:
    """Thin lines around the images, which may be as white as the page."""
    from matplotlib.collections import PolyCollection

    n, height, width = shape[:3]
    places = [corner(i, across, tile) for i in range(n)]
    sides = np.array([(0, 0), (width, 0), (width, height), (0, height)]) - 0.5
    corners = [sides + np.array([left, top]) for top, left in places]
    line: dict[str, Any] = {"facecolors": "none", "edgecolors": ink(), "linewidths": 0.5}
    ax.add_collection(PolyCollection(corners, alpha=0.4, **line), autolim=False)


def _diverging() -> Any:
    """From orange over white to blue: told apart with any kind of colour vision."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = ["#7a3500", COLOURS[1], "#ffffff", COLOURS[0], "#00365a"]
    return LinearSegmentedColormap.from_list("weights", ends)
