"""What data sets look like, in a notebook and as text."""

import base64
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from shown import SMALL, make_data, page

import nnlearn as nn
from nnlearn import Split

NAN = math.nan


def pixels_of(image: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The pixels of an <img>, read by the rules of PNG as far as they are used."""
    file = base64.b64decode(image["src"].partition(",")[2], validate=True)
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, file[8:]
    while rest:
        length, name = struct.unpack(">I4s", rest[:8])
        chunks[name] = rest[8 : 8 + length]
        assert struct.unpack(">I", rest[8 + length : 12 + length])[0] == zlib.crc32(
            rest[4 : 8 + length]
        )
        rest = rest[12 + length :]
    assert [*chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, kind, *others = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, others) == (8, [0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:].reshape((height, width, 3) if kind == 2 else (height, width))


def test_the_sets_and_the_classes_of_a_dataset() -> None:
    sets, classes = page(make_data()).tables
    assert sets == [
        ["set", "samples", "x", "y"],
        ["training", "6", "(6, 4) float32", "(6,) int64"],
        ["test", "2", "(2, 4) float32", "(2,) int64"],
    ]
    assert classes == [
        ["class", "training", "test", "first samples"],
        ["0", "3", "1", ""],
        ["1", "1", "1", ""],
        ["2", "2", "0", ""],
    ]


def test_a_dataset_as_text() -> None:
    assert str(make_data().summary()) == "\n".join(
        [
            "Dataset toy: 4 inputs float32, labels 0 to 2, images of 2 x 2",
            "set       samples  x               y",
            "--------  -------  --------------  ----------",
            "training        6  (6, 4) float32  (6,) int64",
            "test            2  (2, 4) float32  (2,) int64",
        ]
    )


def test_the_first_samples_of_a_class_stand_side_by_side() -> None:
    x = np.arange(0, 256, 17, dtype=np.uint8).reshape(4, 4)  # colours that are kept exactly
    seen = page(Split(x, [1, 0, 1, 1], image_shape=(2, 2)))
    first, second = map(pixels_of, seen.of("img"))
    assert first.tolist() == x[1].reshape(2, 2).tolist()
    assert second.tolist() == np.hstack([x[i].reshape(2, 2) for i in (0, 2, 3)]).tolist()
    assert [image["alt"] for image in seen.of("img")] == [
        "the first as an image",
        "the first 3 as images",
    ]


def test_no_more_than_five_samples_of_a_class_are_shown() -> None:
    seen = page(Split(np.zeros((9, 4)), np.zeros(9, int), image_shape=(2, 2)))
    assert pixels_of(seen.of("img")[0]).shape == (2, 10)


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        ([0.0, 1.0], [0, 255]),
        ([0.2, 0.8], [51, 204]),
        ([-1.0, 1.0], [0, 255]),
        ([0.0, 1000.0], [0, 255]),
        ([NAN, 1.0], [0, 255]),
        ([7.0, 7.0], [0, 0]),
    ],
)
def test_pixels_of_other_ranges_are_scaled(x: list[float], shown: list[int]) -> None:
    seen = page(Split([x], [0], image_shape=(1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [shown]


def test_colours_and_channels() -> None:
    x = np.array([[255, 0, 0, 255, 17, 34]], np.uint8)  # red, green, blue of two pixels
    seen = page(Split(x, [0], image_shape=(3, 1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [[[255, 0, 17], [0, 255, 34]]]
    grey = page(Split(x, [0], image_shape=(1, 2, 3))).of("img")[0]
    assert pixels_of(grey).shape == (2, 3)
    assert page(Split(x, [0], image_shape=(2, 1, 3))).of("img") == []


def test_large_images_are_shown_small() -> None:
    seen = page(Split(np.zeros((1, 300 * 200), np.uint8), [0], image_shape=(300, 200)))
    assert pixels_of(seen.of("img")[0]).shape == (30, 20)


def test_sparse_samples_are_shown_too() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    seen = page(Split(sparse.csr_matrix([[0.0, 1.0]]), [0], image_shape=(1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [[0, 255]]


@pytest.mark.parametrize(
    "y", [[-3, 5], [True, False], np.array([0, 1], np.uint8)], ids=["negative", "bool", "uint8"]
)
def test_labels_of_every_kind_are_counted(y: Any) -> None:
    _, classes = page(Split([[0.0], [1.0]], y)).tables
    assert [row[0] for row in classes[1:]] == [str(label) for label in sorted(map(int, y))]
    assert classes[0] == ["class", "samples"]


def test_a_class_without_a_sample_has_its_row() -> None:
    _, classes = page(Split([[0.0]], [2], class_names=["a", "b", "c"])).tables
    assert classes[1:] == [["0: a", "0"], ["1: b", "0"], ["2: c", "1"]]


def test_an_empty_split_is_shown() -> None:
    assert page(Split(np.zeros((0, 4)), np.zeros(0, int), image_shape=(2, 2))).of("img") == []


def test_data_of_many_classes_stay_small() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (500, 3 * 32 * 32), np.uint8)  # noise: no picture takes more bytes
    split = Split(x, np.arange(500) % 100, image_shape=(3, 32, 32))
    _, classes = page(split).tables
    assert len(classes) == 13
    assert "89 more classes" in "".join(row[0] for row in classes)
    assert len(split._repr_html_()) < 2 * SMALL


def test_the_digits_stay_small() -> None:
    assert len(nn.datasets.load_mnist_small()._repr_html_()) < SMALL
