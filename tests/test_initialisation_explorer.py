"""`InitialisationExplorer`: its numbers, its settings, what its page shows."""

import math

import numpy as np
import pytest

from nnlearn import Dataset
from nnlearn.widgets import InitialisationExplorer, _frames

SMALL = {"width": 10, "depth": 2, "samples": 5, "seeds": 2}


def made(**settings):
    widget = InitialisationExplorer(**{**SMALL, **settings})
    assert widget.wait(10)
    return widget


def inspections(widget):
    inputs = widget._inputs(widget._current)
    return [net.inspect(inputs) for net in widget.networks]


def changed(widget, **settings):
    widget.change(**settings)
    assert widget.wait(10)
    return widget


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", ["digits", "normal", "book"])
def test_histograms_count_what_the_networks_hold(inputs):
    widget = made(inputs=inputs)
    inside = inspections(widget)
    for layer in range(3):
        z = np.concatenate([one.z[layer].ravel() for one in inside])
        a = np.concatenate([one.a[layer + 1].ravel() for one in inside])
        delta = np.abs(np.concatenate([one.delta[layer].ravel() for one in inside]))
        for name, values in (("z", z), ("a", a)):
            histogram = widget.histograms[name][layer]
            inner = [
                np.sum((values >= low) & (values < high))
                for low, high in zip(histogram.edges[:-2], histogram.edges[1:-1], strict=True)
            ]
            assert histogram.counts[:-1].tolist() == inner
            assert histogram.counts.sum() == values.size
        histogram = widget.histograms["delta"][layer]
        assert histogram.counts.sum() + histogram.outside == delta.size
        smallest = histogram.edges[0] * (1 + 1e-6)  # a float32 beside its logarithm
        assert np.sum(delta < histogram.edges[0]) <= histogram.outside <= np.sum(delta < smallest)
        assert widget.mean_delta[layer] == pytest.approx(delta.mean(dtype=float))
        shares = [one.saturated[layer].mean() for one in inside]
        assert widget.saturated[layer] == pytest.approx(np.mean(shares))


@pytest.mark.parametrize(("init", "sd"), [("large", math.sqrt(501)), ("scaled", math.sqrt(1.5))])
def test_first_layer_of_the_books_example_has_the_theorys_spread(init, sd):
    widget = made(inputs="book", init=init, width=100, depth=1, samples=1, seeds=20)
    z = np.concatenate([one.z[0].ravel() for one in inspections(widget)])
    assert z.std() == pytest.approx(sd, rel=5 / math.sqrt(2 * z.size))  # five standard errors
    _, arrays = _frames.unpack(widget._frame)
    at, expected = arrays[-1].astype(float)
    assert expected.argmax() == at.size // 2
    half = at[expected >= expected.max() / 2]
    step = at[1] - at[0]
    assert half[-1] - half[0] == pytest.approx(2.3548 * sd, abs=2 * step)  # width at half height
    # Both are counts: the curve, one bin wide, sums to the values.
    bins = widget.histograms["z"][0].edges
    assert expected.sum() * step / (bins[1] - bins[0]) == pytest.approx(z.size, rel=0.01)


def test_every_network_has_a_seed_of_its_own():
    assert [net.seed for net in made(seeds=3).networks] == [0, 1, 2]


def test_enough_networks_are_drawn_for_few_units():
    narrow, wide = (InitialisationExplorer(width=n, depth=1, samples=1) for n in (10, 500))
    assert narrow.wait(10)
    assert wide.wait(10)
    assert (len(narrow.networks), len(wide.networks)) == (64, 6)


