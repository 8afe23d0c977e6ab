"""The sixteen checks: `python -m experiments.campaigns.processes [CHECK ...]`, some by number, all without one.

Check 3 and 4 need MNIST: FNN_DATA_DIR. All of them take about half an hour on two quiet cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from experiments.campaigns.processes import losses, page, signals, starts, trainings
from experiments.campaigns.processes.common import Found

TEST = "tests/training/test_spreading.py::test_who_names_a_mesh_a_sharding_or_a_process"


def who_names(folder: Path) -> Found:
    """14: a test holds it."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", TEST], capture_output=True, text=True)
    return Found(f"`pytest {TEST}`", done.returncode == 0)


def benchmark(folder: Path) -> Found:
    """15: is measured elsewhere, on a quiet machine."""
    return Found("by `python -m experiments.benchmark`, before and after, on a quiet machine", None)


CHECKS: dict[int, tuple[str, Callable[[Path], Found]]] = {
    1: (
        "every case within 1e-5 of one device; ranks bit-equal; one device in a mesh: the bits of none",
        trainings.equal,
    ),
    2: ("each loop body has exactly one all-reduce, and no other exchange", trainings.exchanges),
    3: ("`fnn run` on 8 virtual devices against 1: 1e-5", trainings.virtual_devices),
    4: ("4 processes x 2 devices: 1e-5, ranks bit-equal, one run directory, progress once", trainings.four_processes),
    5: (
        "kill -9 of rank 0 and of rank 2 of 4, ten times each: others gone in 15 s, status 5, the line within the last "
        "3 of stderr; resumed on 4 the same sha256, on 1 and 2 processes 1e-5; no checkpoint unreadable",
        losses.killed,
    ),
    6: ("SIGSTOP of a rank: others gone in 15 s", losses.stopped),
    7: (
        "SIGTERM to one rank, Ctrl-C to all, in each phase: 143 and 130, one checkpoint, same bits later",
        signals.signalled,
    ),
    8: (
        "a rank never starts: ended within 75 s, not 0, address and number named; 20 s late: trains; Ctrl-C to a "
        "process 0 that waits: all end",
        starts.absent,
    ),
    9: ("a process is stuck: all gone 5 s after the watchdog, with stacks", losses.stuck),
    10: ("another config, data file, folder: status 2 on all, named, before compiling", starts.different),
    11: ("pace, due and wish forced to differ: trains on, same bits", signals.disagreeing),
    12: ("sweep on 2 x 2 as on 1 x 4, bit for bit; one device 1e-5; m = 7", trainings.sweeps),
    13: (
        "a file of 4 x memory: rows read <= n/P + B, memory within the bound, 1e-5; 1 device same bits",
        trainings.file,
    ),
    14: ("who names a mesh, a sharding or a process", who_names),
    15: ("the benchmarks of one device are unchanged", benchmark),
    16: ("SLURM, Open MPI, torchrun are found by their variables", starts.launched),
}


def main(numbers: list[int]) -> int:
    """Run the checks, print each, and write the page; status 1 if one of them does not hold."""
    failed = 0
    for number in numbers or CHECKS:
        must, check = CHECKS[number]
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = check(Path(folder))
            except Exception:
                found = Found(f"failed: {traceback.format_exc(limit=-3)[-3000:]}", False)
        page.note(number, found, time.monotonic() - begun)
        failed += found.holds is False
        print(f"{number}: {found.holds} ({time.monotonic() - begun:.0f} s): {found.measured}", flush=True)
    page.write({number: must for number, (must, _) in CHECKS.items()})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([int(text) for text in sys.argv[1:]]))
