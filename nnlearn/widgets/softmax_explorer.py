"""`SoftmaxExplorer`: what softmax makes of weighted inputs, while a hand moves them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.inspection import softmax_jacobian
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.widgets import _bundle, _frames
from nnlearn.widgets._live import LiveWidget, Run, check_names

_Array = npt.NDArray[np.float64]

#: The weighted inputs to begin with, as the book has them, and how far they go.
START, MAX_Z = (2.5, -1.0, 3.2, 0.5), 5.0

#: Fewest and most outputs; the largest factor.
FEWEST, MOST, MAX_TEMPERATURE = 2, 8, 20.0


@dataclass(frozen=True)
class Settings:
    """What a `SoftmaxExplorer` is set to, checked."""

    z: tuple[float, ...]
    temperature: float
    sigmoid: bool


class SoftmaxExplorer(LiveWidget[Settings]):
    """Weighted inputs to move, the outputs of softmax as bars, and the signs of its Jacobian.

    ::

        a_j = exp(c z_j) / sum_k exp(c z_k)         da_j/dz_k = c a_j (delta_jk - a_k)

    Parameters
    ----------
    z : iterable of float, default (2.5, -1, 3.2, 0.5)
        The weighted inputs, 2 to 8 of them from -5 to 5.
    **settings
        ``temperature=1.0``, the factor c, from 0 to 20: the larger it is, the more the largest z
        takes (physics has temperature for 1/c); ``sigmoid=False``, whether outputs of sigmoid for
        the same c z are shown too.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong.

    See Also
    --------
    nnlearn.inspection.softmax_jacobian : The derivatives, from the outputs.

    Notes
    -----
    The outputs are those of a `Network` without hidden layers whose weights are c times the
    identity and whose biases are 0.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapter 3, softmax.

    Examples
    --------
    >>> from nnlearn.widgets import SoftmaxExplorer
    >>> w = SoftmaxExplorer()
    >>> w.outputs.round(3)
    array([0.315, 0.009, 0.633, 0.043])
    >>> w.change(z=[0, 0], temperature=2)
    >>> w.jacobian
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    >>> w.settings
    {'z': [0.0, 0.0], 'temperature': 2.0, 'sigmoid': False}
    >>> w.close()
    """

    _esm = _bundle.script("softmax_explorer")
    _css = _bundle.style()

    def __init__(self, z: Iterable[float] = START, **settings: Any) -> None:
        super().__init__()
        self._begin(Settings(START, 1.0, False), {"z": z, **settings})

    # ---- what users see -------------------------------------------------------------------------

    @property
    def outputs(self) -> _Array:
        """The outputs (n,) of softmax."""
        return _outputs(self._current, "softmax")

    @property
    def jacobian(self) -> _Array:
        """The derivatives (n, n) of output j by weighted input k."""
        return self._current.temperature * softmax_jacobian(self.outputs)

    @property
    def sigmoid_outputs(self) -> _Array:
        """The outputs (n,) that sigmoid units would have."""
        return _outputs(self._current, "sigmoid")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        All sliders stay alive: no table could hold what several of them give, so that the file,
        and the file alone, has the formulas of softmax and of its derivatives in JavaScript.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        """
        from nnlearn.widgets._offline import write_page

        header, arrays = _picture(self._current)
        frame = _frames.pack({**header, "settings": self._tell(self._current)}, arrays)
        write_page(path, "softmax_explorer", "Softmax", [frame])

    # ---- within ---------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        known = vars(self._current)
        check_names(changes, known)
        given = {**known, **changes}
        return Settings(
            z=_weighted_inputs(given["z"]),
            temperature=_checks.within("temperature", given["temperature"], 0.0, MAX_TEMPERATURE),
            sigmoid=_checks.boolean("sigmoid", given["sigmoid"]),
        )

    def _tell(self, settings: Settings) -> dict[str, Any]:
        return {**vars(settings), "z": list(settings.z)}

    def _work(self, settings: Settings, run: Run) -> None:
        run.finish(*_picture(settings))


def _weighted_inputs(z: Any) -> tuple[float, ...]:
    requirement = f"be {FEWEST} to {MOST} numbers"
    if isinstance(z, (str, bytes, Mapping)) or not isinstance(z, Iterable):
        _checks.fail(TypeError, "z", requirement, z)
    values = list(z)
    if not FEWEST <= len(values) <= MOST:
        _checks.fail(ValueError, "z", requirement, values)
    return tuple(_checks.within(f"z[{i}]", value, -MAX_Z, MAX_Z) for i, value in enumerate(values))


def _outputs(settings: Settings, activation: str) -> _Array:
    """The outputs of a network that passes c z on to these units."""
    n = len(settings.z)
    net = Network([n, Dense(n, activation)], init="zeros", dtype="float64", seed=0)
    net.weights[0] = settings.temperature * np.eye(n)
    outputs: _Array = net.forward([settings.z])[0]
    return outputs


def _picture(settings: Settings) -> tuple[dict[str, Any], list[_Array]]:
    """The sums, and the outputs of softmax and of sigmoid with the Jacobian of softmax."""
    softmax, sigmoid = (_outputs(settings, name) for name in ("softmax", "sigmoid"))
    header = {"sum": softmax.sum(), "sigmoid_sum": sigmoid.sum(), "start": START}
    return header, [softmax, sigmoid, settings.temperature * softmax_jacobian(softmax)]
