"""Files that are there whole or not at all."""

import os
import secrets
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Puts `data` under `path`; after a crash at any moment the old file or the new one is there, never half of one.

    Args:
        path: The file to make or to replace; its folder exists.
        data: All of its bytes.

    Raises:
        OSError: The disk is full, the folder is missing or read-only, ...; `path` is then as it was, and the
            temporary file beside it is gone.
    """
    target = Path(path)
    # the process and a random part: two writers never share a temporary
    temporary = target.with_name(f".{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write_through(temporary, data)
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too must leave nothing behind
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _write_through(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Makes the names in a folder (a rename, a removal) outlive a power cut, where the system can promise that."""
    if os.name != "posix":  # a folder cannot be opened elsewhere, and NTFS journals its names
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
