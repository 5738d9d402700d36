"""Pictures of words: a table, a list, a paragraph, for slides that show no curve."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches that a line of text takes, and letters that fit into one of width.
_LINE, _LETTERS = 0.2, 13.0
_SIZE = 9.5


def table_height(table: Table, widths: Sequence[int]) -> float:
    """The height in inches of a picture of the table, with columns of so many letters."""
    return _LINE * (sum(_rows_of(row, widths) + 0.45 for row in _texts(table)) + 2.6)


def draw_table(figure: "Figure", table: Table, widths: Sequence[int]) -> None:
    """Draw a table as text: heads above a rule, rows under it, cells wrapped.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty; of `table_height`.
    table : Table
        What is drawn. Its title stands above.
    widths : sequence of int
        Letters that fit into each column.
    """
    ax = _page(figure)
    starts = [sum(widths[:i]) / _LETTERS for i in range(len(widths))]
    y = _LINE
    if table.title:
        ax.text(0, y, table.title, weight="bold", size=_SIZE + 1, va="baseline")
        y += 1.3 * _LINE
    for x, head in zip(starts, table.columns, strict=True):
        ax.text(x, y, head, weight="bold", size=_SIZE, va="baseline")
    ax.plot([0, ax.get_xlim()[1]], [y + 0.4 * _LINE] * 2, color="#808080", linewidth=0.8)
    y += 0.7 * _LINE
    for row in _texts(table):
        for x, text, width in zip(starts, row, widths, strict=True):
            lines = "\n".join(textwrap.wrap(text, width - 2))
            ax.text(x, y, lines, size=_SIZE, va="top", linespacing=1.35)
        y += _LINE * (_rows_of(row, widths) + 0.45)


def text_height(paragraphs: Sequence[str], letters: int) -> float:
    """The height in inches of a picture of the paragraphs."""
    return _LINE * (sum(len(_wrapped(text, letters)) + 0.6 for text in paragraphs) + 1.0)


def draw_text(figure: "Figure", paragraphs: Sequence[str], letters: int) -> None:
    """Draw paragraphs, so many letters a line. One that begins with ``# `` is a heading."""
    ax = _page(figure)
    y = 0.5 * _LINE
    for text in paragraphs:
        lines = _wrapped(text, letters)
        style = {"weight": "bold", "size": _SIZE + 2} if text.startswith("# ") else {"size": _SIZE}
        ax.text(0, y, "\n".join(lines), va="top", linespacing=1.35, **style)
        y += _LINE * (len(lines) + 0.6)


def _wrapped(text: str, letters: int) -> list[str]:
    return textwrap.wrap(text.removeprefix("# "), letters) or [""]


def _texts(table: Table) -> list[tuple[str, ...]]:
    return table._texts()


def _rows_of(row: Sequence[str], widths: Sequence[int]) -> int:
    """How many lines the longest cell takes."""
    return max(len(textwrap.wrap(text, width - 2)) for text, width in zip(row, widths, strict=True))


def _page(figure: "Figure") -> "Axes":
    """Axes of inches over the whole figure, from the top."""
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    ax: Axes = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    return ax
