"""The sparse form of x: when it is made, how it is found again, and that it changes no result."""

from typing import Any

import numpy as np
import pytest
from processes import script
from reference import relative_error
from twins import assert_same_bits

import nnlearn as nn
from nnlearn import _core, _core64, _sparse

WIDTH, ROWS = 80, 60

#: Sums in another order: some hundred steps of rounding, over the size of the weights.
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


def some_x(dtype: str = "float32", density: float = 0.2, width: int = WIDTH) -> Any:
    """Numbers of which a share differs from 0; every seventh row is empty."""
    rng = np.random.default_rng(5)
    x = rng.integers(1, 256, (ROWS, width)) * (rng.random((ROWS, width)) < density)
    x[::7] = 0
    return x.astype(dtype) if dtype == "uint8" else (x / 255).astype(dtype)


Y = np.arange(ROWS) % 3


def fitted(x: Any, y: Any = Y, dtype: str = "float32", **settings: Any) -> nn.Network:
    net = nn.Network([x.shape[1], 6, 3], seed=1, dtype=dtype)
    net.fit(x, y, **{"epochs": 3, "learning_rate": 0.5, "l2": 0.1, "momentum": 0.5} | settings)
    return net


class Counted(_sparse.Forms):
    """Forms that count how many are made."""

    def __init__(self, kept: int = _sparse.KEPT) -> None:
        super().__init__(kept)
        self.asked = 0

    @property
    def kept(self) -> list[Any]:
        return list(self._forms.values())

    def get(self, *args: Any) -> Any:
        self.asked += 1
        return super().get(*args)


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Those of this process, none at first."""
    counted = Counted()
    monkeypatch.setattr(_sparse, "forms", counted)
    return counted


# ---------------------------------------------------------------- when it is made


@pytest.mark.parametrize(
    ("density", "dtype", "width", "made"),
    [
        (0.2, "float32", 80, 1),
        (0.38, "float32", 80, 0),  # denser than 0.35
        (0.2, "float64", 80, 1),
        (0.3, "uint8", 80, 1),
        (1.0, "float32", 80, 0),
        (0.0, "float32", 80, 1),
        (0.1, "float32", 64, 0),  # narrow
        (0.1, "float32", 65, 1),
    ],
)
def test_a_form_is_made_where_it_pays(
    forms: Counted, density: float, dtype: str, width: int, made: int
) -> None:
    x = some_x(dtype, 1.0, width)
    x[:] = 0 if density == 0 else x.max()
    x.reshape(-1)[int(density * x.size) :] = 0
    fitted(x)
    assert len(forms.kept) == made


@pytest.mark.parametrize(
    ("x", "share"),  # of numbers that are not 0, where 60 % of x's bytes are reached
    [("uint8", 0.6 * 4 / 3), ("float32", 0.6 * 4 / 6), ("float64", 0.6 * 4 / 6)],
)
def test_a_form_takes_60_percent_of_the_bytes_at_most(
    monkeypatch: pytest.MonkeyPatch, x: str, share: float
) -> None:
    monkeypatch.setattr(_sparse, "DENSITY", 1.0)
    array = np.zeros((100, 100), x)
    few, many = round(share * 10_000) - 1, round(share * 10_000) + 1
    assert _sparse.worth_it(few, array, np.dtype("float32"))
    assert not _sparse.worth_it(many, array, np.dtype("float32"))


def test_a_form_takes_6_bytes_a_nonzero_of_float32_and_3_of_uint8() -> None:
    starts = (ROWS + 1) * 8
    for dtype, size in (("float32", 6), ("float64", 6), ("uint8", 3)):
        x = some_x(dtype)
        data = _core.Data(x if size == 3 else x * x.dtype.type(1.5))  # no bytes divided by 255
        n_nonzero = data.scan()[2]
        form = _core.Sparse(data, n_nonzero)
        assert form.n_nonzero == n_nonzero == np.count_nonzero(data.x)
        assert form.nbytes == starts + size * n_nonzero
        assert form.shape == (ROWS, WIDTH)
    wide = some_x("float64") * 1.5
    assert _core64.Sparse(_core64.Data(wide), n_nonzero).nbytes == (starts + 10 * n_nonzero)


@pytest.mark.parametrize("core", [_core, _core64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_that_are_bytes_divided_by_255_are_kept_as_bytes(core: Any, dtype: str) -> None:
    exact = np.float32 if core is _core else np.float64
    bytes_ = np.arange(256, dtype=np.uint8).reshape(2, 128)
    x = (bytes_ / exact(255)).astype(dtype)
    starts = 3 * 8
    form = core.Sparse(core.Data(x), 255)
    is_kept = core is _core or dtype == "float64"  # float32 is not the nearest double to i/255
    assert (form.nbytes == starts + 3 * 255) == is_kept
    other = x.copy()
    other[1, 100] = np.nextafter(exact(x[1, 100]), exact(2))
    assert core.Sparse(core.Data(other), 255).nbytes > starts + 3 * 255
    other[1, 100] = -x[1, 100]
    assert core.Sparse(core.Data(other), 255).nbytes > starts + 3 * 255


def test_sparse_forces_a_form_and_refuses_one(forms: Counted) -> None:
    fitted(some_x(density=1.0), sparse=True)
    assert len(forms.kept) == 1
    fitted(some_x(), sparse=False)
    assert len(forms.kept) == 1


def test_only_a_dense_first_layer_works_on_nonzeros(forms: Counted) -> None:
    net = nn.Network([WIDTH, nn.Dropout(0.5), 6, 3], seed=1)
    net.fit(some_x(), Y, epochs=1, learning_rate=0.1)
    assert forms.kept == []
    message = r"^sparse must be None or False before a Dropout layer, got True$"
    with pytest.raises(ValueError, match=message):
        net.fit(some_x(), Y, learning_rate=0.1, sparse=True)
    with pytest.raises(TypeError, match=r"^sparse must be True or False, got 'auto'$"):
        net.fit(some_x(), Y, learning_rate=0.1, sparse="auto")  # type: ignore[arg-type]


def test_evaluated_sets_have_forms_too(forms: Counted) -> None:
    x = some_x()
    fitted(x, validation=(x[:20], Y[:20]), evaluate_train=True)
    assert sorted(form.shape[0] for form in forms.kept) == [20, ROWS]


def test_a_share_held_out_has_a_form_and_so_has_the_rest(forms: Counted) -> None:
    fitted(some_x(), validation=0.25)
    assert sorted(form.shape[0] for form in forms.kept) == [15, 45]


# ---------------------------------------------------------------- how it is found again


def test_a_slice_made_anew_finds_the_form(forms: Counted) -> None:
    whole = some_x()
    for _ in range(3):
        fitted(whole[:40], Y[:40])
        fitted(whole[:40].copy(), Y[:40])
        fitted(np.ascontiguousarray(whole[:40][::-1])[::-1], Y[:40])
    assert forms.asked == 9
    assert len(forms.kept) == 1


def test_another_precision_dtype_or_shape_is_another_form(forms: Counted) -> None:
    x = some_x()
    fitted(x)
    fitted(x, dtype="float64")
    fitted(x.astype("float64"))
    fitted(np.zeros((40, 120), "float32"), Y[:40])
    assert len(forms.kept) == 4
    fitted(np.zeros((60, 80), "float32"))
    fitted(x, sparse=True)
    assert len(forms.kept) == 4  # the first ones have gone


def test_a_fit_on_a_copy_gives_the_bits_of_one_on_the_kept_form(forms: Counted) -> None:
    x = some_x()
    first, again, copied = fitted(x), fitted(x), fitted(x.copy())
    assert len(forms.kept) == 1
    forms._forms.clear()
    anew = fitted(x.copy())
    for net in (again, copied, anew):
        assert_same_bits(net.parameters, first.parameters)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_an_array_changed_in_place_is_trained_on_as_it_is(dtype: str) -> None:
    x = some_x(dtype)
    before = fitted(x)
    x[3, 5] += 1
    x[[11, 12]] = x[[12, 11]]
    after, fresh = fitted(x), fitted(x.copy(), sparse=False)
    assert relative_error(after.weights[0], fresh.weights[0]) < TOLERANCE["float32"]
    assert relative_error(after.weights[0], before.weights[0]) > TOLERANCE["float32"]


def test_a_form_outlives_the_array_it_was_made_from() -> None:
    x = some_x()
    data = _core.Data(x)
    form = _core.Sparse(data, data.scan()[2])
    net = nn.Network([WIDTH, 3], seed=1)
    expected = net.forward(x)
    del data
    out = np.empty((ROWS, 3), np.float32)
    net._core.forward(_core.Data(None, sparse=form), out)
    assert relative_error(out, expected) < TOLERANCE["float32"]


# ---------------------------------------------------------------- that it changes no result


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_sparse_and_dense_give_the_same(
    dtype: str, precision: str, density: float, batch_size: int
) -> None:
    x = some_x(dtype, density)
    one, other = (
        fitted(x, dtype=precision, sparse=sparse, batch_size=batch_size, evaluate_train=True)
        for sparse in (True, False)
    )
    for name, values in one.parameters.items():
        assert relative_error(values, other.parameters[name]) < TOLERANCE[precision]
    for column in ("loss", "train_loss"):
        assert relative_error(one.history[column], other.history[column]) < TOLERANCE[precision]


def test_numbers_of_every_size_are_kept() -> None:
    """Denormal, huge, -0.0, and float64 that rounds to 0 in float32."""
    x = some_x("float64", 0.1)
    x[1, :8] = [1e-320, -1e-40, 1e-45, 3e38, -3e38, -0.0, 1e-300, 1e-38]
    data = _core.Data(x)
    form = _core.Sparse(data, data.scan()[2])
    net = nn.Network([WIDTH, nn.Dense(WIDTH, activation="linear")], seed=1, init="zeros")
    net.weights[0][:] = np.eye(WIDTH)
    out = np.empty((ROWS, WIDTH), np.float32)
    net._core.forward(_core.Data(None, sparse=form), out)
    np.testing.assert_array_equal(out, x.astype("float32"))


# ---------------------------------------------------------------- errors


def test_a_scan_tells_the_first_bad_number_past_many_good_ones() -> None:
    x = np.zeros((5, 5000), np.float32)
    x[3, 4999] = x[4, 0] = np.nan
    assert _core.Data(x).scan()[0] == (3, 4999)
    x[3, 4100] = np.inf
    with pytest.raises(ValueError, match=r"^x must be finite, got inf at row 3, column 4100$"):
        fitted(x, Y[:5])


def test_a_form_of_an_x_that_has_changed_since_is_refused() -> None:
    x = some_x()
    data = _core.Data(x)
    n_nonzero = data.scan()[2]
    x[0, 0] = 1
    with pytest.raises(ValueError, match="outside its range"):
        _core.Sparse(data, n_nonzero)


def test_a_form_of_another_core_or_size_is_refused() -> None:
    x = some_x()
    form = _core.Sparse(_core.Data(x), np.count_nonzero(x))
    with pytest.raises(TypeError, match=r"^sparse must be a Sparse of this core, got "):
        _core64.Data(x, sparse=form)
    with pytest.raises(ValueError, match="does not fit"):
        _core.Data(x[1:], sparse=form)
    with pytest.raises(TypeError, match="must be an array"):
        _core.Data(None)


# ---------------------------------------------------------------- memory

ADDED = """
import resource, sys
import numpy as np, nnlearn as nn
from nnlearn import _sparse

rows, columns = 50_000, 784
x = np.zeros((rows, columns), np.float32)
x[:, :150] = 0.5  # MNIST's share of pixels, 19 %
y = np.arange(rows) % 10
warm = nn.Network([columns, 30, 10], seed=1)
warm.fit(x[:1000] * 0.5, y[:1000], epochs=1, learning_rate=0.1)  # what is made once: BLIS's buffers

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
net = nn.Network([columns, 30, 10], seed=1)
net.fit(x, y, epochs=1, batch_size=1000, learning_rate=0.1)
assert [form.nbytes for form in _sparse.forms._forms.values()][-1] > 45e6
print((peak() - before) // (1024 if sys.platform == "darwin" else 1))
"""


def test_a_fit_of_mnists_size_adds_little_memory() -> None:
    """The form of 7.5 million nonzeros takes 45 MB."""
    assert int(script(ADDED)) < 60_000  # kB
