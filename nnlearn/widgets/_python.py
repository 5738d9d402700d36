"""Widgets as programs: the code that does what a widget's settings say."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import nnlearn

_NAME = re.compile(r"\b([A-Z]\w*)\(")


def compare_code(
    data: str | None,
    n_train: int,
    variants: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
) -> str:
    """A program that trains these variants with `compare`.

    Parameters
    ----------
    data : str or None
        The expression that loads the data; None: a name that the reader fills in.
    n_train : int
        How many of its training samples are used.
    variants : mapping
        As for `compare`.
    common : mapping
        The settings of all.
    """
    lines, left_out = [], []
    for name, own in variants.items():
        written = {key: value for key, value in own.items() if _can_be_written(value)}
        lines.append(f"    {name!r}: {_call('dict', written)},")
        left_out += [f"# left out: {key} of {name!r}" for key in own if key not in written]
    arguments = [f"    {name}={value!r}," for name, value in common.items()]
    body = [
        "data = ...  # the Dataset that was given to the widget"
        if data is None
        else f"data = {data}",
        *left_out,
        "variants = {",
        *lines,
        "}",
        "c = nn.compare(",
        "    variants,",
        f"    data.take({n_train}),",
        *arguments,
        "    evaluate_train=True,",
        "    evaluate_first=True,",
        ")",
        "print(c.table())",
        "c.plot()",
    ]
    names = set(_NAME.findall("\n".join(body))) & set(nnlearn.__all__)
    imports = ["import nnlearn as nn"]
    imports += [f"from nnlearn import {', '.join(sorted(names))}"] if names else []
    return "\n".join([*imports, "", *body, ""])


def _can_be_written(value: Any) -> bool:
    """Whether the repr of a value rebuilds it: numbers, text and the like, and layers."""
    if isinstance(value, (list, tuple)):
        return all(map(_can_be_written, value))
    if isinstance(value, dict):
        return all(map(_can_be_written, [*value, *value.values()]))
    named = type(value).__name__ in nnlearn.__all__ and dataclasses.is_dataclass(value)
    return named or value is None or isinstance(value, (bool, int, float, str))


def _call(function: str, settings: Mapping[str, Any]) -> str:
    return f"{function}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"
