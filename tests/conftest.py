"""What all tests share: examples of hypothesis are the same in every run, and not timed."""

import re
import signal

import pytest
from hypothesis import settings
from pages import browser, mount  # noqa: F401

settings.register_profile(
    "nnlearn", deadline=None, max_examples=30, derandomize=True, database=None
)
settings.load_profile("nnlearn")

# A shell that starts the tests in the background lets them ignore SIGINT, and their children too:
# the tests of Ctrl-C need the handler that a terminal's user has.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that differ from run to run: several processes share the tests by name."""
    for item in items:
        if re.search(r"\bat 0x[0-9a-f]{6}", item.nodeid):
            raise pytest.UsageError(f"the test {item.nodeid} must have ids= without addresses")
