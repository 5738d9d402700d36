"""Settings as one writes them in Python, to be copied."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

#: How long a line may be.
WIDTH = 100


def written(settings: Mapping[str, Any]) -> str:
    """Settings as arguments."""
    return ", ".join(_argument(name, value) for name, value in settings.items())


def literal(value: Any) -> str:
    """A value: a number by its fewest digits, an object of the package by its name there."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if type(value).__module__.startswith("nnlearn.") and is_dataclass(value):
        given = {
            field.name: getattr(value, field.name)
            for field in fields(value)
            if getattr(value, field.name) != field.default
        }
        return f"nn.{type(value).__name__}({written(given)})"
    return (
        f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else repr(value)
    )


def network_lines(layers: list[Any], settings: Mapping[str, Any]) -> str:
    """The call that makes a network."""
    return _call("net = nn.Network", [literal(layers), *_arguments(settings)])


def fit_lines(data: str, validation: str, settings: Mapping[str, Any]) -> str:
    """The call that trains it."""
    return _call("net.fit", [data, f"validation={validation}", *_arguments(settings)])


def _arguments(settings: Mapping[str, Any]) -> list[str]:
    return [_argument(name, value) for name, value in settings.items()]


def _argument(name: str, value: Any) -> str:
    return f"{name}={literal(value)}"


def _call(head: str, arguments: Iterable[str]) -> str:
    """A call, broken between arguments where it is too long for a line."""
    parts = list(arguments)
    line = f"{head}({', '.join(parts)})"
    if len(line) <= WIDTH:
        return line
    return f"{head}(\n{textwrap.indent(''.join(part + ',' + chr(10) for part in parts), ' ' * 4)})"
