"""The random changes of images. Frozen, checked when made.

Each is a map from a pixel's place p in the result to the place in the image given that its value is
taken from, places relative to the image's centre: x to the right, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnlearn import _checks
from nnlearn.augment import _images
from nnlearn.augment._images import Array, Spec

if TYPE_CHECKING:
    from nnlearn.augment.variants import Preview

#: The most parts of one augmentation: NN_AUGMENT_PARTS of the core.
MOST_PARTS = 16


class Augmentation:
    """What all random changes of images share: they are called on an array of images.

    Notes
    -----
    What happens to image i is a function of the seed, the part and i alone: whatever the number of
    threads, and whatever other images there are. In `fit` the seed is the fit's and i the row of x;
    a counter of epochs over the network's life makes every epoch's images new ones.
    """

    shape: tuple[int, ...] | None

    def __repr__(self) -> str:
        values = {name: value for name, value in vars(self).items() if value is not None}
        text = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return f"{type(self).__name__}({text})"

    def __call__(self, x: Any, seed: int = 0, shape: Any = None) -> Array:
        """A new array of the images, each changed at random.

        Parameters
        ----------
        x : array_like, shape (n, pixels), (n, height, width), (n, channels, height, width) or \
one image; or Split
            float32, float64 or uint8, finite.
        seed : int, default 0
            The same seed gives the same images: those that ``fit(..., seed=seed)`` sees in a
            network's first epoch.
        shape : (height, width) or (channels, height, width), optional
            Of an image. None: this part's, a Split's, or as x has it; needed where x is flat.

        Returns
        -------
        ndarray
            Of the shape and dtype of x; bytes are rounded to the nearest.

        Raises
        ------
        TypeError, ValueError
            If x holds no images of that shape, or nothing tells the shape.
        """
        seed = _checks.seed(seed)
        array = _images.pixels(x)
        given = _images.checked_shape(shape)
        image = _images.shape_in(array, given, self.shape, _images.own_shape(x))
        self._check_image(image)
        return _images.changed(array, image, self._specs(), seed)

    def preview(self, x: Any, n: int = 25, *, seed: int = 0, shape: Any = None) -> Preview:
        """Variants of one image, to look at; see `nnlearn.augment.preview`.

        Parameters
        ----------
        x : array_like or Split
            One image; of several the first. A square array is one image; any other of two axes
            may be images as rows, and needs `shape`.
        n : int, default 25
            How many variants.
        seed : int, default 0
            Of the random numbers.
        shape : tuple of int, optional
            Of the image. None: this part's, a Split's, or as x has it.

        Returns
        -------
        Preview
        """
        from nnlearn.augment.variants import preview

        return preview(x, n, self, seed=seed, shape=shape)

    def _specs(self) -> tuple[Spec, ...]:
        """The parts as the core takes them."""
        raise NotImplementedError

    def _check_image(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError for a part that is too large for images of this shape."""
        side = min(shape[-2:])
        for name, amount, sigma in self._specs():
            if name == "elastic" and amount > 0 and sigma > side:
                requirement = f"be at most {side}, the shorter side of the images"
                _checks.fail(ValueError, "sigma", requirement, sigma)

    @property
    def _changes(self) -> bool:
        """Whether it does anything at all."""
        return any(amount > 0 for _, amount, _ in self._specs())


def _set(part: Augmentation, **values: Any) -> None:
    """Put checked values into a frozen part."""
    for name, value in values.items():
        object.__setattr__(part, name, value)


@dataclass(frozen=True, repr=False)
class Shift(Augmentation):
    """Images move by a random distance along each axis.

    ::

        p -> p - (dx, dy),   dx, dy uniform in [-pixels, pixels], drawn for each image

    Parameters
    ----------
    pixels : float
        The most, >= 0. Parts of pixels too: the image is interpolated between its pixels. What
        comes in from outside is 0.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    See Also
    --------
    expand : Copies shifted by whole pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn import augment
    >>> x = np.ones((2, 5, 5), "float32")
    >>> shifted = augment.Shift(1)(x, seed=3)
    >>> shifted.shape, bool((shifted[:, 2, 2] == 1).all())
    ((2, 5, 5), True)
    """

    pixels: float
    shape: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        pixels = _checks.real("pixels", self.pixels, minimum=0.0)
        _set(self, pixels=pixels, shape=_images.checked_shape(self.shape))

    def _specs(self) -> tuple[Spec, ...]:
        return (("shift", self.pixels, 0.0),)


@dataclass(frozen=True, repr=False)
class Rotate(Augmentation):
    """Images turn by a random angle about their centre.

    ::

        p -> R(a) p,   a uniform in [-degrees, degrees], drawn for each image

    Parameters
    ----------
    degrees : float
        The most, >= 0.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlearn import augment
    >>> x = np.zeros((1, 3, 3))
    >>> x[0, 1, 1] = 1.0
    >>> augment.Rotate(30)(x)[0, 1, 1].item()
    1.0
    """

    degrees: float
    shape: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        degrees = _checks.real("degrees", self.degrees, minimum=0.0)
        _set(self, degrees=degrees, shape=_images.checked_shape(self.shape))

    def _specs(self) -> tuple[Spec, ...]:
        return (("rotate", self.degrees, 0.0),)


