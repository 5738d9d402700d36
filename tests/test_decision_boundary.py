"""`DecisionBoundary`: its planes, its points, how its page answers a hand."""

import re
import time

import numpy as np
import pytest
from reference import sigmoid

from nnlearn import Dataset, Dense, Network, Split, datasets
from nnlearn.widgets import DecisionBoundary, _planes
from nnlearn.widgets._frames import unpack

#: Half a step of a byte, and of a coordinate in float32, in the widest plane of these tests.
QUANTUM, COORDINATE = 0.5 / 255 + 1e-6, 1e-6
CLOSE = ([[0.0, 0.0], [1.0, 1.0]], [0, 1])
FAR = {"x": [[1e6, -1e6], [1e6, 1e6]], "y": [0, 1]}


@pytest.fixture
def boundary():
    """Makes widgets, which are closed in the end; trained unless said otherwise."""
    made = []

    def make(*args, wait=True, **settings):
        made.append(DecisionBoundary(*args, **{"epochs": 3, **settings}))
        assert not wait or made[-1].wait(20)
        return made[-1]

    yield make
    for widget in made:
        widget.close()


def frame_of(widget):
    header, arrays = unpack(widget._frame)
    return header, arrays, {run["variant"]: run for run in header["runs"]}


# ---- planes ------------------------------------------------------------------------------------


def test_grid_is_made_of_the_cells_centres_from_the_top_left():
    grid = _planes.View(0.0, 2.0, 10.0, 14.0).grid(2)
    assert grid.tolist() == [[0.5, 13.0], [1.5, 13.0], [0.5, 11.0], [1.5, 11.0]]


@pytest.mark.parametrize(
    ("x", "view"),
    [
        ([[0, 0], [10, 10]], (-1.5, 11.5, -1.5, 11.5)),
        ([[0, 0], [10, 0]], (-1.5, 11.5, -3.25, 3.25)),  # half as high as wide
        ([[0, 0], [0, 10]], (-6.5, 6.5, -1.5, 11.5)),  # never narrower than high
        ([[3, 4]], (2.35, 3.65, 3.675, 4.325)),
        (np.zeros((0, 2)), (-1, 1, -1, 1)),
    ],
)
def test_view_has_room_around_the_points(x, view):
    assert _planes.View.of(np.asarray(x, np.float32)) == pytest.approx(view, abs=COORDINATE)


def test_one_output_is_shown_as_the_share_of_class_1():
    net = Network([2, 1], seed=0)
    net.weights[0][:], net.biases[0][:] = [[2.0], [-1.0]], [0.5]
    picture = _planes.output_picture(net, _planes.View(-1, 1, -1, 1), 2)
    z = np.array([[2 * -0.5 - 0.5, 2 * 0.5 - 0.5], [2 * -0.5 + 0.5, 2 * 0.5 + 0.5]]) + 0.5
    assert picture.shape == (1, 2, 2)
    np.testing.assert_allclose(picture[0] / 255, sigmoid(z), rtol=0, atol=QUANTUM)


def test_three_classes_have_a_share_each():
    net = Network([2, 4, 3], cost="log_likelihood", seed=0)
    view = _planes.View(-1, 1, -1, 1)
    picture = _planes.output_picture(net, view, 5)
    shares = net.predict_proba(view.grid(5)).T.reshape(3, 5, 5)
    np.testing.assert_allclose(picture / 255, shares, rtol=0, atol=QUANTUM)


@pytest.mark.parametrize("cost", ["hinge", "quadratic"])
def test_outputs_that_are_no_probabilities_show_the_class_predicted(cost):
    net = Network([2, Dense(2, activation="linear")], cost=cost, seed=0)
    net.weights[0][:], net.biases[0][:] = [[0.0, 1.0], [0.0, 0.0]], [0.0, 0.0]
    picture = _planes.output_picture(net, _planes.View(-1, 1, -1, 1), 2)
    assert picture.tolist() == [[[0, 255], [0, 255]]]


