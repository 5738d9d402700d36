"""Pictures of many samples: digits, and those that a network gets wrong."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn.augment import _images
from nnlearn.data import Split
from nnlearn.plotting._grid import bare, draw_images
from nnlearn.plotting._style import new_axes
from nnlearn.tables import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.ensemble import Ensemble
    from nnlearn.evaluation import Evaluation
    from nnlearn.network import Network

Array = _images.Array

#: Longer names of two classes stand below each other.
_LONG = 9


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
    return draw_images(images[:n], words[:n], columns, ax)


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
    net = by.networks[0] if isinstance(by, Ensemble) else by
    own = net.input_shape if isinstance(net, Network) else ()
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
    if max(map(len, words), default=0) > _LONG:
        words = [text.replace(" → ", "\n→ ") for text in words]
    if not shown.size:
        ax = bare(new_axes(ax, (6.4, 1.0)))
    else:
        ax = draw_images(images[shown], words, columns, ax)
    ax.set_xlabel(_count_of(len(shown), len(wrong), len(true)), fontsize="small")
    return ax


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
    return f"true → predicted{order}\n{of} in {n:,}"


def _same_classes(true: Array, y: Array) -> bool:
    """Whether an evaluation's classes are those of the data, where these are labels."""
    return y.ndim != 1 or y.dtype.kind not in "iu" or bool(np.array_equal(true, y))
