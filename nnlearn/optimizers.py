"""Optimisers: how the parameters follow their gradient. Frozen, checked when made."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from nnlearn import _checks
from nnlearn._foreign import hints


def check_learning_rate(value: Any) -> float:
    """The value as a learning rate: finite and above 0."""
    if hasattr(value, "suggestion"):
        got = f"what {type(value).__name__} holds"
        requirement, hint = "be a finite number > 0", "give its .suggestion"
        raise TypeError(_checks.message("learning_rate", requirement, got, hint))
    return _checks.real("learning_rate", value, above=0.0)


@hints(
    lr="use learning_rate=",
    eta="use learning_rate=",
    nesterovs_momentum="use nesterov=",
    weight_decay="use l2= of fit, which is divided by the number of samples",
    l2="it is given to fit",
    decay="use schedule= of fit",
)
@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with classical or Nesterov momentum.

    ::

        classical   v <- mu v - eta g ;   W <- W + v
        Nesterov    v <- mu v - eta g ;   W <- W + mu v - eta g

    g is the gradient of the mini-batch with the penalties. mu = 0 is plain gradient descent:
    ``W <- W - eta g``.

    Parameters
    ----------
    learning_rate : float
        eta, above 0 and finite.
    momentum : float, default 0.0
        mu, in [0, 1).
    nesterov : bool, default False
        Nesterov's form, as Keras writes it.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or outside its range.

    Notes
    -----
    A network keeps its velocities v from fit to fit while it is trained by SGD; with momentum 0
    there are none, and older ones are cleared.

    References
    ----------
    .. [1] I. Sutskever et al., "On the importance of initialization and momentum in deep
       learning", ICML 2013.

    Examples
    --------
    >>> from nnlearn import SGD
    >>> SGD(0.5, momentum=0.9)
    SGD(learning_rate=0.5, momentum=0.9, nesterov=False)
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning_rate", check_learning_rate(self.learning_rate))
        momentum = _checks.real("momentum", self.momentum, minimum=0.0, below=1.0)
        object.__setattr__(self, "momentum", momentum)
        object.__setattr__(self, "nesterov", _checks.boolean("nesterov", self.nesterov))

    def _core_settings(self) -> tuple[str, float, float, bool]:
        return ("sgd", self.learning_rate, self.momentum, self.nesterov)


#: The optimisers by the names that `fit` takes.
OPTIMIZERS: Mapping[str, type[SGD]] = MappingProxyType({"sgd": SGD})


def resolve(optimizer: Any, learning_rate: Any, momentum: Any) -> SGD:
    """The optimiser that fit's three arguments name.

    An object stands alone; a name or None comes with `learning_rate`.
    """
    kinds = tuple(OPTIMIZERS.values())
    if isinstance(optimizer, kinds):
        for name, value, absent in (
            ("learning_rate", learning_rate, None),
            ("momentum", momentum, 0.0),
        ):
            if value != absent:
                requirement = "be left out beside an optimizer object"
                _checks.fail(TypeError, name, requirement, value, f"write {optimizer!r}")
        return optimizer
    if isinstance(optimizer, type):
        _checks.fail(TypeError, "optimizer", "be an object", optimizer, "call it: SGD(0.5)")
    if optimizer is not None:
        optimizer = _checks.choice("optimizer", optimizer, OPTIMIZERS)
    if learning_rate is None:
        given = "neither" if optimizer is None else f"optimizer={optimizer!r} alone"
        hint = "nn.find_learning_rate suggests one"
        requirement = "be given learning_rate or an optimizer object"
        raise TypeError(_checks.message("fit", requirement, given, hint))
    kind = OPTIMIZERS[optimizer or "sgd"]
    if "momentum" in {field.name for field in fields(kind)}:
        return kind(learning_rate, momentum=momentum)
    if momentum != 0.0:
        _checks.fail(TypeError, "momentum", f"be left out for {optimizer}", momentum)
    return kind(learning_rate)
