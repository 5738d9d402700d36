'''Tools for your own tests: gradients against differences of the cost.

A test file of yours, which pytest runs::

    """test_mine.py: the network that I use, and a formula of my own."""

    import numpy as np
    import pytest

    from nnlearn import Dropout, Network
    from nnlearn.testing import assert_gradients, numerical_gradient, relative_error


    @pytest.fixture
    def samples():
        rng = np.random.default_rng(0)
        return rng.normal(size=(8, 5)), rng.integers(0, 3, size=8)


    @pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
    def test_my_network_has_the_gradient_of_its_cost(samples, activation):
        net = Network([5, 7, Dropout(0.2), 3], activation=activation, seed=1)
        assert_gradients(net, *samples, l2=0.1, training=True)


    def huber(r):
        return np.where(np.abs(r) < 1, r**2 / 2, np.abs(r) - 0.5).sum()


    def huber_gradient(r):
        return np.clip(r, -1, 1)


    def test_my_formula_is_the_gradient():
        r = np.linspace(-3, 3, 12)
        assert relative_error(huber_gradient(r), numerical_gradient(huber, r)) < 1e-8


    def test_the_same_seed_trains_the_same_network(samples):
        a, b = (Network([5, 7, 3], seed=1) for _ in range(2))
        for net in (a, b):
            net.fit(*samples, epochs=3, learning_rate=0.5, verbose=0)
        assert all(np.array_equal(a.parameters[name], b.parameters[name]) for name in a.parameters)
'''

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn._gradient_check import (
    Check,
    Difference,
    Limits,
    check_parameter,
    drawn,
    of_single,
    ratio,
    too_many_skipped,
)
from nnlearn.network import Network
from nnlearn.tables import Table

Array = npt.NDArray[Any]

#: The step of a difference, times max(1, |value|): the error of the formula, of the order of its
#: square, and that of rounding, of the order of 2e-16 / step, are both below 1e-9 then.
STEP = 1e-5

#: A step below this is lost in the rounding of what it is added to.
LEAST_STEP = 1e-12

#: What central differences of a cost of about 1 resolve, with room for gradients of 1e-3 and for
#: strong curvature. A wrong sign, factor or term is far above.
TOLERANCE = 1e-6

#: Rounding of 6e-8 in single precision, grown by sums over rows and units and by cancellation.
FLOAT32_TOLERANCE = 1e-4

#: The largest share of all differences that may stand on kinks.
MAX_SKIPPED = 0.1


