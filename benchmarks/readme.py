"""README's table, from the JSON of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.base import C_PEERS, OURS, PEERS, TITLES
from benchmarks.report import duration, is_valid, three_digits

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

#: What the times are of, where it is not the whole call.
UNITS = {"step": "a step", "call": "a call", "two_threads": "a step", "augmented": "a step"}


def columns(result: Mapping[str, Any]) -> list[str]:
    """Ours, and the peers that were measured at anything."""
    rows = result["cases"].values()
    return [
        name
        for name in PEERS
        if name == OURS or any(is_valid(row["peers"].get(name, {})) for row in rows)
    ]


def cell(found: Mapping[str, Any], measure: str) -> str:
    """A time; what was not measured, or gave a wrong answer, is a dash."""
    if not is_valid(found) or not found[measure]:
        return "-"
    return duration(found[measure])


def our_cell(row: Mapping[str, Any]) -> str:
    """Our time, with what else was measured of us alone."""
    found = row["peers"].get(OURS, {})
    text = cell(found, row["measure"])
    if text != "-" and "in_c" in found:
        text += f" (in C {duration(found['in_c'])})"
    if text != "-" and "two_runs" in found:
        text += f" ({found['two_runs'] / found['two_threads']:.0%} of two runs)"
    if text != "-" and "plain" in found:
        text += f" ({found['augmented'] / found['plain']:.2f} times plain)"
    return text


def ratio(row: Mapping[str, Any], name: str | None) -> str:
    found = row["ratios"].get(name)
    return "-" if found is None else three_digits(found)


def share(row: Mapping[str, Any]) -> str:
    """Of the limit that is nearer."""
    limits = row["limits"]
    if not limits:
        return "-"
    name = max(limits, key=lambda limit: limits[limit])
    return f"{limits[name]:.0%} {name}"


def table(result: Mapping[str, Any]) -> str:
    """All rows, every peer's time, the two ratios, the share of the machine's limit."""
    names = columns(result)
    titles = ["work", *(TITLES[name] for name in names), "Python / nnlearn"]
    has_c = any(name in C_PEERS for name in names)
    titles += [*(["KANN / nnlearn"] if has_c else []), "limit"]
    lines = [titles, ["---"] * len(titles)]
    for row in result["cases"].values():
        measure = row["measure"]
        title = f"{row['title']}, {UNITS[measure]}" if measure in UNITS else row["title"]
        line = [title, our_cell(row)]
        line += [cell(row["peers"].get(name, {}), measure) for name in names if name != OURS]
        line.append(ratio(row, row["fastest"]))
        line += [*([ratio(row, "kann")] if has_c else []), share(row)]
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(result: Mapping[str, Any]) -> str:
    """What stands between the two markers."""
    machine, versions = result["machine"], result["versions"]
    family = f" ({machine['family']})" if machine["family"] else ""
    said = "; ".join(dict.fromkeys(versions[name] for name in PEERS if name in versions))
    missing = [TITLES[name] for name in PEERS if name in result["missing"]]
    lines = [f"{machine['cpu']}{family}, one core, {machine['date']}. {said}."]
    if result["quick"]:
        lines.append("Measured with `--quick`: less data, fewer rounds.")
    if missing:
        lines.append(f"Not installed, so not measured: {', '.join(missing)}.")
    return "\n\n".join([" ".join(lines), table(result)])


def with_table(page: str, result: Mapping[str, Any]) -> str:
    """The page with the text between its markers replaced. ValueError where they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page must have the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text(result)}\n{END}{after}"


def write(readme: Path, result: Mapping[str, Any]) -> None:
    if OURS not in result["versions"]:
        raise ValueError("the results must be of a run that measured nnlearn")
    readme.write_text(with_table(readme.read_text(), result))