def test_zeros_stay_in_the_middle_bin_and_no_gradient_arrives():
    widget = made(init="zeros")
    middle = widget.histograms["z"][0].counts
    assert middle[len(middle) // 2] == middle.sum() == 100
    assert widget.mean_delta[:2] == (0.0, 0.0)
    assert widget.histograms["delta"][0].outside == 100
    header, _ = _frames.unpack(widget._frame)
    assert header["words"][1] == "No gradient arrives in layer 1: mean |δ| is 0 there."


def test_words_tell_of_saturation_and_of_the_gradient():
    words = made(init="large", inputs="book", width=100, seeds=5)._picture.words()
    assert words[0].startswith("84 % of the first layer's units are saturated")
    vanishing = made(depth=6, init="scaled", seeds=5)._picture.words()[1]
    assert vanishing.startswith("From layer 6 back to layer 1 mean |δ| falls to 1/")
    exploding = made(depth=6, init="large", activation="relu", seeds=5)._picture.words()[1]
    assert exploding.endswith("-fold: the gradient explodes.")


def test_the_smallest_numbers_of_float32_have_histograms():
    widget = made(init=1e-9, depth=6, activation="tanh", width=1, samples=1, seeds=1)
    assert [one.counts.sum() for one in widget.histograms["z"]] == [1] * 6 + [10]


def test_layers_share_the_axis_of_z_unless_it_hides_one():
    def ends(widget):
        return {one.edges[-1] for one in widget.histograms["z"]}

    assert len(ends(made())) == 1
    assert len(ends(made(one_axis=False, inputs="book"))) > 1
    assert len(ends(made(activation="linear", depth=4, width=100))) > 1


# ---- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be an integer from 1 to 500, got 0"),
        ({"width": 3.5}, "width must be an integer from 1 to 500, got 3.5"),
        ({"depth": 7}, "depth must be an integer from 1 to 6, got 7"),
        ({"init": "larger"}, "init must be one of "),
        ({"init": float("nan")}, "init must be a finite number >= 0, got nan"),
        ({"init": 101}, "init must be at most 100 as a number, got 101"),
        ({"activation": "softmax"}, "activation must be one of "),
        ({"inputs": "data"}, "inputs must be one of 'digits', 'normal', 'book', got 'data'"),
        ({"samples": 5001}, "samples must be an integer from 1 to 5000, got 5001"),
        ({"seeds": 0}, "seeds must be an integer >= 1, got 0"),
        ({"seeds": 10**6}, "seeds must be such that .* <= 2,000,000, got 1000000: the product is"),
        ({"samples": 5000, "width": 500}, "width must be such that .*, got 500: the product is"),
        ({"one_axis": 1}, "one_axis must be True or False, got 1"),
        ({"widht": 3}, "settings must be those of the widget, got 'widht': did you mean 'width'"),
    ],
)
def test_a_wrong_setting_changes_nothing(wrong, message):
    widget = made()
    before = widget.settings
    with pytest.raises(ValueError, match="^" + message.replace("(", "\\(")):
        widget.change(**wrong)
    assert widget.settings == before
    assert widget._generation == 1


def test_data_of_ones_own():
    rng = np.random.default_rng(0)
    three = made(data=Dataset((rng.random((6, 3, 32, 32)).astype("f4"), [0, 1, 2, 0, 1, 2])))
    assert three.settings["inputs"] == "data"
    assert [net.n_inputs for net in three.networks] == [3072, 3072]
    assert three.networks[0].n_outputs == 3
    one_class = made(data=Dataset((np.eye(5, dtype="f4"), np.zeros(5, int))))
    assert one_class.networks[0].n_outputs == 2
    pixels = np.arange(10, dtype=np.uint8).reshape(5, 2)
    bytes_ = made(data=Dataset((pixels, [0, 1, 0, 1, 0])))
    assert bytes_.formula.endswith("|x|² is 0.000877 on average")  # 57 / 255^2
    with pytest.raises(ValueError, match=r"data must have integer labels \(n,\) for y, got"):
        InitialisationExplorer(Dataset((np.eye(3), np.eye(3))))
    with pytest.raises(ValueError, match="data must be a Dataset, got"):
        InitialisationExplorer(np.eye(3))


