"""MNIST: 70,000 handwritten digits of 28 x 28 bytes, in the four files of Y. LeCun, C. Cortes and C. Burges.

The files are searched for on this machine, and downloaded once if they are not there. Each time they are read, the
SHA-256 of their decompressed content is checked. That of the compressed files is not, because several editions exist.
"""

import hashlib
import math
import os
import struct
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fnn.data.dataset import Raw
from fnn.data.download import FAILURES, fetch
from fnn.errors import CorruptFileError, InputError
from fnn.storage.files import write_atomically
from fnn.storage.paths import user_cache, user_path

HOSTS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
TIMEOUT = 20.0  # seconds of silence before a host is given up
SLACK = 2**16  # bytes by which a compressed file may be larger than its content
CLASSES = tuple("0123456789")
MOVE = (
    "it is damaged, or of another set with the same file names, such as Fashion-MNIST. Move it or set FNN_DATA_DIR to "
    "another folder, and MNIST is downloaded; other sets are read as source = 'set.npz' with arrays x and y"
)
UINT8 = 0x08  # the code of unsigned bytes in an IDX file, the only type read here


class IdxFile(NamedTuple):
    """One of the files."""

    name: str  # without `.gz`
    shape: tuple[int, ...]
    sha256: str  # of the decompressed content

    @property
    def size(self) -> int:
        """The bytes of the decompressed content: a magic number, the lengths of the axes, then the array."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)


FILES = (
    IdxFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile("train-labels-idx1-ubyte", (60_000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    IdxFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile("t10k-labels-idx1-ubyte", (10_000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)


def load(
    *, files: Sequence[IdxFile] = FILES, hosts: Sequence[str] = HOSTS, timeout: float = TIMEOUT
) -> tuple[Raw, Raw]:
    """The training and the test images, `(60000, 784)` and `(10000, 784)` bytes, in the order of the files.

    Args:
        files: The files, in the order of `FILES`.
        hosts: Where to download missing files from; they are tried one after the other.
        timeout: Seconds to wait for each answer of a host.

    Raises:
        InputError: A file is missing and cannot be downloaded; the message says what to put where.
        CorruptFileError: A file on this machine is not the one it should be.
    """
    train_x, train_y, test_x, test_y = (_read(file, files, hosts, timeout) for file in files)
    return _raw(train_x, train_y), _raw(test_x, test_y)


def cache_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where downloaded files go: `mnist` in `FNN_DATA_DIR`, or in `fnn` in the user's cache folder.

    Raises:
        InputError: `FNN_DATA_DIR` can be no folder, or it is not set and there is no home folder.
    """
    if chosen := _data_dir(environ):
        return chosen / "mnist"
    return user_cache("FNN_DATA_DIR names another one", environ, platform) / "mnist"


def _data_dir(environ: Mapping[str, str]) -> Path | None:
    """The folder that `FNN_DATA_DIR` names; None if it is not set.

    Raises:
        InputError: it is a file, `~` stands for no home folder, or the name holds an invisible character.
    """
    name = environ.get("FNN_DATA_DIR")
    if not name:
        return None
    path = Path(user_path(name, "FNN_DATA_DIR"))
    if path.is_file():
        raise InputError(f"FNN_DATA_DIR {name}: is a file; expected the folder that has the four files of MNIST.")
    return path


def find(name: str) -> Path | None:
    """The file of that name, plain or compressed, in the cache folder or in `FNN_DATA_DIR` itself.

    Some archives have `train-images.idx3-ubyte` in place of `train-images-idx3-ubyte`; both are found.
    """
    folders = [folder for folder in (cache_folder(), _data_dir(os.environ)) if folder]
    names = (name, name.replace("-idx", ".idx"))
    candidates = (folder / f"{called}{suffix}" for folder in folders for called in names for suffix in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def parse_idx(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of a file in the IDX format as an array of the shape it must have, without a copy.

    Raises:
        ValueError: The magic number, the axes or the length are not those of `shape`.
    """
    head = struct.pack(f">4B{len(shape)}L", 0, 0, UINT8, len(shape), *shape)
    if not data.startswith(head):
        raise ValueError(f"does not start as an IDX file of bytes of shape {shape}")
    expected = len(head) + math.prod(shape)
    if len(data) != expected:
        raise ValueError(f"has {len(data):,} bytes; expected {expected:,}")
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(shape)


def _raw(x: np.ndarray, y: np.ndarray) -> Raw:
    return Raw(x.reshape(len(x), -1), y.astype(int), CLASSES, 1 / 255)


def _read(file: IdxFile, files: Sequence[IdxFile], hosts: Sequence[str], timeout: float) -> np.ndarray:
    path = find(file.name)
    if path is None:
        return parse_idx(_download(file, files, hosts, timeout), file.shape)
    try:
        return parse_idx(_content(file, _bounded(path, file.size + SLACK), path.suffix == ".gz"), file.shape)
    except (OSError, ValueError) as error:
        raise CorruptFileError(path, f"{error}; {MOVE}") from error


def _bounded(path: Path, limit: int) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(limit + 1)


def _content(file: IdxFile, data: bytes, compressed: bool) -> bytes:
    """The decompressed bytes of `file`; a `ValueError` if they are not the right ones."""
    content = _unzipped(data, file.size) if compressed else data
    if len(content) != file.size:
        more = "more" if len(content) > file.size else "fewer"
        raise ValueError(f"has {more} than the {file.size:,} bytes of {file.name}")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(f"has the SHA-256 {found}; expected {file.sha256}")
    return content


def _unzipped(data: bytes, size: int) -> bytes:
    """The content of a gzip file, at most one byte more than `size`, so that a bomb is not unpacked."""
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"is not a gzip file: {error}, it starts with {data[:16]!r}") from error
    if len(content) <= size and (not stream.eof or stream.unused_data):
        raise ValueError("is a gzip file that is cut short, or goes on after its end")
    return content


def _download(file: IdxFile, files: Sequence[IdxFile], hosts: Sequence[str], timeout: float) -> bytes:
    """The content of `file` from the first host that has it, checked and then put into the cache.

    Until then it is in memory (12 MB, and 47 MB unpacked), so that no partial file can be taken for a complete one.
    """
    target, failures = _target(file, files), []
    for host in hosts:
        url = f"{host}{file.name}.gz"
        try:
            content = _content(file, fetch(url, file.size + SLACK, timeout), compressed=True)
        except FAILURES as error:
            failures.append(f"{url}: {error or type(error).__name__}")
        else:
            return _kept(target, content, files)
    raise InputError("mnist is not on this machine and cannot be downloaded: " + "; ".join(failures) + _remedy(files))


def _target(file: IdxFile, files: Sequence[IdxFile]) -> Path:
    """Where the file will go; a folder that cannot be used is an error before the download, not after it."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"mnist has no place: {folder}: {error.strerror}{_remedy(files)}") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"mnist has no place: {folder}: is read-only{_remedy(files)}")
    return folder / file.name


def _kept(target: Path, content: bytes, files: Sequence[IdxFile]) -> bytes:
    try:
        write_atomically(target, content)
    except OSError as error:
        raise InputError(f"mnist cannot be kept: {target}: {error.strerror}{_remedy(files)}") from error
    return content


def _remedy(files: Sequence[IdxFile]) -> str:
    lines = [f"  {file.name}  SHA-256 {file.sha256}" for file in files]
    return "\n".join(
        [f".\nPut these four files (or NAME.gz) into {cache_folder()}, or set FNN_DATA_DIR to their folder:", *lines]
    )
