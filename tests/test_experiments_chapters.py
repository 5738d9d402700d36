"""The experiments of chapters 1 and 5, on the Hessian, and the claims in one: what they say."""

import itertools
import math

import numpy as np
import pytest
from divergence import CASES, check_diverged, diverge

import nnlearn as nn
from nnlearn import experiments
from nnlearn.experiments import Result, hessian, speed

NAMES = ("baselines", "speed", "depth", "hessian", "coming-from", "stories")
SEEDS = (3, 4)
_SMALL = nn.datasets.load_mnist_small()
DATA = nn.Dataset(_SMALL.train[:500], validation=_SMALL.validation[:200], test=_SMALL.test[:200])


@pytest.fixture(scope="module")
def results():
    return {name: experiments.find(name).run(DATA, SEEDS, quick=True) for name in NAMES}


def row(result, what):
    [found] = [r for r in result.rows if r.what == what]
    return found


# ---- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_the_slides_and_quotes_have_rows(results, name):
    result, experiment = results[name], experiments.find(name)
    shown = {slide for picture in result.pictures for slide in picture.slides}
    assert shown == set(experiment.slides)
    assert all(picture.drawing(name).svg for picture in result.pictures)
    quoted = [r.quote for r in result.rows if r.quote]
    assert sorted(map(repr, quoted)) == sorted(map(repr, experiment.quotes.values()))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["baselines", "depth", "stories"])
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, name, case):
    check_diverged(monkeypatch, name, DATA, case)


@pytest.mark.parametrize("name", ["hessian", "depth"])
def test_what_is_arithmetic_alone_is_counted_as_no_quoted_number(results, name):
    exact = [r for r in results[name].rows if r.quote and r.quote.kind == "exact"]
    assert [r.quote.value for r in exact] == {"hessian": [], "depth": [".45", "6.9"]}[name]


@pytest.mark.parametrize("name", ["baselines", "speed", "depth", "hessian", "coming-from"])
def test_the_verdict_begins_with_what_was_found(results, name):
    assert results[name].finding
    assert results[name].verdict.startswith(results[name].finding)


def test_a_result_that_finds_nothing_has_no_words_for_it():
    assert Result({}).verdict == ""


def test_the_overview_counts_the_numbers_that_there_are_to_compare_with():
    quotes = {name: experiments.find(name).quotes.values() for name in experiments.names()}
    published = {name: sum(not q.replay for q in own) for name, own in quotes.items()}
    found = experiments.find("overview").run(DATA, 1, quick=True).verdict
    n = np.count_nonzero([*published.values()])
    assert found.startswith(f"{sum(published.values())} numbers of the book")
    assert f"in {n} of {len(quotes)} experiments" in found
    assert "82 more come from a replay" in found


# ---- chapter 1 -----------------------------------------------------------------------------------


def test_every_row_of_trained_networks_counts_those_that_are_stuck(results):
    by_darkness = "average darkness: test accuracy"
    for found in results["baselines"].rows:
        assert not found.values or (found.stuck is None) == (found.what == by_darkness)


def test_the_finding_has_the_last_test_accuracies(results):
    net = {"hidden": (), "learning_rate": 3.0, "init": "large", "cost": "quadratic"}
    runs = nn.compare({"it": net}, DATA, seeds=SEEDS, epochs=6, batch_size=10, verbose=0)["it"]
    ends = [100 * run.network.accuracy(DATA.test) for run in runs]
    said = f"no hidden layer, rate 3: {np.mean(ends):.2f} % (sd {np.std(ends, ddof=1):.2f})."
    assert said in results["baselines"].finding


def test_average_darkness_is_the_nearest_mean_of_the_pixels(results):
    (train, y), (test, labels) = DATA.train, DATA.test
    means = [train[y == digit].sum(axis=1).mean() for digit in range(10)]
    said = [int(np.argmin([abs(image.sum() - mean) for mean in means])) for image in test]
    [found] = row(results["baselines"], "average darkness: test accuracy").values
    assert found == pytest.approx(100 * np.mean(said == labels))


def test_the_records_that_the_book_cites_are_beside_its_own_numbers(results):
    cited = {r.quote.value: r.judge() for r in results["baselines"].rows if not r.values}
    assert cited.keys() == {"10", "98.5", "99.79", "99.65"}
    assert {judgement.word for judgement in cited.values()} == {"not comparable"}
    assert "12 million weights" in cited["99.65"].text
    sizes = (784, 2500, 2000, 1500, 1000, 500, 10)
    assert round(sum(a * b for a, b in itertools.pairwise(sizes)) / 1e6) == 12


