"""`ToyNeuron`: one neuron that unlearns its answer, by two costs at once."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nnlearn import _checks
from nnlearn._toy_neuron import COLUMNS, COSTS, STARTS, book_gradient, book_path, measured, path
from nnlearn.widgets import _bundle, _frames
from nnlearn.widgets._live import LiveWidget, Run, check_names
from nnlearn.widgets._runner import Stop

_Array = npt.NDArray[np.float64]

#: Learning rates of `ToyNeuron.to_html` when none are given.
RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.5, 1.0, 2.0, 5.0)

#: The largest weight, bias (in size) and learning rate: no float64 overflows within them.
MAX_WEIGHT, MAX_RATE = 10.0, 100.0
MAX_EPOCHS = 3000

#: The hills are drawn from this z or below to the start's or this one's negative.
_HILL_FROM, _HILL_POINTS = -6.0, 121


@dataclass(frozen=True)
class Settings:
    """What a `ToyNeuron` is set to, checked."""

    w: float
    b: float
    learning_rate: Mapping[str, float]  # by cost
    epochs: int
    book_formula: bool


class ToyNeuron(LiveWidget[Settings]):
    """One sigmoid neuron, input 1, target 0, trained by both costs from the same start.

    ::

        z = w x + b,  a = sigma(z)                 x = 1, y = 0
        quadratic      C = (a - y)^2 / 2           dC/dw = dC/db = (a - y) sigma'(z)
        cross-entropy  C = -ln(1 - a)              dC/dw = dC/db = a - y

    Where sigma is flat the quadratic cost learns slowly: its gradient has the factor sigma'(z),
    which the cross-entropy's has not.

    Parameters
    ----------
    predict : bool, default False
        Ask for curves of the output drawn by hand before the first run is shown.
    **settings
        ``w=2.0`` and ``b=2.0``, the start, from -10 to 10; ``learning_rate=0.15``, above 0 up to
        100, one for both costs or a mapping by cost; ``epochs=300``, up to 3000;
        ``book_formula=False``, whether the cross-entropy takes the wrong formula of `book_path`.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong.

    See Also
    --------
    CostComparison : Both costs on images of digits.

    Notes
    -----
    An epoch is one step. The neuron is ``Network([1, 1], cost=cost, dtype="float64")``, trained by
    `Network.fit`.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, the first section.

    Examples
    --------
    >>> from nnlearn.widgets import ToyNeuron
    >>> neuron = ToyNeuron(w=2.0, b=2.0)
    >>> neuron.wait()
    True
    >>> {cost: round(float(run["a"][50]), 4) for cost, run in neuron.history.items()}
    {'quadratic': 0.9759, 'cross_entropy': 0.0985}
    >>> neuron.change(learning_rate={"cross_entropy": 0.005})
    >>> neuron.settings["learning_rate"]
    {'quadratic': 0.15, 'cross_entropy': 0.005}
    >>> neuron.close()
    """

    _esm = _bundle.script("toy_neuron")
    _css = _bundle.style()
    _predict = traitlets.Bool(False).tag(sync=True)

    def __init__(self, *, predict: bool = False, **settings: Any) -> None:
        super().__init__()
        self._predict = _checks.boolean("predict", predict)
        self._paths: Mapping[str, dict[str, _Array]] = {}
        rates = dict.fromkeys(COSTS, 0.15)
        self._begin(Settings(2.0, 2.0, rates, 300, False), settings)

    # ---- what users see -------------------------------------------------------------------------

    @property
    def history(self) -> dict[str, dict[str, _Array]]:
        """Of the last complete run, for each cost: w, b, z, a, cost, slope and gradient by epoch.

        Arrays of shape (epochs + 1,), the first item being the start; slope is sigma'(z), gradient
        what the step from there takes for dC/dw = dC/db.
        """
        return {
            cost: {name: column.copy() for name, column in path.items()}
            for cost, path in self._paths.items()
        }

    def to_html(
        self, path: str | os.PathLike[str], *, learning_rates: Sequence[float] = RATES
    ) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        The neuron is trained beforehand: from the chapter's two starts and the present one, at
        every learning rate, by the right and the book's formula. Buttons and sliders for these
        stay alive.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        learning_rates : sequence of float
            The rates that the sliders offer, above 0 up to 100; the present ones join them.
        """
        from nnlearn.widgets._offline import write_page

        now = self._current
        asked = [_checks.up_to("learning_rates", rate, MAX_RATE) for rate in learning_rates]
        rates = sorted({*asked, *now.learning_rate.values()})
        starts = dict.fromkeys([*STARTS, (now.w, now.b)])
        frames = []
        for (w, b), rate, book in [(s, r, f) for s in starts for r in rates for f in (False, True)]:
            both = dict.fromkeys(COSTS, rate)
            settings = replace(now, w=w, b=b, learning_rate=both, book_formula=book)
            header, arrays = _picture(settings, _train(settings, Stop()))
            key = {"start": [w, b], "rate": rate, "book": book, "settings": self._tell(now)}
            frames.append(_frames.pack({**header, **key}, arrays))
        write_page(path, "toy_neuron", "One neuron, two costs", frames)

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now = self._current
        check_names(changes, self._tell(now))
        epochs = changes.get("epochs", now.epochs)
        return Settings(
            w=_checks.within("w", changes.get("w", now.w), -MAX_WEIGHT, MAX_WEIGHT),
            b=_checks.within("b", changes.get("b", now.b), -MAX_WEIGHT, MAX_WEIGHT),
            learning_rate=_rates(changes.get("learning_rate", {}), now.learning_rate),
            epochs=_checks.integer("epochs", epochs, minimum=1, maximum=MAX_EPOCHS),
            book_formula=_checks.boolean(
                "book_formula", changes.get("book_formula", now.book_formula)
            ),
        )

    def _tell(self, settings: Settings) -> dict[str, Any]:
        return {
            "w": settings.w,
            "b": settings.b,
            "learning_rate": dict(settings.learning_rate),
            "epochs": settings.epochs,
            "book_formula": settings.book_formula,
        }

    def _work(self, settings: Settings, run: Run) -> None:
        paths = _train(settings, run.stop)
        if not run.stop.requested:
            self._paths = paths
            run.finish(*_picture(settings, paths))


