"""`load_network2_json`: networks of network2.py, and everything else that JSON may hold."""

import json
import os
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz_files import NETWORK2

import nnlearn as nn
from nnlearn import network2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "MyNetwork"


def refusal(path: Path, content: str | bytes | None = None) -> str:
    """The message with which the file is refused, without the file's name."""
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(
        ValueError, match="^" + re.escape(f"the file {str(path)!r} must ")
    ) as caught:
        nn.load_network2_json(path)
    return str(caught.value).split(" must ", 1)[1]


def saved(rng: np.random.Generator, sizes: list[int], cost: str) -> dict[str, Any]:
    """What network2's save writes: weights (out, in), biases (out, 1)."""
    pairs = list(zip(sizes[1:], sizes, strict=False))
    return {
        "sizes": sizes,
        "weights": [rng.normal(size=pair).tolist() for pair in pairs],
        "biases": [rng.normal(size=(n, 1)).tolist() for n in sizes[1:]],
        "cost": cost,
    }


def feedforward(saved: dict[str, Any], a: Any) -> Any:
    """network2's forward pass: a column, sigmoid everywhere."""
    for w, b in zip(saved["weights"], saved["biases"], strict=True):
        a = 1 / (1 + np.exp(-(np.array(w) @ a + np.array(b))))
    return a


@pytest.mark.parametrize("cost", network2.COSTS)
@pytest.mark.parametrize("sizes", [[3, 2], [5, 4, 3], [1, 1, 1, 1], [7, 2, 6, 2]])
def test_the_network_gives_network2s_outputs(path: Path, sizes: list[int], cost: str) -> None:
    rng = np.random.default_rng(1)
    value = saved(rng, sizes, cost)
    path.write_text(json.dumps(value))
    net = nn.load_network2_json(path)
    assert [net.n_inputs, *(layer.n for layer in net.layers)] == sizes
    assert {layer.activation for layer in net.layers} == {"sigmoid"}
    assert net.cost == network2.COSTS[cost]
    assert net.dtype == np.float64
    for i in range(len(sizes) - 1):
        assert np.array_equal(net.weights[i], np.array(value["weights"][i]).T), "every digit"
        assert np.array_equal(net.biases[i], np.ravel(value["biases"][i]))
    x = rng.normal(size=(6, sizes[0]))
    # A few sums of a few terms in double precision.
    assert np.allclose(net.forward(x), feedforward(value, x.T).T, rtol=1e-13, atol=0)


def test_it_trains_saves_and_goes_to_float32(path: Path) -> None:
    path.write_text(json.dumps(NETWORK2))
    net = nn.load_network2_json(path)
    assert repr(nn.load_network2_json(path)) == repr(net), "the same seed each time"
    other = net.astype("float32")
    for one in (net, other):
        one.fit(np.eye(3), [0, 1, 1], epochs=2, learning_rate=0.5)
        one.save(path)
        assert np.array_equal(nn.load(path).weights[0], one.weights[0])


def test_a_file_cut_off_anywhere_is_refused(path: Path) -> None:
    text = json.dumps(NETWORK2)
    for length in range(len(text)):
        assert "be JSON that network2.py saved, got" in refusal(path, text[:length])


def replaced(place: str, value: Any) -> dict[str, Any]:
    """The good file with one value replaced, or left out for ``...``."""
    tree = result = json.loads(json.dumps(NETWORK2))
    *keys, last = [int(key) if key.isdecimal() else key for key in place.split("/")]
    for key in keys:
        tree = tree[key]
    if value is ...:
        del tree[last]
    else:
        tree[last] = value
    return result


LONG = [0.0] * 1000

