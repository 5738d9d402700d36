"""Texts of values: the same in every process, and of different values different where they can."""

import dataclasses
import functools
import math
from typing import Any

import numpy as np
import pytest
from processes import script

from nnlearn import SGD
from nnlearn._texts import Nameless, digest, is_exact, text_of


@dataclasses.dataclass(frozen=True)
class Held:
    value: Any


class Bare:
    pass


class Worded:
    def __repr__(self):
        return "Worded()"

    def method(self):
        pass


@pytest.mark.parametrize(
    "value", [None, True, 3, 0.1, "a at 0x1", (1,), [(1, 2), []], {"a": (0.5, None)}, SGD(0.5)]
)
def test_plain_values_read_as_their_repr(value):
    assert text_of(value) == text_of(value, exact=True) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.5), "0.5"),
        (digest, "the function nnlearn._texts.digest"),
        (math.sin, "the function math.sin"),
        (Bare, f"the class {__name__}.Bare"),
        (Worded().method, "the method method of Worded()"),
        (
            functools.partial(pow, 2, mod=5),
            "functools.partial(the function builtins.pow, 2, mod=5)",
        ),
        (Held([math.sin]), "Held(value=[the function math.sin])"),
    ],
)
def test_functions_read_by_their_names(value, text):
    assert text_of(value) == text_of(value, exact=True) == text


def made_within():
    def inner():
        pass

    return inner


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda: 1, f"the function {__name__}.<lambda>"),
        (made_within(), f"the function {__name__}.made_within.<locals>.inner"),
        (Bare(), f"an object of {__name__}.Bare"),
        (iter([1]), "an object of builtins.list_iterator"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [(v,)], Held, lambda v: {"a": v}])
def test_what_has_no_name_is_not_exact(value, text, wrap):
    wrapped = wrap(value)
    assert text in text_of(wrapped)
    assert not is_exact(wrapped)
    with pytest.raises(Nameless, match=text):
        text_of(wrapped, exact=True)


def test_a_digest_is_of_the_numbers_whatever_holds_them():
    x = np.arange(5000.0).reshape(2500, 2)
    forms = [x, x.astype("float32"), np.asfortranarray(x), x.astype(">f8"), x.tolist()]
    assert len({digest(form) for form in forms}) == 1
    assert text_of(x) == digest(x)
    labels = np.arange(3)
    forms = [labels, labels.astype("uint8"), [0, 1, 2]]
    assert len({digest(form) for form in forms}) == 1


def test_a_digest_tells_numbers_shapes_and_kinds_apart():
    x = np.zeros((2500, 2))
    others = [x.T, x.ravel(), x.astype(int)]
    for row in (0, 1250, 2499):
        others.append(x.copy())
        others[-1][row, 1] = 1e-300
    assert len({digest(other) for other in [x, *others]}) == 7
    assert digest([]) != digest([0.0])
    assert digest(None) == "None"


def test_a_digest_is_of_all_arrays_of_a_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    x = np.diag([1.0, 2.0, 3.0])
    others = [x, x[::-1], x[:, [1, 0, 2]], np.diag([1.0, 2.0, 4.0]), np.zeros((3, 3))]
    others.append(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]))
    assert len({digest(sparse.csr_matrix(other)) for other in others}) == 6
    assert digest(sparse.csr_matrix(x)) == digest(sparse.csr_matrix(x.astype("float32")))


def test_texts_are_the_same_in_another_process():
    text = "import numpy, math; from nnlearn._texts import text_of; "
    text += "print(text_of([numpy.arange(9.0), math.sin, object()]), end='')"
    assert script(text) == text_of([np.arange(9.0), math.sin, object()])
