"""The table of the checks: what must hold, and what was measured."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.campaigns.processes.common import Found
from fnn.machine.hardware import cores, processor

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "processes.json", HERE.parent / "PROCESSES.md"
HEAD = """# Several devices, several processes: sixteen checks

Made by `python -m experiments.campaigns.processes`, which takes the numbers of checks too; a check that is run anew
takes its row anew. Each row says with which versions and at which load it was run. The machine does other work at the
same time, so seconds are upper bounds, and nothing here says how much faster several devices are. All devices are CPUs
of one machine; processes exchange by Gloo. "2 x 4" are 2 processes of 4 devices each. A difference is the largest in
any array, relative to the largest number in that array.

Processor: {processor}, {cores} cores. {holding} of {all} rows hold.

| check | must hold | measured | holds | with | load |
| --- | --- | --- | --- | --- | --- |
"""


def versions() -> str:
    """Of Python and JAX."""
    return f"Python {platform.python_version()}, JAX {version('jax')}"


def kept() -> dict[str, dict[str, Any]]:
    """The rows so far, by check and versions."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def note(number: int, found: Found, seconds: float) -> None:
    """Keep the row of a check, and write the page anew."""
    row = {"measured": found.measured, "holds": found.holds, "versions": versions(), "seconds": round(seconds)}
    row |= {"load": round(os.getloadavg()[1], 1), "when": time.strftime("%Y-%m-%d"), "processor": processor()}
    rows = kept() | {f"{number:02} {versions()}": row}
    RESULTS.write_text(json.dumps(dict(sorted(rows.items())), indent=1) + "\n")


def write(must: dict[int, str]) -> None:
    """Write the page from all rows so far."""
    rows = kept()
    holding, measured = (
        sum(row["holds"] is True for row in rows.values()),
        [r for r in rows.values() if r["holds"] is not None],
    )
    text = HEAD.format(processor=processor(), cores=cores(), holding=holding, all=len(measured))
    missing = {f"{number:02}": None for number in must if not any(int(key.split()[0]) == number for key in rows)}
    for key, row in sorted({**rows, **missing}.items()):
        if row is None:
            text += f"| {int(key)} | {must[int(key)]} | | not run yet | | |\n"
            continue
        number = int(key.split()[0])
        answer = {True: "yes", False: "**no**", None: "not decided here"}[row["holds"]]
        told = row["measured"].replace("|", "/").replace("\n", " ")
        text += f"| {number} | {must[number]} | {told} | {answer} | {row['versions']} | {row['load']} |\n"
    PAGE.write_text(text)
