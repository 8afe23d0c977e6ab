"""What the bits of a result depend on besides the config, and what has changed in it since another time."""

from __future__ import annotations

import hashlib
import math
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.data import Dataset

ROWS = 5000  # examples hashed at once: they may be in a file
REPEATING = "for the same bits in each process on a GPU, set XLA_FLAGS=--xla_gpu_deterministic_ops=true before training"


def environment(data: Dataset, seed: int) -> dict[str, Any]:
    """Versions, machine, settings and data: where all of them are the same, the same config gives the same bytes."""
    return {
        "versions": {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "devices": [str(device.device_kind) for device in jax.devices()],
        "processes": jax.process_count(),
        "cores": cores(),
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "matmul_precision": jax.config.values["jax_default_matmul_precision"] or "default",
        "threefry_partitionable": jax.config.values["jax_threefry_partitionable"],
        "x64": jax.config.values["jax_enable_x64"],
        "data": data_digest(data),
        "seed": seed,
    }


def repeats() -> bool:
    """Whether another process computes the same bits: for a GPU, XLA takes the kernels that are fastest when tried."""
    return jax.default_backend() != "gpu" or "--xla_gpu_deterministic_ops=true" in os.environ.get("XLA_FLAGS", "")


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> float:
    """The bytes of memory of this machine; infinity where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _cpu() -> str:
    """The processor's own name, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def data_digest(data: Dataset) -> str:
    """SHA-256 of every example, its parts, their units and the names of the classes."""
    digest = hashlib.sha256(repr((data.classes, data.shape)).encode())
    for part in data[:3]:
        digest.update(repr(float(part.scale)).encode())
        for array in (part.x, part.y):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            for i in range(0, len(array), ROWS):
                digest.update(np.ascontiguousarray(array[i : i + ROWS]).data)
    return digest.hexdigest()


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two tables, a text each: `versions.jax was 0.10.1, is 0.12.0`."""
    was, has = dict(_entries(then)), dict(_entries(now))
    keys = [key for key in {**was, **has} if was.get(key) != has.get(key)]
    return [f"{key} was {_shown(was.get(key))}, is {_shown(has.get(key))}" for key in keys]


def _entries(table: Any, where: str = "") -> Any:
    """The leaves of nested tables and lists, with dotted names."""
    inner = (
        table.items() if isinstance(table, Mapping) else enumerate(table) if isinstance(table, (list, tuple)) else ()
    )
    if not inner and where:  # a table with nothing in it has no leaves
        yield where, table
    for key, value in inner:
        yield from _entries(value, f"{where}.{key}" if where else str(key))


def _shown(value: Any) -> str:
    return "not there" if value is None else ascii(value)[:80]  # it may come from a file
