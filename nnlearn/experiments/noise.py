"""Why regularisation helps: noise on the inputs of networks with small and with large weights."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.comparison import Comparison
from nnlearn.data import Split
from nnlearn.experiments._bands import MARKERS, plot_band, tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.robustness import noise_sensitivity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    accuracy = _noisy(lab, runs, digits)
    passed = {name: _passed_back(lab, runs, name, digits[:1_000]) for name in _VARIANTS}
    sizes = {name: [_rms(run.network) for run in runs[name]] for name in _VARIANTS}
    clean = {name: last(runs[name], "test_accuracy") for name in _VARIANTS}
    lost = {name: accuracy[name][:, 0] - accuracy[name][:, 1 + _AT] for name in _VARIANTS}
    sigma = _SIGMAS[_AT]
    rows = []
    for name in _VARIANTS:
        rows += [
            Measured(f"{name}: root mean square weight", tuple(sizes[name]), "", digits=3),
            Measured(f"{name}: test accuracy", clean[name]),
            Measured(f"{name}: accuracy lost to noise of sigma {sigma:g}", tuple(lost[name])),
            *(
                Measured(f"{name}: {what}", tuple(passed[name][:, k, _ONE]), "")
                for k, what in enumerate(_MEASURES)
            ),
        ]
    claims = (
        Claim(
            f"with small weights noise of sigma {sigma:g} costs less accuracy",
            tuple(lost[_LARGE] - lost[_SMALL]),
            "%",
            "slide 19",
        ),
        Claim(
            "with large weights more of the outputs' delta reaches the inputs",
            tuple(passed[_LARGE][:, 1, _ONE] - passed[_SMALL][:, 1, _ONE]),
            "",
            "slide 19",
        ),
        *(
            Claim(
                f"delta of the hidden units, for the same delta of the outputs, grows when all "
                f"weights are doubled, {name}",
                tuple(passed[name][:, 0, _DOUBLE] - passed[name][:, 0, _ONE]),
                "",
                "slide 19",
            )
            for name in _VARIANTS
        ),
    )

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        for i, name in enumerate(_VARIANTS):
            plot_band(left, (0.0, *_SIGMAS), accuracy[name], i, name)
            rms = np.mean(sizes[name]) * np.array(_SCALES)
            for k, line in enumerate(("--", "-")):
                what = ("hidden units", "inputs")[k]
                look = {"linestyle": line, "color": COLOURS[i], "marker": MARKERS[i]}
                plot_band(right, rms, passed[name][:, k], i, f"{what}, {name}", **look)
                here = float(np.mean(sizes[name])), float(passed[name][:, k, _ONE].mean())
                right.plot(*here, "o", markersize=11, fillstyle="none", color=COLOURS[i])
        tidy(left, "noise on the inputs, sigma", "test accuracy (%)")
        tidy(right, "root mean square weight, all scaled", "multiple of the outputs' delta")
        right.set_xscale("log")
        right.set_yscale("log")
        left.legend(frameon=False, loc="lower left")
        right.legend(frameon=False, loc="upper left", fontsize="small", handlelength=3.5)
        right.set_ylim(top=30.0 * right.get_ylim()[1])

    return Result(
        {
            "networks": "784-30-10, sigmoid, cross-entropy, learning rate 0.5, batch size 10, "
            f"{epochs} epochs",
            _SMALL: f"start weights N(0, 1/n_in), lambda {lab.l2(5.0):g}",
            _LARGE: "start weights N(0, 1), no penalty",
            "noise": f"N(0, sigma^2) on every pixel (pixels are 0 to 1) of {len(digits):,} test "
            "digits",
        },
        tuple(rows),
        claims,
        (
            Picture(
                "noise",
                "Left: accuracy by the noise on the inputs. Right: delta of the hidden units and "
                "the gradient of the inputs, as multiples of the outputs' delta, when all weights "
                "of a trained network are multiplied by one number; a ring is the network as it "
                "was trained.",
                draw,
                slides=(19,),
                size=(8.4, 3.9),
            ),
        ),
        remarks=(
            "delta = dC/dz goes back through the weights: delta of a layer is (W delta of the next "
            "one) f'(z). It is given per delta of the outputs, since a network that is made wrong "
            "by the scaling has a larger one to begin with. It grows more slowly than the weights "
            "where units saturate, f'(z) being small.",
        ),
    )


def _noisy(lab: Lab, runs: Comparison, digits: Split) -> dict[str, Any]:
    """For each variant the accuracy (n_seeds, 1 + n_sigmas), in %, without noise first."""
    networks = [run.network for name in _VARIANTS for run in runs[name]]

    def curve(net: Network) -> Any:
        found = noise_sensitivity(net, digits, sigmas=_SIGMAS, repeats=lab.pick(3, 1))
        return np.r_[found.baseline, found.mean]

    curves = 100.0 * np.array(lab.each(curve, networks))
    return dict(zip(_VARIANTS, np.split(curves, len(_VARIANTS)), strict=True))


def _passed_back(lab: Lab, runs: Comparison, name: str, digits: Split) -> Any:
    """What reaches the hidden units and the inputs of the outputs' delta: (n_seeds, 2, n_scales).

    The root mean square over the digits of |delta| of the hidden units and of |dC/dx|, over that
    of the outputs' |delta|, all weights being scaled.
    """

    def curves(net: Network) -> Any:
        scaled, found = net.copy(), np.empty((2, len(_SCALES)))
        for k, scale in enumerate(_SCALES):
            for i, weights in enumerate(net.weights):
                scaled.weights[i] = scale * weights
            hidden, output = (d.astype(np.float64) for d in scaled.inspect(digits).delta)
            inputs = hidden @ scaled.weights[0].T
            found[:, k] = np.linalg.norm(hidden), np.linalg.norm(inputs)
            found[:, k] /= np.linalg.norm(output)
        return found

    return np.array(lab.each(curves, [run.network for run in runs[name]]))


def _rms(net: Network) -> float:
    weights = np.concatenate([array.ravel() for array in net.weights])
    return float(np.sqrt(np.mean(np.square(weights, dtype=np.float64))))


experiment = Experiment(
    name="noise",
    title="Why regularisation helps: small weights and noise",
    question="Are networks with small weights less disturbed by noise in their inputs?",
    slides=(19,),
    measure=_measure,
    seconds=(1.0, 12.0),
)
