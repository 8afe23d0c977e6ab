"""Compiled programs kept in a folder of the user's own, so that a second run of a config need not compile.

The programs are machine code, and a later run executes what it finds in the folder. Whoever can write there decides
what runs. So only a folder is taken in which nobody else can write. Without `--cache` it is the user's own cache
folder, as with Numba, Triton and PyTorch. If that cannot be used, programs are compiled, and one line says why.

In the folder there is one subfolder for each kind of CPU and version of JAX. Together they hold `MOST_BYTES`; the
programs that have not been read for the longest time go first.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TextIO

from fnn.errors import InputError
from fnn.machine.hardware import instructions
from fnn.storage.paths import user_cache, user_path

MOST_BYTES = 256 * 2**20  # of all programs; a run of a small net keeps 0.3 MB
VARIABLE = "FNN_CACHE"  # a folder, or OFF
OFF = "off"
OF_JAX = ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE")  # who sets these has decided
FAULT = re.compile(r"Error (reading|writing) persistent compilation cache entry for '([^']*)'")


class Kept(NamedTuple):
    """The programs in a folder."""

    folder: Path
    programs: int
    size: int  # in bytes


def keep(folder: str | os.PathLike[str]) -> None:
    """Makes JAX keep the programs of this process in `folder`, in the subfolder for this CPU and this JAX.

    JAX must not be imported yet, because it reads these settings when it is.

    Raises:
        InputError: The folder cannot be made or written, or somebody else may write there.
        RuntimeError: JAX is imported already and would ignore the settings.
    """
    if "jax" in sys.modules:
        raise RuntimeError("compile_cache.keep() comes too late: JAX is imported and has read its settings.")
    if not str(folder):
        raise InputError("--cache: expected a folder of yours, got no name.")
    path = Path(folder).absolute() / _kind()
    try:
        for made in (path.parent, path):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_own(made)
        _remove_oldest(path.parent)
    except OSError as error:
        raise InputError(f"--cache {folder}: cannot be made ({error.strerror}); expected a folder of yours.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"--cache {folder}: cannot be written; expected a folder of yours.")
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": str(path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # small programs too: fnn has no others
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA would warn: it compares with a list that no CPU equals


def keep_by_default(say: Callable[[str], None]) -> None:
    """As `keep`, in the folder that `default_folder` names; if it cannot be used, `say` gets one line and no more.

    Nothing is done where JAX is imported, or where a variable of JAX says where programs are kept.
    """
    if "jax" in sys.modules or any(name in os.environ for name in OF_JAX):
        return
    try:
        folder = default_folder()
        if folder is None:
            return
        keep(folder)
    except InputError as error:
        say(f"compiled programs are not kept: {str(error).removeprefix('--cache ')} {VARIABLE}={OFF} turns this off.")
        return
    _listen(Path(os.environ["JAX_COMPILATION_CACHE_DIR"]), say)


def default_folder() -> Path | None:
    """The folder of compiled programs: what `FNN_CACHE` names, or fnn's own in the user's cache; None if it is off.

    Raises:
        InputError: There is no such folder.
    """
    named = os.environ.get(VARIABLE, "")
    if named.lower() == OFF:
        return None
    return Path(user_path(named, VARIABLE)) if named else user_cache(f"{VARIABLE} names another one") / "programs"


def kept(folder: Path) -> Kept:
    """How many programs a folder holds, of all CPUs and versions, and their bytes."""
    sizes = [size for _, size, _ in _files(folder)]
    return Kept(folder, len(sizes), sum(sizes))


def empty(folder: Path) -> None:
    """Removes all programs of a folder that fnn made, whatever process may be reading them: it compiles again.

    Raises:
        InputError: They cannot be removed.
    """
    try:
        for sub in {path.parent for _, _, path in _files(folder)}:
            shutil.rmtree(sub)
    except OSError as error:
        raise InputError(f"{folder}: cannot be emptied ({error.strerror}).") from None


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each program was used last, its bytes and its file; one that another process removes is left out."""
    for path in folder.glob("*/*-cache"):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        yield max(about.st_atime, about.st_mtime), about.st_size, path


def _remove_oldest(folder: Path) -> None:
    """Removes programs, those first that were used longest ago, until at most `MOST_BYTES` are left."""
    files = sorted(_files(folder))
    size = sum(bytes_of_one for _, bytes_of_one, _ in files)
    for _, bytes_of_one, path in files:
        if size <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        size -= bytes_of_one


def _listen(folder: Path, say: Callable[[str], None]) -> None:
    """Turns JAX's warnings about its cache into one line in all, and removes a program that cannot be read."""
    shown, said = warnings.showwarning, []

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        fault = FAULT.match(str(message))
        if not fault:
            shown(message, category, filename, lineno, file, line)
            return
        if fault[1] == "reading":
            for path in folder.glob(f"{fault[2]}-*"):
                path.unlink(missing_ok=True)
        if not said:
            said.append(fault)
            say(
                f"{folder}: a compiled program cannot be {'read' if fault[1] == 'reading' else 'kept'}; it is compiled."
            )

    warnings.filterwarnings("always", message=FAULT.pattern)
    warnings.showwarning = show


def _check_own(path: Path) -> None:
    """Refuses a folder in which somebody else could put programs."""
    about = path.stat()
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise InputError(
            f"--cache {path}: others may write there (owner {about.st_uid}, mode {stat.filemode(about.st_mode)}), and "
            "what is in it will be executed; expected a folder of yours alone: chmod 700."
        )


def _kind() -> str:
    """A name for what this CPU can execute and for this JAX; a program for another one may not run on it."""
    cpu = hashlib.sha256(f"{platform.machine()} {instructions()}".encode()).hexdigest()[:12]
    return f"{cpu}-jaxlib-{version('jaxlib')}"
