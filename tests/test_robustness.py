"""noise_sensitivity and knock_out: against NumPy, the bounds of memory, what is refused."""

import re
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from matplotlib import pyplot
from matplotlib.figure import Figure
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import robustness
from nnlearn.robustness import KnockOut, NoiseSensitivity

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 6))
Y = X[:, :3].argmax(axis=1)


def trained(layers=(6, 8, 3), **settings):
    net = nn.Network(list(layers), **{"seed": 1} | settings)
    net.fit(X, Y, epochs=20, learning_rate=0.3, verbose=0)
    return net


@pytest.fixture(scope="module")
def net():
    return trained()


@pytest.fixture(autouse=True)
def no_figure_left():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(robustness, "_BLOCK", 60)


# ---- noise ---------------------------------------------------------------------------------------


def recorded_inputs(monkeypatch, measure="accuracy"):
    """What networks are asked about, from now on."""
    seen, right = [], getattr(nn.Network, measure)

    def look(self, x, y=None):
        seen.append(np.array(getattr(x, "x", x)))
        return right(self, x, y)

    monkeypatch.setattr(nn.Network, measure, look)
    return seen


def test_no_noise_gives_the_very_accuracy(net):
    found = nn.noise_sensitivity(net, X, Y, [0, 0.0, 1.0])
    assert found.baseline == net.accuracy(X, Y)
    assert found.scores[:2].tolist() == [[found.baseline] * 3] * 2
    assert found.scores[2].max() < found.baseline


def test_noise_has_mean_zero_and_the_given_standard_deviation(net, monkeypatch):
    seen = recorded_inputs(monkeypatch)
    nn.noise_sensitivity(net, X, Y, [0.5, 3.0], repeats=2)
    original, *noisy = seen
    assert np.array_equal(original, X)
    assert len(noisy) == 4
    for sigma, x in zip([0.5, 3.0] * 2, noisy, strict=True):
        noise = (x - X) / sigma  # 1,800 deviates: bounds of four standard errors
        assert abs(noise.mean()) < 4 / np.sqrt(noise.size)
        assert abs(noise.std() - 1) < 4 / np.sqrt(2 * noise.size)
        assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 4 / np.sqrt(len(x))
    np.testing.assert_allclose((noisy[0] - X) / 0.5, (noisy[1] - X) / 3.0, atol=1e-12)
    assert abs(np.corrcoef((noisy[0] - X).ravel(), (noisy[2] - X).ravel())[0, 1]) < 0.1


def test_the_accuracy_is_that_of_the_noisy_rows(net):
    noise = np.random.default_rng([7, 0]).standard_normal(X.shape)
    found = nn.noise_sensitivity(net, X, Y, [0.8], seed=7, repeats=1)
    assert found.scores[0, 0] == net.accuracy(X + 0.8 * noise, Y)


def test_blocks_change_nothing(net, small_blocks):
    in_blocks = nn.noise_sensitivity(net, X, Y, [0.3, 0.8], seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness, "_BLOCK", 10**6)
        at_once = nn.noise_sensitivity(net, X, Y, [0.3, 0.8], seed=2)
    assert np.array_equal(in_blocks.scores, at_once.scores)


def test_the_seed_decides(net):
    first, again, other = (nn.noise_sensitivity(net, X, Y, [0.9], seed=s) for s in (0, 0, 1))
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.scores, other.scores)
    assert len(set(first.scores[0])) > 1  # each repeat has its own noise


def test_no_noise_gives_the_very_loss(small_blocks):
    net = nn.Network([6, nn.Dense(1, "linear")], seed=1, dtype="float64")
    y = np.random.default_rng(1).normal(size=300)
    found = nn.noise_sensitivity(net, X, y, [0.0])
    assert found.scores.tolist() == [[net.loss(X, y)] * 3]


