"""`DrawDigit`: what it shows of a drawing, what it refuses, how hands and keys draw."""

import base64

import numpy as np
import pytest

import nnlearn as nn
from nnlearn.data import Dataset
from nnlearn.datasets import load_mnist_small
from nnlearn.datasets.digit_image import drawn, normalised
from nnlearn.widgets import DrawDigit, _frames

BAR = [(0.5, 0.2), (0.5, 0.8)]

#: A pixel of the page, and points that are too near for one of their own, on a paper of size 1.
NEAR = 0.01

#: float32 sums of 784 products.
ROUNDING = 1e-4


def small_network(*sizes):
    return nn.Network([784, *(sizes or (12, 10))], seed=1)


def framed(widget):
    """What the page is told of what is there now."""
    assert widget.wait(10)
    return _frames.unpack(widget._frame)


@pytest.fixture
def make():
    """Makes widgets that are closed after the test."""
    made = []

    def one(net=None, **settings):
        made.append(DrawDigit(small_network() if net is None else net, **settings))
        return made[-1]

    yield one
    for widget in made:
        widget.close()


# ---- Answers ------------------------------------------------------------------------------------


def test_the_network_of_its_own_reads_digits():
    widget = DrawDigit()
    assert widget.wait(10)
    digits = load_mnist_small().test
    assert [layer.n for layer in widget.network.layers] == [100, 10]
    assert widget.accuracy == widget.network.accuracy(digits) > 0.93
    widget.image = digits.x[0]
    assert widget.probabilities.argmax() == digits.y[0]
    widget.strokes = [BAR]
    assert widget.class_names[widget.probabilities.argmax()] == "1"
    assert not framed(widget)[0]["training"]
    widget.close()


def test_a_widget_that_opened_before_its_network_was_trained_says_when_it_is(monkeypatch):
    monkeypatch.setattr(DrawDigit, "_patience", 0.0)
    widget = DrawDigit(strokes=[BAR])
    header, _ = framed(widget)
    assert not header["training"]
    assert header["accuracy"] == widget.accuracy > 0.9
    widget.close()


def test_closing_ends_the_training(monkeypatch):
    monkeypatch.setattr(DrawDigit, "_patience", 0.0)
    monkeypatch.setattr("nnlearn.widgets.draw_digit.EPOCHS", 10_000)
    widget = DrawDigit()
    widget.close()
    assert widget._trainer.wait(10)
    assert widget.accuracy is None


def test_the_network_of_its_own_learns_from_the_data_given():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    x = rng.random((300, 784)) * 0.1
    x[np.arange(300), y] = 1  # one pixel tells
    widget = DrawDigit(data=Dataset((x, y), class_names=["a", "b", "c"]))
    assert widget.wait(10)
    assert widget.class_names == ("a", "b", "c")
    assert widget.accuracy > 0.9
    widget.close()


def test_a_drawing_is_seen_as_mnist_would_have_it(make):
    widget = make(strokes=[BAR], pen_width=0.1)
    expected = normalised(drawn([np.array(BAR)], 0.1))
    np.testing.assert_array_equal(widget.image, expected)
    np.testing.assert_array_equal(framed(widget)[1][0], expected)


def test_the_answer_is_that_of_the_formulas(make):
    net = small_network(12, 10)
    widget = make(net, strokes=[BAR])
    header, (image, probabilities, hidden, parts) = framed(widget)
    x = image.reshape(-1).astype(np.float64)
    a = 1 / (1 + np.exp(-(x @ net.weights[0] + net.biases[0])))
    out = 1 / (1 + np.exp(-(a @ net.weights[1] + net.biases[1])))
    np.testing.assert_allclose(hidden, a, atol=ROUNDING)
    np.testing.assert_allclose(probabilities, out / out.sum(), atol=ROUNDING)
    np.testing.assert_array_equal(widget.probabilities, probabilities)
    winner = out.argmax()
    assert header["winner"] == winner

    adds = a * np.asarray(net.weights[1])[:, winner]
    order = [j for j in np.argsort(-adds)[:5] if adds[j] > 0]
    assert header["speakers"] == order
    np.testing.assert_allclose(header["adds"], adds[order], atol=ROUNDING)
    by_pixel = x * np.asarray(net.weights[0])[:, order[0]]
    expected = 127 * by_pixel / np.abs(by_pixel).max()
    np.testing.assert_allclose(parts[0].reshape(-1), expected, atol=0.51)  # rounded to integers


