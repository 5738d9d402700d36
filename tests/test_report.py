"""The page of `reproduce`: its form, and how it looks in windows of any width."""

import itertools
import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from nnlearn.experiments import Claim, Measured, Picture, Quote
from nnlearn.experiments._report import report
from nnlearn.experiments._section import Section
from nnlearn.plotting._style import COLOURS, band_style
from nnlearn.tables import Table

#: Elements that HTML does not close.
VOID = {"br", "img", "meta", "link", "hr", "input"}
#: Of WCAG 2.1, 1.4.11: what a graphical object needs beside its background.
CONTRAST = 3.0
PAPERS = {"light": "#ffffff", "dark": "#16181c"}


def quote(settings):
    return Quote("95.49", "a book, chapter 3", settings, "last")


def picture(figure):
    left, right = figure.subplots(1, 2)
    for ax in (left, right):
        ax.imshow(np.eye(3))
        ax.set_title("a title")


@pytest.fixture(scope="module")
def page():
    """A report with one section that has all there may be."""
    words = "784-100-10 of sigmoid units, batches of ten, thirty epochs, from small start weights"
    section = Section(
        "costs",
        "Quadratic cost and cross-entropy on digits",
        "Does it classify better?",
        {"networks": words, "learning rate where nothing else is said": words},
        (
            Measured("30 hidden: test accuracy", (95.0, 95.5), "%", quote(words), stuck=1),
            Measured("100 hidden: test accuracy", (96.0, 96.5), "%", quote(words), stuck=0),
            Measured("epochs", (3.0, float("nan")), "", quote("others"), digits=1),
            Measured("not quoted", (3.0, 5.0), "nats"),
        ),
        (Claim("cross-entropy ends with fewer test errors", (0.3, 0.2), "percentage points"),),
        (Table([f"column {i}" for i in range(12)], [[words, *range(1000, 1011)]], "Many columns"),),
        ("A remark.",),
        "",
        "",
        (Picture("two", "Two images.", picture, slides=(10,), size=(9.0, 3.0)).drawing("costs"),),
        1.0,
    )
    exact = Section(
        "softmax",
        "Softmax",
        "What sums to 1?",
        {},
        (Measured("sum", (1.0,), ""),),
        *[()] * 3,
        "",
        "",
        (),
        1.0,
    )
    return report("A title", {"nnlearn": "0"}, [section, exact], {}, [])


