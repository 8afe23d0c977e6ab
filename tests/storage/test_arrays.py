"""Arrays go to disk and back bit for bit; an array that lies is refused, cheaply and by one error."""

import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fnn.errors import CorruptFileError
from fnn.storage.arrays import DTYPES, OtherArraysError, npy_bytes, npz_bytes, read_npy, read_npz, write_npy, write_npz
from tests.helpers.archives import ARRAYS, read_xy, refused
from tests.helpers.hostile import MIB, memory_below, mutations


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    array=st.sampled_from(DTYPES).flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0)))
)
def test_every_dtype_and_shape_comes_back_bit_for_bit(tmp_path_factory, array):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    write_npz(path, {"a": array, "b": array.T})
    for found, wanted in zip(read_npz(path, ("a", "b")).values(), (array, array.T), strict=True):
        assert (found.dtype, found.shape, found.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())
    with np.load(path) as other:
        assert other["a"].tobytes() == array.tobytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "deflated"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_writes_is_read(tmp_path, save, order):
    save(tmp_path / "a.npz", x=np.asarray(ARRAYS["x"], order=order), y=ARRAYS["y"])
    found = read_xy(tmp_path / "a.npz")
    assert list(found) == ["x", "y"]
    assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)


def test_our_npy_is_the_bytes_of_numpy(tmp_path):
    for array in (*ARRAYS.values(), np.float64(3), np.zeros((0, 3), np.uint16)):
        buffer = io.BytesIO()
        np.save(buffer, array)
        write_npy(tmp_path / "a.npy", array)
        assert (tmp_path / "a.npy").read_bytes() == buffer.getvalue()
        assert np.array_equal(read_npy(tmp_path / "a.npy"), array)


def test_the_same_arrays_are_the_same_bytes():
    assert npz_bytes(ARRAYS) == npz_bytes(ARRAYS)
    with zipfile.ZipFile(io.BytesIO(npz_bytes(ARRAYS))) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    "array", [np.array([None]), np.array(["a"]), np.zeros(2, "f4,i4"), np.zeros(1, complex)], ids=repr
)
def test_only_plain_numbers_are_written(array):
    with pytest.raises(TypeError, match=r"dtype .*expected one of"):
        npy_bytes(array)


def test_big_endian_arrays_are_written_little_endian():
    assert npy_bytes(np.arange(3, dtype=">f4")) == npy_bytes(np.arange(3, dtype="<f4"))


def npy(header, payload=b"", length=0, version=b"\1\0"):
    """A `.npy` file with a header of one's own."""
    width = "<H" if version == b"\1\0" else "<L"
    return b"\x93NUMPY" + version + struct.pack(width, length or len(header)) + header.encode() + payload


def plain(descr="'<f4'", shape="(2,)", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


LYING_ARRAYS = {
    "empty": b"",
    "magic alone": b"\x93NUMPY",
    "header of 4 GiB": npy(plain(), bytes(8), 2**32 - 1, b"\2\0"),
    "header of 20 kB": npy(plain() + " " * 20_000, bytes(8)),
    "header cut short": npy(plain(), length=500),
    "version 9": npy(plain(), bytes(8), version=b"\x09\0"),
    "16 GiB without payload": npy(plain(shape="(65536, 65536)")),
    "product beyond 64 bits": npy(plain(shape="(4294967296, 4294967296, 2)"), bytes(8)),
    "product of zero beyond 64 bits": npy(plain(shape="(0, 4294967296, 4294967296)")),
    "negative dimension": npy(plain(shape="(-2,)"), bytes(8)),
    "two negative dimensions": npy(plain(shape="(-1, -2)"), bytes(8)),
    "a dimension of 5,000 digits": npy(plain(shape=f"({'9' * 5000},)")),
    "200 dimensions": npy(plain(shape=f"({'1, ' * 200})"), bytes(4)),
    "objects": npy(plain("'|O'"), bytes(16)),
    "a pickle": npy(plain("'|O'", "()"), b"cos\nsystem\n(S'false'\ntR."),
    "structured": npy(plain("[('a', '<f4')]"), bytes(8)),
    "big-endian and too short": npy(plain("'>f4'"), bytes(7)),
    "strings": npy(plain("'|S10'"), bytes(20)),
    "dates": npy(plain("'<M8[ns]'"), bytes(16)),
    "complex": npy(plain("'<c8'"), bytes(16)),
    "raw bytes": npy(plain("'|V2'"), bytes(4)),
    "a call": npy("{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (2,), }\n", bytes(8)),
    "deep brackets": npy("(" * 9000),
    "one number too few": npy(plain(), bytes(7)),
    "one byte too many": npy(plain(), bytes(9)),
    "a truth value of 2": npy(plain("'|b1'"), b"\1\2"),
}


@pytest.mark.parametrize("case", LYING_ARRAYS)
def test_an_array_that_lies_is_refused(tmp_path, case):
    path = tmp_path / "a.npy"
    path.write_bytes(LYING_ARRAYS[case])
    refused(read_npy, path)
    packed = tmp_path / "a.npz"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.npy", LYING_ARRAYS[case])
        archive.writestr("y.npy", npy_bytes(ARRAYS["y"]))
    refused(read_xy, packed, "array 'x'")


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">f2", ">i8", ">u4", ">i2"])
def test_big_endian_numbers_are_read_as_those_of_this_machine(tmp_path, dtype):
    wanted = np.arange(6).reshape(2, 3)
    for order in "CF":
        np.save(tmp_path / "a.npy", wanted.astype(dtype, order=order))
        found = read_npy(tmp_path / "a.npy")
        assert (found.dtype, found.tolist()) == (np.dtype(dtype).newbyteorder("="), wanted.tolist())


