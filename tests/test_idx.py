"""`read_idx`: every type and shape, and no damaged file that gets through."""

import gzip
import re
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlearn.datasets import read_idx

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """The file of an array, written from the format's description."""
    head = bytes([0, 0, CODES[array.dtype.name], array.ndim])
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return head + lengths + array.astype(array.dtype.newbyteorder(">")).tobytes()


def header(*lengths: int, code: int = 8) -> bytes:
    return bytes([0, 0, code, len(lengths)]) + struct.pack(f">{len(lengths)}I", *lengths)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file that is written again and again."""
    return tmp_path_factory.mktemp("idx") / "file"


ARRAYS = st.sampled_from(sorted(CODES)).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=4, min_side=0, max_side=5))
)


@given(array=ARRAYS, packed=st.booleans())
def test_reading_gives_back_what_was_written(file: Path, array: Any, packed: bool) -> None:
    content = idx_bytes(array)
    file.write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(file)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.shape == array.shape
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable
    assert read.flags.c_contiguous


def test_content_and_not_the_name_tells_what_is_gzipped(tmp_path: Path) -> None:
    labels = np.array([5, 0, 4], np.uint8)
    plain, packed = tmp_path / "plain.gz", tmp_path / "packed"
    plain.write_bytes(idx_bytes(labels))
    packed.write_bytes(gzip.compress(idx_bytes(labels)))
    np.testing.assert_array_equal(read_idx(plain), labels)
    np.testing.assert_array_equal(read_idx(str(packed)), labels)


def test_a_gzip_file_may_have_several_members(tmp_path: Path) -> None:
    content = idx_bytes(np.arange(9, dtype=np.int16))
    path = tmp_path / "members"
    path.write_bytes(gzip.compress(content[:11]) + gzip.compress(content[11:]))
    np.testing.assert_array_equal(read_idx(path), np.arange(9))


START = "begin with 0, 0 and a type of number"
FIVE = "hold 5 bytes of numbers, as its header says"
HUGE = 2**32 - 1
EMPTY_BUT_HUGE = header(0, HUGE, HUGE, HUGE)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", f"must {START}, got the bytes of an empty file"),
        (b"\0\0\x08", f"must {START}, got the bytes 00 00 08"),
        (b"\x89PNG\r\n", f"must {START}, got the bytes 89 50 4e 47"),
        (b"\0\0\x0a\x01\0\0\0\0", f"must {START}, got the bytes 00 00 0a 01"),
        (b"\0\0\x08\0\x07", "must have 1 to 64 axes, got 0"),
        (header(*[1] * 65), "must have 1 to 64 axes, got 65"),
        (header(2, 3)[:-1], "must have a length for each of its 2 axes, got 7 bytes"),
        (header(5), f"must {FIVE}, got 0"),
        (header(5) + bytes(4), f"must {FIVE}, got 4"),
        (header(5) + bytes(6), f"must {FIVE}, got more"),
        (EMPTY_BUT_HUGE, f"must have a shape that fits memory, got {(0, HUGE, HUGE, HUGE)}"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_a_bad_file_is_a_value_error(file: Path, content: bytes, says: str, packed: bool) -> None:
    file.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=f"^{re.escape(f'the IDX file {file} {says}')}$"):
        read_idx(file)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("lengths", [(HUGE,), (HUGE, HUGE), (HUGE,) * 64], ids=["4 GB", "EB", "64"])
def test_what_the_header_claims_is_not_allocated(
    file: Path, lengths: tuple[int, ...], packed: bool
) -> None:
    content = header(*lengths, code=14) + bytes(1000)
    file.write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="as its header says, got"):
            read_idx(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # buffers of the file and of zlib


def test_memory_grows_with_what_is_really_packed(file: Path) -> None:
    # So much could be in a gzip file of 10 kB: what is in it decides, not what is claimed.
    claimed = 10_000_000
    noise = np.random.default_rng(0).bytes(10_000)
    file.write_bytes(gzip.compress(header(claimed) + noise))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"must hold 10,000,000 bytes .*, got 10,000$"):
            read_idx(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < claimed / 3


WHOLE = idx_bytes(np.arange(60, dtype=np.int32).reshape(3, 4, 5))


@given(cut=st.integers(0, len(gzip.compress(WHOLE, mtime=0)) - 1))
def test_a_gzip_file_cut_anywhere_is_a_value_error(file: Path, cut: int) -> None:
    file.write_bytes(gzip.compress(WHOLE, mtime=0)[:cut])
    with pytest.raises(ValueError, match=r"^the IDX file .* must "):
        read_idx(file)


@given(cut=st.integers(0, len(WHOLE) - 1))
def test_a_plain_file_cut_anywhere_is_a_value_error(file: Path, cut: int) -> None:
    file.write_bytes(WHOLE[:cut])
    with pytest.raises(ValueError, match=r"^the IDX file .* must "):
        read_idx(file)


@given(st.data())
def test_an_altered_byte_of_the_numbers_in_a_gzip_file_is_found(file: Path, data: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 500).astype(np.uint8)
    content = bytearray(gzip.compress(idx_bytes(noise), mtime=0))
    place = data.draw(st.integers(10, len(content) - 1))  # the first ten say nothing of the content
    content[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"^the IDX file .* must "):
        read_idx(file)


@given(
    content=st.binary(max_size=60),
    start=st.sampled_from([b"", b"\0\0", b"\0\0\x08\x01", b"\x1f\x8b\x08"]),
)
def test_any_bytes_give_an_array_or_a_value_error(file: Path, content: bytes, start: bytes) -> None:
    file.write_bytes(start + content)
    try:
        array = read_idx(file)
    except ValueError as error:
        assert str(error).startswith(f"the IDX file {file} must ")  # noqa: PT017
    else:
        assert idx_bytes(array) == start + content


@pytest.mark.parametrize("path", [3, b"file", None])
def test_a_path_must_be_a_path(path: Any) -> None:
    with pytest.raises(TypeError, match=f"^path must be a str or os.PathLike, got {path!r}$"):
        read_idx(path)


def test_a_missing_file_and_a_folder_are_os_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_idx(tmp_path)
