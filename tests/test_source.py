"""The rules of the source that a test can hold: levels, barred names, lengths, contracts.

The rules for C lean on the layout that clang-format gives: what stands in column 0 is at file
scope, and a function ends at the first `}` in column 0.
"""

import ast
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import numpydoc.validate
import pytest

import nnlearn

ROOT = Path(__file__).parents[1]
CSRC = ROOT / "csrc"
C_FILES = sorted(CSRC.rglob("*.[ch]"))
PYTHON_FILES = sorted((ROOT / "nnlearn").rglob("*.py"))

LEVELS = ("base", "kernels", "layers", "public", "binding")
SEEN_BY_BINDING = {"public/nnlearn.h", "base/status.h", "base/threads.h"}

# (file, name): every variable that outlives a call and may change.
MUTABLE_STATICS = {
    ("base/arena.c", "allocation_count"),  # the allocator's hook
    ("base/arena.c", "allocation_to_fail"),
    ("kernels/gemm.c", "narrow_context"),  # the kernels chosen for this CPU
    ("kernels/gemm.c", "wide_context"),
    ("kernels/gemm.c", "kernels_name"),
    ("kernels/sparse.c", "chosen"),
    ("base/pool.c", "the_pool"),
    ("base/threads.c", "gate"),  # fork waits for BLIS
    ("base/threads.c", "work"),
    ("public/network.c", "chosen_level"),
    ("public/network.c", "chosen_vector"),
    ("public/network.c", "started"),
    ("public/network.c", "start_status"),
}

# Tables that Python's C interface takes without const.
PYTHON_TABLE = re.compile(
    r"\bPy(MethodDef|GetSetDef|MemberDef|ModuleDef|ModuleDef_Slot|Type_\w+)\b|\bchar \*names\[\]"
)

LINE_COLUMNS = 100  # as clang-format's, which leaves comments alone
FILE_LINES = 450
FUNCTION_LINES = 70
KERNEL_LINES = 120  # a kernel may be one loop nest

PUBLIC_NAMES = """
    Activation Callback Checkpoint Comparison Cosine Dataset Dense DropOnPlateau Dropout
    EarlyStopping Ensemble Evaluation Exponential Finding Findings History Network Objective
    OneCycle Run SGD Split Step
    augment batch_size_study compare datasets diagnose experiments find_l2 find_learning_rate
    integers knock_out learning_curve load load_network2_json loguniform noise_sensitivity
    plotting reduce_problem rescale_l2 search show_config slide testing tune uniform vary when
    widgets
""".split()  # noqa: SIM905


def in_csrc(path: Path) -> str:
    return path.relative_to(CSRC).as_posix()