@pytest.mark.parametrize(
    ("activation", "levels"),
    [("sigmoid", [0, 128, 255]), ("tanh", [0, 128, 255]), ("relu", [128, 128, 255])],
)
def test_units_are_shown_from_lowest_over_their_middle_to_highest(activation, levels):
    net = Network([2, 1, 1], activation=activation, seed=0)
    net.weights[0][:], net.biases[0][:] = [[1000.0], [0.0]], [0.0]
    (picture,) = _planes.unit_pictures(net, _planes.View(-1, 1, -1, 1), 3)
    assert picture[0].tolist() == [levels] * 3


def test_sums_beyond_all_floats_still_make_a_picture():
    net = Network([2, 2, 1], activation="relu", seed=0)
    net.weights[0][:] = 1e38
    net.weights[1][:] = [[1e38], [-1e38]]
    view = _planes.View(-1, 1, -1, 1)
    assert _planes.output_picture(net, view, 3).shape == (1, 3, 3)
    assert _planes.unit_pictures(net, view, 3)[0].shape == (2, 3, 3)


def test_film_has_first_and_last_epoch_and_ever_longer_steps():
    epochs = sorted(_planes.film_epochs(300, 8))
    assert (epochs[0], epochs[-1], len(epochs)) == (0, 300, 8)
    assert sorted(np.diff(epochs)) == np.diff(epochs).tolist()
    assert _planes.film_epochs(0, 8) == {0}


# ---- settings and points -----------------------------------------------------------------------


def test_trains_the_networks_that_fit_trains(boundary):
    widget = boundary("moons", n=50, noise=0.2, seed=3, momentum=0.5, l2=0.1)
    x, y = datasets.two_moons(50, noise=0.2, seed=0)
    for cost, rate in (("quadratic", 3.0), ("cross_entropy", 0.5)):
        net = Network([2, 8, 1], cost=cost, init="large", seed=3)
        net.fit(x, y, epochs=3, learning_rate=rate, momentum=0.5, l2=0.1, verbose=0)
        shown = widget.networks[cost.replace("_", "-")]
        assert np.array_equal(shown.weights[0], net.weights[0])


def test_curves_hold_loss_and_error_of_both_sets_from_before_training(boundary):
    widget = boundary("xor", variants=["cross-entropy"])
    header, arrays, _ = frame_of(widget)
    history = widget.history["cross-entropy"]
    assert arrays[0].shape == (4, 4)
    for column, name in enumerate(header["columns"]):
        measure = name.replace("error", "accuracy")
        values = np.array([history.start[measure], *history[measure]])
        wanted = 1 - values if name.endswith("error") else values
        np.testing.assert_allclose(arrays[0][:, column], wanted, rtol=1e-6)


def test_planes_and_the_film_s_last_picture_are_those_of_the_networks(boundary):
    widget = boundary(hidden=(3, 12))
    header, arrays, runs = frame_of(widget)
    for name, run in runs.items():
        net, view = widget.networks[name], _planes.View(*header["view"])
        assert np.array_equal(arrays[run["plane"]], _planes.output_picture(net, view, 60))
        film = arrays[run["film"][0]]
        assert len(film) == len(run["film_epochs"])
        last = _planes.output_picture(net, view, _planes.FILM_CELLS)
        assert np.array_equal(film[-1], last)
        assert [len(arrays[at]) for at in run["units"]] == [3, _planes.MOST_IN_LAYER]


@pytest.mark.parametrize(
    ("variants", "outputs"),
    [(["quadratic"], 1), (["log-likelihood"], 2), ({"h": {"cost": "hinge"}}, 2)],
)
def test_two_classes_have_one_output_where_the_cost_allows(boundary, variants, outputs):
    (net,) = boundary(variants=variants).networks.values()
    assert net.n_outputs == outputs


def test_layers_of_a_variant_are_taken_as_they_are(boundary):
    (net,) = boundary(variants={"own": {"layers": [2, 3, 2]}}).networks.values()
    assert net.n_outputs == 2


