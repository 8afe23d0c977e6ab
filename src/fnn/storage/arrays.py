"""Arrays in `.npy` and `.npz` files, read without trusting the file.

`np.load` allocates what an unchecked header declares, takes the last of two members with one name, and can be asked to
unpickle. Here all that a file declares (names, sizes, header, dtype, shape) is compared with the bytes that are there
before the numbers are read. Nothing in a file is ever executed, and whatever is wrong raises a `CorruptFileError`.
Big-endian numbers are read too, and become numbers of this machine.
"""

import io
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

import numpy as np

from fnn.errors import CorruptFileError
from fnn.storage.files import open_plain, write_atomically
from fnn.storage.zips import check_end, check_members, quoted

DTYPES = ("|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8")  # plain numbers alone
READ = {*DTYPES, *(dtype.replace("<", ">") for dtype in DTYPES)}
TEXT = re.compile(r"\|S[1-9]\d{0,6}|[<>]U[1-9]\d{0,6}")
OTHER = {  # the first letter of a dtype, and what to do about it
    "O": "Python objects, which would have to be unpickled; store them as numbers, or texts by astype(str)",
    "U": "text; expected numbers",
    "S": "text; expected numbers",
    "M": "dates; store them as numbers, for example as seconds",
    "m": "durations; store them as numbers, for example as seconds",
    "c": "complex numbers; store their real and imaginary parts as two columns",
}
LARGEST_NPZ = 2**31 - 1  # bytes, of an .npy file too; a larger zip file has 64-bit records, which are not read here
LARGEST_HEADER = 10_000  # bytes of an `.npy` header; NumPy has the same limit
BYTES_AT_ONCE = 2**20  # of an array that is read
HEADER = re.compile(
    rb"\{'descr': *'([^']{1,20})', *'fortran_order': *(True|False), *"
    rb"'shape': *\(((?:\d{1,19}, *)*(?:\d{1,19})?)\),? *\} *\n?"
)
STRUCTURED = rb"{'descr': ["  # how the header of an array with named fields begins
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
    OverflowError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


class OtherArraysError(CorruptFileError):
    """A sound file that holds other arrays than the expected ones: other names, or an array of another kind."""


