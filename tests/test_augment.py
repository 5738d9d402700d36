"""Augmentation of arrays: beside the twin and scipy.ndimage, same bits, shapes, dtypes, errors."""

import pickle
from typing import Any

import numpy as np
import pytest
import reference_augment
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlearn as nn
from nnlearn import _core, _core64
from nnlearn.augment import Augmentation, Compose, Elastic, Rotate, Scale, Shift, Skew
from nnlearn.augment._images import changed

#: Displacements in float32: a few hundred roundings of numbers below 100.
PIXELS = {"float32": 2e-4, "float64": 1e-10}

EACH = {
    "shift": Shift(3.5),
    "rotate": Rotate(25),
    "skew": Skew(0.3),
    "scale": Scale(0.4),
    "elastic": Elastic(20, 2.5),
    "affine": Compose(Shift(2), Rotate(10), Skew(0.1), Scale(0.1)),
    "all": Compose(Shift(1), Rotate(10), Elastic(10, 2), Skew(0.1), Elastic(5, 1), Rotate(5)),
}
each_part = pytest.mark.parametrize("part", EACH.values(), ids=EACH)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def images(*shape: int, dtype: str = "float64", seed: int = 0) -> Any:
    """Smooth ones, as rounded places matter little there."""
    x = np.random.default_rng(seed).random(shape)
    for axis in (-1, -2):
        x = 0.5 * x + 0.25 * (np.roll(x, 1, axis) + np.roll(x, -1, axis))
    return (255 * x).astype(dtype) if dtype == "uint8" else x.astype(dtype)


def ramps(n: int, height: int, width: int) -> Any:
    """Two channels that hold each pixel's x and y, far from 0: what they become is a place."""
    y, x = np.mgrid[:height, :width].astype(float)
    return np.broadcast_to(np.stack([x, y]), (n, 2, height, width)).copy()


# ---- beside the twin ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 14), (1, 40, 35), (2, 5, 101)], ids=str)
@each_part
@each_dtype
def test_images_are_those_of_the_twin(
    part: Augmentation, dtype: str, shape: tuple[int, int, int]
) -> None:
    x = images(4, *shape, dtype=dtype)
    expected = reference_augment.augmented(x, part._specs(), seed=5)
    assert np.abs(part(x, seed=5) - expected).max() <= PIXELS[dtype]
    assert np.abs(expected - x).max() > 0.01  # they do change


@each_dtype
def test_one_elastic_part_is_what_scipy_makes_of_the_same_numbers(dtype: str) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    x = images(3, 28, 28, dtype=dtype)
    made = Elastic(34, 4)(x, seed=2)
    for row, image in enumerate(x):
        u = reference_augment.uniforms(2, "elastic1", row, 0, 2 * 28 * 28).reshape(2, 28, 28)
        right, down = (34 * ndimage.gaussian_filter(f, 4, mode="reflect", truncate=4) for f in u)
        y, x0 = np.mgrid[:28, :28]
        places = [y + down, x0 + right]
        expected = ndimage.map_coordinates(image, places, order=1, mode="grid-constant")
        assert np.abs(made[row] - expected).max() <= PIXELS[dtype]


@pytest.mark.parametrize("sigma", [1e-300, 0.3, 1.0, 7.9, 9.0])
def test_gaussians_narrower_than_a_pixel_and_wider_than_the_image_are_the_twins(
    sigma: float,
) -> None:
    x = images(3, 1, 9, 21)
    part = Elastic(3, sigma)
    expected = reference_augment.augmented(x, part._specs(), seed=1)
    np.testing.assert_allclose(part(x, seed=1), expected, atol=1e-10)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.7, 4.0, 28.0])
