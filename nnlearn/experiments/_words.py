"""Numbers of the seeds in words, for sentences that are worked out from them."""

from nnlearn.experiments._quotes import Measured


def mean_in_words(row: Measured, *, unit: bool = True) -> str:
    """The mean over the seeds and, of two or more, their standard deviation.

    Parameters
    ----------
    row : Measured
    unit : bool, default True
        Whether the row's unit follows the mean.

    Returns
    -------
    str
        ``"94.10 % (sd 0.12)"``; in words where no seed has a value.
    """
    if not row.known:
        return "no value (every run diverged)"
    text = f"{row.mean:.{row.digits}f}" + (f" {row.unit}" if unit and row.unit else "")
    return f"{text} (sd {row.sd:.{row.digits}f})" if len(row.known) > 1 else text
