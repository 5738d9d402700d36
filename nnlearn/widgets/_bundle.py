"""One JavaScript module for each widget, put together from the files of `static`.

A notebook asks for a single module. The files import from each other like any modules
(``import { a, b } from "./x.js";``, names at the top level being unique in the whole folder), so
that each can be read on its own; here the imports are followed and the files joined.
"""

import functools
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("static")

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@functools.cache
def script(*names: str) -> str:
    """The module of a widget, with everything that it imports in front of it.

    Parameters
    ----------
    *names : str
        Files of `static`, without their endings; the widget's own is the last.
    """
    parts: dict[str, str] = {}
    for name in names:
        if f"{name}.js" not in parts:
            _gather(f"{name}.js", parts)
    return "\n".join(parts.values())


@functools.cache
def style() -> str:
    """The style sheet of all widgets."""
    return (FOLDER / "widgets.css").read_text(encoding="utf-8")


def _gather(file: str, parts: dict[str, str]) -> None:
    """Add the file behind those it imports, each once."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    for imported in _IMPORT.findall(text):
        if imported not in parts:
            _gather(imported, parts)
    parts[file] = _EXPORT.sub("", _IMPORT.sub("", text))
