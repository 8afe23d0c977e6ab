"""A folder has one writer, and others see that it is there."""

import os
import subprocess
import sys
import threading
import time

import pytest

from fnn.errors import InputError
from fnn.storage import locks
from fnn.storage.locks import is_locked, locked


def test_a_folder_has_one_writer_at_a_time(tmp_path):
    code = (
        "import sys; from fnn.storage.locks import locked\n"
        "try:\n    with locked(sys.argv[1]): print('free')\nexcept ValueError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with locked(tmp_path):
        other = subprocess.run(command, capture_output=True, text=True, check=True)
        with pytest.raises(InputError, match="another process"), locked(tmp_path):
            pass
    assert "another process is training here" in other.stdout
    with locked(tmp_path):
        pass


def test_a_look_says_whether_a_folder_is_locked_and_writes_nothing(tmp_path):
    assert is_locked(tmp_path) is False
    assert is_locked(tmp_path / "missing") is False
    assert os.listdir(tmp_path) == []
    with locked(tmp_path):
        assert is_locked(tmp_path) is True
    assert is_locked(tmp_path) is False


def test_a_look_at_a_lock_that_is_a_pipe_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / locks.LOCK)
    assert is_locked(tmp_path) in (False, None)


def test_a_lock_is_taken_although_somebody_looks_at_that_moment(tmp_path):
    import fcntl

    (tmp_path / locks.LOCK).touch()
    descriptor = os.open(tmp_path / locks.LOCK, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert is_locked(tmp_path) is False  # somebody else who looks is no training
    threading.Timer(locks.LOOK * 1.5, os.close, [descriptor]).start()
    with locked(tmp_path):
        assert is_locked(tmp_path) is True


def test_who_is_refused_does_not_wait_long(tmp_path):
    with locked(tmp_path):
        began = time.monotonic()
        with pytest.raises(InputError), locked(tmp_path):
            pass
        assert time.monotonic() - began < 50 * locks.LOOK
