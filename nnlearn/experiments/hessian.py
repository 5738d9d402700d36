"""Newton's step: on a bowl, on a small network, and the size of the Hessian."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.data import Split
from nnlearn.datasets import two_moons
from nnlearn.descent import Bowl, descend
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.optimizers import SGD
from nnlearn.plotting import plot_contours
from nnlearn.plotting._style import COLOURS, finish
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_LAYERS, _L2 = (2, 8, 2), 0.1
_RATE = 1.0
_BOWL_STEPS = 60
#: Step of the central differences: the cube root of double precision's epsilon.
_STEP = 6e-6
#: Of the damping: where it starts, and how it changes after a good and after a bad step.
_DAMPING, _EASE, _TIGHTEN, _TRIES = 1e-2, 1 / 3, 10.0, 20
#: An undamped path is given up at so many times the start's cost.
_LOST = 1e3
#: Networks and their parameters.
_NETWORKS = (("784-30-10", 23_860), ("784-100-10", 79_510), ("the slide's", 10**7))


@dataclass(frozen=True)
class Descent:
    """Costs by step, and what the Hessian was like."""

    costs: tuple[float, ...]
    negative: tuple[int, ...] = ()  # eigenvalues below 0, by step


class Problem:
    """The cost of a network on all samples, as a function of one vector of parameters."""

    def __init__(self, net: Network, rows: Split) -> None:
        self._net, self._rows = net, rows
        self._names = list(net.parameters)

    def start(self) -> _Array:
        """The parameters as one vector."""
        return np.concatenate([self._net.parameters[name].ravel() for name in self._names])

    def cost_and_gradient(self, theta: _Array) -> tuple[float, _Array]:
        """The cost there, and its gradient."""
        place = 0
        for name in self._names:
            values = self._net.parameters[name]
            values[...] = theta[place : place + values.size].reshape(values.shape)
            place += values.size
        cost, gradient = self._net.cost_and_gradient(self._rows.x, self._rows.y, l2=_L2)
        return float(cost), np.concatenate([gradient[name].ravel() for name in self._names])

    def hessian(self, theta: _Array) -> _Array:
        """``(g(theta + h e_i) - g(theta - h e_i)) / 2h``, row by row, made symmetric."""
        rows = []
        for unit in np.eye(theta.size) * _STEP:
            ahead, behind = (self.cost_and_gradient(theta + s * unit)[1] for s in (1, -1))
            rows.append((ahead - behind) / (2 * _STEP))
        found = np.array(rows)
        return (found + found.T) / 2


def newton(problem: Problem, theta: _Array, steps: int, *, damped: bool) -> Descent:
    """Descend by ``-(H + mu I)^-1 g``; undamped mu = 0, and every step is taken.

    Damped, mu grows until H + mu I is positive definite and the cost falls. Undamped, the path
    ends where the cost is a thousand times that of the start, or H is singular.
    """
    cost, gradient = problem.cost_and_gradient(theta)
    costs, negative = [cost], []
    mu = _DAMPING
    for _ in range(steps):
        hessian = problem.hessian(theta)
        negative.append(int(np.count_nonzero(np.linalg.eigvalsh(hessian) < 0)))
        if not damped:
            if cost > _LOST * costs[0] or np.linalg.matrix_rank(hessian) < theta.size:
                negative.pop()
                break
            theta = theta - np.linalg.solve(hessian, gradient)
            cost, gradient = problem.cost_and_gradient(theta)
        else:
            lowest = float(np.linalg.eigvalsh(hessian)[0])
            for _ in range(_TRIES):
                shift = max(mu, mu - lowest)
                step = np.linalg.solve(hessian + shift * np.eye(theta.size), gradient)
                new_cost, new_gradient = problem.cost_and_gradient(theta - step)
                if new_cost < cost:
                    theta, cost, gradient = theta - step, new_cost, new_gradient
                    mu *= _EASE
                    break
                mu *= _TIGHTEN
        costs.append(cost)
    return Descent(tuple(costs), tuple(negative))


def _gradient_descent(problem: Problem, theta: _Array, steps: int) -> Descent:
    costs = []
    for _ in range(steps + 1):
        cost, gradient = problem.cost_and_gradient(theta)
        costs.append(cost)
        theta = theta - _RATE * gradient
    return Descent(tuple(costs))


def _measure(lab: Lab) -> Result:
    rows = two_moons(100, noise=0.2, seed=0)
    rows = Split(rows.x.astype(np.float64), rows.y)
    net = Network(list(_LAYERS), activation="tanh", dtype="float64", seed=lab.seeds[0])
    problem = Problem(net, rows)
    start = problem.start()
    steps, long = lab.pick((30, 3_000), (12, 300))
    paths = {
        "gradient descent": _gradient_descent(problem, start, long),
        "Newton, damped": newton(problem, start, steps, damped=True),
        "Newton, as on the slide": newton(problem, start, steps, damped=False),
    }
    return Result(
        {
            "bowl": f"(x^2 / {Bowl().condition:g} + y^2) / 2",
            "network": f"2-8-2, tanh then sigmoid, cross-entropy, {start.size} parameters, double "
            "precision",
            "data": f"two moons, {len(rows)} points, all in one batch, lambda {_L2:g}",
            "Hessian": "by central differences of the gradient",
        },
        pictures=_pictures(paths),
        finding=_finding(paths),
        tables=(
            _sizes(),
            Table(
                ["way", "steps", "first cost", "last cost"],
                [
                    (name, len(path.costs) - 1, path.costs[0], path.costs[-1])
                    for name, path in paths.items()
                ],
                "Down the network's cost",
            ),
        ),
        remarks=(
            "-H^-1 grad C leads to the minimum of the quadratic that fits the cost only where H is "
            "positive definite. Where it has eigenvalues below 0, as along the paths here, the "
            "step need not lower the cost. Adding mu I, as large as needed, makes it a descent.",
            "A step of Newton's costs 2 n gradients here and a solution of n equations, n^3; "
            "gradient descent's costs one gradient.",
        ),
    )


def _finding(paths: dict[str, Descent]) -> str:
    """What the steps did on the bowl and on the network, and the size of the slide's Hessian."""
    left = [float(np.linalg.norm(way[-1])) for way in bowl_ways().values()]
    plain, damped, slides = (
        f"to {path.costs[-1]:.3g} in {len(path.costs) - 1}" for path in paths.values()
    )
    n = _NETWORKS[-1][1]
    return (
        f"On the bowl one step of Newton's ends {left[1]:.1g} from the minimum, {_BOWL_STEPS} of "
        f"gradient descent end {left[0]:.1g} from it. On the network the cost goes from "
        f"{paths['gradient descent'].costs[0]:.3g} by gradient descent {plain} steps, by Newton's "
        f"damped steps {damped}, and without damping, as on the slide, {slides}. For {n:,} "
        f"parameters H would have {float(n) ** 2:.0e} entries, {8e-9 * n**2:,.0f} gigabytes in "
        "double precision."
    )


