"""Rows that stay in their file: they are those of the loaded array, and a file is not believed."""

import os

import numpy as np
import pytest

from fnn.data import on_disk as room
from fnn.data.on_disk import stored
from fnn.errors import CorruptFileError, InputError

RNG = np.random.default_rng(0)


def saved(tmp_path, array, name="x.npy"):
    np.save(tmp_path / name, array)
    return str(tmp_path / name)


@pytest.mark.parametrize("dtype", ["u1", "?", "i2", "f4", "f8", ">f4", ">i8"])
@pytest.mark.parametrize("size", [1, 50, 2**20])
def test_chosen_rows_are_those_of_the_array(tmp_path, monkeypatch, dtype, size):
    monkeypatch.setattr(room, "BLOCK_BYTES", size)
    array = RNG.integers(0, 2 if dtype == "?" else 200, (23, 2, 3)).astype(dtype)
    x = stored(saved(tmp_path, array), 1.0)
    read = array.view(np.uint8) if dtype in ("u1", "?") else array.astype(np.float32)
    for i in (
        slice(None),
        slice(3, 3),
        slice(-5, None),
        slice(None, None, 4),
        RNG.permutation(23),
        RNG.random(23) < 0.5,
    ):
        assert (x[i].shape, x[i].dtype, x[i].nbytes, len(x[i])) == (
            read[i].shape,
            read.dtype,
            read[i].nbytes,
            len(read[i]),
        )
        np.testing.assert_array_equal(np.asarray(x[i]), read[i], strict=True)
        np.testing.assert_array_equal(x[i].astype(np.float64), read[i].astype(np.float64), strict=True)
    some = x.reshape(23, 6)[::2][np.array([3, 0, 3])]
    np.testing.assert_array_equal(np.asarray(some), read.reshape(23, 6)[::2][[3, 0, 3]], strict=True)


@pytest.mark.parametrize("dtype", ["u1", "?", "i8", ">f8", "f8", "f2"])
def test_rows_as_stored_have_the_type_of_the_file(tmp_path, dtype):
    array = (RNG.integers(0, 2, (23, 3)) + (1.7e9 if "8" in dtype else 0)).astype(dtype)
    x = stored(saved(tmp_path, array), 1.0).as_stored()[5:]
    wanted = array.view("u1") if dtype == "?" else array.astype(np.dtype(dtype).newbyteorder("="))
    np.testing.assert_array_equal(np.asarray(x), wanted[5:], strict=True)
    assert (x.dtype, x.nbytes) == (wanted.dtype, wanted[5:].nbytes)


def test_a_vector_is_a_column(tmp_path):
    x = stored(saved(tmp_path, np.arange(4.0)), 1.0)
    np.testing.assert_array_equal(np.asarray(x), np.arange(4, dtype=np.float32)[:, None], strict=True)


def test_rows_are_read_in_the_order_of_the_file_and_those_of_a_page_at_once(tmp_path, monkeypatch):
    array, calls, pread = RNG.integers(0, 256, (100, 2048), np.uint8), [], os.pread
    x = stored(saved(tmp_path, array), 1.0)

    def noted(file, size, start):
        calls.append(((start - x.start) / 2048, size / 2048))
        return pread(file, size, start)

    monkeypatch.setattr(os, "pread", noted)
    chosen = np.array([70, 20, 99, 10, 12, 15, 20, 19])  # up to two rows between are read too
    np.testing.assert_array_equal(np.asarray(x[chosen]), array[chosen])
    assert calls == [(10, 6), (19, 2), (70, 1), (99, 1)]


def test_rows_beyond_what_32_bits_count_are_read(tmp_path):
    path, n = saved(tmp_path, np.zeros((1, 2**20), np.uint8)), 2**13  # 8 GiB of which the disk holds next to nothing
    with open(path, "r+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (n, 2**20)})
        file.truncate(file.tell() + n * 2**20)
        file.seek(-1, os.SEEK_END)
        file.write(b"\7")
    last = stored(path, 1.0)[np.array([5000, n - 1], np.int32)]
    assert np.asarray(last)[:, -1].tolist() == [0, 7]


def test_what_is_read_is_given_to_a_cpu_without_a_copy(tmp_path):
    array = np.asarray(stored(saved(tmp_path, np.zeros((1000, 64), np.uint8)), 1.0))
    assert array.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        (np.zeros((0, 3)), InputError, r"x has shape \(0, 3\); expected \(n, ...\)"),
        (np.asfortranarray(np.zeros((2, 3))), InputError, "column by column; expected row by row"),
        (
            np.array([[None]]),
            InputError,
            r"x.npy: its dtype is '\|O': Python objects, which would have to be unpickled",
        ),
        (np.array([["a"]]), InputError, "x.npy: its dtype is '<U1': text; expected numbers"),
        (np.zeros((2, 3), "c16"), InputError, "x.npy: its dtype is '<c16': complex numbers"),
    ],
    ids=["empty", "fortran", "objects", "text", "complex"],
)
def test_what_cannot_be_rows_is_refused(tmp_path, array, error, words):
    with pytest.raises(error, match=words):
        stored(saved(tmp_path, array), 1.0)


def test_a_header_that_lies_about_its_size_is_refused(tmp_path):
    path = saved(tmp_path, np.zeros((5, 3), np.uint8))
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) - 1)
    with pytest.raises(CorruptFileError, match=r"shape \(5, 3\) of uint8 does not make the 14 bytes"):
        stored(path, 1.0)
    with pytest.raises(CorruptFileError, match="is not a regular file$"):
        stored(tmp_path, 1.0)


def test_a_file_that_changes_while_it_is_open_is_noticed(tmp_path):
    path = saved(tmp_path, np.zeros((5, 3), np.uint8))
    x = stored(path, 1.0)
    saved(tmp_path, np.ones((5, 3), np.uint8))
    os.utime(path, ns=(0, 0))
    with pytest.raises(CorruptFileError, match="x.npy: has changed since it was opened"):
        np.asarray(x)
    os.remove(path)
    with pytest.raises(CorruptFileError, match="x.npy: cannot be read: No such file"):
        np.asarray(x)


def test_a_failing_disk_is_named(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(5, "Input/output error")

    x = stored(saved(tmp_path, np.zeros((5, 3), np.uint8)), 1.0)
    monkeypatch.setattr(os, "pread", fails)
    with pytest.raises(CorruptFileError, match=r"x.npy: cannot be read: Input/output error"):
        np.asarray(x)
    monkeypatch.setattr(os, "pread", lambda *_: b"")
    with pytest.raises(CorruptFileError, match="x.npy: ends before its last row"):
        np.asarray(x)


@pytest.mark.parametrize("hole", [np.nan, -np.inf, 1e39])
def test_a_number_that_is_none_is_named_by_its_row(tmp_path, hole):
    array = np.zeros((9, 3))
    array[6, 1] = hole
    x = stored(saved(tmp_path, array), 1.0)
    assert not np.asarray(x[:6]).any()
    with pytest.raises(InputError, match=r"x.npy: x\[6\] holds nan, or a number beyond float32"):
        np.asarray(x[np.array([8, 6])])


def test_a_block_is_small_though_its_rows_lie_apart(tmp_path, monkeypatch):
    sizes, pread = [], os.pread
    x = stored(saved(tmp_path, np.zeros(2_000_000, np.float32)), 1.0)[::500]
    monkeypatch.setattr(os, "pread", lambda file, size, start: sizes.append(size) or pread(file, size, start))
    for _ in x.blocks():
        assert sum(sizes) < 2 * room.BLOCK_BYTES
        sizes.clear()
