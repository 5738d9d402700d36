"""Pictures of the inside of a network: what its units answer, and how large its gradients are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _checks
from nnlearn.plotting._columns import Array
from nnlearn.plotting._style import check_drawn, finish, line_style, log_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.inspection import Inspection

    Norms = Mapping[str, Any]

#: The outermost hundredths of what sigmoid and tanh can answer hold what is saturated: a outside
#: [.01, .99], |a| > .98. Each has a bin of its own, beside so many wider ones.
_BINS = 40
#: A legend of more layers has two columns.
_MOST_IN_COLUMN = 3
_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def plot_activations(
    inside: "Inspection", ax: "Axes | None" = None, *, layers: Sequence[int] | None = None
) -> "Axes":
    """Draw how the activations of each layer are distributed, and what share is saturated.

    ::

        saturated: sigmoid  a < .01 or a > .99        tanh  |a| > .98

    Parameters
    ----------
    inside : Inspection
        What `Network.inspect` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    layers : sequence of int, optional
        Which layers, as indices of ``weights``; all by default.

    Returns
    -------
    matplotlib.axes.Axes
        A histogram for each layer over all its units and samples, on a logarithmic axis: the share
        that lies in a hundredth of the range. Dots are the lowest and the highest hundredth of
        sigmoid and tanh, which hold what is saturated; the legend has the sum, or for relu the
        share that is 0.

    Raises
    ------
    TypeError, ValueError
        If what is to be drawn is of another kind, or a layer does not exist.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    Inspection.saturated : Which units are, sample by sample.
    plot_gradient_norms : What saturation does to learning.

    Examples
    --------
    >>> import nnlearn as nn
    >>> small = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 30, 10], init="large", seed=1)
    >>> ax = plot_activations(net.inspect(small.train[:200]), layers=[0])
    >>> ax.get_legend().get_texts()[0].get_text().startswith("hidden layer 1, sigmoid: ")
    True
    """
    from nnlearn.inspection import Inspection

    check_drawn("inside", inside, Inspection)
    n = len(inside.z)
    if layers is None:
        layers = range(n)
    if not isinstance(layers, Sequence) or isinstance(layers, str) or not len(layers):
        _checks.fail(TypeError, "layers", "be a sequence of integers", layers)
    chosen = [_checks.integer("each of layers", i, minimum=-n, maximum=n - 1) % n for i in layers]
    ax = new_axes(ax)
    smallest = 100.0
    for index, i in enumerate(chosen):
        a, name = inside.a[i + 1].astype(np.float64), inside.activations[i]
        shares, edges = _shares(a, name)
        smallest = min(smallest, shares[shares > 0].min(initial=100.0))
        where = f"hidden layer {i + 1}" if i < n - 1 else "outputs"
        style = line_style(index, 2) | {"linewidth": 1.4, "marker": None}
        label = f"{where}, {name}{_note(inside, i)}"
        ax.stairs(
            shares,
            edges,
            baseline=None,
            label=label,
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=style["linewidth"],
        )
        if name in _RANGES:
            ends = np.array([0, -1])
            places = ((edges[:-1] + edges[1:]) / 2)[ends]
            held = shares[ends] > 0
            ax.plot(places[held], shares[ends][held], "o", color=style["color"], markersize=5)
    ax.set_yscale("log", nonpositive="clip")
    ax.yaxis.set_major_formatter("{x:g}")
    finish(ax)
    ax.set_ylim(smallest / 2)
    _free_x_axis(ax)
    ax.set_xlabel("activation $a$")
    ax.set_ylabel("share in a hundredth of the range (%)")
    above: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
    columns = 1 if len(chosen) <= _MOST_IN_COLUMN else 2
    ax.legend(ncols=columns, frameon=False, fontsize="small", **above)
    return ax


def plot_gradient_norms(
    gradients: "Norms | Sequence[Norms]",
    ax: "Axes | None" = None,
    *,
    of: str = "weight",
    label: str | None = None,
    epochs: Any = None,
) -> "Axes":
    """Draw the length of the gradient of each layer: for one moment, or epoch by epoch.

    ::

        |g| = sqrt(sum g^2)        over all weights (or biases) of a layer

    Parameters
    ----------
    gradients : mapping of str to array_like, or sequence of them
        What `Network.cost_and_gradient` gives beside the loss, or names with lengths (numbers) of
        your own: one, or one for each epoch.
    ax : matplotlib.axes.Axes, optional
        Where to draw, beside what is there; a new figure by default.
    of : {"weight", "bias"}, default "weight"
        Which parameters of a layer: of names such as ``"dense1.weight"`` the others are left out.
    label : str, optional
        The network's name, where there are several.
    epochs : array_like, optional
        The epoch of each mapping of a sequence; 1, 2, ... by default.

    Returns
    -------
    matplotlib.axes.Axes
        For one mapping a dot for each layer, joined by a line; for a sequence a curve for each
        layer. On a logarithmic axis where lengths span more than a factor of four. A length of 0
        is a triangle at the bottom.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, or the mappings have no gradient or not the same names.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_activations : Saturated units, which make gradients small.

    Examples
    --------
    >>> import nnlearn as nn
    >>> small = nn.datasets.load_mnist_small()
    >>> net = nn.Network([784, 30, 30, 10], seed=1)
    >>> loss, gradients = net.cost_and_gradient(*small.train[:100])
    >>> ax = plot_gradient_norms(gradients)
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['dense1', 'dense2', 'dense3']
    """
    of = _checks.choice("of", of, ("weight", "bias"))
    single = isinstance(gradients, Mapping)
    rows = [gradients] if isinstance(gradients, Mapping) else gradients
    requirement = "be a mapping of names to gradients, or several of them"
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        _checks.fail(TypeError, "gradients", requirement, gradients)
    norms = [_norms(row, of) for row in rows]
    if not norms or not norms[0]:
        raise ValueError(_checks.message("gradients", f"hold one of a {of}", "none"))
    names = list(norms[0])
    for row in norms:
        if list(row) != names:
            raise ValueError(
                _checks.message("gradients", f"have the names {names}", f"{list(row)}")
            )
    values = np.array([[row[name] for name in names] for row in norms])
    places = _epochs(epochs, len(values))
    ax = new_axes(ax)
    before = len(_curves(ax))
    if single:
        style = line_style(before, len(names)) | {"marker": "o", "markersize": 5}
        _draw_lengths(ax, np.arange(float(len(names))), values[0], style, label)
    else:
        for i, name in enumerate(names):
            words = ", ".join(filter(None, [label, name]))
            _draw_lengths(ax, places, values[:, i], line_style(before + i, len(values)), words)
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in _curves(ax)])
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size:
        log_axis(ax, drawn.min(), drawn.max())
    finish(ax)
    if single:
        _free_x_axis(ax)
        ax.set_xticks(range(len(names)), names)
        ax.set_xlabel("layer, from the inputs on")
        ax.margins(x=0.08)
    ax.set_ylabel(f"length of the gradient by {'weights' if of == 'weight' else 'biases'}")
    ax.margins(y=0.08)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    return ax


def _shares(a: Array, name: str) -> tuple[Array, Array]:
    """In each bin the share of values in % for a hundredth of the range, and the bins' edges."""
    low, high = _RANGES.get(name) or (float(a.min()), float(a.max()))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    if name in _RANGES:
        inner = np.linspace(0.01, 0.99, _BINS + 1)
        edges = np.concatenate([[low], low + (high - low) * inner, [high]])
    counts = np.histogram(a, edges)[0]
    return counts / a.size / np.diff(edges) * (high - low), edges


