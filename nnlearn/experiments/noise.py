"""Why regularisation helps: noise on the inputs of networks with small and with large weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.data import Split
from nnlearn.experiments._bands import MARKERS, plot_band, tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import of_networks, say_diverged
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.robustness import noise_sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_SMALL, _LARGE = "small weights", "large weights"
_VARIANTS = (_SMALL, _LARGE)
_SIGMAS = (0.1, 0.2, 0.3, 0.4, 0.5)
#: The noise of the claim: its place in _SIGMAS.
_AT = 2
#: What all weights of a network are multiplied by.
_SCALES = tuple(float(2.0**k) for k in np.arange(-4.0, 3.5, 0.5))
_DOUBLE = _SCALES.index(2.0)
_ONE = _SCALES.index(1.0)
_MEASURES = ("|delta| of the hidden units per outputs' |delta|", "|dC/dx| per outputs' |delta|")


@dataclass(frozen=True, eq=False)
class _Found:
    """What was worked out of the networks, by variant; NaN for those that diverged.

    Attributes
    ----------
    runs : Comparison
        The networks.
    accuracy : mapping of str to ndarray, shape (n_seeds, 1 + n_sigmas)
        In %, without noise first.
    passed : mapping of str to ndarray, shape (n_seeds, 2, n_scales)
        `_MEASURES`, all weights being scaled.
    sizes : mapping of str to ndarray, shape (n_seeds,)
        The root mean square weight.
    """

    runs: Comparison
    accuracy: Mapping[str, Floats]
    passed: Mapping[str, Floats]
    sizes: Mapping[str, Floats]

    def lost(self, name: str) -> Floats:
        """By how much the noise of the claim lowers the accuracy, (n_seeds,)."""
        lost: Floats = self.accuracy[name][:, 0] - self.accuracy[name][:, 1 + _AT]
        return lost


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 8)
    variants: dict[str, dict[str, Any]] = {
        _SMALL: {"init": "scaled", "l2": lab.l2(5.0)},
        _LARGE: {"init": "large"},
    }
    runs = lab.compare(
        variants,
        without(lab.data, "validation"),
        hidden=30,
        learning_rate=0.5,
        batch_size=10,
        epochs=epochs,
        evaluate_every=epochs,
    )
    assert lab.data.test is not None
    digits = lab.data.test[: lab.pick(5_000, 500)]
    found = _Found(
        runs,
        {name: _noisy(lab, runs[name], digits) for name in _VARIANTS},
        {name: _passed_back(lab, runs[name], digits[:1_000]) for name in _VARIANTS},
        {name: of_networks(lab, runs[name], _rms) for name in _VARIANTS},
    )
    return Result(
        {
            "networks": "784-30-10, sigmoid, cross-entropy, learning rate 0.5, batch size 10, "
            f"{epochs} epochs",
            _SMALL: f"start weights N(0, 1/n_in), lambda {lab.l2(5.0):g}",
            _LARGE: "start weights N(0, 1), no penalty",
            "noise": f"N(0, sigma^2) on every pixel (pixels are 0 to 1) of {len(digits):,} test "
            "digits",
        },
        _rows(found),
        _claims(found),
        (_picture(found),),
        remarks=(
            "The networks differ in two things, start weights and penalty: what is said of small "
            "and of large weights is said of both together.",
            "delta = dC/dz goes back through the weights: delta of a layer is (W delta of the next "
            "one) f'(z). It is given per delta of the outputs, since a network that is made wrong "
            "by the scaling has a larger one to begin with. Larger weights are a larger "
            "factor, and where they saturate the units f'(z) is smaller.",
        ),
    )


def _noisy(lab: Lab, runs: Sequence[Run], digits: Split) -> Floats:
    """The accuracy (n_seeds, 1 + n_sigmas), in %, without noise first."""

    def curve(net: Network) -> Floats:
        found = noise_sensitivity(net, digits, sigmas=_SIGMAS, repeats=lab.pick(3, 1))
        return np.array([found.baseline, *found.mean])

    accuracies: Floats = 100.0 * of_networks(lab, runs, curve, (1 + len(_SIGMAS),))
    return accuracies


def _passed_back(lab: Lab, runs: Sequence[Run], digits: Split) -> Floats:
    """What reaches the hidden units and the inputs of the outputs' delta: (n_seeds, 2, n_scales).

    The root mean square over the digits of |delta| of the hidden units and of |dC/dx|, over that
    of the outputs' |delta|, all weights being scaled.
    """

    def curves(net: Network) -> Floats:
        scaled, found = net.copy(), np.empty((2, len(_SCALES)))
        for k, scale in enumerate(_SCALES):
            for i, weights in enumerate(net.weights):
                scaled.weights[i] = scale * weights
            hidden, output = (d.astype(np.float64) for d in scaled.inspect(digits).delta)
            inputs = hidden @ scaled.weights[0].T
            found[:, k] = np.linalg.norm(hidden), np.linalg.norm(inputs)
            found[:, k] /= np.linalg.norm(output)
        return found

    return of_networks(lab, runs, curves, (2, len(_SCALES)))


def _rms(net: Network) -> float:
    weights = np.concatenate([array.ravel() for array in net.weights])
    return float(np.sqrt(np.mean(np.square(weights, dtype=np.float64))))


# ---- what it shows -------------------------------------------------------------------------------


def _rows(found: _Found) -> tuple[Measured, ...]:
    rows = []
    for name in _VARIANTS:
        group = found.runs[name]
        cost = f"{name}: accuracy lost to noise of sigma {_SIGMAS[_AT]:g}"
        rows += [
            Measured(f"{name}: root mean square weight", tuple(found.sizes[name]), "", digits=3),
            Measured(f"{name}: test accuracy", last(group, "test_accuracy"), stuck=stuck(group)),
            Measured(cost, tuple(found.lost(name)), "percentage points"),
            *(
                Measured(f"{name}: {what}", tuple(found.passed[name][:, k, _ONE]), "")
                for k, what in enumerate(_MEASURES)
            ),
        ]
    return tuple(rows)


def _claims(found: _Found) -> tuple[Claim, ...]:
    passed = found.passed
    return (
        Claim(
            f"with small weights noise of sigma {_SIGMAS[_AT]:g} costs less accuracy",
            differences(found.lost(_LARGE), found.lost(_SMALL)),
            "percentage points",
            "slide 19",
        ),
        *(
            Claim(
                f"with large weights more of the outputs' delta reaches the {where}",
                differences(passed[_LARGE][:, k, _ONE], passed[_SMALL][:, k, _ONE]),
                "",
                "slide 19",
            )
            for k, where in enumerate(("hidden units", "inputs"))
        ),
        *(
            Claim(
                f"delta of the hidden units, for the same delta of the outputs, grows when all "
                f"weights are doubled, {name}",
                differences(passed[name][:, 0, _DOUBLE], passed[name][:, 0, _ONE]),
                "",
                "slide 19",
            )
            for name in _VARIANTS
        ),
    )


def _picture(found: _Found) -> Picture:
    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        known = [name for name in _VARIANTS if np.isfinite(found.sizes[name]).any()]
        if not known:
            say_diverged(left)
            say_diverged(right)
            return
        for name in known:
            i = _VARIANTS.index(name)
            plot_band(left, (0.0, *_SIGMAS), found.accuracy[name], i, name)
            _draw_passed(right, found, i)
        tidy(left, "noise on the inputs, sigma", "test accuracy (%)")
        tidy(right, "root mean square weight, all scaled", "multiple of the outputs' delta")
        right.set_xscale("log")
        right.set_yscale("log")
        left.legend(frameon=False, loc="lower left")
        right.legend(frameon=False, loc="upper left", fontsize="small", handlelength=3.5)
        right.set_ylim(top=30.0 * right.get_ylim()[1])

    return Picture(
        "noise",
        "Left: accuracy by the noise on the inputs. Right: delta of the hidden units and the "
        "gradient of the inputs, as multiples of the outputs' delta, when all weights of a trained "
        "network are multiplied by one number; a ring is the network as it was trained.",
        draw,
        slides=(19,),
        size=(8.4, 3.9),
    )


def _draw_passed(ax: "Axes", found: _Found, i: int) -> None:
    """What comes back of delta, by the scaled weights of one variant."""
    name = _VARIANTS[i]
    size, passed = float(np.nanmean(found.sizes[name])), found.passed[name]
    for k, (what, line) in enumerate((("hidden units", "--"), ("inputs", "-"))):
        look = {"linestyle": line, "color": COLOURS[i], "marker": MARKERS[i]}
        plot_band(ax, size * np.array(_SCALES), passed[:, k], i, f"{what}, {name}", **look)
        here = size, float(np.nanmean(passed[:, k, _ONE]))
        ax.plot(*here, "o", markersize=11, fillstyle="none", color=COLOURS[i])


experiment = Experiment(
    name="noise",
    title="Why regularisation helps: small weights and noise",
    question="Are networks with small weights less disturbed by noise in their inputs?",
    slides=(19,),
    measure=_measure,
    seconds=(1.0, 12.0),
)
