"""The core's data for what a caller gives: converted, checked, with labels or the sparse form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from nnlearn import _arrays, _core, _sparse
from nnlearn._class_weights import ClassWeight, weights_of
from nnlearn._shared import SharedData

if TYPE_CHECKING:
    from nnlearn._model import Model

T = TypeVar("T")


def look(net: Model, method: Callable[..., T], data: _core.Data, *args: Any, **settings: Any) -> T:
    """What a method of the core answers for guarded data, with a place in its complaint."""
    try:
        return method(data, *args, **settings)
    except net._core_module.NumberError:
        assert data.x is not None
        _arrays.check_scan(data.scan(False), data.x, net._input_scale, "x", False)
        raise  # the number is gone: x was changed meanwhile


def inputs_alone(net: Model, x: Any) -> _core.Data:
    """Inputs alone, checked."""
    x, _ = _arrays.unpack(x, None)
    rows = _arrays.inputs(x, net._architecture, net.dtype)
    return core_data(net, rows, {}, "x", net._input_scale, False, True, False)


def labelled(
    net: Model,
    x: Any,
    y: Any,
    *,
    cost: str | None = None,
    sample_weight: Any = None,
    class_weight: ClassWeight = None,
    names: tuple[str, str] = ("x", "y"),
    scale: float | None = None,
    fit: bool = False,
    scan: bool = True,
    shared: SharedData | None = None,
    sparse: bool | None = False,
) -> _core.Data:
    """Inputs with labels or targets, checked.

    names: what messages call x and y; scale: 255 where the network is about to be trained on
    uint8; fit: x is to be trained on; scan: look for NaN and the scale of x, without `fit` and
    `sparse` not before `look`; shared: where other networks may have made the same; sparse:
    whether the data gets the sparse form of x, None where it pays.
    """
    x, y = _arrays.unpack(x, y)
    scale = scale or net._input_scale
    a = net._architecture

    def make() -> _core.Data:
        rows = _arrays.inputs(x, a, net.dtype, names[0])
        parts = _arrays.answers(y, rows, a, net.dtype, cost or net.cost, names)
        weights = _arrays.weights(sample_weight, rows.shape[0], net.dtype)
        if class_weight is not None:
            by_class = weights_of(parts.get("labels"), a.n_classes, class_weight)
            weights = _arrays.weights(
                by_class if weights is None else by_class * weights, len(by_class), net.dtype
            )
        parts["sample_weight"] = weights
        return core_data(net, rows, parts, names[0], scale, fit, scan, sparse)

    if shared is None or sample_weight is not None or class_weight is not None:
        return make()
    needs = (net.dtype, a.input_shape, a.n_outputs, a.output, cost or net.cost, scale, fit)
    return shared.get(x, y, (*needs, sparse), make)


def core_data(
    net: Model,
    rows: Any,
    parts: dict[str, Any],
    name: str,
    scale: float | None,
    fit: bool,
    scan: bool,
    sparse: bool | None,
) -> _core.Data:
    """The core's data over an array or CSR, with its labels and the like; as `labelled`."""
    core = net._core_module
    data: _core.Data
    if _sparse.is_sparse(rows):
        form = _sparse.of_csr(core, rows, name)
        # sparse=False is the caller's word in a fit, and the rule elsewhere
        written_out = fit and sparse is False
        data = core.Data(None, **parts, sparse=form, written_out=written_out)
        if scan:
            _arrays.check_scan(data.scan(), rows, scale, name, fit)
        return data
    if scan and not fit and sparse is False:  # looked at block by block, in `look`
        data = core.Data(rows, **parts, most=_arrays.most(rows, scale))
        return data
    data = core.Data(rows, **parts)
    may_be_sparse = sparse or (sparse is None and _sparse.worth_a_look(rows, net._architecture))
    may_be_sparse = bool(may_be_sparse)
    if not scan and not may_be_sparse:
        return data
    found = data.scan(may_be_sparse)
    if scan:
        _arrays.check_scan(found, rows, scale, name, fit)
    if may_be_sparse and (sparse or _sparse.worth_it(found[2], rows, net.dtype)):
        form = _sparse.forms.get(core, net.dtype, data, found)
        data = core.Data(rows, **parts, sparse=form)
    return data
