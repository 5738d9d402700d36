"""`CostComparison`: what it trains, how it answers, what its page shows."""

import numpy as np
import pytest
from processes import script

import nnlearn as nn
from nnlearn.widgets import CostComparison, _frames

# What a copied program's comparison c holds, put into a file.
KEEP = """
import numpy
kept = {{}}
for name, runs in c.items():
    for n, run in enumerate(runs):
        for column in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            kept[f"{{name}} {{n}} {{column}}"] = run.history[column]
        for i, parameter in enumerate([*run.network.weights, *run.network.biases]):
            kept[f"{{name}} {{n}} {{i}}"] = parameter
numpy.savez({path!r}, **kept)
"""

DONE = "root.dataset.done === 'true'"


def quick(**settings):
    """A small one: 200 images, two epochs."""
    return CostComparison(**{"n_train": 200, "epochs": 2} | settings)


def last_frame(widget):
    assert widget.wait(30)
    return _frames.unpack(widget._frame)


def random_data(n_inputs, *, n_classes=3, validation=True, **facts):
    rng = np.random.default_rng(0)
    sets = [
        (rng.random((n, n_inputs), np.float32), np.arange(n) % n_classes)
        for n in ((60, 30) if validation else (60,))
    ]
    return nn.Dataset(*sets, **facts)


# ---- what is trained ---------------------------------------------------------------------------


def test_defaults_are_the_chapters():
    w = quick()
    settings = w.settings
    assert settings["learning_rate"] == {"quadratic": 3.0, "cross-entropy": 0.5}
    assert (settings["hidden"], settings["init"], settings["batch_size"]) == ((30,), "large", 10)
    costs = {name: nets[0].cost for name, nets in w.networks.items()}
    assert costs == {"quadratic": "quadratic", "cross-entropy": "cross_entropy"}


def test_trains_as_long_as_fit_would():
    stopped = {"epochs": None, "early_stopping": nn.EarlyStopping(patience=40)}
    cut = {"epochs": None, "schedule": nn.schedules.Cosine(3)}
    w = quick(variants={"stopped": stopped, "cut": cut, "plain": {"epochs": 1}})
    assert w.wait(60)
    curves = {run["variant"]: run for run in last_frame(w)[0]["runs"]}
    assert [curves[name]["epochs"] for name in ("stopped", "cut", "plain")] == [1000, 3, 1]
    lengths = {name: len(nets[0].history) for name, nets in w.networks.items()}
    assert (lengths["cut"], lengths["plain"]) == (3, 1)
    assert 40 < lengths["stopped"] < 1000


def test_trains_as_compare_does():
    w = quick(seeds=2, l2=0.5, dropout=0.2)
    assert w.wait(30)
    data = nn.datasets.load_mnist_small().take(200)
    variants = {"cross-entropy": {"cost": "cross_entropy", "learning_rate": 0.5}}
    c = nn.compare(
        variants, data, hidden=(30,), init="large", epochs=2, seeds=2, l2=0.5, dropout=0.2
    )
    for run, net in zip(c["cross-entropy"], w.networks["cross-entropy"], strict=True):
        np.testing.assert_array_equal(run.network.weights[0], net.weights[0])


def test_curves_hold_the_errors_and_every_cost_of_every_network():
    w = quick(variants=["quadratic", "log-likelihood"])
    header, arrays = last_frame(w)
    assert header["costs"] == ["quadratic", "log_likelihood"]
    quadratic = dict(zip(header["columns"], arrays[0][-1], strict=True))
    net, val = w.networks["quadratic"][0], nn.datasets.load_mnist_small().validation
    assert quadratic["val_error"] == pytest.approx(1 - net.accuracy(val), abs=1e-6)
    assert quadratic["val_quadratic"] == pytest.approx(net.loss(val), rel=1e-6)
    right = net.predict_proba(val.x)[np.arange(len(val)), val.y]
    # float32 outputs; their logarithms differ in the last digits
    assert quadratic["val_log_likelihood"] == pytest.approx(-np.log(right).mean(), rel=1e-4)
    softmax = dict(zip(header["columns"], arrays[1][-1], strict=True))
    other = w.networks["log-likelihood"][0]
    assert softmax["val_quadratic"] == pytest.approx(other.loss(val, cost="quadratic"), rel=1e-6)


