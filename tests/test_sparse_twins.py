"""Fits on sparse rows beside fits on dense ones and the twin: odd sizes, all settings.

A seeded sample of the sizes runs here; every size and setting has its turn in it.
"""

import dataclasses
from typing import Any

import numpy as np
import pytest
from reference import Dense, Dropout, relative_error
from twins import as_numbers, make_pair, snapshot

import nnlearn as nn
from nnlearn.optimizers import OPTIMIZERS

#: A few dozen steps, each with the rounding of sums of up to 784 terms (1e-16 or 1e-7 each);
#: nothing here amplifies it. In 1,000 cases the worst were 3e-14 and 2.3e-5.
TOLERANCE = {"float64": 1e-12, "float32": 1e-4}

#: With l1 a weight that comes to 0 may fall to either side, by rounding, which is a step's length.
AT_THE_KINK = {"float64": 1e-12, "float32": 1e-2}

INPUTS = [*range(1, 131, 3), 64, 65, 128, 129, 784]
HIDDEN = [1, 3, 30, 64, 65, 80, 81, 100, 130, 161]
BATCHES = [1, 2, 7, 10, 31, 32, 33, 100, 257, 1000]
DENSITIES = [0.0, 0.05, 0.3, 1.0]
KINDS = ["float32", "float64", "uint8", "csr"]

#: name -> settings of the fit; decay is eta l2/n, turned into l2 by the size of the set.
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "nesterov without momentum": {"nesterov": True},
    "l1": {"l1": 0.5},
    "l1 and momentum": {"l1": 0.5, "decay": 0.01, "momentum": 0.5},
    "decay, lazy": {"decay": 0.01},
    "decay, lazy and folded in": {"decay": 0.4},
    "decay, the most that is lazy": {"decay": 0.5},
    "decay, too much to be lazy": {"decay": 0.7},
    "decay of all": {"decay": 1.0},
    "decay beyond": {"decay": 1.5},
    "decay and momentum": {"decay": 0.1, "momentum": 0.8},
    "decay and nesterov": {"decay": 0.1, "momentum": 0.8, "nesterov": True},
    "decay of biases": {"decay": 0.1, "penalize_biases": True},
    "dropout": {"dropout": 0.4, "decay": 0.01},
    "dropout and momentum": {"dropout": 0.4, "momentum": 0.5},
    "weights": {"weighted": True, "decay": 0.01},
    "weights and momentum": {"weighted": True, "momentum": 0.9},
}


@dataclasses.dataclass(frozen=True)
class Case:
    """Sizes, data and settings of one fit."""

    n_inputs: int
    hidden: int
    batch_size: int
    density: float
    kind: str
    setting: str
    seed: int

    def __str__(self) -> str:
        return "-".join(map(str, dataclasses.astuple(self)))


