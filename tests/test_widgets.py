"""What holds for all widgets: how they are imported, put together and documented."""

import re
import subprocess
import sys

import numpydoc.validate
import pytest
from test_source import DOCSTRING_RULES

from nnlearn import widgets
from nnlearn.widgets import _bundle

STATIC = sorted(_bundle.FOLDER.glob("*.js"))
TOP_LEVEL = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_nnlearn_does_without_anywidget():
    ended = run("import nnlearn, sys; print('anywidget' in sys.modules, nnlearn.widgets.__name__)")
    assert ended.stdout.split() == ["False", "nnlearn.widgets"]


def test_missing_anywidget_is_said_with_what_to_install():
    without = "import sys; sys.modules['anywidget'] = None; "
    ended = run(without + "from nnlearn.widgets import CostComparison")
    last = ended.stderr.strip().split("\n")[-1]
    assert last == ("ImportError: nnlearn.widgets needs anywidget: pip install 'nnlearn[widgets]'")


def test_without_anywidget_all_the_rest_can_be_imported_by_a_star():
    ended = run(
        "import sys; sys.modules['anywidget'] = None; from nnlearn import *; print(Network)"
    )
    assert ended.stdout.strip() == "<class 'nnlearn.network.Network'>", ended.stderr


def test_names_are_unique_among_the_files_that_are_joined():
    names = [name for file in STATIC for name in TOP_LEVEL.findall(file.read_text())]
    names = [name for name in names if name != "answer"]  # of widgets, which are not joined
    assert len(names) > 20
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.stem)
def test_script_has_every_part_once_and_no_import(file):
    script = _bundle.script(file.stem)
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert not re.search(r"^export (?!default)", script, re.MULTILINE)
    parts = TOP_LEVEL.findall(script)
    assert len(parts) == len(set(parts))


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.stem)
def test_every_name_that_is_imported_is_exported(file):
    for names, other in re.findall(r'import \{([^}]*)\} from "\./(\w+\.js)"', file.read_text()):
        text = (_bundle.FOLDER / other).read_text()
        for name in names.replace(" ", "").split(","):
            assert re.search(rf"^export (?:async )?(?:function|const) {name}\b", text, re.MULTILINE)


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.stem)
def test_every_name_that_is_imported_is_used(file):
    text = file.read_text()
    for names in re.findall(r"import \{([^}]*)\}", text):
        for name in names.replace(" ", "").split(","):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, name


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.stem)
def test_lines_are_short_and_the_first_says_what_the_file_is(file):
    lines = file.read_text().split("\n")
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("// ")


def test_nothing_is_fetched():
    for file in [*STATIC, _bundle.FOLDER / "widgets.css"]:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|url\((?!#)|@import", text), file


def documented():
    """The widgets, and their public methods and properties."""
    for name in widgets.__all__:
        yield name
        yield from (f"{name}.{member}" for member in own_members(getattr(widgets, name)))


def own_members(kind):
    """What the class and its base in this package add to anywidget's."""
    for base in kind.__mro__:
        if base.__module__.startswith("nnlearn."):
            yield from (member for member in vars(base) if not member.startswith("_"))


@pytest.mark.filterwarnings("ignore:Widget:DeprecationWarning")  # numpydoc looks at all members
@pytest.mark.parametrize("name", list(documented()))
def test_docstrings_say_what_a_caller_needs(name):
    found = numpydoc.validate.validate(f"nnlearn.widgets.{name}")
    wrong = {code: text for code, text in found["errors"] if code in DOCSTRING_RULES}
    if "**settings" in wrong.get("PR01", ""):  # described together
        del wrong["PR01"]
    assert wrong == {}
