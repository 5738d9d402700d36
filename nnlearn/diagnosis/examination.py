"""`diagnose`: all kinds asked for in turn, causes first."""

from collections.abc import Iterator, Mapping
from typing import Any

from nnlearn.diagnosis import from_data, from_history, from_rows, from_weights, kinds
from nnlearn.diagnosis.findings import Finding, Findings
from nnlearn.diagnosis.observation import Observed, observe
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.tables import count


def diagnose(net: Network | History, x: Any = None, y: Any = None) -> Findings:
    """Say in plain words what is wrong with a network, with the evidence, and what to try.

    Parameters
    ----------
    net : Network or History
        The network, which stays as it is, or what its training recorded.
    x : array_like, shape (n, n_inputs), or Split, optional
        Rows to send through the network, as `Network.forward` takes them; best those it was
        trained on. Of many, 2,000 spread evenly are looked at, fewer where rows and layers are
        very wide.
    y : array_like, optional
        Their labels or targets.

    Returns
    -------
    Findings
        A sequence of `Finding`, causes before what they cause; empty when nothing was found. Its
        text says what was looked at and what could not be.

    Raises
    ------
    TypeError, ValueError
        If `net` is neither, x or y do not fit, y comes without x, or x beside a History.

    See Also
    --------
    Network.inspect : The inside of a network, sample by sample.

    Notes
    -----
    The kinds, in the order of the findings. *The guess* is the loss of the best constant outputs:
    from y where every class occurs in it, else of classes equally frequent; of a History, and for
    regression without y, the loss of the first five steps stands in for it. *Saturated* is a
    sigmoid outside [.01, .99] or a tanh beyond .98.

    =======================  ========  ============================================================
    kind                     needs     found when
    =======================  ========  ============================================================
    inputs not scaled        x         a column's root mean square is above 10, or no |x| reaches
                                       0.02, or the largest |x| of the columns differ 100 times
                                       (the largest column against the 10% smallest, those of zeros
                                       left out)
    y unrelated to x         x, y      the loss of validation was never below 0.9 of the guess
                                       (without validation that of the last epoch is not) after 500
                                       steps or more, and of at least 100 rows no column of x, nor
                                       a hidden unit with the start weights, nor the square of one
                                       about its mean, has a correlation of 6/sqrt(rows) with a
                                       class or target
    identical units          weights   all units of a hidden dense layer have the same weights and
                                       bias, before and behind them, to 0.001 of the largest, and
                                       the penalty is not too large
    penalty too large        history   the loss is at least 0.3 of the guess, an epoch lowers it by
                                       less than 10%, and the penalty is at least 0.25 of the loss;
                                       or lambda/n >= 0.001 and a layer's weights have a root mean
                                       square below 0.2/sqrt(n_in)
    learning rate too high   history   the fit diverged; or the loss is 1.08 of the guess or more
                                       though some layer's weights have moved by their start size;
                                       or it ended 0.1 of the guess and 25% above its lowest; or it
                                       rose by 0.05 of the guess in 20% of the later half of its
                                       epochs, 2 at least; or the loss of a step became 3 times the
                                       first one's within 100 steps and the last epoch's is still
                                       0.3 of the guess (of a History alone: that of the first
                                       step)
    weights not finite       weights   a weight or bias is NaN or infinite; only whether the fit
                                       diverged is asked beside
    saturated units          x         of a hidden layer of sigmoid or tanh 50% of the activations
                                       are saturated, and were with the start weights; or 20% of
                                       its units are saturated on the same side for 99% of the rows
    dead ReLUs               x         25% of a hidden layer's ReLUs are 0 for every row
    exploding gradients      x, y      a layer's delta is 100 times as large as that of the outputs
    vanishing gradients      x, y      a layer's delta is 0.001 of that of the outputs or less, no
                                       later layer is saturated or dead, and the penalty is not too
                                       large
    learning rate too low    history   over at least 3 epochs and 500 steps the loss fell in every
                                       epoch, in the last by less than 25% and by 0.001 of its
                                       whole way or more, and is still 0.3 of the guess; the loss
                                       of validation is lower than it was halfway; weights have
                                       moved by less than 2 times their start size, none of the
                                       first 100 steps had 2 times the first one's loss, the
                                       penalty has not become 0.5 of what it was, and nothing above
                                       was found
    class never predicted    x, y      a class of at least 10 rows is predicted for no row, or for
                                       less than 10% of its own, by a network that has been trained
    stuck output             x, y      a sigmoid output is below 0.01 for 90% of at least 10 rows
                                       of its own class, in a network that has been trained
    overfitting              history   5 epochs after its lowest the validation loss ends 30% above
                                       it while the training loss has become 0.5 of what it was; or
                                       after 10 epochs the training accuracy is 0.9 or more and 0.1
                                       above that of validation
    =======================  ========  ============================================================

    Why these limits. A well-trained sigmoid layer is saturated too: 784-30-10 has 80 % of its
    hidden activations beyond the limits after ten epochs on MNIST, on either side, and learns. What
    tells the ill layer is that it began so (the seed gives the start weights anew), or that units
    say the same for nearly all rows: none of 30 does so at learning_rate=0.5, 4 to 13 do at 3, all
    at 50. Outputs that are right are saturated, so output layers are not asked. A layer of ReLUs
    that learns well may have some dead ones: with dropout 12 to 21 of 100 were.

    The loss of constant outputs is a scale that every problem has. A network that has learnt the
    frequencies of the classes alone sits there, and mini-batches shake it up to some per cent
    above: hence 1.08, while quadratic cost with all outputs stuck at 0 has 1.11 of it for ten
    classes. The usual lambda/n is 0.0001, as of l2=5 for 50,000 samples: then the penalty may be
    half of a loss that is small, but not of one near the guess. A low rate lowers the loss in every
    epoch, moves weights little and throws no step up; a high one that happens to recover does so
    too from epoch to epoch, and has left its mark in the first steps. A validation loss that ends
    10 to 20 % above its lowest is how a fit without penalty ends, and no finding.

    Labels shuffled for themselves look like a low rate to the training loss, which then falls
    slowly as rows are learnt by heart, and like a high one where steps are larger. Correlations
    tell it: of 2,000 digits the largest is 24/sqrt(rows), shuffled 4.2 to 5.6. A y that goes
    with x in a way that none of them shows is mistaken for it until the loss has fallen.

    A History alone knows no weights and no guess, so it tells less. Sample weights scale the
    recorded loss: where their mean is far from 1 the guess does not fit. lambda/n is worked out
    from the penalty as if all of it were l2. Momentum and Adam change what a learning rate means,
    not what the curves look like. Start weights come from the seed: of a network whose weights were
    set by hand, what is said of its start is not so.

    References
    ----------
    .. [1] M. Nielsen, "Neural Networks and Deep Learning", chapters 3 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> import nnlearn as nn
    >>> digits = nn.datasets.load_mnist_small().train[:500]
    >>> net = nn.Network([784, 30, 10], activation="relu", init="he", seed=1)
    >>> net.biases[0] = np.full(30, -10.0, np.float32)
    >>> nn.diagnose(net, digits)[0].sentence
    '30 of 30 units are 0 for each of 500 rows (the median bias is -10)'
    >>> net.reset()
    Network([784, Dense(30, relu), Dense(10, sigmoid)], cost='cross_entropy', seed=1)
    >>> nn.diagnose(net, digits).kinds
    ()
    """
    seen = observe(net, x, y)
    found = _some(from_weights.not_finite(seen))
    if found:  # what else could be looked at is made of them
        causes = _some(from_history.rate_too_high(seen)) if from_history.diverged(seen) else []
        return Findings([*causes, *found], tuple(_looked_at(seen)), _not_looked_at(seen))
    found += _some(from_rows.inputs_not_scaled(seen))
    found += _some(from_data.unrelated(seen))
    penalty = _some(from_history.penalty_too_large(seen))
    found += penalty or from_weights.identical_units(seen)  # weights of 0 are alike
    found += _some(from_history.rate_too_high(seen))
    found += from_rows.saturated_units(seen)
    found += from_rows.dead_relus(seen)
    found += from_rows.gradients(seen, found[:])
    if not found:
        found += _some(from_history.rate_too_low(seen))
    found += from_rows.classes_lost(seen, found[:])
    found += _some(from_history.overfitting(seen))
    order = list(kinds.KINDS)
    found.sort(key=lambda finding: order.index(finding.kind))  # stable: layers stay in order
    return Findings(found, tuple(_looked_at(seen)), _not_looked_at(seen))


