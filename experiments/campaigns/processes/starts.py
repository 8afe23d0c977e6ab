"""Checks 8, 10 and 16: how processes find each other, who is missing, and who has something else."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np

from experiments.campaigns.processes.common import (
    SECONDS,
    Found,
    complaint,
    config,
    last,
    started,
    wait_for_mark,
    words,
)
from experiments.campaigns.processes.signals import in_file

COMPILED = """
from fnn.training import fitting
def told(*all, compile=fitting._compile):
    print("COMPILING", file=__import__("sys").stderr, flush=True)
    return compile(*all)
fitting._compile = told
"""


MEETING = """
from fnn.machine import starting
def meeting(*all, meet=starting.meet):
    print("HERE", file=__import__("sys").stderr, flush=True)
    return meet(*all)
starting.meet = meeting
"""


def absent(folder: Path) -> Found:
    """8: a rank that never starts, a rank 0 that never starts, and one that is 20 s late; the time-out as it is."""
    path = config(folder, epochs=2)

    def with_out(rank: int) -> tuple[float, str]:
        before = dict.fromkeys(range(4), MEETING)
        ranks = started(folder / f"without-{rank}", words(path, folder / f"runs-{rank}"), 4, before, absent=(rank,))
        wait_for_mark(ranks, [*ranks.processes])
        ranks.begun = time.monotonic()
        statuses = ranks.wait(90)
        named = {True: "process 3 of 4 did not come", False: "process 0 of 4 does not answer there"}[rank > 0]
        lines = [last(ranks, i)[0] for i in statuses]
        right = set(statuses.values()) == {2} and all(named in line and str(ranks.port) in line for line in lines)
        return max(ranks.ended.values(), default=999), "" if right else complaint(ranks, statuses)

    def late() -> tuple[float, str]:
        ranks = started(folder / "late", words(path, folder / "runs-late"), 2, late={1: 20})
        statuses = ranks.wait(SECONDS)
        return max(ranks.ended.values(), default=999), "" if statuses == {0: 0, 1: 0} else complaint(ranks, statuses)

    def by_scheduler() -> tuple[float, str]:
        ranks = started(
            folder / "scheduler", words(path, folder / "runs-scheduler"), 2, absent=(1,), variables=open_mpi
        )
        ranks.until("waits up to 60 s", SECONDS)
        ranks.begun = time.monotonic()
        statuses = ranks.wait(90)
        right = statuses == {0: 2} and "JAX has not joined all processes within 60 s" in ranks.err(0).splitlines()[-1]
        return max(ranks.ended.values(), default=999), "" if right else complaint(ranks, statuses)

    def interrupted() -> tuple[float, str]:
        before = dict.fromkeys(range(4), MEETING)
        ranks = started(folder / "interrupted", words(path, folder / "runs-none"), 4, before, absent=(3,))
        ranks.until("waits up to 60 s", SECONDS)
        wait_for_mark(ranks, [0, 1, 2])
        time.sleep(5)  # the others have come
        ranks.send(signal.SIGINT, 0)
        statuses = ranks.wait(SECONDS)
        right = statuses == {0: 130, 1: 2, 2: 2} and all(
            "but ended before all had come" in last(ranks, i)[0] for i in (1, 2)
        )
        return max(ranks.ended.values(), default=999), "" if right else complaint(ranks, statuses)

    works = (lambda: with_out(3), lambda: with_out(0), late, by_scheduler)
    with ThreadPoolExecutor(len(works)) as pool:
        found = [future.result() for future in [pool.submit(work) for work in works]]
    (one, _), (first, _), _, (scheduler, _) = found
    soon, fault = interrupted()
    said = (
        f"time-out of 60 s: without rank 3 ended after {one:.0f} s, without rank 0 after {first:.0f} s, status 2, "
        f"address and number named; by a scheduler's variables after {scheduler:.0f} s, status 2 and a line; 20 s "
        f"late: trains; Ctrl-C to a process 0 that waits: the others {soon:.1f} s later, status 2 and a line"
    )
    faults = [each for each in (*(wrong for _, wrong in found), fault) if each]
    return Found("; ".join([said, *faults]), not faults and max(one, first, scheduler) <= 75 and soon <= 10)


def different(folder: Path) -> Found:
    """10: process 1 has another config, other data, one row of a file that is other, another folder."""
    path = config(folder / "same")
    shutil.copytree(folder / "same", folder / "own")
    file = in_file(folder / "file")
    for name in ("other", "row"):
        shutil.copytree(folder / "file", folder / name)
    x = np.load(folder / "file" / "x.npy")
    x[777, 5] += 1
    np.save(folder / "row" / "x.npy", x)
    np.save(folder / "other" / "x.npy", x[::-1])
    cases = {
        "config": (
            path,
            {"own": {1: ["--set", "training.batch_size=30"]}},
            "config.training.batch_size is 30, not 150",
        ),
        "data file": (file, {"swap": str(folder / "other" / "config.toml")}, "data"),
        "one row of a data file": (file, {"swap": str(folder / "row" / "config.toml")}, "data"),
        "folder": (
            path,
            {"own": {1: ["--out", str(folder / "elsewhere")]}, "blind": True},
            "does not see what process 0",
        ),
    }
    said, wrong = [], []
    for name, (file_, how, named) in cases.items():
        before = {i: COMPILED + (BLIND if how.get("blind") and i else "") for i in (0, 1)}
        if "swap" in how:
            before[1] += f"\n__import__('sys').argv[2] = {how['swap']!r}\n"
        ranks = started(
            folder / f"said-{len(said)}",
            words(file_, folder / f"runs-{len(said)}"),
            before=before,
            own=how.get("own", {}),
        )
        statuses = ranks.wait(SECONDS)
        lines = [last(ranks, i)[0] if last(ranks, i) else "" for i in (0, 1)]
        right = set(statuses.values()) == {2} and all("process 1 of 2" in line and named in line for line in lines)
        right &= not any("COMPILING" in ranks.err(i) for i in (0, 1))
        said.append(name)
        wrong += [] if right else [f"{name}: {complaint(ranks, statuses)}"]
    return Found(
        "; ".join([f"{', '.join(said)}: status 2 on both, named, before anything is compiled", *wrong]), not wrong
    )


# as if the folder of process 1 were on a disk of its own
BLIND = """
from fnn.machine import processes
processes._reads = lambda *_: False
processes.SEEN = 1.0
"""


def slurm(rank: int, port: int) -> dict[str, str]:
    """What SLURM sets in a step of two tasks on this host."""
    names = {"JOB_ID": str(port), "STEP_NODELIST": socket.gethostname(), "STEP_NUM_TASKS": "2", "NTASKS": "2"}
    return {f"SLURM_{k}": v for k, v in names.items()} | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}


def open_mpi(rank: int, port: int) -> dict[str, str]:
    """What mpirun of Open MPI 4 sets in two processes on this host."""
    uri = f"{(port << 12) % 2**31}.0;tcp://127.0.0.1:{port}"
    sizes = {"SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_SIZE": "2"}
    return {"OMPI_MCA_orte_hnp_uri": uri} | {f"OMPI_COMM_WORLD_{k}": v for k, v in sizes.items()}


def open_mpi_5(rank: int, port: int) -> dict[str, str]:
    """What mpirun of Open MPI 5 sets."""
    return {k: v for k, v in open_mpi(rank, port).items() if "WORLD" in k} | {"PRTE_LAUNCHED": "1"}


def torchrun(rank: int, port: int) -> dict[str, str]:
    """What torchrun sets; each process has as many devices as it has."""
    return {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


def launched(folder: Path) -> Found:
    """16: the variables of launchers, set by hand; and none at all."""
    path, said, wrong = config(folder, epochs=2), [], []
    expected = {slurm: 0, open_mpi: 0, torchrun: 0, open_mpi_5: 2, nothing: 2}
    for launcher, status in expected.items():
        ranks = started(
            folder / launcher.__name__,
            words(path, folder / f"runs-{launcher.__name__}"),
            variables=launcher,
            count=2 if status == 0 else 1,
        )
        statuses = ranks.wait(SECONDS)
        right = set(statuses.values()) == {status}
        right &= "2 processes x 1 devices" in ranks.out(0) if status == 0 else "expected HOST:PORT,N,I" in ranks.err(0)
        said.append(
            f"{launcher.__name__.replace('_', ' ')}: {'joined' if status == 0 else 'status 2, refused with the form'}"
        )
        wrong += [] if right else [f"{launcher.__name__}: {complaint(ranks, statuses)}"]
        time.sleep(0.1)
    return Found("; ".join([f"by variables set by hand, JAX {jax.__version__}: {', '.join(said)}", *wrong]), not wrong)


def nothing(rank: int, port: int) -> dict[str, str]:
    """No launcher."""
    return {"NO_LAUNCHER": "1"}
