"""diagnose: wrecks and healthy networks, what is looked at, bad input, the views."""

import copy
import pickle
import re

import numpy as np
import pytest
from wrecks import (
    HEALTHY,
    WRECKS,
    bytes_as_floats,
    examined,
    fitted,
    large_weights,
    negative_biases,
    of_kind,
    rate_too_high,
    recorded,
    relu,
    stuck_digit,
)

import nnlearn as nn
from nnlearn.datasets import two_moons
from nnlearn.diagnosis import kinds
from nnlearn.diagnosis.kinds import KINDS
from nnlearn.diagnosis.observation import guess_loss, observe
from nnlearn.history import History


@pytest.mark.parametrize(("make", "kind"), WRECKS.items(), ids=WRECKS.values())
def test_a_wreck_is_told_by_its_kind(make, kind):
    finding = of_kind(examined(make)[2], kind)
    assert re.search(r"\d", finding.sentence)
    assert finding.evidence
    assert all(np.isfinite(value) for value in finding.evidence.values())
    assert "\n" not in finding.advice


@pytest.mark.parametrize("make", HEALTHY)
def test_a_healthy_network_has_no_findings(make):
    net, _, findings = examined(make)
    assert findings.kinds == ()
    assert nn.diagnose(net).kinds == ()
    assert nn.diagnose(net.history).kinds == ()
    assert repr(findings).startswith("Nothing found.\nLooked at: the weights, the history of ")


@pytest.mark.parametrize(
    "make", [rate_too_high, large_weights, negative_biases, bytes_as_floats, stuck_digit]
)
def test_the_cause_comes_first(make):
    assert examined(make)[2].kinds[0] == (kinds.SATURATED if make is stuck_digit else WRECKS[make])


def test_the_network_stays_as_it_is():
    net, data, findings = examined(large_weights)
    before = pickle.dumps(net)
    assert nn.diagnose(net, data) == findings
    assert pickle.dumps(net) == before


# ---- what is looked at --------------------------------------------------------------------------


def test_of_many_rows_some_at_equal_distances_are_taken():
    net, data, findings = examined(relu)
    assert "2,000 of 5,000 rows of x and y" in findings.looked_at
    assert nn.diagnose(net, data[::3]).kinds == findings.kinds
    for n in (1999, 2000, 2001, 4999):
        rows = nn.Split(np.arange(n, dtype=np.float32)[:, None], np.arange(n) % 2)
        sample = observe(nn.Network([1, 2], seed=0), rows, None).sample
        chosen = sample.x[:, 0].astype(int)
        assert len(chosen) == min(n, 2000)
        assert chosen[0] == 0
        steps = np.diff([*chosen, n])
        assert steps.max() - steps.min() <= 1
        assert sample.classes.tolist() == (chosen % 2).tolist()


def test_without_x_what_needs_it_is_named():
    net, _, _ = examined(negative_biases)
    findings = nn.diagnose(net)
    assert findings.not_looked_at[kinds.DEAD] == "needs x"
    assert findings.not_looked_at[kinds.NEVER] == "needs x and y"


def test_without_y_units_are_looked_at_and_gradients_are_not():
    net, data, _ = examined(negative_biases)
    findings = nn.diagnose(net, data.x)
    assert findings.kinds == (kinds.DEAD,)
    assert findings.not_looked_at[kinds.VANISHING] == "needs y"


def test_sparse_matrices_and_regression_are_taken():
    sparse = pytest.importorskip("scipy.sparse")
    net, data, findings = examined(negative_biases)
    assert nn.diagnose(net, sparse.csr_matrix(data.x), data.y) == findings
    layers = [2, 8, nn.Dense(1, "linear")]
    x = two_moons(200).x
    target = x[:, 0] * x[:, 1]
    line = fitted(
        layers,
        data=nn.Split(x, target),
        network={"activation": "tanh", "init": "xavier"},
        epochs=20,
        learning_rate=0.05,
    )
    assert nn.diagnose(line, x, target).kinds == ()
    assert nn.diagnose(line, x).kinds == ()
    assert nn.diagnose(line, x, target).not_looked_at[kinds.NEVER] == "there are no classes"


