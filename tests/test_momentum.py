"""`Momentum`: its paths and settings, its page, and the file that has no kernel."""

import json
import math
import re

import numpy as np
import pytest

from nnlearn import SGD
from nnlearn.descent import Bowl, Valley, descend
from nnlearn.widgets import Momentum, _bundle, _frames

METHODS = ("gradient_descent", "momentum", "nesterov")
OPENS = {
    "surface": "bowl",
    "condition": 25.0,
    "start": [-1.8, 1.0],
    "learning_rate": 0.5,
    "momentum": 0.9,
    "same_pace": False,
    "steps": 150,
    "goal": 0.001,
}


# ---- paths and settings -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "surface"), [("bowl", Bowl(60.0)), ("valley", Valley())])
def test_paths_are_those_of_descend(name, surface):
    widget = Momentum(name, condition=60, learning_rate=0.3, momentum=0.8, steps=70)
    assert widget.wait(10)
    ways = [SGD(0.3), SGD(0.3, momentum=0.8), SGD(0.3, momentum=0.8, nesterov=True)]
    assert tuple(widget.paths) == METHODS
    for path, way in zip(widget.paths.values(), ways, strict=True):
        expected = descend(surface, surface.start, way, 70)
        assert path.points.tolist() == expected.points.tolist()
        assert path.costs.tolist() == expected.costs.tolist()
    widget.close()


def test_the_same_pace_is_the_rate_of_momentum_on_an_even_slope():
    widget = Momentum(learning_rate=0.1, momentum=0.75, same_pace=True, start=(1.0, 0.25))
    assert widget.wait(10)
    expected = descend(Bowl(), (1.0, 0.25), SGD(0.1 / 0.25), 150)
    assert widget.paths["gradient_descent"].points.tolist() == expected.points.tolist()
    expected = descend(Bowl(), (1.0, 0.25), SGD(0.1, momentum=0.75), 150)
    assert widget.paths["momentum"].points.tolist() == expected.points.tolist()
    widget.close()


def test_settings_are_told_as_they_were_given():
    widget = Momentum()
    assert widget.settings == OPENS
    widget.change(start=np.array([0.5, -1.0]), momentum=0, steps=10)
    widget.settings = {"learning_rate": 1}
    changed = {"start": [0.5, -1.0], "momentum": 0.0, "steps": 10, "learning_rate": 1.0}
    assert widget.settings == {**OPENS, **changed}
    widget.close()


def test_another_surface_brings_its_own_start():
    widget = Momentum(start=(1.0, -1.2))
    widget.change(surface="valley")
    assert widget.settings["start"] == list(Valley.start)
    widget.change(surface="valley", start=(0, 0))
    widget.change(surface="valley", steps=5)
    assert widget.settings["start"] == [0.0, 0.0]
    widget.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surface": "hill"}, "surface must be one of 'bowl', 'valley', got 'hill'"),
        ({"condition": 0.5}, "condition must be from 1 to 1000, got 0.5"),
        ({"condition": math.nan}, "condition must be a finite number, got nan"),
        ({"start": (2.5, 0)}, "start[0] must be from -2 to 2, got 2.5"),
        ({"start": (0, -1.6)}, "start[1] must be from -1.5 to 1.5, got -1.6"),
        ({"surface": "valley", "start": (0, -1)}, "start[1] must be from -0.6 to 2.4, got -1.0"),
        ({"start": 1.0}, "start must be a pair of numbers, got 1.0"),
        ({"start": [1, 2, 3]}, "start must be a pair of numbers, got [1, 2, 3]"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"learning_rate": 101}, "learning_rate must be at most 100, got 101"),
        ({"momentum": 1.0}, "momentum must be a finite number >= 0 and < 1, got 1.0"),
        ({"momentum": -0.1}, "momentum must be a finite number >= 0 and < 1, got -0.1"),
        ({"same_pace": 1}, "same_pace must be True or False, got 1"),
        ({"steps": 0}, "steps must be an integer from 1 to 1000, got 0"),
        ({"steps": 2.5}, "steps must be an integer from 1 to 1000, got 2.5"),
        ({"goal": 0}, "goal must be a finite number > 0, got 0"),
        ({"goal": 1000}, "goal must be at most 100, got 1000"),
        ({"mu": 0.5}, "settings must be those of the widget, got 'mu'"),
        ({"step": 5}, "settings must be those of the widget, got 'step': did you mean 'steps'?"),
    ],
)
def test_a_wrong_setting_changes_nothing(changes, message):
    widget = Momentum()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        widget.settings = {"learning_rate": 0.2, **changes}
    assert widget.settings == OPENS
    widget.close()