def _some(finding: Finding | None) -> list[Finding]:
    return [] if finding is None else [finding]


def _looked_at(seen: Observed) -> Iterator[str]:
    """What was there, in words."""
    if seen.net is not None:
        yield "the weights"
    epochs = len(seen.history)
    if epochs or seen.history.stop_reason:
        yield f"the history of {count(epochs, 'epoch')}"
    if seen.sample is not None:
        n, n_all = seen.sample.x.shape[0], seen.sample.n_all
        of = "" if n == n_all else f" of {n_all:,}"
        answers = "x and y" if seen.sample.has_answers else "x"
        yield f"{n:,}{of} rows of {answers}"


def _not_looked_at(seen: Observed) -> Mapping[str, str]:
    """Kinds that could not be told, with the reason."""
    reasons: dict[str, str] = {}
    for kind, rule in kinds.KINDS.items():
        reason = _missing(seen, kind, rule.needs)
        if reason:
            reasons[kind] = reason
    return reasons


def _missing(seen: Observed, kind: str, needs: str) -> str:
    """What a kind would need that is not there; empty where all is."""
    is_told = kind == kinds.LOST or (kind == kinds.RATE_HIGH and from_history.diverged(seen))
    if seen.not_finite and not is_told:
        return "the weights are not finite"
    if needs == "history" or (kind == kinds.UNRELATED and _has_answers(seen)):
        return _missing_epochs(seen, kind)
    if seen.net is None:
        return "a History alone has no network"
    if needs == "weights":
        return ""
    if seen.sample is None:
        return "needs x and y" if "y" in needs else "needs x"
    if "y" in needs and not seen.sample.has_answers:
        return "needs y"
    few = seen.sample.x.shape[0] < kinds.FEWEST_ROWS
    if kind == kinds.DEAD and few:
        return f"needs {kinds.FEWEST_ROWS} rows"
    if kind in (kinds.NEVER, kinds.STUCK):
        if seen.sample.classes is None:
            return "there are no classes"
        return "" if seen.is_trained else "not trained yet"
    return ""


def _has_answers(seen: Observed) -> bool:
    return seen.sample is not None and seen.sample.has_answers


def _missing_epochs(seen: Observed, kind: str) -> str:
    """What the history lacks for a kind."""
    epochs = len(seen.history)
    if not epochs:
        diverged = kind == kinds.RATE_HIGH and from_history.diverged(seen)
        return "" if diverged else "no epoch recorded"
    if "loss" not in seen.history:
        return "no loss recorded"
    if kind == kinds.OVERFITTING and from_history.validation_name(seen) is None:
        return "fit without validation="
    limits = kinds.KINDS[kind].limits
    if kind == kinds.UNRELATED:
        assert seen.sample is not None
        few = seen.sample.x.shape[0] < limits["rows"]
        few = few or seen.history.step_loss.size < limits["steps"]
        return f"needs {limits['rows']:g} rows and {limits['steps']:g} steps" if few else ""
    if kind != kinds.RATE_LOW:
        return ""
    if seen.history["epoch"][0] != 1:
        return "needs the first epoch"
    few = epochs < limits["epochs"] or seen.history.step_loss.size < limits["steps"]
    return f"needs {limits['epochs']:g} epochs and {limits['steps']:g} steps" if few else ""
