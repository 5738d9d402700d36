"""`Backprop`: one sample goes through a small network, forward and back, number by number."""

import itertools
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.costs import DEFAULT_OUTPUT, PAIRS
from nnlearn.layers import ACTIVATIONS, Activation, Dense
from nnlearn.network import Network
from nnlearn.widgets import _bundle, _frames
from nnlearn.widgets._live import LiveWidget, Run, check_names

_Array = npt.NDArray[np.float64]

#: What a graph has room for: units of a layer, layers of weights.
MAX_UNITS, MAX_LAYERS = 6, 3

#: Cost functions that have targets for each output.
COSTS = ("quadratic", "cross_entropy", "log_likelihood")

#: The largest input or target (in size), learning rate, and number of steps taken.
MAX_INPUT, MAX_RATE, MAX_TAKEN = 100.0, 100.0, 200

#: The sample of the default network, which gets it wrong.
_X, _Y = (0.9, 0.1, 0.6, 0.3), (1.0, 0.0)


@dataclass(frozen=True)
class Settings:
    """What a `Backprop` is set to, checked."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    cost: str
    activation: str | None  # of all hidden layers; None: as the network given has them
    learning_rate: float
    taken: int  # gradient steps before this pass
    step: int  # how far the pass has come


class Backprop(LiveWidget[Settings]):
    """Backpropagation as a graph that is walked through: every number at its place.

    A pass has these steps, of which the page lights the equation::

        inputs     a0 = x
        z          z = a_in W + b                          layer by layer, with
        a          a = f(z)                                                    each its own step
        cost       C = c(a, y)
        BP1        delta = dC/da f'(z)                     of the last layer
        BP2        delta = (delta_next W_next^T) f'(z)     layer by layer, backwards
        BP3        dC/db = delta
        BP4        dC/dW = a_in^T delta
        step       W <- W - eta dC/dW,  b <- b - eta dC/db

    Parameters
    ----------
    net : Network, optional
        With at most 6 units a layer and 3 layers of weights; it is copied, in float64. By default
        [4, 3, 2] with sigmoid units, the quadratic cost and weights of one decimal place.
    x : array_like, shape (n_inputs,), optional
        The sample's inputs, from -100 to 100.
    y : array_like, shape (n_outputs,), or int, optional
        Its targets, or its label.
    **settings
        ``cost``, ``"quadratic"``, ``"cross_entropy"`` or ``"log_likelihood"``, by default the
        network's; ``activation`` of all hidden layers, likewise; ``learning_rate=1.0``, above 0 up
        to 100; ``step=0``, how far the pass has come; ``taken=0``, how many gradient steps went
        before it, up to 200, all on this sample.

    Raises
    ------
    TypeError, ValueError
        If the network is no Network or too large, or a setting is unknown or wrong.

    See Also
    --------
    nnlearn.Network.inspect : Where the numbers come from.

    Notes
    -----
    Another cost gives the outputs the activation that belongs to it where theirs does not go with
    it. Another sample, cost or activation begins at the start weights again, with ``taken=0``.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 2.

    Examples
    --------
    >>> from nnlearn.widgets import Backprop
    >>> pass_ = Backprop(x=[1.0, 0.0, 0.5, 0.2], y=[1, 0], cost="cross_entropy")
    >>> pass_.steps[-2:]
    ('BP4', 'step')
    >>> pass_.step = len(pass_.steps) - 1
    >>> before, after = pass_.losses
    >>> after < before
    True
    >>> pass_.close()
    """

    _esm = _bundle.script("backprop")
    _css = _bundle.style()

    def __init__(
        self,
        net: Network | None = None,
        x: npt.ArrayLike | None = None,
        y: npt.ArrayLike | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._start = _small(_example() if net is None else net)
        start = self._start
        of_own = net is not None or (start.n_inputs, start.n_outputs) != (len(_X), len(_Y))
        first = Settings(
            x=tuple(np.linspace(1, 0, start.n_inputs).tolist()) if of_own else _X,
            y=tuple(np.eye(start.n_outputs)[0].tolist()) if of_own else _Y,
            cost=start.cost,
            activation=_common_activation(start),
            learning_rate=1.0,
            taken=0,
            step=0,
        )
        sample = {name: value for name, value in (("x", x), ("y", y)) if value is not None}
        self._path = _Path(start, first)
        self._begin(first, {**sample, **settings})

    # ---- what users see -------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """A copy of the network as the page shows it; after the last step with the new weights."""
        now = self._current
        after = now.step == len(self.steps) - 1
        return self._path.network(now.taken + int(after))

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of a pass: "inputs", "z.1", "a.1", ..., "cost", "BP1", "BP2.1", ..., "step"."""
        return tuple(_steps(len(self._start.weights)))

    @property
    def step(self) -> int:
        """How far the pass has come, as an index of `steps`; assigning it goes there."""
        return self._current.step

    @step.setter
    def step(self, value: int) -> None:
        self._change({"step": value})

    @property
    def losses(self) -> tuple[float, ...]:
        """The sample's cost before each gradient step taken, and after the last one."""
        now = self._current
        after = now.step == len(self.steps) - 1
        return tuple(self._path.losses[: now.taken + 1 + int(after)])

    def to_html(self, path: str | os.PathLike[str], *, taken: int = 20) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        The passes are computed beforehand, with the present sample and learning rate, for every
        cost and activation that the page offers.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        taken : int, default 20
            How many gradient steps can be taken there, up to 200.
        """
        from nnlearn.widgets._offline import write_page

        last = _checks.integer("taken", taken, minimum=0, maximum=MAX_TAKEN)
        now, frames = self._current, []
        functions = [(c, f) for c in _costs(self._start) for f in _activations(self._start)]
        functions.sort(key=lambda pair: pair != (now.cost, now.activation))  # opens on the present
        for cost, activation in functions:
            settings = replace(now, cost=cost, activation=activation, taken=0, step=0)
            steps = _Path(self._start, settings)
            for k in range(max(steps.reach(last + 1) - 1, 0) + 1):
                shown = replace(settings, taken=k)
                key = {"settings": self._tell(shown), "limits": {"taken": last}}
                frames.append(_frames.pack({**self._picture(shown, steps), **key}))
        write_page(path, "backprop", "Backpropagation, number by number", frames)

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now, start = self._current, self._start
        check_names(changes, self._tell(now))
        x = changes.get("x", now.x)
        y = changes.get("y", now.y)
        cost = _checks.choice("cost", changes.get("cost", now.cost), COSTS)
        activation = changes.get("activation", now.activation)
        if activation is not None or _common_activation(start) is not None:
            activation = _checks.choice("activation", activation, ACTIVATIONS)
        rate = changes.get("learning_rate", now.learning_rate)
        rate = _checks.up_to("learning_rate", rate, MAX_RATE)
        settings = Settings(
            x=_numbers("x", x, start.n_inputs),
            y=_targets(y, start.n_outputs),
            cost=cost,
            activation=activation,
            learning_rate=rate,
            taken=0,
            step=now.step,
        )
        same = replace(now, learning_rate=rate, taken=0) == settings
        taken = changes.get("taken", now.taken if same else 0)
        taken = _checks.integer("taken", taken, minimum=0, maximum=MAX_TAKEN)
        last = len(self.steps) - 1
        step = _checks.integer("step", changes.get("step", now.step), minimum=0, maximum=last)
        path = self._path
        if path.settings != settings_of_path(settings):
            path = _Path(start, settings)
        most = max(path.reach(taken + 1) - 1, 0)
        if taken > most:
            requirement = (
                f"be at most {most} at learning_rate {rate:g}, beyond which numbers overflow"
            )
            _checks.fail(ValueError, "taken", requirement, taken)
        self._path = path
        return replace(settings, taken=taken, step=step)

    def _tell(self, settings: Settings) -> dict[str, Any]:
        return {
            "x": list(settings.x),
            "y": list(settings.y),
            "cost": settings.cost,
            "activation": settings.activation,
            "learning_rate": settings.learning_rate,
            "taken": settings.taken,
            "step": settings.step,
        }

    def _work(self, settings: Settings, run: Run) -> None:
        path = self._path
        if path.settings == settings_of_path(settings):  # else a later change has come already
            run.finish(self._picture(settings, path))

    def _picture(self, settings: Settings, path: "_Path") -> dict[str, Any]:
        """One pass in numbers, and the weights and the cost after its gradient step."""
        net, after = path.network(settings.taken), path.network(settings.taken + 1)
        inside = net.inspect([settings.x], [settings.y])
        layers = []
        for i, (weights, biases) in enumerate(zip(net.weights, net.biases, strict=True)):
            softmax = inside.activations[i] == "softmax"
            layer = {
                "W": weights,
                "b": biases,
                "z": inside.z[i][0],
                "a": inside.a[i + 1][0],
                "delta": inside.delta[i][0],
                "gradient": inside.gradient(i)[0],
                "newW": after.weights[i],
                "newb": after.biases[i],
                "slope": None if softmax else inside.slope(i)[0],
            }
            told = {name: None if part is None else part.tolist() for name, part in layer.items()}
            layers.append({**told, "activation": inside.activations[i]})
        return {
            "layers": layers,
            "steps": self.steps,
            "losses": path.losses[: settings.taken + 2],
            "costs": _costs(self._start),
            "activations": _activations(self._start),
            "limits": {"taken": MAX_TAKEN},
        }


# ---- what is given -----------------------------------------------------------------------------


def _example() -> Network:
    """The network of the default: weights of one decimal place, so that they are easy to read."""
    net = Network([4, 3, 2], cost="quadratic", init="large", dtype="float64", seed=7)
    for array in net.parameters.values():
        array[...] = array.round(1)
    return net


def _small(net: Any) -> Network:
    """The network in float64, if the graph has room for it."""
    if not isinstance(net, Network):
        _checks.fail(TypeError, "net", "be a Network", net)
    sizes = [net.n_inputs, *(array.shape[1] for array in net.weights)]
    if max(sizes) > MAX_UNITS or len(sizes) - 1 > MAX_LAYERS:
        requirement = f"have at most {MAX_UNITS} units a layer and {MAX_LAYERS} layers of weights"
        _checks.fail(ValueError, "net", requirement, sizes)
    if net.cost not in COSTS:
        requirement = "have the cost " + " or ".join(repr(cost) for cost in COSTS)
        _checks.fail(ValueError, "net", requirement, net.cost)
    for before, layer in itertools.pairwise(net.layers):
        bent = isinstance(before, Dense) and before.activation != "linear"
        if bent and isinstance(layer, Activation):
            _checks.fail(ValueError, "net", "have one activation a layer", net)
    return net.astype("float64")


def _common_activation(net: Network) -> str | None:
    """The activation of the hidden layers, if they share one; sigmoid where there are none."""
    n_hidden = len(net.weights) - 1
    names = {net._architecture.activation_after(i) for i in range(n_hidden)}
    return names.pop() if len(names) == 1 else None if names else "sigmoid"


def _costs(net: Network) -> list[str]:
    """What the page offers."""
    return list(COSTS[:3] if net.cost == COSTS[2] else COSTS[:2])


def _activations(net: Network) -> list[str | None]:
    """What the page offers for the hidden layers."""
    if len(net.weights) == 1:
        return [_common_activation(net)]
    own: list[str | None] = [None] if _common_activation(net) is None else []
    return own + list(ACTIVATIONS)


def _numbers(name: str, value: Any, n: int) -> tuple[float, ...]:
    requirement = f"hold {n} number{'s' if n > 1 else ''}"
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence) or len(value) != n:
        _checks.fail(ValueError, name, requirement, value)
    numbers = tuple(_checks.real(f"{name}[{i}]", item) for i, item in enumerate(value))
    return tuple(
        _checks.within(f"{name}[{i}]", number, -MAX_INPUT, MAX_INPUT)
        for i, number in enumerate(numbers)
    )


def _targets(value: Any, n: int) -> tuple[float, ...]:
    """The targets; of a label those that are 1 at its place."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and n > 1:
        label = _checks.integer("y", value, minimum=0, maximum=n - 1)
        return tuple(np.eye(n)[label].tolist())
    return _numbers("y", value, n)


