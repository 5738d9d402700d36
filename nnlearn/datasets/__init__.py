"""Data sets: the digits and clothes of the MNIST family, toy sets, and your own arrays."""

from nnlearn.datasets.arrays import from_arrays
from nnlearn.datasets.idx import read_idx
from nnlearn.datasets.mnist import (
    load_fashion_mnist,
    load_mnist,
    load_mnist_or_small,
    load_mnist_small,
)
from nnlearn.datasets.toy import spirals, two_moons, xor

__all__ = [
    "from_arrays",
    "load_fashion_mnist",
    "load_mnist",
    "load_mnist_or_small",
    "load_mnist_small",
    "read_idx",
    "spirals",
    "two_moons",
    "xor",
]
