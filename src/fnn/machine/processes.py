"""Several processes that train one run together: how they start, what they compare, and how all of them end.

JAX joins the processes and computes. What is here sees to it that they begin with the same, and that none of them waits
for one that is gone: whatever ends one of them ends all, with a line that says why.

Exit status 5: another process was lost, or nothing went on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.errors import InputError
from fnn.machine import launchers, signals
from fnn.machine.launchers import Place
from fnn.machine.peers import GRACE, LOST, Lost, Peers
from fnn.machine.rendezvous import meet, start_seconds
from fnn.machine.watchdog import Watchdog
from fnn.storage.json_files import entries

LOOPBACK = ("localhost", "127.", "::1")
HEARTBEAT = 100  # seconds without one, after which JAX itself ends a process; `peers` is before it
SHUTDOWN = 10  # seconds in which JAX's processes have to part
SEEN = 10.0  # seconds in which a file of process 0 has to be seen by the others
SIGN = ".together"

_joined: list[Joined] = []  # this process and the others, once `start` was called and until `separate`


class Joined:
    """The other processes, and how this one ends if one of them does."""

    def __init__(self, others: Peers, go_on: str) -> None:
        """`go_on` is the command that goes on after a process was lost."""
        self.others, self.go_on = others, go_on

    def end(self, status: int, line: str) -> None:
        """End this process, after its line on stderr; the others are told."""
        self.others.say_goodbye(status, line)
        signals.say(f"fnn: {line}")
        if status != LOST:
            self.others.wait_for_others()
        signals.end(status)

    def lost(self, why: str) -> None:
        """End this process because another one is lost: a thread does so as soon as it hears which, else this one."""
        if self.others.gone(3.0):
            time.sleep(GRACE + 1)
        self.end(LOST, f"another process was lost ({why}); go on with: {self.go_on}")

    def heard(self, lost: Lost) -> None:
        """End this process because that one is gone: with its status if it was told to stop, else with 5."""
        stopped = lost.status is not None and lost.status >= 128
        line = f"{self.others.name(lost.index)} {lost.why}; go on with: {self.go_on}"
        self.end(lost.status if stopped and lost.status else LOST, line)


def first() -> bool:
    """Whether this is process 0, or the only one: the one that prints, and writes files."""
    return not jax.distributed.is_initialized() or jax.process_index() == 0


def alone() -> bool:
    """Whether `start` has joined no others, or they have parted."""
    return not _joined


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
        _joined.append(Joined(others, go_on))
        signals.farewells.append(others.say_goodbye)
        others.watch(_joined[0].heard)
        _abort_later()
    if not first():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # process 0 alone prints, and of libraries too
        sys.stdout = os.fdopen(1, "w", closefd=False)
    own = jax.local_devices()
    return _about_devices(exchanged([len(own), str(own[0].device_kind), _accelerators()]))


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
            f"{_one_line(error)}; {launchers.FORM}."
        ) from None
    if jax.process_count() == 1:
        return None
    return _introduced()


def _introduced() -> Peers:
    """The other processes, which JAX has joined already: process 0 tells them where it listens."""
    from jax.experimental import multihost_utils

    index, count = jax.process_index(), jax.process_count()
    listener = socket.create_server(("", 0), backlog=count) if index == 0 else None
    text = f"{_reachable()} {listener.getsockname()[1]}" if listener else ""
    told = np.zeros(300, np.uint8)
    told[: len(text)] = np.frombuffer(text.encode(), np.uint8)
    with _silent():
        heard = np.asarray(multihost_utils.broadcast_one_to_all(told))
    host, port = bytes(heard).rstrip(b"\0").decode().split()
    others, _ = meet(Place(host, int(port), count, index), _versions(), listener)
    return others


def _reachable() -> str:
    """The address of this host as others see it: that of its way out, or its name."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))  # sends nothing; the address stands for examples
        return way.getsockname()[0]
    return socket.gethostname()


def _initialize(**where: Any) -> None:
    jax.config.update("jax_enable_preemption_service", False)  # else JAX takes SIGTERM
    jax.distributed.initialize(
        initialization_timeout=int(start_seconds()) or 1,
        heartbeat_timeout_seconds=HEARTBEAT,
        shutdown_timeout_seconds=SHUTDOWN,
        **where,
    )


