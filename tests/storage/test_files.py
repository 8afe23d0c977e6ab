"""Files are whole or not there, whatever fails on the way."""

import os

import pytest

from fnn.storage.files import remove_file, write_atomically


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


def test_a_file_is_removed_if_it_is_there(tmp_path):
    (tmp_path / "a").touch()
    remove_file(tmp_path / "a")
    remove_file(tmp_path / "a")
    assert os.listdir(tmp_path) == []
