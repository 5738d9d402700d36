"""Points in the plane with a class each: read from users and pages, or made by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from nnlearn import _checks
from nnlearn._data_checks import as_array
from nnlearn._shared import SharedData
from nnlearn.data import Dataset, Split
from nnlearn.datasets import spirals, two_moons, xor
from nnlearn.widgets._planes import View

#: Points at most, classes at most, and how far from 0 a coordinate may be.
MOST, CLASSES, FARTHEST = 5000, 3, 1e6

#: How far from 0 a view may reach: one around points as far as that has some room beyond them.
_VIEW_FARTHEST = 3 * FARTHEST

#: The name of points that a user has set.
OWN = "own points"


class Maker(NamedTuple):
    """A set that can be made: its function of (n, noise, seed), and the noise that suits it."""

    make: Callable[[int, float, int], Split]
    noise: float


MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        "xor": Maker(lambda n, noise, seed: xor(n, noise=noise, seed=seed), 0.15),
        "moons": Maker(lambda n, noise, seed: two_moons(n, noise=noise, seed=seed), 0.15),
        "spirals": Maker(lambda n, noise, seed: spirals(n, noise=noise, seed=seed), 0.02),
        "three spirals": Maker(
            lambda n, noise, seed: spirals(n, n_classes=3, noise=noise, seed=seed), 0.02
        ),
    }
)


class Points:
    """What networks are trained on, what they are judged on, and the view of both.

    Parameters
    ----------
    train : Split
        As `read_points` gives it; may be empty.
    validation : Split, optional
        Points that no network is trained on.
    view : View, optional
        Of the plane; by default around the training points.
    """

    def __init__(
        self, train: Split, validation: Split | None = None, view: View | None = None
    ) -> None:
        self.train = train
        self.view = View.of(train.x) if view is None else view
        names = train.class_names
        if names is None:
            parts = [part for part in (train, validation) if part is not None and len(part)]
            count = max([2, *(int(part.y.max()) + 1 for part in parts)])
            names = tuple(f"class {k}" for k in range(count))
        self.class_names = names
        # Settings are checked on some point even where there is none yet.
        some = train if len(train) else Split(np.zeros((1, 2), np.float32), np.zeros(1, np.int64))
        self.data = Dataset(Split(some.x, some.y, class_names=names), validation)
        self.shared = SharedData()


def made(name: str, n: int, noise: float) -> Points:
    """The set of this name, judged on as many other points made likewise."""
    make = MAKERS[name].make
    return Points(make(n, noise, 0), make(n, noise, 1))


def given(data: Dataset | Split) -> Points:
    """The user's data, which must lie in the plane."""
    train = data.train if isinstance(data, Dataset) else data
    names = data.class_names
    validation = None
    if isinstance(data, Dataset) and data.validation is not None:
        validation = read_points("data", data.validation.x, data.validation.y)
    read = read_points("data", train.x, train.y)
    if names is not None and len(names) > CLASSES:
        _checks.fail(ValueError, "data", "have two or three classes", names)
    names = names if names is not None and len(names) > 1 else None
    return Points(Split(read.x, read.y, class_names=names), validation)


def drawn(points: Any) -> Points:
    """Points that are set: a Split, (x, y), or the page's mapping of x, y and its view."""
    view = None
    if isinstance(points, Mapping) and {"x", "y"} <= points.keys():
        x, y = points["x"], points["y"]
        view = _view(points["view"]) if "view" in points else None
    elif isinstance(points, (Split, tuple, list)) and len(tuple(points)) == 2:
        x, y = points
    else:
        _checks.fail(ValueError, "points", "be (x, y) with x (n, 2) and y (n,)", points)
    return Points(read_points("points", x, y), view=view)


def _view(given: Any) -> View:
    if not isinstance(given, (list, tuple)) or len(given) != len(View._fields):
        _checks.fail(ValueError, "view", f"be {', '.join(View._fields)}", given)
    view = View(*(_checks.real("view", value) for value in given))
    for value in view:
        if abs(value) > _VIEW_FARTHEST:
            _checks.fail(ValueError, "view", f"lie within {_VIEW_FARTHEST:g} of 0", value)
    if not (view.left < view.right and view.bottom < view.top):
        _checks.fail(ValueError, "view", "have left < right and bottom < top", given)
    return view


def read_points(name: str, x: Any, y: Any) -> Split:
    """The points as float32 (n, 2) with int64 labels (n,); raises TypeError or ValueError."""
    inputs, labels = as_array(f"x of {name}", x), as_array(f"y of {name}", y)
    if len(inputs) == 0 and len(labels) == 0:
        return Split(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
    if inputs.ndim != 2 or inputs.shape[1] != 2:
        hint = "a plane has an axis for each of two inputs"
        got = f"inputs of shape {inputs.shape[1:]}"
        raise ValueError(_checks.message(f"x of {name}", "have shape (n, 2)", got, hint))
    if labels.shape != inputs.shape[:1] or labels.dtype.kind not in "iub":
        requirement = f"be {len(inputs)} integer labels, one for each point"
        _checks.fail(ValueError, f"y of {name}", requirement, labels)
    if len(inputs) > MOST:
        got = f"{len(inputs)} points"
        hint = "more hide the plane; give some of them"
        raise ValueError(_checks.message(name, f"be at most {MOST} points", got, hint))
    for wrong, requirement in (
        (~np.isfinite(inputs), "be finite"),
        (~(np.abs(inputs) <= FARTHEST), f"lie within {FARTHEST:g} of 0"),
    ):
        if wrong.any():
            row, column = map(int, np.argwhere(wrong)[0])
            got = f"{inputs[row, column].item()!r} at row {row}, column {column}"
            raise ValueError(_checks.message(f"x of {name}", requirement, got))
    foreign = labels[(labels < 0) | (labels >= CLASSES)]
    if len(foreign):
        got, hint = repr(foreign[0].item()), "two or three classes can be told apart in a plane"
        raise ValueError(_checks.message(f"y of {name}", "hold labels 0, 1 or 2", got, hint))
    return Split(inputs.astype(np.float32), labels.astype(np.int64))
