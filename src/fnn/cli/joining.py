"""`--devices` and `--distributed`: what trains one run, and how it ends in all of its processes."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.cli.commands import ending
from fnn.cli.common import resuming_command
from fnn.errors import InputError
from fnn.machine import devices, processes, starting
from fnn.machine.launchers import alone_among_tasks


@contextlib.contextmanager
def joined(options: argparse.Namespace) -> Generator[None]:
    """A block that all processes of `--distributed` run, begun and ended together; without it, a block of this one.

    Raises:
        InputError: An option is wrong, or the processes do not fit together.
    """
    which = options.devices
    if which is not None and which != "all" and not (which.isascii() and which.isdecimal() and int(which)):
        raise InputError(f"--devices {which}: expected a number of devices from 1 on, or all.")
    devices.allow_on_cpu(which)
    if options.distributed is None:
        if said := alone_among_tasks():
            print(f"fnn: warning: {said}.", file=sys.stderr, flush=True)
        yield
        return
    with processes.together(_ending):
        print(starting.start(options.distributed, resuming_command(options)), flush=True)
        yield
        processes.separate()


def agreed_folder(choose: Callable[[], Path]) -> Path:
    """The run directory that process 0 chooses, for all of them.

    Raises:
        InputError: Another process does not see what process 0 writes there.
    """
    chosen = choose() if processes.first() else None
    folder = Path(processes.exchanged(None if chosen is None else str(chosen))[0])
    try:
        processes.check_shared(folder)
    except InputError:
        if processes.first():
            with contextlib.suppress(OSError):
                folder.rmdir()  # if it is new it is empty
        raise
    return folder


def check_same_state(state: Any) -> None:
    """Refuse to go on if a process has read another state than process 0.

    Raises:
        InputError: The message says which.
    """
    if not processes.alone():
        digest = hashlib.sha256()
        for leaf in jax.tree.leaves(state):
            digest.update(np.ascontiguousarray(leaf).data)
        processes.check_same({"state": digest.hexdigest()[:12], "epochs": state.epochs, "step": state.step})


def _ending(error: BaseException) -> tuple[int, str]:
    """The exit status for any error and the line that says it; of a fault in code the traceback is printed before."""
    found = ending(error)
    if found is None:
        traceback.print_exception(error)
        found = 1, f"{type(error).__name__}: {error}"
    return found