@pytest.mark.parametrize("dtype", ["<U3", ">U3", "S3"])
def test_text_is_read_where_it_is_expected_and_nowhere_else(tmp_path, dtype):
    wanted = np.array(["cat", "d", "e"], dtype)
    np.save(tmp_path / "a.npy", wanted)
    found = read_npy(tmp_path / "a.npy", text=True)
    assert (found.dtype.kind, found.tolist()) == (wanted.dtype.kind, wanted.tolist())
    np.savez(tmp_path / "a.npz", x=wanted, y=wanted)
    assert read_npz(tmp_path / "a.npz", ("y",), unread=("x",), text=("y",))["y"].tolist() == wanted.tolist()
    with pytest.raises(OtherArraysError, match=r"array 'x': its dtype is '.*3': text; expected numbers"):
        read_npz(tmp_path / "a.npz", ("x", "y"), text=("y",))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([None, {}]), r"'\|O': Python objects, which would have to be unpickled; store them as numbers"),
        (np.array(["2026-01-01"], "M8[D]"), r"'<M8\[D\]': dates; store them as numbers"),
        (np.array([3], "m8[s]"), "durations; store them as numbers"),
        (np.zeros(2, complex), "'<c16': complex numbers; store their real and imaginary parts"),
        (np.zeros(2, "V2"), r"'\|V2'; expected one of \|b1"),
        (np.zeros(2, "f8,i4"), "named fields .* store its columns as one plain array"),
    ],
    ids=["objects", "dates", "durations", "complex", "raw", "structured"],
)
def test_a_sound_array_of_another_kind_is_told_apart_from_damage(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(OtherArraysError, match="a.npy: it.*" + words):
        read_npy(tmp_path / "a.npy")


def test_a_character_that_does_not_exist_is_corrupt(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(plain("'<U1'"), b"\xff" * 8))
    with pytest.raises(CorruptFileError, match="a character that does not exist"):
        read_npy(tmp_path / "a.npy", text=True)


@pytest.mark.parametrize("names", [("X", "y"), ("x_train", "y_train"), ("x", "y", "note"), ("x",), ("data", "indptr")])
def test_a_sound_file_of_other_names_is_told_apart_from_damage(tmp_path, names):
    np.savez(tmp_path / "a.npz", **{name: np.zeros(2) for name in names})
    with pytest.raises(OtherArraysError, match=f"holds '{names[0]}'.*; expected 'x', 'y', once each"):
        read_npz(tmp_path / "a.npz", ("x", "y"))


def test_fortran_order_is_read_from_a_header_too(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(plain(shape="(2, 3)", order="True"), np.arange(6, dtype="<f4").tobytes()))
    assert read_npy(tmp_path / "a.npy").tolist() == [[0, 2, 4], [1, 3, 5]]


def test_a_shape_that_does_not_fit_is_named_before_anything_is_read(tmp_path):
    (tmp_path / "a.npy").write_bytes(LYING_ARRAYS["16 GiB without payload"])
    refused(read_npy, tmp_path / "a.npy", r"shape \(65536, 65536\) of float32 does not make the 0 bytes")


def test_memory_is_the_arrays_and_little_more(tmp_path):
    wanted = {"x": np.random.default_rng(0).integers(0, 255, 20 * MIB, np.uint8)}
    write_npz(tmp_path / "a.npz", wanted)
    with memory_below(25 * MIB):
        found = read_npz(tmp_path / "a.npz", ("x",))
    assert np.array_equal(found["x"], wanted["x"])


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_mutated_files_give_arrays_or_the_one_error(tmp_path, compression):
    good, path, refusals = npz_bytes(ARRAYS, compression=compression), tmp_path / "a.npz", []
    with memory_below(66 * MIB):
        for data in mutations(good, 500):
            path.write_bytes(data)
            with contextlib.suppress(CorruptFileError):
                read_xy(path)
                continue
            refusals.append(data)
    assert len(refusals) > 400  # times, attributes and the like may change unseen: nothing here reads them
