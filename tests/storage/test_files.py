"""Files are whole or not there, whatever fails on the way, and a folder has one writer."""

import os
import subprocess
import sys

import pytest

from fnn.errors import InputError
from fnn.storage.files import locked, write_atomically


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
