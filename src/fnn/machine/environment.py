"""What the bits of a result depend on besides the config."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import version
from typing import Any

import jax
import numpy as np

from fnn.data import Dataset
from fnn.machine.hardware import cores, processor

EXAMPLES_AT_ONCE = 5000  # are hashed, because a data set in a file may be larger than the memory
REPEATING = "for the same bits in each process on a GPU, set XLA_FLAGS=--xla_gpu_deterministic_ops=true before training"


def environment(data: Dataset, seed: int) -> dict[str, Any]:
    """Versions, machine, settings and data; if all of them are equal, the same config gives the same bytes."""
    return {
        "versions": {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": processor(),
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


def device_kind() -> str:
    """What computes: "cpu", "gpu" or "tpu"."""
    return jax.devices()[0].platform


def repeats() -> bool:
    """Whether another process computes the same bits; on a GPU XLA takes the fastest kernel, unless a flag is set."""
    return device_kind() != "gpu" or "--xla_gpu_deterministic_ops=true" in os.environ.get("XLA_FLAGS", "")


def data_digest(data: Dataset) -> str:
    """SHA-256 of all examples, their shape and units, the three parts, and the names of the classes."""
    digest = hashlib.sha256(repr((data.classes, data.shape)).encode())
    for part in data[:3]:
        digest.update(repr(float(part.scale)).encode())
        for array in (part.x, part.y):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            for i in range(0, len(array), EXAMPLES_AT_ONCE):
                digest.update(np.ascontiguousarray(array[i : i + EXAMPLES_AT_ONCE]).data)
    return digest.hexdigest()
