"""What all widgets share, without a page: runs of which the latest counts, messages, frames."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from processes import script

import nnlearn as nn
from nnlearn import _checks
from nnlearn.widgets import CostComparison, _frames
from nnlearn.widgets._live import LiveWidget
from nnlearn.widgets._runner import Runner, Stop

#: Seconds that anything may take; all of it takes milliseconds.
PATIENCE = 30

#: More epochs than any test lasts.
ENDLESS = 10**7

X = np.eye(4, 3, dtype=np.float32)
Y = np.array([0, 1, 2, 0])


def endless_fit(stop, **settings):
    """The epochs that a fit has had once it is stopped."""
    net = nn.Network([3, 2, 3], seed=0)
    return len(stop.fit(net, X, Y, epochs=ENDLESS, learning_rate=0.1, verbose=0, **settings))


@pytest.fixture
def runner():
    errors = []
    one = Runner(errors.append)
    one.errors = errors
    yield one
    one.stop()
    assert one.wait(PATIENCE)


# ---- Runner -------------------------------------------------------------------------------------


def test_new_work_ends_the_fit_under_way_and_begins_after_it(runner):
    said, began = [], threading.Event()
    runner.start(lambda stop: said.append(endless_fit(stop, callbacks=lambda *_: began.set())))
    assert began.wait(PATIENCE)
    runner.start(lambda stop: said.append("second"))
    assert runner.wait(PATIENCE)
    assert 0 < said[0] < ENDLESS
    assert said[1:] == ["second"]


def test_works_superseded_before_they_began_never_run(runner):
    ran, gate, began = [], threading.Event(), threading.Event()

    def first(stop):
        began.set()
        gate.wait(PATIENCE)

    runner.start(first)
    assert began.wait(PATIENCE)
    for n in range(5):
        runner.start(lambda stop, n=n: ran.append(n))
    gate.set()
    assert runner.wait(PATIENCE)
    assert ran == [4]


def test_a_stop_before_the_fit_has_begun_is_heard():
    stop = Stop()
    stop.request()
    assert endless_fit(stop) < 2  # at most the epoch whose beginning passes it on


def test_a_stop_between_two_fits_is_heard_by_the_second():
    stop = Stop()
    net = nn.Network([3, 2, 3], seed=0)
    stop.fit(net, X, Y, epochs=1, learning_rate=0.1, verbose=0)
    stop.request()
    assert endless_fit(stop) < 2


def test_errors_are_given_to_the_callback_and_the_next_work_runs(runner):
    ran = []
    runner.start(lambda stop: 1 / 0)
    assert runner.wait(PATIENCE)
    assert [type(error) for error in runner.errors] == [ZeroDivisionError]
    runner.start(lambda stop: ran.append(True))
    assert runner.wait(PATIENCE)
    assert ran == [True]


def test_wait_says_whether_the_work_has_ended(runner):
    gate = threading.Event()
    assert runner.wait(0)
    runner.start(lambda stop: gate.wait(PATIENCE))
    assert not runner.wait(0)
    assert runner.is_running
    gate.set()
    assert runner.wait(PATIENCE)
    assert not runner.is_running


def test_the_interpreter_ends_during_a_run():
    program = """
import threading
import numpy as np
import nnlearn as nn
from nnlearn.widgets._runner import Runner

net, began = nn.Network([50, 800, 10], seed=0), threading.Event()
x, y = np.ones((2000, 50), np.float32), np.arange(2000) % 10
runner = Runner(print)
runner.start(lambda stop: stop.fit(net, x, y, epochs=10**7, learning_rate=0.1, batch_size=2000,
    verbose=0, callbacks=lambda *_: began.set()))
