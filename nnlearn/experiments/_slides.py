"""A slide of the deck in a notebook: its widget, or its figure with the settings."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from nnlearn import _checks, datasets
from nnlearn._html import element, join
from nnlearn.data import Dataset
from nnlearn.experiments._catalogue import find, names
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.tables import count

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
            parts += [*(picture.caption for picture in self._of(result)), result.verdict]
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
            parts += [element("p", f"The experiment {experiment.name}: {result.verdict}")]
        parts += [element("div", self.note, style="opacity: 0.75")]
        return element("div", join(parts))


def _facts(result: Result) -> list[str]:
    return [f"{name}: {text}" for name, text in result.settings.items()]


def slide(
    number: int,
    *,
    widget: bool | None = None,
    data: Dataset | None = None,
    seeds: int = 3,
    quick: bool = True,
) -> Any:
    """Show a slide of "Improving the way neural networks learn" in a notebook.

    Parameters
    ----------
    number : int
        Of the slide in the deck, from 1 to 47.
    widget : bool, optional
        Whether to show the widget that stands for the slide, where there is one, with the slide's
        settings. By default the widget where there is one and anywidget is installed, else the
        figure.
    data : Dataset, optional
        The digits; by default those inside the package for a quick run, else `load_mnist`. Not
        for a widget, like the two that follow.
    seeds : int, default 3
        Networks of each kind.
    quick : bool, default True
        Do a little, in seconds. False: as the report does.

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
    experiment = showing[0]
    has_widget = number in experiment.widgets
    if widget and not has_widget:
        with_one = sorted({n for e in map(find, names()) for n in e.widgets})
        hint = f"the slides with a widget are {', '.join(map(str, with_one))}"
        _checks.fail(ValueError, "widget", f"be False or None for slide {number}", widget, hint)
    if widget or (widget is None and has_widget and find_spec("anywidget") is not None):
        from nnlearn import widgets

        if data is not None:
            hint = "widget=False shows the figure"
            _checks.fail(ValueError, "data", "be left out for a widget", data, hint)
        kind, settings = experiment.widgets[number]
        return getattr(widgets, kind)(**settings)
    if data is None:
        data = datasets.load_mnist_small() if quick else datasets.load_mnist()
    how = "a quick run; quick=False does it in full" if quick else "in full"
    note = f"{data}; {count(seeds, 'seed')}; {how}."
    return Slide(number, tuple((e, e.run(data, seeds, quick)) for e in showing), note)