@pytest.mark.parametrize(
    "shape", [(28, 28), (2, 30), (30, 2), (7, 33), (64, 29), (90, 70)], ids=str
)
@each_dtype
def test_fields_are_what_scipy_makes_of_the_same_numbers(
    dtype: str, shape: tuple[int, int], sigma: float
) -> None:
    """Of both axes, even and odd, in one block and in several. Read off an image of one slope."""
    ndimage = pytest.importorskip("scipy.ndimage")
    sigma = min(sigma, *shape)
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(float)
    slopes = np.stack([x, y])[None].astype(dtype)
    made = Elastic(1, sigma)(slopes, seed=6)[0]
    u = reference_augment.uniforms(6, "elastic1", 0, 0, 2 * x.size).reshape(2, *shape)
    right, down = (ndimage.gaussian_filter(f, sigma, mode="reflect", truncate=4) for f in u)
    inside = (
        (x + right >= 0) & (x + right <= width - 1) & (y + down >= 0) & (y + down <= height - 1)
    )
    tolerance = 8 * np.finfo(dtype).eps * max(shape)  # places are rounded as numbers of this size
    np.testing.assert_allclose(made[0][inside], (x + right)[inside], rtol=0, atol=tolerance)
    np.testing.assert_allclose(made[1][inside], (y + down)[inside], rtol=0, atol=tolerance)
    assert inside.mean() > 0.1


