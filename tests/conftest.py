"""What all tests share: examples of hypothesis are the same in every run, and not timed."""

from hypothesis import settings

settings.register_profile(
    "nnlearn", deadline=None, max_examples=30, derandomize=True, database=None
)
settings.load_profile("nnlearn")