def test_another_set_comes_with_the_noise_that_suits_it(boundary):
    widget = boundary("xor", noise=0.3)
    widget.change(data="spirals")
    assert widget.settings["noise"] == 0.02
    widget.change(noise=0.1)
    assert widget.settings["noise"] == 0.1
    widget.change(data="three spirals", noise=0.05)
    assert widget.settings["noise"] == 0.05


def test_points_are_set_and_read(boundary):
    widget = boundary()
    widget.points = CLOSE
    assert widget.settings["data"] == "own points"
    assert widget.points.x.tolist() == CLOSE[0]
    assert widget.points.y.tolist() == CLOSE[1]
    widget.points = Split([[0.0, 1.0]], [2])
    assert widget.wait(20)
    assert {net.n_outputs for net in widget.networks.values()} == {3}


def test_the_view_around_points_as_far_as_they_may_be_is_taken(boundary):
    widget = boundary(points=(FAR["x"], FAR["y"]))
    header, _, _ = frame_of(widget)
    widget.change(points={**FAR, "view": header["view"]})
    assert widget.wait(20)
    assert frame_of(widget)[0]["view"] == header["view"]


def test_own_points_are_there_again_after_another_set(boundary):
    widget = boundary(points=CLOSE)
    widget.change(data="xor")
    assert len(widget.points) == 200
    widget.change(data="own points")
    assert widget.points.x.tolist() == CLOSE[0]


def test_without_points_the_plane_is_that_of_the_start_weights(boundary):
    widget = boundary(points=((), ()))
    header, arrays, runs = frame_of(widget)
    fresh = Network([2, 8, 1], cost="quadratic", init="large", seed=0)
    view = _planes.View(*header["view"])
    shown = arrays[runs["quadratic"]["plane"]]
    assert np.array_equal(shown, _planes.output_picture(fresh, view, 60))
    assert header["done"]


def test_a_data_set_of_ones_own_brings_validation_and_names(boundary):
    x, y = datasets.two_moons(60)
    names = ["up", "down"]
    widget = boundary(Dataset((x[:40], y[:40]), (x[40:], y[40:]), class_names=names))
    header, _, _ = frame_of(widget)
    assert len(widget.points) == 40
    assert header["has_validation"]
    assert header["class_names"] == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "moon"}, "data must be one of 'xor', 'moons'"),
        ({"points": "x"}, "points must be (x, y) with x (n, 2) and y (n,), got 'x'"),
        ({"points": ([[1, 2, 3]], [0])}, "must have shape (n, 2), got inputs of shape (3,)"),
        ({"points": ([[1, 2]], [3])}, "y of points must hold labels 0, 1 or 2, got 3"),
        ({"points": ([[1, 2]], [0.5])}, "y of points must be 1 integer labels"),
        ({"points": ([[1, 2]], [0, 1])}, "y of points must be 1 integer labels"),
        ({"points": ([[1, np.nan]], [1])}, "must be finite, got nan at row 0, column 1"),
        ({"points": ([[1, 1e9]], [1])}, "x of points must lie within 1e+06 of 0"),
        ({"points": ([["a", "b"]], [1])}, "x of points must be an array of real numbers"),
        ({"points": {**FAR, "view": [-1e300, 1e300, -1, 1]}}, "view must lie within 3e+06 of 0"),
        ({"points": (np.zeros((5001, 2)), np.zeros(5001, int))}, "be at most 5000 points"),
        ({"n": 2}, "n must be an integer from 3 to 5000, got 2"),
        ({"noise": -0.1}, "noise must be a finite number >= 0"),
        ({"noise": float("nan")}, "noise must be a finite number >= 0"),
        ({"hidden": "8"}, "hidden must be an integer >= 1, got '8'"),
        ({"epochs": None}, "epochs must be an integer >= 0, got None"),
        ({"seed": 1.5}, "seed must be an integer"),
        ({"momentun": 0.5}, "got 'momentun': did you mean 'momentum'?"),
        ({"learning_rate": {"quadratic": 0}}, "learning_rate of 'quadratic' must be"),
        ({"activation": "sgmoid"}, "activation must be one of"),
    ],
)
def test_a_wrong_setting_is_a_value_error_and_changes_nothing(boundary, changes, message):
    widget = boundary(wait=False)
    before = widget.settings
    with pytest.raises(ValueError, match=re.escape(message)):
        widget.change(**changes)
    assert widget.settings == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            datasets.load_mnist_small(),
            "x of data must have shape (n, 2), got inputs of shape (784,)",
        ),
        (Split([[0.0, 1.0]], [0.5]), "y of data must be 1 integer labels"),
        (Split([[0.0, 1.0]], [7]), "y of data must hold labels 0, 1 or 2, got 7"),
        ([[0.0, 1.0]], "data must be a Dataset, a Split or a name"),
    ],
    ids=["784 inputs", "regression", "many classes", "a list"],
)
def test_data_that_do_not_lie_in_a_plane_are_refused(data, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        DecisionBoundary(data)


# ---- the page ----------------------------------------------------------------------------------

DONE = "root.dataset.done === 'true'"


def colour_at(shown, plane, x, y):
    """The middle of a few pixels of a plane's canvas, as [red, green, blue]."""
    script = """([i, x, y]) => {
      const canvas = document.querySelectorAll(".nn-plane canvas")[i];
      return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
    }"""
    return shown.page.evaluate(script, [plane, x, y])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1600])
