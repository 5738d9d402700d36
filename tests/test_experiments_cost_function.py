"""Experiments about the cost function: their numbers, worked out again by NumPy alone."""

import importlib

import numpy as np
import pytest
from divergence import CASES, check_diverged, diverge

import nnlearn as nn
from nnlearn import experiments
from nnlearn.experiments import cost_gradients, log_likelihood, softmax

NAMES = (
    "toy-neuron",
    "cost-gradients",
    "deltas",
    "assumptions",
    "four-equations",
    "costs",
    "softmax",
    "log-likelihood",
)
SEEDS = (2, 5)
#: Rounding of sums of a few thousand doubles, and of what central differences of them give.
EXACT, NUMERIC = 1e-12, 1e-7


@pytest.fixture(scope="module")
def digits():
    return nn.datasets.load_mnist_small().take(500)


@pytest.fixture(scope="module")
def found(digits):
    return {name: experiments.find(name).run(digits, SEEDS, quick=True) for name in NAMES}


@pytest.fixture(scope="module")
def figures(found):
    return {name: found[name].figures() for name in NAMES}


def value(result, what):
    (row,) = [row for row in result.rows if row.what == what]
    return row.values


def lines(ax):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in ax.get_lines()}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax_of(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# ---- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_exactly_the_slides_named(name, found):
    shown = [slide for picture in found[name].pictures for slide in picture.slides]
    assert sorted(shown) == sorted(experiments.find(name).slides)
    assert found[name].pictures


@pytest.mark.parametrize("name", NAMES)
def test_every_quote_stands_beside_a_measured_number(name, found):
    quotes = list(experiments.find(name).quotes.values())
    used = [row.quote for row in found[name].rows if row.quote]
    assert len(used) == len(quotes)
    assert all(quote in used for quote in quotes)


@pytest.mark.parametrize("name", ["softmax", "log-likelihood"])
def test_drawings_have_the_same_bytes_each_time(name, found):
    picture = found[name].pictures[0]
    svg = picture.drawing(name).svg
    assert svg == picture.drawing(name).svg
    assert len(svg) < 400_000
    assert picture.size[0] <= 9.0


@pytest.mark.parametrize(
    ("name", "slide", "settings"),
    [
        ("toy-neuron", 3, {"w": 2.0, "b": 2.0, "epochs": 300}),
        ("toy-neuron", 7, {"learning_rate": {"quadratic": 0.15, "cross_entropy": 0.005}}),
        ("four-equations", 9, {"cost": "quadratic"}),
        ("softmax", 11, {"z": [2.5, -1.0, 3.2, 0.5]}),
    ],
)
def test_widgets_of_slides_have_the_slides_settings(name, slide, settings):
    pytest.importorskip("anywidget")
    widgets = importlib.import_module("nnlearn.widgets")
    kind, given = experiments.find(name).widgets[slide]
    widget = getattr(widgets, kind)(**given)
    try:
        assert settings.items() <= widget.settings.items()
    finally:
        widget.close()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["deltas", "costs", "log-likelihood"])
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, name, case, digits):
    check_diverged(monkeypatch, name, digits, case)


@pytest.mark.parametrize("name", ["costs", "log-likelihood"])
def test_stuck_runs_are_counted_wherever_networks_are_tested(name, found):
    tested = [row for row in found[name].rows if "test " in row.what]
    assert tested
    assert all(row.stuck is not None for row in tested)


def test_differences_of_accuracies_are_in_percentage_points(found):
    units = {claim.unit for name in ("costs", "deltas") for claim in found[name].claims}
    assert units == {"percentage points"}


def test_the_deltas_of_a_network_that_diverges_are_drawn_as_far_as_it_came(monkeypatch, digits):
    diverge(monkeypatch, SEEDS, 2)
    result = experiments.find("deltas").run(digits, SEEDS, quick=True)
    lengths = [len(line.get_xdata()) for line in result.figures()["deltas"].axes[1].get_lines()]
    assert lengths == [3, 3]  # the start, and two epochs
    assert [row.diverged for row in result.rows] == [len(SEEDS)] * 2


# ---- the toy neuron ------------------------------------------------------------------------------

