"""What `Network.explain` says: the path of each layer, at the bounds of every rule."""

import re
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import nnlearn as nn
from nnlearn import Dropout

ROWS = 200


def some_x(columns: int, density: float = 1.0) -> Any:
    """(ROWS, columns) float32, of which exactly this share is not zero."""
    x = np.zeros(ROWS * columns, np.float32)
    x[: round(density * x.size)] = 0.5
    return np.random.default_rng(0).permutation(x).reshape(ROWS, columns)


def line(text: str, start: str) -> str:
    """The rest of the one line that starts so."""
    (found,) = (rest for rest in text.splitlines() if rest.startswith(start))
    return found.removeprefix(start)


def layer(layers: list[Any], i: int = 1, density: float = 1.0, batch_size: int = 10) -> str:
    """What is said of dense layer i."""
    text = nn.Network(layers, seed=1).explain(some_x(layers[0], density), batch_size)
    return line(text, f"dense{i} ").split(": ", 1)[1]


# ---------------------------------------------------------------- dense


@pytest.mark.parametrize(
    ("n_in", "n_out", "rows", "start"),
    [
        (100, 100, 32, "own loops, as 32 rows are few (up to 32)"),
        (100, 100, 33, "BLIS, as 33 rows (more than 32) and 100 x 100 weights"),
        (100, 64, 33, "own loops, as 64 columns are few (up to 64) and 100 x 64 weights"),
        (100, 65, 33, "BLIS, as 33 rows (more than 32) and 100 x 65 weights"),
        (2**17 // 64, 64, 33, "own loops, as 64 columns are few (up to 64)"),
        (2**17 // 64 + 1, 64, 33, "BLIS, as 33 rows (more than 32)"),
    ],
)
def test_products_run_in_own_loops_or_in_blis(n_in: int, n_out: int, rows: int, start: str) -> None:
    assert layer([n_in, n_out, 3], batch_size=rows).startswith(start)


@pytest.mark.parametrize(
    ("n_in", "n_out", "rows", "way"),
    [
        (100, 32, 10, "dx in own loops, over W^T written out"),
        (100, 33, 31, "dx by BLIS"),
        (100, 33, 32, "dx in own loops, over W^T written out"),
        (2048, 65, 32, "dx by BLIS"),  # W^T would not stay in the cache
    ],
)
def test_the_gradient_of_inputs_goes_over_a_transpose_or_by_blis(
    n_in: int, n_out: int, rows: int, way: str
) -> None:
    layers = [3, n_in, n_out]
    assert layer(layers, 2, batch_size=rows).endswith(way)
    assert "dx" not in layer(layers, 1, batch_size=rows)  # nobody needs it


# ---------------------------------------------------------------- sparse


@pytest.mark.parametrize(
    ("n_out", "rows", "tiles", "update"),
    [
        (30, 10, None, "row after row of the batch, as 30 columns are few (up to 128)"),
        (128, 10, None, "row after row of the batch, as 128 columns are few (up to 128)"),
        (129, 10, None, "input after input, each row of W once, as 129 columns are many"),
        (128, 31, None, "row after row of the batch, as 128 columns are few (up to 128)"),
        (64, 32, None, "row after row of the batch, as 64 columns are few (up to 64)"),
        (80, 32, None, "input after input, each row of W once, as 80 columns are many"),
        (112, 32, None, "input after input, each row of W once, as 112 columns are many"),
        (129, 32, 80, "input after input, each row of W once, as 129 columns are many"),
    ],
)
def test_a_sparse_first_layer(n_out: int, rows: int, tiles: int | None, update: str) -> None:
    said = layer([100, n_out, 3], density=0.2, batch_size=rows)
    assert said.startswith("on the nonzeros alone, in own loops")
    assert f"plain SGD updates {update}" in said
    assert re.findall(r"tiles of (\d+) columns", said) == ([str(tiles)] if tiles else [])


@pytest.mark.parametrize(
    ("columns", "density", "said"),
    [
        (64, 0.1, "read as it is, as 64 columns are few (up to 64)"),
        (65, 0.1, "10.0% of its numbers are not 0; their sparse form takes 9.4 kB, written out x"),
        (100, 0.35, "read as it is, as 35.0% of its numbers are not 0 (a sparse form pays below"),
        (100, 0.34, "34.0% of its numbers are not 0; their sparse form takes"),
    ],
)
def test_what_is_said_of_x(columns: int, density: float, said: str) -> None:
    text = nn.Network([columns, 5, 3]).explain(some_x(columns, density))
    assert line(text, "x: ").startswith(said)


def test_a_first_layer_that_is_not_dense() -> None:
    net, x = nn.Network([100, Dropout(0.2), 5, 3]), some_x(100, 0.2)
    assert line(net.explain(x), "x: ") == "read as it is, as the first layer is a Dropout"
    matrix = net.explain(sparse.csr_array(x))
    assert "written out batch by batch, as the first layer is a Dropout" in matrix
    assert "nonzeros alone" not in matrix


@pytest.mark.parametrize("density", [0.2, 0.34, 0.36])
def test_fit_does_what_is_said(density: float) -> None:
    """Sums over all numbers and over nonzeros run in other orders: bits tell the two apart."""
    x, y = some_x(100, density) * np.linspace(0.1, 1, 100, dtype=np.float32), np.arange(ROWS) % 3
    nets = {}
    for choice in (None, True, False):
        nets[choice] = nn.Network([100, 20, 3], seed=1)
        nets[choice].fit(x, y, epochs=2, learning_rate=0.5, l2=0.1, sparse=choice)
    said = "nonzeros alone" in nets[None].explain(x)
    assert said == (density < 0.35)
    assert np.array_equal(nets[None].weights[0], nets[said].weights[0])
    assert not np.array_equal(nets[None].weights[0], nets[not said].weights[0])


# ---------------------------------------------------------------- what it takes


def test_arrays_matrices_and_splits_say_the_same_of_the_layers() -> None:
    net, x = nn.Network([100, 30, 3]), some_x(100, 0.2)
    texts = [net.explain(each) for each in (x, sparse.csr_array(x), nn.Split(x, np.zeros(ROWS)))]
    assert len({tuple(text.splitlines()[-2:]) for text in texts}) == 1
    assert texts[0] == texts[2]
    assert line(texts[1], "x: ").endswith("as it is given")


def test_a_batch_is_no_larger_than_the_data_and_may_have_several_blocks() -> None:
    text = nn.Network([4, 5, 3]).explain(some_x(4), 10**6)
    assert text.startswith(f"batches of {ROWS} rows of x ({ROWS}, 4), float32, in float32\n")
    assert "blocks" not in text
    many = nn.Network([1, 1]).explain(np.zeros((3000, 1)), 2000)
    assert line(many, "blocks: ").startswith("a step takes 1,024 rows at once")


def test_a_long_step_is_shared_among_the_networks_threads() -> None:
    net = nn.Network([400, 500, 3], n_threads=3)
    assert line(net.explain(some_x(400), 10), "threads: ").startswith("one, ")
    shared = line(net.explain(some_x(400), 100), "threads: ")
    assert shared == "a step is long enough to be shared among 3"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernels_are_those_of_the_core(dtype: str) -> None:
    net = nn.Network([4, 3], dtype=dtype)
    info = net._core_module.info()
    kernels = f"{info['kernels']}, and BLIS with {info['blis_kernels']}"
    assert line(net.explain(some_x(4)), "kernels: ") == kernels


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True])
def test_a_wrong_batch_size_is_refused(batch_size: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^batch_size must be an integer >= 1"):
        nn.Network([4, 3]).explain(some_x(4), batch_size)


def test_x_must_fit_and_have_rows() -> None:
    net = nn.Network([4, 3])
    with pytest.raises(ValueError, match=r"^x must have 4 columns"):
        net.explain(some_x(5))
    with pytest.raises(ValueError, match=r"^x must have at least one row, got shape \(0, 4\)"):
        net.explain(some_x(4)[:0])
    with pytest.raises(ValueError, match=r"^x must be finite"):
        net.explain([[0.0, 1.0, np.nan, 2.0]])