@given(st.integers(1, 12), st.integers(1, 70), st.integers(0, 2**64 - 1), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_images_of_any_sides_are_those_of_the_twin(
    height: int, width: int, seed: int, channels: int
) -> None:
    x = images(2, channels, height, width)
    part = Compose(Rotate(20), Elastic(4, min(height, width, 3)), Shift(1))
    expected = reference_augment.augmented(x, part._specs(), seed)
    np.testing.assert_allclose(part(x, seed), expected, atol=1e-10)


# ---- means and variances ------------------------------------------------------------------------


def test_shifts_are_uniform_along_each_axis() -> None:
    n = 4000
    d = Shift(2)(ramps(n, 9, 9), seed=1)[:, :, 4, 4] - 4  # minus the shift
    for axis in (0, 1):
        assert abs(d[:, axis]).max() <= 2
        assert abs(d[:, axis].mean()) < 4 * 2 / np.sqrt(3 * n)
        assert d[:, axis].var() == pytest.approx(4 / 3, rel=0.06)
    assert abs(np.corrcoef(d.T)[0, 1]) < 4 / np.sqrt(n)


@pytest.mark.parametrize(
    ("part", "bound"), [(Rotate(20), 20.0), (Skew(0.2), 0.2), (Scale(0.3), 0.3)]
)
def test_angles_skews_and_factors_are_uniform(part: Augmentation, bound: float) -> None:
    n = 4000
    x = part(ramps(n, 21, 21), seed=1) - 10
    if isinstance(part, Rotate):
        values = np.rad2deg(np.arctan2(x[:, 1, 10, 12], x[:, 0, 10, 12]))
    elif isinstance(part, Skew):
        values = x[:, 0, 13, 10] / 3
    else:
        values = 3 / x[:, 0, 10, 13] - 1
    assert abs(values).max() <= bound * (1 + 1e-9)
    assert abs(values.mean()) < 4 * bound / np.sqrt(3 * n)
    assert values.var() == pytest.approx(bound**2 / 3, rel=0.06)


def test_elastic_displacements_have_the_mean_and_variance_of_smoothed_uniform_numbers() -> None:
    n, side, alpha, sigma = 600, 65, 10.0, 4.0
    x = Elastic(alpha, sigma)(ramps(n, side, side), seed=3)
    d = x[:, :, 32, 32] - 32  # away from the border
    g = np.exp(-0.5 * (np.arange(-16, 17) / sigma) ** 2)
    g /= g.sum()
    variance = alpha**2 / 3 * (g @ g) ** 2
    assert variance == pytest.approx(alpha**2 / (12 * np.pi * sigma**2), rel=1e-3)
    assert np.abs(d.mean(axis=0)).max() < 4 * np.sqrt(variance / n)
    np.testing.assert_allclose(d.var(axis=0), variance, rtol=0.25)
    assert abs(np.corrcoef(d.T)[0, 1]) < 4 / np.sqrt(n)
    near, far = x[:, 0, 32, 33] - 33, x[:, 0, 32, 52] - 52
    assert np.corrcoef(d[:, 0], near)[0, 1] > 0.95  # neighbours move together
    assert abs(np.corrcoef(d[:, 0], far)[0, 1]) < 4 / np.sqrt(n)


def test_parts_come_in_the_order_given() -> None:
    """First moved, then turned about the centre; and the other way round."""
    x = ramps(50, 41, 41)
    shift, rotate = ("shift", 4.0, 0.0), ("rotate", 30.0, 0.0)
    for parts, order in (
        ((Shift(4), Rotate(30)), (shift, rotate)),
        ((Rotate(30), Shift(4)), (rotate, shift)),
    ):
        made = Compose(*parts)(x, seed=1)
        for row in (0, 1):
            one = reference_augment.bilinear
            image = x[row, 0] + 0.0
            for part in order:  # one after the other, each with an interpolation of its own
                image = one(image, *reference_augment.places([part], (41, 41), 1, row))
            np.testing.assert_allclose(made[row, 0, 16:25, 16:25], image[16:25, 16:25], atol=1e-9)


# ---- same bits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@each_part
def test_the_number_of_threads_changes_nothing(part: Augmentation, dtype: str) -> None:
    x = images(70, 12, 13, dtype=dtype)
    one, two, three = (changed(x, (12, 13), part._specs(), 4, n) for n in (1, 2, 3))
    assert one.tobytes() == two.tobytes() == three.tobytes() == part(x, seed=4).tobytes()


@each_part
def test_an_image_depends_on_no_other(part: Augmentation) -> None:
    x = images(70, 12, 13)
    whole = part(x, seed=4)
    assert part(x[:7], seed=4).tobytes() == whole[:7].tobytes()
    again = part(np.repeat(x[:1], 2, axis=0), seed=4)
    assert again[0].tobytes() == whole[0].tobytes() != again[1].tobytes()


@each_part
def test_another_seed_gives_other_images(part: Augmentation) -> None:
    x = images(2, 12, 13)
    assert np.abs(part(x, seed=1) - part(x, seed=2)).max() > 0.01


def test_a_part_more_changes_the_numbers_of_no_other_kind() -> None:
    x = images(3, 12, 13)
    assert Compose(Shift(0), Elastic(9, 2))(x).tobytes() == Elastic(9, 2)(x).tobytes()
    both = Compose(Elastic(9, 2), Elastic(9, 2))(x)
    assert not np.allclose(both, Elastic(18, 2)(x))  # the second has numbers of its own


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize(
    "part",
    [Shift(0), Rotate(0), Skew(0), Scale(0), Elastic(0, 4), Compose(), Compose(Shift(0), Scale(0))],
    ids=repr,
)
def test_settings_that_change_nothing_give_the_same_bytes(part: Augmentation, dtype: str) -> None:
    x = images(5, 3, 8, 9, dtype=dtype)
    if dtype != "uint8":
        x[0, 0, 0, :2] = -0.0, 1e30
    made = part(x, seed=3)
    assert made.tobytes() == x.tobytes()
    assert not np.shares_memory(made, x)


# ---- shapes and dtypes --------------------------------------------------------------------------


def test_channels_move_together() -> None:
    x = images(4, 12, 13)
    both = EACH["all"](np.stack([x, 2 * x], axis=1), seed=7)
    assert both[:, 0].tobytes() == EACH["all"](x, seed=7).tobytes()
    np.testing.assert_allclose(both[:, 1], 2 * both[:, 0], rtol=1e-12)


def test_bytes_are_rounded_to_the_nearest() -> None:
    x = images(20, 12, 13, dtype="uint8")
    x[:, :4] = 255
    made = EACH["all"](x, seed=7)
    exact = reference_augment.augmented(x[:, None], EACH["all"]._specs(), seed=7)[:, 0]
    assert made.dtype == np.uint8
    assert np.abs(made - exact).max() < 0.5 + 255 * PIXELS["float32"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", ">f4", ">f8"])
def test_any_layout_gives_an_array_of_the_same_shape_and_dtype(dtype: str) -> None:
    x = images(4, 6, 5, dtype="uint8").astype(dtype)
    part = Compose(Shift(1), Elastic(4, 1))
    expected = part(x.astype(np.dtype(dtype).newbyteorder("=")), seed=1)
    read_only = x.copy()
    read_only.flags.writeable = False
    layouts = {
        "C": x,
        "Fortran": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=0)[::2],
        "reversed": x[::-1].copy()[::-1],
        "read-only": read_only,
    }
    for name, array in layouts.items():
        made = part(array, seed=1)
        assert (made.shape, made.dtype) == (x.shape, x.dtype), name
        np.testing.assert_array_equal(made, expected, err_msg=name)


def test_flat_images_are_the_same_images() -> None:
    x = images(4, 2, 6, 5)
    expected = Shift(1)(x, seed=1)
    flat = x.reshape(4, 60)
    split = nn.Split(flat, np.arange(4), image_shape=(2, 6, 5))
    for made in (
        Shift(1)(flat, seed=1, shape=(2, 6, 5)),
        Shift(1, shape=(2, 6, 5))(flat, seed=1),
        Shift(1)(split, seed=1),
        Compose(Shift(1, shape=(2, 6, 5)))(flat, seed=1),
    ):
        assert made.shape == flat.shape
        assert made.tobytes() == expected.tobytes()
    one = Shift(1)(x[0, 0], seed=1, shape=(6, 5))
    assert one.shape == (6, 5)
    assert one.tobytes() == expected[0, 0].tobytes()
    assert Shift(1)(x[:0]).shape == (0, 2, 6, 5)
    assert Shift(1)(x[:, :1], shape=(6, 5)).shape == (4, 1, 6, 5)


# ---- parts as values ----------------------------------------------------------------------------


@each_part
def test_parts_are_values(part: Augmentation) -> None:
    again = eval(repr(part), vars(nn.augment))
    assert again == part
    assert hash(again) == hash(part)
    assert pickle.loads(pickle.dumps(part)) == part
    with pytest.raises(AttributeError):
        part.shape = (2, 2)
    assert part != Compose(part, Shift(1))


def test_a_repr_names_the_shape_where_there_is_one() -> None:
    assert repr(Shift(1, shape=(2, 3))) == "Shift(pixels=1.0, shape=(2, 3))"
    assert repr(Compose(Shift(1, shape=[2, 3]))) == (
        "Compose(Shift(pixels=1.0, shape=(2, 3)), shape=(2, 3))"
    )


def test_every_part_of_the_core_has_a_class() -> None:
    parts = (Shift(1), Rotate(1), Skew(1), Scale(0.5), Elastic(1, 1))
    assert tuple(part._specs()[0][0] for part in parts) == _core.names("augment")


# ---- what bad input gets ------------------------------------------------------------------------

X = images(3, 4, 5)
FLAT = X.reshape(3, 20)

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "negative": (lambda: Shift(-1), ValueError, "pixels must be a finite number >= 0, got -1"),
    "NaN": (lambda: Rotate(np.nan), ValueError, "degrees must be a finite number >= 0, got nan"),
    "text": (lambda: Skew("much"), TypeError, "amount must be a finite number >= 0, got 'much'"),
    "scale to nothing": (lambda: Scale(1), ValueError, "amount must be .*>= 0 and < 1, got 1"),
    "infinite": (lambda: Elastic(np.inf, 1), ValueError, "alpha must be a finite number >= 0"),
    "no sigma": (lambda: Elastic(1, 0), ValueError, "sigma must be a finite number > 0, got 0"),
    "sigma NaN": (lambda: Elastic(1, np.nan), ValueError, "sigma must be a finite number > 0"),
    "sigma beyond the image": (
        lambda: Elastic(1, 4.5)(X),
        ValueError,
        "sigma must be at most 4, the shorter side of the images, got 4.5",
    ),
    "no part": (lambda: Compose(3), TypeError, "each part must be Shift.*got 3"),
    "two shapes": (
        lambda: Compose(Shift(1, shape=(2, 2)), Shift(1, shape=(4, 1))),
        ValueError,
        "each part must have the shape of the others",
    ),
    "too many": (lambda: Compose(*[Shift(1)] * 17), ValueError, "at most 16 parts, got 17"),
    "shape of one side": (lambda: Shift(1, shape=(3,)), ValueError, "shape must be \\(height"),
    "shape a number": (lambda: Shift(1)(X, shape=20), TypeError, "shape must be \\(height"),
    "shape of nothing": (lambda: Shift(1, shape=(0, 3)), ValueError, "each side of shape"),
    "no shape known": (
        lambda: Shift(1)(FLAT),
        ValueError,
        "the shape of the images must be known.*got x of shape \\(3, 20\\): give shape=",
    ),
    "shape that does not fit": (
        lambda: Shift(1)(FLAT, shape=(3, 7)),
        ValueError,
        "shape must fit the images of x, got \\(3, 7\\) for x of shape \\(3, 20\\)",
    ),
    "another shape than x's": (
        lambda: Shift(1)(X, shape=(5, 4)),
        ValueError,
        "shape must fit the images of x, got \\(5, 4\\) for x of shape \\(3, 4, 5\\)",
    ),
    "labels": (lambda: Shift(1)(np.arange(3)), TypeError, "x must be an array of images.*got"),
    "integers": (lambda: Shift(1)(X.astype(int)), TypeError, 'use .astype\\("float32"\\)'),
    "texts": (lambda: Shift(1)(["a", "b"]), TypeError, "x must be an array of images"),
    "a data set": (
        lambda: Shift(1)(nn.Dataset((FLAT, [0, 1, 2]))),
        TypeError,
        "use its .train",
    ),
    "a NaN": (
        lambda: Shift(1)(np.where(np.arange(5) < 3, X, np.nan)),
        ValueError,
        "x must be finite, got nan at \\[",
    ),
    "seed": (lambda: Shift(1)(X, seed=-1), ValueError, "seed must be an integer"),
    "expand without y": (lambda: nn.augment.expand(X), TypeError, "y must be given beside x"),
    "expand with other rows": (
        lambda: nn.augment.expand(X, [0, 1]),
        ValueError,
        "y must have 3 rows, as x, got shape \\(2,\\)",
    ),
    "expand with half pixels": (
        lambda: nn.augment.expand(X, [0, 1, 2], 0.5),
        TypeError,
        "shifts must be an integer >= 0, got 0.5",
    ),
    "expand flat": (lambda: nn.augment.expand(FLAT, [0, 1, 2]), ValueError, "give shape="),
    "preview of nothing": (lambda: nn.augment.preview(X, 0), ValueError, "n must be an integer"),
    "preview without a part": (lambda: nn.augment.preview(X, 2, 5), TypeError, "augment must be"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name: str) -> None:
    call, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        call()


def test_a_sparse_matrix_is_refused_with_a_hint() -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"use \.toarray\(\)"):
        Shift(1)(scipy_sparse.csr_matrix(FLAT), shape=(4, 5))


