"""Progress of something that has steps: a bar while one is under way, a sentence that stays."""

import textwrap
import time

from nnlearn._display import Display, Terminal, columns, make_display
from nnlearn.progress import INTERVAL, check_verbose


class Milestones:
    """Shows the steps of something long.

    Parameters
    ----------
    verbose : {None, 0, 1}
        As for fit.
    """

    def __init__(self, verbose: int | None) -> None:
        self._verbose = check_verbose(verbose)
        self._display: Display | None = None  # of the step under way
        self._drawn = 0.0

    def draw(self, work: float, words: str) -> None:
        """Say how much of all is done, and what is under way; ten times a second at most."""
        now = time.monotonic()
        if self._drawn and now - self._drawn < INTERVAL:
            return
        self._drawn = now
        if display := self._begun():
            display.draw("tune", min(work, 1.0), [words])

    def line(self, text: str) -> None:
        """Let a sentence stay; in a terminal it has as many lines as it needs."""
        display = self._begun()
        self._display = None
        if display is None:
            return
        if isinstance(display, Terminal):
            for part in textwrap.wrap(text, columns(display._stream) - 1, subsequent_indent="   "):
                display.end(part)
                display = make_display(self._verbose)
                assert display is not None
        else:
            display.end(text)

    def close(self) -> None:
        """End what is drawn, if a step did not come to its end."""
        if self._display is not None:
            self._display.end("ended early")
            self._display = None

    def _begun(self) -> Display | None:
        if self._display is None:
            self._display = make_display(self._verbose)
        return self._display