# ---- chapters 1 and 2: seconds -------------------------------------------------------------------


def test_gradients_of_samples_and_of_a_matrix_are_those_of_the_core():
    x, y = DATA.train[:10]
    net = nn.Network([784, 30, 10], cost="quadratic", dtype="float64", seed=3)
    parameters = [np.array(p) for p in (*net.weights, *net.biases)]
    x, targets = x.astype(float), np.eye(10)[y]
    _, gradient = net.cost_and_gradient(x, y)
    names = ("dense1.weight", "dense2.weight", "dense1.bias", "dense2.bias")
    for way in (speed.by_samples, speed.by_matrix):
        for name, found in zip(names, way(parameters, x, targets), strict=True):
            assert found / 10 == pytest.approx(gradient[name], abs=1e-14)


def test_all_ways_do_the_same_epoch_and_seconds_stand_in_columns_of_seconds(results):
    [table] = results["speed"].tables
    far = dict(zip(table["way"], table["largest difference of a weight"], strict=True))
    assert far["NumPy, sample by sample"] == 0
    assert 0 < far["NumPy, a mini-batch as a matrix"] < 1e-12
    assert 0 < far["nnlearn, double precision"] < 1e-12
    assert 1e-8 < far["nnlearn, single precision"] < 1e-3
    taken = table["seconds an epoch"]
    assert min(taken) > 0
    assert table["seconds, 30 epochs"] == pytest.approx([30 * s for s in taken])
    times = table["seconds: times as fast as sample by sample"]
    assert times == pytest.approx([taken[0] / s for s in taken])
    assert f"NumPy is {times[1]:.1f} times as fast as sample by sample" in results["speed"].verdict
    assert f"{times[2]:.0f} times as fast in double" in results["speed"].verdict
    assert f"{times[3]:.0f} times in single" in results["speed"].verdict
    columns = [*table.columns[1:-1]]
    assert all(name.startswith("seconds") for name in columns)


def test_seconds_of_the_book_are_quoted_and_not_compared(results):
    rows = results["speed"].rows
    assert [(r.quote.value, r.values, r.judge().word) for r in rows] == [
        ("10", (), "not comparable"),
        ("2", (), "not comparable"),
    ]
    assert all("another machine" in r.judge().text for r in rows)


# ---- chapter 5 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("widest interval of inputs with |w sigma'| >= 1", 0.448),
        ("weight with the widest interval", 6.9),
    ],
)
def test_a_neuron_of_one_input(results, what, expected):
    found = row(results["depth"], what)
    assert found.values[0] == pytest.approx(expected, rel=2e-3)
    assert found.judge().word == "agrees"


def test_mean_deltas_at_the_start_are_those_of_the_start_weights(results):
    x, y = DATA.train
    for layer in (1, 2):
        values = row(
            results["depth"], f"2 hidden layers, layer {layer}: mean delta, at the start"
        ).values
        for seed, value in zip(SEEDS, values, strict=True):
            inside = nn.Network([784, 30, 30, 10], seed=seed).inspect(x, y)
            length = np.linalg.norm(inside.delta[layer - 1].mean(axis=0))
            assert value == pytest.approx(float(length), rel=1e-4)


def test_the_finding_on_depth_has_accuracies_and_the_ratio_of_the_deltas(results):
    x, y = DATA.train
    ratios = []
    for seed in SEEDS:
        deltas = nn.Network([784, 30, 30, 10], seed=seed).inspect(x, y).delta
        first, last = (float(np.linalg.norm(d.mean(axis=0))) for d in deltas[:2])
        ratios.append(last / first)
    found = results["depth"]
    assert f"times the first's: 2 hidden: {np.mean(ratios):.3g};" in found.finding
    best = row(found, "3 hidden: best validation accuracy")
    assert f"3 hidden: {best.mean:.2f} % (sd {best.sd:.2f})" in found.finding


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("when", ["at the start", "after 60 steps"])
def test_the_last_layers_pace_for_each_of_the_first_is_the_ratio_of_their_deltas(
    results, depth, when
):
    first, last = (
        row(results["depth"], f"{depth} hidden layers, layer {k}: mean delta, {when}").values
        for k in (1, depth)
    )
    ratio = row(
        results["depth"],
        f"{depth} hidden layers: the last one's mean delta for each of the first, {when}",
    )
    assert ratio.values == pytest.approx(np.divide(last, first))
    assert (ratio.quote is not None) == (depth == 4 and when != "at the start")
    assert not ratio.quote or ratio.quote.value == "100"


