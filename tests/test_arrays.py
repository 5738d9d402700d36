"""What x, y and sample weights may be, and what every bad one gets: its exception, its message."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bad_inputs import BYTES, FLAGS, NAN, NETWORKS, PIXELS, RNG, SOFT, TABLE, Bad, X, Y, fit
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import Dense

# ---------------------------------------------------------------- what x may be


class Wrapped:
    """What has nothing but __array__."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.array


class Subclass(np.ndarray):
    """An array type of the user's."""


def read_only(x: Any) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x: Any) -> Any:
    room = np.zeros(x.nbytes + 1, np.uint8)
    result = room[1:].view(x.dtype).reshape(x.shape)
    result[...] = x
    return result


#: x as a user may have it, made from the same numbers (float32, exact in float64).
FORMS: dict[str, Callable[[Any], Any]] = {
    "list of lists": lambda x: x.tolist(),
    "tuple of tuples": lambda x: tuple(map(tuple, x.tolist())),
    "list of arrays": list,
    "float64": lambda x: x.astype(np.float64),
    "longdouble": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f4"),
    "big-endian double": lambda x: x.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "unaligned": unaligned,
    "rows from last to first": lambda x: x[::-1].copy()[::-1],
    "columns from last to first": lambda x: x[:, ::-1].copy()[:, ::-1],
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "subclass": lambda x: x.view(Subclass),
    "data frame": pd.DataFrame,
    "data frame of doubles": lambda x: pd.DataFrame(x.astype(np.float64)),
    "data frame of slices": lambda x: pd.DataFrame(np.repeat(x, 2, axis=0)).iloc[::2],
    "anything with __array__": Wrapped,
    "images": lambda x: x.reshape(-1, 2, 2),
    "images with one channel": lambda x: x.reshape(-1, 1, 2, 2),
    "list of images": lambda x: list(x.reshape(-1, 2, 2)),
    "memoryview": lambda x: memoryview(np.ascontiguousarray(x)),
}


@pytest.mark.parametrize("form", FORMS)
def test_x_of_every_form_gives_the_same_bits(form: str) -> None:
    x = FORMS[form](X)
    net, expected = NETWORKS["three"](), NETWORKS["three"]()
    assert np.array_equal(net.forward(x), expected.forward(X))
    fit(net, x, Y, validation=(x, Y))
    fit(expected, X, Y, validation=(X, Y))
    assert_same_bits(net.parameters, expected.parameters)
    assert net.history["val_loss"].tolist() == expected.history["val_loss"].tolist()


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "<i4", ">i4", "i8", "u2", ">u2", "u4", "u8"])
def test_integers_other_than_uint8_are_taken_by_value(dtype: str) -> None:
    whole = np.arange(48).reshape(12, 4) % 2 if dtype == "?" else np.arange(48).reshape(12, 4) % 7
    x = whole.astype(dtype)
    net = NETWORKS["three"]()
    assert np.array_equal(net.forward(x), net.forward(whole.astype(np.float32)))
    assert np.array_equal(net.forward(x.tolist()), net.forward(x))


def test_half_precision_is_taken_by_value() -> None:
    net, half = NETWORKS["three"](), X.astype(np.float16)
    assert np.array_equal(net.forward(half), net.forward(half.astype(np.float32)))


@pytest.mark.parametrize("form", ["array", "data frame", "anything with __array__", "images"])
def test_uint8_is_pixels_in_every_form(form: str) -> None:
    forms = FORMS | {"array": lambda x: x}
    net, expected = NETWORKS["three"](), NETWORKS["three"]()
    x = forms[form](BYTES)
    assert np.array_equal(net.forward(x), net.forward((BYTES / 255).astype(np.float32)))
    fit(net, x, Y)
    fit(expected, (BYTES / 255).astype(np.float32), Y)
    assert_same_bits(net.parameters, expected.parameters)
    with pytest.raises(ValueError, match="trained on uint8 / 255"):
        net.forward(BYTES.astype(np.float32))


