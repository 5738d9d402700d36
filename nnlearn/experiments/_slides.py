"""A slide of the deck in a notebook: its figure with settings and numbers, or its widget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nnlearn import _checks, datasets
from nnlearn._html import element, join
from nnlearn._settings import read_seeds
from nnlearn.data import Dataset
from nnlearn.experiments._catalogue import find, names
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.tables import Table, count

#: Slides in the deck.
N_SLIDES = 47


@dataclass(frozen=True, repr=False)
class Slide:
    """What a slide shows, measured anew.

    Parameters
    ----------
    number : int
        Of the slide in the deck.
    results : tuple of (Experiment, Result)
        What measured it, and what was found; most slides have one of each.
    note : str, default ""
        On what it was measured, and how the whole is had.
    """

    number: int
    results: tuple[tuple[Experiment, Result], ...]
    note: str = ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures of this slide; its experiments may have others."""
        return tuple(p for _, result in self.results for p in self._of(result))

    def _of(self, result: Result) -> list[Picture]:
        return [picture for picture in result.pictures if self.number in picture.slides]

    def __repr__(self) -> str:
        parts = []
        for experiment, result in self.results:
            parts += [f"Slide {self.number}: {experiment.title}", *_facts(result)]
            parts += [picture.caption for picture in self._of(result)]
            parts += [str(_numbers(result)) if result.rows else "", result.verdict]
        return "\n".join(filter(None, [*parts, self.note]))

    def _repr_html_(self) -> str:
        parts: list[object] = []
        for experiment, result in self.results:
            parts += [element("strong", f"Slide {self.number}: {experiment.title}")]
            parts += [element("p", element("em", experiment.question))]
            for picture in self._of(result):
                drawing = picture.drawing(experiment.name)
                parts += [drawing.element(), element("p", picture.caption)]
            parts += [element("div", text, style="opacity: 0.75") for text in _facts(result)]
            if result.rows:
                table = _numbers(result)._to_html()
                parts += [element("div", table, style="overflow-x: auto")]
            parts += [element("p", f"The experiment {experiment.name}: {result.verdict}")]
        parts += [element("div", self.note, style="opacity: 0.75")]
        return element("div", join(parts))


def _facts(result: Result) -> list[str]:
    return [f"{name}: {text}" for name, text in result.settings.items()]


def _numbers(result: Result) -> Table:
    """The quoted numbers beside the measured ones; how they came about is in the whole table."""
    return result.table()._without("which is")


def slide(
    number: int,
    *,
    widget: bool = False,
    data: Dataset | None = None,
    seeds: int | Sequence[int] | None = None,
    quick: bool | None = None,
) -> Any:
    """Show a slide of "Improving the way neural networks learn" in a notebook.

    Parameters
    ----------
    number : int
        Of the slide in the deck, from 1 to 47.
    widget : bool, default False
        Show the widget that stands for the slide, where there is one, in place of the figure with
        its numbers. It opens with the slide's settings, and answers when they are moved; `data`,
        `seeds` and `quick` are left out.
    data : Dataset, optional
        The digits; by default those inside the package for a quick run, else `load_mnist`.
    seeds : int or sequence of int, optional
        Networks of each kind, or their seeds; 3 by default.
    quick : bool, optional
        Do a little, in seconds, which is the default. False: as the report does.

    Returns
    -------
    Slide or a widget of `nnlearn.widgets`
        Shown as it is in a notebook. A Slide has `pictures` and `results`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, there is no such slide, or no widget for it.
    ImportError
        If Matplotlib is missing when a figure is drawn, or anywidget for a widget.

    See Also
    --------
    nnlearn.experiments.find : The experiments by name.

    Examples
    --------
    >>> import nnlearn as nn
    >>> print(nn.slide(47))
    Slide 47: Coming from network2.py, network3.py or CS231n
    ...
    """
    number = _checks.integer("number", number, minimum=1, maximum=N_SLIDES)
    showing = [e for e in map(find, names()) if number in e.slides]
    if _checks.boolean("widget", widget):
        for name, value in {"data": data, "seeds": seeds, "quick": quick}.items():
            if value is not None:
                _checks.fail(ValueError, name, "be left out beside widget=True", value)
        return _widget(number, showing[0])
    chosen = read_seeds(3 if seeds is None else seeds)
    quick = True if quick is None else _checks.boolean("quick", quick)
    if data is None:
        data = datasets.load_mnist_small() if quick else datasets.load_mnist()
    how = "a quick run; quick=False does it in full" if quick else "in full"
    note = f"{data}; {count(len(chosen), 'seed')}; {how}."
    if number in showing[0].widgets:
        note += f" widget=True shows {showing[0].widgets[number][0]}, which has sliders."
    return Slide(number, tuple((e, e.run(data, chosen, quick)) for e in showing), note)


def _widget(number: int, experiment: Experiment) -> Any:
    """The widget of a slide, set as the slide is."""
    if number not in experiment.widgets:
        with_one = sorted({n for e in map(find, names()) for n in e.widgets})
        hint = f"the slides with a widget are {', '.join(map(str, with_one))}"
        _checks.fail(ValueError, "widget", f"be False for slide {number}", True, hint)
    from nnlearn import widgets

    kind, settings = experiment.widgets[number]
    return getattr(widgets, kind)(**settings)
