"""``python -m nnlearn``: see `nnlearn.cli`."""

import sys

from nnlearn import _starting
from nnlearn.cli import main

if __name__ == "__main__":
    try:
        _starting.raise_on_ctrl_c()
        sys.exit(main())
    except KeyboardInterrupt:  # in the moments before a command runs, or after it
        sys.stderr.write(_starting.INTERRUPTED)
        sys.exit(_starting.EXIT_CODE)
