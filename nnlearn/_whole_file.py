"""Files that are whole: replaced in one step, and read with every refusal naming the file."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NoReturn

from nnlearn import _checks

#: What `fsync` answers for a folder on file systems that do not do this.
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)


def check_path(path: Any, argument: str = "path") -> str:
    """The path as a str; TypeError for what is none."""
    if not isinstance(path, (str, os.PathLike)):
        _checks.fail(TypeError, argument, "be a str or os.PathLike", path)
    name = os.fspath(path)
    if not isinstance(name, str):
        _checks.fail(TypeError, argument, "be a str or os.PathLike", path)
    if not name or "\0" in name or name.endswith(os.sep):
        _checks.fail(ValueError, argument, "be the name of a file", path)
    return name


# ---- reading ------------------------------------------------------------------------------------


class Refused(Exception):
    """Why a file is not taken: requirement, what it has, and perhaps a hint."""


def refuse(requirement: str, got: str, hint: str | None = None) -> NoReturn:
    """Refuse the file that is open; `opened` adds its name."""
    raise Refused(requirement, got, hint)


@contextmanager
def opened(path: Any) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file to read from, and its size.

    A refusal within becomes ValueError, too little memory for what the file holds OSError.
    """
    name = check_path(path)
    try:
        with open(name, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                refuse("be a regular file", "a device, pipe or socket")
            yield file, status.st_size
    except Refused as refused:
        raise ValueError(_checks.message(f"the file {name!r}", *refused.args)) from None
    except MemoryError:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), name) from None


def _without_waiting(name: str, flags: int) -> int:
    """Open a pipe at once too, so that it can be refused."""
    return os.open(name, flags | os.O_NONBLOCK)


# ---- writing ------------------------------------------------------------------------------------


def replace_file(path: Any, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file so that under its name there is the old one or the new one, always whole.

    The pieces go into a new file in the same folder, are on disk before it takes the name, and are
    removed when anything fails. A link stays, and what it leads to is replaced. The mode is that
    of the old file, or what the umask leaves of rw-rw-rw-.
    """
    target = os.path.realpath(check_path(path))
    mode = _mode_of(target)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".nnlearn-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = target  # the name that the user gave
        raise
    _sync_folder(folder)


def check_target(path: Any) -> None:
    """Raise what `replace_file` would: ValueError or OSError, where it can be known before."""
    target = os.path.realpath(check_path(path))
    _mode_of(target)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)


def _mode_of(target: str) -> int | None:
    """The mode of the file that is to be replaced; None where there is none."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(status.st_mode):
        _checks.fail(ValueError, "path", "name a regular file or a new one", target)
    os.close(os.open(target, os.O_WRONLY))  # who may not write into it may not replace it
    return stat.S_IMODE(status.st_mode)


def _sync_folder(folder: str) -> None:
    """Bring the new name to disk, where the file system can and this user may."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
