"""Expanded data: digits moved, turned and slanted, for a network of 30 hidden units."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.augment import Augmentation, Compose, Elastic, Rotate, Scale, Shift, Skew, preview
from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.experiments._bands import plot_dots
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result
from nnlearn.experiments.other_techniques import expanded
from nnlearn.plotting import plot_variants
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_COPIES = 5
_NONE, _FIVEFOLD = "none", "fivefold set, shifts by 1"
_TRAINED: dict[str, Augmentation] = {
    "new shifts each epoch, up to 1": Shift(1),
    "rotations up to 10 degrees": Rotate(10),
    "skews up to 0.2": Skew(0.2),
    "all three": Compose(Shift(1), Rotate(10), Skew(0.2)),
}
#: Larger than in training, so that they can be seen.
_SHOWN = (Shift(3), Rotate(20), Skew(0.4), Scale(0.2), Elastic(34, 4))
_SHOWN_TOGETHER = Compose(Shift(1), Rotate(10), Skew(0.2), Scale(0.1), Elastic(20, 4))
_VARIANTS = 25
#: Images of the table of displacements, their side, and how far from the centre they are looked at.
_IMAGES, _SIDE, _OFF = 1_000, 49, 12


def places(part: Augmentation, right: int, down: int, n: int = _IMAGES) -> Floats:
    """Where n images' values at one pixel are taken from, (n, 2), right and down of the centre.

    The images' two channels hold the place itself, which interpolation leaves exact.
    """
    middle = _SIDE // 2
    down_, right_ = np.mgrid[:_SIDE, :_SIDE].astype(np.float64)
    image = np.stack([right_, down_])
    changed = part(np.broadcast_to(image, (n, *image.shape)).copy(), seed=0)
    return np.asarray(changed[:, :, middle + down, middle + right] - middle)


def displacements() -> Table:
    """Mean and standard deviation of what is drawn for an image, as asked for and as found."""
    shift, rotate, skew, scale, elastic = _SHOWN
    uniform = 1.0 / np.sqrt(3.0)
    turned = places(rotate, _OFF, 0)
    drawn = (
        (shift, "pixels to the side", 0.0, 3 * uniform, -places(shift, 0, 0)[:, 0]),
        (shift, "pixels downwards", 0.0, 3 * uniform, -places(shift, 0, 0)[:, 1]),
        (
            rotate,
            "degrees",
            0.0,
            20 * uniform,
            np.degrees(np.arctan2(turned[:, 1], turned[:, 0])),
        ),
        (skew, "tangent", 0.0, 0.4 * uniform, places(skew, 0, _OFF)[:, 0] / _OFF),
        (scale, "factor", 1.0, 0.2 * uniform, _OFF / places(scale, _OFF, 0)[:, 0]),
        *(
            (elastic, what, 0.0, 34 / (np.sqrt(12 * np.pi) * 4), places(elastic, 0, 0)[:, axis])
            for axis, what in enumerate(("pixels to the side", "pixels downwards"))
        ),
    )
    body = [
        (repr(part), what, mean, float(found.mean()), float(sd), float(found.std(ddof=1)))
        for part, what, mean, sd, found in drawn
    ]
    head = ["kind", "of what", "mean asked for", "mean", "sd asked for", "sd"]
    title = f"What was drawn for {_IMAGES:,} images"
    return Table(head, body, title, formats=dict.fromkeys(head[2:], ".3f"))


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 5)
    data = without(lab.data, "validation")
    runs = _train(lab, data, epochs)
    accuracy = {name: last(group, "test_accuracy") for name, group in runs.items()}
    rows = tuple(
        Measured(f"{name}: test accuracy", accuracy[name], stuck=stuck(group))
        for name, group in runs.items()
    )
    claims = tuple(
        Claim(
            f"expanded data raises the test accuracy: {name}",
            differences(accuracy[name], accuracy[_NONE]),
            "percentage points",
            "slide 26",
        )
        for name in accuracy
        if name != _NONE
    )

    def dots(figure: "Figure") -> None:
        plot_dots(figure.subplots(), accuracy, "test accuracy after training (%)")

    return Result(
        {
            "networks": "784-30-10, sigmoid, cross-entropy, start weights N(0, 1/n_in)",
            "training": f"{epochs} epochs ({epochs // _COPIES} of the fivefold set, as many "
            f"steps), batch size 10, learning rate 0.1, lambda {lab.l2(5.0):g} ("
            f"{lab.l2(5.0, _COPIES * len(data.train)):g} for the fivefold set, the same lambda / "
            "n)",
            "fivefold set": "every training digit, and the same moved by one pixel in each of the "
            "four directions",
            "others": "every digit changed anew in every epoch, by amounts uniform from minus the "
            "most to the most",
        },
        rows,
        claims,
        (
            Picture(
                "accuracy",
                "Test accuracy with each way of expanding the data: a dot for each seed, a bar at "
                "their mean.",
                dots,
                slides=(26,),
                size=(7.6, 3.4),
            ),
            _variants(data),
        ),
        (displacements(),),
        ("800 hidden units, and elastic distortions in training, are in the experiment simard.",),
    )


def _train(lab: Lab, data: Dataset, epochs: int) -> Comparison:
    """Without expansion, then each kind, all for equally many steps."""
    common: dict[str, Any] = {"hidden": 30, "learning_rate": 0.1, "batch_size": 10}
    variants: dict[str, dict[str, Any]] = {_NONE: {}}
    variants |= {name: {"augment": part} for name, part in _TRAINED.items()}
    new = lab.compare(
        variants, data, **common, l2=lab.l2(5.0), epochs=epochs, evaluate_every=epochs
    )
    passes = epochs // _COPIES
    more = expanded(data)
    fivefold = lab.compare(
        {_FIVEFOLD: {}},
        more,
        **common,
        l2=lab.l2(5.0, len(more.train)),
        epochs=passes,
        evaluate_every=passes,
    )
    order = {_NONE: new[_NONE], **fivefold}
    return Comparison({**order, **new})


def _variants(data: Dataset) -> Picture:
    digit = data.train[:1]

    def draw(figure: "Figure") -> None:
        for ax, part in zip(figure.subplots(2, 3).flat, (*_SHOWN, _SHOWN_TOGETHER), strict=True):
            plot_variants(preview(digit, _VARIANTS, part, shape=data.image_shape), ax)
            ax.title.set_fontsize("small")
        ax.set_title("all of them, less of each", fontsize="small")

    return Picture(
        "variants",
        f"{_VARIANTS} variants of one training digit for each kind of change, larger ones than in "
        "training.",
        draw,
        slides=(26,),
        size=(8.4, 6.0),
    )


experiment = Experiment(
    name="expansion",
    title="Expanded data",
    question="Do digits that are moved, turned and slanted raise the test accuracy?",
    slides=(26,),
    measure=_measure,
    seconds=(1.5, 60.0),
)