@dataclass(frozen=True, repr=False)
class Skew(Augmentation):
    """Images slant: rows move sideways, the further from the centre the more.

    ::

        p -> (x + s y, y),   s uniform in [-amount, amount], drawn for each image

    Parameters
    ----------
    amount : float
        The most, >= 0: the tangent of the angle by which upright strokes lean.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Examples
    --------
    >>> from nnlearn import augment
    >>> augment.Skew(0.2)
    Skew(amount=0.2)
    """

    amount: float
    shape: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        amount = _checks.real("amount", self.amount, minimum=0.0)
        _set(self, amount=amount, shape=_images.checked_shape(self.shape))

    def _specs(self) -> tuple[Spec, ...]:
        return (("skew", self.amount, 0.0),)


@dataclass(frozen=True, repr=False)
class Scale(Augmentation):
    """Images grow or shrink about their centre, both sides alike.

    ::

        p -> p / f,   f uniform in [1 - amount, 1 + amount], drawn for each image

    Parameters
    ----------
    amount : float
        In [0, 1).
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Examples
    --------
    >>> from nnlearn import augment
    >>> augment.Scale(0.1).amount
    0.1
    """

    amount: float
    shape: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        amount = _checks.real("amount", self.amount, minimum=0.0, below=1.0)
        _set(self, amount=amount, shape=_images.checked_shape(self.shape))

    def _specs(self) -> tuple[Spec, ...]:
        return (("scale", self.amount, 0.0),)


@dataclass(frozen=True, repr=False)
class Elastic(Augmentation):
    """Elastic distortion: every pixel moves a little, and its neighbours with it [1]_.

    ::

        p -> p + alpha (G * u)(p)
        u        two fields, one an axis: at every pixel uniform in [-1, 1], drawn for each image
        G        Gaussian of standard deviation sigma, cut at 4 sigma, summing to 1; at the border
                 the fields are reflected (b a | a b c)

    Parameters
    ----------
    alpha : float
        In pixels, >= 0. The fields are not rescaled after the smoothing, which leaves a
        displacement, away from the border, a standard deviation of about
        ``alpha / (sqrt(12 pi) sigma)`` along each axis: 1.4 pixels with 34 and 4.
    sigma : float
        In pixels, > 0, up to the shorter side of the images. Small ones make noise, large ones
        move the image as a whole.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Notes
    -----
    A uniform number is one of 65,536, (2k + 1)/65,536 - 1.

    References
    ----------
    .. [1] P. Simard, D. Steinkraus, J. Platt, "Best Practices for Convolutional Neural Networks
       Applied to Visual Document Analysis", ICDAR 2003.

    Examples
    --------
    >>> import nnlearn as nn
    >>> x = nn.datasets.load_mnist_small().test.x[:3]
    >>> nn.augment.Elastic(34, 4)(x, seed=1, shape=(28, 28)).shape
    (3, 784)
    """

    alpha: float
    sigma: float
    shape: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        alpha = _checks.real("alpha", self.alpha, minimum=0.0)
        sigma = _checks.real("sigma", self.sigma, above=0.0)
        _set(self, alpha=alpha, sigma=sigma, shape=_images.checked_shape(self.shape))

    def _specs(self) -> tuple[Spec, ...]:
        return (("elastic", self.alpha, self.sigma),)


@dataclass(frozen=True, init=False, repr=False)
class Compose(Augmentation):
    """Several changes as one, in the order given; the image is interpolated once.

    ::

        p -> f_1(f_2(... f_n(p)))        f_k the map of part k

    Parts that follow each other on the image so become one map, and nothing is blurred twice. The
    displacements of an `Elastic` belong to the pixels of the result, wherever it stands.

    Parameters
    ----------
    *parts : Shift, Rotate, Skew, Scale, Elastic or Compose
        At most 16 in all. Of several of a kind each has random numbers of its own; a part more
        changes those of no other kind.
    shape : (height, width) or (channels, height, width), optional
        Of an image, where x is flat and nothing else tells it. None: the first that a part has.

    Raises
    ------
    TypeError, ValueError
        If something else is given, there are too many, or the parts have different shapes.

    Examples
    --------
    >>> from nnlearn.augment import Compose, Rotate, Shift
    >>> Compose(Shift(1), Rotate(10))
    Compose(Shift(pixels=1.0), Rotate(degrees=10.0))
    """

    parts: tuple[Augmentation, ...]
    shape: tuple[int, ...] | None

    def __init__(self, *parts: Augmentation, shape: Any = None) -> None:
        own = _images.checked_shape(shape)
        for part in parts:
            if not isinstance(part, Augmentation):
                requirement = "be Shift, Rotate, Skew, Scale, Elastic or Compose"
                _checks.fail(TypeError, "each part", requirement, part)
            if own is not None and part.shape not in (None, own):
                requirement = f"have the shape of the others, {own}, or none"
                _checks.fail(ValueError, "each part", requirement, part)
            own = own or part.shape
        _set(self, parts=tuple(parts), shape=own)
        if len(self._specs()) > MOST_PARTS:
            requirement = f"hold at most {MOST_PARTS} parts"
            got = str(len(self._specs()))
            raise ValueError(_checks.message("Compose", requirement, got))

    def __repr__(self) -> str:
        own = [] if self.shape is None else [f"shape={self.shape}"]
        return f"Compose({', '.join([*map(repr, self.parts), *own])})"

    def _specs(self) -> tuple[Spec, ...]:
        return tuple(spec for part in self.parts for spec in part._specs())
