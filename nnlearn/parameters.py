"""Views of a network's parameters, by name and by layer."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks

Array = npt.NDArray[Any]


class Parameters(Mapping[str, Array]):
    """The parameters by name, in the order of the layers, as writeable views into the core.

    ``p["dense1.weight"][0, 0] = 1`` writes in place; ``p["dense1.weight"] = w`` copies w in.
    """

    def __init__(self, names: Sequence[str], arrays: Sequence[Array]) -> None:
        self._arrays = dict(zip(names, arrays, strict=True))

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __setitem__(self, name: str, value: npt.ArrayLike) -> None:
        _copy_in(name, self._arrays[name], value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self._arrays.items())
        return f"Parameters({shapes})"


class ParameterList(Sequence[Array]):
    """Weights or biases, one for each layer that has them, as writeable views into the core.

    ``net.weights[0][3, 2] = 1`` writes in place; ``net.weights[0] = w`` copies w in.
    """

    def __init__(self, name: str, arrays: Sequence[Array]) -> None:
        self._name = name
        self._arrays = list(arrays)

    def __getitem__(self, i: Any) -> Any:
        return self._arrays[i]

    def __setitem__(self, i: int, value: npt.ArrayLike) -> None:
        view = self._arrays[operator.index(i)]
        _copy_in(f"{self._name}[{i}]", view, value)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return repr(self._arrays)


def _copy_in(name: str, view: Array, value: npt.ArrayLike) -> None:
    """Write a value of the same shape into a view."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(_checks.message(name, "hold real numbers", f"dtype {array.dtype}"))
    if array.shape != view.shape:
        requirement = f"have the shape {view.shape}"
        raise ValueError(_checks.message(name, requirement, f"shape {array.shape}"))
    view[...] = array
