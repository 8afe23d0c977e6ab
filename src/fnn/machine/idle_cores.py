"""Idle cores kept awake while a program runs.

A core with nothing to do is put to sleep, and on many machines, virtual ones above all, it takes longer to wake than
a product of a training step takes to compute: the threads of a program then wait for each other, and two cores are
hardly faster than one. Linux lets a process ask that they stay awake.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fnn.errors import InputError

REQUEST = Path("/dev/cpu_dma_latency")  # while it is open, no core may take longer to wake than was written there
DRIVER = Path("/sys/devices/system/cpu/cpuidle/current_driver")  # what the kernel puts cores to sleep with, or "none"
INSTEAD = "leave awake out, and give a small program one core (taskset -c 0)"


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """Inside, the idle cores of this machine do not sleep, and a thread that is given work begins at once.

    What is computed stays the same, bit for bit. It is a request to the kernel (docs.kernel.org, PM Quality of
    Service), for all cores of the machine, and ends with the process at the latest, however that ends. Until then
    idle cores draw power, and a processor that clocks a core higher while others sleep may be slower for it: measure.
    `fnn doctor` says how long a core takes to wake.

    Raises:
        InputError: the system has no such request, would not heed it, or does not let this user make it.
    """
    try:
        request = os.open(REQUEST, os.O_WRONLY)  # not `open`, which would make the file
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
    """Whether this kernel puts cores to sleep itself, and can let them be."""
    try:
        return DRIVER.read_text().strip() != "none"
    except OSError:
        return False


def wake_time(messages: int = 200) -> float | None:
    """The seconds until another, idle core has a message: half of the median time there and back.

    None where a process cannot choose its cores, or has only one.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return None
    there, back, seconds = os.pipe(), os.pipe(), []

    def ask() -> None:
        os.sched_setaffinity(0, cores[:1])  # of this thread alone
        for _ in range(messages):
            begin = time.perf_counter()
            os.write(there[1], b"?")
            os.read(back[0], 1)
            seconds.append(time.perf_counter() - begin)

    def answer() -> None:
        os.sched_setaffinity(0, cores[1:2])
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
