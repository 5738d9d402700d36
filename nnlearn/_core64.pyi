"""The compiled core, float64: the same interface as `_core`, over arrays of float64."""

from nnlearn._core import Data as Data
from nnlearn._core import Network as Network
from nnlearn._core import NumberError as NumberError
from nnlearn._core import Sparse as Sparse
from nnlearn._core import Stopped as Stopped
from nnlearn._core import Trainer as Trainer
from nnlearn._core import __version__ as __version__
from nnlearn._core import allocation_count as allocation_count
from nnlearn._core import fail_allocation_at as fail_allocation_at
from nnlearn._core import info as info
from nnlearn._core import names as names
from nnlearn._core import pair as pair
