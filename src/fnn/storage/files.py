"""Files and folders that are written atomically: they are complete, or not there at all.

Whatever `fnn` writes goes through the few operations of `os` in this file. A test can therefore record them, let any
of them fail, or replay what a power cut would leave.
"""

import contextlib
import errno
import io
import math
import os
import secrets
import stat
import time
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path

from fnn.errors import InputError

LOCK = ".lock"  # the name of a folder's lock file
LOOK, LOOKS = 0.02, 6  # seconds between the attempts to lock a folder, and their number
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
        os.replace(temporary, target)
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
        os.rename(temporary, target)
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
    os.rename(path, temporary)
    _erase(temporary)


def _temporary(target: Path) -> Path:
    """A name beside the target, made of the process id and a random part: two writers never share a temporary file."""
    return target.with_name(f".{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")


def remove_file(path: str | os.PathLike[str]) -> None:
    """Removes a file, if it is there."""
    if os.path.lexists(path):
        os.unlink(path)


def remove_temporaries(folders: Iterable[Path]) -> None:
    """Removes what killed writers have left; to be called only when nobody else is writing there."""
    for folder in folders:
        for path in folder.glob(".*.tmp-*-*"):
            _erase(path)


def _erase(path: Path) -> None:
    """Removes a file, or a folder and all in it, if it is there."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    for name in os.listdir(path):
        _erase(path / name)
    os.rmdir(path)


def _write_through(path: Path, data: bytes) -> None:
    descriptor = os.open(path, _CREATE, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Makes renames and removals in a folder survive a power cut, where the system can promise that."""
    if os.name != "posix":  # other systems cannot open a folder, and NTFS journals the names in it
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
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
    return open(path, "rb")


def is_locked(folder: str | os.PathLike[str]) -> bool | None:
    """Whether a process holds the lock of a folder; None where that cannot be found out.

    Nothing is written. The look itself takes a shared lock for a moment; `locked` waits for it.
    """
    try:
        import fcntl
    except ImportError:  # Windows has none
        return None
    try:
        descriptor = os.open(Path(folder, LOCK), os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:  # nobody has ever held it
        return False
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return None
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str]) -> Generator[None, None, None]:
    """Holds the lock of a folder; the system releases it when the process ends, however it ends.

    Raises:
        InputError: Another process holds it.
        OSError: The lock file cannot be made.
    """
    descriptor = os.open(Path(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)  # the lock file stays: removing it could remove the lock of the next process


def _lock(descriptor: int, folder: str | os.PathLike[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has none; there nothing keeps a user from two runs in one directory
        return
    for attempt in range(LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOOK * (attempt < LOOKS - 1))  # it may be a mere look, by `is_locked`
    raise InputError(f"{folder}: another process is training here; expected none. Wait for it, or end it.")