@pytest.mark.parametrize("amount", [1e30, 1e300])
@each_dtype
def test_amounts_beyond_all_images_give_images(amount: float, dtype: str) -> None:
    x = images(4, 6, 7, dtype=dtype)
    for part in (Shift(amount), Rotate(amount), Skew(amount), Elastic(amount, 2)):
        made = part(x, seed=1)
        assert np.isfinite(made).all()
        assert made.min() >= 0
    assert (Shift(amount)(x, seed=1) == 0).all()


CORE_BAD: dict[str, tuple[tuple[Any, ...], type[Exception], str]] = {
    "no tuple": (([], None), TypeError, "augment must be a tuple"),
    "no shape": ((((4, 5), ()), None), TypeError, "3"),
    "parts as a list": ((((1, 4, 5), []), None), TypeError, "tuple"),
    "a part alone": ((((1, 4, 5), ("shift",)), None), TypeError, "must be a tuple"),
    "a foreign part": ((((1, 4, 5), (("blur", 1.0, 1.0),)), None), ValueError, "got 'blur'"),
    "17 parts": ((((1, 4, 5), (("skew", 1.0, 0.0),) * 17), None), ValueError, "at most 16"),
    "a negative side": ((((1, -4, 5), ()), None), ValueError, "shape"),
    "another shape": ((((1, 4, 6), ()), None), ValueError, "shape"),
    "out of another shape": ((((1, 4, 5), ()), np.empty((4, 20))), ValueError, "out must have"),
    "out of another dtype": ((((1, 4, 5), ()), np.empty((3, 20), "f4")), TypeError, "float64"),
}