def in_root(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_c_file = pytest.mark.parametrize("path", C_FILES, ids=in_csrc)
each_python_file = pytest.mark.parametrize("path", PYTHON_FILES, ids=in_root)

# ---- Reading C ----------------------------------------------------------------------------------

DULL = re.compile(
    r"""
    /\*.*?\*/ | //[^\n]*                               # comments
    | ^[ ]*\#(?: \\\n | /\*.*?\*/ | [^\n] )*           # directives
    | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'            # texts
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
DEFINITION = re.compile(
    r"^(?P<head>[A-Za-z_][^;{}()]*?\b(?P<name>\w+)\([^;{}]*\)) \{\n.*?^\}",
    re.DOTALL | re.MULTILINE,
)


# Beginnings of other lines at file scope; nn_poll is the type of a function.
NOT_A_VARIABLE = r"(?!(typedef|extern|enum|nn_poll)\b|struct \w+;)"


class Function(NamedTuple):
    name: str
    static: bool
    lines: int


def code_of(text: str) -> str:
    """C without comments, directives and what its strings say; every line keeps its number."""
    return DULL.sub(lambda m: '""' if m[0][0] in "\"'" else "\n" * m[0].count("\n"), text)


def functions_of(text: str) -> list[Function]:
    return [
        Function(m["name"], m["head"].startswith(("static", "PyMODINIT")), m[0].count("\n") + 1)
        for m in DEFINITION.finditer(code_of(text))
    ]


def mutable_statics_of(text: str) -> list[str]:
    """The names of variables at file scope or `static` in a function, const ones left out."""
    names = []
    for line in code_of(text).split("\n"):
        left, has_value, _ = line.partition("=")
        is_static = re.match(r"\s*static\b", line)
        at_file_scope = re.match(NOT_A_VARIABLE + "[A-Za-z_]", line)
        is_variable = (has_value or line.endswith(";")) and re.match(r"[^(]*(\(\*|$)", left)
        if not is_variable or not (is_static or at_file_scope) or PYTHON_TABLE.search(left):
            continue
        if pointer := re.search(r"\(\*(const )?(\w+)", left):  # to a function
            names += [] if pointer[1] else [pointer[2]]
        elif "const" not in left[left.rfind("*") + 1 :]:
            bare = re.sub(r"=\s*\{.*|=[^,;]*|\[[^]]*\]|;", "", line)
            names += [part.split()[-1].lstrip("*") for part in bare.split(",")]
    return names


def declared_with_contract(text: str) -> set[str]:
    """The functions of a header whose paragraph opens with a comment."""
    names: set[str] = set()
    for paragraph in re.split(r"\n\s*\n", text):
        without = code_of(paragraph)
        opened = re.sub(r"^(#.*\n)*", "", paragraph).startswith("/*")
        if opened:
            names.update(re.findall(r"^[A-Za-z_][^;{}()=]*?\b(\w+)[(;]", without, re.MULTILINE))
    return names


C_SAMPLE = """\
#define BODY(x) \\
    static int x;
/* int not_a_function(void) {
} */
static int kept = 1, *moved;
static const char *const FIXED[] = {
    "a",
};
static const char *text;
static void *(*hook)(size_t) = malloc;
static int helper(int a,
                  int b) {
    static int calls;
    return a + b + "}"[0];
}

int nn_public(void) {
    return helper(1, 2);
}
"""

HEADER_SAMPLE = """\
#define A
/* What it does. */
int nn_a(int b,
         int c);
int nn_b(void);

int nn_c(void);
"""


def test_the_reader_of_c_reads():
    assert functions_of(C_SAMPLE) == [Function("helper", True, 5), Function("nn_public", False, 3)]
    assert mutable_statics_of(C_SAMPLE) == ["kept", "moved", "text", "hook", "calls"]
    assert declared_with_contract(HEADER_SAMPLE) == {"nn_a", "nn_b"}


# ---- C ------------------------------------------------------------------------------------------


@each_c_file
def test_a_file_includes_only_its_own_level_or_lower_ones(path):
    level, *rest = in_csrc(path).split("/")
    assert level in LEVELS
    assert len(rest) == 1, "levels have no folders inside"
    below = LEVELS[: LEVELS.index(level) + 1]
    for include in re.findall(r'#include "([^"]+)"', path.read_text()):
        assert include.split("/")[0] in below
        if level == "binding":
            assert include.startswith("binding/") or include in SEEN_BY_BINDING


@each_c_file
def test_foreign_headers_are_seen_by_one_level_each(path):
    for include in re.findall(r"#\s*include <([^>]+)>", path.read_text()):
        if include == "blis.h":
            assert in_csrc(path) == "kernels/gemm.c"
        if include.startswith(("Python.h", "structmember.h", "numpy/")):
            assert in_csrc(path).startswith("binding/")


@each_c_file
def test_the_core_never_prints_nor_ends_the_process(path):
    barred = r"\b(v?f?printf|f?puts|f?putc|putchar|perror|_?_?[eE]xit|quick_exit|abort|assert)\s*\("
    if not in_csrc(path).startswith("binding/"):
        assert re.findall(barred, code_of(path.read_text())) == []


@each_c_file
def test_what_outlives_a_call_and_may_change_is_on_the_list(path):
    allowed = {name for file, name in MUTABLE_STATICS if file == in_csrc(path)}
    assert set(mutable_statics_of(path.read_text())) == allowed


def test_the_list_of_mutable_statics_names_files_that_exist():
    assert {file for file, _ in MUTABLE_STATICS} <= set(map(in_csrc, C_FILES))


@each_c_file
def test_every_shared_function_has_a_contract_in_a_header(path):
    described = set().union(*(declared_with_contract(h.read_text()) for h in CSRC.rglob("*.h")))
    shared = {f.name for f in functions_of(path.read_text()) if not f.static}
    assert shared - described == set()


@each_c_file
def test_files_and_functions_are_short(path):
    text = path.read_text()
    limit = KERNEL_LINES if in_csrc(path).startswith("kernels/") else FUNCTION_LINES
    assert text.count("\n") <= FILE_LINES
    assert {f.name: f.lines for f in functions_of(text) if f.lines > limit} == {}


def test_no_line_of_c_is_long():
    found = [
        f"{in_root(path)}:{number}"
        for path in [*C_FILES, *sorted((ROOT / "tests/c").iterdir())]
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if len(line) > LINE_COLUMNS
    ]
    assert found == []


@pytest.mark.parametrize("flag", ["fast-math", "Ofast", "unsafe-math"])
def test_arithmetic_is_never_relaxed(flag):
    written = [ROOT / "setup.py", ROOT / "pyproject.toml", *C_FILES, *(ROOT / ".ci").glob("*")]
    assert [in_root(path) for path in written if flag in path.read_text()] == []


# ---- Python -------------------------------------------------------------------------------------


@each_python_file
def test_only_the_command_line_prints(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    prints = [n.lineno for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]
    assert in_root(path) == "nnlearn/cli.py" or prints == []


@each_python_file
def test_no_error_is_swallowed_unnamed(path):
    handlers = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ExceptHandler)
    ]
    assert [n.lineno for n in handlers if n.type is None] == []


@each_python_file
def test_the_package_does_not_import_its_tests(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        assert not any("tests" in module.split(".") or module == "reference" for module in modules)


def test_the_public_names_are_these():
    assert sorted(nnlearn.__all__) == sorted(PUBLIC_NAMES)
    for name in PUBLIC_NAMES:
        assert getattr(nnlearn, name) is not None


# ---- Docstrings ---------------------------------------------------------------------------------

DOCSTRING_RULES = {
    "GL08": "there is a docstring",
    "GL07": "sections in numpydoc's order",
    "SS03": "the summary ends with a full stop",
    "PR01": "every parameter is described",
    "PR02": "nothing else is described as a parameter",
    "PR03": "in the order of the signature",
    "PR04": "with its type",
}


def documented() -> list[str]:
    """The public classes and functions, and the public methods and properties of the classes."""
    items = {name: getattr(nnlearn, name) for name in nnlearn.__all__}
    classes = {name: item for name, item in items.items() if inspect.isclass(item)}
    members = [
        f"{name}.{member}"
        for name, item in classes.items()
        for base in item.__mro__
        if base.__module__.startswith("nnlearn.")
        for member, value in vars(base).items()
        if not member.startswith("_") and (callable(value) or isinstance(value, property))
    ]
    return [*classes, *(name for name, item in items.items() if inspect.isfunction(item)), *members]


@pytest.mark.parametrize("name", documented())
def test_docstrings_say_what_a_caller_needs(name):
    found = numpydoc.validate.validate(f"nnlearn.{name}")
    wrong = {code: text for code, text in found["errors"] if code in DOCSTRING_RULES}
    elsewhere = ".on_" in name or "Attributes\n" in (found["docstring"] or "")
    if elsewhere or "**unknown" in wrong.get("PR01", ""):  # the names that fit refuses
        wrong.pop("PR01", None)
    assert wrong == {}
