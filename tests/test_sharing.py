"""Networks in threads and in forked processes, and arrays that are used where they are."""

import pickle
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fits import Fitting, X, fit, network
from processes import in_child, script
from twins import assert_same_bits, snapshot

import nnlearn as nn

RNG = np.random.default_rng(5)
ROWS = RNG.random((2000, 50)).astype(np.float32)
LABELS = RNG.integers(0, 10, 2000)


def middling(seed: int = 1) -> nn.Network:
    return nn.Network([50, 40, 10], seed=seed)


def fitting(net: nn.Network, **settings: Any) -> Fitting:
    return Fitting(net, ROWS, LABELS, **settings)


# ---------------------------------------------------------------- threads


def test_networks_in_threads_give_the_bits_of_one_after_another() -> None:
    def train(seed: int) -> dict[str, Any]:
        net = middling(seed)
        net.fit(ROWS, LABELS, epochs=3, learning_rate=0.5, momentum=0.5, validation=0.2)
        return snapshot(net) | {"loss": np.array(net.loss(ROWS, LABELS))}

    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(train, range(6)))
    for seed, result in enumerate(at_once):
        assert_same_bits(result, train(seed))


def test_a_second_fit_is_refused_while_one_runs() -> None:
    net = middling()
    with fitting(net):
        for call in (lambda: fit_again(net), net.reset):
            with pytest.raises(RuntimeError, match=r"^the network must be free for this, got one "):
                call()
    fit_again(net)


def fit_again(net: nn.Network) -> nn.History:
    return net.fit(ROWS, LABELS, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize("how", ["forward", "copy", "astype", "pickle"])
def test_reads_wait_for_the_end_of_the_epoch(how: str) -> None:
    """Every answer is that of a whole epoch, none of weights within one."""
    reads: dict[str, Callable[[nn.Network], nn.Network]] = {
        "forward": lambda net: net,
        "copy": lambda net: net.copy(),
        "astype": lambda net: net.astype("float32"),
        "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    }
    net = middling()
    whole = [net.forward(ROWS[:5])]
    answers = []
    keep = [lambda n, h: whole.append(n.forward(ROWS[:5]))]
    with fitting(net, callbacks=keep) as running:
        while len(whole) < 8:
            answers.append(reads[how](net).forward(ROWS[:5]))
        last = net._core.counters[0]
        running.wait_for(lambda: len(whole) > last)  # the last answer's epoch is there
    for answer in answers:
        assert any(np.array_equal(answer, outputs) for outputs in whole)


@pytest.mark.parametrize("how", ["copy", "pickle"])
def test_a_copy_made_in_another_thread_is_whole(how: str) -> None:
    """Its counters, velocities and history belong to its weights: it repeats what followed."""
    net = middling()
    losses: list[float] = []
    keep = [lambda n, h: losses.append(h["loss"][-1])]
    with fitting(net, momentum=0.5, callbacks=keep) as running:
        running.wait_for(lambda: len(losses) > 1)
        other = net.copy() if how == "copy" else pickle.loads(pickle.dumps(net))
        running.wait_for(lambda: len(losses) >= other._core.counters[0] + 2)
    epochs = other._core.counters[0]
    assert other._core.counters[1] == 200 * epochs
    history = other.fit(ROWS, LABELS, epochs=2, learning_rate=0.1, momentum=0.5)
    assert history["epoch"].tolist() == [epochs + 1, epochs + 2]
    assert history["loss"].tolist() == losses[epochs : epochs + 2]


READS: dict[str, Callable[[nn.Network], Any]] = {
    "forward": lambda net: net.forward(ROWS),
    "predict": lambda net: net.predict(ROWS),
    "loss": lambda net: net.loss(ROWS, LABELS),
    "gradient": lambda net: net.cost_and_gradient(ROWS, LABELS),
    "inspect": lambda net: net.inspect(ROWS[:50], LABELS[:50]),
    "copy": lambda net: net.copy(),
    "weights": lambda net: net.weights[0].copy(),
    "history": lambda net: net.history.columns,
    "repr": repr,
    "summary": lambda net: str(net.summary()),
}


def test_a_network_in_use_from_many_threads() -> None:
    """Reads of every kind beside a fit disturb neither it nor each other."""
    net, twin = middling(), middling()
    failures: list[str] = []
    done = threading.Event()

    def read(name: str) -> None:
        try:
            while not done.is_set():
                READS[name](net)
        except BaseException:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=read, args=(name,)) for name in READS]
    for thread in threads:
        thread.start()
    try:
        history = net.fit(ROWS, LABELS, epochs=5, learning_rate=0.3, momentum=0.5)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert failures == []
    expected = twin.fit(ROWS, LABELS, epochs=5, learning_rate=0.3, momentum=0.5)
    assert_same_bits(net.parameters, twin.parameters)
    assert history["loss"].tolist() == expected["loss"].tolist()


