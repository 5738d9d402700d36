"""`InitialisationExplorer`: the inside of networks before any training, by how they start."""

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.config import available_cores
from nnlearn.costs import check_cost
from nnlearn.data import Dataset, Split
from nnlearn.datasets import load_mnist_small
from nnlearn.initialisation import first_layer_density, half_on, start_variances
from nnlearn.inspection import Inspection
from nnlearn.layers import ACTIVATIONS, INITS, check_activation, check_init
from nnlearn.network import Network
from nnlearn.widgets import _bundle, _frames, _histograms
from nnlearn.widgets._data import labelled
from nnlearn.widgets._histograms import Histogram
from nnlearn.widgets._live import LiveWidget, Run, check_names

_Array = npt.NDArray[Any]

#: Largest settings, and the largest product of width, samples and seeds.
MAX_WIDTH, MAX_DEPTH, MAX_SD, MAX_VALUES = 500, 6, 100.0, 2_000_000

#: Inputs and classes of the examples that are no data.
N_INPUTS, N_CLASSES = 1000, 10

#: Units of a layer, over all networks, that make a histogram smooth; networks at least and at most.
ENOUGH_UNITS, FEWEST, MOST = 2000, 6, 64

#: Seconds after which a run that is still drawing networks shows what it has.
FIRST_PICTURE = 0.02

#: Sizes of z beyond which units count as saturated, see `Inspection.saturated`.
SATURATED_BEYOND = {"sigmoid": math.log(0.99 / 0.01), "tanh": math.atanh(0.98)}

#: A gradient that changes by more, from the last hidden layer to the first, vanishes or explodes.
FAR = 5

#: What the frames call the three quantities, in their order.
QUANTITIES = ("z", "a", "delta")


@dataclass(frozen=True)
class Settings:
    """What an `InitialisationExplorer` is set to, checked."""

    width: int
    depth: int
    init: str | float
    activation: str
    inputs: str
    cost: str
    samples: int
    seeds: int | None
    one_axis: bool


