"""The C tests under valgrind: every program, in both precisions, at each level of kernels.

    python tests/valgrind.py

Valgrind knows nothing beyond AVX2: the level v4 is left to the sanitizers (test_c.py), under which
BLIS's own code in turn is not looked into.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from test_c import PRECISIONS, PROGRAMS, ROOT, make_programs

#: BLIS keeps blocks for the life of the process, and of some only an address inside: "possibly
#: lost". The core's allocator hands out the beginnings of blocks.
COMMAND = (
    "valgrind --quiet --error-exitcode=9 --leak-check=full "
    "--show-leak-kinds=definite --errors-for-leak-kinds=definite"
)
LEVELS = ("portable", "v3")


def check(program: Path, level: str) -> bool:
    """Runs a program; says what is wrong."""
    ran = subprocess.run(
        [*COMMAND.split(), program],
        env={**os.environ, "NNLEARN_KERNELS": level},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    clean = ran.returncode == 0
    print(f"{program.parent.name} {program.name} {level}:", "clean" if clean else ran.stdout)
    return clean


def main() -> int:
    os.chdir(ROOT)
    os.environ["NNLEARN_DEBUG"] = "1"
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        make_programs(Path(folder))
        runs = product(PRECISIONS, PROGRAMS, LEVELS)
        results = [
            pool.submit(check, Path(folder, precision, name), level)
            for precision, name, level in runs
        ]
        good = [result.result() for result in results]
    print(f"{sum(good)} of {len(good)} runs under valgrind are clean")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
