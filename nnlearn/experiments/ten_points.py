"""Ten points: a line and a polynomial of degree nine."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The book's points.
X = (0.7, 1.3, 1.9, 2.6, 2.9, 3.6, 3.8, 3.95, 4.4, 4.9)
Y = (1.8, 2.2, 4.0, 5.0, 6.1, 7.0, 7.4, 8.0, 9.1, 10.0)
_FAR = 10_000.0

_QUOTES = {
    "leading": Quote(
        "0.220539187",
        "book, chapter 3, the figure's script",
        "coefficient of x^9 of the polynomial through all ten points",
        "exact",
        of_data=False,
    ),
    "line": Quote("2", "book, chapter 3", "slope of the line y = 2x", "exact", of_data=False),
}


def polynomial(degree: int) -> npt.NDArray[np.float64]:
    """The coefficients of the least squares fit, of the highest power first."""
    return np.polyfit(X, Y, degree)


def _measure(lab: Lab) -> Result:
    line, nine = polynomial(1), polynomial(9)

    def curves(figure: "Figure") -> None:
        from matplotlib import rcParams

        ink = rcParams["text.color"]
        near, far = figure.subplots(1, 2, width_ratios=(3, 2))
        x = np.linspace(0, 5, 1001)
        for ax, points in ((near, x), (far, np.logspace(0, 4, 201))):
            ax.plot(points, np.polyval(line, points), color=COLOURS[0], label="degree 1")
            high = np.polyval(nine, points)
            ax.plot(points, high, color=COLOURS[1], linestyle="--", label="degree 9")
            ax.set_xlabel("x")
            ax.grid(True, alpha=0.25)
            ax.spines[["top", "right"]].set_visible(False)
        near.plot(X, Y, "o", color=ink, markersize=5, label="the ten points")
        near.set(xlim=(0, 5), ylim=(0, 10.5), ylabel="y")
        near.legend(frameon=False, loc="upper left")
        far.set(xscale="log", yscale="log", ylim=(1, 1e38))

    at_far = {degree: float(np.polyval(polynomial(degree), _FAR)) for degree in (1, 9)}
    misses = {
        degree: float(np.abs(np.polyval(polynomial(degree), X) - np.array(Y)).max())
        for degree in (1, 9)
    }
    return Result(
        {"fits": "least squares through the book's ten points"},
        (
            Measured("coefficient of x^9", (float(nine[0]),), "", _QUOTES["leading"], digits=9),
            Measured("slope of the line", (float(line[0]),), "", _QUOTES["line"], digits=3),
        ),
        pictures=(
            Picture(
                "curves",
                "Both fits among the points, and out to x = 10,000 on logarithmic axes.",
                curves,
                slides=(18,),
                size=(8.0, 3.6),
            ),
        ),
        tables=(
            Table(
                ["degree", "largest miss of a point", "value at x = 10,000"],
                [(degree, misses[degree], at_far[degree]) for degree in (1, 9)],
                "What each says",
            ),
        ),
        remarks=(
            f"The line is y = {line[0]:.3f} x {'+' if line[1] >= 0 else '-'} {abs(line[1]):.3f}. "
            "The polynomial of degree nine goes through every point, and at x = 10,000 says "
            f"{at_far[9]:.2g} where the line says {at_far[1]:,.0f}: it has learnt the noise. "
            "Nothing in the ten points says which of the two is right.",
        ),
    )


experiment = Experiment(
    name="ten-points",
    title="Ten points, degree 1 and degree 9",
    question="Which of two fits would one trust, far from the points?",
    slides=(18,),
    measure=_measure,
    seconds=(0.3, 0.3),
    quotes=_QUOTES,
    needs_data=False,
)