@pytest.mark.parametrize("name", CORE_BAD)
def test_the_core_refuses_what_it_cannot_read(name: str) -> None:
    (spec, out), kind, words = CORE_BAD[name]
    data = _core64.Data(FLAT)
    with pytest.raises(kind, match=words):
        data.augment(spec, np.empty_like(FLAT) if out is None else out, 0, 0, 1)


# ---- expand and preview -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5)], ids=str)
def test_expand_gives_the_original_and_four_shifts(dtype: str, shape: tuple[int, ...]) -> None:
    x, y = images(3, *shape, dtype=dtype), np.array([2, 0, 1])
    made, labels = nn.augment.expand(x, y)
    assert (made.shape, made.dtype) == ((15, *shape), x.dtype)
    up, down, left, right = (np.zeros_like(x) for _ in range(4))
    up[..., :-1, :], down[..., 1:, :] = x[..., 1:, :], x[..., :-1, :]
    left[..., :-1], right[..., 1:] = x[..., 1:], x[..., :-1]
    np.testing.assert_array_equal(made, np.concatenate([x, up, down, left, right]))
    np.testing.assert_array_equal(labels, np.tile(y, 5))
    assert labels.dtype == y.dtype


def test_expand_takes_and_returns_a_split() -> None:
    split = nn.Split(FLAT, [0, 1, 0], class_names=("a", "b"), image_shape=(4, 5))
    made = nn.augment.expand(split, shifts=2)
    assert isinstance(made, nn.Split)
    assert (made.x.shape, made.class_names, made.image_shape) == ((27, 20), ("a", "b"), (4, 5))
    two_down = made.x.reshape(9, 3, 4, 5)[6]
    np.testing.assert_array_equal(two_down[:, 2:], X[:, :2])
    assert (two_down[:, :2] == 0).all()
    assert len(nn.augment.expand(split, shifts=0)) == 3


