"""The variable XLA_FLAGS: if a flag in it is unknown, XLA ends the whole process. So another process reads it first."""

from __future__ import annotations

import os
import sys
import tempfile

from fnn.errors import InputError

READ_FLAGS = "from jaxlib import xla_client; xla_client.CompileOptions()"  # starts no device; takes 0.15 s of a core
LONGEST = 300  # characters of what XLA says


def check() -> None:
    """Refuse flags that XLA cannot take. Where none are set no process is started.

    Raises:
        InputError: what XLA says about them.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    status, said = _ended([sys.executable, "-c", READ_FLAGS]) if flags else (0, "")
    if status and not said.startswith("Traceback"):  # with an exception it was not XLA that ended the process
        words = said.partition("\n")[0].rpartition("] ")[2]  # without the place in its source
        raise InputError(f"XLA_FLAGS={flags!r}: XLA does not start: {words[:LONGEST]}; correct it, or unset it.")


def _ended(command: list[str]) -> tuple[int, str]:
    """The status with which a command ends, and what it wrote on stderr; (0, "") on Windows, where XLA says it."""
    if not hasattr(os, "posix_spawn") or not hasattr(os, "POSIX_SPAWN_DUP2"):
        return 0, ""
    with tempfile.TemporaryFile() as file:
        actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), 2)]
        process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status = os.waitpid(process, 0)
        file.seek(0)
        return status, file.read().decode(errors="replace").strip()
