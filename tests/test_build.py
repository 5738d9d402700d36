"""The build: how setup.py finds BLIS, which kinds of build are kept apart, what is exported."""

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import nnlearn._core
import nnlearn._core64

ROOT = Path(__file__).parents[1]
SWITCHES = [
    {},
    {"NNLEARN_DEBUG": "1"},
    {"NNLEARN_COVERAGE": "1"},
    {"NNLEARN_SANITIZE": "address"},
    {"NNLEARN_SANITIZE": "address,undefined"},
    {"NNLEARN_SANITIZE": "address,undefined", "NNLEARN_DEBUG": "1"},
]


@pytest.fixture(scope="module")
def build():
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("nnlearn_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_blis(folder, *files):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


# ---- Finding BLIS -------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["include/blis/blis.h", "include/blis.h", "blis.h"])
@pytest.mark.parametrize("library", ["lib/libblis.a", "lib64/libblis.so", "libblis.dylib"])
def test_blis_is_found_in_every_layout_of_a_folder(build, monkeypatch, tmp_path, header, library):
    make_blis(tmp_path, header, library)
    monkeypatch.setenv("NNLEARN_BLIS", str(tmp_path))
    found = build.find_blis(links=lambda *_: True)
    assert found.headers == str((tmp_path / header).parent)
    assert found.link[0] == str(tmp_path / library)


def test_the_static_library_is_preferred(build, monkeypatch, tmp_path):
    make_blis(tmp_path, "include/blis.h", "lib/libblis.a", "lib/libblis.so")
    monkeypatch.setenv("NNLEARN_BLIS", str(tmp_path))
    found = build.find_blis(links=lambda *_: True)
    assert found.link == [str(tmp_path / "lib/libblis.a")]


def test_a_library_that_does_not_link_is_passed_over(build, monkeypatch, tmp_path):
    make_blis(tmp_path, "include/blis.h", "lib/libblis.a", "lib/libblis.so")
    monkeypatch.setenv("NNLEARN_BLIS", str(tmp_path))
    found = build.find_blis(links=lambda program, flags, link: not link[0].endswith(".a"))
    assert found.link == [str(tmp_path / "lib/libblis.so"), f"-Wl,-rpath,{tmp_path / 'lib'}"]


def test_contexts_are_used_only_where_they_link(build, monkeypatch, tmp_path):
    make_blis(tmp_path, "include/blis.h", "lib/libblis.a")
    monkeypatch.setenv("NNLEARN_BLIS", str(tmp_path))
    assert build.find_blis(links=lambda *_: True).contexts
    assert not build.find_blis(links=lambda program, *_: program == build.BLIS_PROGRAM).contexts


def test_a_blis_without_contexts_serves_as_well(build):
    def links(program, *args):
        return program != build.CONTEXTS_PROGRAM and build.links(["cc"], program, *args)

    assert not build.find_blis(links).contexts


def test_without_blis_one_message_says_what_to_install(build, monkeypatch):
    monkeypatch.delenv("NNLEARN_BLIS", raising=False)
    monkeypatch.setattr(build, "blis_folders", lambda: iter(()))
    with pytest.raises(build.PlatformError) as error:
        build.find_blis(links=lambda *_: True)
    for word in ("libblis-serial-dev", "blis-devel", "brew install blis", "conda-forge blis"):
        assert word in str(error.value)
    assert "NNLEARN_BLIS" in str(error.value)


def test_a_folder_without_blis_ends_the_build_with_that_message(tmp_path):
    ended = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-temp", tmp_path / "temp"],
        cwd=ROOT,
        env={**os.environ, "NNLEARN_BLIS": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode != 0
    assert ended.stderr.count("error:") == 1
    assert f"not found in NNLEARN_BLIS={tmp_path}. Install it" in ended.stderr
    assert "Traceback" not in ended.stderr


# ---- Wider instructions -------------------------------------------------------------------------


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="this is not x86-64")
def test_wider_instructions_are_used_where_the_compiler_has_them(build):
    assert build.find_instructions(["cc"]) == build.INSTRUCTIONS


def test_flags_that_a_compiler_takes_without_effect_are_left_out(build, tmp_path):
    """As clang for ARM does, which only warns of -mavx2."""
    compiler = tmp_path / "cc"
    compiler.write_text(
        """#!/bin/sh
for word; do
    shift
    case $word in -mavx*|-mfma) ;; *) set -- "$@" "$word" ;; esac
done
exec cc "$@"
"""
    )
    compiler.chmod(0o755)
    assert build.links([str(compiler)], build.EMPTY_PROGRAM, ["-mavx2"])
    assert build.find_instructions([str(compiler)]) == {}


# ---- Kinds of build -----------------------------------------------------------------------------


def test_kinds_of_build_have_folders_of_their_own(build):
    names = [build.build_kind(switches)[0] for switches in SWITCHES]
    assert len(set(names)) == len(SWITCHES)


def test_a_switch_set_to_0_is_off(build):
    assert build.build_kind({"NNLEARN_DEBUG": "0", "NNLEARN_COVERAGE": ""}) == build.build_kind({})


def test_an_object_is_made_anew_when_a_file_or_the_command_changes(build, tmp_path):
    source, header, target = (tmp_path / name for name in ("a.c", "a.h", "a.o"))
    for path in (source, header, target):
        path.touch()
    target.with_suffix(".d").write_text(f"{target}: {source} \\\n {header}\n")
    target.with_suffix(".command").write_text("cc a.c")
    os.utime(source, (1, 1))
    os.utime(header, (1, 1))
    assert build.up_to_date(target, "cc a.c")
    assert not build.up_to_date(target, "cc -g a.c")
    os.utime(header)
    os.utime(target, (2, 2))
    assert not build.up_to_date(target, "cc a.c")
    header.unlink()
    assert not build.up_to_date(target, "cc a.c")


# ---- What was built -----------------------------------------------------------------------------


@pytest.mark.skipif(
    shutil.which("nm") is None and "CI" not in os.environ, reason="nm is not installed"
)
@pytest.mark.skipif(sys.platform != "linux", reason="exports are hidden by options of GNU ld")
@pytest.mark.parametrize("module", [nnlearn._core, nnlearn._core64])
def test_an_extension_exports_its_init_function_alone(module):
    command = ["nm", "-D", "--defined-only", module.__file__]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in listed.splitlines()}
    assert names == {"PyInit_" + module.__name__.split(".")[-1]}


