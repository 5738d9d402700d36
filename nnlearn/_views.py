"""What networks and data sets look like in a notebook, put together from `_html`."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _html
from nnlearn._data_checks import is_labels
from nnlearn._html import Html
from nnlearn.layers import Activation, Dense, Dropout, Layer
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from nnlearn._model import Model
    from nnlearn.data import Split

#: Rows of a table at most.
MOST_LAYERS, MOST_CLASSES = 40, 12

_SIDE = 32  # of a sample's image at most, in its own pixels
_HEIGHT = 28  # as it is shown

# ---- networks ----------------------------------------------------------------------------------


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


def of_network(net: "Model") -> Html:
    """A row for each layer, and the sum of the parameters."""
    rows = [
        (name, *_described(layer), shape, f"{n:,}" if n else "")
        for name, layer, shape, n in layer_rows(net)
    ]
    heads = ["name", "layer", "activation", "start weights", "output shape", "parameters"]
    total = ["total", "", "", "", "", f"{net.n_parameters:,}"]
    table = _html.table(
        heads, _html.fold(rows, MOST_LAYERS, "layers"), [*["left"] * 5, "right"], total=total
    )
    trained = len(net.history)
    facts = [
        f"cost {net.cost}",
        str(net.dtype),
        f"seed {net.seed}",
        f"{count(trained, 'epoch')} trained" if trained else "not trained yet",
    ]
    return _html.view("Network", facts, table)


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


# ---- data --------------------------------------------------------------------------------------


def of_sets(
    title: str, facts: Sequence[str], summary: Table, sets: Sequence[tuple[str, "Split"]]
) -> Html:
    """The sets, how many samples each class has in them, and a few samples as images."""
    split = sets[0][1]
    if not all(is_labels(s.y) for _, s in sets):
        strip = _strip(split, np.arange(min(len(split), 8)))
        return _html.view(title, facts, summary._to_html(), strip)
    counts = [dict(zip(*np.unique(s.y, return_counts=True), strict=True)) for _, s in sets]
    names = split.class_names
    labels = range(len(names)) if names is not None else sorted(set().union(*counts))
    classes = [
        (label, *(f"{found.get(label, 0):,}" for found in counts)) for label in map(int, labels)
    ]
    rows: list[Sequence[Any]] = []
    has_images = False
    for row in _html.fold(classes, MOST_CLASSES, "classes"):
        label, strip = row[0], Html("")
        if isinstance(label, int):
            strip = _strip(split, np.flatnonzero(split.y == label)[: _n_samples(split)])
            has_images |= bool(strip)
            if names is not None and names[label] != str(label):
                label = f"{label}: {names[label]}"
        rows.append((label, *row[1:], strip))
    heads = ["class", *(word or "samples" for word, _ in sets), "first samples"]
    aligns = ["left", *["right"] * len(sets), "left"]
    if not has_images:
        heads, aligns, rows = heads[:-1], aligns[:-1], [row[:-1] for row in rows]
    parts = [_html.table(heads, rows, aligns)] if rows else []
    return _html.view(title, facts, summary._to_html(), *parts)


def _n_samples(split: "Split") -> int:
    """How many samples of a class are shown: few where they take many bytes."""
    return 5 if split.image_shape is not None and len(split.image_shape) == 2 else 1


def _strip(split: "Split", rows: npt.NDArray[np.intp]) -> Html:
    """Samples as images side by side; nothing where no image is known."""
    shape = split.image_shape
    if shape is None or not rows.size or (len(shape) == 3 and shape[0] not in (1, 3)):
        return Html("")
    x: Any = split.x[rows]
    pixels = _bytes_of(x.toarray() if hasattr(x, "tocsr") else x)
    images = pixels.reshape(len(rows), *(shape if len(shape) == 3 else (1, *shape)))
    step = math.ceil(max(images.shape[2:]) / _SIDE)
    # (n, channels, h, w) -> (h, n w, channels)
    strip = np.concatenate(images[:, :, ::step, ::step].transpose(0, 2, 3, 1), axis=1)
    grey = strip.shape[2] == 1
    label = f"the first {len(rows)} as images" if len(rows) > 1 else "the first as an image"
    return _html.image(strip[:, :, 0] if grey else strip, label, _HEIGHT)


def _bytes_of(x: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Pixels as bytes: [0, 1] and bytes as they are, other ranges from lowest to highest."""
    if x.dtype == np.uint8:
        return x
    x = np.nan_to_num(x.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = min(0.0, x.min()), max(1.0, x.max())
    if low < 0.0 or high > 1.0:
        low, high = x.min(), x.max()
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.asarray(np.rint(scale * (x - low)), np.uint8)
