"""How much a network depends on what may change: noise in its inputs, each of its hidden units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _arrays, _checks, _sparse
from nnlearn.data import Split
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.recipes._recipe_checks import check_network
from nnlearn.recipes._result import Result
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

#: Numbers that a block of rows takes in one array: 2 MB in double precision.
_BLOCK = 2**18

#: A loss of accuracy that the verdict calls small: one point.
_SMALL_LOSS = 0.01


def noise_sensitivity(
    net: Network,
    x: Any,
    y: Any = None,
    sigmas: Iterable[float] | None = None,
    *,
    seed: int = 0,
    repeats: int = 3,
) -> NoiseSensitivity:
    """How well a network does when Gaussian noise is added to its inputs.

    ::

        x' = x + sigma e        e ~ N(0, 1) for each input of each row

    Parameters
    ----------
    net : Network
        The network; it is not changed.
    x : array_like, shape (n, n_inputs), or Split
        Inputs as they are, without noise; uint8 i stands for i/255.
    y : array_like, optional
        Labels (n,) or targets (n, n_outputs); left out beside a Split.
    sigmas : sequence of float
        Standard deviations of the noise, >= 0, in the units of x (of i/255 for uint8).
    seed : int, default 0
        Of the noise.
    repeats : int, default 3
        How often noise is drawn, >= 1.

    Returns
    -------
    NoiseSensitivity
        The accuracy (for regression the loss) without noise and at each sigma.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, before anything is drawn.

    See Also
    --------
    knock_out : Leaves out hidden units instead.

    Notes
    -----
    Every sigma scales the same deviates e, and every network gets them too, so that curves can be
    compared. Inputs are not cut off at 0 or 1. Rows are taken in blocks, in bounded memory.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 30, 10], seed=1)
    >>> history = net.fit(digits.train, epochs=2, learning_rate=0.5, verbose=0)
    >>> found = nn.noise_sensitivity(net, digits.test, sigmas=[0.1, 0.5, 2.0])
    >>> bool(found.mean[0] > found.mean[2])
    True
    """
    check_network(net)
    if isinstance(x, Split) and y is not None and sigmas is None:
        requirement, hint = "be given by its name beside a Split", "write sigmas=[...]"
        raise TypeError(_checks.message("sigmas", requirement, "None", hint))
    sizes = _check_sigmas(sigmas)
    seed = _checks.seed(seed)
    repeats = _checks.integer("repeats", repeats, minimum=1)
    measure = "loss" if net._architecture.is_regression else "accuracy"
    # Of the network itself: it knows the scale it was trained on, which x + noise may leave.
    baseline = net.loss(x, y) if measure == "loss" else net.accuracy(x, y)
    x, y = _arrays.unpack(x, y)
    rows, y = _arrays.inputs(x, net._architecture, net.dtype), np.asarray(y)
    noisy = net.copy()
    noisy._input_scale = None
    totals = np.zeros((len(sizes), repeats))
    for repeat in range(repeats):
        draw = np.random.default_rng([seed, repeat])
        for lo, hi in _blocks(rows.shape[0], net.n_inputs):
            clean, noise = _as_floats(rows[lo:hi]), draw.standard_normal((hi - lo, net.n_inputs))
            for i, sigma in enumerate(sizes):
                totals[i, repeat] += _total(noisy, measure, clean + sigma * noise, y[lo:hi])
    scores = totals / rows.shape[0]
    scores[[sigma == 0 for sigma in sizes]] = baseline  # to the last bit
    scores.flags.writeable = False
    return NoiseSensitivity(tuple(sizes), scores, baseline, measure, seed)


def knock_out(net: Network, x: Any, y: Any = None) -> KnockOut:
    """How well a network does without each of its hidden units, one at a time.

    The activation that the unit hands on to the next layer is set to zero for every row.

    Parameters
    ----------
    net : Network
        The network, which tells classes apart; it is not changed.
    x : array_like, shape (n, n_inputs), or Split
        Inputs, as `Network.accuracy` takes them.
    y : array_like, optional
        Labels (n,) or targets (n, n_outputs); left out beside a Split.

    Returns
    -------
    KnockOut
        The accuracy with all units and without each, layer by layer.

    Raises
    ------
    ValueError
        If the network has no hidden layer, or for regression, which has no accuracy.
    TypeError, ValueError
        If x or y do not fit, or there are no rows.

    See Also
    --------
    noise_sensitivity : Adds noise to the inputs instead.

    Notes
    -----
    A network trained with dropout has learned to do without single units; one without may lean on
    some. Dropout layers do nothing here, as in every evaluation.

    Up to each hidden layer rows pass once; only the layers behind it are worked out for each unit.
    Rows are taken in blocks, in bounded memory.

    Examples
    --------
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 30, 10], seed=1)
    >>> history = net.fit(digits.train, epochs=2, learning_rate=0.5, verbose=0)
    >>> found = nn.knock_out(net, digits.test)
    >>> found.layers, found.accuracies[0].shape
    (('dense1',), (30,))
    """
    check_network(net)
    names = tuple(name.removesuffix(".weight") for name in net._names[:-2:2])
    if not names:
        _checks.fail(ValueError, "net", "have a hidden layer", net)
    baseline = net.accuracy(x, y)
    x, y = _arrays.unpack(x, y)
    rows, y = _arrays.inputs(x, net._architecture, net.dtype), np.asarray(y)
    whole = net.copy()
    parts = [_behind(whole, i) for i in range(len(names))]
    right = [np.zeros(part.n_inputs) for part in parts]
    widths = net.n_inputs + 3 * sum(array.size for array in whole.biases)  # x; z, a, delta
    for lo, hi in _blocks(rows.shape[0], widths):
        entering = whole.inspect(rows[lo:hi], y[lo:hi]).a[1:-1]
        for part, activations, total in zip(parts, entering, right, strict=True):
            weights = part.weights[0]
            for unit in range(part.n_inputs):
                kept = weights[unit].copy()
                weights[unit] = 0.0
                total[unit] += _total(part, "accuracy", activations, y[lo:hi])
                weights[unit] = kept
    accuracies = tuple(total / rows.shape[0] for total in right)
    for array in accuracies:
        array.flags.writeable = False
    return KnockOut(names, accuracies, baseline)


@dataclass(frozen=True, eq=False, repr=False)
class NoiseSensitivity(Result):
    """What `noise_sensitivity` found.

    Attributes
    ----------
    sigmas : tuple of float
        Standard deviations of the noise, in the units of x.
    scores : ndarray, shape (n_sigmas, repeats)
        The measure at each sigma, for each draw of noise.
    baseline : float
        The measure without noise.
    measure : str
        "accuracy", in [0, 1]; for regression "loss".
    seed : int
        Of the noise.
    """

    sigmas: tuple[float, ...]
    scores: Floats
    baseline: float
    measure: str
    seed: int

    @property
    def mean(self) -> Floats:
        """The mean over the draws, one for each sigma."""
        means: Floats = self.scores.mean(axis=1)
        return means

    def table(self) -> Table:
        """The measure at every sigma.

        Returns
        -------
        Table
            A row for no noise (sigma 0), then one for each other sigma as given: mean, lowest and
            highest of the draws, and the change from no noise. Accuracies in %.
        """
        unit, scale = ("loss", 1.0) if self.measure == "loss" else ("accuracy %", 100.0)
        rows = [(0.0, *[scale * self.baseline] * 3, 0.0)]
        for sigma, scores in zip(self.sigmas, scale * self.scores, strict=True):
            if sigma:
                change = scores.mean() - scale * self.baseline
                rows.append(
                    (sigma, *map(float, (scores.mean(), scores.min(), scores.max(), change)))
                )
        digits = ".4g" if self.measure == "loss" else ".2f"
        formats = dict.fromkeys((unit, "lowest", "highest"), digits)
        draws = count(self.scores.shape[1], "draw")
        return Table(
            ["sigma", unit, "lowest", "highest", "change"],
            rows,
            f"Gaussian noise on the inputs, {draws}",
            formats=formats | {"sigma": "g", "change": "+" + digits},
        )

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the measure against sigma; see `nnlearn.plotting.plot_noise_sensitivity`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw, beside the curves that are there; a new figure by default.
        label : str, optional
            The curve's name, where there are several.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_noise_sensitivity

        return plot_noise_sensitivity(self, ax, label=label)

    @property
    def verdict(self) -> str:
        """What noise does to the measure, in one sentence."""
        curve = sorted((s, float(m)) for s, m in zip(self.sigmas, self.mean, strict=True) if s)
        if not curve:
            return f"The {self.measure} is {self._text(self.baseline)} without noise."
        last, score = curve[-1]
        end = f"{self._text(score)} at sigma {last:g}."
        start = f"The {self.measure} is {self._text(self.baseline)} without noise"
        if self.measure == "loss":
            return f"{start}, and {end}"
        small = 0.0
        for sigma, mean in curve:
            if self.baseline - mean > _SMALL_LOSS:
                break
            small = sigma
        if small == last:
            return f"{start}, and still within one point of it, {end}"
        if small:
            return f"{start}, within one point of that up to sigma {small:g}, and {end}"
        first, mean = curve[0]
        loss = f"{100 * (self.baseline - mean):.1f} points less at sigma {first:g}"
        return f"{start}, {loss} already" + (f", and {end}" if len(curve) > 1 else ".")

    def _text(self, value: float) -> str:
        return f"{value:.4g}" if self.measure == "loss" else f"{100 * value:.2f} %"


@dataclass(frozen=True, eq=False, repr=False)
class KnockOut(Result):
    """What `knock_out` found.

    Attributes
    ----------
    layers : tuple of str
        The hidden layers, named as their parameters: "dense1", ...
    accuracies : tuple of ndarray, shape (n_units,)
        For each of them the accuracy in [0, 1] without unit 0, 1, ...
    baseline : float
        The accuracy with all units.
    """

    layers: tuple[str, ...]
    accuracies: tuple[Floats, ...]
    baseline: float

    def table(self) -> Table:
        """The accuracy without a unit, layer by layer.

        Returns
        -------
        Table
            A row for each hidden layer: its units; the accuracy in % without one of them, as the
            mean over the units and as the lowest; the unit whose lack makes it lowest; and how many
            units can go, alone, without a loss of accuracy.
        """
        rows = [
            (
                name,
                len(accuracy),
                100 * float(accuracy.mean()),
                100 * float(accuracy.min()),
                int(accuracy.argmin()),
                int((accuracy >= self.baseline).sum()),
            )
            for name, accuracy in zip(self.layers, self.accuracies, strict=True)
        ]
        head = ["layer", "units", "mean accuracy %", "lowest", "without unit", "can go"]
        title = f"Accuracy without a hidden unit; with all {100 * self.baseline:.2f} %"
        return Table(head, rows, title, formats=dict.fromkeys(head[2:4], ".2f"))

    def units(self) -> Table:
        """The accuracy without every unit.

        Returns
        -------
        Table
            A row for each unit of each hidden layer: the accuracy in % without it, and the change
            in points. ``.to_pandas()`` sorts and groups them.
        """
        rows = [
            (name, unit, 100 * float(accuracy), 100 * float(accuracy - self.baseline))
            for name, group in zip(self.layers, self.accuracies, strict=True)
            for unit, accuracy in enumerate(group)
        ]
        formats = {"accuracy %": ".2f", "change": "+.2f"}
        return Table(
            ["layer", "unit", "accuracy %", "change"],
            rows,
            f"Accuracy without each hidden unit; with all {100 * self.baseline:.2f} %",
            formats=formats,
        )

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the accuracy without each unit; see `nnlearn.plotting.plot_knock_out`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw, beside the curves that are there; a new figure by default.
        label : str, optional
            The network's name, where there are several.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_knock_out

        return plot_knock_out(self, ax, label=label)

    @property
    def verdict(self) -> str:
        """Which unit is missed most, and how many can go, in one sentence."""
        total = sum(len(group) for group in self.accuracies)
        free = sum(int((group >= self.baseline).sum()) for group in self.accuracies)
        layer = int(np.argmin([group.min() for group in self.accuracies]))
        unit = int(self.accuracies[layer].argmin())
        lowest = float(self.accuracies[layer][unit])
        go = f"{free} of {count(total, 'hidden unit')} can go, alone, without a loss of accuracy"
        if lowest >= self.baseline:
            return f"{go}, {100 * self.baseline:.2f} % with all."
        return (
            f"{go}; missed most is unit {unit} of {self.layers[layer]}, without which it falls "
            f"from {100 * self.baseline:.2f} % to {100 * lowest:.2f} %."
        )


def _check_sigmas(sigmas: Any) -> list[float]:
    requirement = "be a sequence of standard deviations >= 0, in the units of x"
    is_text = isinstance(sigmas, (str, bytes))
    if is_text or not isinstance(sigmas, Iterable) or getattr(sigmas, "ndim", 1) != 1:
        _checks.fail(TypeError, "sigmas", requirement, sigmas)
    sizes = [_checks.real(f"sigmas[{i}]", s, minimum=0.0) for i, s in enumerate(sigmas)]
    if not sizes:
        _checks.fail(ValueError, "sigmas", "hold at least one standard deviation", sigmas)
    return sizes


def _blocks(n: int, width: int) -> Iterator[tuple[int, int]]:
    """The rows in blocks, from and to, so that so many numbers a row make no large array."""
    step = max(1, _BLOCK // width)
    return ((lo, min(lo + step, n)) for lo in range(0, n, step))


def _as_floats(rows: Any) -> Floats:
    """A block of rows in double precision: dense, bytes as i/255."""
    block = rows.toarray() if _sparse.is_sparse(rows) else rows
    floats: Floats = block.astype(np.float64)
    return floats / 255 if block.dtype == np.uint8 else floats


def _total(net: Network, measure: str, x: Any, y: Any) -> float:
    """The sum of the measure over the rows: how many are right, or their loss."""
    if measure == "loss":
        return len(y) * net.loss(x, y)
    return round(len(y) * net.accuracy(x, y))


def _behind(net: Network, i: int) -> Network:
    """The layers behind hidden layer i as a network, which takes what they are handed."""
    first = [k for k, layer in enumerate(net.layers) if isinstance(layer, Dense)][i + 1]
    width = net.weights[i + 1].shape[0]
    part = Network(
        [width, *net.layers[first:]],
        cost=net.cost,
        dtype=net.dtype,
        seed=0,
        n_threads=net.n_threads,
    )
    for k, (weights, biases) in enumerate(zip(part.weights, part.biases, strict=True)):
        weights[...], biases[...] = net.weights[i + 1 + k], net.biases[i + 1 + k]
    return part
