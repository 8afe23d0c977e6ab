"""The lock of a folder: one process trains in it, and every other can see that it does.

POSIX has `flock`, Windows has `msvcrt.locking`. Either is held by an open file, and the system releases it when the
process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator
from pathlib import Path

from fnn.errors import InputError
from fnn.storage.files import optional

LOCK = ".lock"  # the name of a folder's lock file
LOOK, LOOKS = 0.02, 6  # seconds between the attempts to lock a folder, and their number
fcntl, msvcrt = optional("fcntl"), optional("msvcrt")  # of POSIX; of Windows


def is_locked(folder: str | os.PathLike[str]) -> bool | None:
    """Whether a process holds the lock of a folder; None where that cannot be found out.

    Nothing is written. The look itself takes the lock for a moment, on POSIX a shared one; `locked` waits for it.
    """
    try:
        descriptor = os.open(Path(folder, LOCK), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:  # nobody has ever held it
        return False
    except OSError:
        return None
    try:
        taken = _take(descriptor, shared=True)
        if taken:
            _release(descriptor)
        return None if taken is None else not taken
    except OSError:  # a file system without locks
        return None
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str]) -> Generator[None, None, None]:
    """Holds the lock of a folder; on a system without locks nothing keeps a user from two runs in one folder.

    Raises:
        InputError: Another process holds it.
        OSError: The lock file cannot be made.
    """
    descriptor, taken = os.open(Path(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o666), None
    try:
        taken = _take(descriptor, shared=False)
        if taken is False:
            raise InputError(f"{folder}: another process is training here; expected none. Wait for it, or end it.")
        yield
    finally:
        if taken:
            _release(descriptor)
        os.close(descriptor)  # the lock file stays: removing it could remove the lock of the next process


def _take(descriptor: int, shared: bool) -> bool | None:
    """Whether the lock was taken; None where there are no locks. Another process that merely looks is waited for."""
    for attempt in range(LOOKS):
        taken = _attempt(descriptor, shared)
        if taken is not False or (shared and fcntl):  # two that look at once are in nobody's way
            return taken
        time.sleep(LOOK * (attempt < LOOKS - 1))
    return False


def _attempt(descriptor: int, shared: bool) -> bool | None:
    try:
        if fcntl:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        elif msvcrt:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # the first byte, which need not be there
    except (BlockingIOError, PermissionError):  # of POSIX; of Windows
        return False
    return True if fcntl or msvcrt else None


def _release(descriptor: int) -> None:
    """Release the lock at once: after a file is closed, Windows takes its time."""
    if not fcntl and msvcrt:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