CASES = [
    ("quadratic", (0.6, 0.9), 0.15, ""),
    ("quadratic", (2, 2), 0.15, ""),
    ("cross-entropy", (0.6, 0.9), 0.005, ""),
    ("cross-entropy", (2, 2), 0.005, ""),
    ("cross-entropy", (0.6, 0.9), 0.005, ", the book's widget formula"),
    ("cross-entropy", (2, 2), 0.005, ", the book's widget formula"),
    ("cross-entropy", (0.6, 0.9), 0.15, ""),
    ("cross-entropy", (2, 2), 0.15, ""),
]


def descend(cost, start, rate, formula="", epochs=300):
    """Outputs by epoch, and the last w and b, of gradient descent on one sample."""
    w, b = start
    outputs = [sigmoid(w + b)]
    for _ in range(epochs):
        a = outputs[-1]
        step = a * a * (1 - a) if cost == "quadratic" else 1 / (1 - a) if formula else a
        w, b = w - rate * step, b - rate * step
        outputs.append(sigmoid(w + b))
    return np.array(outputs), w, b


@pytest.mark.parametrize(("cost", "start", "rate", "formula"), CASES)
def test_the_toy_neuron_goes_where_gradient_descent_by_hand_goes(cost, start, rate, formula, found):
    outputs, w, b = descend(cost, start, rate, formula)
    name = f"{cost} from {start[0]}, {start[1]}, rate {rate}{formula}"
    result = found["toy-neuron"]
    for epoch in (0, 50, 100, 150, 200, 250, 300):
        measured = value(result, f"{name}: output at epoch {epoch}")
        assert measured == pytest.approx((outputs[epoch],), abs=1e-10)
    a = outputs[-1]
    assert value(result, f"{name}: w at the end") == pytest.approx((w,), abs=1e-9)
    assert value(result, f"{name}: b at the end") == pytest.approx((b,), abs=1e-9)
    loss = a * a / 2 if cost == "quadratic" else -np.log(1 - a)
    assert value(result, f"{name}: cost at the end") == pytest.approx((loss,), abs=1e-9)


def test_every_number_of_the_toy_neurons_replay_agrees(found):
    rows = [row for row in found["toy-neuron"].rows if row.quote and "10 %" not in row.what]
    assert len(rows) == 8 * (7 + 3) + 5
    assert {row.judge().word for row in rows} == {"agrees"}
    sources = {row.quote.source for row in rows}
    replay = "replay of the book's settings, computed independently"
    assert sources == {"book, chapter 3", replay}
    assert all(row.quote.replay == (row.quote.source == replay) for row in rows)
    verdict = found["toy-neuron"].verdict
    assert "3 of 3 quoted numbers agree." in verdict
    assert "82 of 82 replayed numbers agree." in verdict


def test_the_toy_neurons_slow_start_is_told_in_numbers(found):
    result = found["toy-neuron"]
    a, w, _ = descend("quadratic", (2, 2), 0.15)
    part = value(result, "start 2, 2, quadratic: epochs until 10 % of the output's way are made")
    limit = a[0] - 0.1 * (a[0] - a[300])
    assert (a[int(part[0])] <= limit < a[int(part[0]) - 1], len(part)) == (True, 1)
    (row,) = [row for row in result.rows if row.values == part and row.quote]
    assert (row.quote.value, row.judge().word) == ("150", "not comparable")
    weights = np.log(a / (1 - a)) / 2  # w and b are alike
    for what, by_epoch in (("the output", a), ("w", weights)):
        first, then = (
            value(result, f"start 2, 2, quadratic: fall of {what} in the {part} 150 epochs")
            for part in ("first", "next")
        )
        assert first == pytest.approx((by_epoch[0] - by_epoch[150],), abs=1e-9)
        assert then == pytest.approx((by_epoch[150] - by_epoch[300],), abs=1e-9)
    assert w == pytest.approx(weights[-1])
    claim = result.claims[1]
    assert (claim.word, claim.differences) == (
        "holds",
        pytest.approx((a[150] - a[300] - (a[0] - a[150]),), abs=1e-9),
    )
    assert "falls by 0.05 in the first 150 epochs and by 0.73" in result.pictures[0].caption
    assert "0.78 after 300 epochs" in result.remarks[0]
    assert "0.03 the right gradient comes to 0.079, of 0.05 to 0.042" in result.remarks[0]