def test_layers_of_a_network_that_diverges_are_drawn_as_far_as_it_came(monkeypatch):
    diverge(monkeypatch, SEEDS, 2)
    result = experiments.find("depth").run(DATA, SEEDS, quick=True)
    lines = [line for ax in result.figures()["layers"].axes for line in ax.get_lines()]
    assert len(lines) == 2 + 3 + 4
    assert {tuple(line.get_xdata()) for line in lines} == {(0, 1, 2)}


# ---- the Hessian ---------------------------------------------------------------------------------


def test_the_hessian_is_that_of_the_cost_and_damped_steps_never_raise_it(results):
    rows = nn.datasets.two_moons(20, noise=0.2, seed=0)
    rows = nn.Split(rows.x.astype(np.float64), rows.y)
    net = nn.Network([2, 3, 2], activation="tanh", dtype="float64", seed=1)
    problem = hessian.Problem(net, rows)
    theta = problem.start()
    found = problem.hessian(theta)
    step = 1e-4 * np.random.default_rng(0).normal(size=theta.size)
    ahead, here, behind = (problem.cost_and_gradient(theta + k * step)[0] for k in (1, 0, -1))
    assert step @ found @ step == pytest.approx(ahead - 2 * here + behind, rel=1e-3)
    costs = hessian.newton(problem, theta, 5, damped=True).costs
    assert len(costs) == 6
    assert all(b <= a for a, b in itertools.pairwise(costs))
    sizes, _ = results["hessian"].tables
    assert sizes["entries of H, n^2"] == [23_860.0**2, 79_510.0**2, 1e14]


def test_one_newton_step_ends_at_the_minimum_of_a_bowl(results):
    figure = results["hessian"].figures()["bowl"]
    ends = [
        line.get_xydata()[-1] for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 2
    ]
    assert any(np.allclose(end, 0.0, atol=1e-12) for end in ends)


def test_the_finding_on_newtons_step_is_of_the_bowl_and_of_the_table(results):
    _, costs = results["hessian"].tables
    [words] = [results["hessian"].verdict]
    for steps, end in zip(costs["steps"], costs["last cost"], strict=True):
        assert f" to {end:.3g} in {steps}" in words
    place = np.array([-1.8, 1.0])  # x shrinks by 1 - 1.5 / 25 a step, y by 1 - 1.5
    left = np.linalg.norm(place * np.array([1 - 1.5 / 25, 1 - 1.5]) ** 60)
    assert f"60 of gradient descent end {left:.1g} from it" in words
    assert "1e+14 entries, 800,000 gigabytes" in words


# ---- the claims in one ---------------------------------------------------------------------------


def test_epochs_that_momentum_saves_are_counted_from_plain_steps_end(results):
    claim, _ = [c for c in results["stories"].claims if c.unit == "epochs"]
    runs = nn.compare(
        {"plain": {}, "momentum": {"momentum": 0.9}},
        DATA,
        seeds=SEEDS,
        hidden=30,
        epochs=4,
        batch_size=10,
        learning_rate=0.05,
        l2=5.0 * 500 / 50_000,
        verbose=0,
    )
    expected = []
    for plain, fast in zip(runs["plain"], runs["momentum"], strict=True):
        reached = np.flatnonzero(fast.history["loss"] <= plain.history["loss"][-1])
        expected.append(4 - (reached[0] + 1 if reached.size else 5))
    assert claim.differences == tuple(expected)
    assert "within 4 epochs, 5 are counted" in results["stories"].remarks[-1]


def test_where_plain_steps_diverge_no_epochs_are_saved(monkeypatch):
    diverge(monkeypatch, {SEEDS[0]}, 3)
    result = experiments.find("stories").run(DATA, SEEDS, quick=True)
    claims = [c for c in result.claims if c.unit == "epochs"]
    assert len(claims) == 2
    for claim in claims:
        assert [math.isnan(d) for d in claim.differences] == [True, False]
    assert {c.unit for c in result.claims} == {"percentage points", "epochs"}
