"""`SoftmaxExplorer`: its numbers, its settings, its page, and the file that has no kernel."""

import numpy as np
import pytest

from nnlearn import Dense, Network
from nnlearn.inspection import softmax_jacobian
from nnlearn.widgets import SoftmaxExplorer

MINUS = "\N{MINUS SIGN}"
BOOK = (2.5, -1.0, 3.2, 0.5)


def by_hand(z, c=1.0):
    powers = np.exp(c * np.asarray(z))
    return powers / powers.sum()


# ---- numbers ------------------------------------------------------------------------------------


def test_jacobian_is_that_of_a_network_by_central_differences():
    net = Network([4, Dense(4, "softmax")], init="zeros", dtype="float64")
    net.weights[0] = np.eye(4)
    step = 1e-5
    columns = [
        (net.forward([BOOK + step * unit]) - net.forward([BOOK - step * unit]))[0] / (2 * step)
        for unit in np.eye(4)
    ]
    found = softmax_jacobian(net.forward([BOOK])[0])
    # The error of central differences is about step^2.
    np.testing.assert_allclose(found, np.transpose(columns), rtol=0, atol=1e-9)


def test_signs_of_the_jacobian_survive_an_output_that_rounds_to_1():
    a = by_hand([5.0, -5.0], 20.0)
    assert a[0] == 1.0
    assert np.sign(softmax_jacobian(a)).tolist() == [[1, -1], [-1, 1]]


def test_jacobian_is_of_one_sample():
    with pytest.raises(ValueError, match=r"a must be the outputs \(n,\) of one sample, got"):
        softmax_jacobian(np.eye(2))


def test_opens_at_the_books_values():
    widget = SoftmaxExplorer()
    assert widget.settings == {"z": list(BOOK), "temperature": 1.0, "sigmoid": False}
    np.testing.assert_allclose(widget.outputs, by_hand(BOOK), rtol=1e-12)
    assert widget.outputs.round(3).tolist() == [0.315, 0.009, 0.633, 0.043]


@pytest.mark.parametrize("c", [0.0, 0.7, 20.0])
def test_the_factor_is_in_outputs_and_derivatives(c):
    widget = SoftmaxExplorer(temperature=c)
    a = by_hand(BOOK, c)
    np.testing.assert_allclose(widget.outputs, a, rtol=1e-12)
    expected = [[c * a[j] * ((j == k) - a[k]) for k in range(4)] for j in range(4)]
    np.testing.assert_allclose(widget.jacobian, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(widget.sigmoid_outputs, 1 / (1 + np.exp(-c * np.array(BOOK))))


@pytest.mark.parametrize("n", [2, 8])
def test_two_to_eight_outputs(n):
    widget = SoftmaxExplorer(z=np.linspace(-5, 5, n))
    assert widget.jacobian.shape == (n, n)
    assert widget.outputs.sum() == pytest.approx(1.0)


# ---- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"z": [1.0]}, r"z must be 2 to 8 numbers, got \[1.0\]"),
        ({"z": [0.0] * 9}, "z must be 2 to 8 numbers, got "),
        ({"z": "1234"}, "z must be 2 to 8 numbers, got '1234'"),
        ({"z": 3.0}, "z must be 2 to 8 numbers, got 3.0"),
        ({"z": [0.0, 5.1]}, r"z\[1\] must be from -5 to 5, got 5.1"),
        ({"z": [float("nan"), 0]}, r"z\[0\] must be a finite number"),
        ({"temperature": -0.1}, "temperature must be from 0 to 20, got -0.1"),
        ({"temperature": True}, "temperature must be a finite number"),
        ({"sigmoid": 1}, "sigmoid must be True or False, got 1"),
        ({"temprature": 1}, "settings must be those of the widget, .* did you mean 'temperature'"),
    ],
)
def test_a_wrong_setting_changes_nothing(wrong, message):
    widget = SoftmaxExplorer()
    with pytest.raises(ValueError, match="^" + message):
        widget.change(**wrong)
    assert widget.settings["z"] == list(BOOK)
    assert widget._generation == 1


# ---- page ---------------------------------------------------------------------------------------

VALUES = "[...root.querySelectorAll('.nn-softmax-output:not([hidden]) .nn-softmax-value')]"
CELLS = "[...root.querySelectorAll('td[data-value]')]"


def numbers(page, of):
    root = "const root = document.querySelector('.nn-widget')"
    return page.evaluate(f"(() => {{ {root}; return {of}.map((e) => +e.dataset.value); }})()")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_shows_outputs_and_signs(mount, theme):
    widget = SoftmaxExplorer()
    shown = mount(widget, theme=theme, width=600)
    page = shown.page
    assert numbers(page, VALUES) == widget.outputs.tolist()
    assert numbers(page, CELLS) == widget.jacobian.ravel().tolist()
    texts = page.locator("td[data-value]").all_inner_texts()
    assert [text[0] for text in texts] == ["+" if k % 5 == 0 else MINUS for k in range(16)]
    assert texts[0] == "+0.216"
    assert page.locator(".nn-softmax-value").first.inner_text() == "0.315"
    assert page.locator(".nn-softmax-sum").inner_text().endswith("= 1.000")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".nn-widget").get_attribute("data-theme") == theme


