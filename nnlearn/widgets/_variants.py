"""Variants of widgets that set networks side by side: mappings of settings, each with its rate."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from nnlearn import _checks

#: What the pages offer by name.
STANDARD: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "quadratic": {"cost": "quadratic", "learning_rate": 3.0},
        "cross-entropy": {"cost": "cross_entropy", "learning_rate": 0.5},
        "log-likelihood": {"cost": "log_likelihood", "learning_rate": 0.5},
    }
)

#: What widgets open with.
TWO: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: STANDARD[name] for name in ("quadratic", "cross-entropy")}
)

#: The learning rate of a variant that names none, by its cost function.
DEFAULT_RATES = {"quadratic": 3.0, "cross_entropy": 0.5, "log_likelihood": 0.5, "hinge": 0.1}

Variants = Mapping[str, Mapping[str, Any]]


def read_variants(given: Any, now: Variants) -> Variants:
    """Variants by name, each with a learning rate; a list names present and standard ones."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        choices = {**STANDARD, **now}
        given = {name: choices[_checks.choice("variants", name, choices)] for name in given}
    if not isinstance(given, Mapping) or not given:
        requirement = "be a mapping of names to settings, or a list of names"
        _checks.fail(ValueError, "variants", requirement, given)
    complete = {}
    for name, own in given.items():
        if not isinstance(name, str) or not isinstance(own, Mapping):
            _checks.fail(ValueError, f"variant {name!r}", "be a mapping of settings", own)
        rate = now.get(name, {}).get("learning_rate")
        own = {key: as_python(value) for key, value in own.items()}
        default = DEFAULT_RATES.get(str(own.get("cost", "cross_entropy")), 0.5)
        complete[name] = {"learning_rate": default if rate is None else rate, **own}
    return complete


def with_rates(variants: Variants, rates: Any) -> Variants:
    """The variants at these learning rates: one for all, or a mapping for some."""
    if not isinstance(rates, Mapping):
        rates = dict.fromkeys(variants, rates)
    for name in rates:
        _checks.choice("learning_rate", name, variants)
    checked = {
        name: _checks.real(f"learning_rate of {name!r}", rate, above=0)
        for name, rate in rates.items()
    }
    return {
        name: {**own, "learning_rate": checked.get(name, own["learning_rate"])}
        for name, own in variants.items()
    }


def tell_variants(variants: Variants) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    """The learning rates by name, and the variants without them."""
    rates = {name: own["learning_rate"] for name, own in variants.items()}
    rest = {
        name: {key: value for key, value in own.items() if key != "learning_rate"}
        for name, own in variants.items()
    }
    return rates, rest


def read_rates(rates: Iterable[Any]) -> list[float]:
    """The learning rates of a page of its own, increasing, each once."""
    checked = sorted({_checks.real("learning_rates", rate, above=0) for rate in rates})
    if not checked:
        _checks.fail(ValueError, "learning_rates", "hold at least one rate", rates)
    return checked


def read_hidden(value: Any) -> tuple[int, ...]:
    """Sizes of hidden layers: one, or a sequence."""
    value = as_python(value)
    sizes = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_checks.integer("hidden", size, minimum=1) for size in sizes)


def as_python(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, so that they can be written down."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value
