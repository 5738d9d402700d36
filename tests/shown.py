"""Views in a notebook, read as a page would read them, and things that have one."""

from html.parser import HTMLParser
from typing import Any

import numpy as np

import nnlearn as nn
from nnlearn import History

EVIL = "<script>alert('&\"')</script>&amp;"

SMALL = 20_000  # bytes: a notebook that shows a hundred of them still opens at once


class Page(HTMLParser):
    """Reads a view, and raises where it is not well formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} is given twice"
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open[-1] in ("th", "td"):
            self.tables[-1][-1][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def styles(self) -> list[tuple[str, str]]:
        """Every property and value."""
        pairs = (
            declaration.split(":", 1)
            for _, attributes in self.elements
            for declaration in filter(str.strip, attributes.get("style", "").split(";"))
        )
        return [(name.strip(), value.strip()) for name, value in pairs]


def page(thing: Any) -> Page:
    return Page(thing._repr_html_())


def make_history(n: int, columns: tuple[str, ...] = ("loss", "accuracy")) -> History:
    """Losses fall, accuracies rise, neither smoothly."""
    rng = np.random.default_rng(n)
    history = History(["epoch", *columns])
    for epoch in range(1, n + 1):
        values = {c: rng.random() / epoch + (c.endswith("accuracy")) for c in columns}
        history._append({"epoch": epoch, **values})
    return history


def make_data(names: Any = None) -> nn.Dataset:
    x = np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)
    y = np.array([0, 1, 2, 0, 0, 2])
    shape = {"class_names": names, "image_shape": (2, 2)}
    return nn.Dataset((x, y), test=(x[:2], y[:2]), source=EVIL if names else "toy", **shape)
