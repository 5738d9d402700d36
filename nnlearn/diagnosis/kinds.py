"""The kinds of trouble and their limits: the one place where a threshold stands.

`diagnose`'s docstring has the same table; a test holds the two against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Fewer rows do not tell whether a unit is always 0 or saturated, nor whether y depends on x.
FEWEST_ROWS = 100


@dataclass(frozen=True)
class Kind:
    """A kind of trouble.

    Attributes
    ----------
    needs : str
        What it is told from.
    rule : str
        When it is found, with the limits' names in braces.
    limits : mapping of str to float
        The thresholds.
    """

    needs: str
    rule: str
    limits: Mapping[str, float]

    def described(self) -> str:
        """The rule with its numbers."""
        return self.rule.format(**self.limits)


def _kind(needs: str, rule: str, **limits: float) -> Kind:
    return Kind(needs, rule, MappingProxyType(limits))


INPUTS = "inputs not scaled"
UNRELATED = "y unrelated to x"
IDENTICAL = "identical units"
PENALTY = "penalty too large"
RATE_HIGH = "learning rate too high"
LOST = "weights not finite"
SATURATED = "saturated units"
DEAD = "dead ReLUs"
EXPLODING = "exploding gradients"
VANISHING = "vanishing gradients"
RATE_LOW = "learning rate too low"
NEVER = "class never predicted"
STUCK = "stuck output"
OVERFITTING = "overfitting"

#: Every kind, causes before what they cause: the order of `Findings`.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        INPUTS: _kind(
            "x",
            "a column's root mean square is above {largest:g}, or no |x| reaches {smallest:g}, or "
            "the largest |x| of the columns differ {ratio:g} times (the largest column against "
            "the {share:.0%} smallest, those of zeros left out)",
            largest=10.0,
            smallest=0.02,
            ratio=100.0,
            share=0.1,
        ),
        UNRELATED: _kind(
            "x, y",
            "the loss of validation was never below {high:g} of the guess (without validation that "
            "of the last epoch is not) after {steps:g} steps or more, and of at least {rows:g} "
            "rows no column of x, nor a hidden unit with the start weights, nor the square of one "
            "about its mean, has a correlation of {errors:g}/sqrt(rows) with a class or target",
            high=0.9,
            steps=500,
            rows=FEWEST_ROWS,
            errors=6.0,
        ),
        IDENTICAL: _kind(
            "weights",
            "all units of a hidden dense layer have the same weights and bias, before and behind "
            "them, to {alike:g} of the largest, and the penalty is not too large",
            alike=0.001,
        ),
        PENALTY: _kind(
            "history",
            "the loss is at least {high:g} of the guess, an epoch lowers it by less than "
            "{fall:.0%}, and the penalty is at least {share:g} of the loss; or lambda/n >= "
            "{decay:g} and a layer's weights have a root mean square below {size:g}/sqrt(n_in)",
            high=0.3,
            fall=0.1,
            share=0.25,
            decay=0.001,
            size=0.2,
        ),
        RATE_HIGH: _kind(
            "history",
            "the fit diverged; or the loss is {worse:g} of the guess or more though some layer's "
            "weights have moved by their start size; or it ended {rise:g} of the guess and "
            "{factor:.0%} above its lowest; or it rose by {swing:g} of the guess in {often:.0%} "
            "of the later half of its epochs, {fewest:g} at least; or the loss of a step became "
            "{peak:g} times the first one's within {steps:g} steps and the last epoch's is still "
            "{still:g} of the guess (of a History alone: that of the first step)",
            worse=1.08,
            rise=0.1,
            factor=0.25,
            swing=0.05,
            often=0.2,
            fewest=2,
            peak=3.0,
            steps=100,
            still=0.3,
        ),
        LOST: _kind(
            "weights",
            "a weight or bias is NaN or infinite; only whether the fit diverged is asked beside",
        ),
        SATURATED: _kind(
            "x",
            "of a hidden layer of sigmoid or tanh {share:.0%} of the activations are saturated, "
            "and were with the start weights; or {units:.0%} of its units are saturated on the "
            "same side for {same:.0%} of the rows",
            share=0.5,
            units=0.2,
            same=0.99,
        ),
        DEAD: _kind(
            "x",
            "{units:.0%} of a hidden layer's ReLUs are 0 for every row",
            units=0.25,
        ),
        EXPLODING: _kind(
            "x, y",
            "a layer's delta is {ratio:g} times as large as that of the outputs",
            ratio=100.0,
        ),
        VANISHING: _kind(
            "x, y",
            "a layer's delta is {ratio:g} of that of the outputs or less, no later layer is "
            "saturated or dead, and the penalty is not too large",
            ratio=0.001,
        ),
        RATE_LOW: _kind(
            "history",
            "over at least {epochs:g} epochs and {steps:g} steps the loss fell in every epoch, in "
            "the last by less than {fall:.0%} and by {flat:g} of its whole way or more, and is "
            "still {high:g} of the guess; the loss of validation is lower than it was halfway; "
            "weights have moved by less than {moved:g} times their start size, none of the first "
            "{early:g} steps had {peak:g} times the first one's loss, the penalty has not become "
            "{shrunk:g} of what it was, and nothing above was found",
            epochs=3,
            steps=500,
            fall=0.25,
            flat=0.001,
            high=0.3,
            moved=2.0,
            early=100,
            peak=2.0,
            shrunk=0.5,
        ),
        NEVER: _kind(
            "x, y",
            "a class of at least {rows:g} rows is predicted for no row, or for less than "
            "{recall:.0%} of its own, by a network that has been trained",
            rows=10,
            recall=0.1,
        ),
        STUCK: _kind(
            "x, y",
            "a sigmoid output is below {low:g} for {share:.0%} of at least {rows:g} rows of its "
            "own class, in a network that has been trained",
            low=0.01,
            share=0.9,
            rows=10,
        ),
        OVERFITTING: _kind(
            "history",
            "{after:g} epochs after its lowest the validation loss ends {rise:.0%} above it while "
            "the training loss has become {fell:g} of what it was; or after {epochs:g} epochs the "
            "training accuracy is {accuracy:g} or more and {gap:g} above that of validation",
            after=5,
            rise=0.3,
            fell=0.5,
            epochs=10,
            accuracy=0.9,
            gap=0.1,
        ),
    }
)

#: Rows of x that are looked at, and numbers that an inspection of them may hold.
MOST_ROWS, MOST_NUMBERS = 2000, 40_000_000