def _abort_later() -> None:
    """Let JAX's abort wait 6 seconds.

    When process 0 is gone, JAX aborts the others at once from a thread of its own. What hears of the loss here, and
    says so, is a little later. The handler of the signal is therefore C's `sleep`, which is given its number, 6.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # a system without such a library
        c = ctypes.CDLL(None)
        c.signal.argtypes, c.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
        c.signal(signal.SIGABRT, ctypes.cast(c.sleep, ctypes.c_void_p))


def connect(exchange: Callable[[], object]) -> None:
    """Make the devices of all processes connect, by a first exchange between them; without others do nothing."""
    if _joined:
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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200]


def _accelerators() -> int:
    """How many NVIDIA GPUs this machine has, used or not."""
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


def _about_devices(found: list[list[Any]]) -> str:
    """The processes, their devices and hosts in a line, and a second one if GPUs of a host are left out."""
    hosts = _joined[0].others.hosts if _joined else [socket.gethostname()]
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


def exchanged(value: Any) -> list[Any]:
    """What each process has for `value`, which is plain JSON, by their numbers; all of them have to call this."""
    return _joined[0].others.exchange(value) if _joined else [value]


def check_same(about: Mapping[str, Any]) -> None:
    """Refuse to go on if a process has something else than process 0; all of them have to call this.

    Raises:
        InputError: The message names the process and the entries that differ.
    """
    tables = [dict(entries(table)) for table in exchanged(about)]
    for i, table in enumerate(tables):
        keys = [key for key in tables[0] | table if tables[0].get(key) != table.get(key)]
        if keys:
            wrong = "; ".join(f"{key} is {_shown(table, key)}, not {_shown(tables[0], key)}" for key in keys[:3])
            more = f"; and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise InputError(
                f"--distributed: {_joined[0].others.name(i)} differs from process 0: {wrong}{more}; expected the same "
                "on all."
            )


def _shown(table: Mapping[str, Any], key: str) -> str:
    return ascii(table[key])[:80] if key in table else "missing"


def check_shared(folder: Path) -> None:
    """Refuse a folder that process 0 has made and that is not the same for all; all processes have to call this.

    Raises:
        InputError: A process does not see what process 0 has written there.
    """
    if not _joined:
        return
    path, token = folder / SIGN, secrets.token_hex(8)
    if first():
        path.write_text(token)
    token = exchanged(token)[0]
    end = time.monotonic() + SEEN
    while not (seen := _reads(path, token)) and time.monotonic() < end:
        time.sleep(0.1)
    blind = [i for i, sees in enumerate(exchanged(seen)) if not sees]
    if first():
        path.unlink()
    if blind:
        raise InputError(
            f"--out: {folder}: {_joined[0].others.name(blind[0])} does not see what process 0 has written there; "
            "expected one folder on a disk that all processes share, under the same path."
        )


def _reads(path: Path, token: str) -> bool:
    try:
        os.listdir(path.parent)  # so that a network file system looks again
        return path.read_text() == token
    except OSError:
        return False


@contextlib.contextmanager
def watched() -> Generator[Callable[[], None]]:
    """A block with a function to call after each of its parts; if that does not happen for long, all processes end."""
    if not _joined:
        yield lambda: None
        return
    joined = _joined[0]
    with contextlib.closing(Watchdog(lambda why: joined.end(LOST, f"{why}; go on with: {joined.go_on}"))) as dog:
        yield dog


@contextlib.contextmanager
def together(ending: Callable[[BaseException], tuple[int, str]]) -> Generator[None]:
    """A block in which an error of one process ends all of them; without others it is raised as it is.

    This process ends without Python's exit, which would wait for the others in JAX while they wait for this one.

    Args:
        ending: The exit status for an error, and the line that says it.
    """
    try:
        yield
    except BaseException as error:
        if not _joined:
            raise
        joined = _joined[0]
        if _is_of_another(error):
            joined.lost(_one_line(error))
        else:
            joined.end(*ending(error))


def _is_of_another(error: BaseException) -> bool:
    """Whether JAX says that it does not reach another process; of this process are its memory and its programs."""
    own = ("RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "UNIMPLEMENTED")
    return isinstance(error, jax.errors.JaxRuntimeError) and not str(error).startswith(own)


def separate() -> None:
    """Leave the other processes, at the end of what all have done together; each of them has to call this.

    Process 0 goes on afterwards as a process that has no others.
    """
    while _joined:
        others = _joined[0].others
        others.close()
        signals.farewells.remove(others.say_goodbye)
        _joined.pop()
        jax.distributed.shutdown()


def devices(which: str | None) -> list[jax.Device] | None:
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
    chosen = [device for own in by_process.values() for device in (own if which == "all" else own[: int(which)])]
    return chosen if len(chosen) > 1 or len(by_process) > 1 else None


def allow_cpu_devices(which: str | None) -> None:
    """Let a CPU count as so many devices, if the user asks for more than one; before anything of JAX is used."""
    if which and which.isdecimal() and int(which) > 1 and jax.config.values["jax_num_cpu_devices"] == -1:
        with contextlib.suppress(RuntimeError):  # a device is already in use, so their number cannot change
            jax.config.update("jax_num_cpu_devices", int(which))