def test_predict_is_a_truth_value():
    with pytest.raises(TypeError, match=r"^predict must be True or False, got 1$"):
        Momentum(predict=1)


@pytest.mark.parametrize("surface", ["bowl", "valley"])
def test_nothing_within_the_limits_fails(surface):
    extremes = {"learning_rate": 100, "momentum": 0.999, "condition": 1000, "steps": 1000}
    widget = Momentum(surface, **extremes, goal=1e-30, same_pace=True)
    assert widget.wait(10)
    for path in widget.paths.values():
        assert path.diverged
        assert np.isfinite(path.points).all()
    widget.close()


@pytest.mark.parametrize("goal", [1e-9, 0.001, 100.0])
@pytest.mark.parametrize("surface", ["bowl", "valley"])
def test_the_part_around_the_goal_holds_all_that_is_as_low(surface, goal):
    widget = Momentum(surface, goal=goal)
    assert widget.wait(10)
    header, arrays = _frames.unpack(widget._frame)
    (left, right, bottom, top), view = header["goal_view"], header["view"]
    assert left < header["minimum"][0] < right
    assert bottom < header["minimum"][1] < top
    costs = arrays[3]
    rows, columns = np.nonzero(costs <= goal)
    x = np.linspace(*view[:2], costs.shape[1])[columns]
    y = np.linspace(*view[2:], costs.shape[0])[rows]
    assert np.all((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    assert view[0] <= left < right <= view[1]
    assert view[2] <= bottom < top <= view[3]
    widget.close()


# ---- page ---------------------------------------------------------------------------------------


def cells(shown, method):
    place = f".nn-ways-table tr[data-method='{method}'] td:not([hidden])"
    return shown.page.locator(place).all_inner_texts()


def heads(shown):
    """Where the ways are, in the units of the surface."""
    view = Bowl.view
    script = """() => {
      const plot = document.querySelector(".nn-map-plot").getBoundingClientRect();
      return [...document.querySelectorAll(".nn-map-plot .nn-ways-head")].map((head) => {
        const box = head.getBBox();
        const anchor = head.getAttribute("d").match(/^M([-\\d.]+) ([-\\d.]+)/);
        return [anchor[1] / plot.width, anchor[2] / plot.height];
      });
    }"""
    found = np.array(shown.page.evaluate(script))
    return np.column_stack(
        [view[0] + found[:, 0] * (view[1] - view[0]), view[3] - found[:, 1] * (view[3] - view[2])]
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_page_shows_paths_and_numbers(mount, theme, width):
    shown = mount(Momentum(), theme=theme, width=width)
    assert shown.page.locator(".nn-widget").get_attribute("data-theme") == theme
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.page.locator("[data-step='150']").count() == 1
    shown.page.get_by_label("step", exact=True).fill("12")
    shown.until("root.dataset.step === '12'")
    expected = [path.points[12] for path in shown.widget.paths.values()]
    np.testing.assert_allclose(heads(shown), expected, rtol=0, atol=0.01)  # a pixel or two
    costs = [float(cells(shown, method)[0]) for method in METHODS]
    truth = [path.costs[12] for path in shown.widget.paths.values()]
    np.testing.assert_allclose(costs, truth, rtol=0.005)  # three digits
    assert cells(shown, "momentum")[1:] == ["step 36", "step 60", "η = 3.8"]
    assert shown.page.locator(".nn-curve").count() == 3
    assert shown.page.evaluate(
        "document.querySelector('.nn-map-field').getContext('2d').getImageData(9, 9, 1, 1).data[3]"
    )
    shown.screenshot(f"momentum-{theme}-{width}")


def test_diverging_is_told(mount):
    shown = mount(Momentum(learning_rate=1.5))
    assert cells(shown, "nesterov")[1:3] == ["\N{EN DASH}", "diverges"]
    assert cells(shown, "gradient_descent")[2] != "diverges"
    assert cells(shown, "nesterov")[0] == "> 1e12"


def test_a_path_not_yet_at_rest_is_not_said_to_diverge(mount):
    shown = mount(Momentum(learning_rate=3.8, momentum=0.98, steps=20))
    path = shown.widget.paths["momentum"]
    assert path.costs[-1] > path.costs[0]  # though below the limit, 3.96
    assert cells(shown, "momentum")[1:3] == ["not yet", "not yet"]
    assert cells(shown, "gradient_descent")[2] == "diverges"


def test_a_path_that_climbs_in_the_bowl_above_its_limit_is_said_to_diverge_at_once(mount):
    shown = mount(Momentum(learning_rate=2.01, momentum=0.0, steps=5))
    assert shown.widget.paths["gradient_descent"].costs[-1] < 10
    assert cells(shown, "gradient_descent")[2] == "diverges"
    shown.widget.change(start=(-1.8, 0.0))  # along the flat direction it comes down
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    assert cells(shown, "gradient_descent")[2] == "not yet"


def test_the_valley_has_no_limit_of_the_rate(mount):
    shown = mount(Momentum())
    shown.page.get_by_role("button", name="bent valley").click()
    shown.until("root.dataset.generation === '2'")
    assert shown.widget.settings == {**OPENS, "surface": "valley", "start": list(Valley.start)}
    assert len(cells(shown, "momentum")) == 3
    assert not shown.page.get_by_label("condition number κ, steep : flat", exact=True).is_visible()
    assert "(w₂ \N{MINUS SIGN} w₁²)²" in shown.page.locator(".nn-ways-formula").inner_text()


def test_dragging_in_the_map_moves_the_start(mount):
    shown = mount(Momentum())
    box = shown.page.locator(".nn-map-area").bounding_box()

    def place(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    shown.page.mouse.move(*place(0.25, 0.5))
    shown.page.mouse.down()
    for share in np.linspace(0.25, 0.75, 20):
        shown.page.mouse.move(*place(share, 0.75))
        shown.pump(0.005)
    shown.page.mouse.move(*place(0.75, 3.0))  # out of it: the start stays at the border
    shown.page.mouse.up()
    shown.until("root.dataset.pending === 'false' && root.dataset.done === 'true'")
    np.testing.assert_allclose(shown.widget.settings["start"], (1.0, -1.5), rtol=0, atol=0.02)
    shown.page.mouse.move(*place(0.1, 0.1))  # no button: nothing follows
    shown.pump()
    np.testing.assert_allclose(shown.widget.settings["start"], (1.0, -1.5), rtol=0, atol=0.02)


def test_arrow_keys_move_the_start(mount):
    shown = mount(Momentum())
    shown.page.locator(".nn-map-area").focus()
    for generation, key in enumerate(("ArrowRight", "ArrowDown", "Shift+ArrowDown"), 2):
        shown.page.keyboard.press(key)
        shown.until(f"root.dataset.generation === '{generation}'")
    assert shown.widget.settings["start"] == pytest.approx([-1.7, 0.87], abs=0.011)


def test_sliders_and_choices_set_what_python_reads(mount):
    shown = mount(Momentum())
    page = shown.page
    for label, value in (
        ("condition number κ, steep : flat, exact", "40"),
        ("learning rate η, exact", "0.25"),
        ("momentum μ, exact", "0.85"),
        ("goal: cost, exact", "0.0002"),
        ("steps, exact", "77"),
    ):
        page.get_by_label(label, exact=True).fill(value)
        page.keyboard.press("Enter")
    page.get_by_label("gradient descent at η/(1", exact=False).check()
    shown.until("root.dataset.pending === 'false' && root.dataset.done === 'true'")
    assert shown.widget.settings == {
        **OPENS,
        **{"condition": 40.0, "learning_rate": 0.25, "momentum": 0.85, "goal": 0.0002},
        **{"steps": 77, "same_pace": True},
    }
    row = page.locator(".nn-ways-table tr[data-method=gradient_descent] th").inner_text()
    assert row == "● gradient descent, η = 1.67"
    page.get_by_role("button", name="momentum alone converges").click()
    shown.until("root.querySelector('.nn-ways-table').textContent.includes('> 1e12')")
    assert [name for name, path in shown.widget.paths.items() if not path.diverged] == ["momentum"]
    shown.widget.change(momentum=0.5)
    shown.until("root.querySelector('[aria-label=\"momentum μ, exact\"]').value === '0.5'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as it opens", {}),
        ("Nesterov alone diverges", {"nesterov"}),
        ("momentum alone converges", {"gradient_descent", "nesterov"}),
        ("round the bend", {}),
    ],
)
def test_what_may_be_tried_does_what_it_says(mount, text, expected):
    shown = mount(Momentum(learning_rate=0.3))
    shown.page.get_by_role("button", name=text).click()
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    diverged = {name for name, path in shown.widget.paths.items() if path.diverged}
    assert diverged == set(expected)
    pressed = shown.page.locator("button[aria-pressed=true]").all_inner_texts()
    assert pressed == ["bent valley" if text == "round the bend" else "bowl", text]


def test_step_and_play_move_along_the_paths(mount):
    shown = mount(Momentum(steps=20))
    page = shown.page
    for expected in ("0", "1", "2"):
        page.get_by_role("button", name="Step", exact=True).click()
        shown.until(f"root.dataset.step === '{expected}'")
    page.get_by_label("step", exact=True).fill("18")
    page.get_by_role("button", name="Play").click()
    shown.until("root.dataset.step === '20'")
    page.locator(".nn-chart").focus()
    page.keyboard.press("ArrowLeft")
    shown.until("root.dataset.step === '19'")
    page.locator(".nn-chart").press("End")
    shown.widget.change(steps=40)  # who looks at the end goes on to
    shown.until("root.dataset.step === '40'")


def test_the_axis_of_costs_goes_by_powers_of_ten(mount):
    shown = mount(Momentum())
    texts = shown.page.locator(".nn-chart .nn-axes text").all_text_contents()
    assert texts[:7] == ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]
    script = """() => [...document.querySelectorAll(".nn-chart .nn-axes line")].slice(0, 7)
      .map((line) => Number(line.getAttribute("y1")))"""
    heights = np.array(shown.page.evaluate(script))
    np.testing.assert_allclose(np.diff(heights), heights[1] - heights[0], rtol=1e-9)
    full = shown.page.locator(".nn-plot").bounding_box()["height"]
    assert heights[0] == full - 30  # from margin to margin
    assert heights[6] == 10
    shown.page.get_by_label("step", exact=True).fill("0")
    at = float(shown.page.locator(".nn-chart .nn-cursor circle").first.get_attribute("cy"))
    cost = Bowl().cost(*Bowl.start)
    expected = heights[6] + (heights[5] - heights[6]) * -math.log10(cost)
    assert at == pytest.approx(expected, abs=0.01)


def test_a_refused_setting_is_told_and_put_back(mount):
    shown = mount(Momentum())
    box = shown.page.get_by_label("momentum μ, exact", exact=True)
    box.fill("1")
    box.press("Enter")
    shown.until("root.querySelector('.nn-error').textContent.includes('momentum must be')")
    box.blur()
    shown.until("root.querySelector('[aria-label=\"momentum μ, exact\"]').value === '0.9'")
    assert shown.widget.settings == OPENS


def test_predict_shows_no_path_before_all_are_drawn(mount):
    shown = mount(Momentum(predict=True))
    assert shown.page.locator(".nn-curve, .nn-ways-path").count() == 0
    assert not shown.page.locator(".nn-ways-table").is_visible()
    assert not shown.page.get_by_role("button", name="Play").is_visible()
    for word in ("Next", "Next", "Show"):
        box = shown.page.locator(".nn-plot").bounding_box()
        shown.page.mouse.move(box["x"] + 60, box["y"] + 30)
        shown.page.mouse.down()
        shown.page.mouse.move(box["x"] + 200, box["y"] + 100, steps=5)
        shown.page.mouse.up()
        shown.page.get_by_role("button", name=word, exact=True).click()
    shown.until("root.querySelectorAll('.nn-curve').length === 3")
    assert shown.page.locator(".nn-guess path").count() == 3
    assert shown.page.locator(".nn-ways-path").count() == 3
    assert shown.page.locator(".nn-ways-table").is_visible()


def test_cleaning_up_leaves_no_listener(mount):
    shown = mount(Momentum())
    shown.page.get_by_role("button", name="Play").click()
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0


# ---- the file without a kernel ------------------------------------------------------------------

CASES = [
    {},
    {"surface": "valley", "steps": 400, "goal": 0.02},
    {"surface": "valley", "start": (1.9, -0.5), "learning_rate": 2.0},
    {"learning_rate": 1.5, "momentum": 0.95, "condition": 300.0, "start": (0.3, -1.4)},
    {"learning_rate": 0.07, "momentum": 0.0, "same_pace": True, "goal": 5.0, "steps": 1},
    {"learning_rate": 0.3, "momentum": 0.9, "same_pace": True, "goal": 1e-8},
    {"learning_rate": 3.8, "momentum": 0.98, "steps": 20},  # above its start, below the limit
    {"learning_rate": 2.01, "momentum": 0.0, "steps": 5},  # above both
    {"learning_rate": 2.01, "momentum": 0.0, "steps": 5, "start": (-1.8, 0.0)},
    {"surface": "valley", "learning_rate": 100.0, "steps": 50},
]


EVERY = 17  # cell of the grids is looked at


def test_a_file_answers_as_the_kernel_bit_for_bit(browser):
    widget = Momentum()
    page = browser.new_page()
    script = _bundle.script("momentum").replace("export default {", "const widget = {")
    first, _ = _frames.unpack(widget._frame)
    for case in CASES:
        widget.settings = {**OPENS, **case}
        assert widget.wait(10)
        header, arrays = _frames.unpack(widget._frame)
        shapes = json.dumps([{"shape": array.shape} for array in arrays])
        found = page.evaluate(
            f"""(settings) => {{
              {script}
              const got = answer([{{ ...{json.dumps(first)}, arrays: {shapes} }}], settings);
              const some = ({{ data }}, i) => data.filter((_, k) => i < 3 || k % {EVERY} === 0);
              return {{ ...got, arrays: got.arrays.map(some).map((part) => [...part]) }};
            }}""",
            widget.settings,
        )
        for name in ("methods", "view", "minimum", "settings", "surfaces"):
            assert found[name] == header[name], (case, name)
        for path, array in zip(found["arrays"][:3], arrays[:3], strict=True):
            assert list(map(float, path)) == array.ravel().tolist()
        assert found["goal_view"] == pytest.approx(header["goal_view"], abs=1e-12)
        # Places of the grids are worked out in another order; float32.
        for grid, array in zip(found["arrays"][3:], arrays[3:], strict=True):
            np.testing.assert_allclose(grid, array.ravel()[::EVERY], rtol=1e-6, atol=1e-12)
    page.close()
    widget.close()


def test_the_file_s_controls_are_alive(browser, tmp_path):
    path = tmp_path / "momentum.html"
    widget = Momentum("valley", steps=300)
    widget.to_html(path)
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: request.url == path.as_uri() or errors.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(".nn-ways[data-done=true]")
    row = page.locator(".nn-ways-table tr[data-method=momentum] td")
    assert row.all_inner_texts()[1:3] == ["step 45", "step 54"]
    page.get_by_role("button", name="bowl", exact=True).click()
    page.locator(".nn-ways[data-generation='2']").wait_for()
    page.get_by_role("button", name="as it opens").click()
    page.locator(".nn-ways[data-generation='3']").wait_for()
    assert row.all_inner_texts()[1:3] == ["step 36", "step 60"]
    page.get_by_label("momentum μ, exact").fill("7")  # as near as there is
    page.keyboard.press("Enter")
    page.locator(".nn-ways[data-generation='4']").wait_for()
    page.locator(".nn-map-area").click(position={"x": 20, "y": 20})
    page.locator(".nn-ways[data-generation='5']").wait_for()
    assert errors == []
    page.close()
    widget.close()
