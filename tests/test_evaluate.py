"""`Network.evaluate` beside scikit-learn's measures, NumPy, and what the network itself answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from matplotlib import pyplot, rcParams
from matplotlib.figure import Figure
from sklearn import metrics

import nnlearn as nn
from nnlearn import Dense
from nnlearn.plotting import plot_calibration, plot_confusion, plot_predictions

RNG = np.random.default_rng(11)
N, N_IN = 400, 6
X = RNG.random((N, N_IN)).astype(np.float32)
Y = ((X - X.mean(axis=0)) @ RNG.normal(size=(N_IN, 4))).argmax(axis=1)
SOFT = RNG.dirichlet(np.ones(4), N)

#: The mean of losses of one precision beside a sum in another order.
ROUNDING = {"float32": 1e-6, "float64": 1e-13}

#: Every pair of cost and output, of classes, and what y may be.
KINDS: dict[str, tuple[Any, str, Any]] = {
    "sigmoid": (4, "cross_entropy", Y),
    "sigmoid, quadratic": (4, "quadratic", Y),
    "sigmoid, targets": (4, "cross_entropy", SOFT),
    "softmax": (4, "log_likelihood", Y),
    "softmax, targets": (4, "log_likelihood", SOFT),
    "softmax, quadratic": (Dense(4, "softmax"), "quadratic", Y),
    "tanh": (Dense(4, "tanh"), "quadratic", Y),
    "tanh, targets": (Dense(4, "tanh"), "quadratic", 2 * SOFT - 1),
    "relu": (Dense(4, "relu"), "quadratic", Y),
    "hinge": (4, "hinge", Y),
    "one sigmoid": (1, "cross_entropy", Y % 2),
    "one sigmoid, bool": (1, "quadratic", Y % 2 == 1),
    "one sigmoid, targets": (1, "cross_entropy", SOFT[:, :1]),
    "one tanh": (Dense(1, "tanh"), "quadratic", Y % 2),
    "one tanh, targets": (Dense(1, "tanh"), "quadratic", 2 * SOFT[:, :1] - 1),
}

each_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind: str, dtype: str = "float32") -> tuple[nn.Network, Any]:
    """A network that is neither bad nor perfect, and y."""
    last, cost, y = KINDS[kind]
    net = nn.Network([N_IN, 8, last], cost=cost, seed=3, dtype=dtype)
    net.fit(X, y, epochs=4, learning_rate=0.1)
    return net, y


def made(true: Any, outputs: Any, cost: str = "log_likelihood", **split: Any) -> nn.Evaluation:
    """The evaluation of outputs that are given row by row."""
    n, k = np.shape(outputs)
    last = Dense(k, {"log_likelihood": "softmax", "hinge": "linear"}[cost])
    net = nn.Network([n, last], cost=cost, init="zeros", dtype="float64")
    net.weights[0] = np.log(outputs) if cost == "log_likelihood" else outputs
    return net.evaluate(nn.Split(np.eye(n), true, **split))


# ---- what the network itself answers -------------------------------------------------------------


@pytest.mark.parametrize("dtype", ROUNDING)
@each_kind
def test_it_agrees_with_loss_accuracy_predict_and_predict_proba(kind: str, dtype: str) -> None:
    net, y = network(kind, dtype)
    e = net.evaluate(X, y)
    assert (e.n, e.cost, e.is_regression) == (N, net.cost, False)
    assert e.n_classes == (2 if net.n_outputs == 1 else 4)
    assert e.loss == pytest.approx(net.loss(X, y), rel=ROUNDING[dtype])
    assert e.loss == e.losses.mean()
    assert e.accuracy == net.accuracy(X, y)
    assert 0 < e.accuracy < 1
    assert np.array_equal(e.predicted, net.predict(X))
    for row in (0, 17, N - 1):
        one = net.loss(X[row : row + 1], y[row : row + 1])
        assert e.losses[row] == pytest.approx(one, rel=1e-6, abs=1e-12)
    if kind.startswith(("sigmoid", "softmax", "one sigmoid")):
        p, at = net.predict_proba(X), np.arange(N)
        np.testing.assert_allclose(e.confidence, p[at, e.predicted], rtol=1e-6)
        np.testing.assert_allclose(e.probability, p[at, e.true], rtol=1e-6)
        assert np.array_equal(e.confidence[e.rank == 0], e.probability[e.rank == 0])


@each_kind
def test_the_true_class_is_that_of_the_label_or_the_largest_target(kind: str) -> None:
    net, y = network(kind)
    y = np.asarray(y)
    if y.ndim == 1:
        expected = y.astype(int)
    elif y.shape[1] == 1:
        expected = (y[:, 0] >= (0 if "tanh" in kind else 0.5)).astype(int)
    else:
        expected = y.argmax(axis=1)
    assert np.array_equal(net.evaluate(X, y).true, expected)


@each_kind
def test_ranks_count_the_classes_that_stand_before(kind: str) -> None:
    net, y = network(kind)
    e, a = net.evaluate(X, y), net.forward(X)
    if a.shape[1] == 1:
        assert np.array_equal(e.rank, e.predicted != e.true)
        return
    order = np.argsort(-a, axis=1, kind="stable")
    assert np.array_equal(e.rank, (order == e.true[:, None]).argmax(axis=1))


# ---- beside scikit-learn -------------------------------------------------------------------------


@each_kind
def test_counts_and_rates_are_scikit_learns(kind: str) -> None:
    net, y = network(kind)
    e = net.evaluate(X, y)
    labels = range(e.n_classes)
    assert e.confusion.dtype == np.int64
    assert np.array_equal(
        e.confusion, metrics.confusion_matrix(e.true, net.predict(X), labels=labels)
    )
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        e.true, e.predicted, labels=labels, zero_division=np.nan
    )
    np.testing.assert_allclose(e.precision, precision)
    np.testing.assert_allclose(e.recall, recall)
    np.testing.assert_allclose(e.f1, f1)
    assert e.table()["samples"] == support.tolist()


def test_losses_and_top_k_are_scikit_learns() -> None:
    net, _ = network("softmax", "float64")
    e, p = net.evaluate(X, Y), net.predict_proba(X)
    assert e.loss == pytest.approx(metrics.log_loss(Y, p, labels=range(4)), rel=1e-12)
    for k in (1, 2, 3):
        expected = metrics.top_k_accuracy_score(Y, p, k=k, labels=range(4))
        assert e.top_k(k) == pytest.approx(expected, abs=1e-12)
    assert e.top_k(1) == e.accuracy < e.top_k(2) < e.top_k(4) == 1


def test_errors_of_regression_are_scikit_learns() -> None:
    y = np.stack([X.sum(axis=1), X[:, 0] * 3, np.full(N, 2.0)], axis=1)
    net = nn.Network([N_IN, 8, Dense(3, "linear")], seed=1)
    net.fit(X, y, epochs=5, learning_rate=0.05)
    e, a = net.evaluate(X, y), net.forward(X)
    assert e.is_regression
    assert e.loss == pytest.approx(net.loss(X, y), rel=1e-6)
    np.testing.assert_allclose(
        e.rmse**2, metrics.mean_squared_error(y, a, multioutput="raw_values")
    )
    np.testing.assert_allclose(e.mae, metrics.mean_absolute_error(y, a, multioutput="raw_values"))
    r2 = metrics.r2_score(y[:, :2], a[:, :2], multioutput="raw_values")
    np.testing.assert_allclose(e.r2[:2], r2, rtol=1e-5)
    assert np.isnan(e.r2[2])  # of targets that do not vary
    assert np.array_equal(e.predicted, a)
    assert e.table()["RMSE"] == e.rmse.tolist()


def test_regression_takes_labels_as_rows_of_one_and_zero() -> None:
    net = nn.Network([N_IN, Dense(4, "linear")], cost="quadratic", seed=1)
    e = net.evaluate(X, Y)
    assert e.loss == pytest.approx(net.loss(X, Y), rel=1e-6)
    assert np.array_equal(e.true, np.eye(4)[Y])


# ---- worked by hand ------------------------------------------------------------------------------

#: Outputs of six samples of three classes, of which class 2 is never predicted.
OUTPUTS = [
    [0.5, 0.3, 0.2],
    [0.6, 0.3, 0.1],
    [0.2, 0.7, 0.1],
    [0.4, 0.35, 0.25],
    [0.1, 0.5, 0.4],
    [0.45, 0.1, 0.45],
]
TRUE = [0, 0, 1, 1, 2, 2]


def test_confusion_rates_and_ranks_of_six_samples() -> None:
    e = made(TRUE, OUTPUTS)
    assert e.predicted.tolist() == [0, 0, 1, 0, 1, 0]
    assert e.confusion.tolist() == [[2, 0, 0], [1, 1, 0], [1, 1, 0]]
    assert e.rank.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(e.precision, [2 / 4, 1 / 2, np.nan])
    np.testing.assert_array_equal(e.recall, [1, 1 / 2, 0])
    np.testing.assert_array_equal(e.f1, [2 / 3, 1 / 2, 0])
    assert (e.accuracy, e.top_k(2)) == (0.5, 1)
    np.testing.assert_allclose(e.losses, -np.log([0.5, 0.6, 0.7, 0.35, 0.4, 0.45]))
    assert e.table().rows[1] == ("1", 2, 2, 0.5, 0.5, 0.5, "0 (1)")
    assert e.table()["taken for"] == [None, "0 (1)", "0 (1)"]


def test_a_class_without_samples_has_no_recall_and_no_f1() -> None:
    e = made([0, 1], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    np.testing.assert_array_equal(e.recall, [1, 1, np.nan])
    np.testing.assert_array_equal(e.f1, [1, 1, np.nan])
    assert str(e.table()).splitlines()[-1].split() == ["2", "0", "0", "-", "-", "-"]


def test_the_worst_samples_come_first() -> None:
    e = made(TRUE, OUTPUTS)
    worst = e.worst(2)
    assert worst.columns == ("index", "true", "predicted", "loss", "p true", "p predicted")
    assert worst["index"] == [3, 4]
    assert (worst["true"], worst["predicted"]) == ([1, 2], [0, 1])
    np.testing.assert_allclose(worst["p true"], [0.35, 0.4])
    np.testing.assert_allclose(worst["p predicted"], [0.4, 0.5])
    assert worst["loss"] == e.losses[[3, 4]].tolist()
    assert len(e.worst(100)) == 6


def test_of_equal_losses_the_first_row_is_the_worst() -> None:
    e = made([0, 1, 1], [[2.0, 0], [1, 0], [1, 0]], cost="hinge")
    assert e.worst(3)["index"] == [1, 2, 0]
    assert e.worst(3).columns == ("index", "true", "predicted", "loss")  # no probabilities


def test_the_worst_of_regression_tell_the_output_that_is_furthest_off() -> None:
    net = nn.Network([1, Dense(2, "linear")], init="zeros")
    e = net.evaluate([[0.0], [0.0]], [[1.0, -3.0], [0.0, 0.5]])
    assert e.worst().columns == ("index", "output", "true", "predicted", "loss")
    assert e.worst().rows == ((0, 1, -3.0, 0.0, 5.0), (1, 1, 0.5, 0.0, 0.125))
    one = nn.Network([1, Dense(1, "linear")], init="zeros").evaluate([[0.0]], [2.0])
    assert one.worst().columns == ("index", "true", "predicted", "loss")
    assert (one.true.tolist(), one.predicted.tolist()) == ([2.0], [0.0])


def test_calibration_bins_hold_their_upper_edge() -> None:
    """Sigmoids of 0 are exactly 1/2 each, of one output 1/2."""
    net = nn.Network([1, 1], init="zeros")
    e = net.evaluate([[0.0]] * 4, [1, 1, 1, 0])
    assert e.confidence.tolist() == [0.5] * 4
    table = e.calibration(2)
    assert (table["samples"], table["accuracy"][0]) == ([4, 0], 0.75)
    assert (table["from"], table["to"]) == ([0.0, 0.5], [0.5, 1.0])


def test_the_calibration_error_is_the_mean_gap() -> None:
    e = made([0, 1, 0, 0], [[0.7, 0.3], [0.7, 0.3], [0.9, 0.1], [0.9, 0.1]])
    table = e.calibration(4)
    assert table["samples"] == [0, 0, 2, 2]
    np.testing.assert_allclose(table["confidence"], [np.nan, np.nan, 0.7, 0.9])
    np.testing.assert_allclose(table["accuracy"], [np.nan, np.nan, 0.5, 1.0])
    assert e.expected_calibration_error == pytest.approx((0.2 + 0.1) / 2)
    assert "expected error 0.1500" in table.title


def test_the_calibration_error_is_that_of_a_loop_over_bins() -> None:
    e = network("softmax")[0].evaluate(X, Y)
    right, error = e.predicted == e.true, 0.0
    for low in np.arange(10) / 10:
        inside = (e.confidence > low) & (e.confidence <= low + 0.1)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - e.confidence[inside].mean())
    assert e.expected_calibration_error == pytest.approx(error, rel=1e-9)


# ---- any input -----------------------------------------------------------------------------------

FORMS: dict[str, Callable[[Any], Any]] = {
    "uint8": lambda x: x,
    "float32": lambda x: (x / 255).astype(np.float32),
    "float64, every other row": lambda x: np.repeat(x / 255, 2, axis=0)[::2],
    "CSR": lambda x: scipy.sparse.csr_matrix((x / 255).astype(np.float32)),
    "a list": lambda x: (x / 255).tolist(),
}


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_x_gives_the_same(form: str, n_threads: int) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(1, 256, (1500, 80)).astype(np.uint8)  # more rows than a block has
    pixels[rng.random(pixels.shape) < 0.8] = 0
    y = rng.integers(0, 10, 1500)
    net = nn.Network([80, 10], seed=1, n_threads=n_threads)
    e, plain = net.evaluate(FORMS[form](pixels), y), net.evaluate(pixels, y)
    np.testing.assert_allclose(e.losses, plain.losses, rtol=1e-5)
    assert np.array_equal(e.rank, plain.rank)
    assert e.accuracy == net.accuracy(FORMS[form](pixels), y)


def test_a_split_stands_for_both_and_gives_its_names() -> None:
    net, _ = network("softmax")
    names = ["ant", "bee", "cat", "dog"]
    e = net.evaluate(nn.Split(X, Y, class_names=names))
    assert e.class_names == tuple(names)
    assert e.table()["class"] == ["0 ant", "1 bee", "2 cat", "3 dog"]
    row = e.worst(1)
    assert row["true"] == [names[Y[row["index"][0]]]]
    assert e.loss == net.evaluate(X, Y).loss
    assert net.evaluate(X, Y).class_names is None


def test_classes_beyond_the_names_go_by_their_number() -> None:
    net, _ = network("softmax")
    e = net.evaluate(nn.Split(X, Y % 2, class_names=["even", "odd"]))
    assert e.class_names == ("even", "odd", "2", "3")


# ---- what has no meaning -------------------------------------------------------------------------

CLASSES_ALONE = """n_classes accuracy rank confidence probability confusion precision recall f1
    expected_calibration_error""".split()  # noqa: SIM905


def regression() -> nn.Evaluation:
    return nn.Network([N_IN, Dense(1, "linear")], seed=1).evaluate(X, X[:, 0])


@pytest.mark.parametrize("name", CLASSES_ALONE)
def test_regression_has_no(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"^the network must tell classes apart to have .*, got re"
    ):
        getattr(regression(), name)


@pytest.mark.parametrize("call", ["top_k", "confusion_table", "calibration", "plot_calibration"])
def test_regression_cannot(call: str) -> None:
    with pytest.raises(ValueError, match=r"^the network must tell classes apart to have "):
        getattr(regression(), call)(*([1] if call == "top_k" else []))


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_classes_have_no(name: str) -> None:
    message = r"^the network must be one of regression to have an? .*, got 3 classes: accuracy"
    with pytest.raises(ValueError, match=message):
        getattr(made(TRUE, OUTPUTS), name)


@pytest.mark.parametrize("kind", ["hinge", "tanh", "relu"])
def test_outputs_that_are_no_probabilities_have_no_calibration(kind: str) -> None:
    net, y = network(kind)
    e = net.evaluate(X, y)
    message = r"^the network must give probabilities: those of sigmoid or softmax outputs, got "
    for ask in (lambda: e.confidence, lambda: e.probability, e.calibration, e.plot_calibration):
        with pytest.raises(ValueError, match=message):
            ask()
    assert "calibration" not in repr(e)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e: e.top_k(0), ValueError, "k must be an integer from 1 to 3, got 0"),
        (lambda e: e.top_k(4), ValueError, "k must be an integer from 1 to 3, got 4"),
        (lambda e: e.top_k(1.5), TypeError, "k must be an integer from 1 to 3, got 1.5"),
        (lambda e: e.worst(0), ValueError, "n must be an integer >= 1, got 0"),
        (lambda e: e.calibration(0), ValueError, "bins must be an integer >= 1, got 0"),
        (lambda e: e.plot_calibration("x"), TypeError, "bins must be an integer >= 1, got 'x'"),
    ],
)
def test_bad_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call(made(TRUE, OUTPUTS))
    assert str(caught.value) == message


def test_nothing_of_it_can_be_changed() -> None:
    e = made(TRUE, OUTPUTS)
    arrays = (e.losses, e.predicted, e.true, e.rank, e.confidence, e.probability, e.confusion)
    for array in (*arrays, e.precision, e.recall, e.f1):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        e.loss = 0.0  # type: ignore[misc]
    y = X[:, 0].copy()
    numbers = nn.Network([N_IN, Dense(1, "linear")], seed=1).evaluate(X, y)
    for array in (numbers.rmse, numbers.mae, numbers.r2):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    kept = numbers.true.copy()
    y[:] = 7
    assert np.array_equal(numbers.true, kept)
    assert y.flags.writeable


# ---- views and pictures --------------------------------------------------------------------------


def test_its_text_is_the_table() -> None:
    e = made(TRUE, OUTPUTS)
    assert repr(e) == str(e.table())
    assert e.table().title.startswith("6 samples, loss 0.7")
    assert "accuracy 50.00 %, calibration error " in e.table().title


def test_its_html_has_both_tables_and_escapes_names() -> None:
    page = made(TRUE, OUTPUTS, class_names=["<b>", "y", "z"])._repr_html_()
    assert page.count("<table") == 2
    assert "0 &lt;b&gt;" in page
    assert "<b>" not in page
    assert regression()._repr_html_().count("<table") == 1


def test_many_classes_are_folded_in_views_alone() -> None:
    k = 100
    e = nn.Network([N_IN, k], seed=1).evaluate(X, Y)
    assert len(e.table()) == k
    assert len(repr(e).splitlines()) == 3 + 40
    assert "61 more classes" in repr(e)
    assert e._repr_html_().count("<table") == 1


@pytest.fixture
def ax() -> Any:
    return Figure().subplots()


def test_the_picture_of_the_confusion_table_holds_its_counts(ax: Any) -> None:
    e = made(TRUE, OUTPUTS, class_names=["a", "b", "c"])
    assert plot_confusion(e, ax) is e.plot(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b", "c"]
    shown = {text.get_position(): text.get_text() for text in ax.texts}
    # (predicted, true): zeros are not written
    assert shown == {(0, 0): "2", (0, 1): "1", (1, 1): "1", (0, 2): "1", (1, 2): "1"}
    shares = ax.images[0].get_array()
    assert np.ma.getmaskarray(np.ma.masked_invalid(shares)).diagonal().all()
    np.testing.assert_allclose(shares[2, :2], [50, 50])


def test_the_confusion_table_suits_a_dark_page(ax: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(rcParams, "text.color", "#eeeeee")
    e = made(TRUE, OUTPUTS, class_names=["a", "b", "c"])
    e.plot(ax)
    colours = {text.get_position(): text.get_color() for text in ax.texts}
    assert colours[0, 0] == "#eeeeee"
    assert colours[0, 2] == "white"  # half of its class: the deepest blue
    image = ax.images[0]
    nothing, deepest, diagonal = (image.to_rgba(value) for value in (0.0, 50.0, np.nan))
    assert nothing[3] == 0
    assert deepest[3] == 1
    np.testing.assert_allclose(diagonal, [*[0xEE / 255] * 3, 0.1])


def test_counts_of_many_classes_are_not_written(ax: Any) -> None:
    e = nn.Network([N_IN, 30], seed=1).evaluate(X, Y)
    e.plot(ax)
    assert not ax.texts


def test_the_picture_of_calibration_holds_bins_with_samples_alone(ax: Any) -> None:
    e = made([0, 1, 0, 0], [[0.7, 0.3], [0.7, 0.3], [0.9, 0.1], [0.9, 0.1]])
    assert plot_calibration(e, 4, ax) is ax
    curve = ax.get_lines()[1]
    np.testing.assert_allclose(curve.get_xydata(), [(0.7, 0.5), (0.9, 1.0)])
    assert [bar.get_height() for bar in ax.patches] == [0, 0, 0.5, 0.5]
    assert "15.00 %" in ax.get_legend().get_title().get_text()


def numbers(outputs: Any, targets: Any) -> nn.Evaluation:
    """The evaluation of outputs of regression that are given row by row."""
    n, k = np.shape(outputs)
    net = nn.Network([n, Dense(k, "linear")], init="zeros", dtype="float64")
    net.weights[0] = outputs
    return net.evaluate(np.eye(n), np.array(targets, float))


def test_the_picture_of_regression_has_predictions_over_targets(ax: Any) -> None:
    e = numbers([[1.0, 7.0], [2.0, 4.0], [3.0, 5.0]], [[1, 4], [3, 5], [3, 9]])
    assert plot_predictions(e, ax) is e.plot(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true", "predicted")
    first, second, diagonal = ax.get_lines()[:3]
    np.testing.assert_allclose(first.get_xydata(), [(1, 1), (3, 2), (3, 3)])
    np.testing.assert_allclose(second.get_xydata(), [(4, 7), (5, 4), (9, 5)])
    assert first.get_color() != second.get_color()
    assert diagonal.get_slope() == 1
    assert np.ptp(diagonal.get_xy1()) == 0
    assert ax.get_xlim() == ax.get_ylim() == pytest.approx((1 - 0.32, 9 + 0.32))


def test_the_picture_of_one_output_says_how_good_it_is(ax: Any) -> None:
    numbers([[1.0], [2.0], [3.0]], [1, 2, 4]).plot(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["R² 0.786, RMSE 0.577", "predicted = true"]


def test_outputs_beyond_the_colours_have_one_and_no_names(ax: Any) -> None:
    numbers(np.eye(9), np.eye(9)).plot(ax)
    assert len({line.get_color() for line in ax.get_lines()[:9]}) == 1
    assert len(ax.get_legend().get_texts()) == 1


def test_a_picture_of_equal_numbers_has_room(ax: Any) -> None:
    numbers([[2.0], [2.0]], [2, 2]).plot(ax)
    assert ax.get_xlim() == ax.get_ylim() == (1, 3)


def test_classes_have_no_picture_of_regression(ax: Any) -> None:
    with pytest.raises(ValueError, match=r"^the network must be one of regression"):
        plot_predictions(made(TRUE, OUTPUTS), ax)
    assert not ax.get_lines()


def test_without_axes_a_figure_is_made() -> None:
    pyplot.switch_backend("Agg")
    try:
        e = made(TRUE, OUTPUTS)
        assert e.plot().figure is not e.plot_calibration().figure
        assert len(pyplot.get_fignums()) == 2
    finally:
        pyplot.close("all")
