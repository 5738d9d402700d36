"""Toy sets in the plane: small, made from a seed, and each with a point to make.

They give a `Split`, so that ``x, y = two_moons(200)`` reads as in scikit-learn, and
``from_arrays(two_moons(200))`` splits them.
"""

import numpy as np

from nnlearn._checks import integer, real
from nnlearn._data_checks import Array
from nnlearn.data import Split


def xor(n: int = 4, *, noise: float = 0.0, seed: int = 0) -> Split:
    """The exclusive or: the smallest set that no network without a hidden layer learns.

    Sample i lies at corner i mod 4 of the unit square, in the order (0, 0), (0, 1), (1, 0),
    (1, 1), plus noise; its label is 0 where the corner's coordinates are equal, else 1.

    Parameters
    ----------
    n : int >= 1, default 4
        Number of samples.
    noise : float >= 0, default 0
        Standard deviation of the normal noise on both coordinates.
    seed : int >= 0, default 0
        The same seed gives the same noise.

    Returns
    -------
    Split
        `x` float32 of shape (n, 2), `y` int64 of shape (n,).

    See Also
    --------
    two_moons : Learned by a few hidden units.

    Examples
    --------
    >>> from nnlearn.datasets import xor
    >>> x, y = xor()
    >>> x.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    n = integer("n", n, minimum=1)
    corner = np.arange(n) % 4
    points = np.stack([corner // 2, corner % 2], axis=1).astype(np.float64)
    return _split(points, points[:, 0] != points[:, 1], noise, _generator(seed))


def two_moons(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Split:
    """Two half circles that reach into each other: not linearly separable, easy otherwise.

    With t evenly spaced in [0, pi] the upper moon, label 0, is (cos t, sin t), and the lower one,
    label 1, is (1 - cos t, 1/2 - sin t), plus noise.

    Parameters
    ----------
    n : int >= 2, default 200
        Number of samples. With an odd number the upper moon has one more.
    noise : float >= 0, default 0.1
        Standard deviation of the normal noise on both coordinates.
    seed : int >= 0, default 0
        The same seed gives the same noise and order.

    Returns
    -------
    Split
        In shuffled order: `x` float32 of shape (n, 2), `y` int64 of shape (n,).

    See Also
    --------
    spirals : Harder.
    from_arrays : Splits the samples into sets.

    Examples
    --------
    >>> from nnlearn.datasets import two_moons
    >>> two_moons(500)
    Split: 500 samples; 2 inputs float32, labels 0 to 1
    """
    n = integer("n", n, minimum=2)
    upper, lower = (np.linspace(0, np.pi, k) for k in (n - n // 2, n // 2))
    x = np.concatenate([np.cos(upper), 1 - np.cos(lower)])
    y = np.concatenate([np.sin(upper), 0.5 - np.sin(lower)])
    labels = np.repeat([0, 1], [len(upper), len(lower)])
    return _shuffled(np.stack([x, y], axis=1), labels, noise, seed)


def spirals(
    n: int = 300, *, n_classes: int = 2, turns: float = 1.0, noise: float = 0.02, seed: int = 0
) -> Split:
    """Intertwined spirals, one a class: hard for a small network, a delight to watch.

    With r evenly spaced in [0.1, 1] and the angle t = 2 pi (turns r + c / n_classes), class c is
    (r cos t, r sin t), plus noise.

    Parameters
    ----------
    n : int >= n_classes, default 300
        Number of samples, as evenly over the classes as it goes.
    n_classes : int >= 2, default 2
        Number of spirals.
    turns : float > 0, default 1
        How often a spiral would wind around the centre, from radius 0 to 1.
    noise : float >= 0, default 0.02
        Standard deviation of the normal noise on both coordinates.
    seed : int >= 0, default 0
        The same seed gives the same noise and order.

    Returns
    -------
    Split
        In shuffled order: `x` float32 of shape (n, 2), `y` int64 of shape (n,).

    See Also
    --------
    two_moons : Easier.
    from_arrays : Splits the samples into sets.

    Examples
    --------
    >>> from nnlearn.datasets import spirals
    >>> spirals(600, n_classes=3, turns=1.5)
    Split: 600 samples; 2 inputs float32, labels 0 to 2
    """
    n_classes = integer("n_classes", n_classes, minimum=2)
    n = integer("n", n, minimum=n_classes)
    turns = real("turns", turns, above=0)
    sizes = [n // n_classes + (c < n % n_classes) for c in range(n_classes)]
    radius = np.concatenate([np.linspace(0.1, 1, size) for size in sizes])
    labels = np.repeat(np.arange(n_classes), sizes)
    angle = 2 * np.pi * (turns * radius + labels / n_classes)
    points = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _shuffled(points, labels, noise, seed)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(integer("seed", seed, minimum=0))


def _shuffled(points: Array, labels: Array, noise: float, seed: int) -> Split:
    generator = _generator(seed)
    order = generator.permutation(len(points))
    return _split(points[order], labels[order], noise, generator)


def _split(points: Array, labels: Array, noise: float, generator: np.random.Generator) -> Split:
    """The points with noise, in the types that the docstrings name."""
    noise = real("noise", noise, minimum=0)
    moved = points + noise * generator.standard_normal(points.shape)
    return Split(moved.astype(np.float32), labels.astype(np.int64))
