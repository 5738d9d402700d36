"""What rows sent through the network tell: inputs, units, gradients, classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.findings import Finding
from nnlearn.diagnosis.kinds import FEWEST_ROWS, KINDS
from nnlearn.diagnosis.observation import Observed
from nnlearn.tables import count

Array = npt.NDArray[Any]


def inputs_not_scaled(seen: Observed) -> Finding | None:
    """Inputs far from the size that start weights and rates are made for."""
    if seen.inside is None:
        return None
    limits, x = KINDS[kinds.INPUTS].limits, seen.inside.a[0]
    rms = np.sqrt(np.square(x, dtype=np.float64).mean(axis=0))
    most = np.abs(x).max(axis=0).astype(np.float64)
    used = most[most > 0]
    if not used.size:
        return None
    column, largest = int(np.argmax(rms)), float(used.max())
    evidence = {"rms": float(rms[column]), "column": column, "largest": largest}
    if rms[column] > limits["largest"]:
        words = f"column {column} of x has a root mean square of {rms[column]:.3g}"
        words += f", and numbers up to {largest:.3g}"
        advice = "give fit x divided by 255 (or as uint8)" if _is_bytes(x) else _STANDARDISE
        return Finding(kinds.INPUTS, None, None, evidence, words, advice)
    if largest < limits["smallest"]:
        words = f"no number in x is larger than {largest:.2g} in size"
        return Finding(kinds.INPUTS, None, None, evidence, words, _STANDARDISE)
    small = float(np.quantile(used, limits["share"], method="lower"))
    if largest < limits["ratio"] * small:
        return None
    evidence |= {"small": small, "ratio": largest / small}
    words = f"the columns of x are up to {largest:.3g} and down to {small:.2g} in size, "
    words += f"{largest / small:.3g} times apart"
    return Finding(kinds.INPUTS, None, None, evidence, words, _STANDARDISE)


_STANDARDISE = "give fit (x - x.mean(0)) / (x.std(0) + 1e-7)"


def _is_bytes(x: Array) -> bool:
    """Whether the numbers look like pixels 0..255."""
    return bool(x.min() >= 0 and 128 <= x.max() <= 255 and (x == np.floor(x)).all())


def saturated_units(seen: Observed) -> Iterable[Finding]:
    """Hidden layers that answer in 0 and 1 alone, from the start or stuck on one side."""
    limits = KINDS[kinds.SATURATED].limits
    for i in _hidden(seen, "sigmoid", "tanh"):
        assert seen.inside is not None
        saturated, a = seen.inside.saturated[i], seen.inside.a[i + 1]
        high = saturated & (a > 0.5 if seen.inside.activations[i] == "sigmoid" else a > 0)
        side = np.maximum(high.mean(axis=0), (saturated & ~high).mean(axis=0))
        stuck, units = int((side >= limits["same"]).sum()), len(side)
        share, slope = float(saturated.mean()), float(seen.inside.slope(i).mean())
        begun = seen.start_saturated[i]
        from_start = share >= limits["share"] and begun >= limits["share"]
        is_stuck = stuck >= limits["units"] * units and len(a) >= FEWEST_ROWS
        if not from_start and not is_stuck:
            continue
        words = f"{share:.0%} of the activations are saturated (with the start weights {begun:.0%})"
        words += f", {stuck} of {count(units, 'unit')} on the same side for all rows or nearly all"
        words += f"; the mean slope is {slope:.2g}"
        evidence = {"saturated": share, "at start": begun, "stuck": stuck, "units": units}
        evidence["slope"] = slope
        advice = _unsaturate(seen, i) if begun >= limits["share"] else "lower learning_rate"
        yield Finding(kinds.SATURATED, seen.layer(i), None, evidence, words, advice)


def _unsaturate(seen: Observed, i: int) -> str:
    """What helps a layer that was saturated before training."""
    assert seen.net is not None
    if seen.net._architecture.dense[i].init in ("scaled", "xavier", "he", "zeros"):
        return "give fit smaller x: the start weights suit inputs of size 1"
    return 'make the network with init="scaled" or "xavier"'


def dead_relus(seen: Observed) -> Iterable[Finding]:
    """Hidden layers of which many ReLUs are 0 for every row."""
    limits = KINDS[kinds.DEAD].limits
    for i in _hidden(seen, "relu"):
        assert seen.inside is not None
        assert seen.net is not None
        a = seen.inside.a[i + 1]
        dead, units = int((a.max(axis=0) <= 0).sum()), a.shape[1]
        if dead < limits["units"] * units or len(a) < FEWEST_ROWS:
            continue
        bias = float(np.median(seen.net.biases[i]))
        words = f"{dead} of {count(units, 'unit')} are 0 for each of {len(a):,} rows (the median "
        words += f"bias is {bias:.3g})"
        evidence = {"dead": dead, "units": units, "rows": len(a), "bias": bias}
        advice = 'start from init="he", whose biases are 0, with a lower learning_rate'
        yield Finding(kinds.DEAD, seen.layer(i), None, evidence, words, advice)


def gradients(seen: Observed, found: Sequence[Finding]) -> Iterable[Finding]:
    """The first layer whose delta is far smaller, or larger, than that of the outputs."""
    if seen.inside is None or seen.sample is None or not seen.sample.has_answers:
        return
    sizes = [float(np.sqrt(np.square(d, dtype=np.float64).mean())) for d in seen.inside.delta]
    last = sizes[-1]
    if not last > 0:
        return
    names = [seen.layer(i) for i in range(len(sizes))]
    blocked = {f.layer for f in found if f.kind in (kinds.SATURATED, kinds.DEAD)}
    is_ruled = any(f.kind in (kinds.PENALTY, kinds.IDENTICAL) for f in found)
    for i, size in enumerate(sizes[:-1]):
        ratio = size / last
        words = f"its delta is {size:.2g}, that of the outputs {last:.2g}: a ratio of {ratio:.2g}"
        evidence = {"delta": size, "outputs": last, "ratio": ratio}
        if ratio >= KINDS[kinds.EXPLODING].limits["ratio"]:
            advice = 'make the network with init="xavier" ("he" for ReLUs), or with fewer layers'
            yield Finding(kinds.EXPLODING, names[i], None, evidence, words, advice)
            return
        is_small = ratio <= KINDS[kinds.VANISHING].limits["ratio"]
        if is_small and not is_ruled and blocked.isdisjoint(names[i:]):
            advice = 'take activation="relu" with init="he", or fewer layers'
            yield Finding(kinds.VANISHING, names[i], None, evidence, words, advice)
            return


def classes_lost(seen: Observed, found: Sequence[Finding]) -> Iterable[Finding]:
    """Classes that are never predicted, and outputs that stay 0 for their own class."""
    if seen.inside is None or seen.sample is None or seen.sample.classes is None:
        return
    assert seen.net is not None
    if not seen.is_trained:
        return
    classes, outputs = seen.sample.classes, seen.inside.a[-1]
    sizes = np.bincount(classes, minlength=seen.net._architecture.n_classes)
    predictions = seen.net.predict(seen.sample.x)
    predicted = np.bincount(predictions, minlength=len(sizes))
    right = np.bincount(classes[predictions == classes], minlength=len(sizes))
    limits = KINDS[kinds.NEVER].limits
    never = [int(k) for k in np.flatnonzero((sizes >= limits["rows"]) & (predicted == 0))]
    zero = _zero_for_their_own(seen, outputs, classes, sizes)
    silent = {k: share for k, share in zero.items() if k in never}
    stuck = {k: share for k, share in zero.items() if k not in never}
    is_rare = (sizes >= limits["rows"]) & (right < limits["recall"] * sizes)
    rare = [int(k) for k in np.flatnonzero(is_rare) if k not in never and k not in stuck]
    layer = seen.layer(len(seen.inside.z) - 1)
    if never or rare:
        evidence: dict[str, float] = {f"rows of class {k}": int(sizes[k]) for k in never + rare}
        evidence |= {f"right of class {k}": int(right[k]) for k in rare}
        words = _of_classes(never, rare, sizes, right)
        words += f"; {_of_outputs(silent)}" if silent else ""
        advice = _cure(seen, bool(silent), bool(found))
        yield Finding(kinds.NEVER, layer, None, evidence | _near_0(silent), words, advice)
    if stuck:
        words, advice = _of_outputs(stuck), _cure(seen, True, bool(found))
        yield Finding(kinds.STUCK, layer, None, _near_0(stuck), words, advice)


def _of_classes(never: Sequence[int], rare: Sequence[int], sizes: Array, right: Array) -> str:
    """In words what is never predicted, and what is seldom."""
    told = []
    if never:
        words = f"no row is predicted to be of {_listed('class', 'classes', never)}, "
        told.append(words + f"{sum(sizes[k] for k in never):,} of {sum(sizes):,} rows are")
    told += [f"{right[k]} of {sizes[k]:,} rows of class {k} are predicted as such" for k in rare]
    return "; ".join(told)


def _zero_for_their_own(
    seen: Observed, outputs: Array, classes: Array, sizes: Array
) -> dict[int, float]:
    """For each sigmoid output that is near 0 in its own class: the share of its rows."""
    limits = KINDS[kinds.STUCK].limits
    assert seen.inside is not None
    if seen.inside.activations[-1] != "sigmoid" or outputs.shape[1] == 1:
        return {}
    shares = {}
    for k in np.flatnonzero(sizes >= limits["rows"]):
        share = float((outputs[classes == k, k] < limits["low"]).mean())
        if share >= limits["share"]:
            shares[int(k)] = share
    return shares


def _near_0(zero: Mapping[int, float]) -> dict[str, float]:
    """The shares as evidence."""
    return {f"output {k} near 0": share for k, share in zero.items()}


def _of_outputs(zero: Mapping[int, float]) -> str:
    """The shares in words: ``output 3 is below 0.01 for 97% of the rows of its own class``."""
    low = KINDS[kinds.STUCK].limits["low"]
    words = f"{_listed('output', 'outputs', list(zero))} {'is' if len(zero) == 1 else 'are'} "
    least = min(zero.values())
    words += f"below {low:g} for {least:.0%}{'' if least == max(zero.values()) else ' or more'} of "
    return words + f"the rows of {'its' if len(zero) == 1 else 'their'} own class"


def _listed(one: str, many: str, numbers: Sequence[int]) -> str:
    """``class 3``, ``classes 3 and 8``, ``classes 1, 3 and 8``."""
    if len(numbers) == 1:
        return f"{one} {numbers[0]}"
    return f"{many} {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _cure(seen: Observed, is_silent: bool, has_causes: bool) -> str:
    """What helps outputs that are wrong for a whole class."""
    assert seen.net is not None
    if is_silent and seen.net.cost == "quadratic":
        return 'take cost="cross_entropy", whose delta does not vanish at a wrong 0 or 1'
    if has_causes:
        return "cure first what stands above"
    return 'fit for more epochs, or with class_weight="balanced"'


def _hidden(seen: Observed, *activations: str) -> list[int]:
    """The hidden layers with one of these activations."""
    if seen.inside is None:
        return []
    hidden = seen.inside.activations[:-1]
    return [i for i, name in enumerate(hidden) if name in activations]
