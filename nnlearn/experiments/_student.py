"""Student's t: how probable a mean as far from 0 is by chance alone."""

import math


def two_sided(t: float, freedom: int) -> float:
    """The probability that Student's t with so many degrees of freedom is as far from 0 as t.

    The finite sums for whole degrees of freedom, with ``theta = atan(|t| / sqrt(freedom))``::

        odd:   1 - 2/pi (theta + sin theta (cos theta + 2/3 cos^3 theta + 2*4/(3*5) cos^5 + ...))
        even:  1 - sin theta (1 + 1/2 cos^2 theta + 1*3/(2*4) cos^4 theta + ...)

    each up to ``cos^(freedom - 2)`` [1]_.

    Parameters
    ----------
    t : float
        The value; infinity where there is no spread.
    freedom : int
        Degrees of freedom, >= 1.

    References
    ----------
    .. [1] M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    theta = math.atan(abs(t) / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    within = 2.0 / math.pi * (theta + sine * total) if odd else sine * total
    return max(1.0 - within, 0.0)
