"""`preview`: variants of an image, to see what an augmentation does before training with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn._mosaic import as_bytes, columns_of, mosaic
from nnlearn.augment import _images
from nnlearn.augment._images import Array
from nnlearn.augment.parts import Augmentation, Compose, Elastic, Rotate, Scale, Shift, Skew
from nnlearn.data import Split

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A little of everything, in keeping with small handwritten digits.
LITTLE = Compose(Shift(1), Rotate(10), Skew(0.1), Scale(0.1), Elastic(20, 4))


def preview(
    x: Any, n: int = 25, augment: Augmentation = LITTLE, *, seed: int = 0, shape: Any = None
) -> Preview:
    """Variants of one image, to see what an augmentation does.

    Parameters
    ----------
    x : array_like or Split
        One image; of several the first. A square array is one image; any other of two axes may be
        images as rows, and needs `shape`.
    n : int, default 25
        How many variants, >= 1.
    augment : Augmentation, default a little of everything
        What changes the image. ``part.preview(x, n)`` says the same.
    seed : int, default 0
        Of the random numbers.
    shape : (height, width) or (channels, height, width), optional
        Of an image. None: the augmentation's, a Split's, or as x has it.

    Returns
    -------
    Preview
        Its ``images`` are an array; in a notebook it shows them, and ``plot()`` draws them.

    Raises
    ------
    TypeError, ValueError
        If x holds no image of that shape, nothing tells the shape, or an argument is wrong.

    Examples
    --------
    >>> import nnlearn as nn
    >>> train = nn.datasets.load_mnist_small().train
    >>> nn.augment.preview(train, 9, nn.augment.Rotate(20))
    Preview of 9 images of 28 x 28: Rotate(degrees=20.0)
    """
    n = _checks.integer("n", n, minimum=1)
    if not isinstance(augment, Augmentation):
        _checks.fail(TypeError, "augment", "be a part of nnlearn.augment", augment)
    array = _images.pixels(x)
    given = _images.checked_shape(shape) or augment.shape or _images.own_shape(x)
    if given is None and _is_square(x, array):
        given = array.shape
    image = _images.shape_in(array, given)
    if array.size == 0:
        raise ValueError(_checks.message("x", "have an image", f"shape {array.shape}"))
    first = array.reshape(-1, *image)[:1]
    images = augment(np.repeat(first, n, axis=0), seed, image)
    return Preview(images, augment)


def _is_square(x: Any, array: Array) -> bool:
    """Whether the array is one square image; a Split has rows, and (1, 1) is a row of one pixel."""
    square = array.ndim == 2 and array.shape[0] == array.shape[1] != 1
    return square and not isinstance(x, Split)


@dataclass(frozen=True, eq=False, repr=False)
class Preview:
    """Variants of one image, as `preview` makes them.

    Attributes
    ----------
    images : ndarray, shape (n, height, width) or (n, channels, height, width)
        The variants; ``np.asarray(preview)`` gives them too.
    augment : Augmentation
        What made them.
    """

    images: Array
    augment: Augmentation

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the images."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: Any) -> Any:
        return self.images[i]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.images, dtype, copy=bool(copy) or dtype is not None)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the variants side by side; see `plotting.plot_variants`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from nnlearn.plotting import plot_variants

        return plot_variants(self, ax)

    def __repr__(self) -> str:
        sides = " x ".join(map(str, self.shape[1:]))
        return f"Preview of {len(self)} images of {sides}: {self.augment!r}"

    def _repr_html_(self) -> str:
        from nnlearn import _html

        grid = self.grid()
        label = f"{len(self)} variants of an image"
        height = min(64 * math.ceil(len(self) / columns_of(len(self))), 640)
        facts = [f"{len(self)} variants"]
        return str(_html.view(repr(self.augment), facts, _html.image(grid, label, height)))

    def grid(self) -> Array:
        """The variants in one image of bytes.

        Returns
        -------
        ndarray of uint8, shape (height, width) or (height, width, 3)
            With lines of grey between them.
        """
        image = _images.as_image(self.shape[1:])
        if image[0] not in (1, 3):
            requirement = "have 1 or 3 channels to be shown"
            raise ValueError(_checks.message("images", requirement, str(image[0])))
        pictures = as_bytes(self.images).reshape(len(self), *image).transpose(0, 2, 3, 1)
        grid = mosaic(pictures, columns_of(len(self)), gap=(1, 1), empty=96)
        return grid[:, :, 0] if image[0] == 1 else grid
