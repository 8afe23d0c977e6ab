"""An AVX2 machine emulated on one with AVX-512: `hold_to_avx2.c`, loaded before all libraries of this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("hold_to_avx2.c")
VARIABLE = "LD_PRELOAD"


def is_held() -> bool:
    """Whether this process and those that it starts are held to AVX2."""
    return SOURCE.stem in os.environ.get(VARIABLE, "")


def begin_again_held(arguments: Sequence[str]) -> None:
    """Puts `python -m experiments.benchmark` with these arguments in the place of this process, held to AVX2.

    Raises:
        RuntimeError: as `compiled`.
    """
    library = compiled(Path(tempfile.mkdtemp(prefix="fnn-")))
    command = [sys.executable, "-m", "experiments.benchmark", *arguments]
    os.execve(command[0], command, os.environ | {VARIABLE: str(library)})  # noqa: S606 - no shell is needed


def compiled(folder: Path) -> Path:
    """The library, in `folder`.

    Raises:
        RuntimeError: there is no C compiler, or it does not accept the source, which is for Linux on x86-64.
    """
    compiler, library = shutil.which("cc"), folder / f"{SOURCE.stem}.so"
    if not compiler:
        raise RuntimeError("--hold-to-avx2: got no C compiler, expected one that is called cc; install one.")
    command = [compiler, "-O2", "-fPIC", "-shared", str(SOURCE), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise RuntimeError(f"--hold-to-avx2: expected Linux on x86-64, and cc cannot compile {SOURCE.name}: {said}.")
    return library


def not_held(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that has a handler of its own for SIGSEGV, such as a C compiler."""
    return {name: value for name, value in environment.items() if name != VARIABLE or SOURCE.stem not in value}
