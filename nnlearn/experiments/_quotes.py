"""Quoted numbers, what was measured beside them, and the rule that says whether they agree."""

import math
import statistics
from dataclasses import dataclass

#: How a quoted number came about, and the words for it.
KINDS = {
    "last": "last epoch",
    "best": "best epoch",
    "best of three": "best epoch of the best of three runs",
    "one run": "one run",
    "exact": "no chance in it",
}

AGREES, DIFFERS, NOT_COMPARABLE = "agrees", "differs", "not comparable"


@dataclass(frozen=True)
class Quote:
    """A number that somebody published, or that a replay of published settings gives.

    Parameters
    ----------
    value : str
        As it is printed, ``"95.49"``: its digits say how finely it was rounded.
    source : str
        Where it stands.
    settings : str
        What it was measured with, and on which set.
    kind : {"last", "best", "best of three", "one run", "exact"}
        How it came about; "one run" for what one run gave otherwise, at an epoch that `settings`
        names, say; "exact" for what has no chance in it.
    why_not : str, default ""
        Why it cannot be compared, where it cannot.
    if_it_differs : str, default ""
        What explains a difference, shown where there is one.
    of_data : bool, default True
        Whether it was measured on MNIST, so that fewer digits give other numbers.
    cut : bool, default False
        Whether its digits are cut off after the last one, not rounded.
    replay : bool, default False
        Whether nobody published it: what the settings give was worked out apart from this package.
        Such numbers are counted apart.
    """

    value: str
    source: str
    settings: str
    kind: str
    why_not: str = ""
    if_it_differs: str = ""
    of_data: bool = True
    cut: bool = False
    replay: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        try:
            float(self.value)
        except ValueError:
            raise ValueError(f"value must be a number as printed, got {self.value!r}") from None

    @property
    def number(self) -> float:
        """The value as a number."""
        return float(self.value)

    @property
    def rounding(self) -> float:
        """How far the number may be from what was printed: half a unit of the last digit.

        A whole one where digits are cut off.
        """
        digits, _, power = self.value.lower().partition("e")
        decimals = len(digits.partition(".")[2])
        return float((1.0 if self.cut else 0.5) * 10.0 ** (int(power or 0) - decimals))


@dataclass(frozen=True)
class Judgement:
    """Whether a quoted number and the measured ones agree.

    Parameters
    ----------
    word : {"agrees", "differs", "not comparable", ""}
        "" where nothing is quoted.
    text : str
        The numbers that it follows from, or the reason.
    """

    word: str
    text: str


@dataclass(frozen=True)
class Measured:
    """One row of an experiment's table: a number measured with every seed, and what is quoted.

    Parameters
    ----------
    what : str
        What was measured, ``"30 hidden, cross-entropy"``.
    values : tuple of float
        The number of each seed; NaN where it diverged. One for what has no chance in it.
    unit : str, default "%"
        Of the numbers; "" for none.
    quote : Quote, optional
        What is published.
    stuck : int, optional
        How many runs never predict some class.
    lower_is_better : bool, default False
        Whether the best of several is the lowest.
    digits : int, default 2
        Decimals that are shown.
    """

    what: str
    values: tuple[float, ...]
    unit: str = "%"
    quote: Quote | None = None
    stuck: int | None = None
    lower_is_better: bool = False
    digits: int = 2

    @property
    def known(self) -> tuple[float, ...]:
        """The values of the seeds that did not diverge."""
        return tuple(value for value in self.values if math.isfinite(value))

    @property
    def diverged(self) -> int:
        """How many seeds diverged."""
        return len(self.values) - len(self.known)

    @property
    def mean(self) -> float:
        """The mean of `known`; NaN of none."""
        return statistics.fmean(self.known) if self.known else math.nan

    @property
    def median(self) -> float:
        """The median of `known`; NaN of none."""
        return statistics.median(self.known) if self.known else math.nan

    @property
    def sd(self) -> float:
        """The sample standard deviation of `known`; NaN of fewer than two."""
        return statistics.stdev(self.known) if len(self.known) > 1 else math.nan

    def judge(self, shortened: str = "") -> Judgement:
        """Compare the quoted number with the measured ones.

        A number of the last epoch of one run agrees if it lies within ``2 sd sqrt(1 + 1/k)`` of the
        mean of the k seeds: two standard deviations of the distance between one more run and that
        mean. So does another number of one run, such as its best epoch, beside the same number of
        each seed. The best of three runs is compared with the mean and the spread of the best of
        three drawn from the k, with repetition. The rounding of what is printed is allowed for.

        Parameters
        ----------
        shortened : str, default ""
            Why numbers of MNIST cannot be compared, in a short run.
        """
        quote = self.quote
        if quote is None:
            return Judgement("", "")
        reason = quote.why_not or (shortened if quote.of_data else "")
        if not reason and not self.known:
            reason = "every run diverged"
        if not reason and quote.kind != "exact" and len(self.known) < 2:
            reason = "one run has no spread"
        if reason:
            return Judgement(NOT_COMPARABLE, reason)
        centre, sd, what = self._expected(quote.kind)
        k = len(self.known)
        spread = 0.0 if quote.kind == "exact" else 2.0 * sd * math.sqrt(1.0 + 1.0 / k)
        slack = quote.rounding + spread
        far = abs(quote.number - centre)
        agrees = far <= slack * (1.0 + 1e-9)
        # One decimal more than the mean's, so that the reader can check the word.
        more = self.digits + (quote.kind != "exact" or not agrees)
        said = f"{what} {centre:.{more}f}"
        if quote.kind != "exact":
            said += f" ± {slack:.{more}f}"
        text = said if agrees else f"{said}, {far:.{more}f} away"
        if self.diverged:
            text += f", of the {k} that did not diverge"
        if self.stuck:
            text += f"; {self.stuck} of {len(self.values)} runs stuck, which widens the spread"
        if not agrees and quote.if_it_differs:
            text += f": {quote.if_it_differs}"
        return Judgement(AGREES if agrees else DIFFERS, text)

    def _expected(self, kind: str) -> tuple[float, float, str]:
        """Centre and spread of what the quoted number is one draw of, and its name."""
        if kind == "best of three":
            return *best_of(self.known, 3, lowest=self.lower_is_better), "best of three"
        if kind == "exact":
            return self.mean, 0.0, "here"
        return self.mean, self.sd, "mean"


def best_of(values: tuple[float, ...], n: int, *, lowest: bool = False) -> tuple[float, float]:
    """Mean and standard deviation of the best of n draws, with repetition, from the values.

    The bootstrap's distribution, in closed form: the best is at most the i-th of k sorted values
    with probability ``(i/k)^n``.
    """
    ranked = sorted(values, reverse=lowest)
    k = len(ranked)
    shares = [((i + 1) / k) ** n - (i / k) ** n for i in range(k)]
    mean = math.fsum(s * v for s, v in zip(shares, ranked, strict=True))
    variance = math.fsum(s * (v - mean) ** 2 for s, v in zip(shares, ranked, strict=True))
    return mean, math.sqrt(variance)
