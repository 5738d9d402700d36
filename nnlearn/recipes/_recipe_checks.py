"""What recipes ask of their arguments, before anything trains."""

from collections.abc import Iterable
from typing import Any

from nnlearn import _checks
from nnlearn.data import Dataset, Split
from nnlearn.network import Network


def check_network(net: Any) -> Network:
    """The network, for copies of which fit is called."""
    if not isinstance(net, Network):
        hint = "call it: Network([784, 30, 10])" if isinstance(net, type) else None
        _checks.fail(TypeError, "net", "be a Network", net, hint)
    return net


def check_data(data: Any) -> Split:
    """The validation set of the data, which there must be."""
    if not isinstance(data, Dataset):
        hint = "Dataset(train, validation)" if isinstance(data, Split) else "datasets.from_arrays"
        _checks.fail(TypeError, "data", "be a Dataset", data, hint)
    if data.validation is None or not len(data.validation):
        hint = "datasets.from_arrays(x, y, validation=0.1) holds one out"
        raise ValueError(_checks.message("data", "have a validation set", repr(data), hint))
    return data.validation


def check_sizes(sizes: Any, n: int) -> list[int]:
    """Sizes from 1 to n, the number of training samples: in order, each once."""
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, Iterable):
        _checks.fail(TypeError, "sizes", "be a sequence of integers", sizes)
    found = [_checks.integer("each of sizes", size, minimum=1, maximum=n) for size in sizes]
    if not found:
        _checks.fail(ValueError, "sizes", "hold at least one size", sizes)
    if len(set(found)) < len(found):
        _checks.fail(ValueError, "sizes", "differ from each other", sizes)
    return sorted(found)


def check_fit(net: Network, data: Dataset, **settings: Any) -> None:
    """Let fit look at data and settings, without training; a copy of the network is changed."""
    net.copy().fit(data.train, validation=data.validation, epochs=0, verbose=0, **settings)
