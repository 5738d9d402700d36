"""`CostComparison`: what it trains, how it answers, what its page shows."""

from nnlearn.widgets import CostComparison


def test_opens_trained_with_both_names_at_the_curves_ends(mount):
    shown = mount(CostComparison())
    shown.until("root.dataset.done === 'true'")
    assert shown.page.locator(".nn-main-chart .nn-ends text").count() == 2


def test_a_moved_slider_trains_anew(mount):
    shown = mount(CostComparison())
    shown.page.get_by_label("learning rate, quadratic", exact=True).fill("60")
    shown.until("root.dataset.generation === '2' && root.dataset.done === 'true'")
    assert shown.widget.settings["learning_rate"]["quadratic"] != 3.0
