"""What the record of training tells: rates, penalties, overfitting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.findings import Finding
from nnlearn.diagnosis.kinds import KINDS
from nnlearn.diagnosis.observation import Observed

Array = npt.NDArray[Any]

_DIVERGED = "diverged"  # how the stop_reason of such a fit begins


def penalty_too_large(seen: Observed) -> Finding | None:
    """A penalty that leaves the weights no room: it rules the cost, or they are near 0."""
    limits, history = KINDS[kinds.PENALTY].limits, seen.history
    if not len(history) or "cost" not in history:  # that is loss and penalty
        return None
    loss, penalty = history["loss"], float(history["penalty"][-1])
    if penalty <= 0 or loss[-1] < limits["high"] * seen.scale:
        return None
    evidence = {"penalty": penalty, "loss": float(loss[-1]), "guess": seen.scale}
    words = f"the loss stays at {loss[-1]:.3g} (that {seen.scale_name} is {seen.scale:.3g})"
    decay, smallest, layer = _decay(seen, penalty)
    stalls = len(loss) > 1 and loss[-1] > (1 - limits["fall"]) * loss[-2]
    is_ruled = stalls and penalty >= limits["share"] * loss[-1]
    are_dead = decay >= limits["decay"] and smallest < limits["size"]
    if not is_ruled and not are_dead:
        return None
    if math.isfinite(decay):
        evidence |= {"lambda/n": decay, "size": smallest}
    if are_dead:
        words += f", and weights have shrunk to {smallest:.2g}/sqrt(n_in), near 0"
        words += f" (lambda/n is {decay:.2g}, if the penalty is l2)"
        if seen.inside is not None:
            spread = float(seen.inside.a[-1].std(axis=0).max())
            evidence["spread"] = spread
            words += f"; an output differs by {spread:.1g} between rows"
    else:
        words += f", while the penalty is {penalty:.3g}"
    advice = "lower l2 (or l1) by factors of 10 until the loss falls"
    return Finding(kinds.PENALTY, layer if are_dead else None, None, evidence, words, advice)


def _decay(seen: Observed, penalty: float) -> tuple[float, float, str | None]:
    """Lambda/n as the penalty tells it, the size of the smallest layer of weights, its name."""
    if seen.net is None:
        return math.nan, math.inf, None
    squares = [float(np.square(w, dtype=np.float64).sum()) for w in seen.net.weights]
    sizes = [math.sqrt(s / w.shape[1]) for s, w in zip(squares, seen.net.weights, strict=True)]
    i = int(np.argmin(sizes))
    return 2 * penalty / sum(squares) if sum(squares) else math.nan, sizes[i], seen.layer(i)


def rate_too_high(seen: Observed) -> Finding | None:
    """A cost that blows up, swings, rises, or is worse than knowing nothing."""
    history = seen.history
    told = _diverged(seen)
    if told is None and len(history) and "loss" in history:
        told = _worse_than_guess(seen) or _climbed(seen) or _rose(seen) or _swings(seen)
    if told is None:
        return None
    epoch, evidence, sentence = told
    rate, shown = _last_rate(seen)
    advice = f"divide learning_rate{shown} by 10 (nn.find_learning_rate finds one)"
    evidence |= rate
    return Finding(kinds.RATE_HIGH, None, epoch, evidence, sentence, advice)


Told = tuple[int | None, dict[str, float], str]


def diverged(seen: Observed) -> bool:
    """Whether the last fit ended in NaN or infinity."""
    return seen.history.stop_reason.startswith(_DIVERGED)


def _diverged(seen: Observed) -> Told | None:
    if not diverged(seen):
        return None
    epoch = int(seen.history.stop_reason.rpartition(" ")[2])
    return epoch, {"epoch": epoch}, f"the loss or a weight became NaN or infinite in epoch {epoch}"


def _worse_than_guess(seen: Observed) -> Told | None:
    """The loss is above that of constant outputs, in weights that have gone far."""
    limits, loss, guess = KINDS[kinds.RATE_HIGH].limits, seen.history["loss"], seen.guess
    far = max(seen.moved, default=0.0)
    if guess is None or loss[-1] < limits["worse"] * guess or far < 1:
        return None
    high = loss >= limits["worse"] * guess
    since = len(loss) - int(np.argmin(high[::-1])) if not high.all() else 0
    words = f"the loss is {loss[-1]:.3g}, worse than the {guess:.3g} of constant outputs, and the "
    words += f"weights have moved by {far:.2g} times their start size"
    evidence = {"loss": float(loss[-1]), "guess": guess, "moved": far}
    return int(seen.history["epoch"][since]), evidence, words


def _climbed(seen: Observed) -> Told | None:
    """The first steps threw the loss up, and training has not made up for it."""
    limits, steps = KINDS[kinds.RATE_HIGH].limits, seen.history.step_loss
    if not steps.size or seen.history["epoch"][0] != 1:
        return None
    first, last = float(steps[0]), float(seen.history["loss"][-1])
    peak = float(steps[: int(limits["steps"])].max())
    low = first if seen.guess is None else limits["still"] * seen.guess
    if peak < limits["peak"] * first or last < low:
        return None
    words = f"the loss of a step rose from {first:.3g} to {peak:.3g} within {limits['steps']:g} "
    words += f"steps, and the last epoch's is {last:.3g}"
    return 1, {"first": first, "peak": peak, "loss": last}, words


def _rose(seen: Observed) -> Told | None:
    """The training loss ended well above its lowest."""
    limits, loss = KINDS[kinds.RATE_HIGH].limits, seen.history["loss"]
    at = int(np.argmin(loss))
    least, last = float(loss[at]), float(loss[-1])
    if last - least < limits["rise"] * seen.scale or last < (1 + limits["factor"]) * least:
        return None
    epoch = int(seen.history["epoch"][at])
    words = f"the training loss rose from {least:.3g} at epoch {epoch} to {last:.3g}"
    return epoch, {"lowest": least, "loss": last}, words


def _swings(seen: Observed) -> Told | None:
    """The training loss goes up and down from epoch to epoch."""
    limits, loss = KINDS[kinds.RATE_HIGH].limits, seen.history["loss"]
    steps = np.diff(loss)[(len(loss) - 1) // 2 :]
    rises = steps[steps >= limits["swing"] * seen.scale]
    if rises.size < max(limits["often"] * steps.size, limits["fewest"]):
        return None
    words = f"the training loss rose in {rises.size} of the last {steps.size} epochs, by up to "
    words += f"{rises.max():.3g}"
    evidence = {"rises": rises.size, "epochs": steps.size, "largest": float(rises.max())}
    return int(seen.history["epoch"][-steps.size]), evidence, words


def rate_too_low(seen: Observed) -> Finding | None:
    """A cost that falls steadily and has hardly got anywhere; to be asked after all causes."""
    limits, history = KINDS[kinds.RATE_LOW].limits, seen.history
    loss, n_steps = history["loss"] if "loss" in history else np.empty(0), history.step_loss.size
    if len(loss) < limits["epochs"] or n_steps < limits["steps"] or history["epoch"][0] != 1:
        return None
    if not (np.diff(loss) < 0).all() or loss[-1] < limits["high"] * seen.scale:
        return None
    last_fall = 1 - float(loss[-1] / loss[-2])
    if last_fall >= limits["fall"]:
        return None
    if not _validation_fell(seen):  # a low rate lowers both; noise learnt by heart, one of them
        return None
    is_flat = loss[-2] - loss[-1] < limits["flat"] * (seen.first_loss - loss[-1])
    if is_flat or _penalty_shrank(seen) or _went_far(seen):  # another trouble
        return None
    words = f"the loss fell in every epoch, in the last by {last_fall:.2g} of itself, but is "
    words += f"{loss[-1]:.3g} after {n_steps:,} steps (that {seen.scale_name} is {seen.scale:.3g})"
    evidence = {"loss": float(loss[-1]), "guess": seen.scale, "fall": last_fall, "steps": n_steps}
    if seen.moved:
        evidence["moved"] = max(seen.moved)
        words += f"; no layer's weights have moved by more than {max(seen.moved):.2g} of their size"
    rate, shown = _last_rate(seen)
    evidence |= rate
    advice = f"multiply learning_rate{shown} by 10, and again while the loss falls faster"
    if seen.sample is None:  # saturated units, too, make the loss fall slowly
        advice += ", once diagnose(net, x, y) has found no other cause"
    return Finding(kinds.RATE_LOW, None, None, evidence, words, advice)


def _went_far(seen: Observed) -> bool:
    """Whether weights, or the loss of an early step, went further than a low rate takes them."""
    limits, steps = KINDS[kinds.RATE_LOW].limits, seen.history.step_loss
    peak = float(steps[: int(limits["early"])].max())
    return max(seen.moved, default=0.0) >= limits["moved"] or peak >= limits["peak"] * steps[0]


def _validation_fell(seen: Observed) -> bool:
    """Whether the loss of validation, where there is one, is lower than it was halfway."""
    name = validation_name(seen)
    losses = seen.history[f"{name}_loss"] if name is not None else np.empty(0)
    known = losses[np.isfinite(losses)]
    return known.size < 2 or bool(known[-1] < known[(known.size - 1) // 2])


def _penalty_shrank(seen: Observed) -> bool:
    """Whether the weights have shrunk much, which a low rate cannot do."""
    penalty = seen.history["penalty"] if "penalty" in seen.history else np.zeros(1)
    return bool(penalty[-1] < KINDS[kinds.RATE_LOW].limits["shrunk"] * penalty[0])


def overfitting(seen: Observed) -> Finding | None:
    """The validation loss rises while the training loss falls, or accuracies that part."""
    history, name = seen.history, validation_name(seen)
    if name is None or "loss" not in history:
        return None
    known = np.flatnonzero(np.isfinite(history[f"{name}_loss"]))
    if not known.size:
        return None
    val = history[f"{name}_loss"][known]
    best = int(np.argmin(val))
    last = slice(-max(3, len(val) // 10), None)
    told = _loss_rose(history["loss"][known], val, best, last, known)
    if told is None and "accuracy" in history:
        told = _accuracies_part(
            history["accuracy"][known], history[f"{name}_accuracy"][known], last, known
        )
    if told is None:
        return None
    row, evidence, words = told
    advice = "raise l2, use dropout, or get more data"
    lowest = int(history["epoch"][known[best]])
    if known[best] > row:  # the accuracies were apart before
        advice += f"; to end at epoch {lowest}, where the validation loss was lowest, is too late"
    elif len(val) - 1 - best >= KINDS[kinds.OVERFITTING].limits["after"]:
        advice = f"end at epoch {lowest} (early_stopping), or {advice}"
    return Finding(kinds.OVERFITTING, None, int(history["epoch"][row]), evidence, words, advice)


def validation_name(seen: Observed) -> str | None:
    """What the columns of the validation set begin with; of several sets the first."""
    names = [c.removesuffix("_loss") for c in seen.history.columns if c.endswith("_loss")]
    names = [name for name in names if name != "train"]
    return "val" if "val" in names else names[0] if names else None


def _loss_rose(
    loss: Array, val: Array, best: int, last: slice, epochs: Array
) -> tuple[int, dict[str, float], str] | None:
    """The row of the lowest validation loss, where it is far below the last ones."""
    limits = KINDS[kinds.OVERFITTING].limits
    end, training = float(np.median(val[last])), float(np.median(loss[last]))
    enough = epochs[-1] - epochs[best] >= limits["after"]
    rose = end >= (1 + limits["rise"]) * val[best]
    if not enough or not rose or training > limits["fell"] * loss[best]:
        return None
    words = f"the validation loss rose from {val[best]:.3g} to {end:.3g} while the training loss "
    words += f"fell from {loss[best]:.3g} to {training:.3g}"
    evidence = {"lowest": float(val[best]), "val_loss": end, "loss": training}
    return int(epochs[best]), evidence, words


def _accuracies_part(
    accuracy: Array, val: Array, last: slice, epochs: Array
) -> tuple[int, dict[str, float], str] | None:
    """The row where the accuracies first are that far apart, where they are so in the end."""
    limits = KINDS[kinds.OVERFITTING].limits
    training, validation = float(np.median(accuracy[last])), float(np.median(val[last]))
    if epochs[-1] + 1 < limits["epochs"] or training < limits["accuracy"]:
        return None
    if training - validation < limits["gap"]:
        return None
    points = 100 * (training - validation)
    words = f"the training accuracy is {training:.1%}, that of validation {validation:.1%}: "
    words += f"{points:.0f} points apart"
    row = int(epochs[np.argmax(accuracy - val >= limits["gap"])])
    return row, {"accuracy": training, "val_accuracy": validation}, words


def _last_rate(seen: Observed) -> tuple[dict[str, float], str]:
    """The learning rate of the last epoch, as evidence and in brackets; nothing if not recorded."""
    history = seen.history
    if not len(history) or "learning_rate" not in history:
        return {}, ""
    rate = float(history["learning_rate"][-1])
    return {"learning_rate": rate}, f" ({rate:g})"
