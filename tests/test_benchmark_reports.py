"""What benchmarks say: ratios, goals, README's table."""

import json
from pathlib import Path

import pytest

from benchmarks import readme, report, runner
from benchmarks.case import Goal
from benchmarks.table import CASES

ROOT = Path(__file__).parents[1]

# ---- rounds, ratios, goals ----------------------------------------------------------------------


def test_of_the_rounds_the_least_or_the_median_counts():
    turns = [{"step": 3.0}, {"step": 1.0}, {"step": float("nan")}]
    assert runner.aggregated(turns, "min") == {"step": 1.0}
    assert runner.aggregated(turns, "median") == {"step": 3.0}
    assert runner.aggregated(turns[2:], "median") == {"step": None}


def measured(seconds, check=0.9, **more):
    return {"step": seconds, "check": check, "valid": True, **more}


def test_an_answer_far_from_the_reference_is_invalid():
    peers = {"nnlearn": measured(1.0, 0.9), "numpy": measured(1.0, 0.88), "jax": measured(1, 0.85)}
    runner.mark(peers, tolerance=0.0201)
    assert [peer["valid"] for peer in peers.values()] == [True, True, False]


def test_without_the_reference_nothing_is_valid():
    peers = {"nnlearn": measured(1.0), "numpy": {"error": "ended"}}
    runner.mark(peers, tolerance=0.02)
    assert not peers["nnlearn"]["valid"]


PEERS = {
    "nnlearn": measured(2e-6, two_threads=2.0, two_runs=1.8, in_c=5e-6),
    "loop": measured(1e-3),
    "numpy": measured(8e-6),
    "jax": measured(4e-6),
    "torch": measured(3e-6) | {"valid": False},
    "sklearn": {"error": "not installed"},
    "kann": measured(3e-6),
}


def test_ratios_leave_out_what_is_wrong_or_missing():
    found = report.ratios(PEERS, "step")
    assert found == pytest.approx({"loop": 500, "numpy": 4, "jax": 2, "kann": 1.5})
    assert report.fastest(found) == "jax"


def test_there_are_no_ratios_to_a_wrong_time():
    assert report.ratios(PEERS | {"nnlearn": PEERS["torch"]}, "step") == {}
    assert report.ratios(PEERS | {"nnlearn": measured(None)}, "step") == {}


@pytest.mark.parametrize(
    ("goal", "value", "reached", "exceeded"),
    [
        (Goal("python", 2, 3), 2.0, True, False),
        (Goal("python", 2.1, 3), 2.0, False, False),
        (Goal("kann", 1, 1.5), 1.5, True, True),
        (Goal("torch", 1, 1), None, False, False),
        (Goal("seconds", 2e-6, 1e-6), 2e-6, True, False),
        (Goal("in_c", 6e-6, 5e-6), 5e-6, True, True),
        (Goal("share", 0.9, 0.95), 0.9, True, False),
    ],
)
def test_goals_are_held_against_what_was_measured(goal, value, reached, exceeded):
    row = {"measure": "step", "peers": PEERS, "ratios": report.ratios(PEERS, "step")}
    row["fastest"] = report.fastest(row["ratios"])
    outcome = report.goal_outcome(goal, row)
    assert outcome["value"] == (None if value is None else pytest.approx(value))
    assert (outcome["reached"], outcome["exceeded"]) == (reached, exceeded)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7.6e-6, "7.6 us"), (0.00099951, "1 ms"), (0.0123456, "12.3 ms"), (61.23, "61.2 s")],
)
def test_durations_have_three_digits(seconds, text):
    assert report.duration(seconds) == text


# ---- README -------------------------------------------------------------------------------------


def result():
    row = {"name": "row1", "title": "a network", "measure": "step", "aggregate": "min"}
    row |= {"peers": PEERS, "ratios": report.ratios(PEERS, "step"), "fastest": "jax", "goals": []}
    row |= {"limits": {"arithmetic": 0.25, "memory": 0.5}}
    return {
        "machine": {"cpu": "Some CPU", "family": "family 1, model 2", "date": "2026-01-02"},
        "quick": False,
        "versions": {name: f"{name} 1.0" for name in PEERS if name != "sklearn"},
        "missing": {"sklearn": "not installed"},
        "cases": {"row1": row},
    }


def test_the_table_has_a_column_a_peer_and_the_two_ratios():
    lines = readme.table(result()).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    row = dict(zip(cells[0], cells[2], strict=True))
    assert row["work"] == "a network, a step"
    assert row["nnlearn"] == "2 us (in C 5 us) (90% of two runs)"
    assert row["Python / nnlearn"] == "2"
    assert row["KANN / nnlearn"] == "1.5"
    assert row["limit"] == "50% memory"
    assert "scikit-learn" not in row  # nothing of it was measured
    assert "PyTorch" not in row  # nothing of it was right
    assert "Not installed, so not measured: scikit-learn." in readme.text(result())


def test_writing_the_table_changes_nothing_else_and_twice_the_same(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    results = json.loads(json.dumps(result()))
    readme.write(page, results)
    once = page.read_text()
    assert once.startswith(f"before\n{readme.BEGIN}\nSome CPU (family 1, model 2), one core")
    assert once.endswith(f"|\n{readme.END}\nafter\n")
    assert "old" not in once
    readme.write(page, results)
    assert page.read_text() == once


def test_a_page_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="must have the lines"):
        readme.with_table("a page", result())


def test_the_readme_has_the_markers():
    assert readme.with_table((ROOT / "README.md").read_text(), result())


def test_the_rounds_asked_for_win_over_the_usual_ones():
    assert [CASES["row1"].n_rounds(None, quick) for quick in (False, True)] == [7, 3]
    assert [CASES["to-97"].n_rounds(None, quick) for quick in (False, True)] == [10, 1]
    assert CASES["compare"].n_rounds(None, True) == 1
    assert CASES["to-97"].n_rounds(4, False) == 4
