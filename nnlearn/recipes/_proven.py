"""What the first step of a strategy has shown of learning rates: the later ones keep to it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnlearn.recipes._steps import Trial

#: The mini-batch size that the first step trains with.
BATCH_SIZE = 10


@dataclass(frozen=True)
class Proven:
    """Between which learning rates learning was seen, and after how many epochs.

    Parameters
    ----------
    below, above : float
        The nearest rates on either side of the best with which nothing was learnt.
    epochs : int
        After how many epochs the best one had learnt something; 0 where that was not on all data.
    """

    below: float = 0.0
    above: float = math.inf
    epochs: int = 0

    def allows(self, learning_rate: float, batch_size: int = BATCH_SIZE) -> bool:
        """Whether a rate, in proportion to the mini-batch size, is not known to learn nothing."""
        return self.below < learning_rate * BATCH_SIZE / batch_size < self.above


def proven_by(
    trials: Sequence[Trial], best: Trial, reached: Mapping[float, int], *, on_all: bool
) -> Proven:
    """What the trials of the first step show.

    On few samples a low rate may look too low that is not so on all: it is no bound then.

    reached: by rate, the epoch after which something was learnt.
    """
    failed = [trial.learning_rate for trial in trials if trial.learning_rate not in reached]
    rate = best.learning_rate
    above = min((other for other in failed if other > rate), default=math.inf)
    if not on_all:
        return Proven(above=above)
    below = max((other for other in failed if other < rate), default=0.0)
    return Proven(below, above, reached[rate])
