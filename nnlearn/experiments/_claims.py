"""Claims of direction: that one thing is larger than another, over seeds."""

import math
import statistics
from dataclasses import dataclass

from nnlearn.experiments._student import two_sided
from nnlearn.tables import count

#: So improbable must a mean be, were there no difference, for a claim or its opposite to hold.
SIGNIFICANT = 0.05

HOLDS, NOT_SHOWN, OPPOSITE = "holds", "not shown", "the opposite holds"


@dataclass(frozen=True)
class Claim:
    """That something is larger than something else, with what the seeds say of it.

    Parameters
    ----------
    text : str
        The claim, a sentence without the full stop.
    differences : tuple of float
        For each seed by how much it holds: above 0 where it does. NaN where a run diverged.
    unit : str, default ""
        Of the differences.
    source : str, default ""
        Who claims it.
    digits : int, default 2
        Decimals that are shown.
    error : float, optional
        The standard error of the mean, where it is known otherwise than from the seeds' spread,
        as for one run by the size of its test set.
    chance : bool, default True
        Whether there is chance in it: False for one exact value.
    """

    text: str
    differences: tuple[float, ...]
    unit: str = ""
    source: str = ""
    digits: int = 2
    error: float | None = None
    chance: bool = True

    @property
    def word(self) -> str:
        """What the seeds say: "holds", "the opposite holds" or "not shown".

        The first two where a mean as far from 0 has a probability below 5 % if there is no
        difference: by Student's t over the seeds, or by the normal distribution where `error` is
        given. One seed alone shows nothing, unless its error is known, nor do fewer than half of
        the seeds.
        """
        known = self._known()
        if not known or 2 * len(known) < len(self.differences):
            return NOT_SHOWN
        mean = statistics.fmean(known)
        if not self.chance:
            clear = mean != 0
        elif self.error is not None:
            clear = math.erfc(abs(mean) / self.error / math.sqrt(2.0)) < SIGNIFICANT
        else:
            clear = _by_chance(known) < SIGNIFICANT
        if not clear:
            return NOT_SHOWN
        return HOLDS if mean > 0 else OPPOSITE

    @property
    def evidence(self) -> str:
        """The numbers that the word follows from."""
        known = self._known()
        if not known:
            return "no run has a value"
        unit = f" {self.unit}" if self.unit else ""
        mean = statistics.fmean(known)
        far = f"{abs(mean):.{self.digits}f}{unit}"
        lost = len(self.differences) - len(known)
        without = f"; {lost} without a value" if lost else ""
        if not any(known):
            return f"no difference at all{without}"
        how = "by" if mean >= 0 else "the other way by"
        if not self.chance:
            return f"{how} {far}"
        if len(self.differences) == 1 and self.error is None:
            return f"{how} {far} with the only seed, which is no measure of chance"
        text = f"{how} {far} on average"
        if len(known) > 1:
            text += f" (sd {statistics.stdev(known):.{self.digits}f})"
        elif self.error is not None:
            text = f"{how} {far} (standard error {self.error:.{self.digits}f})"
        of = len(self.differences)
        text += f", it is so with {sum(d > 0 for d in known)} of {count(of, 'seed')}"
        return text + without

    def _known(self) -> list[float]:
        return [d for d in self.differences if math.isfinite(d)]


def _by_chance(differences: list[float]) -> float:
    """How probable a mean as far from 0 is, were there no difference; 1 where one seed tells."""
    k, mean = len(differences), statistics.fmean(differences)
    if k < 2 or mean == 0.0:
        return 1.0
    error = statistics.stdev(differences) / math.sqrt(k)
    return two_sided(mean / error if error > 0.0 else math.inf, k - 1)
