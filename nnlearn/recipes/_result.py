"""What all recipes return."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from nnlearn import _html
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Result(ABC):
    """What a recipe found: a table of what it tried, a picture, and a sentence that sums it up."""

    @abstractmethod
    def table(self) -> Table:
        """What was tried and what came of it, a row each."""

    @abstractmethod
    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw it."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """What it comes to, in one sentence."""

    def __repr__(self) -> str:
        return f"{self.table()}\n{self.verdict}"

    def _repr_html_(self) -> str:
        table = self.table()
        return _html.view(type(self).__name__, [table.title, self.verdict], table._to_html())
