"""Saved networks: `Network.save` and `load`.

A file is one in the safetensors format, which other tools read too. Its tensors are the parameters
under their names ("dense1.weight", ...) and the history: "history.rows" (epochs, columns),
"history.step_loss", "history.start". The rest is JSON under the metadata key "nnlearn":

    architecture   input_shape, layers, cost
    checksum       SHA-256 of the whole file but for these digits
    counters       epochs and steps of the network's life
    dtype          of the parameters
    format         the version of all this
    history        names of the columns, stop_reason, prepare_seconds, and restored if there is one
    input_scale    255.0 once trained on uint8, else null
    seed

Those of `Checkpoint` have the state of a fit beside it: `_checkpoint_file`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _tensor_file
from nnlearn._state import Stateful
from nnlearn._tensor_file import Header, check_sum, read_header, read_tensor
from nnlearn._whole_file import opened, refuse, replace_file
from nnlearn.architecture import MOST_PARAMETERS, Architecture, resolve
from nnlearn.history import History
from nnlearn.layers import Activation, Dense, Dropout, Layer
from nnlearn.network import Network

Array = npt.NDArray[Any]
Shapes = dict[str, tuple[int, ...]]

#: The kinds of layers as a file names them.
LAYERS: Mapping[str, type[Layer]] = {
    "activation": Activation,
    "dense": Dense,
    "dropout": Dropout,
}

FIT_START = "fit.start"
_ROWS, _STEP_LOSS, _START = "history.rows", "history.step_loss", "history.start"

_NUMBER = (type(None), float)
_METADATA: Mapping[str, Any] = {
    "architecture": dict,
    "checksum": str,
    "counters": dict,
    "dtype": str,
    "history": dict,
    "input_scale": _NUMBER,
    "seed": int,
}
_ARCHITECTURE: Mapping[str, Any] = {"cost": str, "input_shape": list, "layers": list}
_COUNTERS: Mapping[str, Any] = {"epochs": int, "steps": int}
_HISTORY: Mapping[str, Any] = {
    "columns": list,
    "prepare_seconds": float,
    "restored": (type(None), int),
    "start": (type(None), list),
    "stop_reason": str,
}


# ---- saving -------------------------------------------------------------------------------------


def save(net: Stateful, path: str | os.PathLike[str]) -> None:
    """Write a network into one file; see `Network.save`."""
    tensors, metadata = document(net.__getstate__())
    replace_file(path, _tensor_file.pack(tensors, metadata))


def document(state: dict[str, Any]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The tensors and the metadata of a network's state; ValueError for NaN and infinity."""
    tensors: dict[str, Array] = {**state["parameters"]}
    epochs, steps = state["counters"]
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            _checks.fail(ValueError, name, "be finite to be saved", array)
    metadata = {
        "architecture": _architecture_out(state["architecture"]),
        "counters": {"epochs": epochs, "steps": steps},
        "dtype": state["dtype"],
        "history": _history_out(state["history"], tensors),
        "input_scale": state["input_scale"],
        "seed": state["seed"],
    }
    return tensors, metadata


def _architecture_out(architecture: Architecture) -> dict[str, Any]:
    kinds = {kind: name for name, kind in LAYERS.items()}
    return {
        "cost": architecture.cost,
        "input_shape": list(architecture.input_shape),
        "layers": [{"kind": kinds[type(layer)], **vars(layer)} for layer in architecture.layers],
    }


def _history_out(history: History, tensors: dict[str, Array]) -> dict[str, Any]:
    """What JSON says of a history; its numbers are added to the tensors."""
    columns = history.columns
    tensors[_ROWS] = np.stack([history[column] for column in columns], axis=1)
    tensors[_STEP_LOSS] = np.ascontiguousarray(history.step_loss, np.float32)
    start = history.start
    tensors[_START] = np.array([] if start is None else list(start.values()), np.float64)
    restored = {} if history.restored is None else {"restored": history.restored}
    return restored | {
        "columns": list(columns),
        "prepare_seconds": float(history.prepare_seconds),
        "start": None if start is None else list(start),
        "stop_reason": history.stop_reason,
    }


# ---- loading ------------------------------------------------------------------------------------


