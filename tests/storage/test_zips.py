"""A zip file that lies about its members is refused before they are read."""

import functools
import io
import stat
import struct
import warnings
import zipfile

import numpy as np
import pytest

from fnn.storage.arrays import npy_bytes, read_npz
from tests.helpers.archives import ARRAYS, read_xy, refused
from tests.helpers.hostile import MIB


def packed(*members, compression=zipfile.ZIP_STORED):
    """A zip file of `(name or ZipInfo, bytes)`."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # it warns of double names
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


def patched(data, at, values):
    """The bytes with some replaced, counted from the first directory entry (`at` >= 0) or the end record (< 0)."""
    start = data.index(b"PK\1\2") + at if at >= 0 else len(data) + at
    return data[:start] + values + data[start + len(values) :]


X, Y = (("x.npy", npy_bytes(ARRAYS["x"])), ("y.npy", npy_bytes(ARRAYS["y"])))
GOOD = packed(X, Y)
DIRECTORY = len(GOOD) - 22 - GOOD.index(b"PK\1\2")
LOCATOR = b"PK\6\7" + bytes(16)


@functools.cache
def bomb():
    """What is large is made when it is used, not when each process of tests reads this file."""
    return packed(("x.npy", npy_bytes(np.zeros(100 * MIB, np.uint8))), Y, compression=zipfile.ZIP_DEFLATED)


LYING_ZIPS = {
    "empty": b"",
    "a text": b"hello" * 20,
    "no members": packed(),
    "one missing": packed(X),
    "one too many": packed(X, Y, ("z.npy", b"")),
    "the same twice": packed(X, X, Y),
    "twice instead of both": packed(X, X),
    "absolute": packed(("/x.npy", X[1]), Y),
    "upwards": packed(("../x.npy", X[1]), Y),
    "hidden after a zero": packed(X, Y).replace(b"y.npy", b"y\0npy"),
    "terminal codes": packed(("\x1b[31mx\n.npy", X[1]), Y),
    "no suffix": packed(("x", X[1]), Y),
    "a link": packed((link("x.npy"), X[1]), Y),
    "lzma": packed(X, Y, compression=zipfile.ZIP_LZMA),
    "bzip2": packed(X, Y, compression=zipfile.ZIP_BZIP2),
    "unknown compression": patched(GOOD, 10, b"\x63\0"),
    "encrypted": patched(GOOD, 8, b"\1\0"),
    "wrong CRC": patched(GOOD, 16, b"\0\0\0\0"),
    "more than is stored": patched(GOOD, 20, struct.pack("<LL", 2**31, 2**31)),
    "64-bit sizes without a record": patched(GOOD, 20, b"\xff" * 8),
    "overlapping": patched(GOOD, GOOD.rindex(b"PK\1\2") - GOOD.index(b"PK\1\2") + 42, bytes(4)),
    "beyond the end": patched(GOOD, 42, struct.pack("<L", 2**31)),
    "data after the end": GOOD + b"more",
    "a comment": patched(GOOD, -2, b"\4\0") + b"more",
    "a comment in full": patched(GOOD, -2, b"\x16\0") + GOOD[-22:-2] + b"\1\0",
    "data before the start": b"#!/bin/sh\n" + GOOD,
    "directory beyond the end": patched(GOOD, -10, struct.pack("<L", 2**32 - 1)),
    "a directory of 2 MiB": lambda: packed(*((f"{i}.npy", b"") for i in range(30_000))),
    "a 64-bit end record": GOOD[:-22] + LOCATOR + patched(GOOD[-22:], -10, struct.pack("<L", DIRECTORY + len(LOCATOR))),
    "a bomb": bomb,
}
REASONS = {  # where more than one guard would stop it, the first one must
    "hidden after a zero": "expected 'x', 'y'",
    "encrypted": "encrypted, patched, or not a plain file",
    "more than is stored": "overlap",
    "overlapping": "overlap",
    "beyond the end": "beyond the file's data",
    "a comment": "goes on after its end",
    "a comment in full": "directory is not where",
    "a 64-bit end record": "directory is not where",
}


@pytest.mark.parametrize("case", LYING_ZIPS)
def test_a_zip_that_lies_is_refused(tmp_path, case):
    path = tmp_path / "a.npz"
    data = LYING_ZIPS[case]
    path.write_bytes(data() if callable(data) else data)
    assert "\x1b" not in str(refused(read_xy, path, REASONS.get(case)))


def test_a_message_does_not_quote_the_whole_file(tmp_path):
    data = GOOD[:26] + struct.pack("<H", 2000) + GOOD[28:]  # the length of a name
    (tmp_path / "a.npz").write_bytes(data)
    refused(read_xy, tmp_path / "a.npz", "File name in directory 'x.npy' and header")


def test_a_bomb_with_a_small_declared_size_stops_there(tmp_path):
    data = bomb()
    start = data.index(b"PK\1\2") + 24
    (tmp_path / "a.npz").write_bytes(data[:start] + struct.pack("<L", 1000) + data[start + 4 :])
    refused(read_xy, tmp_path / "a.npz", memory=2 * MIB)


def test_messages_name_what_was_found_and_what_was_expected(tmp_path):
    (tmp_path / "a.npz").write_bytes(packed(X, ("z.npy", b"")))
    refused(read_xy, tmp_path / "a.npz", r"holds 'x', 'z'; expected 'x', 'y', once each")
    (tmp_path / "b.npz").write_bytes(bomb())
    refused(read_xy, tmp_path / "b.npz", r"would unfold to 104,8.*np\.savez")
    refused(read_xy, tmp_path / "c.npz", "cannot be read: No such file")
    refused(read_xy, tmp_path, "is not a regular file")


def test_arrays_that_need_not_be_read_are_not(tmp_path):
    (tmp_path / "a.npz").write_bytes(packed(X, ("y.npy", b"no array")))
    assert list(read_npz(tmp_path / "a.npz", ("x",), unread=("y",))) == ["x"]


def test_every_flipped_byte_of_a_number_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    start = GOOD.index(X[1][-2400:])
    for at in range(start, start + 2400, 37):
        path.write_bytes(GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :])
        refused(read_xy, path, "CRC")


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    for length in range(0, len(GOOD), 97):
        path.write_bytes(GOOD[:length])
        refused(read_xy, path)
