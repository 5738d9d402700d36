"""The loaders, the digits inside the package, and the toy sets."""

import gzip
import hashlib
import inspect
import io
import os
import re
import struct
import sys
import tracemalloc
import zipfile
import zlib
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlearn import datasets
from nnlearn.data import Dataset, Split
from nnlearn.datasets import make_mnist_small, mnist
from nnlearn.datasets._find import FASHION_MNIST, MNIST, NAMES, Source, find

GZIPPED = [f"{name}.gz" for name in NAMES]
LISTING = f"{GZIPPED[0]}, {GZIPPED[1]}, {GZIPPED[2]} and {GZIPPED[3]}"
FLOAT32, INT64 = np.dtype("float32"), np.dtype("int64")
LOADERS = {"mnist": datasets.load_mnist, "fashion-mnist": datasets.load_fashion_mnist}


def says(text: str) -> str:
    """A pattern for pytest's `match` that is the whole text."""
    return f"^{re.escape(text)}$"


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """A uint8 array as an IDX file."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_family(folder: Path, **changed: np.ndarray[Any, Any]) -> Path:
    """Four files in the shape of MNIST: pixel 0 of image i is i mod 256, its label i mod 10."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, n in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((n, 28, 28), np.uint8)
        images[:, 0, 0] = np.arange(n) % 256
        labels = (np.arange(n) % 10).astype(np.uint8)
        for name, array in (
            (f"{part}-images-idx3-ubyte", images),
            (f"{part}-labels-idx1-ubyte", labels),
        ):
            content = idx(changed.get(name.replace("-", "_"), array))
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    return folder


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files of `write_family`."""
    return write_family(tmp_path_factory.mktemp("family"))


# The reader's own data sets, seen before `no_data_folder` hides them.
REAL_DATA = Path(os.environ["NNLEARN_DATA_DIR"]) if os.environ.get("NNLEARN_DATA_DIR") else None


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds a data set by the environment of whoever runs it."""
    monkeypatch.delenv("NNLEARN_DATA_DIR", raising=False)