def load(path: str | os.PathLike[str]) -> Network:
    """The network that `Network.save` has written into a file.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    Network
        With parameters, history, seed, counters and input scale as they were; without the
        optimiser's state, and with the number of threads left open.

    Raises
    ------
    ValueError
        If the file is no whole, unaltered network: cut off, changed by a byte, of another tool,
        of a newer version. Nothing in it is executed.
    OSError
        If it cannot be read, or there is not the memory for what it holds.
    TypeError
        If `path` is no path.

    See Also
    --------
    Network.save : Writes such a file.
    load_network2_json : Reads those of network2.py.

    Notes
    -----
    Memory is asked for only after the shapes have been found to agree with the size of the file,
    and the checksum with every byte of it.

    Examples
    --------
    >>> import os, tempfile
    >>> import nnlearn as nn
    >>> net = nn.Network([2, 3, 1], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "xor.safetensors")
    ...     net.save(path)
    ...     nn.load(path)
    Network([2, Dense(3, sigmoid), Dense(1, sigmoid)], cost='cross_entropy', seed=1)
    """
    with opened(path) as (file, size):
        state, _, _ = read(file, size)
        return Network._restored(state, np.dtype(state["dtype"]))


def read(
    file: BinaryIO, size: int
) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Array]]:
    """A network's state as a file has it, the state of its fit or None, and all tensors."""
    from nnlearn._checkpoint_file import fit_tensors

    header = read_header(file, size)
    metadata = {**header.metadata}
    fit = metadata.pop("fit", None)
    try:
        state, shapes = _checked(metadata)
        more = {} if fit is None else fit_tensors(fit, shapes, state["dtype"])
    except (TypeError, ValueError) as error:
        refuse("describe a network", f"one of which this is said: {error}")
    _check_tensors(header, shapes, state["dtype"], more)
    check_sum(file, header)
    tensors = {name: read_tensor(file, tensor) for name, tensor in header.tensors.items()}
    for name in (*shapes, *(name for name in more if name != FIT_START)):
        _finite(name, tensors[name])
    state["parameters"] = {name: tensors[name] for name in shapes}
    state["history"] = _history_in(header.metadata["history"], tensors)
    return state, fit, tensors


def _checked(metadata: dict[str, Any]) -> tuple[dict[str, Any], Shapes]:
    """The state that the metadata describe, but for its arrays, and the parameters' shapes."""
    _fields("the metadata", metadata, _METADATA)
    counters = _fields("counters", metadata["counters"], _COUNTERS)
    for name, value in counters.items():
        _checks.integer(name, value, minimum=0, maximum=2**64 - 1)
    if metadata["input_scale"] not in (None, 255.0):
        _checks.fail(ValueError, "input_scale", "be null or 255.0", metadata["input_scale"])
    architecture = _architecture_in(metadata["architecture"])
    state = {
        "architecture": architecture,
        "dtype": _checks.choice("dtype", metadata["dtype"], ("float32", "float64")),
        "seed": _checks.seed(metadata["seed"]),
        "n_threads": None,
        "input_scale": metadata["input_scale"],
        "counters": (counters["epochs"], counters["steps"]),
        "optimizer": None,
    }
    history = metadata["history"]
    if isinstance(history, dict):
        history.setdefault("restored", None)  # left out where there is none
    _check_history(_fields("history", history, _HISTORY))
    return state, parameter_shapes(architecture)


