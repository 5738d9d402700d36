"""What machine this is."""

from __future__ import annotations

import platform
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.compiling import compiler

#: The instruction sets that matter here, as Linux calls them.
INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_vnni")


def cpu_lines() -> dict[str, str]:
    """What /proc/cpuinfo says of the first processor; empty elsewhere than on Linux."""
    try:
        text = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def compiler_version() -> str:
    """What compiles on the spot; empty where nothing does."""
    try:
        said = subprocess.run([*compiler(), "--version"], capture_output=True, text=True).stdout
    except OSError:
        return ""
    return said.partition("\n")[0]


def describe() -> dict[str, Any]:
    """For the report: the processor, the system, Python, the date."""
    lines = cpu_lines()
    name = lines.get("model name") or platform.processor() or platform.machine()
    flags = lines.get("flags", "").split()
    family = [lines[key] for key in ("cpu family", "model") if key in lines]
    return {
        "cpu": name,
        "family": f"family {family[0]}, model {family[1]}" if len(family) == 2 else "",
        "instructions": [flag for flag in INSTRUCTIONS if flag in flags],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "compiler": compiler_version(),
        "date": date.today().isoformat(),
    }


def file_name(machine: dict[str, Any], kind: str = "") -> str:
    """A name for the results of this machine; those of a run that is not whole have their own."""
    text = f"{machine['cpu']} {machine['family'] if machine['cpu'].count(' ') < 2 else ''}"
    return re.sub(r"[^a-z0-9]+", "-", f"{text} {kind}".lower()).strip("-") + ".json"
