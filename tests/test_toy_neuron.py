"""`ToyNeuron`: its numbers against published ones and by hand, its settings, its page."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from nnlearn.widgets import ToyNeuron

RATES = {"quadratic": 0.15, "cross_entropy": 0.005}

# cost, start (w, b), rate, the book's formula; the output at epochs 0, 50, ..., 300; w, b and the
# cost at 300: an independent replay of the chapter's neuron in double precision.
TABLE = [
    (
        ("quadratic", (0.6, 0.9), 0.15, False),
        (0.8176, 0.3870, 0.2110, 0.1527, 0.1237, 0.1061, 0.0940),
        (-1.2831, -0.9831, 0.00441),
    ),
    (
        ("quadratic", (2.0, 2.0), 0.15, False),
        (0.9820, 0.9759, 0.9641, 0.9334, 0.7887, 0.3572, 0.2028),
        (-0.6843, -0.6843, 0.02057),
    ),
    (
        ("cross_entropy", (0.6, 0.9), 0.005, False),
        (0.8176, 0.7516, 0.6789, 0.6053, 0.5355, 0.4726, 0.4177),
        (-0.3162, -0.0162, 0.54073),
    ),
    (
        ("cross_entropy", (2.0, 2.0), 0.005, False),
        (0.9820, 0.9710, 0.9539, 0.9282, 0.8912, 0.8415, 0.7796),
        (0.6316, 0.6316, 1.51225),
    ),
    (
        ("cross_entropy", (0.6, 0.9), 0.005, True),
        (0.8176, 0.4933, 0.2987, 0.1811, 0.1098, 0.0666, 0.0404),
        (-1.7343, -1.4343, 0.04120),
    ),
    (
        ("cross_entropy", (2.0, 2.0), 0.005, True),
        (0.9820, 0.5857, 0.3545, 0.2148, 0.1302, 0.0789, 0.0479),
        (-1.4950, -1.4950, 0.04906),
    ),
    (
        ("cross_entropy", (0.6, 0.9), 0.15, False),
        (0.8176, 0.0792, 0.0371, 0.0241, 0.0178, 0.0141, 0.0116),
        (-2.3709, -2.0709, 0.01171),
    ),
    (
        ("cross_entropy", (2.0, 2.0), 0.15, False),
        (0.9820, 0.0985, 0.0411, 0.0257, 0.0186, 0.0146, 0.0120),
        (-2.2050, -2.2050, 0.01208),
    ),
]
HALF_A_DIGIT = 0.5e-4 * (1 + 1e-9)  # the table has four digits behind the point
HALF_OF_FIVE = 0.5e-5 * (1 + 1e-9)  # its costs have five
ROUNDING = 1e-12  # 300 steps in float64, in another order of operations


@pytest.mark.parametrize(("case", "outputs", "end"), TABLE)
def test_reproduces_the_published_runs(case, outputs, end):
    cost, (w, b), rate, book = case
    neuron = ToyNeuron(w=w, b=b, learning_rate={cost: rate}, book_formula=book)
    assert neuron.wait(10)
    run = neuron.history[cost]
    np.testing.assert_allclose(run["a"][::50], outputs, rtol=0, atol=HALF_A_DIGIT)
    np.testing.assert_allclose([run["w"][-1], run["b"][-1]], end[:2], rtol=0, atol=HALF_A_DIGIT)
    assert abs(run["cost"][-1] - end[2]) <= HALF_OF_FIVE
    neuron.close()


@pytest.mark.parametrize("book", [False, True])
def test_every_column_by_hand(book):
    rates = {"quadratic": 0.7, "cross_entropy": 0.05}
    neuron = ToyNeuron(w=-0.5, b=1.5, learning_rate=rates, epochs=40, book_formula=book)
    assert neuron.wait(10)
    for cost, run in neuron.history.items():
        w, b = -0.5, 1.5
        for epoch in range(41):
            z = w + b
            a = 1 / (1 + math.exp(-z))
            slope = a * (1 - a)
            if cost == "quadratic":
                value, gradient = a * a / 2, a * slope
            else:
                value, gradient = -math.log(1 - a), 1 / (1 - a) if book else a
            told = [run[name][epoch] for name in ("w", "b", "z", "a", "cost", "slope", "gradient")]
            expected = [w, b, z, a, value, slope, gradient]
            np.testing.assert_allclose(told, expected, rtol=ROUNDING, atol=ROUNDING)
            w, b = w - rates[cost] * gradient, b - rates[cost] * gradient
    neuron.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"w": math.nan}, "w must be a finite number, got nan"),
        ({"w": 10.5}, "w must be from -10 to 10, got 10.5"),
        ({"b": "2"}, "b must be a finite number, got '2'"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"learning_rate": 101}, "learning_rate must be at most 100, got 101"),
        (
            {"learning_rate": {"quadratic": -1}},
            "learning_rate of 'quadratic' must be a finite number > 0, got -1",
        ),
        (
            {"learning_rate": {"hinge": 1}},
            "learning_rate must be one of 'quadratic', 'cross_entropy', got 'hinge'",
        ),
        ({"epochs": 0}, "epochs must be an integer from 1 to 3000, got 0"),
        ({"epochs": 3.0}, "epochs must be an integer from 1 to 3000, got 3.0"),
        ({"book_formula": 1}, "book_formula must be True or False, got 1"),
        ({"epoch": 3}, "settings must be those of the widget, got 'epoch': did you mean 'epochs'?"),
    ],
)
def test_a_wrong_setting_changes_nothing(changes, message):
    neuron = ToyNeuron(epochs=2)
    before = neuron.settings
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        neuron.settings = {"w": 1.0, **changes}
    assert neuron.settings == before
    neuron.close()


def test_settings_are_told_as_they_were_given():
    neuron = ToyNeuron(w=1, b=-1, learning_rate=0.5, epochs=7, book_formula=True)
    neuron.change(learning_rate={"quadratic": 2})
    assert neuron.settings == {
        "w": 1.0,
        "b": -1.0,
        "learning_rate": {"quadratic": 2.0, "cross_entropy": 0.5},
        "epochs": 7,
        "book_formula": True,
    }
    neuron.close()


def test_no_start_or_rate_within_the_limits_overflows():
    for sign in (-10, 10):
        neuron = ToyNeuron(w=sign, b=sign, learning_rate=100, epochs=50, book_formula=True)
        assert neuron.wait(10)
        for run in neuron.history.values():
            assert np.isfinite(np.stack(list(run.values()))).all()
        neuron.close()


def number(shown, colour, name):
    """What stands beside a name in the list of one neuron, as a float."""
    place = f".nn-toy-neuron[data-colour='{colour}'] [data-number='{name}']"
    text = shown.page.locator(place).inner_text()
    return float(text.replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_tells_each_epoch_in_numbers(mount, theme):
    shown = mount(ToyNeuron(), theme=theme, width=700)
    shown.page.get_by_label("epoch", exact=True).fill("120")
    shown.until("root.dataset.epoch === '120'")
    for colour, run in enumerate(shown.widget.history.values()):
        for name in ("a", "cost", "slope", "gradient"):
            assert abs(number(shown, colour, name) - run[name][120]) <= HALF_A_DIGIT
    assert shown.page.evaluate("document.querySelector('.nn-widget').dataset.theme") == theme


def test_start_buttons_and_the_books_rates(mount):
    shown = mount(ToyNeuron())
    shown.page.get_by_role("button", name="w 0.6, b 0.9").click()
    shown.page.get_by_role("button", name="the book's").click()
    shown.until("root.dataset.generation === '3' && root.dataset.done === 'true'")
    settings = shown.widget.settings
    assert (settings["w"], settings["b"], settings["learning_rate"]) == (0.6, 0.9, RATES)
    pressed = shown.page.locator("button[aria-pressed=true]").all_text_contents()
    assert pressed == ["w 0.6, b 0.9", "the book's: 0.15 and 0.005"]


def test_the_wrong_formula_is_named_wherever_it_is_used(mount):
    shown = mount(ToyNeuron(learning_rate=RATES))
    shown.page.get_by_label("the book page's wrong formula").check()
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    titles = shown.page.locator(".nn-toy-title").all_text_contents()
    assert titles == ["quadratic, η = 0.15", "cross-entropy (wrong formula), η = 0.005"]
    equation = shown.page.locator(".nn-toy-wrong .nn-toy-equation").inner_text()
    assert equation.startswith("∂C/∂w = 1/(1")
    assert equation.endswith("wrong: right is a \N{MINUS SIGN} y = 0.9820")
    assert shown.widget.history["cross_entropy"]["gradient"][0] == 1 + math.exp(4)


def told(weight):
    """A negative weight as the neuron's picture has it."""
    return f"w = \N{MINUS SIGN}{-weight:.4f}"


