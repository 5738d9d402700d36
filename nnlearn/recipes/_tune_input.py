"""What `tune` is given: refused where it is wrong, and what is to be said of it beforehand."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nnlearn import _checks
from nnlearn._holdout import hold_out, share, shuffled
from nnlearn._settings import Names
from nnlearn.data import Dataset, check_dataset
from nnlearn.diagnosis.from_rows import inputs_not_scaled
from nnlearn.diagnosis.observation import observe
from nnlearn.network import Network

#: The share of the training set that is held out where there is no validation set.
HELD_OUT = 0.1


def remark_on(data: Dataset, untrained: Network) -> str:
    """What `diagnose` says of the size of the inputs; empty where nothing is wrong with it."""
    finding = inputs_not_scaled(observe(untrained, data.train, None))
    return "" if finding is None else str(finding).replace("give fit", "give tune")


def check_common(common: Mapping[str, Any]) -> None:
    """Refuse what is no setting of Network, and what is decided here."""
    known = Names.of(Network)
    for name in common:
        if name == "layers":
            _checks.fail(TypeError, "the settings", "be those of Network", name, "give hidden=")
        if name in known.fit and name not in ("seed", "n_threads", "verbose"):
            hint = "what fit is given is chosen here"
            _checks.fail(TypeError, "the settings", "be those of Network", name, hint)
    Names(known.network, ()).check("the settings", common)


def check_hidden(hidden: Any) -> Any:
    """The hidden layers, as often as they are asked for."""
    if isinstance(hidden, (int, np.integer)) and not isinstance(hidden, bool):
        return hidden
    if isinstance(hidden, (str, bytes, bool)) or not isinstance(hidden, Iterable):
        _checks.fail(TypeError, "hidden", "be a sequence of layers", hidden)
    return list(hidden)


def with_validation(data: Any, seed: int) -> tuple[Dataset, bool]:
    """The data with a validation set, and whether it was held out for that."""
    data = check_dataset(data)
    if data.validation is not None and len(data.validation):
        return data, False
    train = data.train
    if len(train) < 2:
        _checks.fail(ValueError, "data", "have two training samples at least", data)
    n = len(train)
    kept, held = hold_out(shuffled(n, seed), share(n, HELD_OUT), train.y)
    parts = [train._with(train.x[rows], train.y[rows]) for rows in (kept, held)]
    return Dataset(parts[0], parts[1], data.test, source=data.source), True
