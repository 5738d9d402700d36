"""Warnings, which name the line of the user's that led to them."""

import os
import sys
import warnings

_PACKAGE = os.path.dirname(__file__) + os.sep


def warn(text: str) -> None:
    """Warn with a UserWarning, as from the innermost frame that is not of this package."""
    level, frame = 1, sys._getframe(0)
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
