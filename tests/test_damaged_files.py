"""Files that `load` refuses: cut off, altered, of others, or telling lies."""

import errno
import os
import re
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import fuzz_files
import numpy as np
import pytest
import safetensors.numpy
from saved_files import framed, put_together, take_apart, trained

import nnlearn as nn
from nnlearn import _tensor_file

#: Inputs for each reader; NNLEARN_FUZZ tries more.
FUZZED = int(os.environ.get("NNLEARN_FUZZ", "1500"))

TERABYTE = 2**40
LITTLE = 2**22  # bytes, more than reading any small file takes

Change = Callable[[dict[str, Any], dict[str, Any]], Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    trained().save(path)
    return path


def refusal(path: Path) -> str:
    """The message with which the file is refused, without the file's name."""
    with pytest.raises(
        ValueError, match="^" + re.escape(f"the file {str(path)!r} must ")
    ) as caught:
        nn.load(path)
    return str(caught.value).split(" must ", 1)[1]


def changed(path: Path, change: Change) -> str:
    """The refusal of the file after a change to header and metadata, with the right checksum."""
    header, ours, data = take_apart(path.read_bytes())
    change(header, ours)
    path.write_bytes(put_together(header, ours, data))
    return refusal(path)


# ---- cut off, altered ---------------------------------------------------------------------------


def test_the_file_is_small_and_reads_as_it_is(path: Path) -> None:
    """So that the tests of every byte are quick, and are tests of the bytes."""
    assert path.stat().st_size < 2500
    nn.load(path)


def test_a_file_cut_off_anywhere_is_refused(path: Path) -> None:
    size = path.stat().st_size
    for length in reversed(range(size)):
        os.truncate(path, length)
        refusal(path)


def test_bytes_too_many_are_refused(path: Path) -> None:
    whole = path.read_bytes()
    for extra in (b"\0", b" ", whole):
        path.write_bytes(whole + extra)
        assert refusal(path).startswith("be whole, got ")
        path.write_bytes(extra + whole)
        refusal(path)


def refused_with(path: Path, changes: Iterable[tuple[int, int]]) -> int:
    """How many files were refused, each with one byte set to another value."""
    whole, count = path.read_bytes(), 0
    with open(path, "r+b", buffering=0) as file:
        for at, value in changes:
            if whole[at] == value:
                continue
            os.pwrite(file.fileno(), bytes([value]), at)
            refusal(path)
            os.pwrite(file.fileno(), whole[at : at + 1], at)
            count += 1
    nn.load(path)
    return count


def test_a_changed_bit_anywhere_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    changes = ((at, byte ^ 1 << bit) for at, byte in enumerate(whole) for bit in range(8))
    assert refused_with(path, changes) == 8 * len(whole)


@pytest.mark.parametrize("value", list(b' \t\n0A\0\xff"}\\'))
def test_a_changed_byte_anywhere_is_noticed(path: Path, value: int) -> None:
    size = path.stat().st_size
    assert refused_with(path, ((at, value) for at in range(size))) > size / 2


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (str.upper, "have a checksum of 64 hexadecimal digits, got '"),
        (lambda digest: "x" * 64, "have a checksum of 64 hexadecimal digits, got 'xxx"),
        (lambda digest: "0" * 64, "be as it was saved, got bytes that do not agree"),
    ],
)
def test_another_checksum_is_noticed(path: Path, other: Callable[[str], str], message: str) -> None:
    whole = path.read_bytes()
    digest = take_apart(whole)[1]["checksum"]
    path.write_bytes(whole.replace(digest.encode(), other(digest).encode()))
    assert refusal(path).startswith(message)


def test_damage_is_called_damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert refusal(path) == (
        "be as it was saved, got bytes that do not agree with its checksum: it is damaged"
    )


