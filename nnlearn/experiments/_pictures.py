"""Pictures of experiments, as SVG that takes the text colour of the page it stands on.

Text, axes and whatever is drawn in `rcParams["text.color"]` is written in one odd colour, which
then becomes ``currentColor``; the background is left out. So one picture serves light and dark
pages, and print. What a curve is drawn in stays as it is: `COLOURS` of `nnlearn.plotting` stand out
from white and from near-black.
"""

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnlearn._html import Html
from nnlearn.plotting._style import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Stands for the colour of the text; nothing else is drawn in it.
_INK = "#010203"
#: Of an SVG file that stands alone: dark on white, light in a dark page.
_ALONE = (
    "<style>svg{color:#1b1b1b;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e4e4e4;background:#16181c}}"
    "@media print{svg{color:#000;background:#fff}}</style>"
)


@dataclass(frozen=True)
class Picture:
    """One figure of an experiment.

    Parameters
    ----------
    name : str
        Told apart by it from the experiment's other pictures; letters, digits, hyphens.
    caption : str
        What is to be seen, in a sentence or two.
    draw : callable
        ``draw(figure)`` draws on an empty Matplotlib figure.
    slides : tuple of int, default ()
        The slides that it shows, by their number in the deck.
    size : (float, float), default (6.4, 3.6)
        Width and height in inches. The width of a page is 6.4 to 9.
    """

    name: str
    caption: str
    draw: "Callable[[Figure], None]"
    slides: tuple[int, ...] = ()
    size: tuple[float, float] = (6.4, 3.6)

    def figure(self) -> "Figure":
        """The Matplotlib figure, drawn anew.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        """
        require_matplotlib()
        from matplotlib.figure import Figure

        figure = Figure(figsize=self.size, layout="constrained")
        self.draw(figure)
        return figure

    def drawing(self, experiment: str) -> "Drawing":
        """The picture as SVG, the same bytes each time."""
        with _style(f"{experiment}-{self.name}"):
            figure = self.figure()
            file = io.StringIO()
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            figure.savefig(file, format="svg", transparent=True, metadata=nothing)
        label = self.caption or self.name
        svg = _for_pages(file.getvalue(), f"{experiment}-{self.name}", label)
        return Drawing(self.name, self.caption, self.slides, svg)


@dataclass(frozen=True)
class Drawing:
    """A picture that is drawn.

    Parameters
    ----------
    name, caption : str
        As of the Picture.
    slides : tuple of int
        As of the Picture.
    svg : str
        An ``<svg>`` element for an HTML page.
    """

    name: str
    caption: str
    slides: tuple[int, ...]
    svg: str

    def element(self) -> Html:
        """The element, to be put into a page."""
        return Html(self.svg)

    def file(self) -> str:
        """An SVG file that stands alone."""
        end = self.svg.index(">") + 1
        head = self.svg[:end]
        return f'<?xml version="1.0" encoding="utf-8"?>\n{head}{_ALONE}{self.svg[end:]}\n'


@contextmanager
def _style(salt: str) -> Iterator[None]:
    """Matplotlib's settings for pictures in pages."""
    require_matplotlib()
    import matplotlib

    names = ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor")
    ticks = ("xtick.color", "ytick.color", "xtick.labelcolor", "ytick.labelcolor")
    settings: Any = {
        **dict.fromkeys([*names, *ticks], _INK),
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "legend.facecolor": "none",
        "legend.framealpha": 0.0,
        "legend.edgecolor": "none",
        "grid.color": "#808080",
        "svg.hashsalt": salt,
        "svg.fonttype": "path",
        "font.size": 9.5,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def _for_pages(text: str, prefix: str, label: str) -> str:
    """The ``<svg>`` element alone, with names of its own, its ink the colour of the page's text."""
    svg = text[text.index("<svg ") :].strip()
    # Nothing refers to images, and of two with the same content the names would be the same.
    svg = re.sub(r'(<image\b[^>]*?) id="[^"]*"', r"\g<1>", svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = svg.replace(_INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    width = re.search(r'width="([\d.]+)pt"', svg)
    points = float(width[1]) if width else 0.0
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"|height="[\d.]+pt" ', "", svg, count=1)
    svg = re.sub(r'width="[\d.]+pt"', "", svg, count=1)
    style = f"width: 100%; max-width: {points * 4 / 3:.0f}px; height: auto"
    said = html.escape(label)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{said}" style="{style}" ', 1)
