"""The C tests: every program of tests/c, in both precisions, plain and under sanitizers.

The core is compiled by setup.py's own build, without the binding, into a static library.
"""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from setuptools import Distribution, Extension

ROOT = Path(__file__).parents[1]
FOLDER = Path("tests/c")  # in ROOT, where the build runs
PROGRAMS = sorted(path.stem for path in (ROOT / FOLDER).glob("test_*.c"))
COMPILER = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]

# What a sanitizer finds ends the program; leaks are found too.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": f"detect_leaks={int(sys.platform == 'linux')}:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


class Variant(NamedTuple):
    macros: list[tuple[str, str]]
    sanitizers: str


SANITIZERS = "address,undefined"
VARIANTS = {
    "float": Variant([], ""),
    "double": Variant([("NN_DOUBLE", "1")], ""),
    "float-sanitized": Variant([], SANITIZERS),
    "double-sanitized": Variant([("NN_DOUBLE", "1")], SANITIZERS),
}


def setup_module_of_project() -> Any:
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("nnlearn_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_programs(folder: Path, macros: list[tuple[str, str]]) -> None:
    """Compiles the core and the programs into the folder, with what the environment asks for."""
    setup = setup_module_of_project()

    class BuildPrograms(setup.BuildCore):  # type: ignore[misc, name-defined]
        def build_extension(self, extension: Extension) -> None:
            missing = tuple(setup.INSTRUCTIONS.keys() - self.instructions.keys())
            commands = {
                (folder / source).with_suffix(".o"): self.compile_command(source, extension)
                for source in map(Path, extension.sources)
                if not source.stem.endswith(missing)
            }
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(self.compile, commands, commands.values()))
                core = [str(target) for target in commands if FOLDER.name != target.parent.name]
                self.compiler.create_static_lib(core, "core", str(folder))
                list(pool.map(self.link, PROGRAMS))

        def link(self, program: str) -> None:
            parts = [str(folder / FOLDER / f"{program}.o"), str(folder / "libcore.a")]
            libraries = [*self.blis.link, "-lm", "-lpthread"]
            command = [*self.compiler.linker_exe, *self.kind_flags, *parts, *libraries]
            self.spawn([*command, "-o", str(folder / program)])

    core = setup.core("core", **dict(macros)).sources
    sources = [source for source in core if "binding" not in Path(source).parts]
    sources += [str(FOLDER / f"{program}.c") for program in PROGRAMS]
    extension = Extension("programs", sources, define_macros=macros)
    build = BuildPrograms(Distribution({"ext_modules": [extension]}))
    build.ensure_finalized()
    build.run()


@pytest.fixture(scope="session", params=VARIANTS)
def programs(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of one variant's programs."""
    if shutil.which(COMPILER) is None and "CI" not in os.environ:
        pytest.skip(f"there is no C compiler {COMPILER}")
    variant = VARIANTS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for switch in ("NNLEARN_DEBUG", "NNLEARN_COVERAGE"):
            patch.delenv(switch, raising=False)
        patch.setenv("NNLEARN_SANITIZE", variant.sanitizers)
        if "CI" in os.environ:
            patch.setenv("NNLEARN_WERROR", "1")
        make_programs(folder, variant.macros)
    return folder


def run(program: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program],
        env={**os.environ, **SANITIZER_OPTIONS, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(programs: Path, name: str) -> None:
    ran = run(programs / name)
    assert ran.returncode == 0, ran.stdout


def test_a_foreign_word_for_the_kernels_is_an_error_of_the_first_call(programs: Path) -> None:
    ran = run(programs / "test_xor", NNLEARN_KERNELS="v9")
    assert ran.returncode == 1
    assert "NNLEARN_KERNELS must be portable, v3 or v4" in ran.stdout


def test_the_frame_of_the_c_tests_stays_small() -> None:
    assert (ROOT / FOLDER / "check.h").read_text().count("\n") <= 60
