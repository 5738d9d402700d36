"""The wheel has what widgets show, and what they show fetches nothing."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nnlearn.widgets import _bundle

ROOT = Path(__file__).parents[1]
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
STATIC = sorted(_bundle.FOLDER.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel of this source, and its requirements."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", ".", "-q", "--no-build-isolation", "--no-deps"]
    done = subprocess.run(
        [*build, "--no-index", "--wheel-dir", folder], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("nnlearn-*.whl")
    with zipfile.ZipFile(file) as opened:
        names = opened.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        return names, opened.read(metadata).decode()


def test_wheel_has_all_that_is_shown(wheel):
    names, _ = wheel
    there = {name for name in names if name.startswith("nnlearn/widgets/static/")}
    assert {f"nnlearn/widgets/static/{file.name}" for file in STATIC} <= there
    assert len(STATIC) > 10
    modules = {file.name for file in _bundle.FOLDER.parent.glob("*.py")}
    assert {f"nnlearn/widgets/{name}" for name in modules} <= set(names)


def test_wheel_names_what_widgets_need(wheel):
    _, metadata = wheel
    assert re.search(r'^Requires-Dist: anywidget.*; extra == "widgets"', metadata, re.MULTILINE)


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.name)
def test_no_address_but_the_name_of_svg(file):
    text = file.read_text(encoding="utf-8").replace(SVG_NAMESPACE, "")
    assert not re.search(r"http|//[a-z]+\.[a-z]|url\((?!#)|@import|\bfetch\b|WebSocket", text)
