"""Frames: what the kernel sends to the page, some words and many numbers in one piece.

::

    bytes 0..3      length of the header, little-endian
    header          JSON, padded with blanks so that what follows lies on 8 bytes:
                    {..., "arrays": [{"dtype": "float32", "shape": [2, 30], "at": 0}, ...]}
    arrays          one after the other, each beginning on 8 bytes; "at" counts from the first

``static/frames.js`` reads them. The same bytes travel as a message, lie in a synchronised trait
and, as base64, in the files of ``to_html``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: What typed arrays of JavaScript hold.
DTYPES = ("float32", "float64", "int8", "uint8", "int32")

_UNIT = 8


def pack(header: Mapping[str, Any], arrays: Sequence[Array] = ()) -> bytes:
    """One frame.

    Parameters
    ----------
    header : mapping
        What JSON can say; NaN and infinity become null.
    arrays : sequence of ndarray
        In any layout; of one of `DTYPES`.
    """
    tables, pieces, at = [], [], 0
    for array in arrays:
        assert array.dtype.name in DTYPES, array.dtype
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        tables.append({"dtype": array.dtype.name, "shape": list(array.shape), "at": at})
        piece = little.tobytes()
        pieces.append(piece + b"\0" * (-len(piece) % _UNIT))
        at += len(pieces[-1])
    text = json.dumps(plain({**header, "arrays": tables}), allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % _UNIT)
    return len(text).to_bytes(4, "little") + text + b"".join(pieces)


def unpack(frame: bytes) -> tuple[dict[str, Any], list[Array]]:
    """The header and the arrays of a frame."""
    end = 4 + int.from_bytes(frame[:4], "little")
    header = json.loads(frame[4:end])
    arrays = []
    for table in header.pop("arrays"):
        dtype = np.dtype(table["dtype"]).newbyteorder("<")
        count = int(np.prod(table["shape"], dtype=np.int64))
        flat = np.frombuffer(frame, dtype, count, end + table["at"])
        arrays.append(flat.reshape(table["shape"]))
    return header, arrays


def plain(value: Any) -> Any:
    """The value in JSON's own kinds: NumPy's numbers by value, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if value is None or isinstance(value, str):
        return value
    return str(value)