began.wait(30)
print(runner.is_running)
"""
    assert script(program) == "True\n"


# ---- frames -------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
arrays = st.sampled_from(_frames.DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
)


@given(
    header=st.dictionaries(st.text().filter(lambda name: name != "arrays"), json_values),
    given_arrays=st.lists(arrays, max_size=4),
)
def test_frames_come_back_as_they_went(header, given_arrays):
    frame = _frames.pack(header, given_arrays)
    told, got = _frames.unpack(frame)
    assert told == header
    assert len(frame) % 8 == 0
    for mine, its in zip(given_arrays, got, strict=True):
        assert (its.dtype.name, its.shape) == (mine.dtype.name, mine.shape)
        np.testing.assert_array_equal(its, mine)


def test_frames_take_arrays_of_any_layout_and_order_of_bytes():
    table = np.arange(24, dtype=np.float32).reshape(4, 6)
    for array in (table.T, table[::2, ::-1], table.astype(">f4"), np.float32(3)):
        [back] = _frames.unpack(_frames.pack({}, [np.asarray(array)]))[1]
        np.testing.assert_array_equal(back, array)


def test_frames_say_null_for_what_json_has_not():
    header = {"a": [np.nan, np.inf, np.float32(0.5)], "b": np.int64(3), "c": (np.True_,), "d": dict}
    told, _ = _frames.unpack(_frames.pack(header))
    assert told == {"a": [None, None, 0.5], "b": 3, "c": [True], "d": "<class 'dict'>"}


# ---- LiveWidget ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    n: int


class Counter(LiveWidget[Settings]):
    """Publishes its setting; runs on until it is stopped where that is negative."""

    _esm = "export default {}"
    _patience = 0.0

    def __init__(self, n=0):
        super().__init__()
        self.sent = []
        self.send = lambda content, buffers=None: self.sent.append((content, buffers))
        self._begin(Settings(0), {"n": n})

    def _read(self, changes):
        n = changes.get("n", self._current.n)
        return Settings(_checks.integer("n", n, minimum=-1, maximum=99))

    def _tell(self, settings):
        return {"n": settings.n}

    def _work(self, settings, run):
        if settings.n == 13:
            raise RuntimeError("thirteen")
        run.publish({"n": settings.n})
        while settings.n < 0 and not run.stop.requested:
            threading.Event().wait(0.001)
        run.finish({"n": settings.n})

    def page_sends(self, **content):
        self._on_message(self, content, [])


@pytest.fixture
def counter():
    one = Counter()
    yield one
    one.close()
    assert one.wait(PATIENCE)


def last(widget):
    """The header of the frame that a reloaded page finds."""
    assert widget.wait(PATIENCE)
    return _frames.unpack(widget._frame)[0]


def test_a_change_in_the_page_is_answered_under_its_own_number(counter):
    counter.page_sends(kind="change", request="a:1", settings={"n": 5})
    frame = last(counter)
    assert (frame["request"], frame["settings"], frame["done"]) == ("a:1", {"n": 5}, True)
    assert frame["generation"] == 2


def test_settings_refused_leave_the_widget_as_it_was(counter):
    before = last(counter)
    counter.sent.clear()
    for wrong in ({"n": 100}, {"n": "x"}, {"n": float("nan")}):
        with pytest.raises(ValueError, match="n must be an integer"):
            counter.settings = wrong
        counter.page_sends(kind="change", request="a:1", settings=wrong)
        [(answer, _)] = counter.sent
        counter.sent.clear()
        assert (answer["kind"], answer["request"]) == ("refused", "a:1")
        assert answer["settings"] == {"n": 0}
        assert "n must be an integer" in answer["message"]
    with pytest.raises(ValueError, match="settings must be a mapping"):
        counter.settings = 3
    assert counter.settings == {"n": 0}
    assert last(counter) == before


def test_a_run_that_breaks_is_told_to_the_page(counter):
    counter.change(n=13)
    with pytest.raises(RuntimeError, match="thirteen"):
        counter.wait(PATIENCE)
    assert counter._failure == "RuntimeError: thirteen"
    counter.change(n=1)
    assert (last(counter)["n"], counter._failure) == (1, "")


def test_frames_say_how_far_each_view_was_heard_whoever_began_the_run(counter):
    counter.page_sends(kind="change", request="a:1", settings={"n": 5})
    counter.page_sends(kind="change", request="b:7", settings={"n": 6})
    counter.change(n=7)
    assert (last(counter)["request"], last(counter)["heard"]) == (None, {"a": 1, "b": 7})


def test_a_run_stopped_before_it_began_says_so(counter):
    counter.change(n=-1)
    counter.change(n=5)  # begins once the one before has ended
    counter.stop()
    assert (last(counter)["n"], last(counter)["done"]) == (5, False)


def test_the_last_hidden_view_stops_the_run_and_a_shown_one_begins_it_anew(counter):
    counter.page_sends(kind="shown", view="a")
    counter.page_sends(kind="shown", view="b")
    counter.change(n=-1)
    counter.page_sends(kind="hidden", view="a")
    assert not counter.wait(0)
    counter.page_sends(kind="hidden", view="b")
    assert last(counter)["done"] is False
    generation = counter._generation
    counter.page_sends(kind="shown", view="c")
    assert counter._generation == generation + 1
    assert not counter.wait(0)


def test_a_view_that_comes_back_to_a_complete_run_changes_nothing(counter):
    before = last(counter)
    for kind in ("shown", "hidden", "shown"):
        counter.page_sends(kind=kind, view="a")
    assert last(counter) == before


def test_stop_keeps_what_is_there(counter):
    counter.change(n=-1)
    counter.page_sends(kind="stop")
    frame = last(counter)
    assert (frame["done"], frame["generation"]) == (False, counter._generation)


def test_of_changes_by_many_threads_the_last_generation_s_frame_stays(counter):
    ready = threading.Barrier(4)

    def change(first):
        ready.wait()
        for n in range(first, 90, 4):
            if n != 13:
                counter.change(n=n)

    threads = [threading.Thread(target=change, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frame = last(counter)
    assert frame["generation"] == counter._generation == 1 + 89
    assert frame["settings"] == counter.settings
    assert frame["done"]


def test_frames_of_a_superseded_run_never_replace_later_ones():
    w = CostComparison(n_train=100, epochs=2)
    assert w.wait(PATIENCE)
    generations = []
    w.observe(lambda change: generations.append(last_generation(change["new"])), "_frame")
    for n in (50, 60, 70, 80):
        w.change(n_train=n)
    assert w.wait(PATIENCE)
    assert generations == sorted(generations)
    assert generations[-1] == w._generation
    w.close()


def last_generation(frame):
    return _frames.unpack(frame)[0]["generation"]
