"""Experiments on noise, biases, L1, dropout, more data, expanded data: what they say is so."""

import functools
import sys

import numpy as np
import pytest
from reference_random import dropout_mask

import nnlearn as nn
from nnlearn import augment, experiments
from nnlearn.experiments import biases, dropout, expansion, l1, more_data, noise, other_techniques

NAMES = ("noise", "biases", "other-techniques", "l1", "dropout", "more-data", "expansion")
SEEDS = (0, 1)
DATA = nn.datasets.load_mnist_small().take(500)
UNTESTED = nn.Dataset(DATA.train, test=DATA.test, image_shape=(28, 28))


@functools.cache
def measured(name):
    return experiments.find(name).run(DATA, SEEDS, quick=True)


class _Results:
    """The result of each experiment, run when it is asked for."""

    def __getitem__(self, name):
        return measured(name)


@pytest.fixture(scope="module")
def results():
    yield _Results()
    measured.cache_clear()


def row(result, what):
    [found] = [r for r in result.rows if r.what == what]
    return found


def values(result, what):
    return row(result, what).values


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_the_slides_and_are_drawn(results, name):
    pictures = results[name].pictures
    shown = {slide for picture in pictures for slide in picture.slides}
    assert shown == set(experiments.find(name).slides)
    for picture in pictures:
        svg = picture.drawing(name).svg
        assert "currentColor" in svg
        assert len(svg) < 400_000


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_every_seed_are_there(results, name):
    result = results[name]
    assert result.claims
    assert all(len(claim.differences) == len(SEEDS) for claim in result.claims)
    assert all(len(r.values) in (0, 1, len(SEEDS)) for r in result.rows)
    assert all(np.isfinite(v) for r in result.rows for v in r.values)


@pytest.mark.parametrize("name", NAMES)
def test_differences_of_accuracies_are_in_percentage_points(results, name):
    result = results[name]
    assert {claim.unit for claim in result.claims} <= {"percentage points", ""}
    assert any(claim.unit for claim in result.claims)
    assert all((r.unit == "percentage points") == ("lost" in r.what) for r in result.rows)


@pytest.mark.parametrize("name", NAMES)
def test_stuck_runs_are_counted_beside_every_test_accuracy(results, name):
    rows = [r for r in results[name].rows if r.what.endswith("test accuracy")]
    assert rows or name == "more-data"  # whose networks answer for the validation set
    assert all(isinstance(r.stuck, int) for r in rows)


# ---- noise ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_and_large():
    variants = {"small weights": {"init": "scaled", "l2": 0.05}, "large weights": {"init": "large"}}
    return nn.compare(variants, UNTESTED, hidden=30, learning_rate=0.5, epochs=8, seeds=SEEDS)


@pytest.mark.parametrize("name", ["small weights", "large weights"])
def test_what_noise_costs_is_what_a_noisy_copy_of_the_digits_costs(results, small_and_large, name):
    test = DATA.test[:500]
    for k, run in enumerate(small_and_large[name]):
        noisy = np.random.default_rng([0, 0]).standard_normal((500, 784))
        x = test.x.astype(np.float64) + 0.3 * noisy
        lost = 100 * (run.network.accuracy(test) - run.network.accuracy(x, test.y))
        what = f"{name}: accuracy lost to noise of sigma 0.3"
        assert values(results["noise"], what)[k] == pytest.approx(lost, abs=0.21)  # one digit


@pytest.mark.parametrize("name", ["small weights", "large weights"])
def test_what_comes_back_of_delta_follows_from_the_weights(results, small_and_large, name):
    test = DATA.test[:500]
    for k, run in enumerate(small_and_large[name]):
        (w1, w2), (b1, b2) = (
            [a.astype(np.float64) for a in arrays]
            for arrays in (run.network.weights, run.network.biases)
        )
        h = sigmoid(test.x @ w1 + b1)
        output = sigmoid(h @ w2 + b2) - np.eye(10)[test.y]
        hidden = output @ w2.T * h * (1 - h)
        for what, found in zip(noise._MEASURES, (hidden, hidden @ w1.T), strict=True):
            wanted = np.linalg.norm(found) / np.linalg.norm(output)
            got = values(results["noise"], f"{name}: {what}")[k]
            assert got == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("k", "where"), [*enumerate(("hidden units", "inputs"))])
def test_what_of_delta_comes_back_is_claimed_of_both_layers(results, k, where):
    text = f"with large weights more of the outputs' delta reaches the {where}"
    [claim] = [c for c in results["noise"].claims if c.text == text]
    large, small = (
        np.array(values(results["noise"], f"{kind} weights: {noise._MEASURES[k]}"))
        for kind in ("large", "small")
    )
    assert claim.differences == pytest.approx(large - small)