# ---- settings ----------------------------------------------------------------------------------


def _rates(given: Any, now: Mapping[str, float]) -> Mapping[str, float]:
    """The learning rates: one for both costs, or a mapping for some."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(COSTS, _checks.up_to("learning_rate", given, MAX_RATE))
    for cost in given:
        _checks.choice("learning_rate", cost, COSTS)
    changed = {
        cost: _checks.up_to(f"learning_rate of {cost!r}", rate, MAX_RATE)
        for cost, rate in given.items()
    }
    return {**now, **changed}


# ---- training ----------------------------------------------------------------------------------


def _train(settings: Settings, stop: Stop) -> dict[str, dict[str, _Array]]:
    """For each cost, `COLUMNS` by epoch."""
    paths = {}
    for cost in COSTS:
        eta, book = settings.learning_rate[cost], settings.book_formula and cost == "cross_entropy"
        if book:
            w, b = book_path(settings.w, settings.b, eta, settings.epochs)
        else:
            w, b = path(cost, settings.w, settings.b, eta, settings.epochs, stop.fit)
        paths[cost] = measured(cost, w, b)
        if book:
            paths[cost]["gradient"] = book_gradient(w + b)
    return paths


def _picture(
    settings: Settings, paths: Mapping[str, Mapping[str, _Array]]
) -> tuple[dict[str, Any], list[npt.NDArray[np.float32]]]:
    """The paths, and the hills that they go down: z and the cost there, for both costs."""
    end = max(math.ceil(settings.w + settings.b) + 1.0, -_HILL_FROM)
    begin = min(math.floor(settings.w + settings.b) - 1.0, _HILL_FROM)
    z = np.linspace(begin, end, _HILL_POINTS)
    hills = [z, *(measured(cost, z, np.zeros_like(z))["cost"] for cost in COSTS)]
    rows = [np.stack([path[name] for name in COLUMNS], axis=1) for path in paths.values()]
    header = {"costs": list(COSTS), "columns": list(COLUMNS), "starts": [list(s) for s in STARTS]}
    return header, [array.astype(np.float32) for array in (*rows, np.stack(hills))]