def test_monotonicity_is_told_while_a_slider_moves(mount):
    widget = SoftmaxExplorer()
    shown = mount(widget)
    slider = shown.page.get_by_label("weighted input z₂", exact=True)
    slider.focus()
    for generation in (2, 3):
        slider.press("ArrowRight")
        shown.until(f"root.dataset.generation === '{generation}'")
    assert widget.settings["z"] == [2.5, -0.8, 3.2, 0.5]
    story = shown.page.locator(".nn-softmax-story")
    before, after = by_hand(BOOK)[1], by_hand(widget.settings["z"])[1]
    assert story.inner_text() == (
        f"z₂ rises from -1.0 to -0.8: a₂ rises from {before:.3f} to {after:.3f}, "
        "every other output falls."
    )
    moved = shown.page.locator("td.nn-softmax-moved").evaluate_all(
        "all => all.map(e => e.cellIndex)"
    )
    assert moved == [2, 2, 2, 2]  # the column of z2, behind the names
    shown.page.get_by_label("weighted input z₁", exact=True).press("ArrowLeft")
    shown.until("root.dataset.generation === '4'")
    assert story.inner_text().startswith("z₁ falls from 2.5 to 2.4: a₁ falls from")
    assert story.inner_text().endswith("every other output rises.")


def test_a_large_factor_gives_all_to_the_largest(mount):
    widget = SoftmaxExplorer()
    shown = mount(widget)
    shown.page.get_by_label("factor c, in softmax(c z)", exact=True).press("End")
    shown.until("root.dataset.generation === '2'")
    assert widget.settings["temperature"] == 20.0
    story = shown.page.locator(".nn-softmax-story").inner_text()
    assert story == "c rises from 1 to 20: the largest output a₃ rises from 0.633 to 1.000."


def test_drag_of_a_mouse_reaches_the_end(mount):
    widget = SoftmaxExplorer()
    shown = mount(widget)
    box = shown.page.get_by_label("weighted input z₄", exact=True).bounding_box()
    y = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + 0.55 * box["width"], y)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"], y, steps=8)
    shown.page.mouse.up()
    shown.until("root.querySelector('.nn-softmax-story').textContent.includes('to 5.0')")
    assert widget.settings["z"] == [2.5, -1.0, 3.2, 5.0]


def test_sigmoid_and_the_number_of_outputs(mount):
    widget = SoftmaxExplorer()
    shown = mount(widget)
    page = shown.page
    page.get_by_label("outputs of sigmoid for the same z").check()
    shown.until("root.dataset.generation === '2'")
    assert numbers(page, VALUES)[1::2] == widget.sigmoid_outputs.tolist()
    assert (
        f"sum to {widget.sigmoid_outputs.sum():.3f}"
        in page.locator(".nn-softmax-sigmoid-sum").inner_text()
    )
    page.get_by_role("button", name="One output more").click()
    shown.until("root.querySelectorAll('.nn-softmax-row').length === 5")
    assert widget.settings["z"] == [*BOOK, 0.0]
    for rows in (4, 3, 2):
        page.get_by_role("button", name="One less").click()
        shown.until(f"root.querySelectorAll('.nn-softmax-row').length === {rows}")
    assert page.get_by_role("button", name="One less").is_disabled()
    page.get_by_role("button", name="Start values").click()
    shown.until("root.querySelectorAll('.nn-softmax-row').length === 4")
    assert widget.settings["z"] == list(BOOK)


def test_a_number_out_of_range_is_refused(mount):
    shown = mount(SoftmaxExplorer())
    box = shown.page.get_by_label("weighted input z₁, exact", exact=True)
    box.fill("7")
    box.press("Enter")
    shown.until("root.querySelector('.nn-error').textContent !== ''")
    assert shown.page.locator(".nn-error").inner_text() == "z[0] must be from -5 to 5, got 7"
    assert shown.widget.settings["z"] == list(BOOK)
    shown.page.get_by_label("weighted input z₂", exact=True).focus()
    shown.until("root.querySelector('.nn-box').value === '2.5'")


def test_clean_up_leaves_no_listener(mount):
    shown = mount(SoftmaxExplorer())
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0


def test_file_without_a_kernel_has_the_kernels_numbers(tmp_path, browser):
    widget = SoftmaxExplorer(sigmoid=True)
    path = tmp_path / "softmax.html"
    widget.to_html(path)
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("[data-done=true]")
    found = []
    for z, c in ((BOOK, 1), ((5, -1, 3.2, -5), 20), ((0.1, -1, 3.2, -5), 0), (BOOK, 0.7)):
        for k, value in enumerate(z):
            page.get_by_label(f"weighted input z{'₁₂₃₄'[k]}, exact", exact=True).fill(str(value))
        page.get_by_label("factor c, in softmax(c z), exact", exact=True).fill(str(c))
        page.keyboard.press("Enter")
        page.locator("[data-pending=false]").wait_for()
        found.append((z, c, numbers(page, VALUES), numbers(page, CELLS)))
    page.close()
    assert errors == []
    for z, c, outputs, jacobian in found:
        widget.change(z=z, temperature=c)
        # Two orders of the same sums, in float64.
        np.testing.assert_allclose(outputs[0::2], widget.outputs, rtol=1e-12)
        np.testing.assert_allclose(outputs[1::2], widget.sigmoid_outputs, rtol=1e-12)
        np.testing.assert_allclose(jacobian, widget.jacobian.ravel(), rtol=1e-11)
