"""Which devices train: of one process, or of all that train together."""

from __future__ import annotations

import contextlib

import jax

from fnn.errors import InputError


def chosen(which: str | None) -> list[jax.Device] | None:
    """The devices that train one network together; None for the training on one device that spreads nothing.

    Args:
        which: How many of each process, or "all"; None: one if this process is alone, else all.

    Raises:
        InputError: A process has not so many.
    """
    by_process: dict[int, list[jax.Device]] = {}
    for device in jax.devices():
        by_process.setdefault(device.process_index, []).append(device)
    if which is None:
        which = "all" if len(by_process) > 1 else "1"
    least = min(by_process, key=lambda i: len(by_process[i]))
    most = len(by_process[least])
    if which != "all" and not 1 <= int(which) <= most:
        who = "this machine" if len(by_process) == 1 else f"process {least}"
        kind = by_process[least][0].platform
        raise InputError(f"--devices {which}: {who} has {most} ({kind}); expected 1 to {most}, or all.")
    these = [device for own in by_process.values() for device in (own if which == "all" else own[: int(which)])]
    return these if len(these) > 1 or len(by_process) > 1 else None


def allow_on_cpu(which: str | None) -> None:
    """Let a CPU count as so many devices, if the user asks for more than one; before anything of JAX is used."""
    if which and which.isdecimal() and int(which) > 1 and jax.config.values["jax_num_cpu_devices"] == -1:
        with contextlib.suppress(RuntimeError):  # a device is already in use, so their number cannot change
            jax.config.update("jax_num_cpu_devices", int(which))
