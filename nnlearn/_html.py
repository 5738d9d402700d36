"""HTML for notebooks: elements that escape what they hold, tables, small curves, tiny images.

What is made here takes the colours of the page it stands on, light or dark: text and lines are
inherited, rules are half-transparent grey, and the one accent is JupyterLab's where there is one.
Styles stand at the elements, since pages drop style sheets from outputs and repeat them per cell.
"""

import base64
import html
import itertools
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

RULE = "1px solid rgba(128, 128, 128, 0.5)"
MUTED = "opacity: 0.75"
ACCENT = "var(--jp-brand-color1, currentColor)"

_CELL = "padding: 0.2em 0.7em"
#: Elements that have no end.
_VOID = ("br", "img", "meta")
_MARGIN = 3  # around a curve, so that dots are whole
_LEVELS = 16  # of each colour of an image: as many as a small picture needs, and far fewer bytes


class Html(str):
    """Text that is HTML already. All other text is escaped where it enters an element."""

    __slots__ = ()


def join(parts: Iterable[object]) -> Html:
    """The parts one after the other, those that are no HTML escaped."""
    return Html("".join(p if isinstance(p, Html) else html.escape(str(p)) for p in parts))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """``<tag attributes>children</tag>``.

    None leaves an attribute out. ``_`` stands for ``-``, in front (``_class``) for nothing.
    """
    given = {name.removeprefix("_").replace("_", "-"): v for name, v in attributes.items()}
    pairs = (f' {k}="{html.escape(str(v))}"' for k, v in given.items() if v is not None)
    start = f"<{tag}{''.join(pairs)}>"
    return Html(start if tag in _VOID else f"{start}{join(children)}</{tag}>")


def table(
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    aligns: Sequence[str],
    *,
    title: str = "",
    total: Sequence[object] = (),
) -> Html:
    """A table of texts and of cells that are HTML.

    Parameters
    ----------
    columns : sequence
        The heads; none for a table without a head.
    rows : iterable of sequences
        The cells, row by row.
    aligns : sequence of {"left", "right"}
        How each column stands.
    title : str, default ""
        A caption above.
    total : sequence, optional
        A last row under a rule.

    Returns
    -------
    Html
    """
    parts = []
    if title:
        style = "caption-side: top; text-align: left; color: inherit; padding: 0.3em 0.7em"
        parts.append(element("caption", title, style=style))
    if columns:
        parts.append(element("thead", _row("th", columns, aligns, f"; border-bottom: {RULE}")))
    parts.append(element("tbody", *(_row("td", row, aligns, "") for row in rows)))
    if total:
        parts.append(element("tfoot", _row("td", total, aligns, f"; border-top: {RULE}")))
    style = "border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0 0 0.6em"
    return element("table", *parts, style=style)


def view(title: str, facts: Iterable[str], *parts: Html) -> Html:
    """What an object looks like: its title, a few facts in one line, tables under them.

    Parameters
    ----------
    title : str
        What it is.
    facts : iterable of str
        What is said beside the title; empty ones are left out.
    *parts : Html
        What stands below. Where it is wider than the page it scrolls, not the page.

    Returns
    -------
    Html
    """
    text = " \N{MIDDLE DOT} ".join(filter(None, facts))
    head = [element("strong", title), " ", element("span", text, style=MUTED)]
    line = element("div", *head, style="padding: 0.3em 0.7em; text-align: left")
    return element("div", line, *parts, style="overflow-x: auto; max-width: 100%")


def fold(rows: Sequence[Sequence[Any]], most: int, what: str) -> list[Sequence[Any]]:
    """The rows, or of more than `most` the first and the last with ``... 90 more layers`` between.

    Parameters
    ----------
    rows : sequence of sequences
        The rows of a table, all of the same length.
    most : int
        How many rows there may be, at least 3.
    what : str
        What a row is, in the plural.

    Returns
    -------
    list of sequences
    """
    if len(rows) <= most:
        return list(rows)
    tail = (most - 1) // 3
    head = most - 1 - tail
    gap = (f"\N{HORIZONTAL ELLIPSIS} {len(rows) - most + 1:,} more {what}",)
    return [*rows[:head], gap + ("",) * (len(rows[0]) - 1), *rows[len(rows) - tail :]]