def read_npz(
    path: str | os.PathLike[str], names: Collection[str], *, unread: Collection[str] = (), text: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file, by name.

    Args:
        path: A file made by `write_npz`, `np.savez` or `np.savez_compressed`, at most 2 GiB.
        names: Exactly the arrays it must hold, without `.npy`.
        unread: Arrays that may be there too; they are not looked at.
        text: Those of `names` that may hold text in place of numbers.

    Returns:
        One array per name, in the order of `names`. They take no more memory than the file has bytes, or, if it is
        compressed, than 64 MiB plus 16 times its bytes. Beyond the arrays, reading takes a few MiB.

    Raises:
        CorruptFileError: The file is missing, unreadable, or anything in it is wrong.
        OtherArraysError: It is sound, but these are not its arrays.
    """
    with _opened(path) as (file, size):
        check_end(file, size)
        with zipfile.ZipFile(file) as archive:
            _check_names(archive, names, unread)
            members = check_members(archive, size, names, unread)
            return {name: _read_member(archive, members[name], name in text) for name in names}


def read_npy(path: str | os.PathLike[str], *, text: bool = False) -> np.ndarray:
    """The array of an `.npy` file of at most 2 GiB.

    Args:
        path: A file made by `write_npy` or `np.save`.
        text: Whether it may hold text in place of numbers.

    Raises:
        CorruptFileError: The file is missing, unreadable, or anything in it is wrong.
        OtherArraysError: It is sound, but its array is of another kind.
    """
    with _opened(path) as (file, size):
        return _read_array(file, size, text)


def read_header(
    path: str | os.PathLike[str],
) -> tuple[np.dtype[Any], bool, tuple[int, ...], int, os.stat_result]:
    """What the header of an `.npy` file of any size declares, checked against that size; the numbers are not read.

    Returns:
        The dtype, whether the order is Fortran's, the shape, the byte where the numbers start, and the file's status.

    Raises:
        CorruptFileError: As `read_npy`.
    """
    with _opened(path, math.inf) as (file, size):
        dtype, fortran, shape, start = _read_header(file, text=False)
        _check_size(dtype, shape, size - start)
        return dtype, fortran, shape, start, os.fstat(file.fileno())


def npz_shapes(path: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of all arrays in an `.npz` file, by name; the numbers are not read.

    Raises:
        CorruptFileError: As `read_npz`.
    """
    with _opened(path) as (file, size):
        check_end(file, size)
        with zipfile.ZipFile(file) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            members = check_members(archive, size, names, ())
            streams = ((name, archive.open(member)) for name, member in members.items())
            return {name: _read_header(stream, text=False)[2] for name, stream in streams}


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes arrays atomically; the same arrays in the same order give the same bytes.

    Raises:
        OSError: The file cannot be written.
        TypeError: An array holds something else than plain numbers (`DTYPES`).
    """
    write_atomically(path, npz_bytes(arrays))


def write_npy(path: str | os.PathLike[str], array: Any) -> None:
    """Writes one array atomically; raises as `write_npz`."""
    write_atomically(path, npy_bytes(array))


def npz_bytes(arrays: Mapping[str, Any], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The bytes of an `.npz` file; they do not depend on the time, the user or the machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr, member.compress_type = 3, 0o644 << 16, compression
            archive.writestr(member, npy_bytes(array))
    return buffer.getvalue()


def npy_bytes(array: Any) -> bytes:
    """The bytes of an `.npy` file: version 1.0, little-endian, in C order.

    Raises:
        TypeError: The array holds something else than plain numbers (`DTYPES`).
    """
    array = np.asarray(array, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if array.dtype.str not in DTYPES:
        raise TypeError(f"cannot store an array of dtype {array.dtype}; expected one of {' '.join(DTYPES)}: convert it")
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"  # the numbers start at a multiple of 64 bytes
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii") + array.tobytes()


@contextmanager
def _opened(path: str | os.PathLike[str], largest: float = LARGEST_NPZ) -> Generator[tuple[BinaryIO, int], None, None]:
    """An open file and its size; every error that its content causes in the block becomes a `CorruptFileError`."""
    try:
        with open_plain(path, largest) as file:
            yield file, os.fstat(file.fileno()).st_size
    except OtherArraysError as error:
        raise OtherArraysError(path, error.reason) from None
    except UNREADABLE as error:
        raise CorruptFileError(path, _reason(error)) from error
    except MemoryError as error:
        raise CorruptFileError(path, "its arrays do not fit into memory") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return str(error)[:300] or type(error).__name__  # cut, because zipfile quotes names from the file


def _check_names(archive: zipfile.ZipFile, names: Collection[str], unread: Collection[str]) -> None:
    """Refuses a file of arrays with other names; `check_members` refuses names that no such file has."""
    found = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if len(set(found)) == len(archive.namelist()) and not set(names) <= set(found) <= {*names, *unread}:
        raise OtherArraysError("", f"holds {quoted(found)}; expected {quoted(names)}, once each")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, text: bool) -> np.ndarray:
    try:
        with archive.open(member) as stream:
            return _read_array(stream, member.file_size, text)
    except UNREADABLE as error:
        other = isinstance(error, OtherArraysError)
        reason = f"array {quoted([member.filename.removesuffix('.npy')])}: {error.reason if other else _reason(error)}"
        raise (OtherArraysError("", reason) if other else ValueError(reason)) from error


def _read_array(stream: IO[bytes], size: int, text: bool) -> np.ndarray:
    """The array in a stream of `size` bytes."""
    dtype, fortran, shape, start = _read_header(stream, text)
    _check_size(dtype, shape, size - start)
    payload = np.empty(size - start, np.uint8)
    _fill(stream, payload.data)
    if dtype == np.bool_ and payload.max(initial=0) > 1:
        raise ValueError("a truth value is neither 0 nor 1")
    array = payload.view(dtype)
    if dtype.kind == "U" and array.view(dtype.str[0] + "u4").max(initial=0) > 0x10FFFF:
        raise ValueError("a text holds a character that does not exist")
    array = array.astype(dtype.newbyteorder("="), copy=False)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _read_header(stream: IO[bytes], text: bool) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """The dtype, whether the order is Fortran's, the shape, and the bytes of the header."""
    start = stream.read(8)
    width = {b"\x93NUMPY\1\0": 2, b"\x93NUMPY\2\0": 4, b"\x93NUMPY\3\0": 4}.get(start, 0)
    length = int.from_bytes(stream.read(width), "little")
    if not 0 < length <= LARGEST_HEADER:
        raise ValueError("is not an .npy array, or its header is longer than 10,000 bytes")
    header = stream.read(length)
    match = HEADER.fullmatch(header)  # a pattern and not a parser, so that nothing nests or is evaluated
    if len(header) == length and header.startswith(STRUCTURED):
        raise OtherArraysError("", "it has named fields (a structured array); store its columns as one plain array")
    if len(header) != length or match is None:
        raise ValueError(f"its header {ascii(header[:80])} is not that of a plain array")
    descr, fortran, dimensions = (group.decode("latin-1") for group in match.groups())
    if descr not in READ and not (text and TEXT.fullmatch(descr)):
        raise OtherArraysError("", f"its dtype is {ascii(descr)}{_about(descr)}")
    shape = tuple(int(dimension) for dimension in dimensions.replace(",", " ").split())
    return np.dtype(descr), fortran == "True", shape, 8 + width + length


def _about(descr: str) -> str:
    known = OTHER.get(descr.lstrip("<>|=")[:1])
    return f": {known}" if known else f"; expected one of {' '.join(DTYPES)}"


def _check_size(dtype: np.dtype[Any], shape: tuple[int, ...], size: int) -> None:
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"shape {shape} of {dtype} does not make the {size:,} bytes that follow its header")


def _fill(stream: IO[bytes], view: memoryview) -> None:
    """Fills `view` in chunks and checks that the stream ends there; at its end `zipfile` checks the CRC."""
    done = 0
    while done < len(view):
        chunk = stream.read(min(BYTES_AT_ONCE, len(view) - done))
        if not chunk:
            raise ValueError(f"ends after {done:,} of {len(view):,} bytes")
        view[done : done + len(chunk)] = chunk
        done += len(chunk)
    if stream.read(1):
        raise ValueError("goes on after its last number")
