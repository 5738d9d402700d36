"""The shape of experiments: quotes and their rule, claims, pictures, sections, the catalogue."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest

import nnlearn as nn
from nnlearn import experiments
from nnlearn.experiments import Claim, Measured, Picture, Quote, Result, _nearest, coming_from
from nnlearn.experiments import _lab as lab
from nnlearn.experiments._pictures import _INK
from nnlearn.experiments._quotes import best_of
from nnlearn.experiments._section import Section
from nnlearn.tables import Table

FIVE = (95.0, 95.2, 95.4, 95.6, 95.8)  # mean 95.4, sd 0.3162


def quote(value, kind="last", **rest):
    return Quote(value, "a book", "test accuracy", kind, **rest)


def judged(value, kind="last", values=FIVE, shortened="", **rest):
    return Measured("it", values, quote=quote(value, kind, **rest)).judge(shortened)


# ---- quoted numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rounding"), [("95.4", 0.05), ("95", 0.5), ("95.40", 0.005), ("8.6e-5", 0.05e-5)]
)
def test_the_digits_of_a_quoted_number_say_how_it_was_rounded(value, rounding):
    assert quote(value).rounding == pytest.approx(rounding)


@pytest.mark.parametrize("kind", ["last", "best"])
def test_a_number_agrees_within_what_one_more_run_would_do(kind):
    slack = 2 * np.std(FIVE, ddof=1) * math.sqrt(1 + 1 / 5) + 0.005  # 0.6978
    assert judged(f"{95.4 + slack - 0.01:.2f}", kind).word == "agrees"
    assert judged(f"{95.4 - slack + 0.01:.2f}", kind).word == "agrees"
    assert judged(f"{95.4 + slack + 0.01:.2f}", kind).word == "differs"
    assert judged(f"{95.4 - slack - 0.01:.2f}", kind).word == "differs"


def test_the_best_of_three_is_compared_with_the_best_of_three_drawn():
    mean, sd = best_of(FIVE, 3)
    slack = 2 * sd * math.sqrt(1 + 1 / 5)
    assert judged(f"{mean + slack - 0.01:.2f}", "best of three").word == "agrees"
    assert judged(f"{mean + slack + 0.02:.2f}", "best of three").word == "differs"
    assert judged(f"{mean - slack - 0.02:.2f}", "best of three").word == "differs"
    assert "best of three 95.6" in judged("95.6", "best of three").text


def test_the_best_of_draws_is_what_drawing_gives():
    rng = np.random.default_rng(0)
    draws = rng.choice(FIVE, (200_000, 3)).max(axis=1)
    mean, sd = best_of(FIVE, 3)
    assert mean == pytest.approx(draws.mean(), abs=0.003)
    assert sd == pytest.approx(draws.std(), abs=0.003)
    low, _ = best_of(FIVE, 3, lowest=True)
    assert low == pytest.approx(2 * 95.4 - mean)  # FIVE is symmetric about its mean


def test_what_has_no_chance_in_it_agrees_to_the_last_printed_digit():
    assert judged("0.82", "exact", (0.8176,)).word == "agrees"
    assert judged("0.83", "exact", (0.8176,)).word == "differs"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"values": (95.0,)}, "one run has no spread"),
        ({"values": (math.nan, math.nan)}, "every run diverged"),
        ({"why_not": "another set"}, "another set"),
        ({"shortened": "a quick run"}, "a quick run"),
    ],
)
def test_what_cannot_be_compared_says_why(settings, reason):
    judgement = judged("95.4", **settings)
    assert (judgement.word, judgement.text) == ("not comparable", reason)


def test_what_is_no_matter_of_digits_is_compared_in_a_quick_run_too():
    assert judged("95.4", of_data=False, shortened="a quick run").word == "agrees"


def test_a_difference_is_explained_where_there_is_one():
    assert judged("97", if_it_differs="it was luck").text.endswith("1.600 away: it was luck")
    assert "luck" not in judged("95.4", if_it_differs="it was luck").text


def test_a_seed_that_diverged_is_counted_and_left_out_of_the_mean():
    row = Measured("it", (95.0, math.nan, 96.0), quote=quote("95.5"))
    assert (row.diverged, row.mean, row.median) == (1, 95.5, 95.5)
    assert row.judge().word == "agrees"
    table = Result({}, (row,)).table()
    assert (table["seeds"], table["diverged"]) == ([3], [1])


def test_an_unknown_kind_and_a_value_that_is_no_number_are_refused():
    with pytest.raises(ValueError, match="kind must be one of last, best"):
        quote("95", "first")
    with pytest.raises(ValueError, match="value must be a number as printed, got 'about 95'"):
        quote("about 95")


# ---- claims --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ((1.0, 1.2, 0.9), "holds"),
        ((-1.0, -1.2, -0.9), "the opposite holds"),
        ((1.0, -1.2, 0.9), "not shown"),
        ((5.0, 5.0, 1.8), "not shown"),  # t = 3.69; 4.30 are needed
        ((5.0, 5.0, 2.2), "holds"),  # t = 4.36
        ((1.0, 2.0, 3.0, 0.1, 0.2), "not shown"),  # t = 2.27 of 2.78
        ((1.0, 2.0, 3.0, 1.0, 0.2), "holds"),  # t = 3.03
        ((0.1, 0.2), "not shown"),
        ((0.17, 0.2), "not shown"),  # t = 12.3 of 12.7
        ((0.18, 0.2), "holds"),
        ((0.1, -0.2), "not shown"),
        ((0.1, 0.1), "holds"),
        ((0.0, 0.0), "not shown"),
        ((-0.1,), "not shown"),
        ((math.nan,), "not shown"),
        ((1.0, math.nan, 1.1), "holds"),
        ((1.0, 1.1, 1.2, math.nan, math.nan, math.nan, math.nan), "not shown"),
    ],
)
def test_a_claim_holds_by_students_t(differences, word):
    assert Claim("it is more", differences).word == word


def test_a_claim_of_one_value_needs_an_error_or_no_chance():
    assert Claim("it is more", (0.3,)).word == "not shown"
    assert Claim("it is more", (0.3,)).evidence.endswith("no measure of chance")
    assert Claim("it is more", (0.0, 0.0)).evidence == "no difference at all"
    assert Claim("it is more", (0.3,), error=0.3 / 1.97).word == "holds"
    assert Claim("it is more", (0.3,), error=0.3 / 1.95).word == "not shown"
    assert Claim("it is more", (0.3,), chance=False).word == "holds"
    assert Claim("it is more", (-0.3,), chance=False).word == "the opposite holds"
    assert Claim("it is more", (-0.3,), chance=False).evidence == "the other way by 0.30"


def test_the_evidence_of_a_claim_counts_the_seeds():
    claim = Claim("it is more", (1.0, 2.0, math.nan), "points")
    assert claim.evidence == (
        "by 1.50 points on average (sd 0.71), it is so with 2 of 3 seeds; 1 without a value"
    )


def test_the_verdict_names_what_is_not_so():
    rows = (
        Measured("first", FIVE, quote=quote("95.4")),
        Measured("second", FIVE, quote=quote("99")),
        Measured("third", FIVE, quote=quote("99", why_not="other data")),
    )
    claims = (Claim("more is better", (1.0, 1.1)), Claim("less is better", (-1.0, -1.1)))
    text = Result({}, rows, claims).verdict
    assert text.startswith("1 of 2 quoted numbers agrees; the other: second (mean 95.400")
    assert "1 quoted number cannot be compared: other data." in text
    opposite = "less is better (the opposite holds: the other way by 1.05 on average"
    assert f"1 of 2 claims holds; the other: {opposite}" in text
    alone = Result({}, (), claims[1:]).verdict
    assert alone.startswith(f"0 of 1 claim holds: {opposite}")
    three = Result({}, (), (claims[0], claims[1], claims[1])).verdict
    assert three.startswith("1 of 3 claims holds; the others: less is better (")


def test_replayed_numbers_are_counted_apart():
    rows = (
        Measured("first", (1.0,), quote=quote("1.0", "exact")),
        Measured("second", (1.0,), quote=quote("1.0", "exact", replay=True)),
        Measured("third", (1.0,), quote=quote("2.0", "exact", replay=True)),
        Measured("fourth", (1.0,), quote=quote("1.0", "exact", replay=True, why_not="no")),
    )
    assert Result({}, rows).verdict == (
        "1 of 1 quoted number agrees. 1 of 2 replayed numbers agrees; the other: third (here "
        "1.000, 1.000 away). 1 replayed number cannot be compared: no."
    )


# ---- numbers of runs -----------------------------------------------------------------------------


def run(accuracies, error=None):
    history = nn.History(("epoch", "test_accuracy"))
    for epoch, accuracy in enumerate(accuracies, 1):
        history._append({"epoch": float(epoch), "test_accuracy": accuracy})
    return nn.Run(None, history, 0, 0.1, "a", False, error)


def test_numbers_of_runs():
    runs = (run([0.5, 0.9, 0.8]), run([0.5], FloatingPointError("NaN")))
    assert lab.last(runs, "test_accuracy") == pytest.approx((80, math.nan), nan_ok=True)
    assert lab.best(runs, "test_accuracy") == pytest.approx((90, math.nan), nan_ok=True)
    assert lab.best(runs, "test_accuracy", lowest=True)[0] == pytest.approx(50)
    assert lab.at(runs, "test_accuracy", 2) == pytest.approx((90, math.nan), nan_ok=True)
    assert lab.epochs_to(runs, (-0.85, 0.0), "test_accuracy") == pytest.approx(
        (4, math.nan), nan_ok=True
    )
    assert lab.epochs_to(runs[:1], (math.nan,), "test_accuracy") == pytest.approx(
        (math.nan,), nan_ok=True
    )
    assert lab.epochs_to(runs[:1], (0.6,), "test_accuracy") == (1.0,)
    assert lab.differences((3.0, 1.0), (1.0, 2.0)) == (2.0, -1.0)


def test_each_keeps_the_order_and_raises_what_was_raised():
    means = lab.Lab(nn.datasets.load_mnist_small(), (0,), True, n_jobs=2)
    assert means.each(lambda k: k * k, range(20)) == [k * k for k in range(20)]

    def fail(k):
        raise ZeroDivisionError(str(k))

    with pytest.raises(ZeroDivisionError, match=r"[0-4]"):
        means.each(fail, range(5))
    assert means.halted(None, None)
    assert means.each(lambda k: k, [1]) == [1]


# ---- pictures and sections -----------------------------------------------------------------------


def draw(figure):
    ax = figure.subplots()
    ax.plot([1, 2, 3], label="a curve")
    ax.set_xlabel("epoch")
    ax.legend()


def test_a_drawing_takes_the_colour_of_the_page_and_has_names_of_its_own():
    drawing = Picture("curve", "A curve.", draw, slides=(3,)).drawing("toy")
    assert drawing.svg.startswith("<svg ")
    assert drawing.svg.endswith("</svg>")
    assert "currentColor" in drawing.svg
    assert _INK not in drawing.svg
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", drawing.svg)
    assert 'role="img" aria-label="A curve."' in drawing.svg
    names = re.findall(r' id="([^"]*)"', drawing.svg)
    used = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', drawing.svg)
    assert names
    assert all(name.startswith("toy-curve-") for name in names)
    assert {a or b for a, b in used} <= set(names)


def test_the_same_picture_is_the_same_bytes():
    one, other = (Picture("curve", "A curve.", draw).drawing("toy") for _ in range(2))
    assert one == other


def test_drawing_leaves_matplotlibs_settings_alone():
    import matplotlib as mpl

    with mpl.rc_context({"text.color": "#123456", "axes.grid": True}):
        Picture("curve", "A curve.", draw).drawing("toy")
        assert (mpl.rcParams["text.color"], mpl.rcParams["axes.grid"]) == ("#123456", True)


def some_section():
    rows = (
        Measured("first", (95.0, math.nan), quote=quote("95.4", if_it_differs="why"), stuck=1),
        Measured("second", (1.0,), "", lower_is_better=True, digits=4),
        Measured("third", (1.0,), quote=quote("1.0", "exact", replay=True)),
    )
    table = Table(["a", "b"], [("x", 1.5), ("y", None)], "T", formats={"b": ".2f"})
    result = Result(
        {"z": "first", "a": "second"},
        rows,
        (Claim("more", (1.0, math.nan), "%", "slide 1"),),
        (Picture("curve", "A curve.", draw, slides=(3, 4)),),
        (table,),
        ("A remark.",),
    )
    return Section.of(experiments.find("costs"), result, 1.5)


def test_a_section_out_of_a_file_is_the_same():
    section = some_section()
    again = Section.from_json(json.loads(json.dumps(section.to_json())))
    assert again.to_json() == section.to_json()
    assert list(again.settings) == ["z", "a"]
    assert again.drawings == section.drawings
    assert again.verdict == section.verdict
    assert str(again.tables[0]) == str(section.tables[0])


def test_gaps_and_numbers_that_are_none_are_the_same_out_of_a_file():
    table = Table(["a", "b"], [(math.nan, None), (math.inf, -math.inf), (1, "x")])
    result = Result({}, tables=(table,), finding="It is so.")
    section = Section.of(experiments.find("costs"), result, 1.0)
    again = Section.from_json(json.loads(json.dumps(section.to_json())))
    assert str(again.tables[0]) == str(table)
    assert again.verdict == "It is so."


@pytest.mark.parametrize("damage", [None, {}, {"name": 1}, [1, 2], "text"])
def test_what_is_no_section_is_refused(damage):
    with pytest.raises(ValueError, match="no section"):
        Section.from_json(damage)


# ---- the catalogue -------------------------------------------------------------------------------


def test_every_experiment_is_of_one_shape():
    found = [experiments.find(name) for name in experiments.names()]
    for experiment in found:
        assert experiment.title
        assert experiment.question.endswith("?")
        assert min(experiment.seconds) > 0
        assert all(isinstance(q, Quote) for q in experiment.quotes.values())
        assert set(experiment.widgets) <= set(experiment.slides)
        assert all(kind in nn.widgets.__all__ for kind, _ in experiment.widgets.values())
    assert [e.name for e in found] == list(experiments.names())
    assert len({e.title for e in found}) == len(found)


def test_what_others_call_an_experiment_is_the_name_of_some():
    called = _nearest._CALLED.values()
    assert {name for found in called for name in found} <= {*experiments.names()}


def test_the_programs_of_the_slides_are_experiments():
    assert experiments.find("example2.py").name == experiments.find("example2").name == "costs"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cost", "perhaps costs or cost-gradients or l2-cost"),
        ("toy", "perhaps toy-neuron or deltas"),
        ("toy_neurons", "perhaps toy-neuron"),
        ("svm", "perhaps more-data"),
        ("newton", "perhaps hessian"),
        ("init", "perhaps initialisation"),
        ("sgd", "perhaps learning-rates or batch-sizes or momentum"),
        ("affine", "perhaps simard"),
        ("elastic", "perhaps simard"),
        ("l2", "perhaps l2-cost or l2-table or weight-decay"),
        ("stop", "perhaps early-stopping or patience or overfitting"),
        ("early stop", "perhaps early-stopping or patience"),
        ("vanishing", "perhaps depth or cost-gradients"),
        ("storys", "perhaps stories"),
        ("initialization", "perhaps initialisation"),
        ("example1", "perhaps example"),
        ("l", "perhaps log-likelihood or l2-cost or l2-table"),
        ("qqq", "reproduce --list"),
        ("", "reproduce --list"),
        ("/", "reproduce --list"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, hint):
    with pytest.raises(ValueError, match=f"name must be an experiment, got '{name}': {hint}"):
        experiments.find(name)


def test_a_slide_and_what_is_no_text_are_no_names():
    with pytest.raises(ValueError, match="slide 13 is shown by overfitting"):
        experiments.find("slide-13")
    with pytest.raises(TypeError, match="name must be text, got 3"):
        experiments.find(3)


def test_a_run_says_why_it_is_short():
    data = nn.datasets.load_mnist_small().take(100)
    result = experiments.find("coming-from").run(data, 1, quick=True)
    assert result.shortened == "a quick run, on 100 digits in place of 50,000"
    assert result.figures().keys() == {"settings"}
    with pytest.raises(TypeError, match="data must be a Dataset, got 3"):
        experiments.find("coming-from").run(3)
    with pytest.raises(ValueError, match="data must have a validation and a test set"):
        experiments.find("coming-from").run(nn.Dataset(data.train))


def test_the_updates_of_the_packages_are_ours():
    data = nn.datasets.load_mnist_small().take(100)
    (table,) = experiments.find("coming-from").run(data, 1, quick=True).tables
    updates = ["network2.py", "network3.py", "CS231n, sgd", "CS231n, sgd_momentum"]
    assert table["update"] == updates
    assert max(table["largest difference of a weight"]) < 1e-14
    assert "momentum=0.9" in table["settings here"][3]


def test_momentum_of_cs231n_is_a_velocity_added_to_the_weights():
    w, v = np.array([1.0]), np.array([0.25])
    new, velocity = coming_from._cs231n_momentum_step(w, np.array([0.5]), v, 60, 10, 0.1)
    assert velocity == pytest.approx(0.9 * 0.25 - 0.5 * (0.5 + 0.1))
    assert new == pytest.approx(1.0 + velocity)


def test_an_update_with_other_settings_is_told_apart():
    """Without momentum, or a penalty, fit does something else than the package."""
    data = nn.datasets.load_mnist_small()
    x, y = data.train.x[:60].astype(float), data.train.y[:60]
    for package in coming_from._PACKAGES:
        for name in package.settings:
            other = {**package.settings, name: 0.0}
            wrong = dataclasses.replace(package, settings=other)
            assert coming_from._deviation(package, x, y) < 1e-14
            assert coming_from._deviation(wrong, x, y) > 1e-6


# ---- slides --------------------------------------------------------------------------------------


def test_a_slide_is_shown_by_its_figure():
    slide = nn.slide(47)
    assert [p.name for p in slide.pictures] == ["settings"]
    html = slide._repr_html_()
    assert html.count("<svg ") == 1
    assert "Coming from network2.py" in html
    assert "checked: one epoch" in html
    assert repr(slide).startswith("Slide 47: Coming from")
    assert "3 seeds; a quick run; quick=False does it in full" in repr(slide)
    assert "<table" in slide.results[0][1]._repr_html_()


def test_the_slide_of_costs_has_both_sizes_and_the_quoted_errors():
    slide = nn.slide(10, seeds=[7], data=nn.datasets.load_mnist_small().take(200))
    (row, *_) = slide.results[0][1].rows
    assert len(row.values) == 1
    for text in (repr(slide), slide._repr_html_()):
        for quoted in ("5.53 %", "4.86 %", "3.74 %", "3.00 %"):
            assert quoted in text
        assert "784-30-10 and 784-100-10" in text
        assert "1 seed; a quick run" in text
        assert "widget=True shows CostComparison" in text


def test_a_slide_is_shown_by_its_widget_with_the_settings_of_the_slide():
    pytest.importorskip("anywidget")
    widget = nn.slide(10, widget=True)
    try:
        settings = widget.settings
        assert {name: own["hidden"] for name, own in settings["variants"].items()} == {
            "30 quadratic": 30,
            "30 cross-entropy": 30,
            "100 quadratic": 100,
            "100 cross-entropy": 100,
        }
        assert [*settings["learning_rate"].values()] == [3.0, 0.5, 3.0, 0.5]
        assert settings["n_train"] == len(nn.datasets.load_mnist_small().train)
        assert (settings["init"], settings["epochs"], settings["batch_size"]) == ("large", 30, 10)
    finally:
        widget.close()


SLIDES_WITH_A_WIDGET = {
    number: kind
    for name in experiments.names()
    for number, (kind, _) in experiments.find(name).widgets.items()
}


@pytest.mark.parametrize(("number", "kind"), SLIDES_WITH_A_WIDGET.items())
def test_every_widget_of_a_slide_takes_its_settings(number, kind):
    pytest.importorskip("anywidget")
    widget = nn.slide(number, widget=True)
    widget.close()
    assert type(widget).__name__ == kind


@pytest.mark.parametrize("number", [0, 48])
def test_a_slide_that_is_not_there_is_refused(number):
    with pytest.raises(ValueError, match=f"number must be an integer from 1 to 47, got {number}"):
        nn.slide(number)


@pytest.mark.parametrize(
    ("number", "settings", "kind", "message"),
    [
        (47, {"seeds": "x"}, TypeError, "seeds must be an integer or a sequence of .*, got 'x'"),
        (47, {"seeds": 0}, ValueError, "seeds must be an integer >= 1, got 0"),
        (47, {"seeds": [1, 1]}, ValueError, r"seeds must differ from each other, got \[1, 1\]"),
        (10, {"quick": "no"}, TypeError, "quick must be True or False, got 'no'"),
        (10, {"data": 3}, TypeError, "data must be a Dataset, got 3"),
        (10, {"widget": None}, TypeError, "widget must be True or False, got None"),
        (10, {"widget": True, "seeds": 0}, ValueError, "seeds must be left out beside widget=True"),
        (10, {"widget": True, "quick": "no"}, ValueError, "quick must be left out beside .* 'no'"),
        (10, {"widget": True, "data": 3}, ValueError, "data must be left out beside .*, got 3"),
    ],
)
def test_arguments_of_a_slide_are_checked_before_anything_trains(number, settings, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        nn.slide(number, **settings)


def test_seeds_of_a_slide_may_be_listed():
    assert "; 2 seeds; a quick run" in repr(nn.slide(47, seeds=[1, 2]))


def test_quick_is_true_or_false():
    data = nn.datasets.load_mnist_small().take(100)
    with pytest.raises(TypeError, match="quick must be True or False, got 'no'"):
        experiments.find("coming-from").run(data, 1, "no")


def test_a_slide_without_a_widget_says_which_have_one():
    with pytest.raises(ValueError, match=r"widget must be False .* slide 47, got True: .*10"):
        nn.slide(47, widget=True)