# ---- biases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("w", "b"), biases._NEURONS.values())
def test_the_neuron_of_the_picture_is_the_sigmoid_of_w_x_plus_b(w, b):
    x = np.linspace(-2, 2, 9)
    a, slope = biases.neuron(w, b, x)
    h = 1e-5
    assert a == pytest.approx(sigmoid(w * x + b), rel=1e-12)
    central = (sigmoid(w * (x + h) + b) - sigmoid(w * (x - h) + b)) / (2 * h)
    assert slope == pytest.approx(central, rel=1e-6, abs=1e-10)


def test_biases_are_counted_in_one_penalty_and_not_in_the_other(results):
    settings = {"hidden": 30, "l2": 0.05, "learning_rate": 0.5, "epochs": 6, "seeds": SEEDS}
    for name, penalised in (("biases free", False), ("biases penalised", True)):
        runs = nn.compare({"a": {"penalize_biases": penalised}}, UNTESTED, **settings)["a"]
        sizes = [np.sqrt(np.mean(np.concatenate(run.network.biases) ** 2)) for run in runs]
        assert values(results["biases"], f"{name}: root mean square bias") == pytest.approx(sizes)
        if name == "biases free":
            check_larger(results["biases"], runs)


def check_larger(result, runs):
    test = DATA.test[:1_000]
    for k, run in enumerate(runs):
        w, b = run.network.weights[0].astype(float), run.network.biases[0].astype(float)
        for part, weights, bias in (("weights", 16 * w, b), ("biases", w, 16 * b)):
            a = sigmoid(test.x @ weights + bias)
            lengths = np.linalg.norm(weights, axis=0) * a * (1 - a)  # of each digit and unit
            length = np.sqrt(np.mean(lengths**2))
            what = f"hidden units' {part} multiplied by 16"
            found = values(result, f"{what}: length of da/dx")[k]
            assert found == pytest.approx(length, rel=1e-3)
            saturated = 100 * np.mean((a < 0.01) | (a > 0.99))
            assert values(result, f"{what}: saturated")[k] == pytest.approx(saturated, abs=0.02)


# ---- other techniques, expansion -----------------------------------------------------------------


def test_expanded_data_are_the_digits_and_four_copies():
    more = other_techniques.expanded(DATA)
    first = DATA.train.x.reshape(-1, 28, 28)
    assert len(more.train) == 2_500
    assert more.test is DATA.test
    copies = more.train.x.reshape(5, 500, 28, 28)
    assert (copies[0] == first).all()
    assert (copies[1, :, :-1] == first[:, 1:]).all()  # upwards
    assert (copies[4, :, :, 1:] == first[:, :, :-1]).all()  # to the right


def test_techniques_are_the_settings_they_say(results):
    wanted = {"L1": {"l1": 0.5 / 100}, "L2": {"l2": 5 / 100}, "dropout": {"dropout": 0.5}}
    runs = nn.compare(
        wanted, UNTESTED, hidden=100, learning_rate=0.5, epochs=5, seeds=SEEDS, evaluate_every=5
    )
    for name, group in runs.items():
        found = values(results["other-techniques"], f"{name}: test accuracy")
        assert found == pytest.approx([100 * (1 - run.test_error) for run in group])


def test_what_is_drawn_has_the_mean_and_the_spread_asked_for():
    table = expansion.displacements()
    assert table["sd asked for"] == pytest.approx(
        [1.7321, 1.7321, 11.547, 0.23094, 0.11547, 1.3844, 1.3844], rel=1e-3
    )
    assert table["mean asked for"] == [0, 0, 0, 0, 1, 0, 0]
    for mean, wanted, spread in zip(
        table["mean"], table["mean asked for"], table["sd asked for"], strict=True
    ):
        assert abs(mean - wanted) < 4 * spread / np.sqrt(1_000)
    assert table["sd"] == pytest.approx(table["sd asked for"], rel=0.08)


def test_places_are_where_a_pixel_is_taken_from():
    assert (expansion.places(augment.Shift(0), 5, -3, n=2) == [5, -3]).all()
    turned = expansion.places(augment.Rotate(30), 10, 0, n=50)
    assert np.hypot(*turned.T) == pytest.approx(10)
    assert 20 < np.degrees(np.arctan2(turned[:, 1], turned[:, 0])).max() <= 30
    skewed = expansion.places(augment.Skew(0.5), 0, 10, n=50)
    assert skewed[:, 1] == pytest.approx(10)
    assert 3 < abs(skewed[:, 0]).max() <= 5


