"""One run of `reproduce` at a time in a folder."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from nnlearn import cli
from nnlearn.experiments import _lock
from nnlearn.experiments._lock import LOCK_FILE, InUse, Lock

#: Holds the lock of the folder given until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from nnlearn.experiments._lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A folder, and another process that holds it."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def reproduce(out):
    arguments = ["reproduce", "coming-from", "--quick", "--seeds", "1", "--out", str(out)]
    return cli.main(arguments)


def test_a_folder_in_use_is_refused_with_the_process_and_what_to_do(holder, tmp_path, capsys):
    assert reproduce(tmp_path) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    said = f"{tmp_path} is in use by another run (process {holder.pid}): wait until it ends, or "
    assert said + "give another folder with --out" in error
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


def test_a_killed_run_leaves_the_folder_free(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert reproduce(tmp_path) == 0
    assert (tmp_path / "coming-from.html").is_file()


def test_a_run_that_has_ended_lets_the_folder_go(tmp_path):
    assert reproduce(tmp_path) == 0
    Lock(tmp_path).close()


def test_of_two_runs_that_begin_together_one_works(tmp_path):
    command = [sys.executable, "-m", "nnlearn", "reproduce", "all", "--quick", "--out"]
    both = [
        subprocess.Popen([*command, tmp_path / "out"], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        while all(process.poll() is None for process in both):
            time.sleep(0.01)
        loser, winner = sorted(both, key=lambda process: process.poll() is None)
        assert winner.poll() is None
    finally:
        for process in both:
            process.kill()
    errors = [process.communicate(timeout=60)[1] for process in (loser, winner)]
    assert loser.returncode == 1
    assert "is in use by another run" in errors[0]


def test_the_lock_of_this_process_keeps_itself_out_until_it_is_closed(tmp_path):
    lock = Lock(tmp_path)
    with pytest.raises(InUse, match=rf"in use by another run \(process {os.getpid()}\)"):
        Lock(tmp_path)
    lock.close()
    lock.close()
    Lock(tmp_path).close()


def test_a_holder_that_has_not_written_its_number_is_no_number(tmp_path):
    lock = Lock(tmp_path)
    (tmp_path / LOCK_FILE).write_text("")
    with pytest.raises(InUse, match=r"in use by another run$"):
        Lock(tmp_path)
    lock.close()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_worked_on(code, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert reproduce(tmp_path) == 0
    monkeypatch.setattr(_lock, "_NO_LOCKS", ())
    with pytest.raises(OSError, match=os.strerror(code)):
        Lock(tmp_path)
