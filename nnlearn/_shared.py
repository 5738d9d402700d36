"""The core's data made once for many networks: converted, scanned and held in one copy."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

from nnlearn import _core


class SharedData:
    """What several networks are trained and judged on, by what it is made from.

    Any thread may ask; the first makes the data while others that need the same wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # With the arrays, so that no other array can get the identity of one of them.
        self._made: dict[Hashable, tuple[Any, Any, _core.Data]] = {}

    def get(self, x: Any, y: Any, needs: Hashable, make: Callable[[], _core.Data]) -> _core.Data:
        """The data of these very objects for a network of these needs, made when first asked for.

        Parameters
        ----------
        x, y : object
            As the user gave them; told apart by identity.
        needs : hashable
            All else that the data depends on.
        make : callable
            Makes it; what it raises is raised, and nothing is kept.
        """
        key = (id(x), id(y), needs)
        with self._lock:
            if key not in self._made:
                self._made[key] = (x, y, make())
            return self._made[key][2]
