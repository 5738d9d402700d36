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
from functools import partial
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


# A blis.h as of a library with one configuration: to look another up there reads through NULL.
ONE_CONFIGURATION = """#include_next <blis.h>
#undef BLIS_CONFIG_HASWELL
#undef BLIS_CONFIG_SKX
#pragma GCC poison bli_gks_lookup_nat_cntx
"""
GEMM = Path("csrc/kernels/gemm.c")


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
            self.make_with_one_configuration(target, extension)

        def make_with_one_configuration(self, target: Path, extension: Extension) -> None:
            (target / "blis.h").write_text(ONE_CONFIGURATION)
            command = self.compile_command(GEMM, extension)
            at = command.index("-isystem")  # this folder before that of BLIS
            self.compile(target / "gemm.o", [*command[:at], "-isystem", str(target), *command[at:]])
            self.link(target / "test_gemm", "_one_configuration", target / "gemm.o")

        def link(self, program: Path, end: str = "", *instead: Path) -> None:
            """Links a program, with objects that stand in for those of the core."""
            main = program.parent / FOLDER / f"{program.name}.o"
            core = program.parent / "libcore.a"
            parts = [*map(str, (main, *instead, core)), *self.blis.link]
            program = program.with_name(program.name + end)
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


@pytest.mark.parametrize("precision", PRECISIONS)
def test_products_are_right_with_a_blis_of_one_configuration(
    programs: Path, precision: str
) -> None:
    ran = run(programs / precision / "test_gemm_one_configuration")
    assert ran.returncode == 0, ran.stdout
    assert "BLIS's kernels: chosen by BLIS" in ran.stdout


CPLUSPLUS = shlex.split(os.environ.get("CXX") or "c++")


@pytest.mark.skipif(
    shutil.which(CPLUSPLUS[0]) is None and "CI" not in os.environ,
    reason=f"there is no C++ compiler {CPLUSPLUS[0]}",
)
@pytest.mark.parametrize("programs", ["plain"], indirect=True)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_program_in_cplusplus_links_with_the_core(programs: Path, precision: str) -> None:
    setup = setup_module_of_project()
    blis = setup.find_blis(partial(setup.links, [COMPILER]))
    macros = [f"-D{name}={value}" for name, value in PRECISIONS[precision]]
    program = programs / precision / "cplusplus"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Icsrc", *macros]
    parts = [FOLDER / "cplusplus.cpp", programs / precision / "libcore.a", *blis.link]
    command = [*CPLUSPLUS, *flags, *parts, "-lm", "-lpthread", "-o", program]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert run(program).returncode == 0


def test_a_foreign_word_for_the_kernels_is_an_error_of_the_first_call(programs: Path) -> None:
    ran = run(programs / "float/test_xor", NNLEARN_KERNELS="v9")
    assert ran.returncode == 1
    assert "NNLEARN_KERNELS must be portable, v3 or v4" in ran.stdout


def test_the_frame_of_the_c_tests_stays_small() -> None:
    assert (ROOT / FOLDER / "check.h").read_text().count("\n") <= 60
