"""Tables: what is kept, the text view, the HTML view."""

import math
import pickle
import re
import sys

import numpy as np
import pytest

from nnlearn.tables import Table

COLUMNS = ["cost", "error %", "runs"]
ROWS = [("quadratic", 5.5349, 3), ("cross_entropy", 14.0, 12)]


def test_values_are_kept_unrounded():
    table = Table(COLUMNS, ROWS, formats={"error %": ".1f"})
    assert table.columns == ("cost", "error %", "runs")
    assert table.rows == tuple(ROWS)
    assert table["error %"] == [5.5349, 14.0]
    assert len(table) == 2


def test_an_unknown_column_names_those_there_are():
    with pytest.raises(KeyError, match="'cost', 'error %', 'runs', got 'eror'"):
        Table(COLUMNS, ROWS)["eror"]


def test_text_is_aligned_numbers_right_and_words_left():
    assert str(Table(COLUMNS, ROWS, "Costs", formats={"error %": ".2f"})) == "\n".join(
        [
            "Costs",
            "cost           error %  runs",
            "-------------  -------  ----",
            "quadratic         5.53     3",
            "cross_entropy    14.00    12",
        ]
    )


def test_no_line_ends_in_spaces():
    text = str(Table(["a", "b"], [("x", "long"), ("y", "")]))
    assert not re.search(r" $", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "-"),
        (np.float32(math.nan), "-"),
        (None, ""),
        (3, "3"),
        (np.int64(3), "3"),
        (0.123456, "0.1235"),
        (np.float32(0.5), "0.5"),
        (True, "True"),
        ("two\nlines\tof  text", "two lines of text"),
        ((784, 30), "(784, 30)"),
    ],
)
def test_a_value_is_shown_as(value, text):
    assert str(Table(["v"], [(value,)])).split("\n")[2].strip() == text


def test_a_format_leaves_words_and_gaps_alone():
    table = Table(["v"], [("few",), (None,), (2.0,), (3,)], formats={"v": ".1f"})
    assert str(table).splitlines()[2:] == ["few", "", "2.0", "3.0"]


def test_wide_letters_and_accents_keep_the_columns_straight():
    lines = str(Table(["name", "n"], [("数字", 1), ("e\u0301te\u0301", 2)])).splitlines()
    assert lines[1] == "----  -"
    assert lines[2] == "数字  1"
    assert lines[3] == "e\u0301te\u0301   2"


def test_an_empty_table_shows_its_head():
    assert str(Table(["a", "b"], [])) == "a  b\n-  -"


def test_html_escapes_every_text():
    bad = "<b>&\"'"
    html = Table([bad], [(bad,)], bad)._repr_html_()
    assert bad not in html
    assert html.count("&lt;b&gt;&amp;&quot;&#x27;") == 3


def test_html_shows_the_same_texts_as_the_text_view():
    html = Table(COLUMNS, ROWS, formats={"error %": ".2f"})._repr_html_()
    assert re.findall(r">([^<>]+)</t[hd]>", html) == [
        *COLUMNS,
        *("quadratic", "5.53", "3"),
        *("cross_entropy", "14.00", "12"),
    ]
    assert "<caption" not in html


def test_html_takes_the_colours_of_its_page():
    html = Table(COLUMNS, ROWS, "Costs")._repr_html_()
    assert re.findall(r"(?<![-\w])(?:color|background[-\w]*): ([^;\"]+)", html) == ["inherit"]


def test_to_pandas_has_the_same_values():
    pandas = pytest.importorskip("pandas")
    frame = Table(COLUMNS, ROWS).to_pandas()
    pandas.testing.assert_frame_equal(frame, pandas.DataFrame(ROWS, columns=COLUMNS))


def test_to_pandas_of_no_rows_keeps_the_columns():
    pytest.importorskip("pandas")
    assert list(Table(COLUMNS, []).to_pandas().columns) == COLUMNS


def test_to_pandas_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        Table(COLUMNS, ROWS).to_pandas()


def test_equal_tables_are_equal_and_survive_pickle():
    table = Table(COLUMNS, ROWS, "Costs", formats={"error %": ".2f"})
    again = pickle.loads(pickle.dumps(table))
    assert again == table
    assert str(again) == str(table)
    assert hash(again) == hash(table)
    assert table != Table(COLUMNS, ROWS[:1], "Costs")
    assert table != ROWS


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"a row must have 3 values, got \('x',\)"):
        Table(COLUMNS, [("x",)])


def test_formats_of_unknown_columns_are_refused():
    with pytest.raises(ValueError, match="got 'eror'"):
        Table(COLUMNS, ROWS, formats={"eror": ".2f"})
