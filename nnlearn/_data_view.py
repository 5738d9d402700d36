"""What sets of samples look like: in words, as a table, in a notebook."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn import _html
from nnlearn._data_checks import is_labels
from nnlearn._html import Html
from nnlearn._mosaic import as_bytes
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from nnlearn.data import Split

#: Rows of a table at most.
MOST_CLASSES = 12

_SIDE = 32  # of a sample's image at most, in its own pixels
_HEIGHT = 28  # as it is shown


def line(split: "Split") -> str:
    """What a sample is: ``784 inputs float32, 10 classes``."""
    return f"{_inputs(split.x)}, {_targets(split)}"


def table(title: str, sets: Sequence[tuple[str, "Split"]]) -> Table:
    """A row for each set; without their names where it is one alone."""
    rows: list[tuple[Any, ...]] = [
        (word, len(s), f"{s.x.shape} {s.x.dtype}", f"{s.y.shape} {s.y.dtype}") for word, s in sets
    ]
    head = ["set", "samples", "x", "y"]
    if not sets[0][0]:
        head, rows = head[1:], [row[1:] for row in rows]
    title += ": " + ", ".join(_facts(sets[0][1]))
    return Table(head, rows, title, formats={"samples": ","})


def html(title: str, summary: Table, sets: Sequence[tuple[str, "Split"]]) -> Html:
    """The sets, how many samples each class has in them, and a few samples as images."""
    split = sets[0][1]
    facts = _facts(split)
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


def _facts(split: "Split") -> list[str]:
    """What all sets share: inputs, targets, and how a row is an image."""
    words = [_inputs(split.x), _targets(split)]
    if split.image_shape is not None:
        words.append(f"images of {' x '.join(map(str, split.image_shape))}")
    return words


def _inputs(x: Any) -> str:
    """The inputs of a row: ``784 inputs float32``."""
    sparse = ", sparse" if hasattr(x, "tocsr") else ""
    if x.ndim > 2:
        return f"{' x '.join(map(str, x.shape[1:]))} inputs {x.dtype}{sparse}"
    return f"{count(math.prod(x.shape[1:]), 'input')} {x.dtype}{sparse}"


def _targets(split: "Split") -> str:
    """A row of y: ``10 classes``, without names ``labels 0 to 9``, or ``3 targets float64``."""
    if is_labels(split.y) and split.class_names is not None:
        return count(len(split.class_names), "class")
    if is_labels(split.y) and len(split):
        return f"labels {int(split.y.min())} to {int(split.y.max())}"
    return f"{count(math.prod(split.y.shape[1:]), 'target')} {split.y.dtype}"


def _n_samples(split: "Split") -> int:
    """How many samples of a class are shown: few where they take many bytes."""
    return 5 if split.image_shape is not None and len(split.image_shape) == 2 else 1


def _strip(split: "Split", rows: npt.NDArray[np.intp]) -> Html:
    """Samples as images side by side; nothing where no image is known."""
    shape = split.image_shape
    if shape is None or not rows.size or (len(shape) == 3 and shape[0] not in (1, 3)):
        return Html("")
    x: Any = split.x[rows]
    pixels = as_bytes(x.toarray() if hasattr(x, "tocsr") else x)
    images = pixels.reshape(len(rows), *(shape if len(shape) == 3 else (1, *shape)))
    step = math.ceil(max(images.shape[2:]) / _SIDE)
    # (n, channels, h, w) -> (h, n w, channels)
    strip = np.concatenate(images[:, :, ::step, ::step].transpose(0, 2, 3, 1), axis=1)
    grey = strip.shape[2] == 1
    label = f"the first {len(rows)} as images" if len(rows) > 1 else "the first as an image"
    return _html.image(strip[:, :, 0] if grey else strip, label, _HEIGHT)
