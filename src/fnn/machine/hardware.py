"""What this machine has: its processor, cores and memory. No JAX, as `compile_cache` runs before JAX is imported."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path


def processor() -> str:
    """The name of the processor as the system gives it; "" where it gives none."""
    lines = _cpuinfo()
    if not lines:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def instructions() -> str:
    """The instructions that the processor can execute, in one line; if the system lists none, a name for it."""
    return next((line for line in _cpuinfo() if line.startswith(("flags", "Features"))), platform.processor())


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> float:
    """The bytes of memory of this machine; infinity where the system does not say."""
    if not hasattr(os, "sysconf"):
        return math.inf
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError):
        return math.inf


def _cpuinfo() -> list[str]:
    """The lines of /proc/cpuinfo; none on a system that has no such file."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