def real_folder(name: str) -> Path:
    """The true files of a data set, wherever they lie; the test is skipped where they do not."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    debian = Path("/usr/share/datasets")  # Debian's package dataset-fashion-mnist
    for folder in (REAL_DATA, beside, debian):
        if folder is not None and (folder / name).is_dir():
            return folder / name
    pytest.skip(f"the files of {name} are in no sub-folder of NNLEARN_DATA_DIR")


# --- Loading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOADERS)
def test_the_files_become_three_sets(family: Path, name: str) -> None:
    data = LOADERS[name](path=family)
    assert data.validation is not None
    assert data.test is not None
    first_pixels = np.arange(60_000) % 256
    for split, rows in (
        (data.train, slice(50_000)),
        (data.validation, slice(50_000, 60_000)),
        (data.test, slice(10_000)),
    ):
        assert split.x.shape == (len(first_pixels[rows]), 784)
        assert (split.x.dtype, split.y.dtype) == (FLOAT32, INT64)
        np.testing.assert_array_equal(np.rint(split.x[:, 0] * 255), first_pixels[rows])
        np.testing.assert_array_equal(split.y, np.arange(60_000)[rows] % 10)
        assert not split.x[:, 1:].any()
    assert data.image_shape == (28, 28)
    assert data.source == name
    assert str(data) == (
        f"Dataset {name}: 50,000 training, 10,000 validation, 10,000 test; "
        "784 inputs float32, 10 classes"
    )


def test_the_classes_have_their_names(family: Path) -> None:
    assert datasets.load_mnist(path=family).class_names == tuple("0123456789")
    clothes = datasets.load_fashion_mnist(path=str(family)).class_names
    assert clothes is not None
    assert (clothes[0], clothes[5], clothes[9]) == ("T-shirt/top", "Sandal", "Ankle boot")


def test_a_pixel_is_i_over_255_rounded_once(family: Path) -> None:
    x = datasets.load_mnist(path=family).train.x[:256, 0]
    for i, value in enumerate(x):
        neighbours = [np.nextafter(value, np.float32(-1)), np.nextafter(value, np.float32(2))]
        nearest, *others = (
            abs(Fraction(float(v)) - Fraction(i, 255)) for v in (value, *neighbours)
        )
        assert nearest < min(others)


@pytest.mark.parametrize("dtype", ["uint8", np.uint8, np.dtype("uint8")])
def test_uint8_keeps_the_bytes(family: Path, dtype: Any) -> None:
    x = datasets.load_mnist(path=family, dtype=dtype).train.x
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[:300, 0], np.arange(300) % 256)


def test_uint8_is_the_memory_of_the_files_alone(family: Path) -> None:
    tracemalloc.start()
    try:
        data = datasets.load_mnist(path=family, dtype="uint8")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data.validation is not None
    assert np.shares_memory(data.train.x.base, data.validation.x.base)
    assert peak < 1.3 * 70_000 * 784  # the buffer grows by an eighth at a time


@pytest.mark.parametrize(
    ("error", "dtype", "got"),
    [
        (ValueError, "float64", "'float64'"),
        (ValueError, np.float64, "'float64'"),
        (TypeError, None, "None"),
        (TypeError, 8, "8"),
    ],
)
def test_other_dtypes_are_refused_before_files_are_looked_for(
    error: type[Exception], dtype: Any, got: str
) -> None:
    message = f"dtype must be one of 'float32', 'uint8', got {got}"
    for load in (datasets.load_mnist_small, partial(datasets.load_mnist, path="/nowhere")):
        with pytest.raises(error, match=says(message)):
            load(dtype=dtype)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (
            "train-images-idx3-ubyte",
            np.zeros((10, 28, 28), np.uint8),
            "hold 60,000 images of 28 x 28 bytes, "
            "got an array of shape (10, 28, 28) and dtype uint8",
        ),
        (
            "t10k-labels-idx1-ubyte",
            np.zeros((10_000, 1), np.uint8),
            "hold 10,000 labels, a byte each, got an array of shape (10000, 1) and dtype uint8",
        ),
        (
            "train-labels-idx1-ubyte",
            np.full(60_000, 12, np.uint8),
            "hold labels from 0 to 9, got 12",
        ),
    ],
)
def test_files_of_another_data_set_are_refused(
    tmp_path: Path, name: str, array: np.ndarray[Any, Any], message: str
) -> None:
    folder = write_family(tmp_path, **{name.replace("-", "_"): array})
    with pytest.raises(ValueError, match=says(f"{folder / name}.gz must {message}")):
        datasets.load_mnist(path=folder)


def test_a_damaged_file_is_named(family: Path, tmp_path: Path) -> None:
    for file in GZIPPED:
        content = (family / file).read_bytes()
        (tmp_path / file).write_bytes(content[:-9] if file == GZIPPED[3] else content)
    with pytest.raises(ValueError, match=rf"^the IDX file .*{GZIPPED[3]} must be whole, got a "):
        datasets.load_mnist(path=tmp_path)


# --- The true files ----------------------------------------------------------------------------

# SHA-256 of the unpacked files in the order of NAMES: whoever packed them.
CONTENTS = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion-mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """MNIST as uint8."""
    return datasets.load_mnist(path=real_folder("mnist"), dtype="uint8")


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_files_found_are_those_that_were_published(source: Source) -> None:
    files = find(source, real_folder(source.name))
    for path, digest in zip(files, CONTENTS[source.name], strict=True):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest


def test_mnist_begins_and_ends_with_its_known_digits(digits: Dataset) -> None:
    assert digits.validation is not None
    assert digits.test is not None
    assert digits.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits.validation.y[:5].tolist() == [3, 8, 6, 9, 6]
    assert digits.test.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(digits.test.y).tolist() == TEST_COUNTS


TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_an_image_of_mnist_stands_upright(digits: Dataset) -> None:
    # The first 5 has its flag at the top right and its foot at the bottom left.
    five = digits.train.x[0].reshape(28, 28) > 127
    rows = np.flatnonzero(five.any(axis=1))
    assert np.flatnonzero(five[rows[0]]).mean() > 14
    assert np.flatnonzero(five[rows[-1]]).mean() < 14


def test_fashion_mnist_begins_with_its_known_clothes() -> None:
    data = datasets.load_fashion_mnist(path=real_folder("fashion-mnist"))
    assert data.test is not None
    assert data.class_names is not None
    assert [data.class_names[label] for label in data.train.y[:3]] == [
        "Ankle boot",
        "T-shirt/top",
        "T-shirt/top",
    ]
    assert np.bincount(data.test.y).tolist() == [1000] * 10


# --- The digits inside the package -------------------------------------------------------------


def parts(data: Dataset) -> list[Split]:
    return [split for split in (data.train, data.validation, data.test) if split is not None]


def test_mnist_small_has_as_many_of_each_digit() -> None:
    data = datasets.load_mnist_small()
    assert [len(split) for split in parts(data)] == [5000, 1000, 1000]
    for split, each in zip(parts(data), (500, 100, 100), strict=True):
        assert np.bincount(split.y).tolist() == [each] * 10
        assert (split.x.dtype, split.y.dtype) == (FLOAT32, INT64)
        assert (split.x.min(), split.x.max()) == (0, 1)
    assert data.class_names == tuple("0123456789")
    assert data.image_shape == (28, 28)


def test_mnist_small_as_uint8_is_the_same() -> None:
    floats, flags = datasets.load_mnist_small(), datasets.load_mnist_small(dtype="uint8")
    for split, same in zip(parts(floats), parts(flags), strict=True):
        assert same.x.dtype == np.uint8
        np.testing.assert_array_equal(split.x, same.x.astype(np.float32) / np.float32(255))
        np.testing.assert_array_equal(split.y, same.y)


def test_each_call_gives_arrays_of_its_own() -> None:
    first, second = datasets.load_mnist_small(), datasets.load_mnist_small()
    first.train.x[:] = 0
    assert second.train.x.any()


@pytest.mark.parametrize(("here", "source"), [(True, "mnist"), (False, "mnist-small")])
def test_mnist_or_small_is_the_whole_where_it_is_here(
    monkeypatch: pytest.MonkeyPatch, here: bool, source: str
) -> None:
    small = datasets.load_mnist_small(dtype="uint8")
    whole = Dataset(small.train, source="mnist")
    monkeypatch.setattr(mnist, "is_here", lambda source: here)
    monkeypatch.setattr(mnist, "load_mnist", lambda *, dtype: {"uint8": whole}[dtype])
    data = datasets.load_mnist_or_small(dtype="uint8")
    assert data.source == source
    assert data.train.x.dtype == np.uint8


def test_mnist_small_is_small() -> None:
    assert mnist.SMALL_FILE.stat().st_size <= 1_500_000


def test_drawn_images_are_evenly_spaced() -> None:
    labels = np.repeat(np.arange(10), 7)
    taken = make_mnist_small.drawn(labels, 3)
    assert taken[:6].tolist() == [0, 2, 4, 7, 9, 11]
    assert len(taken) == 30


@pytest.fixture(scope="module")
def made(digits: Dataset) -> bytes:
    """The archive made anew."""
    return make_mnist_small.packed(make_mnist_small.small_arrays(digits))


def test_mnist_small_is_made_from_mnist_byte_for_byte(made: bytes) -> None:
    with zipfile.ZipFile(mnist.SMALL_FILE) as ours, zipfile.ZipFile(io.BytesIO(made)) as anew:
        assert ours.namelist() == anew.namelist() == ["x.npy", "y.npy"]
        for name in ours.namelist():
            assert ours.read(name) == anew.read(name)


@pytest.mark.skipif(
    sys.platform != "linux" or "ng" in zlib.ZLIB_RUNTIME_VERSION,
    reason="another zlib packs the same arrays into other bytes",
)
def test_the_same_zlib_makes_the_same_file(made: bytes) -> None:
    assert made == mnist.SMALL_FILE.read_bytes()


def test_a_second_run_of_the_script_makes_the_same_bytes(made: bytes, tmp_path: Path) -> None:
    out = tmp_path / "small.npz"
    make_mnist_small.main(["--path", str(real_folder("mnist")), "--out", str(out)])
    assert out.read_bytes() == made


def test_mnist_small_is_drawn_from_the_parts_of_mnist(digits: Dataset) -> None:
    for small, whole in zip(
        parts(datasets.load_mnist_small(dtype="uint8")), parts(digits), strict=True
    ):
        images = {row.tobytes(): label for row, label in zip(whole.x, whole.y, strict=True)}
        for row, label in zip(small.x, small.y, strict=True):
            assert images[row.tobytes()] == label


# --- Toy sets ----------------------------------------------------------------------------------

TOYS = {"xor": datasets.xor, "two_moons": datasets.two_moons, "spirals": datasets.spirals}


@pytest.mark.parametrize("name", TOYS)
def test_a_toy_set_is_repeated_by_its_seed_alone(name: str) -> None:
    make: Any = partial(TOYS[name], 50, noise=0.1)
    x, y = make(seed=3)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((50, 2), np.float32, (50,), np.int64)
    np.testing.assert_array_equal(make(seed=3).x, x)
    assert not np.array_equal(make(seed=4).x, x)


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "n must be an integer >= {least}, got 0", {"n": 0}),
        (TypeError, "n must be an integer >= {least}, got 5.0", {"n": 5.0}),
        (ValueError, "noise must be a finite number >= 0, got -1", {"noise": -1}),
        (ValueError, "noise must be a finite number >= 0, got nan", {"noise": float("nan")}),
        (TypeError, "seed must be an integer >= 0, got None", {"seed": None}),
        (ValueError, "seed must be an integer >= 0, got -1", {"seed": -1}),
    ],
)
def test_a_toy_set_refuses(
    name: str, error: type[Exception], message: str, arguments: dict[str, Any]
) -> None:
    least = 1 if name == "xor" else 2
    with pytest.raises(error, match=says(message.format(least=least))):
        TOYS[name](**arguments)


def test_xor_goes_around_the_corners() -> None:
    x, y = datasets.xor(6)
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [0, 1]]
    assert y.tolist() == [0, 1, 1, 0, 0, 1]


def test_noise_has_the_standard_deviation_asked_for() -> None:
    n = 40_000
    spread = (datasets.xor(n, noise=0.25).x - datasets.xor(n).x).std()
    assert spread == pytest.approx(0.25, abs=0.25 * 4 / np.sqrt(2 * 2 * n))  # four standard errors


@pytest.mark.parametrize("n", [2, 101])
def test_two_moons_without_noise_are_half_circles(n: int) -> None:
    x, y = datasets.two_moons(n, noise=0)
    assert np.bincount(y).tolist() == [n - n // 2, n // 2]
    centre = np.array([[0, 0], [1, 0.5]])[y]
    np.testing.assert_allclose(np.hypot(*(x - centre).T), 1, rtol=1e-6)  # float32
    assert (x[y == 0, 1] >= -1e-6).all()
    assert (x[y == 1, 1] <= 0.5 + 1e-6).all()


def test_two_moons_come_shuffled() -> None:
    assert 20 < datasets.two_moons(100).y[:50].sum() < 30 + 1


def test_spirals_without_noise_wind_as_the_formula_says() -> None:
    x, y = datasets.spirals(100, n_classes=3, turns=2, noise=0)
    assert np.bincount(y).tolist() == [34, 33, 33]
    radius = np.hypot(*x.T)
    assert radius.min() == pytest.approx(0.1, rel=1e-6)
    assert radius.max() == pytest.approx(1, rel=1e-6)
    turned = np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi) - 2 * radius - y / 3
    # Whole turns are left, up to the rounding of float32 at radius 0.1.
    np.testing.assert_allclose(turned, np.rint(turned), atol=1e-5)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("n_classes must be an integer >= 2, got 1", {"n_classes": 1}),
        ("n must be an integer >= 5, got 4", {"n": 4, "n_classes": 5}),
        ("turns must be a finite number > 0, got 0", {"turns": 0}),
    ],
)
def test_spirals_refuse(message: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=says(message)):
        datasets.spirals(**arguments)


@pytest.mark.parametrize(
    "function", [*(getattr(datasets, name) for name in datasets.__all__), Dataset, Split]
)
def test_help_shows_types_by_their_names(function: Any) -> None:
    """An alias such as ArrayLike is a union of hundreds of letters where it is evaluated."""
    assert len(str(inspect.signature(function))) < 350
