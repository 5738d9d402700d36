"""``python -m nnlearn``: see `nnlearn.cli`."""

import sys

from nnlearn.cli import main

if __name__ == "__main__":
    sys.exit(main())
