"""Claims of direction: that one thing is larger than another, over seeds."""

import math
import statistics
from dataclasses import dataclass

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
    """

    text: str
    differences: tuple[float, ...]
    unit: str = ""
    source: str = ""
    digits: int = 2

    @property
    def word(self) -> str:
        """What the seeds say: "holds", "the opposite holds" or "not shown".

        The first two where the mean is more than two standard errors from 0, or, for two seeds
        and fewer, where all have one sign.
        """
        known = self._known()
        if not known:
            return NOT_SHOWN
        mean = statistics.fmean(known)
        if len(known) < 3:
            clear = min(known) > 0 or max(known) < 0
        else:
            clear = abs(mean) > 2.0 * statistics.stdev(known) / math.sqrt(len(known))
        if not clear:
            return NOT_SHOWN
        return HOLDS if mean > 0 else OPPOSITE

    @property
    def evidence(self) -> str:
        """The numbers that the word follows from."""
        known = self._known()
        if not known:
            return "every run diverged"
        unit = f" {self.unit}" if self.unit else ""
        text = f"by {statistics.fmean(known):.{self.digits}f}{unit} on average"
        if len(known) > 1:
            text += f" (sd {statistics.stdev(known):.{self.digits}f})"
        of = len(self.differences)
        text += f", with {sum(d > 0 for d in known)} of {of} seed{'' if of == 1 else 's'}"
        lost = of - len(known)
        return f"{text}; {lost} diverged" if lost else text

    def _known(self) -> list[float]:
        return [d for d in self.differences if math.isfinite(d)]
