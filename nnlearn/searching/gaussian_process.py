"""A Gaussian process over the trials of a search, and the improvement that it expects.

The values are replaced by the normal scores of their ranks: a learning rate that is far too high
does not drown the small differences among good ones, and an infinite loss is only the last.

References
----------
D. R. Jones, M. Schonlau, W. J. Welch, "Efficient global optimization of expensive black-box
functions", Journal of Global Optimization 13, 1998: expected improvement.
C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006: the marginal
likelihood by which the kernel is chosen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STARTS = 2  # of the kernel's choice, the first in the middle
_ITERATIONS = 50  # of each at most
_LENGTHS = (0.05, 20.0)  # of a range of 1: from a twentieth to none of its influence
_NOISE = (1e-4, 1.0)  # variance, of values with variance near 1


@dataclass(frozen=True)
class Process:
    """A process fitted to points (n, d) in the unit cube and values (n,), more being better."""

    points: Array
    values: Array
    regressor: Any  # scikit-learn's, its kernel fixed

    def believing(self, points: Array) -> "Process":
        """The process once trials that still run will have brought what it expects of them."""
        if not len(points):
            return self
        values = self.regressor.predict(points)
        return _fixed(
            np.vstack([self.points, points]),
            np.concatenate([self.values, values]),
            self.regressor.kernel_,
        )

    def expected_improvement(self, points: Array) -> Array:
        """E max(0, f - best) at each point.

        ::

            EI = (m - best) Phi(u) + s phi(u),   u = (m - best) / s

        m, s: mean and standard deviation of f there; best: the highest mean at a point seen, since
        the values are noisy.
        """
        from scipy.special import ndtr

        mean, deviation = self.regressor.predict(points, return_std=True)
        best = self.regressor.predict(self.points).max()
        s = np.maximum(deviation, 1e-9)
        u = (mean - best) / s
        density = np.exp(-0.5 * u**2) / np.sqrt(2.0 * np.pi)
        improvement: Array = (mean - best) * ndtr(u) + s * density
        return improvement


def fit(points: Array, values: Array, rng: np.random.Generator) -> Process:
    """A process with the kernel of the highest marginal likelihood.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        In the unit cube.
    values : ndarray, shape (n,)
        More is better; infinite ones too.
    rng : Generator
        Draws where the choice of the kernel starts.
    """
    from scipy.optimize import minimize
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    lengths = np.ones(points.shape[1])
    smooth = ConstantKernel(1.0, (0.05, 20.0)) * Matern(lengths, _LENGTHS, nu=2.5)
    kernel = smooth + WhiteKernel(0.1, _NOISE)
    first = _fixed(points, normal_scores(values), kernel)

    def cost(theta: Array) -> tuple[float, Array]:
        value, gradient = first.regressor.log_marginal_likelihood(theta, eval_gradient=True)
        return -value, -gradient

    bounds = kernel.bounds
    starts = [kernel.theta, *(rng.uniform(*bounds.T) for _ in range(_STARTS - 1))]
    how = {"method": "L-BFGS-B", "jac": True, "bounds": bounds, "options": {"maxiter": _ITERATIONS}}
    found = [minimize(cost, start, **how) for start in starts]
    theta = min(found, key=lambda result: float(result.fun)).x
    return _fixed(points, first.values, kernel.clone_with_theta(theta))


def normal_scores(values: Array) -> Array:
    """What normal deviates of the same ranks are expected to be, about; ties share a mean rank."""
    from scipy.special import ndtri

    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - 0.5 * (counts - 1))[inverse]
    scores: Array = ndtri((ranks - 0.5) / len(values))
    return scores


def _fixed(points: Array, values: Array, kernel: Any) -> Process:
    """A process with this kernel as it is."""
    from sklearn.gaussian_process import GaussianProcessRegressor

    regressor = GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-8)
    return Process(points, values, regressor.fit(points, values))