def test_one_input_takes_a_flat_x() -> None:
    net = nn.Network([1, 3, 3], seed=1)
    x = np.linspace(0, 1, 12, dtype=np.float32)
    for flat in (x, x.tolist(), pd.Series(x), np.repeat(x, 2)[::2]):
        assert np.array_equal(net.forward(flat), net.forward(x[:, None]))
    other = net.copy()
    fit(net, x, Y)
    fit(other, x[:, None], Y)
    assert_same_bits(net.parameters, other.parameters)


def test_images_fit_784_inputs_and_one_channel_of_28_by_28() -> None:
    images = RNG.random((3, 28, 28)).astype(np.float32)
    flat = nn.Network([784, 2], seed=1)
    expected = flat.forward(images.reshape(3, 784))
    for shape in (784, (28, 28), (1, 28, 28)):
        net = nn.Network([shape, 2], seed=1)
        assert np.array_equal(net.forward(images), expected)
        assert np.array_equal(net.forward(images.reshape(3, 784)), expected)
    assert np.array_equal(net.forward(images[:, None]), expected)


def test_images_of_another_side_do_not_fit_an_input_shape() -> None:
    net = nn.Network([(28, 28), 2], seed=1)
    with pytest.raises(ValueError, match=r"^x must have 784 columns"):
        net.forward(np.zeros((3, 14, 56), np.float32))


def test_a_split_stands_for_both() -> None:
    net, expected = NETWORKS["three"](), NETWORKS["three"]()
    split = nn.Split(X, Y)
    for method in ("accuracy", "loss"):
        assert getattr(net, method)(split) == getattr(net, method)(X, Y)
    for method in ("forward", "predict", "predict_proba"):
        assert np.array_equal(getattr(net, method)(split), getattr(net, method)(X))
    assert net.cost_and_gradient(split)[0] == net.cost_and_gradient(X, Y)[0]
    assert np.array_equal(net.inspect(split).delta[0], net.inspect(X, Y).delta[0])
    fit(net, split)
    fit(expected, X, Y)
    assert_same_bits(net.parameters, expected.parameters)
    fit(net, split[2:7])
    fit(expected, X[2:7], Y[2:7])
    assert_same_bits(net.parameters, expected.parameters)