def test_expansion_names_what_it_trains_with(results):
    part = augment.Compose(augment.Shift(1), augment.Rotate(10), augment.Skew(0.2))
    runs = nn.compare(
        {"none": {}, "all three": {"augment": part}},
        UNTESTED,
        hidden=30,
        learning_rate=0.1,
        l2=0.05,
        epochs=5,
        seeds=SEEDS,
    )
    for name, group in runs.items():
        found = values(results["expansion"], f"{name}: test accuracy")
        assert found == pytest.approx([100 * (1 - run.test_error) for run in group])


# ---- L1 ------------------------------------------------------------------------------------------


def test_l1_takes_off_a_constant_and_l2_a_share():
    start, step = np.array(l1._STARTS), l1._RATE * l1._LAMBDA
    w = start.copy()
    wanted = [w]
    for _ in range(l1._STEPS):
        w = w - step * np.sign(w)
        wanted.append(w)
    one, two = l1.path("l1"), l1.path("l2")
    assert one[:5] == pytest.approx(np.array(wanted)[:5], abs=1e-12)
    assert abs(one[-1]).max() < step + 1e-12
    assert (one[:, -1] == 0).all()  # sgn(0) is 0
    shrunk = start * (1 - step) ** np.arange(l1._STEPS + 1)[:, None]
    assert two == pytest.approx(shrunk, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "settings"), [("no penalty", {}), ("L1", {"l1": 0.005}), ("L2", {"l2": 0.05})]
)
def test_small_weights_are_counted(results, name, settings):
    runs = nn.compare(
        {"a": settings}, UNTESTED, hidden=30, learning_rate=0.5, epochs=6, seeds=SEEDS
    )["a"]
    lit = DATA.train.x.max(axis=0) > 0
    for k, run in enumerate(runs):
        small = np.abs(run.network.weights[0]) < 1e-3  # eta lambda / n is 5e-6
        found = [
            values(results["l1"], f"{name}: {what}")[k]
            for what in (
                "first-layer weights that are small",
                "the same, of pixels that are ever on",
            )
        ]
        assert found == pytest.approx([100 * small.mean(), 100 * small[lit].mean()])


def test_the_legend_has_the_shares_of_small_weights(results):
    [picture] = [p for p in results["l1"].pictures if p.name == "weights"]
    labels = [text.get_text() for text in picture.figure().axes[0].get_legend().get_texts()]
    means = [
        np.mean(values(results["l1"], f"{name}: the same, of pixels that are ever on"))
        for name in l1._VARIANTS
    ]
    wanted = [f"{name}: {m:.1f} % small" for name, m in zip(l1._VARIANTS, means, strict=True)]
    assert labels == wanted


# ---- dropout -------------------------------------------------------------------------------------


def test_the_masks_drawn_are_those_of_the_training_steps():
    found = dropout.masks((4, 8, 8, 3), 3, seed=1)
    for step, layers in enumerate(found):
        for i, kept in enumerate(layers):
            mask = dropout_mask(1, f"dropout{i + 1}", step, 1, 8, 0.5)[0]
            assert (kept == (mask > 0)).all()
    assert len({tuple(np.concatenate(layers)) for layers in found}) == 3


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_the_share_kept_is_that_of_the_masks(p):
    mask = dropout_mask(0, "dropout1", 0, 1, dropout._UNITS, p)
    assert dropout.share_kept(p) == pytest.approx((mask > 0).mean(), abs=1e-9)


def test_the_picture_of_masks_has_the_units_and_the_lines_between_those_kept(results):
    [picture] = [p for p in results["dropout"].pictures if p.name == "masks"]
    assert picture.slides == (25,)
    axes = picture.figure().axes
    kept = [[8, 8], *[[int(k.sum()) for k in ls] for ls in dropout.masks((4, 8, 8, 3), 3, 1)]]
    for ax, (a, b) in zip(axes, kept, strict=True):
        assert len(ax.patches) == 23
        assert len(ax.collections[0].get_segments()) == 4 * a + a * b + 3 * b


def test_networks_averaged_answer_by_the_mean_of_their_outputs(results):
    settings = {"learning_rate": 0.5, "epochs": 5, "seeds": SEEDS}
    runs = nn.compare({"a": {"hidden": 100, "dropout": 0.5}}, UNTESTED, **settings)["a"]
    mean = sum(run.network.forward(DATA.test).astype(float) for run in runs)
    wanted = 100 * np.mean(mean.argmax(axis=1) == DATA.test.y)
    what = "100 hidden, dropout, p 0.5"
    found = values(results["dropout"], f"{what}: 2 networks averaged")
    assert found == pytest.approx([wanted])
    lost = []
    test = DATA.test[:500]
    for run in runs:
        (w1, w2), (b1, b2) = run.network.weights, run.network.biases
        h = sigmoid(test.x @ w1 + b1)
        right = [
            np.mean(np.argmax((h * (np.arange(100) != u)) @ w2 + b2, axis=1) == test.y)
            for u in range(100)
        ]
        lost.append(100 * (run.network.accuracy(test) - min(right)))
    found = values(results["dropout"], f"{what}: accuracy lost with the unit missed most")
    assert found == pytest.approx(lost, abs=0.21)


