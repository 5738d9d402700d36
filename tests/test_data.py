"""`Split` and `Dataset`."""

import copy
import dataclasses
import pickle
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlearn.data import Dataset, Split

ABC = ("a", "b", "c")
X = np.zeros((3, 4))
Y = np.array([0, 1, 2])


def make_split(n: int = 6, classes: int = 3, **facts: Any) -> Split:
    x = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    return Split(x, np.arange(n) % classes, **facts)


def says(text: str) -> str:
    """A pattern for pytest's `match` that is the whole text."""
    return f"^{re.escape(text)}$"


def an_array(shape: tuple[int, ...], dtype: str) -> str:
    """How a message shows an array."""
    return f"an array of shape {shape} and dtype {dtype}"


# --- Split -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "uint8", "int32", "bool", ">f4"]
)
def test_split_keeps_the_arrays_it_is_given(dtype: str) -> None:
    x = np.zeros((6, 4), dtype)[::2]
    y = np.array([0, 1, 2])
    split = Split(x, y)
    assert split.x is x
    assert split.y is y


def test_split_converts_lists() -> None:
    split = Split([[0.0, 1.0], [2.0, 3.0]], [1, 0])
    np.testing.assert_array_equal(split.x, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(split.y, [1, 0])
    assert split.x.dtype == np.float64


def test_split_reads_as_x_and_y_and_has_the_length_of_its_rows() -> None:
    split = make_split(5)
    x, y = split
    assert x is split.x
    assert y is split.y
    assert len(split) == 5


@pytest.mark.parametrize(
    "rows", [slice(None, 2), slice(1, 5, 2), slice(None, None, -1), slice(9, 9)]
)
def test_a_slice_is_a_split_of_views_with_the_same_facts(rows: slice) -> None:
    split = make_split(class_names=ABC, image_shape=(2, 2))
    part = split[rows]
    np.testing.assert_array_equal(part.x, split.x[rows])
    np.testing.assert_array_equal(part.y, split.y[rows])
    assert part.x.base is split.x.base or part.x.base is split.x
    assert len(part) == 0 or np.shares_memory(part.y, split.y)
    assert (part.class_names, part.image_shape) == (("a", "b", "c"), (2, 2))


@pytest.mark.parametrize("index", [0, -1, np.int64(2), [0, 1], (slice(1), 0), None])
def test_an_index_that_is_no_slice_is_a_type_error(index: Any) -> None:
    message = f"the index of a Split must be a slice, got {index!r}: index .x and .y instead"
    with pytest.raises(TypeError, match=says(message)):
        make_split()[index]


@pytest.mark.parametrize("name", ["x", "y", "class_names", "image_shape", "new"])
def test_split_is_frozen(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(make_split(), name, None)


def test_splits_compare_by_identity_and_hash() -> None:
    split, twin = make_split(), make_split()
    assert split == split
    assert split != twin
    assert len({split, twin}) == 2


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), dataclasses.replace],
    ids=["copy", "deepcopy", "pickle", "replace"],
)
def test_split_copies_and_pickles(again: Any) -> None:
    split = make_split(class_names=ABC, image_shape=(2, 2))
    other = again(split)
    np.testing.assert_array_equal(other.x, split.x)
    np.testing.assert_array_equal(other.y, split.y)
    assert (other.class_names, other.image_shape) == (split.class_names, split.image_shape)


def test_split_keeps_a_sparse_matrix_sparse() -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy makes the sparse matrix")
    split = Split(sparse.coo_matrix(np.eye(4, dtype=np.float32)), [0, 1, 1, 0])
    assert str(split) == "Split: 4 samples; 4 inputs float32, sparse, labels 0 to 1"
    parts: list[Any] = [split[1:3].x, split.only(1).x]
    for x in parts:
        assert x.format == "csr"
        np.testing.assert_array_equal(x.toarray(), np.eye(4)[1:3])


def test_class_names_become_plain_text() -> None:
    names = make_split(class_names=np.array(["a", "b", "c"])).class_names
    assert names == ("a", "b", "c")
    assert names is not None
    assert {type(name) for name in names} == {str}


