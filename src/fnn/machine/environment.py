"""What the bits of a result depend on besides the config."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import jax

from fnn.data import Dataset
from fnn.machine.data_digests import shared_digest
from fnn.machine.hardware import cores, processor
from fnn.machine.processes import exchanged
from fnn.storage.json_files import differences, entries

OF_A_HOST = ("machine", "cpu", "cores")  # what may differ between the hosts of one training
TOPOLOGY = ("devices.number", "processes", "cores")  # changes the order of sums alone
ROUNDING = "equal to 1e-5, not to the bit"
REPEATING = "for the same bits in each process on a GPU, set XLA_FLAGS=--xla_gpu_deterministic_ops=true before training"


def environment(data: Dataset, seed: int, devices: Sequence[jax.Device] | None = None) -> dict[str, Any]:
    """Versions, machine, settings and data; if all of them are equal, the same config gives the same bytes.

    Every one of several processes has to call this.

    Args:
        data: The examples.
        seed: Of the config.
        devices: Those that are used; None: the first of this process alone.
    """
    used = jax.local_devices()[:1] if devices is None else devices
    each = exchanged(cores())
    return {
        "versions": {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": processor(),
        "devices": {"kind": ", ".join(sorted({str(device.device_kind) for device in used})), "number": len(used)},
        "processes": jax.process_count(),
        "cores": each[0] if len(set(each)) == 1 else each,  # of each process
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "matmul_precision": jax.config.values["jax_default_matmul_precision"] or "default",
        "threefry_partitionable": jax.config.values["jax_threefry_partitionable"],
        "x64": jax.config.values["jax_enable_x64"],
        "data": shared_digest(data),
        "seed": seed,
    }


def comparable(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same in all processes of one training."""
    versions = {name: text for name, text in environment["versions"].items() if name != "python"}
    same = {key: value for key, value in environment.items() if key not in OF_A_HOST}
    return same | {"versions": versions, "data": environment["data"][:12]}


def modern(environment: Mapping[str, Any], used: int | None = 1) -> dict[str, Any]:
    """The same environment as it is written today; an old one lists all devices of the machine.

    Args:
        environment: Of a file.
        used: How many of the devices were used; None: all of them, as by a sweep.
    """
    table, listed = dict(environment), environment.get("devices")
    if isinstance(listed, list):
        kinds = [str(kind) for kind in listed[:used]]
        table["devices"] = {"kind": ", ".join(sorted(set(kinds))), "number": len(kinds)}
    return table


def changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed since a training began, a text for each entry.

    If that is the number of devices or processes and nothing else, each text says so: that changes the order of sums.

    Args:
        then: An environment, or a table with one as "environment"; of each only what `now` has counts.
        now: The same of today.
    """
    then = {key: then.get(key) for key in now}
    was, has = dict(entries(then)), dict(entries(now))
    keys = [key.removeprefix("environment.") for key in was | has if was.get(key) != has.get(key)]
    several = "devices.number" in keys or "processes" in keys
    rounding = several and all(key in TOPOLOGY or key.startswith("cores.") for key in keys)
    return [f"{each} ({ROUNDING})" if rounding else each for each in differences(then, now)]


def only_rounding(changes: Iterable[str]) -> bool:
    """Whether training goes on all the same after these changes: they alter the order of sums alone, or are none."""
    return all(each.endswith(f"({ROUNDING})") for each in changes)


def device_kind() -> str:
    """What computes: "cpu", "gpu" or "tpu"."""
    return jax.devices()[0].platform


def repeats() -> bool:
    """Whether another process computes the same bits; on a GPU XLA takes the fastest kernel, unless a flag is set."""
    return device_kind() != "gpu" or "--xla_gpu_deterministic_ops=true" in os.environ.get("XLA_FLAGS", "")
