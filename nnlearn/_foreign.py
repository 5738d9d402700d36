"""Arguments by the names that other libraries give them: refused, with the name here."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from nnlearn import _checks

_Kind = TypeVar("_Kind", bound=type)


def refuse(
    owner: str, name: str, value: Any, hint: str | None, known: Iterable[str] = ()
) -> NoReturn:
    """Raise TypeError for an argument that the owner has not.

    Without a hint it is the nearest of the known names, where one is near.
    """
    if hint is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else None
    got = f"{name}={_checks.show(value)}"
    raise TypeError(_checks.message(owner, "be given settings that it has", got, hint))


def hints(foreign: Mapping[str, str] | None = None, **more: str) -> Callable[[_Kind], _Kind]:
    """A decorator of classes: arguments that `__init__` has not are refused with a hint.

    Parameters
    ----------
    foreign : mapping of str to str, optional
        The hint for each name, where several classes share some.
    **more : str
        Further ones.
    """
    found = {**(foreign or {}), **more}

    def decorate(kind: _Kind) -> _Kind:
        init: Callable[..., None] = vars(kind)["__init__"]
        known = [*inspect.signature(init).parameters][1:]

        @functools.wraps(init)  # its signature too, for help and inspect
        def checked(self: Any, *args: Any, **given: Any) -> None:
            for name, value in given.items():
                if name not in known:
                    refuse(kind.__name__, name, value, found.get(name), known)
            init(self, *args, **given)

        kind.__init__ = checked  # type: ignore[misc]
        return kind

    return decorate
