"""Ratios, the text of a run, and README's table: all from what was measured, as JSON keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import limits
from benchmarks.case import Case
from benchmarks.peers.base import C_PEERS, OURS, PEERS, TITLES

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

Row = dict[str, Any]


def duration(seconds: float) -> str:
    """In the unit that fits."""
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def is_valid(found: Mapping[str, Any]) -> bool:
    """Whether a peer was measured, and gave the right answer."""
    return bool(found.get("valid"))


def ratios(peers: Mapping[str, Mapping[str, Any]], measure: str) -> dict[str, float]:
    """Time of each peer divided by ours; of those alone that gave the right answer."""
    ours = peers.get(OURS, {})
    if not is_valid(ours) or not ours.get(measure, 0) > 0:
        return {}
    found = {}
    for name, peer in peers.items():
        if name != OURS and is_valid(peer) and measure in peer and not math.isnan(peer[measure]):
            found[name] = peer[measure] / ours[measure]
    return found


def fastest(found: Mapping[str, float]) -> str | None:
    """The Python peer with the least time."""
    names = [name for name in found if name not in C_PEERS]
    return min(names, key=lambda name: found[name], default=None)


def row(
    case: type[Case],
    measured: dict[str, Any],
    count: limits.Count | None,
    measured_limits: Mapping[str, Any],
) -> Row:
    """All that is said of a case, as it goes into the JSON."""
    made: Row = {"name": case.name, "title": case.title, "measure": case.measure}
    made["peers"] = measured
    made["ratios"] = ratios(measured, case.measure)
    made["fastest"] = fastest(made["ratios"])
    ours = measured.get(OURS, {})
    if count is not None and "error" not in measured_limits and is_valid(ours):
        arithmetic, memory = limits.seconds(count, measured_limits)
        made["limits"] = {
            "arithmetic": arithmetic / ours[case.measure],
            "memory": memory / ours[case.measure],
        }
    made["goals"] = goals(case, made)
    return made


def goals(case: type[Case], made: Row) -> list[dict[str, Any]]:
    """What is to be reached, and what was."""
    found = []
    ours = made["peers"].get(OURS, {})
    for kind, (goal, beyond) in case.goals.items():
        if kind == "seconds":
            value = ours.get(case.measure)
            reached = value is not None and value <= goal
        elif kind == "python":
            value = made["ratios"].get(made["fastest"])
            reached = value is not None and value >= goal
        else:
            value = made["ratios"].get(kind)
            reached = value is not None and value >= goal
        found.append(
            {"kind": kind, "goal": goal, "beyond": beyond, "value": value, "reached": reached}
        )
    return found


# ---- the text of a run --------------------------------------------------------------------------


def header(result: Mapping[str, Any]) -> str:
    """The machine and the versions."""
    m = result["machine"]
    lines = [f"{m['cpu']} ({m['family']}; {' '.join(m['instructions'])}), {m['system']}"]
    lines.append(f"Python {m['python']}, {m['date']}; {result['rounds']} rounds")
    measured = result["limits"]
    if "error" in measured:
        lines.append(measured["error"])
    else:
        sizes = ", ".join(f"{level} {size >> 10} KiB" for level, size in measured["caches"].items())
        rates = ", ".join(f"{level} {rate / 1e9:.0f}" for level, rate in measured["bytes"].items())
        lines.append(f"caches: {sizes}")
        lines.append(f"peak {measured['operations'] / 1e9:.0f} GFLOP/s; GB/s read: {rates}")
    for name in PEERS:
        if name in result["versions"]:
            lines.append(f"{TITLES[name]:26s} {result['versions'][name]}")
        elif name in result["missing"]:
            lines.append(f"{TITLES[name]:26s} NOT MEASURED: {result['missing'][name]}")
    lines += result["notes"]
    return "\n".join(lines)


def lines(made: Row) -> str:
    """One case."""
    text = [f"\n{made['name']}: {made['title']}  (by {made['measure']})"]
    for name, found in made["peers"].items():
        if "error" in found:
            text.append(f"  {TITLES[name]:26s} not measured: {found['error']}")
            continue
        measures = {key: found[key] for key in found["turns"][0]}
        shown = "  ".join(f"{key} {duration(value)}" for key, value in measures.items())
        ratio = made["ratios"].get(name)
        text.append(
            f"  {TITLES[name]:26s} {shown}"
            + (f"  {ratio:.2f} times ours" if ratio else "")
            + (f"  check {found['check']:.4g}" if found["check"] is not None else "")
            + ("" if found["valid"] else "  INVALID: its answer is not the reference's")
        )
    if "limits" in made:
        shares = ", ".join(f"{share:.0%} of {name}" for name, share in made["limits"].items())
        text.append(f"  limits: nnlearn reaches {shares}")
    text += [f"  {line}" for line in goal_lines(made)]
    return "\n".join(text)


KINDS = {
    "python": "fastest Python peer / ours",
    "kann": "KANN / ours",
    "loop": "per-sample loop / ours",
    "torch": "PyTorch / ours",
    "seconds": "seconds at most",
}


def goal_lines(made: Row) -> list[str]:
    text = []
    for goal in made["goals"]:
        label = KINDS[goal["kind"]]
        if goal["kind"] == "python" and made["fastest"]:
            label += f" ({TITLES[made['fastest']]})"
        value = "not measured" if goal["value"] is None else f"{goal['value']:.3g}"
        word = "reached" if goal["reached"] else "MISSED"
        text.append(f"{label}: {value}; goal {goal['goal']:g}, beyond {goal['beyond']:g}: {word}")
    return text


def ending(result: Mapping[str, Any]) -> str:
    every = [goal for made in result["cases"].values() for goal in made["goals"]]
    reached = sum(goal["reached"] for goal in every)
    return f"\n{reached} of {len(every)} goals reached"


def write_readme(readme: Path, result: Mapping[str, Any]) -> None:
    raise NotImplementedError
