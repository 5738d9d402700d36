"""Make mnist_small.npz, the digits inside the package, from the four files of MNIST.

    python -m nnlearn.datasets.make_mnist_small [--path FOLDER] [--out FILE]

Source: the MNIST database of Yann LeCun, Corinna Cortes and Christopher Burges, by the files that
`load_mnist` finds. LeCun and Cortes hold its copyright; it is under the Creative Commons licence
Attribution-ShareAlike 3.0, and so is the small part.

Rule: 500 images of each digit from the first 50,000 of the training file, 100 of each from its
last 10,000, 100 of each from the test file; of the c images of a digit in such a part, in file
order, those at floor(j c / k) for j = 0, ..., k - 1. Nothing is drawn at random, nothing is
changed, and every part keeps the order of its file.

The archive holds `x`, uint8 of shape (7000, 784), and `y`, uint8 of shape (7000,): 5,000 images
for training, then 1,000 for validation, then 1,000 for the test. It is written with fixed dates
and modes, so that the same zlib gives the same bytes.
"""

import argparse
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlearn._data_checks import Array
from nnlearn.data import Dataset
from nnlearn.datasets.mnist import DIGITS, SMALL_EACH, SMALL_FILE, load_mnist

EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold
UNIX = 3


def drawn(labels: Array, each: int) -> Array:
    """The rows that the rule takes: `each` of every digit, evenly spaced, in order."""
    of_digit = [np.flatnonzero(labels == digit) for digit in range(len(DIGITS))]
    return np.sort(np.concatenate([rows[np.arange(each) * len(rows) // each] for rows in of_digit]))


def small_arrays(mnist: Dataset) -> dict[str, Array]:
    """The archive's arrays, from the whole of MNIST as uint8."""
    parts = []
    for split, each in zip((mnist.train, mnist.validation, mnist.test), SMALL_EACH, strict=True):
        assert split is not None  # load_mnist gives all three
        rows = drawn(split.y, each)
        parts.append((split.x[rows], split.y[rows].astype(np.uint8)))
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return {"x": x, "y": y}


def packed(arrays: dict[str, Array]) -> bytes:
    """An .npz archive of the arrays that depends on them and on zlib alone."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", EARLIEST_DATE)
            info.create_system = UNIX
            info.external_attr = 0o644 << 16
            file.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return archive.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the archive; silent when all is well."""
    parser = argparse.ArgumentParser(description="Make the small digits from the files of MNIST.")
    parser.add_argument("--path", help="folder with the four files; by default as load_mnist does")
    parser.add_argument("--out", type=Path, default=SMALL_FILE, help="default: %(default)s")
    options = parser.parse_args(arguments)
    mnist = load_mnist(path=options.path, dtype="uint8")
    options.out.write_bytes(packed(small_arrays(mnist)))


if __name__ == "__main__":
    main()