def test_a_dragged_weight_ends_at_the_hands_last_place(mount):
    shown = mount(ToyNeuron())
    box = shown.page.get_by_label("start: weight w", exact=True).bounding_box()
    middle = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + 0.66 * box["width"], middle)
    shown.page.mouse.down()
    for step in range(1, 30):
        shown.page.mouse.move(box["x"] + (0.66 - 0.02 * step) * box["width"], middle)
        shown.pump(0.005)
    shown.page.mouse.up()
    end = float(shown.page.get_by_label("start: weight w, exact").input_value())
    shown.until(f"root.querySelector('.nn-toy-drawing').textContent.includes({told(end)!r})")
    assert shown.widget.settings["w"] == end < 0
    assert shown.widget.history["quadratic"]["w"][0] == end


def test_arrow_keys_in_a_chart_move_the_epoch_of_all(mount):
    shown = mount(ToyNeuron())
    shown.page.locator(".nn-chart").first.focus()
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        shown.page.keyboard.press(key)
    shown.until("root.dataset.epoch === '298'")
    readouts = shown.page.locator(".nn-readout").all_text_contents()
    assert sum(text.startswith("epoch 298: ") for text in readouts) == 4


def test_play_runs_to_the_last_epoch_and_begins_anew(mount):
    shown = mount(ToyNeuron(epochs=20))
    shown.page.get_by_label("epoch", exact=True).fill("19")
    shown.page.get_by_role("button", name="Play").click()
    shown.until("root.dataset.epoch === '20'")
    shown.until("root.querySelector('.nn-toy-time button').textContent === 'Play'")
    shown.page.get_by_role("button", name="Play").click()
    shown.until("Number(root.dataset.epoch) < 10")


