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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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

# The precisions and their macros, the two ways to build.
PRECISIONS: dict[str, list[tuple[str, str]]] = {"float": [], "double": [("NN_DOUBLE", "1")]}
SANITIZERS = {"plain": "", "sanitized": "address,undefined"}


def setup_module_of_project() -> Any:
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("nnlearn_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_programs(folder: Path) -> None:
    """Compiles the core and the programs, with what the environment asks for, into the folder:
    a folder in it for each precision."""
    setup = setup_module_of_project()

    class BuildPrograms(setup.BuildCore):  # type: ignore[misc, name-defined]
        def build_extension(self, extension: Extension) -> None:
            target = folder / extension.name
            missing = tuple(setup.INSTRUCTIONS.keys() - self.instructions.keys())
            commands = {
                (target / source).with_suffix(".o"): self.compile_command(source, extension)
                for source in map(Path, extension.sources)
                if not source.stem.endswith(missing)
            }
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(self.compile, commands, commands.values()))
                core = [str(made) for made in commands if target / FOLDER not in made.parents]
                self.compiler.create_static_lib(core, "core", str(target))
                list(pool.map(self.link, [target / program for program in PROGRAMS]))

        def link(self, program: Path) -> None:
            main = program.parent / FOLDER / f"{program.name}.o"
            parts = [str(main), str(program.parent / "libcore.a"), *self.blis.link]
            command = [*self.compiler.linker_exe, *self.kind_flags, *parts, "-lm", "-lpthread"]
            self.spawn([*command, "-o", str(program)])

    sources = [str(path) for path in Path("csrc").glob("*/*.c") if path.parent.name != "binding"]
    sources += [str(FOLDER / f"{program}.c") for program in PROGRAMS]
    extensions = [
        Extension(name, sources, define_macros=macros) for name, macros in PRECISIONS.items()
    ]
    build = BuildPrograms(Distribution({"ext_modules": extensions}))
    build.ensure_finalized()
    build.run()


@pytest.fixture(scope="session", params=SANITIZERS)
def programs(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs, plain or under sanitizers."""
    if shutil.which(COMPILER) is None and "CI" not in os.environ:
        pytest.skip(f"there is no C compiler {COMPILER}")
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for switch in ("NNLEARN_DEBUG", "NNLEARN_COVERAGE"):
            patch.delenv(switch, raising=False)
        patch.setenv("NNLEARN_SANITIZE", SANITIZERS[request.param])
        if "CI" in os.environ:
            patch.setenv("NNLEARN_WERROR", "1")
        make_programs(folder)
    return folder


def run(program: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program],
        env={**os.environ, **SANITIZER_OPTIONS, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(programs: Path, precision: str, name: str) -> None:
    ran = run(programs / precision / name)
    assert ran.returncode == 0, ran.stdout


def test_a_foreign_word_for_the_kernels_is_an_error_of_the_first_call(programs: Path) -> None:
    ran = run(programs / "float/test_xor", NNLEARN_KERNELS="v9")
    assert ran.returncode == 1
    assert "NNLEARN_KERNELS must be portable, v3 or v4" in ran.stdout


def test_the_frame_of_the_c_tests_stays_small() -> None:
    assert (ROOT / FOLDER / "check.h").read_text().count("\n") <= 60
