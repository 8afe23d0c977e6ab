"""Idle cores kept awake while a program runs.

An idle core goes to sleep. On many machines, virtual ones above all, waking it takes longer than computing a product of
a training step. The threads of a program then wait for each other, and two cores are hardly faster than one. Linux lets
a process ask that idle cores stay awake.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from collections.abc import Generator
from pathlib import Path

from fnn.errors import InputError

REQUEST = Path("/dev/cpu_dma_latency")  # while it is open, no core may take longer to wake than the time written to it
DRIVER = Path("/sys/devices/system/cpu/cpuidle/current_driver")  # what puts cores to sleep, or "none"
INSTEAD = "leave awake out, and give a small program one core (taskset -c 0)"


@contextlib.contextmanager
def awake() -> Generator[None, None, None]:
    """Keeps the idle cores of this machine awake in the block, so that a thread that is given work begins at once.

    The results stay the same, bit for bit. The request goes to the kernel (docs.kernel.org, PM Quality of Service) and
    holds for all cores of the machine. It ends with the block, or with the process, however that ends. Until then idle
    cores draw power. Some processors clock a core higher while others sleep, and these may become slower: measure.
    `fnn doctor` says how long a core takes to wake.

    Raises:
        InputError: The system has no such request, would ignore it, or does not allow it to this user.
    """
    try:
        request = os.open(REQUEST, os.O_WRONLY)  # not `open`, which would create the file
    except FileNotFoundError:
        raise InputError(f"awake: there is no {REQUEST}; expected Linux, outside a container; {INSTEAD}.") from None
    except OSError as error:
        raise InputError(
            f"awake: {REQUEST} cannot be opened ({error.strerror}); expected the right to write it, as root has; "
            f"{INSTEAD}."
        ) from None
    with os.fdopen(request, "wb", buffering=0) as file:
        if not heeded():
            raise InputError(f"awake: {DRIVER} says that this kernel does not decide which core sleeps; {INSTEAD}.")
        file.write(struct.pack("i", 0))  # microseconds
        yield


def heeded() -> bool:
    """Whether this kernel itself puts cores to sleep, and can therefore keep them awake."""
    try:
        return DRIVER.read_text(encoding="utf-8").strip() != "none"
    except OSError:
        return False


def wake_time(messages: int = 200) -> float | None:
    """The seconds that a message takes to another, idle core: half of the median time there and back.

    None where a process cannot choose its cores, or has only one.
    """
    if not hasattr(os, "sched_getaffinity") or not hasattr(os, "sched_setaffinity"):
        return None
    cores, choose = sorted(os.sched_getaffinity(0)), os.sched_setaffinity
    if len(cores) < 2:
        return None
    there, back, seconds = os.pipe(), os.pipe(), []

    def ask() -> None:
        choose(0, cores[:1])  # of this thread alone
        for _ in range(messages):
            begin = time.perf_counter()
            os.write(there[1], b"?")
            os.read(back[0], 1)
            seconds.append(time.perf_counter() - begin)

    def answer() -> None:
        choose(0, cores[1:2])
        for _ in range(messages):
            os.write(back[1], os.read(there[0], 1))

    threads = [threading.Thread(target=ask), threading.Thread(target=answer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in (*there, *back):
        os.close(end)
    return sorted(seconds)[messages // 2] / 2
