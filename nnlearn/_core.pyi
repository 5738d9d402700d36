"""The compiled core, float32. Everything here is private to nnlearn."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy.typing as npt

__version__: str

_T = TypeVar("_T")
_Array = npt.NDArray[Any]
_Optimizer = tuple[str, float, float, bool]
_Augment = tuple[tuple[int, int, int], tuple[tuple[str, float, float], ...]]

class Stopped(Exception): ...
class NumberError(ValueError): ...

class Data:
    def __new__(
        cls,
        x: _Array | None,
        *,
        labels: _Array | None = None,
        n_classes: int = 0,
        targets: _Array | None = None,
        sample_weight: _Array | None = None,
        sparse: Sparse | None = None,
        written_out: bool = False,
        most: float | None = None,
    ) -> Data: ...
    def scan(
        self, with_checksum: bool = True, /
    ) -> tuple[tuple[int, int] | None, float, int, int]: ...
    def augment(
        self, augment: _Augment, out: _Array, seed: int, round: int, n_threads: int, /
    ) -> None: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def x(self) -> _Array | None: ...
    @property
    def sparse(self) -> Sparse | None: ...

class Sparse:
    def __new__(cls, data: Data, n_nonzero: int) -> Sparse: ...
    @classmethod
    def from_csr(
        cls,
        shape: tuple[int, int],
        row_start: _Array,
        columns: _Array,
        values: _Array,
        /,
    ) -> Sparse | tuple[int, int]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def n_nonzero(self) -> int: ...
    @property
    def nbytes(self) -> int: ...

class Network:
    counters: tuple[int, int]
    n_threads: int
    def __new__(
        cls,
        n_inputs: int,
        layers: list[tuple[str, int, str, str, float, float]],
        cost: str,
        seed: int,
    ) -> Network: ...
    def parameters(self) -> list[_Array]: ...
    def snapshot(
        self, trainer: Trainer | None, /
    ) -> tuple[list[_Array], tuple[int, int], tuple[str, list[list[_Array] | None]] | None]: ...
    def is_finite(self) -> bool: ...
    def assign(self, arrays: list[_Array], trainer: Trainer | None, /) -> None: ...
    def initialize(self, seed: int, /) -> None: ...
    def forward(self, data: Data, out: _Array, /) -> None: ...
    def predict(self, data: Data, out: _Array, heeds_stop: bool = False, /) -> None: ...
    def evaluate(
        self, data: Data, cost: str, heeds_stop: bool = False, /
    ) -> tuple[float, float]: ...
    def assess(
        self,
        data: Data,
        loss: _Array | None,
        predicted: _Array | None,
        actual: _Array | None,
        rank: _Array | None,
        confidence: _Array | None,
        probability: _Array | None,
        z: _Array | None,
        a: _Array | None,
        /,
    ) -> None: ...
    def gradient(
        self,
        data: Data,
        *,
        l1: float,
        l2: float,
        n: float,
        penalize_biases: bool,
        training: bool,
        seed: int,
    ) -> tuple[float, list[_Array]]: ...
    def inspect(
        self, data: Data, z: list[_Array], a: list[_Array], delta: list[_Array], /
    ) -> None: ...
    def paths(
        self, data: Data, batch_size: int, augment: _Augment | None = None, /
    ) -> tuple[int, bool, list[dict[str, Any]]]: ...
    def claimed(self, body: Callable[[], _T], settle: Callable[[], object], /) -> _T: ...
    def stop(self) -> None: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def stopping(self) -> bool: ...
    @property
    def output(self) -> str: ...
    @property
    def is_regression(self) -> bool: ...

class Trainer:
    def __new__(cls, network: Network) -> Trainer: ...
    def bind(
        self,
        data: Data,
        batch_size: int,
        optimizer: _Optimizer,
        augment: _Augment | None = None,
        /,
    ) -> int: ...
    def prepare(
        self,
        *,
        optimizer: _Optimizer,
        l1: float,
        l2: float,
        penalize_biases: bool,
        shuffle: bool,
        seed: int,
    ) -> None: ...
    def epoch(
        self,
        step_loss: _Array | None,
        first: int,
        progress: Callable[[int, int], Any] | None,
        /,
    ) -> tuple[Any, ...]: ...
    def unbind(self) -> None: ...
    def get_state(self) -> tuple[str, list[list[_Array] | None]]: ...
    def set_state(self, name: str, slots: list[list[_Array] | None], /) -> None: ...
    def clear(self) -> None: ...

def info() -> dict[str, str]: ...
def names(list: str, /) -> tuple[str, ...]: ...
def pair(cost: str, output: str, /) -> int: ...
def allocation_count() -> int: ...
def fail_allocation_at(k: int, /) -> None: ...
