"""`python -m nnlearn reproduce`: the command, what it keeps, the report."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import nnlearn as nn
from nnlearn import cli, experiments
from nnlearn.experiments import Claim, Experiment, Measured, Picture, Quote, Result
from nnlearn.experiments import _catalogue as catalogue
from nnlearn.experiments import _folder as folder_module
from nnlearn.experiments._slides import N_SLIDES

SHORT = ("coming-from", "overview", "stories")


def reproduce(*arguments):
    return cli.main(["reproduce", *map(str, arguments)])


def without_times(text):
    return re.sub(r"took [\d.:]+ (s|min|h)", "took", text)


def draw(figure):
    figure.subplots().plot([1, 2])


@pytest.fixture
def toys(monkeypatch):
    """Experiments of no time in place of the real ones, which note that they ran."""
    ran = []
    made = {}

    def make(name, slide):
        def measure(lab):
            ran.append(name)
            behaviour = made[name].get("behaviour")
            if behaviour:
                behaviour()
            quote = Quote("1.0", "a book", "anything", "exact", of_data=False)
            values = made[name].get("values", (1.0,))
            return Result(
                {"seeds": str(len(lab.seeds)), "jobs": str(lab.n_jobs)},
                (Measured(f"of {name}", values, "%", quote),),
                (Claim("more is better", tuple(range(1, len(lab.seeds) + 1))),),
                (Picture("curve", "A curve.", draw, slides=(slide,)),),
            )

        return Experiment(name, f"The {name}", "What?", (slide,), measure, (1.0, 2.0))

    found = {name: make(name, slide) for name, slide in (("one", 3), ("two", 3), ("three", 5))}
    made.update({name: {} for name in found})
    monkeypatch.setattr(catalogue, "PARTS", {"Toys": tuple(found)})
    monkeypatch.setattr("nnlearn.experiments._report.PARTS", {"Toys": tuple(found)})
    monkeypatch.setattr(experiments, "names", lambda: tuple(found))
    real = experiments.find

    def find(name):
        return found[name] if name in found else real(name)

    monkeypatch.setattr(experiments, "find", find)
    return ran, made


# ---- what is asked for ---------------------------------------------------------------------------


def test_list_has_a_line_an_experiment_its_name_first(capsys):
    assert reproduce("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(experiments.names())
    assert "(slide 10)" in next(line for line in lines if line.startswith("costs"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "NAME must be given: an experiment of --list, or all"),
        (("cost", "--quick"), "NAME must be an experiment, got 'cost': perhaps costs"),
        (("costs", "--seeds", "0"), "--seeds must be an integer >= 1, got '0'"),
        (("costs", "--seeds", "9" * 5000), "--seeds must be an integer >= 1, got '999"),
        (("costs", "--seeds", "1001"), "--seeds must be an integer <= 1,000, got 1001"),
        (("--list", "costs"), "NAME must be left out beside --list"),
        (("all", "nonsense"), "NAME must be an experiment, got 'nonsense'"),
        (("costs", "--data-dir", "/nowhere"), "--data-dir must be a folder that exists"),
        (("costs", "--quick", "--data-dir", "."), "--data-dir must be left out beside --quick"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(arguments, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        reproduce(*arguments, "--out", tmp_path / "out")
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["", "/", __file__])
def test_what_is_no_folder_for_results_is_refused(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        reproduce("costs", "--quick", "--out", folder)
    assert ended.value.code == 2
    assert "--out must be a folder, there or new, got" in capsys.readouterr().err


def test_a_data_folder_without_the_files_says_what_to_put_there(capsys, tmp_path):
    assert reproduce("costs", "--data-dir", tmp_path, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert "train-images-idx3-ubyte" in error
    assert str(tmp_path) in error
    assert not (tmp_path / "out").exists()


# ---- what is kept --------------------------------------------------------------------------------


def test_what_has_ended_is_not_done_again(toys, tmp_path, capsys):
    ran, _ = toys
    out = tmp_path / "out"
    assert reproduce("one", "--quick", "--seeds", 2, "--out", out) == 0
    page = (out / "one.html").read_text()
    assert reproduce("all", "--quick", "--seeds", 2, "--jobs", 1, "--out", out) == 0
    assert ran == ["one", "two", "three"]
    assert "The one (ended before)" in capsys.readouterr().out
    assert (out / "one.html").read_text() == page
    report = (out / "report.html").read_text()
    assert [report.count(f'id="{name}"') for name in ("one", "two", "three")] == [1, 1, 1]
    assert [report.count(f'href="#{name}"') for name in ("one", "two", "three")] == [1, 1, 1]


def test_other_settings_get_a_folder_of_their_own(toys, tmp_path, capsys):
    ran, _ = toys
    out = tmp_path / "out"
    reproduce("one", "--quick", "--seeds", 2, "--out", out)
    kept = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert reproduce("one", "--quick", "--seeds", 3, "--out", out) == 0
    assert f"{out} holds results of 2 seeds and is kept as it is" in capsys.readouterr().out
    assert (tmp_path / "out-2" / "one.html").is_file()
    reproduce("one", "--quick", "--seeds", 3, "--out", out)
    assert ran == ["one", "one"]  # the second folder was found again
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == kept


def test_results_of_another_version_are_kept_and_new_ones_begun(
    toys, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out"
    reproduce("one", "--quick", "--out", out)
    before = (out / "one.html").read_bytes()
    monkeypatch.setattr(folder_module._core, "__version__", "9.9")
    assert reproduce("one", "--quick", "--out", out) == 0
    assert f"holds results of version {nn.__version__} and is kept" in capsys.readouterr().out
    assert (out / "one.html").read_bytes() == before
    assert (tmp_path / "out-2" / "one.html").is_file()


def test_a_folder_of_something_else_is_kept(toys, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    reproduce("one", "--quick", "--out", out)
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    assert (tmp_path / "out-2" / "one.html").is_file()


def test_a_damaged_part_is_done_again(toys, tmp_path):
    ran, _ = toys
    out = tmp_path / "out"
    reproduce("one", "--quick", "--out", out)
    part = out / "parts" / "one.json"
    whole = part.read_bytes()
    part.write_bytes(whole[:100])
    assert reproduce("one", "--quick", "--out", out) == 0
    assert ran == ["one", "one"]
    assert json.loads(part.read_bytes())["section"]["rows"] == json.loads(whole)["section"]["rows"]


def test_ctrl_c_keeps_what_has_ended(toys, tmp_path, capsys):
    ran, made = toys

    def interrupt():
        raise KeyboardInterrupt

    made["two"]["behaviour"] = interrupt
    out = tmp_path / "out"
    assert reproduce("all", "--quick", "--out", out) == 130
    error = capsys.readouterr().err
    assert "interrupted, 1 of 3 experiments kept, see " in error
    assert "the same command goes on from there" in error
    page = (out / "report.html").read_text()
    assert 'id="one"' in page
    assert "goes on with them: The two; The three." in page
    del made["two"]["behaviour"]
    assert reproduce("all", "--quick", "--out", out) == 0
    assert ran == ["one", "two", "two", "three"]


def test_an_experiment_that_fails_does_not_end_the_others(toys, tmp_path, capsys):
    _, made = toys

    def fail():
        raise ZeroDivisionError("by zero")

    made["two"]["behaviour"] = fail
    assert reproduce("all", "--quick", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    failures = tmp_path / "out" / "failures.txt"
    assert f"1 experiment did not end (see {failures}): two: ZeroDivisionError" in error
    assert "in fail\n" in failures.read_text()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "These experiments did not end:" in page
    assert 'id="three"' in page


def test_a_seed_that_diverges_is_in_the_report(toys, tmp_path):
    _, made = toys
    made["one"]["values"] = (1.0, float("nan"))
    reproduce("one", "--quick", "--out", tmp_path / "out")
    assert "2, 1 diverged" in (tmp_path / "out" / "one.html").read_text()
    row = json.loads((tmp_path / "out" / "one.json").read_text())["found"]["one"]["rows"][0]
    assert (row["diverged"], row["values"]) == (1, [1.0, None])


def test_slides_are_files_by_their_number(toys, tmp_path):
    reproduce("all", "--quick", "--slides", "--out", tmp_path / "out")
    files = sorted(path.name for path in (tmp_path / "out" / "slides").iterdir())
    assert files == ["slide-03-two-curve.svg", "slide-03.svg", "slide-05.svg"]
    text = (tmp_path / "out" / "slides" / "slide-03.svg").read_text()
    assert text.startswith("<?xml")
    assert "prefers-color-scheme:dark" in text


def test_parts_of_another_making_are_not_taken(toys, tmp_path):
    ran, _ = toys
    out = tmp_path / "out"
    reproduce("one", "--quick", "--seeds", 2, "--out", out)
    part = out / "parts" / "one.json"
    other = json.loads(part.read_text())
    other["of"]["seeds"] = [7]
    part.write_text(json.dumps(other))
    reproduce("one", "--quick", "--seeds", 2, "--out", out)
    assert ran == ["one", "one"]


def test_a_part_is_done_again_with_other_versions_of_what_it_uses(toys, tmp_path, monkeypatch):
    ran, _ = toys
    out = tmp_path / "out"
    one, two = (experiments.find(name) for name in ("one", "two"))
    using = dataclasses.replace(one, packages=("scikit-learn",))
    monkeypatch.setattr(experiments, "find", {"one": using, "two": two}.__getitem__)
    monkeypatch.setattr(experiments, "names", lambda: ("one", "two"))
    reproduce("one", "two", "--quick", "--out", out)
    monkeypatch.setattr(folder_module.metadata, "version", lambda name: "99")
    reproduce("one", "two", "--quick", "--out", out)
    assert ran == ["one", "two", "one"]


def test_a_report_of_some_leaves_that_of_all_alone(toys, tmp_path):
    out = tmp_path / "out"
    reproduce("all", "--quick", "--out", out)
    before = (out / "report.html").read_bytes()
    reproduce("one", "two", "--quick", "--out", out)
    assert (out / "report.html").read_bytes() == before
    assert (out / "one+two.html").is_file()


def test_a_process_that_ended_as_it_began_leaves_a_folder_to_go_on_in(toys, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".nnlearn-0123456789abcdef.tmp").write_text("{")
    reproduce("one", "--quick", "--out", out)
    assert (out / "one.html").is_file()


def test_what_needs_no_digits_is_reproduced_without_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NNLEARN_DATA_DIR", str(tmp_path / "nowhere"))
    assert reproduce("toy-neuron", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "3 of 3 quoted numbers agree." in said
    assert "82 of 82 replayed numbers agree." in said
    page = (tmp_path / "out" / "toy-neuron.html").read_text()
    times = "\N{MULTIPLICATION SIGN}"
    assert (
        f"4 quoted numbers without chance in them: 3 {times} agrees, 1 {times} not comparable. "
        f"82 replayed numbers, which nobody published: 82 {times} agrees." in page
    )
    assert "3 of 3 agree, 82 of 82 replayed agree, 2 of 2 claims hold" in page


def test_a_folder_that_cannot_be_made_is_told(toys, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert reproduce("one", "--quick", "--out", tmp_path / "file" / "out") == 1
    assert "the results could not be written: " in capsys.readouterr().err


# ---- the report ----------------------------------------------------------------------------------


def test_the_report_holds_all_it_shows(toys, tmp_path):
    reproduce("all", "--quick", "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"|url\((?!#)[^)]*\)|@import', page)
    assert outside == []
    assert page.count("<figure>") == 3
    assert "3 quoted numbers without chance in them: 3 \N{MULTIPLICATION SIGN} agrees." in page
    assert "3 claims of direction: 3 \N{MULTIPLICATION SIGN} holds." in page
    identities = re.findall(r' id="([^"]*)"', page)
    assert len(identities) == len(set(identities))


# ---- in a process of its own ---------------------------------------------------------------------


def start(out, *names):
    command = [sys.executable, "-m", "nnlearn", "reproduce", *names, "--quick", "--seeds", "2"]
    return subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE, text=True)


def test_killed_and_started_again_it_ends_with_the_same_report(tmp_path):
    names = ("overview", "coming-from", "stories")
    whole = start(tmp_path / "whole", *names)
    whole.communicate(timeout=120)
    assert whole.returncode == 0
    killed = start(tmp_path / "killed", *names)
    part = tmp_path / "killed" / "parts" / "coming-from.json"
    deadline = time.monotonic() + 60
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    before = {p.name: p.stat().st_mtime_ns for p in part.parent.glob("[!.]*.json")}
    assert before.keys() == {"overview.json", "coming-from.json"}
    again = start(tmp_path / "killed", *names)
    _, log = again.communicate(timeout=120)
    assert again.returncode == 0
    assert "1 of 1 experiment," in log
    after = {p.name: p.stat().st_mtime_ns for p in part.parent.glob("[!.]*.json")}
    assert {name: after[name] for name in before} == before
    report = "coming-from+overview+stories.html"
    one, other = ((tmp_path / name / report).read_text() for name in ("whole", "killed"))
    assert without_times(one) == without_times(other)


def test_ctrl_c_while_networks_train_keeps_what_has_ended(tmp_path):
    out = tmp_path / "out"
    process = start(out, "coming-from", "stories")
    deadline = time.monotonic() + 60
    while not (out / "parts" / "coming-from.json").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.3)  # stories takes longer
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 of 2 experiments kept" in log
    assert 'id="coming-from"' in (out / "coming-from+stories.html").read_text()


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """`reproduce all --quick --slides`, as a user runs it."""
    out = tmp_path_factory.mktemp("all") / "out"
    command = [sys.executable, "-m", "nnlearn", "reproduce", "all", "--quick", "--slides"]
    offline = {
        **os.environ,
        "NNLEARN_DATA_DIR": str(out / "nowhere"),
        "https_proxy": "http://[::]:1",
    }
    done = subprocess.run(
        [*command, "--seeds", "2", "--out", str(out)], capture_output=True, text=True, env=offline
    )
    assert done.returncode == 0, done.stderr
    return out


def test_every_slide_of_the_deck_is_shown(everything):
    files = {path.name[6:8] for path in (everything / "slides").iterdir()}
    assert files == {f"{number:02d}" for number in range(1, N_SLIDES + 1)}


def test_every_experiment_shows_the_slides_that_it_names(everything):
    for name in experiments.names():
        part = json.loads((everything / "parts" / f"{name}.json").read_text())["section"]
        shown = {number for drawing in part["drawings"] for number in drawing["slides"]}
        assert shown == set(experiments.find(name).slides), name
        assert part["settings"] or name == "overview"
        assert all(drawing["caption"] or name == "overview" for drawing in part["drawings"])
        quoted = [row["quote"] for row in part["rows"] if row["quote"]]
        asked = [vars(quote) for quote in experiments.find(name).quotes.values()]
        assert all(quote in quoted for quote in asked), name


#: Sizes of the whole of MNIST, which no part of the package's digits has.
_MNISTS = re.compile(r"(?<![\d,])(?:10|50|60)[ ,_]?000(?![\d,])|\b[56]0k\b")


def test_short_runs_name_no_number_of_digits_that_they_lack(everything):
    for name in experiments.names():
        section = json.loads((everything / "parts" / f"{name}.json").read_text())["section"]
        said = [section["title"], section["question"], section["finding"], *section["remarks"]]
        said += [text for pair in section["settings"] for text in pair]
        said += [text for claim in section["claims"] for text in (claim["text"], claim["evidence"])]
        # A quoted number that has nothing beside it names the digits of its source.
        said += [row["what"] for row in section["rows"] if row["values"] or not row["quote"]]
        for table in section["tables"]:
            cells = [cell for row in table["rows"] for cell in row if isinstance(cell, str)]
            said += [table["title"], *table["columns"], *cells]
        for drawing in section["drawings"]:
            words = re.findall(r"<!--(.*?)-->", drawing["svg"], re.DOTALL)
            said += [drawing["caption"], *words]
        said = [text.replace("x = 10,000", "x far away") for text in said if text]
        assert len(said) > 3, name
        assert [text for text in said if _MNISTS.search(text)] == [], name


def test_short_runs_name_no_other_number_of_seeds(everything):
    many = re.compile(r"\b(\d+|three|five) (?:seeds|starts for each)\b")
    for name in experiments.names():
        section = json.loads((everything / "parts" / f"{name}.json").read_text())["section"]
        said = [section["title"], section["question"], *section["remarks"], section["finding"]]
        said += [claim["evidence"] for claim in section["claims"]]
        said += [drawing["caption"] for drawing in section["drawings"]]
        for drawing in section["drawings"]:
            said += re.findall(r"<!--(.*?)-->", drawing["svg"], re.DOTALL)
        assert {n for text in said for n in many.findall(text)} <= {"1", "2"}, name


def test_the_report_of_everything_is_one_whole_page(everything):
    page = (everything / "report.html").read_text()
    for name in experiments.names():
        assert f'<h3 id="{name}">' in page
        assert f'href="#{name}"' in page
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert len(page) < 20_000_000
