"""The size of the training set: a network and a support vector machine on more and more digits."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.data import Split
from nnlearn.experiments._bands import plot_band, tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import least
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting._style import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_NETWORK = ("69.09", "76.37", "85.29", "88.85", "91.27", "93.24", "94.89", "95.85", "95.97")
_MACHINE = ("25.07", "48.93", "75.13", "83.87", "88.49", "91.46", "92.45", "93.47", "94.48")
#: Samples that each network sees in all, and the most that a support vector machine gets.
_SEEN, _SEEN_QUICK = 1_500_000, 100_000
_MOST_QUICK = 2_000
#: Digits that a machine classifies at once.
_BLOCK = 1_000
_SOURCE = "book, chapter 3, more_data.py"
_NAME_NETWORK = "network, {:,} digits"
_NAME_MACHINE = "SVM, {:,} digits"
#: The key of the machine's accuracy on the test set, where the others are by size.
_ON_TEST = -1
_MACHINE_ON_TEST = "SVM, 50,000 digits: test"

_QUOTES = {
    **{
        _NAME_NETWORK.format(size): Quote(
            value, _SOURCE, f"validation, {_SEEN // size:,} epochs, large weights", "last"
        )
        for size, value in zip(_SIZES, _NETWORK, strict=True)
    },
    **{
        _NAME_MACHINE.format(size): Quote(
            value, _SOURCE, "validation, SVC() of 2013: C 1, gamma 1/784", "exact"
        )
        for size, value in zip(_SIZES, _MACHINE, strict=True)
    },
    _MACHINE_ON_TEST: Quote(
        "94.35", "book, chapter 1", "test, SVC() of 2013: C 1, gamma 1/784", "exact"
    ),
}


def _measure(lab: Lab) -> Result:
    sizes = [size for size in _SIZES if size <= len(lab.data.train)]
    evaluated = lab.data.validation
    if not sizes or evaluated is None:
        raise ValueError("data must hold 100 training digits and a validation set")
    found, machines, missing = _train(lab, sizes, evaluated)
    networks = {size: tuple(found[size, seed] for seed in lab.seeds) for size in sizes}
    rows = [
        Measured(name, networks.get(size, ()), quote=_QUOTES[name])
        for size in _SIZES
        for name in (_NAME_NETWORK.format(size),)
    ]
    rows += [_machine_row(size, machines, missing) for size in _SIZES]
    rows.append(_machine_row(_ON_TEST, machines, missing))
    by_size = {size: value for size, value in machines.items() if size != _ON_TEST}
    return Result(
        {
            "network": "784-30-10, sigmoid, cross-entropy, large weights N(0, 1)",
            "training": f"the first digits of the training set, {_seen(lab):,} samples seen in "
            "all whatever the size, batch size 10, learning rate 0.5, lambda / n = 0.0001",
            "support vector machine": "scikit-learn's SVC with the defaults of 2013 (C 1, Gaussian "
            "kernel, gamma 1/784), pixels as i/256",
            "accuracy": f"of the last epoch, on {len(evaluated):,} validation digits",
        },
        tuple(rows),
        _claims(networks, by_size),
        _pictures(networks, by_size, quoted=not lab.quick),
        remarks=(
            "Every network takes equally many steps, so that a small set is seen more often, and "
            "lambda / n is the same for all.",
            "The book's digits are stored as i/256, not i/255. The support vector machine, in "
            "which there is no chance, is given them so, in the book's order.",
        ),
    )


# ---- training ------------------------------------------------------------------------------------


def _seen(lab: Lab) -> int:
    return lab.pick(_SEEN, _SEEN_QUICK)


def _train(
    lab: Lab, sizes: Sequence[int], evaluated: Split
) -> tuple[dict[tuple[int, int], float], dict[int, float], str]:
    """The networks' accuracies by size and seed, the machines' by size, and why there are none.

    Networks and machines side by side in threads, the machine of most digits first.
    """
    missing = ""
    fitted: list[int] = []
    try:
        from sklearn.svm import SVC
    except ImportError:
        missing = 'scikit-learn is not installed: pip install "nnlearn[sklearn]"'
    else:
        fitted = [size for size in sizes if not lab.quick or size <= _MOST_QUICK]
    train = lab.data.train

    def network(size: int, seed: int) -> float:
        epochs = max(_seen(lab) // size, 1)
        net = Network([784, 30, 10], init="large", seed=seed, n_threads=1)
        settings: dict[str, Any] = {"learning_rate": 0.5, "l2": size * 1e-4, "epochs": epochs}
        try:
            net.fit(train[:size], **settings, callbacks=lab.halted, verbose=0)
        except FloatingPointError:
            return math.nan
        return 100.0 * net.accuracy(evaluated)

    def machine(size: int) -> dict[int, float]:
        fit = SVC(gamma="auto", cache_size=500.0).fit(_pixels(train.x[:size]), train.y[:size])
        found = {size: _right(fit, evaluated)}
        if size == _SIZES[-1] and lab.data.test is not None:
            found[_ON_TEST] = _right(fit, lab.data.test)
        return found

    def work(item: tuple[int, int | None]) -> Any:
        size, seed = item
        return machine(size) if seed is None else network(size, seed)

    items: list[tuple[int, int | None]] = [(size, None) for size in reversed(fitted)]
    items += [(size, seed) for size in reversed(sizes) for seed in lab.seeds]
    done = dict(zip(items, lab.each(work, items), strict=True))
    networks = {(size, seed): v for (size, seed), v in done.items() if seed is not None}
    machines = {key: v for size in fitted for key, v in done[size, None].items()}
    return networks, machines, missing


def _right(machine: Any, digits: Split) -> float:
    """What share of the digits a support vector machine gets right, in %."""
    n = len(digits)
    blocks = [digits[i : i + _BLOCK] for i in range(0, n, _BLOCK)]
    right = sum(np.count_nonzero(classes(machine, _pixels(b.x)) == b.y) for b in blocks)
    return 100.0 * float(right) / n


def classes(machine: Any, x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """What ``machine.predict(x)`` gives for three classes or more, by products of matrices.

    For each pair of classes the sum of the kernel with their support vectors, times their
    coefficients, says which of the two gets a vote; the class is the first of those with most.
    scikit-learn works the kernel out pair by pair of vectors, which takes several times as long.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    kernel = rbf_kernel(x, machine.support_vectors_, gamma=1.0 / x.shape[1])
    ends = np.cumsum(machine.n_support_)
    own = [slice(end - n, end) for end, n in zip(ends, machine.n_support_, strict=True)]
    votes = np.zeros((len(x), len(own)), np.int64)
    pairs = itertools.combinations(range(len(own)), 2)
    for (i, j), constant in zip(pairs, machine.intercept_, strict=True):
        decision = kernel[:, own[i]] @ machine.dual_coef_[j - 1, own[i]] + constant
        decision += kernel[:, own[j]] @ machine.dual_coef_[i, own[j]]
        votes[:, i] += decision > 0
        votes[:, j] += decision <= 0
    return np.asarray(machine.classes_[votes.argmax(axis=1)])