def import_with_kernels(word, program="import nnlearn"):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NNLEARN_KERNELS": word},
        capture_output=True,
        text=True,
    ).stderr.strip()


@pytest.mark.parametrize("word", ["foo", "V3", "v33"])
def test_a_foreign_word_for_the_kernels_is_shown(word):
    said = import_with_kernels(word)
    assert said.endswith(
        f"ImportError: NNLEARN_KERNELS must be one of portable, v3, v4, got '{word}'"
    )


def test_a_level_that_this_cpu_lacks_is_shown_with_those_it_has():
    if not (said := import_with_kernels("v4")):
        pytest.skip("this CPU has every level")
    form = r"ImportError: NNLEARN_KERNELS must be a level that this CPU has \(%s\), got 'v4'"
    assert re.fullmatch(form % "portable(, v3)?", said.splitlines()[-1])


def test_kernels_are_read_once():
    program = """import os
try:
    import nnlearn
except ImportError:
    os.environ["NNLEARN_KERNELS"] = "portable"
import nnlearn"""
    said = import_with_kernels("foo", program)
    assert said.endswith("ImportError: NNLEARN_KERNELS is read once: start Python anew")


def test_importing_loads_nothing_heavy():
    heavy = "matplotlib pandas pooch requests safetensors scipy sklearn IPython anywidget optuna"
    program = "import json, sys, nnlearn; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(json.loads(ran.stdout)).isdisjoint(heavy.split())


# ---- What a reader pastes -----------------------------------------------------------------------


def test_the_readme_opens_with_two_commands_that_stop_at_the_first_failure():
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    (first, set_up), (second, try_out) = fence.findall((ROOT / "README.md").read_text())[:2]
    assert (first, second) == ("bash", "bash")
    for block, last in ((set_up, "-m nnlearn demo"), (try_out, "-m pytest")):
        *steps, end = block.strip().split("\n")
        assert all(step.endswith(" &&") for step in steps)
        assert end.endswith(last)


# ---- The licence --------------------------------------------------------------------------------


def test_the_licence_holds_the_notice_of_blis():
    text = " ".join((ROOT / "LICENSE").read_text().split())
    assert text.startswith("MIT License Copyright (c) 2026 the nnlearn developers")
    for part in (
        "The University of Texas at Austin",
        "Redistribution and use in source and binary forms, with or without modification, are",
        "Redistributions in binary form must reproduce the above copyright notice",
        "Neither the name of the copyright holder nor the names of its contributors",
        "EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.",
    ):
        assert part in text


def test_the_licence_is_installed_with_the_package():
    installed = [str(file) for file in metadata.files("nnlearn") or ()]
    assert any(file.endswith("LICENSE") for file in installed)
