"""SciPy's sparse matrices in place of x: the same answers as for the dense array."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from processes import script
from reference import relative_error

import nnlearn as nn

sparse = pytest.importorskip("scipy.sparse", reason="SciPy makes the sparse matrices")

ROWS, WIDTH = 30, 80
Y = np.arange(ROWS) % 3

#: Sums in another order: some hundred steps of rounding, over the size of the weights.
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}

each_precision = pytest.mark.parametrize("precision", ["float32", "float64"])
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])


def some_x(dtype: str = "float32") -> Any:
    """A fifth of the numbers differ from 0; every seventh row is empty."""
    rng = np.random.default_rng(5)
    x = rng.integers(1, 256, (ROWS, WIDTH)) * (rng.random((ROWS, WIDTH)) < 0.2)
    x[::7] = 0
    return x.astype(dtype) if dtype == "uint8" else (x / 255).astype(dtype)


def network(precision: str = "float32") -> nn.Network:
    return nn.Network([WIDTH, 6, nn.Dropout(0.2), 3], seed=1, dtype=precision)


def trained(x: Any, precision: str = "float32", **settings: Any) -> nn.Network:
    net = network(precision)
    net.fit(x, Y, **{"epochs": 2, "learning_rate": 0.5, "l2": 0.1} | settings)
    return net


def assert_same_nets(one: nn.Network, other: nn.Network) -> None:
    tolerance = TOLERANCE[one.dtype.name]
    for name, values in one.parameters.items():
        assert relative_error(values, other.parameters[name]) < tolerance
    for column in one.history.columns:
        if column != "seconds":
            assert relative_error(one.history[column], other.history[column]) < tolerance


# ---------------------------------------------------------------- wherever x is taken


ANSWERS: dict[str, Callable[[nn.Network, Any], Any]] = {
    "forward": lambda net, x: net.forward(x),
    "predict": lambda net, x: net.predict(x),
    "predict_proba": lambda net, x: net.predict_proba(x),
    "accuracy": lambda net, x: net.accuracy(x, Y),
    "loss": lambda net, x: net.loss(x, Y),
    "evaluate": lambda net, x: net.evaluate(x, Y).losses,
    "a Split": lambda net, x: net.loss(nn.Split(x, Y)),
    "a slice": lambda net, x: net.loss(nn.Split(x, Y)[5:20]),
    "cost": lambda net, x: net.cost_and_gradient(x, Y, l2=0.1)[0],
    "gradient": lambda net, x: net.cost_and_gradient(x, Y)[1]["dense1.weight"],
    "inspect": lambda net, x: net.inspect(x, Y).a[0],
}


@each_precision
@each_dtype
@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_is_that_for_the_dense_array(answer: str, dtype: str, precision: str) -> None:
    x, net = some_x(dtype), network(precision)
    got, wanted = (ANSWERS[answer](net, each) for each in (sparse.csr_array(x), x))
    assert relative_error(np.asarray(got), np.asarray(wanted)) < TOLERANCE[precision]


@each_precision
@each_dtype
@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_a_fit_is_that_of_the_dense_array(dtype: str, precision: str, batch_size: int) -> None:
    x = some_x(dtype)
    matrix = sparse.csr_matrix(x)
    settings = {"batch_size": batch_size, "evaluate_train": True, "momentum": 0.5}
    assert_same_nets(
        trained(matrix, precision, validation=(matrix[:9], Y[:9]), **settings),
        trained(x, precision, validation=(x[:9], Y[:9]), **settings),
    )


@pytest.mark.parametrize("choice", [None, True])
def test_a_fit_works_on_its_nonzeros(choice: bool | None) -> None:
    nets = trained(some_x(), sparse=True), trained(sparse.csr_array(some_x()), sparse=choice)
    assert_same_nets(*nets)


def test_a_fit_sees_all_numbers_where_sparse_is_false() -> None:
    """Sums run in another order then, so that bits tell the two apart."""
    settings: dict[str, Any] = {"validation": 0.2, "evaluate_train": True}
    for more in ({}, settings):
        matrix = trained(sparse.csr_array(some_x()), sparse=False, **more)
        dense, other = (trained(some_x(), sparse=choice, **more) for choice in (False, True))
        assert np.array_equal(matrix.weights[0], dense.weights[0]), more
        assert not np.array_equal(matrix.weights[0], other.weights[0]), more


def test_a_share_is_held_out() -> None:
    matrix = sparse.csr_array(some_x())
    weights = np.linspace(0, 2, ROWS)
    assert_same_nets(
        trained(matrix, validation=0.25, sample_weight=weights),
        trained(some_x(), validation=0.25, sample_weight=weights),
    )


def test_a_comparison_takes_it() -> None:
    x, tables = some_x(), []
    for each in (sparse.csr_array(x), x):
        data = nn.Dataset((each, Y), (each[:9], Y[:9]), (each[9:20], Y[9:20]))
        run = nn.compare({"a": {"learning_rate": 0.5}}, data, hidden=(4,), seeds=2, epochs=2)["a"]
        tables.append([one.network for one in run])
    for one, other in zip(*tables, strict=True):
        assert_same_nets(one, other)


# ---------------------------------------------------------------- as users have them


FORMS: dict[str, Callable[[Any], Any]] = {
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "coo_matrix": sparse.coo_matrix,
    "lil_matrix": sparse.lil_matrix,
    "dok_array": sparse.dok_array,
    "bsr_array": sparse.bsr_array,
    "wide indices": lambda x: with_parts(x, index=np.int64),
    "unsorted": lambda x: unsorted(x),
    "with duplicates": lambda x: duplicated(x),
    "with zeros": lambda x: with_zeros(x),
    "with spare room": lambda x: with_room(x),
}


def with_parts(x: Any, index: Any) -> Any:
    matrix = sparse.csr_array(x)
    matrix.indptr, matrix.indices = matrix.indptr.astype(index), matrix.indices.astype(index)
    return matrix


def unsorted(x: Any) -> Any:
    """Every row from its last number to its first."""
    m = sparse.csr_array(x)
    ends = np.repeat(m.indptr[1:] + m.indptr[:-1] - 1, np.diff(m.indptr))
    order = ends - np.arange(m.nnz)
    return sparse.csr_array((m.data[order], m.indices[order], m.indptr), m.shape)


def duplicated(x: Any) -> Any:
    """Every number as the sum of two halves."""
    m = sparse.csr_array(x)
    return sparse.csr_array(
        (np.repeat(m.data / 2, 2), np.repeat(m.indices, 2), m.indptr * 2), m.shape
    )


def with_zeros(x: Any) -> Any:
    matrix = sparse.csr_array(np.where(x == 0, 9, x))
    matrix.data[matrix.data == 9] = 0
    return matrix


def with_room(x: Any) -> Any:
    matrix = sparse.csr_array(x)
    matrix.data = np.append(matrix.data, np.full(5, np.nan, matrix.dtype))
    matrix.indices = np.append(matrix.indices, np.full(5, -1, matrix.indices.dtype))
    return matrix


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_taken_and_left_as_it_is(form: str) -> None:
    x, net = some_x(), network()
    matrix = FORMS[form](x)
    before = copy.deepcopy(matrix)
    assert relative_error(net.forward(matrix), net.forward(x)) < TOLERANCE["float32"]
    if matrix.format == "csr":
        for part in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(matrix, part), getattr(before, part))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float64"])
def test_other_dtypes_are_taken_by_value(dtype: str) -> None:
    x, net = (some_x("uint8") % 2).astype(dtype), network()
    wanted = net.forward(x.astype("float32"))
    assert relative_error(net.forward(sparse.csr_array(x)), wanted) < TOLERANCE["float32"]


def test_bytes_stand_for_i_over_255_and_the_scale_is_remembered() -> None:
    net = trained(sparse.csr_array(some_x("uint8")))
    net.forward(sparse.csr_array(some_x()))
    with pytest.raises(ValueError, match=r"^x must lie in \[0, 1\], as the network was trained on"):
        net.forward(sparse.csr_array(some_x() * 200))
    flags = sparse.csr_array((some_x() > 0).astype("uint8"))
    with pytest.raises(
        ValueError, match=r"^x must hold pixels 0\.\.255 .*, got a largest value of"
    ):
        trained(flags)


def test_more_than_65536_columns() -> None:
    matrix = sparse.csr_array(([1.0, 2.0], ([0, 1], [65_536, 3])), (2, 65_537), dtype="float32")
    net = nn.Network([65_537, 2], seed=1)
    expected = net.weights[0][[65_536, 3]] * [[1], [2]] + net.biases[0]
    assert relative_error(net.inspect(matrix, [0, 1]).z[0], expected) < TOLERANCE["float32"]


def test_no_rows_give_no_outputs() -> None:
    assert network().forward(sparse.csr_array((0, WIDTH), dtype="float32")).shape == (0, 3)


# ---------------------------------------------------------------- never dense

ADDED = """
import resource, sys
import numpy as np, scipy.sparse, nnlearn as nn

