"""MNIST, Fashion-MNIST, and the small part of MNIST that is inside the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn._checks import choice, fail
from nnlearn._data_checks import Array
from nnlearn.data import Dataset
from nnlearn.datasets._find import FASHION_MNIST, MNIST, find, is_here
from nnlearn.datasets.idx import read_idx

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
#: The data sets in the format of MNIST: where they are, and their classes.
FAMILY = {"mnist": (MNIST, DIGITS), "fashion-mnist": (FASHION_MNIST, CLOTHES)}

SIDE = 28
N_TRAIN_FILE, N_TEST_FILE = 60_000, 10_000
N_TRAIN = 50_000  # the rest of the training file is the validation set

SMALL_FILE = Path(__file__).with_name("mnist_small.npz")
SMALL_EACH = (500, 100, 100)  # images of each digit: training, validation, test


def load_mnist(
    *, path: str | os.PathLike[str] | None = None, dtype: npt.DTypeLike = "float32"
) -> Dataset:
    """MNIST: 70,000 handwritten digits of 28 x 28 pixels.

    The training set is the first 50,000 images of the training file, the validation set its last
    10,000, the test set the 10,000 of the test file, all in the order of the files.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The folder with the four IDX files, gzipped or not. By default they are looked for in the
        sub-folder ``mnist`` of the environment variable ``NNLEARN_DATA_DIR``, then in the cache
        of downloads, and downloaded (12 MB) where they are not there.
    dtype : {"float32", "uint8"}, default "float32"
        "float32": pixel i is i / 255, rounded once. "uint8": the bytes themselves, which a
        network reads as i / 255 too, in a quarter of the memory.

    Returns
    -------
    Dataset
        `x` of shape (n, 784), row by row of each image, 0 the background; `y` int64.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, a file is damaged, or a download has another SHA-256.
    FileNotFoundError
        If a folder lacks one of the files.
    ConnectionError
        If the files are nowhere and cannot be downloaded; the message says what to put where.

    See Also
    --------
    load_mnist_small : Needs no files.

    Examples
    --------
    >>> from nnlearn.datasets import load_mnist
    >>> load_mnist()  # doctest: +SKIP
    Dataset mnist: 50,000 training, 10,000 validation, 10,000 test; 784 inputs float32, 10 classes
    """
    return load_family("mnist", path, dtype)


def load_fashion_mnist(
    *, path: str | os.PathLike[str] | None = None, dtype: npt.DTypeLike = "float32"
) -> Dataset:
    """Fashion-MNIST: 70,000 pictures of clothes, in the format of MNIST and harder.

    It is divided as MNIST is: the first 50,000 and the last 10,000 images of the training file,
    and the 10,000 of the test file.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The folder with the four IDX files, gzipped or not. By default they are looked for in the
        sub-folder ``fashion-mnist`` of the environment variable ``NNLEARN_DATA_DIR``, then in
        the cache of downloads, and downloaded (31 MB) where they are not there.
    dtype : {"float32", "uint8"}, default "float32"
        "float32": pixel i is i / 255, rounded once. "uint8": the bytes themselves, which a
        network reads as i / 255 too, in a quarter of the memory.

    Returns
    -------
    Dataset
        `x` of shape (n, 784), row by row of each image, 0 the background; `y` int64.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, a file is damaged, or a download has another SHA-256.
    FileNotFoundError
        If a folder lacks one of the files.
    ConnectionError
        If the files are nowhere and cannot be downloaded; the message says what to put where.

    See Also
    --------
    load_mnist : The digits.

    Examples
    --------
    >>> from nnlearn.datasets import load_fashion_mnist
    >>> load_fashion_mnist().class_names[9]  # doctest: +SKIP
    'Ankle boot'
    """
    return load_family("fashion-mnist", path, dtype)


def load_mnist_small(*, dtype: npt.DTypeLike = "float32") -> Dataset:
    """7,000 digits of MNIST that come with the package: no files, no network.

    5,000 images for training, 1,000 for validation, 1,000 for the test, as many of each digit.
    Each part is drawn from the same part of `load_mnist`: of the c images of a digit there, in
    file order, those at floor(j c / k) for j = 0, ..., k - 1, with k = 500, 100 and 100. So they
    are spread evenly over the files and the people who wrote the digits.

    Parameters
    ----------
    dtype : {"float32", "uint8"}, default "float32"
        "float32": pixel i is i / 255, rounded once. "uint8": the bytes themselves, which a
        network reads as i / 255 too, in a quarter of the memory.

    Returns
    -------
    Dataset
        `x` of shape (n, 784), `y` int64, in the order of the files. The three sets are views of
        one array that is made anew by each call.

    Raises
    ------
    TypeError, ValueError
        If `dtype` is none of the two.

    See Also
    --------
    load_mnist : All of them.

    Notes
    -----
    With a tenth of the images to learn from, networks err more often than on the whole of MNIST;
    one image is 0.1 % of the test set. The script ``nnlearn/datasets/make_mnist_small.py`` makes
    the file from those of MNIST. Yann LeCun and Corinna Cortes hold the copyright of MNIST, which
    is under the Creative Commons licence Attribution-ShareAlike 3.0.

    Examples
    --------
    >>> from nnlearn.datasets import load_mnist_small
    >>> digits = load_mnist_small()
    >>> digits
    Dataset mnist-small: 5,000 training, 1,000 validation, 1,000 test; 784 inputs float32, ...
    >>> digits.train.only(3, 8)
    Split: 1,000 samples; 784 inputs float32, 2 classes
    """
    dtype = _pixel_type(dtype)
    with np.load(SMALL_FILE) as file:
        x, y = _pixels(file["x"], dtype), file["y"].astype(np.int64)
    train, validation, _ = (len(DIGITS) * each for each in SMALL_EACH)
    ends = (train, train + validation)
    parts = zip(np.split(x, ends), np.split(y, ends), strict=True)
    return Dataset(*parts, class_names=DIGITS, image_shape=(SIDE, SIDE), source="mnist-small")


def load_mnist_or_small(*, dtype: npt.DTypeLike = "float32") -> Dataset:
    """The whole of MNIST where it is on this machine, else the part inside the package.

    Nothing is downloaded: `load_mnist` does that, once, and is followed here from then on.

    Parameters
    ----------
    dtype : {"float32", "uint8"}, default "float32"
        As for `load_mnist`.

    Returns
    -------
    Dataset
        Of `load_mnist` or of `load_mnist_small`; its ``source`` says which.

    Raises
    ------
    TypeError, ValueError
        If `dtype` is none of the two, or a file is damaged.
    FileNotFoundError
        If the folder ``mnist`` of ``NNLEARN_DATA_DIR`` lacks one of the files.

    See Also
    --------
    load_mnist : All of them, or an error.
    load_mnist_small : The part inside the package.

    Examples
    --------
    >>> from nnlearn.datasets import load_mnist_or_small
    >>> load_mnist_or_small().source in ("mnist", "mnist-small")
    True
    """
    return load_mnist(dtype=dtype) if is_here(MNIST) else load_mnist_small(dtype=dtype)


def load_family(
    family: str,
    path: str | os.PathLike[str] | None,
    dtype: npt.DTypeLike = "float32",
    *,
    name: str = "path",
) -> Dataset:
    """A data set of `FAMILY`; `name` is what messages call `path`.

    The dtype is checked before files are looked for.
    """
    source, class_names = FAMILY[family]
    dtype = _pixel_type(dtype)
    train_images, train_labels, test_images, test_labels = find(source, path, name=name)
    x = _pixels(_images(train_images, N_TRAIN_FILE), dtype)
    y = _labels(train_labels, N_TRAIN_FILE)
    test_x = _pixels(_images(test_images, N_TEST_FILE), dtype)
    return Dataset(
        (x[:N_TRAIN], y[:N_TRAIN]),
        (x[N_TRAIN:], y[N_TRAIN:]),
        (test_x, _labels(test_labels, N_TEST_FILE)),
        class_names=class_names,
        image_shape=(SIDE, SIDE),
        source=source.name,
    )


def _pixel_type(dtype: Any) -> str:
    """The name of the dtype; besides the two names, NumPy's types and dtypes are understood."""
    name = np.dtype(dtype).name if isinstance(dtype, (type, np.dtype)) else dtype
    return choice("dtype", name, ("float32", "uint8"))


def _pixels(images: Array, dtype: str) -> Array:
    """The images as rows. Dividing in float32 rounds i / 255 once: both numbers are exact there."""
    rows = images.reshape(len(images), SIDE * SIDE)
    return rows if dtype == "uint8" else np.divide(rows, np.float32(255), dtype=np.float32)


def _images(path: Path, n: int) -> Array:
    images = read_idx(path)
    if images.shape != (n, SIDE, SIDE) or images.dtype != np.uint8:
        fail(ValueError, str(path), f"hold {n:,} images of {SIDE} x {SIDE} bytes", images)
    return images


def _labels(path: Path, n: int) -> Array:
    labels = read_idx(path)
    if labels.shape != (n,) or labels.dtype != np.uint8:
        fail(ValueError, str(path), f"hold {n:,} labels, a byte each", labels)
    if labels.max() > 9:
        fail(ValueError, str(path), "hold labels from 0 to 9", int(labels.max()))
    return labels.astype(np.int64)