def test_regression_has_the_loss(small_blocks):
    y = X[:, :1] - 2 * X[:, 1:2]
    net = nn.Network([6, nn.Dense(1, "linear")], seed=1, dtype="float64")
    net.fit(X, y, epochs=20, learning_rate=0.1, verbose=0)
    found = nn.noise_sensitivity(net, X, y, [0.0, 0.5], repeats=20)
    assert found.measure == "loss"
    assert found.scores[0].tolist() == [net.loss(X, y)] * 20
    # A linear output's loss grows by sigma^2 |w|^2 / 2 on average; |w|^2 is about 5.
    growth = 0.5**2 * (net.weights[0] ** 2).sum() / 2
    assert found.mean[1] - found.baseline == pytest.approx(growth, rel=0.05)
    assert found.table().columns[1] == "loss"
    assert found.verdict == (
        f"The loss is {found.baseline:.4g} without noise, and {found.mean[1]:.4g} at sigma 0.5."
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_stand_for_parts_of_255_also_beyond_1_and_below_0(dtype, monkeypatch):
    digits = nn.datasets.load_mnist_small(dtype="uint8").test[:200]
    net = nn.Network([784, 10], seed=1, dtype=dtype)
    net.fit(digits, epochs=3, learning_rate=0.5, verbose=0)
    seen = recorded_inputs(monkeypatch)
    found = nn.noise_sensitivity(net, digits, sigmas=[2.0], repeats=1)
    as_floats = nn.noise_sensitivity(net, digits.x / 255, digits.y, [2.0], repeats=1)
    assert np.array_equal(found.scores, as_floats.scores)
    assert found.baseline == as_floats.baseline
    assert seen[1].max() > 1.5
    assert seen[1].min() < 0
    assert abs(seen[1].mean() - digits.x.mean() / 255) < 0.05


def test_sparse_rows_are_taken(net, small_blocks):
    sparse = scipy.sparse.csr_array(X * (X > 0))
    found = nn.noise_sensitivity(net, sparse, Y, [0.5])
    assert np.array_equal(found.scores, nn.noise_sensitivity(net, X * (X > 0), Y, [0.5]).scores)


def most_memory(work):
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_rows():
    net, y = nn.Network([6, 2, 3], seed=1), np.zeros(200_000, np.int64)
    x = np.broadcast_to(X[:1], (len(y), 6))  # of no size itself, as its rows are one
    net.accuracy(x, y)
    # In one block x, its noise and their sum take 29 MB; z, a and delta of float32 17 MB.
    assert most_memory(lambda: nn.noise_sensitivity(net, x, y, [0.5], repeats=1)) < 14e6
    assert most_memory(lambda: nn.knock_out(net, x, y)) < 4e6


@pytest.mark.parametrize(
    ("args", "settings", "kind", "text"),
    [
        ((X, Y, [-0.1]), {}, ValueError, "sigmas[0] must be a finite number >= 0, got -0.1"),
        ((X, Y, [0, np.nan]), {}, ValueError, "sigmas[1] must be a finite number >= 0, got nan"),
        ((X, Y, [np.inf]), {}, ValueError, "sigmas[0] must be a finite number >= 0, got inf"),
        ((X, Y, ["0.1"]), {}, TypeError, "sigmas[0] must be a finite number >= 0, got '0.1'"),
        ((X, Y, []), {}, ValueError, "sigmas must hold at least one standard deviation, got []"),
        ((X, Y), {}, TypeError, "sigmas must be a sequence of standard deviations >= 0, in the"),
        ((X, Y, 0.1), {}, TypeError, "sigmas must be a sequence of standard deviations >= 0"),
        ((X, Y, np.array(0.1)), {}, TypeError, "sigmas must be a sequence of standard"),
        ((X, Y, "0.1"), {}, TypeError, "sigmas must be a sequence of standard deviations >= 0"),
        ((X, Y, [0.1]), {"repeats": 0}, ValueError, "repeats must be an integer >= 1, got 0"),
        ((X, Y, [0.1]), {"seed": -1}, ValueError, "seed must be an integer from 0 to"),
        ((X, None, [0.1]), {}, TypeError, "y must be given beside x, got None"),
        ((X[:, :5], Y, [0.1]), {}, ValueError, "x must have 6 columns, as the input layer"),
        ((X[:0], Y[:0], [0.1]), {}, ValueError, "x must have at least one row"),
        (
            (nn.Split(X, Y), [0.1]),
            {},
            TypeError,
            "sigmas must be given by its name beside a Split, got None: write sigmas=[...]",
        ),
    ],
)
def test_noise_refuses(net, args, settings, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        nn.noise_sensitivity(net, *args, **settings)


# ---- knock-out -----------------------------------------------------------------------------------

FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
}


def twin(net, functions, without=None):
    """The accuracy by NumPy; `without` a unit (hidden layer, unit) whose activation is 0."""
    a = X
    for i, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        a = a @ w + b
        if i < len(functions):
            a = FUNCTIONS[functions[i]](a)
        if without is not None and without[0] == i:
            a = a.copy()
            a[:, without[1]] = 0
    return (a.argmax(axis=1) == Y).sum() / len(Y)


@pytest.mark.parametrize("block", [60, 10**6])
@pytest.mark.parametrize(
    ("layers", "functions", "settings"),
    [
        ([6, 8, 3], ["sigmoid"], {}),
        ([6, 5, 7, 3], ["relu", "relu"], {"activation": "relu", "cost": "log_likelihood"}),
        ([6, 5, 7, 3], ["tanh", "tanh"], {"activation": "tanh", "dropout": 0.4, "cost": "hinge"}),
        (
            [
                6,
                nn.Dropout(0.1),
                nn.Dense(5, "linear"),
                nn.Dropout(0.2),
                nn.Activation("tanh"),
                4,
                3,
            ],
            ["tanh", "sigmoid"],
            {},
        ),
        (
            [6, 5, 4, nn.Dense(3, "linear"), nn.Dropout(0.2), nn.Activation("softmax")],
            ["sigmoid", "sigmoid"],
            {},
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_knock_out_is_what_numpy_finds(layers, functions, settings, dtype, block, monkeypatch):
    monkeypatch.setattr(robustness, "_BLOCK", block)
    net = trained(layers, dtype=dtype, **settings)
    before = snapshot(net)
    found = nn.knock_out(net, X, Y)
    assert found.baseline == twin(net, functions) == net.accuracy(X, Y)
    assert found.layers == ("dense1", "dense2")[: len(functions)]
    for i, accuracies in enumerate(found.accuracies):
        assert accuracies.tolist() == [
            twin(net, functions, (i, unit)) for unit in range(net.biases[i].size)
        ]
    assert np.ptp(np.concatenate(found.accuracies)) > 0.01  # units differ
    assert_same_bits(net.parameters, before)


def test_one_output_a_split_and_sparse_rows():
    net = nn.Network([6, 4, 1], seed=1)
    y = (X[:, 0] > 0).astype(int)
    net.fit(X, y, epochs=10, learning_rate=0.3, verbose=0)
    positive = X * (X > 0)
    found = nn.knock_out(net, nn.Split(positive, y))
    sparse = nn.knock_out(net, scipy.sparse.csr_array(positive), y)
    assert np.array_equal(found.accuracies[0], sparse.accuracies[0])
    copy = net.copy()
    copy.weights[1][2] = 0
    assert found.accuracies[0][2] == copy.accuracy(positive, y)


def test_a_network_trained_on_bytes_reads_them_as_it_does():
    digits = nn.datasets.load_mnist_small(dtype="uint8").test[:200]
    net = nn.Network([784, 5, 10], seed=1)
    net.fit(digits, epochs=5, learning_rate=0.5, verbose=0)
    copy = net.copy()
    copy.weights[1][3] = 0
    assert nn.knock_out(net, digits).accuracies[0][3] == copy.accuracy(digits)


def test_knock_out_refuses(net):
    with pytest.raises(ValueError, match=r"net must have a hidden layer, got Network\(\[6, Dense"):
        nn.knock_out(nn.Network([6, 3], seed=1), X, Y)
    regression = nn.Network([6, 4, nn.Dense(1, "linear")], seed=1)
    text = "to have an accuracy, got linear outputs of regression: use loss"
    with pytest.raises(ValueError, match=text):
        nn.knock_out(regression, X, X[:, 0])
    with pytest.raises(ValueError, match="x must have 6 columns"):
        nn.knock_out(net, X[:, :5], Y)
    with pytest.raises(TypeError, match="y must be given beside x, got None"):
        nn.knock_out(net, X)


@pytest.mark.parametrize("recipe", [nn.knock_out, nn.noise_sensitivity])
def test_what_is_no_network_is_refused(recipe):
    with pytest.raises(TypeError, match=r"net must be a Network, got \[6, 3\]"):
        recipe([6, 3], X, Y)


# ---- what comes back -----------------------------------------------------------------------------


def noise(*scores, sigmas=(0.1, 0.2, 0.4), baseline=0.9):
    return NoiseSensitivity(sigmas, np.array(scores), baseline, "accuracy", 0)


def test_the_table_of_noise():
    found = noise([0.8, 0.7], [0.9, 0.9], [0.5, 0.7], sigmas=(0.2, 0.0, 0.5))
    assert found.table().columns == ("sigma", "accuracy %", "lowest", "highest", "change")
    rows = [(0.0, 90, 90, 90, 0), (0.2, 75, 70, 80, -15), (0.5, 60, 50, 70, -30)]
    np.testing.assert_allclose(found.table().rows, rows)
    assert str(found.table()).splitlines()[-1].split() == [
        "0.5",
        "60.00",
        "50.00",
        "70.00",
        "-30.00",
    ]
    assert repr(found) == f"{found.table()}\n{found.verdict}"
    assert found.verdict in found._repr_html_()


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (
            noise([0.895], [0.85], [0.893]),  # in the order of sigma, not by luck at the last
            "The accuracy is 90.00 % without noise, within one point of that up to sigma 0.1, and "
            "89.30 % at sigma 0.4.",
        ),
        (
            noise([0.895], [0.896], [0.893]),
            "The accuracy is 90.00 % without noise, and still within one point of it, 89.30 % at "
            "sigma 0.4.",
        ),
        (
            noise([0.5], [0.4], [0.3]),
            "The accuracy is 90.00 % without noise, 40.0 points less at sigma 0.1 already, and "
            "30.00 % at sigma 0.4.",
        ),
        (
            noise([0.3], [0.895], [0.4], sigmas=(0.4, 0.1, 0.2)),
            "The accuracy is 90.00 % without noise, within one point of that up to sigma 0.1, and "
            "30.00 % at sigma 0.4.",
        ),
        (
            noise([0.5], sigmas=(0.1,)),
            "The accuracy is 90.00 % without noise, 40.0 points less at sigma 0.1 already.",
        ),
        (noise([0.9], sigmas=(0.0,)), "The accuracy is 90.00 % without noise."),
    ],
)
def test_the_verdict_on_noise(found, verdict):
    assert found.verdict == verdict


UNITS = KnockOut(("dense1", "dense2"), (np.array([0.9, 0.5, 0.92]), np.array([0.4, 0.8])), 0.9)


def test_the_tables_of_units():
    np.testing.assert_allclose(
        [row[1:] for row in UNITS.table().rows],
        [(3, 100 * 2.32 / 3, 50, 1, 2), (2, 60, 40, 0, 0)],
    )
    assert UNITS.table()["layer"] == ["dense1", "dense2"]
    units = UNITS.units()
    assert list(zip(units["layer"], units["unit"], strict=True)) == [
        ("dense1", 0),
        ("dense1", 1),
        ("dense1", 2),
        ("dense2", 0),
        ("dense2", 1),
    ]
    np.testing.assert_allclose(units["change"], [0, -40, 2, -50, -10], atol=1e-12)


def test_the_verdict_on_units():
    assert UNITS.verdict == (
        "2 of 5 hidden units can go, alone, without a loss of accuracy; missed most is unit 0 of "
        "dense2, without which it falls from 90.00 % to 40.00 %."
    )
    assert KnockOut(("dense1",), (np.array([0.9]),), 0.9).verdict == (
        "1 of 1 hidden unit can go, alone, without a loss of accuracy, 90.00 % with all."
    )


def test_results_cannot_be_written_into(net):
    for array in (
        nn.noise_sensitivity(net, X, Y, [0.1]).scores,
        nn.knock_out(net, X, Y).accuracies[0],
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_picture_of_noise_goes_from_no_noise_upwards():
    ax = Figure().subplots()
    found = noise([0.3, 0.5], [0.8, 0.8], [0.6, 0.6], sigmas=(0.4, 0.1, 0.0))
    assert found.plot(ax) is ax
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(0, 90), (0.1, 80), (0.4, 40)])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("noise on the inputs, sigma", "accuracy (%)")
    assert ax.get_legend() is None
    noise([0.3], sigmas=(0.4,)).plot(ax, label="other")
    assert [line.get_color() for line in ax.get_lines()] == [*nn.plotting.COLOURS[:2]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["other"]
    assert len(ax.collections) == 1  # a band where there are several draws


def test_the_picture_of_units_begins_with_the_one_missed_most():
    ax = UNITS.plot()
    curves = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    assert [line.get_label() for line in curves] == ["dense1", "dense2"]
    np.testing.assert_allclose(curves[0].get_xydata(), [(1, 50), (2, 90), (3, 92)])
    np.testing.assert_allclose(curves[1].get_ydata(), [40, 80])
    assert [text.get_text() for text in ax.texts] == ["with all units"]
    assert ax.texts[0].xy[1] == pytest.approx(90)
    assert UNITS.plot(ax, label="again") is ax
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["dense1", "dense2", "again, dense1", "again, dense2"]
    assert len({line.get_color() for line in ax.get_lines() if line.get_marker() == "o"}) == 4
