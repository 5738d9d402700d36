"""What the tests of experiments on overfitting and on L2 share."""

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import experiments
from nnlearn.experiments._lab import Lab

SEEDS = (0, 1)
SMALL = nn.datasets.load_mnist_small()
N_TEST = 200
DATA = nn.Dataset(SMALL.train[:500], validation=SMALL.validation[:200], test=SMALL.test[:N_TEST])
BOOKS = {"init": "large", "batch_size": 10, "learning_rate": 0.5}


def run_all(names):
    """A quick run of each, by name."""
    return {name: experiments.find(name).run(DATA, SEEDS, quick=True) for name in names}


def compare(variants, data=DATA, **settings):
    """The same trainings again, by the public function."""
    common = {"hidden": 30, **BOOKS, **settings}
    return nn.compare(variants, data, seeds=SEEDS, verbose=0, **common)


def squares(network):
    """The sum of squared weights."""
    return sum(float(np.sum(np.square(w, dtype=float))) for w in network.weights)


# ---- what a result holds -------------------------------------------------------------------------


def row(result, what):
    [found] = [r for r in result.rows if r.what == what]
    return found


def values(result, what):
    return row(result, what).values


def claim(result, text):
    [found] = [c for c in result.claims if c.text == text]
    return found.differences


def axes_of(result):
    [picture] = result.pictures
    return picture.figure().axes


def check_pictures(name, result):
    """They show the slides, and are drawn."""
    shown = {slide for picture in result.pictures for slide in picture.slides}
    assert shown == set(experiments.find(name).slides)
    for picture in result.pictures:
        svg = picture.drawing(name).svg
        assert "currentColor" in svg
        assert len(svg) < 400_000


def check_rows(name, result, printed):
    """Every quote stands beside numbers of every seed; the quoted numbers are all there."""
    quotes = experiments.find(name).quotes.values()
    assert sorted(q.value for q in quotes) == sorted(printed.split())
    quoted = [r.quote for r in result.rows if r.quote]
    assert sorted(map(repr, quoted)) == sorted(map(repr, quotes))
    assert all(
        len(r.values) == (1 if r.quote and r.quote.kind == "exact" else 2) for r in result.rows
    )
    assert all(len(c.differences) == len(SEEDS) for c in result.claims)
    of_test = [r for r in result.rows if is_of_test(r)]
    assert all(r.stuck is not None for r in of_test)
    assert all(r.unit == "percentage points" for r in result.rows if "less best" in r.what)
    assert all(c.unit != "%" for c in result.claims)


def is_of_test(found):
    """Whether a row is an accuracy or an error of the test set."""
    return found.unit == "%" and "test " in found.what


# ---- what is asked of a lab ----------------------------------------------------------------------


class Asked(Exception):
    """What an experiment would train."""


class Asking(Lab):
    """A lab that trains nothing."""

    def compare(self, variants, data=None, **common):
        raise Asked(variants, self.data if data is None else data, common)


def asked(name):
    """What an experiment trains in full, on a tenth of the book's digits."""
    with pytest.raises(Asked) as found:
        experiments.find(name).measure(Asking(SMALL, SEEDS, quick=False))
    return found.value.args