def test_numbers_that_change_places_are_noticed(path: Path) -> None:
    """The same bytes in another order: the checksum is one of the whole."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] + whole[-4:] + whole[-8:-4])
    assert refusal(path).endswith("it is damaged")


# ---- of others ----------------------------------------------------------------------------------


def test_a_newer_version_says_what_to_do(path: Path) -> None:
    def newer(header: Any, ours: Any) -> None:
        ours["format"] = 3
        ours["something new"] = 1

    assert changed(path, newer) == "be of format 2 or older, got 3, a newer one: update nnlearn"


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, []])
def test_a_version_is_a_number_from_one(path: Path, version: Any) -> None:
    got = changed(path, lambda header, ours: ours.update(format=version))
    assert got == f"have a format number as from 1, got {version!r}"


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_files_of_other_tools_are_called_so(path: Path, metadata: Any) -> None:
    arrays = {"layers.0.weight": np.ones((2, 3), np.float16), "step": np.array(3)}
    safetensors.numpy.save_file(arrays, path, metadata)
    assert refusal(path) == (
        "be a network saved by nnlearn, got a safetensors file without metadata 'nnlearn': "
        "another tool wrote it"
    )


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "0 bytes that are no safetensors file"),
        (b"\x08", "1 bytes that are no safetensors file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "108 bytes that are no safetensors file"),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0" + b"x" * 50, "61 bytes that are no safetensors file"),
        (b'{"sizes": [2, 1]}', "a JSON file: load_network2_json reads those of network2.py"),
        (framed(b"[1]", b""), "JSON that is no object"),
        (framed(b"", b""), "no JSON: Expecting value at character 0"),
        (framed(b"\xff\xfe", b""), "no UTF-8 at byte 0"),
        (framed(b"[" * 100_000, b""), "JSON that is nested too deeply"),
        (framed(b'{"a":NaN}', b""), "JSON with NaN, which is no number"),
        (framed(b'{"a":' + b"9" * 5000 + b"}", b""), "JSON with an integer of 5000 digits"),
        (framed(b'{"a":1e999}', b""), "JSON with 1e999, which no float holds"),
        (framed(b'{"a":1,"a":1}', b""), "JSON with a key that comes twice"),
        (framed(b'{"__metadata__":{"nnlearn":"{"}}', b""), "no JSON: Expecting property name"),
        (framed(b'{"__metadata__":{"nnlearn":"\\ud800"}}', b""), "no JSON"),
        (framed(b'{"__metadata__":{"nnlearn":3}}', b""), "a safetensors file without metadata"),
        (framed(b'{"__metadata__":3}', b""), "a safetensors file without metadata"),
    ],
)
def test_what_is_no_network_is_refused(path: Path, content: bytes, got: str) -> None:
    path.write_bytes(content)
    assert f", got {got}" in refusal(path)


def test_an_object_that_a_pickle_would_make_is_not_made(path: Path) -> None:
    path.write_bytes(b"cos\nsystem\n(S'touch " + bytes(path) + b".touched'\ntR.")
    refusal(path)
    assert os.listdir(path.parent) == [path.name]


# ---- lies ---------------------------------------------------------------------------------------

WEIGHT = "dense1.weight"


def put(place: str, value: Any) -> Change:
    """A change of the metadata, or of the header where the place begins with a dot-less name."""

    def change(header: dict[str, Any], ours: dict[str, Any]) -> None:
        keys = place.split("/")
        tree: Any = header if keys[0] in header else ours
        for key in keys[:-1]:
            tree = tree[int(key) if isinstance(tree, list) else key]
        last = int(keys[-1]) if isinstance(tree, list) else keys[-1]
        if value is ...:
            del tree[last]
        else:
            tree[last] = value

    return change


LIES = [
    (f"{WEIGHT}/shape", [4, 3], "hold 'dense1.weight' as float32 (3, 4), as its layers need"),
    (f"{WEIGHT}/shape", [12], "hold 'dense1.weight' as float32 (3, 4), as its layers need"),
    (f"{WEIGHT}/shape", [3, 2], "have offsets that agree with the shapes"),
    (f"{WEIGHT}/shape", [1, 3, 4], "hold tensors of at most 2 axes"),
    (f"{WEIGHT}/shape", [3, -4], "hold tensors of at most 2 axes"),
    (f"{WEIGHT}/shape", [3, True], "hold tensors of at most 2 axes"),
    (f"{WEIGHT}/shape", [TERABYTE, TERABYTE], "have offsets that agree with the shapes"),
    (f"{WEIGHT}/dtype", "F16", "hold tensors of F32 and F64, got F16"),
    (f"{WEIGHT}/dtype", "F64", "have offsets that agree with the shapes"),
    (f"{WEIGHT}/dtype", None, "hold tensors of F32 and F64"),
    (f"{WEIGHT}/data_offsets", [0, 48], "hold tensors one after the other"),
    (f"{WEIGHT}/data_offsets", [0], "have two offsets for each tensor"),
    (f"{WEIGHT}/data_offsets", [10**15, 10**15 + 48], "hold tensors one after the other"),
    (f"{WEIGHT}/extra", 1, "describe each tensor by dtype, shape and data_offsets"),
    (WEIGHT, 1, "describe each tensor by dtype, shape and data_offsets"),
    (WEIGHT, ..., "hold tensors one after the other"),
    ("__metadata__/more", "x", "have no metadata but 'nnlearn'"),
    ("unknown", 1, "the metadata must have no key 'unknown'"),
    ("seed", ..., "the metadata must have the key 'seed'"),
    ("seed", -1, "seed must be an integer from 0"),
    ("seed", 2**64, "seed must be an integer from 0"),
    ("seed", True, "the metadata's 'seed' must be of its type, got True"),
    ("dtype", "float16", "dtype must be one of 'float32', 'float64'"),
    ("dtype", "float64", "hold 'dense1.weight' as float64 (3, 4), as its layers need"),
    ("input_scale", 2.0, "input_scale must be null or 255.0, got 2.0"),
    ("counters/steps", 2**64, "steps must be an integer from 0"),
    ("counters", [1, 2], "the metadata's 'counters' must be of its type"),
    ("architecture/cost", "cubic", "cost must be one of"),
    ("architecture/cost", "log_likelihood", "cost must be"),
    ("architecture/input_shape", [], "layers[0] must be the input shape"),
    ("architecture/input_shape", [0], "input_shape must be an integer"),
    ("architecture/input_shape", ["3"], "input_shape must be an integer"),
    ("architecture/input_shape", [2**63] * 5000, "input_shape must be an integer"),
    ("architecture/input_shape", [2**30] * 5000, "input_shape must be smaller"),
    ("architecture/input_shape", [2], "hold 'dense1.weight' as float32 (2, 4)"),
    ("architecture/layers", [], "layers must hold"),
    ("architecture/layers/0/n", 5, "hold 'dense1.weight' as float32 (3, 5)"),
    ("architecture/layers/0/n", 2**62, "layers must have at most 2^40 parameters"),
    ("architecture/layers/0/n", "4", "n must be an integer >= 1, got '4'"),
    ("architecture/layers/0/kind", "conv9d", "a layer must be of the kind"),
    ("architecture/layers/0/kind", [], "a layer must be of the kind"),
    ("architecture/layers/0/more", 1, "a layer dense must have activation, init, n"),
    ("architecture/layers/0/activation", "softmax", "layers must have softmax in the last layer"),
    ("architecture/layers/0/activation", None, "layers must be complete"),
    ("architecture/layers/0/init", -1.0, "init must be a finite number >= 0"),
    ("architecture/layers/1/p", 1.0, "p must be a finite number >= 0 and < 1, got 1.0"),
    ("architecture/layers/1", 7, "a layer must be of the kind"),
    ("history/columns", ["epoch", "epoch"], "columns must be different names"),
    ("history/columns", ["epoch", 1], "columns must be different names"),
    ("history/columns", ["loss"], "columns must begin with 'epoch'"),
    ("history/columns", ["epoch"], "hold 'history.rows' as float64 (n, 1)"),
    ("history/start", [], "hold 'history.start' as float64 (0,)"),
    ("history/prepare_seconds", -1.0, "prepare_seconds must be a finite number >= 0"),
    ("history/restored", 0, "restored must be an integer >= 1, got 0"),
    ("history/restored", True, "history's 'restored' must be of its type, got True"),
    ("history/stop_reason", None, "history's 'stop_reason' must be of its type, got None"),
]


@pytest.mark.parametrize(("place", "value", "message"), LIES, ids=lambda v: str(v)[:40])
def test_lies_are_found_out_behind_a_right_checksum(
    path: Path, place: str, value: Any, message: str
) -> None:
    assert message in changed(path, put(place, value))


def test_foreign_tensors_are_refused(path: Path) -> None:
    def more(header: Any, ours: Any) -> None:
        end = max(entry["data_offsets"][1] for name, entry in header.items() if name[:2] != "__")
        header["momentum"] = {"dtype": "F32", "shape": [0], "data_offsets": [end, end]}

    assert changed(path, more) == "hold no other tensors, got 'momentum'"


def test_missing_tensors_are_named(path: Path) -> None:
    header, ours, data = take_apart(path.read_bytes())
    begin, end = header.pop("history.step_loss")["data_offsets"]
    assert end == len(data), "it lies last"
    path.write_bytes(put_together(header, ours, data[:begin]))
    assert refusal(path) == "hold every tensor of the network, got none named 'history.step_loss'"


@pytest.mark.parametrize(("bad", "name"), [(np.nan, "dense1.bias"), (np.inf, "dense2.weight")])
def test_parameters_that_are_not_finite_are_refused(path: Path, bad: float, name: str) -> None:
    header, ours, data = take_apart(path.read_bytes())
    begin = header[name]["data_offsets"][0]
    number = np.array(bad, "<f4").tobytes()
    path.write_bytes(put_together(header, ours, data[:begin] + number + data[begin + 4 :]))
    assert refusal(path) == f"hold finite parameters, got NaN or infinity in {name!r}"


@pytest.mark.parametrize("epoch", [np.nan, 1.5])
def test_epochs_are_whole_numbers(path: Path, epoch: float) -> None:
    header, ours, data = take_apart(path.read_bytes())
    begin = header["history.rows"]["data_offsets"][0]
    number = np.array(epoch, "<f8").tobytes()
    path.write_bytes(put_together(header, ours, data[:begin] + number + data[begin + 8 :]))
    assert refusal(path) == "count epochs by whole numbers, got others in its history"


# ---- sizes --------------------------------------------------------------------------------------


def peak_of(path: Path) -> int:
    """The most memory that refusing a file takes."""
    tracemalloc.start()
    try:
        refusal(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [TERABYTE, 2**63, 2**64 - 1])
def test_a_header_of_terabytes_is_not_read(path: Path, length: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(length.to_bytes(8, "little") + whole[8:])
    assert peak_of(path) < LITTLE


def test_nor_is_one_of_terabytes_in_a_file_of_terabytes(path: Path) -> None:
    path.write_bytes(TERABYTE.to_bytes(8, "little") + b"{}")
    try:
        os.truncate(path, 2 * TERABYTE)
    except OSError:
        pytest.skip("the file system has no files of terabytes")
    assert peak_of(path) < LITTLE
    assert refusal(path) == f"be a network saved by nnlearn, got a header of {TERABYTE:,} bytes"


def test_tensors_of_terabytes_are_not_asked_for(path: Path) -> None:
    def large(header: Any, ours: Any) -> None:
        ours["architecture"]["layers"][0]["n"] = 2**36
        header[WEIGHT].update(shape=[3, 2**36], data_offsets=[0, 3 * 2**38])

    header, ours, data = take_apart(path.read_bytes())
    large(header, ours)
    path.write_bytes(put_together(header, ours, data))
    assert peak_of(path) < LITTLE


def test_numbers_that_are_not_there_are_not_asked_for(path: Path) -> None:
    """All agrees with all, but for the size of the file."""
    net = nn.Network([3, 2])
    net.save(path)
    header, ours, data = take_apart(path.read_bytes())
    ours["architecture"]["input_shape"] = [2**38]
    begin = 0
    for name in sorted(set(header) - {"__metadata__"}, key=lambda n: header[n]["data_offsets"]):
        shape = [2**38, 2] if name == WEIGHT else header[name]["shape"]
        n_bytes = int(np.prod(shape)) * int(header[name]["dtype"][1:]) // 8
        header[name].update(shape=shape, data_offsets=[begin, begin + n_bytes])
        begin += n_bytes
    path.write_bytes(put_together(header, ours, data))
    assert peak_of(path) < LITTLE
    assert refusal(path).startswith("be whole, got ")


def test_too_little_memory_is_an_error_of_the_system(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restored(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(nn.Network, "_restored", restored)
    with pytest.raises(OSError, match=re.escape(str(path))) as caught:
        nn.load(path)
    assert caught.value.errno == errno.ENOMEM


def test_a_header_that_no_reader_takes_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = path.read_bytes()
    monkeypatch.setattr(_tensor_file, "LARGEST_HEADER", 1000)
    with pytest.raises(ValueError, match=r"^the network must have a header of at most 1,000 bytes"):
        trained().save(path)
    assert path.read_bytes() == whole


# ---- anything -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", fuzz_files.kinds())
def test_mutated_files_end_in_two_errors_alone(kind: str) -> None:
    outcomes = fuzz_files.fuzz(kind, FUZZED, seed=1)
    assert sum(outcomes.values()) == FUZZED
    assert outcomes["ValueError"] > FUZZED / 2, "most changes are found out"
