"""Arrays of any dtype and layout: the same bits as a plain copy gives, and left as they are."""

from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import nnlearn as nn

N_INPUTS = 3
DTYPES = ["f4", "f8", "u1", ">f4", ">f8", "f2", "i1", "i4", ">i8", "?"]
NETS = {
    dtype: nn.Network([N_INPUTS, 4, 2], seed=1, dtype=dtype) for dtype in ("float32", "float64")
}


@st.composite
def views(draw: Any, dtype: Any, width: int | None, top: int = 100) -> Any:
    """A view (n, width), or (n,) for None, of a larger array: any steps, also backwards, from any
    place, by rows or by columns, aligned or not, writeable or not."""
    kind = np.dtype(dtype)
    numbers = {"elements": {"min_value": 0, "max_value": top}} if kind.kind != "b" else {}
    steps = [draw(st.sampled_from([1, 2, 3, -1, -2])) for _ in range(1 if width is None else 2)]
    n = draw(st.integers(0 if width else 1, 40))
    sizes = [n, width][: len(steps)]
    shape = tuple(abs(step) * size + 2 for step, size in zip(steps, sizes, strict=True))
    base = draw(npst.arrays(kind, shape, fill=st.nothing(), **numbers))
    if draw(st.booleans()):  # by columns
        base = np.asfortranarray(base)
    if draw(st.booleans()):  # unaligned
        room = np.zeros(base.nbytes + 1, np.uint8)
        moved = np.ndarray(base.shape, kind, room.data, 1, base.strides)
        moved[...] = base
        base = moved
    base.flags.writeable = draw(st.booleans())
    places = [
        slice(1, 1 + step * size, step) if step > 0 else slice(-step * size, 0, step)
        for step, size in zip(steps, sizes, strict=True)
    ]
    return base[tuple(places)]


def plain(array: Any) -> Any:
    """A copy with the same numbers, as the core likes it best."""
    return np.array(array, array.dtype.newbyteorder("="), order="C")


@given(data=st.data(), dtype=st.sampled_from(DTYPES), precision=st.sampled_from(list(NETS)))
def test_inputs_of_any_layout_give_the_same_bits(data: Any, dtype: str, precision: str) -> None:
    net, x = NETS[precision], data.draw(views(dtype, N_INPUTS))
    assert x.shape[1:] == (N_INPUTS,)
    before, copied = x.tobytes(), plain(x)
    assert np.array_equal(net.forward(x), net.forward(copied))
    assert np.array_equal(net.predict(x), net.predict(copied))
    assert x.tobytes() == before


@given(data=st.data(), dtype=st.sampled_from(["u1", "i1", "i4", ">i8"]))
def test_labels_of_any_layout_give_the_same_bits(data: Any, dtype: str) -> None:
    net, y = NETS["float32"], data.draw(views(dtype, None, top=1))
    x = np.linspace(0, 1, len(y) * N_INPUTS, dtype=np.float32).reshape(len(y), N_INPUTS)
    assert net.loss(x, y) == net.loss(x, plain(y))


@given(data=st.data(), dtype=st.sampled_from(["f4", "f8", ">f4", ">f8", "f2"]))
def test_targets_and_weights_of_any_layout_give_the_same_bits(data: Any, dtype: str) -> None:
    net = NETS["float64"]
    weights = data.draw(views(dtype, None))
    y = np.broadcast_to(np.array([0, 1], dtype), (len(weights), 2))
    x = np.linspace(0, 1, len(y) * N_INPUTS).reshape(len(y), N_INPUTS)
    cost, gradient = net.cost_and_gradient(x, y, sample_weight=weights)
    expected, same = net.cost_and_gradient(x, plain(y), sample_weight=plain(weights))
    assert cost == expected
    assert all(np.array_equal(gradient[name], same[name]) for name in same)
