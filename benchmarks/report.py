"""Ratios and goals, and the text of a run: all from what was measured, as the JSON keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks import limits
from benchmarks.case import Case, Goal
from benchmarks.peers.base import C_PEERS, OURS, PEERS, TITLES

Row = dict[str, Any]

#: What a goal of each kind is about; goals of the second set are upper bounds.
KINDS = {
    "python": "fastest Python peer / ours",
    "kann": "KANN / ours",
    "loop": "per-sample loop / ours",
    "torch": "PyTorch / ours",
    "scipy": "SciPy / ours",
    "share": "two threads, of what two runs reach",
    "seconds": "seconds",
    "in_c": "seconds, called from C",
    "times_plain": "augmented / plain",
}
UPPER_BOUNDS = ("seconds", "in_c", "times_plain")


def duration(seconds: float | None) -> str:
    """Three digits, in the unit that fits."""
    if seconds is None:
        return "not reached"
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if seconds < 0.9995 * 1000 * scale:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{three_digits(seconds)} s"


def three_digits(number: float) -> str:
    """As %.3g, without an exponent for large numbers."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def is_valid(found: Mapping[str, Any]) -> bool:
    """Whether a peer was measured, and gave the right answer."""
    return bool(found.get("valid"))


def ratios(peers: Mapping[str, Mapping[str, Any]], measure: str) -> dict[str, float]:
    """Time of each peer divided by ours; of those alone that gave the right answer."""
    ours = peers.get(OURS, {})
    if not is_valid(ours) or not ours[measure]:
        return {}
    return {
        name: peer[measure] / ours[measure]
        for name, peer in peers.items()
        if name != OURS and is_valid(peer) and peer[measure]
    }


def fastest(found: Mapping[str, float]) -> str | None:
    """The Python peer with the least time."""
    names = [name for name in found if name not in C_PEERS]
    return min(names, key=lambda name: found[name], default=None)


def row(case: type[Case], measured: dict[str, Any], count: limits.Count | None) -> Row:
    """All that is said of a case, as it goes into the JSON."""
    made: Row = {"name": case.name, "title": case.title, "measure": case.measure}
    made["aggregate"] = case.aggregate
    made["peers"] = measured
    made["ratios"] = ratios(measured, case.measure)
    made["fastest"] = fastest(made["ratios"])
    made["count"] = asdict(count) if count else None
    made["goals"] = [goal_outcome(goal, made) for goal in case.goals]
    return made


def goal_outcome(goal: Goal, made: Row) -> dict[str, Any]:
    """The goal with the value measured, None where there is none, and whether it is reached."""
    ours = made["peers"].get(OURS, {})
    ours = ours if is_valid(ours) else {}
    value: float | None
    if goal.kind == "share":
        value = ours["two_runs"] / ours["two_threads"] if ours else None
    elif goal.kind == "times_plain":
        value = ours["augmented"] / ours["plain"] if ours else None
    elif goal.kind in UPPER_BOUNDS:
        value = ours.get(made["measure"] if goal.kind == "seconds" else goal.kind)
    else:
        value = made["ratios"].get(made["fastest"] if goal.kind == "python" else goal.kind)

    def reaches(bound: float) -> bool:
        if value is None:
            return False
        return value <= bound if goal.kind in UPPER_BOUNDS else value >= bound

    outcome = {"value": value, "reached": reaches(goal.goal), "exceeded": reaches(goal.beyond)}
    return {**goal._asdict(), **outcome}


def add_limits(made: Row, measured: Mapping[str, Any]) -> None:
    """The shares of the two limits of the machine that ours reaches in this row."""
    ours = made["peers"].get(OURS, {})
    made["limits"] = None
    if made["count"] and "error" not in measured and is_valid(ours) and ours[made["measure"]]:
        arithmetic, memory = limits.seconds(limits.Count(**made["count"]), dict(measured))
        seconds = ours[made["measure"]]
        made["limits"] = {"arithmetic": arithmetic / seconds, "memory": memory / seconds}


# ---- the text of a run --------------------------------------------------------------------------


def header(result: Mapping[str, Any]) -> str:
    """The machine and the versions."""
    m = result["machine"]
    kind = "; ".join(filter(None, (m["family"], " ".join(m["instructions"]))))
    text = [f"{m['cpu']} ({kind}), {m['system']}, core {result['core']} of {result['cores']}"]
    text.append(f"Python {m['python']}, {m['compiler'] or 'no C compiler'}, {m['date']}")
    text.append(f"rounds: {result['rounds']}{', quick' if result['quick'] else ''}")
    for name in PEERS:
        if name in result["versions"]:
            text.append(f"{TITLES[name]:26s} {result['versions'][name]}")
        elif name in result["missing"]:
            text.append(f"{TITLES[name]:26s} NOT MEASURED: {result['missing'][name]}")
    return "\n".join([*text, *limit_lines(result["limits"]), *result["notes"]])


def limit_lines(measured: Mapping[str, Any]) -> list[str]:
    if "error" in measured:
        return [measured["error"]]
    sizes = ", ".join(f"{level} {size >> 10} KiB" for level, size in measured["caches"].items())
    rates = ", ".join(f"{level} {rate / 1e9:.0f}" for level, rate in measured["bytes"].items())
    peak = f"{measured['operations'] / 1e9:.0f} GFLOP/s"
    return [f"caches of a core: {sizes}", f"limits: {peak}; GB/s read: {rates}"]


def lines(made: Row) -> str:
    """One case, every peer a line."""
    how = "" if made["aggregate"] == "min" else f", {made['aggregate']}"
    text = [f"\n{made['name']}: {made['title']}  (by {made['measure']}{how})"]
    for name, found in made["peers"].items():
        if "error" in found:
            text.append(f"  {TITLES[name]:26s} not measured: {found['error']}")
            continue
        shown = "  ".join(f"{key} {duration(found[key])}" for key in found["turns"][0])
        ratio, check = made["ratios"].get(name), found["check"]
        text.append(
            f"  {TITLES[name]:26s} {shown}"
            + (f"  {three_digits(ratio)} times ours" if ratio else "")
            + (f"  check {check:.4g}" if check is not None else "")
            + ("" if found["valid"] else "  INVALID: its answer is not the reference's")
        )
    return "\n".join([*text, *(f"  {line}" for line in goal_lines(made))])


def goal_lines(made: Row) -> list[str]:
    text = []
    for goal in made["goals"]:
        label = KINDS[goal["kind"]]
        if goal["kind"] == "python" and made["fastest"]:
            label += f" ({TITLES[made['fastest']]})"
        value = "not measured" if goal["value"] is None else f"{goal['value']:.3g}"
        word = "beyond" if goal["exceeded"] else "reached" if goal["reached"] else "MISSED"
        bounds = f"goal {goal['goal']:.3g}, beyond {goal['beyond']:.3g}"
        text.append(f"{label}: {value}; {bounds}: {word}")
    return text


def ending(result: Mapping[str, Any]) -> str:
    """The shares of the limits, which are measured last once more, and the goals counted."""
    text = ["", *limit_lines(result["limits"])]
    for made in result["cases"].values():
        if made["limits"]:
            shares = ", ".join(f"{share:.0%} of {name}" for name, share in made["limits"].items())
            text.append(f"{made['name']:10s} nnlearn reaches {shares}")
    every = [goal for made in result["cases"].values() for goal in made["goals"]]
    reached = sum(goal["reached"] for goal in every)
    return "\n".join([*text, f"{reached} of {len(every)} goals reached"])
