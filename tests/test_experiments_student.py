"""The probabilities of Student's t."""

import math

import pytest

from nnlearn.experiments._student import two_sided

#: The 97.5 % points that printed tables have, by degrees of freedom.
PRINTED = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 10: 2.228, 30: 2.042}


@pytest.mark.parametrize("freedom", PRINTED)
def test_the_points_of_printed_tables(freedom):
    assert two_sided(PRINTED[freedom], freedom) == pytest.approx(0.05, abs=5e-5)
    assert two_sided(-PRINTED[freedom], freedom) == two_sided(PRINTED[freedom], freedom)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 12, 99, 100])
@pytest.mark.parametrize("t", [0.0, 0.01, 0.7, 2.0, 5.0, 40.0])
def test_is_the_integral_of_the_density(t, freedom):
    stats = pytest.importorskip("scipy.stats")
    assert two_sided(t, freedom) == pytest.approx(2.0 * stats.t.sf(t, freedom), abs=1e-12)


def test_the_ends():
    for freedom in (1, 2, 4):
        assert two_sided(0.0, freedom) == 1.0
        assert two_sided(math.inf, freedom) == 0.0
