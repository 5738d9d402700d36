"""Exercises of the notebooks: a reader's answer, and the asserts that judge it."""

import inspect
from collections.abc import Callable
from typing import Any

_Test = Callable[[Any], None]


class Verdict:
    """What became of an answer, in a sentence.

    Parameters
    ----------
    sentence : str
        What a notebook shows.
    """

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __repr__(self) -> str:
        return self.sentence


class _NotGiven(Exception):
    """A function to be written was called and still returns the three dots."""


def check(test: _Test, answer: Any) -> Verdict:
    """Judge the answer to an exercise.

    Parameters
    ----------
    test : callable
        Takes the answer, and asserts what is true of the right one; the message of an assert says
        what is wrong with an answer that fails there. Its docstring says what is right about one
        that passes, its argument is what the answer is called.
    answer : object
        The reader's answer. ``...``, or a function that returns it, is none yet.

    Returns
    -------
    Verdict
        A sentence, as the last line of a cell.

    Raises
    ------
    AssertionError
        If the answer is wrong. A notebook shows the message alone: a traceback would show the
        asserts, and with them the right answer.

    Examples
    --------
    >>> def test_sides(sides):
    ...     "a triangle has three of them."
    ...     assert sides != 4, "that is a square"
    ...     assert sides == 3, "count the corners"
    >>> check(test_sides, ...)
    sides: not answered yet, ... still stands in its place.
    >>> check(test_sides, 3)
    Right: a triangle has three of them.
    >>> check(test_sides, 4)
    Traceback (most recent call last):
        ...
    AssertionError: that is a square
    """
    name = next(iter(inspect.signature(test).parameters))
    try:
        if answer is ...:
            raise _NotGiven
        test(_watched(answer) if inspect.isfunction(answer) else answer)
    except AssertionError as error:
        lines = [f"Not yet: {error}"]
        vars(error)["_render_traceback_"] = lambda *_: lines  # IPython asks for it
        raise
    except _NotGiven:
        return Verdict(f"{name}: not answered yet, ... still stands in its place.")
    return Verdict(f"Right: {inspect.getdoc(test)}")


def _watched(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises `_NotGiven` in place of returning the three dots."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        value = answer(*arguments, **keywords)
        if value is ...:
            raise _NotGiven
        return value

    return call
