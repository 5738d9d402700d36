"""Nothing is lost or kept: references and memory over 1,000 good and 1,000 failing calls of all."""

import contextlib
import ctypes
import functools
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fits import X, Y
from processes import script

import nnlearn as nn
from nnlearn import _core, _core64

CORES: dict[str, Any] = {"float32": _core, "float64": _core64}
N = 1000

#: What 1,000 calls may add: less than the smallest block (16 bytes) in every call, and room for
#: what the interpreter, NumPy and the C library keep for later.
BYTES = 8000
#: Objects of Python's own: less than one in two calls; the interpreter keeps some of its own.
BLOCKS = 500

X_WIDE, X_NAN = np.ones((30, 5)), np.full((30, 4), np.nan)
Y_WRONG, TARGETS = Y + 1, np.eye(3)[Y]
SETTINGS: dict[str, Any] = {"epochs": 2, "learning_rate": 0.1, "momentum": 0.9}


class _MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *(
            (name, ctypes.c_size_t)
            for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keep")
        ),
    ]


def malloc_bytes() -> int:
    """Bytes in use of the C library's allocator, in all its threads; 0 where it does not tell."""
    with contextlib.suppress(AttributeError, OSError):
        mallinfo2 = ctypes.CDLL(None).mallinfo2
        mallinfo2.restype = _MallInfo
        info = mallinfo2()
        return int(info.uordblks + info.hblkhd)
    return 0


def fails(call: Callable[[], Any]) -> None:
    """Calls what raises an exception."""
    try:
        call()
    except (TypeError, ValueError, RuntimeError, FloatingPointError, OSError):
        return
    raise AssertionError("it did not fail")


def network(dtype: str) -> nn.Network:
    net = nn.Network([4, 5, nn.Dropout(0.2), nn.Activation("tanh"), 3], seed=1, dtype=dtype)
    net.fit(X, Y, **SETTINGS)
    return net


def assert_steady(call: Callable[[], Any], held: tuple[Any, ...]) -> None:
    """Reference counts of `held` and memory after many calls are those of before."""
    for _ in range(100):  # what is made once: caches, BLIS's pools
        call()
    gc.collect()
    references = [sys.getrefcount(each) for each in held]
    size, blocks = malloc_bytes(), sys.getallocatedblocks()
    for _ in range(N):
        call()
    gc.collect()
    assert malloc_bytes() - size < BYTES
    assert sys.getallocatedblocks() - blocks < BLOCKS
    assert [sys.getrefcount(each) for each in held] == references


# ---------------------------------------------------------------- Network


def stopped(net: nn.Network) -> None:
    net.reset().fit(X, Y, callbacks=lambda net, history: net.stop(), **SETTINGS)


def raising(net: nn.Network, history: nn.History) -> None:
    raise RuntimeError("of the user's")


def fitting(net: nn.Network, history: nn.History) -> None:
    net.fit(X, Y, **SETTINGS)


def hold_views(net: nn.Network) -> None:
    views = [*net.weights, *net.biases, *net.parameters.values()]
    views[0][0, 0] = 1.0