@pytest.mark.parametrize("sizes", [(10,), (6, 5, 10), (500, 2)])
def test_networks_of_any_depth_are_shown(make, sizes):
    header, arrays = framed(make(small_network(*sizes), strokes=[BAR]))
    assert header["units"] == list(sizes[:-1])
    shapes = [(28, 28), (sizes[-1],), *((min(n, 400),) for n in sizes[:-1])]
    assert [array.shape for array in arrays[: len(shapes)]] == shapes
    assert header["parts"] == (len(sizes) == 2) == (len(arrays) > len(shapes))


def test_nothing_drawn_has_no_answer(make):
    widget = make(strokes=[BAR])
    assert widget.probabilities is not None
    widget.clear()
    assert not widget.image.any()
    assert widget.probabilities is None
    header, arrays = framed(widget)
    assert not header["answered"]
    assert len(arrays) == 1


# ---- Settings -----------------------------------------------------------------------------------


def test_images_are_taken_as_numbers_or_bytes(make):
    widget = make()
    digit = load_mnist_small(dtype="uint8").test.x[3]
    for image in (digit, digit.reshape(28, 28), digit / 255, (digit / 255).tolist()):
        widget.clear()
        widget.image = image
        np.testing.assert_allclose(widget.image.reshape(-1), digit / 255, atol=1e-7)


def test_what_is_shown_last_replaces_the_rest(make):
    widget = make(strokes=[BAR])
    widget.change(sample=5)
    assert widget.strokes == ()
    assert widget.settings["sample"] == 5
    np.testing.assert_array_equal(widget.image.reshape(-1), load_mnist_small().test.x[5])
    widget.image = np.ones(784)
    assert widget.settings["sample"] is None
    widget.change(pen_width=0.2)
    assert widget.image.all()
    widget.strokes = [BAR, [(0.1, 0.1)]]
    assert [stroke.tolist() for stroke in widget.strokes] == [[list(p) for p in BAR], [[0.1, 0.1]]]
    assert widget.settings["image"] is None


@pytest.mark.parametrize("shown", [{"strokes": [BAR]}, {"sample": 2}, {"image": np.eye(28)}, {}])
def test_settings_told_are_settings_taken(make, shown):
    widget = make(pen_width=0.05, **shown)
    image, settings = widget.image, widget.settings
    widget.change(strokes=[[(0.1, 0.2)]], pen_width=0.3)
    widget.settings = settings
    np.testing.assert_array_equal(widget.image, image)
    assert widget.settings == settings


def test_nobody_else_holds_what_is_shown(make):
    stroke, image = np.array(BAR), np.eye(28, dtype=np.float32)
    widget = make(strokes=[stroke])
    stroke[:] = 0
    widget.strokes[0][:] = 0
    assert widget.strokes[0].tolist() == [list(p) for p in BAR]
    widget.image = image
    image[:] = 0
    widget.image[:] = 0
    assert widget.image.sum() == 28


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stroke": [BAR]}, "did you mean 'strokes'"),
        ({"strokes": [BAR], "sample": 1}, "have only one of strokes, sample and image"),
        ({"strokes": 3}, "strokes must be a list of strokes, each of points"),
        ({"strokes": [[(0.5,)]]}, "strokes must be a list of strokes"),
        ({"strokes": [[]]}, "strokes must be a list of strokes"),
        ({"strokes": [[(0.5, float("nan"))]]}, "strokes must be a list of strokes"),
        ({"strokes": [[(0.5, 1.1)]]}, r"from \(0, 0\) to \(1, 1\)"),
        ({"strokes": [[("a", "b")]]}, "strokes must be a list of strokes"),
        ({"strokes": [np.zeros((20_001, 2))]}, "at most 20000 points, got 20001"),
        ({"pen_width": 0}, "pen_width must be a finite number >= 0.01, got 0"),
        ({"pen_width": 0.5}, "pen_width must be from 0.01 to 0.3, got 0.5"),
        ({"pen_width": "thick"}, "pen_width must be a finite number"),
        ({"sample": 1000}, "sample must be an integer from 0 to 999, got 1000"),
        ({"sample": 1.5}, "sample must be an integer"),
        ({"image": np.zeros((27, 28))}, r"shape \(28, 28\) or \(784,\)"),
        ({"image": [[1], [2, 3]]}, r"shape \(28, 28\) or \(784,\)"),
        ({"image": np.full(784, 2.0)}, "image must hold numbers from 0 to 1, or uint8"),
        ({"image": np.full(784, np.nan)}, "image must hold numbers from 0 to 1"),
        ({"image": np.full(784, "a")}, "image must be numbers"),
    ],
)
def test_wrong_settings_change_nothing(make, changes, message):
    widget = make(strokes=[BAR])
    before = widget.settings
    with pytest.raises(ValueError, match=message):
        widget.change(**changes)
    assert widget.settings == before


