"""What all pictures share: axes, colours, lines, scales."""

import math
from typing import TYPE_CHECKING, Any, Literal

from nnlearn import _checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours that people with any kind of colour vision tell apart (Okabe and Ito), darkest contrast
#: to white first; in a picture the last one, black, is the colour of the text, whatever that is.
#: After the last one they begin again with another line style.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", ":", "-.")

#: How much of a curve's colour its band has, inside and at its edges.
_VEIL_ALPHA, _EDGE_ALPHA = 0.22, 0.65

#: Above this ratio of largest to smallest an error is drawn on a logarithmic axis.
LOG_RATIO = 4.0
#: A logarithmic axis has numbers for so many powers of ten at most.
_MOST_DECADES = 8


def spans_much(low: float, high: float) -> bool:
    """Whether positive values from lowest to highest are drawn on a logarithmic axis."""
    return 0 < low * LOG_RATIO < high < math.inf


def require_matplotlib() -> None:
    """Raise ImportError, saying what to install, if there is no Matplotlib."""
    try:
        import matplotlib.axes  # noqa: F401
    except ImportError:
        raise ImportError('pictures need Matplotlib: pip install "nnlearn[plot]"') from None


def new_axes(ax: "Axes | None", size: tuple[float, float] = (6.4, 4.0)) -> "Axes":
    """The axes given, or those of a new figure of this size."""
    require_matplotlib()
    from matplotlib.axes import Axes

    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=size, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes, got {ax!r}")
    if ax.name == "3d":
        raise TypeError(f"ax must be a matplotlib Axes of two dimensions, got {ax!r}")
    return ax


def ink() -> str:
    """The colour of the text: black on a light page, whatever is set on a dark one."""
    from matplotlib import rcParams
    from matplotlib.colors import to_hex

    return to_hex(rcParams["text.color"])


def paper() -> str:
    """A colour that the text is read on: what a legend that lies on curves is filled with."""
    from matplotlib.colors import rgb_to_hsv, to_rgb

    return "#1e1e1e" if rgb_to_hsv(to_rgb(ink()))[2] > 0.5 else "#ffffff"


def colour_of(index: int) -> str:
    """The colour of the curve with this index."""
    place = index % len(COLOURS)
    return ink() if place == len(COLOURS) - 1 else COLOURS[place]


def check_drawn(name: str, value: object, kind: type) -> None:
    """Raise TypeError unless what is to be drawn is of this kind."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__.startswith(tuple("AEIOU")) else "a"
        _checks.fail(TypeError, name, f"be {article} {kind.__name__}", value)


def line_style(index: int, n_points: int) -> dict[str, Any]:
    """Colour and line of the curve with this index. A single point gets a marker."""
    return {
        "color": colour_of(index),
        "linestyle": LINES[index // len(COLOURS) % len(LINES)],
        "linewidth": 1.8,
        "marker": "o" if n_points == 1 else None,
    }


def band_style(colour: str) -> dict[str, Any]:
    """How what the seeds span is filled: a veil of the curve's colour between thin edges.

    The edges are what is seen of a dark colour on a dark page, and where bands lie on each other.
    """
    from matplotlib.colors import to_rgba

    edge = to_rgba(colour, _EDGE_ALPHA)
    return {"facecolor": to_rgba(colour, _VEIL_ALPHA), "edgecolor": edge, "linewidth": 0.8}


def legend_style(note: str = "") -> dict[str, Any]:
    """A legend without a box, under a small line that says what is drawn."""
    style: dict[str, Any] = {"title": note or None, "title_fontsize": "small", "frameon": False}
    return style | {"alignment": "left"}


def light_grid(ax: "Axes", axis: Literal["both", "x", "y"] = "both") -> None:
    """A light grid below what is drawn, no box."""
    ax.grid(True, axis=axis, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def finish(ax: "Axes") -> None:
    """What all pictures share: whole epochs, a light grid, no box."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    light_grid(ax)
    ax.margins(x=0.02)


def _log_ticks(low: float, high: float) -> list[float]:
    """About ten round numbers from low to high at most, and as dense ones around them.

    Those outside the picture are not drawn; axes that share this one may reach further.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high) - math.log10(low)
    digits = (1, 2, 3, 5, 7) if decades <= 2 else (1, 3) if decades <= 4 else (1,)
    step = max(math.ceil(decades / _MOST_DECADES), 1)
    powers = range(first // step * step - 3 * step, last + 3 * step + 1, step)
    return [float(f"{digit}e{power}") for power in powers if abs(power) < 308 for digit in digits]


def log_axis(ax: "Axes", low: float, high: float) -> None:
    """A logarithmic y axis with plain numbers, if the values span enough and none is zero."""
    from matplotlib.ticker import FixedLocator, NullLocator

    if not spans_much(low, high):
        return
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(FixedLocator(_log_ticks(low, high)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")
