"""Augmentation within fit: which images are trained on, same bits, resuming, stopping, errors."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_stopping import DuringEpoch, Stop, interrupt
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import _core, _core64
from nnlearn.augment import Compose, Elastic, Rotate, Scale, Shift, Skew

DIGITS = nn.datasets.load_mnist_small().take(300)
TRAIN = DIGITS.train
LITTLE = Compose(Shift(1), Rotate(10), Skew(0.1), Scale(0.1), Elastic(20, 4))
SETTINGS: dict[str, Any] = {"learning_rate": 0.5, "momentum": 0.5, "l2": 0.1}
CORES: dict[str, Any] = {"float32": _core, "float64": _core64}


def network(seed: int = 7, **settings: Any) -> nn.Network:
    return nn.Network([784, 16, 10], seed=seed, dropout=0.2, **settings)


def fit(net: nn.Network, epochs: int, x: Any = TRAIN, y: Any = None, **more: Any) -> nn.History:
    return net.fit(x, y, **{"epochs": epochs, "augment": LITTLE, **SETTINGS, **more})


def images_of(x: Any, seed: int, epoch: int, dtype: str = "float32") -> Any:
    """What an epoch, from 0, makes of x."""
    rows = np.ascontiguousarray(x, dtype)
    out = np.empty_like(rows)
    CORES[dtype].Data(rows).augment(((1, 28, 28), LITTLE._specs()), out, seed, epoch, 1)
    return out


def assert_same(one: nn.Network, other: nn.Network) -> None:
    assert_same_bits(snapshot(one), snapshot(other))
    assert one._core.counters == other._core.counters


# ---- which images -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", CORES)
@pytest.mark.parametrize(("batch_size", "n"), [(1, 100), (7, 250), (100, 250), (1200, 1500)])
def test_each_epoch_trains_on_images_of_its_own(batch_size: int, n: int, dtype: str) -> None:
    """Beside fits without augmentation of the arrays that epochs 0, 1, 2 make, bit for bit."""
    x, y = np.tile(TRAIN.x, (5, 1))[:n], np.tile(TRAIN.y, 5)[:n]
    net, twin = network(dtype=dtype), network(dtype=dtype)
    history = fit(net, 3, x, y, batch_size=batch_size, augment=Compose(LITTLE, shape=(28, 28)))
    for epoch in range(3):
        changed = images_of(x, 7, epoch, dtype)
        fit(twin, 1, changed, y, batch_size=batch_size, augment=None, sparse=False)
    assert_same(net, twin)
    np.testing.assert_array_equal(history["loss"], twin.history["loss"])


def test_the_first_epoch_sees_what_calling_the_part_gives() -> None:
    np.testing.assert_array_equal(images_of(TRAIN.x, 3, 0), LITTLE(TRAIN, seed=3))
    assert np.abs(images_of(TRAIN.x, 3, 1) - LITTLE(TRAIN, seed=3)).max() > 0.1


def test_bytes_are_pixels_of_i_255ths() -> None:
    x = np.rint(255 * TRAIN.x).astype(np.uint8)
    net, twin = network(), network()
    fit(net, 2, nn.Split(x, TRAIN.y, image_shape=(28, 28)))
    fit(twin, 2, nn.Split((x / 255.0).astype(np.float32), TRAIN.y, image_shape=(28, 28)))
    assert_same(net, twin)
    assert net._input_scale == 255


def test_a_sparse_matrix_is_written_out() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    net, twin = network(), network()
    fit(net, 2, sparse.csr_matrix(TRAIN.x), TRAIN.y, augment=Compose(LITTLE, shape=(28, 28)))
    fit(twin, 2)
    assert_same(net, twin)


def test_evaluated_sets_stay_as_they_are() -> None:
    net, twin = network(), network()
    history = fit(net, 2, validation=DIGITS.validation, evaluate_train=True, evaluate_first=True)
    fit(twin, 2)
    assert_same(net, twin)
    assert history["val_loss"][-1] == pytest.approx(net.loss(DIGITS.validation), rel=1e-6)
    assert history["train_loss"][-1] == pytest.approx(net.loss(TRAIN), rel=1e-6)
    assert history["train_accuracy"][-1] == net.accuracy(TRAIN)


def test_held_out_rows_stay_as_they_are() -> None:
    net = network()
    history = fit(net, 2, validation=0.25)
    other = network()
    plain = fit(other, 0, validation=0.25, evaluate_first=True)
    first = fit(network(), 0, validation=0.25, evaluate_first=True, augment=None)
    assert plain.start == first.start
    assert np.isfinite(history["val_loss"]).all()


@pytest.mark.parametrize(
    "part", [Shift(0), Compose(), Compose(Rotate(0), Elastic(0, 99))], ids=repr
)
def test_a_part_that_changes_nothing_is_no_augmentation(part: Any) -> None:
    net, twin = network(), network()
    fit(net, 2, TRAIN.x, TRAIN.y, augment=part)
    fit(twin, 2, TRAIN.x, TRAIN.y, augment=None)
    assert_same(net, twin)


def test_the_shape_comes_from_part_split_network_or_x() -> None:
    expected = network()
    fit(expected, 1)
    x, y, shape = TRAIN.x, TRAIN.y, (28, 28)
    for net, rows, part in (
        (network(), x, Compose(LITTLE, shape=shape)),
        (network(), nn.Split(x, y, image_shape=(1, 28, 28)), LITTLE),
        (network(), x.reshape(-1, 28, 28), LITTLE),
        (nn.Network([shape, 16, 10], seed=7, dropout=0.2), x, LITTLE),
        (nn.Network([(1, *shape), 16, 10], seed=7, dropout=0.2), x, LITTLE),
        (network(), nn.Split(x, y, image_shape=(14, 56)), Compose(LITTLE, shape=shape)),
    ):
        fit(net, 1, rows, None if isinstance(rows, nn.Split) else y, augment=part)
        assert_same(net, expected)
    other = network()
    fit(other, 1, nn.Split(x, y, image_shape=(4, 14, 14)))
    assert not np.array_equal(other.weights[0], expected.weights[0])


# ---- same bits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch_size", "n"), [(10, 250), (64, 250), (1200, 1500)])
def test_the_number_of_threads_changes_nothing(batch_size: int, n: int) -> None:
    x, y = np.tile(TRAIN.x, (5, 1))[:n], np.tile(TRAIN.y, 5)[:n]
    nets = [network(n_threads=threads) for threads in (1, 2, 3)]
    part = Compose(LITTLE, shape=(28, 28))
    assert nets[0]._core.paths(_core.Data(x), batch_size, ((1, 28, 28), LITTLE._specs()))[1] == (
        batch_size > 10
    )
    for net in nets:
        fit(net, 2, x, y, batch_size=batch_size, augment=part)
        assert_same(net, nets[0])


@pytest.mark.parametrize("parts", [(2, 4), (1, 0, 5)], ids=str)
def test_fit_in_parts_is_fit_at_once(parts: tuple[int, ...]) -> None:
    once, twice = network(), network()
    fit(once, 6)
    for epochs in parts:
        fit(twice, epochs)
    assert_same(once, twice)


def test_a_copy_goes_on_as_the_original_does() -> None:
    net = network()
    fit(net, 1)
    other = net.copy()
    fit(net, 2)
    fit(other, 2)
    assert_same(net, other)


def test_the_seed_of_a_fit_decides() -> None:
    nets = [network() for _ in range(3)]
    for net, seed in zip(nets, (5, 5, 6), strict=True):
        fit(net, 1, seed=seed, shuffle=False)
    assert_same(nets[0], nets[1])
    assert not np.array_equal(nets[0].weights[0], nets[2].weights[0])


def test_the_interrupted_epoch_begins_anew_with_the_same_images() -> None:
    net, twin = network(), network()
    fit(net, 1)
    fit(twin, 1)
    fit(net, 3, callbacks=Stop("epoch_begin"))
    fit(net, 2)
    fit(twin, 2)
    assert_same(net, twin)


def test_ctrl_c_within_an_epoch_leaves_whole_epochs_and_the_same_images() -> None:
    x, y = np.tile(TRAIN.x, (30, 1)), np.tile(TRAIN.y, 30)
    part = Compose(LITTLE, shape=(28, 28))
    net, twin = network(), network()
    with pytest.raises(KeyboardInterrupt):
        fit(net, 10**6, x, y, batch_size=100, augment=part, callbacks=DuringEpoch(2, interrupt))
    epochs = len(net.history)
    assert epochs >= 1
    assert net._core.counters[0] == epochs
    fit(twin, epochs, x, y, batch_size=100, augment=part)
    twin_state = twin.copy()
    for name, array in twin.parameters.items():  # from the same weights and velocity
        net.parameters[name] = array
    for each in (net, twin_state):
        fit(each, 1, x[:500], y[:500], augment=part, momentum=0.0)
    assert_same_bits(net.parameters, twin_state.parameters)


def test_resumed_it_is_the_same_fit(tmp_path: Path) -> None:
    path = tmp_path / "fit"
    whole, half, rest = network(), network(), network()
    fit(whole, 5)
    fit(half, 2, callbacks=nn.Checkpoint(path))
    fit(rest, 5, resume=path)
    assert_same(rest, whole)
    with pytest.raises(ValueError, match="augment"):
        fit(network(), 5, resume=path, augment=Shift(1))
    with pytest.raises(ValueError, match="augment"):
        fit(network(), 5, resume=path, augment=None)


def test_compare_and_vary_take_it() -> None:
    data = nn.Dataset(TRAIN, DIGITS.validation)
    variants = nn.vary("augment", [None, Shift(1)])
    comparison = nn.compare(
        variants, data, layers=[784, 8, 10], seeds=2, epochs=2, verbose=0, **SETTINGS
    )
    alone = nn.Network([784, 8, 10], seed=1)
    alone.fit(TRAIN, epochs=2, augment=Shift(1), **SETTINGS)
    plain, shifted = (comparison[name][1].network for name in variants)
    assert_same_bits(shifted.parameters, alone.parameters)
    assert not np.array_equal(plain.weights[0], shifted.weights[0])


LEVELS = """
import hashlib
import test_augment_fit as t
from nnlearn import _core
net = t.network()
t.fit(net, 1, augment=t.Compose(t.Shift(1), t.Rotate(10)))
images = t.LITTLE(t.TRAIN, seed=3)
affine = t.Compose(t.Shift(1), t.Rotate(10))(t.TRAIN, seed=3)
digest = hashlib.sha256(affine.tobytes()).hexdigest()
print(_core.info()["kernels"], digest, float(images.sum(dtype=float)))
"""


def test_kernels_of_every_level_give_the_same_affine_images_and_elastic_ones_to_rounding() -> None:
    said = []
    for level in ("portable", "v3", "v4"):
        env = {**os.environ, "NNLEARN_KERNELS": level, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", LEVELS], capture_output=True, text=True, env=env, timeout=60
        )
        if done.returncode == 0:
            said.append(done.stdout.split())
        else:
            assert "a level that this CPU has" in done.stderr
    assert said[0][0] == "portable"
    for _, affine, total in said:
        assert affine == said[0][1]
        assert float(total) == pytest.approx(float(said[0][2]), rel=1e-5)


# ---- errors and words ---------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no shape": (
        {"x": TRAIN.x, "y": TRAIN.y},
        ValueError,
        r"the shape of the images must be known .*got x of shape \(300, 784\): give shape=",
    ),
    "another shape": (
        {"augment": Shift(1, shape=(20, 20))},
        ValueError,
        r"the shape of the images must have 784 pixels, as the input layer, got \(20, 20\)",
    ),
    "sigma": ({"augment": Elastic(1, 29)}, ValueError, "sigma must be at most 28, .*got 29"),
    "a function": ({"augment": abs}, TypeError, "augment must be a part of nnlearn.augment or No"),
    "a list": ({"augment": [Shift(1)]}, TypeError, "put parts together with augment.Compose"),
    "a class": ({"augment": Shift}, TypeError, "augment must be a part"),
    "a word": ({"augment": "elastic"}, TypeError, "augment must be a part"),
    "sparse": ({"sparse": True}, ValueError, "sparse must be None or False with augment"),
    "foreign": ({"data_augmentation": Shift(1)}, TypeError, "use augment="),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_anything_changes(name: str) -> None:
    given, kind, words = BAD[name]
    net, twin = network(), network()
    with pytest.raises(kind, match=words):
        fit(net, 1, **given)
    assert_same(net, twin)
    assert len(net.history) == 0


def test_explain_says_that_images_are_changed() -> None:
    net = network()
    assert "are not 0; their sparse form takes" in net.explain(TRAIN)
    text = net.explain(TRAIN, augment=LITTLE)
    line = "x: all of its numbers, as images of 28 x 28 changed anew in every epoch "
    assert line + "(shift, rotate, skew, scale, elastic)" in text
    assert "on the nonzeros alone" not in text
    assert net.explain(TRAIN, augment=Shift(0)) == net.explain(TRAIN)
    with pytest.raises(ValueError, match="shape of the images must be known"):
        net.explain(TRAIN.x, augment=LITTLE)


def test_a_step_allocates_nothing() -> None:
    net = network()
    core = net._core_module
    counts: list[int] = []
    fit(net, 4, callbacks=[lambda net, history: counts.append(core.allocation_count()) and None])
    assert len(set(counts)) == 1


def test_augmentation_helps_where_images_are_few() -> None:
    errors = []
    for part in (None, Compose(Shift(2), Rotate(10), Elastic(20, 4))):
        net = nn.Network([784, 50, 10], seed=1)
        net.fit(TRAIN, epochs=60, learning_rate=0.5, augment=part)
        errors.append(1 - net.accuracy(DIGITS.test))
    assert errors[1] < 0.8 * errors[0]