def _fields(name: str, value: Any, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The value as an object with these keys, of these types, and no others."""
    if not isinstance(value, dict):
        _checks.fail(TypeError, name, "be an object", value)
    for key in sorted(value.keys() ^ kinds.keys()):
        requirement = f"have no key {key!r}" if key in value else f"have the key {key!r}"
        _checks.fail(ValueError, name, requirement, list(value))
    for key, kind in kinds.items():
        if type(value[key]) not in (kind if isinstance(kind, tuple) else (kind,)):
            _checks.fail(TypeError, f"{name}'s {key!r}", "be of its type", value[key])
    return value


def _architecture_in(value: dict[str, Any]) -> Architecture:
    """The architecture, through the same checks as that of a user."""
    _fields("architecture", value, _ARCHITECTURE)
    n_inputs = 1
    for size in value["input_shape"]:
        # Stopped early, so that the product of a long list stays a small number.
        n_inputs *= _checks.integer("input_shape", size, minimum=1, maximum=MOST_PARAMETERS)
        if n_inputs > MOST_PARAMETERS:
            _checks.fail(ValueError, "input_shape", "be smaller", value["input_shape"])
    layers = tuple(map(_layer_in, value["layers"]))
    given = Architecture(tuple(value["input_shape"]), layers, value["cost"])
    chain = [given.input_shape, *layers]
    complete = resolve(chain, cost=given.cost, activation="sigmoid", init="scaled", dropout=0.0)
    if complete != given:
        _checks.fail(ValueError, "layers", "be complete", layers)
    return given


def _layer_in(value: Any) -> Layer:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in LAYERS:
        _checks.fail(ValueError, "a layer", f"be of the kind {' or '.join(LAYERS)}", value)
    names = {field.name for field in dataclasses.fields(LAYERS[kind])}
    if value.keys() != {"kind", *names}:
        _checks.fail(ValueError, f"a layer {kind}", f"have {', '.join(sorted(names))}", value)
    return LAYERS[kind](**{name: value[name] for name in names})


def parameter_shapes(architecture: Architecture) -> Shapes:
    """The names and shapes of a network's parameters, known before there is one."""
    shapes: Shapes = {}
    width = architecture.n_inputs
    for i, layer in enumerate(architecture.dense, 1):
        shapes[f"dense{i}.weight"] = (width, layer.n)
        shapes[f"dense{i}.bias"] = (layer.n,)
        width = layer.n
    return shapes


def _check_history(history: dict[str, Any]) -> None:
    """Names are names, and each comes once."""
    for key in ("columns", "start"):
        names = history[key] or []
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            _checks.fail(ValueError, key, "be different names", names)
    if history["columns"][:1] != ["epoch"]:
        _checks.fail(ValueError, "columns", "begin with 'epoch'", history["columns"])
    _checks.real("prepare_seconds", history["prepare_seconds"], minimum=0.0)
    if history["restored"] is not None:
        _checks.integer("restored", history["restored"], minimum=1)


def _check_tensors(header: Header, shapes: Shapes, dtype: str, more: dict[str, Any]) -> None:
    """The file's tensors are the network's, the history's and those more, no others."""
    history = header.metadata["history"]
    wanted = {name: (np.dtype(dtype), shape) for name, shape in shapes.items()}
    wanted |= more
    wanted[_ROWS] = (np.dtype("float64"), (-1, len(history["columns"])))  # -1: any
    wanted[_STEP_LOSS] = (np.dtype("float32"), (-1,))
    wanted[_START] = (np.dtype("float64"), (len(history["start"] or []),))
    for name in sorted(wanted.keys() ^ header.tensors.keys()):
        foreign = name in header.tensors
        requirement = "hold no other tensors" if foreign else "hold every tensor of the network"
        refuse(requirement, f"{_checks.show(name)}" if foreign else f"none named {name!r}")
    for name, (kind, shape) in wanted.items():
        tensor = header.tensors[name]
        fits = len(tensor.shape) == len(shape)
        fits = fits and all(n in (-1, m) for n, m in zip(shape, tensor.shape, strict=True))
        if not fits or tensor.dtype != kind.newbyteorder("<"):
            expected = f"{kind} {str(shape).replace('-1', 'n')}"
            got = f"{tensor.dtype.newbyteorder('=')} {tensor.shape}"
            refuse(f"hold {name!r} as {expected}, as its layers need", got)


def _finite(name: str, array: Array) -> None:
    if not np.isfinite(array).all():
        refuse("hold finite parameters", f"NaN or infinity in {name!r}")


def _history_in(facts: Mapping[str, Any], read: Mapping[str, Array]) -> History:
    columns = facts["columns"]
    rows = read[_ROWS]
    epochs = rows[:, 0]
    if not np.isfinite(epochs).all() or (epochs % 1).any():
        refuse("count epochs by whole numbers", "others in its history")
    history = History(columns)
    for row in rows.tolist():
        history._append(dict(zip(columns, row, strict=True)))
    if facts["start"] is not None:
        history.start = dict(zip(facts["start"], read[_START].tolist(), strict=True))
    history.step_loss = read[_STEP_LOSS].astype(np.float32)
    history.stop_reason = facts["stop_reason"]
    history.prepare_seconds = facts["prepare_seconds"]
    history.restored = facts["restored"]
    return history