# ---- the passes --------------------------------------------------------------------------------


def _steps(n_layers: int) -> list[str]:
    """The steps of a pass through so many layers of weights; the layer's number after a dot."""
    layers = range(1, n_layers + 1)
    forward = [f"{kind}.{i}" for i in layers for kind in ("z", "a")]
    back = [f"BP2.{i}" for i in reversed(layers[:-1])]
    return ["inputs", *forward, "cost", "BP1", *back, "BP3", "BP4", "step"]


def settings_of_path(settings: Settings) -> Settings:
    """What a path of gradient steps depends on."""
    return replace(settings, taken=0, step=0)


class _Path:
    """Gradient descent on one sample: the parameters after 0, 1, 2, ... steps, as far as asked."""

    def __init__(self, start: Network, settings: Settings) -> None:
        self.settings = settings_of_path(settings)
        self._x, self._y = [settings.x], [settings.y]
        self._net = _rebuilt(start, settings)
        self._places: list[list[_Array]] = []
        self.losses: list[float] = []
        self._gradients: list[list[_Array]] = []
        self._lock = threading.Lock()
        self._add()

    def reach(self, k: int) -> int:
        """Take steps until there are k; how many there are, fewer where numbers overflow."""
        rate, parameters = self.settings.learning_rate, self._net.parameters.values()
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            while len(self.losses) <= k and np.isfinite(self.losses[-1]):
                for array, gradient in zip(parameters, self._gradients[-1], strict=True):
                    array -= rate * gradient
                self._add()
            return min(k, len(self.losses) - 1)

    def network(self, k: int) -> Network:
        """The network after k steps."""
        k = self.reach(k)
        net = self._net.copy()
        for array, place in zip(net.parameters.values(), self._places[k], strict=True):
            array[...] = place
        return net

    def _add(self) -> None:
        """Keep the present place with its cost and gradient."""
        cost, gradient = self._net.cost_and_gradient(self._x, self._y)
        self.losses.append(cost)
        self._gradients.append(list(gradient.values()))
        self._places.append([array.copy() for array in self._net.parameters.values()])


def _rebuilt(start: Network, settings: Settings) -> Network:
    """The start's weights under these cost and activations."""
    names = [start._architecture.activation_after(i) for i in range(len(start.weights))]
    hidden = [settings.activation or name for name in names[:-1]]
    output = names[-1] if names[-1] in PAIRS[settings.cost] else DEFAULT_OUTPUT[settings.cost]
    layers = [
        Dense(array.shape[1], name)
        for array, name in zip(start.weights, [*hidden, output], strict=True)
    ]
    net = Network(
        [start.n_inputs, *layers], cost=settings.cost, init="zeros", dtype="float64", n_threads=1
    )
    for new, old in zip(net.parameters.values(), start.parameters.values(), strict=True):
        new[...] = old
    return net
