"""What all widgets share: settings that page and Python may change, work in the background.

The page and the kernel speak in messages. The page sends ``change`` with new settings and its own
number for the request, ``shown`` and ``hidden`` when a view comes and goes, and what a widget adds.
The kernel answers with frames (`_frames`), each a whole picture of its run, so that a lost one does
no harm: ``generation`` counts runs, ``request`` repeats the number of the change that began it,
``heard`` says up to which of its changes the kernel has heard each view, whoever made the last one,
``settings`` are those of the run. The last frame of a run comes as the trait ``_frame``, where
a reloaded page finds it.
"""

import difflib
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import anywidget
import traitlets

from nnlearn import _checks
from nnlearn.widgets import _frames
from nnlearn.widgets._runner import Runner, Stop

#: Seconds between two frames, and bytes a second, at the least and at the most.
INTERVAL, BYTES_A_SECOND = 1 / 30, 4e6

S = TypeVar("S")


def check_names(changes: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise ValueError for a setting that a widget does not have."""
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(str(name), sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else None
            _checks.fail(ValueError, "settings", "be those of the widget", name, hint)


class LiveWidget(anywidget.AnyWidget, Generic[S]):
    """Base of the widgets: an immutable record of settings, and work that shows what they do.

    A widget gives `_read` (settings from a mapping of changes), `_tell` (settings as a mapping) and
    `_work`, and ends its ``__init__`` with ``self._begin(defaults, changes)``.
    """

    _frame = traitlets.Bytes(b"").tag(sync=True)
    _failure = traitlets.Unicode("").tag(sync=True)  # what broke the present run

    #: Seconds that a new widget waits for its first run, so that it opens complete.
    _patience: ClassVar[float] = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._runner = Runner(self._show_error)
        self._lock = threading.RLock()  # messages may come in several threads
        self._views: set[str] = set()
        self._left = False  # the run was stopped because no view was left
        self._heard: dict[str, int] = {}  # the last change of each view, by its own count
        self._generation = 0
        self._error: Exception | None = None  # of the present run
        self._current: S
        self.on_msg(self._on_message)

    # ---- what a widget gives --------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> S:
        """The present settings with these changes, checked; nothing is changed yet.

        Raises TypeError or ValueError.
        """
        raise NotImplementedError

    def _tell(self, settings: S) -> dict[str, Any]:
        """The settings as users see them: what `_read` takes."""
        raise NotImplementedError

    def _work(self, settings: S, run: "Run") -> None:
        """Do what the settings ask for and publish frames, in a thread of its own."""
        raise NotImplementedError

    def _on_other_message(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """What the page sends beyond changes."""

    # ---- what users see -------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        """The settings; assigning a mapping with some of them changes these and runs anew."""
        return self._tell(self._current)

    @settings.setter
    def settings(self, changes: Mapping[str, Any]) -> None:
        self._change(changes)

    def change(self, **changes: Any) -> None:
        """Change some settings and run anew, as the controls in the page do.

        Parameters
        ----------
        **changes
            Settings by name, as in `settings`.

        Raises
        ------
        ValueError
            If there is no such setting, or a value is wrong; nothing has changed then.
        """
        self._change(changes)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the present run has ended.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether it has ended.

        Raises
        ------
        Exception
            What broke the run, if something did: a callback of yours, for example.
        """
        ended = self._runner.wait(timeout)
        if ended and self._error is not None:
            raise self._error
        return ended

    def stop(self) -> None:
        """End the present run before its next step; what is there stays."""
        self._runner.stop()

    def close(self) -> None:
        """Stop, and take the widget off all pages."""
        self._runner.stop()
        super().close()

    # ---- within ---------------------------------------------------------------------------------

    def _begin(self, defaults: S, changes: Mapping[str, Any]) -> None:
        """Take the first settings, run, and wait a little for the end."""
        self._current = defaults
        self._change(changes)
        self._runner.wait(self._patience)

    def _change(self, changes: Mapping[str, Any], request: str | None = None) -> None:
        if not isinstance(changes, Mapping):
            raise ValueError(f"settings must be a mapping of names to values, got {changes!r}")
        with self._lock:
            try:
                self._current = self._read(changes)
            except TypeError as error:  # a widget has one kind of error for a wrong setting
                raise ValueError(str(error)) from error
            self._restart(request)

    def _restart(self, request: str | None) -> None:
        """Run with the present settings; request: the page's number of the change."""
        with self._lock:
            self._generation += 1
            self._left = False
            self._error = None
            self._failure = ""
            settings, run = self._current, Run(self, self._generation, request, dict(self._heard))
            self._runner.start(lambda stop: run.go(settings, stop))

    def _show_error(self, error: Exception) -> None:
        """Keep what broke the run, for the page too; errors of settings never come this far."""
        self._error = error
        self._failure = f"{type(error).__name__}: {error}"

    def _on_message(self, _: Any, content: Any, buffers: Sequence[memoryview]) -> None:
        kind = content.get("kind")
        if kind == "change":
            self._on_change(content["settings"], content["request"])
        elif kind == "shown":
            with self._lock:
                self._views.add(content["view"])
                if self._left:
                    self._restart(None)
        elif kind == "hidden":
            with self._lock:
                self._views.discard(content["view"])
                self._heard.pop(content["view"], None)
                if not self._views and self._runner.is_running:
                    self._left = True
                    self._runner.stop()
        elif kind == "stop":
            self.stop()
        else:
            self._on_other_message(content, buffers)

    def _on_change(self, settings: Any, request: str) -> None:
        """A change from a page; request: ``view:count``."""
        view, count = request.rsplit(":", 1)
        with self._lock:
            self._heard[view] = int(count)
            try:
                self._change(settings, request)
            except ValueError as error:
                answer = {"kind": "refused", "request": request, "message": str(error)}
                self.send({**answer, "settings": _frames.plain(self.settings)})


class Run:
    """One run of a widget: where its work puts what it has.

    Attributes
    ----------
    stop : Stop
        Asks the work to end.
    """

    stop: Stop

    def __init__(
        self,
        widget: LiveWidget[Any],
        generation: int,
        request: str | None,
        heard: Mapping[str, int],
    ) -> None:
        self._widget = widget
        self._facts = {"generation": generation, "request": request, "heard": heard}
        self._next = 0.0  # when another frame may be sent

    def go(self, settings: Any, stop: Stop) -> None:
        """Do the widget's work."""
        self.stop = stop
        self._facts["settings"] = _frames.plain(self._widget._tell(settings))
        self._began = time.perf_counter()
        self._widget._work(settings, self)

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return time.perf_counter() - self._began

    def pause(self) -> float:
        """Seconds until another frame may be sent, 0 if it may now."""
        return max(self._next - time.perf_counter(), 0.0)

    def publish(self, header: Mapping[str, Any], arrays: Sequence[_frames.Array] = ()) -> None:
        """Send a frame that others will follow."""
        frame = _frames.pack({**header, **self._facts, "done": False}, arrays)
        self._next = time.perf_counter() + max(INTERVAL, len(frame) / BYTES_A_SECOND)
        self._widget.send({"kind": "frame"}, [frame])

    def finish(self, header: Mapping[str, Any], arrays: Sequence[_frames.Array] = ()) -> None:
        """Send the last frame and leave it where a reloaded page finds it."""
        done = not self.stop.requested
        if done or self._widget._generation == self._facts["generation"]:
            facts = {**header, **self._facts, "done": done, "seconds": self.seconds}
            self._widget._frame = _frames.pack(facts, arrays)
