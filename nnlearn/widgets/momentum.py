"""`Momentum`: three ways down a bowl or a valley, step by step."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nnlearn import _checks
from nnlearn.descent import Bowl, Descent, Surface, Valley, descend, read_place
from nnlearn.optimizers import SGD
from nnlearn.widgets import _bundle, _frames
from nnlearn.widgets._live import LiveWidget, Run, check_names

_Array = npt.NDArray[Any]

#: What may be gone down, in the order of the buttons.
SURFACES: Mapping[str, type[Bowl] | type[Valley]] = MappingProxyType(
    {"bowl": Bowl, "valley": Valley}
)

#: The ways, in the order of their colours: whether with momentum, and in Nesterov's form.
METHODS: Mapping[str, tuple[bool, bool]] = MappingProxyType(
    {"gradient_descent": (False, False), "momentum": (True, False), "nesterov": (True, True)}
)

#: The largest of what is set.
MAX_RATE, MAX_CONDITION, MAX_STEPS, MAX_GOAL = 100.0, 1000.0, 1000, 100.0

#: Costs are sent for this many places across and up the view, its borders among them; and for so
#: many of the part around the goal, whose line would be angular else.
GRID, GOAL_GRID = (161, 121), (61, 61)

_View = tuple[float, float, float, float]


@dataclass(frozen=True)
class Settings:
    """What a `Momentum` is set to, checked."""

    surface: str
    condition: float
    start: tuple[float, float]
    learning_rate: float
    momentum: float
    same_pace: bool
    steps: int
    goal: float

    @property
    def ground(self) -> Surface:
        """What is gone down."""
        return Bowl(self.condition) if self.surface == "bowl" else Valley()

    @property
    def optimizers(self) -> dict[str, SGD]:
        """Of each method."""
        eta, mu = self.learning_rate, self.momentum
        quick = eta / (1.0 - mu) if self.same_pace else eta
        return {
            name: SGD(eta, mu, nesterov) if pushed else SGD(quick)
            for name, (pushed, nesterov) in METHODS.items()
        }


class Momentum(LiveWidget[Settings]):
    """Gradient descent, momentum and Nesterov's momentum, from one start down one surface.

    ::

        gradient descent   W <- W - eta g
        momentum           v <- mu v - eta g ;   W <- W + v
        Nesterov           v <- mu v - eta g ;   W <- W + mu v - eta g       (Keras's form)

    Their paths lie over the contours of the cost; beside them stands the cost by step, and when
    each of them reaches a goal. The start is dragged, rate and momentum are sliders.

    Parameters
    ----------
    surface : {"bowl", "valley"}, default "bowl"
        `nnlearn.descent.Bowl` or `nnlearn.descent.Valley`.
    predict : bool, default False
        Ask for curves of the cost drawn by hand before the paths are shown.
    **settings
        ``condition=25.0``, the bowl's, from 1 to 1000; ``start``, a pair within the surface's
        view, by default the surface's own; ``learning_rate=0.5``, above 0 up to 100;
        ``momentum=0.9``, in [0, 1); ``same_pace=False``, whether gradient descent has
        eta / (1 - mu) for eta, which is the pace that momentum comes to on an even slope;
        ``steps=150``, up to 1000; ``goal=0.001``, the cost to be reached, above 0 up to 100.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong.

    See Also
    --------
    nnlearn.descent.descend : The paths.
    nnlearn.SGD : The three ways for networks.

    Notes
    -----
    A change of the surface that names no start takes the surface's own. Of a path that diverges
    the steps end where its cost goes beyond 1e12. In the bowl a path is said to diverge before,
    once it is higher than its start by a rate above `Bowl.largest_learning_rate`.

    Examples
    --------
    >>> from nnlearn.widgets import Momentum
    >>> w = Momentum("bowl", momentum=0.9)
    >>> w.wait()
    True
    >>> {name: path.first_at(0.001) for name, path in w.paths.items()}
    {'gradient_descent': 104, 'momentum': 36, 'nesterov': 12}
    >>> w.change(learning_rate=1.5)
    >>> w.wait()
    True
    >>> [name for name, path in w.paths.items() if path.diverged]
    ['nesterov']
    >>> w.close()
    """

    _esm = _bundle.script("momentum")
    _css = _bundle.style()
    _predict = traitlets.Bool(False).tag(sync=True)

    def __init__(self, surface: str = "bowl", *, predict: bool = False, **settings: Any) -> None:
        super().__init__()
        self._predict = _checks.boolean("predict", predict)
        self._paths: Mapping[str, Descent] = {}
        start = Settings("bowl", 25.0, Bowl.start, 0.5, 0.9, False, 150, 0.001)
        self._begin(start, {"surface": surface, **settings})

    # ---- what users see -------------------------------------------------------------------------

    @property
    def paths(self) -> dict[str, Descent]:
        """Of the last complete run: the path of each method."""
        return dict(self._paths)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        All controls stay alive: no table could hold what several of them give, so that the file,
        and the file alone, has the surfaces and the steps in JavaScript.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        """
        from nnlearn.widgets._offline import write_page

        now = self._current
        header, arrays = _picture(now, _descents(now))
        frame = _frames.pack({**header, "settings": self._tell(now)}, arrays)
        write_page(path, "momentum", "Momentum", [frame])

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now = self._current
        known = self._tell(now)
        check_names(changes, known)
        surface = _checks.choice("surface", changes.get("surface", now.surface), SURFACES)
        usual = now.start if surface == now.surface else SURFACES[surface].start
        given = {**known, "start": usual, **changes}
        return Settings(
            surface=surface,
            condition=_checks.within("condition", given["condition"], 1.0, MAX_CONDITION),
            start=_start(given["start"], SURFACES[surface].view),
            learning_rate=_checks.up_to("learning_rate", given["learning_rate"], MAX_RATE),
            momentum=_checks.real("momentum", given["momentum"], minimum=0, below=1),
            same_pace=_checks.boolean("same_pace", given["same_pace"]),
            steps=_checks.integer("steps", given["steps"], minimum=1, maximum=MAX_STEPS),
            goal=_checks.up_to("goal", given["goal"], MAX_GOAL),
        )

    def _tell(self, settings: Settings) -> dict[str, Any]:
        return {**vars(settings), "start": list(settings.start)}

    def _work(self, settings: Settings, run: Run) -> None:
        paths = _descents(settings)
        if not run.stop.requested:
            self._paths = paths
            run.finish(*_picture(settings, paths))


# ---- settings ----------------------------------------------------------------------------------


def _start(place: Any, view: _View) -> tuple[float, float]:
    """A place that can be seen."""
    x, y = read_place("start", place)
    left, right, bottom, top = view
    return _checks.within("start[0]", x, left, right), _checks.within("start[1]", y, bottom, top)


# ---- paths -------------------------------------------------------------------------------------


def _descents(settings: Settings) -> dict[str, Descent]:
    return {
        name: descend(settings.ground, settings.start, optimizer, settings.steps)
        for name, optimizer in settings.optimizers.items()
    }


def _picture(
    settings: Settings, paths: Mapping[str, Descent]
) -> tuple[dict[str, Any], list[_Array]]:
    """The paths as rows x, y, cost; the costs (up, across) of the view, and around the goal."""
    ground, goal = settings.ground, settings.goal
    costs = _costs(ground, ground.view, GRID)
    goal_view = _around(goal, costs, ground)
    runs = []
    for (name, path), sgd in zip(paths.items(), settings.optimizers.values(), strict=True):
        limit, rises = None, False
        if isinstance(ground, Bowl):
            limit = ground.largest_learning_rate(sgd.momentum, nesterov=sgd.nesterov)
            rises = sgd.learning_rate > limit and bool(path.costs[-1] > path.costs[0])
        runs.append(
            {
                "method": name,
                "rate": sgd.learning_rate,
                "limit": limit,
                "first": path.first_at(goal),
                "settled": path.settled_at(goal),
                "diverged": path.diverged or rises,
            }
        )
    header = {
        "methods": runs,
        "surfaces": list(SURFACES),
        "view": list(ground.view),
        "minimum": list(ground.minimum),
        "goal_view": list(goal_view),
    }
    rows = [np.column_stack([path.points, path.costs]) for path in paths.values()]
    return header, [*rows, costs, _costs(ground, goal_view, GOAL_GRID)]


def _costs(ground: Surface, view: _View, grid: tuple[int, int]) -> npt.NDArray[np.float32]:
    left, right, bottom, top = view
    x, y = np.meshgrid(np.linspace(left, right, grid[0]), np.linspace(bottom, top, grid[1]))
    return ground.cost(x, y).astype(np.float32)


def _around(goal: float, costs: _Array, ground: Surface) -> _View:
    """The part of the view where costs are up to the goal, and a cell around it."""
    left, right, bottom, top = ground.view
    wide, high = (right - left) / (GRID[0] - 1), (top - bottom) / (GRID[1] - 1)
    rows, columns = np.nonzero(costs <= goal)
    x = [*(left + wide * columns), ground.minimum[0]]
    y = [*(bottom + high * rows), ground.minimum[1]]
    return (
        max(float(min(x)) - wide, left),
        min(float(max(x)) + wide, right),
        max(float(min(y)) - high, bottom),
        min(float(max(y)) + high, top),
    )
