"""The sparse form of x: when it pays, the last few that were made, and SciPy's matrices.

A form is found again by what x holds: its precision, dtype and shape and a checksum of its bytes.
So a slice made anew finds it, and an array changed in place does not.
"""

import os
import threading
from collections import OrderedDict
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core
from nnlearn.architecture import Architecture
from nnlearn.layers import Dense

Array = npt.NDArray[Any]

#: Forms that are kept beyond the fit they were made for.
KEPT = 4

#: The share of x's bytes, x taken as numbers of the network's precision, that a form may take.
SHARE = 0.6

#: The share of numbers that may differ from 0.
DENSITY = 0.35

#: Tables up to this many columns stay dense.
NARROW = 64

_TWO_BYTE_COLUMNS = 65_536


def worth_a_look(x: Array, architecture: Architecture) -> bool:
    """Whether a form can pay, whatever x holds: x is wide, and a dense layer comes first."""
    return x.shape[1] > NARROW and starts_dense(architecture)


def starts_dense(architecture: Architecture) -> bool:
    """Whether the first layer can work on nonzeros alone."""
    return isinstance(architecture.layers[0], Dense)


def worth_it(n_nonzero: int, x: Array, precision: np.dtype[Any]) -> bool:
    """Whether training on the nonzeros alone pays, x being `worth_a_look`."""
    return n_nonzero < DENSITY * x.size and _share(n_nonzero, x, precision) <= SHARE


def _share(n_nonzero: int, x: Array, precision: np.dtype[Any]) -> float:
    """The share of x's bytes, x taken as numbers of this precision, that the form takes."""
    column = 2 if x.shape[1] <= _TWO_BYTE_COLUMNS else 4
    form = n_nonzero * (column + min(x.itemsize, precision.itemsize))
    return form / max(x.size * precision.itemsize, 1)


def why_not(n_nonzero: int, x: Array, architecture: Architecture, precision: np.dtype[Any]) -> str:
    """Why x has no form: what `worth_a_look` or `worth_it` held against it."""
    if not starts_dense(architecture):
        return f"the first layer is a {type(architecture.layers[0]).__name__}"
    if not worth_a_look(x, architecture):
        return f"{x.shape[1]} columns are few (up to {NARROW})"
    if n_nonzero >= DENSITY * x.size:
        density = n_nonzero / max(x.size, 1)
        return f"{density:.1%} of its numbers are not 0 (a sparse form pays below {DENSITY:.0%})"
    share = _share(n_nonzero, x, precision)
    return f"a sparse form would take {share:.0%} of its size (it pays up to {SHARE:.0%})"


class Forms:
    """The last few forms, by what they were made from. Any thread may ask."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._forms: OrderedDict[tuple[Any, ...], _core.Sparse] = OrderedDict()

    def _renew_lock(self) -> None:
        """In a forked child: another thread of the parent's may have held it."""
        self._lock = threading.Lock()

    def get(
        self,
        core: ModuleType,
        precision: np.dtype[Any],
        data: _core.Data,
        scan: tuple[Any, float, int, int],
    ) -> _core.Sparse:
        """The form of the data's x, made when none is kept.

        Parameters
        ----------
        core : module
            `_core` or `_core64`.
        precision : dtype
            That of the core.
        data : _core.Data
            Over an array.
        scan : tuple
            What ``data.scan()`` has just found: all numbers are finite.
        """
        _, _, n_nonzero, checksum = scan
        assert data.x is not None
        key = (precision, data.x.dtype, data.x.shape, n_nonzero, checksum)
        with self._lock:
            form = self._forms.get(key)
            if form is not None:
                self._forms.move_to_end(key)
                return form
        made: _core.Sparse = core.Sparse(data, n_nonzero)
        with self._lock:
            self._forms[key] = made
            while len(self._forms) > self._kept:
                self._forms.popitem(last=False)
        return made


#: Those of this process.
forms = Forms()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forms._renew_lock)


# ---- SciPy's matrices ---------------------------------------------------------------------------


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse matrix or array of SciPy's, told by what it can do."""
    return type(x) is not np.ndarray and hasattr(x, "tocsr")  # the first is told faster


def of_csr(core: ModuleType, x: Any, name: str) -> _core.Sparse:
    """The form of a CSR matrix whose dtype the core reads; ValueError where it is not sound."""
    form: _core.Sparse | tuple[int, int]
    try:
        form = core.Sparse.from_csr(*_parts(x))
    except ValueError:  # unsorted or with duplicates, or worse
        form = core.Sparse.from_csr(*_parts(_canonical(x, name)))
    if isinstance(form, tuple):
        row, column = form
        _checks.finite(name, x[row, column], (row, column))
    return form


def _parts(x: Any) -> tuple[tuple[int, int], Array, Array, Array]:
    """What the core takes: shape, row starts and columns of one dtype, numbers."""
    both = x.indptr.dtype == x.indices.dtype == np.int32
    index = np.int32 if both else np.int64
    n = int(x.indptr[-1])
    starts, columns = (np.require(part, index, ["C", "A"]) for part in (x.indptr, x.indices[:n]))
    return x.shape, starts, columns, np.require(x.data[:n], None, ["C", "A"])


def _canonical(x: Any, name: str) -> Any:
    """A copy with sorted columns and duplicates summed."""
    copy = x.copy()
    try:
        copy.check_format(full_check=True)
    except ValueError as error:
        requirement = "be a sound sparse matrix"
        raise ValueError(_checks.message(name, requirement, f"one whose {error}")) from None
    copy.has_sorted_indices = copy.has_canonical_format = False
    copy.sum_duplicates()
    return copy