#: Of every public method: calls that succeed and calls that fail.
METHODS: dict[str, tuple[list[Callable[..., Any]], list[Callable[..., Any]]]] = {
    "forward": ([lambda n: n.forward(X)], [lambda n: n.forward(X_WIDE), lambda n: n.forward("x")]),
    "predict": ([lambda n: n.predict(X)], [lambda n: n.predict(X_NAN)]),
    "predict_proba": ([lambda n: n.predict_proba(X)], [lambda n: n.predict_proba([[1, 2]])]),
    "accuracy": ([lambda n: n.accuracy(X, Y)], [lambda n: n.accuracy(X, Y_WRONG)]),
    "loss": (
        [lambda n: n.loss(X, Y), lambda n: n.loss(X, Y, cost="quadratic")],
        [lambda n: n.loss(X, Y[:3]), lambda n: n.loss(X, Y, cost="hinge")],
    ),
    "evaluate": (
        [lambda n: repr(n.evaluate(X, Y)), lambda n: nn.Ensemble([n, n]).evaluate(X, TARGETS)],
        [lambda n: n.evaluate(X, Y_WRONG), lambda n: n.evaluate(X_NAN, Y)],
    ),
    "cost_and_gradient": (
        [lambda n: n.cost_and_gradient(X, Y, l2=1), lambda n: n.cost_and_gradient(X, TARGETS)],
        [lambda n: n.cost_and_gradient(X, Y, l1=-1.0), lambda n: n.cost_and_gradient(X_NAN, Y)],
    ),
    "explain": (
        [lambda n: n.explain(X), lambda n: n.explain(X, 3)],
        [lambda n: n.explain(X_WIDE), lambda n: n.explain(X, 0)],
    ),
    "inspect": (
        [lambda n: n.inspect(X, Y).gradient(0)],
        [lambda n: n.inspect(X, -Y), lambda n: n.inspect(X, Y).gradient(7)],
    ),
    "fit": (
        [lambda n: n.reset().fit(X, Y, validation=(X, Y), **SETTINGS), stopped],
        [
            lambda n: n.fit(X, Y, foo=1),
            lambda n: n.fit(X_NAN, Y, **SETTINGS),
            lambda n: n.fit(X, Y, sample_weight=-Y, **SETTINGS),
            lambda n: n.fit(X, Y, learning_rate=1e30, l2=1.0),
            lambda n: n.reset().fit(X, Y, callbacks=raising, **SETTINGS),
            lambda n: n.reset().fit(X, Y, callbacks=fitting, **SETTINGS),
        ],
    ),
    "stop": ([lambda n: n.stop()], [lambda n: n.stop(1)]),
    "reset": ([lambda n: n.reset(3)], [lambda n: n.reset(-1)]),
    "copy": ([lambda n: n.copy()], [lambda n: n.copy(1)]),
    "astype": ([lambda n: n.astype("float64")], [lambda n: n.astype("float16")]),
    "summary": ([lambda n: n.summary(), repr, lambda n: n._repr_html_()], [lambda n: n.summary(1)]),
    "save": ([], []),  # below: with files
    "properties": (
        [lambda n: [getattr(n, name) for name in PROPERTIES], hold_views],
        [
            lambda n: setattr(n, "n_threads", 0),
            lambda n: n.weights.__setitem__(0, X_WIDE),
            lambda n: n.parameters.__setitem__("dense1.bias", "text"),
        ],
    ),
}  # fmt: skip

PUBLIC = {name: getattr(nn.Network, name) for name in dir(nn.Network) if name[0] != "_"}
PROPERTIES = [name for name, value in PUBLIC.items() if isinstance(value, property)]


def test_every_public_method_is_called_here() -> None:
    assert set(METHODS) == {*PUBLIC, "properties"} - {*PROPERTIES}


@pytest.mark.parametrize("kind", ["good", "failing"])
@pytest.mark.parametrize("name", METHODS)
def test_methods_of_a_network_keep_nothing(name: str, kind: str) -> None:
    net = network("float32")
    good, failing = METHODS[name]

    def call() -> None:
        for each in good if kind == "good" else ():
            each(net)
        for each in failing if kind == "failing" else ():
            fails(functools.partial(each, net))
        # Which data the trainer is bound to and what the histories hold is no loss.
        if name == "fit":
            net.reset()

    types = (_core.Network, _core.Data, _core.Trainer)
    assert_steady(call, (X, Y, X_WIDE, X_NAN, Y_WRONG, net, net._core, *types))


def test_networks_leave_nothing_behind() -> None:
    def call() -> None:
        net = network("float32")
        view = net.weights[0]
        net.copy(), net.astype("float64")
        del net
        view[0, 0] = 1.0
        fails(lambda: nn.Network([4, "x"]))
        fails(lambda: nn.Network([4, 0, 3]))
        fails(lambda: nn.Network([4, 2], cost="hinge", activation="foo"))

    assert_steady(call, (X, Y, _core.Network, _core64.Network, _core.Trainer))


