"""What is kept of an experiment that has ended: its section of the report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._pictures import Drawing
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result, verdict
from nnlearn.tables import Table


@dataclass(frozen=True)
class Section:
    """An experiment with what it found, its pictures drawn.

    Parameters
    ----------
    name, title, question : str
        As of the Experiment.
    settings : mapping of str to str
        As of the Result, like all that follows.
    rows : tuple of Measured
    claims : tuple of Claim
    tables : tuple of Table
    remarks : tuple of str
    finding : str
    shortened : str
    drawings : tuple of Drawing
        The pictures.
    seconds : float
        How long it took.
    """

    name: str
    title: str
    question: str
    settings: Mapping[str, str]
    rows: tuple[Measured, ...]
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]
    finding: str
    shortened: str
    drawings: tuple[Drawing, ...]
    seconds: float

    @classmethod
    def of(cls, experiment: Experiment, result: Result, seconds: float) -> "Section":
        """Draw the pictures of a result.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        """
        return cls(
            experiment.name,
            experiment.title,
            experiment.question,
            dict(result.settings),
            result.rows,
            result.claims,
            result.tables,
            result.remarks,
            result.finding,
            result.shortened,
            tuple(picture.drawing(experiment.name) for picture in result.pictures),
            seconds,
        )

    @property
    def verdict(self) -> str:
        """As of the Result."""
        return verdict(self.rows, self.claims, self.shortened, self.finding)

    def numbers(self) -> dict[str, Any]:
        """All but pictures and times, in what JSON knows."""
        result = Result(
            self.settings,
            self.rows,
            self.claims,
            tables=self.tables,
            remarks=self.remarks,
            finding=self.finding,
            shortened=self.shortened,
        )
        facts = {"name": self.name, "title": self.title, "question": self.question}
        return {**facts, **result.to_json()}

    def to_json(self) -> dict[str, Any]:
        """All of it, in what JSON knows."""
        drawings = [{**vars(drawing), "slides": list(drawing.slides)} for drawing in self.drawings]
        return {**self.numbers(), "drawings": drawings, "seconds": self.seconds}

    @classmethod
    def from_json(cls, content: Any) -> "Section":
        """What `to_json` gave.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        try:
            return cls._read(content)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"no section of a report: {error!r}") from None

    @classmethod
    def _read(cls, content: Any) -> "Section":
        return cls(
            content["name"],
            content["title"],
            content["question"],
            dict(content["settings"]),
            tuple(_row(row) for row in content["rows"]),
            tuple(_claim(claim) for claim in content["claims"]),
            tuple(_table(table) for table in content["tables"]),
            tuple(content["remarks"]),
            content["finding"],
            content["shortened"],
            tuple(
                Drawing(d["name"], d["caption"], tuple(d["slides"]), d["svg"])
                for d in content["drawings"]
            ),
            float(content["seconds"]),
        )


def _row(row: Any) -> Measured:
    quote = Quote(**row["quote"]) if row["quote"] else None
    names = ("unit", "stuck", "lower_is_better", "digits")
    own = {name: row[name] for name in names}
    return Measured(row["what"], _numbers(row["values"]), quote=quote, **own)


def _claim(claim: Any) -> Claim:
    names = ("text", "unit", "source", "digits", "error", "chance")
    own = {name: claim[name] for name in names}
    return Claim(differences=_numbers(claim["differences"]), **own)


def _table(table: Any) -> Table:
    rows = [[_value(value) for value in row] for row in table["rows"]]
    return Table(table["columns"], rows, table["title"], formats=table["formats"])


def _value(value: Any) -> Any:
    return float(value["number"]) if isinstance(value, dict) else value


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(math.nan if value is None else float(value) for value in values)