def test_opens_with_planes_in_the_classes_colours(mount, boundary, theme, width):
    shown = mount(boundary(epochs=100), theme=theme, width=width)
    shown.until(DONE)
    red, _, blue = colour_at(shown, 0, 15, 15)  # at the top left lies class 1, at the right 0
    assert red > blue
    edge = int(shown.page.locator(".nn-plane").first.bounding_box()["width"]) - 20
    red, _, blue = colour_at(shown, 0, edge, 15)
    assert blue > red
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.page.locator(".nn-db-units canvas").count() == 16
    shown.screenshot(f"decision-boundary-{theme}-{width}")


def test_a_moved_rate_trains_anew(mount, boundary):
    shown = mount(boundary())
    shown.page.get_by_label("learning rate, quadratic", exact=True).fill("60")
    shown.until(f"root.dataset.generation === '2' && {DONE}")
    assert shown.widget.settings["learning_rate"]["quadratic"] != 3.0


def test_clicks_add_and_remove_points(mount, boundary):
    shown = mount(boundary(points=CLOSE))
    shown.until(DONE)
    shown.page.get_by_label("class 2").check()
    plane = shown.page.locator(".nn-plane").last
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    shown.until(f"root.dataset.generation === '2' && {DONE}")
    x, y = shown.widget.points
    assert y.tolist() == [0, 1, 2]
    assert x[2] == pytest.approx([0.5, 0.5], abs=1 / 200)  # a pixel
    plane.click(position={"x": box["width"] / 2 + 3, "y": box["height"] / 2}, modifiers=["Shift"])
    shown.until("root.dataset.points === '2'")
    shown.page.get_by_label("remove", exact=True).check()
    plane.click(position={"x": box["width"] / 2, "y": box["height"] / 2})  # nothing is near
    shown.pump()
    assert len(shown.widget.points) == 2


def test_keys_move_a_cursor_add_and_remove(mount, boundary):
    shown = mount(boundary(points=((), ())))
    shown.until(DONE)
    shown.page.locator(".nn-plane").first.focus()
    for key in ("2", "ArrowRight", "ArrowUp", "ArrowUp", "Enter"):
        shown.page.keyboard.press(key)
    shown.until("root.dataset.points === '1' && root.dataset.generation === '2'")
    assert shown.widget.points.x[0] == pytest.approx([0.05, 0.10], abs=COORDINATE)  # of 40 steps
    assert shown.widget.points.y.tolist() == [1]
    assert "(0.05, 0.10): class 1" in shown.page.locator(".nn-db-readout").first.inner_text()
    shown.page.keyboard.press("Delete")
    shown.until("root.dataset.points === '0' && root.dataset.generation === '3'")
    assert len(shown.widget.points) == 0


