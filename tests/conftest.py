"""What all tests share: examples of hypothesis are the same in every run, and not timed."""

import signal

from hypothesis import settings
from pages import browser, mount  # noqa: F401

settings.register_profile(
    "nnlearn", deadline=None, max_examples=30, derandomize=True, database=None
)
settings.load_profile("nnlearn")

# A shell that starts the tests in the background lets them ignore SIGINT, and their children too:
# the tests of Ctrl-C need the handler that a terminal's user has.
signal.signal(signal.SIGINT, signal.default_int_handler)
