"""What networks, histories, comparisons and data sets look like, in a notebook and as text."""

import base64
import math
import re
import struct
import zlib
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import Dense, Dropout, History, Split, _html
from nnlearn.comparison import Comparison, Run
from nnlearn.plotting import mean_curves
from nnlearn.tables import Table, count

NAN = math.nan
EVIL = "<script>alert('&\"')</script>&amp;"

SMALL = 20_000  # bytes: a notebook that shows a hundred of them still opens at once

#: Elements that a view is made of; all of them keep to themselves.
ELEMENTS = {
    *("div", "strong", "span", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("svg", "polyline", "circle", "img", "progress"),
}
#: What text, lines and grounds may be coloured by: the page they stand on.
COLOURS = {"inherit", "currentColor", "none", "var(--jp-brand-color1, currentColor)"}
RULES = {"1px solid rgba(128, 128, 128, 0.5)"}


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


def make_comparison(*names: str) -> Comparison:
    columns = ("loss", "accuracy", "val_accuracy", "test_accuracy", "seconds")
    return Comparison(
        {
            name: [
                Run(None, make_history(5, columns), seed, 0.1, name, False)  # type: ignore[arg-type]
                for seed in range(2)
            ]
            for name in names
        }
    )


def views() -> dict[str, Any]:
    net = nn.Network([3, Dense(4, "tanh", init=0.5), nn.Activation("relu"), 2], dropout=0.5, seed=1)
    x, y = np.eye(3), np.array([0, 1, 0])
    history = make_history(30, ("loss", f"{EVIL}_accuracy"))
    history.stop_reason = EVIL
    diverged = Run(
        net,
        make_history(2, ("loss", "accuracy", "seconds")),
        3,
        NAN,
        EVIL,
        error=FloatingPointError("NaN"),
    )
    names = [EVIL, "&", "<b>"]
    colours = Split(np.zeros((2, 12), np.uint8), [0, 1], image_shape=(3, 2, 2), class_names=names)
    return {
        "network": net,
        "history": history,
        "empty history": History(["epoch"]),
        "comparison": make_comparison(EVIL, "b"),
        "empty comparison": Comparison({}),
        "run": diverged,
        "dataset": make_data(names),
        "split": colours,
        "regression": Split([[0.5], [1.5]], [[0.5, 1.0], [2.0, 3.0]], image_shape=(1, 1)),
        "table": Table([EVIL, "n"], [(EVIL, 1), ("b", NAN)], EVIL),
        "inspection": net.inspect(x, y),
        "config": nn.show_config(),
    }


VIEWS = views()
each_view = pytest.mark.parametrize("thing", VIEWS.values(), ids=VIEWS)

# ---- all views ---------------------------------------------------------------------------------


@each_view
def test_a_view_is_well_formed_and_made_of_harmless_elements(thing: Any) -> None:
    seen = page(thing)
    assert seen.elements
    assert {tag for tag, _ in seen.elements} <= ELEMENTS
    for _, attributes in seen.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")


@pytest.mark.parametrize("name", ["history", "comparison", "run", "dataset", "split", "table"])
def test_what_users_named_is_shown_letter_by_letter(name: str) -> None:
    seen = page(VIEWS[name])
    labels = [v for _, attributes in seen.elements for v in attributes.values() if v]
    everything = "".join([*seen.texts, *labels])
    assert EVIL in everything.replace("\\'", "'")  # a repr escapes the quote


@each_view
def test_a_view_takes_its_colours_from_the_page(thing: Any) -> None:
    for name, value in page(thing).styles():
        if "color" in name or name in ("fill", "stroke", "background"):
            assert value in COLOURS, name
        elif name.startswith("border") and name != "border-collapse":
            assert value in RULES, name
        else:
            assert not re.search(r"#|rgb|white|black|var\(", value), name
    for _, attributes in page(thing).elements:
        assert not {"color", "bgcolor", "fill", "stroke", "class", "id"} & {*attributes}


@each_view
def test_every_picture_says_what_it_shows(thing: Any) -> None:
    seen = page(thing)
    for drawing in seen.of("svg"):
        assert drawing["role"] == "img"
        assert drawing["aria-label"]
    assert all(picture["alt"] for picture in seen.of("img"))


@each_view
def test_rows_are_as_long_as_the_head(thing: Any) -> None:
    for table in page(thing).tables:
        assert len({len(row) for row in table}) == 1


@each_view
def test_the_text_form_is_honest_about_what_it_is(thing: Any) -> None:
    text = repr(thing)
    assert text == str(thing)
    assert not re.search(r" $", text, re.MULTILINE)
    assert "object at 0x" not in text


# ---- networks ----------------------------------------------------------------------------------


def test_a_network_as_text() -> None:
    net = nn.Network([(2, 2), Dense(30, "tanh"), Dropout(0.5), 10], seed=7)
    assert repr(net) == (
        "Network([(2, 2), Dense(30, tanh), Dropout(0.5), Dense(10, sigmoid)],"
        " cost='cross_entropy', seed=7)"
    )
    assert str(net.summary()) == "\n".join(
        [
            "cost cross_entropy, float32, 460 parameters, seed 7, 0 epochs trained",
            "layer               output shape  parameters",
            "------------------  ------------  ----------",
            "input               (2, 2)                 0",
            "Dense(30, tanh)     (30,)                150",
            "Dropout(0.5)        (30,)                  0",
            "Dense(10, sigmoid)  (10,)                310",
        ]
    )


def test_a_network_is_a_row_for_each_layer_and_a_total() -> None:
    net = nn.Network([3, Dense(400, "tanh", init=0.5), nn.Activation("relu"), 2], dropout=0.25)
    head, *rows = page(net).tables[0]
    assert head == ["name", "layer", "activation", "start weights", "output shape", "parameters"]
    assert rows == [
        ["input", "", "", "", "(3,)", ""],
        ["dense1", "Dense", "tanh", "N(0, 0.5\N{SUPERSCRIPT TWO})", "(400,)", "1,600"],
        ["activation1", "Activation", "relu", "", "(400,)", ""],
        ["dropout1", "Dropout(0.25)", "", "", "(400,)", ""],
        ["dense2", "Dense", "sigmoid", "scaled", "(2,)", "802"],
        ["total", "", "", "", "", "2,402"],
    ]
    dense = [row[0] for row in rows if row[1] == "Dense"]
    assert [f"{name}.{kind}" for name in dense for kind in ("weight", "bias")] == [*net.parameters]


def test_a_network_says_its_cost_seed_and_epochs() -> None:
    net = nn.Network([3, 2], cost="quadratic", dtype="float64", seed=5)
    facts = page(net).texts[2]
    assert facts == "cost quadratic \N{MIDDLE DOT} float64 \N{MIDDLE DOT} seed 5 " + (
        "\N{MIDDLE DOT} not trained yet"
    )
    net.fit(np.eye(3), [0, 1, 0], epochs=1, learning_rate=0.1)
    assert page(net).texts[2].endswith("1 epoch trained")


def test_a_deep_network_stays_small() -> None:
    net = nn.Network([3, *[2] * 1000], seed=1)
    assert len(net._repr_html_()) < SMALL
    rows = page(net).tables[0]
    assert len(rows) == 40 + 2  # with the head and the total
    gap = next(i for i, row in enumerate(rows) if "more layers" in row[0])
    before, after = (int(rows[i][0].removeprefix("dense")) for i in (gap - 1, gap + 1))
    assert rows[gap][0] == f"\N{HORIZONTAL ELLIPSIS} {after - before - 1} more layers"
    assert rows[-1][-1] == "6,002"


# ---- histories ---------------------------------------------------------------------------------


def test_a_history_as_text() -> None:
    history = History(["epoch", "loss", "val_accuracy", "seconds"])
    for row in ((1, 0.5, 0.9, 1.25), (2, 0.25, 0.96875, 1.25), (3, 0.125, 0.9375, 1.25)):
        history._append(dict(zip(history.columns, row, strict=True)))
    history.stop_reason = "all 3 epochs done"
    assert repr(history) == "<History of 3 epochs: loss 0.125, val_accuracy 0.9375>"
    assert str(history.summary()) == "\n".join(
        [
            "3 epochs, 3.8 s of training; ended: all 3 epochs done",
            "column        first    last    best  at epoch",
            "------------  -----  ------  ------  --------",
            "loss            0.5   0.125   0.125         3",
            "val_accuracy    0.9  0.9375  0.9688         2",
        ]
    )


def test_a_history_draws_every_measure_and_names_its_values() -> None:
    history = make_history(30, ("loss", "penalty", "val_accuracy"))
    seen = page(history)
    assert [row[0] for row in seen.tables[0]] == ["column", "loss", "val_accuracy"]
    epoch, best = history.best("val_accuracy")
    first, last = history["val_accuracy"][[0, -1]]
    assert seen.of("svg")[1]["aria-label"] == (
        f"val_accuracy over 30 epochs: first {first:.4g}, last {last:.4g}, "
        f"best {best:.4g} at epoch {epoch}"
    )


def test_the_dot_stands_at_the_best_epoch() -> None:
    history = History(["epoch", "loss"])
    for epoch, loss in enumerate((3.0, 1.0, 2.0, 1.0, 2.0), 11):
        history._append({"epoch": epoch, "loss": loss})
    dot = page(history).of("circle")[0]
    points = page(history).of("polyline")[0]["points"].split()
    assert f"{dot['cx']},{dot['cy']}" == points[1]


@pytest.mark.parametrize("n_sets", [0, 2, 10])
def test_a_long_history_stays_small(n_sets: int) -> None:
    names = [f"{name}_{kind}" for name in range(n_sets) for kind in ("loss", "accuracy")]
    history = make_history(1000, ("loss", "accuracy", *names))
    assert len(history._repr_html_()) < SMALL * max(1, n_sets / 5)
    assert len(page(history).of("svg")) == 2 + 2 * n_sets


def test_the_best_epoch_is_found_while_the_history_grows() -> None:
    class Growing(History):
        def __getitem__(self, column: str) -> Any:
            values = super().__getitem__(column)
            self._append({"epoch": len(self) + 1, "loss": -float(len(self))})
            return values

    history = Growing(["epoch", "loss"])
    history._append({"epoch": 1, "loss": 1.0})
    history._append({"epoch": 2, "loss": 0.0})
    for _ in range(5):
        epoch, value = history.best("loss")
        assert history._rows[epoch - 1]["loss"] == value
        page(history)


# ---- curves ------------------------------------------------------------------------------------


def points_of(curve: str) -> list[tuple[float, float]]:
    text = Page(curve).of("polyline")[0]["points"]
    return [(float(x), float(y)) for x, y in (point.split(",") for point in text.split())]


def test_a_curve_fills_its_box_from_end_to_end() -> None:
    xs, ys = zip(*points_of(_html.curve([0.0, 5.0, 10.0], "c", width=106, height=26)), strict=True)
    assert xs == (3, 53, 103)
    assert ys == (23, 13, 3)


def test_a_thinned_curve_keeps_its_ends_and_peaks() -> None:
    values = np.zeros(10_000)
    values[[0, 4321, 7000, 9999]] = [1.0, 9.0, -9.0, 2.0]
    points = points_of(_html.curve(values, "c"))
    assert len(points) <= 60
    assert points == sorted(points, key=lambda point: point[0])
    assert points[0][0] == 3
    assert points[-1][0] == 117
    assert {min(y for _, y in points), max(y for _, y in points)} == {3, 21}


@pytest.mark.parametrize("n", [1, 59, 60, 61, 62, 1000])
def test_no_more_points_are_kept_than_asked_for(n: int) -> None:
    kept = _html._thinned(np.random.default_rng(n).random(n), 60)
    assert len(kept) <= 60
    assert [kept[0], kept[-1]] == [0, n - 1]
    assert (np.diff(kept) > 0).all()


def test_gaps_are_bridged() -> None:
    full = points_of(_html.curve([0.0, 1.0, 2.0, 3.0], "c"))
    gaps = points_of(_html.curve([0.0, NAN, math.inf, 3.0], "c"))
    assert gaps == [full[0], full[3]]


def test_a_constant_is_a_level_line_and_one_value_a_dot() -> None:
    assert {y for _, y in points_of(_html.curve([2.0, 2.0, 2.0], "c"))} == {12}
    assert len(Page(_html.curve([2.0], "c")).of("circle")) == 1
    assert _html.curve([NAN, NAN], "c") == ""
    assert _html.curve([], "c") == ""


# ---- comparisons -------------------------------------------------------------------------------


def test_a_run_as_text() -> None:
    run = make_comparison("a")["a"][1]
    assert repr(run) == "<Run of 'a', seed 1: 5 epochs, test error 10.00%>"
    assert repr(VIEWS["run"]).endswith(", seed 3: 2 epochs, diverged>")


def test_a_comparison_as_text_is_its_table() -> None:
    history = make_history(3, ("loss", "accuracy", "seconds"))
    runs = [Run(None, history, 0, 0.05, "a", False), Run(None, history, 1, 0.1, "a", True)]
    c = Comparison({"a": runs})  # type: ignore[dict-item]
    assert repr(c) == "\n".join(
        [
            "Test error in % at the last epoch, and at the epoch of best validation",
            "variant  last %  last sd  last median  best %  best sd  best median"
            "  runs  stuck  diverged  seconds",
            "-------  ------  -------  -----------  ------  -------  -----------"
            "  ----  -----  --------  -------",
            "a          7.50     3.54         7.50       -        -            -"
            f"     2      1         0  {history['seconds'].sum():7.1f}",
        ]
    )


def test_a_comparison_draws_one_curve_for_each_variant_on_one_scale() -> None:
    c = make_comparison("a", "b")
    seen = page(c)
    assert seen.tables[0][0][:3] == ["variant", "validation error (%)", "last %"]
    label, means = mean_curves(c)
    assert label == "validation error (%)"
    runs = [100 * (1 - run.history["val_accuracy"]) for run in c["a"]]
    np.testing.assert_allclose(means[0], np.mean(runs, axis=0))
    assert [svg["aria-label"] for svg in seen.of("svg")] == [
        f"mean validation error (%) over 5 epochs: first {row[0]:.4g}, last {row[-1]:.4g}, "
        f"lowest {row.min():.4g}"
        for row in means
    ]


def test_what_holds_of_all_variants_is_said_once() -> None:
    c = make_comparison("a", "b")
    facts = page(c).texts[2].split(" \N{MIDDLE DOT} ")
    assert facts[1:] == ["2 runs each", "none stuck", "none diverged"]
    assert {"runs", "stuck", "diverged"}.isdisjoint(page(c).tables[0][0])
    mixed = Comparison({"a": c["a"], "b": [*c["b"], VIEWS["run"]]})
    assert {"runs", "diverged"} < {*page(mixed).tables[0][0]}


def test_curves_of_other_lengths_and_columns_stand_side_by_side() -> None:
    def run(n: int, column: str) -> list[Run]:
        return [Run(None, make_history(n, (column, "seconds")), 0, NAN)]  # type: ignore[arg-type]

    c = Comparison(
        {"long": run(5, "accuracy"), "short": run(2, "accuracy"), "none": run(3, "loss")}
    )
    _, means = mean_curves(c)
    assert np.isfinite(means).sum(axis=1).tolist() == [5, 2, 0]
    assert len(page(c).of("svg")) == 2


def test_many_variants_are_a_table_alone() -> None:
    assert page(make_comparison(*map(str, range(41)))).of("svg") == []


# ---- data --------------------------------------------------------------------------------------


def pixels_of(image: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The pixels of an <img>, read by the rules of PNG as far as they are used."""
    file = base64.b64decode(image["src"].partition(",")[2], validate=True)
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, file[8:]
    while rest:
        length, name = struct.unpack(">I4s", rest[:8])
        chunks[name] = rest[8 : 8 + length]
        assert struct.unpack(">I", rest[8 + length : 12 + length])[0] == zlib.crc32(
            rest[4 : 8 + length]
        )
        rest = rest[12 + length :]
    assert [*chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, kind, *others = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, others) == (8, [0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:].reshape((height, width, 3) if kind == 2 else (height, width))


def test_the_sets_and_the_classes_of_a_dataset() -> None:
    sets, classes = page(make_data()).tables
    assert sets == [
        ["set", "samples", "x", "y"],
        ["training", "6", "(6, 4) float32", "(6,) int64"],
        ["test", "2", "(2, 4) float32", "(2,) int64"],
    ]
    assert classes == [
        ["class", "training", "test", "first samples"],
        ["0", "3", "1", ""],
        ["1", "1", "1", ""],
        ["2", "2", "0", ""],
    ]


def test_a_dataset_as_text() -> None:
    assert str(make_data().summary()) == "\n".join(
        [
            "Dataset toy: 4 inputs float32, labels 0 to 2, images of 2 x 2",
            "set       samples  x               y",
            "--------  -------  --------------  ----------",
            "training        6  (6, 4) float32  (6,) int64",
            "test            2  (2, 4) float32  (2,) int64",
        ]
    )


def test_the_first_samples_of_a_class_stand_side_by_side() -> None:
    x = np.arange(0, 256, 17, dtype=np.uint8).reshape(4, 4)  # colours that are kept exactly
    seen = page(Split(x, [1, 0, 1, 1], image_shape=(2, 2)))
    first, second = map(pixels_of, seen.of("img"))
    assert first.tolist() == x[1].reshape(2, 2).tolist()
    assert second.tolist() == np.hstack([x[i].reshape(2, 2) for i in (0, 2, 3)]).tolist()
    assert [image["alt"] for image in seen.of("img")] == [
        "the first as an image",
        "the first 3 as images",
    ]


def test_no_more_than_five_samples_of_a_class_are_shown() -> None:
    seen = page(Split(np.zeros((9, 4)), np.zeros(9, int), image_shape=(2, 2)))
    assert pixels_of(seen.of("img")[0]).shape == (2, 10)


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        ([0.0, 1.0], [0, 255]),
        ([0.2, 0.8], [51, 204]),
        ([-1.0, 1.0], [0, 255]),
        ([0.0, 1000.0], [0, 255]),
        ([NAN, 1.0], [0, 255]),
        ([7.0, 7.0], [0, 0]),
    ],
)
def test_pixels_of_other_ranges_are_scaled(x: list[float], shown: list[int]) -> None:
    seen = page(Split([x], [0], image_shape=(1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [shown]


def test_colours_and_channels() -> None:
    x = np.array([[255, 0, 0, 255, 17, 34]], np.uint8)  # red, green, blue of two pixels
    seen = page(Split(x, [0], image_shape=(3, 1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [[[255, 0, 17], [0, 255, 34]]]
    grey = page(Split(x, [0], image_shape=(1, 2, 3))).of("img")[0]
    assert pixels_of(grey).shape == (2, 3)
    assert page(Split(x, [0], image_shape=(2, 1, 3))).of("img") == []


def test_large_images_are_shown_small() -> None:
    seen = page(Split(np.zeros((1, 300 * 200), np.uint8), [0], image_shape=(300, 200)))
    assert pixels_of(seen.of("img")[0]).shape == (30, 20)


def test_sparse_samples_are_shown_too() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    seen = page(Split(sparse.csr_matrix([[0.0, 1.0]]), [0], image_shape=(1, 2)))
    assert pixels_of(seen.of("img")[0]).tolist() == [[0, 255]]


@pytest.mark.parametrize(
    "y", [[-3, 5], [True, False], np.array([0, 1], np.uint8)], ids=["negative", "bool", "uint8"]
)
def test_labels_of_every_kind_are_counted(y: Any) -> None:
    _, classes = page(Split([[0.0], [1.0]], y)).tables
    assert [row[0] for row in classes[1:]] == [str(label) for label in sorted(map(int, y))]
    assert classes[0] == ["class", "samples"]


def test_a_class_without_a_sample_has_its_row() -> None:
    _, classes = page(Split([[0.0]], [2], class_names=["a", "b", "c"])).tables
    assert classes[1:] == [["0: a", "0"], ["1: b", "0"], ["2: c", "1"]]


def test_an_empty_split_is_shown() -> None:
    assert page(Split(np.zeros((0, 4)), np.zeros(0, int), image_shape=(2, 2))).of("img") == []


def test_data_of_many_classes_stay_small() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (500, 3 * 32 * 32), np.uint8)  # noise: no picture takes more bytes
    split = Split(x, np.arange(500) % 100, image_shape=(3, 32, 32))
    _, classes = page(split).tables
    assert len(classes) == 13
    assert "89 more classes" in "".join(row[0] for row in classes)
    assert len(split._repr_html_()) < 2 * SMALL


def test_the_digits_stay_small() -> None:
    assert len(nn.datasets.load_mnist_small()._repr_html_()) < SMALL


# ---- parts -------------------------------------------------------------------------------------


def test_elements_escape_all_that_is_no_html() -> None:
    inner = _html.element("span", "<&>")
    outer = _html.element("div", inner, "<b>", 3, title='"', aria_label=None)
    assert outer == '<div title="&quot;"><span>&lt;&amp;&gt;</span>&lt;b&gt;3</div>'


@pytest.mark.parametrize("n", [0, 1, 5, 6, 7, 50])
def test_long_tables_are_folded_in_the_middle(n: int) -> None:
    rows = [(i, "x") for i in range(n)]
    folded = _html.fold(rows, 6, "rows")
    assert len(folded) == min(n, 6)
    if n > 6:
        assert folded[:4] == rows[:4]
        assert folded[4] == (f"\N{HORIZONTAL ELLIPSIS} {n - 5} more rows", "")
        assert folded[5:] == rows[-1:]


@pytest.mark.parametrize(
    ("n", "word", "text"),
    [(0, "epoch", "0 epochs"), (1, "class", "1 class"), (2000, "class", "2,000 classes")],
)
def test_a_number_with_its_noun(n: int, word: str, text: str) -> None:
    assert count(n, word) == text