def test_points_are_cleared_and_another_set_brings_them_back(mount, boundary):
    shown = mount(boundary())
    shown.until(DONE)
    shown.page.get_by_role("button", name="Clear points").click()
    shown.until("root.dataset.points === '0' && root.textContent.includes('no points')")
    shown.page.get_by_label("data", exact=True).select_option("moons")
    shown.until("root.dataset.points === '200'")
    assert shown.widget.settings["data"] == "moons"


def test_the_film_shows_earlier_epochs(mount, boundary):
    shown = mount(boundary("spirals", epochs=200, activation="tanh"))
    shown.until(DONE)
    end = colour_at(shown, 0, 200, 200)
    slider = shown.page.get_by_label("epoch shown", exact=True)
    slider.press("Home")
    shown.until("root.dataset.epoch === '0'")
    assert colour_at(shown, 0, 200, 200) != end
    shown.page.get_by_role("button", name="Play").click()
    shown.until("root.dataset.epoch !== '0'")
    slider.press("End")
    shown.until("root.dataset.epoch === 'end'")
    assert colour_at(shown, 0, 200, 200) == end


def test_divergence_is_said_with_its_rate_and_the_next_change_starts_anew(mount, boundary):
    layers = [2, 5, Dense(2, activation="linear")]
    variants = {"linear": {"layers": layers, "cost": "quadratic", "learning_rate": 20.0}}
    shown = mount(boundary("moons", variants=variants, activation="relu"))
    shown.until("root.textContent.includes('Diverged at learning rate 20')")
    shown.widget.change(learning_rate=0.01)
    shown.until(f"root.dataset.generation === '2' && {DONE}")
    assert shown.page.locator(".nn-db-panel .nn-note").first.inner_text() == ""


def test_a_refused_change_is_said_and_the_control_goes_back(mount, boundary):
    shown = mount(boundary())
    box = shown.page.get_by_label("learning rate, quadratic, exact", exact=True)
    box.fill("-1")
    box.press("Tab")
    shown.until("root.querySelector('.nn-error').textContent.includes('got -1')")
    assert box.input_value() == "3"


@pytest.mark.parametrize(("typed", "hidden"), [("-1", ()), ("2", (8, 8)), ("99", (8, 8, 8))])
def test_hidden_layers_stay_within_what_the_page_can_show(mount, boundary, typed, hidden):
    shown = mount(boundary())
    box = shown.page.get_by_label("hidden layers, exact", exact=True)
    box.fill(typed)
    box.press("Tab")
    shown.until("root.dataset.generation === '2'")
    assert tuple(shown.widget.settings["hidden"]) == hidden


def test_a_number_between_the_places_of_a_slider_is_taken_as_typed(mount, boundary):
    shown = mount(boundary())
    shown.page.locator("summary").click()
    box = shown.page.get_by_label("batch size, exact", exact=True)
    box.fill("32")
    box.press("Tab")
    shown.until(f"root.dataset.generation === '2' && {DONE}")
    assert shown.widget.settings["batch_size"] == 32
    assert box.input_value() == "32"
    assert shown.page.get_by_label("batch size", exact=True).input_value() == "4"  # 20, of 1, 2, 5


def test_a_guess_comes_before_the_truth(mount, boundary):
    shown = mount(boundary(variants=["quadratic"], predict=True))
    shown.until(f"{DONE} && root.hasAttribute('data-blank')")
    box = shown.page.locator(".nn-plane").bounding_box()
    ground = colour_at(shown, 0, 15, 15)
    assert shown.page.get_by_role("button", name="Train", exact=True).is_disabled()
    shown.page.mouse.move(box["x"] + 20, box["y"] + 30)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + 120, box["y"] + 130, steps=4)
    shown.page.mouse.up()
    shown.page.get_by_role("button", name="Train", exact=True).click()
    shown.until("!root.hasAttribute('data-blank')")
    assert colour_at(shown, 0, 15, 15) != ground
    assert len(shown.widget.points) == 200  # the strokes were no clicks