def _note(inside: "Inspection", i: int) -> str:
    """The share that is saturated, or 0."""
    name = inside.activations[i]
    if name in _RANGES:
        return f": {100 * inside.saturated[i].mean():.1f} % saturated"
    return f": {100 * (inside.a[i + 1] == 0).mean():.1f} % are 0" if name == "relu" else ""


def _norms(row: "Norms", of: str) -> dict[str, float]:
    """The length of each gradient; names of a network's parameters by layer, of one kind."""
    found = {}
    for name, value in row.items():
        if not isinstance(name, str):
            _checks.fail(TypeError, "the names of gradients", "be text", name)
        layer, _, kind = name.rpartition(".")
        if kind in ("weight", "bias") and layer:
            if kind != of:
                continue
            name = layer
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            _checks.fail(TypeError, f"gradient {name!r}", "hold real numbers", value)
        found[name] = float(np.linalg.norm(array.astype(np.float64).ravel()))
    return found


def _epochs(epochs: Any, n: int) -> Array:
    """The epochs, checked."""
    if epochs is None:
        return np.arange(1.0, n + 1)
    places = np.asarray(epochs)
    if places.dtype.kind not in "iuf":
        _checks.fail(TypeError, "epochs", "be numbers", epochs)
    if places.shape != (n,):
        _checks.fail(ValueError, "epochs", f"be {n} numbers, as there are gradients", epochs)
    return places.astype(np.float64)


def _draw_lengths(
    ax: "Axes", x: Array, lengths: Array, style: Mapping[str, Any], label: str | None
) -> None:
    """A curve of what is above 0, and triangles at the bottom where a length is 0."""
    known = np.where(np.isfinite(lengths) & (lengths > 0), lengths, np.nan)
    ax.plot(x, known, label=label, **style)
    if (zero := lengths == 0).any():
        bottom: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        colour = style["color"]
        ax.plot(x[zero], np.zeros(zero.sum()), "v", color=colour, label="_zero", **bottom)


def _curves(ax: "Axes") -> list[Any]:
    return [line for line in ax.get_lines() if line.get_label() != "_zero"]


def _free_x_axis(ax: "Axes") -> None:
    """Undo what `finish` does for epochs."""
    from matplotlib.ticker import AutoLocator

    ax.xaxis.set_major_locator(AutoLocator())
