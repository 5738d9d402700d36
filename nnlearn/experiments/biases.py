"""Biases: penalised or not, and what a large bias does beside a large weight."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.experiments._bands import MARKERS, plot_band, tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import of_networks, plot_epochs, say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nnlearn.data import Split

Floats = npt.NDArray[np.float64]

_FREE, _PENALISED = "biases free", "biases penalised"
_VARIANTS = (_FREE, _PENALISED)
#: The neuron a = sigma(w x + b): what weight and bias are, by the name of the curve.
_NEURONS = {
    "w = 1, b = 0": (1.0, 0.0),
    "w = 1, b = 6": (1.0, 6.0),
    "w = 6, b = 0": (6.0, 0.0),
    "w = 6, b = 6": (6.0, 6.0),
}
#: What the hidden units' weights or biases are made larger by; the claims are about the last one.
_FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0)
_WEIGHTS, _BIASES = "weights multiplied", "biases multiplied"
_PARTS = (_WEIGHTS, _BIASES)
_MOST = f"multiplied by {_FACTORS[-1]:g}"


def neuron(w: float, b: float, x: npt.ArrayLike) -> tuple[Any, Any]:
    """The output a = sigma(w x + b) of a neuron, and its derivative da/dx = w a (1 - a)."""
    net = Network([1, 1], dtype="float64", init="zeros")
    net.weights[0], net.biases[0] = np.full((1, 1), w), np.array([b])
    column = np.asarray(x, np.float64).reshape(-1, 1)
    seen = net.inspect(column, np.zeros(len(column), np.int64))
    return seen.a[-1][:, 0], w * seen.slope(0)[:, 0]


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 6)
    variants = {name: {"penalize_biases": name == _PENALISED} for name in _VARIANTS}
    settings: dict[str, Any] = {
        "hidden": 30,
        "l2": lab.l2(5.0),
        "learning_rate": 0.5,
        "batch_size": 10,
    }
    data = without(lab.data, "validation")
    runs = lab.compare(variants, data, **settings, epochs=epochs)
    assert data.test is not None
    digits = data.test[:1_000]
    sizes = {name: tuple(of_networks(lab, runs[name], _rms_bias)) for name in _VARIANTS}
    answers = {part: _answers(lab, runs[_FREE], part, digits) for part in _PARTS}
    gains = differences(*(last(runs[name], "test_accuracy") for name in (_PENALISED, _FREE)))
    return Result(
        {
            "networks": "784-30-10, sigmoid, cross-entropy, start weights N(0, 1/n_in), biases "
            "N(0, 1)",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5, lambda "
            f"{lab.l2(5.0):g}, of the weights alone or of weights and biases",
            "sensitivity": "of the hidden units of the networks with free biases: "
            "the length of da/dx, |w| a (1 - a), as the root mean square over units and "
            f"{len(digits):,} test digits",
            "saturated": "a outside 0.01 to 0.99",
        },
        _rows(runs, sizes, answers),
        _claims(sizes, answers),
        (_penalised(runs), _larger(answers)),
        remarks=(_remark(gains),),
    )


def _rows(
    runs: Comparison, sizes: Mapping[str, tuple[float, ...]], answers: Mapping[str, Floats]
) -> tuple[Measured, ...]:
    rows = []
    for name, group in runs.items():
        accuracy = last(group, "test_accuracy")
        rows += [
            Measured(f"{name}: test accuracy", accuracy, stuck=stuck(group)),
            Measured(f"{name}: root mean square bias", sizes[name], ""),
        ]
    for part, found in answers.items():
        what = f"hidden units' {part.split()[0]} {_MOST}"
        rows += [
            Measured(f"{what}: length of da/dx", tuple(found[:, 0, -1]), ""),
            Measured(f"{what}: saturated", tuple(found[:, 1, -1])),
        ]
    return tuple(rows)


def _claims(
    sizes: Mapping[str, tuple[float, ...]], answers: Mapping[str, Floats]
) -> tuple[Claim, ...]:
    weights, biases = (answers[part] for part in _PARTS)
    return (
        Claim(
            "biases end smaller where they are penalised",
            differences(sizes[_FREE], sizes[_PENALISED]),
            "",
            "slide 20",
        ),
        Claim(
            f"hidden units are more sensitive to their inputs with weights than with biases "
            f"{_MOST}",
            differences(weights[:, 0, -1], biases[:, 0, -1]),
            "",
            "slide 20",
        ),
        Claim(
            f"biases {_MOST} make the hidden units no more sensitive, but less",
            differences(weights[:, 0, 0], biases[:, 0, -1]),
            "",
            "slide 20",
        ),
        Claim(
            f"biases {_MOST} saturate more of the hidden units",
            differences(biases[:, 1, -1], biases[:, 1, 0]),
            "percentage points",
            "slide 20",
        ),
    )


def _remark(gains: Sequence[float]) -> str:
    """What penalising biases does to the test accuracy of the seeds that did not diverge."""
    text = "The book leaves biases free by convention, since it often changes little"
    known = [gain for gain in gains if np.isfinite(gain)]
    if not known:
        return f"{text}."
    return (
        f"{text}: here penalising them changes the test accuracy by {np.mean(known):+.2f} points "
        f"on average, {min(known):+.2f} to {max(known):+.2f} over the seeds."
    )


def _rms_bias(net: Network) -> float:
    return float(np.sqrt(np.mean(_all_biases(net) ** 2)))


def _answers(lab: Lab, runs: Sequence[Run], part: str, digits: "Split") -> Floats:
    """The length of da/dx, and the hidden units saturated in %: (n_seeds, 2, n_factors).

    The length is the root mean square over units and digits of |w_j| f'(z_j), w_j being the weights
    of unit j: by so much times sigma do small noises of this sigma on all inputs move its output.
    """

    def curves(net: Network) -> Floats:
        larger, found = net.copy(), np.empty((2, len(_FACTORS)))
        for k, factor in enumerate(_FACTORS):
            if part == _WEIGHTS:
                larger.weights[0] = factor * net.weights[0]
            else:
                larger.biases[0] = factor * net.biases[0]
            seen = larger.inspect(digits)
            steep = np.mean(seen.slope(0).astype(np.float64) ** 2, axis=0)
            found[0, k] = np.sqrt(np.mean(np.sum(larger.weights[0] ** 2, axis=0) * steep))
            found[1, k] = 100.0 * seen.saturated[0].mean()
        return found

    return of_networks(lab, runs, curves, (2, len(_FACTORS)))


def _penalised(runs: Comparison) -> Picture:
    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        plot_epochs(runs, "test_error", left)
        ended = {name: [r.network for r in runs[name] if not r.error] for name in _VARIANTS}
        values = {v: np.concatenate([*map(_all_biases, nets)]) for v, nets in ended.items() if nets}
        if not values:
            say_diverged(right)
            return
        ends = min(map(np.min, values.values())), max(map(np.max, values.values()))
        edges = np.linspace(*ends, 31)
        for name, found in values.items():
            i = _VARIANTS.index(name)
            look = {"color": COLOURS[i], "linestyle": ("-", "--")[i], "linewidth": 1.8}
            right.hist(found, edges, histtype="step", label=name, **look)
        tidy(right, "bias after training", "biases, all seeds")
        right.legend(frameon=False, loc="upper left")

    return Picture(
        "penalised",
        "Test error by epoch with free and with penalised biases, and the biases that come of it.",
        draw,
        slides=(20,),
        size=(8.4, 3.5),
    )


def _all_biases(net: Network) -> Floats:
    return np.concatenate([np.asarray(array, np.float64) for array in net.biases])


def _larger(answers: Mapping[str, Floats]) -> Picture:
    def draw(figure: "Figure") -> None:
        (outputs, slopes), (sensitivity, saturated) = figure.subplots(2, 2)
        x = np.linspace(-3.0, 3.0, 241)
        for i, (name, (w, b)) in enumerate(_NEURONS.items()):
            a, slope = neuron(w, b, x)
            line = {"color": COLOURS[i], "linestyle": ("-", "--", "-.", ":")[i], "linewidth": 1.8}
            outputs.plot(x, a, label=name, **line)
            slopes.plot(x, slope, **line)
        tidy(outputs, "x", "a = sigma(w x + b)")
        tidy(slopes, "x", "da/dx")
        outputs.legend(frameon=False, fontsize="small")
        for ax, k, label in (
            (sensitivity, 0, "length of da/dx, hidden units"),
            (saturated, 1, "saturated hidden units (%)"),
        ):
            _factors(ax, answers, k, label)
        if sensitivity.get_lines():
            sensitivity.legend(frameon=False, fontsize="small")

    return Picture(
        "larger",
        "Above: one neuron. A large weight makes its output change fast with the input; a large "
        "bias moves the place where it changes and leaves the neuron saturated elsewhere. Below: "
        "the hidden units of the trained networks, their weights or their biases made larger.",
        draw,
        slides=(20,),
        size=(8.4, 6.0),
    )


def _factors(ax: "Axes", answers: Mapping[str, Floats], k: int, label: str) -> None:
    for i, part in enumerate(_PARTS):
        look = {"linestyle": ("-", "--")[i], "marker": MARKERS[i]}
        plot_band(ax, _FACTORS, answers[part][:, k], i, part, **look)
    ax.set_xscale("log", base=2)
    ax.set_xticks(_FACTORS, [f"{factor:g}" for factor in _FACTORS])
    tidy(ax, "multiplied by", label)


experiment = Experiment(
    name="biases",
    title="Biases",
    question="Does it matter that biases are not penalised, and what do large ones do?",
    slides=(20,),
    measure=_measure,
    seconds=(0.5, 9.0),
)
