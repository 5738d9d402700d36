"""The head of the deck: its title, and what the chapter is about."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Quote
from nnlearn.experiments._result import Result
from nnlearn.experiments._rules import RULES
from nnlearn.experiments._text_pictures import draw_text, text_height

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTERS = 88
_TITLE = (
    "# Improving the way neural networks learn",
    "The experiments of chapter 3 of Michael Nielsen's book, and of the slides drawn from it, run "
    "again: beside each number that is quoted stand the mean and the spread over several seeds, "
    "and whether the two agree.",
)


def _measure(lab: Lab) -> Result:
    from nnlearn.experiments._catalogue import PARTS, find  # it lists this file too

    known = [find(name) for own in PARTS.values() for name in own]
    keywords = ["# Keywords in this chapter"]
    for part, names in PARTS.items():
        others = [find(name).title for name in names if name != experiment.name]
        keywords += [f"{part}: {'; '.join(others)}."] if others else []

    def title(figure: "Figure") -> None:
        draw_text(figure, _TITLE, _LETTERS)

    def contents(figure: "Figure") -> None:
        draw_text(figure, keywords, _LETTERS)

    return Result(
        {},
        pictures=(
            Picture("title", "", title, slides=(1,), size=(6.8, text_height(_TITLE, _LETTERS))),
            Picture("keywords", "", contents, (2,), (6.8, text_height(keywords, _LETTERS))),
        ),
        remarks=RULES,
        finding=_finding([other.quotes for other in known]),
    )


def _finding(quotes: Sequence[Mapping[str, Quote]]) -> str:
    """How many numbers there are to compare with, from the quotes of each experiment."""
    published = [sum(not quote.replay for quote in own.values()) for own in quotes]
    replayed = sum(quote.replay for own in quotes for quote in own.values())
    return (
        f"{sum(published):,} numbers of the book, the slides and the papers that they cite stand "
        f"beside measured ones, in {sum(n > 0 for n in published)} of {len(quotes)} experiments, "
        f"each of which says which of its own agree. {replayed} more come from a replay of the "
        "book's settings, and are counted apart."
    )


experiment = Experiment(
    name="overview",
    title="What this is, and how to read it",
    question="Which numbers of the book and the slides come out again, and which do not?",
    slides=(1, 2),
    measure=_measure,
    seconds=(0.5, 0.5),
    needs_data=False,
)
