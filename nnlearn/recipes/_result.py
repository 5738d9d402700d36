"""What all recipes return."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from nnlearn import _html
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Result(ABC):
    """What a recipe found: a table of what it tried, a picture, and a sentence that sums it up."""

    @abstractmethod
    def table(self) -> Table:
        """What was tried and what came of it, a row each."""

    #: The function of `nnlearn.plotting` that draws it.
    _drawn_by: ClassVar[str]

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw it, by the function of `nnlearn.plotting` that has its name.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        """
        from nnlearn import plotting

        axes: Axes = getattr(plotting, self._drawn_by)(self, ax)
        return axes

    @property
    @abstractmethod
    def verdict(self) -> str:
        """What it comes to, in one sentence."""

    def __repr__(self) -> str:
        return f"{self.table()}\n{self.verdict}"

    def _repr_html_(self) -> str:
        table = self.table()
        return _html.view(type(self).__name__, [table.title, self.verdict], table._to_html())