def _sizes() -> Table:
    """How large the Hessian of a network is."""
    return Table(
        ["network", "parameters n", "entries of H, n^2", "gigabytes in float64"],
        [(name, n, float(n) ** 2, 8.0 * float(n) ** 2 / 1e9) for name, n in _NETWORKS],
        "The size of the Hessian",
        formats={"entries of H, n^2": ".2e", "gigabytes in float64": ".4g"},
    )


# ---- pictures ------------------------------------------------------------------------------------


def _pictures(paths: dict[str, Descent]) -> tuple[Picture, Picture]:
    def costs(figure: "Figure") -> None:
        _draw(figure, paths)

    return (
        Picture(
            "costs",
            "Left: the network's cost by step, on a logarithmic axis of steps. Middle: how many "
            "of the Hessian's eigenvalues are below 0 along both Newton paths. Right: how many "
            "entries the Hessian has, n^2 for n parameters.",
            costs,
            slides=(38,),
            size=(9.0, 3.4),
        ),
        Picture(
            "bowl",
            "On a bowl, whose Hessian is the same everywhere, one Newton step ends at the minimum.",
            _draw_bowl,
            slides=(38,),
            size=(6.4, 3.6),
        ),
    )


def bowl_ways() -> dict[str, _Array]:
    """The places that gradient descent and one step of Newton's go through on a bowl."""
    bowl = Bowl()
    place = np.array(bowl.start, np.float64)
    hessian = np.diag([1.0 / bowl.condition, 1.0])
    slope = np.array(bowl.gradient(float(place[0]), float(place[1])))
    return {
        f"gradient descent, {_BOWL_STEPS} steps": descend(
            bowl, bowl.start, SGD(1.5), _BOWL_STEPS
        ).points,
        "Newton, 1 step": np.stack([place, place - np.linalg.solve(hessian, slope)]),
    }


def _draw_bowl(figure: "Figure") -> None:
    ways: dict[str, Any] = dict(bowl_ways())
    plot_contours(Bowl(), ax=figure.subplots(), paths=ways)


def _draw(figure: "Figure", paths: dict[str, Descent]) -> None:
    left, right, entries = figure.subplots(1, 3)
    for index, (name, path) in enumerate(paths.items()):
        style = {"color": COLOURS[index], "linestyle": ("-", "--", "-.")[index], "linewidth": 1.8}
        left.plot(np.arange(1, len(path.costs) + 1), path.costs, label=name, **style)
        if path.negative:
            right.plot(path.negative, label=name, marker="o", markersize=3, **style)
    for ax in (left, right):
        finish(ax)
    left.set(xscale="log", yscale="log", xlabel="step, from 1", ylabel="cost (nats)")
    right.set(xlabel="step", ylabel="eigenvalues of H below 0", ylim=(-0.5, None))
    left.legend(frameon=False, fontsize=8.5)
    n = np.logspace(1, 8, 2)
    entries.plot(n, n**2, color=COLOURS[0], linewidth=1.8)
    for name, size in _NETWORKS:
        entries.plot(size, float(size) ** 2, "o", color=COLOURS[1])
        entries.annotate(
            name, (size, float(size) ** 2), (-6, 4), textcoords="offset points", ha="right", size=8
        )
    finish(entries)
    entries.set(xscale="log", yscale="log", xlabel="parameters n", ylabel="entries of H")


experiment = Experiment(
    name="hessian",
    title="Newton's step, and the size of the Hessian",
    question="What does the Hessian bring to a small network, and what would it cost a large one?",
    slides=(38,),
    measure=_measure,
    seconds=(0.5, 2.0),
    needs_data=False,
)