# ---- curves ------------------------------------------------------------------------------------


def curve(
    values: npt.ArrayLike,
    label: str,
    *,
    mark: int | None = None,
    limits: tuple[float, float] | None = None,
    width: int = 120,
    height: int = 24,
    points: int = 60,
) -> Html:
    """A small line without axes.

    Parameters
    ----------
    values : array_like, shape (n,)
        What is drawn, at equal distances. Gaps (NaN) are bridged.
    label : str
        What the curve says, for who cannot see it.
    mark : int, optional
        The value that gets a dot.
    limits : (float, float), optional
        Lowest and highest value of the scale; by default those of `values`.
    width, height : int
        In pixels.
    points : int, default 60
        At most so many points are kept; peaks are among them.

    Returns
    -------
    Html
        ``<svg role="img">``; nothing where no value is known.
    """
    y = np.asarray(values, np.float64)
    known = np.flatnonzero(np.isfinite(y))
    if not known.size:
        return Html("")
    low, high = limits or (y[known].min(), y[known].max())
    span = high - low
    shares = (y - low) / span if span > 0 else np.full(y.shape, 0.5)
    xs = _MARGIN + (width - 2 * _MARGIN) * np.arange(y.size) / max(y.size - 1, 1)
    ys = _MARGIN + (height - 2 * _MARGIN) * (1.0 - shares)
    kept = known[_thinned(y[known], points)]
    line = " ".join(f"{xs[i]:.4g},{ys[i]:.3g}" for i in kept)
    style = "fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round"
    shapes = [element("polyline", points=line, style=style)]
    dot = int(known[-1]) if known.size == 1 else mark
    if dot is not None:
        where = {"cx": f"{xs[dot]:.4g}", "cy": f"{ys[dot]:.3g}", "r": "2.5"}
        shapes.append(element("circle", **where, style=f"fill: {ACCENT}"))
    box = {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
    style = "display: block; max-width: none; overflow: visible"
    return element("svg", *shapes, role="img", aria_label=label, **box, style=style)


def _thinned(y: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.intp]:
    """At most `most` (>= 4) indices in order: the ends, and lowest and highest of each stretch."""
    if y.size <= most:
        return np.arange(y.size)
    edges = np.linspace(0, y.size, most // 2, dtype=np.intp)
    kept = {0, y.size - 1}
    for start, end in itertools.pairwise(edges):
        kept |= {start + int(y[start:end].argmin()), start + int(y[start:end].argmax())}
    return np.array(sorted(kept), np.intp)


# ---- images ------------------------------------------------------------------------------------


def image(pixels: npt.NDArray[np.uint8], label: str, height: int) -> Html:
    """Pixels (h, w) or (h, w, 3) as an ``<img>`` that holds its own data, `height` pixels high."""
    data = base64.b64encode(_png(pixels)).decode()
    style = f"display: block; max-width: none; height: {height}px; width: auto"
    style += "; image-rendering: pixelated; margin: 0"
    return element("img", src=f"data:image/png;base64,{data}", alt=label, style=style)


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Grey or RGB pixels as a PNG file, in few levels.

    Of PNG (ISO/IEC 15948) it needs three chunks; each line of pixels is preceded by its filter, 0.
    """
    height, width = pixels.shape[:2]
    kind = 2 if pixels.ndim == 3 else 0  # RGB or grey
    step = 255 // (_LEVELS - 1)
    coarse = (pixels.astype(np.uint16) + step // 2) // step * step
    lines = coarse.astype(np.uint8).reshape(height, -1)
    body = zlib.compress(np.insert(lines, 0, 0, axis=1).tobytes(), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """One part of a PNG file: length, name, content, checksum of the last two."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _row(tag: str, cells: Sequence[object], aligns: Sequence[str], style: str) -> Html:
    """One ``<tr>``."""
    return element(
        "tr",
        *(
            element(tag, cell, style=f"text-align: {align}; {_CELL}{style}")
            for cell, align in zip(cells, aligns, strict=True)
        ),
    )
