"""The digest of data that several processes share: process 0 reads all of a file, the others what is cheap."""

import os
import shutil

import numpy as np
import pytest

from fnn.data import load_data
from fnn.data.on_disk import Stored
from fnn.machine import data_digests
from fnn.machine.data_digests import data_digest, shared_digest

N, ROW = 60, 5000  # more than a page: of smaller rows those in between are read too
TIGHT = 4 * ROW / 2**30


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two files in a folder; of each part 4 rows are samples."""
    monkeypatch.setattr(data_digests, "SAMPLE", 4)
    (tmp_path / "here").mkdir()
    np.save(tmp_path / "here" / "x.npy", np.random.default_rng(0).integers(0, 255, (N, ROW), np.uint8))
    np.save(tmp_path / "here" / "y.npy", np.arange(N) % 3)
    return tmp_path / "here"


@pytest.fixture
def read(monkeypatch):
    """The numbers of rows that are read."""
    rows = []

    def counted(self, file, some, as_ever=Stored._read):
        rows.append(len(some))
        return as_ever(self, file, some)

    monkeypatch.setattr(Stored, "_read", counted)
    return rows


def loaded(folder, memory=TIGHT):
    return load_data(str(folder / "x.npy"), y=str(folder / "y.npy"), memory=memory, validation=9)


def digests_of(monkeypatch, *datasets):
    """The digest that each process finds; process 0 first, because the others hear of it."""
    said = []
    for i, data in enumerate(datasets):
        monkeypatch.setattr(data_digests, "alone", lambda: False)
        monkeypatch.setattr(data_digests, "first", lambda i=i: i == 0)
        monkeypatch.setattr(data_digests, "exchanged", lambda own: said.append(own) or said)
        yield shared_digest(data)


def test_another_process_reads_samples_alone_and_has_the_digest_of_process_0(folder, read, monkeypatch):
    digest = data_digest(loaded(folder))
    digests = digests_of(monkeypatch, loaded(folder), loaded(folder))
    assert next(digests) == digest
    read.clear()
    assert next(digests) == digest
    assert sum(read) == 2 * 4  # of two parts


def other_row(folder):
    """A row that is no sample is another, in a file that was written later."""
    x = np.load(folder / "x.npy")
    x[7, 7] += 1
    np.save(folder / "x.npy", x)
    os.utime(folder / "x.npy", ns=(0, 7))


def other_inputs(folder):
    """All inputs are others, in a file of the same size and time of change."""
    status = (folder / "x.npy").stat()
    np.save(folder / "x.npy", 255 - np.load(folder / "x.npy"))
    os.utime(folder / "x.npy", ns=(status.st_atime_ns, status.st_mtime_ns))


def other_class(folder):
    """One example is of another class."""
    y = np.load(folder / "y.npy")
    y[7] = (y[7] + 1) % 3
    np.save(folder / "y.npy", y)


@pytest.mark.parametrize("changed", [other_row, other_inputs, other_class])
def test_other_data_have_another_digest(changed, folder, monkeypatch):
    shutil.copytree(folder, folder.parent / "there")  # with the times of change
    changed(folder.parent / "there")
    first, other = digests_of(monkeypatch, loaded(folder), loaded(folder.parent / "there"))
    assert first != other


def test_a_copy_of_another_time_is_read_and_is_the_same(folder, read, monkeypatch):
    shutil.copytree(folder, folder.parent / "there")
    os.utime(folder.parent / "there" / "x.npy", ns=(0, 7))
    first, other = digests_of(monkeypatch, loaded(folder), loaded(folder.parent / "there"))
    assert first == other
    assert sum(read) == 2 * (2 * 4 + N)


def test_what_is_in_memory_and_what_is_in_the_file_are_the_same(folder, monkeypatch):
    digests = list(digests_of(monkeypatch, loaded(folder), loaded(folder, 1.0), loaded(folder)))
    assert len(set(digests)) == 1