def test_two_threads_that_both_want_to_fit() -> None:
    """Each fit runs as a whole or is refused as a whole."""
    net = middling()
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def want() -> None:
        barrier.wait()
        for _ in range(5):
            try:
                fit_again(net)
                outcomes.append("trained")
            except RuntimeError:
                outcomes.append("refused")

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    trained = outcomes.count("trained")
    assert len(outcomes) == 20
    assert trained >= 1
    assert net.history["epoch"].tolist() == list(range(1, trained + 1))
    assert net._core.counters == (trained, 200 * trained)


def test_the_network_may_go_while_its_thread_trains() -> None:
    running = fitting(middling())
    net = running.net
    with running:
        view = net.weights[0]
    del net, running
    assert np.isfinite(view).all()


# ---------------------------------------------------------------- fork


FORKED = (
    "RuntimeError: the network must not be used here: the process was forked while a thread "
    "worked on it"
)


@pytest.mark.parametrize(
    "touch",
    [
        lambda net: net.forward(ROWS),
        lambda net: net.loss(ROWS, LABELS),
        fit_again,
        lambda net: net.reset(),
        lambda net: net.copy(),
    ],
    ids=["forward", "loss", "fit", "reset", "copy"],
)
def test_a_child_forked_during_a_fit_may_not_touch_its_network(touch: Callable[..., Any]) -> None:
    net = middling()
    with fitting(net):
        assert in_child(lambda: touch(net)) == FORKED
    fit_again(net)


def test_a_child_forked_during_a_fit_may_use_other_networks() -> None:
    other = middling(2)
    expected = middling(2)

    def work() -> float:
        other.fit(ROWS, LABELS, epochs=2, learning_rate=0.3)
        new = nn.Network([50, 10], seed=3)
        new.fit(ROWS, LABELS, epochs=1, learning_rate=0.3)
        return other.loss(ROWS, LABELS)

    with fitting(middling()):
        answer = in_child(work)
    expected.fit(ROWS, LABELS, epochs=2, learning_rate=0.3)
    assert answer == str(expected.loss(ROWS, LABELS))


def test_a_child_forked_in_a_callback() -> None:
    """Its own fit is under way there, in the thread that lives on in the child."""
    answers: list[str] = []

    def fork(net: nn.Network, history: nn.History) -> None:
        answers.append(in_child(lambda: net.forward(X)))

    net = network()
    fit(net, callbacks=fork)
    assert answers == [FORKED]


def test_a_child_forked_after_a_fit_may_go_on() -> None:
    net = middling()
    fit_again(net)
    answer = in_child(lambda: fit_again(net)["loss"][0])
    assert answer == str(fit_again(net)["loss"][0])


# ---------------------------------------------------------------- memory


FIT = """
import resource, sys, tracemalloc
import numpy as np, nnlearn as nn

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

rng = np.random.default_rng(0)
x = rng.integers(0, 256, (50_000, 784), dtype=np.uint8)
if {dtype!r} != "uint8":
    x = rng.random(x.shape, {dtype!r})
y = rng.integers(0, 10, 50_000)
settings = dict(learning_rate=0.1, batch_size=200, epochs=1)
net = nn.Network([784, 30, 10], seed=0, n_threads=1)
net.fit(x[:1000], y[:1000], validation=(x[:1000], y[:1000]), **settings)
before = peak()
tracemalloc.start()
net.fit(x, y, validation=(x[:10_000], y[:10_000]), evaluate_train=True, **settings)
net.accuracy(x, y), net.predict(x), net.forward(x)
print(x.nbytes, peak() - before, tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_fit_and_evaluation_copy_no_inputs(dtype: str) -> None:
    """Beside x there are labels, predictions (0.4 MB) and outputs (2 MB): together below 8 MB.

    In float32 the peak before the fit holds the bytes that x was made beside, 39 MB, too: the
    growth shows a copy of x, and the traced memory all of NumPy's.
    """
    nbytes, resident, traced = map(int, script(FIT.format(dtype=dtype)).split())
    assert nbytes == 50_000 * 784 * np.dtype(dtype).itemsize
    assert traced < 8e6 < nbytes / 4
    assert resident < 8e6


EXIT = """
import threading, numpy as np, nnlearn as nn
x, begun = np.random.default_rng(0).random((5000, 100)), threading.Event()
net = nn.Network([100, 100, 10], seed=0)
fit = lambda: net.fit(x, np.arange(5000) % 10, epochs=10**6, learning_rate=0.1,
                      callbacks=lambda *_: begun.set())
threading.Thread(target=fit, daemon=True).start()
begun.wait()
print("ended")
"""


def test_the_interpreter_may_exit_while_a_daemon_thread_trains() -> None:
    assert script(EXIT) == "ended\n"
