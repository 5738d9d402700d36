"""Arguments by the names of other libraries get the name here; signatures stay as written."""

import dataclasses
import inspect
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import nnlearn as nn
from nnlearn import Dense

DIGITS = nn.datasets.load_mnist_small().take(100)
SPACE = {"learning_rate": nn.loguniform(0.1, 1)}

# What is called, with a foreign name and its value, and what the message ends with.
FOREIGN: list[tuple[Callable[..., Any], Mapping[str, Any], str]] = [
    (nn.EarlyStopping, {"restore_best_weights": True}, "use restore_best="),
    (nn.EarlyStopping, {"paitence": 3}, "did you mean patience?"),
    (nn.DropOnPlateau, {"factor": 0.5}, "use divide_by=, 1 / factor"),
    (nn.Step, {"step_size": 3}, "use every="),
    (nn.Exponential, {"gamma": 0.9}, "use decay="),
    (nn.SGD, {"lr": 0.1}, "use learning_rate="),
    (nn.Dropout, {"rate": 0.5}, "use p="),
    (Dense, {"units": 3}, "use n="),
    (
        nn.Network,
        {"hidden_layer_sizes": 3},
        "layers= has all sizes, from the inputs to the outputs",
    ),
    (nn.Network, {"epochs": 3}, "it is given to fit"),
    (nn.Network, {"loss": "mse"}, "use cost="),
    (nn.Ensemble, {"estimators": 3}, "use networks="),
    (lambda **name: nn.search(SPACE, DIGITS, **name), {"n_iter": 5}, "use trials="),
]


@pytest.mark.parametrize(
    ("call", "given", "hint"), FOREIGN, ids=[str(given) for _, given, _ in FOREIGN]
)
def test_a_foreign_name_gets_the_name_here(
    call: Callable[..., Any], given: Mapping[str, Any], hint: str
) -> None:
    [(name, value)] = given.items()
    owner = call.__name__ if inspect.isclass(call) else "search"
    message = f"{owner} must be given settings that it has, got {name}={value!r}: {hint}"
    with pytest.raises(TypeError) as caught:
        call(**given)
    assert str(caught.value) == message


def test_a_name_like_none_has_no_hint() -> None:
    with pytest.raises(TypeError, match=r"^SGD must be given settings that it has, got xyz=1$"):
        nn.SGD(0.1, xyz=1)


def test_what_is_missing_is_said_as_python_does() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'p'"):
        nn.Dropout()


def test_signatures_are_those_that_were_written() -> None:
    assert str(inspect.signature(nn.Dropout)) == "(p: float) -> None"
    assert [*inspect.signature(nn.SGD).parameters] == ["learning_rate", "momentum", "nesterov"]
    assert [*inspect.signature(nn.Network).parameters][:2] == ["layers", "cost"]
    assert nn.SGD.__init__.__qualname__ == "SGD.__init__"


def test_copies_and_pickles_are_as_before() -> None:
    stopping = nn.EarlyStopping(patience=3)
    assert dataclasses.replace(stopping, patience=4) == nn.EarlyStopping(None, 4)
    assert pickle.loads(pickle.dumps(stopping)) == stopping


def test_a_class_made_from_one_takes_what_it_adds() -> None:
    class Named(nn.Network):
        def __init__(self, *layers: int, name: str, **settings: Any) -> None:
            super().__init__(layers, **settings)
            self.name = name

    assert Named(2, 1, name="small", seed=1).name == "small"
    with pytest.raises(TypeError, match=r"got sead=1: did you mean seed\?"):
        Named(2, 1, name="small", sead=1)
