"""L1 beside L2: how each shrinks a weight, and the weights that come of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import of_networks, say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Weights at the start of the paths: the last is zero and stays so, sgn(0) being 0.
_STARTS = (1.0, 0.6, 0.3, 0.1, -0.4, 0.0)
_STEPS, _RATE, _LAMBDA = 60, 0.5, 0.04
_NONE, _L1, _L2 = "no penalty", "L1", "L2"
_VARIANTS = (_NONE, _L1, _L2)
_BOOKS_L1, _BOOKS_L2 = 0.5, 5.0
#: Weights smaller than this count as none, or than a step of L1 where that is larger.
_SMALL = 1e-3
#: Smaller ones are drawn as of this size.
_TINY = 1e-7


def path(penalty: str) -> Floats:
    """Weights by step, (steps + 1, n_weights), under a penalty alone.

    The one sample has weight zero, so that its cost has no gradient, and n is 1: each step is
    w - eta lambda sgn(w) with ``"l1"`` and (1 - eta lambda) w with ``"l2"``.
    """
    net = Network([len(_STARTS), 1], init="zeros", dtype="float64", n_threads=1)
    net.weights[0] = np.array(_STARTS)[:, None]
    x, y = np.ones((1, len(_STARTS))), np.array([1])
    found = [net.weights[0][:, 0].copy()]
    settings: dict[str, Any] = {"sample_weight": [0.0], "verbose": 0, penalty: _LAMBDA}
    for _ in range(_STEPS):
        net.fit(x, y, epochs=1, learning_rate=_RATE, **settings)
        found.append(net.weights[0][:, 0].copy())
    return np.array(found)


def _measure(lab: Lab) -> Result:
    paths = {"L1": path("l1"), "L2": path("l2")}
    epochs = lab.pick(30, 6)
    strengths = {_NONE: 0.0, _L1: lab.l2(_BOOKS_L1), _L2: lab.l2(_BOOKS_L2)}
    variants: dict[str, dict[str, Any]] = {
        _NONE: {},
        _L1: {"l1": strengths[_L1]},
        _L2: {"l2": strengths[_L2]},
    }
    runs = lab.compare(
        variants,
        without(lab.data, "validation"),
        hidden=30,
        learning_rate=_RATE,
        batch_size=10,
        epochs=epochs,
        evaluate_every=epochs,
    )
    n = len(lab.data.train)
    bounds = {name: max(_SMALL, _RATE * strengths[name] / n) for name in _VARIANTS}
    lit = np.asarray(lab.data.train.x).reshape(n, -1).max(axis=0) > 0
    shares = {name: _shares_small(lab, runs[name], bounds[name], lit) for name in _VARIANTS}
    rows = []
    for name, group in runs.items():
        accuracy = last(group, "test_accuracy")
        rows += [
            Measured(f"{name}: test accuracy", accuracy, stuck=stuck(group)),
            Measured(f"{name}: first-layer weights that are small", tuple(shares[name][:, 0])),
            Measured(f"{name}: the same, of pixels that are ever on", tuple(shares[name][:, 1])),
        ]
    claims = tuple(
        Claim(
            f"of the weights of pixels that are ever on, more are small with L1 than with {other}",
            differences(shares[_L1][:, 1], shares[other][:, 1]),
            "percentage points",
            "slide 23",
        )
        for other in (_L2, _NONE)
    )
    step = _RATE * _LAMBDA
    return Result(
        {
            "paths": f"{_STEPS} steps of a network whose samples have weight zero, eta lambda / n "
            f"= {step:g}",
            "networks": "784-30-10, sigmoid, cross-entropy, start weights N(0, 1/n_in)",
            "training": f"{epochs} epochs, batch size 10, learning rate {_RATE:g}; L1 with lambda "
            f"{strengths[_L1]:g}, L2 with lambda {strengths[_L2]:g}",
            "small": f"abs w < {bounds[_L1]:g}, the larger of 0.001 and a step of L1, eta lambda "
            "/ n",
        },
        tuple(rows),
        claims,
        (_paths(paths), _histograms(runs, bounds, lit)),
        (_steps(paths),),
        (
            f"Of the {len(lit)} pixels {int((~lit).sum())} are off in all training digits. Their "
            "weights get no gradient from the data: L2 shrinks them by the same factor at every "
            "step, L1 takes the same amount off, and both end small; without a penalty they stay "
            "where they began.",
            "No step of L1 ends at zero but by chance: a weight nearer to it than eta lambda / n "
            "jumps to and fro about it. sgn(0) is 0, so that a weight of zero stays.",
        ),
    )


def _shares_small(lab: Lab, runs: Sequence[Run], bound: float, lit: Mask) -> Floats:
    """Shares in % of weights below the bound: of all in the first layer, of `lit` pixels alone."""

    def shares(net: Network) -> Floats:
        small = np.abs(net.weights[0]) < bound
        return 100.0 * np.array([small.mean(), small[lit].mean()])

    return of_networks(lab, runs, shares, (2,))


def _steps(paths: Mapping[str, Floats]) -> Table:
    """What one step takes off each weight, at the start and in the middle of the paths."""
    body = []
    for name, weights in paths.items():
        sizes = np.abs(weights)
        for i, start in enumerate(_STARTS[:3]):
            for step in (0, 10):
                taken = sizes[step, i] - sizes[step + 1, i]
                body.append((name, start, step, sizes[step, i], taken, taken / sizes[step, i]))
    head = ["penalty", "start", "step", "abs w", "taken off", "as a share of w"]
    return Table(
        head,
        body,
        f"What one step takes off a weight; eta lambda / n = {_RATE * _LAMBDA:g}",
        formats=dict.fromkeys(head[3:], ".4f"),
    )


def _paths(paths: Mapping[str, Floats]) -> Picture:
    step = _RATE * _LAMBDA

    def draw(figure: "Figure") -> None:
        axes = figure.subplots(1, 2, sharey=True)
        for ax, (name, weights) in zip(axes, paths.items(), strict=True):
            for i, start in enumerate(_STARTS):
                line = ("-", "--", "-.", ":", (0, (5, 1)), "-")[i]
                look = {"color": COLOURS[i], "linestyle": line, "linewidth": 1.8}
                ax.plot(range(_STEPS + 1), weights[:, i], label=f"{start:g}", **look)
            rule = {
                "L1": f"L1: {step:g} off at each step",
                "L2": f"L2: {100 * step:g} % off at each step",
            }
            tidy(ax, "step", "weight", rule[name])
            ax.label_outer()
        axes[1].legend(title="start", frameon=False, ncols=2, fontsize="small")

    return Picture(
        "paths",
        "Weights under a penalty alone, without a gradient of the data. L1 takes the same amount "
        "off every weight until it is near zero; L2 takes the same share, more off large ones and "
        "less off small ones.",
        draw,
        slides=(22,),
        size=(8.4, 3.7),
    )


def _histograms(runs: Comparison, bounds: Mapping[str, float], lit: Mask) -> Picture:
    ended = {name: [run.network for run in runs[name] if not run.error] for name in _VARIANTS}
    weights = {
        name: np.concatenate([net.weights[0][lit].ravel() for net in networks])
        for name, networks in ended.items()
        if networks
    }

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        if not weights:
            say_diverged(left)
            say_diverged(right)
            return
        sizes = {name: np.maximum(np.abs(w), _TINY) for name, w in weights.items()}
        edge = max(float(np.quantile(s, 0.999)) for s in sizes.values())
        high = max(float(s.max()) for s in sizes.values())
        low = min(float(np.quantile(s, 0.001)) for s in sizes.values())
        for name in weights:
            i = _VARIANTS.index(name)
            look = {"color": COLOURS[i], "linestyle": ("-", "--", "-.")[i], "linewidth": 1.6}
            share = np.full(weights[name].size, 100.0 / weights[name].size)
            settings = {"weights": share, "histtype": "step", **look}
            label = f"{name}: {100.0 * np.mean(np.abs(weights[name]) < bounds[name]):.1f} % small"
            left.hist(weights[name], np.linspace(-edge, edge, 102), label=label, **settings)
            right.hist(sizes[name], np.geomspace(low, high, 61), **settings)
        left.set_yscale("log")
        right.set_xscale("log")
        tidy(left, "weight", "share of the weights (%)")
        tidy(right, "size of the weight, abs w", "share of the weights (%)")
        right.axvspan(low, bounds[_L1], color="#808080", alpha=0.18, linewidth=0)
        right.set_xlim(left=low)
        right.annotate(
            "small",
            (0.02, 0.95),
            xycoords="axes fraction",
            va="top",
        )
        right.label_outer()
        left.legend(frameon=False, loc="upper right", fontsize="small")

    return Picture(
        "weights",
        "Weights of the first layer after training, of pixels that are ever on: by their value, "
        "and by their size on a logarithmic scale, those below 1e-7 at its edge. In the grey part "
        "they count as small; the legend has their share, all seeds together.",
        draw,
        slides=(23,),
        size=(8.4, 3.8),
    )


experiment = Experiment(
    name="l1",
    title="L1 beside L2",
    question="How does L1 shrink weights, and does it leave more of them near zero than L2?",
    slides=(22, 23),
    measure=_measure,
    seconds=(1.0, 14.0),
)