def test_files_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk itself is not waited for: that takes the time, and no memory."""
    monkeypatch.setattr("os.fsync", lambda file: None)
    net, path, other = network("float32"), tmp_path / "net.safetensors", tmp_path / "text"
    other.write_text("no network")

    def call() -> None:
        net.save(path)
        nn.load(path)
        fails(lambda: net.save(tmp_path / "no folder" / "net"))
        fails(lambda: nn.load(other))
        fails(lambda: nn.load(tmp_path / "nothing"))

    assert_steady(call, (net, net._core, path, _core.Network))


# ---------------------------------------------------------------- the core's own types


def core_calls(core: Any, dtype: str) -> tuple[list[Callable[[], Any]], tuple[Any, ...]]:
    """Calls of everything the core has, right and wrong, and the objects that go in."""
    layers = [("dense", 5, "linear", "scaled", 0.0, 0.0), ("activation", 0, "tanh", "scaled", 0, 0)]
    layers += [("dense", 3, "linear", "scaled", 0.0, 0.0)]
    layers += [("activation", 0, "sigmoid", "scaled", 0.0, 0.0)]
    sgd = ("sgd", 0.1, 0.9, False)
    labels, targets = Y.astype(np.int32), np.eye(3, dtype=dtype)[Y]
    weights, out = np.ones(30, dtype), np.empty((30, 3), dtype)
    classes, losses, doubles = np.empty(30, np.int64), np.empty(3, np.float32), np.empty(30)
    z = [np.empty((30, 5), dtype), out.copy()]
    a = [np.empty((30, 4), dtype), z[0].copy(), out.copy()]
    delta = [array.copy() for array in z]
    data = core.Data(X, labels=labels, n_classes=3)
    starts, columns = np.arange(0, 121, 4, np.int32), np.tile(np.arange(4, dtype=np.int32), 30)
    csr: tuple[Any, ...] = ((30, 4), starts, columns, X.ravel())
    form = core.Sparse(data, data.scan()[2])
    net = core.Network(4, layers, "cross_entropy", 1)
    trainer = core.Trainer(net)
    rest: dict[str, Any] = {"l1": 0.0, "l2": 0.1, "penalize_biases": False}
    settings = rest | {"optimizer": sgd, "shuffle": True, "seed": 1}
    gradient = rest | {"n": 30.0, "training": False, "seed": 0}
    state = ("sgd", [[array.copy() for array in net.parameters()]])
    held = (
        *csr[1:],
        form,
        X,
        labels,
        targets,
        weights,
        out,
        classes,
        losses,
        doubles,
        *z,
        *a,
        *delta,
        data,
        net,
        trainer,
    )
    good: list[Callable[[], Any]] = [
        lambda: core.Data(X, targets=targets, sample_weight=weights).scan(),
        lambda: core.Data(X_NAN).scan(),
        lambda: core.Sparse.from_csr(*csr),
        lambda: core.Sparse.from_csr(*csr[:3], X_NAN.ravel()),
        lambda: (form.shape, form.n_nonzero, form.nbytes, data.sparse, data.x),
        lambda: core.Data(None, sparse=core.Sparse(data, form.n_nonzero)).scan(),
        lambda: core.Data(X, labels=labels, n_classes=3, sparse=form).sparse,
        lambda: data.n_rows,
        lambda: core.Network(4, layers, "quadratic", 2).initialize(5),
        lambda: (
            net.parameters(),
            net.snapshot(trainer),
            net.snapshot(None),
            net.names,
            net.output,
            net.is_regression,
            net.is_finite(),
        ),
        lambda: setattr(net, "counters", net.counters),
        lambda: (net.forward(data, out), net.predict(data, classes)),
        lambda: net.evaluate(data, "quadratic"),
        lambda: net.assess(data, doubles, classes, classes, classes, doubles, doubles, out, out),
        lambda: net.assess(data, doubles, *[None] * 7),
        lambda: net.gradient(data, **gradient),
        lambda: net.inspect(data, z, a, delta),
        lambda: net.paths(data, 10),
        lambda: net.claimed(lambda: (net.stop(), net.stopping), net.stop),
        lambda: core.Trainer(net),
        lambda: (
            trainer.bind(data, 10, sgd),
            trainer.prepare(**settings),
            trainer.epoch(losses, 0, None),
        ),
        lambda: trainer.set_state(*trainer.get_state()),
        lambda: trainer.set_state(*state),
        lambda: (trainer.clear(), core.info(), core.names("cost"), core.pair("hinge", "linear")),
        lambda: (core.allocation_count(), core.fail_allocation_at(0)),
    ]
    bad: list[Callable[[], Any]] = [
        lambda: core.Data(Y),
        lambda: core.Data(None),
        lambda: core.Data(X[1:], sparse=form),
        lambda: core.Data(X, sparse=data),
        lambda: core.Data(None, labels=labels, n_classes=2, sparse=form),
        lambda: core.Sparse(data, 7),
        lambda: core.Sparse(X, 7),
        lambda: core.Sparse.from_csr(*csr[:2], columns[::-1].copy(), X.ravel()),
        lambda: core.Sparse.from_csr(*csr[:2], columns.astype(np.int64), X.ravel()),
        lambda: core.Sparse.from_csr((29, 4), *csr[1:]),
        lambda: core.Sparse.from_csr(*csr[:3], labels),
        lambda: core.Data(X, labels=labels, n_classes=2),
        lambda: core.Data(X, targets=targets, sample_weight=weights[:2]),
        lambda: core.Network(4, [("dense", 5, "foo", "scaled", 0.0, 0.0)], "quadratic", 1),
        lambda: core.Network(4, [*layers, 7], "quadratic", 1),
        lambda: core.Network(0, layers, "quadratic", 1),
        lambda: net.initialize(-1.5),
        lambda: setattr(net, "counters", 3),
        lambda: net.claimed(lambda: net.claimed(net.stop, net.stop), net.stop),
        lambda: net.claimed(lambda: int("x"), lambda: int("y")),
        lambda: net.snapshot(net),
        lambda: net.paths(data, 0),
        lambda: net.paths(X, 10),
        lambda: net.forward(data, out[:2]),
        lambda: net.forward(X, out),
        lambda: net.predict(data, out),
        lambda: net.evaluate(data, "foo"),
        lambda: net.assess(core.Data(X), doubles, *[None] * 7),
        lambda: net.assess(data, *[doubles] * 8),
        lambda: net.assess(data, *[None] * 7, z[0]),
        lambda: net.assess(data, doubles[:7], *[None] * 7),
        lambda: net.gradient(data, **gradient | {"l1": -1.0}),
        lambda: net.gradient(core.Data(X), **gradient),
        lambda: net.inspect(data, z, a, delta[:1]),
        lambda: net.inspect(data, z, a, z[::-1]),
        lambda: core.Trainer(data),
        lambda: trainer.bind(data, 0, sgd),
        lambda: trainer.bind(data, 10, ("foo", 0.1, 0.9, False)),
        lambda: trainer.prepare(**settings | {"optimizer": ("foo", 1.0, 0.0, False)}),
        lambda: (
            trainer.prepare(**settings | {"optimizer": ("sgd", -1.0, 0.0, False)}),
            trainer.epoch(None, 0, None),
        ),
        lambda: trainer.epoch(out, 0, None),
        lambda: trainer.epoch(losses, 1, None),
        lambda: trainer.epoch(losses, 0),
        lambda: trainer.set_state("sgd", [[out]]),
        lambda: trainer.set_state("foo", [None]),
        lambda: core.names("foo"),
        lambda: core.pair("foo", "linear"),
    ]  # fmt: skip
    return [*good, *(functools.partial(fails, call) for call in bad)], held


@pytest.mark.parametrize("dtype", CORES)
def test_the_cores_types_keep_nothing(dtype: str) -> None:
    core = CORES[dtype]
    calls, held = core_calls(core, dtype)

    def call() -> None:
        for each in calls:
            each()

    assert_steady(call, (*held, core.Network, core.Data, core.Sparse, core.Trainer, core.Stopped))


# ---------------------------------------------------------------- the process

GROWTH = """
import resource
import numpy as np, nnlearn as nn
x, y = np.random.default_rng(0).random((50, 4)), np.arange(50) % 3

