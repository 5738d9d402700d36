"""The IDX format, in which the MNIST family is published.

    offset  bytes       meaning
    0       2           zero
    2       1           type of the numbers: 8 uint8, 9 int8, 11 int16, 12 int32, 13 float32,
                        14 float64
    3       1           number of axes d
    4       4 d         length of each axis, unsigned
    4+4d    the rest    the numbers, row-major; like the lengths big-endian

The header is not believed: what it promises is held against the size of the file before anything
of that size is allocated, and the file must end where the numbers end.
"""

import gzip
import math
import os
import struct
import sys
import zlib
from io import BufferedReader
from typing import NoReturn

import numpy as np

from nnlearn._checks import fail, message
from nnlearn._data_checks import Array

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MAX_AXES = 64  # NumPy's own limit
GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_RATIO = 1032  # no deflate stream expands further: two bits for 258 bytes
PIECE = 1 << 20


class _Reader:
    """The bytes of a file, unpacked where it is gzipped, with errors that name the file."""

    def __init__(self, path: str, file: BufferedReader) -> None:
        self.path = path
        self.packed = file.peek(2)[:2] == GZIP_MAGIC
        self.left = os.fstat(file.fileno()).st_size  # bytes to come; if packed, at most so many
        self._file: BufferedReader | gzip.GzipFile = file
        if self.packed:
            self.left *= DEFLATE_RATIO
            self._file = gzip.GzipFile(fileobj=file)

    def read(self, count: int) -> bytearray:
        """`count` bytes, or fewer at the end of the file; memory grows with what is there."""
        data = bytearray()
        try:
            while len(data) < count:
                piece = self._file.read(min(PIECE, count - len(data)))
                if not piece:
                    break
                data += piece
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.fail("be whole", "a damaged gzip file", str(error))
        self.left -= len(data)
        return data

    def fail(self, requirement: str, got: str, hint: str | None = None) -> NoReturn:
        raise ValueError(message(f"the IDX file {self.path}", requirement, got, hint)) from None


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The array that an IDX file holds.

    Parameters
    ----------
    path : str or os.PathLike
        The file, gzipped or not; its content tells which, not its name.

    Returns
    -------
    ndarray
        In its own memory, of the file's shape and type (uint8, int8, int16, int32, float32 or
        float64) in the machine's byte order.

    Raises
    ------
    TypeError
        If `path` is no path.
    ValueError
        If the file is not IDX, or is damaged, shorter or longer than its header says.
    OSError
        If the file cannot be read.

    See Also
    --------
    nnlearn.datasets.load_mnist : Reads the four IDX files of MNIST.

    Notes
    -----
    A header that promises more than the file can hold is refused before memory is allocated. A
    gzipped file can hold 1,032 times its size; its memory grows with what is really unpacked.

    Examples
    --------
    >>> import os, tempfile
    >>> from nnlearn.datasets import read_idx
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + bytes([5, 0, 4]))
    >>> read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    if not isinstance(path, (str, os.PathLike)):
        fail(TypeError, "path", "be a str or os.PathLike", path)
    with open(path, "rb") as file:
        reader = _Reader(os.fspath(path), file)
        dtype, shape = _header(reader)
        data = _numbers(reader, dtype, shape)
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(reader: _Reader) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """The type and the shape that the file announces."""
    magic = reader.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        reader.fail("begin with 0, 0 and a type of number", f"the bytes {_hex(magic)}")
    if not 1 <= magic[3] <= MAX_AXES:
        reader.fail(f"have 1 to {MAX_AXES} axes", str(magic[3]))
    lengths = reader.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        reader.fail(f"have a length for each of its {magic[3]} axes", f"{len(lengths)} bytes")
    return np.dtype(TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", lengths)


def _numbers(reader: _Reader, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> bytearray:
    """The bytes of all numbers, exactly as many as the header announces."""
    size = math.prod(shape) * dtype.itemsize
    extent = math.prod(length or 1 for length in shape) * dtype.itemsize
    requirement = f"hold {size:,} bytes of numbers, as its header says"
    if size > reader.left:
        reader.fail(requirement, f"{'at most ' if reader.packed else ''}{reader.left:,}")
    if extent > sys.maxsize:  # an empty array whose shape NumPy cannot hold
        reader.fail("have a shape that fits memory", str(shape))
    data = reader.read(size)
    if len(data) < size:
        reader.fail(requirement, f"{len(data):,}")
    if reader.read(1):  # gzip compares its checksum only here, at the end
        reader.fail(requirement, "more")
    return data


def _hex(data: bytes | bytearray) -> str:
    return data.hex(" ") or "of an empty file"
