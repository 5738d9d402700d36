"""The core's allocator fails at the k-th call, for every k: an error, and nothing has changed."""

import copy
import functools
import itertools
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fits import X, Y
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import _core, _core64, _sparse
from nnlearn.augment import Compose, Elastic, Shift

CORES: dict[str, ModuleType] = {"float32": _core, "float64": _core64}
TARGETS, WEIGHTS = np.eye(3)[Y], np.linspace(0, 2, len(X))
SGD: dict[str, Any] = {"epochs": 2, "learning_rate": 0.3, "l2": 0.1}
MOMENTUM = SGD | {"momentum": 0.9}

CHANGES = Compose(Shift(1), Elastic(1, 1), shape=(2, 2))

Call = Callable[[nn.Network], Any]


def network(dtype: str) -> nn.Network:
    return nn.Network([4, 5, nn.Dropout(0.2), nn.Activation("tanh"), 3], seed=1, dtype=dtype)


#: What a network may have behind it when memory runs out.
LIVES: dict[str, Callable[[str], nn.Network]] = {
    "new": network,
    "trained": lambda dtype: trained(network(dtype), SGD),
    "trained with momentum": lambda dtype: trained(network(dtype), MOMENTUM),
}


def trained(net: nn.Network, settings: dict[str, Any]) -> nn.Network:
    net.fit(X, Y, **settings)
    return net


def kept(net: nn.Network) -> dict[str, Any]:
    """All that makes a network and could be changed."""
    return snapshot(net) | {
        "counters": np.array(net._core.counters),
        "history": np.array(
            [net.history[name] for name in net.history.columns if name != "seconds"]
        ),
        "step_loss": net.history.step_loss,
    }


def sweep(core: ModuleType, call: Callable[[], Any], failure: type[Exception]) -> tuple[int, Any]:
    """Calls with the k-th allocation failing, k = 1, 2, ..., until no call fails any more.

    Returns how many have failed, and what the last one returned.
    """
    for k in itertools.count(1):
        before = core.allocation_count()
        core.fail_allocation_at(k)
        try:
            answer = call()
        except failure:
            assert core.allocation_count() >= before + k  # it is this failure
            continue
        finally:
            core.fail_allocation_at(0)
        assert core.allocation_count() < before + k, f"failure {k} was passed over"
        return k - 1, answer
    raise AssertionError


def arrays_of(answer: Any) -> list[Any]:
    """The numbers of whatever a method has returned."""
    if isinstance(answer, nn.Network):
        return list(kept(answer).values())
    if isinstance(answer, nn.History):
        return [answer["loss"], answer.step_loss]
    if isinstance(answer, (tuple, list)):
        return [array for part in answer for array in arrays_of(part)]
    if isinstance(answer, nn.Evaluation):
        return [answer.losses, answer.rank, answer.confidence, answer.probability]
    if hasattr(answer, "values"):
        return list(answer.values())
    if hasattr(answer, "delta"):
        return [*answer.z, *answer.a, *answer.delta]
    return [np.asarray(answer)]


#: Calls that leave the network alone, and the fewest allocations of the core in each.
LOOKS: dict[str, tuple[Call, int]] = {
    "forward": (lambda net: net.forward(X), 5),
    "predict": (lambda net: net.predict(X), 5),
    "predict_proba": (lambda net: net.predict_proba(X), 5),
    "accuracy": (lambda net: net.accuracy(X, Y), 6),
    "loss": (lambda net: net.loss(X, TARGETS), 6),
    "evaluate": (lambda net: net.evaluate(X, Y), 6),
    "evaluate an ensemble": (lambda net: nn.Ensemble([net, net]).evaluate(X, TARGETS), 10),
    "inspect": (lambda net: net.inspect(X, Y), 7),
    "cost_and_gradient": (
        lambda net: net.cost_and_gradient(X, TARGETS, sample_weight=WEIGHTS, training=True),
        7,
    ),
    "copy": (lambda net: net.copy(), 4),
    "deepcopy": (copy.deepcopy, 4),
    "pickle": (lambda net: pickle.loads(pickle.dumps(net)), 4),
    "astype": (lambda net: net.astype(net.dtype), 4),
}

#: Fits; what the next fit gives shows that the optimiser's state is whole, too.
FITS: dict[str, tuple[Call, int]] = {
    "fit": (lambda net: net.fit(X, Y, **SGD), 5),
    "fit with momentum": (lambda net: net.fit(X, Y, **MOMENTUM), 7),
    "fit with augmentation": (lambda net: net.fit(X, Y, augment=CHANGES, **SGD), 6),
    "fit with weights": (lambda net: net.fit(X, TARGETS, sample_weight=WEIGHTS, **MOMENTUM), 8),
}