def test_first_row_is_the_network_before_training():
    w = quick(epochs=0)
    header, arrays = last_frame(w)
    net, val = w.networks["quadratic"][0], nn.datasets.load_mnist_small().validation
    assert arrays[0].shape == (1, len(header["columns"]))
    assert arrays[0][0, 1] == pytest.approx(1 - net.accuracy(val), abs=1e-6)


def test_images_show_the_weights_or_their_change():
    _, arrays = last_frame(quick(pictures="weights", epochs=0))
    assert np.abs(arrays[2]).max() == 127
    _, arrays = last_frame(quick(pictures="change", epochs=0))
    assert np.abs(arrays[2]).max() == 0


@pytest.mark.parametrize(
    "data",
    [
        random_data(2),
        random_data(2, validation=False),
        random_data(4, n_classes=1),
        random_data(3072, image_shape=(3, 32, 32)),
        nn.datasets.load_mnist_small(dtype="uint8").take(100),
    ],
    ids=["two inputs", "no validation", "one class", "3072 inputs", "uint8"],
)
def test_data_of_other_shapes(data):
    w = CostComparison(data, epochs=2)
    header, arrays = last_frame(w)
    assert [run["state"] for run in header["runs"]] == ["done", "done"]
    assert np.isfinite(arrays[0][:, 0]).all()
    assert np.isnan(arrays[0][:, 1]).all() == (data.validation is None)


def test_divergence_ends_the_curve_and_says_at_which_rate(mount):
    linear = {"cost": "hinge", "activation": "linear", "learning_rate": 1e25}
    w = quick(variants={"linear": linear})
    header, arrays = last_frame(w)
    assert header["runs"][0]["state"] == "diverged"
    assert len(arrays[0]) < 3
    shown = mount(w)
    note = shown.page.locator(".nn-main-chart .nn-note").inner_text()
    assert "linear" in note
    assert "1.00e+25" in note or "1e+25" in note
    w.change(learning_rate=1e-3)
    header, arrays = last_frame(w)
    assert (header["runs"][0]["state"], len(arrays[0])) == ("done", 3)


COPIED = {
    "defaults": {},
    "changed": {
        "variants": {
            "tanh, momentum": {"cost": "quadratic", "activation": "tanh", "momentum": 0.5},
            "softmax": {"cost": "log_likelihood", "learning_rate": 0.3},
        },
        "hidden": [20, 15],
        "dropout": 0.2,
        "l2": 0.5,
        "seeds": [3, 1],
        "n_train": 300,
        "epochs": 4,
    },
}


@pytest.mark.parametrize("settings", COPIED.values(), ids=COPIED)
def test_code_that_is_copied_gives_the_same_bits(settings, tmp_path):
    w = CostComparison()
    w.settings = settings  # as the page does
    assert w.wait(60)
    told = tmp_path / "told.npz"
    script(f"{w.to_python().replace('c.plot()', '')}{KEEP.format(path=str(told))}")
    with np.load(told) as copied:
        taken = 0
        for name, histories in w.history.items():
            for n, history in enumerate(histories):
                for column in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
                    np.testing.assert_array_equal(copied[f"{name} {n} {column}"], history[column])
                net = w.networks[name][n]
                for i, parameter in enumerate([*net.weights, *net.biases]):
                    np.testing.assert_array_equal(copied[f"{name} {n} {i}"], parameter)
                    taken += 1
    assert taken > 2


# ---- what is refused ---------------------------------------------------------------------------

