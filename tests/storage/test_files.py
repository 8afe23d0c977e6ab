"""Files are whole or not there, whatever fails on the way, and a folder has one writer."""

import os
import subprocess
import sys
import threading
import time

import pytest

from fnn.errors import InputError
from fnn.storage import files
from fnn.storage.files import is_locked, locked, remove_file, write_atomically


def test_a_file_is_made_and_replaced(tmp_path):
    for data in (b"old", b"", b"new" * 1000):
        write_atomically(tmp_path / "a", data)
        assert (tmp_path / "a").read_bytes() == data
        assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()], ids=["error", "ctrl-c"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, failure):
    write_atomically(tmp_path / "a", b"old")

    def fail(*_):
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(failure)):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a", b"new")
    assert os.listdir(tmp_path) == []


def test_the_order_is_write_sync_rename_sync_of_the_folder(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (done.append("sync"), sync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append(os.path.getsize(old)), replace(old, new)))
    write_atomically(tmp_path / "a", b"12345")
    assert done == ["sync", 5, "sync"]


def test_a_folder_has_one_writer_at_a_time(tmp_path):
    code = (
        "import sys; from fnn.storage.files import locked\n"
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
    os.mkfifo(tmp_path / files.LOCK)
    assert is_locked(tmp_path) in (False, None)


def test_a_lock_is_taken_although_somebody_looks_at_that_moment(tmp_path):
    import fcntl

    (tmp_path / files.LOCK).touch()
    descriptor = os.open(tmp_path / files.LOCK, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert is_locked(tmp_path) is False  # somebody else who looks is no training
    threading.Timer(files.LOOK * 1.5, os.close, [descriptor]).start()
    with locked(tmp_path):
        assert is_locked(tmp_path) is True


def test_who_is_refused_does_not_wait_long(tmp_path):
    with locked(tmp_path):
        began = time.monotonic()
        with pytest.raises(InputError), locked(tmp_path):
            pass
        assert time.monotonic() - began < 50 * files.LOOK


def test_a_file_is_removed_if_it_is_there(tmp_path):
    (tmp_path / "a").touch()
    remove_file(tmp_path / "a")
    remove_file(tmp_path / "a")
    assert os.listdir(tmp_path) == []