def test_the_average_is_judged_beside_each_network_and_told_beside_the_best(results):
    result = results["dropout"]
    single = np.array(values(result, "100 hidden, without dropout: test accuracy"))
    [together] = values(result, "100 hidden, without dropout: 2 networks averaged")
    [claim] = [c for c in result.claims if "averaged" in c.text and "100 hidden" in c.text]
    assert claim.differences == pytest.approx(together - single)
    gain = f"100 hidden, without dropout: {together - single.max():+.2f}"
    assert gain in result.remarks[-1]


def test_cited_numbers_of_dropout_are_not_compared(results):
    quoted = [r for r in results["dropout"].rows if r.quote]
    assert [r.quote.value for r in quoted] == ["98.4", "98.7"]
    assert all("Hinton" in r.judge().text for r in quoted)


# ---- more data -----------------------------------------------------------------------------------


def test_all_sizes_are_quoted(results):
    rows = results["more-data"].rows
    assert [r.what for r in rows if r.what.startswith("network")][::4] == [
        "network, 100 digits",
        "network, 2,000 digits",
        "network, 50,000 digits",
    ]
    assert len(rows) == 19
    assert row(results["more-data"], "SVM, 50,000 digits: test").quote.value == "94.35"
    assert row(results["more-data"], "network, 50,000 digits").quote.value == "95.97"
    assert row(results["more-data"], "SVM, 100 digits").quote.value == "25.07"
    assert {r.quote.kind for r in rows if r.what.startswith("SVM")} == {"exact"}
    assert len(row(results["more-data"], "network, 500 digits").values) == 2
    assert row(results["more-data"], "network, 1,000 digits").values == ()


def test_networks_see_equally_many_samples_and_as_strong_a_penalty(results):
    net = nn.Network([784, 30, 10], init="large", seed=1)
    epochs = more_data._SEEN_QUICK // 200
    net.fit(DATA.train[:200], epochs=epochs, learning_rate=0.5, l2=0.02, verbose=0)
    found = values(results["more-data"], "network, 200 digits")[1]
    assert found == pytest.approx(100 * net.accuracy(DATA.validation))


def test_pixels_are_those_of_the_book():
    x = np.array([[0, 1, 128, 255]], np.uint8)
    wanted = [[0, 1 / 256, 0.5, 255 / 256]]
    assert (more_data._pixels(x) == wanted).all()
    assert (more_data._pixels((x / 255).astype(np.float32)) == wanted).all()


def test_the_support_vector_machine_is_scikit_learns_of_then(results):
    svm = pytest.importorskip("sklearn.svm")
    pixels = np.rint(DATA.train.x * 255.0)[:500] / 256
    machine = svm.SVC(C=1.0, kernel="rbf", gamma=1 / 784).fit(pixels, DATA.train.y[:500])
    guessed = machine.predict(np.rint(DATA.validation.x * 255.0) / 256)
    classes = more_data.classes(machine, np.rint(DATA.validation.x * 255.0) / 256)
    assert (classes == guessed).all()
    wanted = 100 * np.mean(guessed == DATA.validation.y)
    assert values(results["more-data"], "SVM, 500 digits") == pytest.approx([wanted])


def test_the_machine_of_most_digits_answers_on_the_test_set_too(monkeypatch):
    svm = pytest.importorskip("sklearn.svm")
    monkeypatch.setattr(more_data, "_SIZES", (100, 200))
    result = experiments.find("more-data").run(DATA, 1, quick=True)
    machine = svm.SVC(gamma="auto").fit(
        np.rint(DATA.train.x * 255.0)[:200] / 256, DATA.train.y[:200]
    )
    wanted = 100 * machine.score(np.rint(DATA.test.x * 255.0) / 256, DATA.test.y)
    assert values(result, more_data._MACHINE_ON_TEST) == pytest.approx([wanted])


def test_without_scikit_learn_the_rows_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    result = experiments.find("more-data").run(DATA.take(100), 2, quick=True)
    machine = row(result, "SVM, 100 digits")
    assert machine.values == ()
    assert "scikit-learn is not installed" in machine.judge(result.shortened).text
    assert len(result.pictures) == 1
    assert not any("support vector machine" in claim.text for claim in result.claims)
