"""What an experiment found."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnlearn import _html
from nnlearn.experiments._claims import HOLDS, Claim
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import (
    AGREES,
    DIFFERS,
    KINDS,
    NOT_COMPARABLE,
    Judgement,
    Measured,
)
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: What the numbers to compare with are called, and whether they are a replay's.
KINDS_OF_NUMBERS = {"quoted number": False, "replayed number": True}


@dataclass(frozen=True, repr=False)
class Result:
    """What an experiment measured, with its pictures.

    Parameters
    ----------
    settings : mapping of str to str
        What it was measured with, in the order in which it is shown.
    rows : tuple of Measured, default ()
        The numbers, beside what is quoted.
    claims : tuple of Claim, default ()
        Directions, over the seeds.
    pictures : tuple of Picture, default ()
        The figures.
    tables : tuple of Table, default ()
        What else is worth a table.
    remarks : tuple of str, default ()
        What is to be said besides, a sentence or a few each.
    finding : str, default ""
        A sentence worked out from the numbers, where nothing is quoted or claimed that says it.
    """

    settings: Mapping[str, str]
    rows: tuple[Measured, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()
    finding: str = ""
    #: Why numbers of MNIST cannot be compared; set for short runs.
    shortened: str = field(default="", kw_only=True)

    @property
    def verdict(self) -> str:
        """How many quoted numbers agree and claims hold, in a sentence or two."""
        return verdict(self.rows, self.claims, self.shortened, self.finding)

    def table(self) -> Table:
        """The quoted number beside the measured ones.

        Returns
        -------
        Table
            A row for each number: what it is, what is quoted and how it came about, mean, sample
            standard deviation and median over the seeds, how many seeds, how many stuck and
            diverged, and whether they agree, in words.
        """
        return measured_table(self.rows, self.shortened)

    def figures(self) -> "dict[str, Figure]":
        """The pictures as Matplotlib figures, by name.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        """
        return {picture.name: picture.figure() for picture in self.pictures}

    def to_json(self) -> dict[str, Any]:
        """All numbers and words, in what JSON knows; NaN becomes None."""
        return {
            "settings": [list(pair) for pair in self.settings.items()],
            "rows": [_row_json(row, self.shortened) for row in self.rows],
            "claims": [_claim_json(claim) for claim in self.claims],
            "tables": [_table_json(table) for table in self.tables],
            "remarks": list(self.remarks),
            "finding": self.finding,
            "shortened": self.shortened,
            "verdict": self.verdict,
        }

    def _repr_html_(self) -> str:
        tables = [self.table()._to_html()] if self.rows else []
        tables += [table._to_html(title=table.title) for table in self.tables]
        return _html.view("Result", [self.verdict], *tables)

    def __repr__(self) -> str:
        claims = [f"{c.text}: {c.word}, {c.evidence}" for c in self.claims]
        tables = [str(table) for table in self.tables]
        parts = [str(self.table()) if self.rows else "", *claims, *tables, self.verdict]
        return "\n\n".join(filter(None, parts))


def verdict(
    rows: Iterable[Measured], claims: Iterable[Claim], shortened: str = "", finding: str = ""
) -> str:
    """How many quoted and replayed numbers agree and claims hold, worked out from these.

    Parameters
    ----------
    rows : iterable of Measured
    claims : iterable of Claim
    shortened : str, default ""
        Why numbers of MNIST cannot be compared.
    finding : str, default ""
        The sentence that comes first.

    Returns
    -------
    str
    """
    judged = [(row, row.judge(shortened)) for row in rows if row.quote]
    parts = [finding] if finding else []
    for name, replay in KINDS_OF_NUMBERS.items():
        parts += _of_quotes(name, [(row, j) for row, j in judged if is_replay(row) == replay])
    return " ".join([*parts, *_of_claims(list(claims))])


def is_replay(row: Measured) -> bool:
    """Whether the number beside a row is a replay's, which nobody published."""
    return row.quote is not None and row.quote.replay