@pytest.mark.parametrize(
    ("net", "error", "message"),
    [
        (nn.Network([10, 5, 2]), ValueError, "784 inputs and at least 2 outputs, got 10 inputs"),
        (nn.Network([784, 1]), ValueError, "at least 2 outputs, got 784 inputs and 1 outputs"),
        (nn.Network([784, 10], cost="hinge"), ValueError, "sigmoid or softmax outputs"),
        ("net", TypeError, "net must be a Network, got 'net'"),
    ],
)
def test_networks_that_read_no_digits_are_refused(net, error, message):
    with pytest.raises(error, match=message):
        DrawDigit(net)


def test_data_that_do_not_fit_are_refused():
    x, y = np.zeros((6, 784), np.float32), np.arange(6)
    with pytest.raises(ValueError, match="no more classes than the network's 2 outputs, got 6"):
        DrawDigit(small_network(2), data=Dataset((x, y)))
    with pytest.raises(ValueError, match="integer labels"):
        DrawDigit(data=Dataset((x, y / 2)))
    with pytest.raises(ValueError, match="images of 28 x 28 pixels"):
        DrawDigit(small_network(10), data=Dataset((x[:, :9], y)))
    with pytest.raises(TypeError, match="data must be a Dataset"):
        DrawDigit(small_network(10), data=x)
    with pytest.raises(ValueError, match="class_names must be 10 strings, one for each output"):
        DrawDigit(small_network(10), class_names=["a", "b"])


def test_classes_have_the_names_of_the_data(make):
    x, y = np.ones((6, 784), np.float32), np.arange(6) % 2
    data = Dataset((x, y), (x[:4], y[:4]), class_names=["cat", "dog"])
    widget = make(small_network(2), data=data, sample=3)
    header, _ = framed(widget)
    assert header["names"] == ["cat", "dog"]
    assert (header["label"], header["set"]) == ("dog", "validation set")
    assert widget.accuracy == 0.5
    assert make(small_network(2), data=data, class_names=["no", "yes"]).class_names[1] == "yes"
    assert make(small_network(3)).class_names == ("0", "1", "2")


def test_without_data_there_are_no_samples(make):
    widget = make(small_network(2))
    assert framed(widget)[0]["limits"]["samples"] == 0
    with pytest.raises(ValueError, match="sample must be None where no samples are"):
        widget.change(sample=0)


# ---- Pages --------------------------------------------------------------------------------------


def place(shown, x, y):
    """A place on the paper, in pixels of the page."""
    box = shown.page.locator(".nn-paper").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw(shown, points):
    shown.page.mouse.move(*place(shown, *points[0]))
    shown.page.mouse.down()
    for point in points[1:]:
        shown.page.mouse.move(*place(shown, *point), steps=5)
    shown.page.mouse.up()


def settle(shown, strokes, end=None):
    """Wait until the kernel has so many strokes, up to this end, and the page its answer."""
    widget = shown.widget
    for _ in range(500):
        there = widget.strokes
        if len(there) == strokes and (end is None or np.abs(there[-1][-1] - end).max() < NEAR):
            break
        shown.pump(0.02)
    assert len(there) == strokes
    assert widget.wait(1)
    shown.until(f"Number(root.dataset.generation) >= {widget._generation}")


