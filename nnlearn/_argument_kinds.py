"""What the command line's arguments are read as; what is none raises ArgumentTypeError."""

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path

from nnlearn.layers import INITS

#: Rates that suit each cost from large weights; the first two are the slides'.
RATES = {"quadratic": 3.0, "cross_entropy": 0.5, "log_likelihood": 0.2, "hinge": 0.05}


def one_of(*words: str) -> Callable[[str], str]:
    """A parser of one of these words; a hyphen stands for an underscore where there is one."""

    def parse(text: str) -> str:
        for word in (text, text.replace("-", "_")):
            if word in words:
                return word
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(words)}, got {text!r}")

    return parse


def count(text: str) -> int:
    # Few digits first: int() refuses thousands of them with an error of its own.
    if not text.isdecimal() or len(text) > 20 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, got {text[:40]!r}")
    return int(text)


def hidden(text: str) -> tuple[int, ...]:
    return tuple(count(part) for part in text.split("-"))


def layers(text: str) -> tuple[int, ...]:
    layers = hidden(text)
    if len(layers) < 2:
        raise argparse.ArgumentTypeError(f"must be sizes such as 784-30-10, got {text!r}")
    return layers


def seed(text: str) -> int:
    # Few digits first: int() refuses thousands of them with an error of its own.
    if not text.isdecimal() or len(text) > 20 or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 2^64 - 1, got {text!r}")
    return int(text)


def number(text: str, requirement: str, allowed: Callable[[float], bool]) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and allowed(number)):
        raise argparse.ArgumentTypeError(f"must be a number {requirement}, got {text!r}")
    return number


def rate(text: str) -> tuple[str | None, float]:
    cost, equals, number = text.rpartition("=")
    rate = positive(number)
    return (one_of(*RATES)(cost) if equals else None), rate


def positive(text: str) -> float:
    return number(text, "> 0", lambda value: value > 0)


def share(text: str) -> float:
    return number(text, ">= 0 and < 1", lambda value: 0 <= value < 1)


def penalty(text: str) -> float:
    return number(text, ">= 0", lambda value: value >= 0)


def init(text: str) -> str | float:
    if text in INITS:
        return text
    names = ", ".join(INITS)
    return number(text, f"> 0 or one of {names}", lambda value: value > 0)


def results(text: str) -> Path:
    """A folder that is there or can be made, and has a name of its own."""
    path = Path(text)
    if text and path.name in ("", ".", ".."):
        path = path.resolve()
    if not text or not path.name or (path.exists() and not path.is_dir()):
        raise argparse.ArgumentTypeError(f"must be a folder, there or new, got {text!r}")
    return path


def folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"must be a folder that exists, got {text!r}")
    return Path(text)


def input(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"must be a file that exists, got {text!r}")
    return Path(text)


def output(text: str) -> Path:
    """A path that can be written to, found out before anything trains."""
    path = Path(text)
    place = path if path.exists() else path.parent
    fits = path.is_file() if path.exists() else path.parent.is_dir()
    if not (fits and os.access(place, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise argparse.ArgumentTypeError(f"must be a file in a folder to write to, got {text!r}")
    return path


def picture(text: str) -> Path:
    """An output whose suffix says what kind of picture it is."""
    path = output(text)
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        return path
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise argparse.ArgumentTypeError(f"must end in .png, .svg or .pdf, got {text!r}")
    return path