def test_expand_by_more_than_the_image_leaves_nothing_of_it() -> None:
    made, _ = nn.augment.expand(X, np.arange(3), 6)
    assert (made.reshape(25, 3, 4, 5)[21:] == 0).all()


def test_preview_gives_variants_of_the_first_image() -> None:
    part = Compose(Shift(1), Elastic(4, 1))
    view = part.preview(X, 7, seed=3)
    expected = part(np.repeat(X[:1], 7, axis=0), seed=3)
    for made in (np.asarray(view), view.images, nn.augment.preview(X[0], 7, part, seed=3).images):
        assert made.tobytes() == expected.tobytes()
    assert (len(view), view.shape) == (7, (7, 4, 5))
    assert view[2].tobytes() == expected[2].tobytes()
    flat = nn.augment.preview(FLAT, 7, part, seed=3, shape=(4, 5))
    assert flat.images.tobytes() == expected.tobytes()
    split = nn.Split(FLAT, [0, 1, 0], image_shape=(4, 5))
    assert nn.augment.preview(split, 7, part, seed=3).images.tobytes() == expected.tobytes()
    assert repr(view) == f"Preview of 7 images of 4 x 5: {part!r}"
    assert nn.augment.preview(images(1, 28, 28)).shape == (25, 28, 28)


def test_a_preview_is_shown_in_a_notebook_and_drawn() -> None:
    axes = pytest.importorskip("matplotlib.axes")
    grey, colour = Shift(1).preview(X, 5), Shift(1).preview(images(1, 3, 6, 4), 2)
    assert grey.grid().shape == (2 * 5 - 1, 3 * 6 - 1)
    assert colour.grid().shape == (6, 2 * 5 - 1, 3)
    assert "Shift(pixels=1.0)" in grey._repr_html_()
    assert "data:image/png" in grey._repr_html_()
    for view in (grey, colour):
        ax = view.plot()
        assert isinstance(ax, axes.Axes)
        assert ax.get_title() == "Shift(pixels=1.0)"
        assert nn.plotting.plot_variants(view, ax) is ax
        import matplotlib.pyplot as plt

        plt.close(ax.figure)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        Shift(1).preview(images(1, 2, 6, 4), 2).grid()
