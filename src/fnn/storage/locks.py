"""One writer for a folder at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from fnn.errors import InputError

NAME = ".lock"


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Holds the folder's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        InputError: another process holds it.
        OSError: the lock file cannot be made.
    """
    descriptor = os.open(Path(folder, NAME), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)  # the file stays: whoever removes it could remove the next one's lock


def _lock(descriptor: int, folder: str | os.PathLike[str]) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows, where two runs of one directory are left to the user's care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"{folder}: another process is training here; expected none. Wait for it, or end it."
        ) from None
