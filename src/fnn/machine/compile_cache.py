"""Compiled programs kept in a folder that the user trusts, so that a second run of a config need not compile.

The programs are machine code, and a later run executes what it finds in the folder. Whoever can write there decides
what runs. A cache is therefore kept only if the user asks for it, and only in a folder where nobody else can write.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import sys
from pathlib import Path

from fnn.errors import InputError
from fnn.machine.hardware import instructions


def keep(folder: str | os.PathLike[str]) -> None:
    """Makes JAX keep the programs of this process in `folder`, in one subfolder for each kind of CPU.

    JAX must not be imported yet, because it reads these settings when it is.

    Raises:
        InputError: The folder cannot be made, or somebody else may write there.
        RuntimeError: JAX is imported already and would ignore the settings.
    """
    if "jax" in sys.modules:
        raise RuntimeError("compile_cache.keep() comes too late: JAX is imported and has read its settings.")
    if not str(folder):
        raise InputError("--cache: expected a folder of yours, got no name.")
    path = Path(folder).absolute() / _cpu_kind()
    try:
        for made in (path.parent, path):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_own(made)
    except OSError as error:
        raise InputError(f"--cache {folder}: cannot be made ({error.strerror}); expected a folder of yours.") from None
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": str(path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # small programs too: fnn has no others
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA would warn: it compares with a list that no CPU equals


def _check_own(path: Path) -> None:
    """Refuses a folder in which somebody else could put programs."""
    about = path.stat()
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise InputError(
            f"--cache {path}: others may write there (owner {about.st_uid}, mode {stat.filemode(about.st_mode)}), and "
            "what is in it will be executed; expected a folder of yours alone: chmod 700."
        )


def _cpu_kind() -> str:
    """A short name for what this CPU can execute; a program that was compiled for another CPU may not run on it."""
    return hashlib.sha256(f"{platform.machine()} {instructions()}".encode()).hexdigest()[:12]
