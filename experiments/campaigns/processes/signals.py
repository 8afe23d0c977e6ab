"""Checks 7 and 11: signals in every phase of a training, and processes that decide differently."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import numpy as np

from experiments.campaigns.processes.common import (
    CONFIG,
    SECONDS,
    Found,
    complaint,
    config,
    digest,
    run_in,
    signal_name,
    started,
    train,
    wait_for_mark,
    words,
)

MARK = 'print("HERE", file=__import__("sys").stderr, flush=True); __import__("time").sleep(%s)'
# By phase, what every process does: it says on stderr that it has come there, and takes its time
PHASES = {
    "training": f"""
from fnn.training import fitting
def slow(*all, segment=fitting._segment):
    {MARK % 0.2}
    return segment(*all)
fitting._segment = slow
""",
    "evaluation": f"""
from fnn.training import fitting
def slow(*all, sums=fitting.sums):
    {MARK % 2}
    yield from sums(*all)
fitting.sums = slow
""",
    "compilation": f"""
from fnn.training import fitting
def slow(*all, compile=fitting._compile):
    {MARK % 3}
    return compile(*all)
fitting._compile = slow
""",
    "waiting for a file": f"""
from fnn.training import streaming
def slow(*all, read=streaming._read):
    {MARK % 3}
    return read(*all)
streaming._read = slow
""",
}
HASTY = """
from fnn.training import fitting
def hasty(*all, timed=fitting._timed):
    seconds, outputs = timed(*all)
    return seconds + 2, outputs
fitting._timed = hasty
"""


def in_file(folder: Path) -> str:
    """A config whose data are in files that are larger than the memory for them."""
    rng = np.random.default_rng(0)
    for name, array in (("x", rng.random((1200, 64), np.float32)), ("y", rng.integers(0, 10, 1200))):
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", array)
    lines = f'source = "x.npy"\ny = "y.npy"\nmemory = {3 * 200 * 64 * 4 / 2**30}\ntest = 200'
    return config(folder, CONFIG.replace('source = "digits"', lines).replace("validation = 297\n", ""), epochs=3)


def signalled(folder: Path) -> Found:
    """7: SIGTERM to one rank, and Ctrl-C to all, in each phase; the run goes on to the same bits."""
    paths = dict.fromkeys(PHASES, config(folder / "digits", epochs=3))
    paths["waiting for a file"] = in_file(folder / "file")
    wholes = {path: folder / f"whole-{k}" for k, path in enumerate(dict.fromkeys(paths.values()))}
    for path, out in wholes.items():
        train(folder / f"{out.name}-said", path, out)
    said, wrong = [], []
    for phase, code in PHASES.items():
        for number in (signal.SIGTERM, signal.SIGINT):
            here, path = folder / f"{phase.replace(' ', '-')}-{number}", paths[phase]
            took, fault = one_signal(here, path, code, number)
            train(here / "again", path, here / "runs")
            fault = fault or ("" if digest(here / "runs") == digest(wholes[path]) else "resumed to OTHER BITS")
            said.append(f"{phase}, {signal_name(number)} {took:.1f} s")
            wrong += [f"{phase}, {signal_name(number)}: {fault}"] if fault else []
    whom = (
        "SIGTERM to rank 1 of 2, Ctrl-C to both; all ended with 143 and 130, one checkpoint, resumed to the same bits"
    )
    return Found("; ".join([f"{whom}: {', '.join(said)}", *wrong]), not wrong)


def one_signal(here: Path, path: str, code: str, number: int) -> tuple[float, str]:
    """How long all processes take to end after a signal in a phase, and what is wrong with it."""
    ranks = started(here / "said", words(path, here / "runs"), before={0: code, 1: code})
    wait_for_mark(ranks, [0, 1])
    time.sleep(0.1)
    ranks.send(number, *((1,) if number == signal.SIGTERM else ()))
    statuses = ranks.wait(120)
    saved = list((run_in(here / "runs") / "checkpoints").glob("step-*"))
    right = set(statuses.values()) == {128 + number} and len(saved) == 1
    return max(ranks.ended.values(), default=999), "" if right else f"{len(saved)} saved; {complaint(ranks, statuses)}"


def disagreeing(folder: Path) -> Found:
    """11: the clock of process 1 says other times, its checkpoints are due sooner, and it alone is asked to stop."""
    path = config(folder, epochs=8)
    train(folder / "whole-said", path, folder / "whole")
    train(folder / "pace-said", path, folder / "pace", before={1: HASTY}, own={1: ["--checkpoint", "0"]})
    ranks = started(folder / "said", words(path, folder / "wish"), before={1: PHASES["training"] + HASTY})
    ranks.until("together: ", SECONDS)
    wait_for_mark(ranks, [1])
    ranks.send(signal.SIGTERM, 1)
    statuses = ranks.wait(120)
    train(folder / "wish-said", path, folder / "wish")
    same = [digest(folder / name) == digest(folder / "whole") for name in ("pace", "wish")]
    told = " and ".join("the same bits" if each else "OTHER BITS" for each in same)
    return Found(
        f"pace and due forced to differ, wish of one alone: trains on, {told}",
        all(same) and set(statuses.values()) == {143},
    )
