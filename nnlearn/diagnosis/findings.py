"""What `diagnose` returns: findings, causes first, and what could not be looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, overload

from nnlearn import _html
from nnlearn.tables import Table, count


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a network.

    Parameters
    ----------
    kind : str
        What it is, a row of the table in `diagnose`: ``"saturated units"``.
    layer : str or None
        The layer it is about, as in `Network.parameters`: ``"dense1"``. None: the whole network.
    epoch : int or None
        Since when; None where no epoch can be named.
    evidence : mapping of str to float
        The numbers it rests on.
    sentence : str
        The same in words.
    advice : str
        What to try, in one sentence.

    See Also
    --------
    diagnose : Makes them.

    Examples
    --------
    >>> finding = Finding("dead ReLUs", "dense1", None, {"dead": 30, "units": 30},
    ...                   "30 of 30 units are 0 for every row", "start with init='he'")
    >>> finding.evidence["dead"]
    30
    """

    kind: str
    layer: str | None
    epoch: int | None
    evidence: Mapping[str, float] = field(hash=False)
    sentence: str
    advice: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", MappingProxyType(dict(self.evidence)))

    def __reduce__(self) -> tuple[type["Finding"], tuple[Any, ...]]:
        parts = (self.kind, self.layer, self.epoch, dict(self.evidence))
        return type(self), (*parts, self.sentence, self.advice)

    def __str__(self) -> str:
        where = f" in {self.layer}" if self.layer else ""
        since = f" since epoch {self.epoch}" if self.epoch is not None else ""
        return f"{self.kind}{where}{since}: {self.sentence}. Try: {self.advice}."


class Findings(Sequence[Finding]):
    """What `diagnose` found: a sequence of `Finding`, causes before what they cause.

    Parameters
    ----------
    findings : iterable of Finding
        In the order in which they are shown.
    looked_at : sequence of str, default ()
        What was there to be looked at.
    not_looked_at : mapping of str to str, default {}
        Kinds that could not be told, each with the reason.

    Attributes
    ----------
    kinds : tuple of str
        The kind of each finding.
    looked_at, not_looked_at
        As given.

    See Also
    --------
    diagnose : Makes them.

    Notes
    -----
    False when nothing was found, as an empty list is.

    Examples
    --------
    >>> Findings([], ["the weights"], {"overfitting": "fit without validation="})
    Nothing found.
    Looked at: the weights.
    Not looked at: overfitting (fit without validation=).
    """

    def __init__(
        self,
        findings: Iterable[Finding],
        looked_at: Sequence[str] = (),
        not_looked_at: Mapping[str, str] | None = None,
    ) -> None:
        self._findings = tuple(findings)
        self.looked_at = tuple(looked_at)
        self.not_looked_at: Mapping[str, str] = MappingProxyType(dict(not_looked_at or {}))

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> "Findings": ...
    def __getitem__(self, index: int | slice) -> "Finding | Findings":
        """One finding; of a slice, Findings."""
        if isinstance(index, slice):
            return Findings(self._findings[index], self.looked_at, self.not_looked_at)
        return self._findings[index]

    def __len__(self) -> int:
        return len(self._findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Findings):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self._findings, self.looked_at))

    def __reduce__(self) -> tuple[type["Findings"], tuple[Any, ...]]:
        return type(self), (self._findings, self.looked_at, dict(self.not_looked_at))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each finding."""
        return tuple(finding.kind for finding in self)

    def table(self) -> Table:
        """The findings as a table.

        Returns
        -------
        Table
            A row a finding: ``kind``, ``layer``, ``epoch``, ``evidence`` in words, ``try``.
        """
        rows = [(f.kind, f.layer, f.epoch, f.sentence, f.advice) for f in self]
        return Table(["kind", "layer", "epoch", "evidence", "try"], rows, self._title())

    def __repr__(self) -> str:
        lines = [f"{i}. {finding}" for i, finding in enumerate(self, 1)]
        head = f"{self._title()}:" if lines else f"{self._title()}."
        return "\n".join([head, *lines, *self._notes()])

    def _repr_html_(self) -> str:
        notes = [_html.element("div", note, style=_NOTE) for note in self._notes()]
        table = [self.table()._to_html()] if len(self) else []
        return _html.view("Findings", [self._title()], *table, *notes)

    def _title(self) -> str:
        return count(len(self), "finding") if len(self) else "Nothing found"

    def _notes(self) -> list[str]:
        """What was looked at and what was not; kinds with the same reason share it."""
        notes = [f"Looked at: {', '.join(self.looked_at)}."] if self.looked_at else []
        reasons: dict[str, list[str]] = {}
        for kind, reason in self.not_looked_at.items():
            reasons.setdefault(reason, []).append(kind)
        parts = [f"{', '.join(kinds)} ({reason})" for reason, kinds in reasons.items()]
        return [*notes, f"Not looked at: {'; '.join(parts)}."] if parts else notes


_NOTE = f"padding: 0.1em 0.7em; text-align: left; {_html.MUTED}"
