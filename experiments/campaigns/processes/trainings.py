"""Checks 1 to 4, 12 and 13: what several devices and processes compute is what one device computes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from experiments.campaigns.larger_than_memory import GIB, ROW, write
from experiments.campaigns.processes.common import ROUNDING, SECONDS, Found, alone, far, last, params, train
from experiments.campaigns.processes.reading import B
from tests.helpers.spread_cases import CASES, difference, together

TOPOLOGIES = ((1, 8), (2, 2), (4, 2))
NO_ROUNDING = ("b_64", "b_3", "clipped_gradient", "images", "by_hand", "continued")
ROWS, PART = 200_000, 4  # of the file, and how many times it is as large as the memory for it
BOUND = 0.6  # of the bytes of the file: the peak beside that of a small file, as in `larger_than_memory`
DIGEST = """
import hashlib, jax, numpy as np
from fnn.training import keeping
def after(keep, kept, last, after=keeping.after):
    bits = b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(last.params))
    print("params", hashlib.sha256(bits).hexdigest(), file=__import__("sys").stderr, flush=True)
    return after(keep, kept, last)
keeping.after = after
"""


def equal(folder: Path) -> Found:
    """1: every case, on 8 virtual devices and in 2 and 4 processes; a mesh of one device."""
    names = [name for name in CASES if name not in ("collectives", "file", "sweep", "seven")]
    said, holds = [], True
    for processes, devices in TOPOLOGIES:
        ranks = together(processes, devices, names)
        worst = max(rank[name]["difference"] for rank in ranks for name in names)
        alike = all(len({rank[name]["digest"] for rank in ranks}) == 1 for name in names)
        holds &= worst < ROUNDING and alike
        said.append(f"{processes} x {devices}: {worst:.1e}" + ("" if alike else ", RANKS DIFFER"))
    (one,) = together(1, 1, NO_ROUNDING)
    same = max(each["difference"] for each in one.values())
    return Found(f"{len(names)} cases; {'; '.join(said)}; a mesh of one device: {same:.0e}", holds and same == 0)


def exchanges(folder: Path) -> Found:
    """2: the collectives in the compiled programs."""
    found = [rank["collectives"]["difference"] for how in TOPOLOGIES for rank in together(*how, ["collectives"])]
    said = "B 8 (epoch), 33, 64, 128 (segment), a net that one device trains in blocks of steps"
    return Found(f"{said}: exactly one all-reduce in each loop body, nothing else, at {TOPOLOGIES}", not any(found))


def virtual_devices(folder: Path) -> Found:
    """3: `fnn run` on eight virtual devices against one."""
    eight = {"JAX_NUM_CPU_DEVICES": "8"}
    for number, environment in (("1", {}), ("8", eight)):
        alone(*MNIST, folder / number, *SETTINGS, "--devices", number, environment=environment)
    found = far(folder / "1", folder / "8")
    return Found(f"all of MNIST, B 64, one epoch: {found:.1e}", found < ROUNDING)


def four_processes(folder: Path) -> Found:
    """4: `fnn run` in four processes of two devices each against one device."""
    alone(*MNIST, folder / "one", *SETTINGS, "--devices", "1")
    before = dict.fromkeys(range(4), DIGEST)
    ranks = train(folder / "said", *MNIST, folder / "four", *SETTINGS, count=4, devices=2, before=before)
    found = difference(params(folder / "one"), params(folder / "four"))
    alike = len({tuple(last(ranks, i)) for i in range(4)}) == 1 and "params" in last(ranks, 0)[0]
    once = ranks.out(0).count("epoch 1/1") == 1 and not any(ranks.out(i) for i in (1, 2, 3))
    said = f"{found:.1e}; params of all ranks {'bit-equal' if alike else 'DIFFER'}; one run directory; "
    return Found(said + f"progress printed {'once' if once else 'NOT ONCE'}", found < ROUNDING and alike and once)


MNIST = ("configs/nielsen/ch1_30.toml",)
SETTINGS = ("--set", "training.batch_size=64", "--set", "training.epochs=1")


def sweeps(folder: Path) -> Found:
    """12: a sweep of seven networks on 2 x 2 against 1 x 4 and one device."""
    by = {how: together(*how, ["sweep", "seven"]) for how in ((1, 4), (2, 2))}
    same = len({rank["seven"]["digest"] for ranks in by.values() for rank in ranks}) == 1
    worst = max(rank[name]["difference"] for ranks in by.values() for rank in ranks for name in rank)
    bits = "the same bits" if same else "OTHER BITS"
    said = f"m = 7, an order each and one for all: 2 x 2 and 1 x 4 have {bits}; against one device {worst:.1e}"
    return Found(said, same and worst < ROUNDING)


def file(folder: Path) -> Found:
    """13: a file of four times the memory, in 2 and 4 processes and on one device."""
    write(folder, ROWS)
    write(folder, 1000)
    floor = reading(folder, 1000, 1, 1)[0]["peak"]
    memory = reading(folder, ROWS, 1, 1, in_memory=True)[0]
    one = reading(folder, ROWS, 1, 1)[0]
    same = difference(memory["params"], one["params"]) == 0
    said, holds = [f"one device: {'the same bits as' if same else 'OTHER BITS THAN'} in memory"], same
    for processes in (2, 4):
        ranks = reading(folder, ROWS, processes, 1)
        rows = max(rank["rows"] for rank in ranks)  # of an epoch that reads them twice: to train, and to evaluate
        peak = max(rank["peak"] - floor for rank in ranks) / (ROWS * ROW)
        off = max(difference(memory["params"], rank["params"]) for rank in ranks)
        holds &= rows <= ROWS / processes + B and peak < BOUND and off < ROUNDING
        said.append(
            f"{processes} processes: {rows:,.0f} rows of {ROWS:,} read per pass, peak {peak:.2f} of the file, {off:.1e}"
        )
    peak = (one["peak"] - floor) / (ROWS * ROW)
    return Found(f"{'; '.join(said)}; one process: peak {peak:.2f} (bound {BOUND})", holds)


def reading(folder: Path, n: int, processes: int, devices: int, in_memory: bool = False) -> list[dict[str, object]]:
    """What each process of a training on a file prints."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    memory = 4.0 if in_memory else max(n * ROW / PART, B * ROW) / GIB
    command = [sys.executable, "-m", "experiments.campaigns.processes.reading", str(folder), str(n), str(memory)]
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
    where = [[str(port), str(processes), str(i)] if processes > 1 else [] for i in range(processes)]
    started = [subprocess.Popen([*command, *w], env=environment, stdout=-1, text=True) for w in where]
    with ThreadPoolExecutor(processes) as pool:  # none waits for another one to be read
        said = list(pool.map(lambda process: process.communicate(timeout=SECONDS)[0], started))
    found = [json.loads(text.splitlines()[-1]) for text in said]
    return [each | {"params": [np.array(leaf) for leaf in each["params"]]} for each in found]
