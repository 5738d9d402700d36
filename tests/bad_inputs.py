"""Bad inputs: what is called, and the exception and the whole message that it must get."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import nnlearn as nn
from nnlearn import Dense

RNG = np.random.default_rng(7)
X = RNG.random((12, 4)).astype(np.float32)  # in [0, 1); four inputs, or images of 2 x 2
Y = np.arange(12) % 3  # labels of three classes
SOFT = np.full((12, 3), 1 / 3)  # targets for three outputs
BYTES = (X * 255).astype(np.uint8)
PIXELS = BYTES.astype(np.float32)  # 0..255 as floats
FLAGS = (X > 0.5).astype(np.uint8)

Net = nn.Network
Call = Callable[[Net], Any]


@dataclass(frozen=True)
class Bad:
    """A bad input. `net` is a name of NETWORKS."""

    kind: str
    net: str
    call: Call
    exception: type[Exception]
    message: str


def fit(net: Net, x: Any, y: Any = None, **settings: Any) -> nn.History:
    return net.fit(x, y, **{"epochs": 1, "learning_rate": 0.1, "batch_size": 5} | settings)


def trained_on_bytes() -> Net:
    net = nn.Network([4, 3, 3], seed=1)
    fit(net, BYTES, Y)
    return net


NETWORKS: dict[str, Callable[[], Net]] = {
    "three": lambda: nn.Network([4, 3, 3], seed=1),
    "softmax": lambda: nn.Network([4, 3, 3], cost="log_likelihood", seed=1),
    "hinge": lambda: nn.Network([4, 3, 3], cost="hinge", seed=1),
    "tanh": lambda: nn.Network([4, 3, Dense(3, activation="tanh")], seed=1),
    "one": lambda: nn.Network([4, 3, 1], seed=1),
    "one tanh": lambda: nn.Network([4, 3, Dense(1, activation="tanh")], seed=1),
    "regression": lambda: nn.Network([4, 3, Dense(1, activation="linear")], seed=1),
    "two numbers": lambda: nn.Network([4, 3, Dense(2, activation="linear")], seed=1),
    "on bytes": trained_on_bytes,
}


def put(array: Any, place: Any, value: Any) -> Any:
    """A copy of the array with another value at a place."""
    array = array.copy()
    array[place] = value
    return array


# ---------------------------------------------------------------- x

WIDTH = "must have 4 columns, as the input layer, got shape"
NAN = put(X, (5, 1), np.nan)
NAN_THERE = "must be finite, got nan at row 5, column 1"

#: kind -> x, exception, message without its name
BAD_X: dict[str, tuple[Any, type[Exception], str]] = {
    "one column less": (X[:, :3], ValueError, f"{WIDTH} (12, 3)"),
    "one row alone": (X[0], ValueError, f"{WIDTH} (4,): x[None] is one sample"),
    "one row alone, a list": (X[0].tolist(), ValueError, f"{WIDTH} (4,): [x] is one sample"),
    "one row alone, a series": (pd.Series(X[0]), ValueError, f"{WIDTH} (4,): [x] is one sample"),
    "flat": (X[:, 0], ValueError, f"{WIDTH} (12,)"),
    "a number": (3.0, ValueError, f"{WIDTH} ()"),
    "images of another size": (np.zeros((12, 2, 3)), ValueError, f"{WIDTH} (12, 2, 3)"),
    "transposed": (X.T, ValueError, f"{WIDTH} (4, 12)"),
    "object": (
        X.astype(object),
        TypeError,
        'must hold real numbers, got dtype object: use .astype("float32")',
    ),
    "numbers as text": (
        X.astype("U6"),
        TypeError,
        'must hold real numbers, got dtype <U6: use .astype("float32")',
    ),
    "words": ((X > 0.5).astype("U5"), TypeError, "must hold real numbers, got dtype <U5"),
    "bytes": (X.tobytes(), TypeError, f"must hold real numbers, got dtype |S{X.nbytes}"),
    "a frame with a column of words": (
        pd.DataFrame(X).assign(word="no"),
        TypeError,
        "must hold real numbers, got dtype object",
    ),
    "complex": (X * 1j, TypeError, "must hold real numbers, got dtype complex64"),
    "dates": (X.astype("M8[s]"), TypeError, "must hold real numbers, got dtype datetime64[s]"),
    "None": (None, TypeError, "must hold real numbers, got None"),
    "ragged": (
        [[1.0, 2, 3, 4], [1.0]],
        ValueError,
        "must be an array of numbers, got rows of different lengths",
    ),
    "NaN": (NAN, ValueError, NAN_THERE),
    "infinity": (
        put(X, (0, 3), np.inf),
        ValueError,
        "must be finite, got inf at row 0, column 3",
    ),
    "-infinity at the end": (
        put(X, (11, 3), -np.inf),
        ValueError,
        "must be finite, got -inf at row 11, column 3",
    ),
    "the first NaN of two": (put(NAN, (9, 0), np.nan), ValueError, NAN_THERE),
    "NaN in a double": (NAN.astype(np.float64), ValueError, NAN_THERE),
    "NaN in half precision": (NAN.astype(np.float16), ValueError, NAN_THERE),
    "NaN in big-endian": (NAN.astype(">f4"), ValueError, NAN_THERE),
    "NaN in Fortran order": (np.asfortranarray(NAN), ValueError, NAN_THERE),
    "NaN in a list": (NAN.tolist(), ValueError, NAN_THERE),
    "NaN in a frame": (pd.DataFrame(NAN), ValueError, NAN_THERE),
    "NaN in an image": (NAN.reshape(-1, 2, 2), ValueError, NAN_THERE),
    "NaN in every other row": (np.repeat(NAN, 2, axis=0)[::2], ValueError, NAN_THERE),
    "NaN, rows from last to first": (NAN[::-1].copy()[::-1], ValueError, NAN_THERE),
}

OF_X: dict[str, Callable[[Net, Any], Any]] = {
    "forward": lambda net, x: net.forward(x),
    "predict": lambda net, x: net.predict(x),
    "predict_proba": lambda net, x: net.predict_proba(x),
    "accuracy": lambda net, x: net.accuracy(x, Y),
    "loss": lambda net, x: net.loss(x, Y),
    "evaluate": lambda net, x: net.evaluate(x, Y),
    "cost_and_gradient": lambda net, x: net.cost_and_gradient(x, Y),
    "inspect": lambda net, x: net.inspect(x, Y),
    "fit": lambda net, x: fit(net, x, Y),
    "fit with a share held out": lambda net, x: fit(net, x, Y, validation=0.25),
}


def of_validation(message: str) -> str:
    """A message about x or y, about those of the validation set."""
    for name in ("x", "y"):
        for sign in (".", "[", " /", " must"):
            message = message.replace(f"{name}{sign}", f"validation {name}{sign}")
    return message.replace("as x,", "as validation x,").replace("[x]", "[validation x]")


def bad_x() -> Iterator[Bad]:
    for kind, (x, exception, rest) in BAD_X.items():
        message = f"x {rest}"
        for where, call in OF_X.items():
            yield Bad(
                f"x: {kind}, {where}",
                "three",
                lambda net, call=call, x=x: call(net, x),
                exception,
                message,
            )
        yield Bad(
            f"validation x: {kind}",
            "three",
            lambda net, x=x: fit(net, X, Y, validation=(x, Y)),
            exception,
            of_validation(message),
        )


# ---------------------------------------------------------------- y

LABELS = "must be labels from 0 to 2, got"
FLOATS = (
    "must be integer labels for several outputs, got an array of shape (12,) and dtype float64: "
    "use .astype(int)"
)
SHAPE = "must be labels (n,) or targets (n, 3), got shape"
ANY_SIZE = 'for targets of any size end with Dense(n, activation="linear")'
TWO = "must be targets (n, 2), got shape"
NUMBERS = "must hold real numbers, got dtype"
NUMBER_THEM = "np.unique(y, return_inverse=True)[1] numbers them"
SUMS = "must have rows that sum to 1 for log_likelihood, got a sum of"

#: kind -> network, y, exception, message without its name
BAD_Y: dict[str, tuple[str, Any, type[Exception], str]] = {
    "None": ("three", None, TypeError, "must be given beside x, got None"),
    "a label too large": ("three", put(Y, 7, 3), ValueError, f"{LABELS} 3 at row 7"),
    "a negative label": ("three", put(Y, 4, -1), ValueError, f"{LABELS} -1 at row 4"),
    "labels from 1": ("three", Y + 1, ValueError, f"{LABELS} 3 at row 2: labels count from 0"),
    "a label of 2^63": (
        "three",
        put(Y.astype(np.uint64), 3, 2**63),
        ValueError,
        f"{LABELS} 9223372036854775808 at row 3",
    ),
    "a label that int32 would wrap": (
        "three",
        put(Y, 3, 2**32),
        ValueError,
        f"{LABELS} 4294967296 at row 3",
    ),
    "labels as floats": ("three", Y * 1.0, TypeError, FLOATS),
    "fractions": ("three", Y * 0.5, TypeError, FLOATS),
    "labels as floats for softmax": ("softmax", Y * 1.0, TypeError, FLOATS),
    "labels as floats for hinge": ("hinge", Y * 1.0, TypeError, FLOATS),
    "NaN among float labels": (
        "three",
        put(Y * 1.0, 5, np.nan),
        ValueError,
        "must be finite, got nan at row 5",
    ),
    "three labels for one output": (
        "one",
        Y,
        ValueError,
        "must be labels from 0 to 1, got 2 at row 2",
    ),
    "a negative label for one output": (
        "one",
        -(Y > 0).astype(int),
        ValueError,
        "must be labels from 0 to 1, got -1 at row 1",
    ),
    "-1/+1 labels for one tanh": (
        "one tanh",
        2 * (Y > 0) - 1,
        ValueError,
        "must be labels from 0 to 1, got -1 at row 0",
    ),
    "fractions for one output": (
        "one",
        Y / 4,
        ValueError,
        "must be 0 or 1 for one output, got 0.25 at row 1: .reshape(-1, 1) makes real targets",
    ),
    "one row less": ("three", Y[:11], ValueError, "must have 12 rows, as x, got shape (11,)"),
    "one row more": (
        "three",
        np.arange(13) % 3,
        ValueError,
        "must have 12 rows, as x, got shape (13,)",
    ),
    "no rows": ("three", Y[:0], ValueError, "must have 12 rows, as x, got shape (0,)"),
    "targets with few rows": (
        "three",
        SOFT[:5],
        ValueError,
        "must have 12 rows, as x, got shape (5, 3)",
    ),
    "a number": ("three", 3, ValueError, "must have a row for each sample, got 3"),
    "a column of labels": (
        "three",
        Y[:, None],
        ValueError,
        f"{SHAPE} (12, 1): .ravel() gives labels of the shape (n,)",
    ),
    "targets one column short": ("three", SOFT[:, :2], ValueError, f"{SHAPE} (12, 2)"),
    "targets of three dimensions": ("three", SOFT[:, None], ValueError, f"{SHAPE} (12, 1, 3)"),
    "two columns for one number": (
        "regression",
        SOFT[:, :2],
        ValueError,
        "must be numbers (n,) or targets (n, 1), got shape (12, 2)",
    ),
    "one number a row for two": ("two numbers", Y * 0.5, ValueError, f"{TWO} (12,)"),
    "three columns for two numbers": ("two numbers", SOFT, ValueError, f"{TWO} (12, 3)"),
    "a column for two numbers": ("two numbers", Y[:, None], ValueError, f"{TWO} (12, 1)"),
    "NaN among targets": (
        "three",
        put(SOFT, (8, 1), np.nan),
        ValueError,
        "must be finite, got nan at row 8, column 1",
    ),
    "infinity among numbers": (
        "regression",
        put(Y * 1.0, 8, -np.inf),
        ValueError,
        "must be finite, got -inf at row 8",
    ),
    "targets above a sigmoid": (
        "three",
        put(SOFT, (2, 1), 1.5),
        ValueError,
        f"must lie in [0, 1], as sigmoid outputs do, got 1.5 at row 2, column 1: {ANY_SIZE}",
    ),
    "targets below a sigmoid": (
        "one",
        put(SOFT[:, :1], (2, 0), -0.5),
        ValueError,
        f"must lie in [0, 1], as sigmoid outputs do, got -0.5 at row 2, column 0: {ANY_SIZE}",
    ),
    "targets beyond a tanh": (
        "tanh",
        put(SOFT, (6, 0), -1.25),
        ValueError,
        f"must lie in [-1, 1], as tanh outputs do, got -1.25 at row 6, column 0: {ANY_SIZE}",
    ),
    "a negative probability": (
        "softmax",
        put(SOFT, 6, [-0.5, 1.0, 0.5]),
        ValueError,
        f"must lie in [0, 1], as softmax outputs do, got -0.5 at row 6, column 0: {ANY_SIZE}",
    ),
    "rows that do not sum to 1": (
        "softmax",
        put(SOFT, (6, 0), 0.5),
        ValueError,
        f"{SUMS} 1.16667 at row 6",
    ),
    "a sum just beyond 1e-5": (
        "softmax",
        put(SOFT, (0, 0), 1 / 3 + 2e-5),
        ValueError,
        f"{SUMS} 1.00002 at row 0",
    ),
    "targets for hinge": (
        "hinge",
        SOFT,
        TypeError,
        "must be integer labels (n,), got an array of shape (12, 3) and dtype float64: "
        "hinge tells classes apart by their labels",
    ),
    "text": ("three", np.array(list("abc") * 4), TypeError, f"{NUMBERS} <U1: {NUMBER_THEM}"),
    "a list of text": ("three", list("abc") * 4, TypeError, f"{NUMBERS} <U1: {NUMBER_THEM}"),
    "a list of digits as text": (
        "three",
        list("012") * 4,
        TypeError,
        f"{NUMBERS} <U1: {NUMBER_THEM}",
    ),
    "a series of text": (
        "three",
        pd.Series(list("abc") * 4, dtype=object),
        TypeError,
        f"{NUMBERS} object: {NUMBER_THEM}",
    ),
    "a category": (
        "three",
        pd.Series(list("abc") * 4, dtype="category"),
        TypeError,
        f"{NUMBERS} object: {NUMBER_THEM}",
    ),
    "a series of digits as text": (
        "three",
        pd.Series(list("012") * 4, dtype=object),
        TypeError,
        f"{NUMBERS} object: use .astype(int)",
    ),
    "text and None": ("three", np.array(["a", None] * 6), TypeError, f"{NUMBERS} object"),
    "object": ("three", Y.astype(object), TypeError, f"{NUMBERS} object: use .astype(int)"),
    "real numbers as objects": (
        "regression",
        (Y * 0.5).astype(object),
        TypeError,
        f'{NUMBERS} object: use .astype("float32")',
    ),
    "complex": ("three", Y * 1j, TypeError, "must hold real numbers, got dtype complex128"),
    "ragged": (
        "three",
        [[0, 1]] * 11 + [[0]],
        ValueError,
        "must be an array of numbers, got rows of different lengths",
    ),
}

OF_Y: dict[str, Callable[[Net, Any], Any]] = {
    "loss": lambda net, y: net.loss(X, y),
    "evaluate": lambda net, y: net.evaluate(X, y),
    "evaluate an ensemble": lambda net, y: nn.Ensemble([net]).evaluate(X, y),
    "accuracy": lambda net, y: net.accuracy(X, y),
    "cost_and_gradient": lambda net, y: net.cost_and_gradient(X, y),
    "inspect": lambda net, y: net.inspect(X, y),
    "fit": lambda net, y: fit(net, X, y),
    "fit with a share held out": lambda net, y: fit(net, X, y, validation=0.25),
}


def bad_y() -> Iterator[Bad]:
    for kind, (name, y, exception, rest) in BAD_Y.items():
        message = f"y {rest}"
        for where, call in OF_Y.items():
            regression = name in ("regression", "two numbers")
            if not (regression and where == "accuracy"):  # which has none, whatever y is
                yield Bad(
                    f"y: {kind}, {where}",
                    name,
                    lambda net, call=call, y=y: call(net, y),
                    exception,
                    message,
                )
        good = {"one": Y > 0, "one tanh": Y > 0, "two numbers": SOFT[:, :2]}.get(name, Y)
        if y is not None:
            yield Bad(
                f"validation y: {kind}",
                name,
                lambda net, y=y, good=good: fit(net, X, good, validation=(X, y)),
                exception,
                of_validation(message),
            )


# ---------------------------------------------------------------- sample weights

WEIGHT = "must be finite and >= 0, got"
ONE_A_ROW = "must have the shape (12,), one a row of x, got shape"

#: kind -> weights, exception, message without its name
BAD_WEIGHTS: dict[str, tuple[Any, type[Exception], str]] = {
    "NaN": (put(np.ones(12), 3, np.nan), ValueError, f"{WEIGHT} nan at row 3"),
    "infinity": (put(np.ones(12), 11, np.inf), ValueError, f"{WEIGHT} inf at row 11"),
    "negative": (put(np.ones(12), 0, -0.5), ValueError, f"{WEIGHT} -0.5 at row 0"),
    "a negative integer": ([1] * 11 + [-2], ValueError, f"{WEIGHT} -2 at row 11"),
    "one row less": (np.ones(11), ValueError, f"{ONE_A_ROW} (11,)"),
    "a column": (np.ones((12, 1)), ValueError, f"{ONE_A_ROW} (12, 1)"),
    "a number": (1.0, ValueError, f"{ONE_A_ROW} ()"),
    "text": (["a"] * 12, TypeError, "must hold real numbers, got dtype <U1"),
    "object": (
        np.ones(12, object),
        TypeError,
        'must hold real numbers, got dtype object: use .astype("float32")',
    ),
    "complex": (
        np.ones(12, complex),
        TypeError,
        "must hold real numbers, got dtype complex128",
    ),
}

OF_WEIGHTS: dict[str, Callable[[Net, Any], Any]] = {
    "cost_and_gradient": lambda net, w: net.cost_and_gradient(X, Y, sample_weight=w),
    "fit": lambda net, w: fit(net, X, Y, sample_weight=w),
    "fit with a share held out": lambda net, w: fit(net, X, Y, sample_weight=w, validation=0.25),
}


def bad_weights() -> Iterator[Bad]:
    for kind, (w, exception, rest) in BAD_WEIGHTS.items():
        for where, call in OF_WEIGHTS.items():
            yield Bad(
                f"sample_weight: {kind}, {where}",
                "three",
                lambda net, call=call, w=w: call(net, w),
                exception,
                f"sample_weight {rest}",
            )


# ---------------------------------------------------------------- beyond float32

ROOM = 'dtype="float64" has room for it'
TOO_LARGE_X = put(X.astype(np.float64), (3, 1), 1e300)
SO_LARGE = f"must be finite in float32, got 1e+300 at row 3, column 1: {ROOM}"


def too_large() -> Iterator[Bad]:
    """Finite as given: a message that speaks of the learning rate would be no help."""
    for where, call in OF_X.items():
        for form in (TOO_LARGE_X, np.asfortranarray(TOO_LARGE_X), TOO_LARGE_X.astype(">f8")):
            yield Bad(
                f"x: 1e300 of strides {form.strides} in {form.dtype.byteorder}, {where}",
                "three",
                lambda net, call=call, x=form: call(net, x),
                ValueError,
                f"x {SO_LARGE}",
            )
    yield Bad(
        "validation x: 1e300",
        "three",
        lambda net: fit(net, X, Y, validation=(TOO_LARGE_X, Y)),
        ValueError,
        f"validation x {SO_LARGE}",
    )
    yield Bad(
        "y: 1e300",
        "regression",
        lambda net: fit(net, X, put(Y * 1.0, 3, 1e300)),
        ValueError,
        f"y must be finite in float32, got 1e+300 at row 3, column 0: {ROOM}",
    )
    yield Bad(
        "sample_weight: 1e300",
        "three",
        lambda net: fit(net, X, Y, sample_weight=put(np.ones(12), 3, 1e300)),
        ValueError,
        f"sample_weight must be finite in float32, got 1e+300 at row 3: {ROOM}",
    )


# ---------------------------------------------------------------- no rows, Splits, bytes

NO_ROWS = "x must have at least one row, got shape (0, 4)"
BESIDE = (
    "y must be left out beside a Split, which has its own, "
    "got an array of shape (12,) and dtype int64"
)
IS_FLAGS = (
    "x must hold pixels 0..255 when its dtype is uint8, got a largest value of 1: "
    '.astype("float32") takes 0 and 1 as they are'
)
IS_PIXELS = (
    f"x must lie in [0, 1], as the network was trained on uint8 / 255, got {BYTES.max()}: "
    'use .astype("uint8") or divide by 255'
)

#: 0..255 in every form but uint8
FED = {
    "float32": PIXELS,
    "float64": PIXELS.astype(np.float64),
    "int64": BYTES.astype(np.int64),
    "a list": BYTES.tolist(),
    "a frame": pd.DataFrame(PIXELS),
}


def no_rows() -> Iterator[Bad]:
    calls: dict[str, Call] = {
        "accuracy": lambda net: net.accuracy(X[:0], Y[:0]),
        "loss": lambda net: net.loss(X[:0], Y[:0]),
        "evaluate": lambda net: net.evaluate(X[:0], Y[:0]),
        "cost_and_gradient": lambda net: net.cost_and_gradient(X[:0], Y[:0]),
        "inspect": lambda net: net.inspect(X[:0], Y[:0]),
        "fit": lambda net: fit(net, X[:0], Y[:0]),
        "fit with a share held out": lambda net: fit(net, X[:0], Y[:0], validation=0.5),
        "fit, targets": lambda net: fit(net, np.empty((0, 4)), np.empty((0, 3))),
    }
    for where, call in calls.items():
        yield Bad(f"no rows, {where}", "three", call, ValueError, NO_ROWS)
    yield Bad(
        "no rows to validate",
        "three",
        lambda net: fit(net, X, Y, validation=(X[:0], Y[:0])),
        ValueError,
        f"validation {NO_ROWS}",
    )
    message = f"x {WIDTH} (0,)"
    yield Bad("an empty list", "three", lambda net: fit(net, [], []), ValueError, message)


def splits() -> Iterator[Bad]:
    split = nn.Split(X, Y)
    calls: dict[str, Call] = {
        "accuracy": lambda net: net.accuracy(split, Y),
        "loss": lambda net: net.loss(split, Y),
        "evaluate": lambda net: net.evaluate(split, Y),
        "cost_and_gradient": lambda net: net.cost_and_gradient(split, Y),
        "inspect": lambda net: net.inspect(split, Y),
        "fit": lambda net: fit(net, split, Y),
    }
    for where, call in calls.items():
        yield Bad(f"y beside a Split, {where}", "three", call, TypeError, BESIDE)


def scales() -> Iterator[Bad]:
    calls: dict[str, Call] = {
        "fit": lambda net: fit(net, FLAGS, Y),
        "fit of a frame": lambda net: fit(net, pd.DataFrame(FLAGS), Y),
        "fit with a share held out": lambda net: fit(net, FLAGS, Y, validation=0.25),
    }
    for where, call in calls.items():
        yield Bad(f"uint8 flags, {where}", "three", call, ValueError, IS_FLAGS)
    yield Bad(
        "uint8 flags to validate",
        "three",
        lambda net: fit(net, FLAGS.astype(np.float32), Y, validation=(FLAGS, Y)),
        ValueError,
        of_validation(IS_FLAGS),
    )
    for form, x in FED.items():
        for where, call in OF_X.items():
            yield Bad(
                f"0..255 as {form} after uint8, {where}",
                "on bytes",
                lambda net, call=call, x=x: call(net, x),
                ValueError,
                IS_PIXELS,
            )
    for net in ("on bytes", "three"):
        yield Bad(
            f"0..255 as floats to validate beside uint8, {net}",
            net,
            lambda net: fit(net, BYTES, Y, validation=(PIXELS, Y)),
            ValueError,
            of_validation(IS_PIXELS),
        )


TABLE = [
    *bad_x(),
    *bad_y(),
    *bad_weights(),
    *too_large(),
    *no_rows(),
    *splits(),
    *scales(),
]
