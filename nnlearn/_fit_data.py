"""The data of `Network.fit`: what is trained on, what is held out, what is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _arrays, _checks, _core
from nnlearn._class_weights import unseen
from nnlearn._core_data import labelled
from nnlearn._fit_settings import Settings
from nnlearn._holdout import hold_out, share, shuffled
from nnlearn._shared import SharedData
from nnlearn._warn import warn
from nnlearn.data import Dataset, Split

if TYPE_CHECKING:
    from nnlearn.network import Network

#: What fit's `validation` may be.
_SETS = "be a Split, a pair (x, y), a share in (0, 1) or a mapping of names to sets"


@dataclass(frozen=True)
class Sets:
    """The core's data: the training set, and those evaluated after an epoch by name."""

    train: _core.Data
    evaluated: dict[str, _core.Data]
    scale: float | None  # 255 for training inputs of uint8
    augment: tuple[Any, ...] | None = None  # what the core does to the training set's images

    @classmethod
    def prepared(
        cls,
        net: Network,
        x: Any,
        y: Any,
        validation: Any,
        sample_weight: Any,
        settings: Settings,
        shared: SharedData | None,
    ) -> Sets:
        """Convert and check all sets; hold out a share where `validation` is one."""
        augment = _core_augment(net, x, settings)
        x, y = _arrays.unpack(x, y)
        sets: dict[str, tuple[Any, Any]] = {}
        is_share = isinstance(validation, (float, np.floating))
        sparse = settings.sparse
        train_sparse = sparse if augment is None else False  # images are dense once changed
        train = labelled(
            net,
            x,
            y,
            sample_weight=sample_weight,
            class_weight=settings.class_weight,
            fit=True,
            shared=shared,
            sparse=not is_share and train_sparse,  # of a share's rest below
        )
        dtype = x.dtype if train.x is None else train.x.dtype
        if is_share:
            fraction = _checks.real("validation", validation, above=0.0, below=1.0)
            rows = _arrays.inputs(x, net._architecture, net.dtype) if train.x is None else train.x
            *kept, sets["val"] = _held_out(net, rows, y, sample_weight, fraction, settings.seed)
            train = labelled(
                net,
                kept[0],
                kept[1],
                sample_weight=kept[2],
                class_weight=settings.class_weight,
                fit=True,
                scan=False,
                sparse=train_sparse,
            )
            y = kept[1]
        elif validation is not None:
            sets = _named_sets(validation, settings.evaluate_train)
        scale = 255.0 if dtype == np.uint8 else None
        evaluated = {}
        for name, (held_x, held_y) in sets.items():
            title = "validation" if name == "val" else name
            evaluated[name] = labelled(
                net,
                held_x,
                held_y,
                names=(f"{title} x", f"{title} y"),
                scale=scale,
                fit=True,
                scan=not is_share,  # a share was scanned as a part of the whole
                shared=None if is_share else shared,
                sparse=sparse,
            )
            if net._warns and not net._architecture.is_regression:
                _warn_of_unseen(title, y, held_y)
        if settings.evaluate_train:
            evaluated["train"] = train
        return cls(train, evaluated, scale, augment)


def _core_augment(net: Network, x: Any, settings: Settings) -> tuple[Any, ...] | None:
    """The augmentation as the core takes it, with the shape of the images of x."""
    if settings.augment is None:
        return None
    from nnlearn.augment._images import core_augment

    return core_augment(settings.augment, x, net.input_shape)


def _warn_of_unseen(name: str, train_y: Any, held_y: Any) -> None:
    """Warn of labels that cannot be learnt, since the training data never shows them."""
    labels = unseen(train_y, held_y)
    if labels:
        words = f"class{'es' if len(labels) > 1 else ''} {', '.join(map(str, labels))}"
        warn(f"{name} has {words}, which the training data never shows")


def _named_sets(validation: Any, has_train: bool) -> dict[str, tuple[Any, Any]]:
    """The sets that `validation` names, as pairs of x and y."""
    if not isinstance(validation, Mapping):
        return {"val": _pair("validation", validation, _SETS)}
    sets = {}
    for name, value in validation.items():
        if not isinstance(name, str):
            _checks.fail(TypeError, "a name of validation", "be text", name)
        if not name:
            _checks.fail(ValueError, "a name of validation", "have letters", name)
        if name == "train" and has_train:
            _checks.fail(ValueError, "validation", "leave the name 'train' to evaluate_train", name)
        sets[name] = _pair(f"validation[{name!r}]", value, "be a Split or a pair (x, y)")
    return sets


def _pair(name: str, value: Any, requirement: str) -> tuple[Any, Any]:
    if isinstance(value, Split):
        return value.x, value.y
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return value[0], value[1]
    hint = "use its .validation" if isinstance(value, Dataset) else None
    _checks.fail(TypeError, name, requirement, value, hint)


def _held_out(
    net: Network, x: _arrays.Rows, y: Any, sample_weight: Any, fraction: float, seed: int
) -> tuple[Any, Any, Any, tuple[Any, Any]]:
    """The rows that stay, with their weights, and the pair (x, y) of those held out."""
    answers = np.asarray(y)
    n_rows = x.shape[0]
    n = share(n_rows, fraction)
    if n >= n_rows:
        requirement = f"leave at least one of the {n_rows} rows to train on"
        _checks.fail(ValueError, "validation", requirement, fraction)
    weights = _arrays.weights(sample_weight, n_rows, net.dtype)
    kept, held = hold_out(shuffled(n_rows, seed), n, answers)
    if weights is not None:
        weights = weights[kept]
    return x[kept], answers[kept], weights, (x[held], answers[held])
