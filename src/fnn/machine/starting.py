"""How processes begin to train one run: they find each other, JAX joins them, and each says what it has."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.errors import InputError
from fnn.machine import launchers, processes, signals
from fnn.machine.launchers import Place
from fnn.machine.peers import Peers
from fnn.machine.rendezvous import meet, start_seconds

LOOPBACK = ("localhost", "127.", "::1")
HEARTBEAT = 100  # seconds without one, after which JAX itself ends a process; `peers` is before it
SHUTDOWN = 10  # seconds in which JAX's processes have to part
LATER = 10  # seconds, after which JAX itself gives up to join the processes
LONGEST_ADDRESS = 300  # letters of a host's name and a port


def start(how: str, go_on: str) -> str:
    """Join the other processes, and return a line about all of them; before anything of JAX is used.

    Args:
        how: `HOST:PORT,N,I`, or "" for torchrun's variables, else for the scheduler that JAX finds.
        go_on: The command that goes on after a process was lost.

    Raises:
        InputError: A process did not come or has other versions, or no scheduler was found.
    """
    place = launchers.place(how)
    others = _found_by_jax() if place is None else _found_at(place)
    if others:
        processes.join(others, go_on)
        _abort_later()
    if not processes.first():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # process 0 alone prints, and of libraries too
        sys.stdout = os.fdopen(1, "w", closefd=False, encoding="utf-8")
    own = jax.local_devices()
    found = processes.exchanged([len(own), str(own[0].device_kind), _accelerators()])
    return _about_devices(found, processes.hosts())


def _found_at(place: Place) -> Peers | None:
    if place.index == 0 and place.count > 1:
        more = f"{place.count - 1} more at {place.address}"
        print(f"process 0 waits up to {start_seconds():.0f} s for {more}", flush=True)
    others, port = meet(place, _versions())
    host = f"[{place.host}]" if ":" in place.host else place.host
    _initialize(
        coordinator_address=f"{host}:{port}",
        coordinator_bind_address=f"{host}:{port}" if place.host.startswith(LOOPBACK) else None,
        num_processes=place.count,
        process_id=place.index,
        local_device_ids=None if place.local is None else [place.local],
        cluster_detection_method="deactivate",
    )
    return others


def _found_by_jax() -> Peers | None:
    """The processes of a scheduler that JAX knows: SLURM, Open MPI, Kubernetes, TPU."""
    if launchers.is_first_task():
        print(f"JAX looks for its scheduler, and waits up to {start_seconds():.0f} s for all processes", flush=True)
    try:
        _initialize()
    except (ValueError, RuntimeError) as error:
        raise InputError(
            "--distributed: there is no scheduler that JAX knows (SLURM, Open MPI, Kubernetes, TPU), and no torchrun: "
            f"{processes.one_line(error)}; {launchers.FORM}."
        ) from None
    if jax.process_count() == 1:
        return None
    return _introduced()


def _introduced() -> Peers:
    """The other processes, which JAX has joined already: process 0 tells them where it listens."""
    index, count = jax.process_index(), jax.process_count()
    listener = socket.create_server(("", 0), backlog=count) if index == 0 else None
    with _silent():
        said = _said_by_first(f"{_reachable()} {listener.getsockname()[1]}" if listener else "")
    host, port = said.split()
    others, _ = meet(Place(host, int(port), count, index), _versions(), listener)
    return others


def _said_by_first(text: str) -> str:
    """The text that process 0 gives, on all processes: each device has a row, and all rows go to all devices."""
    devices = sorted(jax.devices(), key=lambda device: device.process_index)
    mesh = jax.sharding.Mesh(np.array(devices), ("rows",))
    row = np.zeros((1, LONGEST_ADDRESS), np.uint8)
    row[0, : len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    shape, split = (len(devices), LONGEST_ADDRESS), jax.NamedSharding(mesh, jax.P("rows"))
    rows = jax.make_array_from_callback(shape, split, lambda index: row)
    everywhere = jax.jit(lambda rows: rows, out_shardings=jax.NamedSharding(mesh, jax.P()))(rows)
    return bytes(np.asarray(everywhere)[0]).rstrip(b"\0").decode()


def _reachable() -> str:
    """The address of this host as others see it: that of its way out, or its name."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))  # sends nothing; the address stands for examples
        return way.getsockname()[0]
    return socket.gethostname()


def _initialize(**where: Any) -> None:
    jax.config.update("jax_enable_preemption_service", False)  # else JAX takes SIGTERM
    with _in_time():
        jax.distributed.initialize(
            initialization_timeout=int(start_seconds()) + LATER,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=SHUTDOWN,
            **where,
        )


@contextlib.contextmanager
def _in_time() -> Generator[None]:
    """A block in which JAX joins all processes, or this one ends with a line; JAX would abort it, with a C++ stack."""

    def end() -> None:
        signals.say(
            f"fnn: --distributed: JAX has not joined all processes within {start_seconds():.0f} s; start all of them, "
            "and look whether process 0 has ended."
        )
        signals.end(2)

    timer = threading.Timer(start_seconds(), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _abort_later() -> None:
    """Let JAX's abort wait 6 seconds.

    When process 0 is gone, JAX aborts the others at once from a thread of its own. What hears of the loss here, and
    says so, is a little later. The handler of the signal is therefore C's `sleep`, which is given its number, 6.
    """
    # JAX has no public setting for it. A handler in Python would not do: C would return from it at once, before Python
    # runs it, and abort. The thread itself has to wait, and `sleep` is one of the functions that a handler may call.
    with contextlib.suppress(OSError, AttributeError, TypeError):  # a system without such a library
        c = ctypes.CDLL(None)
        c.signal.argtypes, c.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
        c.signal(signal.SIGABRT, ctypes.cast(c.sleep, ctypes.c_void_p))


def connect(exchange: Callable[[], object]) -> None:
    """Make the devices of all processes connect, by a first exchange between them; without others do nothing."""
    if not processes.alone():
        with _silent():
            exchange()


@contextlib.contextmanager
def _silent() -> Generator[None]:
    """A block in which nothing is printed on stdout: Gloo, which connects CPUs, prints a line for each of them."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}


def _accelerators() -> int:
    """How many NVIDIA GPUs this machine has, used or not."""
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


def _about_devices(found: list[list[Any]], hosts: list[str]) -> str:
    """The processes, their devices and hosts in a line, and a second one if GPUs of a host are left out."""
    numbers, kinds = {n for n, _, _ in found}, sorted({kind for _, kind, _ in found})
    each = f"{min(numbers)}" if len(numbers) == 1 else f"{min(numbers)} to {max(numbers)}"
    names = list(dict.fromkeys(hosts))
    shown = ", ".join(names[:4]) + (f", ... ({len(names)} hosts)" if len(names) > 4 else "")
    line = f"{len(found)} processes x {each} devices ({', '.join(kinds)}) on {shown}"
    for host in names:
        used = sum(n for (n, _, _), where in zip(found, hosts, strict=True) if where == host)
        there = next(gpus for (_, _, gpus), where in zip(found, hosts, strict=True) if where == host)
        if used < there:
            line += f"\nwarning: {host} has {there} GPUs, and only {used} of them are used; start more processes there"
    return line