def test_a_refused_setting_is_told_and_put_back(mount):
    shown = mount(ToyNeuron())
    box = shown.page.get_by_label("start: bias b, exact")
    box.fill("99")
    box.press("Enter")
    shown.until("root.querySelector('.nn-error').textContent.includes('from -10 to 10')")
    box.blur()
    assert shown.widget.settings["b"] == 2.0


def test_predict_shows_no_curve_before_both_are_drawn(mount):
    shown = mount(ToyNeuron(predict=True))
    assert shown.page.locator(".nn-curve").count() == 2  # the hills
    for word in ("Next", "Train"):
        box = shown.page.locator(".nn-plot").first.bounding_box()
        shown.page.mouse.move(box["x"] + 60, box["y"] + 30)
        shown.page.mouse.down()
        shown.page.mouse.move(box["x"] + 200, box["y"] + 100, steps=5)
        shown.page.mouse.up()
        shown.page.get_by_role("button", name=word).click()
    shown.until("root.querySelectorAll('.nn-curve').length === 10")
    assert shown.page.locator(".nn-guess path").count() == 2


def test_cleaning_up_leaves_no_listener(mount):
    shown = mount(ToyNeuron())
    shown.page.get_by_role("button", name="Play").click()
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0


def test_the_file_answers_for_every_start_rate_and_formula(browser, tmp_path):
    path = Path(tmp_path) / "neuron.html"
    neuron = ToyNeuron(w=1, b=1, epochs=100)
    neuron.to_html(path, learning_rates=[0.005, 0.5])
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".nn-toy[data-done=true]")
    page.get_by_label("learning rate η, cross-entropy", exact=True).fill("0")
    page.get_by_role("button", name="w 2, b 2").click()
    page.get_by_label("the book page's wrong formula").check()
    page.locator(".nn-toy[data-generation='4']").wait_for()
    page.get_by_label("epoch", exact=True).fill("100")
    outputs = page.locator("[data-number=a]").all_text_contents()
    assert [float(text) for text in outputs] == [0.9641, 0.3545]  # TABLE, epoch 100
    assert errors == []
    page.close()
    with pytest.raises(ValueError, match="learning_rates must be a finite number > 0"):
        neuron.to_html(path, learning_rates=[0])
    neuron.close()