def _of_quotes(name: str, judged: Sequence[tuple[Measured, Judgement]]) -> list[str]:
    """How many numbers agree, which do not, and why some cannot be compared."""
    words = [judgement.word for _, judgement in judged]
    parts = []
    comparable = len(words) - words.count(NOT_COMPARABLE)
    if comparable:
        n = words.count(AGREES)
        text = f"{n} of {count(comparable, name)} {'agrees' if 1 in (n, comparable) else 'agree'}"
        apart = [f"{row.what} ({j.text})" for row, j in judged if j.word == DIFFERS]
        parts.append(f"{text}{_exceptions(apart, n)}.")
    if words.count(NOT_COMPARABLE):
        reasons = {j.text: None for _, j in judged if j.word == NOT_COMPARABLE}
        text = f"{count(words.count(NOT_COMPARABLE), name)} cannot be compared"
        parts.append(f"{text}: {'; '.join(reasons)}.")
    return parts


def _of_claims(claims: Sequence[Claim]) -> list[str]:
    """How many claims hold, and which do not."""
    if not claims:
        return []
    holding = sum(claim.word == HOLDS for claim in claims)
    verb = "holds" if 1 in (holding, len(claims)) else "hold"
    text = f"{holding} of {count(len(claims), 'claim')} {verb}"
    apart = [f"{c.text} ({c.word}: {c.evidence})" for c in claims if c.word != HOLDS]
    return [f"{text}{_exceptions(apart, holding)}."]


def _exceptions(apart: Sequence[str], n_others: int) -> str:
    """Those for which a sentence is not so, behind it; `n_others` are those for which it is."""
    if not apart:
        return ""
    head = ": " if not n_others else "; the other: " if len(apart) == 1 else "; the others: "
    return head + "; ".join(apart)


def measured_table(rows: Iterable[Measured], shortened: str = "") -> Table:
    """The table of `Result.table`.

    Parameters
    ----------
    rows : iterable of Measured
    shortened : str, default ""
        Why numbers of MNIST cannot be compared.

    Returns
    -------
    Table
    """
    head = ["what", "quoted", "which is", "source", "mean", "sd", "median", "seeds"]
    head += ["stuck", "diverged", "", "in words"]
    body = []
    for row in rows:
        quote, judgement = row.quote, row.judge(shortened)
        unit = f" {row.unit}" if row.unit else ""
        body.append(
            (
                row.what,
                quote.value + unit if quote else None,
                f"{KINDS[quote.kind]}; {quote.settings}" if quote else None,
                quote.source if quote else None,
                _shown(row.mean, row.digits, unit),
                _shown(row.sd, row.digits, ""),
                _shown(row.median, row.digits, ""),
                len(row.values),
                row.stuck,
                row.diverged,
                judgement.word,
                judgement.text,
            )
        )
    table = Table(head, body)
    dull = [name for name in ("stuck", "diverged") if not any(table[name])]
    dull += ["quoted", "which is", "source", "", "in words"] if not any(table["quoted"]) else []
    return table._without(*dull)


def _shown(value: float, digits: int, unit: str) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}{unit}"


def _row_json(row: Measured, shortened: str) -> dict[str, Any]:
    judgement = row.judge(shortened)
    quote = row.quote
    return {
        "what": row.what,
        "values": [known(value) for value in row.values],
        "unit": row.unit,
        "stuck": known(row.stuck),
        "lower_is_better": bool(row.lower_is_better),
        "digits": int(row.digits),
        "quote": dict(vars(quote)) if quote else None,
        "mean": known(row.mean),
        "sd": known(row.sd),
        "median": known(row.median),
        "diverged": row.diverged,
        "judgement": judgement.word,
        "reason": judgement.text,
    }


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {
        **vars(claim),
        "differences": [known(d) for d in claim.differences],
        "error": known(claim.error),
        "word": claim.word,
        "evidence": claim.evidence,
        "holds": claim.word == HOLDS,
    }


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [[exact(value) for value in row] for row in table.rows],
        "formats": dict(table._formats),
    }


def known(value: Any) -> Any:
    """What JSON knows of a value: numbers as Python's, NaN and infinities as None."""
    if isinstance(value, (str, bool)) or value is None:
        return value
    if hasattr(value, "__index__"):
        return int(value)
    if hasattr(value, "__float__"):
        return float(value) if math.isfinite(value) else None
    return str(value)


def exact(value: Any) -> Any:
    """As `known`, but NaN and infinities of a table as ``{"number": "nan"}``: None is a gap."""
    shown = known(value)
    return {"number": str(float(value))} if shown is None and value is not None else shown
