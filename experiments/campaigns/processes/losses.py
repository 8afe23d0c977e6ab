"""Checks 5, 6 and 9: a process is killed, is stopped, or is stuck; the others end, and the training goes on later."""

from __future__ import annotations

import random
import re
import shutil
import signal
import time
from pathlib import Path

from experiments.campaigns.processes.common import (
    ROUNDING,
    SECONDS,
    Found,
    alone,
    complaint,
    config,
    digest,
    far,
    line_is_last,
    run_in,
    started,
    train,
    wait_for_mark,
    words,
)
from fnn.errors import CorruptFileError
from fnn.storage.checkpoints import _steps, load
from fnn.storage.json_files import read_json

KILLS = 20  # of rank 0 and of rank 2 in turn
EPOCHS = 150  # so many that the training is not over after all kills
AT_MOST = 4.0  # seconds of training, after which a rank is killed
# each process starts sooner
CACHE = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
TRAINS = """
from fnn.training import fitting
def told(*all, segment=fitting._segment, calls=[]):
    found = segment(*all)
    calls.append(0)
    if len(calls) == 2:  # the first one only compiles
        print("HERE", file=__import__("sys").stderr, flush=True)
    return found
fitting._segment = told
"""
STUCK = """
from fnn.training import fitting
def stuck(*all, segment=fitting._segment, count=[]):
    count.append(0)
    if len(count) == 5:
        print("HERE", file=__import__("sys").stderr, flush=True)
        __import__("time").sleep(9999)
    return segment(*all)
fitting._segment = stuck
"""


def killed(folder: Path) -> Found:
    """5: kill -9 of rank 0 and of rank 2 of 4, ten times each, at random times; each time the run goes on."""
    path, rng, out = config(folder, epochs=EPOCHS), random.Random(0), folder / "killed"
    cache = CACHE | {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache")}
    train(folder / "whole-said", path, folder / "whole", count=4, environment=cache)
    slowest, wrong, checkpoints, unreadable = 0.0, [], 0, 0
    for k in range(KILLS):
        rank = 2 * (k % 2)
        ranks = started(
            folder / f"said-{k}", words(path, out, "--checkpoint", "0"), 4, {rank: TRAINS}, environment=cache
        )
        wait_for_mark(ranks, [rank])
        time.sleep(rng.uniform(0, AT_MOST))
        ranks.send(signal.SIGKILL, rank)
        statuses = ranks.wait(30, but=(rank,))
        slowest = max(slowest, *ranks.ended.values())
        if set(statuses.values()) != {5} or not line_is_last(ranks, statuses):
            wrong.append(f"kill {k} of rank {rank}: {complaint(ranks, statuses)}")
        readable = [is_readable(each) for each in _steps(run_in(out) / "checkpoints")]
        checkpoints, unreadable = checkpoints + len(readable), unreadable + readable.count(False)
        print(f"  kill {k + 1}: rank {rank}, {statuses}, {len(readable)} checkpoints", flush=True)
    for number in (1, 2):
        shutil.copytree(out, folder / f"on-{number}")
    train(folder / "said-end", path, out, count=4, environment=cache)
    alone(path, folder / "on-1")
    train(folder / "said-two", path, folder / "on-2", count=2)
    same, off = digest(out) == digest(folder / "whole"), [far(folder / f"on-{i}", folder / "whole") for i in (1, 2)]
    bits = "the same sha256" if same else "ANOTHER SHA256"
    said = (
        f"{KILLS} kills: others gone after at most {slowest:.1f} s, {KILLS - len(wrong)} with status 5 and the line; "
        f"resumed on 4 {bits}, on 1 and 2 processes {off[0]:.1e} and {off[1]:.1e}; "
        f"{unreadable} of {checkpoints} checkpoints unreadable"
    )
    holds = not wrong and slowest <= 15 and same and max(off) < ROUNDING and not unreadable and checkpoints > 0
    return Found("; ".join([said, *wrong]), holds)


def is_readable(path: Path) -> bool:
    """Whether every byte of a checkpoint is as it was written."""
    try:
        arrays = read_json(path / "manifest.json")["arrays"]
        load(path, {name: (dtype, tuple(shape)) for name, (dtype, shape) in arrays.items()})
    except (CorruptFileError, OSError):
        return False
    return True


def stopped(folder: Path) -> Found:
    """6: SIGSTOP of rank 1 of 4."""
    ranks = started(folder / "said", words(config(folder, epochs=9999), folder / "runs"), 4)
    ranks.until("epoch", SECONDS)
    ranks.send(signal.SIGSTOP, 1)
    statuses = ranks.wait(60, but=(1,))
    slowest = max(ranks.ended.values())
    holds = set(statuses.values()) == {5} and slowest <= 15 and line_is_last(ranks, statuses)
    said = f"others gone after {slowest:.1f} s, status 5, the line last"
    return Found(said if holds else f"{said}: NOT SO: {complaint(ranks, statuses)}", holds)


def stuck(folder: Path, seconds: int = 15) -> Found:
    """9: process 1 of 2 sleeps for ever in a part of the training."""
    ranks = started(
        folder / "said",
        words(config(folder, epochs=9999), folder / "runs"),
        environment={"FNN_WATCHDOG_SECONDS": str(seconds)},
        before={1: STUCK},
    )
    wait_for_mark(ranks, [1])
    ranks.begun = time.monotonic()
    statuses = ranks.wait(200)
    slowest, said = max(ranks.ended.values(), default=999), re.search(r"nothing went on for (\d+) s", ranks.err(1))
    limit = int(said[1]) if said else 0
    stacks = "most recent call first" in ranks.err(1) and "in stuck" in ranks.err(1)
    holds = set(statuses.values()) == {5} and slowest <= limit + 5 and stacks and line_is_last(ranks, statuses)
    longer = ", as 20 times the longest part is more" if limit > seconds + 2 else ""
    told = f"set to {seconds} s, {limit} s were waited{longer}"
    said = f"watchdog: {told}; all gone after {slowest:.1f} s, status 5, stacks on stderr"
    return Found(said if holds else f"{said}: NOT SO: {complaint(ranks, statuses)}", holds)
