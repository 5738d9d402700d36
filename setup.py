"""Builds the two extension modules of nnlearn from csrc/: _core (float32) and _core64 (float64).

What is fixed about the package stands in pyproject.toml; here is what must be found out on the
machine. Environment variables, for `pip install` and `python setup.py build_ext --inplace` alike:

    NNLEARN_BLIS=/opt/blis              where BLIS is: the folder of its include/ and lib/
    NNLEARN_DEBUG=1                     little optimisation, symbols for a debugger
    NNLEARN_SANITIZE=address,undefined  the compiler's sanitizers; to run with gcc's:
        LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
    NNLEARN_COVERAGE=1                  counters for gcov
    NNLEARN_WERROR=1                    warnings are errors, as in CI
    CC=clang                            another compiler
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import PlatformError

LANGUAGE = """-std=c11 -D_POSIX_C_SOURCE=200809L -fno-math-errno -ffp-contract=off
    -fvisibility=hidden -Icsrc"""
WARNINGS = """-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wundef"""
NUMPY = """-DNPY_NO_DEPRECATED_API=NPY_2_0_API_VERSION
    -DNPY_TARGET_VERSION=NPY_2_0_API_VERSION"""

# Files whose names end so get wider instructions; left out where there is no such thing.
INSTRUCTIONS = {
    "_v3": ["-mavx2", "-mfma"],
    "_v4": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq"],
}

# gcc 12's AddressSanitizer puts vectors on the stack where they are not aligned: it is to leave the
# stack of files with wider instructions alone.
UNWATCHED_STACK = "--param=asan-stack=0"

# What Python's own build passes on and this one decides for itself.
REPLACED = re.compile(r"-O.*|-g\d?|-march=.*|-mtune=.*")
HIDES_ERRORS = ("-DNDEBUG", "-fwrapv")

BLIS_MISSING = """BLIS, the matrix library that nnlearn needs, was not found{where}. Install it:
    Debian, Ubuntu   apt-get install libblis-serial-dev
    Fedora           dnf install blis-devel
    Homebrew         brew install blis
    conda            conda install -c conda-forge blis
or set NNLEARN_BLIS to the folder that holds its include and lib folders."""


EMPTY_PROGRAM = "int main(void) { return 0; }"
INSTRUCTIONS_PROGRAM = """#if !(defined __x86_64__ && {defined})
#error
#endif
int main(void) {{ return !({supported}); }}
"""
BLIS_PROGRAM = """#include "blis.h"
int main(void) { return !bli_info_get_version_str(); }
"""
CONTEXTS_PROGRAM = """#include "blis.h"
int main(void) { return !bli_gks_lookup_nat_cntx(BLIS_ARCH_HASWELL); }
"""


class Blis(NamedTuple):
    headers: str  # the folder of blis.h
    link: list[str]  # what the linker is given
    contexts: bool  # whether it gives kernels by name: a shared library may not


def blis_folders() -> Iterator[tuple[Path, Path]]:
    """Where BLIS may be, best first: pairs of a folder for blis.h and one for the library."""
    if given := os.environ.get("NNLEARN_BLIS"):
        yield from folders_in(Path(given))
        return
    yield from pkg_config_folders()
    for threads in ("serial", "pthread", "openmp"):  # Debian's layout
        for headers in sorted(Path("/usr/include").glob(f"*/blis-{threads}")):
            yield headers, Path("/usr/lib", *headers.parts[-2:])
    environments = (os.environ.get("VIRTUAL_ENV"), os.environ.get("CONDA_PREFIX"))
    homebrew = ("/opt/homebrew/opt/blis", "/usr/local/opt/blis")
    for prefix in filter(None, (*environments, "/usr/local", *homebrew, "/usr")):
        yield from folders_in(Path(prefix))


def folders_in(prefix: Path) -> Iterator[tuple[Path, Path]]:
    for headers in (prefix / "include/blis", prefix / "include", prefix):
        for libraries in (prefix / "lib", prefix / "lib64", prefix):
            yield headers, libraries


def pkg_config_folders() -> Iterator[tuple[Path, Path]]:
    answers = []
    for variable in ("includedir", "libdir"):
        command = ["pkg-config", f"--variable={variable}", "blis"]
        try:
            answers.append(subprocess.run(command, capture_output=True, text=True).stdout.strip())
        except OSError:  # there is no pkg-config
            return
    if all(answers):
        headers, libraries = map(Path, answers)
        yield headers / "blis", libraries
        yield headers, libraries


def links(
    compiler: Sequence[str], program: str, flags: Sequence[str] = (), libraries: Sequence[str] = ()
) -> bool:
    """Whether the program compiles with the flags and links with the libraries."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "probe.c"), Path(folder, "probe")
        source.write_text(program)
        files = [str(source), *libraries, "-lm", "-lpthread", "-o", str(result)]
        try:
            return subprocess.run([*compiler, *flags, *files], capture_output=True).returncode == 0
        except OSError:  # there is no such compiler
            return False


def find_instructions(compiler: Sequence[str]) -> dict[str, list[str]]:
    """The entries of INSTRUCTIONS that have an effect: a compiler for ARM may only warn of them."""
    found = {}
    for end, flags in INSTRUCTIONS.items():
        names = [flag.removeprefix("-m") for flag in flags]
        defined = " && ".join(f"defined __{name.upper()}__" for name in names)
        supported = " && ".join(f'__builtin_cpu_supports("{name}")' for name in names)
        program = INSTRUCTIONS_PROGRAM.format(defined=defined, supported=supported)
        if links(compiler, program, flags):
            found[end] = flags
    return found