def test_a_memory_map_is_read_in_place(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.array_equal(NETWORKS["three"]().forward(mapped), NETWORKS["three"]().forward(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize(
    "cut",
    [np.s_[:], np.s_[::2], np.s_[::-1], np.s_[3:9], np.s_[:0]],
    ids=["whole", "every other", "backwards", "slice", "empty"],
)
def test_rows_of_any_stride_are_read_in_place(dtype: Any, cut: Any) -> None:
    from nnlearn import _arrays

    x = RNG.integers(0, 9, (12, 6)).astype(dtype)[cut, 1:5]
    taken = _arrays.inputs(x, NETWORKS["three"]()._architecture, np.dtype("float32"))
    assert taken.ctypes.data == x.ctypes.data
    assert taken.strides == x.strides


def test_the_users_arrays_are_left_alone() -> None:
    x, y, w = read_only(X), read_only(Y), read_only(np.ones(12))
    fit(NETWORKS["three"](), x, y, sample_weight=w, validation=0.25)
    assert np.array_equal(x, X)


def test_labels_may_be_changed_during_a_fit() -> None:
    """They are copied and checked once, at the beginning."""
    y = Y.copy()
    net, expected = NETWORKS["three"](), NETWORKS["three"]()
    fit(net, X, y, epochs=3, callbacks=lambda *_: y.fill(99))
    fit(expected, X, Y, epochs=3)
    assert_same_bits(net.parameters, expected.parameters)


def test_no_rows_are_no_outputs() -> None:
    for layers, predicted in (("three", (0,)), ("softmax", (0,)), ("regression", (0,))):
        net = NETWORKS[layers]()
        for x in (X[:0], np.empty((0, 4), np.uint8), np.empty((0, 2, 2))):
            assert net.forward(x).shape == (0, net.n_outputs)
            assert net.forward(x).dtype == np.float32
            assert net.predict(x).shape == predicted
    assert NETWORKS["three"]().predict_proba(X[:0]).shape == (0, 3)
    assert NETWORKS["one"]().predict_proba(X[:0]).shape == (0, 2)
    assert nn.Network([1, 2], seed=0).forward([]).shape == (0, 2)


# ---------------------------------------------------------------- what y may be

#: network, y, and the same y in the plainest form: labels int64, targets (n, k) float64
ANSWERS = {
    "labels as a list": ("three", Y.tolist(), Y),
    "labels as a series": ("three", pd.Series(Y), Y),
    "labels of a shuffled series": ("three", pd.Series(Y, index=Y * 5), Y),
    "labels as bytes": ("three", Y.astype(np.uint8), Y),
    "labels as bool": ("three", Y > 0, (Y > 0).astype(int)),
    "labels of __array__": ("three", Wrapped(Y), Y),
    "labels, each second": ("three", np.repeat(Y, 2)[::2], Y),
    "targets as integers": ("three", np.eye(3, dtype=int)[Y], np.eye(3)[Y]),
    "targets as bool": ("three", np.eye(3, dtype=bool)[Y], np.eye(3)[Y]),
    "targets as a frame": ("three", pd.DataFrame(SOFT), SOFT),
    "targets in Fortran order": ("three", np.asfortranarray(SOFT), SOFT),
    "one-hot targets for labels": ("three", np.eye(3)[Y], Y),
    "one-hot targets for softmax": ("softmax", np.eye(3)[Y], Y),
    "-1/+1 targets for tanh": ("tanh", 2 * np.eye(3)[Y] - 1, Y),
    "0/1 as floats": ("one", (Y > 0) * 1.0, (Y > 0).astype(int)),
    "0/1 as bool": ("one", Y > 0, (Y > 0).astype(int)),
    "0/1 as a column": ("one", (Y > 0)[:, None], (Y > 0).astype(int)),
    "0/1 as a column of floats": ("one", (Y > 0)[:, None] * 1.0, (Y > 0).astype(int)),
    "0/1 for one tanh": ("one tanh", Y > 0, (Y > 0)[:, None] * 2.0 - 1),
    "numbers for one linear": ("regression", Y * 0.5, Y[:, None] * 0.5),
    "integers for one linear": ("regression", Y, Y[:, None] * 1.0),
    "bool for one linear": ("regression", Y > 0, (Y > 0)[:, None] * 1.0),
    "any size for one linear": ("regression", Y * -1e3, Y[:, None] * -1e3),
    "series for one linear": ("regression", pd.Series(Y * 0.5), Y[:, None] * 0.5),
    "sums within 1e-5 of 1": ("softmax", SOFT + 3e-6, SOFT + 3e-6),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_y_of_every_form_gives_the_same_loss(case: str) -> None:
    layers, y, plain = ANSWERS[case]
    net = NETWORKS[layers]()
    # One float32 rounding: a target's sum has another order than a label's single term.
    assert net.loss(X, y) == pytest.approx(net.loss(X, plain), rel=1e-6)
    fit(net, X, y)


@pytest.mark.parametrize(
    "w", [[1, 2] * 6, np.arange(12), np.arange(12) > 3, pd.Series(np.ones(12)), np.zeros(12)]
)
def test_sample_weights_of_every_form(w: Any) -> None:
    net, plain = NETWORKS["three"](), np.array(w, dtype=np.float64)
    cost = net.cost_and_gradient(X, Y, sample_weight=w)[0]
    each = [net.loss(X[i : i + 1], Y[i : i + 1]) for i in range(12)]
    assert cost == pytest.approx(np.mean(plain * each), rel=1e-6)  # float32
    fit(net, X, Y, sample_weight=w)


# ---------------------------------------------------------------- what is refused


def state(net: nn.Network) -> dict[str, Any]:
    """All that a failing call must leave alone."""
    now = [*net._core.counters, len(net.history), net._input_scale or 0, net.seed]
    return snapshot(net) | {"now": np.array(now)}


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.kind)
def test_bad_input_is_refused_and_nothing_changed(bad: Bad) -> None:
    net = NETWORKS[bad.net]()
    before = state(net)
    with pytest.raises(bad.exception) as caught:
        bad.call(net)
    assert type(caught.value) is bad.exception
    assert str(caught.value) == bad.message
    assert_same_bits(state(net), before)


def test_the_table_names_each_kind_once() -> None:
    kinds = [bad.kind for bad in TABLE]
    assert len(kinds) == len(set(kinds))


def test_a_refused_fit_leaves_the_network_free() -> None:
    net, other = NETWORKS["three"](), NETWORKS["three"]()
    for bad in TABLE:
        if bad.net == "three" and "fit" in bad.kind:
            with pytest.raises(bad.exception):
                bad.call(net)
    fit(net, X, Y)
    fit(other, X, Y)
    assert_same_bits(net.parameters, other.parameters)


def test_float64_networks_take_what_float32_cannot() -> None:
    net = nn.Network([4, 3, Dense(1, activation="linear")], seed=1, dtype="float64")
    assert np.isfinite(net.forward(X.astype(np.float64) * 1e200)).all()
    assert np.isfinite(net.loss(X, Y * 1e100))
    assert net.loss(X, Y * 1e200) == np.inf  # finite targets, whose squares are not


# ---------------------------------------------------------------- sparse, masked, mixed frames


def test_sparse_answers_are_refused_with_the_way_out() -> None:
    """A stand-in for SciPy's classes, told by what they can do: SciPy need not be installed."""
    matrix = type("csr_matrix", (), {"tocsr": lambda self: self})()
    with pytest.raises(TypeError, match=r"^y must be a dense array, got .*: use \.toarray\(\)$"):
        NETWORKS["three"]().loss(X, matrix)


def test_a_frame_of_mixed_columns_gets_a_hint() -> None:
    """Numbers beside bool, as pd.get_dummies makes them: an object array to NumPy."""
    frame = pd.DataFrame(X)
    frame[3] = frame[3] > 0.5
    with pytest.raises(TypeError) as caught:
        NETWORKS["three"]().forward(frame)
    message = 'x must hold real numbers, got dtype object: use .astype("float32")'
    assert str(caught.value) == message
    assert NETWORKS["three"]().forward(frame.astype("float32")).shape == (12, 3)


@pytest.mark.parametrize("method", ["forward", "accuracy", "loss"])
def test_a_data_set_in_place_of_a_split_gets_a_hint(method: str) -> None:
    with pytest.raises(TypeError, match=r"^x must .*, got Dataset.*\.train"):
        getattr(NETWORKS["three"](), method)(nn.Dataset((X, Y)))


def test_targets_of_any_size_for_one_sigmoid_get_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"got 10\.5 at row 1: .*Dense\(n, activation=.linear.\)$"):
        NETWORKS["one"]().loss(X, Y * 10.5)


def test_an_error_inside_array_is_the_users_own() -> None:
    class Broken:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        NETWORKS["three"]().forward(Broken())


def test_scale_is_remembered_by_copies() -> None:
    net = NETWORKS["on bytes"]()
    for other in (net.copy(), net.astype("float64")):
        with pytest.raises(ValueError, match="trained on uint8 / 255"):
            other.forward(PIXELS)
        assert np.array_equal(other.predict(BYTES), net.predict(BYTES))
    assert net.reset().forward(PIXELS).shape == (12, 3)


def test_after_uint8_floats_up_to_1_5_pass() -> None:
    net = NETWORKS["on bytes"]()
    assert net.forward(np.full((1, 4), 1.5)).shape == (1, 3)
    assert np.array_equal(net.forward(BYTES), net.forward((BYTES / 255).astype(np.float32)))
    assert net.forward(FLAGS).shape == (12, 3)  # only fit asks whether bytes are flags


def test_all_zero_bytes_are_no_flags() -> None:
    fit(NETWORKS["three"](), np.zeros((12, 4), np.uint8), Y)


def test_names_in_messages_are_those_of_a_mapping() -> None:
    net = NETWORKS["three"]()
    with pytest.raises(ValueError, match=r"^dev x must be finite, got nan at row 5, column 1$"):
        fit(net, X, Y, validation={"dev": (NAN, Y)})
    message = r"^dev y must be labels from 0 to 2, got 3 at row 2: labels count from 0$"
    with pytest.raises(ValueError, match=message):
        fit(net, X, Y, validation={"ok": (X, Y), "dev": nn.Split(X, Y + 1)})


# ---------------------------------------------------------------- read where it lies


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_inputs", [16, 13])
@pytest.mark.parametrize("n", [1, 33, 2100])  # few rows, many, more than a block
def test_rows_that_lie_as_the_core_has_them_give_the_same(
    dtype: str, n_inputs: int, n: int
) -> None:
    """Rows 64 bytes or a multiple apart, read in place, beside those that are copied."""
    rng = np.random.default_rng(0)
    room = np.full((n, 16), np.nan, dtype)
    room[:, :n_inputs] = rng.standard_normal((n, n_inputs))
    x, y = room[:, :n_inputs], np.zeros(n, np.int64)
    elsewhere = np.repeat(x, 2, axis=0)[::2]
    nets = [nn.Network([n_inputs, 5, 3], seed=1, dtype=dtype) for _ in range(2)]
    found: list[dict[str, Any]] = []
    for net, rows in zip(nets, (x, elsewhere), strict=True):
        cost, gradient = net.cost_and_gradient(rows, y)
        inside = net.inspect(rows, y)
        found.append({"forward": net.forward(rows), "cost": cost, **gradient})
        found[-1].update({"a": inside.a[0], "delta": inside.delta[0]})
        fit(net, rows, y, shuffle=False)
    assert_same_bits(*found)
    assert_same_bits(nets[0].parameters, nets[1].parameters)


# ---------------------------------------------------------------- looked at block by block

WIDE, MANY = 80, 1500  # rows: more than a block of an evaluation
LOOKS: dict[str, Callable[[nn.Network, Any, Any], Any]] = {
    "forward": lambda net, x, y: net.forward(x),
    "predict": lambda net, x, y: net.predict(x),
    "accuracy": lambda net, x, y: net.accuracy(x, y),
    "loss": lambda net, x, y: net.loss(x, y),
    "cost_and_gradient": lambda net, x, y: net.cost_and_gradient(x, y),
    "evaluate": lambda net, x, y: net.evaluate(x, y),
    "inspect": lambda net, x, y: net.inspect(x, y),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("density", [0.1, 1.0])
@pytest.mark.parametrize("layout", ["compact", "every other row"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_first_bad_number_of_a_wide_x_is_named(
    dtype: str, layout: str, density: float, look: str
) -> None:
    rng = np.random.default_rng(0)
    whole = np.where(rng.random((2 * MANY, WIDE)) < density, 0.5, 0).astype(dtype)
    x = whole[:MANY] if layout == "compact" else whole[::2]
    y = np.zeros(MANY, np.int64)
    net = nn.Network([WIDE, 3], seed=1)
    LOOKS[look](net, x, y)
    for row, column in ((1400, 70), (1400, 7), (3, 79)):  # each before those of the turns before
        for value in (np.inf, -np.inf, np.nan):
            x[row, column] = value
            where = f"got {value!r} at row {row}, column {column}"
            with pytest.raises(ValueError, match=f"^x must be finite, {where}$"):
                LOOKS[look](net, x, y)
    if dtype == "float64":
        x[2, 1] = 1e300
        with pytest.raises(ValueError, match=r"^x must be finite in float32, got 1e\+300 at row 2"):
            LOOKS[look](net, x, y)


@pytest.mark.parametrize("density", [0.1, 1.0])
def test_the_scale_of_a_wide_x_is_looked_at(density: float) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (MANY, WIDE)).astype(np.uint8)
    pixels[np.random.default_rng(1).random(pixels.shape) >= density] = 0
    y = np.zeros(MANY, np.int64)
    net = nn.Network([WIDE, 3], seed=1)
    fit(net, pixels, y)
    x = (pixels / 255).astype(np.float32)
    assert np.array_equal(net.forward(x), net.forward(pixels))
    x[1400, 3] = 7.5
    for look in LOOKS.values():
        with pytest.raises(ValueError, match=r"lie in \[0, 1\].* got 7.5: use"):
            look(net, x, y)


def test_a_number_that_is_gone_when_it_is_looked_for_is_an_error_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where another thread writes into x meanwhile."""
    net = NETWORKS["three"]()
    monkeypatch.setattr(nn._arrays, "check_scan", lambda *arguments: None)
    with pytest.raises(ValueError, match="a number is NaN, infinite or too large"):
        net.forward(NAN)