def test_the_toy_neuron_starts_faster_with_cross_entropy_by_what_the_replay_says(found):
    claim = found["toy-neuron"].claims[0]
    assert (claim.word, claim.chance) == ("holds", False)
    assert claim.differences == pytest.approx((0.9759 - 0.0985,), abs=1e-4)


def test_the_toy_neurons_pictures_show_both_starts_and_all_runs(figures):
    figure = figures["toy-neuron"]["both"]
    for ax, start in zip(figure.axes, ((0.6, 0.9), (2, 2)), strict=True):
        shown = sorted(y[-1] for y in lines(ax).values())
        own = [descend(*case)[0][-1] for case in CASES if case[1] == start]
        assert shown == pytest.approx(sorted(own), abs=1e-9)
    output, cost = figures["toy-neuron"]["quadratic"].axes
    a = np.array(list(lines(output).values()))
    np.testing.assert_allclose(list(lines(cost).values()), a**2 / 2, atol=1e-12)
    slope, gradient = figures["toy-neuron"]["slopes"].axes
    np.testing.assert_allclose(list(lines(slope).values()), a * (1 - a), atol=1e-12)
    np.testing.assert_allclose(list(lines(gradient).values()), a**2 * (1 - a), atol=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "costs"])
def test_the_verdict_begins_with_what_was_found(name, found):
    assert found[name].finding
    assert found[name].verdict.startswith(found[name].finding)


def test_the_findings_of_toys_are_those_of_gradient_descent_by_hand(found):
    for case in CASES:
        cost, (w, b), rate, formula = case
        end = f"{cost} from {w:g}, {b:g}, rate {rate:g}: {descend(*case)[0][-1]:.3f}"
        assert (end in found["toy-neuron"].finding) == (rate == 0.15 and not formula)
    a, _, _ = descend("quadratic", (2, 2), 0.15)
    delta = a * a * (1 - a)
    said = f"the toy's is {delta[0]:.3f} at first, at most {delta.max():.3f} (epoch "
    assert f"Delta with quadratic: {said}{delta.argmax()})" in found["deltas"].finding
    wrong = sigmoid(-6.0)
    assert (
        f"at output {wrong:.3f} the quadratic cost's is {(wrong - 1) * wrong * (1 - wrong):.3f} "
        f"and cross-entropy's {wrong - 1:.3f}; at output 0.500 the quadratic cost's is -0.125 and "
        "cross-entropy's -0.500." in found["cost-gradients"].finding
    )


# ---- gradients of costs, deltas ------------------------------------------------------------------


@pytest.mark.parametrize("y", [0, 1])
def test_curves_of_costs_are_their_formulas(y):
    a, cost, gradient = cost_gradients.curves("quadratic", y)
    np.testing.assert_allclose(cost, (a - y) ** 2 / 2, atol=EXACT)
    np.testing.assert_allclose(gradient, (a - y) * a * (1 - a), atol=EXACT)
    a, cost, gradient = cost_gradients.curves("cross_entropy", y)
    np.testing.assert_allclose(cost, -np.log(a if y else 1 - a), atol=EXACT)
    np.testing.assert_allclose(gradient, a - y, atol=EXACT)
    assert a[0] < 0.01
    assert a[-1] > 0.99


def test_the_mean_slope_of_the_rate_heuristic_is_a_sixth_and_nothing_that_is_quoted(found):
    [row] = found["cost-gradients"].rows
    assert (row.values, row.quote) == (pytest.approx((1 / 6,)), None)


