"""The one table type: what comparisons, histories and evaluations print.

A `Table` holds the values as they are; only its two views round them. The text view is aligned
for a terminal, the HTML view takes the colours of the page it is shown in.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnlearn import _html


def count(n: int, word: str) -> str:
    """A number with its noun: ``1 epoch``, ``2,000 epochs``, ``3 classes``."""
    ending = "" if n == 1 else "es" if word.endswith("s") else "s"
    return f"{n:,} {word}{ending}"


class Table:
    """Named columns and rows of values, with a text and an HTML view.

    Parameters
    ----------
    columns : sequence of str
        The heads of the columns.
    rows : iterable of sequences
        One sequence of values for each row, as long as `columns`. Numbers stay numbers.
    title : str, default ""
        A line above the table.
    formats : mapping of str to str, optional
        Format specifications of columns, ``{"mean": ".2f"}``. They apply to the numbers of that
        column. Without one a float is shown with four significant digits.

    Attributes
    ----------
    columns : tuple of str
        The heads.
    rows : tuple of tuples
        The values, unrounded.
    title : str
        The line above.

    Raises
    ------
    ValueError
        If a row is longer or shorter than `columns`, or a format names no column.

    Notes
    -----
    NaN is shown as ``-`` and None as nothing. ``table["mean"]`` is the list of that column's
    values, ``len(table)`` the number of rows. Tables are equal when heads, rows and title are.

    Examples
    --------
    >>> table = Table(["cost", "error %"], [("quadratic", 5.53), ("cross_entropy", 4.86)])
    >>> print(table)
    cost           error %
    -------------  -------
    quadratic         5.53
    cross_entropy     4.86
    >>> table["error %"]
    [5.53, 4.86]
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        title: str = "",
        *,
        formats: Mapping[str, str] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.rows = tuple(tuple(row) for row in rows)
        self.title = title
        self._formats = dict(formats or {})
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row must have {len(self.columns)} values, got {row!r}")
        for name in self._formats:
            if name not in self.columns:
                raise ValueError(f"formats must name columns of {self.columns}, got {name!r}")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        """The values of one column, from the first row to the last."""
        if column not in self.columns:
            names = ", ".join(repr(name) for name in self.columns)
            raise KeyError(f"column must be one of {names}, got {column!r}")
        index = self.columns.index(column)
        return [row[index] for row in self.rows]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (self.columns, self.rows, self.title) == (other.columns, other.rows, other.title)

    def __hash__(self) -> int:
        return hash((self.columns, self.title, len(self.rows)))

    def __str__(self) -> str:
        """Title, heads, a rule, and the rows; numbers to the right, words to the left."""
        cells = [self.columns, *self._texts()]
        widths = [max(_width(text) for text in column) for column in zip(*cells, strict=True)]
        right = self._numeric()
        lines = [_line(row, widths, right) for row in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([self.title, *lines] if self.title else lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """An HTML table without colours of its own, every text escaped."""
        return self._to_html(title=self.title)

    def _to_html(
        self, extra: Mapping[str, Sequence[_html.Html]] | None = None, title: str = ""
    ) -> _html.Html:
        """The HTML view, with further columns after the first one that are HTML already."""
        extra = extra or {}
        aligns = ["right" if numeric else "left" for numeric in self._numeric()]
        aligns[1:1] = ["left"] * len(extra)
        rows = [
            (*row[:1], *(cells[i] for cells in extra.values()), *row[1:])
            for i, row in enumerate(self._texts())
        ]
        heads = [*self.columns[:1], *extra, *self.columns[1:]]
        return _html.table(heads, rows, aligns, title=title)

    def _without(self, *columns: str) -> "Table":
        """The same table with some columns left out."""
        kept = [i for i, name in enumerate(self.columns) if name not in columns]
        rows = [tuple(row[i] for i in kept) for row in self.rows]
        formats = {name: spec for name, spec in self._formats.items() if name not in columns}
        return Table([self.columns[i] for i in kept], rows, self.title, formats=formats)

    def to_pandas(self) -> Any:
        """The unrounded values as a `pandas.DataFrame`.

        Returns
        -------
        pandas.DataFrame
            One column for each head, in the same order.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError("to_pandas() needs pandas: pip install pandas") from None
        return pandas.DataFrame(list(self.rows), columns=list(self.columns))

    def _texts(self) -> list[tuple[str, ...]]:
        """Every value as both views show it."""
        specs = [self._formats.get(name, "") for name in self.columns]
        return [
            tuple(_text(value, spec) for value, spec in zip(row, specs, strict=True))
            for row in self.rows
        ]

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers alone (and gaps), so that they stand to the right."""
        return [
            any(_is_number(row[i]) for row in self.rows)
            and all(row[i] is None or _is_number(row[i]) for row in self.rows)
            for i in range(len(self.columns))
        ]


def _is_number(value: object) -> bool:
    """Whether the value is formatted as a number: Python's and NumPy's, but not bool."""
    return hasattr(value, "__float__") and not isinstance(value, bool)


def _text(value: Any, spec: str) -> str:
    """One value as a line of text."""
    if value is None:
        return ""
    if not _is_number(value):
        return " ".join(str(value).split())
    if value != value:
        return "-"
    whole = hasattr(value, "__index__")
    return format(value, spec or ("d" if whole else ".4g"))


def _width(text: str) -> int:
    """How many cells of a terminal the text takes: wide letters take two, accents none."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    accents = sum(unicodedata.combining(letter) > 0 for letter in text)
    return len(text) + wide - accents


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """The cells of one row, filled up to their widths."""
    cells = []
    for text, width, to_right in zip(row, widths, right, strict=True):
        space = " " * (width - _width(text))
        cells.append(space + text if to_right else text + space)
    return "  ".join(cells).rstrip()
