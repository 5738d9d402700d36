"""The experiments that somebody may mean who asked for one that is not there."""

import difflib
import re
import sys
from collections.abc import Mapping, Sequence

from nnlearn.experiments._experiment import Experiment

#: How many are named.
_MOST = 3
#: How alike a name and a word of a title must be to what was asked for, from 0 to 1.
_ALIKE_NAME, _ALIKE_WORD = 0.6, 0.8
#: A word of so many letters is also found where more were asked for: "vanishing" finds "vanish".
_STEM = 5
#: What others call it, where no text of the experiment does.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "augmentation": ("expansion", "simard"),
    "glorot": ("initialisation", "start-weights"),
    "nesterov": ("momentum",),
    "optimiser": ("momentum", "hessian", "schedules"),
    "optimizer": ("momentum", "hessian", "schedules"),
    "sgd": ("learning-rates", "batch-sizes", "momentum"),
    "xavier": ("initialisation", "start-weights"),
}


def nearest(asked: str, experiments: Sequence[Experiment], others: Sequence[str]) -> list[str]:
    """The names of at most three experiments, the nearest first; none where nothing is near.

    By name, those that begin so before those that contain it; then by the words of the
    title, of the question, of what is quoted and of what else the experiment says of itself; where
    all that finds nothing, by spelling.

    Parameters
    ----------
    asked : str
        In small letters, with hyphens between words.
    experiments : sequence of Experiment
        All there are.
    others : sequence of str
        Other names that are taken.
    """
    parts = re.findall(r"[a-z0-9]+", asked)
    if not parts:
        return []
    names = [experiment.name for experiment in experiments]
    found = [name for name in names if name.startswith(asked)]
    if len(asked) > 1:
        inside = [name for name in names if asked in name]
        found = sorted(found, key=len) + sorted(inside, key=len) + list(_CALLED.get(asked, ()))
        for words in (_title_words, _asked_words, _quoted_words):
            found += [e.name for e in experiments if _has(words(e), parts)]
    return list(dict.fromkeys(found or _alike(asked, experiments, [*names, *others])))[:_MOST]


def _title_words(experiment: Experiment) -> list[str]:
    return _words(f"{experiment.name} {experiment.title}")


def _asked_words(experiment: Experiment) -> list[str]:
    return _words(f"{experiment.name} {experiment.title} {experiment.question}")


def _quoted_words(experiment: Experiment) -> list[str]:
    module = sys.modules[experiment.measure.__module__]
    return _words(" ".join([module.__doc__ or "", *experiment.quotes]))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _has(words: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether each part begins a word, or goes on from the stem of one."""
    return all(
        any(
            word.startswith(part) or (len(word) >= _STEM and part.startswith(word))
            for word in words
        )
        for part in parts
    )


def _alike(asked: str, experiments: Sequence[Experiment], names: Sequence[str]) -> list[str]:
    """By spelling: the names, then the words of titles and questions."""
    by_word: dict[str, list[str]] = {}
    for experiment in experiments:
        for word in _asked_words(experiment):
            by_word.setdefault(word, []).append(experiment.name)
    words = difflib.get_close_matches(asked, by_word, _MOST, _ALIKE_WORD)
    found = difflib.get_close_matches(asked, names, _MOST, _ALIKE_NAME)
    return found + [name for word in words for name in by_word[word]]
