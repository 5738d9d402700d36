"""The colours of widgets: of every curve, in both themes, the same in style sheet and pictures."""

import pytest

from nnlearn.widgets import CostComparison, DecisionBoundary

LINES = """[...document.querySelectorAll(".nn-main-chart .nn-curve > .nn-line:not(.nn-dashed)")]
  .map((line) => [getComputedStyle(line).stroke, getComputedStyle(line).strokeDasharray])"""
VARIABLE = """(name) => getComputedStyle(document.querySelector(".nn-widget"))
  .getPropertyValue(name).trim()"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_of_many_curves_look_alike(mount, theme):
    variants = {f"rate {k}": {"learning_rate": 0.1 * (k + 1)} for k in range(9)}
    widget = CostComparison(variants=variants, n_train=50, epochs=2)
    assert widget.wait(20)
    shown = mount(widget, theme=theme)
    shown.until("root.dataset.done === 'true'")
    lines = [tuple(line) for line in shown.page.evaluate(LINES)]
    assert len(set(lines)) == len(lines) == 9
    assert len({stroke for stroke, _ in lines}) == 7
    assert "none" not in {stroke for stroke, _ in lines}
    shown.screenshot(f"nine-curves-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_have_the_style_sheet_s_colours(mount, theme):
    widget = DecisionBoundary(points=([[0, 0], [1, 1]], [0, 0]), epochs=0, variants=["quadratic"])
    assert widget.wait(20)
    shown = mount(widget, theme=theme)
    shown.until("root.dataset.done === 'true'")
    named = shown.page.evaluate(VARIABLE, "--nn-c0").removeprefix("#")
    wanted = [int(named[i : i + 2], 16) for i in (0, 2, 4)]
    middle = """() => {
      const canvas = document.querySelector(".nn-plane canvas");
      const [x, y] = [0.5 - 0.5 / 1.3, 0.5 + 0.5 / 1.3]; // of the point (0, 0)
      const place = [canvas.width * x, canvas.height * y].map(Math.round);
      return [...canvas.getContext("2d").getImageData(...place, 1, 1).data].slice(0, 3);
    }"""
    assert shown.page.evaluate(middle) == wanted