REFUSED = [
    ({"learning_rate": -1}, "learning_rate of 'quadratic' must be a finite number > 0, got -1"),
    ({"learning_rate": {"cubic": 1}}, "learning_rate must be one of 'quadratic', 'cross-entropy'"),
    ({"learning_rte": 1}, "got 'learning_rte': did you mean 'learning_rate'?"),
    ({"n_train": 0}, "n_train must be an integer from 1 to 5000, got 0"),
    ({"epochs": -1}, "epochs must be an integer from 0 to 1000000, got -1"),
    ({"epochs": None}, "epochs must be an integer from 0 to 1000000, got None"),
    ({"epochs": 10**9}, "epochs must be an integer from 0 to 1000000, got 1000000000"),
    ({"variants": {"a": {"epochs": 10**9}}}, "epochs must be an integer from 0 to 1000000"),
    ({"seeds": 101}, "the number of seeds must be an integer from 1 to 100, got 101"),
    ({"variants": {"a": {"cost": ["x"]}}}, "cost must be one of"),
    ({"hidden": "30"}, "hidden must be an integer >= 1, got '30'"),
    ({"hidden": [0]}, "must be an integer >= 1"),
    ({"l2": float("nan")}, "l2 must be a finite number >= 0, got nan"),
    ({"momentum": 1}, "momentum must be"),
    ({"activation": "cubic"}, "activation must be one of"),
    ({"seeds": 0}, "seeds must be an integer >= 1, got 0"),
    ({"variants": {}}, "variants must be a mapping of names to settings"),
    ({"variants": ["cubic"]}, "variants must be one of"),
    ({"variants": {"a": {"cost": "cubic"}}}, "cost must be one of"),
    ({"pictures": "all"}, "pictures must be one of 'change', 'weights', got 'all'"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_a_wrong_setting_is_a_value_error_and_changes_nothing(changes, message):
    w = quick()
    before, frame, generation = w.settings, last_frame(w)[0]["generation"], w._generation
    with pytest.raises(ValueError, match=r"must|got") as caught:
        w.settings = changes
    assert message in str(caught.value)
    assert w.settings == before
    assert (w._generation, last_frame(w)[0]["generation"]) == (generation, frame)


def test_regression_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"data must have integer labels \(n,\) for y"):
        CostComparison(nn.Dataset((rng.random((9, 2)), rng.random(9))))


# ---- the page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_opens_trained(mount, theme, width):
    shown = mount(CostComparison(), theme=theme, width=width)
    shown.until(DONE)
    ends = shown.page.locator(".nn-main-chart .nn-ends text")
    assert sorted(text.split()[0] for text in ends.all_text_contents()) == [
        "cross-entropy",
        "quadratic",
    ]
    assert shown.page.locator(".nn-chart").count() == 3
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.page.locator(".nn-widget").get_attribute("data-theme") == theme
    shown.screenshot(f"cost_comparison_{theme}_{width}")


def test_a_moved_slider_trains_anew_from_the_same_seed(mount):
    shown = mount(quick())
    other = last_frame(shown.widget)[1][1]
    shown.page.get_by_label("learning rate, quadratic", exact=True).fill("60")
    shown.until("root.dataset.generation === '2' && " + DONE)
    assert shown.widget.settings["learning_rate"]["quadratic"] == 0.32
    np.testing.assert_array_equal(last_frame(shown.widget)[1][1], other)


def test_keys_move_a_slider(mount):
    shown = mount(quick())
    shown.page.get_by_label("hidden units", exact=True).focus()
    shown.page.keyboard.press("ArrowRight")
    shown.until("root.dataset.generation === '2' && " + DONE)
    assert tuple(shown.widget.settings["hidden"]) == (40,)


def test_while_a_run_is_slow_the_latest_place_of_the_slider_wins(mount):
    shown = mount(quick(epochs=1))
    shown.widget.change(epochs=100_000)
    slider = shown.page.get_by_label("learning rate, quadratic", exact=True)
    for place in (30, 40, 50, 60):
        slider.fill(str(place))
    shown.until("Number(root.dataset.generation) >= 4")
    slider.fill("70")
    shown.widget.change(epochs=1, l2=5.0)  # from Python, before the page has been answered
    shown.until(DONE)
    shown.until("root.dataset.pending === 'false'")
    assert shown.widget.settings["learning_rate"]["quadratic"] in (0.32, 0.83)  # places 60, 70
    shown.until("root.querySelector('[aria-label=\"l2, exact\"]').value === '5'")


def test_settings_from_python_move_the_controls(mount):
    shown = mount(quick())
    shown.widget.change(l2=5.0, learning_rate={"quadratic": 1.5})
    shown.until("root.dataset.generation === '2' && " + DONE)
    assert shown.page.get_by_label("l2, exact", exact=True).input_value() == "5"
    rate = shown.page.get_by_label("learning rate, quadratic, exact", exact=True)
    assert rate.input_value() == "1.5"


def test_a_refused_change_is_said_and_the_control_goes_back(mount):
    shown = mount(quick())
    box = shown.page.get_by_label("learning rate, quadratic, exact", exact=True)
    box.fill("-3")
    box.press("Tab")
    shown.until("root.querySelector('.nn-error').textContent.includes('got -3')")
    assert box.input_value() == "3"


def test_a_refusal_stays_while_a_run_goes_on(mount):
    shown = mount(quick())
    shown.widget.change(epochs=100_000)
    box = shown.page.get_by_label("learning rate, quadratic, exact", exact=True)
    box.fill("-3")
    box.press("Tab")
    shown.until("root.querySelector('.nn-error').textContent.includes('got -3')")
    points = "Number(root.querySelector('.nn-plot').dataset.points)"
    many = shown.page.evaluate(f"(root => {points})(document.querySelector('.nn-widget'))") + 5
    shown.until(f"{points} > {many}")
    assert "got -3" in shown.page.locator(".nn-error").inner_text()


def test_a_run_that_breaks_before_there_is_a_page_is_told_there(mount):
    def broken(net, history):
        raise RuntimeError("broken callback")

    w = quick(variants={"a": {"callbacks": [broken]}})
    with pytest.raises(RuntimeError, match="broken callback"):
        w.wait(30)
    shown = mount(w)
    shown.until("root.querySelector('.nn-error').textContent.includes('broken callback')")


@pytest.mark.parametrize("hidden", [20, np.int64(20), [20], np.array([20])])
def test_hidden_layers_are_told_in_one_way(mount, hidden):
    w = quick(hidden=hidden)
    assert w.settings["hidden"] == (20,)
    shown = mount(w)
    assert shown.page.get_by_label("hidden layers").input_value() == "20"


def test_one_rate_for_all(mount):
    shown = mount(quick())
    shown.page.get_by_text("More settings").click()
    shown.page.get_by_label("one learning rate for all").check()
    shown.until("root.dataset.generation === '2' && " + DONE)
    assert shown.widget.settings["learning_rate"] == {"quadratic": 3.0, "cross-entropy": 3.0}


def test_variants_are_chosen_in_the_drawer(mount):
    shown = mount(quick())
    shown.page.get_by_text("More settings").click()
    shown.page.get_by_label("log-likelihood").check()
    shown.until("root.dataset.generation === '2' && " + DONE)
    assert list(shown.widget.settings["variants"])[-1] == "log-likelihood"
    assert shown.page.locator(".nn-chart").count() == 4


def test_pinned_curves_stay_as_ghosts(mount):
    shown = mount(quick())
    assert shown.page.locator(".nn-ghost").count() == 0
    shown.page.get_by_role("button", name="Pin").click()
    shown.until("root.querySelectorAll('.nn-main-chart .nn-ghost').length === 4")
    shown.page.get_by_role("button", name="Unpin").click()
    shown.until("root.querySelectorAll('.nn-ghost').length === 0")


def test_mean_and_band_are_over_the_seeds_that_have_come(mount):
    w = quick(seeds=2)
    header, arrays = last_frame(w)
    shown = mount(w)
    shown.until(DONE)
    val = header["columns"].index("val_error")
    arrays = [array.copy() for array in arrays]
    runs = [i for i, run in enumerate(header["runs"]) if run["variant"] == "quadratic"]
    arrays[runs[0]][:, val] = (0.8, 0.4, 0.2)
    arrays[runs[1]] = arrays[runs[1]][:2]  # the second seed is an epoch behind
    arrays[runs[1]][:, val] = (0.6, 0.2)
    frame = _frames.pack({**header, "generation": 2, "done": False}, arrays)
    w.send({"kind": "frame"}, [frame])
    shown.until("root.dataset.generation === '2'")
    assert shown.page.locator(".nn-main-chart .nn-band").count() == 2
    assert "quadratic 20 %" in shown.page.locator(".nn-main-chart .nn-ends").text_content()
    shown.page.locator(".nn-main-chart").focus()
    for key in ("End", "ArrowLeft"):
        shown.page.keyboard.press(key)
    said = shown.page.locator(".nn-main-chart .nn-readout").inner_text()
    assert said.startswith("epoch 1:")
    assert "quadratic, validation 30 %" in said


def test_a_run_under_way_can_be_pinned():
    w = quick()
    w.change(epochs=1_000_000)
    while len(w.history["quadratic"][0]) <= 2:  # of the run before
        pass
    w.pin()
    header, arrays = _frames.unpack(w._pinned)
    w.close()
    assert header["settings"]["epochs"] == 1_000_000
    assert len(arrays[0]) > 1


def test_arrow_keys_read_a_chart(mount):
    shown = mount(quick())
    shown.page.locator(".nn-main-chart").focus()
    shown.page.keyboard.press("End")
    readout = shown.page.locator(".nn-main-chart .nn-readout").inner_text()
    assert readout.startswith("epoch 2: quadratic")


def test_a_guess_comes_before_the_truth(mount):
    shown = mount(quick(predict=True))
    assert shown.page.locator(".nn-curve").count() == 0
    plot = shown.page.locator(".nn-main-chart .nn-plot").bounding_box()
    for button in ("Next", "Train"):
        shown.page.mouse.move(plot["x"] + 60, plot["y"] + 40)
        shown.page.mouse.down()
        shown.page.mouse.move(plot["x"] + 400, plot["y"] + 160, steps=8)
        shown.page.mouse.up()
        shown.page.get_by_role("button", name=button, exact=True).click()
    shown.until("root.dataset.generation === '2' && " + DONE)  # trained now
    assert shown.page.locator(".nn-main-chart .nn-curve").count() == 4
    assert shown.page.locator(".nn-guess path").count() == 2


def test_code_can_be_copied(mount):
    shown = mount(quick())
    shown.page.get_by_role("button", name="Copy as Python").click()
    shown.until("!root.querySelector('.nn-code').hidden")  # a page without a clipboard
    assert shown.page.locator(".nn-code").inner_text().strip() == shown.widget.to_python().strip()


def test_cleaning_up_leaves_no_listener_and_stops_the_training(mount):
    w = quick()
    shown = mount(w)
    w.change(epochs=1_000_000)
    shown.page.evaluate("cleanUp()")
    assert shown.page.evaluate("listening()") == 0
    shown.pump()
    assert w.wait(10)
    assert len(w.history["quadratic"][0]) < 1_000_000


def test_an_older_run_s_late_frame_is_dropped(mount):
    shown = mount(quick())
    old = shown.widget._frame
    shown.widget.change(epochs=3)
    shown.until("root.dataset.generation === '2' && " + DONE)
    shown.widget.send({"kind": "frame"}, [old])
    shown.pump()
    assert shown.page.locator(".nn-widget").get_attribute("data-generation") == "2"


# ---- a file of its own -------------------------------------------------------------------------


def test_a_file_works_without_a_kernel(browser, tmp_path):
    w = quick()
    path = tmp_path / "costs.html"
    w.to_html(path, learning_rates=[0.5, 3.0, 10.0], seeds=2)
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(path.as_uri())
    page.wait_for_selector(".nn-widget[data-done=true]")
    end = page.locator(".nn-main-chart .nn-ends text").first
    before = end.text_content()
    page.get_by_label("learning rate, quadratic", exact=True).fill("2")
    page.locator(".nn-widget[data-generation='2']").wait_for()
    assert page.get_by_label("learning rate, quadratic, exact").input_value() == "10"
    assert end.text_content() != before
    net = nn.Network([784, 30, 10], cost="quadratic", init="large", seed=0)
    digits = nn.datasets.load_mnist_small().take(200)
    net.fit(digits.train, epochs=2, learning_rate=10.0)
    page.get_by_label("seeds", exact=True).fill("0")
    page.locator(".nn-widget[data-generation='3']").wait_for()
    error = 100 * (1 - net.accuracy(digits.validation))
    text = page.locator(".nn-main-chart .nn-ends").text_content()
    assert f"quadratic {error:.3g} %" in text
    assert errors == []
    page.close()


def test_a_file_has_the_present_rates_too(browser, tmp_path):
    w = quick(learning_rate={"quadratic": 0.3})
    path = tmp_path / "costs.html"
    w.to_html(path, learning_rates=[0.01], seeds=1)
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(".nn-widget[data-done=true]")
    error = 100 * (1 - w.history["quadratic"][0]["val_accuracy"][-1])
    ends = page.locator(".nn-main-chart .nn-ends").text_content()
    page.close()
    assert f"quadratic {error:.3g} %" in ends


def test_code_of_settings_that_cannot_be_written_down_says_so():
    w = quick(variants={"a": {"l2": np.float64(0.5), "callbacks": [print]}}, l1=np.float64(0.25))
    code = w.to_python()
    compile(code, "copied", "exec")
    assert "l2=0.5" in code
    assert "l1=0.25" in code
    assert "# left out: callbacks of 'a'" in code
    w.close()


@pytest.mark.parametrize(("rates", "seeds"), [([], 1), ([0.0], 1), ([1.0], 0)])
def test_a_wrong_grid_writes_nothing(tmp_path, rates, seeds):
    path = tmp_path / "costs.html"
    with pytest.raises(ValueError, match="must"):
        quick().to_html(path, learning_rates=rates, seeds=seeds)
    assert not path.exists()