n, width = 20_000, 50_000  # 4 GB if it were dense
x = scipy.sparse.csr_array((np.ones(n, "f4"), np.arange(n) % width, np.arange(n + 1)), (n, width))
y = np.arange(n) % 3
net = nn.Network([width, 3], seed=1)
net.fit(x[:100], y[:100], epochs=1, batch_size=100, learning_rate=0.1)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
net.fit(x[:2000], y[:2000], epochs=1, batch_size=100, learning_rate=0.1)
net.loss(x[:2000], y[:2000])
print((peak() - before) // (1024 if sys.platform == "darwin" else 1))
"""


def test_it_never_becomes_dense() -> None:
    """2,000 rows would take 400 MB; blocks of rows take some megabytes."""
    assert int(script(ADDED)) < 60_000  # kB


# ---------------------------------------------------------------- errors


@each_precision
def test_no_memory_for_its_form_is_a_memory_error(precision: str) -> None:
    x, net = sparse.csr_array(some_x("float64")), network(precision)
    core = net._core_module
    for k in range(1, 5):
        core.fail_allocation_at(k)
        with pytest.raises(MemoryError):
            net.forward(x)
    core.fail_allocation_at(0)
    assert net.forward(x).shape == (ROWS, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_place_of_a_bad_number_is_told(bad: float) -> None:
    matrix = sparse.lil_array(some_x("float64"))
    matrix[8, 70] = matrix[9, 0] = bad
    with pytest.raises(ValueError, match=rf"^x must be finite, got {bad} at row 8, column 70$"):
        network().forward(matrix)
    matrix[8, 70] = 1e300
    with pytest.raises(
        ValueError, match=r"^x must be finite in float32, got 1e\+300 at row 8, col"
    ):
        network().forward(matrix)


def test_the_set_with_a_bad_number_is_named() -> None:
    matrix = sparse.csr_array(some_x())
    bad = matrix.copy()
    bad.data[0] = np.nan
    with pytest.raises(ValueError, match=r"^validation x must be finite, got nan at row 1, column"):
        trained(matrix, validation=(bad, Y))


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "columns": (
        lambda: sparse.csr_array((3, 5)),
        ValueError,
        r"x must have 80 columns, as the input layer, got shape \(3, 5\)",
    ),
    "complex": (
        lambda: sparse.csr_array((3, WIDTH), dtype="complex64"),
        TypeError,
        "x must hold real numbers, got dtype complex64",
    ),
    "an index beyond": (lambda: broken("indices", 0, 99), ValueError, "x must be a sound sparse "),
    "an index below": (lambda: broken("indices", 0, -1), ValueError, "x must be a sound sparse "),
    "row starts": (
        lambda: broken("indptr", 3, 9999),
        ValueError,
        "x must be a sound sparse matrix",
    ),
}


def broken(part: str, at: int, value: int) -> Any:
    matrix = sparse.csr_array(some_x())
    getattr(matrix, part)[at] = value
    return matrix


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_read_is_refused(wrong: str) -> None:
    make, kind, message = WRONG[wrong]
    with pytest.raises(kind, match=f"^{message}"):
        network().forward(make())


def test_rows_must_agree_with_the_labels() -> None:
    with pytest.raises(ValueError, match=r"^y must have 30 rows, as x, got shape \(29,\)$"):
        network().loss(sparse.csr_array(some_x()), Y[1:])
