"""`Backprop`: its numbers against a pass by hand, its settings, its page."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import nnlearn as nn
from nnlearn.widgets import Backprop, _frames

STEPS = ("inputs", "z.1", "a.1", "z.2", "a.2", "cost", "BP1", "BP2.1", "BP3", "BP4", "step")
LAST = len(STEPS) - 1
ROUNDING = 1e-12  # float64, sums in another order
HALF_A_DIGIT = 0.5e-4 * (1 + 1e-9)  # the graph shows four digits behind the point
MINUS = "\N{MINUS SIGN}"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def frame_of(widget):
    assert widget.wait(10)
    return _frames.unpack(widget._frame)[0]


FUNCTIONS = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
}


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
@pytest.mark.parametrize("activation", list(FUNCTIONS))
def test_every_number_of_a_pass_by_hand(cost, activation):
    x, y, eta = np.array([0.2, -0.7, 1.0, 0.4]), np.array([0.25, 1.0]), 0.3
    widget = Backprop(x=x, y=y, cost=cost, activation=activation, learning_rate=eta)
    first, second = frame_of(widget)["layers"]
    (w1, b1), (w2, b2) = ((np.array(part["W"]), np.array(part["b"])) for part in (first, second))
    f, slope = FUNCTIONS[activation]
    z1 = x @ w1 + b1
    z2 = f(z1) @ w2 + b2
    a2 = sigmoid(z2)
    if cost == "quadratic":
        loss, delta2 = ((a2 - y) ** 2).sum() / 2, (a2 - y) * a2 * (1 - a2)
    else:
        loss, delta2 = -(y * np.log(a2) + (1 - y) * np.log(1 - a2)).sum(), a2 - y
    delta1 = (w2 @ delta2) * slope(z1)
    expected = [
        {"z": z1, "a": f(z1), "delta": delta1, "gradient": np.outer(x, delta1)},
        {"z": z2, "a": a2, "delta": delta2, "gradient": np.outer(f(z1), delta2)},
    ]
    for told, layer in zip((first, second), expected, strict=True):
        for name, value in layer.items():
            np.testing.assert_allclose(told[name], value, rtol=0, atol=ROUNDING)
        new_weights = np.array(told["W"]) - eta * layer["gradient"]
        new_biases = np.array(told["b"]) - eta * layer["delta"]
        np.testing.assert_allclose(told["newW"], new_weights, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(told["newb"], new_biases, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(first["slope"], slope(z1), rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(frame_of(widget)["losses"][0], loss, rtol=0, atol=ROUNDING)
    widget.close()


def test_the_step_changes_the_network_and_the_loss_falls():
    widget = Backprop()
    assert widget.steps == STEPS
    before = widget.network
    assert len(widget.losses) == 1
    widget.step = LAST
    after, (old, new) = widget.network, widget.losses
    assert new < old
    assert after.loss([[0.9, 0.1, 0.6, 0.3]], [[1.0, 0.0]]) == new
    assert before.loss([[0.9, 0.1, 0.6, 0.3]], [[1.0, 0.0]]) == old
    widget.step = LAST - 1
    for one, other in zip(
        widget.network.parameters.values(), before.parameters.values(), strict=True
    ):
        assert np.array_equal(one, other)
    widget.close()


def test_taken_steps_are_those_of_fit():
    widget = Backprop(learning_rate=0.5, taken=7)
    net = Backprop().network
    net.fit(
        [[0.9, 0.1, 0.6, 0.3]], [[1.0, 0.0]], learning_rate=0.5, epochs=7, batch_size=1, verbose=0
    )
    for one, other in zip(widget.network.parameters.values(), net.parameters.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDING)
    assert len(widget.losses) == 8
    widget.close()


def test_a_given_network_is_copied_and_keeps_its_functions():
    layers = [2, nn.Dense(3, "tanh"), nn.Dropout(0.5), nn.Dense(2, "relu"), nn.Dense(3, "softmax")]
    net = nn.Network(layers, seed=5)
    widget = Backprop(net, x=[0.5, -1.0], y=2)
    assert widget.settings["y"] == [0.0, 0.0, 1.0]
    assert widget.settings["activation"] is None
    inside = net.astype("float64").inspect([[0.5, -1.0]], [2])
    for told, delta in zip(frame_of(widget)["layers"], inside.delta, strict=True):
        np.testing.assert_allclose(told["delta"], delta[0], rtol=0, atol=ROUNDING)
    assert [one["activation"] for one in frame_of(widget)["layers"]] == ["tanh", "relu", "softmax"]
    start = net.weights[0].copy()
    widget.step = len(widget.steps) - 1
    assert np.array_equal(net.weights[0], start)
    assert not np.array_equal(widget.network.weights[0], start)
    widget.change(cost="cross_entropy")  # which softmax outputs do not go with
    assert frame_of(widget)["layers"][-1]["activation"] == "sigmoid"
    widget.close()


def test_another_sample_begins_at_the_start_weights():
    widget = Backprop(taken=3)
    widget.change(learning_rate=2.0)
    assert widget.settings["taken"] == 3
    widget.change(x=[0.0, 0.0, 0.0, 1.0])
    assert widget.settings["taken"] == 0
    widget.change(cost="cross_entropy", taken=2)
    assert widget.settings["taken"] == 2
    widget.close()


LINEAR = nn.Network([4, nn.Dense(3, "linear"), nn.Dense(2, "linear")], cost="quadratic", seed=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": [1, 2, 3]}, "x must hold 4 numbers, got [1, 2, 3]"),
        ({"x": "1234"}, "x must hold 4 numbers, got '1234'"),
        ({"x": [0, 0, math.nan, 0]}, "x[2] must be a finite number, got nan"),
        ({"x": [0, 0, 0, 101]}, "x[3] must be from -100 to 100, got 101.0"),
        ({"y": 2}, "y must be an integer from 0 to 1, got 2"),
        ({"y": [0, "1"]}, "y[1] must be a finite number, got '1'"),
        ({"cost": "hinge"}, "cost must be one of 'quadratic', 'cross_entropy', 'log_likelihood',"),
        ({"activation": "softmax"}, "activation must be one of"),
        ({"activation": None}, "activation must be one of"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"learning_rate": 1000}, "learning_rate must be at most 100, got 1000"),
        ({"step": 11}, "step must be an integer from 0 to 10, got 11"),
        ({"taken": -1}, "taken must be an integer from 0 to 200, got -1"),
        (
            {"stpe": 1},
            "settings must be those of the widget, got 'stpe': did you mean 'step'?",
        ),
    ],
)
def test_a_wrong_setting_changes_nothing(changes, message):
    widget = Backprop()
    before = widget.settings
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        widget.settings = {"learning_rate": 0.7, **changes}
    assert widget.settings == before
    widget.close()


@pytest.mark.parametrize(
    ("net", "error", "message"),
    [
        ([4, 3, 2], TypeError, "net must be a Network, got [4, 3, 2]"),
        (
            nn.Network([4, 7, 2]),
            ValueError,
            "net must have at most 6 units a layer and 3 layers of weights, got [4, 7, 2]",
        ),
        (
            nn.Network([2, 2, 2, 2, 2]),
            ValueError,
            "net must have at most 6 units a layer and 3 layers of weights, got [2, 2, 2, 2, 2]",
        ),
        (
            nn.Network([2, 2], cost="hinge"),
            ValueError,
            "net must have the cost 'quadratic' or 'cross_entropy' or 'log_likelihood', got 'hi",
        ),
        (
            nn.Network([2, nn.Dense(3, "tanh"), nn.Activation("relu"), 1]),
            ValueError,
            "net must have one activation a layer, got Network(",
        ),
    ],
)
def test_a_network_that_the_graph_has_no_room_for(net, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        Backprop(net)


def test_targets_that_the_cost_cannot_have():
    widget = Backprop()
    with pytest.raises(ValueError, match=r"y must lie in \[0, 1\], as sigmoid outputs do, got 2"):
        widget.change(y=[0, 2])
    widget.close()
    widget = Backprop(LINEAR, y=[5, -3])
    assert widget.settings["y"] == [5.0, -3.0]
    widget.close()


def test_steps_beyond_all_numbers_are_refused_and_the_rest_shown():
    widget = Backprop(LINEAR, x=[100, 100, 100, 100], y=[0, 0], learning_rate=100)
    with pytest.raises(ValueError, match=r"^taken must be at most \d+ at learning_rate 100, bey"):
        widget.change(taken=200)
    assert widget.wait(10)
    for taken in range(200):  # to the last step that can be taken
        try:
            widget.change(taken=taken)
        except ValueError:
            break
        assert frame_of(widget)["losses"][taken] > 0
    assert 0 < taken < 200
    assert frame_of(widget)["losses"][-1] is None
    widget.close()


# ---- the page ----------------------------------------------------------------------------------


def rows_of(shown, layer, unit):
    """What stands in a unit's box: a mapping of names to texts."""
    texts = shown.page.locator(f"[data-unit='{layer}.{unit}'] text").all_text_contents()
    return dict(zip(texts[::2], texts[1::2], strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_stand_at_their_places_once_the_pass_has_come_to_them(mount, theme):
    shown = mount(Backprop(), theme=theme, width=700)
    assert [rows_of(shown, 0, 0)[name] for name in ("z", "a", "δ", "∂b")] == ["·"] * 4
    shown.page.get_by_label("step", exact=True).fill("9")
    shown.until("root.dataset.step === '9'")
    for layer, told in enumerate(frame_of(shown.widget)["layers"]):
        for unit in range(len(told["b"])):
            rows = rows_of(shown, layer, unit)
            for name, key in [("b", "b"), ("z", "z"), ("a", "a"), ("δ", "delta"), ("∂b", "delta")]:
                value = float(rows[name].replace(MINUS, "-"))
                assert abs(value - told[key][unit]) <= HALF_A_DIGIT
    gradients = shown.page.locator(".nn-pass-weight .nn-pass-gradient").all_text_contents()
    layers = frame_of(shown.widget)["layers"]
    expected = [g for told in layers for row in told["gradient"] for g in row]
    values = [float(text.replace(MINUS, "-")) for text in gradients]
    np.testing.assert_allclose(values, expected, rtol=0, atol=HALF_A_DIGIT)
    assert shown.page.evaluate("document.querySelector('.nn-widget').dataset.theme") == theme


def test_arrow_keys_light_the_equations_in_their_order(mount):
    shown = mount(Backprop())
    shown.page.locator(".nn-pass-stage").focus()
    lit = []
    for step in range(1, LAST + 1):
        shown.page.keyboard.press("ArrowRight")
        shown.until(f"root.dataset.step === '{step}'")
        lit += shown.page.locator("li[aria-current=step] b").all_text_contents()
    assert lit == ["z", "a", "z", "a", "C", "BP1", "BP2", "BP3", "BP4", "step"]
    shown.until(f"root.dataset.arrived === '{LAST}'")
    assert shown.widget.step == LAST
    assert "C fell from 0.5763 to 0.5153." in shown.page.locator(".nn-pass-lit").inner_text()
    shown.page.keyboard.press("ArrowLeft")
    shown.until("root.dataset.step === '9'")


def test_a_worked_equation_is_right_for_the_chosen_unit(mount):
    shown = mount(Backprop(step=7))
    shown.page.locator("[data-unit='0.1']").focus()
    shown.page.keyboard.press("Enter")
    line = shown.page.locator(".nn-pass-worked").inner_text().replace(MINUS, "-")
    assert line.startswith("Unit 2 of layer 1: δ = (")
    left, right = line.split("δ = ")[1].split(" = ")
    assert abs(eval(left.replace("·", "*")) - float(right)) <= 2 * HALF_A_DIGIT
    assert abs(frame_of(shown.widget)["layers"][0]["delta"][1] - float(right)) <= HALF_A_DIGIT
    assert shown.page.evaluate("document.activeElement.dataset.unit") == "0.1"


def test_next_pass_goes_on_with_the_new_weights_and_back_returns(mount):
    shown = mount(Backprop(step=LAST))
    after = shown.widget.network.weights[0][0, 0]
    shown.page.get_by_role("button", name="Next pass").click()
    shown.until("root.dataset.step === '0' && root.dataset.generation === '2'")
    assert (shown.widget.settings["taken"], shown.widget.step) == (1, 0)
    assert shown.widget.network.weights[0][0, 0] == after
    assert "pass 2, step 0 of 10" in shown.page.locator(".nn-pass-told").inner_text()
    shown.page.get_by_role("button", name="Back").click()
    shown.until(f"root.dataset.step === '{LAST}'")
    assert (shown.widget.settings["taken"], shown.widget.step) == (0, LAST)
    shown.page.get_by_role("button", name="Next pass").click()
    shown.until("root.dataset.generation === '4'")
    shown.page.get_by_role("button", name="Start weights").click()
    shown.until("root.dataset.generation === '5'")
    assert (shown.widget.settings["taken"], shown.widget.step) == (0, 0)


def test_moved_inputs_and_chosen_functions_reach_the_kernel(mount):
    shown = mount(Backprop(taken=2, step=4))
    shown.page.get_by_label("cost C").select_option("cross_entropy")
    shown.page.get_by_label("activation f").select_option("tanh")
    box = shown.page.get_by_label("input x₂", exact=True).bounding_box()
    middle = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + box["width"] * 0.55, middle)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=6)
    shown.page.mouse.up()
    end = float(shown.page.get_by_label("input x₂, exact").input_value())
    shown.until(f"root.querySelector('.nn-pass-graph').textContent.includes('{MINUS}{-end:g}')")
    settings = shown.widget.settings
    assert (settings["cost"], settings["activation"]) == ("cross_entropy", "tanh")
    assert settings["x"] == [0.9, end, 0.6, 0.3]
    assert end < 0
    assert (settings["taken"], settings["step"]) == (0, 4)


