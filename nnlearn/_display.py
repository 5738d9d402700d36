"""Where progress is shown: a line of a terminal, an output of a notebook, plain lines."""

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol, TextIO

from nnlearn._html import element

#: Outputs in one cell of a notebook; what comes after shares the last.
MOST_OUTPUTS = 10
_BAR, _LEAST_BAR = 20, 8
_FALLBACK_COLUMNS = 80


class Display(Protocol):
    """Where progress is shown."""

    def draw(self, head: str, work: float, notes: Sequence[str]) -> None:
        """Replace what is shown: a head, a bar filled to `work`, and notes."""

    def line(self, text: str) -> None:
        """A lasting line for something that ended; shown by plain displays alone."""

    def end(self, text: str) -> None:
        """Replace what is shown by the last line."""


def make_display(verbose: int | None) -> Display | None:
    """The display that fits `verbose` and where the process runs; None for nothing."""
    if verbose == 0:
        return None
    if _in_notebook():
        return Notebook()
    stream: TextIO | None = sys.stderr
    if stream is None:
        return None
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return Terminal(stream)
    return Lines(stream) if verbose else None


def _in_notebook() -> bool:
    """Whether this is a Jupyter kernel. IPython is looked at where it is loaded, never imported."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _send(stream: TextIO, text: str) -> None:
    """Write; a stream whose reader has gone says nothing more, and ends no training."""
    with suppress(OSError):
        stream.write(text)
        stream.flush()


class Lines:
    """Plain lines: one for each thing that ended."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, head: str, work: float, notes: Sequence[str]) -> None:
        """Nothing: a log is not redrawn."""

    def line(self, text: str) -> None:
        _send(self._stream, text + "\n")

    end = line


class Terminal:
    """One line that is written over, never longer than the terminal is wide."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0
        self._marks = ("━", "─") if _can_encode(stream, "━─") else ("#", "-")

    def draw(self, head: str, work: float, notes: Sequence[str]) -> None:
        rest = "  ".join([f"{int(100 * work):3d} %", *filter(None, notes)])
        room = columns(self._stream) - len(f"{head}  {rest} ")
        width = max(_LEAST_BAR, min(_BAR, room))
        full = int(work * width)
        bar = self._marks[0] * full + self._marks[1] * (width - full)
        self._write(f"{head} {bar} {rest}")

    def line(self, text: str) -> None:
        """Nothing: the line goes on being written over."""

    def end(self, text: str) -> None:
        self._write(text, "\n")

    def _write(self, text: str, last: str = "") -> None:
        text = text[: columns(self._stream) - 1]
        _send(self._stream, "\r" + text.ljust(self._shown) + last)
        self._shown = len(text)


class Notebook:
    """One output of a notebook cell that is updated in place.

    The first fits of a cell have an output each. Those after MOST_OUTPUTS share the last one, so
    that a loop over hundreds of fits leaves no hundreds of lines.
    """

    _cell: Any = None  # the cell that was last drawn in, how many displays began in it,
    _number = 0
    _last: Any = None  # and the handle of the newest output

    def __init__(self) -> None:
        self._handle: Any = None
        self._head = ""

    def draw(self, head: str, work: float, notes: Sequence[str]) -> None:
        text = "  ".join([head, *filter(None, notes)])
        self._show(_Shown(text, work))

    def line(self, text: str) -> None:
        """Nothing: the output is updated."""

    def end(self, text: str) -> None:
        self._show(_Shown(text, None))

    def _show(self, shown: "_Shown") -> None:
        if self._handle is None:
            self._begin(shown)
        else:
            self._handle.update(shown.after(self._head))

    def _begin(self, shown: "_Shown") -> None:
        """Draw for the first time: in an output of its own, or in the last one of the cell."""
        cell = sys.modules["IPython"].get_ipython().execution_count
        if cell != Notebook._cell:
            Notebook._cell, Notebook._number = cell, 0
        Notebook._number += 1
        if Notebook._number > MOST_OUTPUTS:
            self._handle = Notebook._last
            self._head = f"number {Notebook._number:,} in this cell: "
            self._handle.update(shown.after(self._head))
            return
        display = importlib.import_module("IPython.display").display
        self._handle = Notebook._last = display(shown, display_id=True)


class _Shown:
    """What a notebook shows: a bar and a text, or the text alone when all is over."""

    def __init__(self, text: str, work: float | None) -> None:
        self.text = text
        self.work = work

    def after(self, head: str) -> "_Shown":
        """The same with a head in front of the text."""
        return _Shown(head + self.text, self.work) if head else self

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        parts: list[object] = [self.text]
        if self.work is not None:
            value = f"{self.work:.3f}"
            bar = element("progress", value=value, max="1", aria_label="share that is done")
            parts = [bar, " ", self.text]
        return element(
            "div", *parts, style="font-variant-numeric: tabular-nums; white-space: pre-wrap"
        )


def _can_encode(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has these letters."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def columns(stream: TextIO) -> int:
    """The width of the terminal behind the stream."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _FALLBACK_COLUMNS
    except OSError:
        return _FALLBACK_COLUMNS
