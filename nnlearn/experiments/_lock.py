"""One run at a time in a folder: a lock that the operating system lets go when its holder ends."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

#: Its file, which stays when the lock is let go: one that is removed can be locked twice.
LOCK_FILE = "run.lock"
#: What is answered by file systems that have no locks, as some of a network.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF)


class InUse(Exception):
    """Another run holds the folder; the message says which, as far as is known."""


class Lock:
    """A folder that is held against other runs, until `close` or the end of the process.

    The process may end in any way, SIGKILL included. Where the file system has no locks nothing is
    held, and nobody is kept out.

    Parameters
    ----------
    folder : Path
        One that is there.

    Raises
    ------
    InUse
        If another run holds it.
    OSError
        If the file of the lock cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if _locked(self._file):
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
            else:
                raise InUse(f"{folder} is in use by another run{_holder(self._file)}")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it go."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _locked(file: int) -> bool:
    """Lock an open file; False if another process, or another lock of this one, has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _holder(file: int) -> str:
    """Who has written its number into the file; nothing in the moment before that."""
    with suppress(ValueError):
        return f" (process {int(os.pread(file, 20, 0))})"
    return ""
