"""nnlearn beside its peers: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import datasets, limits, machine, readme, report
from benchmarks.case import QUICK_ROUNDS, ROUNDS, Case, Rig
from benchmarks.peers.base import OURS, PEERS, REFERENCE
from benchmarks.runner import Workers
from benchmarks.table import CASES
from benchmarks.worker import pin

RESULTS = Path(__file__).with_name("results")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = made.add_argument
    add("--quick", action="store_true", help="less data and fewer rounds: within two minutes")
    add("--only", action="append", metavar="NAME", help="this row; may be given again")
    add("--peers", metavar="A,B", help=f"of {', '.join(PEERS)}; nnlearn and numpy are always there")
    add(
        "--rounds",
        type=int,
        help=f"{ROUNDS}, with --quick {QUICK_ROUNDS}; seeds: 10, with --quick 1",
    )
    add("--core", type=int, help="where all run; the last one of this process's")
    add(
        "--out",
        type=Path,
        metavar="JSON",
        help="default: benchmarks/results/<cpu>.json, <cpu>-quick.json or <cpu>-part.json",
    )
    add("--readme", action="store_true", help="write README.md's table from the JSON, run nothing")
    add("--list", action="store_true", help="the rows, a line each, its name first")
    add("--log", type=Path, help="what the libraries print; default: nothing is kept")
    return made


def available_cores() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def chosen(only: list[str] | None) -> list[type[Case]]:
    unknown = [name for name in only or [] if name not in CASES]
    if unknown:
        sys.exit(f"--only must be one of {', '.join(CASES)}, got {unknown[0]!r}")
    return [case for name, case in CASES.items() if not only or name in only]


def peers_chosen(peers: str | None) -> list[str]:
    asked = [OURS, REFERENCE, *peers.split(",")] if peers else list(PEERS)
    unknown = [name for name in asked if name not in PEERS]
    if unknown:
        sys.exit(f"--peers must be of {', '.join(PEERS)}, got {unknown[0]!r}")
    return [name for name in PEERS if name in asked]


def kind(options: argparse.Namespace) -> str:
    """What is said of a run that is not whole, in its file's name."""
    is_part = options.only or options.peers
    return " ".join([*(["quick"] if options.quick else []), *(["part"] if is_part else [])])


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    cases, names = chosen(options.only), peers_chosen(options.peers)
    cores = available_cores()
    core = cores[-1] if options.core is None else options.core
    result: dict[str, Any] = {
        "machine": machine.describe(),
        "quick": options.quick,
        "rounds": options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS),
        "core": core,
        "cores": len(cores),
    }
    needed = dict.fromkeys(case.data for case in cases if case.data)
    result["notes"] = datasets.prepare(folder, needed)
    result["limits"] = limits_of(core, cores)
    log = open(options.log or os.devnull, "w")  # noqa: SIM115 - the workers' as long as they live
    with log, Workers(names, Rig(folder, options.quick, core, cores), log) as workers:
        result["versions"], result["missing"] = workers.versions, workers.missing
        print(report.header(result), flush=True)
        result["cases"] = {}
        for case in cases:
            print(f"... {case.name}: {case.title}", file=sys.stderr, flush=True)
            measured = workers.measure(case, options.rounds)
            row = report.row(case, measured, case.count(folder))
            result["cases"][case.name] = row
            print(report.lines(row), flush=True)
    # Once more: what disturbed the first time may have gone.
    result["limits"] = limits.best(result["limits"], limits_of(core, cores))
    for row in result["cases"].values():
        report.add_limits(row, result["limits"])
    return result


def limits_of(core: int, cores: tuple[int, ...]) -> dict[str, Any]:
    pin((core,))
    try:
        return limits.measure()
    finally:
        pin(cores)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        sys.exit(f"--rounds must be an integer >= 1, got {options.rounds}")
    if options.list:
        for name, case in CASES.items():
            print(f"{name:12s} {case.title}")
        return 0
    out = options.out or RESULTS / machine.file_name(machine.describe(), kind(options))
    if options.readme:
        if not out.exists():
            sys.exit(f"--readme needs the results of a run: there is no {out}")
        readme.write(readme.README, json.loads(out.read_text()))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, Path(folder))
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    print(report.ending(result))
    print(f"written to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