def test_the_deltas_begin_as_those_of_the_start_weights(digits, figures):
    rows = digits.train
    sizes = {"quadratic": [], "cross-entropy": []}
    for seed in SEEDS:
        net = nn.Network([784, 30, 10], init="large", seed=seed)
        w, b = ([np.float64(part) for part in parts] for parts in (net.weights, net.biases))
        a = sigmoid(sigmoid(rows.x @ w[0] + b[0]) @ w[1] + b[1])
        error = a - np.eye(10)[rows.y]
        sizes["quadratic"].append(np.abs(error * a * (1 - a)).mean())
        sizes["cross-entropy"].append(np.abs(error).mean())
    toy, network = figures["deltas"]["deltas"].axes
    shown = dict(zip(lines(toy), network.get_lines(), strict=True))
    for cost, expected in sizes.items():
        first = shown[cost].get_ydata()[0]
        assert first == pytest.approx(np.mean(expected), rel=1e-4)  # trained in float32
    a = descend("quadratic", (2, 2), 0.15)[0]
    np.testing.assert_allclose(lines(toy)["quadratic"], a**2 * (1 - a), atol=1e-10)
    a = descend("cross-entropy", (2, 2), 0.15)[0]
    np.testing.assert_allclose(lines(toy)["cross-entropy"], a, atol=1e-10)


def test_the_claim_of_the_deltas_is_of_the_errors_in_its_table(digits, found):
    result = found["deltas"]
    errors = {
        cost: value(result, f"{cost}: training error after the first epoch")
        for cost in ("quadratic", "cross-entropy")
    }
    expected = []
    for seed in SEEDS:
        net = nn.Network([784, 30, 10], init="large", seed=seed)
        net.fit(digits.train, epochs=1, batch_size=10, learning_rate=0.5, verbose=0)
        expected.append(100 * (1 - net.accuracy(digits.train)))
    assert errors["cross-entropy"] == pytest.approx(expected, abs=1e-9)
    (claim,) = result.claims
    apart = np.subtract(errors["quadratic"], errors["cross-entropy"])
    assert claim.differences == pytest.approx(tuple(apart))


# ---- the two assumptions, the four equations -----------------------------------------------------


def test_both_assumptions_hold_for_all_costs_to_rounding(digits, found):
    (table,) = found["assumptions"].tables
    assert table["cost"] == ["quadratic", "cross_entropy", "log_likelihood", "hinge"]
    for column in table.columns[2:]:
        assert max(table[column]) < EXACT
    x, y = digits.train.x[:200], digits.train.y[:200]
    net = nn.Network([784, 20, 10], cost="quadratic", seed=SEEDS[0], dtype="float64")
    hidden = sigmoid(x @ net.weights[0] + net.biases[0])
    z = hidden @ net.weights[1] + net.biases[1]
    target, right = np.eye(10)[y], z[np.arange(200), y][:, None]
    a = sigmoid(z)
    expected = [
        ((a - target) ** 2).sum(axis=1).mean() / 2,
        -(target * np.log(a) + (1 - target) * np.log(1 - a)).sum(axis=1).mean(),
        -np.log(softmax_of(z)[np.arange(200), y]).mean(),
        (np.maximum(0, z - right + 1).sum(axis=1) - 1).mean(),
    ]
    np.testing.assert_allclose(table["of a batch"], expected, rtol=1e-10)


def test_the_costs_of_samples_are_drawn_with_their_mean(figures):
    for ax in figures["assumptions"]["costs"].axes:
        each, alone, whole = (np.asarray(line.get_ydata()) for line in ax.get_lines())
        assert len(each) == 200
        assert each.mean() == pytest.approx(whole[0])
        assert alone == pytest.approx(each[::10])


def test_each_of_the_four_equations_agrees_in_every_layer(found, figures):
    (table,) = found["four-equations"].tables
    pairs = list(zip(table["equation"], table["layer"], strict=True))
    both = [(kind, layer) for kind in ("BP3", "BP4") for layer in (1, 2, 3)]
    assert pairs == [("BP1", 3), ("BP2", 1), ("BP2", 2), *both]
    assert max(table["against central differences"]) < NUMERIC
    assert max(table["against the core"]) < EXACT
    (ax,) = figures["four-equations"]["deviations"].axes
    shown = lines(ax)
    for column in ("central differences", "the core"):
        np.testing.assert_array_equal(shown[column], np.maximum(table[f"against {column}"], 1e-17))


# ---- softmax and the log-likelihood --------------------------------------------------------------


def test_softmax_at_the_books_start(found):
    outputs = [row.values[0] for row in found["softmax"].rows[:4]]
    assert [round(a, 3) for a in outputs] == [0.315, 0.009, 0.633, 0.043]
    z = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_allclose(softmax.outputs(z), softmax_of(z), atol=EXACT)


