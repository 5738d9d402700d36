"""From what a user writes to a network's layers: defaults filled in, the whole chain checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn.costs import DEFAULT_COST, DEFAULT_OUTPUT, check_cost, check_pair
from nnlearn.layers import (
    Activation,
    Dense,
    Dropout,
    Layer,
    check_activation,
    check_init,
    check_probability,
    input_size,
)

#: The largest number of parameters, far above what fits into memory, far below what overflows.
MOST_PARAMETERS = 2**40


@dataclass(frozen=True)
class Architecture:
    """A complete network: every layer with its activation and initialisation, and the cost."""

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    cost: str

    @cached_property
    def n_inputs(self) -> int:
        """Columns of x."""
        return input_size(self.input_shape)[1]

    @cached_property
    def dense(self) -> tuple[Dense, ...]:
        """The layers with weights, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @cached_property
    def n_outputs(self) -> int:
        """Units of the last dense layer."""
        return self.dense[-1].n

    @property
    def n_parameters(self) -> int:
        """Weights and biases of all dense layers."""
        total, width = 0, self.n_inputs
        for layer in self.dense:
            total += (width + 1) * layer.n
            width = layer.n
        return total

    @cached_property
    def output(self) -> str:
        """The activation of the outputs."""
        return self.activation_after(len(self.dense) - 1)

    def activation_after(self, i: int) -> str:
        """The last activation between dense layer i and the next one, or the end."""
        name, position = "linear", -1
        for layer in self.layers:
            if isinstance(layer, Dense):
                position += 1
                if position == i:
                    name = layer.activation or "linear"
            elif isinstance(layer, Activation) and position == i:
                name = layer.name
        return name

    @cached_property
    def is_regression(self) -> bool:
        """Predictions are outputs, not classes."""
        return self.cost == "quadratic" and (
            self.output == "linear" or (self.output == "relu" and self.n_outputs == 1)
        )

    @property
    def n_classes(self) -> int:
        """How many classes labels tell apart."""
        return 2 if self.n_outputs == 1 else self.n_outputs


def resolve(layers: Any, *, cost: Any, activation: Any, init: Any, dropout: Any) -> Architecture:
    """Fill in what the arguments of `Network` leave open, and check all of it."""
    check_activation("activation", activation)
    init = check_init("init", init)
    dropout = check_probability("dropout", dropout)
    cost = None if cost is None else check_cost(cost)
    input_shape, chain = _read(layers)
    chain = _complete(chain, cost, activation, init)
    if dropout:
        chain = _with_dropout(chain, dropout)
    _check_chain(chain, layers)
    last = chain[-1]
    output = last.name if isinstance(last, Activation) else last.activation  # type: ignore[union-attr]
    architecture = Architecture(input_shape, tuple(chain), cost or DEFAULT_COST[str(output)])
    if architecture.n_parameters > MOST_PARAMETERS:
        requirement = f"have at most 2^40 parameters, which is {MOST_PARAMETERS:,}"
        _checks.fail(ValueError, "layers", requirement, architecture.n_parameters)
    check_pair(architecture.cost, architecture.output, architecture.n_outputs)
    return architecture


def _read(layers: Any) -> tuple[tuple[int, ...], list[Layer]]:
    """The input shape and the layers, ints turned into Dense."""
    if isinstance(layers, (str, bytes)) or not isinstance(layers, (Sequence, np.ndarray)):
        _checks.fail(TypeError, "layers", "be a list such as [784, 30, 10]", layers)
    if len(layers) < 2:
        requirement = "hold the input shape and at least one layer"
        _checks.fail(ValueError, "layers", requirement, layers, "write [784, 30, 10]")
    shape, _ = input_size(layers[0])
    return shape, [_as_layer(i, layer) for i, layer in enumerate(layers) if i]


def _as_layer(i: int, layer: Any) -> Layer:
    if isinstance(layer, (Dense, Activation, Dropout)):
        return layer
    if isinstance(layer, bool) or not isinstance(layer, (int, np.integer)):
        requirement = "be an integer >= 1 or a layer object"
        hint = f"call it: {layer.__name__}(...)" if isinstance(layer, type) else None
        _checks.fail(TypeError, f"layers[{i}]", requirement, layer, hint)
    return Dense(_checks.integer(f"layers[{i}]", layer, minimum=1))


def _complete(chain: list[Layer], cost: str | None, activation: str, init: Any) -> list[Layer]:
    """Every Dense with an activation and an initialisation of its own."""
    complete: list[Layer] = []
    for i, layer in enumerate(chain):
        if isinstance(layer, Dense):
            own = layer.activation
            if own is None:
                is_last = i == len(chain) - 1
                own = DEFAULT_OUTPUT[cost or "cross_entropy"] if is_last else activation
            layer = replace(layer, activation=own, init=init if layer.init is None else layer.init)
        complete.append(layer)
    return complete


def _with_dropout(chain: list[Layer], p: float) -> list[Layer]:
    """Dropout(p) after every hidden Dense and its Activation, unless a Dropout follows."""
    last_dense = max((i for i, layer in enumerate(chain) if isinstance(layer, Dense)), default=-1)
    result: list[Layer] = []
    waiting = False  # a hidden Dense has gone by that has no dropout yet
    for i, layer in enumerate(chain):
        if waiting and not isinstance(layer, Activation):
            if not isinstance(layer, Dropout):
                result.append(Dropout(p))
            waiting = False
        waiting = waiting or (isinstance(layer, Dense) and i < last_dense)
        result.append(layer)
    return result


def _check_chain(chain: list[Layer], layers: Any) -> None:
    """What only the whole chain shows."""
    if not any(isinstance(layer, Dense) for layer in chain):
        _checks.fail(ValueError, "layers", "hold at least one Dense layer", layers)
    if isinstance(chain[-1], Dropout):
        _checks.fail(ValueError, "layers", "end with a Dense or an Activation layer", chain[-1])
    for layer in chain[:-1]:
        name = layer.activation if isinstance(layer, Dense) else getattr(layer, "name", None)
        if name == "softmax":
            _checks.fail(ValueError, "layers", "have softmax in the last layer alone", layer)
