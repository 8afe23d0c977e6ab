"""The measurement: all entries of a case run in turns, in another order every round, and each has its own clock.

They are interleaved because the speed of a shared machine drifts by more than the contestants differ. The samples of
one round belong together, and ratios are taken within a round.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.benchmark.cases import Case, Entry
from experiments.benchmark.contestants import FLOOR, refusal
from experiments.benchmark.report import ratio
from experiments.benchmark.tasks import Trainer

LEAST = 3  # rounds, however long they take
SHORT = 1.0  # seconds: such an epoch would also measure the caches and the sleeping cores that others leave behind
PAUSE = 0.05  # seconds: the threads of some libraries spin for a while after their work, and would take a core


def measured(case: Case) -> dict[str, Any]:
    """The case with a row per entry: the samples in seconds per unit, or the reason why there are none."""
    print(f"\n{case.title}", flush=True)
    rows = [_row(entry, refusal(entry.contestant, entry.tasks) if entry.trains else "") for entry in case.entries]
    ready = [i for i, row in enumerate(rows) if not row["refusal"]]
    trainers = [case.entries[i].contestant.trainer(case.entries[i].tasks) for i in ready]
    for i, seconds in zip(ready, race(trainers, case.rounds, case.budget), strict=True):
        rows[i]["samples"] = [s / case.entries[i].units for s in seconds]
    rename_floors(rows)
    for row in rows:
        print(_line(case, row), flush=True)
    return {"name": case.name, "title": case.title, "unit": case.unit, "per_second": case.per_second, "rows": rows}


def rename_floors(rows: Sequence[dict[str, Any]]) -> None:
    """Takes the name "floor" from a row that took longer than a contestant: there it is none."""
    for floor in (row for row in rows if row["contestant"] == FLOOR.name and row["samples"]):
        same = [row for row in rows if row["samples"] and row["trains"] and row["value"] == floor["value"]]
        fastest = min(same, key=lambda row: ratio(row, floor))
        if ratio(fastest, floor) < 1:
            floor["contestant"] = "C, no floor"
            floor["note"] += f"; slower than {fastest['contestant']}"


def race(trainers: Sequence[Trainer], rounds: int, budget: float) -> list[list[float]]:
    """The seconds of an epoch of each trainer in every round, after one that is not counted.

    Right before a short epoch there is another one that is not counted either. No new round begins after `budget`
    seconds.
    """
    seconds: list[list[float]] = [[] for _ in trainers]
    for trainer in trainers:
        trainer.epoch(0)
    start = time.perf_counter()
    for r in range(1, rounds + 1):
        if r > LEAST and time.perf_counter() - start > budget:
            print(f"  stopped after {r - 1} of {rounds} rounds: {budget:.0f} seconds are over", flush=True)
            break
        gc.collect()
        for i in np.random.default_rng(r).permutation(len(trainers)):
            time.sleep(PAUSE)
            if not seconds[i] or seconds[i][-1] < SHORT:
                trainers[i].epoch(r)
            seconds[i].append(trainers[i].epoch(r))
    return seconds


def _row(entry: Entry, reason: str) -> dict[str, Any]:
    contestant = entry.contestant
    return {
        "contestant": contestant.name,
        "value": entry.value,
        "flops": entry.flops,
        "trains": entry.trains,
        "note": contestant.remark(entry.tasks[0]),
        "refusal": reason,
        "samples": [],
    }


def _line(case: Case, row: dict[str, Any]) -> str:
    name = f"  {row['contestant']:28} {row['value'] or '':>9} "
    if row["refusal"]:
        return name + row["refusal"]
    return f"{name}{np.median(row['samples']) * case.per_second:10.4g} {case.unit}"