NUMBERS = "be an array of real numbers, one row a sample"
NAMES = "class_names must be a sequence of str, one a class"
SHAPE = "image_shape must be (height, width) or (channels, height, width)"
BELOW_3 = "y must be labels below 3, the number of class_names"


@pytest.mark.parametrize(
    ("error", "message", "x", "y"),
    [
        (ValueError, f"x must {NUMBERS}, got 3.0", 3.0, Y),
        (ValueError, f"x must {NUMBERS}, got [[1], [2, 3]]", [[1], [2, 3]], Y),
        (TypeError, f"x must {NUMBERS}, got {an_array((3,), '<U1')}", ABC, Y),
        (TypeError, f"x must {NUMBERS}, got {an_array((3, 4), 'complex128')}", X + 0j, Y),
        (TypeError, f"y must {NUMBERS}, got {an_array((3,), 'object')}", X, [None] * 3),
        (ValueError, f"y must have 3 rows, as x, got {an_array((2,), 'int64')}", X, Y[:2]),
    ],
)
def test_split_refuses_arrays(error: type[Exception], message: str, x: Any, y: Any) -> None:
    with pytest.raises(error, match=says(message)):
        Split(x, y)


@pytest.mark.parametrize(
    ("error", "message", "class_names", "y"),
    [
        (TypeError, f"{NAMES}, got 'abc'", "abc", Y),
        (TypeError, f"{NAMES}, got (1, 2, 3)", [1, 2, 3], Y),
        (TypeError, f"{NAMES}, got 3", 3, Y),
        (ValueError, f"{BELOW_3}, got labels from 1 to 3", ABC, Y + 1),
        (ValueError, f"{BELOW_3}, got labels from -1 to 1", ABC, Y - 1),
    ],
)
def test_split_refuses_names(
    error: type[Exception], message: str, class_names: Any, y: Any
) -> None:
    with pytest.raises(error, match=says(message)):
        Split(X, y, class_names=class_names)


@pytest.mark.parametrize(
    ("error", "message", "image_shape"),
    [
        (ValueError, "image_shape must have 4 pixels, as a row of x, got (2, 3)", (2, 3)),
        (ValueError, f"{SHAPE}, got (4,)", (4,)),
        (TypeError, f"{SHAPE}, got 4", 4),
        (TypeError, "each side of image_shape must be an integer >= 1, got 2.0", (2.0, 2)),
        (ValueError, "each side of image_shape must be an integer >= 1, got -2", (-2, -2)),
    ],
)
def test_split_refuses_image_shapes(error: type[Exception], message: str, image_shape: Any) -> None:
    with pytest.raises(error, match=says(message)):
        Split(X, Y, image_shape=image_shape)


# --- only --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_only_relabels_in_the_order_of_its_arguments(dtype: str) -> None:
    split = Split(np.arange(5)[:, np.newaxis], np.array([3, 8, 1, 8, 3], dtype))
    part = split.only(8, 3)
    np.testing.assert_array_equal(part.x[:, 0], [0, 1, 3, 4])
    np.testing.assert_array_equal(part.y, [1, 0, 0, 1])
    assert part.y.dtype == np.int64


def test_only_keeps_names_and_image_shape() -> None:
    part = make_split(class_names=["a", "b", "c"], image_shape=(2, 2)).only(2, 0)
    assert part.class_names == ("c", "a")
    assert part.image_shape == (2, 2)


def test_only_names_classes_that_had_no_names_by_their_labels() -> None:
    part = Split([[0.0], [1.0], [2.0]], [-1, 1, 5]).only(-1, 5)
    assert part.class_names == ("-1", "5")
    np.testing.assert_array_equal(part.y, [0, 1])


def test_only_takes_flags() -> None:
    part = Split([[0.0], [1.0], [2.0]], [True, False, True]).only(1)
    np.testing.assert_array_equal(part.x, [[0], [2]])


INTEGERS = "classes must be integers, each an argument of its own"