def test_the_latest_setting_wins(monkeypatch):
    widget = made()
    drawn = []
    network = widget._network
    monkeypatch.setattr(
        widget,
        "_network",
        lambda settings, *rest: drawn.append(settings) or network(settings, *rest),
    )
    widget.change(width=500, depth=6, seeds=60)
    widget.change(width=3, depth=1, seeds=2)
    assert widget.wait(10)
    assert sum(settings.width == 500 for settings in drawn) < 60  # ended on the way
    header, _ = _frames.unpack(widget._frame)
    assert (header["generation"], header["done"], header["settings"]["width"]) == (3, True, 3)
    assert [net.weights[0].shape for net in widget.networks] == [(784, 3)] * 2


# ---- page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_has_a_row_of_histograms_for_each_layer(mount, theme):
    shown = mount(made(inputs="book"), theme=theme, width=600)
    shown.until("root.dataset.done === 'true'")
    page = shown.page
    assert page.locator(".nn-start-histogram").count() == 9
    assert page.locator(".nn-start-theory").count() == 2  # in the legend, over layer 1
    assert "N(0, 501)" in page.locator(".nn-start-formula").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".nn-widget").get_attribute("data-theme") == theme


def test_drag_and_keys_draw_new_networks(mount):
    shown = mount(made())
    slider = shown.page.get_by_label("hidden layers", exact=True)
    slider.focus()
    slider.press("ArrowRight")
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    assert shown.widget.settings["depth"] == 3
    assert shown.page.locator(".nn-start-layer").count() == 4
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + box["width"] * 0.5, y)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"] - 2, y, steps=4)
    shown.page.mouse.up()
    shown.until("root.querySelectorAll('.nn-start-layer').length === 7")
    assert shown.widget.settings["depth"] == 6


def test_a_number_as_initialisation_has_a_slider(mount):
    shown = mount(made())
    page = shown.page
    number = page.get_by_label("s", exact=True)
    assert not number.is_visible()
    page.get_by_label("initialisation", exact=True).select_option("number")
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    assert shown.widget.settings["init"] == 0.1
    page.get_by_label("s, exact", exact=True).fill("0.5")
    number.press("Tab")
    shown.until("root.dataset.generation === '3' && root.dataset.done === 'true'")
    assert shown.widget.settings["init"] == 0.5


def test_bars_show_the_kernels_shares(mount):
    widget = made(inputs="book", width=50)
    shown = mount(widget)
    told = shown.page.locator(".nn-start-bars").first.get_attribute("aria-label")
    assert f"layer 1 {float(f'{100 * widget.saturated[0]:.2g}'):g} %" in told


def test_refused_setting_is_told(mount):
    shown = mount(made())
    shown.widget._on_message(
        None, {"kind": "change", "settings": {"depth": 9}, "request": "a:1"}, []
    )
    shown.until("root.querySelector('.nn-error').textContent.startsWith('depth must be')")


def test_clean_up_leaves_no_listener(mount):
    shown = mount(made())
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    assert shown.page.locator(".nn-widget").count() == 0


def test_file_works_without_a_kernel(tmp_path, browser):
    widget = made(seeds=1, samples=2)
    path = tmp_path / "start.html"
    widget.to_html(path, widths=[10], depths=[4])
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("[data-done=true]")
    page.get_by_label("initialisation", exact=True).select_option("scaled")
    page.get_by_label("activation", exact=True).select_option("tanh")
    page.get_by_label("hidden layers", exact=True).press("End")
    page.locator(".nn-start-layer").nth(4).wait_for()
    page.locator("[data-pending=false]").wait_for()
    told = page.locator(".nn-start-bars").last.get_attribute("aria-label")
    page.close()
    assert errors == []
    changed(widget, depth=4, init="scaled", activation="tanh")
    assert f"layer 1 {float(f'{widget.mean_delta[0]:.2g}'):g}," in told
