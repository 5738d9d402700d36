"""The whole state of a network: taken and restored for copies, pickles and files."""

from __future__ import annotations

import copy as copying
import os
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core
from nnlearn._model import Model
from nnlearn.architecture import Architecture

Self = TypeVar("Self", bound="Stateful")  # typing.Self is newer than Python 3.10


class Stateful(Model):
    """A network whose state can be taken, whole, and made a network of again."""

    n_threads: int | None
    _changes: int  # of history and seed, for who copies them meanwhile
    _trainer: _core.Trainer | None  # made by the first fit

    def _build(
        self, architecture: Architecture, dtype: np.dtype[Any], seed: int, n_threads: int | None
    ) -> None:
        """Make the core's network, with start weights, and what belongs to it here."""
        raise NotImplementedError

    def copy(self: Self) -> Self:
        """An independent copy: parameters, optimiser state, counters, seed and history."""
        return type(self)._restored(self.__getstate__(), self.dtype)

    __copy__ = copy

    def __deepcopy__(self: Self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def astype(self: Self, dtype: npt.DTypeLike) -> Self:
        """A copy in another precision.

        Parameters
        ----------
        dtype : {"float32", "float64"}
            The precision.

        Returns
        -------
        Network
            Independent, also where the precision is the same.
        """
        return type(self)._restored(self.__getstate__(), _checks.precision(dtype))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network into one file, which `load` reads.

        Parameters, history, seed, counters and input scale are saved, with a checksum. The state
        of the optimiser is not (`copy` and pickle carry it), nor is the number of threads.

        Parameters
        ----------
        path : str or os.PathLike
            The file; ``.safetensors`` is the usual suffix. An existing file is replaced in one
            step: whatever happens, there is the old one or the new one, whole.

        Raises
        ------
        OSError
            If the file cannot be written; the old one is as it was.
        ValueError
            If a parameter is NaN or infinite, or `path` names a device.
        TypeError
            If `path` is no path.
        RuntimeError
            If called from within an epoch or an evaluation of this network, or in a process
            forked during one.

        See Also
        --------
        load : Reads the file.

        Notes
        -----
        Called from another thread during a fit it waits for the end of the epoch; between epochs,
        as in a callback, it saves the network as it is then. The epochs of a fit join the
        network's history when it ends.

        The format is safetensors: ``safetensors.numpy.load_file`` gives the arrays to other
        tools. A process that is killed while it saves leaves the file as it was, and a file
        ``.nnlearn-*.tmp`` beside it.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> import nnlearn as nn
        >>> net = nn.Network([2, 3, 1], seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(os.path.join(folder, "net.safetensors"))
        ...     again = nn.load(os.path.join(folder, "net.safetensors"))
        >>> np.array_equal(again.weights[0], net.weights[0])
        True
        """
        from nnlearn.files import save

        save(self, path)

    def __getstate__(self) -> dict[str, Any]:
        """All that makes the network, in arrays of its own: for pickle, copies and files.

        Parameters, counters and the optimiser's state are of one moment, the end of an epoch. The
        epochs of a running fit join the history at its end: until then it has fewer rows than the
        counters say, never more.
        """
        while True:
            changes = self._changes
            arrays, counters, optimizer = self._core.snapshot(self._trainer)
            state = {
                "architecture": self._architecture,
                "dtype": self.dtype.name,
                "seed": self.seed,
                "n_threads": self.n_threads,
                "input_scale": self._input_scale,
                "parameters": dict(zip(self._names, arrays, strict=True)),
                "counters": counters,
                "optimizer": optimizer,
                "history": copying.deepcopy(self.history),
            }
            if self._changes == changes:
                return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._restore(state, np.dtype(state["dtype"]))

    @classmethod
    def _restored(cls: type[Self], state: dict[str, Any], dtype: np.dtype[Any]) -> Self:
        """The network that a state describes, as `__getstate__` gives it, in this precision."""
        net = cls.__new__(cls)
        net._restore(state, dtype)
        return net

    def _restore(self, state: dict[str, Any], dtype: np.dtype[Any]) -> None:
        """Become the network that a state describes, in this precision."""
        self._build(state["architecture"], dtype, state["seed"], state["n_threads"])
        self._input_scale = state["input_scale"]
        parameters = self.parameters
        for name, array in state["parameters"].items():
            parameters[name] = array
        self._core.counters = state["counters"]
        self.history = state["history"]
        if state["optimizer"] is not None:
            name, slots = state["optimizer"]
            self._trainer = self._core_module.Trainer(self._core)
            self._trainer.set_state(
                name, [s and [np.ascontiguousarray(part, dtype) for part in s] for s in slots]
            )
