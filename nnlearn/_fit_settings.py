"""The settings of `Network.fit`, checked."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnlearn import _checks, _class_weights, _sparse, early_stopping, optimizers, schedules
from nnlearn._class_weights import ClassWeight
from nnlearn._foreign import refuse
from nnlearn._whole_file import check_path
from nnlearn.callbacks import Callback, as_callbacks
from nnlearn.early_stopping import EarlyStopping
from nnlearn.progress import check_verbose
from nnlearn.schedules import Schedule

if TYPE_CHECKING:
    from nnlearn.augment import Augmentation
    from nnlearn.network import Network

#: Names that other libraries use, and the hint for each.
FOREIGN: Mapping[str, str] = {
    "validation_data": "use validation=",
    "validation_split": "use validation=0.1",
    "eval_set": "use validation=",
    "lr": "use learning_rate=",
    "eta": "use learning_rate=",
    "learning_rate_init": "use learning_rate=",
    "lmbda": "use l2=",
    "reg": "use l2=, which is divided by the number of samples",
    "alpha": "use l2=",
    "weight_decay": "use l2=, which is divided by the number of samples",
    "mini_batch_size": "use batch_size=",
    "n_epochs": "use epochs=",
    "nb_epoch": "use epochs=",
    "num_epochs": "use epochs=",
    "max_iter": "use epochs=",
    "hidden_layer_sizes": "layers are given to Network",
    "layers": "layers are given to Network",
    "activation": "it is given to Network",
    "cost": "it is given to Network",
    "loss": "the cost function is given to Network as cost=",
    "init": "it is given to Network",
    "dropout": "it is given to Network",
    "dtype": "it is given to Network",
    "solver": "use optimizer=",
    "random_state": "use seed=",
    "nesterov": "use optimizer=SGD(learning_rate, momentum, nesterov=True)",
    "patience": "use early_stopping=",
    "monitor": "use early_stopping=EarlyStopping(monitor=...)",
    "restore_best_weights": "use early_stopping=EarlyStopping(restore_best=True)",
    "hidden": "layers are given to Network",
    "n_iter_no_change": "use early_stopping=",
    "lr_schedule": "use schedule=",
    "scheduler": "use schedule=",
    "lr_decay": "use schedule=Exponential(...)",
    "augmentation": "use augment=",
    "data_augmentation": "use augment=",
    "transform": "use augment=",
    "initial_epoch": "use resume=",
    "metrics": "accuracy and loss are always recorded",
    "evaluation_data": "use validation=",
    "monitor_evaluation_accuracy": "validation= records val_accuracy",
    "monitor_evaluation_cost": "validation= records val_loss",
    "monitor_training_accuracy": "use evaluate_train=True",
    "monitor_training_cost": "use evaluate_train=True",
}


@dataclass(frozen=True)
class Settings:
    """The settings of a fit, checked."""

    epochs: int
    batch_size: int
    optimizer: optimizers.SGD
    l1: float
    l2: float
    penalize_biases: bool
    evaluate_train: bool
    evaluate_first: bool
    evaluate_every: int
    class_weight: ClassWeight
    sparse: bool | None
    schedule: Schedule | None
    early_stopping: EarlyStopping | None
    augment: Augmentation | None
    callbacks: tuple[Callback, ...]
    shuffle: bool
    seed: int
    seed_given: bool
    reset_optimizer: bool
    resume: str | None
    n_threads: int | None
    verbose: int | None

    @classmethod
    def checked(cls, net: Network, **given: Any) -> Settings:
        """Check everything that does not depend on the data."""
        _refuse_unknown(net, given["unknown"])
        seed, epochs = given["seed"], given["epochs"]
        n_threads, resume = given["n_threads"], given["resume"]
        stopping = early_stopping.resolve(given["early_stopping"])
        schedule, epochs = schedules.resolve(given["schedule"], epochs, stopping is not None)
        return cls(
            epochs=epochs,
            batch_size=_checks.integer("batch_size", given["batch_size"], minimum=1),
            optimizer=optimizers.resolve(
                given["optimizer"], given["learning_rate"], given["momentum"]
            ),
            l1=_checks.real("l1", given["l1"], minimum=0.0),
            l2=_checks.real("l2", given["l2"], minimum=0.0),
            penalize_biases=_checks.boolean("penalize_biases", given["penalize_biases"]),
            evaluate_train=_checks.boolean("evaluate_train", given["evaluate_train"]),
            evaluate_first=_checks.boolean("evaluate_first", given["evaluate_first"]),
            evaluate_every=_checks.integer("evaluate_every", given["evaluate_every"], minimum=1),
            class_weight=_class_weights.checked(
                given["class_weight"],
                net._architecture.n_classes,
                net._architecture.is_regression,
            ),
            sparse=_checked_sparse(net, given["sparse"]),
            schedule=schedule,
            early_stopping=stopping,
            augment=checked_augment(given["augment"], given["sparse"]),
            callbacks=tuple(as_callbacks(given["callbacks"])),
            shuffle=_checks.boolean("shuffle", given["shuffle"]),
            seed=net.seed if seed is None else _checks.seed(seed),
            seed_given=seed is not None,
            reset_optimizer=_checks.boolean("reset_optimizer", given["reset_optimizer"]),
            resume=None if resume is None else check_path(resume, "resume"),
            n_threads=None
            if n_threads is None
            else _checks.integer("n_threads", n_threads, minimum=1),
            verbose=check_verbose(given["verbose"]),
        )


def _checked_sparse(net: Network, value: Any) -> bool | None:
    if value is None:
        return None
    sparse = _checks.boolean("sparse", value)
    if sparse and not _sparse.starts_dense(net._architecture):
        first = type(net.layers[0]).__name__
        _checks.fail(ValueError, "sparse", f"be None or False before a {first} layer", value)
    return sparse


def checked_augment(value: Any, sparse: Any) -> Augmentation | None:
    """An augmentation of the user's, or None; one that changes images goes with no sparse form."""
    if value is None:
        return None
    from nnlearn.augment import Augmentation

    if not isinstance(value, Augmentation):
        requirement = "be a part of nnlearn.augment or None"
        hint = "put parts together with augment.Compose" if isinstance(value, Iterable) else None
        _checks.fail(TypeError, "augment", requirement, value, hint)
    if sparse and value._changes:
        requirement = "be None or False with augment, whose images have new zeros every epoch"
        _checks.fail(ValueError, "sparse", requirement, sparse)
    return value


def _refuse_unknown(net: Network, unknown: Mapping[str, Any]) -> None:
    """Raise TypeError for a setting that fit has not, with its name here or the nearest one."""
    for name, value in unknown.items():
        known = [p for p in inspect.signature(net.fit).parameters if p != "unknown"]
        refuse("fit", name, value, FOREIGN.get(name), known)
