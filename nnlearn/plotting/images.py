"""Pictures of many small images: digits, the mistaken ones, and weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn._mosaic import columns_of, corner, mosaic
from nnlearn._views import _bytes_of
from nnlearn.augment import _images
from nnlearn.data import Split
from nnlearn.plotting._style import COLOURS, new_axes
from nnlearn.tables import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.ensemble import Ensemble
    from nnlearn.evaluation import Evaluation
    from nnlearn.network import Network

Array = _images.Array

#: Pixels between the images, as a share of their height, and so for a line of text above each.
_GAP, _LINE = 0.06, 0.36
#: Points of text: at most, at least, and of a picture 6.4 inches wide the points of its width.
_LARGEST, _SMALLEST, _WIDTH = 10.0, 4.0, 430.0


def plot_digits(
    x: Any,
    labels: Any = None,
    ax: "Axes | None" = None,
    *,
    n: int = 100,
    columns: int | None = None,
    shape: Sequence[int] | None = None,
) -> "Axes":
    """Draw images side by side, each under its label.

    Parameters
    ----------
    x : array_like or Split
        Images (n, height, width) or (n, channels, height, width), or flat (n, pixels) where the
        Split or `shape` knows their sides; float32, float64 or uint8.
    labels : sequence, optional
        What stands above each image: numbers or words. Of a Split its classes, by name where they
        have one; ``labels=()`` for none.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    n : int, default 100
        How many at most: the first ones.
    columns : int, optional
        How many side by side; by default about as many as below each other.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and no Split.

    Returns
    -------
    matplotlib.axes.Axes
        Without ticks. One channel is drawn as ink, three as red, green and blue; of any other
        number they stand side by side.

    Raises
    ------
    TypeError, ValueError
        If x holds no images of that shape, or labels are not as many.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_misclassified : Those that a network gets wrong.

    Examples
    --------
    >>> import nnlearn as nn
    >>> test = nn.datasets.load_mnist_small().test
    >>> ax = plot_digits(test, n=10, columns=5)
    >>> [text.get_text() for text in ax.texts] == [str(label) for label in test.y[:10]]
    True
    """
    n = _checks.integer("n", n, minimum=1)
    images = _read_images(x, shape)
    if labels is None and isinstance(x, Split) and x.y.ndim == 1 and x.y.dtype.kind in "iu":
        labels = _named(x.class_names, x.y)
    words = [str(label) for label in (() if labels is None else _listed(labels))]
    if words and len(words) != len(images):
        got = f"{len(words)} for {len(images)} images"
        raise ValueError(_checks.message("labels", "be one for each image", got))
    return _draw_images(images[:n], words[:n], columns, ax)


def plot_misclassified(
    by: "Network | Ensemble | Evaluation",
    data: Split,
    ax: "Axes | None" = None,
    *,
    n: int = 25,
    columns: int | None = None,
    shape: Sequence[int] | None = None,
) -> "Axes":
    """Draw the images that are taken for another class, the largest loss first.

    Parameters
    ----------
    by : Network, Ensemble or Evaluation
        What takes them for it, or what its `evaluate` gave for these data.
    data : Split
        The images and their classes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    n : int, default 25
        How many at most.
    columns : int, optional
        How many side by side; by default about as many as below each other.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where neither the Split nor the network knows it.

    Returns
    -------
    matplotlib.axes.Axes
        Above each image its true class, an arrow and the predicted one; below all of them how many
        there are.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, the evaluation is of other data or of regression, or
        the shape of the images is not known.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_confusion : How often each class is taken for each.
    Evaluation.worst : The samples of largest loss, right ones too, in numbers.

    Examples
    --------
    >>> import nnlearn as nn
    >>> small = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 10], seed=1)
    >>> history = net.fit(small.train, epochs=2, learning_rate=0.5)
    >>> ax = plot_misclassified(net, small.test, n=9)
    >>> len(ax.texts)
    9
    """
    from nnlearn.ensemble import Ensemble
    from nnlearn.evaluation import Evaluation
    from nnlearn.network import Network

    n = _checks.integer("n", n, minimum=1)
    if not isinstance(by, (Network, Ensemble, Evaluation)):
        _checks.fail(TypeError, "by", "be a Network, an Ensemble or an Evaluation", by)
    if not isinstance(data, Split):
        _checks.fail(TypeError, "data", "be a Split", data, "Split(x, y)")
    own = by.input_shape if isinstance(by, Network) else ()
    images = _read_images(data, shape, own)
    found = by if isinstance(by, Evaluation) else by.evaluate(data)
    true, predicted = found.true, found.predicted
    if found.is_regression:
        _checks.fail(ValueError, "by", "tell classes apart", "regression")
    if len(true) != len(data) or not _same_classes(true, data.y):
        got = f"{len(true):,} samples" if len(true) != len(data) else "other classes"
        hint = f"data has {len(data):,} samples"
        raise ValueError(_checks.message("by", "be the evaluation of data", got, hint))
    wrong = np.flatnonzero(true != predicted)
    wrong = wrong[np.argsort(-found.losses[wrong], kind="stable")]
    shown, names = wrong[:n], found.class_names
    pairs = zip(_named(names, true[shown]), _named(names, predicted[shown]), strict=True)
    words = [f"{right} → {mistake}" for right, mistake in pairs]
    if not shown.size:
        ax = _bare(new_axes(ax, (6.4, 1.0)))
    else:
        ax = _draw_images(images[shown], words, columns, ax)
    ax.set_xlabel(_count_of(len(shown), len(wrong), len(true)))
    return ax


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
    tiles = _side_by_side(units, np.nan)
    ax = new_axes(ax, _size(tiles.shape, columns, False))
    grid, _ = _grid(tiles, columns, False, np.nan)
    scale: dict[str, Any] = {"cmap": _diverging(), "vmin": -most, "vmax": most}
    image = ax.imshow(grid, interpolation="nearest", **scale)
    figure = ax.get_figure()
    assert figure is not None
    ends = "neither"
    if limit is not None and np.abs(units).max() > limit:
        ends = "both"
    bar = figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02, extend=ends)
    bar.set_label("incoming weight")
    bar.outline.set_visible(False)
    return _bare(ax)


# ---- what is drawn ------------------------------------------------------------------------------


def _read_images(
    x: Any, shape: Any, own: tuple[int, ...] = ()
) -> Array:  # (n, channels, height, width)
    """The images of an array or a Split, of the shape given, the Split's or the network's."""
    pixels = _images.pixels(x)
    network = own if len(own) in (2, 3) else None
    sides = _images.shape_in(pixels, _images.checked_shape(shape), _images.own_shape(x), network)
    images = pixels.reshape(-1, *_images.as_image(sides))
    if not images.size:
        raise ValueError(_checks.message("x", "have an image", f"shape {pixels.shape}"))
    return images


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


def _listed(labels: Any) -> Sequence[Any]:
    """Labels as a sequence: a column of numbers or words."""
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        listed: list[Any] = labels.tolist()
        return listed
    if not isinstance(labels, Sequence) or isinstance(labels, (str, bytes)):
        _checks.fail(TypeError, "labels", "be a sequence of numbers or words", labels)
    return labels


def _named(names: Sequence[str] | None, classes: Array) -> list[str]:
    """Classes by their names, and by their numbers where they have none."""
    return [
        names[k] if names is not None and 0 <= k < len(names) else str(k) for k in classes.tolist()
    ]


def _count_of(shown: int, wrong: int, n: int) -> str:
    """What a picture of mistakes holds, in words."""
    if not wrong:
        return f"none of {n:,} is wrong"
    of = f"{shown} of {wrong:,} mistakes" if shown < wrong else count(wrong, "mistake")
    order = ", largest loss first" if shown > 1 else ""
    return f"true → predicted: {of} in {n:,}{order}"


def _same_classes(true: Array, y: Array) -> bool:
    """Whether an evaluation's classes are those of the data, where these are labels."""
    return y.ndim != 1 or y.dtype.kind not in "iu" or bool(np.array_equal(true, y))


