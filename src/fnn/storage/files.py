"""Files and folders that are written atomically: they are complete, or not there at all.

Whatever `fnn` writes goes through the few operations of `os` in this file. A test can therefore record them, let any
of them fail, or replay what a power cut would leave.
"""

import contextlib
import errno
import importlib
import io
import math
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between the attempts to rename or remove what is in use
IN_USE = (5, 32, 145)  # errors of Windows: access denied, sharing violation, a folder whose files are being removed
NO_SUCH_REQUEST = (errno.EINVAL, errno.ENOTSUP, errno.ENOTTY)


def optional(name: str) -> Any:
    """A module of Python that only some systems have, else None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


fcntl = optional("fcntl")  # not of Windows
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` to `path`; after a crash at any moment the old file or the new one is there, never half of one.

    Args:
        path: The file to make or to replace; its folder exists.
        data: All of its bytes.

    Raises:
        OSError: The disk is full, the folder is missing or read-only, or similar. `path` is then unchanged and the
            temporary file beside it is removed; only where the sync of the folder failed, `path` is already new.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        _write_through(temporary, data)
        _patiently(os.replace, temporary, target)
    except BaseException:  # Ctrl-C must leave nothing behind either
        _erase(temporary)
        raise
    sync_folder(target.parent)


def write_folder(path: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Makes a folder of files; whatever happens, `path` is complete or not there.

    Args:
        path: The folder to make; it must not exist, and its parent must.
        files: The bytes of each, by name, written in this order.

    Raises:
        OSError: As `write_atomically`, or the folder exists.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        os.mkdir(temporary)
        for name, data in files.items():
            _write_through(temporary / name, data)
        sync_folder(temporary)
        if target.exists():  # `rename` would silently replace an empty folder
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        _patiently(os.rename, temporary, target)
    except BaseException:
        _erase(temporary)
        raise
    sync_folder(target.parent)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Makes an empty folder, unless there is one; it survives a power cut. Its parent must exist."""
    if not os.path.isdir(path):
        os.mkdir(path)
        sync_folder(Path(path).parent)


def remove_folder(path: str | os.PathLike[str]) -> None:
    """Removes a folder and all in it; if interrupted, it leaves a temporary folder, never a part under its name."""
    temporary = _temporary(Path(path))
    _patiently(os.rename, path, temporary)
    _erase(temporary)


def _temporary(target: Path) -> Path:
    """A name beside the target, made of the process id and a random part: two writers never share a temporary file."""
    return target.with_name(f".{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")


def remove_file(path: str | os.PathLike[str]) -> None:
    """Removes a file, if it is there."""
    if os.path.lexists(path):
        _patiently(os.unlink, path)


def remove_temporaries(folders: Iterable[Path]) -> None:
    """Removes what killed writers have left; to be called only when nobody else is writing there."""
    for folder in folders:
        for path in folder.glob(".*.tmp-*-*"):
            _erase(path)


def _erase(path: Path) -> None:
    """Removes a file, or a folder and all in it, if it is there."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(FileNotFoundError):
            _patiently(os.unlink, path)
        return
    for name in os.listdir(path):
        _erase(path / name)
    _patiently(os.rmdir, path)


def _write_through(path: Path, data: bytes) -> None:
    descriptor = os.open(path, _CREATE, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Returns once the bytes are on the disk. The `fsync` of macOS leaves them in the disk's own cache."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError as error:  # a file system that has no such request, one of a network for example
            if error.errno not in NO_SUCH_REQUEST:
                raise
    os.fsync(descriptor)


def _patiently(operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What an operation of `os` returns; it is repeated while Windows refuses it: another process has the file open."""
    for seconds in WAITS:
        try:
            return operation(*args, **kwargs)
        except OSError as error:
            if getattr(error, "winerror", None) not in IN_USE:
                raise
            time.sleep(seconds)
    return operation(*args, **kwargs)


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Makes renames and removals in a folder survive a power cut, where the system can promise that."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and NTFS journals the names in it
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def open_plain(path: str | os.PathLike[str], largest: float = math.inf) -> io.BufferedReader:
    """A regular file of at most `largest` bytes, open for reading.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: It is a folder, a pipe or a device, or it is larger.
    """
    status = os.stat(path)  # before opening, because opening a pipe waits for its other end
    if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
        limit = f" of at most {largest:,} bytes" if math.isfinite(largest) else ""
        raise ValueError(f"is not a regular file{limit}")
    return _patiently(open, path, "rb")