each_dtype = pytest.mark.parametrize("dtype", CORES)


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("name", [*LOOKS, *FITS])
@each_dtype
def test_every_failure_is_a_memory_error_that_changes_nothing(
    dtype: str, name: str, life: str
) -> None:
    call, fewest = (LOOKS | FITS)[name]
    net, twin = LIVES[life](dtype), LIVES[life](dtype)
    before = kept(twin)

    def attempt() -> Any:
        assert_same_bits(kept(net), before)  # the last failure has changed nothing
        return call(net)

    n_failed, answer = sweep(CORES[dtype], attempt, MemoryError)
    assert n_failed >= fewest - (life != "new") * (name in FITS) * 3  # the trainer is there then
    expected = call(twin)
    assert all(map(np.array_equal, arrays_of(answer), arrays_of(expected)))
    for each in (net, twin):
        trained(each, MOMENTUM)
    assert_same_bits(kept(net), kept(twin))


@each_dtype
def test_no_network_comes_of_a_failure(dtype: str) -> None:
    n_failed, net = sweep(CORES[dtype], lambda: network(dtype), MemoryError)
    assert n_failed >= 4
    assert_same_bits(kept(net), kept(network(dtype)))


@each_dtype
def test_a_failed_evaluation_ends_a_fit_between_epochs(dtype: str) -> None:
    """Training needs no memory by then: the weights are those of whole epochs, and finite.

    As after Ctrl-C in an evaluation, the epoch whose row is missing is begun anew.
    """
    many = np.tile(X, (1100, 1))[:1100], np.tile(Y, 1100)[:1100]  # more than a desk is kept for
    settings = SGD | {"epochs": 3, "validation": many, "evaluate_first": True}
    # Weights after 0, 1, 2, 3 epochs.
    reached = [network(dtype) for _ in range(4)]
    for epochs, each in enumerate(reached):
        each.fit(X, Y, **settings | {"epochs": epochs})
    rows = []

    def attempt() -> nn.Network:
        net = network(dtype)
        try:
            net.fit(X, Y, **settings)
        except MemoryError:
            n = len(net.history)
            assert net._core.counters[0] == n
            at = [np.array_equal(net.weights[0], each.weights[0]) for each in reached].index(True)
            assert at - n in (0, 1)
            assert np.isfinite(net.fit(X, Y, **settings)["loss"]).all()
            rows.append(n)
            raise
        return net

    n_failed, net = sweep(CORES[dtype], attempt, MemoryError)
    assert n_failed >= 20
    assert sorted(set(rows)) == [0, 1, 2]
    assert_same_bits(kept(net), kept(reached[-1]))


@each_dtype
def test_a_sparse_form_that_finds_no_memory_leaves_the_network_alone(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made anew for every fit, as none is kept."""
    monkeypatch.setattr(_sparse, "forms", _sparse.Forms(kept=0))
    fresh = kept(network(dtype))
    net = network(dtype)

    def attempt() -> None:
        assert_same_bits(kept(net), fresh)
        net.fit(X, Y, sparse=True, **MOMENTUM)

    n_failed, _ = sweep(CORES[dtype], attempt, MemoryError)
    assert n_failed >= 12  # a form is five allocations
    other = network(dtype)
    other.fit(X, Y, sparse=True, **MOMENTUM)
    assert_same_bits(kept(net), kept(other))


@each_dtype
def test_a_file_that_finds_no_memory_is_an_os_error(dtype: str, tmp_path: Path) -> None:
    net, path = trained(network(dtype), MOMENTUM), tmp_path / "net.safetensors"
    n_failed, _ = sweep(CORES[dtype], functools.partial(net.save, path), MemoryError)
    assert n_failed == 0  # it asks the core for none
    n_failed, loaded = sweep(CORES[dtype], lambda: nn.load(path), OSError)
    assert n_failed >= 4
    assert_same_bits(kept(loaded), kept(net))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_images_that_find_no_memory_are_a_memory_error(dtype: str) -> None:
    x = (200 * X).astype(dtype)
    core = CORES.get(dtype, _core)
    n_failed, images = sweep(core, lambda: CHANGES(x), MemoryError)
    assert n_failed == (3 if dtype == "uint8" else 2)
    np.testing.assert_array_equal(images, CHANGES(x))


def test_a_comparison_that_finds_no_memory_says_where() -> None:
    data = nn.Dataset(nn.Split(X, Y), nn.Split(X, Y))
    settings = {"layers": [4, 5, 3], "seeds": 2, "epochs": 1, "learning_rate": 0.1}

    def attempt() -> Any:
        try:
            return nn.compare({"one": {}}, data, n_jobs=1, verbose=0, **settings)
        except MemoryError as error:
            ended = getattr(error, "comparison", {"one": []})  # none before the first run
            assert len(ended["one"]) in (0, 1)
            raise

    n_failed, comparison = sweep(_core, attempt, MemoryError)
    assert n_failed >= 40
    assert len(comparison["one"]) == 2
