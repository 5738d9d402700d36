"""The benchmarks of augmentation: that NumPy and SciPy change images as nnlearn does, given the
same random numbers, and that both cases measure and check what they say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reference_augment

import nnlearn as nn
from benchmarks import datasets, readme, report
from benchmarks.augment_cases import AugmentedTraining, Distorting
from benchmarks.case import BATCHED, Case, Rig
from benchmarks.distortion import Distorter, Distortion, Draws, draw
from benchmarks.peers import base
from benchmarks.peers.numpy_images import NumpyDistorter
from benchmarks.peers.ours import augmentation

# Places in float32: a few hundred roundings of numbers below 100.
PIXELS = 2e-4
SEED = 5
DISTORTION = Distortion()
DIGITS = nn.datasets.load_mnist_small()

#: Every amount at its own, and each alone.
DISTORTIONS = {
    "all": Distortion(pixels=2.0, degrees=20.0, skew=0.3, alpha=34.0, sigma=4.0),
    "shift": Distortion(pixels=3.5, degrees=0.0, skew=0.0, alpha=0.0),
    "rotate": Distortion(pixels=0.0, degrees=25.0, skew=0.0, alpha=0.0),
    "skew": Distortion(pixels=0.0, degrees=0.0, skew=0.4, alpha=0.0),
    "elastic": Distortion(pixels=0.0, degrees=0.0, skew=0.0, alpha=30.0, sigma=2.5),
    "wide": Distortion(side=9, alpha=5.0, sigma=7.0),
}


def distorter(name: str, distortion: Distortion) -> Distorter:
    if name == "scipy":
        pytest.importorskip("scipy.ndimage")
    made: Distorter = base.load(name).distorter(distortion)
    return made


def images(n: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, side * side)).astype(np.float32)


def our_draws(n: int, side: int) -> Draws:
    """The random numbers that nnlearn draws for its first n images."""

    def words(name: str) -> np.ndarray:
        """The first two words of each image, as numbers in [-1, 1]."""
        found = [reference_augment.words(SEED, f"{name}1", row, 0, 1)[0, :2] for row in range(n)]
        return (np.array(found).astype(float) + 0.5) / 2**31 - 1

    fields = [
        reference_augment.uniforms(SEED, "elastic1", row, 0, 2 * side * side) for row in range(n)
    ]
    return Draws(
        shift=words("shift"),
        angle=words("rotate")[:, 0],
        skew=words("skew")[:, 0],
        fields=np.array(fields, np.float32).reshape(n, 2, side, side),
    )


# ---- what is computed ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DISTORTIONS)
@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_peers_change_images_as_nnlearn_does_given_the_same_random_numbers(
    name: str, kind: str
) -> None:
    distortion = DISTORTIONS[kind]
    x = images(6, distortion.side)
    expected = augmentation(distortion)(x, seed=SEED)
    found = distorter(name, distortion).changed(x, our_draws(len(x), distortion.side))
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= PIXELS
    assert np.abs(expected - x).mean() > 0.05


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_all_images_are_changed_whatever_number_a_call_takes(name: str) -> None:
    """One more than a whole number of calls; each has random numbers of its own."""
    made = distorter(name, DISTORTION)
    x = np.repeat(images(1, 28), 2 * made.at_a_time + 1, axis=0)
    found = made(x, SEED)
    np.testing.assert_array_equal(found, made(x, SEED))
    assert len(np.unique(found, axis=0)) == len(x)
    whole = distorter(name, DISTORTION)
    whole.at_a_time = len(x)
    draws = draw(np.random.default_rng(SEED), len(x), 28)
    np.testing.assert_array_equal(whole(x, SEED), whole.changed(x, draws))


def test_numbers_drawn_are_uniform_between_minus_one_and_one() -> None:
    draws = draw(np.random.default_rng(0), 500, 28)
    assert draws.shift.shape == (500, 2)
    for numbers in draws:
        assert np.abs(numbers).max() <= 1
        bound = 4 * np.sqrt(1 / 3 / numbers.size)
        assert abs(numbers.mean()) < bound
        assert numbers.var() == pytest.approx(1 / 3, rel=0.2)


def test_peers_without_images_have_no_distorter() -> None:
    assert base.load("loop").distorter(DISTORTION) is None


def test_scipy_is_asked_for_no_network() -> None:
    pytest.importorskip("scipy.ndimage")
    assert "scipy" not in BATCHED
    with pytest.raises(NotImplementedError, match="trains no networks"):
        base.load("scipy").model(base.Work((4, 3, 2), 1, 0.1), (), 1)


# ---- the cases ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """The digits inside nnlearn in place of MNIST."""
    folder: Path = tmp_path_factory.mktemp("data")
    train, test = DIGITS.train, DIGITS.test
    for part, array in zip(
        datasets.PARTS, (train.x[:1500], train.y[:1500], test.x[:400], test.y[:400]), strict=True
    ):
        np.save(folder / f"mnist.{part}.npy", array)
    return Rig(folder, quick=True, core=0, cores=(0,))


def ready(case: type[Case], name: str, rig: Rig) -> Case:
    made = case()
    made.setup(name, base.load(name), rig)
    return made


@pytest.mark.parametrize("name", ["nnlearn", "numpy", "scipy"])
def test_images_of_every_peer_change_as_much(name: str, rig: Rig) -> None:
    if name == "scipy":
        pytest.importorskip("scipy.ndimage")
    case = ready(Distorting, name, rig)
    times = case.time(1)
    assert set(times) == {"whole", "one_by_one"} if name == "scipy" else {"whole"}
    assert min(times.values()) > 0
    reference = ready(Distorting, "numpy", rig)
    reference.time(2)  # other numbers
    assert case.check() == pytest.approx(reference.check(), abs=Distorting.tolerance)


@pytest.mark.parametrize(
    "other", [{"alpha": 24.0}, {"sigma": 3.4}, {"degrees": 14.0}, {"pixels": 1.7}, {"skew": 0.2}]
)
def test_the_check_tells_other_distortions(other: dict[str, float]) -> None:
    x = DIGITS.train.x[:2000]
    own, changed = (
        np.abs(NumpyDistorter(one)(x, 0) - x).mean()
        for one in (DISTORTION, replace(DISTORTION, **other))
    )
    assert abs(changed - own) > Distorting.tolerance


def test_augmented_training_is_timed_beside_plain_training(rig: Rig) -> None:
    case = ready(AugmentedTraining, "nnlearn", rig)
    times = case.time(1)
    assert set(times) == {"augmented", "plain", "as_given"}
    assert min(times.values()) > 0
    settings = {name: model.settings for name, model in case.models.items()}
    assert settings["augmented"]["augment"] == augmentation(DISTORTION)
    assert settings["plain"]["sparse"] is False
    # Dense steps with and without the changes: the plain ones must not leave out zeros.
    images_once = case.models["plain"].data[0]
    np.testing.assert_array_equal(images_once, augmentation(DISTORTION)(case.set.x))


def test_augmented_training_that_learns_nothing_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AugmentedTraining, "LEAST_ACCURACY", 0.0)
    case = ready(AugmentedTraining, "nnlearn", rig)
    case.check()
    monkeypatch.setattr(AugmentedTraining, "LEAST_ACCURACY", 1.0)
    with pytest.raises(RuntimeError, match=r"the accuracy of augmented must be at least 1\.0"):
        case.check()


# ---- what is said -------------------------------------------------------------------------------


def augmented_row(plain: float) -> report.Row:
    found = {"augmented": 3.0e-6, "plain": plain, "as_given": 1e-6}
    peers = {"nnlearn": {**found, "check": None, "valid": True, "turns": [found]}}
    return report.row(AugmentedTraining, peers, None)


@pytest.mark.parametrize(
    ("plain", "value", "reached", "exceeded"),
    [(1e-6, 3.0, False, False), (1.6e-6, 1.875, True, False), (2e-6, 1.5, True, True)],
)
def test_augmented_training_is_held_against_twice_the_plain(
    plain: float, value: float, reached: bool, exceeded: bool
) -> None:
    (goal,) = augmented_row(plain)["goals"]
    assert goal["value"] == pytest.approx(value)
    assert (goal["reached"], goal["exceeded"]) == (reached, exceeded)


def test_the_table_says_how_many_times_the_plain_step_takes() -> None:
    row = augmented_row(1.6e-6)
    assert readme.our_cell(row) == "3 us (1.88 times plain)"
    assert "augmented / plain: 1.88; goal 2, beyond 1.8: reached" in report.lines(row)
