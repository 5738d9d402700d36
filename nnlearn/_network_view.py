"""What a network looks like: in a line, as a table, in a notebook."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _html
from nnlearn._html import Html
from nnlearn.layers import Activation, Dense, Dropout, Layer
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from nnlearn._model import Model

#: Rows of a table at most.
MOST_LAYERS = 40


def line(net: "Model") -> str:
    """The call that makes the network, layers in few words."""
    shape: Any = net.input_shape if len(net.input_shape) > 1 else net.n_inputs
    chain = ", ".join([str(shape), *map(_short, net.layers)])
    dtype = "" if net.dtype == np.float32 else f", dtype='{net.dtype}'"
    return f"Network([{chain}], cost={net.cost!r}{dtype}, seed={net.seed})"


def table(net: "Model") -> Table:
    """A row for each layer: output shape and number of parameters."""
    rows = [
        (name if layer is None else _short(layer), shape, n)
        for name, layer, shape, n in layer_rows(net)
    ]
    title = f"cost {net.cost}, {net.dtype}, {net.n_parameters:,} parameters, "
    title += f"seed {net.seed}, {count(len(net.history), 'epoch')} trained"
    head = ["layer", "output shape", "parameters"]
    return Table(head, rows, title, formats={"parameters": ","})


def html(net: "Model") -> Html:
    """As `table`, with activations, start weights and the sum of the parameters."""
    rows = [
        (name, *_described(layer), shape, f"{n:,}" if n else "")
        for name, layer, shape, n in layer_rows(net)
    ]
    heads = ["name", "layer", "activation", "start weights", "output shape", "parameters"]
    total = ["total", "", "", "", "", f"{net.n_parameters:,}"]
    layers = _html.table(
        heads, _html.fold(rows, MOST_LAYERS, "layers"), [*["left"] * 5, "right"], total=total
    )
    trained = len(net.history)
    facts = [
        f"cost {net.cost}",
        str(net.dtype),
        f"seed {net.seed}",
        f"{count(trained, 'epoch')} trained" if trained else "not trained yet",
    ]
    return _html.view("Network", facts, layers)


def layer_rows(net: "Model") -> Iterator[tuple[str, Layer | None, tuple[int, ...], int]]:
    """For the inputs and for each layer: name, layer, output shape, number of parameters.

    Parameters
    ----------
    net : Network
        The network.

    Yields
    ------
    tuple
        The names are those of `Network.parameters`, numbered by kind.
    """
    yield "input", None, net.input_shape, 0
    width = net.n_inputs
    numbers: Counter[str] = Counter()
    for layer in net.layers:
        kind = type(layer).__name__.lower()
        numbers[kind] += 1
        n = layer.n if isinstance(layer, Dense) else None
        yield f"{kind}{numbers[kind]}", layer, (n or width,), (width + 1) * n if n else 0
        width = n or width


def _short(layer: Layer) -> str:
    """A layer in few words: ``Dense(30, sigmoid)``."""
    values = [str(v) for k, v in vars(layer).items() if k != "init" and v is not None]
    return f"{type(layer).__name__}({', '.join(values)})"


def _described(layer: Layer | None) -> tuple[str, str, str]:
    """Kind, activation and start weights of a layer."""
    if isinstance(layer, Dense):
        init = (
            layer.init
            if isinstance(layer.init, str)
            else f"N(0, {layer.init:g}\N{SUPERSCRIPT TWO})"
        )
        return "Dense", layer.activation or "", init
    if isinstance(layer, Activation):
        return "Activation", layer.name, ""
    return (f"Dropout({layer.p:g})" if isinstance(layer, Dropout) else ""), "", ""
