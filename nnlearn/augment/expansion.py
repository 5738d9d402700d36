"""`expand`: a training set and its copies, shifted by whole pixels."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from nnlearn import _checks
from nnlearn.augment import _images
from nnlearn.augment._images import Array
from nnlearn.data import Split


@overload
def expand(x: Split, y: None = None, shifts: int = 1, *, shape: Any = None) -> Split: ...
@overload
def expand(x: Any, y: Any, shifts: int = 1, *, shape: Any = None) -> tuple[Array, Array]: ...
def expand(x: Any, y: Any = None, shifts: int = 1, *, shape: Any = None) -> Any:
    """A training set with copies of its images, shifted up, down, left and right.

    With ``shifts=1`` the fivefold set of [1]_: the images, and the same moved by one pixel in each
    of the four directions. Zeros move in.

    Parameters
    ----------
    x : array_like, shape (n, pixels), (n, height, width) or (n, channels, height, width); or Split
        float32, float64 or uint8.
    y : array_like, shape (n,) or (n, n_outputs)
        Labels or targets; left out beside a Split.
    shifts : int, default 1
        The longest shift in pixels, >= 0: there are copies by 1, 2, ... pixels, 1 + 4 shifts times
        as many images.
    shape : (height, width) or (channels, height, width), optional
        Of an image. None: a Split's, or as x has it; needed where x is flat.

    Returns
    -------
    (x, y) or Split
        As given, of the same dtypes: first all images as they were, then all moved up, down, left
        and right by one pixel, then those by two. `fit` shuffles them.

    Raises
    ------
    TypeError, ValueError
        If x holds no images of that shape, nothing tells the shape, or y has other rows.

    See Also
    --------
    Shift : Random shifts, new in every epoch, without more memory.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 6 and `expand_mnist.py`.

    Examples
    --------
    >>> import nnlearn as nn
    >>> train = nn.datasets.load_mnist_small().train
    >>> len(train), len(nn.augment.expand(train))
    (5000, 25000)
    """
    shifts = _checks.integer("shifts", shifts, minimum=0)
    if isinstance(x, Split) and y is not None:
        _checks.fail(TypeError, "y", "be left out beside a Split, which has its own", y)
    if not isinstance(x, Split) and y is None:
        raise TypeError(_checks.message("y", "be given beside x", "None"))
    array = _images.pixels(x)
    labels = np.asarray(x.y if isinstance(x, Split) else y)
    if labels.ndim == 0 or len(labels) != len(array):
        raise ValueError(
            _checks.message("y", f"have {len(array)} rows, as x", f"shape {labels.shape}")
        )
    image = _images.shape_in(array, _images.checked_shape(shape), _images.own_shape(x))
    channels, height, width = _images.as_image(image)
    images = array.reshape(len(array), channels, height, width)
    moves = [(0, 0)]
    for d in range(1, shifts + 1):
        moves += [(-d, 0), (d, 0), (0, -d), (0, d)]
    out = np.zeros((len(moves), *images.shape), array.dtype)
    for copy, (down, right) in zip(out, moves, strict=True):
        to_rows, to_columns = _place(down, height), _place(right, width)
        from_rows, from_columns = _place(-down, height), _place(-right, width)
        copy[:, :, to_rows, to_columns] = images[:, :, from_rows, from_columns]
    expanded = out.reshape(len(moves) * len(array), *array.shape[1:])
    repeated = np.concatenate([labels] * len(moves))
    if isinstance(x, Split):
        return Split(expanded, repeated, class_names=x.class_names, image_shape=x.image_shape)
    return expanded, repeated


def _place(move: int, side: int) -> slice:
    """Where along one side what moves by so many pixels comes to lie, as far as it stays inside."""
    return slice(min(max(move, 0), side), max(min(side + move, side), 0))
