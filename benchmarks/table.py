"""All benchmarks in the order of the table."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.accuracy_cases import To97, To98
from benchmarks.augment_cases import AugmentedTraining, Distorting
from benchmarks.case import Case
from benchmarks.cases import (
    Retraining,
    Row1,
    Row2,
    Row3,
    Row4,
    Row5,
    Row5By100,
    Row6,
    Row7,
    Row8,
)
from benchmarks.other_cases import Compare, Gradient, Threads

ORDER: tuple[type[Case], ...] = (
    Row1,
    Row2,
    Row3,
    Row4,
    Row5,
    Row5By100,
    Row6,
    Row7,
    Row8,
    To97,
    To98,
    Retraining,
    Compare,
    Gradient,
    Threads,
    AugmentedTraining,
    Distorting,
)
CASES: Mapping[str, type[Case]] = {case.name: case for case in ORDER}