def find_blis(links: Callable[..., bool]) -> Blis:
    """The first BLIS that a program links with; in one folder the static library comes first."""
    for headers, folder in blis_folders():
        for library in map(folder.joinpath, ("libblis.a", "libblis.so", "libblis.dylib")):
            if not (headers / "blis.h").is_file() or not library.is_file():
                continue
            rpath = [] if library.suffix == ".a" else [f"-Wl,-rpath,{folder}"]
            link = [str(library), *rpath]
            for program in (CONTEXTS_PROGRAM, BLIS_PROGRAM):
                if links(program, ["-isystem", str(headers)], link):
                    return Blis(str(headers), link, contexts=program is CONTEXTS_PROGRAM)
    given = os.environ.get("NNLEARN_BLIS")
    raise PlatformError(BLIS_MISSING.format(where=f" in NNLEARN_BLIS={given}" if given else ""))


def switched_on(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get(name, "0") not in ("", "0")


def build_kind(environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """The kind of build asked for: its name, which is part of the build folder's, and its flags."""
    kinds, flags = [], []
    if sanitizers := environ.get("NNLEARN_SANITIZE"):
        kinds.append("sanitize-" + sanitizers.replace(",", "-"))
        flags += [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
        flags += ["-fno-omit-frame-pointer"]
    if switched_on("NNLEARN_COVERAGE", environ):
        kinds.append("coverage")
        flags += ["--coverage", "-fprofile-update=atomic"]
    if switched_on("NNLEARN_DEBUG", environ):
        kinds.append("debug")
    return "-".join(kinds) or "release", [*flags, *(["-Og", "-g"] if kinds else ["-O3"])]


def up_to_date(target: Path, command: str) -> bool:
    """Whether this very command made target, from files that have not changed since."""
    made_by, made_from = target.with_suffix(".command"), target.with_suffix(".d")
    if not target.exists() or not made_by.exists() or made_by.read_text() != command:
        return False
    files = made_from.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    made = target.stat().st_mtime
    return all(os.path.exists(file) and os.path.getmtime(file) < made for file in files)


class BuildCore(build_ext):
    """Compiles what has changed, each file with the flags its folder and name ask for; links."""

    def build_extensions(self) -> None:
        if self.compiler.compiler_type != "unix":
            raise PlatformError("nnlearn needs gcc or clang: other compilers are not supported")
        self.kind, self.kind_flags = build_kind(os.environ)
        dropped = () if self.kind == "release" else HIDES_ERRORS
        kept = [
            f for f in self.compiler.compiler_so if f not in dropped and not REPLACED.fullmatch(f)
        ]
        self.compiler.set_executable("compiler_so", kept)
        self.compiler.force = True  # to link: another kind of build leaves no trace in file times
        if not links(kept, EMPTY_PROGRAM):
            raise PlatformError(f"the C compiler does not work: {shlex.join(kept)}")
        self.instructions = find_instructions(kept)
        watched = "-fsanitize=address" if "address" in self.kind else ""
        flags = [watched, UNWATCHED_STACK, "-Werror"]
        can_leave = bool(watched) and links(kept, EMPTY_PROGRAM, flags)
        self.unwatched_stack = [UNWATCHED_STACK] if can_leave else []
        self.blis = find_blis(partial(links, kept))
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        folder = Path(self.build_temp, self.kind, extension.name)
        missing = tuple(INSTRUCTIONS.keys() - self.instructions.keys())
        commands = {
            (folder / source).with_suffix(".o"): self.compile_command(source, extension)
            for source in map(Path, extension.sources)
            if not source.stem.endswith(missing)
        }
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.compile, commands, commands.values()))
        hidden = ["-Wl,--exclude-libs,ALL"] if sys.platform == "linux" else []
        self.compiler.link_shared_object(
            [*map(str, commands), *self.blis.link],
            self.get_ext_fullpath(extension.name),
            libraries=["m", "pthread"],
            extra_preargs=[*self.kind_flags, *hidden],
        )

    def compile_command(self, source: Path, extension: Extension) -> list[str]:
        flags = [*LANGUAGE.split(), *WARNINGS.split(), *self.kind_flags]
        flags += [f"-D{name}={value}" for name, value in extension.define_macros]
        flags += [f"-DNN_HAVE{end.upper()}=1" for end in self.instructions]
        if switched_on("NNLEARN_WERROR"):
            flags.append("-Werror")
        if source.parent.name == "binding":
            flags.remove("-Wpedantic")  # slots hold functions as void *
            flags += [*NUMPY.split(), f'-DNN_VERSION="{self.distribution.get_version()}"']
            headers = [*self.include_dirs, numpy.get_include()]
        else:
            flags += ["-DNN_BLIS_HAS_CONTEXTS=1"] if self.blis.contexts else []
            headers = [self.blis.headers]
        for end, instructions in self.instructions.items():
            if source.stem.endswith(end):
                flags += [*instructions, *self.unwatched_stack]
        for folder in headers:
            flags += ["-isystem", folder]
        return [*self.compiler.compiler_so, *flags, "-MD", "-c", str(source), "-o"]

    def compile(self, target: Path, command: Sequence[str]) -> None:
        command = [*command, str(target)]
        if not up_to_date(target, shlex.join(command)):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.spawn(command)
            target.with_suffix(".command").write_text(shlex.join(command))


def core(name: str, **macros: str) -> Extension:
    sources = sorted(str(path) for path in Path("csrc").glob("*/*.c"))
    return Extension(f"nnlearn.{name}", sources, define_macros=list(macros.items()))


if __name__ == "__main__":
    setup(
        ext_modules=[
            core("_core", NN_MODULE_NAME="_core"),
            core("_core64", NN_MODULE_NAME="_core64", NN_DOUBLE="1"),
        ],
        cmdclass={"build_ext": BuildCore},
    )