@pytest.mark.parametrize(
    ("error", "message", "classes"),
    [
        (ValueError, "classes must be at least one label, got ()", ()),
        (ValueError, "classes must be different labels, got (1, 2, 1)", (1, 2, 1)),
        (ValueError, "classes must be labels that occur, got 7", (1, 7)),
        (ValueError, f"classes must be labels that occur, got {2**70}", (2**70,)),
        (TypeError, f"{INTEGERS}, got [0, 1]", ([0, 1],)),
        (TypeError, f"{INTEGERS}, got '1'", ("1",)),
        (TypeError, f"{INTEGERS}, got True", (True,)),
        (TypeError, f"{INTEGERS}, got 1.0", (1.0,)),
    ],
)
@pytest.mark.parametrize("of", [make_split(), Dataset(make_split())], ids=["Split", "Dataset"])
def test_only_refuses(
    of: Split | Dataset, error: type[Exception], message: str, classes: tuple[Any, ...]
) -> None:
    with pytest.raises(error, match=says(message)):
        of.only(*classes)


@pytest.mark.parametrize("y", [np.zeros(3), np.zeros((3, 1), int)], ids=["floats", "columns"])
def test_only_needs_labels(y: Any) -> None:
    got = an_array(y.shape, y.dtype)
    message = f"y must be integer labels, to keep some classes, got {got}"
    with pytest.raises(TypeError, match=says(message)):
        Split(X, y).only(0)
    with pytest.raises(TypeError, match=says(message)):
        Dataset((X, y)).only(0)


def test_only_needs_labels_in_every_set() -> None:
    with pytest.raises(TypeError, match=r"^y must be integer labels"):
        Dataset((X, Y), (X, np.zeros(3))).only(0)


@given(st.lists(st.integers(-3, 6), min_size=1), st.data())
def test_only_keeps_exactly_the_samples_of_its_classes(labels: list[int], data: Any) -> None:
    classes = data.draw(st.permutations(sorted(set(labels))))
    kept = classes[: data.draw(st.integers(1, len(classes)))]
    split = Split(np.arange(len(labels)), labels)
    part = split.only(*kept)
    expected = [(row, kept.index(label)) for row, label in enumerate(labels) if label in kept]
    assert list(zip(part.x.tolist(), part.y.tolist(), strict=True)) == expected


# --- Dataset -----------------------------------------------------------------------------------


def test_dataset_takes_splits_and_pairs() -> None:
    train, (x, y) = make_split(), make_split(2)
    data = Dataset(train, (x, y))
    assert data.train is train
    assert data.validation is not None
    assert data.validation.x is x
    assert data.test is None


def test_dataset_gives_its_facts_to_every_set() -> None:
    names = iter(["a", "b", "c"])
    data = Dataset(
        make_split(), make_split(2), make_split(3), class_names=names, image_shape=[2, 2]
    )
    for facts in (data, data.train, data.validation, data.test):
        assert facts is not None
        assert facts.class_names == ("a", "b", "c")
        assert facts.image_shape == (2, 2)


def test_dataset_takes_the_facts_that_one_set_knows() -> None:
    data = Dataset(make_split(), make_split(2, class_names=ABC, image_shape=(1, 2, 2)))
    assert data.train.class_names == data.class_names == ("a", "b", "c")
    assert data.train.image_shape == data.image_shape == (1, 2, 2)


def test_dataset_copies_no_array() -> None:
    train = make_split()
    assert Dataset(train, class_names=ABC).train.x is train.x


def test_take_gives_views_of_the_first_training_samples() -> None:
    data = Dataset(make_split(6), make_split(3), make_split(2), class_names=ABC, source="toy")
    few = data.take(4)
    np.testing.assert_array_equal(few.train.x, data.train.x[:4])
    assert np.shares_memory(few.train.x, data.train.x)
    assert few.validation is data.validation
    assert few.test is data.test
    assert (few.source, few.class_names) == ("toy", ("a", "b", "c"))
    assert len(data.train) == 6


@pytest.mark.parametrize(
    ("error", "n"), [(ValueError, 0), (ValueError, 7), (TypeError, 2.0), (TypeError, True)]
)
def test_take_refuses(error: type[Exception], n: Any) -> None:
    with pytest.raises(error, match=says(f"n must be an integer from 1 to 6, got {n!r}")):
        Dataset(make_split(6)).take(n)


