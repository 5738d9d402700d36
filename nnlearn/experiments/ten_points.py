"""Ten points: a line and a polynomial of degree nine."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from nnlearn.experiments._bands import tidy
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS, ink
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The book's points, as printed: their decimals are exact.
POINTS = (
    ("0.7", "1.8"),
    ("1.3", "2.2"),
    ("1.9", "4.0"),
    ("2.6", "5.0"),
    ("2.9", "6.1"),
    ("3.6", "7.0"),
    ("3.8", "7.4"),
    ("3.95", "8.0"),
    ("4.4", "9.1"),
    ("4.9", "10.0"),
)
_FAR = Fraction(10_000)

_QUOTES = {
    "leading": Quote(
        "0.220539187",
        "book, chapter 3, the figure's script",
        "coefficient of x^9 of the polynomial through all ten points",
        "exact",
        of_data=False,
        cut=True,
    ),
    "line": Quote(
        "2",
        "book, chapter 3",
        "slope of the line y = 2x",
        "exact",
        why_not="a line by eye beside one by least squares",
        of_data=False,
    ),
}


def through(points: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """The polynomial through all points, its coefficients from the highest power down.

    Newton's divided differences, in exact fractions: in floating point the last printed
    digits of the leading coefficient would depend on the machine.
    """
    x = [point[0] for point in points]
    table = [point[1] for point in points]
    n = len(points)
    for order in range(1, n):
        for i in range(n - 1, order - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (x[i] - x[i - order])
    coefficients = [table[-1]]
    for i in range(n - 2, -1, -1):  # p <- p (x - x_i) + table_i
        longer = [*coefficients, Fraction(0)]
        for power, value in enumerate(coefficients, 1):
            longer[power] -= x[i] * value
        longer[-1] += table[i]
        coefficients = longer
    return coefficients


def line(points: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """The line with the least sum of squared misses: slope and value at 0."""
    n = len(points)
    mean_x = sum((x for x, _ in points), Fraction(0)) / n
    mean_y = sum((y for _, y in points), Fraction(0)) / n
    covariance = sum(((x - mean_x) * (y - mean_y) for x, y in points), Fraction(0))
    slope = covariance / sum(((x - mean_x) ** 2 for x, _ in points), Fraction(0))
    return [slope, mean_y - slope * mean_x]


def value(coefficients: Sequence[Fraction], x: Fraction) -> Fraction:
    """The polynomial at x, by Horner's rule."""
    found = Fraction(0)
    for coefficient in coefficients:
        found = found * x + coefficient
    return found


def _measure(lab: Lab) -> Result:
    points = [(Fraction(x), Fraction(y)) for x, y in POINTS]
    fits = {1: line(points), 9: through(points)}
    at_far = {degree: value(fit, _FAR) for degree, fit in fits.items()}
    misses = {
        degree: max(abs(value(fit, x) - y) for x, y in points) for degree, fit in fits.items()
    }

    def curves(figure: "Figure") -> None:
        _draw(figure, points, fits, at_far)

    return Result(
        {
            "points": "the book's ten",
            "fits": "the line of least squares, and the polynomial of degree nine that goes "
            "through all points, both in exact fractions",
        },
        (
            Measured("coefficient of x^9", (float(fits[9][0]),), "", _QUOTES["leading"], digits=11),
            Measured("slope of the line", (float(fits[1][0]),), "", _QUOTES["line"], digits=3),
        ),
        pictures=(
            Picture(
                "curves",
                "Left: both fits among the points, as on the slide. Right: both out to "
                "x = 10,000, on logarithmic axes, with their values there.",
                curves,
                slides=(18,),
                size=(8.4, 3.7),
            ),
        ),
        tables=(
            Table(
                ["model", "largest miss of a point", "value at x = 10,000"],
                [
                    ("degree 1, least squares", float(misses[1]), float(at_far[1])),
                    ("degree 9, through all points", float(misses[9]), float(at_far[9])),
                    (
                        "y = 2x, the book's line",
                        float(max(abs(2 * x - y) for x, y in points)),
                        float(2 * _FAR),
                    ),
                ],
                "What each says",
            ),
        ),
        finding="Degree 9 goes through every point, and at x = 10,000 says "
        f"{float(at_far[9]):.2g}; the line, y = {float(fits[1][0]):.3f} x + "
        f"{float(fits[1][1]):.3f}, misses the points by up to {float(misses[1]):.2f}, and there "
        f"says {float(at_far[1]):,.0f}.",
        remarks=(
            "At x = 10,000 the polynomial's leading term is all that counts, and that comes "
            "from what the points miss a line by. Nothing in ten points says which of the two is "
            "right; the simpler is the safer guess far from them.",
        ),
    )


def _draw(
    figure: "Figure",
    points: Sequence[tuple[Fraction, Fraction]],
    fits: Mapping[int, Sequence[Fraction]],
    at_far: Mapping[int, Fraction],
) -> None:
    near, far = figure.subplots(1, 2, width_ratios=(3, 2))
    for ax, places in ((near, np.linspace(0.0, 5.0, 1001)), (far, np.logspace(0.0, 4.0, 201))):
        for i, (degree, fit) in enumerate(fits.items()):
            heights = np.polyval(np.array(fit, np.float64), places)
            style = {"color": COLOURS[i], "linestyle": ("-", "--")[i], "linewidth": 1.8}
            ax.plot(places, heights, label=f"degree {degree}", **style)
        tidy(ax, "x", "y")
    near.plot(*np.array(points, np.float64).T, "o", color=ink(), markersize=5, label="the points")
    near.set(xlim=(0, 5), ylim=(0, 10.5))
    near.legend(frameon=False, loc="upper left")
    far.set(xscale="log", yscale="log", xlim=(1, 1.1e4), ylim=(1, 1e38))
    for i, height in enumerate(at_far.values()):
        far.plot(1e4, float(height), "o", color=COLOURS[i], markersize=5, clip_on=False)
        text = f"{float(height):.2g}" if height > 1e9 else f"{float(height):,.0f}"
        far.annotate(
            text, (1e4, float(height)), (-8, 6), textcoords="offset points", ha="right", va="bottom"
        )


experiment = Experiment(
    name="ten-points",
    title="Ten points, degree 1 and degree 9",
    question="Which of two fits would one trust, far from the points?",
    slides=(18,),
    measure=_measure,
    seconds=(0.1, 0.1),
    quotes=_QUOTES,
    needs_data=False,
)