def test_softmax_sums_to_one_and_is_monotonic(found):
    result = found["softmax"]
    shares = [value(result, f"each output {what}")[0] for what in ("grows with its own z",
              "falls with every other z")]  # fmt: skip
    assert shares == [100.0, 100.0]
    assert result.rows[4].values[0] < 1.0  # in units of 1e-15
    assert result.rows[7].values[0] < 1.0  # in units of 1e-9
    assert "For 1,000 of 1,000 sets of weighted inputs every output grows" in result.verdict
    within = float(result.verdict.rpartition("within ")[2].rstrip("."))
    assert within == pytest.approx(1e-15 * result.rows[4].values[0], rel=0.05)


def test_the_picture_of_softmax_moves_one_z_and_shows_the_jacobian(figures):
    bars, curves, jacobian = figures["softmax"]["softmax"].axes
    a = softmax_of(np.array([2.5, -1.0, 3.2, 0.5]))
    np.testing.assert_allclose([bar.get_height() for bar in bars.patches], a, atol=EXACT)
    shown = lines(curves)
    assert (np.diff(shown.pop("4")) > 0).all()
    np.testing.assert_allclose(shown.pop("sum"), 1.0, atol=EXACT)
    assert all((np.diff(y) < 0).all() for y in shown.values())
    assert len(shown) == 3
    texts = [float(text.get_text().replace("\u2212", "-")) for text in jacobian.texts]
    np.testing.assert_allclose(np.reshape(texts, (4, 4)), np.diag(a) - np.outer(a, a), atol=6e-5)


def test_delta_of_the_log_likelihood_is_a_less_y_off_target_too(digits):
    x, y = digits.test.x[0], int(digits.test.y[0])
    expected, delta, numeric = log_likelihood.of_a_digit(x, y)
    np.testing.assert_allclose(delta, expected, atol=EXACT)
    np.testing.assert_allclose(numeric, expected, atol=NUMERIC)
    assert delta[y] < 0
    assert (np.delete(delta, y) > 0).all()
    assert delta.sum() == pytest.approx(0.0, abs=EXACT)


def test_the_log_likelihoods_gradient_is_largest_where_the_quadratic_costs_vanishes():
    a, size = log_likelihood.at_target("log_likelihood")
    np.testing.assert_allclose(size, 1 - a, atol=EXACT)
    a, size = log_likelihood.at_target("quadratic")
    other = (1 - a) / 9  # each of the nine other outputs
    expected = np.abs(a * ((a - 1) - ((a - 1) * a + 9 * other * other)))
    np.testing.assert_allclose(size, expected, atol=EXACT)
    assert a[0] < 0.001
    assert size[0] < 0.001


def test_the_curves_of_the_log_likelihood_are_those_of_its_settings(digits, found):
    runs = nn.compare(
        {"softmax": {"cost": "log_likelihood"}, "sigmoid": {"cost": "cross_entropy"}},
        digits,
        hidden=30,
        seeds=list(SEEDS),
        epochs=6,
        learning_rate=0.5,
    )
    for variant, what in (
        ("softmax", "softmax, log-likelihood"),
        ("sigmoid", "sigmoid, cross-entropy"),
    ):
        expected = [100 * (1 - run.test_error) for run in runs[variant]]
        assert value(found["log-likelihood"], f"{what}: test accuracy") == pytest.approx(expected)
        mean, sd = np.mean(expected), np.std(expected, ddof=1)
        assert f"{what} {mean:.2f} % (sd {sd:.2f})" in found["log-likelihood"].verdict


def test_the_log_likelihoods_finding_has_the_gradients_of_the_picture(found):
    result = found["log-likelihood"]
    a, likely = log_likelihood.at_target("log_likelihood")
    _, quadratic = log_likelihood.at_target("quadratic")
    said = (
        f"gives the right class {a[0]:.1e}, the gradient at its z is {likely[0]:.2f} with the "
        f"log-likelihood and {quadratic[0]:.1e} with the quadratic cost"
    )
    assert said in result.verdict
    (off,) = value(result, "largest delta off target, which the slide takes for 0")
    assert f"off target up to {off:.2f}" in result.verdict
