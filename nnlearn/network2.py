"""Networks that Michael Nielsen's network2.py has saved."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _json
from nnlearn._whole_file import opened, refuse
from nnlearn.network import Network

#: Names of network2's classes of cost functions, and of ours.
COSTS = {"CrossEntropyCost": "cross_entropy", "QuadraticCost": "quadratic"}

#: Bytes of a file that are read: room for some forty million weights.
LARGEST_FILE = 2**30

_KEYS = {"sizes", "weights", "biases", "cost"}
_WRITTEN = "be JSON that network2.py saved"


def load_network2_json(path: str | os.PathLike[str]) -> Network:
    """A network that network2.py, of "Neural Networks and Deep Learning", has saved.

    Parameters
    ----------
    path : str or os.PathLike
        The file: a JSON object with ``sizes``, ``weights``, ``biases`` and ``cost``.

    Returns
    -------
    Network
        Dense layers of sigmoids with the file's weights and biases, in float64, with seed 0.

    Raises
    ------
    ValueError
        If the file is cut off, no such JSON, or its lists do not fit its sizes; if it holds NaN,
        infinity or a cost other than CrossEntropyCost and QuadraticCost.
    OSError
        If it cannot be read, or there is not the memory for what it holds.
    TypeError
        If `path` is no path.

    See Also
    --------
    load : Reads what `Network.save` wrote.

    Notes
    -----
    network2 keeps weights as (n_out, n_in) and biases as (n_out, 1); here they are (n_in, n_out)
    and (n_out,). It computes in double precision: float64 keeps every digit of the file, and
    ``.astype("float32")`` gives the faster network. `Network.reset` draws start weights as
    network2 does by default.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3.

    Examples
    --------
    >>> import json, os, tempfile
    >>> import nnlearn as nn
    >>> saved = {
    ...     "sizes": [2, 1],
    ...     "weights": [[[1.0, -1.0]]],
    ...     "biases": [[[0.5]]],
    ...     "cost": "CrossEntropyCost",
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "MyNetwork")
    ...     with open(path, "w") as file:
    ...         json.dump(saved, file)
    ...     net = nn.load_network2_json(path)
    >>> net.weights[0]
    array([[ 1.],
           [-1.]])
    """
    with opened(path) as (file, size):
        if size > LARGEST_FILE:
            refuse(f"have at most {LARGEST_FILE:,} bytes", f"{size:,}")
        try:
            value = _json.parse(file.read(LARGEST_FILE))
        except ValueError as error:
            refuse(_WRITTEN, str(error))
        sizes, cost = _frame(value)
        weights = _tensors("weights", value["weights"], list(zip(sizes[1:], sizes, strict=False)))
        biases = _tensors("biases", value["biases"], [(n, 1) for n in sizes[1:]])
        net = Network(sizes, cost=cost, dtype="float64", seed=0)
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            net.weights[i] = weight.T
            net.biases[i] = bias[:, 0]
        return net


def _frame(value: Any) -> tuple[list[int], str]:
    """The sizes and our name of the cost; every key is there and no other."""
    if not isinstance(value, dict) or value.keys() != _KEYS:
        got = _checks.show(sorted(value)) if isinstance(value, dict) else type(value).__name__
        refuse(_WRITTEN, f"{got} instead of the keys {', '.join(sorted(_KEYS))}")
    sizes, cost = value["sizes"], value["cost"]
    are_sizes = isinstance(sizes, list) and all(type(n) is int and n >= 1 for n in sizes)
    if not are_sizes or len(sizes) < 2:
        refuse("have two sizes or more, integers >= 1", _checks.show(sizes))
    if not isinstance(cost, str) or cost not in COSTS:
        refuse(f"have the cost {' or '.join(COSTS)}", _checks.show(cost))
    return sizes, COSTS[cost]


def _tensors(name: str, value: Any, shapes: list[tuple[int, int]]) -> list[npt.NDArray[np.float64]]:
    """One matrix for each layer, as large as its lists are, which is what the sizes say."""
    if not isinstance(value, list) or len(value) != len(shapes):
        refuse(f"have {name} for {len(shapes)} layers, as sizes says", _count(value))
    return [
        _matrix(f"{name}[{i}]", rows, shape)
        for i, (rows, shape) in enumerate(zip(value, shapes, strict=True))
    ]


def _matrix(name: str, rows: Any, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    if not isinstance(rows, list) or len(rows) != shape[0]:
        refuse(f"have {shape[0]:,} rows in {name}, as sizes says", _count(rows))
    for row in rows:
        if not isinstance(row, list) or len(row) != shape[1]:
            refuse(f"have {shape[1]:,} numbers in each row of {name}", _count(row))
        if not {*map(type, row)} <= {int, float}:
            refuse(f"have numbers alone in {name}", _checks.show(row))
    return np.array(rows, np.float64)


def _count(value: Any) -> str:
    return f"a list of {len(value):,}" if isinstance(value, list) else _checks.show(value)