def _pixels(x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Pixels as the book has them: bytes i as i/256, which no rounding changes."""
    values = x if x.dtype == np.uint8 else np.rint(255.0 * x.astype(np.float64))
    return np.asarray(values / 256.0).reshape(len(x), -1)


def _machine_row(size: int, machines: Mapping[int, float], missing: str) -> Measured:
    name = _MACHINE_ON_TEST if size == _ON_TEST else _NAME_MACHINE.format(size)
    if size in machines:
        return Measured(name, (machines[size],), quote=_QUOTES[name])
    quote = _QUOTES[name]
    return Measured(name, (), quote=dataclasses.replace(quote, why_not=missing))


# ---- what it shows -------------------------------------------------------------------------------


def _claims(
    networks: Mapping[int, tuple[float, ...]], machines: Mapping[int, float]
) -> tuple[Claim, ...]:
    sizes = sorted(networks)
    fewest, most = sizes[max(len(sizes) - 4, 0)], sizes[-1]
    steps = [differences(networks[b], networks[a]) for a, b in itertools.pairwise(sizes)]
    claims = [
        Claim(
            f"more data beats: {most:,} digits give a higher accuracy than {fewest:,}",
            differences(networks[most], networks[fewest]),
            "percentage points",
            _SOURCE,
        ),
        Claim(
            "more data beats: every size gives a higher accuracy than the one before it, the "
            "smallest of these gains being above 0",
            tuple(least(gains) for gains in zip(*steps, strict=True)) if steps else (),
            "percentage points",
            _SOURCE,
        ),
    ]
    if machines:
        both = sorted(machines)
        margins = [tuple(v - machines[size] for v in networks[size]) for size in both]
        claims.append(
            Claim(
                "the network beats the support vector machine at every size, the smallest margin "
                "being above 0",
                tuple(least(own) for own in zip(*margins, strict=True)),
                "percentage points",
                _SOURCE,
            )
        )
        large = both[-1]
        small = both[max(len(both) - 4, 0)]
        claims.append(
            Claim(
                f"more data can make up for the worse method: the support vector machine with "
                f"{large:,} digits beats the network with {small:,}",
                tuple(machines[large] - value for value in networks[small]),
                "percentage points",
                _SOURCE,
            )
        )
    return tuple(claims)


def _pictures(
    networks: Mapping[int, tuple[float, ...]], machines: Mapping[int, float], *, quoted: bool
) -> tuple[Picture, ...]:
    sizes = sorted(networks)
    values = np.array([networks[size] for size in sizes]).T

    def curve(ax: "Axes", label: str) -> None:
        plot_band(ax, sizes, values, 0, label)
        if quoted:
            _quoted(ax, _NETWORK[: len(sizes)], sizes, "quoted")

    def size(figure: "Figure") -> None:
        linear, log = figure.subplots(1, 2, sharey=True)
        for ax, scale in ((linear, "linear"), (log, "log")):
            curve(ax, "mean of the seeds, band from lowest to highest")
            ax.set_xscale(scale)
            tidy(ax, "training digits", "validation accuracy (%)")
            ax.label_outer()
        _plain(log, sizes)
        linear.xaxis.set_major_formatter("{x:,.0f}")
        if log.get_lines():
            log.legend(frameon=False, loc="lower right", fontsize="small")

    def machine(figure: "Figure") -> None:
        ax = figure.subplots()
        curve(ax, "network 784-30-10")
        both = sorted(machines)
        found = [machines[n] for n in both]
        plot_band(ax, both, found, 1, "support vector machine", linestyle="--")
        if quoted and both:
            _quoted(ax, _MACHINE[: len(both)], both, "")
        ax.set_xscale("log")
        tidy(ax, "training digits", "validation accuracy (%)")
        _plain(ax, sizes)
        ax.legend(frameon=False, loc="lower right")

    both_sizes = Picture(
        "size",
        "Accuracy by the number of training digits, on a linear and on a logarithmic scale, where "
        "the gain of each doubling can be read off.",
        size,
        size=(8.4, 3.6),
    )
    with_machine = Picture(
        "machine",
        "The same network beside scikit-learn's support vector machine with its defaults of 2013.",
        machine,
        size=(6.8, 4.0),
    )
    return (both_sizes, with_machine) if machines else (both_sizes,)


def _quoted(ax: "Axes", values: Sequence[str], sizes: Sequence[int], label: str) -> None:
    """The book's points, as crosses."""
    points = [float(value) for value in values]
    ax.plot(sizes, points, "x", color=ink(), markersize=7, label=label or None, zorder=4)


def _plain(ax: "Axes", sizes: Sequence[int]) -> None:
    """A logarithmic axis with the sizes as plain numbers."""
    from matplotlib.ticker import NullLocator

    shown = [size for size in sizes if str(size)[0] == "1"] + [sizes[-1]]
    ax.set_xticks(sorted(set(shown)), [f"{size:,}" for size in sorted(set(shown))])
    ax.xaxis.set_minor_locator(NullLocator())


experiment = Experiment(
    name="more-data",
    title="More training data",
    question="How does the accuracy grow with the training set, and does a better method or more "
    "data bring more?",
    slides=(),
    packages=("scikit-learn",),
    measure=_measure,
    seconds=(3.0, 200.0),
    quotes=_QUOTES,
)