def test_play_goes_forward_and_pauses(mount):
    shown = mount(Backprop(step=LAST - 1))
    shown.page.get_by_role("button", name="Play").click()
    shown.until(f"root.dataset.step === '{LAST}'")
    shown.page.get_by_role("button", name="Pause").click()
    shown.page.get_by_role("button", name="Play").click()  # from the beginning
    shown.until("root.dataset.step === '1'")


def test_a_label_is_chosen_where_targets_must_sum_to_one(mount):
    shown = mount(Backprop(nn.Network([3, 2, 3], cost="log_likelihood", seed=1)))
    shown.page.get_by_label("target", exact=True).select_option("2")
    shown.until("root.dataset.generation === '2'")
    assert shown.widget.settings["y"] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("width", [600, 1600])
def test_no_label_lies_upon_another(mount, width):
    shown = mount(Backprop(nn.Network([6, 6, 6, 4], seed=1), step=12), width=width)
    overlaps = shown.page.evaluate("""() => {
        const all = [...document.querySelectorAll(".nn-pass-weight, .nn-pass-unit, .nn-pass-box")];
        const boxes = all.map((one) => one.getBBox());
        const apart = (a, b) => a.x + a.width <= b.x + 1 || b.x + b.width <= a.x + 1
            || a.y + a.height <= b.y + 1 || b.y + b.height <= a.y + 1;
        return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => !apart(a, b))).length;
    }""")
    assert overlaps == 0
    assert shown.page.evaluate("document.documentElement.scrollWidth") == width


def test_cleaning_up_leaves_no_listener(mount):
    shown = mount(Backprop())
    shown.page.get_by_role("button", name="Play").click()
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0


def test_the_file_answers_for_costs_activations_and_steps_taken(browser, tmp_path):
    path = Path(tmp_path) / "backprop.html"
    widget = Backprop(learning_rate=0.5)
    widget.to_html(path, taken=2)
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".nn-pass[data-done=true]")
    page.get_by_label("cost C").select_option("cross_entropy")
    page.get_by_label("activation f").select_option("tanh")
    page.get_by_label("step", exact=True).fill(str(LAST))
    page.get_by_role("button", name="Next pass").click()
    page.locator(".nn-pass[data-step='0']").wait_for()
    page.locator(".nn-pass-told", has_text="pass 2").wait_for()
    page.get_by_label("step", exact=True).fill("5")
    shown = page.locator(".nn-pass-worked strong").inner_text()
    widget.change(cost="cross_entropy", activation="tanh", taken=1)
    assert abs(float(shown) - widget.losses[1]) <= HALF_A_DIGIT
    assert errors == []
    page.close()
    widget.close()