class Outline(HTMLParser):
    """Checks that elements are closed in order, and keeps them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.texts = [], [], {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def of(self, name):
        return [attributes for tag, attributes, _ in self.seen if tag == name]


def cells(page, what):
    """The texts of the row of this head, by the name of their column."""
    row = next(row for row in re.findall(r"<tr.*?</tr>", page) if f">{what}<" in row)
    found = re.findall(r'<td[^>]*data-name="([^"]*)"[^>]*>(.*?)</td>', row)
    return {name: re.sub("<[^>]*>", "", text) for name, text in found}


# ---- form ----------------------------------------------------------------------------------------


def test_elements_are_closed_in_order_and_identities_are_used_once(page):
    outline = Outline(page)
    seen = outline.seen
    assert len(outline.of("image")) == 2
    assert not any("id" in attributes for attributes in outline.of("image"))
    identities = Counter(attributes["id"] for _, attributes, _ in seen if "id" in attributes)
    assert len(identities) > 10
    assert max(identities.values()) == 1
    inner = {a["href"][1:] for _, a, _ in seen if a.get("href", "").startswith("#")}
    assert inner - {""} <= identities.keys()


def test_who_hears_the_page_is_told_what_the_parts_are(page):
    outline = Outline(page)
    assert outline.of("html") == [{"lang": "en"}]
    assert len(outline.of("main")) == 1
    assert all("scope" in attributes for attributes in outline.of("th"))
    assert {attributes["role"] for attributes in outline.of("td")} == {"cell"}
    assert all(attributes["aria-label"] for attributes in outline.of("table"))
    assert [a["aria-label"] for a in outline.of("svg")] == ["Two images."]
    levels = [int(tag[1]) for tag, _, _ in outline.seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_numbers_stand_without_their_unit_which_has_a_column(page):
    assert cells(page, "not quoted") == {
        "quoted": "",
        "mean": "4.00",
        "sd": "1.41",
        "median": "4.00",
        "unit": "nats",
        "seeds": "2",
        "in words": "",
    }
    assert cells(page, "30 hidden: test accuracy")["quoted"] == "95.49"


def test_columns_without_anything_in_them_are_left_out(page):
    assert cells(page, "sum") == {"mean": "1.00", "seeds": "1"}


def test_the_source_of_rows_in_a_row_is_said_once(page):
    assert page.count("a book, chapter 3: 784-100-10 of") == 1
    assert page.count(">as\N{NO-BREAK SPACE}above<") == 1
    assert page.count("a book, chapter 3: others; last epoch") == 1


# ---- bands ---------------------------------------------------------------------------------------


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour, paper):
    """Of a colour, half-transparent perhaps, laid on a paper, with that paper (WCAG 2.1)."""
    from matplotlib.colors import to_rgb, to_rgba

    *rgb, alpha = to_rgba(colour)
    laid = [alpha * c + (1 - alpha) * p for c, p in zip(rgb, to_rgb(paper), strict=True)]
    low, high = sorted((luminance(laid), luminance(to_rgb(paper))))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_edges_of_a_band_are_seen_on_light_and_on_dark_pages(paper):
    for colour in COLOURS[:4]:
        style = band_style(colour)
        edge, inside = (contrast(style[name], PAPERS[paper]) for name in ("edgecolor", "facecolor"))
        full = contrast(colour, PAPERS[paper])
        assert edge > min(2.0, 0.5 * full), colour
        assert 1.1 < inside < edge < full, colour


# ---- in a browser --------------------------------------------------------------------------------


@pytest.fixture(params=["light", "dark"])
def opened(request, browser, page):
    """``opened(width)`` shows the page in a window."""
    made = []

    def show(width):
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=request.param)
        asked = []
        tab.on("request", lambda one: asked.append(one.url))
        tab.set_content(page)
        made.append((tab, asked))
        return tab

    yield show
    for tab, asked in made:
        tab.close()
        assert [url for url in asked if not url.startswith("data:")] == []


def boxes(tab, selector):
    """Left, top, right, bottom, and the text's size, of the elements."""
    script = """found => found.map(e => {
        const b = e.getBoundingClientRect();
        return [b.left, b.top, b.right, b.bottom, parseFloat(getComputedStyle(e).fontSize)]})"""
    return np.array(tab.locator(selector).evaluate_all(script))


@pytest.mark.parametrize("width", [320, 360, 700, 1200])
def test_the_page_is_never_wider_than_its_window(opened, width):
    tab = opened(width)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    shown = boxes(tab, ".stacked td:not(:empty), section dd, section p, th[scope=row]")
    assert shown[:, 2].max() <= width


@pytest.mark.parametrize("width", [360, 700])
def test_in_a_narrow_window_a_row_stands_alone_with_the_names_of_its_columns(opened, width):
    tab = opened(width)
    row = ".stacked tr:has(> th[scope=row])"
    head, words = boxes(tab, f"{row} > th"), boxes(tab, f'{row} > td[data-name="in words"]')
    assert (head[:, 2] - head[:, 0]).min() > 0.85 * width
    assert (words[:2, 2] - words[:2, 0]).min() > 0.85 * width
    name = "e => getComputedStyle(e, '::before').content"
    assert tab.locator('td[data-name="mean"]').first.evaluate(name) == '"mean"'
    assert boxes(tab, "figure svg")[0, 2] - boxes(tab, "figure svg")[0, 0] >= 512
    wide = tab.locator("div.wide:has(table)")
    assert wide.evaluate("e => e.scrollWidth > e.clientWidth")
    assert wide.get_attribute("tabindex") == "0"


def test_in_a_wide_window_numbers_stand_in_columns(opened):
    tab = opened(1200)
    mean = boxes(tab, 'section:first-of-type td[data-name="mean"]')
    assert len(mean) == 4
    assert np.ptp(mean[:, 2]) < 0.5
    assert boxes(tab, "section:first-of-type th[scope=row]")[0, 3] > mean[0, 1]
    name = "e => getComputedStyle(e, '::before').content"
    assert tab.locator('td[data-name="mean"]').first.evaluate(name) == "none"


def test_on_paper_it_is_a_table_in_black_on_white(opened):
    tab = opened(700)
    tab.emulate_media(media="print")
    mean = boxes(tab, 'section:first-of-type td[data-name="mean"]')
    assert np.ptp(mean[:, 2]) < 0.5
    colours = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    found = tab.locator("body").evaluate(colours)
    assert found == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert tab.locator("details p").first.bounding_box()["height"] > 10