def relative_error(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """How far one array is from another: one number for the whole array.

    ::

        max |a - b| / max |b|        0/0 = 0

    Parameters
    ----------
    a : array_like
        What is to be judged.
    b : array_like
        What is right, of the same shape.

    Returns
    -------
    float
        0 where both are the same or empty; infinite where b alone is all zero; NaN where a or b
        has a NaN, which is below no tolerance.

    Raises
    ------
    TypeError
        If one of them holds no real numbers.
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> relative_error([1.0, 2.0], [1.0, 4.0])
    0.5
    >>> relative_error([0.0], [0.0])
    0.0
    """
    one, other = _real_array("a", a), _real_array("b", b)
    if one.shape != other.shape:
        requirement = f"have the shape of b, {other.shape}"
        raise ValueError(_checks.message("a", requirement, f"shape {one.shape}"))
    return ratio(one, other)


def numerical_gradient(f: Callable[[Array], float], x: npt.ArrayLike, *, step: float = STEP) -> Any:
    """The gradient of any function of an array, by central differences.

    ::

        df/dx_i = (f(x + h e_i) - f(x - h e_i)) / 2h        h = step max(1, |x_i|)

    Parameters
    ----------
    f : callable
        Takes an array like `x`, in float64, and returns a number.
    x : array_like
        Where; of any shape. It is not written into: f gets a copy at each call.
    step : float, default 1e-5
        Of the differences, >= 1e-12, for values of about 1; larger values get larger steps.

    Returns
    -------
    ndarray of float64
        Of the shape of `x`.

    Raises
    ------
    TypeError
        If f cannot be called or returns no number, or x holds no real numbers.
    ValueError
        If f returns NaN or infinity.

    See Also
    --------
    assert_gradients : Checks all parameters of a network.

    Notes
    -----
    f is called twice an element. Its third derivative times h^2/6 is the error of the formula;
    that of rounding is some 1e-16 |f| / h. At a kink the result is the mean of both sides.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_gradient(lambda x: (x**2).sum(), [1.0, -3.0]).round(6)
    array([ 2., -6.])
    """
    if not callable(f):
        _checks.fail(TypeError, "f", "be a function of an array", f)
    step = _checks.real("step", step, minimum=LEAST_STEP)
    point = np.array(_real_array("x", x))
    gradient = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        gradient[index] = Difference.at(
            lambda: _number("f", f(point.copy())), point, index, step
        ).central
    return gradient


def assert_gradients(
    net: Network,
    x: Any,
    y: Any = None,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    n: float | None = None,
    penalize_biases: bool = False,
    sample_weight: Any = None,
    training: bool = False,
    seed: int = 0,
    entries: int | None = None,
    step: float = STEP,
    tolerance: float = TOLERANCE,
    float32_tolerance: float = FLOAT32_TOLERANCE,
    max_skipped: float = MAX_SKIPPED,
) -> Table:
    """Assert that the gradient of a network is the slope of its cost.

    For each parameter, with b the central differences of the cost that
    `Network.cost_and_gradient` tells, and a the gradient that it tells::

        max |a - b| <= tolerance max |b| + rounding        rounding = 16 eps |cost| / step

    Parameters
    ----------
    net : Network
        The network; it is not changed. One of float32 is checked in float64, and its own gradient
        against that of float64.
    x : array_like, shape (m, n_inputs), or Split
        A few samples, as `Network.cost_and_gradient` takes them.
    y : array_like, optional
        Labels (m,) or targets (m, n_outputs).
    l1, l2, n, penalize_biases, sample_weight, training
        As `Network.cost_and_gradient` takes them: penalties and what they are divided by, weights
        of samples, and whether dropout drops.
    seed : int, default 0
        Of the masks of dropout, and of the choice of entries.
    entries : int, optional
        Check so many entries of each parameter, drawn by the seed; None: all.
    step : float, default 1e-5
        Of the differences, >= 1e-12, times max(1, abs(value)).
    tolerance : float, default 1e-6
        Of the gradient in float64 against the differences, relative to the parameter's largest.
        They resolve about 1e-9 of a cost of 1, which is 1e-6 of a gradient of 1e-3.
    float32_tolerance : float, default 1e-4
        Of a float32 network's gradient against that of float64: rounding of 6e-8, grown by sums and
        cancellation; 4 eps more, absolute, as outputs near 1 are known to that.
    max_skipped : float, default 0.1
        The largest share of the entries that may be skipped, >= 0. Whatever it is, of every
        parameter one entry must remain.

    Returns
    -------
    Table
        A row for each parameter: its size, entries checked, those that took a shorter step, those
        skipped, and the relative error of the rest.

    Raises
    ------
    AssertionError
        If a gradient is wrong, with the parameter, the index, both values and the relative error;
        or if too many entries were skipped.
    TypeError, ValueError
        If an argument does not fit.

    See Also
    --------
    numerical_gradient : The same for any function.
    Network.cost_and_gradient : What is checked.

    Notes
    -----
    ReLU, hinge and the absolute value of l1 have kinks, where slopes from the left and from the
    right differ. Where gradient and difference disagree, the step is made 10 and 100 times
    shorter, so that a kink nearby falls out of it; the shorter one counts only if it removes the
    disagreement. Where both sides keep disagreeing at the shortest step, by no less than the
    gradient is off, the entry stands on a kink: it is skipped, and counted.

    Two evaluations an entry: a few samples are enough. On one core ten samples take most of a
    minute for all entries of 784-30-10, half a second for ``entries=200``. What is smaller than
    rounding, as the gradient of a layer that has saturated, is not resolved.

    Examples
    --------
    >>> import nnlearn as nn
    >>> net = nn.Network([2, 3, 1], dropout=0.5, seed=1)
    >>> table = nn.testing.assert_gradients(net, [[0.0, 1.0], [2.0, 0.5]], [1, 0], training=True)
    >>> table["parameter"], table["checked"]
    (['dense1.weight', 'dense1.bias', 'dense2.weight', 'dense2.bias'], [6, 3, 3, 1])
    """
    if not isinstance(net, Network):
        _checks.fail(TypeError, "net", "be a Network", net)
    if entries is not None:
        entries = _checks.integer("entries", entries, minimum=1)
    limits = Limits(
        _checks.real("step", step, minimum=LEAST_STEP),
        _checks.real("tolerance", tolerance, minimum=0.0),
        _checks.real("max_skipped", max_skipped, minimum=0.0),
    )
    float32_tolerance = _checks.real("float32_tolerance", float32_tolerance, minimum=0.0)
    settings = {
        "l1": l1,
        "l2": l2,
        "n": n,
        "penalize_biases": penalize_biases,
        "sample_weight": sample_weight,
        "training": training,
        "seed": seed,
    }
    # Of the network itself, which may have a method of its own; the copy alone is moved about.
    own_cost, own = net.cost_and_gradient(x, y, **settings)
    twin = net.astype("float64")
    cost, exact = (own_cost, own)
    if net.dtype == np.float32:
        cost, exact = twin.cost_and_gradient(x, y, **settings)

    for told in (own_cost, cost):
        if not math.isfinite(told):
            raise AssertionError(f"the cost must be finite to have a slope, got {told}")

    def cost_now() -> float:
        return twin.cost_and_gradient(x, y, **settings)[0]

    checks = [
        check_parameter(
            name, drawn(array.size, entries, (seed, i)), exact[name], array, cost_now, limits
        )
        for i, (name, array) in enumerate(twin.parameters.items())
    ]
    wrong = [text for check in checks if (text := check.complaint(limits.tolerance))]
    wrong += [] if wrong else too_many_skipped(checks, limits.max_skipped)
    if net.dtype == np.float32:
        wrong += of_single(own_cost, own, cost, exact, float32_tolerance)
    if wrong:
        raise AssertionError("\n".join(wrong))
    return _table(checks)


def _table(checks: list[Check]) -> Table:
    head = ["parameter", "size", "checked", "shortened", "skipped", "relative error"]
    rows = [
        (
            check.name,
            math.prod(check.shape),
            len(check.places) - int(check.skipped.sum()),
            check.shortened,
            int(check.skipped.sum()),
            check.relative_error,
        )
        for check in checks
    ]
    return Table(head, rows, "Gradients against central differences", formats={head[-1]: ".1e"})


def _real_array(name: str, value: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The value as an array of float64."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        _checks.fail(ValueError, name, "be an array of real numbers", value)
    if array.dtype.kind not in "biuf":
        got = f"dtype {array.dtype}"
        raise TypeError(_checks.message(name, "hold real numbers", got))
    return array.astype(np.float64, copy=False)


def _number(name: str, value: Any) -> float:
    """What the user's function returned, as a finite number."""
    if np.ndim(value):
        _checks.fail(TypeError, name, "return a number", value)
    if not isinstance(value, (int, float, np.integer, np.floating, np.ndarray)):
        _checks.fail(TypeError, name, "return a number", value)
    number = float(value)
    if not math.isfinite(number):
        _checks.fail(ValueError, name, "return a finite number", number)
    return number