@pytest.mark.parametrize(
    ("layers", "settings"),
    [
        ([4, 5], {"cost": "cross_entropy"}),
        ([4, 5], {"cost": "quadratic"}),
        ([4, 5], {"cost": "log_likelihood"}),
        ([4, 5], {"cost": "hinge"}),
        ([4, 1], {"cost": "cross_entropy"}),
        ([4, nn.Dense(1, "tanh")], {"cost": "quadratic"}),
        ([4, nn.Dense(5, "tanh")], {"cost": "quadratic"}),
    ],
)
def test_the_guess_is_the_loss_of_constant_outputs(layers, settings):
    net = nn.Network(layers, init="zeros", dtype="float64", **settings)
    n_classes = max(net.n_outputs, 2)
    share, label = np.full(n_classes, 1 / n_classes), np.arange(n_classes)
    a = np.full(net.n_outputs, 1 / n_classes)
    net.biases[0] = {
        "sigmoid": np.log(a / (1 - a)),
        "tanh": np.arctanh(2 * a - 1),
        "softmax": np.zeros_like(a),
        "linear": np.zeros_like(a),
    }[net._architecture.output]
    assert guess_loss(net, share) == pytest.approx(net.loss(np.zeros((n_classes, 4)), label))


# ---- views --------------------------------------------------------------------------------------


def test_the_docstring_has_the_kinds_and_their_limits():
    rows, in_table = [], 0
    for line in nn.diagnose.__doc__.splitlines():
        if re.fullmatch(r"\s*=+  =+  =+", line):
            in_table += 1
        elif in_table == 2:
            cells = [line[4:29].strip(), line[29:39].strip(), line[39:].strip()]
            if cells[0]:
                rows.append(cells)
            else:
                rows[-1][2] += " " + cells[2]
    assert rows == [[name, kind.needs, kind.described()] for name, kind in KINDS.items()]
    for kind in KINDS.values():
        assert set(re.findall(r"{(\w+)", kind.rule)) == set(kind.limits)


def test_findings_are_a_sequence_that_copies_and_pickles():
    findings = examined(large_weights)[2]
    assert list(findings) == [findings[i] for i in range(len(findings))]
    assert findings[:1].kinds == findings.kinds[:1]
    for again in (pickle.loads(pickle.dumps(findings)), copy.deepcopy(findings)):
        assert again == findings
        assert hash(again) == hash(findings)
    with pytest.raises(TypeError):
        findings[0].evidence["at start"] = 0.0


def test_the_views_say_what_was_found():
    findings = examined(negative_biases)[2]
    table = findings.table()
    assert table["kind"] == list(findings.kinds)
    assert table["layer"][0] == "dense1"
    text = repr(findings)
    assert text.startswith("2 findings:\n1. dead ReLUs in dense1: 50 of 50 units are 0 for each")
    assert "Try: start from init=" in text
    html = findings._repr_html_()
    assert "<table" in html
    assert "Not looked at" in html
    assert "init=&quot;he&quot;" in html
    empty = nn.diagnose(nn.Network([2, 1], seed=1))
    assert "<table" not in empty._repr_html_()
    assert "Nothing found" in empty._repr_html_()


# ---- bad input ----------------------------------------------------------------------------------

NET = nn.Network([2, 3, 1], seed=1)
X = np.zeros((5, 2), np.float32)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("net",), TypeError, "net must be a Network or a History, got 'net'"),
        ((History(["epoch"]), X), TypeError, "x must be left out beside a History"),
        ((History(["epoch"]), None, [1]), TypeError, "y must be left out beside a History"),
        ((NET, None, [1]), TypeError, "x must be given beside y, got None"),
        ((NET, X[:, :1], [1] * 5), ValueError, "x must have 2 columns"),
        ((NET, X, [1] * 4), ValueError, "y must have 5 rows, as x"),
        ((NET, X, [2] * 5), ValueError, "y must be labels from 0 to 1"),
        ((NET, X[:0]), ValueError, "x must have at least one row"),
        ((NET, X * np.nan, [1] * 5), ValueError, "x must be finite"),
        ((NET, X * np.nan), ValueError, "x must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        nn.diagnose(*arguments)


def test_an_empty_history_is_looked_at():
    findings = nn.diagnose(History(["epoch"]))
    assert not findings
    assert findings.not_looked_at[kinds.RATE_HIGH] == "no epoch recorded"


def test_a_history_without_losses_tells_so():
    findings = nn.diagnose(recorded(val_accuracy=[0.1, 0.2, 0.3]))
    assert findings.not_looked_at[kinds.RATE_LOW] == "no loss recorded"