def test_cleaning_up_leaves_no_listener_and_stops_the_training(mount, boundary):
    shown = mount(boundary())
    shown.widget.change(epochs=10**6)
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    shown.pump()
    assert shown.widget.wait(10)
    assert len(shown.widget.history["quadratic"]) < 10**6


# ---- files of their own ------------------------------------------------------------------------


@pytest.fixture
def opened(browser):
    """Opens a file in the browser; the page may have no error."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def open_file(path):
        page.goto(path.as_uri())
        until(page, f"{ROOT}?.dataset.done === 'true'")
        return page

    yield open_file
    page.close()
    assert errors == []


def until(page, condition):
    """As `wait_for_function`, which evaluates texts where the page forbids that."""
    end = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(10)


ROOT = "document.querySelector('.nn-widget')"


def test_a_file_works_without_a_kernel(opened, boundary, tmp_path):
    path = tmp_path / "page.html"
    widget = boundary("three spirals", hidden=(10, 10), epochs=10)
    widget.to_html(path, learning_rates=(0.1, 1.0, 3.0), seeds=2)
    assert path.stat().st_size < 3e6
    page = opened(path)
    captions = page.locator(".nn-db-panel > figcaption")
    assert captions.all_inner_texts()[0] == "quadratic, learning rate 3"
    page.get_by_label("learning rate, quadratic", exact=True).press("Home")
    until(page, f"{ROOT}.textContent.includes('quadratic, learning rate 0.1')")
    box = page.get_by_label("learning rate, quadratic, exact", exact=True)
    box.fill("0.9")  # not in the file: its nearest rate is
    box.press("Tab")
    until(page, f"{ROOT}.textContent.includes('quadratic, learning rate 1')")
    assert box.input_value() == "1"
    page.get_by_label("epoch shown", exact=True).press("Home")
    until(page, f"{ROOT}.dataset.epoch === '0'")
    page.locator(".nn-plane").first.click()
    assert page.evaluate(f"{ROOT}.dataset.points") == "200"


def test_a_file_shows_the_present_rates_and_seed_though_the_grid_lacks_them(
    opened, boundary, tmp_path
):
    path = tmp_path / "page.html"
    widget = boundary(learning_rate={"quadratic": 0.7}, seed=5)
    loss = widget.history["quadratic"]["train_loss"][-1]
    widget.to_html(path, learning_rates=(0.1, 3.0), seeds=1)
    page = opened(path)
    page.locator("summary").click()
    page.get_by_label("curves show the").select_option("cost")
    caption = page.locator(".nn-db-panel > figcaption").first
    assert caption.inner_text() == "quadratic, learning rate 0.7"
    page.locator(".nn-chart").first.press("End")
    ends = page.locator(".nn-chart .nn-readout").first
    assert f"training {float(f'{loss:.3g}'):g}" in ends.inner_text()
    before = ends.inner_text()
    page.get_by_label("seed", exact=True).press("Home")
    until(page, f"{ROOT}.dataset.generation === '2'")
    page.locator(".nn-chart").first.press("End")
    assert ends.inner_text() != before


def test_a_file_of_the_defaults_is_below_3_mb(boundary, tmp_path):
    path = tmp_path / "page.html"
    DecisionBoundary().to_html(path)
    assert path.stat().st_size < 3e6


def test_a_wrong_rate_writes_nothing(boundary, tmp_path):
    with pytest.raises(ValueError, match="learning_rates must hold at least one rate"):
        boundary(wait=False).to_html(tmp_path / "page.html", learning_rates=())
    assert not list(tmp_path.iterdir())
