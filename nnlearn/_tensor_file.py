"""A safetensors file with our metadata: packed with a checksum, and read by nothing but its word.

    bytes        meaning
    8            n, the length of the header, little-endian
    n            the header, JSON: {name: {"dtype", "shape", "data_offsets"}, "__metadata__": {}},
                 filled up with spaces
    the rest     the numbers of all tensors, little-endian, without gaps

The metadata have one key, whose value is JSON again. Its "checksum" is the SHA-256, in hexadecimal
digits, of the whole file with zeros in the place of these digits. The reader believes the header
only as far as the size of the file bears it out, and allocates nothing before.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from nnlearn import _json
from nnlearn._checks import show
from nnlearn._whole_file import refuse

Array = npt.NDArray[Any]

#: The key of our metadata.
KEY = "nnlearn"

#: The newest version of what stands under that key: 1 for networks, 2 for those with the state of
#: a fit. A reader refuses newer ones.
FORMAT = 2

#: Bytes of a header that are read: room for tens of thousands of layers.
LARGEST_HEADER = 2**24

_PREFIX = 8  # bytes before the header
_DTYPES: Mapping[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
_MOST_AXES = 2
_PIECE = 2**20  # bytes hashed at once

_ZEROS = "0" * 64
_DIGEST = re.compile(r"[0-9a-f]{64}")

# How the checksum stands in the header, JSON within JSON. A quote within a name would be preceded
# by three backslashes, so nothing else reads like this.
_PLACE = '\\"checksum\\":\\"{}\\"'

_SAVED = "be a network saved by nnlearn"
_WHOLE = "be whole"


@dataclass(frozen=True)
class Tensor:
    """Where a tensor is in the file, and what it is."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int  # of its bytes, from the beginning of the file
    n_bytes: int


@dataclass(frozen=True)
class Header:
    """What a file says it holds, found to agree with its size."""

    text: bytes  # with the eight bytes before it
    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


# ---- packing ------------------------------------------------------------------------------------


def pack(
    tensors: Mapping[str, Array], metadata: Mapping[str, Any], version: int = 1
) -> list[memoryview]:
    """The bytes of a file, header and rest; format and checksum are added to the metadata."""
    from safetensors.numpy import save

    document = _json.dump({**metadata, "format": version, "checksum": _ZEROS})
    data = memoryview(save(dict(tensors), metadata={KEY: document}))
    end = _PREFIX + int.from_bytes(data[:_PREFIX], "little")
    if end - _PREFIX > LARGEST_HEADER:
        raise ValueError(f"the network must have a header of at most {LARGEST_HEADER:,} bytes")
    header, place = bytes(data[:end]), _PLACE.format(_ZEROS).encode()
    digest = hashlib.sha256(data).hexdigest()
    return [memoryview(header.replace(place, _PLACE.format(digest).encode())), data[end:]]


# ---- reading ------------------------------------------------------------------------------------


def read_header(file: BinaryIO, size: int) -> Header:
    """The header of a file of this size, checked; our metadata of a format that is known."""
    start = file.read(_PREFIX)
    length = int.from_bytes(start, "little")
    if start[:1] == b"{":
        refuse(_SAVED, "a JSON file", "load_network2_json reads those of network2.py")
    if len(start) < _PREFIX or length > size - _PREFIX:
        refuse(_SAVED, f"{size:,} bytes that are no safetensors file")
    if length > LARGEST_HEADER:
        refuse(_SAVED, f"a header of {length:,} bytes")
    text = file.read(length)
    if len(text) < length:
        refuse(_WHOLE, "a file that became shorter while it was read")
    header = _parsed(text, "a safetensors file")
    metadata = _our_metadata(header.pop("__metadata__", {}))
    tensors = {name: _tensor(name, entry, _PREFIX + length) for name, entry in header.items()}
    _check_layout(tensors, _PREFIX + length, size)
    return Header(start + text, metadata, tensors)


def _parsed(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = _json.parse(text)
    except ValueError as error:
        refuse(f"be {what}", str(error))
    if not isinstance(value, dict):
        refuse(f"be {what}", "JSON that is no object")
    return value


def _our_metadata(metadata: Any) -> dict[str, Any]:
    """What stands under our key, of the format that is read here."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get(KEY), str):
        refuse(_SAVED, f"a safetensors file without metadata {KEY!r}", "another tool wrote it")
    if len(metadata) > 1:
        refuse(f"have no metadata but {KEY!r}", ", ".join(map(repr, metadata))[:200])
    text = metadata[KEY].encode(errors="replace")  # half a pair of surrogates is no JSON either
    ours = _parsed(text, f"safetensors with JSON as metadata {KEY!r}")
    version = ours.pop("format", None)
    if type(version) is not int or version < 1:
        refuse("have a format number as from 1", repr(version)[:60])
    if version > FORMAT:
        refuse(f"be of format {FORMAT} or older", f"{version}, a newer one", "update nnlearn")
    return ours


def _tensor(name: str, entry: Any, data: int) -> Tensor:
    """One entry of the header; `data` is where the numbers begin."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        refuse("describe each tensor by dtype, shape and data_offsets", f"others for {show(name)}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        refuse("hold tensors of F32 and F64", f"{str(dtype)[:60]} for {show(name)}")
    if not _are_sizes(shape) or len(shape) > _MOST_AXES:
        refuse(f"hold tensors of at most {_MOST_AXES} axes", f"another shape for {show(name)}")
    if not _are_sizes(offsets) or len(offsets) != 2:
        refuse("have two offsets for each tensor", f"others for {show(name)}")
    n_bytes = math.prod(shape) * _DTYPES[dtype].itemsize
    if offsets[1] - offsets[0] != n_bytes:
        got = f"{offsets[1] - offsets[0]:,} bytes for {show(name)} of shape {tuple(shape)}"
        refuse("have offsets that agree with the shapes", got)
    return Tensor(_DTYPES[dtype], tuple(shape), data + offsets[0], n_bytes)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _check_layout(tensors: Mapping[str, Tensor], begin: int, size: int) -> None:
    """The tensors fill the file from where the numbers begin to its end, without gaps."""
    for tensor in sorted(tensors.values(), key=lambda t: (t.begin, t.n_bytes)):
        if tensor.begin != begin:
            refuse("hold tensors one after the other", "gaps or overlaps between them")
        begin += tensor.n_bytes
    if begin != size:
        refuse(_WHOLE, f"{size:,} bytes where its header says {begin:,}")


def check_sum(file: BinaryIO, header: Header) -> None:
    """Read the whole file once, and refuse it if a byte of it has changed."""
    said = header.metadata.get("checksum")
    if not isinstance(said, str) or not _DIGEST.fullmatch(said):
        refuse("have a checksum of 64 hexadecimal digits", repr(said)[:80])
    place = _PLACE.format(said).encode()
    hashed = hashlib.sha256(header.text.replace(place, _PLACE.format(_ZEROS).encode()))
    file.seek(len(header.text))
    while piece := file.read(_PIECE):
        hashed.update(piece)
    if hashed.hexdigest() != said:
        refuse("be as it was saved", "bytes that do not agree with its checksum", "it is damaged")


def read_tensor(file: BinaryIO, tensor: Tensor) -> Array:
    """The numbers of a tensor, in an array of their own."""
    file.seek(tensor.begin)
    data = file.read(tensor.n_bytes)
    if len(data) < tensor.n_bytes:
        refuse(_WHOLE, "a file that became shorter while it was read")
    return np.frombuffer(data, tensor.dtype).reshape(tensor.shape)
