"""Widgets in a real JupyterLab: what hands do, and what befalls kernels and pages."""

import subprocess
import sys

import pytest
from lab import Notebook, bad_lines, notebook, open_notebook, server  # noqa: F401

SHOW = "from nnlearn.widgets import CostComparison\nw = CostComparison()\nw"

#: A run that outlasts every test.
ENDLESS = f"from nnlearn.widgets import CostComparison\nw = CostComparison(epochs={10**6})\nw"

RATE = "learning rate, quadratic"
AT_WORK = "sum('(work)' in one.name for one in __import__('threading').enumerate())"
DONE = "root.dataset.done === 'true'"
POINTS = "Number(root.querySelector('.nn-main-chart .nn-plot').dataset.points)"


@pytest.fixture
def shown(notebook: Notebook) -> Notebook:  # noqa: F811
    """The notebook with a `CostComparison`, called w, that is trained."""
    notebook.run(SHOW)
    notebook.until(DONE)
    return notebook


@pytest.fixture
def endless(notebook: Notebook) -> Notebook:  # noqa: F811
    """The notebook with a `CostComparison`, called w, whose training does not end by itself."""
    notebook.run(ENDLESS)
    notebook.until(f"{POINTS} > 2")
    return notebook


def test_opens_complete(shown):
    assert shown.look(POINTS) == 31
    assert shown.ask("w.wait(0)")
    shown.screenshot("lab-comparison")


def test_a_dragged_slider_retrains_at_its_last_place(shown):
    before = shown.ask("w.settings['learning_rate']")
    shown.slider(RATE).drag(0.75, 0.8, 0.85, 0.9)
    shown.until(f"{DONE} && root.dataset.generation > 1 && root.dataset.pending === 'false'")
    after = shown.ask("w.settings['learning_rate']")
    assert after["quadratic"] == shown.slider(RATE).value > before["quadratic"]
    assert after["cross-entropy"] == before["cross-entropy"]


def test_curves_grow_while_it_trains(endless):
    points = endless.look(POINTS)
    for _ in range(3):
        endless.until(f"{POINTS} > {points} && root.dataset.done === 'false'")
        points = endless.look(POINTS)
    assert endless.look("root.dataset.generation") == "1"


def test_the_latest_change_wins(endless):
    at_work = endless.ask(AT_WORK)
    with endless.slider(RATE).held() as move:
        for n, share in enumerate((0.3, 0.4, 0.5)):
            move(share)  # in the midst of the run before
            endless.until(f"root.dataset.generation > {1 + n} && {POINTS} > 2")
    rate = endless.slider(RATE).value
    assert endless.ask("w.settings['learning_rate']['quadratic']") == rate
    assert endless.ask(AT_WORK) == at_work  # those of the last run alone


def test_stop_ends_the_run_and_keeps_its_curves(endless):
    endless.click("Stop")
    endless.until(
        "[...root.querySelectorAll('button')].some((b) => b.textContent === 'Train again')"
    )
    assert endless.ask("w.wait(10)")
    epochs = endless.ask("max(len(one) for [one] in w.history.values())")
    assert 0 < epochs < 10**6
    assert epochs <= endless.look(POINTS) <= epochs + 1  # an epoch in which Stop came has no point


def test_an_interrupted_cell_leaves_the_widget_alive(endless):
    endless.start("while True: pass")
    points = endless.look(POINTS)
    endless.kernel("interrupt")
    assert endless.ended() == "KeyboardInterrupt"
    endless.until(f"{POINTS} > {points}")
    assert endless.look("root.dataset.generation") == "1"  # the same run still
    endless.slider(RATE).drag(0.3)
    endless.until("root.dataset.generation > 1")
    [said] = endless.heard()
    assert "KeyboardInterrupt" in said


def test_after_a_restart_the_page_says_so_and_the_cell_brings_the_widget_back(shown):
    shown.kernel("restart")
    shown.slider(RATE).drag(0.3)
    shown.until("root.querySelector('.nn-error').textContent.includes('run its cell again')")
    shown.run(SHOW)
    shown.slider(RATE).drag(0.9)
    shown.until(f"{DONE} && root.dataset.generation > 1")


def test_a_reloaded_page_has_the_curves_and_is_live(shown):
    shown.slider(RATE).drag(0.9)
    shown.until(f"{DONE} && root.dataset.generation > 1")
    drawn = "root.querySelector('.nn-main-chart .nn-curve path').getAttribute('d')"
    generation, curve = shown.look("root.dataset.generation"), shown.look(drawn)
    shown.reload()
    shown.until(DONE)
    assert shown.look("root.dataset.generation") == generation
    assert shown.look(drawn) == curve
    shown.slider(RATE).drag(0.3)
    shown.until(f"root.dataset.generation > {generation} && {DONE}")
    assert shown.look(drawn) != curve
    shown.screenshot("lab-reloaded")


def test_two_widgets_do_not_disturb_each_other(shown):
    shown.run(f"{SHOW}", "v = CostComparison(variants=['log-likelihood'])\nv")
    shown.until(f"{DONE} && roots[1].dataset.done === 'true'")
    shown.slider("learning rate, log-likelihood", widget=1).drag(0.9)
    shown.until("roots[1].dataset.generation > 1 && roots[1].dataset.done === 'true'")
    assert shown.look("root.dataset.generation") == "1"
    shown.slider(RATE).drag(0.3)
    shown.until(f"root.dataset.generation > 1 && {DONE}")
    assert shown.ask("v.settings['learning_rate']").keys() == {"log-likelihood"}


def test_two_views_of_one_widget_show_the_same(shown):
    shown.run(SHOW, "w")
    shown.until("roots.length === 2 && roots[1].dataset.done === 'true'")
    shown.slider(RATE).drag(0.3)
    shown.until("roots.every((r) => r.dataset.generation > 1 && r.dataset.done === 'true')")
    assert shown.slider(RATE, widget=1).value == shown.slider(RATE).value


@pytest.mark.parametrize("reloaded", [False, True])
def test_a_closed_output_ends_the_training(endless, reloaded):
    if reloaded:
        endless.reload()
        endless.until("root.dataset.done === 'false'")
    endless.command("notebook:clear-all-cell-outputs")
    assert endless.ask("w.wait(10)")
    assert endless.ask("len(w.history['quadratic'][0])") < 10**6


def forgotten(error):
    """What a process writes of a task that ended by an error for which nobody asked."""
    script = f"""
import asyncio
class WebSocketClosedError(Exception): pass
async def lose():
    try:
        raise ConnectionError("gone")
    except ConnectionError:
        raise {error}
async def forget():
    await asyncio.wait([asyncio.ensure_future(lose())])
asyncio.run(forget())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Task exception was never retrieved" in run.stderr
    return run.stderr


def test_only_the_log_of_a_page_that_has_gone_is_harmless():
    gone = forgotten("WebSocketClosedError()")
    other = forgotten("RuntimeError('broken')")
    assert bad_lines(gone) == bad_lines(f"{gone}ready\n{gone}") == []
    assert "RuntimeError: broken" in bad_lines(other)
    for log in (gone + other, other + gone):
        assert bad_lines(log) == bad_lines(other)
    assert bad_lines(f"{gone}[E ServerApp] lost") == ["[E ServerApp] lost"]