WRONG = [
    ("cost", ..., "be JSON that network2.py saved, got ['biases', 'sizes', 'weights'] instead"),
    ("num_layers", 3, "be JSON that network2.py saved, got ['biases', 'cost', 'num_layers'"),
    ("cost", "LogLikelihood", "have the cost CrossEntropyCost or QuadraticCost, got 'LogLik"),
    ("cost", ["QuadraticCost"], "have the cost CrossEntropyCost or QuadraticCost, got ['Q"),
    ("cost", None, "have the cost CrossEntropyCost or QuadraticCost, got None"),
    ("sizes", [], "have two sizes or more, integers >= 1, got []"),
    ("sizes", [3], "have two sizes or more, integers >= 1, got [3]"),
    ("sizes", 3, "have two sizes or more, integers >= 1, got 3"),
    ("sizes", [3, 2, 0], "have two sizes or more, integers >= 1, got [3, 2, 0]"),
    ("sizes", [3, 2, -1], "have two sizes or more, integers >= 1"),
    ("sizes", [3, 2.0, 1], "have two sizes or more, integers >= 1"),
    ("sizes", [3, "2", 1], "have two sizes or more, integers >= 1"),
    ("sizes", [3, True, 1], "have two sizes or more, integers >= 1"),
    ("sizes", [3, 2, 1, 1], "have weights for 3 layers, as sizes says, got a list of 2"),
    ("sizes", [3, 3, 1], "have 3 rows in weights[0], as sizes says, got a list of 2"),
    ("sizes", [4, 2, 1], "have 4 numbers in each row of weights[0], got a list of 3"),
    ("sizes", [10**12, 2, 1], "have 1,000,000,000,000 numbers in each row of weights[0]"),
    ("sizes", [3, 10**15, 1], "have 1,000,000,000,000,000 rows in weights[0], as sizes says"),
    ("weights", {}, "have weights for 2 layers, as sizes says, got {}"),
    ("weights/0", None, "have 2 rows in weights[0], as sizes says, got None"),
    ("weights/0/1", [1.0, 2.0], "have 3 numbers in each row of weights[0], got a list of 2"),
    ("weights/0/1", "abc", "have 3 numbers in each row of weights[0], got 'abc'"),
    ("weights/0/1/2", "1", "have numbers alone in weights[0], got [1, 0.25, '1']"),
    ("weights/0/1/2", True, "have numbers alone in weights[0]"),
    ("weights/0/1/2", None, "have numbers alone in weights[0]"),
    ("weights/0/1/2", [1.0], "have numbers alone in weights[0]"),
    ("weights/1", LONG, "have 1 rows in weights[1], as sizes says, got a list of 1,000"),
    ("biases/0", [0.0, 1.5], "have 1 numbers in each row of biases[0], got 0.0"),
    ("biases/1", [[1.0], [2.0]], "have 1 rows in biases[1], as sizes says, got a list of 2"),
    ("biases/1/0/0", float("nan"), "be JSON that network2.py saved, got JSON with NaN"),
    ("biases/1/0/0", float("inf"), "be JSON that network2.py saved, got JSON with Infinity"),
    ("biases/1/0/0", float("-inf"), "be JSON that network2.py saved, got JSON with -Infinity"),
    ("biases/1/0/0", 10**30, "be JSON that network2.py saved, got JSON with an integer of 31"),
]


@pytest.mark.parametrize(("place", "value", "message"), WRONG, ids=lambda v: str(v)[:30])
def test_what_does_not_fit_is_named(path: Path, place: str, value: Any, message: str) -> None:
    assert refusal(path, json.dumps(replaced(place, value))).startswith(message)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "no JSON: Expecting value at character 0"),
        (b"\x80\x04\x95", "no UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "no JSON: Unexpected UTF-8 BOM"),
        (b"null", "NoneType instead of the keys biases, cost, sizes, weights"),
        (b"[[0, 1]]", "list instead of the keys biases, cost, sizes, weights"),
        (b'{"model": "x"}', "['model'] instead of the keys biases, cost, sizes, weights"),
        (b'{"sizes": [1, 1], "sizes": [2, 1]}', "JSON with a key that comes twice"),
        (b"[" * 200_000, "JSON that is nested too deeply"),
        (json.dumps(NETWORK2).replace("0.25", "1e999").encode(), "JSON with 1e999, which no float"),
        (json.dumps(NETWORK2).encode() + b"{}", "no JSON: Extra data"),
        (json.dumps(NETWORK2).encode("utf-16"), "no UTF-8 at byte 0"),
    ],
)
def test_other_files_are_refused(path: Path, content: bytes, got: str) -> None:
    assert refusal(path, content).startswith(f"be JSON that network2.py saved, got {got}")


def test_numbers_may_be_as_large_as_floats_are(path: Path) -> None:
    path.write_text(json.dumps(replaced("weights/0/0/0", 1e308)))
    assert nn.load_network2_json(path).weights[0][0, 0] == 1e308


def test_a_file_of_terabytes_is_not_read(path: Path) -> None:
    path.write_text(json.dumps(NETWORK2))
    try:
        os.truncate(path, 2**40)
    except OSError:
        pytest.skip("the file system has no files of terabytes")
    tracemalloc.start()
    try:
        assert refusal(path) == f"have at most {2**30:,} bytes, got {2**40:,}"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_missing_files_and_no_paths(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nn.load_network2_json(tmp_path / "nowhere")
    with pytest.raises(TypeError, match=r"^path must be a str or os\.PathLike, got None$"):
        nn.load_network2_json(None)  # type: ignore[arg-type]
