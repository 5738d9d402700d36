"""What networks, histories and comparisons look like, in a notebook and as text."""

import math
import re
from typing import Any

import numpy as np
import pytest
from shown import EVIL, SMALL, make_data, make_history, page

import nnlearn as nn
from nnlearn import Dense, Dropout, History, Split
from nnlearn.comparison import Comparison, Run
from nnlearn.plotting._mean_curves import mean_curves
from nnlearn.tables import Table, count

NAN = math.nan

#: Elements that a view is made of; all of them keep to themselves.
ELEMENTS = {
    *("div", "strong", "span", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("svg", "polyline", "circle", "img", "progress"),
}
#: What text, lines and grounds may be coloured by: the page they stand on.
COLOURS = {"inherit", "currentColor", "none", "var(--jp-brand-color1, currentColor)"}
RULES = {"1px solid rgba(128, 128, 128, 0.5)"}


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


# ---- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "word", "text"),
    [(0, "epoch", "0 epochs"), (1, "class", "1 class"), (2000, "class", "2,000 classes")],
)
def test_a_number_with_its_noun(n: int, word: str, text: str) -> None:
    assert count(n, word) == text