# ---- how it is drawn ----------------------------------------------------------------------------


def _draw_images(
    images: Array, words: Sequence[str], columns: int | None, ax: "Axes | None"
) -> "Axes":
    """Images (n, channels, height, width) in one, with the words above each."""
    channels = images.shape[1]
    pixels = _bytes_of(images)
    if channels == 3:
        tiles = np.moveaxis(pixels, 1, -1)
        opaque = np.full((*tiles.shape[:3], 1), 255, np.uint8)
        tiles = np.concatenate([tiles, opaque], axis=-1)
        empty: float = 0
    else:
        tiles, empty = _side_by_side(pixels.astype(np.float32), np.nan), np.nan
    grid, (across, tile) = _grid(tiles, columns, bool(words), empty)
    ax = new_axes(ax, _size(tiles.shape, columns, bool(words)))
    ax.imshow(grid, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    if words:
        longest = max(map(len, words))
        size = min(_LARGEST, max(_SMALLEST, _WIDTH / across / max(longest, 1) / 0.62))
        line = tile[0] - tiles.shape[1]
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": size}
        for i, word in enumerate(words):
            top, left = corner(i, across, tile)
            ax.text(left + (tiles.shape[2] - 1) / 2, top - 0.6, word, **style)
        ax.set_ylim(len(grid) - 0.5, -0.5 - line)
    return _bare(ax)


def _side_by_side(images: Array, empty: float) -> Array:
    """Images (n, height, width) of (n, channels, height, width), a gap between the channels."""
    n, channels, height, width = images.shape
    gap = 1 if channels > 1 else 0
    wide = np.full((n, height, channels * (width + gap) - gap), empty, images.dtype)
    for k in range(channels):
        left = k * (width + gap)
        wide[:, :, left : left + width] = images[:, k]
    return wide


def _grid(
    tiles: Array, columns: int | None, has_words: bool, empty: float
) -> tuple[Array, tuple[int, tuple[int, int]]]:
    """The images in one; how many stand side by side, and the pixels of each with its gap."""
    across = _across(len(tiles), columns)
    height, width = tiles.shape[1:3]
    gap = _gap(height, width, has_words)
    return mosaic(tiles, across, gap, empty), (across, (height + gap[0], width + gap[1]))


def _across(n: int, columns: int | None) -> int:
    """How many stand side by side, no more than there are."""
    if columns is None:
        return columns_of(n)
    return min(_checks.integer("columns", columns, minimum=1), n)


def _gap(height: int, width: int, has_words: bool) -> tuple[int, int]:
    """Pixels between rows and between columns."""
    gap = max(1, round(_GAP * max(height, width)))
    return (max(2, round(_LINE * max(height, width))) if has_words else gap, gap)


def _size(shape: tuple[int, ...], columns: int | None, has_words: bool) -> tuple[float, float]:
    """Inches of a new figure for (n, height, width, ...) images: 6.4 wide, or less if few."""
    n, height, width = shape[:3]
    across = _across(n, columns)
    gap = _gap(height, width, has_words)
    wide, high = across * (width + gap[1]), -(-n // across) * (height + gap[0])
    inches = min(6.4, max(2.4, 1.1 * across))
    return inches, min(max(inches * high / wide + 0.3, 1.0), 10.0)


def _bare(ax: "Axes") -> "Axes":
    """Neither ticks nor a box."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def _diverging() -> Any:
    """From orange over white to blue: told apart with any kind of colour vision."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = ["#7a3500", COLOURS[1], "#ffffff", COLOURS[0], "#00365a"]
    return LinearSegmentedColormap.from_list("weights", ends)