def clicked(shown, name):
    shown.page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_mouse_draws(mount, theme):
    shown = mount(DrawDigit(small_network()), theme=theme)
    shown.until("root.querySelector('.nn-verdict').textContent === 'Draw a digit'")
    draw(shown, BAR)
    settle(shown, 1, BAR[-1])
    (stroke,) = shown.widget.strokes
    np.testing.assert_allclose(stroke[[0, -1]], BAR, atol=NEAR)
    assert len(stroke) > 4
    winner = shown.widget.class_names[shown.widget.probabilities.argmax()]
    assert shown.page.locator(".nn-verdict").inner_text().startswith(f"I read: {winner} (")
    assert shown.page.locator(".nn-draw-bar[data-best] .nn-draw-name").inner_text() == winner
    share = f"{100 * shown.widget.probabilities.max():.1f} %"
    assert shown.page.locator(".nn-draw-bar[data-best] .nn-draw-share").inner_text() == share
    assert shown.page.locator(".nn-unit").count() == 12
    assert shown.page.locator(".nn-unit").first.get_attribute("title").startswith("unit 1: 0.")


def test_answers_come_while_the_hand_draws(mount):
    shown = mount(DrawDigit(small_network()))
    shown.page.mouse.move(*place(shown, 0.3, 0.3))
    shown.page.mouse.down()
    shown.until("root.dataset.winner !== ''")
    shown.page.mouse.move(*place(shown, 0.3, 0.7), steps=3)
    settle(shown, 1)
    assert shown.page.locator(".nn-verdict").get_attribute("aria-busy") == "true"
    shown.page.mouse.up()
    shown.until("root.querySelector('.nn-verdict').getAttribute('aria-busy') === 'false'")


TOUCH = """([kind, id, x, y]) => document.querySelector('.nn-paper').dispatchEvent(
  new PointerEvent(kind, { pointerId: id, pointerType: 'touch', isPrimary: id === 7, bubbles: true,
                           clientX: x, clientY: y }))"""


def test_one_finger_draws_and_others_do_not(mount):
    shown = mount(DrawDigit(small_network()))
    touch = shown.page.eval_on_selector(".nn-paper", "e => getComputedStyle(e).touchAction")
    assert touch == "none"
    events = [
        ("pointerdown", 7, 0.2, 0.2),
        ("pointerdown", 8, 0.9, 0.9),
        ("pointermove", 8, 0.8, 0.8),
        ("pointermove", 7, 0.4, 0.6),
        ("pointerup", 8, 0.8, 0.8),
        ("pointermove", 7, 1.4, 0.6),
        ("pointerup", 7, 1.4, 0.6),
    ]
    for kind, finger, x, y in events:
        shown.page.evaluate(TOUCH, [kind, finger, *place(shown, x, y)])
    settle(shown, 1, (1.0, 0.6))
    places = [(0.2, 0.2), (0.4, 0.6), (1.0, 0.6)]
    np.testing.assert_allclose(shown.widget.strokes[0], places, atol=NEAR)


def test_a_real_finger_draws_where_a_page_would_scroll(mount):
    shown = mount(DrawDigit(small_network()), width=600)
    shown.page.set_viewport_size({"width": 600, "height": 400})
    session = shown.page.context.new_cdp_session(shown.page)
    for kind, y in [
        ("touchStart", 0.7),
        ("touchMove", 0.5),
        ("touchMove", 0.3),
        ("touchEnd", None),
    ]:
        at = [] if y is None else [dict(zip("xy", place(shown, 0.4, y), strict=True))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    settle(shown, 1, (0.4, 0.3))
    np.testing.assert_allclose(shown.widget.strokes[0][0], (0.4, 0.7), atol=NEAR)
    assert shown.page.evaluate("scrollY") == 0


def test_keys_draw_and_no_notebook_hears_them(mount):
    shown = mount(DrawDigit(small_network()))
    shown.page.evaluate(
        "window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))"
    )
    shown.page.locator(".nn-paper").focus()
    for key in ["ArrowLeft", "Space", "Shift+ArrowDown", "ArrowRight", "Space", "ArrowUp", "d"]:
        shown.page.keyboard.press(key)
    settle(shown, 1, (0.5, 0.6))
    expected = [(0.48, 0.5), (0.48, 0.6), (0.5, 0.6)]
    np.testing.assert_allclose(shown.widget.strokes[0], expected, atol=1e-9)
    shown.until("root.querySelector('.nn-verdict').getAttribute('aria-busy') === 'false'")
    assert "pen up, 50 % from the left, 58 % down" in shown.page.inner_text(".nn-draw-said")
    assert shown.page.evaluate("heard") in ([], ["Shift"])


def test_undo_and_clear_take_strokes_away(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR, [(0.1, 0.1)]]))
    draw(shown, [(0.2, 0.9), (0.8, 0.9)])
    settle(shown, 3)
    clicked(shown, "Undo")
    settle(shown, 2)
    clicked(shown, "Clear")
    settle(shown, 0)
    assert shown.page.locator(".nn-verdict").inner_text() == "Draw a digit"
    assert shown.page.locator(".nn-draw-bar[data-best]").count() == 0


