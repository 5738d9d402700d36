"""The slides' two Gaussians: weighted inputs of a first layer, by how its weights start."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._bands import tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.initialisation import first_layer_density, half_on, start_variances
from nnlearn.layers import INITS
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_N_INPUTS, _UNITS, _N_OUTPUTS = 1000, 30, 10
#: From this size of z on a sigmoid unit is saturated: its output is outside [.01, .99].
SATURATED = math.log(0.99 / 0.01)
_SHOWN = ("large", "scaled")
_NAMES = {"large": "W ~ N(0, 1)", "scaled": "W ~ N(0, 1/n_in)"}
#: Half of the width that the pictures show, by initialisation.
_REACH = {"large": 75.0, "scaled": 7.5}

_SETTINGS = "1,000 inputs, half of them 1; weights {}, bias N(0, 1)"
_QUOTES = {
    "large": Quote(
        "22.4", "slide 27; book, chapter 3", _SETTINGS.format("N(0, 1)"), "exact", of_data=False
    ),
    "scaled": Quote(
        "1.22",
        "slide 28; book, chapter 3",
        _SETTINGS.format("N(0, 1/1000)"),
        "exact",
        of_data=False,
    ),
}


@dataclass(frozen=True, eq=False)
class Sample:
    """The first layer's inside in many networks, by one initialisation.

    Attributes
    ----------
    z, a : ndarray of shape (n_networks, n_units)
        Weighted inputs and outputs.
    slope : float
        The mean of sigma'(z).
    saturated : float
        The share of saturated units.
    """

    z: npt.NDArray[Any]
    a: npt.NDArray[Any]
    slope: float
    saturated: float


def theory(init: str) -> tuple[float, float]:
    """Standard deviation of z for 1,000 inputs, half of them 1; the share of saturated units.

    ::

        sd^2 = 500 Var(W) + Var(b) ,    share = P(|z| > ln 99) = erfc(ln 99 / (sd sqrt(2)))
    """
    weight, bias = start_variances(init, _N_INPUTS, _UNITS)
    sd = math.sqrt(_N_INPUTS // 2 * weight + bias)
    return sd, math.erfc(SATURATED / (sd * math.sqrt(2.0))) if sd else 0.0


def _drawn(wanted: tuple[str, range]) -> Sample:
    """One network for each seed, by one initialisation, at its start, given the same input."""
    init, seeds = wanted
    x, y = half_on(1, _N_INPUTS), np.zeros(1, np.int64)
    z, a, slopes, saturated = [], [], [], []
    for seed in seeds:
        network = Network([_N_INPUTS, _UNITS, _N_OUTPUTS], init=init, seed=seed, n_threads=1)
        inside = network.inspect(x, y)
        z.append(inside.z[0][0])
        a.append(inside.a[1][0])
        slopes.append(inside.slope(0).mean())
        saturated.append(inside.saturated[0].mean())
    return Sample(np.array(z), np.array(a), float(np.mean(slopes)), float(np.mean(saturated)))


def _measure(lab: Lab) -> Result:
    n = lab.pick(150, 60)
    inits = [init for init in INITS if init != "zeros"]
    wanted = [(init, range(n * seed, n * (seed + 1))) for init in inits for seed in lab.seeds]
    drawn_all = iter(lab.each(_drawn, wanted))
    samples = {init: [next(drawn_all) for _ in lab.seeds] for init in inits}
    rows = []
    for init in _SHOWN:
        sd, share = theory(init)
        drawn = samples[init]
        name = _NAMES[init]
        rows += [
            Measured(f"{name}: sd of z, formula", (sd,), "", _QUOTES[init]),
            Measured(f"{name}: sd of z, drawn", tuple(float(s.z.std()) for s in drawn), ""),
            Measured(f"{name}: saturated units, formula", (100.0 * share,), "%", digits=3),
            Measured(
                f"{name}: saturated units, drawn",
                tuple(100.0 * s.saturated for s in drawn),
                "%",
                digits=3,
            ),
        ]
    claim = Claim(
        "with weights from N(0, 1) more units begin saturated than with N(0, 1/n_in)",
        differences(*([100.0 * s.saturated for s in samples[init]] for init in _SHOWN)),
        "percentage points",
        "slide 27",
    )
    pictures = tuple(
        Picture(
            init,
            _CAPTIONS[init],
            _histograms(init, samples[init]),
            slides=(slide,),
            size=(8.0, 3.4),
        )
        for init, slide in zip(_SHOWN, (27, 28), strict=True)
    )
    return Result(
        {
            "networks": f"{n} for each seed, {_N_INPUTS:,} inputs, {_UNITS} sigmoid units, drawn "
            "and not trained",
            "input": f"{_N_INPUTS // 2} of the inputs 1, the others 0",
            "saturated": "output outside [.01, .99], that is |z| > ln 99 = 4.6",
        },
        tuple(rows),
        (claim,),
        pictures,
        (_table(samples),),
        remarks=(
            "Bias and weights both count: 500 weights at inputs of 1 and one bias add up to a "
            "variance of 500 + 1 = 501, and of 500/1000 + 1 = 1.5.",
        ),
        finding=_finding(samples),
    )


def _finding(samples: dict[str, list[Sample]]) -> str:
    """How far z spreads and how many units are saturated, in the networks drawn."""
    said = []
    for init in _SHOWN:
        sd = float(np.mean([s.z.std() for s in samples[init]]))
        share = 100.0 * float(np.mean([s.saturated for s in samples[init]]))
        said.append(f"{sd:.3g} with {_NAMES[init]}, and {share:.3g} % of the units are saturated")
    return f"In the networks drawn z has the standard deviation {'; '.join(said)}."


def _table(samples: dict[str, list[Sample]]) -> Table:
    """Every initialisation of the library: formula and draw."""
    head = ["init", "Var(W)", "Var(b)", "sd of z", "sd drawn", "saturated %", "drawn %"]
    rows = []
    for init, drawn in samples.items():
        sd, share = theory(init)
        z = np.concatenate([s.z.ravel() for s in drawn])
        saturated = 100.0 * float(np.mean([s.saturated for s in drawn]))
        slope = float(np.mean([s.slope for s in drawn]))
        variances = start_variances(init, _N_INPUTS, _UNITS)
        rows.append((init, *variances, sd, float(z.std()), 100.0 * share, saturated, slope))
    formats = dict.fromkeys(("sd of z", "sd drawn", "mean sigma'(z)"), ".3f")
    formats |= dict.fromkeys(("saturated %", "drawn %"), ".3f")
    title = f"The first layer before training, {_N_INPUTS:,} inputs, half of them 1"
    return Table([*head, "mean sigma'(z)"], rows, title, formats=formats)


_CAPTIONS = {
    "large": "Weights from N(0, 1): z spreads over N(0, 501), most units begin in the shaded "
    "region, where the sigmoid is flat, and put out all but 0 or 1.",
    "scaled": "Weights from N(0, 1/n_in): z stays within N(0, 1.5), drawn beside the wide curve "
    "of the other start, and hardly any unit begins saturated.",
}


def _histograms(init: str, drawn: list[Sample]) -> "Callable[[Figure], None]":
    """Draws z with its density, and what the units put out."""
    z = np.concatenate([s.z.ravel() for s in drawn])
    a = np.concatenate([s.a.ravel() for s in drawn])
    share = 100.0 * float(np.mean([s.saturated for s in drawn]))

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
        _draw_z(left, init, z)
        right.hist(a, bins=np.linspace(0, 1, 26), density=True, color=COLOURS[0], alpha=0.55)
        right.set_title(f"outputs: {share:.3g} % of the units saturated", fontsize="medium")
        tidy(left, "weighted input z", "density")
        tidy(right, "a = σ(z)", "density")

    return draw


def _draw_z(ax: "Axes", init: str, z: npt.NDArray[Any]) -> None:
    reach = _REACH[init]
    at = np.linspace(-reach, reach, 401)
    x = half_on(1, _N_INPUTS)
    ax.hist(
        z,
        bins=np.linspace(-reach, reach, 61).tolist(),
        density=True,
        color=COLOURS[0],
        alpha=0.55,
        label="drawn networks",
    )
    for name, line, colour in (("large", "-", COLOURS[1]), ("scaled", "--", COLOURS[2])):
        if name == "scaled" and init == "large":
            continue  # a needle beside the wide curve
        variance = theory(name)[0] ** 2
        label = f"N(0, {variance:.4g}), sd {math.sqrt(variance):.3g}"
        density = first_layer_density(at, x, name, _UNITS)
        ax.plot(at, density, line, color=colour, linewidth=1.8, label=label)
    for side in (-1, 1):
        named: dict[str, Any] = {"label": "sigmoid saturated"} if side == 1 else {}
        edges = sorted((side * SATURATED, side * reach))
        ax.axvspan(*edges, color="#808080", alpha=0.16, linewidth=0, **named)
    ax.set_xlim(-reach, reach)
    ax.set_title(f"{_NAMES[init]}, b ~ N(0, 1)", fontsize="medium")
    ax.margins(y=0.05)
    ax.set_ylim(top=ax.get_ylim()[1] * 1.45)
    ax.legend(loc="upper left", fontsize="small", frameon=False, ncols=2)


experiment = Experiment(
    name="start-weights",
    title="Start weights and saturated units",
    question="How large are a unit's weighted inputs before training, by how the weights start?",
    slides=(27, 28),
    measure=_measure,
    seconds=(0.5, 2.0),
    quotes=_QUOTES,
    widgets={
        27: ("InitialisationExplorer", {"inputs": "book", "depth": 1, "init": "large"}),
        28: ("InitialisationExplorer", {"inputs": "book", "depth": 1, "init": "scaled"}),
    },
    needs_data=False,
)
