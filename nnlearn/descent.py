"""Surfaces over two weights, and the paths that optimisers take down them."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.optimizers import SGD

_Array = npt.NDArray[np.float64]
_Number = TypeVar("_Number", float, _Array)

#: A path ends at the first cost above this one: it has diverged.
FARTHEST = 1e12


class Surface(Protocol):
    """A cost over the plane of two weights.

    Attributes
    ----------
    view : tuple of float
        What is worth looking at: left, right, bottom, top.
    minimum : tuple of float
        The lowest place, whose cost is 0.
    start : tuple of float
        Where a path may begin that shows what the surface is about.
    """

    view: ClassVar[tuple[float, float, float, float]]
    minimum: ClassVar[tuple[float, float]]
    start: ClassVar[tuple[float, float]]

    def cost(self, x: _Number, y: _Number) -> _Number:
        """The cost at places (x, y): floats, or arrays of one shape."""

    def gradient(self, x: _Number, y: _Number) -> tuple[_Number, _Number]:
        """Its derivatives by x and by y."""


@dataclass(frozen=True)
class Bowl:
    """A bowl that is steep in one direction and flat in the other.

    ::

        C(x, y) = (x^2 / kappa + y^2) / 2         dC/dx = x / kappa,  dC/dy = y

    Parameters
    ----------
    condition : float, default 25.0
        kappa, at least 1: the curvature along y, which is 1, divided by the one along x.

    Raises
    ------
    TypeError, ValueError
        If `condition` is no number, or below 1.

    See Also
    --------
    Valley : A floor that bends.

    Notes
    -----
    The quadratic cost of one linear unit is such a bowl over its weights: with inputs of mean 0
    and uncorrelated, kappa is the ratio of their variances.

    Examples
    --------
    >>> bowl = Bowl(condition=4.0)
    >>> bowl.cost(2.0, 1.0), bowl.gradient(2.0, 1.0)
    (1.0, (0.5, 1.0))
    """

    condition: float = 25.0

    view: ClassVar[tuple[float, float, float, float]] = (-2.0, 2.0, -1.5, 1.5)
    minimum: ClassVar[tuple[float, float]] = (0.0, 0.0)
    start: ClassVar[tuple[float, float]] = (-1.8, 1.0)

    def __post_init__(self) -> None:
        condition = _checks.real("condition", self.condition, minimum=1.0)
        object.__setattr__(self, "condition", condition)

    def cost(self, x: _Number, y: _Number) -> _Number:
        """The cost at places.

        Parameters
        ----------
        x, y : float or ndarray
            The places; arrays of one shape.

        Returns
        -------
        float or ndarray
        """
        return (x * x / self.condition + y * y) / 2.0

    def gradient(self, x: _Number, y: _Number) -> tuple[_Number, _Number]:
        """The derivatives at places.

        Parameters
        ----------
        x, y : float or ndarray
            The places; arrays of one shape.

        Returns
        -------
        dx, dy : float or ndarray
        """
        return x / self.condition, y

    def largest_learning_rate(self, momentum: float = 0.0, *, nesterov: bool = False) -> float:
        """The learning rate from which `SGD` no longer comes to rest in the bowl.

        ::

            gradient descent   eta = 2
            classical          eta = 2 (1 + mu)
            Nesterov           eta = 2 (1 + mu) / (1 + 2 mu)

        Parameters
        ----------
        momentum : float, default 0.0
            mu, in [0, 1).
        nesterov : bool, default False
            Nesterov's form.

        Returns
        -------
        float
            Below it every path ends at the minimum; above it nearly every one diverges.

        Notes
        -----
        Along a direction of curvature h the places obey w'' = (1 + mu - eta h) w' - mu w, with
        Nesterov w'' = (1 - eta h) ((1 + mu) w' - mu w). Both come to rest as long as the roots of
        r^2 = ... lie within the unit circle; the first to leave it does so at r = -1, along the
        steepest direction, h = 1.

        Examples
        --------
        >>> Bowl().largest_learning_rate(0.5)
        3.0
        >>> Bowl().largest_learning_rate(0.5, nesterov=True)
        1.5
        """
        sgd = SGD(1.0, momentum=momentum, nesterov=nesterov)
        limit = 2.0 * (1.0 + sgd.momentum)
        return limit / (1.0 + 2.0 * sgd.momentum) if nesterov else limit


@dataclass(frozen=True)
class Valley:
    """A long valley whose floor bends: Rosenbrock's function, with gentler walls.

    ::

        C(x, y) = ((1 - x)^2 + 10 (y - x^2)^2) / 100

    See Also
    --------
    Bowl : A cost with the same curvature everywhere.

    Notes
    -----
    Rosenbrock's has the factor 100 on the walls and is not divided. Divided by 100 the curvature
    at the minimum is 1, as in `Bowl`, so that the same learning rates suit both; the condition
    number there is 258.

    References
    ----------
    .. [1] H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a
       function", The Computer Journal 3 (1960).

    Examples
    --------
    >>> Valley().cost(0.0, 0.0), Valley().gradient(0.0, 1.0)
    (0.01, (-0.02, 0.2))
    """

    view: ClassVar[tuple[float, float, float, float]] = (-2.0, 2.0, -0.6, 2.4)
    minimum: ClassVar[tuple[float, float]] = (1.0, 1.0)
    start: ClassVar[tuple[float, float]] = (-1.5, 1.6)

    def cost(self, x: _Number, y: _Number) -> _Number:
        """The cost at places.

        Parameters
        ----------
        x, y : float or ndarray
            The places; arrays of one shape.

        Returns
        -------
        float or ndarray
        """
        along, across = 1.0 - x, y - x * x
        return (along * along + 10.0 * across * across) / 100.0

    def gradient(self, x: _Number, y: _Number) -> tuple[_Number, _Number]:
        """The derivatives at places.

        Parameters
        ----------
        x, y : float or ndarray
            The places; arrays of one shape.

        Returns
        -------
        dx, dy : float or ndarray
        """
        along, across = 1.0 - x, y - x * x
        return -(along + 20.0 * x * across) / 50.0, across / 5.0


@dataclass(frozen=True, eq=False)
class Descent:
    """A path down a surface.

    Attributes
    ----------
    points : ndarray, shape (n_steps + 1, 2)
        The start, and the place after each step.
    costs : ndarray, shape (n_steps + 1,)
        The cost at each of them.
    diverged : bool
        Whether it went beyond all bounds: to a cost above 1e12, or to one that is no number. A
        path that ended higher than it began may yet come down.
    """

    points: _Array
    costs: _Array
    diverged: bool = False

    def first_at(self, cost: float) -> int | None:
        """The first step after which the cost is at most this one.

        Parameters
        ----------
        cost : float
            What is to be reached.

        Returns
        -------
        int or None
            0 if the start is as low; None if no place is.
        """
        low = np.flatnonzero(self.costs <= cost)
        return int(low[0]) if low.size else None

    def settled_at(self, cost: float) -> int | None:
        """The first step after which the cost is at most this one, and stays so.

        Parameters
        ----------
        cost : float
            What is to be reached.

        Returns
        -------
        int or None
            None if the last place is higher.
        """
        high = np.flatnonzero(~(self.costs <= cost))
        settled = int(high[-1]) + 1 if high.size else 0
        return settled if settled < len(self.costs) else None


def descend(surface: Surface, start: Any, optimizer: SGD, steps: int) -> Descent:
    """The path of an optimiser down a surface, from rest.

    ::

        g = (dC/dx, dC/dy) at W = (x, y),  v = 0 to begin with
        classical   v <- mu v - eta g ;   W <- W + v
        Nesterov    v <- mu v - eta g ;   W <- W + mu v - eta g

    Parameters
    ----------
    surface : Surface
        `Bowl`, `Valley`, or an object of yours with their methods ``cost`` and ``gradient``.
    start : pair of float
        Where the path begins.
    optimizer : SGD
        With its learning rate and momentum; momentum 0 is gradient descent.
    steps : int
        How many steps are taken, at least 0.

    Returns
    -------
    Descent
        Of fewer steps when the path goes beyond all bounds: it ends with the first cost above
        1e12, or before the first that is no number.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or outside its range.

    See Also
    --------
    SGD : The same steps for a network.

    Notes
    -----
    In double precision, operation by operation in the order of the formulas, as the core's own
    optimiser does it.

    Examples
    --------
    >>> from nnlearn import SGD
    >>> path = descend(Bowl(condition=4.0), (2.0, 1.0), SGD(0.5, momentum=0.5), steps=3)
    >>> path.points[:3]
    array([[2.     , 1.     ],
           [1.75   , 0.5    ],
           [1.40625, 0.     ]])
    >>> path.first_at(0.3), path.diverged
    (2, False)
    """
    if not isinstance(optimizer, SGD):
        _checks.fail(TypeError, "optimizer", "be an SGD object", optimizer, "SGD(0.5)")
    x, y = read_place("start", start)
    steps = _checks.integer("steps", steps, minimum=0)
    eta, mu, nesterov = optimizer.learning_rate, optimizer.momentum, optimizer.nesterov
    rows = [(x, y, surface.cost(x, y))]
    vx = vy = 0.0
    diverged = False
    for _ in range(steps):
        dx, dy = surface.gradient(x, y)
        step_x, step_y = eta * dx, eta * dy
        vx, vy = mu * vx - step_x, mu * vy - step_y
        x, y = (x + (mu * vx - step_x), y + (mu * vy - step_y)) if nesterov else (x + vx, y + vy)
        row = (x, y, surface.cost(x, y))
        is_number = bool(np.isfinite(row).all())
        if is_number:
            rows.append(row)
        diverged = not is_number or bool(row[2] > FARTHEST)
        if diverged:
            break
    path = np.array(rows)
    return Descent(path[:, :2].copy(), path[:, 2].copy(), diverged)


def read_place(name: str, place: Any) -> tuple[float, float]:
    """A pair of finite numbers, checked.

    Parameters
    ----------
    name : str
        What messages call it.
    place : pair of float
        The pair: a tuple, a list or an array.

    Returns
    -------
    x, y : float

    Raises
    ------
    TypeError, ValueError
        If it is no pair, or its numbers are not finite.
    """
    if not isinstance(place, (tuple, list, np.ndarray)):
        _checks.fail(TypeError, name, "be a pair of numbers", place)
    if np.shape(place) != (2,):
        _checks.fail(ValueError, name, "be a pair of numbers", place)
    return _checks.real(f"{name}[0]", place[0]), _checks.real(f"{name}[1]", place[1])