def cases(n: int, seed: int) -> list[Case]:
    """Each list is gone through in an order of its own, again and again."""
    rng = np.random.default_rng(seed)

    def deal(values: list[Any]) -> list[Any]:
        rounds = -(-n // len(values))
        return [values[i] for _ in range(rounds) for i in rng.permutation(len(values))][:n]

    lists: list[list[Any]] = [INPUTS, HIDDEN, BATCHES, DENSITIES, KINDS, list(SETTINGS)]
    dealt = zip(*map(deal, lists), strict=True)
    return [Case(*chosen, seed=i) for i, chosen in enumerate(dealt)]


CASES = cases(90, seed=1)


def rows_of(batch_size: int) -> int:
    """A few batches and a short one, some 40 steps at most; fewer rows than a batch of 1000."""
    return {1: 17, 2: 31, 7: 100, 1000: 300}.get(batch_size, 2 * batch_size + 5)


def some_x(case: Case, n: int) -> Any:
    """Bytes, or numbers of up to 1 in size; every fifth row and seventh column is empty."""
    rng = np.random.default_rng(case.seed)
    shape = n, case.n_inputs
    there = rng.random(shape) < case.density
    if case.density < 1:
        there[3::5] = False
        there[:, 2::7] = False
    if case.kind == "uint8":
        return (rng.integers(1, 256, shape) * there).astype(np.uint8)
    return (rng.uniform(-1, 1, shape) * there).astype("f8" if case.kind == "float64" else "f4")


def errors(case: Case, dtype: str) -> dict[str, float]:
    """How far a fit on sparse rows is from that on dense ones and from the twin's: for each
    parameter in units of the largest, at the start or in the end, whichever is larger."""
    settings = dict(SETTINGS[case.setting])
    n = rows_of(case.batch_size)
    eta = 0.03 if "momentum" in settings else 0.2
    x, y = some_x(case, n), np.arange(n) % 3
    layers = [case.n_inputs, Dense(case.hidden, "tanh"), Dense(3)]
    if "dropout" in settings:
        layers.insert(2, Dropout(settings.pop("dropout")))
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": case.batch_size}
    arguments["l1"] = settings.pop("l1", 0.0)
    arguments["l2"] = settings.pop("decay", 0.0) * n / eta
    arguments["penalize_biases"] = settings.pop("penalize_biases", False)
    if settings.pop("weighted", False):
        arguments["sample_weight"] = np.linspace(0, 2, n)
    settings["learning_rate"] = eta
    dense, twin = make_pair(layers, cost="cross_entropy", dtype=dtype, seed=case.seed)
    sparse, start = dense.copy(), snapshot(dense)
    columns = twin.fit(as_numbers(x), y, settings=settings, **arguments)
    optimizer = OPTIMIZERS["sgd"](**settings)
    for net in (sparse, dense):
        rows = x
        if net is sparse and case.kind == "csr":
            rows = pytest.importorskip("scipy.sparse").csr_matrix(x)
        net.fit(rows, y, optimizer=optimizer, sparse=net is sparse, **arguments)
    found = {
        column: relative_error(sparse.history[column], columns[column])
        for column in ("loss", "accuracy", "penalty")
    }
    for name, value in sparse.parameters.items():
        size = max(np.abs(start[name]).max(), np.abs(twin.parameters[name]).max())
        for other in (dense.parameters[name], twin.parameters[name]):
            error = float(np.abs(value - other).max() / size)
            found[name] = max(found.get(name, 0.0), error)
    return found


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_sparse_rows_train_as_dense_ones_and_as_the_twin(case: Case, dtype: str) -> None:
    tolerance = (AT_THE_KINK if "l1" in case.setting else TOLERANCE)[dtype]
    for name, error in errors(case, dtype).items():
        assert error < tolerance, name


def test_every_size_and_setting_has_its_turn() -> None:
    for field, values in (
        ("n_inputs", INPUTS),
        ("hidden", HIDDEN),
        ("batch_size", BATCHES),
        ("density", DENSITIES),
        ("kind", KINDS),
        ("setting", SETTINGS),
    ):
        assert {getattr(case, field) for case in CASES} == set(values)


# ---------------------------------------------------------------- what the sample may miss


def few(n: int, n_inputs: int, dtype: str = "float32", density: float = 0.2) -> tuple[Any, Any]:
    """x with a share of numbers that are not 0, and labels of three classes."""
    rng = np.random.default_rng(n)
    x = rng.uniform(-1, 1, (n, n_inputs)) * (rng.random((n, n_inputs)) < density)
    return x.astype(dtype), np.arange(n) % 3


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("hidden", [5, 70])
@pytest.mark.parametrize("decay", [0.01, 0.2, 0.5])
def test_lazy_decay_that_is_taken_in_within_an_epoch(decay: float, hidden: int, dtype: str) -> None:
    """More steps than the scale has powers of two: it falls below 2^-20 at least once."""
    n = 1600
    assert (1 - decay) ** n < 2**-20
    x, y = few(n, 9)
    net, twin = make_pair([9, Dense(hidden, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    start, settings = snapshot(net), {"learning_rate": 0.1}
    net.fit(x, y, epochs=1, batch_size=1, l2=decay * n / 0.1, sparse=True, **settings)
    twin.fit(x, y, epochs=1, batch_size=1, l2=decay * n / 0.1, settings=settings)
    for name, value in net.parameters.items():
        error = np.abs(value - twin.parameters[name]).max() / np.abs(start[name]).max()
        assert error < TOLERANCE[dtype], name


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.8}], ids=str)
def test_a_batch_of_more_rows_than_a_block(settings: dict[str, Any], dtype: str) -> None:
    """Gradients of blocks of sparse rows add up; the last batch is one block alone."""
    x, y = few(4000, 90)
    layers = [90, Dense(100, "tanh"), Dropout(0.5), Dense(3)]
    net, twin = make_pair(layers, cost="cross_entropy", dtype=dtype)
    settings = {"learning_rate": 0.3, **settings}
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": 3001, "l2": 30.0}
    net.fit(x, y, sparse=True, optimizer=OPTIMIZERS["sgd"](**settings), **arguments)
    twin.fit(x, y, settings=settings, **arguments)
    for name, value in net.parameters.items():
        assert relative_error(value, twin.parameters[name]) < TOLERANCE[dtype], name


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("hidden", [30, 100])
def test_all_256_bytes(hidden: int, dtype: str) -> None:
    x = np.tile(np.arange(256, dtype=np.uint8), 3).reshape(24, 32).T.copy()
    y = np.arange(32) % 3
    net, twin = make_pair([24, Dense(hidden, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    settings = {"learning_rate": 0.1}
    net.fit(x, y, epochs=3, batch_size=5, sparse=True, **settings)
    twin.fit(x / 255, y, epochs=3, batch_size=5, settings=settings)
    assert set(x.ravel()) == set(range(256))
    for name, value in net.parameters.items():
        assert relative_error(value, twin.parameters[name]) < TOLERANCE[dtype], name


@pytest.mark.parametrize(
    "settings",
    [{}, {"l2": 1.0}, {"l2": 160.0}, {"momentum": 0.9}, {"learning_rate": 5.0}],
    ids=str,
)
@pytest.mark.parametrize("hidden", [30, 100])
@pytest.mark.parametrize("huge", [1e20, 1e36, 3e38])
def test_denormal_and_huge_numbers(huge: float, hidden: int, settings: dict[str, Any]) -> None:
    """Units that huge inputs saturate stop learning; nothing becomes infinite on the way.

    The twin, in float64, has no such edge: the dense path stands beside.
    """
    x, y = few(200, 120)
    x[::3, 5], x[1::3, 6], x[:, 7] = huge, -huge, 1e-40
    arguments = {"epochs": 2, "learning_rate": 0.5, "batch_size": 4, **settings}
    nets = [nn.Network([120, hidden, 3], seed=1) for _ in range(2)]
    for net, sparse in zip(nets, (True, False), strict=True):
        net.fit(x, y, sparse=sparse, **arguments)
    for name, value in nets[0].parameters.items():
        assert np.isfinite(value).all()
        assert relative_error(value, nets[1].parameters[name]) < TOLERANCE["float32"], name