def once():
    net = nn.Network([4, 8, 3], seed=0)
    net.fit(x, y, epochs=2, learning_rate=0.1, momentum=0.9, validation=0.2)
    net.copy(), net.forward(x), net.inspect(x, y), net.cost_and_gradient(x, y)
    for bad in (x[:, :2], np.full((5, 4), np.nan), "text"):
        try:
            net.fit(bad, y, learning_rate=0.1)
        except (TypeError, ValueError):
            pass

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

for _ in range(200):
    once()
before = peak()
for _ in range(1000):
    once()
print(peak() - before)
"""


def test_the_process_stays_as_large_as_it_is() -> None:
    """1,000 rounds: a leak of one small network (4 kB) in each would be 4 MB."""
    growth = int(script(GROWTH)) / (1 if sys.platform != "darwin" else 1024)
    assert growth < 1000  # kB


# ---------------------------------------------------------------- evaluations

EVALUATIONS = """
import ctypes
import numpy as np, nnlearn as nn

def kilobytes(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

def added(evaluate):
    # What the process grows by at most, beside what it gives.
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    before = kilobytes("VmRSS")
    given = evaluate()
    found = getattr(given, "_found", None)  # of an Evaluation: losses, and 5 arrays more
    nbytes = getattr(given, "nbytes", 0) if found is None else 6 * given.losses.nbytes
    return kilobytes("VmHWM") - before - nbytes // 1024

rng = np.random.default_rng(0)
for dtype in ("float32", "float64"):  # BLIS's buffers are made
    nn.Network([100, 90, 10], seed=1, dtype=dtype).forward(rng.random((2000, 100)))
some = rng.random(784).astype(np.float32)
for row in (some, some * (rng.random(784) < 0.2)):
    for widths in ([784, 30, 10], [784, 100, 10], [784, 100, 100, 10]):
        for dtype in ("float32", "float64"):
            net = nn.Network(widths, seed=1, dtype=dtype)
            for n in (1000, 30_000):
                x = np.broadcast_to(row.astype(dtype), (n, 784))
                y = np.zeros(n, np.int32)
                print(*map(added, (
                    lambda: net.forward(x),
                    lambda: net.predict(x),
                    lambda: net.loss(x, y),
                    lambda: net.accuracy(x, y),
                    lambda: net.evaluate(x, y),
                )))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_evaluation_adds_less_than_10_megabytes_for_any_number_of_rows() -> None:
    """Dense rows and sparse ones, in both precisions; measured: up to 6.6 MB."""
    lines = script(EVALUATIONS, timeout=300).splitlines()
    assert len(lines) == 24
    for line in lines:
        assert all(0 <= int(added) < 10_000 for added in line.split()), line