def test_keys_that_draw_do_not_keep_a_button_from_its_click(mount):
    shown = mount(DrawDigit(small_network()))
    shown.page.locator(".nn-paper").focus()
    for key in ["Space", "ArrowDown"]:
        shown.page.keyboard.press(key)
    settle(shown, 1)
    clicked(shown, "Clear")
    settle(shown, 0)


def test_a_digit_of_the_test_set_is_loaded_with_its_label(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    clicked(shown, "A digit from the test set")
    shown.until("root.querySelector('.nn-draw-label').textContent !== ''")
    sample = shown.widget.settings["sample"]
    label, read = load_mnist_small().test.y[sample], shown.widget.probabilities.argmax()
    said = f"It is labelled {label}; the answer is {'right' if label == read else 'wrong'}."
    assert shown.page.locator(".nn-draw-label").inner_text() == said
    clicked(shown, "Undo")  # there is no stroke to take away
    draw(shown, BAR)
    settle(shown, 1)
    assert shown.widget.settings["sample"] is None
    sent = [content["settings"] for content in shown.received if content["kind"] == "change"]
    assert [changes["strokes"] == [] for changes in sent[:2]] == [True, False]


def test_the_pen_has_a_width(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    shown.page.get_by_label("width of the pen, % of the paper", exact=True).fill("19")
    shown.until("root.dataset.generation === '2'")
    assert shown.widget.settings["pen_width"] == 0.2


INK = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  .filter((value, i) => i % 4 === 3 && value > 200).length / (canvas.width * canvas.height)"""


def test_what_python_sets_appears(mount):
    widget = DrawDigit(small_network())
    shown = mount(widget)
    image = np.zeros((28, 28))
    image[:7] = 1
    widget.image = image
    shown.until("root.dataset.generation === '2'")
    for name in (".nn-paper", ".nn-seen"):
        assert abs(shown.page.eval_on_selector(name, INK) - 0.25) < 0.01
    widget.strokes = [[(0.5, 0.5)]]
    widget.change(pen_width=0.3)
    shown.until(f"root.dataset.generation === '{widget._generation}'")
    disc = np.pi * 0.15**2  # its soft edge is a pixel of some 340
    assert abs(shown.page.eval_on_selector(".nn-paper", INK) - disc) < 0.005


def test_a_reloaded_page_has_the_drawing(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    assert shown.page.eval_on_selector(".nn-paper", INK) > 0.03
    draw(shown, [(0.2, 0.5), (0.8, 0.5)])
    settle(shown, 2)


LATER = """async (text) => {
  const widget = (await import('/widget.js')).default;
  const view = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const el = document.createElement('div');
  el.id = 'later';
  widget.render({ model: { get: () => view, on() {}, off() {}, send() {} }, el });
  document.body.append(el);
}"""


def test_a_notebook_may_attach_the_widget_after_it_is_made(mount):
    shown = mount(DrawDigit(small_network(), sample=0))
    shown.page.evaluate(LATER, base64.b64encode(shown.widget._frame).decode())
    for part in (".nn-paper", ".nn-seen"):
        shown.until(f"({INK})(document.querySelector('#later {part}')) > 0.03")


def test_units_are_read_by_keys(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    shown.page.locator(".nn-units").focus()
    for key in ["ArrowRight", "ArrowRight"]:
        shown.page.keyboard.press(key)
    said = shown.page.locator(".nn-units-said").inner_text()
    assert said == shown.page.locator(".nn-unit").nth(1).get_attribute("title")


def test_a_refused_change_is_said(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    request = {"kind": "change", "request": "a:1", "settings": {"sample": -1}}
    shown.widget._on_message(None, request, [])
    shown.until("root.querySelector('.nn-error').textContent.includes('sample must be')")


@pytest.mark.parametrize("width", [600, 1600])
def test_no_page_is_too_narrow(mount, width):
    shown = mount(DrawDigit(small_network(30, 20, 10), strokes=[BAR]), width=width)
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_clean_up_leaves_nothing(mount):
    shown = mount(DrawDigit(small_network(), strokes=[BAR]))
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0