def test_dataset_only_relabels_every_set() -> None:
    data = Dataset(make_split(6), make_split(5), make_split(1), class_names=ABC, source="toy")
    part = data.only(2, 1)
    assert part.class_names == ("c", "b")
    assert part.source == "toy"
    labels = [
        split.y.tolist() for split in (part.train, part.validation, part.test) if split is not None
    ]
    assert labels == [[1, 0, 1, 0], [1, 0, 1], []]


def test_dataset_is_frozen_and_pickles() -> None:
    data = Dataset(make_split(), make_split(2), class_names=ABC, source="toy")
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train = data.train  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.train.x, data.train.x)
    assert (again.test, again.class_names, again.source) == (None, ("a", "b", "c"), "toy")


PAIR = "be a Split or a pair (x, y)"


@pytest.mark.parametrize(
    ("error", "message", "sets"),
    [
        (TypeError, f"train must {PAIR}, got 3", (3,)),
        (TypeError, f"test must {PAIR}, got {an_array((3, 4), 'float64')}", ((X, Y), None, X)),
        (
            ValueError,
            "x of validation must have rows of shape (4,), as in train, got "
            + an_array((3, 3), "float64"),
            ((X, Y), (X[:, :3], Y)),
        ),
        (
            ValueError,
            "y of test must have rows of shape (), as in train, got " + an_array((3, 1), "int64"),
            ((X, Y), None, (X, Y[:, np.newaxis])),
        ),
        (
            ValueError,
            "image_shape of test must be (2, 2), as the data set's, got (1, 4)",
            (make_split(image_shape=(2, 2)), None, make_split(image_shape=(1, 4))),
        ),
    ],
)
def test_dataset_refuses_sets(error: type[Exception], message: str, sets: Any) -> None:
    with pytest.raises(error, match=says(message)):
        Dataset(*sets)


@pytest.mark.parametrize(
    ("error", "message", "facts"),
    [
        (
            ValueError,
            "class_names of train must be ('x', 'y', 'z'), as the data set's, got ('a', 'b', 'c')",
            {"class_names": ["x", "y", "z"]},
        ),
        (TypeError, f"{NAMES}, got 'abc'", {"class_names": "abc"}),
        (TypeError, f"{NAMES}, got 3", {"class_names": 3}),
        (TypeError, "source must be a str, got None", {"source": None}),
    ],
)
def test_dataset_refuses_facts(error: type[Exception], message: str, facts: dict[str, Any]) -> None:
    with pytest.raises(error, match=says(message)):
        Dataset(make_split(class_names=ABC), **facts)


# --- Views -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        (np.zeros((5000, 784), "f4"), np.arange(5000) % 10, "784 inputs float32, labels 0 to 9"),
        (np.zeros((1, 1)), np.zeros(1), "1 input float64, 1 target float64"),
        (np.zeros(2, "u1"), np.zeros((2, 3), "f4"), "1 input uint8, 3 targets float32"),
        (np.zeros((2, 28, 28)), np.array([4, -1]), "28 x 28 inputs float64, labels -1 to 4"),
        (np.zeros((0, 3)), np.zeros(0, int), "3 inputs float64, 1 target int64"),
    ],
)
def test_the_text_of_a_split_says_what_is_in_it(x: Any, y: Any, text: str) -> None:
    samples = "1 sample" if len(x) == 1 else f"{len(x):,} samples"
    assert str(Split(x, y)) == repr(Split(x, y)) == f"Split: {samples}; {text}"


def test_the_text_of_a_dataset_names_the_sets_there_are() -> None:
    data = Dataset(make_split(1500), test=make_split(2), class_names=ABC)
    assert str(data) == repr(data) == "Dataset: 1,500 training, 2 test; 4 inputs float32, 3 classes"


def test_the_html_view_escapes_names_and_source() -> None:
    names = ["<b>", "&", "c"]
    for view in (
        Dataset(make_split(class_names=names), source="<i>"),
        make_split(class_names=names),
    ):
        page = view._repr_html_()
        assert "0: &lt;b&gt;" in page
        assert "1: &amp;" in page
        assert "<b>" not in page
        assert "<i>" not in page


def test_the_html_view_has_a_row_for_each_set() -> None:
    page = Dataset(make_split(1500), make_split(2)).take(1200)._repr_html_()
    page = page[: page.index("</table>")]
    assert page.count("<tr>") == 3  # the head and two sets
    assert "1,200" in page
