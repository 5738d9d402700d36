"""Texts for values that are the same in every process: what stored settings are compared by."""

import dataclasses
import functools
import hashlib
import inspect
from typing import Any

import numpy as np

_ROWS = 1000  # that are converted at once
_DIGITS = 12  # of a digest


class Nameless(ValueError):
    """Other values would read the same."""


def text_of(value: Any, *, exact: bool = False) -> str:
    """A value as it reads in every process.

    Arrays go by a digest, functions by module and name, objects without a repr of their own by
    their type. All else reads as its repr does.

    Parameters
    ----------
    value : object
        Anything; containers and data classes are gone through.
    exact : bool, default False
        Raise Nameless where the text does not tell all: of functions made within others, lambdas
        among them, and of objects without a repr of their own.
    """
    read = functools.partial(text_of, exact=exact)
    kind: Any = type(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.ndarray):
        return digest(value)
    if kind in (list, tuple):
        inner = ", ".join(map(read, value)) + ("," if kind is tuple and len(value) == 1 else "")
        return f"[{inner}]" if kind is list else f"({inner})"
    if kind is dict:
        return "{" + ", ".join(f"{read(key)}: {read(item)}" for key, item in value.items()) + "}"
    if isinstance(value, functools.partial):
        items = [read(part) for part in (value.func, *value.args)]
        items += [f"{name}={read(part)}" for name, part in value.keywords.items()]
        return f"functools.partial({', '.join(items)})"
    if inspect.ismethod(value):
        return f"the method {value.__name__} of {read(value.__self__)}"
    if inspect.isroutine(value) or isinstance(value, type):
        name = f"{value.__module__}.{value.__qualname__}"
        word = "class" if isinstance(value, type) else "function"
        return _named(f"the {word} {name}", exact and "<" in name)
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value)]
        items = [f"{name}={read(getattr(value, name))}" for name in fields]
        if _is_generated(kind):
            return f"{kind.__qualname__}({', '.join(items)})"
    text = repr(value)
    if kind.__repr__ is object.__repr__ or (not isinstance(value, str) and " at 0x" in text):
        return _named(f"an object of {kind.__module__}.{kind.__qualname__}", exact)
    return text


def is_exact(value: Any) -> bool:
    """Whether values that read the same are the same."""
    try:
        text_of(value, exact=True)
    except Nameless:
        return False
    return True


def digest(values: Any) -> str:
    """Numbers by some digits of their SHA-256, whatever array or list holds them.

    Parameters
    ----------
    values : array_like, sparse matrix or None
        Floats of any precision that are equal have one digest, integers of any size as well. Of
        a sparse matrix in CSR its three arrays count.
    """
    if values is None:
        return "None"
    if hasattr(values, "indptr"):
        sha = hashlib.sha256()
        for part in (values.indptr, values.indices, values.data):
            _feed(sha, np.asarray(part))
        return f"a sparse matrix of shape {values.shape} and SHA-256 {sha.hexdigest()[:_DIGITS]}"
    array = np.asarray(values)
    sha = hashlib.sha256(repr(array.shape).encode())
    _feed(sha, array)
    return f"an array of shape {array.shape} and SHA-256 {sha.hexdigest()[:_DIGITS]}"


def _feed(sha: Any, array: Any) -> None:
    """Add the numbers, a part at a time, in one form for floats and another for integers."""
    if array.dtype.kind not in "biuf":
        sha.update(text_of(array.tolist()).encode())
        return
    rows = np.atleast_1d(array)
    for first in range(0, len(rows), _ROWS):
        form = "<f8" if array.dtype.kind == "f" else "<i8"
        sha.update(np.ascontiguousarray(rows[first : first + _ROWS], form))
    sha.update(array.dtype.kind.encode() if array.dtype.kind == "f" else b"i")


def _named(text: str, fails: bool) -> str:
    if fails:
        raise Nameless(text)
    return text


def _is_generated(kind: type) -> bool:
    """Whether the repr of a data class is the one that the decorator made."""
    return getattr(kind.__repr__, "__wrapped__", None) is not None