class InitialisationExplorer(LiveWidget[Settings]):
    """Weighted inputs, activations and gradients of networks that have not been trained yet.

    Networks are drawn from several seeds, and `Network.inspect` tells what happens inside them:
    histograms by layer, the share of saturated units, and the mean size of the gradient.

    Parameters
    ----------
    data : Dataset, optional
        With integer labels; by default the digits inside the package.
    **settings
        ``width=100``, units of each hidden layer; ``depth=3``, hidden layers, 1 to 6;
        ``init="large"``, as for `Network`; ``activation="sigmoid"``; ``inputs="digits"`` (with
        `data` ``"data"``), ``"normal"``, 1,000 numbers from N(0, 1), or ``"book"``, 1,000 inputs
        of which half are 1; ``cost="cross_entropy"``; ``samples=40``, inputs given to each
        network; ``seeds=None``, the number of networks, None being enough for smooth histograms;
        ``one_axis=True``, whether all layers share the axis of z, as long as it shows them all.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong, or `data` has no labels.

    See Also
    --------
    nnlearn.Network.inspect : The numbers of one network.
    nnlearn.initialisation.first_layer_density : The curve over the first layer's z.

    Notes
    -----
    ``"normal"`` and ``"book"`` have ten classes, drawn at random. Every network sees the same
    inputs.

    Examples
    --------
    >>> from nnlearn.widgets import InitialisationExplorer
    >>> w = InitialisationExplorer(inputs="book", depth=2)
    >>> w.wait()
    True
    >>> w.formula
    'z ~ N(0, 500 · 1 + 1) = N(0, 501)'
    >>> w.change(init="scaled")
    >>> w.wait()
    True
    >>> w.formula
    'z ~ N(0, 500 · 1/1000 + 1) = N(0, 1.5)'
    >>> [len(h.counts) for h in w.histograms["z"]]  # two hidden layers, the outputs
    [45, 45, 15]
    >>> w.close()
    """

    _esm = _bundle.script("initialisation_explorer")
    _css = _bundle.style()

    def __init__(self, data: Dataset | None = None, **settings: Any) -> None:
        super().__init__()
        self._data = labelled(load_mnist_small() if data is None else data)
        # One class alone still has a second output, which is never the right one.
        self._n_classes = max(int(np.max(self._data.train.y)) + 1, 2)
        self._choices = ("digits" if data is None else "data", "normal", "book")
        self._networks: tuple[Network, ...] = ()
        self._picture: _Picture | None = None
        samples = min(40, len(self._data.train))
        start = Settings(
            100, 3, "large", "sigmoid", self._choices[0], "cross_entropy", samples, None, True
        )
        self._begin(start, settings)

    # ---- what users see -------------------------------------------------------------------------

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of the latest run, in the seeds' order, as far as it has come."""
        return self._networks

    @property
    def histograms(self) -> dict[str, tuple[Histogram, ...]]:
        """The histograms shown, layer by layer, of ``"z"``, ``"a"`` and ``"delta"`` (its size)."""
        return {} if self._picture is None else dict(self._picture.histograms)

    @property
    def saturated(self) -> tuple[float, ...]:
        """The share of saturated units, layer by layer."""
        return () if self._picture is None else self._picture.saturated

    @property
    def mean_delta(self) -> tuple[float, ...]:
        """The mean of |delta|, layer by layer."""
        return () if self._picture is None else self._picture.mean_delta

    @property
    def formula(self) -> str:
        """The theory of the first layer's weighted inputs, as shown."""
        settings = self._current
        return _formula(settings, self._inputs(settings).x)

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        widths: Sequence[int] = (30, 100),
        depths: Sequence[int] = (1, 2, 3, 4, 5, 6),
    ) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        All pictures are made beforehand: every width with every depth, initialisation and
        activation, with the present settings otherwise.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        widths, depths : sequence of int
            What the sliders offer, beside the present width and depth.
        """
        from nnlearn.widgets._offline import write_page

        now = self._current
        all_widths = {_checks.integer("a width", n, minimum=1, maximum=MAX_WIDTH) for n in widths}
        all_depths = {_checks.integer("a depth", n, minimum=1, maximum=MAX_DEPTH) for n in depths}
        inits = list(dict.fromkeys([*INITS, now.init]))
        every = [
            replace(now, width=width, depth=depth, init=init, activation=activation)
            for width in sorted(all_widths | {now.width})
            for depth in sorted(all_depths | {now.depth})
            for init in inits
            for activation in ACTIVATIONS
        ]
        settings = [now, *(one for one in every if one != now)]
        with ThreadPoolExecutor(available_cores()) as pool:
            frames = list(pool.map(self._complete_frame, settings))
        write_page(path, "initialisation_explorer", "How a network starts", frames)

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        given = {**vars(self._current), **changes}
        check_names(changes, vars(self._current))
        init = check_init("init", given["init"])
        if not isinstance(init, str) and init > MAX_SD:
            _checks.fail(ValueError, "init", f"be at most {MAX_SD:g} as a number", init)
        n = len(self._data.train) if given["inputs"] == self._choices[0] else None
        seeds = given["seeds"]
        settings = Settings(
            width=_checks.integer("width", given["width"], minimum=1, maximum=MAX_WIDTH),
            depth=_checks.integer("depth", given["depth"], minimum=1, maximum=MAX_DEPTH),
            init=init,
            activation=check_activation("activation", given["activation"]),
            inputs=_checks.choice("inputs", given["inputs"], self._choices),
            cost=check_cost(given["cost"]),
            samples=_checks.integer("samples", given["samples"], minimum=1, maximum=n),
            seeds=None if seeds is None else _checks.integer("seeds", seeds, minimum=1),
            one_axis=_checks.boolean("one_axis", given["one_axis"]),
        )
        values = settings.width * settings.samples * _n_networks(settings)
        if values > MAX_VALUES:
            factors = {"width": settings.width, "samples": settings.samples, "seeds": seeds}
            now = vars(self._current)
            name = next((name for name in factors if factors[name] != now[name]), "samples")
            requirement = f"be such that width x samples x seeds <= {MAX_VALUES:,}"
            hint = f"the product is {values:,}"
            raise ValueError(_checks.message(name, requirement, repr(factors[name]), hint))
        inputs = self._inputs(settings)
        smallest = replace(settings, width=1, depth=1)
        self._network(smallest, inputs, 0).inspect(inputs)  # raises where they do not fit
        return settings

    def _tell(self, settings: Settings) -> dict[str, Any]:
        return dict(vars(settings))

    def _inputs(self, settings: Settings) -> Split:
        """What goes into the networks, dense, with labels."""
        n = settings.samples
        if settings.inputs == self._choices[0]:
            part = self._data.train[:n]
            x = part.x.toarray() if hasattr(part.x, "toarray") else np.asarray(part.x)
            x = x.reshape(len(x), -1)
            return Split(x / np.float32(255) if x.dtype == np.uint8 else x, part.y)
        rng = np.random.default_rng(0)
        labels = rng.integers(N_CLASSES, size=n)
        if settings.inputs == "book":
            return Split(half_on(n, N_INPUTS), labels)
        return Split(rng.standard_normal((n, N_INPUTS), np.float32), labels)

    def _network(self, settings: Settings, inputs: Split, seed: int) -> Network:
        of_data = settings.inputs == self._choices[0]
        return Network(
            [
                inputs.x.shape[1],
                *[settings.width] * settings.depth,
                self._n_classes if of_data else N_CLASSES,
            ],
            cost=settings.cost,
            activation=settings.activation,
            init=settings.init,
            seed=seed,
        )

    def _complete_frame(self, settings: Settings) -> bytes:
        inputs = self._inputs(settings)
        seeds = range(_n_networks(settings))
        inspections = [self._network(settings, inputs, seed).inspect(inputs) for seed in seeds]
        header, arrays = _Picture(settings, inputs, inspections).frame(self._choices)
        return _frames.pack({**header, "settings": self._tell(settings)}, arrays)

    def _work(self, settings: Settings, run: Run) -> None:
        inputs = self._inputs(settings)
        networks: list[Network] = []
        inspections: list[Inspection] = []

        def draw(seed: int) -> tuple[Network, Inspection] | None:
            if run.stop.requested:
                return None
            net = self._network(settings, inputs, seed)
            return net, net.inspect(inputs)

        with ThreadPoolExecutor(available_cores()) as pool:
            for drawn in pool.map(draw, range(_n_networks(settings))):
                if drawn is None:
                    return
                networks.append(drawn[0])
                inspections.append(drawn[1])
                if run.seconds > FIRST_PICTURE and run.pause() == 0.0:
                    run.publish(*_Picture(settings, inputs, inspections).frame(self._choices))
        picture = _Picture(settings, inputs, inspections)
        if not run.stop.requested:
            self._networks, self._picture = tuple(networks), picture
        run.finish(*picture.frame(self._choices))


def _n_networks(settings: Settings) -> int:
    if settings.seeds is not None:
        return settings.seeds
    return min(max(math.ceil(ENOUGH_UNITS / settings.width), FEWEST), MOST)


# ---- what is shown ------------------------------------------------------------------------------


class _Picture:
    """What inspections of several networks of one kind have in common, layer by layer."""

    def __init__(
        self, settings: Settings, inputs: Split, inspections: Sequence[Inspection]
    ) -> None:
        self._settings, self._inputs = settings, inputs
        self._activations = inspections[0].activations
        layers = range(len(self._activations))
        z = [_joined([one.z[i] for one in inspections]) for i in layers]
        a = [_joined([one.a[i + 1] for one in inspections]) for i in layers]
        delta = [np.abs(_joined([one.delta[i] for one in inspections])) for i in layers]
        self._n_networks = len(inspections)
        self._units = [part.shape[1] for part in inspections[0].z]
        self.saturated = tuple(
            float(np.mean([one.saturated[i].mean() for one in inspections])) for i in layers
        )
        self.mean_delta = tuple(float(np.mean(part, dtype=np.float64)) for part in delta)
        self._zero = [float(np.mean(part == 0)) for part in a]
        self._without_delta = [float(np.mean(part == 0)) for part in delta]
        self._sd = [[float(np.std(p, dtype=np.float64)) for p in part] for part in (z, a)]
        bins = [_histograms.n_bins(n * self._n_networks) for n in self._units]
        self.histograms = {
            "z": _histograms.of_weighted_inputs(z, bins, settings.one_axis),
            "a": _histograms.of_activations(a, bins, self._activations),
            "delta": _histograms.of_sizes(delta, bins),
        }

    def frame(self, choices: Sequence[str]) -> tuple[dict[str, Any], list[_Array]]:
        """Words and numbers for the page: counts and the borders of the first and last bin."""
        settings = self._settings
        names = [f"layer {i + 1}" for i in range(settings.depth)] + ["outputs"]
        header = {
            "layers": [
                {
                    "name": name,
                    "units": self._units[i],
                    "activation": self._activations[i],
                    "saturated": self.saturated[i],
                    "zero": self._zero[i],
                    "mean_delta": self.mean_delta[i],
                    "without_delta": self._without_delta[i],
                    "sd": {"z": self._sd[0][i], "a": self._sd[1][i]},
                }
                for i, name in enumerate(names)
            ],
            "words": self.words(),
            "saturated_beyond": SATURATED_BEYOND.get(settings.activation),
            "formula": _formula(settings, self._inputs.x),
            "own_axes": len({one.edges[-1] for one in self.histograms["z"]}) > 1,
            "n_networks": self._n_networks,
            "n_samples": len(self._inputs.x),
            "n_inputs": self._inputs.x.shape[1],
            "choices": {"inputs": list(choices), "init": list(INITS)},
        }
        tables = [self.histograms[quantity] for quantity in QUANTITIES]
        counts = [one.counts.astype(np.int32) for table in tables for one in table]
        ends = np.array([[one.edges[[0, -1]] for one in table] for table in tables], np.float64)
        return header, [*counts, ends, self._theory()]

    def _theory(self) -> _Array:
        """z, and how many values the theory expects in a bin around it; no columns for zeros."""
        first, settings = self.histograms["z"][0], self._settings
        z = np.linspace(first.edges[0], first.edges[-1], 4 * len(first.counts) + 1)
        density = first_layer_density(z, self._inputs.x, settings.init, settings.width)
        if not density.any():
            return np.zeros((2, 0), np.float32)
        total = first.counts.sum() * (first.edges[1] - first.edges[0])
        return np.array([z, density * total], np.float32)

    def words(self) -> list[str]:
        """What there is to see, in sentences."""
        return [self._words_of_saturation(), self._words_of_gradient()]

    def _words_of_saturation(self) -> str:
        name = self._activations[0]
        if name in ("sigmoid", "tanh"):
            told = {"sigmoid": "outside 0.01 to 0.99", "tanh": "beyond 0.98 in size"}[name]
            text = f"{_percent(self.saturated[0])} of the first layer's units are saturated"
            text += f" (activation {told})"
            if self._settings.depth > 1:
                text += f", {_percent(self.saturated[-2])} of the last hidden layer's"
            return text + "."
        if name == "relu":
            text = f"{_percent(self._zero[0])} of the first layer's activations are 0"
            return text + ": these relu units pass no gradient back."
        return "Linear units never saturate."

    def _words_of_gradient(self) -> str:
        hidden, outputs = self.mean_delta[:-1], self.mean_delta[-1]
        if hidden[0] == 0.0:
            return "No gradient arrives in layer 1: mean |δ| is 0 there."
        if len(hidden) == 1:
            return f"Mean |δ| is {hidden[0]:.2g} in the hidden layer, {outputs:.2g} in the outputs."
        factor = hidden[0] / hidden[-1]
        text = f"From layer {len(hidden)} back to layer 1 mean |δ| "
        if factor < 1 / FAR:
            return f"{text}falls to 1/{_round(1 / factor)} of its size: the gradient vanishes."
        if factor > FAR:
            return f"{text}grows {_round(factor)}-fold: the gradient explodes."
        return f"{text}changes by a factor of {factor:.2g}: it neither vanishes nor explodes."


def _joined(parts: Sequence[_Array]) -> _Array:
    return np.concatenate([part.ravel() for part in parts])


def _formula(settings: Settings, x: _Array) -> str:
    """The distribution of the first layer's z, with the numbers of these inputs."""
    n, width, init = x.shape[1], settings.width, settings.init
    weight, bias = start_variances(init, n, width)
    known = {"scaled": f"1/{n}", "xavier": f"2/({n} + {width})", "he": f"2/{n}"}
    told = known[init] if isinstance(init, str) and init in known else f"{weight:.3g}"
    with_bias = f" + {bias:g}" if bias else ""
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    if not (squares * weight + bias).any():
        return "z = 0"
    if np.ptp(squares) == 0:
        variance = squares[0] * weight + bias
        return f"z ~ N(0, {squares[0]:g} · {told}{with_bias}) = N(0, {variance:.4g})"
    mean = f"|x|² is {squares.mean():.3g} on average"
    return f"z ~ N(0, |x|² · {told}{with_bias}) for an input x; {mean}"


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f} %" if value >= 1 or value == 0 else f"{value:.1g} %"


def _round(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"
